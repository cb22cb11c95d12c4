/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the table of commands. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS 78

/* Text in lines of at most COLUMNS, each after an indent. */
static void
print_wrapped(const char *text, size_t indent)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > COLUMNS) {
			(void)putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = indent + (size_t)printf("%*s%.*s",
			    (int)indent, "", (int)len, text) - indent;
		else
			column += (size_t)printf(" %.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

static const char *
dashes(const struct cli_command *c)
{
	return c->style == CLI_STYLE_GO ? "-" : "--";
}

/* Common ones that the command has itself are none of it. */
static bool
is_hidden(const struct cli_command *c, const struct cli_option *option)
{
	const struct cli_option *o = c->options;

	if (option == cli_common_options && c->style == CLI_STYLE_GO)
		return true;
	for (; o != NULL && o->name != NULL; o++)
		if (o != option && strcmp(o->name, option->name) == 0)
			return true;
	return false;
}

static void
print_options(const struct cli_command *c, const struct cli_option *options)
{
	char left[64];

	for (; options != NULL && options->name != NULL; options++) {
		if (is_hidden(c, options))
			continue;
		(void)snprintf(left, sizeof(left), "%s%s%s%s", dashes(c),
		    options->name, options->argument == NULL ? "" : " ",
		    options->argument == NULL ? "" : options->argument);
		printf("  %-24s %s%s\n", left, options->about,
		    options->need == CLI_REPEATED ? " (as often as needed)" :
		    "");
	}
}

static void
print_usage(const struct cli_command *c)
{
	const struct cli_option *o = c->options;
	bool has_optional = false;

	printf("Usage: ocsign %s%s%s", c->noun, c->verb == NULL ? "" : " ",
	    c->verb == NULL ? "" : c->verb);
	for (; o != NULL && o->name != NULL; o++) {
		if (o->need == CLI_REQUIRED)
			printf(" %s%s %s", dashes(c), o->name, o->argument);
		else
			has_optional = true;
	}
	if (has_optional)
		printf(" [OPTION ...]");
	if (c->arguments != NULL)
		printf(c->num_args_min == 0 ? " [%s]" : " %s", c->arguments);
	printf("\n\n");
}

void
cli_help_command(const struct cli_command *c)
{
	print_usage(c);
	print_wrapped(c->about, 0);
	if (c->options != NULL) {
		printf("\n");
		print_options(c, c->options);
	}
	printf("\nAs for every command:\n\n");
	print_options(c, cli_common_options);
	if (c->style == CLI_STYLE_GO)
		printf("  -c FILE                  ocsign's own "
		    "configuration\n");
	printf("\nExample:\n\n  $ %s\n", c->example);
}

static void
print_summary(const struct cli_command *c)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s%s%s", c->noun,
	    c->verb == NULL ? "" : " ", c->verb == NULL ? "" : c->verb);
	printf("  %-18s %s\n", left, c->summary);
}

void
cli_help_noun(const char *noun)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++)
			if (strcmp(c->noun, noun) == 0)
				print_summary(c);
	printf("\n\"ocsign help %s VERB\" explains one of them.\n", noun);
}

void
cli_help(void)
{
	printf("Usage: ocsign [-c FILE] [--json] NOUN VERB [OPTION ...] "
	    "[ARGUMENT ...]\n\n");
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++)
			print_summary(c);
	printf("\n\"ocsign help NOUN VERB\" explains a command; ocsign(1) "
	    "explains them all.\n");
}
