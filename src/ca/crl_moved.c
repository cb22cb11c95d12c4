/* SPDX-License-Identifier: Apache-2.0 */
/* Whether certificates that live look for their CRL elsewhere. */
#include "ca/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Of all issuers: each is a row and its certificate. */
#define LOOK_MAX 1000

static bool
is_url(struct der_bytes bytes, const char *url)
{
	return bytes.len == strlen(url) && memcmp(bytes.p, url, bytes.len) ==
	    0;
}

static bool
is_ours(const struct oc_config_issuer *config, struct der_bytes bytes)
{
	char url[OC_CRL_URL_MAX + 1];

	if (config->crl_url == NULL)
		return false;
	if (is_url(bytes, config->crl_url))
		return true;
	/* That there are fewer now is said elsewhere. */
	for (uint32_t n = 1; n <= OC_CRL_PARTITIONS_MAX; n++)
		if (oc_config_partition_url(config->crl_url, n, url) &&
		    is_url(bytes, url))
			return true;
	return false;
}

static void
look_at(const struct oc_config_issuer *config, const struct x509_cert *cert,
    char url[OC_CRL_URL_MAX + 1])
{
	const struct x509_extensions *e = &cert->extensions;

	for (uint32_t i = 0; i < e->num_crl_urls; i++) {
		struct der_bytes bytes = e->crl_urls[i];

		if (is_ours(config, bytes)) {
			url[0] = '\0';
			return;
		}
		if (url[0] != '\0' || bytes.len > OC_CRL_URL_MAX)
			continue;
		memcpy(url, bytes.p, bytes.len);
		url[bytes.len] = '\0';
	}
}

enum oc_err
ca_crl_find_moved(const struct ca_issuer *issuer, struct store *store,
    char url[OC_CRL_URL_MAX + 1], struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct store_certificate newest = { 0 };
	enum oc_err err = OC_ERR_NOMEM;

	url[0] = '\0';
	if (cert != NULL)
		err = store_find_newest(store, issuer->store_id, LOOK_MAX,
		    &newest);
	if (err == OC_OK && newest.not_after > oc_clock_now_s() &&
	    x509_cert_read((struct der_bytes){ newest.certificate,
	    newest.certificate_len }, cert, NULL) == OC_OK)
		look_at(issuer->config, cert, url);
	store_certificate_fini(&newest);
	free(cert);
	if (err == OC_OK || err == OC_ERR_NOT_FOUND)
		return OC_OK;
	return oc_error_set(error, err, "%s", err == OC_ERR_NOMEM ?
	    "out of memory" : store_error(store));
}
