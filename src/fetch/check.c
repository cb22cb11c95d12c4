/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "x509/file.h"

static enum oc_err
read_list(const char *where, uint8_t *octets, size_t len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    struct status_crl_list **list, struct oc_error *error)
{
	uint8_t *der = NULL;
	size_t der_len = 0;
	enum oc_err err;

	if (len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "%s is empty",
		    where);
	err = x509_file_parse(where, octets, len, X509_FILE_CRL, &der,
	    &der_len, error);
	if (err == OC_ERR_REFUSED)
		explicit_bzero(octets, len);	/* a private key */
	if (err != OC_OK)
		return err;
	err = status_crl_list_new(&der, der_len, issuer, scope, list, error);
	free(der);
	return err == OC_OK ? OC_OK : oc_error_prefix(error, "%s", where);
}

enum oc_err
fetch_check(const char *where, uint8_t *octets, size_t len,
    const struct x509_cert *issuer, enum status_crl_scope scope,
    const struct status_crl_list *before, int64_t now,
    struct status_crl_list **out, struct oc_error *error)
{
	struct status_crl_list *list;
	enum oc_err err;

	err = read_list(where, octets, len, issuer, scope, &list, error);
	if (err != OC_OK)
		return err;
	err = status_crl_list_check_dates(list, now, error);
	if (err == OC_OK && before != NULL)
		err = status_crl_list_check_older(list, before, error);
	if (err != OC_OK)
		(void)oc_error_prefix(error, "%s", where);
	else if (before != NULL && der_bytes_equal(list->crl.der,
	    before->crl.der))
		err = OC_ERR_EXISTS;
	if (err != OC_OK) {
		status_crl_list_release(list);
		return err;
	}
	*out = list;
	return OC_OK;
}

enum oc_err
fetch_read(const char *path, const struct x509_cert *issuer,
    enum status_crl_scope scope, struct status_crl_list **list,
    struct oc_error *error)
{
	uint8_t *octets;
	size_t len;
	enum oc_err err;

	err = oc_file_read_regular(path, OC_CRL_FILE_MAX, &octets, &len, NULL,
	    error);
	if (err != OC_OK)
		return err;
	err = read_list(path, octets, len, issuer, scope, list, error);
	free(octets);
	return err;
}
