/* SPDX-License-Identifier: Apache-2.0 */
/* import, export: an issuer's records from other software, and for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config_table.h"
#include "base/conninfo.h"
#include "cli/print.h"
#include "cli/work_impl.h"
#include "transfer/export.h"

#define PROGRESS_AFTER_NS INT64_C(2000000000)
#define PROGRESS_EVERY_NS INT64_C(500000000)
#define PROGRESS_ROWS 1024		/* between looks at the clock */
#define UNSAID_MAX 20			/* printed; all are counted */

/* A count on standard error, if that is a terminal and it takes long. */
struct progress {
	const char *word;
	int64_t next_ns;
	bool is_terminal, is_shown;
	uint64_t num_unsaid;
};

static struct progress
progress_begin(const char *word)
{
	return (struct progress){
		.word = word,
		.next_ns = oc_clock_mono_ns() + PROGRESS_AFTER_NS,
		.is_terminal = isatty(STDERR_FILENO) == 1
	};
}

static void
progress_tell(struct progress *p, uint64_t num)
{
	int64_t now_ns;

	if (!p->is_terminal || num % PROGRESS_ROWS != 0)
		return;
	now_ns = oc_clock_mono_ns();
	if (now_ns < p->next_ns)
		return;
	p->next_ns = now_ns + PROGRESS_EVERY_NS;
	p->is_shown = true;
	fprintf(stderr, "\rocsign: %s: %llu certificates ...", p->word,
	    (unsigned long long)num);
}

static void
progress_end(const struct progress *p)
{
	if (p->is_shown)
		fprintf(stderr, "\n");
}

static enum oc_err
read_format(const struct cli *cli, enum transfer_format *format,
    struct oc_error *error)
{
	const char *text = cli_option(cli, "format");

	if (transfer_format_parse(text, format))
		return OC_OK;
	return oc_error_set(error, OC_ERR_USAGE, "--format %s: index, certdb, "
	    "crl and store are what there is", text);
}

static bool
is_database(enum transfer_format format, const char *text)
{
	return oc_conninfo_is(text) && (format == TRANSFER_CERTDB ||
	    format == TRANSFER_STORE);
}

/* A database, where the format may be in one: with the source of its password.
 * Anything else: the same again. */
static enum oc_err
read_where(struct cli *cli, enum transfer_format format, const char *text,
    char **where, struct oc_error *error)
{
	const char *option = cli_option(cli, "password-source");
	bool is_one = is_database(format, text);
	char *source = NULL, *here;
	enum oc_err err = OC_OK;

	if (!is_one && option != NULL)
		return oc_error_set(error, OC_ERR_USAGE, "--password-source "
		    "goes with a database of PostgreSQL");
	if (is_one)
		err = oc_conninfo_check(text, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "the connection string");
	here = getcwd(NULL, 0);
	source = option == NULL ? NULL : strdup(option);
	if (here == NULL || (option != NULL && source == NULL))
		cli_no_memory();
	if (source != NULL)
		err = oc_config_check_secret_source(here, &source, error);
	if (err == OC_OK)
		*where = source == NULL ? strdup(text) :
		    oc_conninfo_join(source, text);
	if (err == OC_OK && *where == NULL)
		cli_no_memory();
	free(here);
	free(source);
	return err == OC_OK ? OC_OK : oc_error_prefix(error,
	    "--password-source");
}

static void
put_count(json_t *facts, const char *name, uint64_t num)
{
	cli_put_int(facts, name, (int64_t)num);
}

/* --- import ------------------------------------------------------------- */

static void
import_progress(void *arg, const struct transfer_counts *counts)
{
	progress_tell(arg, counts->num_read);
}

static void
tell_imported(struct cli *cli, const struct transfer_import *import,
    const struct transfer_counts *c)
{
	json_t *facts = cli_object();

	cli_put_text(facts, "issuer", import->issuer_name);
	cli_put_text(facts, "format", transfer_format_name(import->format));
	cli_put_text(facts, "path", import->path);
	put_count(facts, "read", c->num_read);
	put_count(facts, "with_certificate", c->num_certificates);
	put_count(facts, "new", c->num_new);
	put_count(facts, "completed", c->num_completed);
	put_count(facts, "revoked", c->num_revoked);
	put_count(facts, "same", c->num_same);
	put_count(facts, "kept", c->num_kept);
	put_count(facts, "other_issuers", c->num_others);
	cli_put_bool(facts, "dry_run", import->is_trial);
	cli_print(cli, facts);
	if (c->num_new + c->num_completed + c->num_revoked == 0)
		fprintf(stderr, "ocsign: import: all of it was in the records "
		    "already: nothing is changed\n");
	else if (import->is_trial)
		fprintf(stderr, "ocsign: import: --dry-run: nothing is "
		    "changed\n");
}

