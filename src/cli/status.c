/* SPDX-License-Identifier: Apache-2.0 */
/* status: what the running service says of itself. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/print.h"
#include "cli/status_watch.h"
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

/* A member of each row that is an object: a table "issuers horizon", with
 * what the row is called in front. */
static void
put_inner(const char *name, const json_t *rows, const char *member,
    json_t *out)
{
	json_t *table = cli_array(), *value;
	char text[256];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		json_t *part = cli_object();

		value = json_object_get(row, "issuer");
		if (value != NULL)
			cli_put(part, "issuer", json_incref(value));
		(void)json_object_update(part, json_object_get(row, member));
		cli_append(table, part);
	}
	(void)snprintf(text, sizeof(text), "%s_%s", name, member);
	cli_put(out, text, table);
}

/* Rows of plain values, then a table for each member that is none. */
static void
flatten_rows(const char *name, const json_t *rows, json_t *out)
{
	json_t *plain = cli_array(), *value;
	const char *key;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = cli_object();

		json_object_foreach(json_array_get(rows, i), key, value)
			if (!json_is_object(value))
				cli_put(row, key, json_incref(value));
		cli_append(plain, row);
	}
	cli_put(out, name, plain);
	json_object_foreach(json_array_get(rows, 0), key, value)
		if (json_is_object(value))
			put_inner(name, rows, key, out);
}

/* {"a": {"b": 1}} as "a b: 1"; arrays of objects stay tables. */
static void
flatten(const char *prefix, json_t *object, json_t *out)
{
	const char *key;
	json_t *value;
	char name[128];

	json_object_foreach(object, key, value) {
		(void)snprintf(name, sizeof(name), "%s%s%s", prefix,
		    prefix[0] == '\0' ? "" : "_", key);
		if (json_is_object(value))
			flatten(name, value, out);
		else if (json_is_object(json_array_get(value, 0)))
			flatten_rows(name, value, out);
		else
			cli_put(out, name, json_incref(value));
	}
}

static enum oc_err
look(struct cli *cli, json_t **out, struct oc_error *error)
{
	const struct oc_config *config;
	json_t *facts = cli_object();
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
	if (err != OC_OK) {
		json_decref(facts);
		return err;
	}
	*out = facts;
	return OC_OK;
}

static void
show(struct cli *cli, json_t *facts)
{
	json_t *flat;

	if (cli->format == CLI_FORMAT_JSON) {
		cli_print(cli, json_incref(facts));
		return;
	}
	flat = cli_object();
	flatten("", facts, flat);
	cli_print(cli, flat);
}

static enum oc_err
status(struct cli *cli, struct oc_error *error)
{
	json_t *facts;
	enum oc_err err;

	if (cli_has(cli, "watch"))
		return cli_status_watch(cli, cli_option(cli, "watch"), look,
		    show, error);
	err = look(cli, &facts, error);
	if (err != OC_OK)
		return err;
	show(cli, facts);
	json_decref(facts);
	return OC_OK;
}

static const struct cli_option status_options[] = {
	{ "watch", "[SECONDS]", CLI_OPTIONAL, "go on; 2 if not given" },
	{ NULL }
};

const struct cli_command cli_status_commands[] = {
	{ .noun = "status",
	    .summary = "how the service stands",
	    .about = "Asks the running ocsignd how it stands: tokens, "
		"issuers, response tables, responders, what waits.  The "
		"exit status is 1 if it does not run.",
	    .example = "ocsign status --watch 5",
	    .options = status_options,
	    .run = status },
	{ NULL }
};
