/* SPDX-License-Identifier: Apache-2.0 */
/* crl publish, list: all lists of an issuer. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/publish.h"
#include "cli/crl.h"
#include "cli/print.h"
#include "cli/work.h"

#define PROGRESS_AFTER_NS (2 * OC_NS_PER_S)
#define PROGRESS_EVERY_NS (OC_NS_PER_S / 4)

struct publishing {
	struct cli *cli;
	struct ca_issuer *issuer;
	struct ca_publication made;
	char **paths;			/* of each list that was written; NULL:
					 * no files */
	int64_t next_ns;		/* when something is said again */
	bool has_said;
};

static void
publishing_fini(struct publishing *p)
{
	for (uint32_t i = 0; p->paths != NULL && i < p->made.num; i++)
		free(p->paths[i]);
	free(p->paths);
	ca_publication_fini(&p->made);
	ca_issuer_free(p->issuer);
}

/* For people who wait. */
static void
say_progress(void *arg, uint32_t done, uint32_t num)
{
	struct publishing *p = arg;
	int64_t now_ns = oc_clock_mono_ns();

	if (isatty(STDERR_FILENO) != 1 || (done < num && now_ns < p->next_ns)
	    || (done == num && !p->has_said))
		return;
	fprintf(stderr, "\r%u of %u CRLs are signed%s", done, num,
	    done == num ? "\n" : "");
	fflush(stderr);
	p->has_said = true;
	p->next_ns = now_ns + PROGRESS_EVERY_NS;
}

static enum oc_err
sign_all(struct publishing *p, struct oc_error *error)
{
	const struct oc_config_issuer *config = p->issuer->config;
	bool is_due = cli_has(p->cli, "due");
	const struct ca_publish_order order = {
		.full_age_s = is_due ? config->crl_lifetime_s / 2 : 0,
		.delta_age_s = is_due ? config->crl_delta_lifetime_s / 2 : 0,
		.on_change = is_due,
		.sign_ns = CLI_SIGN_S * OC_NS_PER_S,
		.progress = say_progress,
		.arg = p,
	};
	char key[SIGN_KEY_NAME_MAX];
	struct store *store;
	enum oc_err err;

	err = cli_store(p->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_need_key(p->cli, SIGN_KEY_ISSUER, config->name,
		    error);
	if (err == OC_OK)
		err = cli_open_signers(p->cli, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, config->name, key);
	p->next_ns = oc_clock_mono_ns() + PROGRESS_AFTER_NS;
	return ca_publish(p->issuer, store, cli_signer(p->cli, key), &order,
	    &p->made, error);
}

/* All of them, or the old ones. */
static enum oc_err
write_all(struct publishing *p, struct oc_error *error)
{
	const struct cli_crl_files files = {
		.directory = cli_option(p->cli, "directory"),
		.issuer = p->issuer,
		.lists = p->made.lists,
		.num = p->made.num,
	};
	enum oc_err err;

	if (files.directory == NULL || p->made.num == 0)
		return OC_OK;
	p->paths = calloc(p->made.num, sizeof(*p->paths));
	if (p->paths == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = cli_crl_write(&files, p->paths, error);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "the CRLs are "
	    "signed and recorded, but not written");
}

/* --- what is said ------------------------------------------------------- */

static void
put_list(json_t *row, uint32_t partition, uint64_t number, uint64_t base,
    int64_t num_entries, int64_t this_update, int64_t next_update)
{
	cli_put_int(row, "partition", partition);
	cli_put_text(row, "kind", base != 0 ? "delta" : "full");
	cli_put_number(row, "number", number);
	if (base != 0)
		cli_put_number(row, "base_number", base);
	/* Not known of those of earlier versions. */
	if (num_entries >= 0)
		cli_put_int(row, "entries", num_entries);
	cli_put_time(row, "this_update", this_update);
	cli_put_time(row, "next_update", next_update);
}

static void
print_made(const struct publishing *p)
{
	static const char *const columns[] = { "partition", "kind", "number",
	    "base_number", "entries", "next_update", "out", NULL };
	json_t *rows = cli_array();

	for (uint32_t i = 0; i < p->made.num; i++) {
		const struct ca_crl *crl = &p->made.lists[i];
		json_t *row = cli_object();

		put_list(row, crl->partition, crl->number, crl->base_number,
		    crl->num_entries, crl->this_update, crl->next_update);
		if (crl->url[0] != '\0')
			cli_put_text(row, "url", crl->url);
		cli_put_text(row, "out", p->paths == NULL ? NULL :
		    p->paths[i]);
		cli_append(rows, row);
	}
	cli_print_table(p->cli, rows, columns);
}

static enum oc_err
check_directory(struct cli *cli, struct oc_error *error)
{
	const char *directory = cli_option(cli, "directory");

	if (directory == NULL)
		return OC_OK;
	if (access(directory, W_OK | X_OK) == 0)
		return OC_OK;
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "cannot write into "
	    "--directory %s", directory);
}

