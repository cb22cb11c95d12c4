/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an order has to prove, and what was proven before: RFC 8555, 7.1.4.
 *
 * By http-01 the name itself is proven; by dns-01 the name and its wildcard;
 * by the zone registry's TXT record or mail all that is below the zone, by
 * its page and file the zone's own name.  A zone that the operator registered
 * by hand proves nothing; and to whoever has shown no key of the account's
 * (external-account = optional) what the account has proven is nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/acme.h"

#define HOUR_S INT64_C(3600)
/* What ends sooner is of no use to an order. */
#define MARGIN_S 30
#define PENDING_RETRY_S 60

#define BIT(method) (1u << STORE_METHOD_##method)

static struct store_proof_wish
wish_of(const struct acme_call *call, const struct acme_name *name)
{
	const struct oc_config_validation *v = &issuer_service_config(
	    call->acme->service)->validation;
	const struct store_proof_wish wish = {
		.account_id = call->registry.id,
		.acme_account_id = call->account.id,
		.name = name->text,
		.methods = name->is_wildcard ? BIT(DNS_01) :
		    BIT(DNS_01) | BIT(HTTP_01),
		.now_at = call->now_at + MARGIN_S,
		.proved_from = call->now_at - v->proof_lifetime_s,
	};

	return wish;
}

enum oc_err
issuer_acme_find_proof(struct store *store, const struct acme_call *call,
    const struct acme_name *name, struct store_authorization *proof)
{
	struct store_proof_wish wish = wish_of(call, name);
	enum oc_err err = store_find_proof(store, &wish, proof);

	if (err != OC_ERR_NOT_FOUND || !call->account.is_bound)
		return err;
	wish.acme_account_id = 0;
	wish.covers = BIT(DNS) | BIT(EMAIL);
	wish.methods = name->is_wildcard ? wish.covers :
	    wish.covers | BIT(META) | BIT(FILE);
	return store_find_proof(store, &wish, proof);
}

/* One that is this very name's, by one of these methods; 0: of ACME's. */
static enum oc_err
find_own(struct store *store, struct acme_call *call,
    const struct acme_name *name, uint32_t methods)
{
	struct store_proof_wish wish = wish_of(call, name);

	if (methods != 0)
		wish.methods = methods;
	wish.kind = name->is_wildcard ? STORE_PROOF_WILDCARD :
	    STORE_PROOF_PLAIN;
	return store_find_proof(store, &wish, call->authorization);
}

static struct store_authorization *
begin_authorization(struct acme_call *call, const struct acme_name *name)
{
	struct store_authorization *a = call->authorization;

	memset(a, 0, sizeof(*a));
	a->account_id = call->registry.id;
	a->acme_account_id = call->account.id;
	strcpy(a->name, name->text);
	a->is_wildcard = name->is_wildcard;
	return a;
}

/* From what was proven otherwise: it ends when that does.  The one that rests
 * on it already, if there is one: or they would be as many as the orders. */
static enum oc_err
add_proven(struct store *store, struct acme_call *call,
    const struct acme_name *name)
{
	enum store_method method = call->authorization->method;
	int64_t expires_at = call->authorization->expires_at;
	struct store_authorization *a = call->authorization;
	enum oc_err err = find_own(store, call, name, 1u << method);

	if (err != OC_ERR_NOT_FOUND && (err != OC_OK ||
	    a->expires_at == expires_at))
		return err;
	a = begin_authorization(call, name);
	a->state = STORE_PROOF_VALID;
	a->method = method;
	a->expires_at = expires_at;
	return store_add_authorization(store, a);
}

/* On the average one fewer counts after this. */
static enum oc_err
check_failures_of(struct store *store, struct acme_call *call,
    const char *name, int64_t max, const char *text)
{
	int64_t num_pending, num_invalid;
	enum oc_err err = store_count_authorizations(store,
	    call->registry.id, name, call->now_at, call->now_at - HOUR_S,
	    &num_pending, &num_invalid);

	return err != OC_OK || num_invalid < max ? err :
	    issuer_acme_limit(call, HOUR_S / max + 1, text);
}

