/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an account may have a certificate for these names. */
#include "ca/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/hostname.h"

void
ca_policy_fini(struct ca_policy *policy)
{
	free(policy->zones);
	memset(policy, 0, sizeof(*policy));
}

/* The host that a DNS name stands for: a wildcard's parent.  False if it does
 * not fit: then it was not made by ca_names_add(). */
static bool
host_of(const struct x509_san *san, char host[CA_HOST_MAX])
{
	const uint8_t *p = san->value.p;
	size_t len = san->value.len;

	if (len > 2 && p[0] == '*' && p[1] == '.') {
		p += 2;
		len -= 2;
	}
	if (len >= CA_HOST_MAX)
		return false;
	memcpy(host, p, len);
	host[len] = '\0';
	return true;
}

/* --- the snapshot ------------------------------------------------------- */

static bool
has_zone(const struct ca_policy *policy, int64_t id)
{
	for (uint32_t i = 0; i < policy->num_zones; i++)
		if (policy->zones[i].id == id)
			return true;
	return false;
}

static enum oc_err
load_zones(struct store *store, const struct ca_names *names,
    struct ca_policy *policy)
{
	policy->zones = calloc(names->num_sans + 1, sizeof(*policy->zones));
	if (policy->zones == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; i < names->num_sans; i++) {
		char host[CA_HOST_MAX];
		struct store_zone zone;
		enum oc_err err;

		if (names->sans[i].kind != X509_SAN_DNS ||
		    !host_of(&names->sans[i], host))
			continue;
		err = store_match_zone(store, host, &zone);
		if (err == OC_ERR_NOT_FOUND)
			continue;
		if (err != OC_OK)
			return err;
		if (!has_zone(policy, zone.id))
			policy->zones[policy->num_zones++] = zone;
	}
	return OC_OK;
}

enum oc_err
ca_policy_load(struct store *store, const struct store_account *account,
    const struct ca_names *names, struct ca_policy *policy,
    struct oc_error *error)
{
	struct ca_policy loaded = { .account = *account };
	bool has_quota = account->live_max > 0 || account->period_max > 0;
	enum oc_err err = OC_OK;

	/* Counting looks at every certificate of the account. */
	if (has_quota)
		err = store_count_usage(store, account, oc_clock_now_s(),
		    &loaded.usage);
	if (err == OC_OK)
		err = load_zones(store, names, &loaded);
	if (err != OC_OK) {
		ca_policy_fini(&loaded);
		return oc_error_set(error, err, "%s", err == OC_ERR_NOMEM ?
		    "out of memory" : store_error(store));
	}
	*policy = loaded;
	return OC_OK;
}

/* --- the decision ------------------------------------------------------- */

/* What is said of one name, with the account and the name in front. */
struct decision {
	const struct ca_policy *policy;
	struct ca_explanation *explanation;
	struct oc_error *error;
	char name[X509_SAN_TEXT_MAX];
};

static enum oc_err
refuse_name(struct decision *d, enum ca_rule rule, const char *why)
{
	return ca_refuse(d->explanation, rule, OC_ERR_REFUSED, d->error,
	    "account %s may not have %s: %s", d->policy->account.name,
	    d->name, why);
}

static unsigned
kind_bit(enum x509_san_kind kind)
{
	switch (kind) {
	case X509_SAN_DNS:
		return CA_NAME_DNS;
	case X509_SAN_IP:
		return CA_NAME_IP;
	case X509_SAN_EMAIL:
		return CA_NAME_EMAIL;
	case X509_SAN_URI:
		return CA_NAME_URI;
	case X509_SAN_DIRECTORY:
		return 0;
	}
	return 0;
}

static const struct store_zone *
most_specific(const struct ca_policy *policy, const char *host)
{
	const struct store_zone *best = NULL;

	for (uint32_t i = 0; i < policy->num_zones; i++) {
		const struct store_zone *zone = &policy->zones[i];

		if (ca_host_is_in(host, zone->name) && (best == NULL ||
		    strlen(zone->name) > strlen(best->name)))
			best = zone;
	}
	return best;
}

static void
add_zone_id(struct ca_zone_ids *zone_ids, int64_t id)
{
	for (uint32_t i = 0; i < zone_ids->num; i++)
		if (zone_ids->ids[i] == id)
			return;
	oc_assert(zone_ids->num < STORE_ZONES_MAX);
	zone_ids->ids[zone_ids->num++] = id;
}

static enum oc_err
check_zone(struct decision *d, const struct x509_san *san,
    struct ca_zone_ids *zone_ids)
{
	const struct store_zone *zone;
	char host[CA_HOST_MAX];

	if (!host_of(san, host) || strchr(host, '*') != NULL)
		return refuse_name(d, CA_RULE_NAME_MALFORMED,
		    "it is no host name");
	if (strchr(host, '.') == NULL && san->value.p[0] == '*')
		return refuse_name(d, CA_RULE_NAME_WILDCARD,
		    "it covers a top-level domain");
	zone = most_specific(d->policy, host);
	if (zone == NULL)
		return refuse_name(d, CA_RULE_ZONE, "it is in none of its "
		    "zones: see \"ocsign zone list\"");
	if (zone->account_id != d->policy->account.id)
		return refuse_name(d, CA_RULE_ZONE_DELEGATED,
		    "it is in a zone of another account");
	if (zone->state != STORE_ZONE_ACTIVE)
		return refuse_name(d, CA_RULE_ZONE_PAUSED,
		    "its zone is paused");
	add_zone_id(zone_ids, zone->id);
	ca_explain(d->explanation, "subjectAltName", CA_FROM_ZONE, zone->name,
	    "%s", d->name);
	return OC_OK;
}

