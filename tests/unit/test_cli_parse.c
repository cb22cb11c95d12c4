/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"

#define WORDS_MAX 300

/* Splits at blanks; cli borrows from the static words. */
static enum oc_err
parse(struct cli *cli, const char *line, struct oc_error *error)
{
	static char copy[8192];
	static char *words[WORDS_MAX];
	int num = 0;

	memset(cli, 0, sizeof(*cli));
	memset(error, 0, sizeof(*error));
	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (char *rest = copy, *w; (w = strtok_r(rest, " ", &rest)) != NULL; )
		words[num++] = w;
	words[num] = NULL;
	return cli_parse(cli, num, words, error);
}

static void
test_good(void **state)
{
	struct oc_error error;
	struct cli cli;

	(void)state;
	assert_int_equal(parse(&cli, "ocsign cert issue --issuer web "
	    "--profile=server --chain --san a --san b --san=c r.csr", &error),
	    OC_OK);
	assert_string_equal(cli.command->verb, "issue");
	assert_string_equal(cli_option(&cli, "issuer"), "web");
	assert_string_equal(cli_option(&cli, "profile"), "server");
	assert_true(cli_has(&cli, "chain"));
	assert_false(cli_has(&cli, "out"));
	assert_null(cli_option(&cli, "out"));
	assert_string_equal(cli_option_at(&cli, "san", 0), "a");
	assert_string_equal(cli_option_at(&cli, "san", 2), "c");
	assert_null(cli_option_at(&cli, "san", 3));
	assert_int_equal(cli.num_args, 1);
	assert_string_equal(cli.args[0], "r.csr");
	assert_int_equal(cli.format, CLI_FORMAT_TEXT);
}

static void
test_common_options(void **state)
{
	static const char *const lines[] = {
		"ocsign -c f --json cert list",
		"ocsign -cf --json cert list",
		"ocsign --config f cert list --json",
		"ocsign cert list --json --config=f",
		"ocsign cert list -c f --json",
	};
	struct oc_error error;
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(&cli, lines[i], &error), OC_OK);
		assert_string_equal(cli.config_path, "f");
		assert_int_equal(cli.format, CLI_FORMAT_JSON);
		assert_string_equal(cli.command->verb, "list");
	}
}

static void
test_arguments(void **state)
{
	struct oc_error error;
	struct cli cli;

	(void)state;
	assert_int_equal(parse(&cli, "ocsign cert show -", &error), OC_OK);
	assert_string_equal(cli.args[0], "-");
	assert_int_equal(parse(&cli, "ocsign cert show -- --pem", &error),
	    OC_OK);
	assert_string_equal(cli.args[0], "--pem");
	assert_false(cli_has(&cli, "pem"));
	assert_int_equal(parse(&cli, "ocsign ocsp query --issuer a --cert b",
	    &error), OC_OK);
	assert_int_equal(cli.num_args, 0);
	assert_int_equal(parse(&cli, "ocsign status", &error), OC_OK);
	assert_null(cli.command->verb);
}

/* A value that may be left out. */
static void
test_optional_value(void **state)
{
	struct oc_error error;
	struct cli cli;

	(void)state;
	assert_int_equal(parse(&cli, "ocsign status", &error), OC_OK);
	assert_false(cli_has(&cli, "watch"));
	assert_int_equal(parse(&cli, "ocsign status --watch", &error), OC_OK);
	assert_true(cli_has(&cli, "watch"));
	assert_string_equal(cli_option(&cli, "watch"), "");
	assert_int_equal(parse(&cli, "ocsign status --watch 5", &error),
	    OC_OK);
	assert_string_equal(cli_option(&cli, "watch"), "5");
	assert_int_equal(parse(&cli, "ocsign status --watch=5", &error),
	    OC_OK);
	assert_string_equal(cli_option(&cli, "watch"), "5");
	assert_int_equal(parse(&cli, "ocsign status --watch --json", &error),
	    OC_OK);
	assert_string_equal(cli_option(&cli, "watch"), "");
	assert_int_equal(cli.format, CLI_FORMAT_JSON);
}

