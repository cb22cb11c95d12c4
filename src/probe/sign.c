/* SPDX-License-Identifier: Apache-2.0 */
/* What is OpenSSL's: a signed request, and its own view of a response. */
#include "probe/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>

/* --- requests --------------------------------------------------------- */

static X509 *
make_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	if (cert == NULL)
		return NULL;
	name = X509_get_subject_name(cert);
	if (X509_set_version(cert, X509_VERSION_3) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(cert), -3600) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(cert), 3600) == NULL ||
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"nobody", -1, -1, 0) != 1 ||
	    X509_set_issuer_name(cert, name) != 1 ||
	    X509_set_pubkey(cert, key) != 1 ||
	    X509_sign(cert, key, EVP_sha256()) == 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static struct der_bytes
cert_octets(struct probe *p, EVP_PKEY *key)
{
	X509 *cert = make_cert(key);
	unsigned char *der = NULL;
	struct der_bytes octets = { NULL, 0 };
	int len = cert == NULL ? -1 : i2d_X509(cert, &der);

	if (len > 0)
		octets = probe_copy(p, (struct der_bytes){ der,
		    (size_t)len });
	OPENSSL_free(der);
	X509_free(cert);
	return octets;
}

static bool
sign_with(EVP_PKEY *key, struct der_bytes tbs, uint8_t out[256], size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_signed;

	*len = 256;
	is_signed = ctx != NULL && EVP_DigestSignInit(ctx, NULL,
	    EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, out, len, tbs.p, tbs.len) == 1;
	EVP_MD_CTX_free(ctx);
	return is_signed;
}

struct signature {
	struct der_bytes octets, cert;
};

/*
 * Signature ::= SEQUENCE {
 *     signatureAlgorithm  AlgorithmIdentifier,
 *     signature           BIT STRING,
 *     certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
 */
static void
put_signature(struct der_writer *w, const void *arg)
{
	const struct signature *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, sign_alg_info(SIGN_ECDSA_SHA256)->identifier);
	der_put_bits(w, s->octets);
	if (s->cert.len > 0) {
		der_begin(w, DER_CONTEXT(0));
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, s->cert);
		der_end(w);
		der_end(w);
	}
	der_end(w);
}

bool
probe_sign(struct probe *p, struct der_bytes tbs, enum probe_sign_kind kind,
    struct der_bytes *signature)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct signature s = { { NULL, 0 }, { NULL, 0 } };
	uint8_t octets[256];
	bool is_signed;

	is_signed = key != NULL && sign_with(key, tbs, octets,
	    &s.octets.len);
	if (is_signed && kind != PROBE_SIGN_NO_CERT) {
		s.cert = cert_octets(p, key);
		is_signed = s.cert.len > 0;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (!is_signed)
		return false;
	/* In the last octet of s, which is a number like any other. */
	if (kind == PROBE_SIGN_WRONG)
		octets[s.octets.len - 1] ^= 1;
	s.octets.p = octets;
	*signature = probe_write(p, put_signature, &s);
	return true;
}

/* --- responses -------------------------------------------------------- */

static X509 *
x509_of(const struct x509_cert *cert)
{
	const unsigned char *p = cert->der.p;

	return d2i_X509(NULL, &p, (long)cert->der.len);
}

static const char *
check_basic(OCSP_BASICRESP *basic, X509_STORE *store, X509 *issuer,
    X509 *cert)
{
	ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, issuer);
	STACK_OF(X509) *others = sk_X509_new_null();
	const char *fault = NULL;
	int status, reason;

	if (id == NULL || others == NULL || sk_X509_push(others, issuer) == 0)
		fault = "out of memory";
	else if (OCSP_basic_verify(basic, others, store, 0) != 1)
		fault = "OCSP_basic_verify says no";
	else if (OCSP_resp_find_status(basic, id, &status, &reason, &revoked,
	    &this_update, &next_update) != 1)
		fault = "OCSP_resp_find_status finds nothing";
	else if (OCSP_check_validity(this_update, next_update, PROBE_SKEW_S,
	    -1) != 1)
		fault = "OCSP_check_validity says no";
	OCSP_CERTID_free(id);
	sk_X509_free(others);
	return fault;
}

const char *
probe_openssl_check(struct der_bytes der, const struct x509_cert *issuer,
    const struct x509_cert *cert)
{
	const unsigned char *p = der.p;
	OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
	OCSP_BASICRESP *basic = response == NULL ? NULL :
	    OCSP_response_get1_basic(response);
	X509 *ca = x509_of(issuer), *leaf = x509_of(cert);
	X509_STORE *store = X509_STORE_new();
	const char *fault;

	if (basic == NULL)
		fault = "OpenSSL does not read it";
	else if (ca == NULL || leaf == NULL || store == NULL ||
	    X509_STORE_add_cert(store, ca) != 1 ||
	    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) != 1)
		fault = "OpenSSL does not take the certificates";
	else
		fault = check_basic(basic, store, ca, leaf);
	X509_STORE_free(store);
	X509_free(leaf);
	X509_free(ca);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return fault;
}
