/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify-p256-own: a signature over a TBSCertificate, verified with a key
 * that has verified before, as a signer does with what its token made; by
 * the peer with EVP_DigestVerify and a context that is kept.
 */
#include "base/limits.h"
#include "sign/verify.h"
#include "tests/bench/bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

struct subject {
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	struct sign_verifier *verifier;
	uint8_t tbs[400], signature[OC_SIGNATURE_MAX];
	size_t signature_len;
};

static void
ours(void *arg)
{
	struct subject *s = arg;

	bench_must(sign_verify(s->verifier, SIGN_ECDSA_SHA256,
	    DER_ARRAY(s->tbs), (struct der_bytes){ s->signature,
	    s->signature_len }) == OC_OK);
}

static void
peer(void *arg)
{
	struct subject *s = arg;

	bench_must(EVP_DigestVerifyInit(s->ctx, NULL, EVP_sha256(), NULL,
	    s->key) == 1);
	bench_must(EVP_DigestVerify(s->ctx, s->signature, s->signature_len,
	    s->tbs, sizeof(s->tbs)) == 1);
	EVP_MD_CTX_reset(s->ctx);
}

static void
make(struct subject *s)
{
	unsigned char *spki = NULL;
	int len;

	s->key = EVP_EC_gen("P-256");
	s->ctx = EVP_MD_CTX_new();
	bench_must(s->key != NULL && s->ctx != NULL);
	s->signature_len = sizeof(s->signature);
	bench_must(EVP_DigestSignInit(s->ctx, NULL, EVP_sha256(), NULL,
	    s->key) == 1);
	bench_must(EVP_DigestSign(s->ctx, s->signature, &s->signature_len,
	    s->tbs, sizeof(s->tbs)) == 1);
	EVP_MD_CTX_reset(s->ctx);
	len = i2d_PUBKEY(s->key, &spki);
	bench_must(len > 0);
	bench_must(sign_verifier_new((struct der_bytes){ spki, (size_t)len },
	    &s->verifier) == OC_OK);
	OPENSSL_free(spki);
}

void
bench_verify(void)
{
	static struct subject s;

	make(&s);
	/* As a service's: it has had its first hours. */
	for (int i = 0; i < 1000; i++)
		ours(&s);
	bench_compare("verify-p256-own", ours, peer, &s);
	sign_verifier_free(s.verifier);
	EVP_MD_CTX_free(s.ctx);
	EVP_PKEY_free(s.key);
}
