/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issuing, in the order that loses nothing: plan, lint, reserve, sign,
 * record.
 */
#include "ca/issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "ca/lint.h"
#include "ca/serial.h"
#include "x509/name.h"

/* A 128-bit serial collides never; the loop is for a broken CSPRNG to end
 * in an error. */
#define SERIAL_TRIES 3

void
ca_certificate_fini(struct ca_certificate *certificate)
{
	free(certificate->der);
	*certificate = (struct ca_certificate){ 0 };
}

/* What the store lists and searches: one "DNS:name" a line. */
static enum oc_err
list_names(const struct x509_extensions *extensions, struct oc_buffer *names)
{
	char text[X509_SAN_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < extensions->num_sans; i++) {
		x509_san_format(&extensions->sans[i], text);
		oc_buffer_printf(names, "%s%s", i == 0 ? "" : "\n", text);
	}
	return names->err;
}

/* Nothing is reserved that breaks a rule. */
static enum oc_err
reserve(struct store *store, int64_t issuer_id, const struct ca_plan *plan,
    int64_t *id, struct oc_error *error)
{
	char subject[X509_NAME_TEXT_MAX];
	struct oc_buffer names;
	enum oc_err err;

	err = ca_lint_plan(plan, error);
	if (err != OC_OK)
		return err;
	oc_buffer_init(&names, X509_SANS_MAX * X509_SAN_TEXT_MAX);
	x509_name_format(plan->tbs.subject, subject);
	err = list_names(&plan->tbs.extensions, &names);
	if (err == OC_OK)
		err = store_reserve(store, &(struct store_reservation){
			.issuer_id = issuer_id,
			.serial = plan->serial,
			.tbs = { plan->der, plan->der_len },
			.not_before = plan->tbs.not_before,
			.not_after = plan->tbs.not_after,
			.profile = plan->profile,
			.subject = subject,
			.names = oc_buffer_text(&names),
		    }, id);
	oc_buffer_fini(&names);
	if (err != OC_OK && err != OC_ERR_EXISTS)
		return oc_error_set(error, err, "%s", store_error(store));
	return err;
}

static enum oc_err
reserve_new(struct store *store, int64_t issuer_id, struct ca_plan *plan,
    int64_t *id, struct oc_error *error)
{
	enum oc_err err = OC_ERR_EXISTS;
	int i;

	for (i = 0; err == OC_ERR_EXISTS && i < SERIAL_TRIES; i++) {
		err = ca_serial_new(store_epoch(store), &plan->serial);
		if (err == OC_OK)
			err = ca_plan_write(plan, error);
		if (err != OC_OK)
			return oc_error_prefix(error, "planning");
		err = reserve(store, issuer_id, plan, id, error);
	}
	if (err == OC_ERR_EXISTS)
		return oc_error_set(error, OC_ERR_INTERNAL, "the random "
		    "number generator repeats itself: no serial number");
	return err;
}

/* Certificate ::= SEQUENCE { tbs, algorithm, signature } */
static enum oc_err
assemble(const struct ca_plan *plan, const struct sign_job *job,
    struct ca_certificate *out)
{
	const struct x509_signed whole = {
		.tbs = { plan->der, plan->der_len },
		.alg = job->signed_alg,
		.signature = { job->signature, job->signature_len },
	};
	enum oc_err err;

	err = der_write(x509_put_signed, &whole, NULL, 0, &out->der_len);
	if (err != OC_OK)
		return err;
	out->der = malloc(out->der_len);
	if (out->der == NULL)
		return OC_ERR_NOMEM;
	return der_write(x509_put_signed, &whole, out->der, out->der_len,
	    &out->der_len);
}

