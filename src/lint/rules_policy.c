/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on certificatePolicies, RFC 5280 4.2.1.4; what intermediates have. */
#include "lint/view.h"

#include "x509/name_types.h"

#define EXPLICIT_TEXT_MAX 200
#define POLICIES_MAX 32		/* that are compared with each other */

/* id-qt-cps and id-qt-unotice: 1.3.6.1.5.5.7.2.1 and .2 */
static const uint8_t qt_cps[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02,
    0x01 };
static const uint8_t qt_unotice[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
    0x02, 0x02 };

static struct der_reader
policies_of(const struct lint_cert *c)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_CERTIFICATE_POLICIES);
	struct der_bytes contents = { NULL, 0 };

	if (e != NULL && !der_read_whole(e->value, DER_SEQUENCE, &contents))
		contents = (struct der_bytes){ NULL, 0 };
	return der_reader_of(contents);
}

/*
 * PolicyInformation ::= SEQUENCE {
 *     policyIdentifier  OBJECT IDENTIFIER,
 *     policyQualifiers  SEQUENCE OF PolicyQualifierInfo OPTIONAL }
 */
static bool
next_policy(struct der_reader *r, struct der_bytes *oid,
    struct der_reader *qualifiers)
{
	struct der_reader inner;

	if (der_at_end(r) || !der_enter(r, DER_SEQUENCE, &inner) ||
	    !der_get_oid(&inner, oid))
		return false;
	if (!der_enter_optional(&inner, DER_SEQUENCE, qualifiers))
		*qualifiers = der_reader_of((struct der_bytes){ NULL, 0 });
	return true;
}

/* PolicyQualifierInfo ::= SEQUENCE { OBJECT IDENTIFIER, ANY } */
static bool
next_qualifier(struct der_reader *r, struct der_bytes *oid, uint8_t *tag,
    struct der_bytes *value)
{
	struct der_reader inner;

	return !der_at_end(r) && der_enter(r, DER_SEQUENCE, &inner) &&
	    der_get_oid(&inner, oid) &&
	    der_get_any(&inner, tag, value, NULL);
}

static bool
is_policy_twice(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = policies_of(c), qualifiers;
	struct der_bytes oids[POLICIES_MAX];
	char text[DER_OID_TEXT_MAX];
	size_t num, i;

	(void)rule;
	for (num = 0; num < POLICIES_MAX && next_policy(&r, &oids[num],
	    &qualifiers); num++)
		for (i = 0; i < num; i++)
			if (der_bytes_equal(oids[i], oids[num])) {
				der_oid_format(oids[num], text);
				return lint_found(d, "%s", text);
			}
	return false;
}

static bool
is_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_CERTIFICATE_POLICIES);

	(void)rule;
	return e != NULL && e->is_critical &&
	    lint_found(d, "certificatePolicies is critical");
}

/*
 * UserNotice ::= SEQUENCE {
 *     noticeRef     SEQUENCE { ... } OPTIONAL,
 *     explicitText  DisplayText OPTIONAL }
 *
 * The next one of a policy's qualifiers.
 */
struct notice {
	bool has_reference;
	uint8_t tag;			/* of explicitText; 0: none */
	struct der_bytes text;
};

typedef bool notice_fn(const struct notice *notice, struct lint_detail *d);

static bool
ask_notices(const struct lint_cert *c, notice_fn *question,
    struct lint_detail *d)
{
	struct der_reader r = policies_of(c), qualifiers, inner;
	struct der_bytes oid, value;
	struct notice notice;
	uint8_t tag;

	while (next_policy(&r, &oid, &qualifiers))
		while (next_qualifier(&qualifiers, &oid, &tag, &value)) {
			if (!der_bytes_equal(oid, DER_ARRAY(qt_unotice)) ||
			    tag != DER_SEQUENCE)
				continue;
			notice = (struct notice){ 0 };
			inner = der_reader_of(value);
			if (der_next_is(&inner, DER_SEQUENCE)) {
				notice.has_reference = true;
				der_get(&inner, DER_SEQUENCE, &value);
			}
			if (!der_at_end(&inner))
				der_get_any(&inner, &notice.tag,
				    &notice.text, NULL);
			if (question(&notice, d))
				return true;
		}
	return false;
}

static bool
is_reference_there(const struct notice *notice, struct lint_detail *d)
{
	return notice->has_reference && lint_found(d, "noticeRef");
}

static bool
is_text_not_utf8(const struct notice *notice, struct lint_detail *d)
{
	return notice->tag != 0 && notice->tag != DER_UTF8_STRING &&
	    lint_found(d, "explicitText with the tag %02X", notice->tag);
}

static bool
is_text_long(const struct notice *notice, struct lint_detail *d)
{
	struct der_bytes rest = notice->text;
	uint32_t character;
	size_t num = 0;

	if (notice->tag == DER_BMP_STRING)
		num = rest.len / 2;
	else if (notice->tag != DER_UTF8_STRING)
		num = rest.len;
	else
		while (rest.len > 0 && x509_utf8_get(&rest, &character))
			num++;
	return num > EXPLICIT_TEXT_MAX &&
	    lint_found(d, "%zu characters", num);
}

