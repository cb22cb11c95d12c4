/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names to A-labels.  Mapping and validity are libidn2's: UTS 46 in its
 * nontransitional form, so that a sharp s stays one, then IDNA2008; what DNS
 * and certificates allow is x509_san_normalize()'s.
 */
#include "ca/hostname.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "x509/ext.h"

/* 63 code points of 4 octets in each label of a name: more is no name. */
#define TEXT_LEN_MAX 1024

static const char *
text_fault(const char *text, size_t len)
{
	if (len == 0)
		return "is empty";
	if (len > TEXT_LEN_MAX)
		return "is longer than any host name";
	if (!oc_utf8_is_valid(text, len))
		return "is not UTF-8";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)
			return "has a blank or a control character in it";
	if (text[len - 1] == '.')
		return "ends with a dot";
	return NULL;
}

static enum oc_err
refuse(const char *text, size_t len, const char *why, struct oc_error *error)
{
	int shown = len > 80 || !oc_utf8_is_valid(text, len) ? 0 : (int)len;

	return oc_error_set(error, OC_ERR_MALFORMED, "host name \"%.*s\" %s",
	    shown, text, why);
}

/* True for what libidn2 would give back as it is, in lower case. */
static bool
is_plain(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7e ||
		    ((p == text || p[-1] == '.') &&
		    strncasecmp(p, "xn--", 4) == 0))
			return false;
	return true;
}

static size_t
count(const char *text, char c)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

/* text without "*."; *ascii is for free(). */
static enum oc_err
convert(const char *text, char **ascii, const char **why)
{
	uint8_t *out = NULL;
	int rc;

	*why = NULL;
	if (is_plain(text)) {
		*ascii = strdup(text);
		return *ascii == NULL ? OC_ERR_NOMEM : OC_OK;
	}
	/* With IDN2_USE_STD3_ASCII_RULES libidn2 drops what DNS does not
	 * allow, and the name is another: normalize() refuses it. */
	rc = idn2_lookup_u8((const uint8_t *)text, &out,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return OC_ERR_NOMEM;
	if (rc != IDN2_OK) {
		*why = idn2_strerror(rc);
		return OC_ERR_MALFORMED;
	}
	/* U+FF0A, U+3002: what is looked for in a text is not seen in it. */
	if (count((const char *)out, '*') != count(text, '*') ||
	    count((const char *)out, '.') != count(text, '.')) {
		idn2_free(out);
		*why = "a character that stands for \"*\" or \".\"";
		return OC_ERR_MALFORMED;
	}
	*ascii = strdup((const char *)out);
	idn2_free(out);
	return *ascii == NULL ? OC_ERR_NOMEM : OC_OK;
}

/* DNS's rules, and lower case. */
static enum oc_err
normalize(const char *star, const char *ascii, char host[CA_HOST_MAX],
    struct oc_error *error)
{
	char joined[TEXT_LEN_MAX + 8];
	uint8_t octets[CA_HOST_MAX];
	struct x509_san in = { .kind = X509_SAN_DNS }, out;
	int len = snprintf(joined, sizeof(joined), "%s%s", star, ascii);
	enum oc_err err;

	if (len < 0 || (size_t)len >= sizeof(joined))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "a host name is longer than any can be");
	in.value = (struct der_bytes){ (const uint8_t *)joined, (size_t)len };
	err = x509_san_normalize(&in, octets, sizeof(octets) - 1, &out,
	    error);
	if (err != OC_OK)
		return err;
	memcpy(host, out.value.p, out.value.len);
	host[out.value.len] = '\0';
	return OC_OK;
}

enum oc_err
ca_host_to_ascii(const char *text, size_t text_len, char host[CA_HOST_MAX],
    struct oc_error *error)
{
	const char *fault = text_fault(text, text_len), *why;
	char whole[TEXT_LEN_MAX + 1], reason[128];
	char *ascii = NULL;
	bool is_wildcard;
	enum oc_err err;

	if (fault != NULL)
		return refuse(text, text_len, fault, error);
	memcpy(whole, text, text_len);
	whole[text_len] = '\0';
	is_wildcard = strncmp(whole, "*.", 2) == 0;
	err = convert(whole + (is_wildcard ? 2 : 0), &ascii, &why);
	if (err == OC_ERR_MALFORMED) {
		snprintf(reason, sizeof(reason), "is no internationalized "
		    "name (%s)", why);
		return refuse(text, text_len, reason, error);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	err = normalize(is_wildcard ? "*." : "", ascii, host, error);
	free(ascii);
	return err;
}

enum oc_err
ca_zone_to_ascii(const char *text, char name[CA_HOST_MAX],
    struct oc_error *error)
{
	size_t len = strlen(text);
	char made[CA_HOST_MAX];
	enum oc_err err;

	err = ca_host_to_ascii(text, len, made, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "zone");
	if (made[0] == '*')
		return oc_error_set(error, OC_ERR_MALFORMED, "zone %s: a zone "
		    "has no wildcard: leave \"*.\" out, names below are in "
		    "it", made);
	if (strchr(made, '.') == NULL)
		return oc_error_set(error, OC_ERR_MALFORMED, "zone %s: a "
		    "top-level domain is nobody's zone: give a name below it",
		    made);
	memcpy(name, made, sizeof(made));
	return OC_OK;
}

void
ca_host_to_unicode(const char *host, char *text, size_t text_max)
{
	const char *star = strncmp(host, "*.", 2) == 0 ? "*." : "";
	char *unicode = NULL;

	if (strstr(host, "xn--") != NULL && idn2_to_unicode_8z8z(host +
	    strlen(star), &unicode, IDN2_NONTRANSITIONAL) == IDN2_OK)
		snprintf(text, text_max, "%s%s", star, unicode);
	else
		snprintf(text, text_max, "%s", host);
	idn2_free(unicode);
}

bool
ca_host_is_in(const char *host, const char *zone)
{
	size_t host_len = strlen(host), zone_len = strlen(zone);

	if (zone_len == 0 || host_len < zone_len ||
	    strcmp(host + host_len - zone_len, zone) != 0)
		return false;
	return host_len == zone_len || host[host_len - zone_len - 1] == '.';
}
