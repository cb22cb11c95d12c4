/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issuing, in the order that loses nothing: plan, lint, reserve, sign,
 * record.
 */
#include "ca/issue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/policy.h"
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

/* --- what was asked for before ------------------------------------------ */

#define PENDING_POLL_NS (20 * OC_NS_PER_MS)

static enum oc_err
take_repeated(struct store *store, int64_t id, struct ca_certificate *out,
    struct oc_error *error)
{
	struct store_asked asked = { 0 };
	enum oc_err err;

	err = store_get_asked(store, id, &asked);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	out->store_id = id;
	out->is_repeated = true;
	out->serial = asked.certificate.serial;
	out->der = asked.certificate.certificate;
	out->der_len = asked.certificate.certificate_len;
	asked.certificate.certificate = NULL;
	store_asked_fini(&asked);
	return OC_OK;
}

static enum oc_err
refuse(struct store *store, const struct ca_request *request,
    const struct store_reserved *reserved, struct oc_error *error)
{
	struct store_account account;
	enum oc_err err;

	err = store_get_account(store, request->asked->account_id, &account);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return ca_policy_refuse(reserved, account.name, request->explanation,
	    error);
}

/* Somebody else signs the same request now: what comes of that is ours too,
 * and if nothing does, it is our turn. */
static enum oc_err
wait_for_other(struct store *store, const struct store_request *asked,
    int64_t deadline_ns, struct store_reserved *reserved,
    struct oc_error *error)
{
	const struct timespec pause = { .tv_nsec = PENDING_POLL_NS };
	enum oc_err err = OC_OK;

	while (err == OC_OK && reserved->outcome == STORE_OUTCOME_PENDING) {
		if (oc_clock_mono_ns() >= deadline_ns)
			return oc_error_set(error, OC_ERR_BUSY, "the same "
			    "request is being signed: ask again");
		(void)nanosleep(&pause, NULL);
		err = store_find_key(store, asked->key, asked->key_window_s,
		    reserved);
	}
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "%s", store_error(store));
	return err;
}

/*
 * RESERVED or REPEATED in *reserved, or an error.  It ends: each round waits
 * for another process's reservation, and deadline_ns ends that.
 */
static enum oc_err
reserve_asked(struct store *store, int64_t issuer_id, struct ca_plan *plan,
    const struct ca_request *request, int64_t deadline_ns,
    struct store_reserved *reserved, struct oc_error *error)
{
	enum oc_err err = OC_ERR_NOT_FOUND;

	while (err == OC_ERR_NOT_FOUND) {
		err = reserve_new(store, issuer_id, plan, request->asked,
		    reserved, error);
		if (err == OC_OK &&
		    reserved->outcome == STORE_OUTCOME_PENDING)
			err = wait_for_other(store, request->asked,
			    deadline_ns, reserved, error);
	}
	if (err != OC_OK || reserved->outcome == STORE_OUTCOME_RESERVED ||
	    reserved->outcome == STORE_OUTCOME_REPEATED)
		return err;
	return refuse(store, request, reserved, error);
}

/* It was not signed: its key and quota are free again.  The error that led
 * here is what the caller wants to read. */
static void
abandon(struct store *store, int64_t id)
{
	enum oc_err err = store_abandon_request(store, id);

	/* MISMATCH: somebody else has given it up already. */
	if (err != OC_OK && err != OC_ERR_MISMATCH)
		oc_log(OC_LOG_WARNING, "%s: what was reserved is not given "
		    "up: until %d s after that, or until this process ends, "
		    "its key is taken", store_error(store), STORE_PENDING_S);
}

/* --- sign --------------------------------------------------------------- */

/* From a reserved plan to a recorded certificate. */
static enum oc_err
sign_reserved(const struct ca_plan *plan, struct store *store,
    struct signer *signer, const char *key, int64_t deadline_ns,
    struct ca_certificate *certificate, struct oc_error *error)
{
	struct sign_job *job = calloc(1, sizeof(*job));
	enum oc_err err;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	ca_sign_job_init(plan, key, deadline_ns, job);
	err = sign_now(signer, job, error);
	if (err == OC_OK)
		err = ca_assemble(plan, job, certificate, error);
	if (err == OC_OK)
		err = ca_record(store, certificate, error);
	free(job);
	return err;
}

/* From a plan without a serial to a recorded certificate. */
static enum oc_err
carry_out(struct ca_plan *plan, int64_t issuer_id, struct store *store,
    struct signer *signer, const char *key, const struct ca_request *request,
    int64_t deadline_ns, struct ca_certificate *out, struct oc_error *error)
{
	struct ca_certificate certificate = { 0 };
	struct store_reserved reserved;
	enum oc_err err;

	err = reserve_asked(store, issuer_id, plan, request, deadline_ns,
	    &reserved, error);
	if (err != OC_OK)
		return err;
	if (reserved.outcome == STORE_OUTCOME_REPEATED)
		return take_repeated(store, reserved.id, out, error);
	certificate.store_id = reserved.id;
	certificate.serial = plan->serial;
	err = sign_reserved(plan, store, signer, key, deadline_ns,
	    &certificate, error);
	if (err != OC_OK) {
		if (request->asked != NULL)
			abandon(store, reserved.id);
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
	enum oc_err err = OC_OK;

	oc_assert(issuer->store_id != 0);
	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* What it issued is answered for until it has expired. */
	if (!ca_profile_is_ocsp_signer(request->profile))
		err = ca_issuer_check_revoked(issuer, store,
		    request->explanation, error);
	if (err == OC_OK)
		err = ca_issuer_find_key(issuer, signer, deadline_ns, key,
		    info, error);
	if (err == OC_OK)
		err = ca_plan_new(issuer, request, info->alg, &plan, error);
	if (err == OC_OK)
		err = ca_check_blocked(issuer->blocklist, request, plan,
		    error);
	if (err == OC_OK && request->check != NULL)
		err = request->check(request->check_arg, plan,
		    request->explanation, error);
	if (err == OC_OK)
		err = carry_out(plan, issuer->store_id, store, signer, key,
		    request, deadline_ns, certificate, error);
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
	err = carry_out(plan, issuer_id, store, signer, key, &own,
	    deadline_ns, certificate, error);
out:
	ca_plan_free(plan);
	free(info);
	return err;
}
