/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on the subject's name. */
#include "lint/view.h"

#include <string.h>

#include "x509/name_types.h"

static bool
is_name_malformed(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->subject.tlv.len > 0 && !c->subject.is_read &&
	    lint_found(d, "not a Name");
}

static bool
is_ca_subject_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->subject.tlv.len == 2 &&
	    lint_found(d, "a CA without a name");
}

/* --- country ---------------------------------------------------------- */

static bool
is_country_type_wrong(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	const struct lint_attribute *a = lint_find_attribute(&c->subject,
	    DER_OID_COUNTRY);

	(void)rule;
	return a != NULL && a->tag != DER_PRINTABLE_STRING &&
	    lint_found(d, "a string with the tag %02X", a->tag);
}

/* ISO 3166-1 alpha-2, and XX, which the Baseline Requirements give to those
 * who have none (7.1.4.2.2). */
static const char countries[] =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBY"
    "BZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFK"
    "FMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIR"
    "ISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMK"
    "MLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPM"
    "PNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTF"
    "TGTHTJTKTLTMTNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXXYEYTZAZMZW";

static bool
is_country_unknown(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_attribute *a = lint_find_attribute(&c->subject,
	    DER_OID_COUNTRY);
	char text[LINT_TEXT_MAX];
	size_t i;

	(void)rule;
	if (a == NULL)
		return false;
	for (i = 0; a->value.len == 2 && i < sizeof(countries) - 1; i += 2)
		if (memcmp(countries + i, a->value.p, 2) == 0)
			return false;
	return lint_found(d, "C=%s", lint_text(a->value, text));
}

/* --- strings ---------------------------------------------------------- */

/* PrintableString, X.680 41.4. */
static bool
is_printable(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr(" '()+,-./:=?", c) != NULL);
}

static bool
has_bad_printable(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];
	uint32_t i;
	size_t j;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];

		for (j = 0; a->tag == DER_PRINTABLE_STRING &&
		    j < a->value.len; j++)
			if (!is_printable(a->value.p[j]))
				return lint_found(d, "%s=%s",
				    der_oid_name(a->id),
				    lint_text(a->value, text));
	}
	return false;
}

static bool
is_ia5_type(enum der_oid id)
{
	return id == DER_OID_EMAIL_ADDRESS || id == DER_OID_DOMAIN_COMPONENT;
}

/* Country has a rule of its own, and types that we do not know may be of any
 * syntax. */
static bool
has_wrong_string(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	uint32_t i;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];

		if (a->id == DER_OID_UNKNOWN || a->id == DER_OID_COUNTRY)
			continue;
		if (is_ia5_type(a->id) ? a->tag != DER_IA5_STRING :
		    a->tag != DER_UTF8_STRING &&
		    a->tag != DER_PRINTABLE_STRING)
			return lint_found(d, "%s is a string with the tag "
			    "%02X", der_oid_name(a->id), a->tag);
	}
	return false;
}

/* The length in characters; false if the octets are not of that type. */
static bool
count_characters(const struct lint_attribute *a, size_t *num)
{
	struct der_bytes rest = a->value;
	uint32_t character;
	size_t n;

	if (a->tag == DER_UTF8_STRING) {
		for (n = 0; rest.len > 0; n++)
			if (!x509_utf8_get(&rest, &character))
				return false;
	} else if (a->tag == DER_BMP_STRING)
		n = a->value.len / 2;
	else
		n = a->value.len;
	*num = n;
	return true;
}

static bool
has_bad_utf8(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];
	uint32_t i;
	size_t num;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++)
		if (!count_characters(&c->subject.attributes[i], &num))
			return lint_found(d, "%s=%s",
			    der_oid_name(c->subject.attributes[i].id),
			    lint_text(c->subject.attributes[i].value, text));
	return false;
}

/* rule->argument: the type in the high half, the bound in the low. */
static bool
is_attribute_long(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	size_t max = rule->argument & 0xffff, num;
	uint32_t i;

	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];

		if ((unsigned int)a->id == rule->argument >> 16 &&
		    count_characters(a, &num) && num > max)
			return lint_found(d, "%s of %zu characters; %zu are "
			    "allowed", der_oid_name(a->id), num, max);
	}
	return false;
}

/* --- blanks, control characters, RDNs --------------------------------- */

