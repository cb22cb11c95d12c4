/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read by the table of commands. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/value.h"

/* Farther words are no slips of the finger; nor is it one where half of what
 * was typed is another. */
#define DISTANCE_MAX 3

struct nearest {
	const char *wrong, *word;
	unsigned int distance;
};

static void
nearest_try(struct nearest *n, const char *word)
{
	unsigned int distance = oc_value_distance(n->wrong, word);

	if (distance > DISTANCE_MAX || distance >= strlen(word) ||
	    3 * distance > strlen(n->wrong) + 1)
		return;
	if (n->word == NULL || distance < n->distance) {
		n->word = word;
		n->distance = distance;
	}
}

enum oc_err
cli_unknown_noun(const char *noun, struct oc_error *error)
{
	struct nearest n = { .wrong = noun };

	for (size_t i = 0; cli_commands[i] != NULL; i++)
		nearest_try(&n, cli_commands[i]->noun);
	nearest_try(&n, "help");
	if (n.word != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "there is no command "
		    "\"%.40s\"; did you mean \"ocsign %s\"?", noun, n.word);
	return oc_error_set(error, OC_ERR_USAGE, "there is no command "
	    "\"%.40s\"; \"ocsign help\" lists them", noun);
}

/* The verbs of a noun: "issue, list, show". */
static void
list_verbs(const char *noun, char *text, size_t text_max)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];

		for (; c->noun != NULL && strcmp(c->noun, noun) == 0; c++)
			if (len < text_max)
				len += (size_t)snprintf(text + len,
				    text_max - len, "%s%s",
				    len == 0 ? "" : ", ", c->verb);
	}
}

static bool
is_noun(const char *word)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (strcmp(cli_commands[i]->noun, word) == 0)
			return true;
	return false;
}

enum oc_err
cli_unknown_verb(const char *noun, const char *verb, struct oc_error *error)
{
	struct nearest n = { .wrong = verb };
	char verbs[160];

	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++)
			if (strcmp(c->noun, noun) == 0)
				nearest_try(&n, c->verb);
	if (n.word != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "there is no command "
		    "\"%s %.40s\"; did you mean \"ocsign %s %s\"?", noun, verb,
		    noun, n.word);
	list_verbs(noun, verbs, sizeof(verbs));
	return oc_error_set(error, OC_ERR_USAGE, "there is no command "
	    "\"%s %.40s\"; after %s comes one of %s", noun, verb, noun,
	    verbs);
}

static const struct cli_option *
find_option(const struct cli_option *options, const char *name, size_t len)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strlen(options->name) == len &&
		    strncmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static bool
is_common(const struct cli_option *option)
{
	const struct cli_option *o = cli_common_options;

	while (o->name != NULL && o != option)
		o++;
	return o->name != NULL;
}

/* What stands in front of a long option. */
static const char *
dashes(const struct cli *cli)
{
	return cli->command != NULL && cli->command->style == CLI_STYLE_GO ?
	    "-" : "--";
}

static enum oc_err
unknown_option(const struct cli *cli, const char *name,
    struct oc_error *error)
{
	const struct cli_option *o = cli->command == NULL ? NULL :
	    cli->command->options;
	struct nearest n = { .wrong = name };

	for (; o != NULL && o->name != NULL; o++)
		nearest_try(&n, o->name);
	for (o = cli_common_options; o->name != NULL; o++)
		nearest_try(&n, o->name);
	if (n.word != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "there is no option "
		    "%s%.40s; did you mean %s%s?", dashes(cli), name,
		    dashes(cli), n.word);
	if (cli->command == NULL)
		return oc_error_set(error, OC_ERR_USAGE, "there is no option "
		    "--%.40s before the command; see \"ocsign help\"", name);
	return oc_error_set(error, OC_ERR_USAGE, "there is no option "
	    "%s%.40s; see \"ocsign help %s%s%s\"", dashes(cli), name,
	    cli->command->noun, cli->command->verb == NULL ? "" : " ",
	    cli->command->verb == NULL ? "" : cli->command->verb);
}

/* Of two that are the same, Go takes the last. */
static void
forget(struct cli *cli, const struct cli_option *option)
{
	size_t i, left = 0;

	for (i = 0; i < cli->num_values; i++)
		if (cli->values[i].option != option)
			cli->values[left++] = cli->values[i];
	cli->num_values = left;
}

