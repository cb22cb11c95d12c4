/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying with OpenSSL's EVP, and with a table for a P-256 key that has
 * verified often enough to be worth one.  OpenSSL's error queue is emptied
 * here: a signature that does not verify is an answer, not a failure of the
 * library.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "sign/digest.h"
#include "sign/p256.h"
#include "sign/public.h"
#include "sign/verify.h"

/* About as many as making a table costs. */
#define TABLE_AFTER 500
#define AT_ONCE 16

struct sign_verifier {
	EVP_PKEY *key;
	EVP_MD_CTX *ctx;
	enum sign_key_type type;
	EVP_PKEY_CTX *ec;		/* of an EC key, ready to verify */
	bool is_replaceable;		/* ec sees the key's other points */
	EVP_PKEY_CTX *rsa;		/* of an RSA key, ready for this: */
	enum sign_alg rsa_alg;
	struct sign_p256 *table;	/* or NULL */
	unsigned int num_verified;
};

static bool
is_ec(enum sign_key_type type)
{
	return type == SIGN_KEY_P256 || type == SIGN_KEY_P384 ||
	    type == SIGN_KEY_P521;
}

/* EC and RSA keys keep theirs: making it anew is a tenth of a verification,
 * of an RSA key's a quarter. */
static bool
make_contexts(struct sign_verifier *v)
{
	v->ctx = EVP_MD_CTX_new();
	if (v->ctx != NULL && v->type == SIGN_KEY_RSA) {
		v->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, v->key, NULL);
		return v->rsa != NULL;
	}
	if (v->ctx == NULL || !is_ec(v->type))
		return v->ctx != NULL;
	v->ec = EVP_PKEY_CTX_new_from_pkey(NULL, v->key, NULL);
	if (v->ec == NULL || EVP_PKEY_verify_init(v->ec) != 1)
		return false;
	/* A provider of signatures that has not the keys gets a copy. */
	v->is_replaceable = EVP_PKEY_get0_provider(v->key) ==
	    EVP_PKEY_CTX_get0_provider(v->ec);
	return true;
}

enum oc_err
sign_verifier_new(struct der_bytes spki, struct sign_verifier **verifier)
{
	struct sign_verifier *v = calloc(1, sizeof(*v));
	enum oc_err err;

	if (v == NULL)
		return OC_ERR_NOMEM;
	err = sign_public_key_new(spki, &v->type, &v->key);
	if (err == OC_OK && !make_contexts(v))
		err = OC_ERR_NOMEM;
	if (err != OC_OK) {
		sign_verifier_free(v);
		return err;
	}
	*verifier = v;
	return OC_OK;
}

void
sign_verifier_free(struct sign_verifier *verifier)
{
	if (verifier == NULL)
		return;
	sign_p256_free(verifier->table);
	EVP_MD_CTX_free(verifier->ctx);
	EVP_PKEY_CTX_free(verifier->ec);
	EVP_PKEY_CTX_free(verifier->rsa);
	EVP_PKEY_free(verifier->key);
	free(verifier);
}

/* Ed25519 and Ed448: no digest to begin with. */
static enum oc_err
verify_message(struct sign_verifier *v, struct der_bytes tbs,
    struct der_bytes signature)
{
	if (EVP_DigestVerifyInit(v->ctx, NULL, NULL, NULL, v->key) != 1)
		return OC_ERR_INTERNAL;
	return EVP_DigestVerify(v->ctx, signature.p, signature.len, tbs.p,
	    tbs.len) == 1 ? OC_OK : OC_ERR_SIGNATURE;
}

static enum oc_err
get_digest(struct sign_verifier *v, const struct sign_alg_info *info,
    const struct sign_claim *c, uint8_t *digest, unsigned int *len)
{
	const EVP_MD *md = sign_digest(info->hash);

	if (c->digest != NULL) {
		*len = (unsigned int)EVP_MD_get_size(md);
		memcpy(digest, c->digest, *len);
		return OC_OK;
	}
	return EVP_DigestInit_ex2(v->ctx, md, NULL) == 1 &&
	    EVP_DigestUpdate(v->ctx, c->tbs.p, c->tbs.len) == 1 &&
	    EVP_DigestFinal_ex(v->ctx, digest, len) == 1 ? OC_OK :
	    OC_ERR_INTERNAL;
}

