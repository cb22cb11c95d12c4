/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying with a table: NIST's SigVer vectors, what OpenSSL says of
 * thousands of signatures near good ones, and the cases that chance does not
 * bring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "sign/p256.h"
#include "sign/verify.h"

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/" \
	"asymmetric/ECDSA/FIPS_186-3/SigVer.rsp"
#define NUMBER_LEN 32

static struct sign_p256 *
table_of(EVP_PKEY *key)
{
	uint8_t point[SIGN_P256_POINT_LEN];
	struct sign_p256 *k;
	size_t len;

	assert_int_equal(EVP_PKEY_get_octet_string_param(key,
	    OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
	assert_int_equal(sign_p256_new((struct der_bytes){ point, len }, &k),
	    OC_OK);
	return k;
}

static enum oc_err
verify_one(struct sign_p256 *k, const uint8_t *digest,
    struct der_bytes signature)
{
	struct sign_p256_claim claim = { .signature = signature };

	memcpy(claim.digest, digest, sizeof(claim.digest));
	sign_p256_verify(k, &claim, 1);
	return claim.verdict;
}

static enum oc_err
verify_numbers(struct sign_p256 *k, const uint8_t *digest, const BIGNUM *r,
    const BIGNUM *s)
{
	uint8_t raw[2 * NUMBER_LEN], der[2 * NUMBER_LEN + 9];
	enum oc_err err;
	size_t len;

	assert_int_equal(BN_bn2binpad(r, raw, NUMBER_LEN), NUMBER_LEN);
	assert_int_equal(BN_bn2binpad(s, raw + NUMBER_LEN, NUMBER_LEN),
	    NUMBER_LEN);
	assert_int_equal(sign_ecdsa_to_der(DER_ARRAY(raw), der, sizeof(der),
	    &len), OC_OK);
	err = verify_one(k, digest, (struct der_bytes){ der, len });
	assert_int_equal(ERR_peek_error(), 0);
	return err;
}

/* --- NIST's ------------------------------------------------------------- */

struct vector {
	uint8_t digest[SIGN_P256_DIGEST_LEN];
	uint8_t point[SIGN_P256_POINT_LEN];
	BIGNUM *r, *s;
};

static void
set_field(struct vector *v, const char *name, const char *hex)
{
	long len;
	unsigned char *octets = OPENSSL_hexstr2buf(hex, &len);

	assert_non_null(octets);
	if (strcmp(name, "Msg") == 0)
		SHA256(octets, (size_t)len, v->digest);
	else if (strcmp(name, "Qx") == 0)
		memcpy(v->point + 1, octets, NUMBER_LEN);
	else if (strcmp(name, "Qy") == 0)
		memcpy(v->point + 1 + NUMBER_LEN, octets, NUMBER_LEN);
	else if (strcmp(name, "R") == 0)
		BN_bin2bn(octets, (int)len, v->r);
	else if (strcmp(name, "S") == 0)
		BN_bin2bn(octets, (int)len, v->s);
	OPENSSL_free(octets);
}

/* "P" or "F (why)".  A changed Q may be off the curve. */
static void
check_vector(struct vector *v, const char *result)
{
	enum oc_err err, expected = result[0] == 'P' ? OC_OK :
	    OC_ERR_SIGNATURE;
	struct sign_p256 *k;

	v->point[0] = 4;
	err = sign_p256_new(DER_ARRAY(v->point), &k);
	if (err != OC_OK) {
		assert_int_equal(err, OC_ERR_MALFORMED);
		assert_int_equal(result[0], 'F');
		return;
	}
	assert_int_equal(verify_numbers(k, v->digest, v->r, v->s), expected);
	sign_p256_free(k);
}

static void
nist_vectors(void **state)
{
	FILE *file = fopen(VECTORS, "r");
	struct vector v = { .r = BN_new(), .s = BN_new() };
	char line[4096], name[16], text[2048];
	bool is_ours = false;
	int num = 0, num_good = 0;

	(void)state;
	if (file == NULL)
		skip();
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] == '[')
			is_ours = strncmp(line, "[P-256,SHA-256]", 15) == 0;
		if (!is_ours || sscanf(line, "%15s = %2047[^\r\n]", name,
		    text) != 2)
			continue;
		if (strcmp(name, "Result") == 0) {
			check_vector(&v, text);
			num++;
			num_good += text[0] == 'P';
		} else {
			set_field(&v, name, text);
		}
	}
	fclose(file);
	BN_free(v.r);
	BN_free(v.s);
	assert_int_equal(num, 15);
	assert_true(num_good > 0);
}

