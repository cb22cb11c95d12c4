/* SPDX-License-Identifier: Apache-2.0 */
/* The identity in an issuer's responses, from its files. */
#include "status/identity.h"

#include <stdlib.h>

#include "x509/cert.h"
#include "x509/file.h"

static enum oc_err
choose(const struct oc_config_issuer *issuer, struct ocsp_identity *identity,
    struct oc_error *error)
{
	struct ocsp_choices choices = {
		.is_by_name = issuer->responder_id == OC_RESPONDER_ID_NAME,
	};

	if (issuer->archive_cutoff_s != OC_CONFIG_UNSET)
		choices.archive_s = issuer->archive_cutoff_s;
	if (issuer->crl_reference == OC_SWITCH_YES)
		choices.crl_url = issuer->crl_url;
	return ocsp_identity_choose(identity, &choices, error);
}

enum oc_err
status_identity_load(const struct oc_config_ocsp *config,
    struct ocsp_identity **out, struct oc_error *error)
{
	struct ocsp_identity *identity = calloc(1, sizeof(*identity));
	struct der_bytes ca = { NULL, 0 }, ocsp = { NULL, 0 };
	uint8_t *ca_der = NULL, *ocsp_der = NULL;
	enum oc_err err;

	if (identity == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read(config->issuer->certificate,
	    X509_FILE_CERTIFICATE, &ca_der, &ca.len, error);
	if (err == OC_OK && config->certificate != NULL)
		err = x509_file_read(config->certificate,
		    X509_FILE_CERTIFICATE, &ocsp_der, &ocsp.len, error);
	if (err == OC_OK) {
		ca.p = ca_der;
		ocsp.p = ocsp_der;
		err = ocsp_identity_make(ca, ocsp,
		    sign_alg_configured(config->algorithm), identity, error);
	}
	if (err == OC_OK)
		err = choose(config->issuer, identity, error);
	free(ca_der);
	free(ocsp_der);
	if (err == OC_OK)
		*out = identity;
	else
		free(identity);
	return err;
}

enum oc_err
status_identity_verifier(const char *path,
    const struct ocsp_identity *identity, struct ocsp_context **context,
    struct sign_verifier **verifier, struct oc_error *error)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct sign_verifier *made = NULL;
	uint8_t *der = NULL;
	size_t len = 0;
	enum oc_err err = OC_OK;

	if (cert == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (err == OC_OK)
		err = x509_file_read(path, X509_FILE_CERTIFICATE, &der, &len,
		    error);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ der, len }, cert,
		    error);
	if (err == OC_OK) {
		err = sign_verifier_new(cert->spki, &made);
		if (err == OC_OK)
			err = ocsp_context_new(identity, context);
		if (err != OC_OK)
			oc_error_set(error, err, "%s: the key: %s", path,
			    oc_strerror(err));
	}
	free(der);
	free(cert);
	if (err == OC_OK)
		*verifier = made;
	else
		sign_verifier_free(made);
	return err;
}
