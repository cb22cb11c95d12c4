/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path to who is trusted.  Our own strict reader sees each certificate
 * before libcrypto does; libcrypto decides.  Its error queue is emptied here.
 */
#include "x509/trust.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/limits.h"
#include "der/reader.h"
#include "x509/file.h"

/* Of RSA 2048 and P-224 on, and no SHA-1: what OpenSSL's level 2 means. */
#define AUTH_LEVEL 2

struct x509_trust {
	X509_STORE *store;
};

static X509 *
to_openssl(struct der_bytes der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.len);
}

static enum oc_err
put_trusted(struct x509_trust *trust, struct der_bytes chain,
    const char *path, struct oc_error *error)
{
	struct der_reader r = der_reader_of(chain);
	struct der_bytes der;

	while (!der_at_end(&r) && der_get_tlv(&r, DER_SEQUENCE, &der)) {
		X509 *x = to_openssl(der);
		bool is_put = x != NULL &&
		    X509_STORE_add_cert(trust->store, x) == 1;

		X509_free(x);
		if (!is_put)
			return oc_error_set(error, OC_ERR_MALFORMED, "%s: a "
			    "certificate in it is not well-formed", path);
	}
	return OC_OK;
}

enum oc_err
x509_trust_load(const char *path, struct x509_trust **out,
    struct oc_error *error)
{
	struct x509_trust *trust = NULL;
	struct der_bytes chain = { NULL, 0 };
	uint8_t *der = NULL;
	enum oc_err err;

	err = x509_file_read_chain(path, &der, &chain.len, error);
	if (err != OC_OK)
		return err;
	chain.p = der;
	trust = calloc(1, sizeof(*trust));
	if (trust != NULL)
		trust->store = X509_STORE_new();
	if (trust == NULL || trust->store == NULL ||
	    X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = put_trusted(trust, chain, path, error);
	if (err == OC_OK) {
		*out = trust;
		trust = NULL;
	}
	x509_trust_free(trust);
	free(der);
	ERR_clear_error();
	return err;
}

void
x509_trust_free(struct x509_trust *trust)
{
	if (trust == NULL)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}

/* A key that we verify with, and no larger than is good for whoever has to
 * answer others meanwhile. */
static enum oc_err
check_presented(struct der_bytes der, struct oc_error *error)
{
	struct x509_cert cert;
	enum sign_key_type type;
	unsigned int bits;
	enum oc_err err;

	err = x509_cert_read(der, &cert, error);
	if (err != OC_OK)
		return err;
	err = sign_spki_type(cert.spki, &type, &bits);
	if (err == OC_OK && type == SIGN_KEY_RSA && bits > OC_RSA_BITS_MAX)
		err = OC_ERR_LIMIT;
	if (err != OC_OK)
		return oc_error_set(error, err, "its key, or that of one on "
		    "the way, is of no type or size that we verify with");
	return OC_OK;
}

static enum oc_err
put_presented(STACK_OF(X509) *presented, struct der_bytes certs,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(certs);
	struct der_bytes der;
	enum oc_err err;
	X509 *x;

	while (!der_at_end(&r)) {
		if (!der_get_tlv(&r, DER_SEQUENCE, &der))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "what should be a certificate is none");
		if (sk_X509_num(presented) == X509_TRUST_CERTS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "more than %d certificates",
			    X509_TRUST_CERTS_MAX);
		err = check_presented(der, error);
		if (err != OC_OK)
			return err;
		x = to_openssl(der);
		if (x == NULL || sk_X509_push(presented, x) == 0) {
			X509_free(x);
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "libcrypto does not read the certificate");
		}
	}
	if (sk_X509_num(presented) == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "no certificate");
	return OC_OK;
}

static enum oc_err
verify(struct x509_trust *trust, STACK_OF(X509) *presented,
    X509_STORE_CTX *context, int64_t now, struct oc_error *error)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(context, trust->store,
	    sk_X509_value(presented, 0), presented) != 1)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, X509_TRUST_CERTS_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	if (X509_verify_cert(context) == 1)
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED, "its certificate leads to "
	    "nobody who is trusted: %s", X509_verify_cert_error_string(
	    X509_STORE_CTX_get_error(context)));
}

enum oc_err
x509_trust_check(struct x509_trust *trust, struct der_bytes certs, int64_t now,
    struct oc_error *error)
{
	STACK_OF(X509) *presented = sk_X509_new_null();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	enum oc_err err;

	if (presented == NULL || context == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = put_presented(presented, certs, error);
	if (err == OC_OK)
		err = verify(trust, presented, context, now, error);
	X509_STORE_CTX_free(context);
	sk_X509_pop_free(presented, X509_free);
	ERR_clear_error();
	return err;
}
