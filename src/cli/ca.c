/* SPDX-License-Identifier: Apache-2.0 */
/* ca list, ca show, and the table of ca commands. */
#include "cli/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/chain.h"
#include "cli/facts.h"
#include "cli/print.h"
#include "cli/work_impl.h"
#include "der/reader.h"
#include "der/time.h"
#include "x509/name.h"

struct counts {
	int64_t issued, revoked, reserved, valid;
};

static enum oc_err
count(void *arg, const struct store_certificate *c)
{
	struct counts *counts = arg;

	if (c->state == STORE_RESERVED)
		counts->reserved++;
	else
		counts->issued++;
	if (c->is_revoked)
		counts->revoked++;
	else if (c->state == STORE_ISSUED &&
	    c->not_after >= oc_clock_now_s())
		counts->valid++;
	return OC_OK;
}

/* What the store has of this issuer, if it knows it. */
static enum oc_err
put_store(struct store *store, const char *name, json_t *object,
    struct oc_error *error)
{
	struct store_filter filter = { 0 };
	struct store_issuer row = { 0 };
	struct counts counts = { 0 };
	struct store_crl crl = { 0 };
	enum oc_err err;

	err = store_find_issuer(store, name, &row);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	filter.issuer_id = row.id;
	store_issuer_fini(&row);
	if (err == OC_OK)
		err = store_list_certificates(store, &filter, count, &counts);
	if (err == OC_OK)
		err = store_find_crl_times(store, filter.issuer_id, &crl);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "%s", store_error(store));
	cli_put_int(object, "issued", counts.issued);
	cli_put_int(object, "valid", counts.valid);
	cli_put_int(object, "revoked", counts.revoked);
	cli_put_int(object, "reserved_only", counts.reserved);
	if (err == OC_OK) {
		cli_put_number(object, "crl_number", crl.number);
		cli_put_time(object, "next_crl", crl.next_update);
	}
	return OC_OK;
}

/* NULL without an error if there is no store yet. */
static enum oc_err
open_store(struct cli *cli, struct store **store, struct oc_error *error)
{
	enum oc_err err = cli_store(cli, STORE_READ, store, error);

	if (err != OC_ERR_NOT_FOUND)
		return err;
	*store = NULL;
	*error = (struct oc_error){ 0 };
	return OC_OK;
}

/* "ready" is one that may issue. */
static const char *
state_of(const struct ca_issuer *issuer, struct store *store)
{
	struct oc_error why;

	if (ca_issuer_check_blocked(issuer, NULL, &why) == OC_ERR_REFUSED)
		return "blocked";
	if (store != NULL && ca_issuer_check_revoked(issuer, store, NULL,
	    NULL) == OC_ERR_REFUSED)
		return "revoked";
	if (issuer->cert.not_after < oc_clock_now_s())
		return "expired";
	return "ready";
}

static enum oc_err
list_one(const struct oc_config_issuer *section, struct store *store,
    const struct ca_blocklist *blocklist, json_t *rows,
    struct oc_error *error)
{
	struct ca_issuer *issuer = NULL;
	struct oc_error bad = { 0 };
	json_t *row = cli_object();
	enum oc_err err = OC_OK;

	cli_put_text(row, "name", section->name);
	if (access(section->certificate, F_OK) != 0)
		cli_put_text(row, "state", "no certificate yet");
	else if (ca_issuer_load(section, &issuer, &bad) != OC_OK)
		cli_put_text(row, "state", bad.text);
	else {
		issuer->blocklist = blocklist;
		cli_put_text(row, "state", state_of(issuer, store));
		cli_put_name(row, "subject", issuer->cert.subject);
		cli_put_time(row, "not_after", issuer->cert.not_after);
	}
	if (store != NULL)
		err = put_store(store, section->name, row, error);
	cli_append(rows, row);
	ca_issuer_free(issuer);
	return err;
}

static enum oc_err
ca_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "name", "state", "subject",
	    "not_after", "valid", "revoked", NULL };
	const struct ca_blocklist *blocklist;
	const struct oc_config *config;
	json_t *rows = cli_array();
	struct store *store = NULL;
	enum oc_err err;

	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = cli_blocklist(cli, &blocklist, error);
	if (err == OC_OK)
		err = open_store(cli, &store, error);
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++)
		err = list_one(&config->issuers[i], store, blocklist, rows,
		    error);
	if (err == OC_OK)
		cli_print_table(cli, rows, columns);
	else
		json_decref(rows);
	return err;
}

/* "1: CN=Other Root,..., until 2046-..., FILE", or why there is none. */
static void
put_alternates(json_t *facts, const struct ca_issuer *issuer)
{
	const struct oc_words *files = &issuer->config->alternate_chain;
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	char name[X509_NAME_TEXT_MAX], until[DER_ISO8601_MAX];
	json_t *list;

	if (cert == NULL)
		cli_no_memory();
	list = files->num > 0 ? cli_array() : NULL;
	for (size_t n = 1; n <= files->num; n++) {
		struct ca_chain chain = { NULL, 0 };
		struct oc_error bad = { 0 };
		struct der_bytes der = { NULL, 0 };
		char line[OC_ERROR_TEXT_MAX + X509_NAME_TEXT_MAX];
		enum oc_err err = ca_chain_read(issuer, n, &chain, &bad);

		if (err == OC_OK) {
			struct der_reader r = der_reader_of(
			    (struct der_bytes){ chain.der, chain.len });

			(void)der_get_tlv(&r, DER_SEQUENCE, &der);
			err = x509_cert_read(der, cert, &bad);
		}
		if (err != OC_OK)
			(void)snprintf(line, sizeof(line), "%zu: %s", n,
			    bad.text);
		else {
			x509_name_format(cert->issuer, name);
			der_format_iso8601(cert->not_after, until);
			(void)snprintf(line, sizeof(line), "%zu: under %s, "
			    "until %s, %s", n, name, until,
			    files->words[n - 1]);
		}
		cli_append_text(list, line);
		ca_chain_fini(&chain);
	}
	if (list != NULL)
		cli_put(facts, "alternate_chains", list);
	free(cert);
}

