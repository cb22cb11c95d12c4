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
#else
/* Deprecated as what programs would call for a curve; there is nothing else
 * for a point of one's own. */
static enum oc_err
make_table(struct sign_p256 *k)
{
	int rc;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	rc = EC_GROUP_precompute_mult(k->key, k->ctx);
#pragma GCC diagnostic pop
	return rc == 1 ? OC_OK : OC_ERR_NOMEM;
}
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

/* u1 = e/s, u2 = r/s, of the order; s is lost.  1/s by Fermat's theorem:
 * BN_mod_inverse() takes half as long again. */
static bool
divide(struct sign_p256 *k, const BIGNUM *e, const BIGNUM *r, BIGNUM *s,
    BIGNUM *u1, BIGNUM *u2)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);

	return BN_mod_exp_mont(s, s, k->order_minus_2, order, k->ctx,
	    k->order_mont) == 1 && BN_mod_mul(u1, e, s, order, k->ctx) == 1 &&
	    BN_mod_mul(u2, r, s, order, k->ctx) == 1;
}

/* x of u1*G + u2*Q, of the order; has_none if that is the point at
 * infinity. */
static bool
get_x(struct sign_p256 *k, const BIGNUM *u1, const BIGNUM *u2, BIGNUM *x,
    bool *has_none)
{
	if (EC_POINT_mul(k->curve, k->sum, u1, NULL, NULL, k->ctx) != 1 ||
	    EC_POINT_mul(k->key, k->part, u2, NULL, NULL, k->ctx) != 1 ||
	    EC_POINT_add(k->curve, k->sum, k->sum, k->part, k->ctx) != 1)
		return false;
	*has_none = EC_POINT_is_at_infinity(k->curve, k->sum) == 1;
	return *has_none || (EC_POINT_get_affine_coordinates(k->curve, k->sum,
	    x, NULL, k->ctx) == 1 &&
	    BN_nnmod(x, x, EC_GROUP_get0_order(k->curve), k->ctx) == 1);
}

/* SEC 1 4.1.4; in a frame of k->ctx. */
static enum oc_err
verify(struct sign_p256 *k, const uint8_t *digest, struct der_bytes signature)
{
	const BIGNUM *order = EC_GROUP_get0_order(k->curve);
	BIGNUM *r = BN_CTX_get(k->ctx), *s = BN_CTX_get(k->ctx);
	BIGNUM *e = BN_CTX_get(k->ctx), *x = BN_CTX_get(k->ctx);
	BIGNUM *u1 = BN_CTX_get(k->ctx), *u2 = BN_CTX_get(k->ctx);
	bool has_none;

	/* When one fails, all that come after it do. */
	if (u2 == NULL)
		return OC_ERR_NOMEM;
	if (!read_signature(signature, order, r, s))
		return OC_ERR_SIGNATURE;
	if (BN_bin2bn(digest, SIGN_P256_DIGEST_LEN, e) == NULL ||
	    !divide(k, e, r, s, u1, u2) ||
	    !get_x(k, u1, u2, x, &has_none))
		return OC_ERR_INTERNAL;
	return !has_none && BN_cmp(x, r) == 0 ? OC_OK : OC_ERR_SIGNATURE;
}

enum oc_err
sign_p256_verify(struct sign_p256 *key,
    const uint8_t digest[SIGN_P256_DIGEST_LEN], struct der_bytes signature)
{
	enum oc_err err;

	ERR_set_mark();
	BN_CTX_start(key->ctx);
	err = verify(key, digest, signature);
	BN_CTX_end(key->ctx);
	ERR_pop_to_mark();
	return err;
}
