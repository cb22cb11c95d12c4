/* SPDX-License-Identifier: Apache-2.0 */
/* Names against the subtrees of nameConstraints, RFC 5280 4.2.1.10. */
#include "x509/constraints.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "x509/name.h"

enum purpose { PERMITTED, EXCLUDED };

static bool
is_same_text(struct der_bytes a, struct der_bytes b)
{
	return a.len == b.len && strncasecmp((const char *)a.p,
	    (const char *)b.p, a.len) == 0;
}

/* The octets of text from its at-th on. */
static struct der_bytes
tail(struct der_bytes text, size_t at)
{
	return (struct der_bytes){ text.p + at, text.len - at };
}

/* Is host the domain, or, with IS_BELOW, only what is below it? */
enum extent { HOST_ONLY, HOST_AND_BELOW, BELOW };

static bool
is_within(struct der_bytes host, struct der_bytes domain, enum extent extent)
{
	if (extent != BELOW && is_same_text(host, domain))
		return true;
	return extent != HOST_ONLY && host.len > domain.len + 1 &&
	    host.p[host.len - domain.len - 1] == '.' &&
	    is_same_text(tail(host, host.len - domain.len), domain);
}

static bool
holds_dns(struct der_bytes base, struct der_bytes name, enum purpose purpose)
{
	bool is_wildcard = name.len > 2 && name.p[0] == '*' &&
	    name.p[1] == '.';
	struct der_bytes parent;

	if (base.len == 0)
		return true;
	if (base.p[0] == '.')
		return is_within(name, tail(base, 1), BELOW);
	if (is_within(name, base, HOST_AND_BELOW))
		return true;
	if (!is_wildcard || purpose == PERMITTED)
		return false;
	/* *.a.b might be x.a.b, which is the base: one label more. */
	parent = tail(name, 2);
	return base.len > parent.len + 1 && is_within(base, parent, BELOW) &&
	    memchr(base.p, '.', base.len - parent.len - 1) == NULL;
}

static bool
holds_email(struct der_bytes base, struct der_bytes name)
{
	const uint8_t *at = memrchr(name.p, '@', name.len);
	const uint8_t *base_at = memchr(base.p, '@', base.len);
	struct der_bytes host;

	if (base.len == 0)
		return true;
	if (at == NULL)
		return false;
	host = tail(name, (size_t)(at - name.p) + 1);
	if (base.p[0] == '.')
		return is_within(host, tail(base, 1), BELOW);
	if (base_at == NULL)
		return is_within(host, base, HOST_ONLY);
	/* The part before the @ is the host's to interpret: case counts. */
	return at - name.p == base_at - base.p &&
	    memcmp(name.p, base.p, (size_t)(at - name.p)) == 0 &&
	    is_same_text(host, tail(base, (size_t)(base_at - base.p) + 1));
}

/* RFC 3986: scheme "://" [ userinfo "@" ] host [ ":" port ]. */
static bool
find_host(struct der_bytes uri, struct der_bytes *host)
{
	const uint8_t *p = memmem(uri.p, uri.len, "://", 3), *end, *at;
	char text[64];
	uint8_t octets[16];

	if (p == NULL)
		return false;
	p += 3;
	for (end = p; end < uri.p + uri.len && *end != '/' && *end != '?' &&
	    *end != '#'; end++)
		;
	at = memrchr(p, '@', (size_t)(end - p));
	if (at != NULL)
		p = at + 1;
	if (p < end && *p == '[')
		return false;
	at = memchr(p, ':', (size_t)(end - p));
	*host = (struct der_bytes){ p, (size_t)((at != NULL ? at : end) - p) };
	if (host->len > 0 && host->p[host->len - 1] == '.')
		host->len--;
	if (host->len >= sizeof(text))
		return true;
	snprintf(text, sizeof(text), "%.*s", (int)host->len,
	    (const char *)host->p);
	return host->len != 0 && inet_pton(AF_INET, text, octets) != 1;
}

static bool
holds_uri(struct der_bytes base, struct der_bytes name)
{
	struct der_bytes host;

	if (base.len == 0)
		return true;
	if (!find_host(name, &host))
		return false;
	if (base.p[0] == '.')
		return is_within(host, tail(base, 1), BELOW);
	return is_within(host, base, HOST_ONLY);
}

static bool
holds_ip(struct der_bytes base, struct der_bytes name)
{
	size_t i;

	if (base.len != 2 * name.len)
		return false;
	for (i = 0; i < name.len; i++)
		if (((name.p[i] ^ base.p[i]) & base.p[name.len + i]) != 0)
			return false;
	return true;
}

static bool
holds(const struct x509_san *base, const struct x509_san *name,
    enum purpose purpose)
{
	if (base->kind != name->kind)
		return false;
	switch (name->kind) {
	case X509_SAN_DNS:
		return holds_dns(base->value, name->value, purpose);
	case X509_SAN_EMAIL:
		return holds_email(base->value, name->value);
	case X509_SAN_URI:
		return holds_uri(base->value, name->value);
	case X509_SAN_IP:
		return holds_ip(base->value, name->value);
	case X509_SAN_DIRECTORY:
		return x509_name_is_below(name->value, base->value);
	}
	return false;
}