static enum oc_err
check_failures(struct store *store, struct acme_call *call,
    const struct acme_name *name)
{
	const struct oc_config_acme *config = call->acme->config;
	char domain[STORE_ZONE_NAME_MAX + 2];
	struct store_zone zone;
	enum oc_err err = check_failures_of(store, call, name->text,
	    config->failures_max, "this name could not be proven too often "
	    "of late: wait");

	if (err == OC_OK)
		err = store_match_zone(store, name->text, &zone);
	if (err != OC_OK)
		return err;
	snprintf(domain, sizeof(domain), ".%s", zone.name);
	return check_failures_of(store, call, domain,
	    config->zone_failures_max, "too many names of this zone could "
	    "not be proven of late: wait");
}

/* Open ones of before, counted once, and those of this order: looked at before
 * each, so that what is refused costs little. */
static enum oc_err
check_pending_max(struct store *store, struct acme_call *call)
{
	const struct oc_config_validation *v = &issuer_service_config(
	    call->acme->service)->validation;
	int64_t num_invalid;
	enum oc_err err = OC_OK;

	if (!call->has_counted)
		err = store_count_authorizations(store, call->registry.id,
		    NULL, call->now_at, call->now_at - HOUR_S,
		    &call->num_pending, &num_invalid);
	call->has_counted = err == OC_OK;
	return err != OC_OK || call->num_pending < v->pending_max ? err :
	    issuer_acme_limit(call, PENDING_RETRY_S, "too many "
	    "authorizations are open: prove some, or give them up");
}

static enum oc_err
add_pending(struct store *store, struct acme_call *call,
    const struct acme_name *name)
{
	const struct oc_config_validation *v = &issuer_service_config(
	    call->acme->service)->validation;
	struct store_authorization *a = begin_authorization(call, name);
	enum oc_err err = check_pending_max(store, call);

	if (err == OC_OK)
		err = check_failures(store, call, name);
	if (err != OC_OK)
		return err;
	call->num_pending++;
	a->expires_at = call->now_at + v->challenge_lifetime_s;
	if (!name->is_wildcard)
		a->challenges[a->num_challenges++].method =
		    STORE_METHOD_HTTP_01;
	a->challenges[a->num_challenges++].method = STORE_METHOD_DNS_01;
	return store_add_authorization(store, a);
}

static enum oc_err
authorize_one(struct store *store, struct acme_call *call,
    const struct acme_name *name)
{
	enum oc_err err = find_own(store, call, name, 0);

	if (err != OC_ERR_NOT_FOUND)
		return err;
	err = issuer_acme_find_proof(store, call, name, call->authorization);
	if (err == OC_OK)
		return add_proven(store, call, name);
	if (err != OC_ERR_NOT_FOUND)
		return err;
	return add_pending(store, call, name);
}

/* The order ends with what it rests on. */
enum oc_err
issuer_acme_authorize(struct store *store, struct acme_call *call)
{
	struct store_order *order = &call->order;
	struct acme_name name;
	enum oc_err err = OC_OK;

	call->authorization = calloc(1, sizeof(*call->authorization));
	call->tags = calloc(call->names->num_sans, sizeof(*call->tags));
	if (call->authorization == NULL || call->tags == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; err == OC_OK && i < call->names->num_sans; i++) {
		const struct store_authorization *a = call->authorization;

		acme_names_get(call->names, i, &name);
		err = authorize_one(store, call, &name);
		if (err != OC_OK)
			break;
		order->authorization_ids[i] = a->id;
		memcpy(call->tags[i], a->tag, sizeof(call->tags[i]));
		order->num_authorizations = i + 1;
		if (a->expires_at < order->expires_at)
			order->expires_at = a->expires_at;
	}
	return err;
}
