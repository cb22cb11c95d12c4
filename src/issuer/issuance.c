/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of one issuance.  Each state has one thing under way, a
 * job of a worker, the store or the signer; when that is done, on the event
 * loop, the next begins: but from planning to reserving, where the worker
 * itself asks the store.  An issuance belongs to whoever has its job.
 *
 * Nothing is cancelled when the client goes: what is reserved is carried
 * through, so that a repetition finds it.  When the service goes, all is.
 */
#include "issuer/issuance.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "ca/csr.h"
#include "store/acme.h"

/* The same request is being signed: how often to look whether it is done. */
#define PENDING_LOOK_US 50000
#define SERIAL_TRIES 3
#define RECORDS_BUSY "the records are busy: try again"
#define DAY_S INT64_C(86400)

struct issuance {
	struct issuer_service *service;
	struct issuer_stay stay;
	issuer_done_fn *done;
	void *arg;

	/* What was ordered; owned. */
	struct issuer_authority *authority;
	const struct ca_profile *profile;
	char *csr_text;
	size_t csr_text_len;
	struct ca_names *names;
	struct ca_policy *policy;
	struct cfssl_subject *subject;
	struct issuer_given *given;
	struct issuer_proofs *proofs;
	uint8_t subject_der[OC_NAME_MAX];
	size_t subject_len;		/* 0: the CSR's */
	int64_t validity_s, not_before, deadline_ns;
	char *hostnames, *type;
	uint8_t key[STORE_HASH_LEN];
	bool has_csr_key;

	/* What becomes of it. */
	struct issuer_work work;
	struct store_job job;
	struct sign_job *signing;
	struct event *look;
	uint8_t *csr_der;
	struct x509_csr csr;
	struct ca_zone_ids zone_ids;
	struct ca_explanation explanation;
	struct ca_plan *plan;
	bool needs_caa;			/* before it is reserved */
	struct store_request asked;
	bool is_asked;
	struct store_reserved reserved;
	unsigned int num_tries;
	struct issuer_result result;
};

static void
issuance_free(struct issuance *i)
{
	issuer_service_leave(&i->stay);
	ca_plan_free(i->plan);
	ca_explanation_fini(&i->explanation);
	ca_certificate_fini(&i->result.certificate);
	if (i->policy != NULL)
		ca_policy_fini(i->policy);
	if (i->look != NULL)
		event_free(i->look);
	free(i->policy);
	free(i->names);
	free(i->csr_text);
	free(i->csr_der);
	free(i->subject);
	free(i->given);
	free(i->proofs);
	free(i->hostnames);
	free(i->type);
	free(i->signing);
	free(i);
}

static void
finish(struct issuance *i)
{
	i->result.profile = i->profile->name;
	i->result.explanation = &i->explanation;
	if (i->result.err == OC_OK)
		issuer_service_nudge_soon(i->service);
	i->done(i->arg, &i->result);
	issuance_free(i);
}

static void
fail(struct issuance *i, enum oc_err err, const char *text)
{
	i->result.err = err;
	if (i->result.error.text[0] == '\0')
		(void)oc_error_set(&i->result.error, err, "%s", text);
	finish(i);
}

/* What was reserved is another run's: the next try takes it over. */
static void
cancel(void *arg)
{
	fail(arg, OC_ERR_CANCELLED, "the service ends: try again");
}

/* --- recording ---------------------------------------------------------- */

static enum oc_err
record(struct store *store, void *arg)
{
	struct issuance *i = arg;
	enum oc_err err;

	err = ca_record(store, &i->result.certificate, &i->result.error);
	/* We were slow and it was given up: asked again, it is found or made
	 * anew.  Not the client's fault. */
	return err == OC_ERR_MISMATCH ? OC_ERR_BUSY : err;
}

static void
recorded(struct store_job *job, void *arg)
{
	if (job->err != OC_OK)
		fail(arg, job->err, job->error_text);
	else
		finish(arg);
}

