/* SPDX-License-Identifier: Apache-2.0 */
/* store backup, restore. */
#include "store/store.h"

#include <stdio.h>

#include "cli/print.h"
#include "cli/work.h"

static void
tell(const struct cli *cli, const char *what, const char *path)
{
	json_t *facts;

	if (cli->format == CLI_FORMAT_TEXT) {
		printf("%s %s\n", path, what);
		return;
	}
	facts = cli_object();
	cli_put_text(facts, "path", path);
	cli_put_text(facts, "done", what);
	cli_print(cli, facts);
}

static enum oc_err
store_backup_run(struct cli *cli, struct oc_error *error)
{
	struct store *store;
	enum oc_err err;

	err = cli_store(cli, STORE_WRITE, &store, error);
	if (err == OC_OK)
		err = store_backup(store, cli->args[0], error);
	if (err == OC_OK)
		tell(cli, "is written", cli->args[0]);
	return err;
}

static enum oc_err
store_restore_run(struct cli *cli, struct oc_error *error)
{
	const struct oc_config *config;
	const char *where;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err != OC_OK)
		return err;
	where = oc_config_store_where(config);
	err = cli->num_args > 0 ? store_restore(cli->args[0], where, error) :
	    store_renew(where, error);
	if (err == OC_OK)
		tell(cli, "is restored", store_is_database(where) ?
		    "the database" : where);
	return err;
}

const struct cli_command cli_store_commands[] = {
	{ .noun = "store", .verb = "backup", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "copy the records",
	    .about = "Writes a consistent copy of the records, also while "
		"others write.  Records in PostgreSQL are copied by its own "
		"tools.",
	    .example = "ocsign store backup ocsign-2026-11-23.db",
	    .run = store_backup_run },
	{ .noun = "store", .verb = "restore", .arguments = "[FILE]",
	    .num_args_min = 0, .num_args_max = 1,
	    .summary = "put a backup in place",
	    .about = "Puts a backup in place of the records; those there are "
		"kept beside it.  Serial and CRL numbers go on above any that "
		"were ever given out, and every OCSP response is signed anew. "
		"Refused while the store is in use: stop ocsignd first.  A "
		"database of PostgreSQL is put back by its own tools; this, "
		"without a file, then makes it the records again.",
	    .example = "ocsign store restore ocsign-2026-11-23.db",
	    .run = store_restore_run },
	{ NULL }
};
