/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which public keys are taken, which are refused and why, and are the
 * identifiers made from them those of OpenSSL?  RFC5280:4.1.2.7 RFC8410:4
 */
#include "x509_test.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sign/verify.h"

static const char *const good[] = { "RSA2048", "P-256", "P-384", "P-521",
    "ED25519" };

struct spki {
	struct der_bytes oid;		/* contents */
	struct der_bytes parameters;	/* TLV */
	struct der_bytes bits;
};

static void
put_spki(struct der_writer *w, const void *arg)
{
	const struct spki *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid_bytes(w, s->oid);
	der_put_raw(w, s->parameters);
	der_end(w);
	der_put_bits(w, s->bits);
	der_end(w);
}

struct rsa {
	struct der_bytes modulus, exponent;	/* magnitudes */
};

static void
put_rsa(struct der_writer *w, const void *arg)
{
	const struct rsa *r = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_magnitude(w, r->modulus);
	der_put_magnitude(w, r->exponent);
	der_end(w);
}

static struct der_bytes
make_rsa(struct der_bytes modulus, struct der_bytes exponent)
{
	struct rsa r = { modulus, exponent };
	struct spki s = { der_oid_bytes(DER_OID_RSA_ENCRYPTION),
	    DER_LITERAL("\x05\x00"), test_write(put_rsa, &r) };

	return test_write(put_spki, &s);
}

/* p * q of so many bits each, far apart or next to each other. */
static struct der_bytes
make_modulus(int p_bits, int q_bits, bool is_close)
{
	BIGNUM *p = BN_new(), *q = BN_new(), *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint8_t *out;
	int len;

	assert_int_equal(BN_generate_prime_ex(p, p_bits, 0, NULL, NULL, NULL),
	    1);
	if (is_close) {
		BN_copy(q, p);
		do
			BN_add_word(q, 2);
		while (BN_check_prime(q, ctx, NULL) != 1);
	} else {
		BN_generate_prime_ex(q, q_bits, 0, NULL, NULL, NULL);
	}
	BN_mul(n, p, q, ctx);
	len = BN_num_bytes(n);
	out = test_alloc((size_t)len);
	BN_bn2bin(n, out);
	BN_CTX_free(ctx);
	BN_free(n);
	BN_free(p);
	BN_free(q);
	return (struct der_bytes){ out, (size_t)len };
}

static struct der_bytes
modulus_of(const char *type)
{
	BIGNUM *n = NULL;
	uint8_t *out;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(test_key(type), "n", &n), 1);
	len = BN_num_bytes(n);
	out = test_alloc((size_t)len);
	BN_bn2bin(n, out);
	BN_free(n);
	return (struct der_bytes){ out, (size_t)len };
}

static void
expect_refused(struct der_bytes spki, const char *why)
{
	struct oc_error error = { 0 };
	uint8_t *exact = malloc(spki.len);
	enum oc_err err;

	memcpy(exact, spki.p, spki.len);
	err = x509_spki_check((struct der_bytes){ exact, spki.len }, &error);
	free(exact);
	assert_int_equal(ERR_peek_error(), 0);
	if (err != OC_ERR_REFUSED || strstr(error.text, why) == NULL)
		fail_msg("wanted \"%s\", got %s: %s", why, oc_strerror(err),
		    error.text);
}

static void
test_good(void **state)
{
	static const char *const names[] = { "RSA 2048 bits", "EC P-256",
	    "EC P-384", "EC P-521", "Ed25519" };
	struct oc_error error = { 0 };
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++) {
		if (x509_spki_check(test_spki(good[i]), &error) != OC_OK)
			fail_msg("%s: %s", good[i], error.text);
		x509_spki_format(test_spki(good[i]), text);
		assert_string_equal(text, names[i]);
	}
}

/* OpenSSL's X509_pubkey_digest() is the SHA-1 of the same octets. */
static void
test_ids(void **state)
{
	uint8_t id[X509_KEY_ID_LEN], want[EVP_MAX_MD_SIZE], hash[32];
	struct der_bytes bits;
	unsigned int len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++) {
		struct der_bytes spki = test_spki(good[i]);
		X509 *x = X509_new();

		X509_set_pubkey(x, test_key(good[i]));
		assert_int_equal(X509_pubkey_digest(x, EVP_sha1(), want,
		    &len), 1);
		assert_int_equal(x509_spki_key_id(spki, id), OC_OK);
		assert_memory_equal(id, want, sizeof(id));
		SHA256(spki.p, spki.len, want);
		assert_int_equal(x509_spki_hash(spki, hash), OC_OK);
		assert_memory_equal(hash, want, sizeof(hash));
		assert_int_equal(x509_spki_key_bits(spki, &bits), OC_OK);
		assert_ptr_equal(bits.p + bits.len, spki.p + spki.len);
		X509_free(x);
	}
}