static void
submit_store(struct issuance *i, enum store_job_kind kind, store_job_fn *fn,
    store_job_done_fn *done)
{
	enum oc_err err;

	i->job = (struct store_job){ .kind = kind, .fn = fn, .done = done,
	    .arg = i };
	err = issuer_service_submit(i->service, &i->job);
	if (err != OC_OK)
		fail(i, err, RECORDS_BUSY);
}

/* --- signing ------------------------------------------------------------ */

static enum oc_err
abandon(struct store *store, void *arg)
{
	struct issuance *i = arg;

	return store_abandon_request(store, i->reserved.id);
}

static void
abandoned(struct store_job *job, void *arg)
{
	(void)job;
	finish(arg);
}

/* Reserved it stays, but another try may have its key and quota. */
static void
fail_signing(struct issuance *i, enum oc_err err, const char *text)
{
	i->result.err = err;
	(void)oc_error_set(&i->result.error, err, "%s", text);
	if (!i->is_asked) {
		finish(i);
		return;
	}
	submit_store(i, STORE_JOB_CHANGE, abandon, abandoned);
}

static void
signed_now(struct sign_job *job, void *arg)
{
	struct issuance *i = arg;
	enum oc_err err;

	if (job->err != OC_OK) {
		fail_signing(i, job->err, job->error_text);
		return;
	}
	i->result.certificate.store_id = i->reserved.id;
	err = ca_assemble(i->plan, job, &i->result.certificate,
	    &i->result.error);
	if (err != OC_OK)
		fail(i, err, oc_strerror(err));
	else
		submit_store(i, STORE_JOB_CHANGE, record, recorded);
}

static void
begin_signing(struct issuance *i)
{
	enum oc_err err;

	i->signing = calloc(1, sizeof(*i->signing));
	if (i->signing == NULL) {
		fail_signing(i, OC_ERR_NOMEM, "out of memory");
		return;
	}
	ca_sign_job_init(i->plan, i->authority->key, i->deadline_ns,
	    i->signing);
	i->signing->done = signed_now;
	i->signing->arg = i;
	err = sign_submit(issuer_service_signer(i->service), i->signing);
	if (err != OC_OK)
		fail_signing(i, err, "the signer is away or busy: try again");
}

/* --- reserving ---------------------------------------------------------- */

static void begin_reserving(struct issuance *i);
static void begin_planning(struct issuance *i);

/* What was issued for this key before.  The plan is of another. */
static enum oc_err
get_repeated(struct store *store, void *arg)
{
	struct issuance *i = arg;
	struct store_asked asked = { 0 };
	enum oc_err err = store_get_asked(store, i->reserved.id, &asked);

	if (err != OC_OK)
		return err;
	i->result.certificate = (struct ca_certificate){
		.store_id = i->reserved.id,
		.is_repeated = true,
		.serial = asked.certificate.serial,
		.der = asked.certificate.certificate,
		.der_len = asked.certificate.certificate_len,
	};
	i->result.not_after = asked.certificate.not_after;
	i->result.validity_s = asked.validity * DAY_S;
	asked.certificate.certificate = NULL;
	store_asked_fini(&asked);
	ca_explanation_fini(&i->explanation);
	i->explanation.is_repeated = true;
	return OC_OK;
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	begin_reserving(arg);
}

static void
look_again(struct issuance *i)
{
	const struct timeval tv = { 0, PENDING_LOOK_US };

	if (i->look == NULL)
		i->look = evtimer_new(issuer_service_base(i->service),
		    on_look, i);
	if (oc_clock_mono_ns() >= i->deadline_ns || i->look == NULL ||
	    event_add(i->look, &tv) != 0)
		fail(i, OC_ERR_BUSY, "the same request is being signed: try "
		    "again");
}

/* Here, not at start: it may have been revoked since.  Asked once for all of
 * a group, unless one of them revokes. */