static enum oc_err
verify_ec(struct sign_verifier *v, const struct sign_claim *c)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (get_digest(v, sign_alg_info(c->alg), c, digest, &len) != OC_OK)
		return OC_ERR_INTERNAL;
	return EVP_PKEY_verify(v->ec, c->signature.p, c->signature.len, digest,
	    len) == 1 ? OC_OK : OC_ERR_SIGNATURE;
}

static enum oc_err
prepare_rsa(struct sign_verifier *v, enum sign_alg alg)
{
	const struct sign_alg_info *info = sign_alg_info(alg);

	if (v->rsa_alg == alg)
		return OC_OK;
	v->rsa_alg = SIGN_ALG_NONE;
	if (EVP_PKEY_verify_init(v->rsa) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(v->rsa, info->is_pss ?
	    RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(v->rsa,
	    sign_digest(info->hash)) <= 0 ||
	    (info->is_pss && EVP_PKEY_CTX_set_rsa_pss_saltlen(v->rsa,
	    RSA_PSS_SALTLEN_DIGEST) <= 0))
		return OC_ERR_INTERNAL;
	v->rsa_alg = alg;
	return OC_OK;
}

static enum oc_err
verify_rsa(struct sign_verifier *v, const struct sign_claim *c)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (prepare_rsa(v, c->alg) != OC_OK || get_digest(v,
	    sign_alg_info(c->alg), c, digest, &len) != OC_OK)
		return OC_ERR_INTERNAL;
	return EVP_PKEY_verify(v->rsa, c->signature.p, c->signature.len,
	    digest, len) == 1 ? OC_OK : OC_ERR_SIGNATURE;
}

static enum oc_err
verify(struct sign_verifier *v, const struct sign_claim *c)
{
	enum oc_err err;

	if (!sign_alg_fits(c->alg, v->type))
		return OC_ERR_MISMATCH;
	if (v->ec != NULL)
		err = verify_ec(v, c);
	else if (v->rsa != NULL)
		err = verify_rsa(v, c);
	else
		err = verify_message(v, c->tbs, c->signature);
	EVP_MD_CTX_reset(v->ctx);
	ERR_clear_error();
	return err;
}

/* Without one it goes on as before, and tries once only. */
static void
make_table(struct sign_verifier *v)
{
	uint8_t point[SIGN_P256_POINT_LEN];
	size_t len;

	if (EVP_PKEY_get_octet_string_param(v->key, OSSL_PKEY_PARAM_PUB_KEY,
	    point, sizeof(point), &len) != 1 ||
	    sign_p256_new((struct der_bytes){ point, len }, &v->table) !=
	    OC_OK)
		v->table = NULL;
}

static bool
is_verdict(enum oc_err err)
{
	return err == OC_OK || err == OC_ERR_SIGNATURE;
}

/* Those that it is for; without memory it has no verdict. */
static void
verify_by_table(struct sign_verifier *v, struct sign_claim *claims, size_t num)
{
	const struct sign_alg_info *info = sign_alg_info(SIGN_ECDSA_SHA256);
	struct sign_p256_claim of_table[AT_ONCE];
	size_t which[AT_ONCE], num_of_table = 0;

	for (size_t i = 0; i < num; i++) {
		struct sign_p256_claim *c = &of_table[num_of_table];
		unsigned int len;

		if (claims[i].alg != SIGN_ECDSA_SHA256 || get_digest(v, info,
		    &claims[i], c->digest, &len) != OC_OK)
			continue;
		c->signature = claims[i].signature;
		which[num_of_table++] = i;
	}
	EVP_MD_CTX_reset(v->ctx);
	sign_p256_verify(v->table, of_table, num_of_table);
	for (size_t i = 0; i < num_of_table; i++)
		claims[which[i]].verdict = of_table[i].verdict;
}