/* The key's bits are found without a look inside the algorithm, but nowhere
 * else than where they have to be. */
static void
test_malformed(void **state)
{
	static const struct {
		const char *what;
		struct der_bytes spki;
	} bad[] = {
		{ "nothing", { NULL, 0 } },
		{ "empty", DER_LITERAL("\x30\x00") },
		{ "no bits", DER_LITERAL("\x30\x02\x30\x00") },
		{ "no algorithm", DER_LITERAL("\x30\x04\x03\x02\x00\x04") },
		{ "a SET", DER_LITERAL("\x31\x06\x30\x00\x03\x02\x00\x04") },
		{ "algorithm a SET",
		    DER_LITERAL("\x30\x06\x31\x00\x03\x02\x00\x04") },
		{ "bits OCTETs",
		    DER_LITERAL("\x30\x06\x30\x00\x04\x02\x00\x04") },
		{ "unused bits",
		    DER_LITERAL("\x30\x06\x30\x00\x03\x02\x04\x10") },
		{ "no unused-bits octet",
		    DER_LITERAL("\x30\x04\x30\x00\x03\x00") },
		{ "more inside", DER_LITERAL("\x30\x08\x30\x00\x03\x02\x00\x04"
		    "\x05\x00") },
		{ "more behind", DER_LITERAL("\x30\x06\x30\x00\x03\x02\x00\x04"
		    "\x05\x00") },
		{ "too short", DER_LITERAL("\x30\x06\x30\x00\x03\x02\x00") },
		{ "bits beyond it",
		    DER_LITERAL("\x30\x06\x30\x00\x03\x03\x00\x04\x05") },
		{ "algorithm beyond it",
		    DER_LITERAL("\x30\x06\x30\x05\x03\x02\x00\x04") },
		{ "a long length",
		    DER_LITERAL("\x30\x81\x06\x30\x00\x03\x02\x00\x04") },
		{ "an indefinite length", DER_LITERAL(
		    "\x30\x80\x30\x00\x03\x02\x00\x04\x00\x00") },
	};
	uint8_t id[X509_KEY_ID_LEN] = { 42 }, *exact;
	struct der_bytes spki, bits = { NULL, 42 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		/* Where a sanitizer sees what is read behind it. */
		exact = malloc(bad[i].spki.len);
		if (bad[i].spki.len > 0)
			memcpy(exact, bad[i].spki.p, bad[i].spki.len);
		spki = (struct der_bytes){ exact, bad[i].spki.len };
		if (x509_spki_key_id(spki, id) != OC_ERR_MALFORMED ||
		    x509_spki_key_bits(spki, &bits) != OC_ERR_MALFORMED)
			fail_msg("%s is taken", bad[i].what);
		free(exact);
	}
	assert_int_equal(id[0], 42);
	assert_int_equal(bits.len, 42);
	/* Whether it is a good algorithm, only the latter asks. */
	spki = DER_LITERAL("\x30\x06\x30\x00\x03\x02\x00\x04");
	assert_int_equal(x509_spki_key_id(spki, id), OC_OK);
	assert_int_equal(x509_spki_key_bits(spki, &bits), OC_ERR_MALFORMED);
}

#define E3 DER_LITERAL("\x03")
#define E65537 DER_LITERAL("\x01\x00\x01")

