/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From when to when: RFC 5280, 4.1.2.5.  A life that was asked for in so
 * many words and does not fit into the issuer's is refused, naming the
 * longest that does; the profile's own is cut to fit, to one of its choices
 * if it has any.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/planning.h"
#include "der/time.h"

#define DAY_S INT64_C(86400)

/* notAfter of a life, as the profile has it. */
static int64_t
end_of(const struct ca_planning *p, int64_t validity_s)
{
	return p->plan->tbs.not_before + validity_s -
	    (p->profile->validity_end == CA_END_INCLUSIVE);
}

static bool
fits(const struct ca_planning *p, int64_t validity_s)
{
	return p->issuer == NULL ||
	    end_of(p, validity_s) <= p->issuer->cert.not_after;
}

/* "90d", or in seconds if it is no whole number of days. */
static void
format_life(int64_t validity_s, char text[32])
{
	if (validity_s % DAY_S == 0)
		snprintf(text, 32, "%lldd", (long long)(validity_s / DAY_S));
	else
		snprintf(text, 32, "%llds", (long long)validity_s);
}

/* The longest choice that fits; 0: none. */
static int64_t
longest_choice(const struct ca_planning *p)
{
	uint32_t i;

	for (i = p->profile->num_validity_choices; i-- > 0;)
		if (fits(p, p->profile->validity_choices_s[i]))
			return p->profile->validity_choices_s[i];
	return 0;
}

/* Whole days if it is a day at all. */
static int64_t
longest_life(const struct ca_planning *p)
{
	int64_t room = p->issuer->cert.not_after - p->plan->tbs.not_before +
	    (p->profile->validity_end == CA_END_INCLUSIVE);

	if (p->profile->num_validity_choices != 0)
		return longest_choice(p);
	if (room <= 0)
		return 0;
	return room >= DAY_S ? room - room % DAY_S : room;
}

static enum oc_err
check_choice(struct ca_planning *p, int64_t validity_s)
{
	const struct ca_profile *profile = p->profile;
	char life[32], list[CA_VALIDITIES_MAX * 12] = "";
	uint32_t i;

	for (i = 0; i < profile->num_validity_choices; i++) {
		if (profile->validity_choices_s[i] == validity_s)
			return OC_OK;
		format_life(profile->validity_choices_s[i], life);
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
		    "%s%s", i == 0 ? "" : ", ", life);
	}
	if (i == 0)
		return OC_OK;
	format_life(validity_s, life);
	return CA_REFUSE(p, CA_RULE_VALIDITY_CHOICE, "a validity of %s was "
	    "asked for; the profile %s has %s", life, profile->name, list);
}

/* A CA's policy is its profiles: who wants longer writes one that says so.
 * Who makes a CA, without a CSR, says so by that. */
static enum oc_err
check_longest(struct ca_planning *p, int64_t validity_s)
{
	const struct ca_profile *profile = p->profile;
	long long hours = profile->validity_s / 3600;
	char life[32];

	if (p->request->csr == NULL || profile->validity_s == 0 ||
	    validity_s <= profile->validity_s)
		return OC_OK;
	format_life(validity_s, life);
	return CA_REFUSE(p, CA_RULE_VALIDITY_PROFILE, "a validity of %s is "
	    "longer than the profile %s gives (%lld %s); choose a shorter "
	    "one, or another profile", life, profile->name,
	    hours < 48 ? hours : hours / 24, hours < 48 ? "hours" : "days");
}

static enum oc_err
refuse_length(struct ca_planning *p)
{
	int64_t longest = longest_life(p);
	char until[DER_ISO8601_MAX], life[32];

	der_format_iso8601(p->issuer->cert.not_after, until);
	format_life(longest, life);
	if (longest == 0)
		return CA_REFUSE(p, CA_RULE_VALIDITY_ISSUER, "it would "
		    "outlive its issuer, which ends at %s; no validity that "
		    "the profile %s has is shorter", until,
		    p->profile->name);
	return CA_REFUSE(p, CA_RULE_VALIDITY_ISSUER, "it would outlive its "
	    "issuer, which ends at %s; the longest --validity that fits is "
	    "%s", until, life);
}

/* A multiple of round_s; at least where the issuer begins, and on the
 * multiple behind that unless it is still to come. */
