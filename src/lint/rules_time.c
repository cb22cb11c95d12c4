/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on notBefore and notAfter, RFC 5280 4.1.2.5. */
#include "lint/view.h"

#include "der/time.h"

#define DAY_S INT64_C(86400)
#define BACKDATE_MAX_S (2 * DAY_S)

static const struct lint_time *
time_of(const struct lint_cert *c, int i, const char **name)
{
	*name = i == 0 ? "notBefore" : "notAfter";
	return i == 0 ? &c->not_before : &c->not_after;
}

static bool
is_form_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_time *t;
	const char *name;
	int i;

	(void)rule;
	for (i = 0; i < 2; i++) {
		t = time_of(c, i, &name);
		if (t->tag == DER_GENERALIZED_TIME && t->is_read &&
		    t->at <= DER_UTCTIME_LAST)
			return lint_found(d, "%s is %.14sZ as GeneralizedTime",
			    name, (const char *)t->contents.p);
	}
	return false;
}

static size_t
num_digits(struct der_bytes c)
{
	size_t n = 0;

	while (n < c.len && c.p[n] >= '0' && c.p[n] <= '9')
		n++;
	return n;
}

enum time_fault { NOT_ZULU, NO_SECONDS, FRACTION };

/* What is wrong with a time of this type, the first that fits. */
static bool
has_time_fault(const struct lint_time *t, enum time_fault fault)
{
	size_t seconds = t->tag == DER_UTC_TIME ? 12 : 14;
	size_t digits = num_digits(t->contents);

	switch (fault) {
	case NOT_ZULU:
		return t->contents.len > 0 &&
		    t->contents.p[t->contents.len - 1] != 'Z';
	case NO_SECONDS:
		return digits == seconds - 2;
	case FRACTION:
		return digits == seconds && t->contents.len > digits &&
		    (t->contents.p[digits] == '.' ||
		    t->contents.p[digits] == ',');
	}
	return false;
}

/* rule->argument: the type's tag in the high octet, the fault in the low. */
static bool
is_time_faulty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum time_fault fault = (enum time_fault)(rule->argument & 0xff);
	const struct lint_time *t;
	char text[LINT_TEXT_MAX];
	const char *name;
	int i;

	for (i = 0; i < 2; i++) {
		t = time_of(c, i, &name);
		if (t->tag == rule->argument >> 8 &&
		    has_time_fault(t, fault))
			return lint_found(d, "%s is %s", name,
			    lint_text(t->contents, text));
	}
	return false;
}

/* What is none of those. */
static bool
is_time_malformed(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_time *t;
	char text[LINT_TEXT_MAX];
	const char *name;
	int i;

	(void)rule;
	for (i = 0; i < 2; i++) {
		t = time_of(c, i, &name);
		if (t->tag != 0 && !t->is_read &&
		    !has_time_fault(t, NOT_ZULU) &&
		    !has_time_fault(t, NO_SECONDS) &&
		    !has_time_fault(t, FRACTION))
			return lint_found(d, "%s is %s", name,
			    lint_text(t->contents, text));
	}
	return false;
}

static bool
are_times_read(const struct lint_cert *c)
{
	return c->not_before.is_read && c->not_after.is_read;
}

/* notAfter is the last second: n days end one second before the same time of
 * day. */
static bool
has_extra_second(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	int64_t span = c->not_after.at - c->not_before.at;

	(void)rule;
	return are_times_read(c) && span > 0 && span % DAY_S == 0 &&
	    c->not_after.at != DER_TIME_MAX &&
	    lint_found(d, "%lld days and one second",
	    (long long)(span / DAY_S));
}

static bool
is_validity_negative(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char before[DER_ISO8601_MAX], after[DER_ISO8601_MAX];

	(void)rule;
	if (!are_times_read(c) || c->not_before.at < c->not_after.at)
		return false;
	der_format_iso8601(c->not_before.at, before);
	der_format_iso8601(c->not_after.at, after);
	return lint_found(d, "from %s to %s", before, after);
}

static bool
is_backdated(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	int64_t by = c->input->now - c->not_before.at;

	(void)rule;
	return c->input->now != 0 && c->not_before.is_read &&
	    by > BACKDATE_MAX_S && lint_found(d, "by %lld hours",
	    (long long)(by / 3600));
}