static bool
has_control(const struct lint_attribute *a)
{
	struct der_bytes rest = a->value;
	uint32_t character;
	size_t i;

	if (a->tag == DER_BMP_STRING)
		return false;
	if (a->tag == DER_UTF8_STRING) {
		while (rest.len > 0 && x509_utf8_get(&rest, &character))
			if (x509_is_control(character))
				return true;
		return false;
	}
	for (i = 0; i < a->value.len; i++)
		if (a->value.p[i] < 0x20 || a->value.p[i] == 0x7f)
			return true;
	return false;
}

/* In a PrintableString it is one that does not belong there already. */
static bool
has_control_character(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];
	uint32_t i;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];

		if (a->id != DER_OID_UNKNOWN &&
		    a->tag != DER_PRINTABLE_STRING && has_control(a))
			return lint_found(d, "%s=%s", der_oid_name(a->id),
			    lint_text(a->value, text));
	}
	return false;
}

enum end { LEADING, TRAILING };

static bool
has_blank(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < c->subject.num_attributes; i++) {
		const struct lint_attribute *a = &c->subject.attributes[i];
		struct der_bytes v = a->value;

		if (v.len > 0 && v.p[rule->argument == LEADING ? 0 :
		    v.len - 1] == ' ')
			return lint_found(d, "%s=\"%s\"",
			    der_oid_name(a->id), lint_text(v, text));
	}
	return false;
}

static bool
has_empty_rdn(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	uint32_t i;

	(void)rule;
	if (c->subject.has_empty_rdn)
		return lint_found(d, "an RDN without attributes");
	for (i = 0; i < c->subject.num_attributes; i++)
		if (c->subject.attributes[i].value.len == 0)
			return lint_found(d, "%s without a value",
			    der_oid_name(c->subject.attributes[i].id));
	return false;
}

static bool
has_multiple_rdn(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->subject.has_multiple_rdn &&
	    lint_found(d, "an RDN of several attributes");
}

/* BR 7.1.4.2: domainComponent, C, ST, L, postalCode, street, O, (names), OU,
 * CN; others behind them in any order. */
static bool
is_order_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	static const enum der_oid order[] = { DER_OID_DOMAIN_COMPONENT,
	    DER_OID_COUNTRY, DER_OID_STATE, DER_OID_LOCALITY,
	    DER_OID_POSTAL_CODE, DER_OID_STREET, DER_OID_ORGANIZATION,
	    DER_OID_ORGANIZATIONAL_UNIT, DER_OID_COMMON_NAME };
	size_t at = 0, j;
	uint32_t i;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++) {
		enum der_oid id = c->subject.attributes[i].id;

		for (j = 0; j < sizeof(order) / sizeof(order[0]); j++)
			if (order[j] == id)
				break;
		if (j == sizeof(order) / sizeof(order[0]))
			continue;
		if (j < at)
			return lint_found(d, "%s behind %s",
			    der_oid_name(id), der_oid_name(order[at]));
		at = j;
	}
	return false;
}

static bool
has_unit(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_attribute *a = lint_find_attribute(&c->subject,
	    DER_OID_ORGANIZATIONAL_UNIT);
	char text[LINT_TEXT_MAX];

	(void)rule;
	return a != NULL &&
	    lint_found(d, "OU=%s", lint_text(a->value, text));
}

static bool
has_more_common_names(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	uint32_t i, num = 0;

	(void)rule;
	for (i = 0; i < c->subject.num_attributes; i++)
		num += c->subject.attributes[i].id == DER_OID_COMMON_NAME;
	return num > 1 && lint_found(d, "%u of them", num);
}

/* rule->argument: the type that must be there, with something in it. */
static bool
is_attribute_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_attribute *a = lint_find_attribute(&c->subject,
	    (enum der_oid)rule->argument);

	return c->subject.is_read && (a == NULL || a->value.len == 0) &&
	    lint_found(d, "no %s",
	    der_oid_name((enum der_oid)rule->argument));
}

#define BOUND(oid, max) .argument = (unsigned int)(oid) << 16 | (max), \
	.cert = is_attribute_long
