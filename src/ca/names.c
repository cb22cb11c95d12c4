/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a request: normalised, each once, and what makes two requests
 * for them one. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "ca/hostname.h"
#include "ca/policy.h"
#include "cfssl/request.h"

static bool
has_name(const struct ca_names *names, const struct x509_san *san)
{
	for (uint32_t i = 0; i < names->num_sans; i++)
		if (names->sans[i].kind == san->kind &&
		    der_bytes_equal(names->sans[i].value, san->value))
			return true;
	return false;
}

static enum oc_err
refuse_more(struct ca_explanation *explanation, struct oc_error *error)
{
	return ca_refuse(explanation, CA_RULE_NAMES_MAX, OC_ERR_REFUSED,
	    error, "more than %d names: ask for several certificates",
	    X509_SANS_MAX);
}

enum oc_err
ca_names_check_num(size_t num, struct ca_explanation *explanation,
    struct oc_error *error)
{
	return num > X509_SANS_MAX ? refuse_more(explanation, error) : OC_OK;
}

/* Its octets move into names, unless they are there. */
static enum oc_err
keep(struct ca_names *names, const struct x509_san *san,
    struct ca_explanation *explanation, struct oc_error *error)
{
	uint8_t *to = names->octets + names->octets_len;

	if (has_name(names, san))
		return OC_OK;
	if (names->num_sans == X509_SANS_MAX || san->value.len >
	    sizeof(names->octets) - names->octets_len)
		return refuse_more(explanation, error);
	memcpy(to, san->value.p, san->value.len);
	names->sans[names->num_sans++] = (struct x509_san){
		san->kind, { to, san->value.len } };
	names->octets_len += san->value.len;
	return OC_OK;
}

/* "*" anywhere but as the whole first label of several. */
static bool
is_wildcard_misplaced(const char *text, size_t len)
{
	size_t skipped = len > 2 && text[0] == '*' && text[1] == '.' ? 1 : 0;

	return memchr(text + skipped, '*', len - skipped) != NULL;
}

enum ca_rule
ca_names_rule(const char *text, size_t text_len)
{
	return text_len > 0 && is_wildcard_misplaced(text, text_len) ?
	    CA_RULE_NAME_WILDCARD : CA_RULE_NAME_MALFORMED;
}

static enum oc_err
add_dns(struct ca_names *names, const char *text, size_t len,
    struct ca_explanation *explanation, struct oc_error *error)
{
	char host[CA_HOST_MAX], shown[X509_SAN_TEXT_MAX];
	struct oc_error why = { 0 };
	struct x509_san san = { X509_SAN_DNS, { (const uint8_t *)text, len } };
	enum oc_err err;

	err = ca_host_to_ascii(len == 0 ? "" : text, len, host, &why);
	if (err != OC_OK &&
	    ca_names_rule(text, len) == CA_RULE_NAME_WILDCARD) {
		x509_san_format(&san, shown);
		return ca_refuse(explanation, CA_RULE_NAME_WILDCARD,
		    OC_ERR_REFUSED, error, "name %s: \"*\" stands for one "
		    "whole label, the first", shown);
	}
	if (err != OC_OK)
		return oc_error_set(error, ca_refuse_with(explanation,
		    CA_RULE_NAME_MALFORMED, err, &why), "%s", why.text);
	san.value = (struct der_bytes){ (const uint8_t *)host, strlen(host) };
	return keep(names, &san, explanation, error);
}

enum oc_err
ca_names_add(struct ca_names *names, const struct x509_san *san,
    struct ca_explanation *explanation, struct oc_error *error)
{
	uint8_t octets[4096];
	struct oc_error why = { 0 };
	struct x509_san made;
	enum oc_err err;

	if (san->kind == X509_SAN_DNS)
		return add_dns(names, (const char *)san->value.p,
		    san->value.len, explanation, error);
	err = x509_san_normalize(san, octets, sizeof(octets), &made, &why);
	if (err != OC_OK)
		return oc_error_set(error, ca_refuse_with(explanation,
		    CA_RULE_NAME_MALFORMED, err, &why), "%s", why.text);
	return keep(names, &made, explanation, error);
}

