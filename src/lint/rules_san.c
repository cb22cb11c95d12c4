/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on subjectAltName, RFC 5280 4.2.1.6, and the common name beside it. */
#include "lint/view.h"

#include <arpa/inet.h>
#include <string.h>

#include "lint/dns.h"

/* Of so many names, duplicates are looked for; a certificate of ours has 200
 * at most. */
#define DUPLICATES_MAX 1024

static const struct lint_extension *
san_of(const struct lint_cert *c)
{
	return lint_find_extension(c, DER_OID_SUBJECT_ALT_NAME);
}

static bool
is_san_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && san_of(c) == NULL &&
	    lint_found(d, "no subjectAltName");
}

static bool
is_san_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = san_of(c);

	(void)rule;
	return e != NULL && e->value.len == 2 &&
	    e->value.p[0] == DER_SEQUENCE && lint_found(d, "no names in it");
}

static bool
is_san_not_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = san_of(c);

	(void)rule;
	return e != NULL && !e->is_critical && c->subject.tlv.len == 2 &&
	    lint_found(d, "the subject is empty, the names not critical");
}

static bool
is_san_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = san_of(c);

	(void)rule;
	return e != NULL && e->is_critical && c->subject.tlv.len > 2 &&
	    lint_found(d, "there is a subject, and the names are critical");
}

/* --- DNS names -------------------------------------------------------- */

/* In the order of rule->argument. */
static lint_dns_fn *const dns_questions[] = {
	lint_dns_has_long_label, lint_dns_has_empty_label, lint_dns_is_long,
	lint_dns_has_upper_case, lint_dns_is_not_ia5, lint_dns_has_nul,
	lint_dns_has_underscore, lint_dns_has_edge_hyphen,
	lint_dns_has_bad_character, lint_dns_has_inner_wildcard,
	lint_dns_is_bare_wildcard, lint_dns_has_reserved_label,
	lint_dns_is_ip_literal, lint_dns_is_wild_suffix,
};
enum dns_question {
	LONG_LABEL, EMPTY_LABEL, LONG_NAME, UPPER_CASE, NOT_IA5, NUL,
	UNDERSCORE, EDGE_HYPHEN, BAD_CHARACTER, INNER_WILDCARD,
	BARE_WILDCARD, RESERVED_LABEL, IP_LITERAL, WILD_SUFFIX
};

static bool
is_dns_name_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	char text[LINT_TEXT_MAX];
	struct der_bytes value;

	while (lint_next_name_of(&r, LINT_NAME_DNS, &value))
		if (dns_questions[rule->argument](value))
			return lint_found(d, "\"%s\"", lint_text(value,
			    text));
	return false;
}

/* rule->argument: the enum lint_idn that it is about. */
static bool
is_idn_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	const char *why = NULL;
	char text[LINT_TEXT_MAX];
	struct der_bytes value;

	while (lint_next_name_of(&r, LINT_NAME_DNS, &value))
		if ((unsigned int)lint_dns_idn(value, &why) ==
		    rule->argument)
			return lint_found(d, "%s: %s", lint_text(value,
			    text), why != NULL ? why : "it is not what its "
			    "Unicode form gives");
	return false;
}

/* --- other names ------------------------------------------------------ */

static bool
is_ip_malformed(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	struct der_bytes value;

	(void)rule;
	while (lint_next_name_of(&r, LINT_NAME_IP, &value))
		if (value.len != 4 && value.len != 16)
			return lint_found(d, "%zu octets", value.len);
	return false;
}

struct block {
	uint8_t prefix[6];
	unsigned int bits;
};