static enum oc_err
check_names(struct decision *d, const struct ca_profile *profile,
    const struct ca_names *names, struct ca_zone_ids *zone_ids)
{
	unsigned kinds = profile == NULL || profile->account_names == 0 ?
	    CA_NAME_DNS : profile->account_names;

	for (uint32_t i = 0; i < names->num_sans; i++) {
		const struct x509_san *san = &names->sans[i];
		enum oc_err err = OC_OK;

		x509_san_format(san, d->name);
		if ((kind_bit(san->kind) & kinds) == 0)
			err = refuse_name(d, CA_RULE_NAME_KIND,
			    "the profile gives accounts no such names");
		else if (san->kind == X509_SAN_DNS)
			err = check_zone(d, san, zone_ids);
		if (err != OC_OK)
			return err;
	}
	return OC_OK;
}

enum oc_err
ca_policy_refuse(const struct store_reserved *reserved, const char *account,
    struct ca_explanation *explanation, struct oc_error *error)
{
	switch (reserved->outcome) {
	case STORE_OUTCOME_RESERVED:
	case STORE_OUTCOME_REPEATED:
	case STORE_OUTCOME_PENDING:
		return OC_OK;
	case STORE_OUTCOME_DISABLED:
		return ca_refuse(explanation, CA_RULE_ACCOUNT, OC_ERR_REFUSED,
		    error, "account %s is disabled: \"ocsign account enable "
		    "%s\" if that is meant", account, account);
	case STORE_OUTCOME_ZONE:
		return ca_refuse(explanation, CA_RULE_ZONE, OC_ERR_REFUSED,
		    error, "a zone of account %s was paused or removed "
		    "meanwhile: ask again", account);
	case STORE_OUTCOME_LIVE:
		return ca_refuse(explanation, CA_RULE_QUOTA, OC_ERR_REFUSED,
		    error, "account %s has %" PRId64 " live certificates and "
		    "may have %" PRId64 ": revoke one, or raise --live-max",
		    account, reserved->count, reserved->limit);
	case STORE_OUTCOME_PERIOD:
		return ca_refuse(explanation, CA_RULE_QUOTA_PERIOD,
		    OC_ERR_REFUSED, error, "account %s was given %" PRId64
		    " certificates of late and may be given %" PRId64
		    ": wait, or raise --period-max", account,
		    reserved->count, reserved->limit);
	}
	return OC_ERR_INTERNAL;
}

/* As the store will see it, unless something changes meanwhile. */
static struct store_reserved
expected_outcome(const struct ca_policy *policy)
{
	const struct store_account *account = &policy->account;
	const struct store_usage *usage = &policy->usage;
	struct store_reserved r = { .outcome = STORE_OUTCOME_RESERVED };

	if (account->live_max > 0 && usage->num_live >= account->live_max) {
		r.outcome = STORE_OUTCOME_LIVE;
		r.limit = account->live_max;
		r.count = usage->num_live;
	} else if (account->period_max > 0 &&
	    usage->num_period >= account->period_max) {
		r.outcome = STORE_OUTCOME_PERIOD;
		r.limit = account->period_max;
		r.count = usage->num_period;
	}
	return r;
}

static void
explain_account(const struct ca_policy *policy, struct ca_explanation *x)
{
	const struct store_account *account = &policy->account;
	char detail[128] = "", of_late[64] = "";

	if (account->live_max > 0)
		snprintf(detail, sizeof(detail), "%" PRId64 " of %" PRId64
		    " certificates live", policy->usage.num_live,
		    account->live_max);
	if (account->period_max > 0)
		snprintf(of_late, sizeof(of_late), "%s%" PRId64 " of %" PRId64
		    " of late", detail[0] != '\0' ? ", " : "",
		    policy->usage.num_period, account->period_max);
	strcat(detail, of_late);
	ca_explain(x, "account", CA_FROM_ACCOUNT, detail, "%s",
	    account->name);
}

enum oc_err
ca_policy_check(const struct ca_policy *policy,
    const struct ca_profile *profile, const struct ca_names *names,
    struct ca_zone_ids *zone_ids, struct ca_explanation *explanation,
    struct oc_error *error)
{
	struct decision d = {
		.policy = policy, .explanation = explanation, .error = error
	};
	struct store_reserved outcome = {
		.outcome = STORE_OUTCOME_DISABLED
	};
	struct ca_zone_ids found = { .num = 0 };
	enum oc_err err;

	explain_account(policy, explanation);
	if (policy->account.state != STORE_ACCOUNT_ACTIVE)
		return ca_policy_refuse(&outcome, policy->account.name,
		    explanation, error);
	if (names->num_sans == 0)
		return ca_refuse(explanation, CA_RULE_NAMES_MISSING,
		    OC_ERR_REFUSED, error, "account %s asks for no name: "
		    "name a host in one of its zones", policy->account.name);
	err = check_names(&d, profile, names, &found);
	if (err != OC_OK)
		return err;
	outcome = policy->leaves_quotas ? (struct store_reserved){
	    .outcome = STORE_OUTCOME_RESERVED } : expected_outcome(policy);
	err = ca_policy_refuse(&outcome, policy->account.name, explanation,
	    error);
	if (err == OC_OK)
		*zone_ids = found;
	return err;
}