/* --- OpenSSL's ---------------------------------------------------------- */

static size_t
sign(EVP_PKEY *key, struct der_bytes tbs, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = OC_SIGNATURE_MAX;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	    key), 1);
	assert_int_equal(EVP_DigestSign(ctx, out, &len, tbs.p, tbs.len), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

static enum oc_err
peer_verify(EVP_PKEY *key, struct der_bytes tbs, struct der_bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc;

	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
	    key), 1);
	rc = EVP_DigestVerify(ctx, signature.p, signature.len, tbs.p,
	    tbs.len);
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return rc == 1 ? OC_OK : OC_ERR_SIGNATURE;
}

/* Good ones, and one octet of each changed, at a place of its own. */
static void
as_openssl(void **state)
{
	(void)state;
	for (int n = 0; n < 4; n++) {
		EVP_PKEY *key = EVP_EC_gen("P-256");
		struct sign_p256 *k = table_of(key);

		for (uint32_t i = 0; i < 250; i++) {
			struct der_bytes tbs = { (uint8_t *)&i, sizeof(i) };
			uint8_t signature[OC_SIGNATURE_MAX], digest[32];
			struct der_bytes s = { signature, sign(key, tbs,
			    signature) };

			SHA256(tbs.p, tbs.len, digest);
			assert_int_equal(verify_one(k, digest, s),
			    OC_OK);
			signature[i % s.len] ^= (uint8_t)(1 << (i % 8));
			assert_int_equal(verify_one(k, digest, s),
			    peer_verify(key, tbs, s));
			signature[i % s.len] ^= (uint8_t)(1 << (i % 8));
			digest[i % 32] ^= 1;
			assert_int_equal(verify_one(k, digest, s),
			    OC_ERR_SIGNATURE);
		}
		sign_p256_free(k);
		EVP_PKEY_free(key);
	}
}

/* The way sign_verify() goes before it has a table, when it makes it, and
 * after. */
static void
through_the_verifier(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *spki = NULL;
	int spki_len = i2d_PUBKEY(key, &spki);
	struct sign_verifier *v;

	(void)state;
	assert_true(spki_len > 0);
	assert_int_equal(sign_verifier_new((struct der_bytes){ spki,
	    (size_t)spki_len }, &v), OC_OK);
	for (uint32_t i = 0; i < 600; i++) {
		struct der_bytes tbs = { (uint8_t *)&i, sizeof(i) };
		uint8_t signature[OC_SIGNATURE_MAX];
		struct der_bytes s = { signature, sign(key, tbs, signature) };

		assert_int_equal(sign_verify(v, SIGN_ECDSA_SHA256, tbs, s),
		    OC_OK);
		signature[s.len - 1] ^= 1;
		assert_int_equal(sign_verify(v, SIGN_ECDSA_SHA256, tbs, s),
		    OC_ERR_SIGNATURE);
		assert_int_equal(ERR_peek_error(), 0);
	}
	sign_verifier_free(v);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
}

/* --- several at once ---------------------------------------------------- */

#define NUM_CLAIMS_MAX 40

struct claimed {
	uint32_t tbs;
	uint8_t signature[OC_SIGNATURE_MAX];
	enum oc_err expected;
};

