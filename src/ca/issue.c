/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issuing, in the order that loses nothing: plan, reserve, sign, record.
 */
#include "ca/issue.h"

#include <stdlib.h>
#include <string.h>

#include "ca/plan.h"
#include "ca/steps.h"
#include "x509/spki.h"

/* A 128-bit serial collides never; the loop is for a broken CSPRNG to end
 * in an error. */
#define SERIAL_TRIES 3

void
ca_certificate_fini(struct ca_certificate *certificate)
{
	free(certificate->der);
	*certificate = (struct ca_certificate){ 0 };
}

/* What was issued before for the same request. */
static enum oc_err
find_repeated(struct store *store, int64_t id, struct ca_certificate *out,
    struct oc_error *error)
{
	struct store_asked asked = { 0 };
	enum oc_err err = store_get_asked(store, id, &asked);

	if (err != OC_OK) {
		(void)oc_error_set(error, err, "%s", store_error(store));
		return err;
	}
	*out = (struct ca_certificate){
		.store_id = id,
		.is_repeated = true,
		.serial = asked.certificate.serial,
		.der = asked.certificate.certificate,
		.der_len = asked.certificate.certificate_len,
	};
	asked.certificate.certificate = NULL;
	store_asked_fini(&asked);
	return OC_OK;
}

static enum oc_err
reserve_new(struct store *store, int64_t issuer_id, struct ca_plan *plan,
    const struct store_request *asked, struct store_reserved *reserved,
    struct oc_error *error)
{
	enum oc_err err = OC_ERR_EXISTS;
	int i;

	for (i = 0; err == OC_ERR_EXISTS && i < SERIAL_TRIES; i++) {
		err = ca_prepare(store_epoch(store), plan, error);
		if (err != OC_OK)
			return err;
		err = ca_reserve(store, issuer_id, plan, asked, reserved,
		    error);
	}
	if (err == OC_ERR_EXISTS)
		return oc_error_set(error, OC_ERR_INTERNAL, "the random "
		    "number generator repeats itself: no serial number");
	return err;
}

/* Signs what was reserved and records it. */
static enum oc_err
sign(struct ca_plan *plan, struct store *store, struct signer *signer,
    const char *key, int64_t deadline_ns, struct ca_certificate *out,
    struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	enum oc_err err;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	ca_sign_job_init(plan, key, deadline_ns, job);
	err = sign_now(signer, job, error);
	if (err == OC_OK)
		err = ca_assemble(plan, job, out, error);
	if (err == OC_OK)
		err = ca_record(store, out, error);
	free(job);
	return err;
}

/* From a plan without a serial to a recorded certificate. */
static enum oc_err
carry_out(struct ca_plan *plan, int64_t issuer_id, struct store *store,
    struct signer *signer, const char *key, const struct store_request *asked,
    int64_t deadline_ns, struct ca_certificate *out, struct oc_error *error)
{
	struct ca_certificate certificate = { 0 };
	struct store_reserved reserved;
	enum oc_err err;

	err = reserve_new(store, issuer_id, plan, asked, &reserved, error);
	if (err != OC_OK)
		return err;
	switch (reserved.outcome) {
	case STORE_OUTCOME_RESERVED:
		break;
	case STORE_OUTCOME_REPEATED:
		return find_repeated(store, reserved.id, out, error);
	case STORE_OUTCOME_PENDING:
		return oc_error_set(error, OC_ERR_BUSY, "the same request is "
		    "being signed: ask again");
	case STORE_OUTCOME_DISABLED:
	case STORE_OUTCOME_ZONE:
	case STORE_OUTCOME_LIVE:
	case STORE_OUTCOME_PERIOD:
		return oc_error_set(error, OC_ERR_REFUSED, "account, zone or "
		    "quota says no");
	}
	certificate.store_id = reserved.id;
	err = sign(plan, store, signer, key, deadline_ns, &certificate,
	    error);
	if (err != OC_OK) {
		ca_certificate_fini(&certificate);
		return err;
	}
	*out = certificate;
	return OC_OK;
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
	if (err == OC_OK)
		err = carry_out(plan, issuer->store_id, store, signer, key,
		    request->asked, deadline_ns, certificate, error);
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
	err = put_root(store, config->name, own.spki, &issuer_id, error);
	if (err != OC_OK)
		goto out;
	err = carry_out(plan, issuer_id, store, signer, key, NULL,
	    deadline_ns, certificate, error);
out:
	ca_plan_free(plan);
	free(info);
	return err;
}
