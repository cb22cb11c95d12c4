/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/revocation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/revoke.h"
#include "ipc/handover.h"
#include "issuer/text.h"

struct revocation {
	struct issuer_service *service;
	struct issuer_authority *authority;
	struct oc_serial serial;
	enum crl_reason reason;
	issuer_revoked_fn *done;
	void *arg;
	struct store_job job;
	struct issuer_nudge nudge;
	struct issuer_work work;
	enum oc_err proof_err;
	struct oc_error proof_error;
	struct ocsp_proof proof;
	struct issuer_revoked result;
};

static void
finish(struct revocation *r)
{
	r->done(r->arg, &r->result);
	free(r);
}

/* --- the proof ---------------------------------------------------------- */

/* On a worker. */
static void
read_proof(void *arg)
{
	struct revocation *r = arg;
	uint64_t run = ipc_handover_run();

	r->proof_err = ocsp_proof_read(issuer_service_config(r->service),
	    r->authority->issuer->config->name, &r->serial, &run, &r->proof,
	    &r->proof_error);
}

static void
proof_read(void *arg)
{
	struct revocation *r = arg;

	if (r->proof_err == OC_OK)
		r->result.proof = &r->proof;
	else
		r->result.notice = r->proof_error.text;
	finish(r);
}

static void
nudged(void *arg, enum oc_err err)
{
	struct revocation *r = arg;

	if (err != OC_OK) {
		r->result.notice = "ocsign-status does not answer: "
		    "responders will know when it is back";
		finish(r);
		return;
	}
	r->work = (struct issuer_work){ read_proof, proof_read, r, NULL };
	if (issuer_workers_submit(issuer_service_workers(r->service),
	    &r->work) != OC_OK) {
		r->result.notice = "too busy to look at the response";
		finish(r);
	}
}

/* --- the record --------------------------------------------------------- */

/* When it was revoked, if it was before. */
static enum oc_err
find_revoked_at(struct store *store, struct revocation *r)
{
	struct store_certificate found = { 0 };
	enum oc_err err = store_find_certificate(store,
	    r->authority->issuer->store_id, &r->serial, &found);

	if (err != OC_OK)
		return oc_error_set(&r->result.error, err, "%s",
		    store_error(store));
	r->result.revoked_at = found.revoked_at;
	r->result.was_revoked = true;
	store_certificate_fini(&found);
	return OC_OK;
}

static enum oc_err
record(struct store *store, void *arg)
{
	struct revocation *r = arg;
	enum oc_err err;

	err = ca_revoke(r->authority->issuer, store, &r->serial, r->reason,
	    &r->result.revoked_at, 0, &r->result.error);
	return err == OC_ERR_EXISTS ? find_revoked_at(store, r) : err;
}

static void
recorded(struct store_job *job, void *arg)
{
	struct revocation *r = arg;
	enum oc_err err;

	r->result.err = job->err;
	if (job->err != OC_OK) {
		if (r->result.error.text[0] == '\0')
			(void)oc_error_set(&r->result.error, job->err, "%s",
			    job->error_text);
		finish(r);
		return;
	}
	r->nudge = (struct issuer_nudge){ .done = nudged, .arg = r };
	err = issuer_service_nudge(r->service, &r->nudge);
	if (err != OC_OK)
		nudged(r, err);
}

enum oc_err
issuer_revoke(struct issuer_service *service,
    struct issuer_authority *authority, const struct oc_serial *serial,
    enum crl_reason reason, issuer_revoked_fn *done, void *arg)
{
	struct revocation *r = calloc(1, sizeof(*r));
	enum oc_err err;

	if (r == NULL)
		return OC_ERR_NOMEM;
	r->service = service;
	r->authority = authority;
	r->serial = *serial;
	r->reason = reason;
	r->done = done;
	r->arg = arg;
	r->job = (struct store_job){ .kind = STORE_JOB_CHANGE, .fn = record,
	    .done = recorded, .arg = r };
	err = issuer_service_submit(service, &r->job);
	if (err != OC_OK)
		free(r);
	return err;
}

/* --- in JSON ------------------------------------------------------------ */

static json_t *
describe_one(const struct ocsp_proof *proof, int i)
{
	char produced_at[ISSUER_TIME_MAX], next_update[ISSUER_TIME_MAX];

	if (!proof->of[i].is_there)
		return json_null();
	issuer_time(proof->of[i].produced_at, produced_at);
	issuer_time(proof->of[i].next_update, next_update);
	return json_pack("{s:s, s:s, s:s, s:o}",
	    "status", proof->of[i].status.kind == OCSP_REVOKED ? "revoked" :
	    proof->of[i].status.kind == OCSP_GOOD ? "good" : "unknown",
	    "produced_at", produced_at, "next_update", next_update,
	    "response_sha256", issuer_hex(proof->of[i].sha256,
	    sizeof(proof->of[i].sha256), '\0'));
}

json_t *
issuer_revoked_describe(const struct issuer_revoked *revoked)
{
	char revoked_at[ISSUER_TIME_MAX];
	json_t *json;

	issuer_time(revoked->revoked_at, revoked_at);
	json = json_pack("{s:s}", "revoked_at", revoked_at);
	if (json == NULL)
		return NULL;
	if (revoked->proof != NULL)
		json_object_set_new(json, "ocsp", json_pack("{s:o, s:o}",
		    "sha1", describe_one(revoked->proof, OCSP_PROOF_SHA1),
		    "sha256", describe_one(revoked->proof,
		    OCSP_PROOF_SHA256)));
	else
		json_object_set_new(json, "ocsp_notice",
		    json_string(revoked->notice));
	return json;
}
