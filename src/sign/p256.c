/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/p256.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "sign/alg.h"

#define NUMBER_LEN 32
/* A sixteenth of a division each: more would gain little. */
#define AT_ONCE 16

struct sign_p256 {
	EC_GROUP *curve;	/* its generator is the curve's, G */
	EC_GROUP *key;		/* the same curve; its generator is the key, Q,
				 * so that libcrypto has a table for it */
	BN_MONT_CTX *order_mont;
	BIGNUM *order_minus_2;
	BN_CTX *ctx;
	EC_POINT *sum, *part;
};

#ifdef OPENSSL_NO_DEPRECATED_3_0
static enum oc_err
make_table(struct sign_p256 *k)
{
	(void)k;
	return OC_ERR_UNSUPPORTED;
}

static bool
get_jacobian(struct sign_p256 *k, const EC_POINT *point, BIGNUM *x, BIGNUM *z)
{
	(void)k, (void)point, (void)x, (void)z;
	return false;
}
#else
/* Deprecated as what programs would call for a curve; there is nothing else
 * for a point of one's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static enum oc_err
make_table(struct sign_p256 *k)
{
	return EC_GROUP_precompute_mult(k->key, k->ctx) == 1 ? OC_OK :
	    OC_ERR_NOMEM;
}

static bool
get_jacobian(struct sign_p256 *k, const EC_POINT *point, BIGNUM *x, BIGNUM *z)
{
	return EC_POINT_get_Jprojective_coordinates_GFp(k->curve, point, x,
	    NULL, z, k->ctx) == 1;
}
#pragma GCC diagnostic pop
#endif

static bool
make_inverter(struct sign_p256 *k)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);

	k->order_mont = BN_MONT_CTX_new();
	k->order_minus_2 = BN_dup(order);
	return k->order_mont != NULL && k->order_minus_2 != NULL &&
	    BN_MONT_CTX_set(k->order_mont, order, k->ctx) == 1 &&
	    BN_sub_word(k->order_minus_2, 2) == 1;
}

static enum oc_err
make(struct sign_p256 *k, struct der_bytes point)
{
	k->ctx = BN_CTX_new();
	k->curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	if (k->ctx == NULL || k->curve == NULL || !make_inverter(k))
		return OC_ERR_NOMEM;
	k->key = EC_GROUP_dup(k->curve);
	k->sum = EC_POINT_new(k->curve);
	k->part = EC_POINT_new(k->curve);
	if (k->key == NULL || k->sum == NULL || k->part == NULL)
		return OC_ERR_NOMEM;
	if (point.len != SIGN_P256_POINT_LEN ||
	    EC_POINT_oct2point(k->curve, k->part, point.p, point.len,
	    k->ctx) != 1)
		return OC_ERR_MALFORMED;
	if (EC_GROUP_set_generator(k->key, k->part,
	    EC_GROUP_get0_order(k->curve),
	    EC_GROUP_get0_cofactor(k->curve)) != 1)
		return OC_ERR_NOMEM;
	return make_table(k);
}

enum oc_err
sign_p256_new(struct der_bytes point, struct sign_p256 **key)
{
	struct sign_p256 *k = calloc(1, sizeof(*k));
	enum oc_err err;

	if (k == NULL)
		return OC_ERR_NOMEM;
	ERR_set_mark();
	err = make(k, point);
	ERR_pop_to_mark();
	if (err != OC_OK) {
		sign_p256_free(k);
		return err;
	}
	*key = k;
	return OC_OK;
}

void
sign_p256_free(struct sign_p256 *key)
{
	if (key == NULL)
		return;
	EC_POINT_free(key->part);
	EC_POINT_free(key->sum);
	EC_GROUP_free(key->key);
	EC_GROUP_free(key->curve);
	BN_free(key->order_minus_2);
	BN_MONT_CTX_free(key->order_mont);
	BN_CTX_free(key->ctx);
	free(key);
}

/* r and s, each from 1 to order - 1. */
static bool
read_signature(struct der_bytes signature, const BIGNUM *order, BIGNUM *r,
    BIGNUM *s)
{
	uint8_t raw[2 * NUMBER_LEN];

	return sign_ecdsa_from_der(signature, raw, sizeof(raw)) == OC_OK &&
	    BN_bin2bn(raw, NUMBER_LEN, r) != NULL &&
	    BN_bin2bn(raw + NUMBER_LEN, NUMBER_LEN, s) != NULL &&
	    !BN_is_zero(r) && BN_cmp(r, order) < 0 && !BN_is_zero(s) &&
	    BN_cmp(s, order) < 0;
}

/* One claim's numbers, in a frame of k->ctx; s becomes 1/s. */
struct numbers {
	BIGNUM *r, *s;
	BIGNUM *product;	/* of its own s and all before it */
	bool is_read;
};

static bool
get_numbers(struct sign_p256 *k, struct numbers *n)
{
	n->r = BN_CTX_get(k->ctx);
	n->s = BN_CTX_get(k->ctx);
	n->product = BN_CTX_get(k->ctx);
	n->is_read = false;
	/* When one fails, all that come after it do. */
	return n->product != NULL;
}

/* By Fermat's theorem: BN_mod_inverse() takes longer. */
static bool
invert(struct sign_p256 *k, BIGNUM *out, const BIGNUM *number)
{
	return BN_mod_exp_mont(out, number, k->order_minus_2,
	    EC_GROUP_get0_order(k->curve), k->ctx, k->order_mont) == 1;
}

