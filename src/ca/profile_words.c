/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a profile that are words between blanks, or in double quotes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "ca/profile_impl.h"
#include "x509/name.h"

#define WORD_MAX 1280

/*
 * The next word into word, and *text behind it: quotes may begin anywhere in
 * it and are left out.  NOT_FOUND at the end.
 */
static enum oc_err
next_word(const char **text, char word[WORD_MAX], struct oc_error *error)
{
	const char *p = *text + strspn(*text, " \t");
	bool is_quoted = false;
	size_t len = 0;

	if (*p == '\0')
		return OC_ERR_NOT_FOUND;
	for (; *p != '\0' && (is_quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '"') {
			is_quoted = !is_quoted;
			continue;
		}
		if (len == WORD_MAX - 1)
			return oc_error_set(error, OC_ERR_LIMIT, "a word of "
			    "more than %d characters", WORD_MAX - 1);
		word[len++] = *p;
	}
	if (is_quoted)
		return oc_error_set(error, OC_ERR_CONFIG, "a double quote "
		    "without its other");
	word[len] = '\0';
	*text = p;
	return OC_OK;
}

enum oc_err
ca_profile_parse_policies(struct ca_profile *profile, const char *text,
    struct oc_error *error)
{
	char word[WORD_MAX];
	enum oc_err err;

	while ((err = next_word(&text, word, error)) == OC_OK) {
		bool is_cps = strncmp(word, "cps=", 4) == 0;
		bool is_notice = strncmp(word, "notice=", 7) == 0;

		if (!is_cps && !is_notice)
			err = ca_profile_add_policy(profile, word, error);
		else if (profile->num_policies == 0)
			err = oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" "
			    "stands before the OID that it qualifies", word);
		else
			err = ca_profile_add_qualifier(profile, is_cps ?
			    X509_QUALIFIER_CPS : X509_QUALIFIER_NOTICE,
			    word + (is_cps ? 4 : 7), error);
		if (err != OC_OK)
			return err;
	}
	if (err == OC_ERR_NOT_FOUND && profile->num_policies == 0)
		return oc_error_set(error, OC_ERR_CONFIG, "there is none; "
		    "write an OID");
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}

static void
set_mask(uint8_t *mask, size_t len, int64_t bits)
{
	size_t i;

	for (i = 0; i < len; i++, bits -= 8)
		mask[i] = bits >= 8 ? 0xff : bits <= 0 ? 0 :
		    (uint8_t)(0xff << (8 - bits));
}

/* "192.0.2.0/24": the address and its mask, octets behind one another. */
static enum oc_err
parse_range(char *text, uint8_t octets[32], size_t *len,
    struct oc_error *error)
{
	char *slash = strchr(text, '/');
	size_t half = strchr(text, ':') != NULL ? 16 : 4, i;
	int64_t bits = (int64_t)half * 8;

	if (slash != NULL)
		*slash = '\0';
	if (inet_pton(half == 16 ? AF_INET6 : AF_INET, text, octets) != 1 ||
	    (slash != NULL && oc_value_int(slash + 1, 0, (int64_t)half * 8,
	    &bits, NULL) != OC_OK))
		return oc_error_set(error, OC_ERR_CONFIG, "\"ip:%.60s\" is no "
		    "range of addresses; write ip:192.0.2.0/24", text);
	set_mask(octets + half, half, bits);
	for (i = 0; i < half; i++)
		if ((octets[i] & ~octets[half + i]) != 0)
			return oc_error_set(error, OC_ERR_CONFIG, "\"ip:%.60s"
			    "\" has bits behind its mask of %d", text,
			    (int)bits);
	*len = 2 * half;
	return OC_OK;
}

/* A domain as a base: what a DNS name may be, and nothing else. */
static enum oc_err
parse_domain(const char *text, uint8_t *octets, size_t max, size_t *len,
    struct oc_error *error)
{
	struct x509_san san = { X509_SAN_DNS, { (const uint8_t *)text,
	    strlen(text) } };
	struct x509_san normal;
	enum oc_err err;

	err = text[0] == '*' ? OC_ERR_MALFORMED :
	    x509_san_normalize(&san, octets, max, &normal, NULL);
	if (err != OC_OK)
		return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no "
		    "domain", text);
	*len = normal.value.len;
	return OC_OK;
}

/* "example.com", ".example.com", and for e-mail "a@example.com". */
static enum oc_err
parse_host(enum x509_san_kind kind, const char *text, uint8_t *octets,
    size_t max, size_t *len, struct oc_error *error)
{
	struct x509_san normal;
	enum oc_err err;

	if (kind == X509_SAN_EMAIL && strchr(text, '@') != NULL) {
		struct x509_san san = { kind, { (const uint8_t *)text,
		    strlen(text) } };

		err = x509_san_normalize(&san, octets, max, &normal, error);
		*len = err == OC_OK ? normal.value.len : 0;
		return err;
	}
	if (text[0] != '.')
		return parse_domain(text, octets, max, len, error);
	octets[0] = '.';
	err = parse_domain(text + 1, octets + 1, max - 1, len, error);
	*len += err == OC_OK;
	return err;
}

static enum oc_err
parse_base(char *word, uint8_t *octets, size_t max, enum x509_san_kind *kind,
    size_t *len, struct oc_error *error)
{
	if (strncmp(word, "dns:", 4) == 0) {
		*kind = X509_SAN_DNS;
		return parse_domain(word + 4, octets, max, len, error);
	}
	if (strncmp(word, "ip:", 3) == 0) {
		*kind = X509_SAN_IP;
		return parse_range(word + 3, octets, len, error);
	}
	if (strncmp(word, "email:", 6) == 0) {
		*kind = X509_SAN_EMAIL;
		return parse_host(*kind, word + 6, octets, max, len, error);
	}
	if (strncmp(word, "uri:", 4) == 0) {
		*kind = X509_SAN_URI;
		return parse_host(*kind, word + 4, octets, max, len, error);
	}
	if (strncmp(word, "dirName:", 8) == 0) {
		*kind = X509_SAN_DIRECTORY;
		return x509_name_parse(word + 8, octets, max, len, error);
	}
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is none of "
	    "dns:DOMAIN, ip:ADDRESS/BITS, email:, uri: and dirName:", word);
}

enum oc_err
ca_profile_parse_subtrees(struct ca_profile *profile, const char *text,
    struct x509_san bases[X509_SUBTREES_MAX], uint32_t *num,
    struct oc_error *error)
{
	uint8_t octets[OC_NAME_MAX];
	struct x509_san base;
	char word[WORD_MAX];
	enum oc_err err;
	size_t len = 0;

	*num = 0;
	while ((err = next_word(&text, word, error)) == OC_OK) {
		if (*num == X509_SUBTREES_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d", X509_SUBTREES_MAX);
		err = parse_base(word, octets, sizeof(octets), &base.kind,
		    &len, error);
		if (err == OC_OK)
			err = ca_profile_keep(profile, octets, len,
			    &base.value, error);
		if (err != OC_OK)
			return err;
		bases[(*num)++] = base;
	}
	if (err == OC_ERR_NOT_FOUND && *num == 0)
		return oc_error_set(error, OC_ERR_CONFIG, "there is none; "
		    "write dns:example.com");
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}