static void
verify_some(struct sign_verifier *v, struct sign_claim *claims, size_t num)
{
	for (size_t i = 0; i < num; i++)
		claims[i].verdict = OC_ERR_INTERNAL;
	if (v->table != NULL)
		verify_by_table(v, claims, num);
	for (size_t i = 0; i < num; i++)
		if (!is_verdict(claims[i].verdict))
			claims[i].verdict = verify(v, &claims[i]);
}

void
sign_verify_all(struct sign_verifier *verifier, struct sign_claim *claims,
    size_t num)
{
	struct sign_verifier *v = verifier;
	size_t now;

	if (v->type == SIGN_KEY_P256 && v->num_verified < TABLE_AFTER) {
		v->num_verified += (unsigned int)num;
		if (v->num_verified >= TABLE_AFTER)
			make_table(v);
	}
	for (; num > 0; claims += now, num -= now) {
		now = num < AT_ONCE ? num : AT_ONCE;
		verify_some(v, claims, now);
	}
}

enum oc_err
sign_verify(struct sign_verifier *verifier, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature)
{
	struct sign_claim claim = { alg, tbs, signature, NULL, OC_OK };

	sign_verify_all(verifier, &claim, 1);
	return claim.verdict;
}

/*
 * --- once --------------------------------------------------------------
 *
 * For each thread and curve a verifier that gets another key each time.
 */

static pthread_key_t kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;
static bool has_kept_key;

struct kept {
	struct sign_verifier *verifiers[SIGN_KEY_P521 + 1];
};

static void
kept_free(void *p)
{
	struct kept *kept = p;

	for (int type = 0; type <= SIGN_KEY_P521; type++)
		sign_verifier_free(kept->verifiers[type]);
	free(kept);
}

static void
make_kept_key(void)
{
	has_kept_key = pthread_key_create(&kept_key, kept_free) == 0;
}

/* The thread's own; NULL if there is no memory. */
static struct kept *
find_kept(void)
{
	struct kept *kept;

	if (pthread_once(&kept_once, make_kept_key) != 0 || !has_kept_key)
		return NULL;
	kept = pthread_getspecific(kept_key);
	if (kept != NULL)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept != NULL && pthread_setspecific(kept_key, kept) != 0) {
		free(kept);
		return NULL;
	}
	return kept;
}

/* One that stays, with the key of spki. */
static enum oc_err
find_verifier(struct der_bytes spki, enum sign_key_type type,
    struct sign_verifier **verifier)
{
	struct kept *kept = find_kept();
	struct sign_verifier **v;
	enum oc_err err;

	if (kept == NULL)
		return OC_ERR_NOMEM;
	v = &kept->verifiers[type];
	if (*v != NULL && !(*v)->is_replaceable) {
		sign_verifier_free(*v);
		*v = NULL;
	}
	err = *v == NULL ? sign_verifier_new(spki, v) :
	    sign_public_key_replace(spki, type, (*v)->key);
	if (err == OC_OK)
		*verifier = *v;
	return err;
}

enum oc_err
sign_verify_once(struct der_bytes spki, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature, enum oc_err *key_err)
{
	const struct sign_claim claim = { alg, tbs, signature, NULL, OC_OK };
	struct sign_verifier *v = NULL;
	enum sign_key_type type;
	unsigned int num_bits;
	enum oc_err err;

	*key_err = sign_spki_type(spki, &type, &num_bits);
	if (*key_err == OC_OK)
		*key_err = is_ec(type) ? find_verifier(spki, type, &v) :
		    sign_verifier_new(spki, &v);
	if (*key_err != OC_OK)
		return *key_err;
	err = verify(v, &claim);
	if (!is_ec(type))
		sign_verifier_free(v);
	return err;
}
