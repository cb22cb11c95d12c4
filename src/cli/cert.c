/* SPDX-License-Identifier: Apache-2.0 */
/* cert list, show, and the table of cert commands. */
#include "cli/cert.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/pem.h"
#include "base/value.h"
#include "cli/facts.h"
#include "cli/lint.h"
#include "cli/print.h"
#include "cli/target.h"

/* --- list ------------------------------------------------------------- */

struct listing {
	const struct cli *cli;
	const struct oc_config *config;
	struct store *store;
	json_t *rows;
	int64_t issuer_ids[64];
	const char *issuer_names[64];
	size_t num_issuers;
};

static void
find_issuers(struct listing *l)
{
	for (size_t i = 0; i < l->config->num_issuers &&
	    l->num_issuers < 64; i++) {
		struct store_issuer row = { 0 };

		if (store_find_issuer(l->store, l->config->issuers[i].name,
		    &row) != OC_OK)
			continue;
		l->issuer_ids[l->num_issuers] = row.id;
		l->issuer_names[l->num_issuers++] =
		    l->config->issuers[i].name;
		store_issuer_fini(&row);
	}
}

static void
put_names(json_t *row, const char *names)
{
	json_t *list = cli_array();

	while (names != NULL && *names != '\0') {
		size_t len = strcspn(names, "\n");

		cli_append(list, json_stringn(names, len));
		names += len;
		names += *names == '\n';
	}
	cli_put(row, "names", list);
}

static enum oc_err
add_row(void *arg, const struct store_certificate *c)
{
	struct listing *l = arg;
	json_t *row = cli_object();

	cli_put_serial(row, &c->serial);
	for (size_t i = 0; i < l->num_issuers; i++)
		if (l->issuer_ids[i] == c->issuer_id)
			cli_put_text(row, "issuer", l->issuer_names[i]);
	cli_put_record(row, c);
	if (c->not_before != 0)
		cli_put_time(row, "not_before", c->not_before);
	cli_put_time(row, "not_after", c->not_after);
	cli_put_text(row, "subject", c->subject);
	put_names(row, c->names);
	cli_append(l->rows, row);
	return OC_OK;
}

static enum oc_err
make_filter(const struct listing *l, struct store_filter *filter,
    struct oc_error *error)
{
	const char *issuer = cli_option(l->cli, "issuer");
	const char *within = cli_option(l->cli, "expires-in");
	int64_t seconds;

	filter->only_revoked = cli_has(l->cli, "revoked");
	filter->only_valid = cli_has(l->cli, "valid");
	filter->name = cli_option(l->cli, "name");
	if (cli_has(l->cli, "reserved"))
		filter->state = STORE_RESERVED;
	if (filter->only_revoked + filter->only_valid +
	    (filter->state == STORE_RESERVED) > 1)
		return oc_error_set(error, OC_ERR_USAGE, "--revoked, --valid "
		    "and --reserved exclude each other");
	if (within != NULL) {
		if (oc_value_duration(within, &seconds, error) != OC_OK) {
			oc_error_prefix(error, "--expires-in");
			return OC_ERR_USAGE;
		}
		filter->expires_before = oc_clock_now_s() + seconds;
	}
	for (size_t i = 0; issuer != NULL && i < l->num_issuers; i++)
		if (strcmp(l->issuer_names[i], issuer) == 0)
			filter->issuer_id = l->issuer_ids[i];
	return OC_OK;
}

static enum oc_err
cert_list(struct cli *cli, struct oc_error *error)
{
	static const char *const columns[] = { "serial", "issuer", "status",
	    "not_after", "subject", "names", NULL };
	struct listing l = { .cli = cli, .rows = cli_array() };
	const char *issuer = cli_option(cli, "issuer");
	const struct oc_config_issuer *section;
	struct store_filter filter = { 0 };
	enum oc_err err;

	err = cli_config(cli, &l.config, error);
	if (err == OC_OK && issuer != NULL)
		err = cli_find_issuer(cli, issuer, &section, error);
	if (err == OC_OK)
		err = cli_store(cli, STORE_READ, &l.store, error);
	if (err == OC_OK) {
		find_issuers(&l);
		err = make_filter(&l, &filter, error);
	}
	/* An issuer that the store has never met has issued nothing. */
	if (err == OC_OK && (issuer == NULL || filter.issuer_id != 0)) {
		err = store_list_certificates(l.store, &filter, add_row, &l);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", store_error(l.store));
	}
	if (err == OC_OK)
		cli_print_table(cli, l.rows, columns);
	else
		json_decref(l.rows);
	return err;
}