static bool
has_notice_reference(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return ask_notices(c, is_reference_there, d);
}

static bool
has_text_not_utf8(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return ask_notices(c, is_text_not_utf8, d);
}

static bool
has_long_text(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return ask_notices(c, is_text_long, d);
}

/* https:// is taken too: it is for people. */
static bool
is_cps_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = policies_of(c), qualifiers;
	char text[LINT_TEXT_MAX];
	struct der_bytes oid, value;
	uint8_t tag;

	(void)rule;
	while (next_policy(&r, &oid, &qualifiers))
		while (next_qualifier(&qualifiers, &oid, &tag, &value)) {
			if (!der_bytes_equal(oid, DER_ARRAY(qt_cps)))
				continue;
			if (tag != DER_IA5_STRING)
				return lint_found(d, "a string with the tag "
				    "%02X", tag);
			if (value.len > 8 && memcmp(value.p, "https://",
			    8) == 0 && value.p[8] != '/')
				continue;
			if (!lint_is_http_url(value))
				return lint_found(d, "%s", lint_text(value,
				    text));
		}
	return false;
}

/* --- what must be there ----------------------------------------------- */

/* rule->argument: the extension. */
static bool
is_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum der_oid id = (enum der_oid)rule->argument;

	return c->broken == NULL && lint_find_extension(c, id) == NULL &&
	    lint_found(d, "no %s", der_oid_name(id));
}

static bool
lacks_ca_issuers(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_AUTHORITY_INFO_ACCESS);
	struct der_bytes contents, oid;
	struct der_reader r, inner;

	(void)rule;
	if (c->broken != NULL)
		return false;
	if (e == NULL || !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return lint_found(d, "no authorityInfoAccess");
	for (r = der_reader_of(contents); !der_at_end(&r);)
		if (!der_enter(&r, DER_SEQUENCE, &inner) ||
		    (der_get_oid(&inner, &oid) && der_bytes_equal(oid,
		    der_oid_bytes(DER_OID_AD_CA_ISSUERS))))
			return false;
	return lint_found(d, "no caIssuers in authorityInfoAccess");
}

#define INTERMEDIATE LINT_BIT(LINT_INTERMEDIATE)
const struct lint_rule lint_rules_policy[] = {
	{ "ext_cert_policy_duplicate", 41, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.4", "the same policy twice",
	    .cert = is_policy_twice },
	{ "ext_cert_policy_marked_critical", 41, LINT_ERROR, LINT_PUBLIC,
	    LINT_ALL, "BR 7.1.2.7.9", "certificatePolicies is critical",
	    .cert = is_critical },
	{ "ext_cert_policy_explicit_text_not_utf8", 41, LINT_WARNING,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.4",
	    "explicitText is not a UTF8String",
	    .cert = has_text_not_utf8 },
	{ "ext_cert_policy_explicit_text_too_long", 41, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.4",
	    "explicitText of more than 200 characters",
	    .cert = has_long_text },
	{ "ext_cert_policy_contains_noticeref", 41, LINT_WARNING,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.4", "a noticeRef",
	    .cert = has_notice_reference },
	{ "ext_cert_policy_cps_not_http", 41, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.4; BR 7.1.2.7.9",
	    "a CPS that is not an http URL", .cert = is_cps_bad },
	{ "sub_cert_certificate_policies_missing", 41, LINT_ERROR,
	    LINT_PUBLIC, LINT_BIT(LINT_SERVER), "BR 7.1.2.7.9",
	    "no certificatePolicies",
	    .argument = DER_OID_CERTIFICATE_POLICIES, .cert = is_missing },
	{ "sub_ca_certificate_policies_missing", 50, LINT_ERROR, LINT_PUBLIC,
	    INTERMEDIATE, "BR 7.1.2.10.5", "no certificatePolicies",
	    .argument = DER_OID_CERTIFICATE_POLICIES, .cert = is_missing },
	{ "sub_ca_eku_missing", 50, LINT_ERROR, LINT_PUBLIC, INTERMEDIATE,
	    "BR 7.1.2.10.6", "no extKeyUsage",
	    .argument = DER_OID_EXTENDED_KEY_USAGE, .cert = is_missing },
	{ "sub_ca_aia_missing", 50, LINT_ERROR, LINT_PUBLIC, INTERMEDIATE,
	    "BR 7.1.2.10.3", "no caIssuers URL", .cert = lacks_ca_issuers },
	{ "sub_ca_crl_distribution_points_missing", 50, LINT_ERROR,
	    LINT_PUBLIC, INTERMEDIATE, "BR 7.1.2.11.2",
	    "no cRLDistributionPoints",
	    .argument = DER_OID_CRL_DISTRIBUTION_POINTS,
	    .cert = is_missing },
	{ NULL }
};