static void
plan_begin(struct ca_planning *p)
{
	const struct ca_profile *profile = p->profile;
	int64_t now = oc_clock_now_s(), at = now - profile->backdate_s;
	int64_t round_s = profile->round_s > 1 ? profile->round_s : 1, least;
	struct x509_tbs *tbs = &p->plan->tbs;
	char text[DER_ISO8601_MAX], detail[96];
	enum ca_source source = CA_FROM_CLOCK;

	snprintf(detail, sizeof(detail), "less %llds, rounded down to %llds",
	    (long long)profile->backdate_s, (long long)round_s);
	at -= at % round_s;
	if (p->request->not_before != 0 || profile->not_before != 0) {
		source = p->request->not_before != 0 ? CA_FROM_REQUEST :
		    CA_FROM_PROFILE;
		at = p->request->not_before != 0 ? p->request->not_before :
		    profile->not_before;
		snprintf(detail, sizeof(detail), "%s", "not-before");
	}
	if (p->issuer != NULL && at < p->issuer->cert.not_before) {
		at = p->issuer->cert.not_before;
		least = at + (round_s - at % round_s) % round_s;
		if (least <= now)
			at = least;
		source = CA_FROM_ISSUER;
		if (at == p->issuer->cert.not_before)
			snprintf(detail, sizeof(detail), "begins then");
		else
			snprintf(detail, sizeof(detail), "begins %llds "
			    "before, rounded up to %llds", (long long)(at -
			    p->issuer->cert.not_before), (long long)round_s);
	}
	tbs->not_before = at;
	der_format_iso8601(at, text);
	ca_explain(p->x, "notBefore", source, detail, "%s", text);
}

/* The profile's own life, cut to the issuer's. */
static enum oc_err
cut(struct ca_planning *p, int64_t *not_after, char detail[64])
{
	int64_t choice;

	if (p->plan->tbs.not_before > p->issuer->cert.not_after)
		return refuse_length(p);
	if (p->profile->num_validity_choices == 0) {
		*not_after = p->issuer->cert.not_after;
		snprintf(detail, 64, "ends then");
		return OC_OK;
	}
	choice = longest_choice(p);
	if (choice == 0)
		return refuse_length(p);
	*not_after = end_of(p, choice);
	snprintf(detail, 64, "the longest choice that fits");
	return OC_OK;
}

/* CFSSL's absolute one. */
static enum oc_err
plan_fixed_end(struct ca_planning *p)
{
	struct x509_tbs *tbs = &p->plan->tbs;
	char text[DER_ISO8601_MAX];

	tbs->not_after = p->profile->not_after;
	if (tbs->not_after <= tbs->not_before)
		return CA_REFUSE(p, CA_RULE_VALIDITY, "the profile %s ends "
		    "before the certificate would begin", p->profile->name);
	if (p->issuer != NULL && tbs->not_after > p->issuer->cert.not_after)
		return refuse_length(p);
	der_format_iso8601(tbs->not_after, text);
	ca_explain(p->x, "notAfter", CA_FROM_PROFILE, p->profile->name, "%s",
	    text);
	return OC_OK;
}

static enum oc_err
plan_times(struct ca_planning *p)
{
	bool is_asked = p->request->validity_s != 0;
	int64_t validity_s = is_asked ? p->request->validity_s :
	    p->profile->validity_s;
	enum ca_source source = is_asked ? CA_FROM_REQUEST : CA_FROM_PROFILE;
	struct x509_tbs *tbs = &p->plan->tbs;
	char text[DER_ISO8601_MAX], detail[64];
	enum oc_err err;

	plan_begin(p);
	if (p->profile->not_after != 0 && !is_asked)
		return plan_fixed_end(p);
	if (validity_s <= 0 || tbs->not_before > DER_TIME_MAX - validity_s)
		return CA_REFUSE(p, CA_RULE_VALIDITY,
		    "it would be valid for no time, or beyond the year 9999");
	err = check_choice(p, validity_s);
	if (err == OC_OK)
		err = check_longest(p, validity_s);
	if (err != OC_OK)
		return err;
	tbs->not_after = end_of(p, validity_s);
	format_life(validity_s, detail);
	if (!fits(p, validity_s) && is_asked)
		return refuse_length(p);
	if (!fits(p, validity_s)) {
		source = CA_FROM_ISSUER;
		err = cut(p, &tbs->not_after, detail);
		if (err != OC_OK)
			return err;
	}
	der_format_iso8601(tbs->not_after, text);
	ca_explain(p->x, "notAfter", source, detail, "%s", text);
	return OC_OK;
}

enum oc_err
ca_planning_times(struct ca_planning *p)
{
	const struct x509_tbs *tbs = &p->plan->tbs;
	enum oc_err err = plan_times(p);

	if (err == OC_OK)
		p->plan->validity_s = tbs->not_after - tbs->not_before +
		    (p->profile->validity_end == CA_END_INCLUSIVE);
	return err;
}