/* What IANA's special-purpose registries call not globally reachable. */
static const struct block blocks4[] = {
	{ { 0 }, 8 }, { { 10 }, 8 }, { { 100, 64 }, 10 }, { { 127 }, 8 },
	{ { 169, 254 }, 16 }, { { 172, 16 }, 12 }, { { 192, 0, 0 }, 24 },
	{ { 192, 0, 2 }, 24 }, { { 192, 168 }, 16 }, { { 198, 18 }, 15 },
	{ { 198, 51, 100 }, 24 }, { { 203, 0, 113 }, 24 }, { { 224 }, 4 },
	{ { 240 }, 4 },
};
static const struct block blocks6[] = {
	{ { 0x00 }, 8 }, { { 0x01 }, 8 }, { { 0x20, 0x01, 0x00 }, 23 },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, { { 0x20, 0x02 }, 16 },
	{ { 0x3f, 0xff, 0x00 }, 20 }, { { 0x5f, 0x00 }, 16 },
	{ { 0xfc }, 7 }, { { 0xfe, 0x80 }, 10 }, { { 0xff }, 8 },
};

static bool
is_in_block(const uint8_t *address, const struct block *b)
{
	unsigned int i;

	for (i = 0; i < b->bits; i++)
		if (((address[i / 8] ^ b->prefix[i / 8]) &
		    0x80 >> i % 8) != 0)
			return false;
	return true;
}

static bool
is_reserved(struct der_bytes address)
{
	const struct block *blocks = address.len == 4 ? blocks4 : blocks6;
	size_t i, num = address.len == 4 ? sizeof(blocks4) /
	    sizeof(blocks4[0]) : sizeof(blocks6) / sizeof(blocks6[0]);

	for (i = 0; i < num; i++)
		if (is_in_block(address.p, &blocks[i]))
			return true;
	return false;
}

static const char *
address_text(struct der_bytes address, char text[INET6_ADDRSTRLEN])
{
	text[0] = '\0';
	(void)!inet_ntop(address.len == 4 ? AF_INET : AF_INET6, address.p,
	    text, INET6_ADDRSTRLEN);
	return text;
}

static bool
has_reserved_ip(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	char text[INET6_ADDRSTRLEN];
	struct der_bytes value;

	(void)rule;
	while (lint_next_name_of(&r, LINT_NAME_IP, &value))
		if ((value.len == 4 || value.len == 16) &&
		    is_reserved(value))
			return lint_found(d, "%s", address_text(value,
			    text));
	return false;
}

/* rule->argument: the tag that must not be there. */
static bool
has_name_of_kind(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	char text[LINT_TEXT_MAX];
	uint8_t tag = (uint8_t)rule->argument;
	struct der_bytes value;

	if (!lint_next_name_of(&r, tag, &value))
		return false;
	return (tag & 0x20) != 0 ? lint_found(d, "[%d]", tag & 0x1f) :
	    lint_found(d, "%s", lint_text(value, text));
}

/* FNV-1a over the kind and the value, DNS names in lower case. */
static uint32_t
hash_name(uint8_t tag, struct der_bytes value)
{
	uint32_t hash = (2166136261u ^ tag) * 16777619u;
	size_t i;

	for (i = 0; i < value.len; i++) {
		uint8_t c = value.p[i];

		if (tag == LINT_NAME_DNS && c >= 'A' && c <= 'Z')
			c |= 0x20;
		hash = (hash ^ c) * 16777619u;
	}
	return hash;
}

static bool
is_same_name(uint8_t tag, struct der_bytes a, struct der_bytes b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++) {
		uint8_t difference = a.p[i] ^ b.p[i];
		uint8_t lower = a.p[i] | 0x20;

		if (difference != 0 && !(tag == LINT_NAME_DNS &&
		    difference == 0x20 && lower >= 'a' && lower <= 'z'))
			return false;
	}
	return true;
}

/* The n-th name, for one of which the hash was met before. */
static bool
is_there_before(const struct lint_cert *c, uint8_t tag,
    struct der_bytes value)
{
	struct der_reader r = der_reader_of(c->sans);
	struct der_bytes other;
	uint8_t other_tag;

	while (lint_next_name(&r, &other_tag, &other) && other.p != value.p)
		if (other_tag == tag && is_same_name(tag, other, value))
			return true;
	return false;
}