/* --- show ------------------------------------------------------------- */

/* What is recorded of it; a file of somebody else's is just shown. */
static enum oc_err
find_record(struct cli *cli, const struct cli_target *target,
    struct ca_issuer **issuer, struct store_certificate *record,
    struct oc_error *error)
{
	enum oc_err err;

	err = cli_target_issuer(cli, target, cli_option(cli, "issuer"),
	    issuer, error);
	if (err == OC_OK)
		err = cli_target_record(cli, target, *issuer, record, error);
	if (err == OC_ERR_NOT_FOUND && target->der != NULL &&
	    !cli_has(cli, "issuer")) {
		*error = (struct oc_error){ 0 };
		return OC_OK;
	}
	return err;
}

/* The certificate itself and, with --chain, those above it. */
static enum oc_err
print_pem(struct cli *cli, struct der_bytes der,
    const struct ca_issuer *issuer, struct oc_error *error)
{
	struct ca_chain chain = { NULL, 0 };
	struct oc_buffer b;
	enum oc_err err;

	if (der.len == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "it is reserved "
		    "only: there is no certificate to print");
	if (cli_has(cli, "chain") && issuer == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "--chain: no "
		    "[issuer] of the configuration issued it");
	oc_buffer_init(&b, OC_CHAIN_FILE_MAX);
	oc_pem_write(&b, "CERTIFICATE", der.p, der.len);
	err = issuer == NULL ? OC_OK :
	    cli_cert_chain(cli, issuer, &chain, error);
	if (err == OC_OK && cli_has(cli, "chain"))
		ca_chain_put(&chain, &b);
	if (err == OC_OK && b.err != OC_OK)
		err = oc_error_set(error, b.err, "%s", oc_strerror(b.err));
	if (err == OC_OK)
		(void)fwrite(b.bytes, 1, b.len, stdout);
	ca_chain_fini(&chain);
	oc_buffer_fini(&b);
	return err;
}

static enum oc_err
print_one(struct cli *cli, const struct cli_target *target,
    const struct ca_issuer *issuer, const struct store_certificate *record,
    struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct der_bytes der = { record->certificate,
	    record->certificate_len };
	json_t *facts;
	enum oc_err err = OC_OK;

	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (der.len == 0)
		der = target->cert.der;
	if (der.len > 0)
		err = x509_cert_read(der, cert, error);
	/* Somebody else has issued it, with what we do not read. */
	if (err != OC_OK && record->import_record != NULL)
		err = x509_cert_read_frame(der, cert, error);
	if (err == OC_OK && (cli_has(cli, "pem") || cli_has(cli, "chain")))
		err = print_pem(cli, der, issuer, error);
	else if (err == OC_OK) {
		facts = cli_object();
		if (issuer != NULL && record->id != 0) {
			cli_put_text(facts, "issuer_name",
			    issuer->config->name);
			cli_put_record(facts, record);
		}
		if (der.len > 0)
			cli_put_certificate(facts, cert);
		else {
			cli_put_serial(facts, &record->serial);
			cli_put_text(facts, "subject", record->subject);
			put_names(facts, record->names);
			cli_put_time(facts, "not_after", record->not_after);
		}
		cli_print(cli, facts);
	}
	free(cert);
	return err;
}

