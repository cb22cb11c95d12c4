/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"

#define EXIT_USAGE 2

static int
help(void)
{
	printf("Usage: ocsignd [-d | -t] [-c FILE] [-p PIDFILE]\n\n"
	    "Starts and watches the roles behind ocsign: signer, status and "
	    "responders.\n\n"
	    "  -c, --config FILE   the configuration (default: $OCSIGN_CONF "
	    "or\n"
	    "                      %s)\n"
	    "  -d, --detach        go into the background once all roles are "
	    "ready;\n"
	    "                      log lines still go to standard error\n"
	    "  -p, --pid-file FILE write our process id there, and hold a "
	    "lock on it\n"
	    "  -t, --test          check the configuration, print all errors, "
	    "end\n"
	    "      --drop-ins DIR  write what the configuration means for "
	    "systemd's units,\n"
	    "                      one for each role, as DIR/UNIT.d/"
	    "50-ocsign.conf; -: print it\n"
	    "      --signer-needs  print what the signer is to be restarted "
	    "for\n"
	    "  -h, --help          this text\n"
	    "      --version       the version\n\n"
	    "SIGHUP reloads, SIGTERM ends.\n", oc_config_default_path());
	return EXIT_SUCCESS;
}

static int
complain(const char *what)
{
	fprintf(stderr, "ocsignd: %s; see ocsignd --help\n", what);
	return EXIT_USAGE;
}

static int
complain_of_option(const char *word)
{
	fprintf(stderr, "ocsignd: %s: no option, or one that lacks its "
	    "argument; see ocsignd --help\n", word);
	return EXIT_USAGE;
}

int
daemon_options_parse(int argc, char **argv, struct daemon_command *command)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "detach", no_argument, NULL, 'd' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "test", no_argument, NULL, 't' },
		{ "drop-ins", required_argument, NULL, 'D' },
		{ "signer-needs", no_argument, NULL, 'N' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	bool detaches = false, tests = false, tells_needs = false;
	int option;

	*command = (struct daemon_command){
		.config_path = oc_config_default_path() };
	/* It would say in a line of its own what complain() says. */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "c:dp:th", options,
	    NULL)) != -1)
		switch (option) {
		case 'c':
			command->config_path = optarg;
			break;
		case 'd':
			detaches = true;
			break;
		case 'p':
			command->pid_path = optarg;
			break;
		case 't':
			tests = true;
			break;
		case 'D':
			command->drop_ins = optarg;
			break;
		case 'N':
			tells_needs = true;
			break;
		case 'h':
			return help();
		case 'V':
			printf("ocsignd %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return complain_of_option(argv[optind - 1]);
		}
	if (optind != argc)
		return complain("takes no arguments");
	if (detaches + tests + tells_needs + (command->drop_ins != NULL) > 1)
		return complain("-d, -t, --drop-ins and --signer-needs "
		    "exclude each other");
	command->mode = tests ? DAEMON_TEST : detaches ? DAEMON_DETACH :
	    tells_needs ? DAEMON_SIGNER_NEEDS : command->drop_ins != NULL ?
	    DAEMON_DROP_INS : DAEMON_FOREGROUND;
	return DAEMON_GO;
}
