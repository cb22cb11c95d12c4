/* SPDX-License-Identifier: Apache-2.0 */
/* Host names against a certificate's names, RFC 9525 section 6. */
#include "x509/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum oc_err
x509_host_parse(const char *text, struct x509_host *host,
    struct oc_error *error)
{
	struct x509_host h = { .kind = X509_SAN_DNS };
	struct x509_san san;
	char name[256];
	size_t len = strlen(text);

	h.len = inet_pton(AF_INET, text, h.octets) == 1 ? 4 :
	    inet_pton(AF_INET6, text, h.octets) == 1 ? 16 : 0;
	if (h.len != 0) {
		h.kind = X509_SAN_IP;
		*host = h;
		return OC_OK;
	}
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "\"%.80s\" is not ASCII; write its A-labels, "
			    "which begin with xn--", text);
	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len >= sizeof(name) || strpbrk(text, ":@*") != NULL)
		return oc_error_set(error, OC_ERR_MALFORMED, "\"%.80s\" is "
		    "neither a host name nor an IP address", text);
	memcpy(name, text, len);
	name[len] = '\0';
	if (x509_san_parse(name, h.octets, sizeof(h.octets), &san, error) !=
	    OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED, "\"%.80s\" is "
		    "neither a host name nor an IP address", text);
	h.len = san.value.len;
	*host = h;
	return OC_OK;
}

static bool
is_same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return strncasecmp((const char *)a, (const char *)b, len) == 0;
}

/* At least two LDH labels, each behind its dot: ".example.com". */
static bool
is_wildcard_rest(const uint8_t *p, size_t len)
{
	unsigned int num_dots = 0;

	for (size_t i = 0; i < len; i++) {
		bool is_end = i + 1 == len || p[i + 1] == '.';
		bool is_start = i == 0 || p[i - 1] == '.';
		uint8_t c = p[i] | 0x20;

		if (p[i] == '.') {
			if (is_end)
				return false;
			num_dots++;
		} else if (p[i] == '-') {
			if (is_start || is_end)
				return false;
		} else if (!(c >= 'a' && c <= 'z') &&
		    !(p[i] >= '0' && p[i] <= '9'))
			return false;
	}
	return num_dots >= 2;
}

static bool
matches_name(const struct x509_host *host, struct der_bytes name)
{
	const uint8_t *dot = memchr(host->octets, '.', host->len);
	size_t rest;

	if (name.len == host->len && is_same(name.p, host->octets, name.len))
		return true;
	if (name.len < 2 || name.p[0] != '*' || name.p[1] != '.' ||
	    dot == NULL || dot == host->octets)
		return false;
	rest = (size_t)(host->octets + host->len - dot);
	return name.len - 1 == rest && is_same(name.p + 1, dot, rest) &&
	    is_wildcard_rest(name.p + 1, rest);
}

bool
x509_host_matches(const struct x509_host *host,
    const struct x509_extensions *e)
{
	for (uint32_t i = 0; i < e->num_sans; i++) {
		const struct x509_san *san = &e->sans[i];

		if (san->kind != host->kind)
			continue;
		if (host->kind == X509_SAN_DNS ?
		    matches_name(host, san->value) :
		    der_bytes_equal(san->value, (struct der_bytes){
		    host->octets, host->len }))
			return true;
	}
	return false;
}
