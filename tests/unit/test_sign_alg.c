/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The algorithm table against OpenSSL's own AlgorithmIdentifiers, SPKIs of
 * every type and broken ones, and ECDSA values both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "sign/alg.h"
#include "sign/sign.h"

/* What OpenSSL writes into a certificate that it signs. */
static void
openssl_identifier(EVP_PKEY *key, const EVP_MD *md, enum sign_alg alg)
{
	const struct sign_alg_info *info = sign_alg_info(alg);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx;
	X509 *x = X509_new();
	const X509_ALGOR *found;
	unsigned char *der = NULL;
	int len;

	assert_int_equal(EVP_DigestSignInit(ctx, &key_ctx, md, NULL, key), 1);
	if (info->is_pss) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(key_ctx,
		    RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx,
		    RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign_ctx(x, ctx) > 0);
	X509_get0_signature(NULL, &found, x);
	len = i2d_X509_ALGOR(found, &der);
	assert_true(len > 0);
	assert_int_equal(info->identifier.len, (size_t)len);
	assert_memory_equal(info->identifier.p, der, (size_t)len);
	assert_int_equal(sign_alg_find((struct der_bytes){ der,
	    (size_t)len }), alg);
	OPENSSL_free(der);
	X509_free(x);
	EVP_MD_CTX_free(ctx);
}

static void
identifiers_are_openssls(void **state)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256"),
	    *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	const EVP_MD *md[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };

	(void)state;
	for (int i = 0; i < 3; i++) {
		openssl_identifier(rsa, md[i],
		    (enum sign_alg)(SIGN_RSA_SHA256 + i));
		openssl_identifier(rsa, md[i],
		    (enum sign_alg)(SIGN_RSA_PSS_SHA256 + i));
		openssl_identifier(ec, md[i],
		    (enum sign_alg)(SIGN_ECDSA_SHA256 + i));
	}
	openssl_identifier(ed, NULL, SIGN_ED25519);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(ed);
}

static void
identifiers_not_ours_are_none(void **state)
{
	/* ecdsa-with-SHA256 with a NULL: RFC 5758 section 3.2 forbids it. */
	static const uint8_t with_null[] = { 0x30, 0x0c, 0x06, 0x08, 0x2a,
	    0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x05, 0x00 };
	/* sha1WithRSAEncryption */
	static const uint8_t sha1[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86,
	    0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00 };
	struct der_bytes cut = sign_alg_info(SIGN_RSA_SHA256)->identifier;

	(void)state;
	assert_int_equal(sign_alg_find(DER_ARRAY(with_null)), SIGN_ALG_NONE);
	assert_int_equal(sign_alg_find(DER_ARRAY(sha1)), SIGN_ALG_NONE);
	cut.len--;
	assert_int_equal(sign_alg_find(cut), SIGN_ALG_NONE);
	assert_int_equal(sign_alg_find((struct der_bytes){ NULL, 0 }),
	    SIGN_ALG_NONE);
}

static void
defaults_fit_and_others_do_not(void **state)
{
	(void)state;
	for (int type = SIGN_KEY_RSA; type <= SIGN_KEY_ED25519; type++)
		assert_true(sign_alg_fits(
		    sign_alg_default((enum sign_key_type)type),
		    (enum sign_key_type)type));
	assert_int_equal(sign_alg_default(SIGN_KEY_P384), SIGN_ECDSA_SHA384);
	assert_int_equal(sign_alg_default(SIGN_KEY_NONE), SIGN_ALG_NONE);
	assert_true(sign_alg_fits(SIGN_ECDSA_SHA256, SIGN_KEY_P521));
	assert_false(sign_alg_fits(SIGN_ECDSA_SHA256, SIGN_KEY_RSA));
	assert_false(sign_alg_fits(SIGN_ECDSA_SHA256, SIGN_KEY_ED25519));
	assert_false(sign_alg_fits(SIGN_ED25519, SIGN_KEY_P256));
	assert_false(sign_alg_fits(SIGN_RSA_PSS_SHA256, SIGN_KEY_P256));
	assert_false(sign_alg_fits(SIGN_ALG_NONE, SIGN_KEY_NONE));
	assert_false(sign_alg_fits(SIGN_ALG_MAX, SIGN_KEY_RSA));
}

static void
check_spki(EVP_PKEY *key, enum sign_key_type expected,
    unsigned int expected_bits)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	enum sign_key_type type;
	unsigned int bits;

	assert_true(len > 0);
	assert_int_equal(sign_spki_type((struct der_bytes){ der,
	    (size_t)len }, &type, &bits), OC_OK);
	assert_int_equal(type, expected);
	assert_int_equal(bits, expected_bits);
	/* Cut anywhere, or with an octet too many, it is no SPKI. */
	for (int cut = 0; cut < len; cut++)
		assert_int_equal(sign_spki_type((struct der_bytes){ der,
		    (size_t)cut }, &type, &bits), OC_ERR_MALFORMED);
	der = OPENSSL_realloc(der, (size_t)len + 1);
	der[len] = 0;
	assert_int_equal(sign_spki_type((struct der_bytes){ der,
	    (size_t)len + 1 }, &type, &bits), OC_ERR_MALFORMED);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static void