static enum oc_err
take_value(struct cli *cli, const struct cli_option *option, const char *text,
    struct oc_error *error)
{
	if (cli->command != NULL && cli->command->style == CLI_STYLE_GO)
		forget(cli, option);
	if (is_common(option)) {
		if (strcmp(option->name, "config") == 0)
			cli->config_path = text;
		else if (strcmp(option->name, "json") == 0)
			cli->format = CLI_FORMAT_JSON;
		else
			cli->wants_help = true;
	} else if (option->need != CLI_REPEATED &&
	    cli_has(cli, option->name))
		return oc_error_set(error, OC_ERR_USAGE,
		    "--%s is given twice; give it once", option->name);
	else if (cli->num_values == CLI_VALUES_MAX)
		return oc_error_set(error, OC_ERR_USAGE,
		    "more than %d options", CLI_VALUES_MAX);
	else
		cli->values[cli->num_values++] = (struct cli_value){
			option, text };
	return OC_OK;
}

/* As Go's strconv.ParseBool. */
static bool
is_bool(const char *text, bool *value)
{
	static const char *const words[] = { "0", "f", "F", "false", "False",
	    "FALSE", "1", "t", "T", "true", "True", "TRUE" };
	const size_t num = sizeof(words) / sizeof(words[0]);
	size_t i = 0;

	while (i < num && strcmp(words[i], text) != 0)
		i++;
	*value = i >= num / 2;
	return i < num;
}

/* A flag with "=value". */
static enum oc_err
take_flag(struct cli *cli, const struct cli_option *option, const char *text,
    struct oc_error *error)
{
	bool value;

	if (strcmp(dashes(cli), "-") != 0)
		return oc_error_set(error, OC_ERR_USAGE,
		    "--%s takes no value", option->name);
	if (!is_bool(text, &value))
		return oc_error_set(error, OC_ERR_USAGE, "-%s is true or "
		    "false, not \"%.40s\"", option->name, text);
	if (value)
		return take_value(cli, option, NULL, error);
	forget(cli, option);
	return OC_OK;
}

/* argv ends with NULL. */
static bool
is_number(const char *word)
{
	return word != NULL && word[0] >= '0' && word[0] <= '9';
}