/* "hsm-a hsm-b", as in the section; nothing without a token. */
static void
put_tokens(json_t *facts, const struct oc_words *tokens)
{
	struct oc_buffer b;

	oc_buffer_init(&b, 64 * 1024);
	for (size_t i = 0; i < tokens->num; i++)
		oc_buffer_printf(&b, "%s%s", i == 0 ? "" : " ",
		    tokens->words[i]);
	cli_put_text(facts, "token", tokens->num > 0 ? oc_buffer_text(&b) :
	    NULL);
	oc_buffer_fini(&b);
}

static enum oc_err
ca_show(struct cli *cli, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	struct ca_issuer *issuer = NULL;
	json_t *facts = cli_object();
	struct store *store = NULL;
	enum oc_err err;

	err = cli_find_issuer(cli, cli->args[0], &section, error);
	if (err == OC_OK)
		err = ca_issuer_load(section, &issuer, error);
	if (err == OC_OK)
		err = open_store(cli, &store, error);
	if (err == OC_OK) {
		cli_put_text(facts, "name", section->name);
		cli_put_text(facts, "certificate", section->certificate);
		put_tokens(facts, &section->tokens);
		cli_put_text(facts, "token_key", section->key);
		cli_put_text(facts, "responses", section->responses);
		cli_put_certificate(facts, &issuer->cert);
		put_alternates(facts, issuer);
		cli_put_text(facts, "prints_ocsp_url", section->ocsp_url);
		cli_put_text(facts, "prints_ca_issuers_url",
		    section->ca_issuers_url);
		cli_put_text(facts, "prints_crl_url", section->crl_url);
		if (store != NULL)
			err = put_store(store, section->name, facts, error);
	}
	if (err == OC_OK)
		cli_print(cli, facts);
	else
		json_decref(facts);
	ca_issuer_free(issuer);
	return err;
}

const struct cli_command cli_ca_commands[] = {
	{ .noun = "ca", .verb = "create", .arguments = "NAME",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_ca_create_options,
	    .summary = "make a CA's certificate",
	    .about = "Makes the certificate of [issuer NAME] for the key that "
		"the section names: self-signed, or with --issuer issued by "
		"another of your CAs, and writes it to the section's "
		"certificate, which must not exist yet.  Without such a "
		"section --token and --key have one written to "
		"ocsign.conf.d.  With --csr the request for a root outside is "
		"written instead.",
	    .example = "ocsign ca create root --subject "
		"'CN=Example Root,O=Example,C=DE'",
	    .run = cli_ca_create },
	{ .noun = "ca", .verb = "import", .arguments = "NAME",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_ca_import_options,
	    .summary = "take in what a root outside made of our request",
	    .about = "Takes in the certificate that a root outside made of "
		"the request of \"ocsign ca create NAME --csr\".  It must be "
		"for the section's key; that is proved with a signature.",
	    .example = "ocsign ca import web --cert web.pem --chain root.pem",
	    .run = cli_ca_import },
	{ .noun = "ca", .verb = "add", .arguments = "NAME",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_ca_add_options,
	    .summary = "take in a CA that exists",
	    .about = "Takes in a CA whose certificate and key exist already: "
		"proves with a signature that the key in the token is the "
		"certificate's, and writes [issuer NAME] to ocsign.conf.d.",
	    .example = "ocsign ca add old --cert old.pem --token ca "
		"--key old",
	    .run = cli_ca_add },
	{ .noun = "ca", .verb = "cross-sign", .arguments = "NAME",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_ca_cross_options,
	    .summary = "certify a CA once more, under another",
	    .about = "Makes another certificate for the key and subject of "
		"[issuer NAME], issued by [issuer PARENT], so that what NAME "
		"has issued is good under either root.  It is written, with "
		"those above it, to the first file of the section's "
		"alternate-chain that is not there yet, or to --out; \"ocsign "
		"cert issue --chain --alternate PARENT\" appends it.",
	    .example = "ocsign ca cross-sign web --issuer root2",
	    .run = cli_ca_cross },
	{ .noun = "ca", .verb = "list",
	    .summary = "list the CAs",
	    .about = "Lists every [issuer] section: whether it has its "
		"certificate, until when that is valid, and how many "
		"certificates it has issued.",
	    .example = "ocsign ca list",
	    .run = ca_list },
	{ .noun = "ca", .verb = "show", .arguments = "NAME",
	    .num_args_min = 1, .num_args_max = 1,
	    .summary = "all about one CA",
	    .about = "Prints subject, validity, key, serial number and URLs "
		"of a CA, when its next CRL is due, and what it issued.",
	    .example = "ocsign ca show web",
	    .run = ca_show },
	{ NULL }
};
