/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying: what OpenSSL signed, and everything a bit away from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "sign/verify.h"

static const uint8_t tbs[] = "to be signed";

static struct sign_verifier *
verifier_of(EVP_PKEY *key)
{
	struct sign_verifier *v;
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_int_equal(sign_verifier_new((struct der_bytes){ der,
	    (size_t)len }, &v), OC_OK);
	OPENSSL_free(der);
	return v;
}

static size_t
sign(EVP_PKEY *key, const EVP_MD *md, int salt_len, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	size_t len = OC_SIGNATURE_MAX;

	assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, md, NULL, key), 1);
	if (salt_len != 0) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx,
		    RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
		    salt_len) > 0);
	}
	assert_int_equal(EVP_DigestSign(ctx, out, &len, tbs, sizeof(tbs)), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

/* Who has the digest already gives it: then that is what counts, with a key
 * that is new as with one that has a table. */
static void
check_digest(struct sign_verifier *v, const EVP_MD *md, enum sign_alg alg,
    struct der_bytes s)
{
	static const uint8_t another[] = "another";
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct sign_claim c = { .alg = alg, .tbs = DER_ARRAY(another),
	    .signature = s, .digest = digest };

	assert_int_equal(EVP_Digest(tbs, sizeof(tbs), digest, NULL, md, NULL),
	    1);
	for (int i = 0; i < 300; i += 1 + i / 2) {
		for (int n = 0; n < i; n++)
			sign_verify_all(v, &c, 1);
		sign_verify_all(v, &c, 1);
		assert_int_equal(c.verdict, OC_OK);
		digest[3] ^= 1;
		sign_verify_all(v, &c, 1);
		assert_int_equal(c.verdict, OC_ERR_SIGNATURE);
		digest[3] ^= 1;
	}
}

static void
check(EVP_PKEY *key, const EVP_MD *md, enum sign_alg alg,
    enum sign_alg wrong)
{
	struct sign_verifier *v = verifier_of(key);
	uint8_t signature[OC_SIGNATURE_MAX], other[sizeof(tbs)];
	struct der_bytes s = { signature, sign(key, md,
	    sign_alg_info(alg)->is_pss ? RSA_PSS_SALTLEN_DIGEST : 0,
	    signature) };

	assert_int_equal(sign_verify(v, alg, DER_ARRAY(tbs), s), OC_OK);
	assert_int_equal(sign_verify(v, wrong, DER_ARRAY(tbs), s),
	    OC_ERR_SIGNATURE);
	check_digest(v, md, alg, s);
	memcpy(other, tbs, sizeof(tbs));
	other[3] ^= 1;
	assert_int_equal(sign_verify(v, alg, DER_ARRAY(other), s),
	    OC_ERR_SIGNATURE);
	for (size_t i = 0; i < s.len; i += 7) {
		signature[i] ^= 0x10;
		assert_int_equal(sign_verify(v, alg, DER_ARRAY(tbs), s),
		    OC_ERR_SIGNATURE);
		signature[i] ^= 0x10;
	}
	s.len--;
	assert_int_equal(sign_verify(v, alg, DER_ARRAY(tbs), s),
	    OC_ERR_SIGNATURE);
	s.len = 0;
	assert_int_equal(sign_verify(v, alg, DER_ARRAY(tbs), s),
	    OC_ERR_SIGNATURE);
	assert_int_equal(ERR_peek_error(), 0);
	sign_verifier_free(v);
}

static void
every_algorithm(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *p256 = EVP_EC_gen("P-256"),
	    *p521 = EVP_EC_gen("P-521");

	(void)state;
	check(rsa, EVP_sha256(), SIGN_RSA_SHA256, SIGN_RSA_PSS_SHA256);
	check(rsa, EVP_sha512(), SIGN_RSA_SHA512, SIGN_RSA_SHA384);
	check(rsa, EVP_sha384(), SIGN_RSA_PSS_SHA384, SIGN_RSA_SHA384);
	check(p256, EVP_sha256(), SIGN_ECDSA_SHA256, SIGN_ECDSA_SHA384);
	check(p256, EVP_sha384(), SIGN_ECDSA_SHA384, SIGN_ECDSA_SHA256);
	check(p521, EVP_sha512(), SIGN_ECDSA_SHA512, SIGN_ECDSA_SHA256);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p521);
}

static void
ed25519_signs_the_message_itself(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct sign_verifier *v = verifier_of(key);
	uint8_t signature[OC_SIGNATURE_MAX];
	struct der_bytes s = { signature, sign(key, NULL, 0, signature) };

	(void)state;
	assert_int_equal(s.len, 64);
	assert_int_equal(sign_verify(v, SIGN_ED25519, DER_ARRAY(tbs), s),
	    OC_OK);
	signature[5] ^= 1;
	assert_int_equal(sign_verify(v, SIGN_ED25519, DER_ARRAY(tbs), s),
	    OC_ERR_SIGNATURE);
	assert_int_equal(sign_verify(v, SIGN_ECDSA_SHA256, DER_ARRAY(tbs), s),
	    OC_ERR_MISMATCH);
	sign_verifier_free(v);
	EVP_PKEY_free(key);
}