static void
test_rsa(void **state)
{
	struct der_bytes n = modulus_of("RSA2048");
	struct oc_error error;
	char text[64];
	uint8_t *even;

	(void)state;
	assert_int_equal(x509_spki_check(make_rsa(n, E65537), &error), OC_OK);
	assert_int_equal(x509_spki_check(make_rsa(n,
	    DER_LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff")), &error), OC_OK);
	expect_refused(make_rsa(n, E3), "exponent 3");
	expect_refused(make_rsa(n, DER_LITERAL("\x01")), "exponent 1");
	expect_refused(make_rsa(n, DER_LITERAL("\x00")), "RSAPublicKey");
	expect_refused(make_rsa(n, DER_LITERAL("\xff\xff")),
	    "exponent 65535");
	expect_refused(make_rsa(n, DER_LITERAL("\x01\x00\x02")),
	    "exponent 65538");
	expect_refused(make_rsa(n, DER_LITERAL("\x01\x00\x00\x00\x00\x00\x00"
	    "\x00\x01")), "64 bits");
	even = test_alloc(n.len);
	memcpy(even, n.p, n.len);
	even[n.len - 1] &= 0xfe;
	expect_refused(make_rsa((struct der_bytes){ even, n.len }, E65537),
	    "even modulus");
	expect_refused(make_rsa(make_modulus(512, 512, false), E65537),
	    "RSA with 10");
	/* 2047 bits: one too few. */
	memcpy(even, n.p, n.len);
	even[0] = 0x7f;
	expect_refused(make_rsa((struct der_bytes){ even, n.len }, E65537),
	    "RSA with 2047 bits");
	even = test_alloc(513);
	even[0] = even[512] = 1;
	expect_refused(make_rsa((struct der_bytes){ even, 513 }, E65537),
	    "RSA with 4097 bits");
	x509_spki_format(make_rsa((struct der_bytes){ even, 513 }, E65537),
	    text);
	assert_string_equal(text, "RSA 4097 bits");
}

/* A modulus that is 65537^a modulo each small prime: what ROCA leaves. */
static struct der_bytes
make_roca(void)
{
	BIGNUM *m = BN_new(), *n = BN_new(), *k = BN_new(), *a = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	uint8_t *out = test_alloc(256);
	unsigned int prime, divisor;

	/* M, the product of the primes to 167; n = k * M + 65537^5 mod M */
	BN_one(m);
	for (prime = 2; prime <= 167; prime++) {
		for (divisor = 2; divisor < prime; divisor++)
			if (prime % divisor == 0)
				break;
		if (divisor == prime)
			BN_mul_word(m, prime);
	}
	BN_set_word(a, 65537);
	BN_set_word(k, 5);
	BN_mod_exp(n, a, k, m, ctx);
	BN_one(k);
	BN_lshift(k, k, 2047);
	BN_div(k, NULL, k, m, ctx);
	BN_add_word(k, 1);
	/* Until the other test does not find it first. */
	for (;;) {
		BN_mul(a, k, m, ctx);
		BN_add(a, a, n);
		for (divisor = 3; divisor < 752; divisor += 2)
			if (BN_mod_word(a, divisor) == 0)
				break;
		if (divisor >= 752)
			break;
		BN_add_word(k, 1);
	}
	assert_int_equal(BN_num_bits(a), 2048);
	BN_bn2bin(a, out);
	BN_CTX_free(ctx);
	BN_free(m);
	BN_free(n);
	BN_free(k);
	BN_free(a);
	return (struct der_bytes){ out, 256 };
}

static void
test_weak_rsa(void **state)
{
	struct der_bytes n = modulus_of("RSA2048");
	BIGNUM *small = BN_bin2bn(n.p, (int)n.len, NULL);
	uint8_t *out = test_alloc(n.len + 2);

	(void)state;
	BN_mul_word(small, 743);
	BN_bn2bin(small, out);
	expect_refused(make_rsa((struct der_bytes){ out,
	    (size_t)BN_num_bytes(small) }, E65537), "small factor");
	BN_free(small);
	expect_refused(make_rsa(make_modulus(1025, 0, true), E65537),
	    "too close");
	expect_refused(make_rsa(make_roca(), E65537), "ROCA");
}

/* Many good moduli, of real generators, are not taken for weak ones. */
static void
test_not_weak(void **state)
{
	struct oc_error error = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		if (x509_spki_check(make_rsa(make_modulus(1025, 1025, false),
		    E65537), &error) != OC_OK)
			fail_msg("%s", error.text);
}

static void
test_rsa_encoding(void **state)
{
	struct der_bytes n = modulus_of("RSA2048");
	struct rsa r = { n, E65537 };
	struct spki s = { der_oid_bytes(DER_OID_RSA_ENCRYPTION),
	    DER_LITERAL(""), test_write(put_rsa, &r) };

	(void)state;
	expect_refused(test_write(put_spki, &s), "NULL");
	s.parameters = DER_LITERAL("\x30\x00");
	expect_refused(test_write(put_spki, &s), "NULL");
	s.parameters = DER_LITERAL("\x05\x00\x05\x00");
	expect_refused(test_write(put_spki, &s), "SubjectPublicKeyInfo");
	s.parameters = DER_LITERAL("\x05\x00");
	s.bits = DER_LITERAL("\x30\x06\x02\x01\xff\x02\x01\x03");
	expect_refused(test_write(put_spki, &s), "RSAPublicKey");
	s.bits = DER_LITERAL("\x30\x03\x02\x01\x03");
	expect_refused(test_write(put_spki, &s), "RSAPublicKey");
	s.bits = DER_LITERAL("");
	expect_refused(test_write(put_spki, &s), "RSAPublicKey");
	s.oid = der_oid_bytes(DER_OID_RSASSA_PSS);
	expect_refused(test_write(put_spki, &s), "neither");
}

static struct der_bytes
make_ec(enum der_oid curve, struct der_bytes point)
{
	uint8_t *parameters = test_alloc(16);
	struct spki s = { der_oid_bytes(DER_OID_EC_PUBLIC_KEY), { NULL, 0 },
	    point };
	struct der_bytes oid = der_oid_bytes(curve);

	parameters[0] = DER_OID;
	parameters[1] = (uint8_t)oid.len;
	memcpy(parameters + 2, oid.p, oid.len);
	s.parameters = (struct der_bytes){ parameters, oid.len + 2 };
	return test_write(put_spki, &s);
}

static void
test_ec(void **state)
{
	struct der_bytes bits, compressed;
	struct oc_error error;
	uint8_t point[134];
	char text[64];
	struct spki s;

	(void)state;
	assert_int_equal(x509_spki_key_bits(test_spki("P-256"), &bits),
	    OC_OK);
	memcpy(point, bits.p, bits.len);
	assert_int_equal(x509_spki_check(make_ec(DER_OID_P256,
	    (struct der_bytes){ point, 65 }), &error), OC_OK);
	point[64] ^= 1;
	expect_refused(make_ec(DER_OID_P256,
	    (struct der_bytes){ point, 65 }), "not on P-256");
	point[64] ^= 1;
	memset(point + 1, 0xff, 32);		/* x not below p */
	expect_refused(make_ec(DER_OID_P256,
	    (struct der_bytes){ point, 65 }), "not on P-256");
	/* Compressed, hybrid, infinity, the wrong length. */
	memcpy(point, bits.p, bits.len);
	point[0] = (uint8_t)(2 + (point[64] & 1));
	compressed = (struct der_bytes){ point, 33 };
	expect_refused(make_ec(DER_OID_P256, compressed), "uncompressed");
	point[0] = (uint8_t)(6 + (point[64] & 1));
	expect_refused(make_ec(DER_OID_P256,
	    (struct der_bytes){ point, 65 }), "uncompressed");
	expect_refused(make_ec(DER_OID_P256, DER_LITERAL("\0")),
	    "uncompressed");
	expect_refused(make_ec(DER_OID_P256, DER_LITERAL("")),
	    "uncompressed");
	expect_refused(make_ec(DER_OID_P384, bits), "uncompressed");
	expect_refused(make_ec(DER_OID_P256, (struct der_bytes){ bits.p,
	    64 }), "uncompressed");
	/* An OCTET STRING around the point, as CKA_EC_POINT has it. */
	memcpy(point, "\x04\x41", 2);
	memcpy(point + 2, bits.p, 65);
	expect_refused(make_ec(DER_OID_P256,
	    (struct der_bytes){ point, 67 }), "uncompressed");
	/* secp256k1; no curve; explicit parameters. */
	s = (struct spki){ der_oid_bytes(DER_OID_EC_PUBLIC_KEY),
	    DER_LITERAL("\x06\x05\x2b\x81\x04\x00\x0a"), bits };
	expect_refused(test_write(put_spki, &s), "named curve");
	x509_spki_format(test_write(put_spki, &s), text);
	assert_string_equal(text, "EC unknown curve");
	s.parameters = DER_LITERAL("");
	expect_refused(test_write(put_spki, &s), "named curve");
	s.parameters = DER_LITERAL("\x05\x00");
	expect_refused(test_write(put_spki, &s), "named curve");
}

/* The same curve, spelled out by OpenSSL. */
static void
test_ec_explicit(void **state)
{
	char curve[] = "P-256", encoding[] = "explicit";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 5),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, encoding,
		    8),
		OSSL_PARAM_END
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	uint8_t *bytes = NULL;
	int len;

	(void)state;
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_params(ctx, parameters), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	len = i2d_PUBKEY(key, &bytes);
	assert_true(len > 200);
	expect_refused(test_i2d(len, bytes), "named curve");
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
}

static void
test_ed25519(void **state)
{
	struct spki s = { der_oid_bytes(DER_OID_ED25519), DER_LITERAL(""),
	    DER_LITERAL("0123456789012345678901234567890") };

	(void)state;
	expect_refused(test_write(put_spki, &s), "Ed25519");
	s.bits = DER_LITERAL("012345678901234567890123456789012");
	expect_refused(test_write(put_spki, &s), "Ed25519");
	s.bits = DER_LITERAL("01234567890123456789012345678901");
	s.parameters = DER_LITERAL("\x05\x00");
	expect_refused(test_write(put_spki, &s), "Ed25519");
}

/* Under 1, the neutral element, this verifies for whatever is signed. */
static void
expect_forged(struct der_bytes spki)
{
	static const uint8_t signature[64] = { 1 };
	enum oc_err key_err;

	assert_int_equal(sign_verify_once(spki, SIGN_ED25519,
	    DER_LITERAL("anything"), DER_ARRAY(signature), &key_err), OC_OK);
	assert_int_equal(key_err, OC_OK);
}

/* Points of small order, and numbers that are no coordinate: all of them with
 * either sign of x. */
static void
test_ed25519_weak(void **state)
{
	static const char *const weak[] = {
		"00000000000000000000000000000000"
		"00000000000000000000000000000000",
		"01000000000000000000000000000000"
		"00000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0"
		"d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f"
		"2a2053fa2c39ccc64ec7fd7792ac037a",
	};
	static const char *const near[] = {
		"02000000000000000000000000000000"
		"00000000000000000000000000000000",
		"01000000000000000000000000000000"
		"00000000000000000000000000000001",
		"ebffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"27e8958fc2b227b045c3f489f2ef98f0"
		"d5dfac05d3c63339b13802886d53fc05",
	};
	uint8_t key[32];
	struct spki s = { der_oid_bytes(DER_OID_ED25519), DER_LITERAL(""),
	    DER_ARRAY(key) };
	size_t len;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(weak); i++) {
		assert_int_equal(oc_hex_decode(weak[i / 2], 64, key, 32, &len),
		    OC_OK);
		key[31] |= (uint8_t)(i % 2 << 7);
		expect_refused(test_write(put_spki, &s), "small order");
		if (i == 2)
			expect_forged(test_write(put_spki, &s));
	}
	for (size_t i = 0; i < ARRAY_LEN(near); i++) {
		assert_int_equal(oc_hex_decode(near[i], 64, key, 32, &len),
		    OC_OK);
		assert_int_equal(x509_spki_check(test_write(put_spki, &s),
		    NULL), OC_OK);
	}
}

