/* SPDX-License-Identifier: Apache-2.0 */
/* CSRs from outside, up to their proof of possession. */
#include "ca/csr.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "x509/file.h"
#include "x509/spki.h"

/* PEM is a third larger than DER, and has text around it. */
#define OCTETS_MAX (2 * OC_CSR_MAX)

static enum ca_rule
rule_of_file(enum oc_err err)
{
	if (err == OC_ERR_REFUSED)
		return CA_RULE_CSR_PRIVATE_KEY;
	return err == OC_ERR_LIMIT ? CA_RULE_CSR_LIMIT :
	    CA_RULE_CSR_MALFORMED;
}

static enum ca_rule
rule_of_read(enum oc_err err)
{
	if (err == OC_ERR_UNSUPPORTED)		/* an algorithm */
		return CA_RULE_CSR_SIGNATURE;
	return err == OC_ERR_LIMIT ? CA_RULE_CSR_LIMIT :
	    CA_RULE_CSR_MALFORMED;
}

/* A key that no signature can be verified with is the better reason. */
static enum oc_err
verify(const struct x509_csr *csr, enum ca_rule *rule,
    struct oc_error *error)
{
	struct oc_error of_key = { 0 };
	enum oc_err err = x509_csr_verify(csr, error);

	*rule = CA_RULE_CSR_SIGNATURE;
	if ((err == OC_ERR_UNSUPPORTED || err == OC_ERR_MALFORMED) &&
	    x509_spki_check(csr->spki, &of_key) != OC_OK) {
		*rule = CA_RULE_KEY_UNFIT;
		*error = of_key;
		err = of_key.code;
	}
	return err;
}

enum oc_err
ca_csr_parse(const char *where, uint8_t *octets, size_t len, uint8_t **out,
    struct x509_csr *csr, struct ca_explanation *x, struct oc_error *error)
{
	struct oc_error why = { 0 };
	uint8_t *der = NULL;
	enum ca_rule rule;
	size_t der_len;
	enum oc_err err;

	if (len > OCTETS_MAX)
		return ca_refuse(x, CA_RULE_CSR_LIMIT, OC_ERR_LIMIT, error,
		    "%s: %zu octets, the limit is %d", where, len,
		    OCTETS_MAX);
	err = x509_file_parse(where, octets, len, X509_FILE_CSR, &der,
	    &der_len, &why);
	if (err == OC_ERR_REFUSED)
		OPENSSL_cleanse(octets, len);
	if (err != OC_OK)
		return ca_refuse(x, rule_of_file(err), err, error, "%s",
		    why.text);
	err = x509_csr_read((struct der_bytes){ der, der_len }, csr, &why);
	rule = rule_of_read(err);
	if (err == OC_OK)
		err = verify(csr, &rule, &why);
	if (err != OC_OK) {
		free(der);
		return ca_refuse(x, rule, err, error, "%s: %s", where,
		    why.text);
	}
	*out = der;
	return OC_OK;
}

enum oc_err
ca_csr_read(const char *path, uint8_t **der, struct x509_csr *csr,
    struct ca_explanation *x, struct oc_error *error)
{
	struct oc_error why = { 0 };
	uint8_t *octets;
	size_t len;
	enum oc_err err;

	err = oc_file_read(path, OCTETS_MAX, &octets, &len, &why);
	if (err == OC_ERR_LIMIT)
		return ca_refuse(x, CA_RULE_CSR_LIMIT, err, error, "%s",
		    why.text);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", why.text);
	err = ca_csr_parse(strcmp(path, "-") == 0 ? "standard input" : path,
	    octets, len, der, csr, x, error);
	free(octets);
	return err;
}
