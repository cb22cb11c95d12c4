/* SPDX-License-Identifier: Apache-2.0 */
/* The running ocsignd, if there is one. */
#include "cli/work_impl.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ipc/channel.h"
#include "ipc/server.h"

/* How long one question may take. */
#define SERVICE_S 5

enum oc_err
cli_socket(struct cli *cli, const char *name, char **path,
    struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	*path = NULL;
	if (err == OC_OK && oc_path_join(config->daemon.run_directory, name,
	    path) != OC_OK)
		cli_no_memory();
	return err;
}

static enum oc_err
nudge(const char *path)
{
	uint8_t frame[64];
	struct ipc_channel *channel;
	struct der_bytes fields;
	enum ipc_type type;
	enum oc_err err;
	uint64_t id;
	size_t len;

	err = ipc_channel_new(path, "ocsign", &channel);
	if (err != OC_OK)
		return err;
	id = ipc_channel_next_id(channel);
	err = ipc_put_bare(frame, sizeof(frame), id, IPC_NUDGE, &len);
	if (err == OC_OK)
		err = ipc_channel_ask_now(channel, id, frame, len,
		    cli_deadline(SERVICE_S), &type, &fields);
	if (err == OC_OK && type != IPC_NUDGED)
		err = OC_ERR_MALFORMED;
	ipc_channel_free(channel);
	return err;
}

enum oc_err
cli_ask_status(const char *path, json_t **answer, struct oc_error *error)
{
	uint8_t frame[64];
	struct ipc_channel *channel;
	struct der_bytes fields, text;
	enum ipc_type type;
	enum oc_err err;
	uint64_t id;
	size_t len;

	err = ipc_channel_new(path, "ocsign", &channel);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", path,
		    oc_strerror(err));
	id = ipc_channel_next_id(channel);
	err = ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS, &len);
	if (err == OC_OK)
		err = ipc_channel_ask_now(channel, id, frame, len,
		    cli_deadline(SERVICE_S), &type, &fields);
	if (err == OC_OK && (type != IPC_STATUS_IS ||
	    ipc_read_text_message(fields, &text) != OC_OK))
		err = OC_ERR_MALFORMED;
	if (err == OC_OK) {
		*answer = json_loadb((const char *)text.p, text.len, 0, NULL);
		if (*answer == NULL)
			err = OC_ERR_MALFORMED;
	}
	ipc_channel_free(channel);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s: %s", path,
		    oc_strerror(err));
	return OC_OK;
}

/* ocsignd makes the sockets and hands them to its roles; a role that was
 * started alone makes its own, and would end by SIGHUP.  0: nobody. */
static pid_t
find_ocsignd(const char *path)
{
	pid_t pid = ipc_listener_pid(path);
	char name[64], comm[32] = "";
	FILE *f;

	(void)snprintf(name, sizeof(name), "/proc/%ld/comm", (long)pid);
	f = fopen(name, "re");
	if (f == NULL)
		return 0;
	if (fgets(comm, sizeof(comm), f) == NULL)
		comm[0] = '\0';
	(void)fclose(f);
	return strcmp(comm, "ocsignd\n") == 0 ? pid : 0;
}

/* Where each role is a unit of its own, systemd watches this file; who may
 * write there may have it reload. */
static bool
ask_systemd(const char *path)
{
	const char *slash = strrchr(path, '/');
	bool is_asked = false;
	char *name;
	int fd;

	if (slash == NULL || asprintf(&name, "%.*s/reload",
	    (int)(slash - path), path) < 0)
		return false;
	fd = open(name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		is_asked = write(fd, "\n", 1) == 1;
		(void)close(fd);
	}
	free(name);
	return is_asked;
}

enum oc_err
cli_reload(const char *path, struct oc_error *error)
{
	pid_t pid = find_ocsignd(path);

	if (pid == 0 && ask_systemd(path))
		return OC_OK;
	if (pid == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s is not "
		    "ocsignd's: reload what serves there yourself", path);
	if (kill(pid, SIGHUP) != 0)
		return oc_error_set_errno(error, OC_ERR_REFUSED, "cannot "
		    "reload ocsignd (process %ld)", (long)pid);
	return OC_OK;
}

enum cli_nudged
cli_nudge(struct cli *cli)
{
	const struct cli_command *c = cli->command;
	enum cli_nudged nudged = CLI_NUDGED_NOBODY;
	enum oc_err err = OC_OK;
	char *path;

	/* The configuration has been read by now. */
	if (cli_socket(cli, "status-control.sock", &path, NULL) != OC_OK)
		return nudged;
	if (ipc_is_served(path)) {
		cli_progress_begin("ocsignd");
		err = nudge(path);
		cli_progress_end();
		nudged = err == OC_OK ? CLI_NUDGED : CLI_NUDGED_IN_VAIN;
	}
	if (err != OC_OK)
		fprintf(stderr, "ocsign: %s %s: warning: it is recorded, but "
		    "ocsignd (%s) does not say that it answers so: %s; see "
		    "\"ocsign status\"\n", c->noun, c->verb, path,
		    oc_strerror(err));
	free(path);
	return nudged;
}
