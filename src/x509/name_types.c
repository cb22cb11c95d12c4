/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attribute types.  Upper bounds are those of RFC 5280 appendix
 * A.1 and X.520; names are OpenSSL's short ones, which are RFC 4514's where
 * that has one.
 */
#include "x509/name_types.h"

#include <strings.h>

#include "der/oid.h"

/* {joint-iso-itu-t(2) ds(5) attributeType(4) n} */
#define X520(n) DER_LITERAL("\x55\x04" n)
/* {... microsoft(311) 60 2 1 n}, where a company is registered */
#define JURISDICTION(n) \
	DER_LITERAL("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01" n)
/* {... ucl(2342) ... pilotAttributeType(1) n}, RFC 4519 */
#define PILOT(n) DER_LITERAL("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01" n)
/* {... pkcs-9(9) n}, RFC 2985 */
#define PKCS9(n) DER_LITERAL("\x2a\x86\x48\x86\xf7\x0d\x01\x09" n)

/* ub-name is 32768: longer than any Name we take. */
#define NAME_MAX_CHARS 1024

static const struct x509_name_type types[] = {
	{ "CN", NULL, "commonName", X520("\x03"), X509_FORM_DIRECTORY, 64 },
	{ "C", NULL, "countryName", X520("\x06"), X509_FORM_COUNTRY, 2 },
	{ "O", NULL, "organizationName", X520("\x0a"),
	    X509_FORM_DIRECTORY, 64 },
	{ "OU", NULL, "organizationalUnitName", X520("\x0b"),
	    X509_FORM_DIRECTORY, 64 },
	{ "L", NULL, "localityName", X520("\x07"), X509_FORM_DIRECTORY, 128 },
	{ "ST", "S", "stateOrProvinceName", X520("\x08"),
	    X509_FORM_DIRECTORY, 128 },
	{ "street", NULL, "streetAddress", X520("\x09"),
	    X509_FORM_DIRECTORY, 128 },
	{ "serialNumber", NULL, "serialNumber", X520("\x05"),
	    X509_FORM_PRINTABLE, 64 },
	{ "postalCode", NULL, "postalCode", X520("\x11"),
	    X509_FORM_DIRECTORY, 40 },
	{ "organizationIdentifier", NULL, "organizationIdentifier",
	    X520("\x61"), X509_FORM_DIRECTORY, 128 },
	{ "SN", NULL, "surname", X520("\x04"), X509_FORM_DIRECTORY,
	    NAME_MAX_CHARS },
	{ "GN", NULL, "givenName", X520("\x2a"), X509_FORM_DIRECTORY,
	    NAME_MAX_CHARS },
	{ "initials", NULL, "initials", X520("\x2b"), X509_FORM_DIRECTORY,
	    NAME_MAX_CHARS },
	{ "generationQualifier", NULL, "generationQualifier", X520("\x2c"),
	    X509_FORM_DIRECTORY, NAME_MAX_CHARS },
	{ "name", NULL, "name", X520("\x29"), X509_FORM_DIRECTORY,
	    NAME_MAX_CHARS },
	{ "title", NULL, "title", X520("\x0c"), X509_FORM_DIRECTORY, 64 },
	{ "description", NULL, "description", X520("\x0d"),
	    X509_FORM_DIRECTORY, NAME_MAX_CHARS },
	{ "businessCategory", NULL, "businessCategory", X520("\x0f"),
	    X509_FORM_DIRECTORY, 128 },
	{ "dnQualifier", NULL, "dnQualifier", X520("\x2e"),
	    X509_FORM_PRINTABLE, NAME_MAX_CHARS },
	{ "pseudonym", NULL, "pseudonym", X520("\x41"),
	    X509_FORM_DIRECTORY, 128 },
	{ "emailAddress", "E", "email", PKCS9("\x01"), X509_FORM_IA5, 255 },
	{ "unstructuredName", NULL, "unstructuredName", PKCS9("\x02"),
	    X509_FORM_IA5, 255 },
	{ "DC", NULL, "domainComponent", PILOT("\x19"), X509_FORM_IA5, 63 },
	{ "UID", NULL, "userId", PILOT("\x01"), X509_FORM_DIRECTORY, 256 },
	{ "jurisdictionC", NULL, "jurisdictionCountryName",
	    JURISDICTION("\x03"), X509_FORM_COUNTRY, 2 },
	{ "jurisdictionST", NULL, "jurisdictionStateOrProvinceName",
	    JURISDICTION("\x02"), X509_FORM_DIRECTORY, 128 },
	{ "jurisdictionL", NULL, "jurisdictionLocalityName",
	    JURISDICTION("\x01"), X509_FORM_DIRECTORY, 128 },
	{ NULL, NULL, NULL, { NULL, 0 }, X509_FORM_DIRECTORY, 0 }
};

const struct x509_name_type *
x509_name_type_of(struct der_bytes oid)
{
	const struct x509_name_type *type;

	for (type = types; type->name != NULL; type++)
		if (der_bytes_equal(type->oid, oid))
			return type;
	return NULL;
}

static bool
is_called(const char *name, const char *text, size_t len)
{
	return name != NULL && strlen(name) == len &&
	    strncasecmp(name, text, len) == 0;
}

const struct x509_name_type *
x509_name_type_find(const char *text, size_t len)
{
	const struct x509_name_type *type;
	char dotted[DER_OID_TEXT_MAX];

	for (type = types; type->name != NULL; type++) {
		der_oid_format(type->oid, dotted);
		if (is_called(type->name, text, len) ||
		    is_called(type->alias, text, len) ||
		    is_called(type->long_name, text, len) ||
		    is_called(dotted, text, len))
			return type;
	}
	return NULL;
}

/* What a first octet announces: how many octets follow and the smallest
 * character that needs them. */
static bool
utf8_shape(uint8_t first, size_t *num_more, uint32_t *bits, uint32_t *least)
{
	if (first < 0x80) {
		*num_more = 0;
		*bits = first;
		*least = 0;
	} else if ((first & 0xe0) == 0xc0) {
		*num_more = 1;
		*bits = first & 0x1f;
		*least = 0x80;
	} else if ((first & 0xf0) == 0xe0) {
		*num_more = 2;
		*bits = first & 0x0f;
		*least = 0x800;
	} else if ((first & 0xf8) == 0xf0) {
		*num_more = 3;
		*bits = first & 0x07;
		*least = 0x10000;
	} else {
		return false;
	}
	return true;
}

bool
x509_utf8_get(struct der_bytes *rest, uint32_t *character)
{
	uint32_t c, least;
	size_t more, i;

	if (rest->len == 0 || !utf8_shape(rest->p[0], &more, &c, &least) ||
	    more >= rest->len)
		return false;
	for (i = 1; i <= more; i++) {
		if ((rest->p[i] & 0xc0) != 0x80)
			return false;
		c = c << 6 | (rest->p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	rest->p += 1 + more;
	rest->len -= 1 + more;
	*character = c;
	return true;
}