enum oc_err
cli_crl_publish(struct cli *cli, struct oc_error *error)
{
	struct publishing p = { .cli = cli };
	enum oc_err err;

	err = check_directory(cli, error);
	if (err == OC_OK)
		err = cli_open_any_issuer(cli, cli_option(cli, "issuer"),
		    &p.issuer, error);
	if (err == OC_OK)
		err = sign_all(&p, error);
	if (err == OC_OK)
		err = write_all(&p, error);
	if (err == OC_OK) {
		print_made(&p);
		err = cli_flush(error);
	}
	publishing_fini(&p);
	return err;
}

const struct cli_option cli_crl_publish_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] that signs" },
	{ "directory", "DIR", CLI_OPTIONAL,
	    "write them there, too, named as in their URLs" },
	{ "due", NULL, CLI_OPTIONAL,
	    "only what is half through its life, or has changed" },
	{ NULL }
};

/* --- crl list ----------------------------------------------------------- */

static enum oc_err
list_one(struct store *store, const struct oc_config_issuer *config,
    const struct store_crl_scope *scope, json_t *rows)
{
	struct store_crl crl = { 0 };
	char url[OC_CRL_URL_MAX + 1];
	const char *at = scope->kind == STORE_CRL_DELTA ?
	    config->crl_delta_url : config->crl_url;
	enum oc_err err = store_find_list_times(store, scope, &crl);
	json_t *row;

	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err != OC_OK)
		return err;
	row = cli_object();
	cli_put_text(row, "issuer", config->name);
	put_list(row, crl.partition, crl.number, crl.base_number,
	    crl.num_entries, crl.this_update, crl.next_update);
	if (at != NULL && oc_config_partition_url(at, scope->partition, url))
		cli_put_text(row, "url", url);
	cli_append(rows, row);
	return OC_OK;
}

static enum oc_err
list_issuer(struct store *store, const struct oc_config_issuer *config,
    json_t *rows, struct oc_error *error)
{
	struct store_crl_scope scope = { 0 };
	struct store_issuer issuer = { 0 };
	enum oc_err err = store_find_issuer(store, config->name, &issuer);

	scope.issuer_id = issuer.id;
	store_issuer_fini(&issuer);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	for (; err == OC_OK && scope.partition <= config->crl_partitions;
	    scope.partition++) {
		scope.kind = STORE_CRL_FULL;
		err = list_one(store, config, &scope, rows);
		scope.kind = STORE_CRL_DELTA;
		if (err == OC_OK)
			err = list_one(store, config, &scope, rows);
	}
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(store));
}

enum oc_err
cli_crl_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "issuer", "partition", "kind",
	    "number", "base_number", "entries", "this_update", "next_update",
	    NULL };
	const char *name = cli_option(cli, "issuer");
	const struct oc_config_issuer *only = NULL;
	const struct oc_config *config;
	struct store *store;
	json_t *rows;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK && name != NULL)
		err = cli_find_issuer(cli, name, &only, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_READ, &store, error);
	if (err != OC_OK)
		return err;
	rows = cli_array();
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++)
		if (only == NULL || only == &config->issuers[i])
			err = list_issuer(store, &config->issuers[i], rows,
			    error);
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

const struct cli_option cli_crl_list_options[] = {
	{ "issuer", "NAME", CLI_OPTIONAL, "of this one; default: of all" },
	{ NULL }
};
