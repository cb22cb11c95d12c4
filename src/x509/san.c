/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subject alternative names (RFC 5280 section 4.2.1.6) from text and as
 * text, and the rules for those we put into certificates.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "x509/ext.h"
#include "x509/name.h"

#define DNS_MAX 253		/* RFC 1035: 255 octets on the wire */
#define DNS_LABEL_MAX 63
#define EMAIL_LOCAL_MAX 64	/* RFC 5321, 4.5.3.1.1 */
#define EMAIL_MAX 254		/* RFC 5321, 4.5.3.1.3, without "<>" */
#define URI_MAX 2048

enum wildcard { WILDCARD_REFUSED, WILDCARD_ALLOWED };

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* What is wrong with one label, or NULL. */
static const char *
label_fault(const uint8_t *label, size_t len)
{
	size_t i;

	if (len == 0)
		return "an empty label";
	if (len > DNS_LABEL_MAX)
		return "a label of more than 63 octets";
	for (i = 0; i < len; i++)
		if (!is_letter(label[i]) && !is_digit(label[i]) &&
		    label[i] != '-')
			return "something other than letters, digits and "
			    "hyphens in a label";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a label that begins or ends with a hyphen";
	return NULL;
}

static bool
is_number(const uint8_t *label, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!is_digit(label[i]))
			return false;
	return true;
}

/* What is wrong with a DNS name, or NULL. */
static const char *
dns_fault(struct der_bytes name, enum wildcard wildcard)
{
	const uint8_t *p = name.p, *end = name.p + name.len, *dot;
	const char *fault;

	if (name.len > DNS_MAX)
		return "more than 253 octets";
	if (wildcard == WILDCARD_ALLOWED && name.len > 2 && p[0] == '*' &&
	    p[1] == '.')
		p += 2;
	for (;; p = dot + 1) {
		dot = memchr(p, '.', (size_t)(end - p));
		if (dot == NULL)
			break;
		if ((fault = label_fault(p, (size_t)(dot - p))) != NULL)
			return fault;
	}
	if ((fault = label_fault(p, (size_t)(end - p))) != NULL)
		return fault;
	/* No top-level domain is a number, but every IPv4 address ends so. */
	if (is_number(p, (size_t)(end - p)))
		return "a last label that is a number";
	return NULL;
}

/* RFC 5321's Mailbox, without quoting: Local-part "@" Domain. */
static const char *
email_fault(struct der_bytes email)
{
	const uint8_t *at = memchr(email.p, '@', email.len);
	size_t local_len, i;

	if (at == NULL)
		return "no \"@\"";
	local_len = (size_t)(at - email.p);
	if (local_len == 0 || local_len > EMAIL_LOCAL_MAX ||
	    email.len > EMAIL_MAX)
		return "nothing, or too much, before the \"@\"";
	for (i = 0; i < local_len; i++)
		if (!is_letter(email.p[i]) && !is_digit(email.p[i]) &&
		    (email.p[i] == '\0' ||
		    strchr("!#$%&'*+-/=?^_`{|}~.", email.p[i]) == NULL))
			return "a character before the \"@\" that would need "
			    "quoting";
	return dns_fault((struct der_bytes){ at + 1,
	    email.len - local_len - 1 }, WILDCARD_REFUSED);
}

/* RFC 3986: scheme ":" and more, with an authority if there is "//". */
static const char *
uri_fault(struct der_bytes uri)
{
	const uint8_t *colon = memchr(uri.p, ':', uri.len);
	size_t i, scheme_len;

	if (uri.len > URI_MAX)
		return "more than 2048 octets";
	for (i = 0; i < uri.len; i++)
		if (uri.p[i] <= 0x20 || uri.p[i] > 0x7e ||
		    strchr("\"<>\\^`{|}", uri.p[i]) != NULL)
			return "a character that no URI has";
	if (colon == NULL || colon == uri.p || !is_letter(uri.p[0]))
		return "no scheme";
	scheme_len = (size_t)(colon - uri.p);
	for (i = 0; i < scheme_len; i++)
		if (!is_letter(uri.p[i]) && !is_digit(uri.p[i]) &&
		    strchr("+-.", uri.p[i]) == NULL)
			return "no scheme";
	if (scheme_len + 1 == uri.len)
		return "nothing behind the scheme";
	if (uri.len >= scheme_len + 3 && colon[1] == '/' &&
	    colon[2] == '/' && (uri.len == scheme_len + 3 ||
	    strchr("/?#:@", colon[3]) != NULL))
		return "no host";
	return NULL;
}

static const char *
fault_of(enum x509_san_kind kind, struct der_bytes value)
{
	switch (kind) {
	case X509_SAN_EMAIL:
		return email_fault(value);
	case X509_SAN_DNS:
		return dns_fault(value, WILDCARD_ALLOWED);
	case X509_SAN_URI:
		return uri_fault(value);
	case X509_SAN_IP:
		return value.len == 4 || value.len == 16 ? NULL :
		    "neither 4 nor 16 octets";
	case X509_SAN_DIRECTORY:
		return "a directory name";
	}
	return "an unknown kind of name";
}

/* DNS names, and the part of an e-mail address that is one, are the same in
 * any case: written in lower case. */
