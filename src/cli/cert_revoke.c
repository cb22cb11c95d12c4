/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert revoke: recorded, then ocsignd told, then, when that says so, the
 * response that responders give from now on is read from their table.
 */
#include "cli/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/value.h"
#include "ca/revoke.h"
#include "cli/print.h"
#include "cli/revoke_many.h"
#include "cli/target.h"
#include "der/time.h"
#include "ocsp/proof.h"

struct revoking {
	struct cli *cli;
	struct cli_target *target;
	struct ca_issuer *issuer;
	enum crl_reason reason;
	int64_t revoked_at, invalidity_at;
	bool has_proof;
	struct ocsp_proof proof;
	struct oc_error notice;		/* why there is none */
};

static enum oc_err
parse(struct revoking *r, struct oc_error *error)
{
	const char *text = cli_option(r->cli, "reason");

	r->reason = CRL_REASON_UNSPECIFIED;
	if (text != NULL && crl_reason_parse(text, &r->reason, error) !=
	    OC_OK) {
		oc_error_prefix(error, "--reason");
		return OC_ERR_USAGE;
	}
	text = cli_option(r->cli, "invalidity");
	if (text != NULL && oc_value_date(text, 0, &r->invalidity_at,
	    error) != OC_OK) {
		oc_error_prefix(error, "--invalidity");
		return OC_ERR_USAGE;
	}
	return OC_OK;
}

static enum oc_err
record(struct revoking *r, struct oc_error *error)
{
	struct store_certificate found = { 0 };
	struct store *store;
	enum oc_err err;

	err = cli_target_issuer(r->cli, r->target, cli_option(r->cli,
	    "issuer"), &r->issuer, error);
	if (err == OC_OK)
		err = cli_target_record(r->cli, r->target, r->issuer, &found,
		    error);
	store_certificate_fini(&found);
	if (err == OC_OK)
		err = cli_store(r->cli, STORE_CREATE, &store, error);
	if (err == OC_OK)
		err = ca_revoke(r->issuer, store, &r->target->serial,
		    r->reason, &r->revoked_at, r->invalidity_at, error);
	return err;
}

/* --- what responders say now -------------------------------------------- */

/* What the running service does not answer for, it keeps no table of; there
 * may be an old one. */
static enum oc_err
check_answered(struct cli *cli, const char *issuer, struct oc_error *error)
{
	json_t *status = NULL, *one;
	bool is_answered = false;
	char *path;
	size_t i;
	enum oc_err err;

	err = cli_socket(cli, "status-control.sock", &path, error);
	if (err == OC_OK)
		err = cli_ask_status(path, &status, error);
	free(path);
	json_array_foreach(json_object_get(status, "issuers"), i, one) {
		const char *name = json_string_value(json_object_get(one,
		    "issuer"));

		if (name != NULL && strcmp(name, issuer) == 0)
			is_answered = true;
	}
	json_decref(status);
	if (err == OC_OK && !is_answered)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "the running "
		    "ocsignd does not answer for %s: it says nothing of this "
		    "certificate", issuer);
	return err;
}

/* OC_OK: the proof is there.  Whether it is or not, it is revoked. */
static enum oc_err
find_proof(struct revoking *r, struct oc_error *error)
{
	const char *issuer = r->issuer->config->name;
	const struct oc_config *config;
	enum oc_err err;

	switch (cli_nudge(r->cli)) {
	case CLI_NUDGED_NOBODY:
		return oc_error_set(error, OC_ERR_DOWN, "ocsignd does not "
		    "run: no response says so before it does");
	case CLI_NUDGED_IN_VAIN:
		return oc_error_set(error, OC_ERR_DOWN, "ocsignd does not "
		    "answer: responses may not say so yet");
	case CLI_NUDGED:
		break;
	}
	err = check_answered(r->cli, issuer, error);
	if (err == OC_OK)
		err = cli_config(r->cli, &config, error);
	if (err == OC_OK)
		err = ocsp_proof_read(config, issuer, &r->target->serial,
		    NULL, &r->proof, error);
	return err;
}

/* --- telling ------------------------------------------------------------ */

static const char *const hashes[OCSP_PROOFS] = {
	[OCSP_PROOF_SHA1] = "SHA-1", [OCSP_PROOF_SHA256] = "SHA-256",
};
static const char *const members[OCSP_PROOFS] = {
	[OCSP_PROOF_SHA1] = "sha1", [OCSP_PROOF_SHA256] = "sha256",
};

static const char *
status_name(enum ocsp_cert_status kind)
{
	switch (kind) {
	case OCSP_GOOD:
		return "good";
	case OCSP_REVOKED:
		return "revoked";
	case OCSP_UNKNOWN:
		break;
	}
	return "unknown";
}