static bool
outlives_issuer(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char own[DER_ISO8601_MAX], theirs[DER_ISO8601_MAX];

	(void)rule;
	if (c->issuer == NULL || !c->not_after.is_read ||
	    !c->issuer->not_after.is_read ||
	    c->not_after.at <= c->issuer->not_after.at)
		return false;
	der_format_iso8601(c->not_after.at, own);
	der_format_iso8601(c->issuer->not_after.at, theirs);
	return lint_found(d, "ends %s, its issuer %s", own, theirs);
}

/*
 * BR 6.3.2: 200 days from 2026-03-15, 100 from 2027-03-15, 47 from
 * 2029-03-15; rule->argument is the number of days.
 */
static bool
is_too_long(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	static const struct {
		unsigned int days;
		int64_t from, until;
	} limits[] = {
		{ 200, INT64_C(1773532800), INT64_C(1805068800) },
		{ 100, INT64_C(1805068800), INT64_C(1868227200) },
		{ 47, INT64_C(1868227200), INT64_MAX },
	};
	size_t i;

	for (i = 0; limits[i].days != rule->argument; i++)
		;
	if (!are_times_read(c) || c->not_before.at < limits[i].from ||
	    c->not_before.at >= limits[i].until ||
	    c->not_after.at - c->not_before.at + 1 <=
	    limits[i].days * DAY_S)
		return false;
	return lint_found(d, "%lld days",
	    (long long)((c->not_after.at - c->not_before.at + DAY_S) /
	    DAY_S));
}

#define UTC(fault) .argument = DER_UTC_TIME << 8 | (fault)
#define GENERALIZED(fault) .argument = DER_GENERALIZED_TIME << 8 | (fault)
const struct lint_rule lint_rules_time[] = {
	{ "wrong_time_format_pre2050", 6, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.5", "GeneralizedTime before 2050",
	    .cert = is_form_wrong },
	{ "utc_time_not_in_zulu", 7, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.5.1", "a UTCTime without Z",
	    UTC(NOT_ZULU), .cert = is_time_faulty },
	{ "utc_time_does_not_include_seconds", 7, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.5.1", "a UTCTime without seconds",
	    UTC(NO_SECONDS), .cert = is_time_faulty },
	{ "generalized_time_not_in_zulu", 7, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.5.2", "a GeneralizedTime without Z",
	    GENERALIZED(NOT_ZULU), .cert = is_time_faulty },
	{ "generalized_time_does_not_include_seconds", 7, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.1.2.5.2",
	    "a GeneralizedTime without seconds",
	    GENERALIZED(NO_SECONDS), .cert = is_time_faulty },
	{ "generalized_time_includes_fraction_seconds", 7, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.1.2.5.2",
	    "a GeneralizedTime with fractions of a second",
	    GENERALIZED(FRACTION), .cert = is_time_faulty },
	{ "time_malformed", 7, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.5", "a time that is no date and time of day",
	    .cert = is_time_malformed },
	{ "validity_period_has_extra_second", 8, LINT_WARNING, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.5",
	    "valid for whole days and one second",
	    .cert = has_extra_second },
	{ "validity_time_not_positive", 9, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.5", "it ends before it begins",
	    .cert = is_validity_negative },
	{ "excessively_backdated", 9, LINT_ERROR, LINT_PUBLIC, LINT_ALL,
	    "BR 7.1.2.7", "notBefore is more than 48 hours ago",
	    .cert = is_backdated },
	{ "validity_beyond_issuer", 9, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 6.1.3", "valid for longer than its issuer",
	    .cert = outlives_issuer },
	{ "server_cert_valid_time_longer_than_200_days", 10, LINT_ERROR,
	    LINT_PUBLIC, LINT_BIT(LINT_SERVER), "BR 6.3.2",
	    "more than 200 days, from 2026-03-15",
	    .argument = 200, .cert = is_too_long },
	{ "server_cert_valid_time_longer_than_100_days", 10, LINT_ERROR,
	    LINT_PUBLIC, LINT_BIT(LINT_SERVER), "BR 6.3.2",
	    "more than 100 days, from 2027-03-15",
	    .argument = 100, .cert = is_too_long },
	{ "server_cert_valid_time_longer_than_47_days", 10, LINT_ERROR,
	    LINT_PUBLIC, LINT_BIT(LINT_SERVER), "BR 6.3.2",
	    "more than 47 days, from 2029-03-15",
	    .argument = 47, .cert = is_too_long },
	{ NULL }
};
