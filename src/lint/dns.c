/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS names in certificates: letters, digits and hyphens (RFC 1034, 3.5),
 * wildcards (RFC 6125, 6.4.3), A-labels (RFC 5890, 2.3.2.1).
 */
#include "lint/dns.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>
#ifdef HAVE_LIBPSL
#include <libpsl.h>
#endif

#define NAME_MAX_OCTETS 253
#define LABEL_MAX 63

bool
lint_next_label(struct lint_labels *labels, struct der_bytes *label)
{
	const uint8_t *p = labels->rest.p, *dot;
	size_t len = labels->rest.len;

	if (labels->is_done)
		return false;
	dot = len > 0 ? memchr(p, '.', len) : NULL;
	if (dot == NULL) {
		labels->is_done = true;
		*label = labels->rest;
		return true;
	}
	*label = (struct der_bytes){ p, (size_t)(dot - p) };
	labels->rest = (struct der_bytes){ dot + 1, len - label->len - 1 };
	return true;
}

static bool
is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_ldh(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || is_upper(c) ||
	    (c >= '0' && c <= '9') || c == '-';
}

bool
lint_dns_has_long_label(struct der_bytes name)
{
	struct lint_labels labels = { .rest = name };
	struct der_bytes label;

	while (lint_next_label(&labels, &label))
		if (label.len > LABEL_MAX)
			return true;
	return false;
}

bool
lint_dns_has_empty_label(struct der_bytes name)
{
	struct lint_labels labels = { .rest = name };
	struct der_bytes label;

	while (lint_next_label(&labels, &label))
		if (label.len == 0)
			return true;
	return false;
}

bool
lint_dns_is_long(struct der_bytes name)
{
	return name.len > NAME_MAX_OCTETS;
}

bool
lint_dns_has_upper_case(struct der_bytes name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (is_upper(name.p[i]))
			return true;
	return false;
}

bool
lint_dns_is_not_ia5(struct der_bytes name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (name.p[i] >= 0x80)
			return true;
	return false;
}

bool
lint_dns_has_nul(struct der_bytes name)
{
	return name.len > 0 && memchr(name.p, '\0', name.len) != NULL;
}

bool
lint_dns_has_underscore(struct der_bytes name)
{
	return name.len > 0 && memchr(name.p, '_', name.len) != NULL;
}

bool
lint_dns_has_edge_hyphen(struct der_bytes name)
{
	struct lint_labels labels = { .rest = name };
	struct der_bytes label;

	while (lint_next_label(&labels, &label))
		if (label.len > 0 && (label.p[0] == '-' ||
		    label.p[label.len - 1] == '-'))
			return true;
	return false;
}

/* What the other rules do not already say. */
bool
lint_dns_has_bad_character(struct der_bytes name)
{
	size_t i;

	if (lint_dns_is_ip_literal(name))
		return false;
	for (i = 0; i < name.len; i++)
		if (!is_ldh(name.p[i]) && name.p[i] < 0x80 &&
		    (name.p[i] == '\0' ||
		    strchr("._*", name.p[i]) == NULL) &&
		    name.p[i] != '\0')
			return true;
	return false;
}

bool
lint_dns_is_bare_wildcard(struct der_bytes name)
{
	return name.len == 1 && name.p[0] == '*';
}

bool
lint_dns_has_inner_wildcard(struct der_bytes name)
{
	size_t from = name.len > 1 && name.p[0] == '*' && name.p[1] == '.' ?
	    2 : 0;

	return !lint_dns_is_bare_wildcard(name) && name.len > from &&
	    memchr(name.p + from, '*', name.len - from) != NULL;
}

static bool
is_a_label(struct der_bytes label)
{
	return label.len >= 4 && (label.p[0] | 0x20) == 'x' &&
	    (label.p[1] | 0x20) == 'n' && label.p[2] == '-' &&
	    label.p[3] == '-';
}

/* RFC 5890, 2.3.1: hyphens third and fourth are kept for encodings, of
 * which there is one. */
bool
lint_dns_has_reserved_label(struct der_bytes name)
{
	struct lint_labels labels = { .rest = name };
	struct der_bytes label;

	while (lint_next_label(&labels, &label))
		if (label.len >= 4 && label.p[2] == '-' &&
		    label.p[3] == '-' && !is_a_label(label))
			return true;
	return false;
}

bool
lint_dns_is_ip_literal(struct der_bytes name)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];

	/* Every one ends in a hexadecimal digit; most names do not. */
	if (name.len == 0 || name.len >= sizeof(text) ||
	    memchr(name.p, '\0', name.len) != NULL)
		return false;
	memcpy(text, name.p, name.len);
	text[name.len] = '\0';
	return inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1;
}

bool
lint_dns_is_wild_suffix(struct der_bytes name)
{
	char text[NAME_MAX_OCTETS + 1];

	if (name.len < 3 || name.len > NAME_MAX_OCTETS ||
	    name.p[0] != '*' || name.p[1] != '.' || lint_dns_has_nul(name))
		return false;
	memcpy(text, name.p + 2, name.len - 2);
	text[name.len - 2] = '\0';
#ifdef HAVE_LIBPSL
	/* Registries' suffixes; and no rule for what is not in the list: a
	 * private top-level domain is its owner's. */
	return psl_is_public_suffix2(psl_builtin(), text, PSL_TYPE_ICANN |
	    PSL_TYPE_NO_STAR_RULE) == 1;
#else
	return text[0] != '\0';
#endif
}

static enum lint_idn
check_a_label(struct der_bytes label, const char **why)
{
	char text[LABEL_MAX + 1], *unicode = NULL, *back = NULL;
	enum lint_idn result = LINT_IDN_MALFORMED;
	size_t i;
	int rc;

	if (label.len > LABEL_MAX || lint_dns_has_nul(label) ||
	    lint_dns_is_not_ia5(label))
		return LINT_IDN_GOOD;	/* is another rule's */
	for (i = 0; i < label.len; i++)
		text[i] = is_upper(label.p[i]) ? (char)(label.p[i] | 0x20) :
		    (char)label.p[i];
	text[label.len] = '\0';
	*why = NULL;
	rc = idn2_to_unicode_8z8z(text, &unicode, 0);
	if (rc == IDN2_OK)
		rc = idn2_lookup_u8((const uint8_t *)unicode,
		    (uint8_t **)&back, IDN2_NO_TR46);
	if (rc == IDN2_NOT_NFC)
		result = LINT_IDN_NOT_NFC;
	else if (rc == IDN2_OK && strcmp(back, text) == 0)
		result = LINT_IDN_GOOD;
	else if (rc != IDN2_OK)
		*why = idn2_strerror(rc);
	idn2_free(unicode);
	idn2_free(back);
	return result;
}

enum lint_idn
lint_dns_idn(struct der_bytes name, const char **why)
{
	struct lint_labels labels = { .rest = name };
	enum lint_idn result;
	struct der_bytes label;

	while (lint_next_label(&labels, &label)) {
		if (!is_a_label(label))
			continue;
		result = check_a_label(label, why);
		if (result != LINT_IDN_GOOD)
			return result;
	}
	return LINT_IDN_GOOD;
}