enum oc_err
ca_names_add_cfssl(struct ca_names *names, const char *text, size_t text_len,
    struct ca_explanation *explanation, struct oc_error *error)
{
	char host[CFSSL_HOST_MAX + 1];
	struct oc_error why = { 0 };
	struct x509_san san;
	uint8_t address[16];
	enum oc_err err;

	if (text_len > CFSSL_HOST_MAX)
		return ca_refuse(explanation, CA_RULE_NAME_MALFORMED,
		    OC_ERR_LIMIT, error, "a host of more than %d octets",
		    CFSSL_HOST_MAX);
	memcpy(host, text, text_len);
	host[text_len] = '\0';
	err = cfssl_host_classify(host, address, &san, &why);
	if (err != OC_OK)
		return oc_error_set(error, ca_refuse_with(explanation,
		    CA_RULE_NAME_MALFORMED, err, &why), "%s", why.text);
	return ca_names_add(names, &san, explanation, error);
}

/* What would be another kind of name if one looked at it kindly. */
static const char *
other_kind(const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN + 2];
	uint8_t binary[16];

	if (memchr(text, '@', len) != NULL)
		return "an e-mail address";
	if (memmem(text, len, "://", 3) != NULL)
		return "a URI";
	if (len == 0 || len >= sizeof(copy))
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (copy[0] == '[' && copy[len - 1] == ']') {
		copy[len - 1] = '\0';
		memmove(copy, copy + 1, len - 1);
	}
	if (inet_pton(AF_INET, copy, binary) == 1 ||
	    inet_pton(AF_INET6, copy, binary) == 1)
		return "an IP address";
	return NULL;
}

enum oc_err
ca_names_add_host(struct ca_names *names, const char *text, size_t text_len,
    struct ca_explanation *explanation, struct oc_error *error)
{
	const char *kind = other_kind(text, text_len);

	if (kind != NULL)
		return ca_refuse(explanation, CA_RULE_NAME_KIND,
		    OC_ERR_REFUSED, error, "\"%.*s\" is %s; only host names "
		    "are certified here", text_len > 80 ? 80 : (int)text_len,
		    text, kind);
	return add_dns(names, text, text_len, explanation, error);
}

/* --- the key ------------------------------------------------------------ */

static int
compare_sans(const void *a, const void *b)
{
	const struct x509_san *x = *(const struct x509_san *const *)a;
	const struct x509_san *y = *(const struct x509_san *const *)b;
	size_t len = x->value.len < y->value.len ? x->value.len :
	    y->value.len;
	int order;

	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	order = memcmp(x->value.p, y->value.p, len);
	if (order != 0)
		return order;
	return (x->value.len > y->value.len) - (x->value.len < y->value.len);
}

static bool
hash_number(EVP_MD_CTX *md, uint64_t number)
{
	uint8_t octets[8];

	for (size_t i = sizeof(octets); i-- > 0; number >>= 8)
		octets[i] = (uint8_t)number;
	return EVP_DigestUpdate(md, octets, sizeof(octets)) == 1;
}

static bool
hash_bytes(EVP_MD_CTX *md, struct der_bytes bytes)
{
	return hash_number(md, bytes.len) &&
	    EVP_DigestUpdate(md, bytes.p, bytes.len) == 1;
}

enum oc_err
ca_names_key(const struct ca_names *names, int64_t account_id,
    struct der_bytes csr, int64_t validity, uint8_t key[STORE_HASH_LEN])
{
	const struct x509_san *sorted[X509_SANS_MAX];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool is_done;

	if (md == NULL)
		return OC_ERR_NOMEM;
	for (uint32_t i = 0; i < names->num_sans; i++)
		sorted[i] = &names->sans[i];
	qsort(sorted, names->num_sans, sizeof(sorted[0]), compare_sans);
	is_done = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(md, "ocsign request", 14) == 1 &&
	    hash_number(md, (uint64_t)account_id) &&
	    hash_number(md, (uint64_t)validity) && hash_bytes(md, csr) &&
	    hash_number(md, names->num_sans);
	for (uint32_t i = 0; is_done && i < names->num_sans; i++)
		is_done = hash_number(md, (uint64_t)sorted[i]->kind) &&
		    hash_bytes(md, sorted[i]->value);
	is_done = is_done && EVP_DigestFinal_ex(md, key, NULL) == 1;
	EVP_MD_CTX_free(md);
	return is_done ? OC_OK : OC_ERR_INTERNAL;
}
