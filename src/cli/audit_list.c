/* SPDX-License-Identifier: Apache-2.0 */
/* What the signing journal has, record for record. */
#include "cli/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "pkcs11/journal_read.h"

#define US_PER_S 1000000
#define LAST_DEFAULT 1000

struct listing {
	json_t *rows;
	const char *kind;		/* NULL: any */
	int64_t num_max;		/* 0: all */
};

static enum oc_err
add_row(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct listing *l = arg;
	json_t *row;

	if (r->type != P11_RECORD_SIGN || (l->kind != NULL &&
	    strcmp(l->kind, p11_kind_name(r->kind)) != 0))
		return OC_OK;
	row = cli_object();
	cli_put_text(row, "chain", chain->name);
	cli_put_int(row, "number", (int64_t)r->number);
	cli_put_time(row, "at", r->at_us / US_PER_S);
	cli_put_text(row, "kind", p11_kind_name(r->kind));
	cli_put_text(row, "lane", sign_lane_name(r->lane));
	cli_put_text(row, "key", r->key);
	cli_put_text(row, "algorithm", r->alg == SIGN_ALG_NONE ? "" :
	    sign_alg_info(r->alg)->name);
	cli_put_text(row, "outcome", p11_outcome_name(r->outcome));
	if (r->has_digest)
		cli_put_hex(row, "tbs_sha256", DER_ARRAY(r->digest));
	cli_put_text(row, "detail", r->detail);
	cli_append(l->rows, row);
	if (l->num_max != 0 &&
	    (int64_t)json_array_size(l->rows) > l->num_max)
		(void)json_array_remove(l->rows, 0);
	return OC_OK;
}

static enum oc_err
read_options(const struct cli *cli, struct listing *l, struct oc_error *error)
{
	const char *last = cli_option(cli, "last");

	l->kind = cli_option(cli, "kind");
	l->num_max = LAST_DEFAULT;
	if (l->kind != NULL && strcmp(l->kind, "certificate") != 0 &&
	    strcmp(l->kind, "crl") != 0 && strcmp(l->kind, "ocsp") != 0 &&
	    strcmp(l->kind, "csr") != 0)
		return oc_error_set(error, OC_ERR_USAGE, "--kind %.40s is "
		    "none of certificate, crl, ocsp, csr", l->kind);
	if (last != NULL && oc_value_int(last, 0, INT32_MAX, &l->num_max,
	    error) != OC_OK) {
		oc_error_prefix(error, "--last");
		return OC_ERR_USAGE;
	}
	return OC_OK;
}

enum oc_err
cli_audit_list_signatures(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "chain", "number", "at",
	    "kind", "key", "outcome", "tbs_sha256", "detail", NULL };
	struct listing l = { .rows = NULL };
	const struct oc_config *config;
	struct p11_chain *chains = NULL;
	size_t num;
	enum oc_err err = read_options(cli, &l, error);

	if (err == OC_OK)
		err = cli_config(cli, &config, error);
	if (err != OC_OK)
		return err;
	l.rows = cli_array();
	cli_progress_begin("the signing journal to be read");
	err = p11_journal_read(config->store.signing_journal,
	    P11_JOURNAL_ARCHIVED, add_row, &l, &chains, &num, error);
	cli_progress_end();
	free(chains);
	/* What could be read is printed, also where it was changed. */
	cli_print_table(cli, l.rows, columns);
	return err;
}

const struct cli_option cli_audit_signatures_options[] = {
	{ "kind", "KIND", CLI_OPTIONAL,
	    "certificate, crl, ocsp or csr; default: all" },
	{ "last", "NUMBER", CLI_OPTIONAL,
	    "how many; default: 1000; 0: all" },
	{ NULL }
};
