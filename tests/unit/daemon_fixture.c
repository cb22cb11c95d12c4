/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/daemon_fixture.h"
#include "tests/unit/ipc_thread.h"

static char dir[IPC_DIR_MAX];
pid_t fixture_pid;		/* 0: none */

const char *const fixture_programs[] = { "ocsign-signer", "ocsign-status",
    "ocsign-responder" };

const char *
fixture_in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

void
fixture_write_file(const char *name, const char *text)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(fixture_in_dir(name), 0600, text,
	    strlen(text), &error), OC_OK);
}

char *
fixture_read_file(const char *name)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;
	size_t len;

	if (oc_file_read(fixture_in_dir(name), 1 << 20, &bytes, &len,
	    &error) != OC_OK)
		return strdup("");
	return (char *)bytes;
}

void
fixture_behave(const char *program, const char *how)
{
	fixture_write_file(program, how);
}

void
fixture_configure(int workers, const char *listen, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text), "[store]\npath = store.db\n\n"
	    "[daemon]\nrun-directory = run\ntable-directory = tables\n\n"
	    "[responder]\nlisten = %s\nworkers = %d\n%s", listen, workers,
	    more);
	fixture_write_file("ocsign.conf", text);
}

/* --- ocsignd ---------------------------------------------------------- */

static int
exec_daemon(const char *option)
{
	char path[PATH_MAX];
	const char *top = getenv("top_builddir");
	int log;

	snprintf(path, sizeof(path), "%s/ocsignd", top != NULL ? top : ".");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("OCSIGN_LIBEXECDIR", fixture_in_dir("libexec"), 1);
	setenv("OCSIGN_BINDIR", fixture_in_dir("libexec"), 1);
	setenv("DUMMY_DIR", dir, 1);
	unsetenv("NOTIFY_SOCKET");
	log = open(fixture_in_dir("stderr"), O_WRONLY | O_CREAT | O_APPEND,
	    0600);
	dup2(log, STDERR_FILENO);
	dup2(log, STDOUT_FILENO);
	close(log);
	execl(path, path, "-c", fixture_in_dir("ocsign.conf"), option,
	    (char *)NULL);
	return 126;
}

void
fixture_start(void)
{
	fixture_pid = fork();
	assert_true(fixture_pid >= 0);
	if (fixture_pid == 0)
		_exit(exec_daemon(NULL));
}

/* Its exit status; -1 when a signal ended it. */
int
fixture_wait_for_end(void)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	int status;

	while (waitpid(fixture_pid, &status, WNOHANG) == 0) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(5000);
	}
	fixture_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
fixture_stop(void)
{
	assert_int_equal(kill(fixture_pid, SIGTERM), 0);
	return fixture_wait_for_end();
}

int
fixture_run_to_end(const char *option)
{
	fixture_pid = fork();
	assert_true(fixture_pid >= 0);
	if (fixture_pid == 0)
		_exit(exec_daemon(option));
	return fixture_wait_for_end();
}

/* --- what the roles noted --------------------------------------------- */

/* The process in the n-th line "WHAT PROGRAM PID"; 0: there is none. */
pid_t
fixture_find(const char *what, const char *program, int n)
{
	char *log = fixture_read_file("log"), key[64];
	pid_t pid = 0;

	snprintf(key, sizeof(key), "%s %s ", what, program);
	for (char *line = log; line != NULL && *line != '\0'; ) {
		char *end = strchr(line, '\n');

		if (strncmp(line, key, strlen(key)) == 0 && n-- == 0)
			pid = (pid_t)atol(line + strlen(key));
		line = end == NULL ? NULL : end + 1;
	}
	free(log);
	return pid;
}

int
fixture_count(const char *what, const char *program)
{
	int n = 0;

	while (fixture_find(what, program, n) != 0)
		n++;
	return n;
}

pid_t
fixture_wait_for(const char *what, const char *program, int n)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	pid_t pid;

	while ((pid = fixture_find(what, program, n)) == 0) {
		if (oc_clock_mono_ns() > end) {
			print_message("%s\n%s", fixture_read_file("log"),
			    fixture_read_file("stderr"));
			fail_msg("no %s %s %d", what, program, n);
		}
		usleep(5000);
	}
	return pid;
}

void
fixture_wait_for_text(const char *text)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	for (;;) {
		char *log = fixture_read_file("stderr");
		bool is_there = strstr(log, text) != NULL;

		if (!is_there && oc_clock_mono_ns() > end)
			fail_msg("\"%s\" is not in\n%s", text, log);
		free(log);
		if (is_there)
			return;
		usleep(5000);
	}
}

/* Dead, though nobody may have asked how: it is not our child. */
bool
fixture_is_alive(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z';
}

void
fixture_wait_until_gone(pid_t pid)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (fixture_is_alive(pid)) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(5000);
	}
}

/* Where in the log; to compare. */
size_t
fixture_place(const char *what, const char *program)
{
	char *log = fixture_read_file("log"), key[64], *at;
	size_t offset;

	snprintf(key, sizeof(key), "%s %s ", what, program);
	at = strstr(log, key);
	assert_non_null(at);
	offset = (size_t)(at - log);
	free(log);
	return offset;
}

void
fixture_start_and_wait(void)
{
	fixture_start();
	for (size_t i = 0; i < 3; i++)
		fixture_wait_for("ready", fixture_programs[i], 0);
}

void
fixture_reload(void)
{
	assert_int_equal(kill(fixture_pid, SIGHUP), 0);
}

/* --- HTTP ------------------------------------------------------------- */

int
fixture_http_port(void)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	int port = 0;

	while (port == 0 && oc_clock_mono_ns() < end) {
		char *urls = fixture_read_file("run/http.urls");

		if (sscanf(urls, "http://127.0.0.1:%d/", &port) != 1)
			usleep(5000);
		free(urls);
	}
	assert_int_not_equal(port, 0);
	return port;
}

/* The process that answered; 0: nobody did. */
pid_t
fixture_ask_http(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 10, 0 };
	char text[128] = "";
	size_t len = 0;
	ssize_t n;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(sock);
		return 0;
	}
	while (len < sizeof(text) - 1 && (n = recv(sock, text + len,
	    sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(sock);
	return len > 19 ? (pid_t)atol(text + 19) : 0;
}

/* --- setup ------------------------------------------------------------ */

int
fixture_setup(void **state)
{
	char target[PATH_MAX], path[PATH_MAX];
	const char *top = getenv("top_builddir");

	(void)state;
	ipc_dir_new(dir);
	assert_int_equal(mkdir(fixture_in_dir("libexec"), 0700), 0);
	snprintf(target, sizeof(target), "%s/tests/faults/role_dummy",
	    top != NULL ? top : ".");
	assert_non_null(realpath(target, path));
	assert_int_equal(symlink(path, fixture_in_dir("libexec/ocsign")), 0);
	for (size_t i = 0; i < 3; i++) {
		char name[64];

		snprintf(name, sizeof(name), "libexec/%s", fixture_programs[i]);
		assert_int_equal(symlink(path, fixture_in_dir(name)), 0);
		fixture_behave(fixture_programs[i], "ready");
	}
	return 0;
}

int
fixture_teardown(void **state)
{
	(void)state;
	if (fixture_pid > 0) {
		kill(fixture_pid, SIGKILL);
		waitpid(fixture_pid, NULL, 0);
		fixture_pid = 0;
	}
	if (access(fixture_in_dir("run"), F_OK) == 0)
		ipc_dir_remove(fixture_in_dir("run"));
	ipc_dir_remove(fixture_in_dir("libexec"));
	ipc_dir_remove(dir);
	return 0;
}