static void
format_base(const struct x509_san *base, char text[X509_SAN_TEXT_MAX])
{
	char address[INET6_ADDRSTRLEN] = "", mask[INET6_ADDRSTRLEN] = "";
	size_t half = base->value.len / 2;
	int family = half == 4 ? AF_INET : AF_INET6;

	if (base->kind != X509_SAN_IP) {
		x509_san_format(base, text);
		return;
	}
	(void)inet_ntop(family, base->value.p, address, sizeof(address));
	(void)inet_ntop(family, base->value.p + half, mask, sizeof(mask));
	snprintf(text, X509_SAN_TEXT_MAX, "IP:%s/%s", address, mask);
}

/* A URI without a host name is outside of every permitted subtree and, as
 * nobody could tell, inside of every excluded one. */
static enum oc_err
check_uri_host(const struct x509_name_constraints *c,
    const struct x509_san *name, struct oc_error *error)
{
	char text[X509_SAN_TEXT_MAX];
	struct der_bytes host;
	bool is_constrained = false;
	uint32_t i;

	if (name->kind != X509_SAN_URI || find_host(name->value, &host))
		return OC_OK;
	for (i = 0; i < c->num_permitted; i++)
		is_constrained |= c->permitted[i].kind == X509_SAN_URI;
	for (i = 0; i < c->num_excluded; i++)
		is_constrained |= c->excluded[i].kind == X509_SAN_URI;
	if (!is_constrained)
		return OC_OK;
	x509_san_format(name, text);
	return oc_error_set(error, OC_ERR_REFUSED, "the name %s has no host "
	    "name, which the issuer's nameConstraints ask for", text);
}

enum oc_err
x509_constraints_check(const struct x509_name_constraints *c,
    const struct x509_san *name, struct oc_error *error)
{
	char text[X509_SAN_TEXT_MAX], base[X509_SAN_TEXT_MAX];
	bool is_limited = false, is_permitted = false;
	enum oc_err err;
	uint32_t i;

	err = check_uri_host(c, name, error);
	if (err != OC_OK)
		return err;
	x509_san_format(name, text);
	for (i = 0; i < c->num_excluded; i++)
		if (holds(&c->excluded[i], name, EXCLUDED)) {
			format_base(&c->excluded[i], base);
			return oc_error_set(error, OC_ERR_REFUSED, "the name "
			    "%.150s lies in %.150s, which the issuer's "
			    "nameConstraints exclude", text, base);
		}
	for (i = 0; i < c->num_permitted; i++) {
		is_limited |= c->permitted[i].kind == name->kind;
		is_permitted |= holds(&c->permitted[i], name, PERMITTED);
	}
	if (is_limited && !is_permitted)
		return oc_error_set(error, OC_ERR_REFUSED, "the name %s lies "
		    "in nothing that the issuer's nameConstraints permit",
		    text);
	return OC_OK;
}

/* A common name that somebody might take for a host or an address. */
static enum oc_err
check_common_name(const struct x509_name_constraints *c,
    struct der_bytes value, struct oc_error *error)
{
	uint8_t buffer[X509_SAN_TEXT_MAX];
	struct x509_san name;
	char text[256];
	enum oc_err err;

	if (value.len >= sizeof(text) || value.len == 0 ||
	    memchr(value.p, '\0', value.len) != NULL)
		return OC_OK;
	memcpy(text, value.p, value.len);
	text[value.len] = '\0';
	if (strpbrk(text, ".:") == NULL || strchr(text, '@') != NULL ||
	    x509_san_parse(text, buffer, sizeof(buffer), &name, NULL) !=
	    OC_OK || (name.kind != X509_SAN_DNS && name.kind != X509_SAN_IP))
		return OC_OK;
	err = x509_constraints_check(c, &name, error);
	if (err != OC_OK || name.kind == X509_SAN_DNS)
		return err;
	/* OpenSSL, for one, takes the digits of an address for labels. */
	return x509_constraints_check(c, &(struct x509_san){ X509_SAN_DNS,
	    value }, error);
}

enum oc_err
x509_constraints_check_subject(const struct x509_name_constraints *c,
    struct der_bytes subject, struct oc_error *error)
{
	struct x509_san name = { X509_SAN_DIRECTORY, subject };
	struct x509_name_cursor cursor;
	enum der_oid attribute;
	struct der_bytes value;
	enum oc_err err = OC_OK;

	if (!x509_name_is_empty(subject))
		err = x509_constraints_check(c, &name, error);
	x509_name_begin(subject, &cursor);
	while (err == OC_OK &&
	    x509_name_next(&cursor, &attribute, &value)) {
		if (attribute == DER_OID_COMMON_NAME)
			err = check_common_name(c, value, error);
		name = (struct x509_san){ X509_SAN_EMAIL, value };
		if (attribute == DER_OID_EMAIL_ADDRESS)
			err = x509_constraints_check(c, &name, error);
	}
	if (err != OC_OK)
		oc_error_prefix(error, "the subject");
	return err;
}
