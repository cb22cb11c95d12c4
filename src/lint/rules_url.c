/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules on what is in authorityInfoAccess and cRLDistributionPoints,
 * RFC 5280 4.2.2.1 and 4.2.1.13.
 */
#include "lint/view.h"

struct access {
	enum der_oid method;
	uint8_t tag;
	struct der_bytes location;
};

/* AccessDescription ::= SEQUENCE { OBJECT IDENTIFIER, GeneralName } */
static bool
next_access(struct der_reader *r, struct access *a)
{
	struct der_reader inner;
	struct der_bytes oid;

	if (der_at_end(r) || !der_enter(r, DER_SEQUENCE, &inner) ||
	    !der_get_oid(&inner, &oid) ||
	    !der_get_any(&inner, &a->tag, &a->location, NULL))
		return false;
	a->method = der_oid_find(oid);
	return true;
}

static struct der_reader
list_of(const struct lint_cert *c, enum der_oid id)
{
	const struct lint_extension *e = lint_find_extension(c, id);
	struct der_bytes contents = { NULL, 0 };

	if (e != NULL && !der_read_whole(e->value, DER_SEQUENCE, &contents))
		contents = (struct der_bytes){ NULL, 0 };
	return der_reader_of(contents);
}

/* rule->argument: the method. */
static bool
is_access_not_http(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = list_of(c, DER_OID_AUTHORITY_INFO_ACCESS);
	char text[LINT_TEXT_MAX];
	struct access a;

	while (next_access(&r, &a))
		if ((unsigned int)a.method == rule->argument &&
		    (a.tag != LINT_NAME_URI || !lint_is_http_url(a.location)))
			return lint_found(d, "%s",
			    lint_text(a.location, text));
	return false;
}

static bool
is_access_repeated(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = list_of(c, DER_OID_AUTHORITY_INFO_ACCESS), s;
	char text[LINT_TEXT_MAX];
	struct access a, b;
	unsigned int num;

	(void)rule;
	/* Nobody has eight; what is behind is not compared. */
	for (num = 0; num < 8 && next_access(&r, &a); num++)
		for (s = r; next_access(&s, &b);)
			if (a.tag == b.tag &&
			    der_bytes_equal(a.location, b.location))
				return lint_found(d, "%s", lint_text(
				    a.location, text));
	return false;
}

/*
 * DistributionPoint ::= SEQUENCE {
 *     distributionPoint  [0] CHOICE { fullName [0], nameRelative.. [1] },
 *     reasons            [1] ReasonFlags OPTIONAL,
 *     cRLIssuer          [2] GeneralNames OPTIONAL }
 */
struct point {
	struct der_reader names;	/* of fullName */
	bool has_name;			/* distributionPoint, not empty */
	bool has_full_name, has_reasons, has_issuer;
};

static bool
next_point(struct der_reader *r, struct point *p)
{
	struct der_reader inner, choice;
	uint8_t tag;

	*p = (struct point){ 0 };
	p->names = der_reader_of((struct der_bytes){ NULL, 0 });
	if (der_at_end(r) || !der_enter(r, DER_SEQUENCE, &inner))
		return false;
	if (der_enter_optional(&inner, DER_CONTEXT(0), &choice)) {
		p->has_name = !der_at_end(&choice);
		p->has_full_name = der_enter_optional(&choice,
		    DER_CONTEXT(0), &p->names);
	}
	while (!der_at_end(&inner) && der_get_any(&inner, &tag, NULL, NULL)) {
		p->has_reasons |= tag == DER_CONTEXT_PRIMITIVE(1);
		p->has_issuer |= tag == DER_CONTEXT(2);
	}
	return true;
}

static bool
is_point_not_http(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = list_of(c, DER_OID_CRL_DISTRIBUTION_POINTS);
	char text[LINT_TEXT_MAX];
	struct der_bytes value;
	struct point p;
	uint8_t tag;

	(void)rule;
	while (next_point(&r, &p)) {
		if (p.has_name && !p.has_full_name)
			return lint_found(d, "nameRelativeToCRLIssuer");
		while (lint_next_name(&p.names, &tag, &value))
			if (tag != LINT_NAME_URI || !lint_is_http_url(value))
				return lint_found(d, "%s", lint_text(value,
				    text));
	}
	return false;
}

static bool
is_point_incomplete(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = list_of(c, DER_OID_CRL_DISTRIBUTION_POINTS);
	struct point p;

	(void)rule;
	while (next_point(&r, &p))
		if (!p.has_name || (p.has_full_name &&
		    der_at_end(&p.names)))
			return lint_found(d, "a point without a name");
	return false;
}

/* rule->argument: 1 for reasons, 2 for cRLIssuer. */
static bool
has_in_point(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = list_of(c, DER_OID_CRL_DISTRIBUTION_POINTS);
	struct point p;

	while (next_point(&r, &p))
		if (rule->argument == 1 ? p.has_reasons : p.has_issuer)
			return lint_found(d, "%s in a point",
			    rule->argument == 1 ? "reasons" : "cRLIssuer");
	return false;
}

const struct lint_rule lint_rules_url[] = {
	{ "aia_ocsp_must_have_http_only", 39, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.2.7.7", "an OCSP URL that is not http://",
	    .argument = DER_OID_AD_OCSP, .cert = is_access_not_http },
	{ "aia_ca_issuers_must_have_http_only", 39, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.2.7.7", "a caIssuers URL that is not http://",
	    .argument = DER_OID_AD_CA_ISSUERS, .cert = is_access_not_http },
	{ "aia_unique_locations", 39, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "BR 7.1.2.7.7", "the same URL twice",
	    .cert = is_access_repeated },
	{ "crl_distrib_points_not_http", 40, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.2.11.2", "a CRL URL that is not http://",
	    .cert = is_point_not_http },
	{ "distribution_point_incomplete", 40, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.13", "a point without a name",
	    .cert = is_point_incomplete },
	{ "distribution_point_reasons_present", 40, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.2.11.2", "a point for some reasons only",
	    .argument = 1, .cert = has_in_point },
	{ "crlissuer_must_not_be_present_in_cdp", 40, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "BR 7.1.2.11.2",
	    "a point with another issuer",
	    .argument = 2, .cert = has_in_point },
	{ NULL }
};