static void
test_not_a_key(void **state)
{
	struct der_bytes good_spki = test_spki("P-256");
	uint8_t *bad = test_alloc(good_spki.len + 1);
	struct spki x25519 = { DER_LITERAL("\x2b\x65\x6e"), DER_LITERAL(""),
	    DER_LITERAL("01234567890123456789012345678901") };
	char text[64];
	size_t i;

	(void)state;
	expect_refused(test_write(put_spki, &x25519), "neither");
	x509_spki_format(test_write(put_spki, &x25519), text);
	assert_string_equal(text, "unknown key type");
	memcpy(bad, good_spki.p, good_spki.len);
	expect_refused((struct der_bytes){ bad, good_spki.len + 1 },
	    "SubjectPublicKeyInfo");
	for (i = 1; i < good_spki.len; i++)
		expect_refused((struct der_bytes){ bad, i },
		    "SubjectPublicKeyInfo");
	x509_spki_format((struct der_bytes){ bad, 5 }, text);
	assert_string_equal(text, "malformed key");
	/* Unused bits. */
	bad[25] = 1;
	bad[good_spki.len - 1] &= 0xfe;
	expect_refused((struct der_bytes){ bad, good_spki.len },
	    "SubjectPublicKeyInfo");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_weak_rsa),
		cmocka_unit_test(test_not_weak),
		cmocka_unit_test(test_rsa_encoding),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_ec_explicit),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_ed25519_weak),
		cmocka_unit_test(test_not_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
