/* SPDX-License-Identifier: Apache-2.0 */
/* What is OpenSSL's: a signed request, and its own view of a response. */
#include "probe/sign.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "x509/file.h"

/* RSA of 8192 bits. */
#define SIGNATURE_MAX 1024
#define KEY_FILE_MAX (64 * 1024)

struct probe_signer {
	EVP_PKEY *key;
	enum sign_alg alg;
	uint8_t *owned;
	struct der_bytes certs;		/* its own first */
	struct der_bytes subject;	/* of that */
};

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

static const EVP_MD *
digest_of(enum sign_alg alg)
{
	switch (sign_alg_info(alg)->hash) {
	case SIGN_SHA256:
		return EVP_sha256();
	case SIGN_SHA384:
		return EVP_sha384();
	case SIGN_SHA512:
		return EVP_sha512();
	case SIGN_HASH_NONE:
		break;
	}
	return NULL;
}

static bool
sign_with(const struct probe_signer *s, struct der_bytes tbs,
    uint8_t out[SIGNATURE_MAX], size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_signed;

	*len = SIGNATURE_MAX;
	is_signed = ctx != NULL && EVP_DigestSignInit(ctx, NULL,
	    digest_of(s->alg), NULL, s->key) == 1 &&
	    EVP_DigestSign(ctx, out, len, tbs.p, tbs.len) == 1;
	EVP_MD_CTX_free(ctx);
	return is_signed;
}

struct signature {
	struct der_bytes identifier, octets, certs;
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
	der_put_raw(w, s->identifier);
	der_put_bits(w, s->octets);
	if (s->certs.len > 0) {
		der_begin(w, DER_CONTEXT(0));
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, s->certs);
		der_end(w);
		der_end(w);
	}
	der_end(w);
}

static bool
sign(struct probe *p, const struct probe_signer *by, struct der_bytes tbs,
    enum probe_sign_kind kind, struct der_bytes *signature)
{
	struct signature s = { sign_alg_info(by->alg)->identifier,
	    { NULL, 0 }, { NULL, 0 } };
	uint8_t octets[SIGNATURE_MAX];

	if (!sign_with(by, tbs, octets, &s.octets.len))
		return false;
	/* In the last octet: of ECDSA's s, which is a number like any
	 * other. */
	if (kind == PROBE_SIGN_WRONG)
		octets[s.octets.len - 1] ^= 1;
	s.octets.p = octets;
	if (kind != PROBE_SIGN_NO_CERT)
		s.certs = by->certs;
	*signature = probe_write(p, put_signature, &s);
	return true;
}

bool
probe_ask_signed(struct probe *p, const struct probe_signer *signer,
    enum probe_sign_kind kind, struct probe_answer *a)
{
	struct probe_signer stranger = { .alg = SIGN_ECDSA_SHA256 };
	struct probe_request plan = { .requestor = { NULL, 0 } };
	bool is_signed;

	if (signer == NULL) {
		stranger.key = EVP_EC_gen("P-256");
		if (stranger.key != NULL)
			stranger.certs = cert_octets(p, stranger.key);
		plan.requestor = probe_requestor;
	} else {
		plan.requestor = probe_wrap(p, DER_CONTEXT(X509_SAN_DIRECTORY),
		    signer->subject);
	}
	is_signed = signer != NULL || stranger.certs.len > 0;
	if (is_signed)
		is_signed = sign(p, signer != NULL ? signer : &stranger,
		    probe_make_tbs(p, &plan), kind, &plan.signature);
	EVP_PKEY_free(stranger.key);
	ERR_clear_error();
	if (is_signed)
		probe_post(p, probe_make_request(p, &plan), NULL, a);
	return is_signed;
}

/* --- who is known ----------------------------------------------------- */

/* Nobody is asked for a password. */
static int
no_password(char *buffer, int size, int is_writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static EVP_PKEY *
parse_key(const uint8_t *octets, size_t len)
{
	BIO *text = BIO_new_mem_buf(octets, (int)len);
	const unsigned char *p = octets;
	EVP_PKEY *key = text == NULL ? NULL : PEM_read_bio_PrivateKey(text,
	    NULL, no_password, NULL);

	if (key == NULL)
		key = d2i_AutoPrivateKey(NULL, &p, (long)len);
	BIO_free(text);
	ERR_clear_error();
	return key;
}

static enum oc_err
read_key(const char *path, EVP_PKEY **key, struct oc_error *error)
{
	uint8_t *octets;
	size_t len;
	enum oc_err err = oc_file_read(path, KEY_FILE_MAX, &octets, &len,
	    error);

	if (err != OC_OK)
		return err;
	*key = parse_key(octets, len);
	OPENSSL_cleanse(octets, len);
	free(octets);
	return *key != NULL ? OC_OK : oc_error_set(error, OC_ERR_MALFORMED,
	    "%s: no private key that can be read without a password", path);
}

static bool
is_key_of(EVP_PKEY *key, struct der_bytes spki)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	bool is = len > 0 && der_bytes_equal(spki, (struct der_bytes){ der,
	    (size_t)len });

	OPENSSL_free(der);
	return is;
}

static enum oc_err
check_pair(struct probe_signer *s, const char *key_path,
    const char *cert_path, struct oc_error *error)
{
	struct der_reader r = der_reader_of(s->certs);
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	enum sign_key_type type = SIGN_KEY_NONE;
	struct der_bytes first = { NULL, 0 };
	enum oc_err err;
	uint32_t bits;

	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	(void)der_get_tlv(&r, DER_SEQUENCE, &first);
	err = x509_cert_read(first, cert, error);
	if (err == OC_OK)
		err = sign_spki_type(cert->spki, &type, &bits);
	if (err != OC_OK)
		oc_error_prefix(error, "%s", cert_path);
	else if (!is_key_of(s->key, cert->spki))
		err = oc_error_set(error, OC_ERR_MISMATCH, "%s: not the key "
		    "of %s", key_path, cert_path);
	s->subject = cert->subject;
	s->alg = sign_alg_default(type);
	free(cert);
	return err;
}

enum oc_err
probe_signer_read(const char *key_path, const char *cert_path,
    struct probe_signer **signer, struct oc_error *error)
{
	struct probe_signer *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_file_read_chain(cert_path, &s->owned, &s->certs.len,
	    error);
	s->certs.p = s->owned;
	if (err == OC_OK)
		err = read_key(key_path, &s->key, error);
	if (err == OC_OK)
		err = check_pair(s, key_path, cert_path, error);
	if (err != OC_OK) {
		probe_signer_free(s);
		return err;
	}
	*signer = s;
	return OC_OK;
}

void
probe_signer_free(struct probe_signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(s->key);
	free(s->owned);
	free(s);
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
