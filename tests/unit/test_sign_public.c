/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys from our own reading of a SubjectPublicKeyInfo against
 * d2i_PUBKEY's: every octet of it changed in many ways, and the verdict and
 * the key are OpenSSL's, but for what sign_spki_type() does not take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "sign/public.h"

struct verdicts {
	unsigned int num_taken, num_refused;
};

/* Whether OpenSSL takes the whole of it. */
static EVP_PKEY *
theirs_of(struct der_bytes spki)
{
	const unsigned char *p = spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)spki.len);

	ERR_clear_error();
	if (key != NULL && p != spki.p + spki.len) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static void
compare(struct der_bytes spki, struct verdicts *v)
{
	EVP_PKEY *theirs, *ours = NULL;
	enum sign_key_type type;
	unsigned int bits;
	enum oc_err err;

	if (sign_spki_type(spki, &type, &bits) != OC_OK) {
		assert_int_not_equal(sign_public_key_new(spki, &type, &ours),
		    OC_OK);
		assert_null(ours);
		return;
	}
	theirs = theirs_of(spki);
	err = sign_public_key_new(spki, &type, &ours);
	assert_int_equal(ERR_peek_error(), 0);
	if ((err == OC_OK) != (theirs != NULL))
		fail_msg("we say %s, OpenSSL %s", oc_strerror(err),
		    theirs != NULL ? "takes it" : "does not take it");
	if (err == OC_OK) {
		assert_int_equal(EVP_PKEY_eq(ours, theirs), 1);
		v->num_taken++;
	} else {
		assert_int_equal(err, OC_ERR_MALFORMED);
		assert_null(ours);
		v->num_refused++;
	}
	EVP_PKEY_free(ours);
	EVP_PKEY_free(theirs);
}

/* The key, and it with each octet changed. */
static struct verdicts
try_key(EVP_PKEY *key)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	struct verdicts v = { 0, 0 };
	unsigned char *der = NULL, *copy;
	int len = i2d_PUBKEY(key, &der), i;
	size_t j;

	assert_true(len > 0);
	for (i = -1; i < len; i++)
		for (j = 0; j < sizeof(flips); j++) {
			/* On the heap: what reads behind it is found. */
			copy = malloc((size_t)len);
			assert_non_null(copy);
			memcpy(copy, der, (size_t)len);
			if (i >= 0)
				copy[i] ^= flips[j];
			compare((struct der_bytes){ copy, (size_t)len }, &v);
			free(copy);
		}
	for (i = 0; i < len; i++)		/* cut */
		compare((struct der_bytes){ der, (size_t)i }, &v);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return v;
}

static void
test_ec(void **state)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };
	struct verdicts v;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		v = try_key(EVP_EC_gen(curves[i]));
		/* Itself, and points that are not on the curve. */
		assert_true(v.num_taken >= 3);
		assert_true(v.num_refused > 150);
	}
}

static void
test_rsa(void **state)
{
	struct verdicts v;

	(void)state;
	v = try_key(EVP_RSA_gen(2048));
	assert_true(v.num_taken > 256);
	v = try_key(EVP_RSA_gen(1024));
	assert_true(v.num_taken > 128);
}

static void
test_ed25519(void **state)
{
	struct verdicts v;

	(void)state;
	v = try_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	assert_true(v.num_taken > 32);
}

/* Numbers that are none, which nobody flips to. */
static void
test_zero(void **state)
{
	static const uint8_t zero_modulus[] = { 0x30, 0x1c, 0x30, 0x0d, 0x06,
	    0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
	    0x00, 0x03, 0x0b, 0x00, 0x30, 0x08, 0x02, 0x01, 0x00, 0x02, 0x03,
	    0x01, 0x00, 0x01 };
	enum sign_key_type type;
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_not_equal(sign_public_key_new((struct der_bytes){
	    zero_modulus, sizeof(zero_modulus) }, &type, &key), OC_OK);
	assert_null(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_zero),
	};

	return cmocka_run_group_tests_name("public", tests, NULL, NULL);
}
