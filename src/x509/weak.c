/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weak keys.  Cheap tests only: none of them factors anything, they
 * recognise what a broken generator leaves behind.
 */
#include "x509/weak.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <string.h>

/* Steps of Fermat's method: what found the keys of CVE-2022-26320 needed a
 * handful; a good key never yields to a hundred. */
#define FERMAT_ROUNDS 100
#define SMALL_PRIME_MAX 751

/* The odd primes over which a ROCA modulus is a power of 65537. */
static const uint8_t roca_primes[] = {
	3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67,
	71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
	149, 151, 157, 163, 167
};

static bool
has_small_factor(const BIGNUM *n)
{
	BN_ULONG divisor;

	/* Odd composites cost a few divisions and save a table of primes. */
	for (divisor = 3; divisor <= SMALL_PRIME_MAX; divisor += 2)
		if (BN_mod_word(n, divisor) == 0)
			return true;
	return false;
}

static bool
is_power_of_65537(unsigned int residue, unsigned int prime)
{
	unsigned int power = 1;

	do {
		if (power == residue)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/* A random modulus passes for all these primes with a chance of 2^-27. */
static bool
is_roca(const BIGNUM *n)
{
	size_t i;

	for (i = 0; i < sizeof(roca_primes); i++)
		if (!is_power_of_65537((unsigned int)BN_mod_word(n,
		    roca_primes[i]), roca_primes[i]))
			return false;
	return true;
}

/* root = floor(sqrt(n)), by Newton's method from above. */
static bool
square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *next = BN_CTX_get(ctx);

	if (next == NULL || !BN_one(root) ||
	    !BN_lshift(root, root, (BN_num_bits(n) + 1) / 2))
		return false;
	for (;;) {
		if (!BN_div(next, NULL, n, root, ctx) ||
		    !BN_add(next, next, root) || !BN_rshift1(next, next))
			return false;
		if (BN_cmp(next, root) >= 0)
			return true;
		if (BN_copy(root, next) == NULL)
			return false;
	}
}

/* Twelve residues modulo 64 are squares; the others need no root. */
static bool
may_be_square(const BIGNUM *n)
{
	return (UINT64_C(0x0202021202030213) >> BN_mod_word(n, 64) & 1) != 0;
}

/*
 * n = a^2 - b^2 with a next to the root of n: then a-b and a+b are factors.
 * False if the arithmetic fails.
 */
static bool
find_close_primes(const BIGNUM *n, BN_CTX *ctx, bool *is_close)
{
	BIGNUM *a = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx);
	BIGNUM *b = BN_CTX_get(ctx), *square = BN_CTX_get(ctx);
	int i;

	if (square == NULL || !square_root(a, n, ctx))
		return false;
	for (i = 0; i < FERMAT_ROUNDS; i++) {
		if (!BN_sqr(rest, a, ctx) || !BN_sub(rest, rest, n))
			return false;
		if (!BN_is_negative(rest) && may_be_square(rest)) {
			if (!square_root(b, rest, ctx) ||
			    !BN_sqr(square, b, ctx))
				return false;
			if (BN_cmp(square, rest) == 0) {
				*is_close = true;
				return true;
			}
		}
		if (!BN_add_word(a, 1))
			return false;
	}
	*is_close = false;
	return true;
}

static enum oc_err
check_number(const BIGNUM *n, BN_CTX *ctx, struct oc_error *error)
{
	bool is_close;

	if (has_small_factor(n))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: the RSA modulus has a small factor");
	if (is_roca(n))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: the RSA modulus is from a broken generator (ROCA, "
		    "CVE-2017-15361)");
	if (!find_close_primes(n, ctx, &is_close))
		return oc_error_set(error, OC_ERR_INTERNAL,
		    "key: arithmetic on the RSA modulus failed");
	if (is_close)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: the two primes of the RSA modulus are too close");
	return OC_OK;
}

enum oc_err
x509_weak_check(struct der_bytes modulus, struct oc_error *error)
{
	BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.len, NULL);
	BN_CTX *ctx = BN_CTX_new();
	enum oc_err err;

	if (n == NULL || ctx == NULL) {
		err = oc_error_set(error, OC_ERR_NOMEM, "key: out of memory");
	} else {
		BN_CTX_start(ctx);
		err = check_number(n, ctx, error);
		BN_CTX_end(ctx);
	}
	BN_CTX_free(ctx);
	BN_free(n);
	return err;
}

/*
 * The y of the points whose order divides 8, but for 0, 1 and p - 1: those of
 * order 8, each with its negative, little-endian.
 */
static const uint8_t order_8[2][X509_ED25519_LEN] = {
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
	  0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	  0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
	  0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
	  0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	  0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
	  0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
};

/* 0, 1; and p - 1 = 2^255 - 20, p and all above it. */
static bool
is_at_an_end(const uint8_t y[X509_ED25519_LEN])
{
	uint8_t middle = y[1];

	for (int i = 1; i < X509_ED25519_LEN - 1; i++)
		if (y[i] != middle)
			return false;
	if (middle == 0)
		return y[0] <= 1 && y[X509_ED25519_LEN - 1] == 0;
	return middle == 0xff && y[0] >= 0xec &&
	    y[X509_ED25519_LEN - 1] == 0x7f;
}

enum oc_err
x509_weak_check_ed25519(const uint8_t key[X509_ED25519_LEN],
    struct oc_error *error)
{
	uint8_t y[X509_ED25519_LEN];

	memcpy(y, key, sizeof(y));
	y[X509_ED25519_LEN - 1] &= 0x7f;	/* the sign of x */
	if (is_at_an_end(y) || memcmp(y, order_8[0], sizeof(y)) == 0 ||
	    memcmp(y, order_8[1], sizeof(y)) == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: an Ed25519 point of small order, or none");
	return OC_OK;
}
