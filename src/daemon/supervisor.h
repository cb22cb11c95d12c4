/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the roles running: starts them, starts them again, replaces them on
 * SIGHUP, ends them in order on SIGTERM.  Reads nothing that comes from the
 * network.  A reload that fails leaves what runs as it is.
 */
#ifndef DAEMON_SUPERVISOR_H
#define DAEMON_SUPERVISOR_H

#include <stdbool.h>

#include "base/config.h"

struct daemon_options {
	const char *config_path;	/* absolute */
	const char *directory;		/* of the roles' programs */
	const char *tool;		/* ocsign, which renews; absolute */
	/* The first start ends with the first role that fails. */
	bool must_start;
	/* Reads and checks; logs all errors; *config for oc_config_free(). */
	enum oc_err (*load)(const char *path, struct oc_config **config);
	/* Once: all roles are ready. */
	void (*ready)(void *arg);
	void *arg;
};

/* Takes config.  Returns when all roles have ended: what main() is to
 * return. */
int daemon_supervise(const struct daemon_options *options,
    struct oc_config *config);

#endif
