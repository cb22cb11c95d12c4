/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys from their numbers. */
#include "sign/public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <pthread.h>

#include "der/reader.h"

/*
 * Keys that only lend their curve: copying the parameters of one costs a
 * quarter of naming the curve to EVP_PKEY_fromdata().  Made once, never
 * changed, never freed.
 */
static EVP_PKEY *curve_keys[SIGN_KEY_P521 + 1];
static pthread_once_t curve_once = PTHREAD_ONCE_INIT;

static EVP_PKEY *
make_curve_key(const char *name)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_group_name(ctx, name) == 1)
		(void)EVP_PKEY_paramgen(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void
make_curve_keys(void)
{
	static const char *const names[] = { [SIGN_KEY_P256] = "P-256",
	    [SIGN_KEY_P384] = "P-384", [SIGN_KEY_P521] = "P-521" };
	int type;

	for (type = SIGN_KEY_P256; type <= SIGN_KEY_P521; type++)
		curve_keys[type] = make_curve_key(names[type]);
}

/* EVP_PKEY_set1_encoded_public_key() takes what is on the curve, no other. */
static enum oc_err
make_ec(enum sign_key_type type, struct der_bytes point, EVP_PKEY **key)
{
	EVP_PKEY *made;

	if (pthread_once(&curve_once, make_curve_keys) != 0 ||
	    curve_keys[type] == NULL)
		return OC_ERR_NOMEM;
	made = EVP_PKEY_new();
	if (made == NULL ||
	    EVP_PKEY_copy_parameters(made, curve_keys[type]) != 1) {
		EVP_PKEY_free(made);
		return OC_ERR_NOMEM;
	}
	if (EVP_PKEY_set1_encoded_public_key(made, point.p, point.len) != 1) {
		EVP_PKEY_free(made);
		return OC_ERR_MALFORMED;
	}
	*key = made;
	return OC_OK;
}

/*
 * RSAPublicKey ::= SEQUENCE {
 *     modulus         INTEGER,
 *     publicExponent  INTEGER }
 */
static bool
read_rsa(struct der_bytes bits, BIGNUM **n, BIGNUM **e)
{
	struct der_bytes modulus, exponent;
	struct der_reader r = der_reader_of(bits), rsa;

	if (!der_enter(&r, DER_SEQUENCE, &rsa) ||
	    !der_get_integer(&rsa, &modulus) ||
	    !der_get_integer(&rsa, &exponent) || !der_leave(&r, &rsa) ||
	    !der_is_done(&r))
		return false;
	*n = BN_bin2bn(modulus.p, (int)modulus.len, NULL);
	*e = BN_bin2bn(exponent.p, (int)exponent.len, NULL);
	return *n != NULL && *e != NULL && !BN_is_zero(*n) && !BN_is_zero(*e);
}

static enum oc_err
make_rsa(struct der_bytes bits, EVP_PKEY **key)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *made = NULL;
	enum oc_err err = OC_ERR_MALFORMED;

	if (!read_rsa(bits, &n, &e))
		goto out;
	err = OC_ERR_NOMEM;
	if (build == NULL || ctx == NULL ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		goto out;
	params = OSSL_PARAM_BLD_to_param(build);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
		goto out;
	err = EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params) == 1 ?
	    OC_OK : OC_ERR_MALFORMED;
	if (err == OC_OK)
		*key = made;
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return err;
}

/* sign_spki_type() has read it all; here only the way to the bits. */
static struct der_bytes
key_bits(struct der_bytes spki)
{
	struct der_reader r = der_reader_of(spki), info;
	struct der_bytes identifier, bits = { NULL, 0 };

	der_enter(&r, DER_SEQUENCE, &info);
	der_get(&info, DER_SEQUENCE, &identifier);
	der_get_bits(&info, &bits);
	return bits;
}

enum oc_err
sign_public_key_new(struct der_bytes spki, enum sign_key_type *type,
    EVP_PKEY **key)
{
	struct der_bytes bits;
	unsigned int num_bits;
	enum oc_err err;

	err = sign_spki_type(spki, type, &num_bits);
	if (err != OC_OK)
		return err;
	bits = key_bits(spki);
	ERR_set_mark();
	switch (*type) {
	case SIGN_KEY_RSA:
		err = make_rsa(bits, key);
		break;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		err = make_ec(*type, bits, key);
		break;
	case SIGN_KEY_ED25519:
		*key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
		    bits.p, bits.len);
		err = *key != NULL ? OC_OK : OC_ERR_MALFORMED;
		break;
	case SIGN_KEY_NONE:
		err = OC_ERR_UNSUPPORTED;
		break;
	}
	ERR_pop_to_mark();
	return err;
}

enum oc_err
sign_public_key_replace(struct der_bytes spki, enum sign_key_type type,
    EVP_PKEY *key)
{
	enum sign_key_type other;
	struct der_bytes point;
	unsigned int num_bits;
	enum oc_err err;

	err = sign_spki_type(spki, &other, &num_bits);
	if (err != OC_OK)
		return err;
	if (other != type)
		return OC_ERR_MISMATCH;
	point = key_bits(spki);
	ERR_set_mark();
	err = EVP_PKEY_set1_encoded_public_key(key, point.p, point.len) == 1 ?
	    OC_OK : OC_ERR_MALFORMED;
	ERR_pop_to_mark();
	return err;
}
