/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying with OpenSSL's EVP.  Its error queue is emptied here: a signature
 * that does not verify is an answer, not a failure of the library.
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "sign/public.h"
#include "sign/verify.h"

struct sign_verifier {
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	enum sign_key_type type;
};

enum oc_err
sign_verifier_new(struct der_bytes spki, struct sign_verifier **verifier)
{
	struct sign_verifier *v = calloc(1, sizeof(*v));
	enum oc_err err;

	if (v == NULL)
		return OC_ERR_NOMEM;
	err = sign_public_key_new(spki, &v->type, &v->key);
	if (err == OC_OK) {
		v->ctx = EVP_MD_CTX_new();
		if (v->ctx == NULL)
			err = OC_ERR_NOMEM;
	}
	if (err != OC_OK) {
		sign_verifier_free(v);
		return err;
	}
	*verifier = v;
	return OC_OK;
}

void
sign_verifier_free(struct sign_verifier *verifier)
{
	if (verifier == NULL)
		return;
	EVP_MD_CTX_free(verifier->ctx);
	EVP_PKEY_free(verifier->key);
	free(verifier);
}

static const EVP_MD *
digest_of(enum sign_hash hash)
{
	switch (hash) {
	case SIGN_HASH_NONE:
		return NULL;
	case SIGN_SHA256:
		return EVP_sha256();
	case SIGN_SHA384:
		return EVP_sha384();
	case SIGN_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

enum oc_err
sign_verify(struct sign_verifier *verifier, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature)
{
	const struct sign_alg_info *info;
	enum oc_err err = OC_ERR_INTERNAL;
	EVP_PKEY_CTX *key_ctx;
	int verified;

	if (!sign_alg_fits(alg, verifier->type))
		return OC_ERR_MISMATCH;
	info = sign_alg_info(alg);
	if (EVP_DigestVerifyInit(verifier->ctx, &key_ctx,
	    digest_of(info->hash), NULL, verifier->key) != 1)
		goto out;
	if (info->is_pss && (EVP_PKEY_CTX_set_rsa_padding(key_ctx,
	    RSA_PKCS1_PSS_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
	    RSA_PSS_SALTLEN_DIGEST) <= 0))
		goto out;
	verified = EVP_DigestVerify(verifier->ctx, signature.p, signature.len,
	    tbs.p, tbs.len);
	err = verified == 1 ? OC_OK : OC_ERR_SIGNATURE;
out:
	EVP_MD_CTX_reset(verifier->ctx);
	ERR_clear_error();
	return err;
}
