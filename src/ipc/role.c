/* SPDX-License-Identifier: Apache-2.0 */
/* What every role does before its own work. */
#include "ipc/role.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "ipc/peers.h"

/* What the process holds must not be read from outside or after its end. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int
load(const char *path, struct oc_config **config)
{
	struct oc_config_errors errors = { 0 };
	enum oc_err err;
	size_t i;

	err = oc_config_load(path, config, &errors);
	for (i = 0; err != OC_OK && i < errors.num; i++)
		oc_log(OC_LOG_ERROR, "%s", errors.list[i].text);
	return err == OC_OK ? IPC_ROLE_RUN : IPC_EXIT_CONFIG;
}

/* Separated is what they are, or they do not run. */
static int
check_user(const char *name, const struct oc_config *config)
{
	const char *text = ipc_role_user(config, name);
	struct oc_error error = { 0 };
	struct oc_user user;

	if (text == NULL)
		return IPC_ROLE_RUN;
	if (oc_user_find(text, &user, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "[daemon]: %s", error.text);
		return IPC_EXIT_CONFIG;
	}
	if (user.uid == getuid() && user.uid == geteuid())
		return IPC_ROLE_RUN;
	oc_log(OC_LOG_ERROR, "%s is run by user %ld, and [daemon] says by %s: "
	    "start it as that, or ocsignd by root", name, (long)geteuid(),
	    text);
	return IPC_EXIT_CONFIG;
}

int
ipc_role_start(int argc, char **argv, const char *name, const char *about,
    struct oc_config **config)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = oc_config_default_path();
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'h':
			printf("Usage: %s [-c FILE]\n\n%s\n\n"
			    "  -c, --config FILE  the configuration "
			    "(default: $OCSIGN_CONF or %s)\n"
			    "  -h, --help         this text\n"
			    "      --version      the version\n\n"
			    "It is started by ocsignd(8) or by systemd.\n",
			    name, about,
			    oc_config_default_path());
			return EXIT_SUCCESS;
		case 'V':
			printf("%s %s\n", name, PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return 2;
		}
	if (optind != argc) {
		fprintf(stderr, "%s: takes no arguments; see %s --help\n",
		    name, name);
		return 2;
	}
	oc_log_init(name, OC_LOG_NOTICE);
	harden();
	status = load(path, config);
	if (status != IPC_ROLE_RUN)
		return status;
	oc_log_init(name, (*config)->daemon.log_level);
	status = check_user(name, *config);
	if (status != IPC_ROLE_RUN) {
		oc_config_free(*config);
		*config = NULL;
	}
	return status;
}
