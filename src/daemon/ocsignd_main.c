/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsignd: reads the command line and the configuration, goes into the
 * background if told to, and supervises.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "daemon/check_main.h"
#include "daemon/drop_in.h"
#include "daemon/needs.h"
#include "daemon/options.h"
#include "daemon/supervisor.h"
#include "ipc/role.h"

/* The background's word to the process that was called. */
struct caller {
	int fd;			/* -1: nobody waits */
};

static void
print_to_log(const char *line)
{
	oc_log(OC_LOG_ERROR, "%s", line);
}

static void
print_to_stderr(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static enum oc_err
load_and_log(const char *path, struct oc_config **config)
{
	return daemon_check(path, DAEMON_CHECK_TO_RELOAD, print_to_log,
	    config);
}

static int
test(const char *path)
{
	struct oc_config *config;

	if (daemon_check(path, DAEMON_CHECK_ALL, print_to_stderr, &config) !=
	    OC_OK)
		return IPC_EXIT_CONFIG;
	oc_config_free(config);
	printf("%s: ok\n", path);
	return EXIT_SUCCESS;
}

/* Only what the configuration's reader has to say is checked: both are asked
 * for beside a service that runs. */
static int
tell_units(const struct daemon_command *command)
{
	struct oc_config_errors errors = { 0 };
	struct oc_error error = { 0 };
	struct oc_config *config;
	struct oc_buffer needs;
	enum oc_err err;

	err = oc_config_load(command->config_path, &config, &errors);
	for (size_t i = 0; err != OC_OK && i < errors.num; i++)
		print_to_stderr(errors.list[i].text);
	if (err != OC_OK)
		return IPC_EXIT_CONFIG;
	oc_buffer_init(&needs, DAEMON_NEEDS_MAX);
	if (command->mode == DAEMON_DROP_INS) {
		err = daemon_drop_in_write(config, command->drop_ins, &error);
	} else {
		daemon_put_signer_needs(config, &needs);
		err = needs.err;
		(void)fwrite(oc_buffer_text(&needs), 1, needs.len, stdout);
	}
	if (err == OC_OK && fflush(stdout) != 0)
		err = oc_error_set_errno(&error, OC_ERR_SYSTEM, "output");
	if (err != OC_OK)
		fprintf(stderr, "ocsignd: %s\n", error.text[0] != '\0' ?
		    error.text : oc_strerror(err));
	oc_buffer_fini(&needs);
	oc_config_free(config);
	return err == OC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A terminal is not ours any more; a file or a pipe is where logs belong. */
static void
let_go_of(int first, int last)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd;

	if (null < 0)
		return;
	for (fd = first; fd <= last; fd++)
		(void)dup2(null, fd);
	close(null);
}

static void
tell_caller(void *arg)
{
	struct caller *caller = arg;

	if (caller->fd < 0)
		return;
	(void)!write(caller->fd, "", 1);
	close(caller->fd);
	caller->fd = -1;
	if (isatty(STDERR_FILENO))
		let_go_of(STDERR_FILENO, STDERR_FILENO);
}

/* The parent ends here: with success once the child said so. */
static enum oc_err
detach(struct caller *caller, struct oc_error *error)
{
	int fds[2];
	char octet;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "pipe");
	pid = fork();
	if (pid < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "fork");
	if (pid > 0) {
		ssize_t n;

		close(fds[1]);
		while ((n = read(fds[0], &octet, 1)) < 0 && errno == EINTR)
			;
		/* Not exit(3): what is buffered is the child's too. */
		_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(fds[0]);
	caller->fd = fds[1];
	if (setsid() < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "setsid");
	/* Before the roles inherit them: whoever reads the caller's output
	 * through a pipe waits for the last that has it open. */
	let_go_of(STDIN_FILENO, STDOUT_FILENO);
	return OC_OK;
}

static const char *
directory_of(const char *variable, const char *usual)
{
	const char *directory = getenv(variable);

	return directory != NULL && *directory != '\0' ? directory : usual;
}

/* The working directory keeps no file system busy, and relative paths in
 * the configuration start where its file is. */
static enum oc_err
settle(const struct daemon_command *command, struct caller *caller,
    int *pid_fd, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (command->mode == DAEMON_DETACH)
		err = detach(caller, error);
	if (err == OC_OK && command->pid_path != NULL)
		err = oc_file_lock(command->pid_path, pid_fd, error);
	if (err == OC_OK && command->mode == DAEMON_DETACH &&
	    chdir("/") != 0)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "chdir");
	return err;
}

static int
run(const struct daemon_command *command, const char *path,
    struct oc_config *config)
{
	struct caller caller = { .fd = -1 };
	char tool[PATH_MAX];
	const struct daemon_options options = {
		.config_path = path,
		.directory = directory_of("OCSIGN_LIBEXECDIR",
		    OCSIGN_LIBEXECDIR),
		.tool = tool,
		.must_start = command->mode == DAEMON_DETACH,
		.load = load_and_log,
		.ready = tell_caller,
		.arg = &caller,
	};
	struct oc_error error = { 0 };
	char pid_path[PATH_MAX] = "";
	int pid_fd = -1, status;

	(void)snprintf(tool, sizeof(tool), "%s/ocsign",
	    directory_of("OCSIGN_BINDIR", OCSIGN_BINDIR));
	/* Before chdir(2): it is removed at the end. */
	if (command->pid_path != NULL && command->pid_path[0] != '/' &&
	    getcwd(pid_path, sizeof(pid_path)) != NULL)
		strncat(pid_path, "/", sizeof(pid_path) - strlen(pid_path) -
		    1);
	if (command->pid_path != NULL)
		strncat(pid_path, command->pid_path, sizeof(pid_path) -
		    strlen(pid_path) - 1);
	if (settle(command, &caller, &pid_fd, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		oc_config_free(config);
		return EXIT_FAILURE;
	}
	status = daemon_supervise(&options, config);
	if (pid_fd >= 0) {
		(void)unlink(pid_path);
		close(pid_fd);
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct daemon_command command;
	struct oc_config *config;
	char *path;
	int status;

	status = daemon_options_parse(argc, argv, &command);
	if (status != DAEMON_GO)
		return status;
	if (command.mode == DAEMON_TEST)
		return test(command.config_path);
	if (command.mode == DAEMON_DROP_INS ||
	    command.mode == DAEMON_SIGNER_NEEDS)
		return tell_units(&command);
	oc_log_init("ocsignd", OC_LOG_NOTICE);
	path = realpath(command.config_path, NULL);
	if (path == NULL) {
		oc_log(OC_LOG_ERROR, "%s: %s", command.config_path,
		    strerror(errno));
		return IPC_EXIT_CONFIG;
	}
	status = IPC_EXIT_CONFIG;
	if (daemon_check(path, DAEMON_CHECK_TO_START, print_to_log,
	    &config) == OC_OK) {
		oc_log_init("ocsignd", config->daemon.log_level);
		status = run(&command, path, config);
	}
	free(path);
	return status;
}
