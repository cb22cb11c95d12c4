/* SPDX-License-Identifier: Apache-2.0 */
/* Starting one process of a role, with its listeners, and nothing else of
 * ours. */
#ifndef DAEMON_SPAWN_H
#define DAEMON_SPAWN_H

#include <sys/types.h>

#include "daemon/listeners.h"
#include "daemon/users.h"

enum daemon_kind {
	DAEMON_SIGNER,
	DAEMON_STATUS,
	DAEMON_ISSUER,
	DAEMON_FETCHER,
	DAEMON_VALIDATOR,
	DAEMON_RESPONDER
};

/* "ocsign-signer": the program. */
const char *daemon_kind_name(enum daemon_kind kind);

/* Descriptors that secrets come from. */
#define DAEMON_KEPT_MAX 16
struct daemon_kept {
	int fds[DAEMON_KEPT_MAX];
	size_t num;
};
struct daemon_launch {
	const char *directory;		/* where the programs are */
	const char *config_path;	/* absolute */
	const char *notify_path;
	const char *tool;		/* ocsign: absolute */
	const struct daemon_listeners *listeners;
	uint64_t run;			/* random: see ipc_handover_run() */
	struct daemon_users users;
	struct daemon_kept pins;	/* the signer's alone */
	struct daemon_kept passwords;	/* of databases: those who use one */
	struct daemon_kept mail;	/* its password: the validator's */
};

/* REFUSED when a program is missing or may not be run. */
enum oc_err daemon_launch_check(const struct daemon_launch *launch,
    const struct oc_config *config, struct oc_error *error) OC_MUST_CHECK;

/*
 * Forks, becomes the role's user if it has one, and executes.  The child dies
 * with us (PR_SET_PDEATHSIG), is in a process group of its own, so that a
 * terminal's ^C reaches us alone, and has no descriptor but 0 to 2, its
 * listeners from 3 on, and what it keeps.  worker says which
 * responder.
 */
enum oc_err daemon_spawn(const struct daemon_launch *launch,
    enum daemon_kind kind, unsigned int worker, pid_t *pid,
    struct oc_error *error) OC_MUST_CHECK;

/* "ocsign ocsp renew --reload" in the same way, with nothing of ours but
 * standard error, which is the log. */
enum oc_err daemon_spawn_renewal(const struct daemon_launch *launch,
    pid_t *pid, struct oc_error *error) OC_MUST_CHECK;

#endif
