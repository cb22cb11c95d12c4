/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of ocsignd(8). */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

enum daemon_mode {
	DAEMON_FOREGROUND,
	DAEMON_DETACH,		/* -d */
	DAEMON_TEST,		/* -t */
	DAEMON_DROP_INS,	/* --drop-ins */
	DAEMON_SIGNER_NEEDS	/* --signer-needs */
};

struct daemon_command {
	enum daemon_mode mode;
	const char *config_path;
	const char *pid_path;	/* NULL: none */
	const char *drop_ins;	/* a directory, or "-" */
};

#define DAEMON_GO (-1)
/* DAEMON_GO, or what main() is to return. */
int daemon_options_parse(int argc, char **argv,
    struct daemon_command *command);

#endif
