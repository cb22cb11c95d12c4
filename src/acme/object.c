/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/object.h"

#include <string.h>

#include "acme/problem.h"
#include "der/time.h"

static void
put_time(json_t *object, const char *key, int64_t at)
{
	char text[DER_ISO8601_MAX];

	if (at == 0)
		return;
	der_format_iso8601(at, text);
	(void)json_object_set_new(object, key, json_string(text));
}

/* A problem as it was stored; one that is no JSON is said to be ours. */
static void
put_problem(json_t *object, const char *text)
{
	json_t *problem = json_loads(text, 0, NULL);

	if (!json_is_object(problem)) {
		struct acme_problem unknown = { .error = ACME_OK };

		json_decref(problem);
		(void)acme_problem_set(&unknown, ACME_SERVER_INTERNAL,
		    "why is not known");
		problem = acme_problem_json(&unknown);
		acme_problem_fini(&unknown);
	}
	(void)json_object_set_new(object, "error", problem);
}

/* --- accounts ----------------------------------------------------------- */

static const char *
account_status(enum store_acme_state state)
{
	switch (state) {
	case STORE_ACME_VALID:
		return "valid";
	case STORE_ACME_DEACTIVATED:
		return "deactivated";
	case STORE_ACME_REVOKED:
		break;
	}
	return "revoked";
}

json_t *
acme_account_json(const char *base, const struct store_acme_account *account)
{
	json_t *contacts = json_loads(account->contacts, 0, NULL);
	json_t *json = json_pack("{s:s, s:o, s:o}", "status",
	    account_status(account->state), "contact",
	    contacts == NULL ? json_array() : contacts, "orders",
	    json_sprintf("%saccount/%s/orders", base, account->tag));

	if (account->has_agreed)
		(void)json_object_set_new(json, "termsOfServiceAgreed",
		    json_true());
	return json;
}

/* --- orders ------------------------------------------------------------- */

enum store_order_state
acme_order_state(const struct store_order *order, int64_t now_at)
{
	bool is_open = order->state == STORE_ORDER_PENDING ||
	    order->state == STORE_ORDER_READY;

	return is_open && now_at >= order->expires_at ?
	    STORE_ORDER_INVALID : order->state;
}

static const char *
order_status(enum store_order_state state)
{
	switch (state) {
	case STORE_ORDER_PENDING:
		return "pending";
	case STORE_ORDER_READY:
		return "ready";
	case STORE_ORDER_PROCESSING:
		return "processing";
	case STORE_ORDER_VALID:
		return "valid";
	case STORE_ORDER_INVALID:
		break;
	}
	return "invalid";
}

static json_t *
identifiers_of(const char *names)
{
	json_t *texts = names == NULL ? NULL : json_loads(names, 0, NULL);
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(texts); i++)
		(void)json_array_append_new(list, json_pack("{s:s, s:O}",
		    "type", "dns", "value", json_array_get(texts, i)));
	json_decref(texts);
	return list;
}

/* Clients that find no error in an invalid order say nothing to people. */
static void
put_order_error(json_t *json, const struct store_order *order)
{
	struct acme_problem ended = { .error = ACME_OK };

	if (order->problem[0] != '\0') {
		put_problem(json, order->problem);
		return;
	}
	if (order->state == STORE_ORDER_INVALID)
		(void)acme_problem_set(&ended, ACME_UNAUTHORIZED,
		    "a name of the order was not proven");
	else
		(void)acme_problem_set(&ended, ACME_MALFORMED,
		    "the order was not finished in time: make another");
	(void)json_object_set_new(json, "error", acme_problem_json(&ended));
	acme_problem_fini(&ended);
}

