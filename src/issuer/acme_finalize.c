/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a CSR to the certificate: RFC 8555, 7.4.  The issuance is the one of
 * every door (issuer/issuance.h), which takes the order in the transaction
 * that reserves and completes it in the one that records: an order has one
 * certificate or none, whatever happens in between.  What is not the order's
 * fault leaves it ready, and the client tries again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "base/clock.h"
#include "issuer/acme.h"
#include "issuer/cfssl.h"
#include "issuer/text.h"

/* --- the request, on a worker ------------------------------------------- */

/* Its signature is verified when it is issued for. */
static enum oc_err
read_csr(struct acme_call *call, struct x509_csr *csr)
{
	struct oc_error error = { 0 };
	enum oc_err err = x509_csr_read((struct der_bytes){ call->der,
	    call->der_len }, csr, &error);

	if (err != OC_OK)
		return acme_problem_set(&call->problem, ACME_BAD_CSR,
		    "the request: %s (%s)", error.text, ca_rule_name(
		    err == OC_ERR_UNSUPPORTED ? CA_RULE_CSR_SIGNATURE :
		    CA_RULE_CSR_MALFORMED));
	if (acme_jwk_is_spki(&call->key, csr->spki.p, csr->spki.len))
		return acme_problem_set(&call->problem, ACME_BAD_CSR,
		    "the request's key is the account's: make another");
	call->other_names = calloc(1, sizeof(*call->other_names));
	if (call->other_names == NULL)
		return OC_ERR_NOMEM;
	err = acme_names_of_csr(csr, call->other_names, &call->problem);
	return err != OC_OK ? err : acme_names_subject(csr, call->subject,
	    &call->subject_len);
}

enum oc_err
issuer_acme_prepare_finalize(struct acme_call *call)
{
	const json_t *text = json_object_get(call->payload, "csr");
	struct x509_csr *csr;
	enum oc_err err;

	if (!json_is_string(text))
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "csr is missing: DER in base64url");
	call->der = malloc(OC_CSR_MAX);
	csr = calloc(1, sizeof(*csr));
	if (call->der == NULL || csr == NULL) {
		free(csr);
		return OC_ERR_NOMEM;
	}
	err = acme_base64url_decode(json_string_value(text),
	    json_string_length(text), call->der, OC_CSR_MAX, &call->der_len);
	if (err == OC_ERR_NO_SPACE)
		err = acme_problem_set(&call->problem, ACME_BAD_CSR,
		    "the request is too long (csr-limit)");
	else if (err != OC_OK)
		err = acme_problem_set(&call->problem, ACME_MALFORMED,
		    "csr is no base64url without padding");
	else
		err = read_csr(call, csr);
	free(csr);
	return err;
}

/* --- the order, on the store's thread ----------------------------------- */

/* The answer to the first may have been lost. */
static enum oc_err
check_repeated(struct store *store, struct acme_call *call)
{
	bool is_same;
	enum oc_err err = store_get_asked(store, call->order.certificate_id,
	    &call->asked);

	if (err != OC_OK)
		return err;
	is_same = call->asked.csr_len == call->der_len &&
	    memcmp(call->asked.csr, call->der, call->der_len) == 0;
	return is_same ? OC_OK : acme_problem_set(&call->problem,
	    ACME_ORDER_NOT_READY, "the order has its certificate, for "
	    "another request");
}

static enum oc_err
check_state(struct store *store, struct acme_call *call)
{
	switch (acme_order_state(&call->order, call->now_at)) {
	case STORE_ORDER_READY:
	case STORE_ORDER_PROCESSING:
		return OC_OK;
	case STORE_ORDER_VALID:
		return check_repeated(store, call);
	case STORE_ORDER_PENDING:
		return acme_problem_set(&call->problem, ACME_ORDER_NOT_READY,
		    "not all names of the order are proven yet");
	case STORE_ORDER_INVALID:
		break;
	}
	return acme_problem_set(&call->problem, ACME_ORDER_NOT_READY,
	    "the order is invalid: make another");
}

static enum oc_err
load_policy(struct store *store, struct acme_call *call)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	call->policy = calloc(1, sizeof(*call->policy));
	if (call->policy == NULL)
		return OC_ERR_NOMEM;
	err = ca_policy_load(store, &call->registry, call->names,
	    call->policy, &error);
	return err == OC_OK ? OC_OK : issuer_acme_by_rule(call, err,
	    CA_RULE_NONE, error.text);
}

static enum oc_err
alloc_proofs(struct acme_call *call)
{
	call->proofs = calloc(1, sizeof(*call->proofs) +
	    STORE_NAMES_MAX * sizeof(call->proofs->list[0]));
	if (call->proofs == NULL)
		return OC_ERR_NOMEM;
	snprintf(call->proofs->account_uri, sizeof(call->proofs->account_uri),
	    "%saccount/%s", call->acme->base, call->account.tag);
	return OC_OK;
}

