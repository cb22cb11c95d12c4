/* SPDX-License-Identifier: Apache-2.0 */
/* crl create, show. */
#include "x509/crl.h"

#include <stdlib.h>

#include "ca/crl.h"
#include "cli/crl.h"
#include "cli/lint.h"
#include "cli/print.h"
#include "cli/work.h"
#include "x509/file.h"

static enum oc_err
create(struct cli *cli, struct ca_issuer *issuer, struct ca_crl *crl,
    struct oc_error *error)
{
	const char *name = issuer->config->name;
	char key[SIGN_KEY_NAME_MAX];
	struct store *store;
	enum oc_err err;

	err = cli_store(cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = cli_need_key(cli, SIGN_KEY_ISSUER, name, error);
	if (err == OC_OK)
		err = cli_open_signers(cli, error);
	if (err != OC_OK)
		return err;
	sign_key_name(SIGN_KEY_ISSUER, name, key);
	cli_progress_begin("the token");
	err = ca_crl_create(issuer, store,
	    cli_signer(cli, key), cli_deadline(CLI_SIGN_S), crl, error);
	cli_progress_end();
	return err;
}

static enum oc_err
crl_create(struct cli *cli, struct oc_error *error)
{
	enum cli_encoding encoding = cli_has(cli, "der") ? CLI_DER : CLI_PEM;
	const char *out = cli_option(cli, "out");
	struct ca_issuer *issuer = NULL;
	struct ca_crl crl = { 0 };
	json_t *facts;
	enum oc_err err;

	err = cli_check_out(cli, "out", error);
	if (err == OC_OK)
		err = cli_open_any_issuer(cli, cli_option(cli, "issuer"),
		    &issuer, error);
	if (err == OC_OK)
		err = create(cli, issuer, &crl, error);
	if (err == OC_OK && (out != NULL || cli->format == CLI_FORMAT_TEXT))
		err = cli_write(out, encoding, "X509 CRL",
		    (struct der_bytes){ crl.der, crl.der_len }, error);
	if (err == OC_OK && cli->format == CLI_FORMAT_JSON) {
		facts = cli_object();
		cli_put_text(facts, "issuer", issuer->config->name);
		cli_put_number(facts, "number", crl.number);
		cli_put_int(facts, "entries", crl.num_entries);
		cli_put_text(facts, "out", out);
		cli_print(cli, facts);
		err = cli_flush(error);
	}
	if (err != OC_OK && crl.der != NULL)
		oc_error_prefix(error, "the CRL is signed and recorded, but "
		    "not written");
	ca_crl_fini(&crl);
	ca_issuer_free(issuer);
	return err;
}

static enum oc_err
put_entries(const struct x509_crl *crl, json_t *facts, struct oc_error *error)
{
	struct der_bytes rest = crl->entries;
	json_t *rows = cli_array();
	enum oc_err err = OC_OK;

	while (err == OC_OK && rest.len > 0) {
		struct x509_crl_entry entry;
		json_t *row;

		err = x509_crl_next_entry(&rest, &entry);
		if (err != OC_OK)
			break;
		row = cli_object();
		cli_put_serial(row, &entry.serial);
		cli_put_time(row, "revoked_at", entry.revoked_at);
		cli_put_text(row, "reason", crl_reason_name(entry.reason));
		if (entry.invalidity_at != 0)
			cli_put_time(row, "invalidity_at",
			    entry.invalidity_at);
		cli_append(rows, row);
	}
	if (err != OC_OK)
		oc_error_set(error, err, "an entry is malformed");
	cli_put_int(facts, "entries", (int64_t)json_array_size(rows));
	cli_put(facts, "revoked", rows);
	return err;
}

/* Of which certificates it is, and whether it is all of them. */
static void
put_scope(const struct x509_crl *crl, json_t *facts)
{
	struct der_bytes urls[X509_CRL_POINTS_MAX];
	uint32_t num, i;
	json_t *list;

	if (crl->is_delta) {
		cli_put_bool(facts, "delta", true);
		cli_put_integer(facts, "base_number", crl->base_number);
	}
	num = x509_crl_point_urls(&crl->point, urls, X509_CRL_POINTS_MAX);
	if (num > 0) {
		list = cli_array();
		for (i = 0; i < num; i++)
			cli_append(list, json_stringn((const char *)urls[i].p,
			    urls[i].len));
		cli_put(facts, "distribution_point", list);
	}
	if (crl->point.has_only_user_certs)
		cli_put_text(facts, "only", "users");
	if (crl->point.has_only_ca_certs)
		cli_put_text(facts, "only", "CAs");
	num = x509_crl_freshest_urls(crl, urls, X509_CRL_POINTS_MAX);
	if (num > 0) {
		list = cli_array();
		for (i = 0; i < num; i++)
			cli_append(list, json_stringn((const char *)urls[i].p,
			    urls[i].len));
		cli_put(facts, "freshest", list);
	}
}

static enum oc_err
crl_show(struct cli *cli, struct oc_error *error)
{
	const char *path = cli->args[0];
	json_t *facts = cli_object();
	struct x509_crl crl;
	struct der_bytes der;
	uint8_t *octets = NULL;
	enum oc_err err;

	err = x509_file_read(path, X509_FILE_CRL, &octets, &der.len, error);
	der.p = octets;
	if (err == OC_OK) {
		err = x509_crl_read(der, &crl, error);
		if (err == OC_OK) {
			cli_put_name(facts, "issuer", crl.issuer);
			cli_put_time(facts, "this_update", crl.this_update);
			if (crl.next_update != 0)
				cli_put_time(facts, "next_update",
				    crl.next_update);
			if (crl.number.len > 0)
				cli_put_integer(facts, "number", crl.number);
			if (crl.authority_key_id.len > 0)
				cli_put_hex(facts, "authority_key_id",
				    crl.authority_key_id);
			if (crl.alg != SIGN_ALG_NONE)
				cli_put_text(facts, "algorithm",
				    sign_alg_info(crl.alg)->name);
			put_scope(&crl, facts);
			err = put_entries(&crl, facts, error);
		}
		if (err != OC_OK)
			oc_error_prefix(error, "%s", path);
	}
	if (err == OC_OK)
		cli_print(cli, facts);
	else
		json_decref(facts);
	free(octets);
	return err;
}

static const struct cli_option create_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] that signs" },
	{ "out", "FILE", CLI_OPTIONAL, "else standard output" },
	{ "der", NULL, CLI_OPTIONAL, "DER, not PEM" },
	{ NULL }
};

