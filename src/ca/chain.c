/* SPDX-License-Identifier: Apache-2.0 */
/* Chains above an issuer, the usual one and its alternates. */
#include "ca/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/pem.h"
#include "base/value.h"
#include "der/reader.h"
#include "x509/file.h"

void
ca_chain_fini(struct ca_chain *chain)
{
	free(chain->der);
	*chain = (struct ca_chain){ NULL, 0 };
}

/* --- reading ---------------------------------------------------------- */

static enum oc_err
read_usual(const struct ca_issuer *issuer, struct ca_chain *out,
    struct oc_error *error)
{
	size_t len = issuer->cert.der.len;
	uint8_t *der = malloc(len + issuer->chain_len);

	if (der == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	memcpy(der, issuer->cert.der.p, len);
	if (issuer->chain_len > 0)
		memcpy(der + len, issuer->chain, issuer->chain_len);
	*out = (struct ca_chain){ der, len + issuer->chain_len };
	return OC_OK;
}

static enum oc_err
check_first(const struct ca_issuer *issuer, const struct x509_cert *cert,
    struct oc_error *error)
{
	if (der_bytes_equal(cert->spki, issuer->cert.spki) &&
	    der_bytes_equal(cert->subject, issuer->cert.subject))
		return OC_OK;
	return oc_error_set(error, OC_ERR_MISMATCH, "its first certificate is "
	    "not one for the key and subject of issuer %s; make it with "
	    "\"ocsign ca cross-sign %s\"", issuer->config->name,
	    issuer->config->name);
}

/* two[0] is the certificate before, two[1] the one at hand, by turns. */
static enum oc_err
check_links(const struct ca_issuer *issuer, const struct ca_chain *chain,
    struct x509_cert two[2], struct oc_error *error)
{
	struct der_reader r = der_reader_of((struct der_bytes){ chain->der,
	    chain->len });
	struct der_bytes der;
	size_t n = 0;
	enum oc_err err = OC_OK;

	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		struct x509_cert *cert = &two[n % 2];

		err = x509_cert_read(der, cert, error);
		if (err == OC_OK && n == 0)
			err = check_first(issuer, cert, error);
		else if (err == OC_OK && x509_cert_verify_issued(
		    &two[(n + 1) % 2], cert, NULL) != OC_OK)
			err = oc_error_set(error, OC_ERR_MISMATCH, "its "
			    "certificate %zu was not issued by the next one",
			    n);
		n++;
	}
	return err;
}

enum oc_err
ca_chain_read(const struct ca_issuer *issuer, size_t number,
    struct ca_chain *out, struct oc_error *error)
{
	const struct oc_words *files = &issuer->config->alternate_chain;
	struct ca_chain chain = { NULL, 0 };
	struct x509_cert *two;
	enum oc_err err;

	if (number == 0)
		return read_usual(issuer, out, error);
	if (number > files->num)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "[issuer %s] has "
		    "%zu alternate-chain, not %zu", issuer->config->name,
		    files->num, number);
	two = calloc(2, sizeof(*two));
	if (two == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read_chain(files->words[number - 1], &chain.der,
	    &chain.len, error);
	if (err == OC_OK) {
		err = check_links(issuer, &chain, two, error);
		if (err == OC_OK)
			err = ca_blocklist_check(issuer->blocklist,
			    (struct der_bytes){ chain.der, chain.len }, error);
		if (err != OC_OK)
			oc_error_prefix(error, "%s", files->words[number - 1]);
	}
	free(two);
	if (err != OC_OK) {
		ca_chain_fini(&chain);
		return err;
	}
	*out = chain;
	return OC_OK;
}

/* --- finding ---------------------------------------------------------- */

static bool
leads_to(const struct ca_chain *chain, const struct x509_cert *issuer,
    struct x509_cert *cert)
{
	struct der_reader r = der_reader_of((struct der_bytes){ chain->der,
	    chain->len });
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der))
		if (x509_cert_read(der, cert, NULL) == OC_OK &&
		    x509_cert_verify_issued(cert, issuer, NULL) == OC_OK)
			return true;
	return false;
}

static enum oc_err
find_by_name(const struct oc_config_issuer *section,
    const struct ca_issuer *issuer, size_t *number, struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct ca_issuer *top = NULL;
	size_t found = 0;
	enum oc_err err;

	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ca_issuer_load(section, &top, error);
	for (size_t n = 1; err == OC_OK && found == 0 &&
	    n <= issuer->config->alternate_chain.num; n++) {
		struct ca_chain chain = { NULL, 0 };

		err = ca_chain_read(issuer, n, &chain, error);
		if (err == OC_ERR_NOT_FOUND)	/* not made yet */
			err = OC_OK;
		else if (err == OC_OK && leads_to(&chain, &top->cert, cert))
			found = n;
		ca_chain_fini(&chain);
	}
	if (err == OC_OK && found == 0)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "no "
		    "alternate-chain of [issuer %s] leads to %s; \"ocsign ca "
		    "cross-sign %s --issuer %s\" makes one",
		    issuer->config->name, section->name,
		    issuer->config->name, section->name);
	if (err == OC_OK)
		*number = found;
	ca_issuer_free(top);
	free(cert);
	return err;
}

enum oc_err
ca_chain_find(const struct oc_config *config, const struct ca_issuer *issuer,
    const char *text, size_t *number, struct oc_error *error)
{
	const struct oc_config_issuer *section =
	    oc_config_find_issuer(config, text);
	int64_t n;

	if (section != NULL)
		return find_by_name(section, issuer, number, error);
	if (oc_value_int(text, 1, INT64_MAX, &n, NULL) != OC_OK ||
	    (uint64_t)n > issuer->config->alternate_chain.num)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "\"%.64s\" is "
		    "neither an [issuer] nor one of the %zu alternate-chain "
		    "of [issuer %s]", text,
		    issuer->config->alternate_chain.num,
		    issuer->config->name);
	*number = (size_t)n;
	return OC_OK;
}

/* --- writing ---------------------------------------------------------- */

void
ca_chain_put(const struct ca_chain *chain, struct oc_buffer *pem)
{
	struct der_reader r = der_reader_of((struct der_bytes){ chain->der,
	    chain->len });
	struct x509_cert *cert = malloc(sizeof(*cert));
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der))
		if (cert == NULL || x509_cert_read(der, cert, NULL) != OC_OK ||
		    !der_bytes_equal(cert->issuer, cert->subject))
			oc_pem_write(pem, "CERTIFICATE", der.p, der.len);
	free(cert);
}