static enum oc_err
check_revoked(struct issuance *i, struct store *store)
{
	struct issuer_authority *authority = i->authority;
	uint64_t mark = store_revocation_mark(store);
	enum oc_err err;

	if (authority->unrevoked_at == mark)
		return OC_OK;
	err = ca_issuer_check_revoked(authority->issuer, store,
	    &i->explanation, &i->result.error);
	if (err == OC_OK)
		authority->unrevoked_at = mark;
	return err;
}

/* Once: what is tried again has it already. */
static enum oc_err
take_acme_order(struct issuance *i, struct store *store)
{
	enum oc_err err;

	if (i->asked.acme_order_id == 0 || i->result.has_order)
		return OC_OK;
	err = store_process_order(store, i->asked.acme_order_id,
	    oc_clock_now_s());
	if (err == OC_ERR_MISMATCH)
		(void)oc_error_set(&i->result.error, err,
		    "the order is not ready");
	return err;
}

static enum oc_err
reserve(struct store *store, void *arg)
{
	struct issuance *i = arg;
	enum oc_err err = OC_OK;

	/* The list is read at start: only what it says is said again. */
	if (i->authority->is_blocked)
		err = ca_issuer_check_blocked(i->authority->issuer,
		    &i->explanation, &i->result.error);
	if (err == OC_OK)
		err = check_revoked(i, store);
	/* No other request would fare better: not the client's fault. */
	if (err == OC_ERR_REFUSED)
		return OC_ERR_DOWN;
	if (err == OC_OK)
		err = take_acme_order(i, store);
	if (err != OC_OK)
		return err;
	return ca_reserve(store, i->authority->issuer->store_id, i->plan,
	    i->is_asked ? &i->asked : NULL, &i->reserved, &i->result.error);
}

static void
reserved(struct store_job *job, void *arg)
{
	struct issuance *i = arg;

	if (job->err == OC_ERR_EXISTS && ++i->num_tries < SERIAL_TRIES) {
		begin_planning(i);
		return;
	}
	if (job->err != OC_OK) {
		fail(i, job->err, job->error_text);
		return;
	}
	i->result.has_order = i->asked.acme_order_id != 0;
	switch (i->reserved.outcome) {
	case STORE_OUTCOME_RESERVED:
		begin_signing(i);
		return;
	case STORE_OUTCOME_REPEATED:
		submit_store(i, STORE_JOB_READ, get_repeated, recorded);
		return;
	case STORE_OUTCOME_PENDING:
		look_again(i);
		return;
	case STORE_OUTCOME_DISABLED:
	case STORE_OUTCOME_ZONE:
	case STORE_OUTCOME_LIVE:
	case STORE_OUTCOME_PERIOD:
		break;
	}
	i->result.err = ca_policy_refuse(&i->reserved, i->policy == NULL ?
	    "" : i->policy->account.name, &i->explanation,
	    &i->result.error);
	finish(i);
}

static void
begin_reserving(struct issuance *i)
{
	submit_store(i, STORE_JOB_CHANGE, reserve, reserved);
}

/* --- on a worker: reading, verifying, deciding, planning ---------------- */

/* Of the request's subject what was not given. */
static enum oc_err
fill_subject(struct issuance *i, struct oc_error *error)
{
	enum oc_err err;

	if (i->subject == NULL)
		return OC_OK;
	err = cfssl_subject_fill(i->subject, i->csr.subject, error);
	return err != OC_OK ? err : cfssl_subject_write(i->subject,
	    i->subject_der, &i->subject_len, error);
}

/* Zones and quotas of the caller. */
static enum oc_err
decide(struct issuance *i, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (i->policy != NULL) {
		i->policy->leaves_quotas = i->has_csr_key;
		err = ca_policy_check(i->policy, i->profile, i->names,
		    &i->zone_ids, &i->explanation, error);
		i->asked.zone_ids = i->zone_ids.ids;
		i->asked.num_zones = i->zone_ids.num;
	}
	return err;
}

