/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign(1): the table of commands, and what the command line said for the
 * one that runs.  A process runs one command.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CLI_VALUES_MAX 256		/* 200 --san and some */
#define CLI_ARGS_MAX 2

struct cli;
struct cli_work;

enum cli_need {
	CLI_OPTIONAL,
	CLI_REQUIRED,
	CLI_REPEATED		/* optional, as often as one likes */
};

struct cli_option {
	const char *name;	/* without "--"; NULL ends the table */
	const char *argument;	/* "FILE"; NULL: a flag; "[SECONDS]": may be
				 * left out, and then the value is "" */
	enum cli_need need;
	const char *about;	/* half a line */
};

/* How options are written.  CLI_STYLE_GO is for CFSSL's own commands, as Go's
 * flag package has it: "-name value", "-name=value", "--name"; flags may say
 * "=true" or "=false"; of two the last counts.  -c is common all the same. */
enum cli_style { CLI_STYLE_GNU, CLI_STYLE_GO };

/* USAGE is exit status 2, any other error 1. */
typedef enum oc_err cli_run_fn(struct cli *cli, struct oc_error *error);

struct cli_command {
	const char *noun;	/* NULL ends the table */
	const char *verb;	/* NULL: the noun is the whole command */
	const char *arguments;	/* for people: "CSR"; may be NULL */
	unsigned int num_args_min, num_args_max;
	enum cli_style style;
	const struct cli_option *options;	/* NULL: none */
	const char *summary;	/* one line, no full stop */
	const char *about;	/* whole sentences */
	const char *example;	/* what stands behind the prompt */
	cli_run_fn *run;
};

/* One table a noun; NULL ends it. */
extern const struct cli_command *const cli_commands[];

extern const struct cli_command cli_token_commands[];
extern const struct cli_command cli_key_commands[];
extern const struct cli_command cli_doctor_commands[];
extern const struct cli_command cli_ca_commands[];
extern const struct cli_command cli_csr_commands[];
extern const struct cli_command cli_cert_commands[];
extern const struct cli_command cli_account_commands[];
extern const struct cli_command cli_zone_commands[];
extern const struct cli_command cli_crl_commands[];
extern const struct cli_command cli_ocsp_commands[];
extern const struct cli_command cli_table_commands[];
extern const struct cli_command cli_origin_commands[];
extern const struct cli_command cli_store_commands[];
extern const struct cli_command cli_import_commands[];
extern const struct cli_command cli_export_commands[];
extern const struct cli_command cli_audit_commands[];
extern const struct cli_command cli_status_commands[];
extern const struct cli_command cli_genkey_commands[];
extern const struct cli_command cli_gencert_commands[];
extern const struct cli_command cli_sign_commands[];
extern const struct cli_command cli_selfsign_commands[];
extern const struct cli_command cli_json_commands[];

/* --config, --json, --help: those that every command takes, unless it has one
 * of the same name; CFSSL's commands have no such --config. */
extern const struct cli_option cli_common_options[];

enum cli_format { CLI_FORMAT_TEXT, CLI_FORMAT_JSON };

struct cli_value {
	const struct cli_option *option;
	const char *text;		/* NULL: a flag */
};

struct cli {
	const struct cli_command *command;
	struct cli_value values[CLI_VALUES_MAX];
	size_t num_values;
	const char *args[CLI_ARGS_MAX];
	size_t num_args;
	const char *config_path;
	enum cli_format format;
	bool wants_help, wants_version;
	/* Of a command that did what it was asked: 1 where the answer is
	 * "no", such as "revoked". */
	int exit_status;
	/* Of one that failed; 0: 1, which here would mean something else. */
	int error_status;
	struct cli_work *work;		/* cli/work.h; NULL: nothing open */
};

/*
 * USAGE with what is wrong and what was probably meant.  Everything is
 * borrowed from argv.  command stays NULL for --version, and for "help" and
 * --help where they stand alone, and args are then what help is wanted for.
 */
enum oc_err cli_parse(struct cli *cli, int argc, char **argv,
    struct oc_error *error) OC_MUST_CHECK;

/* The option's value; NULL if it was not given.  name must be one of the
 * command's. */
const char *cli_option(const struct cli *cli, const char *name);
/* The n-th value of a repeated option, from 0; NULL beyond the last. */
const char *cli_option_at(const struct cli *cli, const char *name, size_t n);
bool cli_has(const struct cli *cli, const char *name);

/* NULL if there is none; verb NULL: the command that is only a noun. */
const struct cli_command *cli_find(const char *noun, const char *verb);
/* USAGE, with the nearest match. */
enum oc_err cli_unknown_noun(const char *noun, struct oc_error *error);
enum oc_err cli_unknown_verb(const char *noun, const char *verb,
    struct oc_error *error);

/* On standard output: of everything, of one noun, of one command. */
void cli_help(void);
void cli_help_noun(const char *noun);
void cli_help_command(const struct cli_command *command);

#endif
