/* SPDX-License-Identifier: Apache-2.0 */
/* The names of servers in a TBSCertificate against those that a key may
 * certify. */
#include "pkcs11/allow_impl.h"
#include "x509/name.h"

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* name is domain, or below it. */
static bool
is_within(struct der_bytes name, struct der_bytes domain)
{
	size_t skip;

	if (name.len < domain.len)
		return false;
	skip = name.len - domain.len;
	if (skip > 0 && name.p[skip - 1] != '.')
		return false;
	for (size_t i = 0; i < domain.len; i++)
		if (lower(name.p[skip + i]) != lower(domain.p[i]))
			return false;
	return true;
}

static bool
has_octet(struct der_bytes text, char c)
{
	return text.len > 0 && memchr(text.p, c, text.len) != NULL;
}

/* name is domain or below it, or stands for it: "*.example" for each that is
 * one label longer than "example". */
static bool
is_or_covers(struct der_bytes name, struct der_bytes domain)
{
	struct der_bytes rest, label = domain;

	if (is_within(name, domain))
		return true;
	if (name.len < 2 || name.p[0] != '*')
		return false;
	rest = (struct der_bytes){ name.p + 2, name.len - 2 };
	if (domain.len <= rest.len || !is_within(domain, rest))
		return false;
	label.len -= rest.len + 1;
	return !has_octet(label, '.');
}

static bool
is_within_one(struct der_bytes name, struct der_bytes domains,
    bool (*is_it)(struct der_bytes name, struct der_bytes domain))
{
	struct der_reader r = der_reader_of(domains);
	struct der_bytes one;
	uint8_t tag;

	while (!der_at_end(&r) && der_get_any(&r, &tag, &one, NULL))
		if (is_it(name, one))
			return true;
	return false;
}

static bool
is_dns_octet(uint8_t c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_' || c == '.';
}

/* Labels with a dot between two, the first maybe a "*".  What is written
 * otherwise, some client reads as another name than we do. */
static bool
is_plain_dns(struct der_bytes name)
{
	bool is_wild = name.len > 2 && name.p[0] == '*' && name.p[1] == '.';
	size_t first = is_wild ? 2 : 0;

	for (size_t i = first; i < name.len; i++)
		if (!is_dns_octet(name.p[i]) || (name.p[i] == '.' &&
		    (i == first || name.p[i - 1] == '.')))
			return false;
	return name.len > 0 && name.p[name.len - 1] != '.';
}

static bool
has_limits(const struct p11_limits *limits)
{
	return limits->permitted_dns.len > 0 || limits->excluded_dns.len > 0;
}

static enum oc_err
check_dns_name(const struct p11_limits *limits, struct der_bytes name,
    struct oc_error *error)
{
	if (!has_limits(limits))
		return OC_OK;
	if (is_plain_dns(name) &&
	    !is_within_one(name, limits->excluded_dns, is_or_covers) &&
	    (limits->permitted_dns.len == 0 ||
	    is_within_one(name, limits->permitted_dns, is_within)))
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED, "this key certifies no "
	    "\"%.*s\"", name.len < 100 ? (int)name.len : 100,
	    (const char *)name.p);
}

/* Without an EKU it is for anything. */
static bool
is_for_servers(const struct p11_extensions *all)
{
	const struct p11_extension *e = p11_allow_find(all,
	    DER_OID_EXTENDED_KEY_USAGE);
	struct der_bytes list = { NULL, 0 };
	struct der_reader r;

	if (e == NULL)
		return true;
	r = der_reader_of(e->value);
	(void)der_get(&r, DER_SEQUENCE, &list);
	return p11_allow_is_listed(list,
	    der_oid_bytes(DER_OID_SERVER_AUTH)) ||
	    p11_allow_is_listed(list,
	    der_oid_bytes(DER_OID_ANY_EXTENDED_KEY_USAGE));
}

/* Where there is no dNSName, some clients take a commonName for one that
 * looks like it (RFC 6125, 6.4.4).  A NUL is a BMPString's, or a trick. */
static enum oc_err
check_common_names(const struct p11_limits *limits,
    struct der_bytes subject, struct oc_error *error)
{
	struct x509_name_cursor cursor;
	struct der_bytes value;
	enum der_oid attribute;
	enum oc_err err = OC_OK;

	if (!x509_name_is_valid(subject))
		return p11_allow_malformed(error, "Name");
	x509_name_begin(subject, &cursor);
	while (err == OC_OK && x509_name_next(&cursor, &attribute, &value)) {
		size_t i = 0;

		if (attribute != DER_OID_COMMON_NAME)
			continue;
		if (has_octet(value, '\0'))
			return p11_allow_refuse(error, "the certificate's "
			    "commonName is no text in UTF-8");
		while (i < value.len && (is_dns_octet(value.p[i]) ||
		    value.p[i] == '*'))
			i++;
		if (i == value.len && has_octet(value, '.'))
			err = check_dns_name(limits, value, error);
	}
	return err;
}

/*
 * SubjectAltName ::= SEQUENCE SIZE (1..MAX) OF GeneralName, of which
 *     dNSName  [2] IA5String
 */
enum oc_err
p11_allow_check_dns(const struct p11_limits *limits,
    const struct p11_extensions *all, struct der_bytes subject,
    struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(all,
	    DER_OID_SUBJECT_ALT_NAME);
	struct der_reader r, inner;
	struct der_bytes name;
	bool has_common_names = has_limits(limits) && subject.len > 0 &&
	    is_for_servers(all), has_dns = false;
	enum oc_err err;
	uint8_t tag;

	if (e == NULL)
		return has_common_names ? check_common_names(limits, subject,
		    error) : OC_OK;
	r = der_reader_of(e->value);
	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return p11_allow_malformed(error, "SubjectAltName");
	while (!der_at_end(&inner) && der_get_any(&inner, &tag, &name,
	    NULL)) {
		if (tag != DER_CONTEXT_PRIMITIVE(2))
			continue;
		has_dns = true;
		err = check_dns_name(limits, name, error);
		if (err != OC_OK)
			return err;
	}
	der_leave(&r, &inner);
	if (!der_is_done(&r))
		return p11_allow_malformed(error, "SubjectAltName");
	return has_dns || !has_common_names ? OC_OK :
	    check_common_names(limits, subject, error);
}