/* Of the life that it has, asked for or not. */
static enum oc_err
make_key(struct issuance *i)
{
	if (!i->has_csr_key)
		return OC_OK;
	i->asked.key = i->key;
	return ca_names_key(i->names, i->asked.account_id, i->csr.der,
	    i->plan->validity_s / DAY_S, i->key);
}

static enum oc_err
plan(struct issuance *i, struct oc_error *error)
{
	struct ca_request request = {
		.profile = i->profile,
		.csr = &i->csr,
		.subject = { i->subject_der, i->subject_len },
		.sans = i->names == NULL ? NULL : i->names->sans,
		.num_sans = i->names == NULL ? 0 : i->names->num_sans,
		.validity_s = i->validity_s,
		.not_before = i->not_before,
		/* Another serial number changes nothing of it. */
		.explanation = i->num_tries == 0 ? &i->explanation : NULL,
	};
	enum oc_err err;

	if (i->given != NULL) {
		request.extensions = i->given->extensions;
		request.num_extensions = i->given->num_extensions;
		request.serial = i->given->serial;
	}
	ca_plan_free(i->plan);
	i->plan = NULL;
	err = ca_plan_new(i->authority->issuer, &request,
	    i->authority->info->alg, &i->plan, error);
	if (err == OC_OK)
		err = ca_check_blocked(i->authority->issuer->blocklist,
		    &request, i->plan, error);
	if (err == OC_OK)
		err = ca_prepare(issuer_service_epoch(i->service), i->plan,
		    error);
	if (err != OC_OK)
		return err;
	i->result.not_after = i->plan->tbs.not_after;
	i->result.validity_s = i->plan->validity_s;
	return make_key(i);
}

static void
work_out(void *arg)
{
	struct issuance *i = arg;
	struct oc_error *error = &i->result.error;
	enum oc_err err = OC_OK;

	/* Whoever asked has given up. */
	if (oc_clock_mono_ns() >= i->deadline_ns)
		err = oc_error_set(error, OC_ERR_TIMEOUT,
		    "too many requests wait: try again");
	if (err == OC_OK && i->csr_der == NULL)
		err = ca_csr_parse("the request", (uint8_t *)i->csr_text,
		    i->csr_text_len, &i->csr_der, &i->csr, &i->explanation,
		    error);
	if (err == OC_OK && i->num_tries == 0)
		err = fill_subject(i, error);
	if (err == OC_OK && i->num_tries == 0)
		err = decide(i, error);
	if (err == OC_OK)
		err = plan(i, error);
	i->result.err = err;
	if (err != OC_OK || i->needs_caa)
		return;
	i->job = (struct store_job){ .kind = STORE_JOB_CHANGE, .fn = reserve,
	    .done = reserved, .arg = i };
	i->work.then = &i->job;
}

/* --- CAA ---------------------------------------------------------------- */

/* Not again for another serial number. */
static void
caa_is_known(void *arg, enum oc_err err)
{
	struct issuance *i = arg;

	i->needs_caa = false;
	if (err != OC_OK)
		fail(i, err, oc_strerror(err));
	else
		begin_reserving(i);
}

static void
begin_caa(struct issuance *i)
{
	const struct issuer_caa_order order = { i->plan, i->proofs,
	    i->deadline_ns, &i->explanation, &i->result.error };
	struct issuer_caa *caa;
	enum oc_err err = issuer_caa_ask(issuer_service_caa(i->service),
	    &order, caa_is_known, i, &caa);

	if (err != OC_OK || caa == NULL)
		caa_is_known(i, err);
}

