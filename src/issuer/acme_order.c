/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New orders: RFC 8555, 7.4, RFC 9773, 5.  What the account may have is
 * decided here as for every door (ca/policy.h), before anybody is asked to
 * prove a name; and once more when the certificate is issued.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/instant.h"
#include "issuer/acme.h"

#define HOUR_S INT64_C(3600)
/* A client's clock. */
#define SKEW_S HOUR_S

/* --- what is asked for, on a worker ------------------------------------- */

static enum oc_err
read_time(struct acme_call *call, const char *key, int64_t *at)
{
	const json_t *value = json_object_get(call->payload, key);

	*at = 0;
	if (value == NULL)
		return OC_OK;
	if (json_is_string(value) && acme_instant_parse(
	    json_string_value(value), at) == OC_OK && *at > 0)
		return OC_OK;
	return acme_problem_set(&call->problem, ACME_MALFORMED,
	    "%s is a time as RFC 3339 has it", key);
}

static enum oc_err
read_profile(struct acme_call *call)
{
	const json_t *name = json_object_get(call->payload, "profile");
	const struct issuer_acme *acme = call->acme;

	call->profile = name != NULL && !json_is_string(name) ? NULL :
	    issuer_acme_profile(acme, json_string_value(name));
	if (call->profile == NULL)
		return acme_problem_set(&call->problem, ACME_INVALID_PROFILE,
		    "there is no such profile: the directory lists them "
		    "(profile-unknown)");
	if (!ca_profile_is_for(call->profile, acme->config->issuer))
		return acme_problem_set(&call->problem, ACME_INVALID_PROFILE,
		    "the profile is for another issuer (issuer-profile)");
	strcpy(call->order.profile, call->profile->name);
	return OC_OK;
}

static enum oc_err
read_replaces(struct acme_call *call)
{
	const json_t *value = json_object_get(call->payload, "replaces");
	const char *text = json_string_value(value);

	if (value == NULL)
		return OC_OK;
	if (text == NULL || strlen(text) >= sizeof(call->replaces) ||
	    acme_certificate_id_parse(text, &call->certificate_id) != OC_OK)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "replaces is no certificate's identifier (RFC 9773, "
		    "4.1)");
	strcpy(call->replaces, text);
	return OC_OK;
}

/* What the profile would refuse at the end, whatever was proven. */
static enum oc_err
check_profile(struct acme_call *call)
{
	const struct ca_profile *p = call->profile;
	struct acme_name name;

	if (call->names->num_sans > p->names_max)
		return acme_problem_set(&call->problem,
		    ACME_REJECTED_IDENTIFIER, "the profile %s gives at most "
		    "%u names (names-max)", p->name, p->names_max);
	if ((p->name_kinds & CA_NAME_DNS) == 0)
		return acme_problem_set(&call->problem,
		    ACME_REJECTED_IDENTIFIER, "the profile %s gives no DNS "
		    "names (name-kind)", p->name);
	for (uint32_t i = 0; i < call->names->num_sans &&
	    p->wildcard_rule == CA_WILDCARD_NO; i++) {
		acme_names_get(call->names, i, &name);
		if (name.is_wildcard)
			return acme_problem_set(&call->problem,
			    ACME_REJECTED_IDENTIFIER, "the profile %s gives "
			    "no wildcards (name-wildcard)", p->name);
	}
	return OC_OK;
}

enum oc_err
issuer_acme_prepare_new_order(struct acme_call *call)
{
	enum oc_err err;

	call->names = calloc(1, sizeof(*call->names));
	if (call->names == NULL)
		return OC_ERR_NOMEM;
	err = acme_names_read(json_object_get(call->payload, "identifiers"),
	    call->names, &call->problem);
	if (err == OC_OK)
		err = read_profile(call);
	if (err == OC_OK)
		err = check_profile(call);
	if (err == OC_OK)
		err = read_time(call, "notBefore", &call->order.not_before);
	if (err == OC_OK)
		err = read_time(call, "notAfter", &call->order.not_after);
	if (err == OC_OK)
		err = read_replaces(call);
	return err;
}

/* --- whether the account may have it ------------------------------------ */

/* A life that could be given: the rest of it planning says. */
static enum oc_err
check_times(struct acme_call *call)
{
	const struct store_order *o = &call->order;
	int64_t start = o->not_before != 0 ? o->not_before : call->now_at;

	if (o->not_before != 0 && (o->not_before < call->now_at - SKEW_S ||
	    o->not_before > call->now_at +
	    call->acme->config->order_lifetime_s))
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "notBefore lies too far back or too far ahead "
		    "(validity)");
	if (o->not_after == 0)
		return OC_OK;
	if (o->not_after <= start || o->not_after <= call->now_at)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "notAfter is before notBefore, or has passed "
		    "(validity)");
	if (call->profile->validity_s != 0 &&
	    call->profile->num_validity_choices == 0 &&
	    o->not_after - start + (o->not_before != 0 &&
	    call->profile->validity_end == CA_END_INCLUSIVE) >
	    call->profile->validity_s)
		return acme_problem_set(&call->problem, ACME_MALFORMED,
		    "the life from notBefore to notAfter is longer than the "
		    "profile %s gives (validity-profile)",
		    call->profile->name);
	return OC_OK;
}