spki_types_and_bits(void **state)
{
	(void)state;
	check_spki(EVP_RSA_gen(2048), SIGN_KEY_RSA, 2048);
	check_spki(EVP_RSA_gen(1025), SIGN_KEY_RSA, 1025);
	check_spki(EVP_EC_gen("P-256"), SIGN_KEY_P256, 256);
	check_spki(EVP_EC_gen("P-384"), SIGN_KEY_P384, 384);
	check_spki(EVP_EC_gen("P-521"), SIGN_KEY_P521, 521);
	check_spki(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
	    SIGN_KEY_ED25519, 256);
}

static void
other_keys_are_unsupported(void **state)
{
	const char *const curves[] = { "secp256k1", "brainpoolP256r1" };
	EVP_PKEY *keys[] = { EVP_EC_gen(curves[0]), EVP_EC_gen(curves[1]),
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), EVP_EC_gen("P-256") };
	enum sign_key_type type;
	unsigned int bits;

	(void)state;
	/* A compressed point is RFC 5480's MAY. */
	assert_int_equal(EVP_PKEY_set_utf8_string_param(keys[3],
	    "point-format", "compressed"), 1);
	for (int i = 0; i < 4; i++) {
		unsigned char *der = NULL;
		int len = i2d_PUBKEY(keys[i], &der);

		assert_true(len > 0);
		assert_int_equal(sign_spki_type((struct der_bytes){ der,
		    (size_t)len }, &type, &bits), OC_ERR_UNSUPPORTED);
		OPENSSL_free(der);
		EVP_PKEY_free(keys[i]);
	}
}

static void
ecdsa_values_go_both_ways(void **state)
{
	static const uint8_t raw[] = { 0x00, 0x01, 0x80, 0xff },
	    der[] = { 0x30, 0x08, 0x02, 0x01, 0x01, 0x02, 0x03, 0x00, 0x80,
	    0xff };
	uint8_t out[16], back[4];
	size_t len;

	(void)state;
	assert_int_equal(sign_ecdsa_to_der(DER_ARRAY(raw), out, sizeof(out),
	    &len), OC_OK);
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(out, der, sizeof(der));
	assert_int_equal(sign_ecdsa_from_der(DER_ARRAY(der), back,
	    sizeof(back)), OC_OK);
	assert_memory_equal(back, raw, sizeof(raw));
}

static void
ecdsa_of_p521_has_a_long_length(void **state)
{
	uint8_t raw[132], out[132 + 9], back[132];
	size_t len;

	(void)state;
	memset(raw, 0xff, sizeof(raw));
	raw[0] = raw[66] = 0x01;
	assert_int_equal(sign_ecdsa_to_der(DER_ARRAY(raw), out, sizeof(out),
	    &len), OC_OK);
	assert_int_equal(len, 3 + 2 * (2 + 66));
	assert_int_equal(out[1], 0x81);
	assert_int_equal(sign_ecdsa_from_der((struct der_bytes){ out, len },
	    back, sizeof(back)), OC_OK);
	assert_memory_equal(back, raw, sizeof(raw));
	for (size_t max = 0; max < len; max++)
		assert_int_equal(sign_ecdsa_to_der(DER_ARRAY(raw), out, max,
		    &len), OC_ERR_NO_SPACE);
}

static void
ecdsa_refuses_what_is_none(void **state)
{
	static const uint8_t zero[64];
	static const struct { uint8_t der[12]; size_t len; } bad[] = {
		/* negative r */
		{ { 0x30, 0x06, 0x02, 0x01, 0x80, 0x02, 0x01, 0x01 }, 8 },
		/* padded s */
		{ { 0x30, 0x07, 0x02, 0x01, 0x01, 0x02, 0x02, 0x00, 0x01 },
		    9 },
		/* a third INTEGER */
		{ { 0x30, 0x09, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x02,
		    0x01, 0x01 }, 11 },
		/* only one */
		{ { 0x30, 0x03, 0x02, 0x01, 0x01 }, 5 },
		/* an octet behind it */
		{ { 0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00 },
		    9 },
		/* r too long for a half of two octets */
		{ { 0x30, 0x08, 0x02, 0x03, 0x01, 0x00, 0x00, 0x02, 0x01,
		    0x01 }, 10 },
		{ { 0 }, 0 },
	};
	uint8_t raw[4], out[80];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sign_ecdsa_from_der((struct der_bytes){
		    bad[i].der, bad[i].len }, raw, sizeof(raw)),
		    OC_ERR_MALFORMED);
	assert_int_equal(sign_ecdsa_to_der((struct der_bytes){ zero, 63 }, out,
	    sizeof(out), &len), OC_ERR_MALFORMED);
	assert_int_equal(sign_ecdsa_to_der((struct der_bytes){ zero, 0 }, out,
	    sizeof(out), &len), OC_ERR_MALFORMED);
	assert_int_equal(sign_ecdsa_to_der((struct der_bytes){ zero, 64 }, out,
	    sizeof(out), &len), OC_OK);
	assert_int_equal(len, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_are_openssls),
		cmocka_unit_test(identifiers_not_ours_are_none),
		cmocka_unit_test(defaults_fit_and_others_do_not),
		cmocka_unit_test(spki_types_and_bits),
		cmocka_unit_test(other_keys_are_unsupported),
		cmocka_unit_test(ecdsa_values_go_both_ways),
		cmocka_unit_test(ecdsa_of_p521_has_a_long_length),
		cmocka_unit_test(ecdsa_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
