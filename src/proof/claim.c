/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of zones, and what is written down of a look at a challenge. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proof/proof.h"

/* --- a look ------------------------------------------------------------- */

/* Beside what the validator may take: whoever asks gives up 5 s later.  So long
 * is waited, too, for who was killed meanwhile; who is slower has it looked at
 * twice. */
#define CLAIM_MARGIN_S 10

int64_t
proof_claim_s(const struct oc_config_validation *config)
{
	return config->timeout_s + CLAIM_MARGIN_S;
}

enum oc_err
proof_take(struct store *store, const struct oc_config_validation *config,
    const struct store_challenge *c, int64_t now_at, struct proof_try *t)
{
	int64_t due_at = c->next_try_at;
	enum oc_err err = OC_OK;

	*t = (struct proof_try){
		.challenge_id = c->id,
		.method = c->method,
		.num_tries = c->num_tries,
		.claimed_until = now_at + proof_claim_s(config)
	};
	if (c->begun_at == 0) {
		due_at = now_at;
		err = store_begin_challenge(store, c->id, now_at);
		if (err == OC_ERR_EXISTS)
			err = OC_ERR_MISMATCH;
	}
	return err != OC_OK ? err : store_claim_challenge(store, c->id,
	    due_at, t->claimed_until);
}

/* A zone that is somebody else's now: no proof makes it theirs. */
static enum oc_err
lose_zone(struct store *store, struct store_try *result)
{
	static const char problem[] = "{\"type\":\"urn:ietf:params:acme:"
	    "error:rejectedIdentifier\",\"detail\":\"the zone, or one inside "
	    "or around it, is another account's\"}";

	result->problem = problem;
	result->next_try_at = 0;
	return store_fail_challenge(store, result);
}

enum oc_err
proof_record(struct store *store, const struct oc_config_validation *config,
    const struct proof_try *t, const struct validation_reply *reply)
{
	char problem[STORE_PROBLEM_MAX + 1] = "";
	struct store_try result = { .id = t->challenge_id,
		.at = oc_clock_now_s(), .seen = reply->seen,
		.problem = problem };
	enum oc_err err;

	if (reply->fault == VALIDATION_OURS)
		return store_claim_challenge(store, t->challenge_id,
		    t->claimed_until, result.at + PROOF_AGAIN_S);
	if (reply->fault == VALIDATION_NO_FAULT) {
		err = store_pass_challenge(store, &result,
		    result.at + config->proof_lifetime_s);
		return err == OC_ERR_EXISTS || err == OC_ERR_REFUSED ?
		    lose_zone(store, &result) : err;
	}
	err = proof_problem(reply, problem);
	if (err != OC_OK)
		return err;
	result.next_try_at = proof_next_try(config, t->method, reply,
	    t->num_tries + 1, result.at);
	return store_fail_challenge(store, &result);
}

/* --- claims ------------------------------------------------------------- */

bool
proof_has_method(const struct oc_config *config, enum store_method method)
{
	if (!config->has_validation)
		return false;
	return method == STORE_METHOD_DNS || method == STORE_METHOD_META ||
	    method == STORE_METHOD_FILE || (method == STORE_METHOD_EMAIL &&
	    config->validation.mail_server != NULL);
}

const struct store_challenge *
proof_challenge_by(const struct store_authorization *a,
    enum store_method method)
{
	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (a->challenges[i].method == method)
			return &a->challenges[i];
	return NULL;
}

struct search {
	int64_t now_at;
	bool is_found;
	struct store_authorization *found;
};

static enum oc_err
judge(void *arg, const struct store_authorization *a)
{
	struct search *search = arg;

	if (a->state != STORE_PROOF_PENDING ||
	    a->expires_at <= search->now_at)
		return OC_OK;
	*search->found = *a;
	search->is_found = true;
	return OC_ERR_CANCELLED;
}

/* However often it was claimed: what is open is among the newest. */
#define CLAIMS_LOOKED_AT 64
#define HOUR_S 3600

enum oc_err
proof_find_claim(struct store *store, int64_t account_id, const char *zone,
    int64_t now_at, struct store_authorization *a)
{
	struct search search = { .now_at = now_at, .found = a };
	enum oc_err err = store_list_authorizations(store, account_id, 0,
	    zone, CLAIMS_LOOKED_AT, judge, &search);

	if (search.is_found)
		return OC_OK;
	return err == OC_OK ? OC_ERR_NOT_FOUND : err;
}

static void
fill(const struct oc_config *config, int64_t account_id, const char *zone,
    int64_t now_at, struct store_authorization *a)
{
	static const enum store_method methods[] = { STORE_METHOD_DNS,
		STORE_METHOD_META, STORE_METHOD_FILE, STORE_METHOD_EMAIL };

	memset(a, 0, sizeof(*a));
	a->account_id = account_id;
	snprintf(a->name, sizeof(a->name), "%s", zone);
	a->expires_at = now_at + config->validation.challenge_lifetime_s;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (proof_has_method(config, methods[i]))
			a->challenges[a->num_challenges++].method =
			    methods[i];
}

static enum oc_err
check_open(struct store *store, const struct oc_config *config,
    int64_t account_id, const char *zone, int64_t now_at,
    struct oc_error *error)
{
	int64_t num_pending = 0, num_invalid, num_failed = 0, none;
	enum oc_err err = store_count_authorizations(store, account_id, NULL,
	    now_at, now_at, &num_pending, &num_invalid);

	if (err == OC_OK)
		err = store_count_authorizations(store, account_id, zone,
		    now_at, now_at - HOUR_S, &none, &num_failed);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	if (num_failed >= PROOF_FAILED_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "%lld claims of %s "
		    "failed within an hour: wait", (long long)num_failed,
		    zone);
	if (num_pending >= config->validation.pending_max)
		return oc_error_set(error, OC_ERR_LIMIT, "the account has "
		    "%lld open claims, the limit is %lld: prove some, or wait "
		    "until they end", (long long)num_pending,
		    (long long)config->validation.pending_max);
	return OC_OK;
}

enum oc_err
proof_open_claim(struct store *store, const struct oc_config *config,
    int64_t account_id, const char *zone, int64_t now_at,
    struct store_authorization *a, struct oc_error *error)
{
	enum oc_err err;

	if (!config->has_validation)
		return oc_error_set(error, OC_ERR_CONFIG, "nothing is looked "
		    "at without a [validation] section; \"ocsign zone add\" "
		    "takes the operator's word");
	err = proof_find_claim(store, account_id, zone, now_at, a);
	if (err == OC_OK)
		return OC_OK;
	if (err != OC_ERR_NOT_FOUND)
		return oc_error_set(error, err, "%s", store_error(store));
	err = check_open(store, config, account_id, zone, now_at, error);
	if (err != OC_OK)
		return err;
	fill(config, account_id, zone, now_at, a);
	err = store_add_authorization(store, a);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "%s",
	    store_error(store));
}
