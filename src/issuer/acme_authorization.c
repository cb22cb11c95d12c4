/* SPDX-License-Identifier: Apache-2.0 */
/* Authorizations and their challenges: RFC 8555, 7.5. */
#include <stdlib.h>
#include <string.h>

#include "issuer/acme.h"
#include "issuer/prover.h"

/* While one is looked at, clients ask again after this. */
#define RETRY_S 2

static bool
alloc_authorization(struct acme_call *call)
{
	call->authorization = calloc(1, sizeof(*call->authorization));
	return call->authorization != NULL;
}

static enum oc_err
check_owner(struct acme_call *call, enum oc_err err, const char *what)
{
	if (err == OC_ERR_NOT_FOUND ||
	    (err == OC_OK && call->authorization->acme_account_id == 0))
		return issuer_acme_not_found(call, what);
	if (err == OC_OK && call->authorization->acme_account_id !=
	    call->account.id)
		return issuer_acme_not_yours(call, what);
	return err;
}

/* --- authorizations ----------------------------------------------------- */

static enum oc_err
deactivate(struct store *store, struct acme_call *call)
{
	const json_t *status = json_object_get(call->payload, "status");
	struct store_authorization *a = call->authorization;
	enum oc_err err;

	if (!json_is_string(status) || strcmp(json_string_value(status),
	    "deactivated") != 0)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the only change is the status deactivated");
	/* What is over already, a client may give up all the same. */
	if (a->state != STORE_PROOF_PENDING && a->state != STORE_PROOF_VALID)
		return OC_OK;
	err = store_deactivate_authorization(store, a->id);
	if (err == OC_OK)
		a->state = STORE_PROOF_DEACTIVATED;
	return err == OC_ERR_EXISTS ? OC_OK : err;
}

enum oc_err
issuer_acme_run_authorization(struct store *store, struct acme_call *call)
{
	enum oc_err err;

	if (!alloc_authorization(call))
		return OC_ERR_NOMEM;
	err = check_owner(call, store_find_authorization(store, call->ids[0],
	    call->authorization), "authorization");
	if (err == OC_OK && call->payload != NULL)
		err = deactivate(store, call);
	return err;
}

static bool
is_looked_at(const struct store_authorization *a)
{
	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (a->challenges[i].begun_at != 0)
			return a->state == STORE_PROOF_PENDING;
	return false;
}

void
issuer_acme_answer_authorization(struct acme_call *call)
{
	if (is_looked_at(call->authorization))
		issuer_acme_put_retry(call, RETRY_S);
	issuer_acme_succeed(call, 200, acme_authorization_json(
	    call->acme->base, call->authorization, call->now_at));
}

/* --- challenges --------------------------------------------------------- */

/* "It is there": once begun it goes on by itself, and one that is over stays
 * as it is, whatever a client says again. */
static enum oc_err
begin(struct store *store, struct acme_call *call)
{
	struct store_challenge *c = &call->challenge;
	enum oc_err err;

	if (json_object_size(call->payload) != 0)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the payload of a challenge is {}");
	if (c->state != STORE_PROOF_PENDING || c->begun_at != 0)
		return OC_OK;
	err = store_begin_challenge(store, c->id, call->now_at);
	if (err == OC_ERR_EXISTS)
		return OC_OK;
	if (err == OC_ERR_MISMATCH)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the authorization is over: make another order");
	if (err == OC_OK)
		c->begun_at = call->now_at;
	call->has_made = err == OC_OK;
	return err;
}

enum oc_err
issuer_acme_run_challenge(struct store *store, struct acme_call *call)
{
	enum oc_err err;

	if (!alloc_authorization(call))
		return OC_ERR_NOMEM;
	err = check_owner(call, store_find_challenge(store, call->ids[0],
	    call->authorization, &call->challenge), "challenge");
	if (err == OC_OK && call->payload != NULL)
		err = begin(store, call);
	return err;
}

/* Both clients find the authorization by the link. */
void
issuer_acme_answer_challenge(struct acme_call *call)
{
	const struct store_challenge *c = &call->challenge;

	if (call->has_made)
		issuer_prover_kick(issuer_service_prover(
		    call->acme->service));
	issuer_acme_put_link(call, "up", "authz/%s",
	    call->authorization->tag);
	if (c->state == STORE_PROOF_PENDING && c->begun_at != 0)
		issuer_acme_put_retry(call, RETRY_S);
	issuer_acme_succeed(call, 200, acme_challenge_json(call->acme->base,
	    call->authorization, c, call->now_at));
}