json_t *
acme_order_json(const char *base, const struct acme_order_view *view)
{
	const struct store_order *order = view->order;
	enum store_order_state state = acme_order_state(order, view->now_at);
	json_t *urls = json_array();
	json_t *json;

	for (uint32_t i = 0; i < order->num_authorizations; i++)
		(void)json_array_append_new(urls, json_sprintf("%sauthz/%s",
		    base, view->tags[i]));
	json = json_pack("{s:s, s:o, s:o, s:o}", "status",
	    order_status(state), "identifiers", identifiers_of(order->names),
	    "authorizations", urls, "finalize",
	    json_sprintf("%sorder/%s/finalize", base, order->tag));
	put_time(json, "expires", order->expires_at);
	put_time(json, "notBefore", order->not_before);
	put_time(json, "notAfter", order->not_after);
	if (order->profile[0] != '\0')
		(void)json_object_set_new(json, "profile",
		    json_string(order->profile));
	if (view->replaces != NULL)
		(void)json_object_set_new(json, "replaces",
		    json_string(view->replaces));
	if (state == STORE_ORDER_VALID)
		(void)json_object_set_new(json, "certificate",
		    json_sprintf("%scertificate/%s", base, order->tag));
	if (state == STORE_ORDER_INVALID)
		put_order_error(json, order);
	return json;
}

/* --- authorizations and challenges -------------------------------------- */

enum store_proof_state
acme_authorization_state(const struct store_authorization *a, int64_t now_at)
{
	bool may_end = a->state == STORE_PROOF_PENDING ||
	    a->state == STORE_PROOF_VALID;

	return may_end && now_at >= a->expires_at ? STORE_PROOF_INVALID :
	    a->state;
}

static const char *
proof_status(enum store_proof_state state)
{
	switch (state) {
	case STORE_PROOF_PENDING:
		return "pending";
	case STORE_PROOF_VALID:
		return "valid";
	case STORE_PROOF_DEACTIVATED:
		return "deactivated";
	case STORE_PROOF_INVALID:
		break;
	}
	return "invalid";
}

/* A challenge has no state "deactivated". */
static const char *
challenge_status(const struct store_authorization *a,
    const struct store_challenge *c, int64_t now_at)
{
	if (c->state == STORE_PROOF_VALID)
		return "valid";
	if (c->state != STORE_PROOF_PENDING ||
	    acme_authorization_state(a, now_at) == STORE_PROOF_INVALID)
		return "invalid";
	return c->begun_at != 0 ? "processing" : "pending";
}

json_t *
acme_challenge_json(const char *base, const struct store_authorization *a,
    const struct store_challenge *c, int64_t now_at)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:o}", "type",
	    store_method_text(c->method), "status",
	    challenge_status(a, c, now_at), "token", c->token, "url",
	    json_sprintf("%schallenge/%s", base, c->tag));

	put_time(json, "validated", c->validated_at);
	if (c->problem[0] != '\0' && c->state != STORE_PROOF_VALID)
		put_problem(json, c->problem);
	return json;
}

/* Of a valid one, what made it so; and nothing that is not ACME's. */
static bool
is_shown(const struct store_authorization *a, const struct store_challenge *c)
{
	return (c->method == STORE_METHOD_HTTP_01 ||
	    c->method == STORE_METHOD_DNS_01) &&
	    (a->state != STORE_PROOF_VALID || c->state == STORE_PROOF_VALID);
}

json_t *
acme_authorization_json(const char *base,
    const struct store_authorization *a, int64_t now_at)
{
	json_t *list = json_array(), *json;

	for (uint32_t i = 0; i < a->num_challenges; i++)
		if (is_shown(a, &a->challenges[i]))
			(void)json_array_append_new(list, acme_challenge_json(
			    base, a, &a->challenges[i], now_at));
	json = json_pack("{s:s, s:{s:s, s:s}, s:o}", "status",
	    proof_status(acme_authorization_state(a, now_at)), "identifier",
	    "type", "dns", "value", a->name, "challenges", list);
	put_time(json, "expires", a->expires_at);
	if (a->is_wildcard)
		(void)json_object_set_new(json, "wildcard", json_true());
	return json;
}