/* Planned, refused, or the store did not take it. */
static void
worked_out(void *arg)
{
	struct issuance *i = arg;

	if (i->result.err != OC_OK)
		fail(i, i->result.err, oc_strerror(i->result.err));
	else if (i->needs_caa)
		begin_caa(i);
	else
		fail(i, OC_ERR_BUSY, RECORDS_BUSY);
}

static void
begin_planning(struct issuance *i)
{
	enum oc_err err;

	i->work = (struct issuer_work){ work_out, worked_out, i, NULL };
	err = issuer_workers_submit(issuer_service_workers(i->service),
	    &i->work);
	if (err != OC_OK)
		fail(i, err, "too many requests wait: try again");
}

/* --- the order ---------------------------------------------------------- */

static char *
copy(const void *p, size_t len)
{
	char *out = malloc(len + 1);

	if (out != NULL && len > 0)
		memcpy(out, p, len);
	if (out != NULL)
		out[len] = '\0';
	return out;
}

static bool
take_order(struct issuance *i, const struct issuer_order *o)
{
	const char *hostnames = o->hostnames == NULL ? "[]" : o->hostnames;
	const char *type = o->type == NULL ? o->profile->name : o->type;

	i->authority = o->authority;
	i->profile = o->profile;
	i->validity_s = o->validity_s;
	i->not_before = o->not_before;
	i->deadline_ns = o->deadline_ns;
	i->has_csr_key = o->has_csr_key;
	i->explanation.has_no_items = !o->explains;
	i->csr_text = copy(o->csr, o->csr_len);
	i->csr_text_len = o->csr_len;
	i->hostnames = copy(hostnames, strlen(hostnames));
	i->type = copy(type, strlen(type));
	if (i->csr_text == NULL || i->hostnames == NULL || i->type == NULL)
		return false;
	if (o->subject != NULL) {
		i->subject = malloc(sizeof(*i->subject));
		if (i->subject == NULL)
			return false;
		*i->subject = *o->subject;
	}
	oc_assert(o->name.len <= sizeof(i->subject_der) &&
	    (o->name.len == 0 || o->subject == NULL));
	if (o->name.len > 0)
		memcpy(i->subject_der, o->name.p, o->name.len);
	i->subject_len = o->name.len;
	if (o->key != NULL)
		memcpy(i->key, o->key, sizeof(i->key));
	i->is_asked = o->policy != NULL || o->key != NULL ||
	    o->has_csr_key;
	i->asked = (struct store_request){
		.account_id = o->policy == NULL ? 0 : o->policy->account.id,
		.hostnames = i->hostnames,
		.csr = { (const uint8_t *)i->csr_text, i->csr_text_len },
		.type = i->type,
		.key = o->key == NULL ? NULL : i->key,
		.key_window_s = o->key_window_s,
		.acme_order_id = o->acme_order_id,
	};
	i->names = o->names;
	i->given = o->given;
	i->proofs = o->proofs;
	i->policy = o->policy;
	return true;
}

enum oc_err
issuer_issue(struct issuer_service *service,
    const struct issuer_order *order, issuer_done_fn *done, void *arg)
{
	struct issuance *i = calloc(1, sizeof(*i));
	enum oc_err err;

	oc_assert(order->authority->info != NULL);
	if (i == NULL || !take_order(i, order)) {
		if (i != NULL)
			issuance_free(i);
		return OC_ERR_NOMEM;
	}
	i->service = service;
	i->needs_caa = issuer_service_caa(service) != NULL;
	i->done = done;
	i->arg = arg;
	i->work = (struct issuer_work){ work_out, worked_out, i, NULL };
	err = issuer_workers_submit(issuer_service_workers(service),
	    &i->work);
	if (err != OC_OK) {
		i->names = NULL;
		i->given = NULL;
		i->proofs = NULL;
		i->policy = NULL;
		issuance_free(i);
		return err;
	}
	i->stay = (struct issuer_stay){ .cancel = cancel, .arg = i };
	issuer_service_enter(service, &i->stay);
	return OC_OK;
}