static enum oc_err
import_into(struct cli *cli, const struct ca_issuer *issuer,
    struct store *store, enum transfer_format format, const char *where,
    struct oc_error *error)
{
	struct progress progress = progress_begin("import");
	const char *from = cli_option(cli, "from");
	struct transfer_import import = {
		.store = store,
		.issuer_id = issuer->store_id,
		.issuer_name = issuer->config->name,
		.issuer = &issuer->cert,
		.format = format,
		.path = cli->args[0],
		.where = where,
		.certificates = cli_option(cli, "certs"),
		.from = from == NULL ? issuer->config->name : from,
		.crl_url = issuer->config->crl_url,
		.crl_partitions = issuer->config->crl_partitions,
		.policy = cli_has(cli, "keep") ? STORE_IMPORT_KEEP :
		    STORE_IMPORT_STRICT,
		.is_trial = cli_has(cli, "dry-run"),
		.progress = import_progress,
		.arg = &progress
	};
	struct transfer_counts counts;
	enum oc_err err;

	err = transfer_import(&import, &counts, error);
	progress_end(&progress);
	if (err != OC_OK)
		return oc_error_prefix(error, "nothing is imported");
	tell_imported(cli, &import, &counts);
	if (!import.is_trial)
		(void)cli_nudge(cli);
	return OC_OK;
}

static enum oc_err
check_import(const struct cli *cli, enum transfer_format format,
    struct oc_error *error)
{
	if (cli_has(cli, "certs") && format != TRANSFER_INDEX)
		return oc_error_set(error, OC_ERR_USAGE, "--certs goes with "
		    "--format index");
	if (cli_has(cli, "from") && format != TRANSFER_STORE)
		return oc_error_set(error, OC_ERR_USAGE, "--from goes with "
		    "--format store");
	if (cli_has(cli, "certs") && access(cli_option(cli, "certs"),
	    R_OK | X_OK) != 0)
		return oc_error_set_errno(error, OC_ERR_NOT_FOUND,
		    "--certs %s", cli_option(cli, "certs"));
	return OC_OK;
}

static enum oc_err
check_source(struct cli *cli, const char *path, struct oc_error *error)
{
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	if (err == OC_OK && cli_is_same_file(path, config->store.path))
		return oc_error_set(error, OC_ERR_REFUSED, "%s is the store "
		    "that it would go into", path);
	return err;
}