static void
test_help(void **state)
{
	struct oc_error error;
	struct cli cli;

	(void)state;
	assert_int_equal(parse(&cli, "ocsign help", &error), OC_OK);
	assert_true(cli.wants_help);
	assert_null(cli.command);
	assert_int_equal(parse(&cli, "ocsign -h", &error), OC_OK);
	assert_true(cli.wants_help);
	/* What is missing does not matter then. */
	assert_int_equal(parse(&cli, "ocsign cert issue --help", &error),
	    OC_OK);
	assert_true(cli.wants_help);
	assert_string_equal(cli.command->verb, "issue");
	assert_int_equal(parse(&cli, "ocsign help cert issue", &error),
	    OC_OK);
	assert_int_equal(cli.num_args, 2);
	assert_int_equal(parse(&cli, "ocsign cert --help", &error), OC_OK);
	assert_string_equal(cli.args[0], "cert");
	assert_int_equal(parse(&cli, "ocsign --version", &error), OC_OK);
	assert_true(cli.wants_version);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "ocsign", "no command" },
		{ "ocsign crt list", "did you mean \"ocsign cert\"?" },
		{ "ocsign hlep", "did you mean \"ocsign help\"?" },
		{ "ocsign frobnicate", "\"ocsign help\" lists them" },
		{ "ocsign nope", "\"ocsign help\" lists them" },
		{ "ocsign cert xx y", "one of issue, list" },
		{ "ocsign cert", "one of issue, list, show, lint, revoke" },
		{ "ocsign cert revok x", "did you mean \"ocsign cert revoke" },
		{ "ocsign cert frobnicate", "one of issue, list" },
		{ "ocsign cert --valid list", "wants a verb" },
		{ "ocsign --verson", "did you mean" },
		{ "ocsign --frobnicate cert list", "before the command" },
		{ "ocsign -v", "no option -v" },
		{ "ocsign -c", "-c FILE" },
		{ "ocsign cert list --isuer web", "did you mean --issuer?" },
		{ "ocsign cert list --json=yes", "takes no value" },
		{ "ocsign cert list --valid=yes", "takes no value" },
		{ "ocsign cert list --issuer", "wants a value" },
		{ "ocsign cert list --issuer a --issuer b", "twice" },
		{ "ocsign cert list --valid --valid", "twice" },
		{ "ocsign cert list x", "too many" },
		{ "ocsign cert show a b", "too many" },
		{ "ocsign cert show", "is missing" },
		{ "ocsign cert issue --issuer a b", "--profile is missing" },
		{ "ocsign status x", "too many" },
		{ "ocsign status --issuer x", "no option --issuer" },
		{ "ocsign status --watch soon", "too many" },
		{ "ocsign status --watch 1 --watch", "twice" },
		{ "ocsign status --watch 1 2", "too many" },
		{ "ocsign help cert issue x", "no more" },
	};
	struct oc_error error;
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(&cli, cases[i].line, &error) != OC_ERR_USAGE)
			fail_msg("\"%s\" is taken", cases[i].line);
		if (strstr(error.text, cases[i].says) == NULL &&
		    strcmp(cases[i].line, "ocsign --verson") != 0)
			fail_msg("\"%s\": %s", cases[i].line, error.text);
	}
}

static void
test_too_many(void **state)
{
	char *line = calloc(1, 8192);
	struct oc_error error;
	struct cli cli;

	(void)state;
	assert_non_null(line);
	strcpy(line, "ocsign csr create --subject CN=a");
	for (int i = 0; i < CLI_VALUES_MAX; i++)
		strcat(line, " --san=a");
	assert_int_equal(parse(&cli, line, &error), OC_ERR_USAGE);
	free(line);
}

/* CFSSL's commands, as Go's flag package reads them. */
static void
test_go_style(void **state)
{
	static const char *const lines[] = {
		"ocsign -c f sign -ca=x -profile p -hostname=a,b r.csr s.json",
		"ocsign -c f sign -ca x -profile=p --hostname=a,b r.csr s.json",
		"ocsign sign -c f --ca x --profile p -hostname a,b r.csr "
		    "s.json",
		"ocsign sign r.csr -ca y -ca x -profile p -hostname a,b s.json"
		    " -c f",
	};
	struct oc_error error;
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(&cli, lines[i], &error) != OC_OK)
			fail_msg("%s: %s", lines[i], error.text);
		assert_string_equal(cli.config_path, "f");
		assert_string_equal(cli_option(&cli, "ca"), "x");
		assert_string_equal(cli_option(&cli, "profile"), "p");
		assert_string_equal(cli_option(&cli, "hostname"), "a,b");
		assert_int_equal(cli.num_args, 2);
		assert_string_equal(cli.args[0], "r.csr");
	}
	assert_int_equal(parse(&cli, "ocsign json -bare -f - site", &error),
	    OC_OK);
	assert_true(cli_has(&cli, "bare"));
	assert_string_equal(cli_option(&cli, "f"), "-");
	assert_int_equal(parse(&cli, "ocsign json -bare=false -stdout=T",
	    &error), OC_OK);
	assert_false(cli_has(&cli, "bare"));
	assert_true(cli_has(&cli, "stdout"));
	assert_int_equal(parse(&cli, "ocsign json -bare -bare=0", &error),
	    OC_OK);
	assert_false(cli_has(&cli, "bare"));
	assert_int_equal(parse(&cli, "ocsign genkey -config=x -", &error),
	    OC_OK);
	assert_string_equal(cli_option(&cli, "config"), "x");
	assert_string_not_equal(cli.config_path, "x");
	assert_int_equal(parse(&cli, "ocsign genkey -- -odd.json", &error),
	    OC_OK);
	assert_string_equal(cli.args[0], "-odd.json");
	assert_int_equal(parse(&cli, "ocsign help sign", &error), OC_OK);
	assert_true(cli.wants_help);
	assert_int_equal(parse(&cli, "ocsign sign -help", &error), OC_OK);
	assert_true(cli.wants_help);
}

static void
test_bad_go_style(void **state)
{
	static const char *const rows[][2] = {
		{ "ocsign sign -remote=h r.csr", "no option -remote" },
		{ "ocsign sign -profil p r.csr", "did you mean -profile?" },
		{ "ocsign json -config x", "no option -config" },
		{ "ocsign json -bare=yes", "-bare is true or false" },
		{ "ocsign sign -ca", "-ca wants a value: -ca CA" },
		{ "ocsign genkey a b", "one argument too many" },
		{ "ocsign genkey", "CSRJSON is missing" },
		{ "ocsign cert issue -issuer web", "no option -issuer" },
	};
	struct oc_error error;
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(&cli, rows[i][0], &error),
		    OC_ERR_USAGE);
		if (strstr(error.text, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], error.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_common_options),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_optional_value),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_go_style),
		cmocka_unit_test(test_bad_go_style),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
