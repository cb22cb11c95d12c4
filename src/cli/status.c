/* SPDX-License-Identifier: Apache-2.0 */
/* status: what the running service says of itself. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/print.h"
#include "cli/work.h"
#include "ipc/server.h"

/* Asks one role, if it runs.  ocsignd holds the socket of one that is away,
 * and that is when the others' answers are wanted most. */
static enum oc_err
put_role(struct cli *cli, const char *name, const char *socket,
    json_t *facts, struct oc_error *error)
{
	json_t *answer = NULL;
	enum oc_err err;
	char *path;

	err = cli_socket(cli, socket, &path, error);
	if (err == OC_OK && ipc_is_served(path)) {
		err = cli_ask_status(path, &answer, error);
		if (err == OC_ERR_DOWN || err == OC_ERR_TIMEOUT) {
			answer = json_pack("{s:s}", "error",
			    "it does not answer; ocsignd's log says why");
			err = OC_OK;
			*error = (struct oc_error){ 0 };
		}
	}
	if (err == OC_OK && answer != NULL)
		cli_put(facts, name, answer);
	free(path);
	return err;
}

/* {"a": {"b": 1}} as "a b: 1"; arrays of objects stay tables. */
static void
flatten(const char *prefix, json_t *object, json_t *out)
{
	void *at;

	for (at = json_object_iter(object); at != NULL;
	    at = json_object_iter_next(object, at)) {
		json_t *value = json_object_iter_value(at);
		char name[128];

		(void)snprintf(name, sizeof(name), "%s%s%s", prefix,
		    prefix[0] == '\0' ? "" : "_", json_object_iter_key(at));
		if (json_is_object(value))
			flatten(name, value, out);
		else
			cli_put(out, name, json_incref(value));
	}
}

static enum oc_err
status(struct cli *cli, struct oc_error *error)
{
	const struct oc_config *config;
	json_t *facts = cli_object(), *flat;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = put_role(cli, "status", "status-control.sock", facts,
		    error);
	if (err == OC_OK)
		err = put_role(cli, "signer", "signer-issuer.sock", facts,
		    error);
	if (err == OC_OK && json_object_size(facts) == 0)
		err = oc_error_set(error, OC_ERR_DOWN, "ocsignd does not run "
		    "with this configuration (nobody listens in %s)",
		    config->daemon.run_directory);
	if (err == OC_OK && cli->format == CLI_FORMAT_JSON)
		cli_print(cli, json_incref(facts));
	else if (err == OC_OK) {
		flat = cli_object();
		flatten("", facts, flat);
		cli_print(cli, flat);
	}
	json_decref(facts);
	return err;
}

const struct cli_command cli_status_commands[] = {
	{ .noun = "status",
	    .summary = "how the service stands",
	    .about = "Asks the running ocsignd how it stands: tokens, "
		"issuers, response tables, what waits.  The exit status is 1 "
		"if it does not run.",
	    .example = "ocsign --json status",
	    .run = status },
	{ NULL }
};