static void
pss_salt_of_another_length_is_refused(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct sign_verifier *v = verifier_of(key);
	uint8_t signature[OC_SIGNATURE_MAX];
	struct der_bytes s = { signature, sign(key, EVP_sha256(), 20,
	    signature) };

	(void)state;
	assert_int_equal(sign_verify(v, SIGN_RSA_PSS_SHA256, DER_ARRAY(tbs),
	    s), OC_ERR_SIGNATURE);
	sign_verifier_free(v);
	EVP_PKEY_free(key);
}

static void
key_types_must_fit(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-384"), *twin = EVP_EC_gen("P-384");
	struct sign_verifier *v = verifier_of(key);
	uint8_t signature[OC_SIGNATURE_MAX];
	struct der_bytes s = { signature, sign(twin, EVP_sha384(), 0,
	    signature) };

	(void)state;
	assert_int_equal(sign_verify(v, SIGN_ECDSA_SHA384, DER_ARRAY(tbs), s),
	    OC_ERR_SIGNATURE);
	assert_int_equal(sign_verify(v, SIGN_RSA_SHA256, DER_ARRAY(tbs), s),
	    OC_ERR_MISMATCH);
	assert_int_equal(sign_verify(v, SIGN_ALG_NONE, DER_ARRAY(tbs), s),
	    OC_ERR_MISMATCH);
	sign_verifier_free(v);
	sign_verifier_free(NULL);
	EVP_PKEY_free(key);
	EVP_PKEY_free(twin);
}

static void
point_off_the_curve_is_malformed(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	struct sign_verifier *v;

	(void)state;
	assert_true(len > 0);
	der[len - 1] ^= 1;
	assert_int_equal(sign_verifier_new((struct der_bytes){ der,
	    (size_t)len }, &v), OC_ERR_MALFORMED);
	assert_int_equal(sign_verifier_new(DER_LITERAL("x"), &v),
	    OC_ERR_MALFORMED);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

/* Key after key of two curves, an RSA key and points that are none between
 * them: what is kept of one says nothing of the next. */
static void
once_is_for_that_key_only(void **state)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
	    EVP_EC_gen("P-256"), EVP_RSA_gen(2048), EVP_EC_gen("P-256") };
	static const enum sign_alg algs[] = { SIGN_ECDSA_SHA256,
	    SIGN_ECDSA_SHA384, SIGN_ECDSA_SHA256, SIGN_RSA_SHA256,
	    SIGN_ECDSA_SHA256 };
	enum { NUM = sizeof(keys) / sizeof(keys[0]) };
	uint8_t signatures[NUM][OC_SIGNATURE_MAX];
	struct der_bytes spkis[NUM], signed_by[NUM];
	enum oc_err key_err;

	(void)state;
	for (int i = 0; i < NUM; i++) {
		unsigned char *der = NULL;
		int len = i2d_PUBKEY(keys[i], &der);

		assert_true(len > 0);
		spkis[i] = (struct der_bytes){ der, (size_t)len };
		signed_by[i] = (struct der_bytes){ signatures[i], sign(keys[i],
		    algs[i] == SIGN_ECDSA_SHA384 ? EVP_sha384() :
		    EVP_sha256(), 0, signatures[i]) };
	}
	for (int n = 0; n < 3 * NUM * NUM; n++) {
		int i = n % NUM, j = n / NUM % NUM;
		enum oc_err expected = i == j ? OC_OK :
		    sign_alg_info(algs[i])->key_type !=
		    sign_alg_info(algs[j])->key_type ? OC_ERR_MISMATCH :
		    OC_ERR_SIGNATURE;

		assert_int_equal(sign_verify_once(spkis[i], algs[j],
		    DER_ARRAY(tbs), signed_by[j], &key_err), expected);
		assert_int_equal(key_err, OC_OK);
		assert_int_equal(ERR_peek_error(), 0);
	}
	/* Off its curve, once a good one of that curve was there. */
	((uint8_t *)(uintptr_t)spkis[0].p)[spkis[0].len - 1] ^= 1;
	assert_int_equal(sign_verify_once(spkis[0], algs[0], DER_ARRAY(tbs),
	    signed_by[0], &key_err), OC_ERR_MALFORMED);
	assert_int_equal(key_err, OC_ERR_MALFORMED);
	assert_int_equal(sign_verify_once(spkis[4], algs[4], DER_ARRAY(tbs),
	    signed_by[4], &key_err), OC_OK);
	for (int i = 0; i < NUM; i++) {
		OPENSSL_free((void *)(uintptr_t)spkis[i].p);
		EVP_PKEY_free(keys[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm),
		cmocka_unit_test(ed25519_signs_the_message_itself),
		cmocka_unit_test(pss_salt_of_another_length_is_refused),
		cmocka_unit_test(key_types_must_fit),
		cmocka_unit_test(point_off_the_curve_is_malformed),
		cmocka_unit_test(once_is_for_that_key_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