static void
print_text(const struct revoking *r, const char *serial)
{
	const char *issuer = r->issuer->config->name;
	char at[DER_ISO8601_MAX], hash[OC_HEX_LEN(32) + 1];

	if (r->reason == CRL_REASON_REMOVE_FROM_CRL)
		printf("%s of %s is no longer on hold\n", serial, issuer);
	else
		printf("%s of %s is revoked (%s)\n", serial, issuer,
		    crl_reason_name(r->reason));
	if (!r->has_proof)
		printf("OCSP: %s\n", r->notice.text);
	for (int i = 0; r->has_proof && i < OCSP_PROOFS; i++) {
		if (!r->proof.of[i].is_there)
			continue;
		der_format_iso8601(r->proof.of[i].produced_at, at);
		oc_hex_encode(r->proof.of[i].sha256,
		    sizeof(r->proof.of[i].sha256), hash);
		printf("OCSP: %s, CertID with %s, produced %s, the "
		    "response's SHA-256 %s\n",
		    status_name(r->proof.of[i].status.kind), hashes[i], at,
		    hash);
	}
}

static json_t *
describe(const struct ocsp_proof *proof)
{
	json_t *all = cli_object();

	for (int i = 0; i < OCSP_PROOFS; i++) {
		json_t *one = json_null();

		if (proof->of[i].is_there) {
			one = cli_object();
			cli_put_text(one, "status",
			    status_name(proof->of[i].status.kind));
			cli_put_time(one, "produced_at",
			    proof->of[i].produced_at);
			cli_put_time(one, "next_update",
			    proof->of[i].next_update);
			cli_put_hex(one, "response_sha256",
			    DER_ARRAY(proof->of[i].sha256));
		}
		cli_put(all, members[i], one);
	}
	return all;
}

static void
tell(const struct revoking *r)
{
	char serial[OC_SERIAL_TEXT_MAX];
	json_t *facts;

	oc_serial_format(&r->target->serial, serial);
	if (r->cli->format == CLI_FORMAT_TEXT) {
		print_text(r, serial);
		return;
	}
	facts = cli_object();
	cli_put_text(facts, "issuer", r->issuer->config->name);
	cli_put_text(facts, "serial", serial);
	cli_put_text(facts, "reason", crl_reason_name(r->reason));
	if (r->reason != CRL_REASON_REMOVE_FROM_CRL)
		cli_put_time(facts, "revoked_at", r->revoked_at);
	if (r->has_proof)
		cli_put(facts, "ocsp", describe(&r->proof));
	else
		cli_put_text(facts, "ocsp_notice", r->notice.text);
	cli_print(r->cli, facts);
}

static enum oc_err
check_which(const struct cli *cli, struct oc_error *error)
{
	static const char *const with_file[] = { "dry-run", "yes", "pace",
	    "no-wait" };
	bool has_file = cli_has(cli, "file");

	if (has_file && cli->num_args > 0)
		return oc_error_set(error, OC_ERR_USAGE, "either one "
		    "certificate or --file");
	if (!has_file && cli->num_args == 0)
		return oc_error_set(error, OC_ERR_USAGE, "which certificate? "
		    "give its serial number or file, or --file with many");
	for (size_t i = 0; !has_file && i < sizeof(with_file) /
	    sizeof(with_file[0]); i++)
		if (cli_has(cli, with_file[i]))
			return oc_error_set(error, OC_ERR_USAGE, "--%s goes "
			    "with --file", with_file[i]);
	return OC_OK;
}

static enum oc_err
revoke_one(struct revoking *r, struct oc_error *error)
{
	struct cli *cli = r->cli;
	enum oc_err err;

	err = cli_target_read(cli->args[0], &r->target, error);
	if (err == OC_OK)
		err = record(r, error);
	if (err == OC_OK) {
		r->has_proof = find_proof(r, &r->notice) == OC_OK;
		tell(r);
	}
	return err;
}

enum oc_err
cli_cert_revoke(struct cli *cli, struct oc_error *error)
{
	struct revoking *r = calloc(1, sizeof(*r));
	enum oc_err err;

	if (r == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	r->cli = cli;
	err = check_which(cli, error);
	if (err == OC_OK)
		err = parse(r, error);
	if (err == OC_OK && cli_has(cli, "file"))
		err = cli_revoke_many(cli, r->reason, r->invalidity_at,
		    error);
	else if (err == OC_OK)
		err = revoke_one(r, error);
	ca_issuer_free(r->issuer);
	cli_target_free(r->target);
	free(r);
	return err;
}

const struct cli_option cli_cert_revoke_options[] = {
	{ "reason", "REASON", CLI_OPTIONAL,
	    "RFC 5280's: keyCompromise, superseded ..." },
	{ "issuer", "NAME", CLI_OPTIONAL, "whose serial it is" },
	{ "invalidity", "DATE", CLI_OPTIONAL,
	    "not to be trusted since, 2026-11-23T22:00:00Z" },
	{ "file", "SERIALS", CLI_OPTIONAL,
	    "many of them, one a line; - for standard input" },
	{ "dry-run", NULL, CLI_OPTIONAL, "with --file: the plan alone" },
	{ "yes", NULL, CLI_OPTIONAL, "with --file: do not ask" },
	{ "pace", "NUMBER", CLI_OPTIONAL,
	    "with --file: no more than so many a second" },
	{ "no-wait", NULL, CLI_OPTIONAL,
	    "with --file: not until responses are signed" },
	{ NULL }
};
