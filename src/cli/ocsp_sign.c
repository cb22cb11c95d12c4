/* SPDX-License-Identifier: Apache-2.0 */
/* ocsp sign: one response to a file. */
#include "cli/ocsp.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/names.h"
#include "cli/target.h"
#include "ocsp/identity.h"
#include "status/identity.h"

struct signing {
	struct cli *cli;
	struct cli_target *target;
	struct ca_issuer *issuer;
	const struct oc_config_ocsp *ocsp;
	struct store_certificate record;
	struct ocsp_identity *identity;
	uint8_t *der;			/* the OCSPResponse */
	size_t der_len;
};

/* A reserved serial may be that of a certificate: it counts as issued. */
static void
set_single(const struct signing *s, int64_t now, struct ocsp_single *single)
{
	const struct oc_config_issuer *config = s->issuer->config;

	single->serial = (struct der_bytes){ s->target->serial.bytes,
	    s->target->serial.len };
	if (s->record.is_revoked) {
		single->status.kind = OCSP_REVOKED;
		single->status.reason = s->record.reason;
		single->status.revoked_at = s->record.revoked_at;
	}
	single->this_update = now - config->ocsp_backdate_s;
	single->next_update = single->this_update + config->ocsp_lifetime_s -
	    1;
	if (single->next_update > s->identity->signer_not_after)
		single->next_update = s->identity->signer_not_after;
}

static enum oc_err
sign_data(struct signing *s, const struct ocsp_response_data *plan,
    struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	struct ocsp_response response = { .alg = s->identity->alg };
	char key[SIGN_KEY_NAME_MAX];
	uint8_t *data = NULL;
	enum oc_err err;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	sign_key_name(SIGN_KEY_OCSP, s->ocsp->name, key);
	err = cli_encode(ocsp_put_response_data, plan, &data, &job->tbs.len,
	    error);
	if (err == OC_OK) {
		job->key = key;
		job->kind = SIGN_KIND_OCSP;
		job->lane = SIGN_LANE_LIVE;
		job->alg = s->identity->alg;
		job->tbs.p = data;
		job->deadline_ns = cli_deadline(CLI_SIGN_S);
		cli_progress_begin("the token");
		err = sign_now(cli_signer(s->cli, key), job, error);
		cli_progress_end();
	}
	if (err == OC_OK) {
		response.data = job->tbs;
		response.signature = (struct der_bytes){ job->signature,
		    job->signature_len };
		response.certs = (struct der_bytes){ s->identity->certs,
		    s->identity->certs_len };
		err = cli_encode(ocsp_put_response, &response, &s->der,
		    &s->der_len, error);
	}
	free(data);
	free(job);
	return err;
}

static enum oc_err
put_response(const struct signing *s, const struct ocsp_single *single,
    struct oc_error *error)
{
	const char *out = cli_option(s->cli, "out");
	json_t *facts;
	enum oc_err err;

	err = cli_write(out, CLI_DER, NULL, (struct der_bytes){ s->der,
	    s->der_len }, error);
	if (err != OC_OK || s->cli->format == CLI_FORMAT_TEXT)
		return err;
	facts = cli_object();
	cli_put_text(facts, "issuer", s->issuer->config->name);
	cli_put_serial(facts, &s->target->serial);
	cli_put_text(facts, "status", s->record.is_revoked ? "revoked" :
	    "good");
	cli_put_time(facts, "this_update", single->this_update);
	cli_put_time(facts, "next_update", single->next_update);
	cli_put_text(facts, "out", out);
	cli_print(s->cli, facts);
	return OC_OK;
}

static enum oc_err
make_response(struct signing *s, struct oc_error *error)
{
	uint8_t prefix[OCSP_CERTID_PREFIX_MAX], encoding = OCSP_ENCODING_USUAL;
	struct ocsp_single single = { .status = { .kind = OCSP_GOOD } };
	struct ocsp_response_data plan = {
		.responder_key_hash = DER_ARRAY(
		    s->identity->responder_key_hash),
		.produced_at = oc_clock_now_s(),
		.singles = &single,
		.num_singles = 1,
	};
	size_t len;
	enum oc_err err;

	if (cli_has(s->cli, "sha256"))
		encoding = OCSP_ENCODING(OCSP_HASH_SHA256, 0);
	err = ocsp_identity_certid_prefix(s->identity, encoding, prefix, &len);
	if (err != OC_OK)
		return oc_error_set(error, err, "cannot be encoded: %s",
		    oc_strerror(err));
	single.certid_prefix = (struct der_bytes){ prefix, len };
	set_single(s, plan.produced_at, &single);
	err = sign_data(s, &plan, error);
	if (err == OC_OK)
		err = put_response(s, &single, error);
	return err;
}

static enum oc_err
run(struct signing *s, struct oc_error *error)
{
	const char *name = cli_option(s->cli, "issuer");
	enum oc_err err;

	err = cli_target_options(s->cli, &s->target, error);
	if (err == OC_OK)
		err = cli_check_out(s->cli, "out", error);
	if (err == OC_OK)
		err = cli_open_any_issuer(s->cli, name, &s->issuer, error);
	if (err == OC_OK && (s->issuer->config->allow & OC_ALLOW_OCSP) == 0)
		err = oc_error_set(error, OC_ERR_REFUSED, "[issuer %s] does "
		    "not allow ocsp (%s:%d)", name, s->issuer->config->file,
		    s->issuer->config->line);
	if (err == OC_OK)
		err = cli_find_ocsp(s->cli, name, cli_option(s->cli,
		    "signer"), &s->ocsp, error);
	if (err == OC_OK)
		err = cli_target_record(s->cli, s->target, s->issuer,
		    &s->record, error);
	if (err == OC_OK)
		err = status_identity_load(s->ocsp, &s->identity, error);
	if (err == OC_OK)
		err = cli_need_key(s->cli, SIGN_KEY_OCSP, s->ocsp->name,
		    error);
	if (err == OC_OK)
		err = cli_open_signers(s->cli, error);
	if (err == OC_OK)
		err = make_response(s, error);
	return err;
}

enum oc_err
cli_ocsp_sign(struct cli *cli, struct oc_error *error)
{
	struct signing s = { .cli = cli };
	enum oc_err err = run(&s, error);

	free(s.der);
	free(s.identity);
	store_certificate_fini(&s.record);
	ca_issuer_free(s.issuer);
	cli_target_free(s.target);
	return err;
}

const struct cli_option cli_ocsp_sign_options[] = {
	{ "issuer", "NAME", CLI_REQUIRED, "the [issuer NAME] that answers" },
	{ "cert", "FILE", CLI_OPTIONAL, "the certificate it is about" },
	{ "serial", "SERIAL", CLI_OPTIONAL, "or its serial number" },
	{ "out", "FILE", CLI_REQUIRED, "where the DER goes" },
	{ "signer", "NAME", CLI_OPTIONAL,
	    "the [ocsp-signer NAME]; else the issuer's own" },
	{ "sha256", NULL, CLI_OPTIONAL,
	    "a CertID with SHA-256; else with SHA-1" },
	{ NULL }
};
