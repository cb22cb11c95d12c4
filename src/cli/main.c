/* SPDX-License-Identifier: Apache-2.0 */
/* ocsign: runs one command, and says in one line what went wrong. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/work.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2

static enum oc_err
help(const struct cli *cli, struct oc_error *error)
{
	const char *noun = cli->num_args > 0 ? cli->args[0] : NULL;
	const char *verb = cli->num_args > 1 ? cli->args[1] : NULL;
	const struct cli_command *command = cli->command;

	if (command == NULL && (noun == NULL || strcmp(noun, "help") == 0)) {
		cli_help();
		return OC_OK;
	}
	if (command == NULL)
		command = cli_find(noun, verb);
	if (command != NULL) {
		cli_help_command(command);
		return OC_OK;
	}
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		if (strcmp(cli_commands[i]->noun, noun) != 0)
			continue;
		if (verb != NULL)
			return cli_unknown_verb(noun, verb, error);
		cli_help_noun(noun);
		return OC_OK;
	}
	return cli_unknown_noun(noun, error);
}

static enum oc_err
run(struct cli *cli, int argc, char **argv, struct oc_error *error)
{
	enum oc_err err = cli_parse(cli, argc, argv, error);

	if (err != OC_OK)
		return err;
	if (cli->wants_version) {
		printf("ocsign %s\n", PACKAGE_VERSION);
		return OC_OK;
	}
	if (cli->wants_help)
		return help(cli, error);
	return cli->command->run(cli, error);
}

/* "ocsign: cert issue: what, where; what to do" */
static void
complain(const struct cli *cli, const char *text)
{
	const struct cli_command *c = cli->command;

	if (c == NULL)
		fprintf(stderr, "ocsign: %s\n", text);
	else
		fprintf(stderr, "ocsign: %s%s%s: %s\n", c->noun,
		    c->verb == NULL ? "" : " ",
		    c->verb == NULL ? "" : c->verb, text);
}

/* What was printed must have arrived.  Whoever closed the pipe on purpose
 * knows it, and what the command itself has said is said. */
static int
flush(const struct cli *cli, enum oc_err err)
{
	char text[128];

	if (fflush(stdout) == 0 && !ferror(stdout))
		return cli->exit_status;
	if (errno != EPIPE && err == OC_OK) {
		(void)snprintf(text, sizeof(text),
		    "standard output: %s", strerror(errno));
		complain(cli, text);
	}
	return cli->error_status != 0 ? cli->error_status : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	static struct cli cli;
	const struct rlimit none = { 0, 0 }, one = { 1, 1 };
	struct oc_error error = { 0 };
	enum oc_err err;
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	/* A limit on file sizes is an error of write(2), told like others. */
	(void)signal(SIGXFSZ, SIG_IGN);
	/* PINs and keys from files: not in what a crash leaves.  Linux pipes a
	 * core to a program also with a limit of 0, and not with 1, which is
	 * no file's length.  The doctor looks into its children, so they are
	 * not made undumpable. */
	if (setrlimit(RLIMIT_CORE, &one) != 0)
		(void)setrlimit(RLIMIT_CORE, &none);
	oc_log_init("ocsign", OC_LOG_ERROR);

	err = run(&cli, argc, argv, &error);
	if (err != OC_OK)
		complain(&cli, error.text[0] != '\0' ? error.text :
		    oc_strerror(err));
	status = flush(&cli, err);
	if (err != OC_OK)
		status = err == OC_ERR_USAGE ? EXIT_USAGE :
		    cli.error_status != 0 ? cli.error_status : EXIT_FAILED;
	cli_close(&cli, status);
	return status;
}