static bool
has_duplicate(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_reader r = der_reader_of(c->sans);
	uint32_t hashes[DUPLICATES_MAX], num = 0, i;
	char text[LINT_TEXT_MAX];
	struct der_bytes value;
	uint8_t tag;

	(void)rule;
	for (; num < DUPLICATES_MAX && lint_next_name(&r, &tag, &value);
	    num++) {
		hashes[num] = hash_name(tag, value);
		for (i = 0; i < num; i++)
			if (hashes[i] == hashes[num] &&
			    is_there_before(c, tag, value))
				return lint_found(d, "%s", lint_text(value,
				    text));
	}
	return false;
}

static bool
is_common_name(struct der_bytes cn, uint8_t tag, struct der_bytes value)
{
	char text[INET6_ADDRSTRLEN];

	if (tag == LINT_NAME_IP && (value.len == 4 || value.len == 16)) {
		address_text(value, text);
		return der_bytes_equal(cn, (struct der_bytes){
		    (const uint8_t *)text, strlen(text) });
	}
	return tag == LINT_NAME_DNS && der_bytes_equal(cn, value);
}

static bool
is_common_name_other(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_attribute *cn = lint_find_attribute(&c->subject,
	    DER_OID_COMMON_NAME);
	struct der_reader r = der_reader_of(c->sans);
	char text[LINT_TEXT_MAX];
	struct der_bytes value;
	uint8_t tag;

	(void)rule;
	if (cn == NULL || c->sans.len == 0)
		return false;
	while (lint_next_name(&r, &tag, &value))
		if (is_common_name(cn->value, tag, value))
			return false;
	return lint_found(d, "CN=%s", lint_text(cn->value, text));
}

#ifdef HAVE_LIBPSL
#define SUFFIX_SEVERITY LINT_ERROR
#define SUFFIX_ABOUT "\"*.\" in front of a public suffix"
#else
/* It cannot be told: said of each wildcard, and no error. */
#define SUFFIX_SEVERITY LINT_NOTICE
#define SUFFIX_ABOUT "skipped: this build has no libpsl"
#endif