static enum oc_err
import_run(struct cli *cli, struct oc_error *error)
{
	struct ca_issuer *issuer = NULL;
	enum transfer_format format;
	struct store *store;
	char *where = NULL;
	enum oc_err err;

	err = read_format(cli, &format, error);
	if (err == OC_OK)
		err = check_import(cli, format, error);
	if (err == OC_OK)
		err = read_where(cli, format, cli->args[0], &where, error);
	if (err == OC_OK)
		err = check_source(cli, cli->args[0], error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_open_any_issuer(cli, cli_option(cli, "issuer"),
		    &issuer, error);
	if (err == OC_OK)
		err = import_into(cli, issuer, store, format, where, error);
	free(where);
	ca_issuer_free(issuer);
	return err;
}

/* --- export ------------------------------------------------------------- */

static void
export_progress(void *arg, const struct transfer_export_counts *counts)
{
	progress_tell(arg, counts->num_written);
}

static void
tell_unsaid(void *arg, const char *text)
{
	struct progress *p = arg;

	if (p->num_unsaid++ < UNSAID_MAX)
		fprintf(stderr, "%socsign: export: %s\n", p->is_shown ?
		    "\n" : "", text);
	else if (p->num_unsaid == UNSAID_MAX + 1)
		fprintf(stderr, "ocsign: export: and so on\n");
}

static enum oc_err
check_out(struct cli *cli, enum transfer_format format,
    struct oc_error *error)
{
	const char *out = cli_option(cli, "out");

	if (format != TRANSFER_INDEX && format != TRANSFER_CERTDB)
		return oc_error_set(error, OC_ERR_USAGE, "--format %s: index "
		    "and certdb are what is written; \"ocsign crl create\" "
		    "signs a CRL, \"ocsign store backup\" copies the store",
		    transfer_format_name(format));
	if (cli_has(cli, "certs") && format != TRANSFER_INDEX)
		return oc_error_set(error, OC_ERR_USAGE, "--certs goes with "
		    "--format index");
	if (strcmp(out, "-") == 0)
		return oc_error_set(error, OC_ERR_USAGE, "--out: give a file: "
		    "it is put in place as a whole");
	if (is_database(format, out))
		return OC_OK;
	if (access(out, F_OK) == 0 && !cli_has(cli, "force"))
		return oc_error_set(error, OC_ERR_EXISTS, "%s is there "
		    "already; --force replaces it", out);
	return cli_check_out(cli, "out", error);
}

static void
tell_exported(struct cli *cli, const struct transfer_export *export,
    const struct transfer_export_counts *c)
{
	json_t *facts = cli_object();

	cli_put_text(facts, "issuer", cli_option(cli, "issuer"));
	cli_put_text(facts, "format", transfer_format_name(export->format));
	cli_put_text(facts, "out", cli_option(cli, "out"));
	put_count(facts, "written", c->num_written);
	put_count(facts, "never_issued", c->num_reserved);
	put_count(facts, "not_wholly_said", c->num_unsaid);
	put_count(facts, "left_out", c->num_left_out);
	cli_print(cli, facts);
}

static enum oc_err
export_from(struct cli *cli, const struct ca_issuer *issuer, int64_t id,
    struct store *store, enum transfer_format format, const char *where,
    struct oc_error *error)
{
	struct progress progress = progress_begin("export");
	struct transfer_export export = {
		.store = store,
		.issuer_id = id,
		.issuer = &issuer->cert,
		.format = format,
		.path = where,
		.replaces = cli_has(cli, "force"),
		.certificates = cli_option(cli, "certs"),
		.loss = cli_has(cli, "lossy") ? TRANSFER_LOSSY :
		    TRANSFER_WHOLE,
		.now = oc_clock_now_s(),
		.unsaid = tell_unsaid,
		.progress = export_progress,
		.arg = &progress
	};
	struct transfer_export_counts counts;
	enum oc_err err;

	err = transfer_export(&export, &counts, error);
	progress_end(&progress);
	if (err == OC_OK)
		tell_exported(cli, &export, &counts);
	return err;
}

static enum oc_err
export_run(struct cli *cli, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	struct store_issuer row = { 0 };
	struct ca_issuer *issuer = NULL;
	enum transfer_format format;
	struct store *store;
	char *where = NULL;
	enum oc_err err;

	err = read_format(cli, &format, error);
	if (err == OC_OK)
		err = check_out(cli, format, error);
	if (err == OC_OK)
		err = read_where(cli, format, cli_option(cli, "out"), &where,
		    error);
	if (err == OC_OK)
		err = cli_find_issuer(cli, cli_option(cli, "issuer"),
		    &section, error);
	if (err == OC_OK)
		err = ca_issuer_load(section, &issuer, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_READ, &store, error);
	if (err == OC_OK) {
		err = store_find_issuer(store, section->name, &row);
		if (err != OC_OK)
			(void)oc_error_set(error, err, "%s",
			    store_error(store));
	}
	if (err == OC_OK)
		err = export_from(cli, issuer, row.id, store, format, where,
		    error);
	free(where);
	store_issuer_fini(&row);
	ca_issuer_free(issuer);
	return err;
}

static const struct cli_option import_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] whose they are" },
	{ "format", "FORMAT", CLI_REQUIRED,
	    "index, certdb, crl, or store" },
	{ "certs", "FOLDER", CLI_OPTIONAL,
	    "index: where openssl left SERIAL.pem" },
	{ "from", "NAME", CLI_OPTIONAL,
	    "store: what the issuer is called there" },
	{ "password-source", "SOURCE", CLI_OPTIONAL,
	    "of a database: as the configuration's" },
	{ "keep", NULL, CLI_OPTIONAL,
	    "where both differ on a status, the records stand" },
	{ "dry-run", NULL, CLI_OPTIONAL, "all checks, and no change" },
	{ NULL }
};

static const struct cli_option export_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] whose they are" },
	{ "format", "FORMAT", CLI_REQUIRED, "index or certdb" },
	{ "out", "FILE", CLI_REQUIRED,
	    "where to; certdb: or a connection string" },
	{ "certs", "FOLDER", CLI_OPTIONAL,
	    "index: SERIAL.pem of each go there" },
	{ "password-source", "SOURCE", CLI_OPTIONAL,
	    "of a database: as the configuration's" },
	{ "lossy", NULL, CLI_OPTIONAL,
	    "leave out what the format cannot say" },
	{ "force", NULL, CLI_OPTIONAL,
	    "replace the file, or the rows, there are" },
	{ NULL }
};

const struct cli_command cli_import_commands[] = {
	{ .noun = "import", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1, .options = import_options,
	    .summary = "take in what other software issued",
	    .about = "Takes an issuer's certificates into the records from "
		"openssl's index.txt, CFSSL's certdb in SQLite or "
		"PostgreSQL, a CRL, or another store of ocsign: all or "
		"none.  They are then "
		"answered for, listed and revoked as those issued here, and "
		"their serial numbers are never given out again.  What is "
		"revoked here stays so.",
	    .example = "ocsign import --issuer web --format index "
		"--certs demoCA/newcerts demoCA/index.txt",
	    .run = import_run },
	{ NULL }
};

const struct cli_command cli_export_commands[] = {
	{ .noun = "export", .num_args_max = 0, .options = export_options,
	    .summary = "write the records for other software",
	    .about = "Writes an issuer's certificates as the index.txt that "
		"\"openssl ca\" goes on with, or as CFSSL's certdb in SQLite "
		"or PostgreSQL.  What the format cannot say is named, and "
		"then nothing is written, unless --lossy is given.",
	    .example = "ocsign export --issuer web --format index "
		"--out index.txt --certs newcerts",
	    .run = export_run },
	{ NULL }
};