/* "--name", "--name=value", "--name value"; in Go's style with one dash. */
static enum oc_err
take_long(struct cli *cli, int argc, char **argv, int *at,
    struct oc_error *error)
{
	const char *name = argv[*at] + (argv[*at][1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	const char *text = equals == NULL ? NULL : equals + 1;
	size_t len = equals == NULL ? strlen(name) : (size_t)(equals - name);
	const struct cli_option *option = NULL;

	if (cli->command != NULL)
		option = find_option(cli->command->options, name, len);
	else if (strcmp(name, "version") == 0) {
		cli->wants_version = true;
		return OC_OK;
	}
	if (option == NULL)
		option = find_option(cli_common_options, name, len);
	/* There, -config is CFSSL's, and only -c ours. */
	if (option == cli_common_options && strcmp(dashes(cli), "-") == 0)
		option = NULL;
	if (option == NULL) {
		char word[64];

		(void)snprintf(word, sizeof(word), "%.*s",
		    (int)(len < 60 ? len : 60), name);
		return unknown_option(cli, word, error);
	}
	if (option->argument == NULL && text != NULL)
		return take_flag(cli, option, text, error);
	if (option->argument != NULL && text == NULL &&
	    option->argument[0] == '[' && !is_number(argv[*at + 1])) {
		text = "";
	} else if (option->argument != NULL && text == NULL) {
		if (*at + 1 == argc)
			return oc_error_set(error, OC_ERR_USAGE,
			    "%s%s wants a value: %s%s %s", dashes(cli),
			    option->name, dashes(cli), option->name,
			    option->argument);
		text = argv[++*at];
	}
	return take_value(cli, option, text, error);
}

static enum oc_err
take_short(struct cli *cli, int argc, char **argv, int *at,
    struct oc_error *error)
{
	const char *word = argv[*at];

	if (strcmp(word, "-h") == 0) {
		cli->wants_help = true;
		return OC_OK;
	}
	if (word[1] != 'c')
		return oc_error_set(error, OC_ERR_USAGE, "there is no option "
		    "%.40s; options have two dashes, but for -c and -h", word);
	if (word[2] != '\0') {
		cli->config_path = word + 2;
		return OC_OK;
	}
	if (*at + 1 == argc)
		return oc_error_set(error, OC_ERR_USAGE,
		    "-c wants a value: -c FILE");
	cli->config_path = argv[++*at];
	return OC_OK;
}

/* Sets the command from noun and verb; argv[*at] is the noun. */
static enum oc_err
take_command(struct cli *cli, int argc, char **argv, int *at,
    struct oc_error *error)
{
	const char *noun = argv[*at];
	const char *verb = *at + 1 < argc ? argv[*at + 1] : NULL;
	char verbs[160];

	if (!is_noun(noun))
		return cli_unknown_noun(noun, error);
	cli->command = cli_find(noun, verb);
	if (cli->command != NULL) {
		if (cli->command->verb != NULL)
			++*at;
		return OC_OK;
	}
	if (verb != NULL && (strcmp(verb, "--help") == 0 ||
	    strcmp(verb, "-h") == 0)) {
		cli->wants_help = true;
		cli->args[cli->num_args++] = noun;
		*at = argc;
		return OC_OK;
	}
	if (verb != NULL && verb[0] != '-')
		return cli_unknown_verb(noun, verb, error);
	list_verbs(noun, verbs, sizeof(verbs));
	return oc_error_set(error, OC_ERR_USAGE, "%s wants a verb; one of %s",
	    noun, verbs);
}

static enum oc_err
take_argument(struct cli *cli, const char *text, struct oc_error *error)
{
	if (cli->num_args >= cli->command->num_args_max)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.60s\" is one "
		    "argument too many; see \"ocsign help %s%s%s\"", text,
		    cli->command->noun, cli->command->verb == NULL ? "" : " ",
		    cli->command->verb == NULL ? "" : cli->command->verb);
	cli->args[cli->num_args++] = text;
	return OC_OK;
}

/* "ocsign help [NOUN [VERB]]" */
static enum oc_err
take_help(struct cli *cli, int argc, char **argv, int at,
    struct oc_error *error)
{
	cli->wants_help = true;
	if (argc - at > CLI_ARGS_MAX)
		return oc_error_set(error, OC_ERR_USAGE,
		    "help takes a noun and a verb, no more");
	for (; at < argc; at++)
		cli->args[cli->num_args++] = argv[at];
	return OC_OK;
}

static enum oc_err
check_complete(const struct cli *cli, struct oc_error *error)
{
	const struct cli_command *c = cli->command;
	const struct cli_option *o = c->options;

	if (cli->wants_help)
		return OC_OK;
	for (; o != NULL && o->name != NULL; o++)
		if (o->need == CLI_REQUIRED && !cli_has(cli, o->name))
			return oc_error_set(error, OC_ERR_USAGE,
			    "%s%s is missing; add %s%s %s", dashes(cli),
			    o->name, dashes(cli), o->name, o->argument);
	if (cli->num_args < c->num_args_min)
		return oc_error_set(error, OC_ERR_USAGE,
		    "%s is missing; see \"ocsign help %s%s%s\"", c->arguments,
		    c->noun, c->verb == NULL ? "" : " ",
		    c->verb == NULL ? "" : c->verb);
	return OC_OK;
}

enum oc_err
cli_parse(struct cli *cli, int argc, char **argv, struct oc_error *error)
{
	bool is_all_arguments = false;
	enum oc_err err = OC_OK;

	cli->config_path = oc_config_default_path();
	for (int at = 1; at < argc && err == OC_OK; at++) {
		const char *word = argv[at];

		if (is_all_arguments || word[0] != '-' || word[1] == '\0') {
			if (cli->command != NULL)
				err = take_argument(cli, word, error);
			else if (strcmp(word, "help") == 0)
				return take_help(cli, argc, argv, at + 1,
				    error);
			else
				err = take_command(cli, argc, argv, &at,
				    error);
		} else if (strcmp(word, "--") == 0)
			is_all_arguments = true;
		else if (word[1] == '-' || (strcmp(dashes(cli), "-") == 0 &&
		    strcmp(word, "-c") != 0 && strcmp(word, "-h") != 0))
			err = take_long(cli, argc, argv, &at, error);
		else
			err = take_short(cli, argc, argv, &at, error);
	}
	if (err != OC_OK || cli->wants_version)
		return err;
	if (cli->command != NULL)
		return check_complete(cli, error);
	if (cli->wants_help)
		return OC_OK;
	return oc_error_set(error, OC_ERR_USAGE,
	    "no command; \"ocsign help\" lists them");
}

const char *
cli_option_at(const struct cli *cli, const char *name, size_t n)
{
	for (size_t i = 0; i < cli->num_values; i++)
		if (strcmp(cli->values[i].option->name, name) == 0 &&
		    n-- == 0)
			return cli->values[i].text;
	return NULL;
}

const char *
cli_option(const struct cli *cli, const char *name)
{
	return cli_option_at(cli, name, 0);
}

bool
cli_has(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->num_values; i++)
		if (strcmp(cli->values[i].option->name, name) == 0)
			return true;
	return false;
}