const struct lint_rule lint_rules_name[] = {
	{ "subject_dn_malformed", 44, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.4", "the subject is not a Name",
	    .cert = is_name_malformed },
	{ "ca_subject_field_empty", 50, LINT_ERROR, LINT_PRIVATE, LINT_CAS,
	    "RFC 5280, 4.1.2.6", "a CA without a subject",
	    .cert = is_ca_subject_empty },
	{ "subject_dn_country_not_printable_string", 43, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, A.1",
	    "C is not a PrintableString", .cert = is_country_type_wrong },
	{ "subject_country_not_iso", 43, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, A.1; BR 7.1.2.7.4",
	    "C is no upper-case ISO 3166-1 code",
	    .cert = is_country_unknown },
	{ "subject_printable_string_badalpha", 44, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.4",
	    "PrintableString with other characters",
	    .cert = has_bad_printable },
	{ "subject_rdns_correct_encoding", 44, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.4",
	    "neither PrintableString nor UTF8String",
	    .cert = has_wrong_string },
	{ "subject_utf8_malformed", 44, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 3629, 3", "a UTF8String that is not UTF-8",
	    .cert = has_bad_utf8 },
	{ "subject_common_name_max_length", 45, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, A.1", "CN of more than 64 characters",
	    BOUND(DER_OID_COMMON_NAME, 64) },
	{ "subject_organization_name_max_length", 45, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, A.1",
	    "O of more than 64 characters",
	    BOUND(DER_OID_ORGANIZATION, 64) },
	{ "subject_organizational_unit_name_max_length", 45, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, A.1",
	    "OU of more than 64 characters",
	    BOUND(DER_OID_ORGANIZATIONAL_UNIT, 64) },
	{ "subject_locality_name_max_length", 45, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, A.1", "L of more than 128 characters",
	    BOUND(DER_OID_LOCALITY, 128) },
	{ "subject_state_name_max_length", 45, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, A.1", "ST of more than 128 characters",
	    BOUND(DER_OID_STATE, 128) },
	{ "subject_street_address_max_length", 45, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "X.520, ub-street-address",
	    "street of more than 128 characters",
	    BOUND(DER_OID_STREET, 128) },
	{ "subject_postal_code_max_length", 45, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "X.520, ub-postal-code",
	    "postalCode of more than 40 characters",
	    BOUND(DER_OID_POSTAL_CODE, 40) },
	{ "subject_dn_serial_number_max_length", 45, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, A.1",
	    "serialNumber of more than 64 characters",
	    BOUND(DER_OID_SERIAL_NUMBER, 64) },
	{ "subject_email_max_length", 45, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, A.1", "emailAddress of more than 255 characters",
	    BOUND(DER_OID_EMAIL_ADDRESS, 255) },
	{ "subject_contains_control_characters", 46, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 7.1",
	    "a control character", .cert = has_control_character },
	{ "subject_dn_leading_whitespace", 46, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.4.2", "a blank in front",
	    .argument = LEADING, .cert = has_blank },
	{ "subject_dn_trailing_whitespace", 46, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.4.2", "a blank at the end",
	    .argument = TRAILING, .cert = has_blank },
	{ "subject_empty_rdn", 46, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.4", "an RDN with nothing in it",
	    .cert = has_empty_rdn },
	{ "subject_multiple_rdn", 46, LINT_ERROR, LINT_PUBLIC, LINT_ALL,
	    "BR 7.1.4.1", "an RDN of several attributes",
	    .cert = has_multiple_rdn },
	{ "invalid_subject_rdn_order", 46, LINT_ERROR, LINT_PUBLIC, LINT_ALL,
	    "BR 7.1.4.2", "attributes in another order",
	    .cert = is_order_wrong },
	{ "organizational_unit_name_prohibited", 46, LINT_ERROR, LINT_PUBLIC,
	    LINT_ALL & ~LINT_BIT(LINT_OTHER), "BR 7.1.2.7.4; BR 7.1.2.10.2",
	    "an OU", .cert = has_unit },
	{ "extra_subject_common_names", 21, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1.4.3", "more than one CN",
	    .cert = has_more_common_names },
	{ "ca_country_name_missing", 50, LINT_ERROR, LINT_PUBLIC, LINT_CAS,
	    "BR 7.1.2.10.2", "a CA without C",
	    .argument = DER_OID_COUNTRY, .cert = is_attribute_missing },
	{ "ca_organization_name_missing", 50, LINT_ERROR, LINT_PUBLIC,
	    LINT_CAS, "BR 7.1.2.10.2", "a CA without O",
	    .argument = DER_OID_ORGANIZATION, .cert = is_attribute_missing },
	{ "ca_common_name_missing", 50, LINT_ERROR, LINT_PUBLIC, LINT_CAS,
	    "BR 7.1.2.10.2", "a CA without CN",
	    .argument = DER_OID_COMMON_NAME, .cert = is_attribute_missing },
	{ NULL }
};