enum oc_err
issuer_acme_run_finalize(struct store *store, struct acme_call *call)
{
	enum oc_err err = alloc_proofs(call);

	if (err == OC_OK)
		err = issuer_acme_run_order(store, call);
	if (err == OC_OK)
		err = check_state(store, call);
	if (err != OC_OK)
		return err;
	call->names = calloc(1, sizeof(*call->names));
	if (call->names == NULL)
		return OC_ERR_NOMEM;
	err = acme_names_parse(call->order.names, call->names);
	if (err == OC_OK)
		err = acme_names_compare(call->names, call->other_names,
		    &call->problem);
	if (err == OC_OK && call->order.state == STORE_ORDER_READY)
		err = load_policy(store, call);
	return err;
}

/* --- afterwards --------------------------------------------------------- */

static enum oc_err
give_order_back(struct store *store, void *arg)
{
	return store_reopen_order(store, ((struct acme_call *)arg)->order.id);
}

/* Should that have failed, the order is given back after a while. */
static void
order_given_back(struct store_job *job, void *arg)
{
	(void)job;
	issuer_acme_fail(arg, OC_OK, "");
}

static void
look_again(struct store_job *job, void *arg)
{
	struct acme_call *call = arg;

	if (job->err == OC_OK && call->order.state == STORE_ORDER_READY)
		(void)acme_problem_set(&call->problem, ACME_ORDER_NOT_READY,
		    "a name of the order is not proven any more, or the "
		    "account is over");
	if (job->err == OC_OK && call->problem.error == ACME_OK)
		issuer_acme_answer_order(call);
	else
		issuer_acme_fail(call, job->err, job->error_text);
}

static enum oc_err
read_again(struct store *store, void *arg)
{
	return issuer_acme_run_order(store, arg);
}

static void
fail_finalize(struct acme_call *call, const struct issuer_result *result)
{
	/* Another call has the order: it is as that makes it. */
	if (!result->has_order && result->err == OC_ERR_MISMATCH) {
		issuer_acme_submit(call, STORE_JOB_READ, read_again,
		    look_again);
		return;
	}
	(void)issuer_acme_by_rule(call, result->err,
	    result->explanation->rule, result->error.text);
	if (result->has_order)
		issuer_acme_submit(call, STORE_JOB_CHANGE, give_order_back,
		    order_given_back);
	else
		issuer_acme_fail(call, OC_OK, "");
}

static void
issued(void *arg, const struct issuer_result *result)
{
	struct acme_call *call = arg;

	if (result->err != OC_OK) {
		fail_finalize(call, result);
		return;
	}
	call->order.state = STORE_ORDER_VALID;
	call->order.certificate_id = result->certificate.store_id;
	issuer_acme_answer_order(call);
}

/* --- issuing ------------------------------------------------------------ */

/* The life that ends at notAfter, from where it will begin: back-dated, unless
 * the client said when, but by no more than the profile's life leaves. */
static void
put_times(const struct acme_call *call, struct issuer_order *order)
{
	const struct store_order *o = &call->order;
	const struct ca_profile *p = call->profile;
	int64_t end = o->not_after + (p->validity_end == CA_END_INCLUSIVE);

	order->not_before = o->not_before;
	if (o->not_after == 0)
		return;
	if (order->not_before == 0)
		order->not_before = call->now_at - p->backdate_s;
	if (o->not_before == 0 && p->validity_s != 0 &&
	    order->not_before < end - p->validity_s)
		order->not_before = end - p->validity_s;
	order->validity_s = end - order->not_before;
}

static bool
find_issuer(struct acme_call *call)
{
	call->authority = issuer_service_find_name(call->acme->service,
	    call->acme->config->issuer);
	call->profile = issuer_acme_profile(call->acme, call->order.profile);
	if (call->profile == NULL)
		(void)acme_problem_set(&call->problem, ACME_INVALID_PROFILE,
		    "the order's profile is not there any more "
		    "(profile-unknown)");
	else if (call->authority == NULL || call->authority->info == NULL)
		(void)issuer_acme_by_rule(call, OC_ERR_DOWN, CA_RULE_NONE,
		    "the signer is away: try again");
	return call->problem.error == ACME_OK;
}

void
issuer_acme_answer_finalize(struct acme_call *call)
{
	struct issuer_order order = {
		.csr = (const char *)call->der, .csr_len = call->der_len,
		.names = call->names, .policy = call->policy,
		.proofs = call->proofs,
		.acme_order_id = call->order.id,
		.hostnames = call->order.names,
		.type = call->order.profile,
		.deadline_ns = oc_clock_mono_ns() + ISSUER_DEADLINE_NS,
	};

	if (call->order.state != STORE_ORDER_READY) {
		issuer_acme_answer_order(call);
		return;
	}
	if (!find_issuer(call)) {
		issuer_acme_fail(call, OC_OK, "");
		return;
	}
	if ((call->profile->csr_parts & CA_CSR_SUBJECT) != 0)
		order.name = (struct der_bytes){ call->subject,
		    call->subject_len };
	order.authority = call->authority;
	order.profile = call->profile;
	put_times(call, &order);
	if (issuer_issue(call->acme->service, &order, issued, call) !=
	    OC_OK) {
		issuer_acme_fail(call, OC_ERR_BUSY, "busy: try again");
		return;
	}
	call->names = NULL;
	call->policy = NULL;
	call->proofs = NULL;
}