/* The product of all s, and each one's on the way; NULL if there is none. */
static bool
multiply(struct sign_p256 *k, struct numbers *n, size_t num,
    const BIGNUM **product)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);
	const BIGNUM *before = NULL;

	for (size_t i = 0; i < num; i++) {
		if (!n[i].is_read)
			continue;
		if (before == NULL ? BN_copy(n[i].product, n[i].s) == NULL :
		    BN_mod_mul(n[i].product, before, n[i].s, order,
		    k->ctx) != 1)
			return false;
		before = n[i].product;
	}
	*product = before;
	return true;
}

static const struct numbers *
find_before(const struct numbers *n, size_t i)
{
	while (i-- > 0)
		if (n[i].is_read)
			return &n[i];
	return NULL;
}

/* One division for all: of 1/(s0 s1 ... si), the factors before si leave
 * 1/si, and si itself what the next before it needs. */
static bool
invert_all(struct sign_p256 *k, struct numbers *n, size_t num)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve), *product;
	BIGNUM *inverse = BN_CTX_get(k->ctx), *s = BN_CTX_get(k->ctx);
	const struct numbers *before;

	if (s == NULL || !multiply(k, n, num, &product))
		return false;
	if (product == NULL)
		return true;
	if (!invert(k, inverse, product))
		return false;
	for (size_t i = num; i-- > 0;) {
		if (!n[i].is_read)
			continue;
		before = find_before(n, i);
		if (before == NULL)
			return BN_copy(n[i].s, inverse) != NULL;
		if (BN_copy(s, n[i].s) == NULL || BN_mod_mul(n[i].s, inverse,
		    before->product, order, k->ctx) != 1 ||
		    BN_mod_mul(inverse, inverse, s, order, k->ctx) != 1)
			return false;
	}
	return true;
}

/* k->sum = (e/s)*G + (r/s)*Q */
static bool
add_up(struct sign_p256 *k, const struct numbers *n, const uint8_t *digest,
    BIGNUM *u)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);

	return BN_bin2bn(digest, SIGN_P256_DIGEST_LEN, u) != NULL &&
	    BN_mod_mul(u, u, n->s, order, k->ctx) == 1 &&
	    EC_POINT_mul(k->curve, k->sum, u, NULL, NULL, k->ctx) == 1 &&
	    BN_mod_mul(u, n->r, n->s, order, k->ctx) == 1 &&
	    EC_POINT_mul(k->key, k->part, u, NULL, NULL, k->ctx) == 1 &&
	    EC_POINT_add(k->curve, k->sum, k->sum, k->part, k->ctx) == 1;
}

/*
 * Whether the sum's x, modulo the order, is r.  x is X/Z^2 modulo the field's
 * prime: multiplying r is a tenth of dividing X.  The order is the smaller, so
 * that x may also be r plus the order.
 */
static enum oc_err
compare(struct sign_p256 *k, BIGNUM *r)
{
	const BIGNUM *prime = EC_GROUP_get0_field(k->curve);
	BIGNUM *x = BN_CTX_get(k->ctx), *z = BN_CTX_get(k->ctx);
	BIGNUM *x_of_r = BN_CTX_get(k->ctx);

	if (x_of_r == NULL)
		return OC_ERR_NOMEM;
	if (EC_POINT_is_at_infinity(k->curve, k->sum) == 1)
		return OC_ERR_SIGNATURE;
	if (!get_jacobian(k, k->sum, x, z) ||
	    BN_mod_sqr(z, z, prime, k->ctx) != 1)
		return OC_ERR_INTERNAL;
	while (BN_cmp(r, prime) < 0) {
		if (BN_mod_mul(x_of_r, r, z, prime, k->ctx) != 1)
			return OC_ERR_INTERNAL;
		if (BN_cmp(x_of_r, x) == 0)
			return OC_OK;
		if (BN_add(r, r, EC_GROUP_get0_order(k->curve)) != 1)
			return OC_ERR_INTERNAL;
	}
	return OC_ERR_SIGNATURE;
}

/* SEC 1 4.1.4, 1/s known. */
static enum oc_err
verify(struct sign_p256 *k, const struct numbers *n, const uint8_t *digest)
{
	enum oc_err err = OC_ERR_INTERNAL;
	BIGNUM *u;

	BN_CTX_start(k->ctx);
	u = BN_CTX_get(k->ctx);
	if (u != NULL && add_up(k, n, digest, u))
		err = compare(k, n->r);
	BN_CTX_end(k->ctx);
	return err;
}

/* In a frame of k->ctx. */
static void
verify_some(struct sign_p256 *k, struct sign_p256_claim *claims, size_t num)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);
	struct numbers n[AT_ONCE];
	bool is_divided = true;

	for (size_t i = 0; i < num; i++) {
		claims[i].verdict = OC_ERR_SIGNATURE;
		is_divided = is_divided && get_numbers(k, &n[i]);
		if (is_divided)
			n[i].is_read = read_signature(claims[i].signature,
			    order, n[i].r, n[i].s);
	}
	is_divided = is_divided && invert_all(k, n, num);
	for (size_t i = 0; i < num; i++) {
		if (!is_divided)
			claims[i].verdict = OC_ERR_INTERNAL;
		else if (n[i].is_read)
			claims[i].verdict = verify(k, &n[i],
			    claims[i].digest);
	}
}

void
sign_p256_verify(struct sign_p256 *key, struct sign_p256_claim *claims,
    size_t num)
{
	size_t now;

	ERR_set_mark();
	for (; num > 0; claims += now, num -= now) {
		now = num < AT_ONCE ? num : AT_ONCE;
		BN_CTX_start(key->ctx);
		verify_some(key, claims, now);
		BN_CTX_end(key->ctx);
	}
	ERR_pop_to_mark();
}