const struct cli_command cli_crl_commands[] = {
	{ .noun = "crl", .verb = "create", .options = create_options,
	    .summary = "sign a new CRL",
	    .about = "Signs a full CRL of what the issuer has revoked, with "
		"the next CRL number, valid for the section's crl-lifetime.  "
		"What is in crl-partitions has CRLs of its own: see \"ocsign "
		"crl publish\".",
	    .example = "ocsign crl create --issuer web --out web.crl",
	    .run = crl_create },
	{ .noun = "crl", .verb = "publish",
	    .options = cli_crl_publish_options,
	    .summary = "sign all CRLs of an issuer that are due",
	    .about = "Signs the CRL of each of the section's crl-partitions, "
		"that of what is in none, and deltas where there is a "
		"crl-delta-url; all are recorded, or none.",
	    .example = "ocsign crl publish --issuer web --due",
	    .run = cli_crl_publish },
	{ .noun = "crl", .verb = "list", .options = cli_crl_list_options,
	    .summary = "the newest CRL of each partition",
	    .about = "Prints number, entries and times of the newest full "
		"CRL of each partition, and of the newest delta.",
	    .example = "ocsign crl list --issuer web",
	    .run = cli_crl_list },
	{ .noun = "crl", .verb = "show", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "what a CRL says",
	    .about = "Prints issuer, times, number and entries of a CRL in "
		"PEM or DER.  Its signature is not checked.",
	    .example = "ocsign crl show web.crl",
	    .run = crl_show },
	{ .noun = "crl", .verb = "lint", .arguments = "FILE",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_crl_lint_options,
	    .summary = "check a CRL against the rules",
	    .about = "Checks a CRL, anybody's, against the rules of "
		"ocsign-lint(7).  The exit status is 1 if it breaks one "
		"whose severity is error.",
	    .example = "ocsign crl lint --issuer-cert web.pem web.crl",
	    .run = cli_crl_lint },
	{ NULL }
};