/* Which of several names are refused, each with its reason. */
static void
add_subproblems(struct acme_call *call, const struct ca_policy *policy)
{
	struct ca_names *one = malloc(sizeof(*one));

	for (uint32_t i = 0; one != NULL && i < call->names->num_sans; i++) {
		const struct x509_san *san = &call->names->sans[i];
		struct ca_explanation x = { .has_no_items = true };
		struct oc_error error = { 0 };
		struct ca_zone_ids ids;
		char text[X509_SAN_TEXT_MAX];

		one->num_sans = 1;
		one->sans[0] = *san;
		if (ca_policy_check(policy, call->profile, one, &ids, &x,
		    &error) != OC_OK && x.rule != CA_RULE_NONE) {
			snprintf(text, sizeof(text), "%.*s",
			    (int)san->value.len,
			    (const char *)san->value.p);
			acme_problem_add(&call->problem,
			    acme_error_of_rule(x.rule), text, error.text);
		}
		ca_explanation_fini(&x);
	}
	free(one);
}

static bool
is_about_a_name(enum ca_rule rule)
{
	return rule == CA_RULE_ZONE || rule == CA_RULE_ZONE_PAUSED ||
	    rule == CA_RULE_ZONE_DELEGATED || rule == CA_RULE_NAME_WILDCARD ||
	    rule == CA_RULE_NAME_KIND || rule == CA_RULE_NAME_MALFORMED;
}

/* Until so few count that there is a place again. */
static enum oc_err
check_zone_max(struct store *store, struct acme_call *call,
    const struct store_zone *zone)
{
	const struct oc_config_acme *config = call->acme->config;
	int64_t since_at = call->now_at - config->orders_period_s, made_at;
	char domain[STORE_ZONE_NAME_MAX + 2];
	char text[STORE_ZONE_NAME_MAX + 64];
	enum oc_err err;

	snprintf(domain, sizeof(domain), ".%s", zone->name);
	err = store_find_nth_order(store, call->registry.id, domain,
	    since_at, config->zone_orders_max, &made_at);
	if (err != OC_OK || made_at == 0)
		return err;
	snprintf(text, sizeof(text), "too many orders of the zone %s of "
	    "late: wait", zone->name);
	return issuer_acme_limit(call, made_at - since_at + 1, text);
}

/* Those that the names lie in.  Who renews in time is not kept from it by what
 * was ordered anew. */
static enum oc_err
check_zones_max(struct store *store, struct acme_call *call,
    const struct ca_policy *policy)
{
	enum oc_err err = OC_OK;

	if (call->acme->config->zone_orders_max == 0 || call->is_renewal)
		return OC_OK;
	for (uint32_t i = 0; err == OC_OK && i < policy->num_zones; i++)
		err = check_zone_max(store, call, &policy->zones[i]);
	return err;
}

static enum oc_err
check_policy(struct store *store, struct acme_call *call)
{
	struct ca_policy policy = { .zones = NULL };
	struct ca_explanation x = { .has_no_items = true };
	struct oc_error error = { 0 };
	struct ca_zone_ids ids;
	enum oc_err err;

	err = ca_policy_load(store, &call->registry, call->names, &policy,
	    &error);
	if (err == OC_OK)
		err = ca_policy_check(&policy, call->profile, call->names,
		    &ids, &x, &error);
	if (err != OC_OK) {
		err = issuer_acme_by_rule(call, err, x.rule, error.text);
		policy.leaves_quotas = true;
		if (call->names->num_sans > 1 && is_about_a_name(x.rule))
			add_subproblems(call, &policy);
	} else {
		err = check_zones_max(store, call, &policy);
	}
	ca_explanation_fini(&x);
	ca_policy_fini(&policy);
	return err;
}

/* On the average a place is free again after this. */
static enum oc_err
check_orders_max(struct store *store, struct acme_call *call)
{
	const struct oc_config_acme *config = call->acme->config;
	int64_t num;
	enum oc_err err = store_count_orders(store, call->registry.id,
	    call->now_at - config->orders_period_s, &num);

	if (err != OC_OK || num < config->orders_max)
		return err;
	return issuer_acme_limit(call, config->orders_period_s /
	    config->orders_max + 1, "too many orders of late: wait");
}

enum oc_err
issuer_acme_run_new_order(struct store *store, struct acme_call *call)
{
	struct store_order *order = &call->order;
	enum oc_err err;

	order->acme_account_id = call->account.id;
	order->account_id = call->registry.id;
	order->expires_at = call->now_at +
	    call->acme->config->order_lifetime_s;
	order->names = acme_names_format(call->names);
	if (order->names == NULL)
		return OC_ERR_NOMEM;
	err = check_times(call);
	if (err == OC_OK && call->replaces[0] != '\0')
		err = issuer_acme_check_replaces(store, call);
	if (err == OC_OK)
		err = check_policy(store, call);
	if (err == OC_OK)
		err = check_orders_max(store, call);
	if (err == OC_OK)
		err = issuer_acme_authorize(store, call);
	if (err != OC_OK)
		return err;
	err = store_add_order(store, order);
	if (err == OC_ERR_EXISTS)
		return acme_problem_set(&call->problem, ACME_ALREADY_REPLACED,
		    "another order replaces this certificate");
	call->has_made = err == OC_OK;
	return err;
}