static void
copy_lower(enum x509_san_kind kind, struct der_bytes value, uint8_t *out)
{
	bool is_lowering = kind == X509_SAN_DNS;
	size_t i;

	for (i = 0; i < value.len; i++) {
		uint8_t c = value.p[i];

		if (is_lowering && c >= 'A' && c <= 'Z')
			c = (uint8_t)(c - 'A' + 'a');
		if (kind == X509_SAN_EMAIL && c == '@')
			is_lowering = true;
		out[i] = c;
	}
}

enum oc_err
x509_san_normalize(const struct x509_san *san, uint8_t *buffer,
    size_t buffer_max, struct x509_san *out, struct oc_error *error)
{
	const char *fault = san->value.len == 0 ? NULL :
	    fault_of(san->kind, san->value);
	char text[X509_SAN_TEXT_MAX];

	if (san->value.len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "a name is empty");
	if (fault != NULL) {
		x509_san_format(san, text);
		return oc_error_set(error, san->kind == X509_SAN_DIRECTORY ?
		    OC_ERR_REFUSED : OC_ERR_MALFORMED,
		    "\"%s\" has %s", text, fault);
	}
	if (san->value.len > buffer_max)
		return oc_error_set(error, OC_ERR_NO_SPACE,
		    "names: more than fit");
	copy_lower(san->kind, san->value, buffer);
	*out = (struct x509_san){ san->kind, { buffer, san->value.len } };
	return OC_OK;
}

static bool
parse_ip(const char *text, uint8_t octets[16], struct der_bytes *value)
{
	if (inet_pton(AF_INET, text, octets) == 1) {
		*value = (struct der_bytes){ octets, 4 };
		return true;
	}
	if (inet_pton(AF_INET6, text, octets) == 1) {
		*value = (struct der_bytes){ octets, 16 };
		return true;
	}
	return false;
}

static const struct prefix {
	const char *text;
	enum x509_san_kind kind;
} prefixes[] = {
	{ "DNS:", X509_SAN_DNS },
	{ "IP:", X509_SAN_IP },
	{ "email:", X509_SAN_EMAIL },
	{ "URI:", X509_SAN_URI },
};

static const struct prefix *
find_prefix(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncasecmp(text, prefixes[i].text,
		    strlen(prefixes[i].text)) == 0)
			return &prefixes[i];
	return NULL;
}

enum oc_err
x509_san_parse(const char *text, uint8_t *buffer, size_t buffer_max,
    struct x509_san *san, struct oc_error *error)
{
	const struct prefix *prefix = find_prefix(text);
	struct x509_san found = { X509_SAN_DNS, { NULL, 0 } };
	uint8_t octets[16];

	if (prefix != NULL) {
		text += strlen(prefix->text);
		found.kind = prefix->kind;
	} else if (parse_ip(text, octets, &found.value)) {
		found.kind = X509_SAN_IP;
	} else if (strchr(text, '@') != NULL) {
		found.kind = X509_SAN_EMAIL;
	}
	if (found.kind != X509_SAN_IP)
		found.value = (struct der_bytes){ (const uint8_t *)text,
		    strlen(text) };
	else if (!parse_ip(text, octets, &found.value))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "\"IP:%.80s\" is no IPv4 or IPv6 address", text);
	return x509_san_normalize(&found, buffer, buffer_max, san, error);
}

static void
format_ip(struct der_bytes ip, char text[X509_SAN_TEXT_MAX])
{
	char address[INET6_ADDRSTRLEN];

	if ((ip.len != 4 && ip.len != 16) ||
	    inet_ntop(ip.len == 4 ? AF_INET : AF_INET6, ip.p, address,
	    sizeof(address)) == NULL)
		snprintf(address, sizeof(address), "(%zu octets)", ip.len);
	snprintf(text, X509_SAN_TEXT_MAX, "IP:%s", address);
}

/* Octets as they are if they are visible ASCII or blanks. */
static void
format_octets(const char *prefix, struct der_bytes value,
    char text[X509_SAN_TEXT_MAX])
{
	size_t len = strlen(prefix), i;

	memcpy(text, prefix, len);
	for (i = 0; i < value.len && len < X509_SAN_TEXT_MAX - 1; i++)
		text[len++] = (char)(value.p[i] >= 0x20 &&
		    value.p[i] < 0x7f ? value.p[i] : '?');
	text[len] = '\0';
	if (i < value.len)
		memcpy(text + len - 3, "...", 3);
}

void
x509_san_format(const struct x509_san *san, char text[X509_SAN_TEXT_MAX])
{
	char name[X509_NAME_TEXT_MAX];

	switch (san->kind) {
	case X509_SAN_EMAIL:
		format_octets("email:", san->value, text);
		return;
	case X509_SAN_DNS:
		format_octets("DNS:", san->value, text);
		return;
	case X509_SAN_URI:
		format_octets("URI:", san->value, text);
		return;
	case X509_SAN_IP:
		format_ip(san->value, text);
		return;
	case X509_SAN_DIRECTORY:
		x509_name_format(san->value, name);
		snprintf(text, X509_SAN_TEXT_MAX, "dirName:%.300s%s", name,
		    strlen(name) > 300 ? "..." : "");
		return;
	}
	snprintf(text, X509_SAN_TEXT_MAX, "(unknown kind of name)");
}