/* Good; changed; no DER; numbers out of range, which have no inverse. */
static void
make_claim(EVP_PKEY *key, uint32_t n, struct claimed *c,
    struct sign_p256_claim *claim)
{
	static const uint8_t zeros[] = { 0x30, 6, 2, 1, 0, 2, 1, 0 };
	struct der_bytes tbs = { (uint8_t *)&c->tbs, sizeof(c->tbs) };

	c->tbs = n;
	claim->signature = (struct der_bytes){ c->signature,
	    sign(key, tbs, c->signature) };
	SHA256(tbs.p, tbs.len, claim->digest);
	switch (n % 7) {
	case 2:
		c->signature[claim->signature.len - 1] ^= 1;
		break;
	case 3:
		claim->signature.len = n % 2;
		break;
	case 5:
		claim->signature = DER_ARRAY(zeros);
		break;
	}
	c->expected = peer_verify(key, tbs, claim->signature);
	claim->verdict = OC_ERR_INTERNAL;
}

/* Every number of them, and each kind at each place among the others. */
static void
several_at_once(void **state)
{
	static struct claimed claimed[NUM_CLAIMS_MAX];
	static struct sign_p256_claim claims[NUM_CLAIMS_MAX];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct sign_p256 *k = table_of(key);
	uint32_t n = 0;

	(void)state;
	for (size_t num = 0; num <= NUM_CLAIMS_MAX; num++) {
		n += num;
		for (size_t i = 0; i < num; i++)
			make_claim(key, n + (uint32_t)i, &claimed[i],
			    &claims[i]);
		sign_p256_verify(k, claims, num);
		assert_int_equal(ERR_peek_error(), 0);
		for (size_t i = 0; i < num; i++)
			assert_int_equal(claims[i].verdict,
			    claimed[i].expected);
	}
	sign_p256_free(k);
	EVP_PKEY_free(key);
}

/* With a table and without, an algorithm among them that is not its. */
static void
several_through_the_verifier(void **state)
{
	static struct claimed claimed[NUM_CLAIMS_MAX];
	static struct sign_p256_claim made[NUM_CLAIMS_MAX];
	struct sign_claim claims[NUM_CLAIMS_MAX];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *spki = NULL;
	int spki_len = i2d_PUBKEY(key, &spki);
	struct sign_verifier *v;

	(void)state;
	assert_int_equal(sign_verifier_new((struct der_bytes){ spki,
	    (size_t)spki_len }, &v), OC_OK);
	for (uint32_t round = 0; round < 30; round++) {
		for (size_t i = 0; i < NUM_CLAIMS_MAX; i++) {
			make_claim(key, round + (uint32_t)i, &claimed[i],
			    &made[i]);
			claims[i] = (struct sign_claim){ SIGN_ECDSA_SHA256,
			    { (uint8_t *)&claimed[i].tbs, sizeof(uint32_t) },
			    made[i].signature, NULL, OC_ERR_INTERNAL };
		}
		claims[round].alg = SIGN_RSA_SHA256;
		claimed[round].expected = OC_ERR_MISMATCH;
		sign_verify_all(v, claims, NUM_CLAIMS_MAX);
		assert_int_equal(ERR_peek_error(), 0);
		for (size_t i = 0; i < NUM_CLAIMS_MAX; i++)
			assert_int_equal(claims[i].verdict,
			    claimed[i].expected);
	}
	sign_verifier_free(v);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
}

/* --- what chance does not bring ----------------------------------------- */

struct made {
	BN_CTX *ctx;
	EVP_PKEY *key;
	BIGNUM *order, *d;	/* the private key */
	struct sign_p256 *table;
};

static void
make(struct made *m)
{
	m->ctx = BN_CTX_new();
	m->key = EVP_EC_gen("P-256");
	m->order = m->d = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(m->key,
	    OSSL_PKEY_PARAM_EC_ORDER, &m->order), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(m->key,
	    OSSL_PKEY_PARAM_PRIV_KEY, &m->d), 1);
	m->table = table_of(m->key);
}

