/* SPDX-License-Identifier: Apache-2.0 */
/* All commands, in the order in which help lists them. */
#include "cli/cli.h"

#include <string.h>

const struct cli_command *const cli_commands[] = {
	cli_token_commands,
	cli_key_commands,
	cli_doctor_commands,
	cli_ca_commands,
	cli_csr_commands,
	cli_cert_commands,
	cli_account_commands,
	cli_zone_commands,
	cli_crl_commands,
	cli_ocsp_commands,
	cli_table_commands,
	cli_origin_commands,
	cli_store_commands,
	cli_import_commands,
	cli_export_commands,
	cli_audit_commands,
	cli_status_commands,
	cli_genkey_commands,
	cli_gencert_commands,
	cli_sign_commands,
	cli_selfsign_commands,
	cli_json_commands,
	NULL
};

const struct cli_option cli_common_options[] = {
	{ "config", "FILE", CLI_OPTIONAL,
	    "the configuration; -c FILE is the same" },
	{ "json", NULL, CLI_OPTIONAL, "print one JSON document" },
	{ "help", NULL, CLI_OPTIONAL, "explain the command" },
	{ NULL }
};

const struct cli_command *
cli_find(const char *noun, const char *verb)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct cli_command *c = cli_commands[i];
		    c->noun != NULL; c++) {
			if (strcmp(c->noun, noun) != 0)
				continue;
			if (c->verb == NULL)
				return c;
			if (verb != NULL && strcmp(c->verb, verb) == 0)
				return c;
		}
	return NULL;
}
