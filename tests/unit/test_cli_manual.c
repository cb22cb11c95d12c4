/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign(1), the completion for bash and the table of commands say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/cli.h"

static char *
read_source(const char *name)
{
	const char *top = getenv("top_srcdir");
	struct oc_error error = { 0 };
	uint8_t *text;
	char *path;
	size_t len;

	assert_true(asprintf(&path, "%s/%s", top == NULL ? "." : top,
	    name) > 0);
	if (oc_file_read(path, 1024 * 1024, &text, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	free(path);
	return (char *)text;
}

/* True if the page has this line, up to a blank or its end. */
static bool
has_line(const char *page, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = page; (p = strstr(p, line)) != NULL; p++)
		if ((p == page || p[-1] == '\n') && (p[len] == ' ' ||
		    p[len] == '\n'))
			return true;
	return false;
}

/* --- ocsign.1 --------------------------------------------------------- */

static void
test_commands_are_in_the_manual(void **state)
{
	char *page = read_source("man/ocsign.1"), line[128];

	(void)state;
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++) {
			(void)snprintf(line, sizeof(line), ".It Cm %s%s%s",
			    c->noun, c->verb == NULL ? "" : " ",
			    c->verb == NULL ? "" : c->verb);
			if (!has_line(page, line))
				fail_msg("ocsign.1 has no \"%s\"", line);
		}
	free(page);
}

/* ".It Cm cert issue Fl -issuer Ar name ..." names a command that exists. */
static void
test_the_manual_has_only_commands(void **state)
{
	char *page = read_source("man/ocsign.1");
	unsigned int num = 0;

	(void)state;
	for (const char *p = page; (p = strstr(p, "\n.It Cm ")) != NULL; ) {
		char noun[32] = "", verb[32] = "";
		const struct cli_command *c;

		p += strlen("\n.It Cm ");
		(void)sscanf(p, "%31[a-z] %31[a-z-]", noun, verb);
		c = cli_find(noun, verb);
		if (c == NULL)
			fail_msg("there is no \"ocsign %s %s\"", noun, verb);
		num++;
	}
	assert_true(num >= 25);
	free(page);
}

/* An option is told where its command is: between its ".It" and the next
 * command of another name. */
static bool
tells_option(const char *page, const struct cli_command *c,
    const char *option)
{
	char line[128], flag[64];
	size_t flag_len;

	(void)snprintf(line, sizeof(line), "\n.It Cm %s%s%s", c->noun,
	    c->verb == NULL ? "" : " ", c->verb == NULL ? "" : c->verb);
	flag_len = (size_t)snprintf(flag, sizeof(flag), "Fl %s%s",
	    c->style == CLI_STYLE_GO ? "" : "-", option);
	for (const char *p = page; (p = strstr(p, line)) != NULL; p++) {
		const char *end = strstr(p + 1, "\n.It Cm ");
		const char *at = p;

		while ((at = strstr(at, flag)) != NULL &&
		    (end == NULL || at < end)) {
			if (strchr(" \n", at[flag_len]) != NULL)
				return true;
			at++;
		}
	}
	return false;
}

static void
test_options_are_in_the_manual(void **state)
{
	char *page = read_source("man/ocsign.1");

	(void)state;
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++)
			for (const struct cli_option *o = c->options;
			    o != NULL && o->name != NULL; o++)
				if (!tells_option(page, c, o->name))
					fail_msg("ocsign.1 does not tell of "
					    "--%s at %s %s", o->name, c->noun,
					    c->verb == NULL ? "" : c->verb);
	free(page);
}

/* --- the completion --------------------------------------------------- */

static void
test_completion_is_the_table(void **state)
{
	char *file = read_source("dist/completion/ocsign");
	char list[8192] = "_ocsign_commands='\n";
	size_t len = strlen(list);

	(void)state;
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++) {
			len += (size_t)snprintf(list + len,
			    sizeof(list) - len, "%s%s%s", c->noun,
			    c->verb == NULL ? "" : " ",
			    c->verb == NULL ? "" : c->verb);
			for (const struct cli_option *o = c->options;
			    o != NULL && o->name != NULL; o++)
				len += (size_t)snprintf(list + len,
				    sizeof(list) - len, " %s%s%s",
				    c->style == CLI_STYLE_GO ? "-" : "--",
				    o->name, o->argument == NULL ? "" : "=");
			len += (size_t)snprintf(list + len,
			    sizeof(list) - len, "\n");
			assert_true(len < sizeof(list) - 3);
		}
	(void)snprintf(list + len, sizeof(list) - len, "'\n");
	if (strstr(file, list) == NULL)
		fail_msg("dist/completion/ocsign should have:\n%s", list);
	free(file);
}

/* Help fits its table, and every command teaches. */
static void
test_commands_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++) {
			assert_non_null(c->run);
			assert_non_null(c->summary);
			assert_non_null(c->about);
			assert_non_null(c->example);
			assert_non_null(strstr(c->example, "ocsign "));
			assert_non_null(strstr(c->example, c->noun));
			assert_true(strlen(c->summary) < 58);
			assert_true(c->about[strlen(c->about) - 1] == '.');
			assert_true(c->num_args_max <= CLI_ARGS_MAX);
			assert_true((c->num_args_max == 0) ==
			    (c->arguments == NULL));
			for (const struct cli_option *o = c->options;
			    o != NULL && o->name != NULL; o++) {
				assert_true(o->need != CLI_REQUIRED ||
				    o->argument != NULL);
				assert_true(strlen(o->about) < 52);
			}
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_in_the_manual),
		cmocka_unit_test(test_the_manual_has_only_commands),
		cmocka_unit_test(test_options_are_in_the_manual),
		cmocka_unit_test(test_completion_is_the_table),
		cmocka_unit_test(test_commands_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