static void
made_free(struct made *m)
{
	sign_p256_free(m->table);
	BN_free(m->order);
	BN_free(m->d);
	EVP_PKEY_free(m->key);
	BN_CTX_free(m->ctx);
}

/* x of k*G, of the order. */
static void
x_of(struct made *m, const BIGNUM *k, BIGNUM *x)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *p = EC_POINT_new(g);

	assert_int_equal(EC_POINT_mul(g, p, k, NULL, NULL, m->ctx), 1);
	assert_int_equal(EC_POINT_get_affine_coordinates(g, p, x, NULL,
	    m->ctx), 1);
	assert_int_equal(BN_nnmod(x, x, m->order, m->ctx), 1);
	EC_POINT_free(p);
	EC_GROUP_free(g);
}

/* e = r*d, so that both multiples are one point and adding is doubling:
 * s = 2*r*d / k. */
static void
both_halves_the_same(void **state)
{
	struct made m;
	BIGNUM *k = BN_new(), *r = BN_new(), *s = BN_new(), *e = BN_new();
	uint8_t digest[SIGN_P256_DIGEST_LEN];

	(void)state;
	make(&m);
	BN_set_word(k, 0x123456789);
	x_of(&m, k, r);
	assert_int_equal(BN_mod_mul(e, r, m.d, m.order, m.ctx), 1);
	assert_int_equal(BN_mod_lshift1(s, e, m.order, m.ctx), 1);
	assert_non_null(BN_mod_inverse(k, k, m.order, m.ctx));
	assert_int_equal(BN_mod_mul(s, s, k, m.order, m.ctx), 1);
	assert_int_equal(BN_bn2binpad(e, digest, sizeof(digest)),
	    sizeof(digest));
	assert_int_equal(verify_numbers(m.table, digest, r, s), OC_OK);
	/* e = -r*d: they are opposite, and the sum is at infinity. */
	BN_sub(e, m.order, e);
	assert_int_equal(BN_bn2binpad(e, digest, sizeof(digest)),
	    sizeof(digest));
	assert_int_equal(verify_numbers(m.table, digest, r, s),
	    OC_ERR_SIGNATURE);
	made_free(&m);
	BN_free(k);
	BN_free(r);
	BN_free(s);
	BN_free(e);
}

/* A digest of zero: no multiple of G at all. */
static void
digest_of_zero(void **state)
{
	static const uint8_t digest[SIGN_P256_DIGEST_LEN];
	struct made m;
	BIGNUM *k = BN_new(), *r = BN_new(), *s = BN_new();

	(void)state;
	make(&m);
	BN_set_word(k, 77);
	x_of(&m, k, r);
	assert_int_equal(BN_mod_mul(s, r, m.d, m.order, m.ctx), 1);
	assert_non_null(BN_mod_inverse(k, k, m.order, m.ctx));
	assert_int_equal(BN_mod_mul(s, s, k, m.order, m.ctx), 1);
	assert_int_equal(verify_numbers(m.table, digest, r, s), OC_OK);
	/* -s verifies as well: ECDSA has it so. */
	BN_sub(s, m.order, s);
	assert_int_equal(verify_numbers(m.table, digest, r, s), OC_OK);
	made_free(&m);
	BN_free(k);
	BN_free(r);
	BN_free(s);
}

/* The first point whose x is not less than the order, and that the smallest of
 * r, which few points have. */
static void
find_large_x(struct made *m, const EC_GROUP *g, EC_POINT *point, BIGNUM *r)
{
	BIGNUM *x = BN_new();

	BN_zero(r);
	do {
		BN_add_word(r, 1);
		BN_add(x, m->order, r);
	} while (EC_POINT_set_compressed_coordinates(g, point, x, 0,
	    m->ctx) != 1);
	ERR_clear_error();
	BN_free(x);
}

