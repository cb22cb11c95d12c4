/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "sign/verify.h"
#include "x509/csr.h"
#include "x509/tbs.h"

struct cfssl_key {
	EVP_PKEY *pkey;
	uint8_t *spki;			/* OpenSSL's */
	size_t spki_len;
	enum sign_key_type type;
	unsigned int bits;
};

static EVP_PKEY *
generate(enum sign_key_type type, unsigned int bits)
{
	switch (type) {
	case SIGN_KEY_RSA:
		return EVP_RSA_gen(bits);
	case SIGN_KEY_P256:
		return EVP_EC_gen("P-256");
	case SIGN_KEY_P384:
		return EVP_EC_gen("P-384");
	case SIGN_KEY_P521:
		return EVP_EC_gen("P-521");
	case SIGN_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case SIGN_KEY_NONE:
		break;
	}
	return NULL;
}

enum oc_err
cfssl_key_new(enum sign_key_type type, unsigned int bits,
    struct cfssl_key **out, struct oc_error *error)
{
	struct cfssl_key *key = calloc(1, sizeof(*key));
	int len;

	if (key == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	key->type = type;
	key->bits = bits;
	key->pkey = generate(type, bits);
	len = key->pkey == NULL ? -1 : i2d_PUBKEY(key->pkey, &key->spki);
	if (len <= 0) {
		cfssl_key_free(key);
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "OpenSSL cannot generate the key");
	}
	key->spki_len = (size_t)len;
	*out = key;
	return OC_OK;
}

void
cfssl_key_free(struct cfssl_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	OPENSSL_free(key->spki);
	free(key);
}

struct der_bytes
cfssl_key_spki(const struct cfssl_key *key)
{
	return (struct der_bytes){ key->spki, key->spki_len };
}

enum sign_alg
cfssl_key_alg(const struct cfssl_key *key)
{
	if (key->type == SIGN_KEY_RSA && key->bits >= 4096)
		return SIGN_RSA_SHA512;
	if (key->type == SIGN_KEY_RSA && key->bits >= 3072)
		return SIGN_RSA_SHA384;
	return sign_alg_default(key->type);
}

/* --- signing ---------------------------------------------------------- */

static const char *
digest_name(enum sign_hash hash)
{
	switch (hash) {
	case SIGN_SHA256:
		return "SHA256";
	case SIGN_SHA384:
		return "SHA384";
	case SIGN_SHA512:
		return "SHA512";
	case SIGN_HASH_NONE:
		break;
	}
	return NULL;
}

static bool
sign_octets(const struct cfssl_key *key, struct der_bytes tbs,
    uint8_t *signature, size_t *len)
{
	const char *md = digest_name(sign_alg_info(cfssl_key_alg(key))->hash);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_signed = ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, md,
	    NULL, NULL, key->pkey, NULL) == 1 &&
	    EVP_DigestSign(ctx, signature, len, tbs.p, tbs.len) == 1;

	EVP_MD_CTX_free(ctx);
	return is_signed;
}

static enum oc_err
check_signature(const struct cfssl_key *key, struct der_bytes tbs,
    struct der_bytes signature)
{
	enum oc_err key_err;

	return sign_verify_once(cfssl_key_spki(key), cfssl_key_alg(key), tbs,
	    signature, &key_err);
}

enum oc_err
cfssl_encode(der_put_fn *put, const void *arg, uint8_t **out, size_t *len,
    struct oc_error *error)
{
	uint8_t *der = NULL;
	enum oc_err err = der_write(put, arg, NULL, 0, len);

	if (err == OC_OK && (der = malloc(*len)) == NULL)
		err = OC_ERR_NOMEM;
	if (err == OC_OK)
		err = der_write(put, arg, der, *len, len);
	if (err != OC_OK) {
		free(der);
		return oc_error_set(error, err, "cannot be encoded: %s",
		    oc_strerror(err));
	}
	*out = der;
	return OC_OK;
}

enum oc_err
cfssl_key_sign(const struct cfssl_key *key, struct der_bytes tbs,
    uint8_t **der, size_t *der_len, struct oc_error *error)
{
	struct x509_signed whole = { .tbs = tbs, .alg = cfssl_key_alg(key) };
	int max = EVP_PKEY_get_size(key->pkey);
	size_t len = max <= 0 ? 0 : (size_t)max;
	uint8_t *signature = malloc(len + 1);
	enum oc_err err = OC_ERR_INTERNAL;

	if (signature == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (sign_octets(key, tbs, signature, &len)) {
		whole.signature = (struct der_bytes){ signature, len };
		err = check_signature(key, tbs, whole.signature);
	}
	if (err != OC_OK)
		oc_error_set(error, err, "OpenSSL cannot sign with the new "
		    "key");
	else
		err = cfssl_encode(x509_put_signed, &whole, der, der_len,
		    error);
	free(signature);
	return err;
}

enum oc_err
cfssl_key_csr(const struct cfssl_key *key,
    const struct cfssl_request *request, uint8_t **der, size_t *der_len,
    struct oc_error *error)
{
	struct x509_extensions *extensions = calloc(1, sizeof(*extensions));
	uint8_t subject[OC_NAME_MAX], *info = NULL;
	struct x509_csr_info plan = { .spki = cfssl_key_spki(key) };
	enum oc_err err;
	size_t len;

	if (extensions == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (cfssl_request_extensions(request, extensions))
		plan.extensions = extensions;
	err = cfssl_subject_write(&request->subject, subject, &len, error);
	plan.subject = (struct der_bytes){ subject, len };
	if (err == OC_OK)
		err = cfssl_encode(x509_put_csr_info, &plan, &info, &len,
		    error);
	if (err == OC_OK)
		err = cfssl_key_sign(key, (struct der_bytes){ info, len },
		    der, der_len, error);
	free(info);
	free(extensions);
	return err;
}

/* --- PEM -------------------------------------------------------------- */

enum oc_err
cfssl_key_pem(const struct cfssl_key *key, char **pem, struct oc_error *error)
{
	const char *structure = key->type == SIGN_KEY_ED25519 ?
	    "PrivateKeyInfo" : "type-specific";
	OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(key->pkey,
	    EVP_PKEY_KEYPAIR, "PEM", structure, NULL);
	unsigned char *text = NULL;
	char *out = NULL;
	size_t len = 0;

	if (ctx != NULL && OSSL_ENCODER_to_data(ctx, &text, &len) == 1 &&
	    (out = malloc(len + 1)) != NULL) {
		memcpy(out, text, len);
		out[len] = '\0';
	}
	OPENSSL_clear_free(text, len);
	OSSL_ENCODER_CTX_free(ctx);
	if (out == NULL)
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "OpenSSL cannot encode the key");
	*pem = out;
	return OC_OK;
}

void
cfssl_pem_free(char *pem)
{
	if (pem == NULL)
		return;
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
}