static enum oc_err
cert_show(struct cli *cli, struct oc_error *error)
{
	struct store_certificate record = { 0 };
	struct cli_target *target = NULL;
	struct ca_issuer *issuer = NULL;
	enum oc_err err;

	if (cli_has(cli, "alternate") && !cli_has(cli, "chain"))
		return oc_error_set(error, OC_ERR_USAGE, "--alternate says "
		    "which --chain; give both");
	err = cli_target_read(cli->args[0], &target, error);
	if (err == OC_OK)
		err = find_record(cli, target, &issuer, &record, error);
	if (err == OC_OK)
		err = print_one(cli, target, issuer, &record, error);
	store_certificate_fini(&record);
	ca_issuer_free(issuer);
	cli_target_free(target);
	return err;
}

static const struct cli_option list_options[] = {
	{ "issuer", "NAME", CLI_OPTIONAL, "of this issuer only" },
	{ "revoked", NULL, CLI_OPTIONAL, "only those revoked" },
	{ "valid", NULL, CLI_OPTIONAL,
	    "only those neither revoked nor expired" },
	{ "reserved", NULL, CLI_OPTIONAL,
	    "only serials that were never issued" },
	{ "expires-in", "DURATION", CLI_OPTIONAL, "ends within 30d, say" },
	{ "name", "TEXT", CLI_OPTIONAL, "stands in the subject or a name" },
	{ NULL }
};

static const struct cli_option show_options[] = {
	{ "issuer", "NAME", CLI_OPTIONAL, "whose serial it is" },
	{ "pem", NULL, CLI_OPTIONAL, "print the certificate itself" },
	{ "chain", NULL, CLI_OPTIONAL, "and its issuers, but for the root" },
	{ "alternate", "WHICH", CLI_OPTIONAL,
	    "of the alternate chain: its number, or an issuer" },
	{ NULL }
};

const struct cli_command cli_cert_commands[] = {
	{ .noun = "cert", .verb = "issue", .arguments = "CSR",
	    .num_args_min = 1, .num_args_max = 1,
	    .options = cli_cert_issue_options,
	    .summary = "issue a certificate for a request",
	    .about = "Checks the request (PEM or DER) against the profile, "
		"reserves a serial number, signs, records, and prints the "
		"certificate in PEM.  What the request asks for and the "
		"profile does not give is refused, never dropped in silence.",
	    .example = "ocsign cert issue --issuer web --profile server "
		"--chain site.csr >site.pem",
	    .run = cli_cert_issue },
	{ .noun = "cert", .verb = "list", .options = list_options,
	    .summary = "list what was issued",
	    .about = "Lists certificates from the records, oldest first.",
	    .example = "ocsign cert list --valid --expires-in 30d",
	    .run = cert_list },
	{ .noun = "cert", .verb = "show", .arguments = "SERIAL|FILE",
	    .num_args_min = 1, .num_args_max = 1, .options = show_options,
	    .summary = "all about one certificate",
	    .about = "Prints what a certificate says and what is recorded of "
		"it.  The serial number is hex, with or without colons or "
		"0x, or decimal.",
	    .example = "ocsign cert show site.pem",
	    .run = cert_show },
	{ .noun = "cert", .verb = "lint", .arguments = "FILE",
	    .num_args_max = 1, .options = cli_cert_lint_options,
	    .summary = "check certificates against the rules",
	    .about = "Checks every certificate in a file, anybody's, against "
		"the rules of ocsign-lint(7).  The exit status is 1 if one "
		"breaks a rule whose severity is error.",
	    .example = "ocsign cert lint --issuer-cert web.pem site.pem",
	    .run = cli_cert_lint },
	{ .noun = "cert", .verb = "revoke", .arguments = "[SERIAL|FILE]",
	    .num_args_max = 1,
	    .options = cli_cert_revoke_options,
	    .summary = "revoke a certificate, or a million",
	    .about = "Revokes a certificate, for good unless the reason is "
		"certificateHold, which removeFromCRL lifts.  While ocsignd "
		"runs, the command returns when the responder says "
		"\"revoked\", and tells the response's time and SHA-256; "
		"CRLs follow with \"ocsign crl create\".  With --file it "
		"is a whole list, after a plan, and where it was ended the "
		"same command goes on.",
	    .example = "ocsign cert revoke --reason keyCompromise site.pem",
	    .run = cli_cert_revoke },
	{ NULL }
};