/* The key of whom a digest and such a point make a signature:
 * Q = (s*R - e*G) / r. */
static void
x_above_the_order(void **state)
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = EC_POINT_new(g), *q = EC_POINT_new(g);
	BIGNUM *r = BN_new(), *s = BN_new(), *e = BN_new(), *t = BN_new();
	uint8_t digest[SIGN_P256_DIGEST_LEN], octets[SIGN_P256_POINT_LEN];
	struct sign_p256 *k;
	struct made m;

	(void)state;
	make(&m);
	find_large_x(&m, g, point, r);
	BN_set_word(s, 0xabcdef);
	BN_set_word(e, 0x1234567);
	assert_int_equal(BN_bn2binpad(e, digest, sizeof(digest)),
	    sizeof(digest));
	BN_sub(e, m.order, e);
	assert_int_equal(EC_POINT_mul(g, q, e, point, s, m.ctx), 1);
	assert_non_null(BN_mod_inverse(t, r, m.order, m.ctx));
	assert_int_equal(EC_POINT_mul(g, q, NULL, q, t, m.ctx), 1);
	assert_int_equal(EC_POINT_point2oct(g, q,
	    POINT_CONVERSION_UNCOMPRESSED, octets, sizeof(octets), m.ctx),
	    sizeof(octets));
	assert_int_equal(sign_p256_new(DER_ARRAY(octets), &k), OC_OK);
	assert_int_equal(verify_numbers(k, digest, r, s), OC_OK);
	BN_add_word(r, 1);
	assert_int_equal(verify_numbers(k, digest, r, s), OC_ERR_SIGNATURE);
	sign_p256_free(k);
	made_free(&m);
	EC_POINT_free(point);
	EC_POINT_free(q);
	EC_GROUP_free(g);
	BN_free(r);
	BN_free(s);
	BN_free(e);
	BN_free(t);
}

static void
numbers_out_of_range(void **state)
{
	static const uint8_t digest[SIGN_P256_DIGEST_LEN] = { 1 };
	struct made m;
	BIGNUM *one = BN_new(), *zero = BN_new(), *last = BN_new();
	BIGNUM *max = BN_new();

	(void)state;
	make(&m);
	BN_one(one);
	BN_zero(zero);
	BN_sub(last, m.order, one);
	BN_set_bit(max, 256);
	BN_sub(max, max, one);
	const BIGNUM *numbers[] = { zero, one, last, m.order, max };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]);
		    j++)
			assert_int_equal(verify_numbers(m.table, digest,
			    numbers[i], numbers[j]), OC_ERR_SIGNATURE);
	made_free(&m);
	BN_free(one);
	BN_free(zero);
	BN_free(last);
	BN_free(max);
}

static void
points_that_are_none(void **state)
{
	uint8_t point[SIGN_P256_POINT_LEN] = { 4, 1, 2, 3 };
	static const uint8_t infinity[] = { 0 };
	struct sign_p256 *k;

	(void)state;
	assert_int_equal(sign_p256_new(DER_ARRAY(point), &k),
	    OC_ERR_MALFORMED);
	assert_int_equal(sign_p256_new(DER_ARRAY(infinity), &k),
	    OC_ERR_MALFORMED);
	point[0] = 2;
	assert_int_equal(sign_p256_new((struct der_bytes){ point, 33 }, &k),
	    OC_ERR_MALFORMED);
	assert_int_equal(ERR_peek_error(), 0);
	sign_p256_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nist_vectors),
		cmocka_unit_test(as_openssl),
		cmocka_unit_test(through_the_verifier),
		cmocka_unit_test(several_at_once),
		cmocka_unit_test(several_through_the_verifier),
		cmocka_unit_test(both_halves_the_same),
		cmocka_unit_test(x_above_the_order),
		cmocka_unit_test(digest_of_zero),
		cmocka_unit_test(numbers_out_of_range),
		cmocka_unit_test(points_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