#define DNS(question) .argument = (question), .cert = is_dns_name_bad
#define KIND(tag) .argument = (tag), .cert = has_name_of_kind
#define SERVER LINT_BIT(LINT_SERVER)
const struct lint_rule lint_rules_san[] = {
	{ "ext_san_missing", 19, LINT_ERROR, LINT_PRIVATE, SERVER,
	    "BR 7.1.2.7.12; RFC 6125, 6.4.4", "no subjectAltName",
	    .cert = is_san_missing },
	{ "ext_san_no_entries", 19, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.6", "a subjectAltName without names",
	    .cert = is_san_empty },
	{ "ext_san_not_critical_without_subject", 20, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.6",
	    "no subject, and the names not critical",
	    .cert = is_san_not_critical },
	{ "ext_san_critical_with_subject_dn", 20, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.6; BR 7.1.2.7.12",
	    "a subject, and the names critical", .cert = is_san_critical },
	{ "subject_common_name_not_exactly_from_san", 21, LINT_ERROR,
	    LINT_PUBLIC, SERVER, "BR 7.1.4.3",
	    "a CN that is none of the names, octet for octet",
	    .cert = is_common_name_other },
	{ "dnsname_label_too_long", 22, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.6; RFC 1034, 3.5",
	    "a label of more than 63 octets", DNS(LONG_LABEL) },
	{ "dnsname_contains_empty_label", 22, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.6; RFC 1034, 3.5",
	    "an empty label, or a dot at the end", DNS(EMPTY_LABEL) },
	{ "ext_san_dns_name_too_long", 22, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 1035, 2.3.4", "a name of more than 253 octets",
	    DNS(LONG_NAME) },
	{ "dnsname_not_lower_case", 22, LINT_WARNING, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 7.2; RFC 4343", "upper case in a name",
	    DNS(UPPER_CASE) },
	{ "ext_san_dns_not_ia5_string", 22, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.6", "a name that is not ASCII",
	    DNS(NOT_IA5) },
	{ "san_dns_name_includes_null_char", 23, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 1034, 3.5", "a NUL in a name", DNS(NUL) },
	{ "dnsname_underscore_present", 23, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.6; BR 7.1.4.2.1",
	    "an underscore in a name", DNS(UNDERSCORE) },
	{ "dnsname_hyphen_at_label_edge", 23, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 1034, 3.5",
	    "a label that begins or ends with a hyphen",
	    DNS(EDGE_HYPHEN) },
	{ "dnsname_bad_character_in_label", 23, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 1034, 3.5",
	    "not letters, digits and hyphens", DNS(BAD_CHARACTER) },
	{ "dnsname_wildcard_only_in_left_label", 24, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 6125, 6.4.3; BR 1.6.1",
	    "\"*\" is not the whole left-most label",
	    DNS(INNER_WILDCARD) },
	{ "san_bare_wildcard", 24, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 6125, 6.4.3; BR 1.6.1", "nothing but \"*\"",
	    DNS(BARE_WILDCARD) },
	{ "dnsname_wildcard_left_of_public_suffix", 24, SUFFIX_SEVERITY,
	    LINT_PRIVATE, LINT_ALL, "BR 3.2.2.6", SUFFIX_ABOUT,
	    DNS(WILD_SUFFIX) },
	{ "idn_dnsname_malformed_unicode", 25, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5891, 4.2; RFC 9549, 4",
	    "an A-label that does not go there and back",
	    .argument = LINT_IDN_MALFORMED, .cert = is_idn_bad },
	{ "idn_dnsname_must_be_nfc", 25, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5891, 4.2.3.1", "an A-label whose Unicode is not in NFC",
	    .argument = LINT_IDN_NOT_NFC, .cert = is_idn_bad },
	{ "dnsname_contains_prohibited_reserved_label", 25, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5890, 2.3.1; BR 7.1.4.2.1",
	    "\"--\" third in a label that is no A-label", DNS(RESERVED_LABEL) },
	{ "dnsname_is_ip_address", 26, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.6", "an IP address as a DNS name",
	    DNS(IP_LITERAL) },
	{ "ext_san_ip_address_malformed", 26, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.6", "neither 4 nor 16 octets",
	    .cert = is_ip_malformed },
	{ "ext_san_contains_reserved_ip", 26, LINT_ERROR, LINT_PUBLIC,
	    LINT_LEAVES, "BR 4.2.2; RFC 6890", "a reserved IP address",
	    .cert = has_reserved_ip },
	{ "san_dns_name_duplicate", 27, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.1.6", "the same name twice",
	    .cert = has_duplicate },
	{ "ext_san_other_name_present", 28, LINT_ERROR, LINT_PRIVATE, SERVER,
	    "BR 7.1.2.7.12", "an otherName", KIND(LINT_NAME_OTHER) },
	{ "ext_san_rfc822_name_present", 28, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.12", "an e-mail address",
	    KIND(LINT_NAME_EMAIL) },
	{ "ext_san_x400_address_present", 28, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.12", "an x400Address",
	    KIND(LINT_NAME_X400) },
	{ "ext_san_directory_name_present", 28, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.12", "a directoryName",
	    KIND(LINT_NAME_DIRECTORY) },
	{ "ext_san_edi_party_name_present", 28, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.12", "an ediPartyName",
	    KIND(LINT_NAME_EDI_PARTY) },
	{ "ext_san_uniform_resource_identifier_present", 28, LINT_ERROR,
	    LINT_PRIVATE, SERVER, "BR 7.1.2.7.12", "a URI",
	    KIND(LINT_NAME_URI) },
	{ "ext_san_registered_id_present", 28, LINT_ERROR, LINT_PRIVATE,
	    SERVER, "BR 7.1.2.7.12", "a registeredID",
	    KIND(LINT_NAME_REGISTERED_ID) },
	{ NULL }
};