/* From a plan without a serial to a recorded certificate. */
static enum oc_err
carry_out(struct ca_plan *plan, int64_t issuer_id, struct store *store,
    struct signer *signer, const char *key, int64_t deadline_ns,
    struct ca_certificate *out, struct oc_error *error)
{
	struct ca_certificate certificate = { 0 };
	struct sign_job *job = calloc(1, sizeof(*job));
	enum oc_err err = OC_ERR_NOMEM;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = reserve_new(store, issuer_id, plan, &certificate.store_id,
	    error);
	if (err != OC_OK)
		goto out;
	job->key = key;
	job->kind = SIGN_KIND_CERTIFICATE;
	job->lane = SIGN_LANE_CERTIFICATE;
	job->alg = plan->tbs.alg;
	job->tbs = (struct der_bytes){ plan->der, plan->der_len };
	job->deadline_ns = deadline_ns;
	err = sign_now(signer, job, error);
	if (err != OC_OK)
		goto out;
	err = assemble(plan, job, &certificate);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", oc_strerror(err));
		goto out;
	}
	err = store_issue(store, certificate.store_id, (struct store_blob){
	    certificate.der, certificate.der_len });
	if (err != OC_OK) {
		oc_error_set(error, err, "%s", store_error(store));
		goto out;
	}
	certificate.serial = plan->serial;
	*out = certificate;
	certificate.der = NULL;
out:
	ca_certificate_fini(&certificate);
	free(job);
	return err;
}

enum oc_err
ca_issue(struct ca_issuer *issuer, struct store *store, struct signer *signer,
    const struct ca_request *request, int64_t deadline_ns,
    struct ca_certificate *certificate, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	char key[SIGN_KEY_NAME_MAX];
	struct ca_plan *plan = NULL;
	enum oc_err err;

	oc_assert(issuer->store_id != 0);
	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ca_issuer_find_key(issuer, signer, deadline_ns, key, info,
	    error);
	if (err == OC_OK)
		err = ca_plan_new(issuer, request, info->alg, &plan, error);
	if (err == OC_OK) {
		plan->lint = (struct ca_lint){ request->profile,
		    issuer->cert.der };
		err = carry_out(plan, issuer->store_id, store, signer, key,
		    deadline_ns, certificate, error);
	}
	ca_plan_free(plan);
	free(info);
	return err;
}

/*
 * The store's row of an issuer holds its certificate, which does not exist
 * before it is signed: a new row is made with the key in its place, and
 * ca_issuer_register() replaces it.  One that is there stays as it is.
 */
static enum oc_err
put_root(struct store *store, const char *name, struct der_bytes spki,
    int64_t *issuer_id, struct oc_error *error)
{
	struct store_issuer row = { 0 };
	struct store_blob blob = { spki.p, spki.len };
	uint8_t spki_hash[STORE_HASH_LEN];
	enum oc_err err;

	err = x509_spki_hash(spki, spki_hash);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key of issuer %s: %s",
		    name, oc_strerror(err));
	err = store_find_issuer(store, name, &row);
	if (err == OC_OK)
		blob = (struct store_blob){ row.certificate,
		    row.certificate_len };
	if (err == OC_OK || err == OC_ERR_NOT_FOUND)
		err = store_put_issuer(store, name, blob, spki_hash,
		    issuer_id);
	store_issuer_fini(&row);
	if (err != OC_OK)
		return oc_error_set(error, err, "issuer %s: %s", name,
		    store_error(store));
	return OC_OK;
}

enum oc_err
ca_issue_root(const struct oc_config_issuer *config, struct store *store,
    struct signer *signer, const struct ca_request *request,
    int64_t deadline_ns, struct ca_certificate *certificate,
    struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	struct ca_request own = *request;
	char key[SIGN_KEY_NAME_MAX];
	struct ca_plan *plan = NULL;
	int64_t issuer_id;
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	sign_key_name(SIGN_KEY_ISSUER, config->name, key);
	err = sign_find_key(signer, key, deadline_ns, info, error);
	if (err != OC_OK)
		goto out;
	own.spki = (struct der_bytes){ info->spki, info->spki_len };
	err = ca_plan_new_root(&own, info->alg, &plan, error);
	if (err != OC_OK)
		goto out;
	plan->lint.profile = request->profile;
	err = put_root(store, config->name, own.spki, &issuer_id, error);
	if (err != OC_OK)
		goto out;
	err = carry_out(plan, issuer_id, store, signer, key, deadline_ns,
	    certificate, error);
out:
	ca_plan_free(plan);
	free(info);
	return err;
}
