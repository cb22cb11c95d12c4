/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7, with the keys of RFC 3279
 * (RSA), 5480 (EC) and 8410 (Ed25519).
 *
 * The encoding is read here, strictly; OpenSSL is asked only whether numbers
 * and points are what they should be, and for hashes.
 */
#include "x509/spki.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdio.h>

#include "base/limits.h"
#include "der/reader.h"
#include "sign/verify.h"
#include "x509/tbs.h"
#include "x509/weak.h"

#define RSA_BITS_MIN 2048
#define RSA_EXPONENT_MIN 65537
/* Verifying costs in proportion to it, and no library makes larger ones. */
#define RSA_EXPONENT_OCTETS_MAX 8
#define EC_UNCOMPRESSED 0x04

/* A SubjectPublicKeyInfo taken apart; views. */
struct spki_parts {
	enum der_oid algorithm;		/* UNKNOWN: none we know */
	bool has_parameters;
	struct der_bytes parameters;	/* TLV */
	struct der_bytes bits;		/* the BIT STRING's octets */
};

struct curve {
	enum der_oid oid;
	int nid;			/* OpenSSL's number */
	size_t octets;			/* of one coordinate */
	const char *name;
};

#define NUM_CURVES 3

static const struct curve curves[NUM_CURVES] = {
	{ DER_OID_P256, NID_X9_62_prime256v1, 32, "P-256" },
	{ DER_OID_P384, NID_secp384r1, 48, "P-384" },
	{ DER_OID_P521, NID_secp521r1, 66, "P-521" },
};

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         AlgorithmIdentifier,
 *     subjectPublicKey  BIT STRING }
 *
 * What is inside the algorithm, which is a TLV, is not looked at.
 */
static bool
read_outside(struct der_bytes spki, struct der_bytes *algorithm,
    struct der_bytes *bits)
{
	struct der_reader outer = der_reader_of(spki), r;

	(void)der_enter(&outer, DER_SEQUENCE, &r);
	(void)der_get_tlv(&r, DER_SEQUENCE, algorithm);
	(void)der_get_bits(&r, bits);
	return der_leave(&outer, &r) && der_is_done(&outer);
}

static bool
read_parts(struct der_bytes spki, struct spki_parts *parts)
{
	struct der_bytes contents, identifier, oid;
	struct spki_parts found = { 0 };
	struct der_reader r;
	uint8_t tag;

	if (!read_outside(spki, &identifier, &found.bits) ||
	    !x509_algorithm_is_valid(identifier) ||
	    !der_read_whole(identifier, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	der_get_oid(&r, &oid);
	if (!der_at_end(&r)) {
		found.has_parameters = true;
		der_get_any(&r, &tag, NULL, &found.parameters);
	}
	found.algorithm = der_oid_find(oid);
	*parts = found;
	return true;
}

enum oc_err
x509_spki_key_bits(struct der_bytes spki, struct der_bytes *bits)
{
	struct der_bytes algorithm, found;

	if (!read_outside(spki, &algorithm, &found) ||
	    !x509_algorithm_is_valid(algorithm))
		return OC_ERR_MALFORMED;
	*bits = found;
	return OC_OK;
}

/*
 * Fetched once: EVP_sha1() is looked up by name each time it is used, which
 * takes as long as hashing a key; a context is kept for each thread, which
 * takes as long again to make.  The digests are never freed.
 */
static EVP_MD *sha1, *sha256;
static pthread_key_t context_key;
static bool has_context_key;
static pthread_once_t digests_once = PTHREAD_ONCE_INIT;

static void
free_context(void *context)
{
	EVP_MD_CTX_free(context);
}

static void
fetch_digests(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	has_context_key = pthread_key_create(&context_key, free_context) == 0;
}

/* This thread's; NULL if there is no memory. */
static EVP_MD_CTX *
thread_context(void)
{
	EVP_MD_CTX *context;

	if (!has_context_key)
		return NULL;
	context = pthread_getspecific(context_key);
	if (context != NULL)
		return context;
	context = EVP_MD_CTX_new();
	if (context != NULL && pthread_setspecific(context_key, context) != 0) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return context;
}

static enum oc_err
hash(struct der_bytes bytes, EVP_MD *const *digest, uint8_t *out)
{
	EVP_MD_CTX *context;

	if (pthread_once(&digests_once, fetch_digests) != 0)
		return OC_ERR_INTERNAL;
	context = thread_context();
	if (context == NULL || *digest == NULL ||
	    EVP_DigestInit_ex2(context, *digest, NULL) != 1 ||
	    EVP_DigestUpdate(context, bytes.p, bytes.len) != 1 ||
	    EVP_DigestFinal_ex(context, out, NULL) != 1)
		return OC_ERR_INTERNAL;
	return OC_OK;
}

enum oc_err
x509_spki_key_id(struct der_bytes spki, uint8_t key_id[X509_KEY_ID_LEN])
{
	struct der_bytes algorithm, bits;

	if (!read_outside(spki, &algorithm, &bits))
		return OC_ERR_MALFORMED;
	return hash(bits, &sha1, key_id);
}

enum oc_err
x509_spki_hash(struct der_bytes spki, uint8_t out[32])
{
	return hash(spki, &sha256, out);
}

/*
 * RSAPublicKey ::= SEQUENCE {
 *     modulus         INTEGER,
 *     publicExponent  INTEGER }
 *
 * Magnitudes, without the octet that keeps them positive.
 */
static bool
read_rsa(struct der_bytes bits, struct der_bytes *modulus,
    struct der_bytes *exponent)
{
	struct der_bytes contents, values[2];
	struct der_reader r;
	int i;

	if (!der_read_whole(bits, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	for (i = 0; i < 2; i++) {
		if (!der_get_integer(&r, &values[i]) ||
		    (values[i].p[0] & 0x80) != 0)
			return false;
		if (values[i].p[0] == 0) {
			values[i].p++;
			values[i].len--;
		}
		if (values[i].len == 0)		/* zero */
			return false;
	}
	if (!der_is_done(&r))
		return false;
	*modulus = values[0];
	*exponent = values[1];
	return true;
}

static unsigned int
num_bits(struct der_bytes magnitude)
{
	unsigned int bits = (unsigned int)magnitude.len * 8;
	uint8_t top = magnitude.p[0];

	for (; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static bool
is_odd(struct der_bytes magnitude)
{
	return (magnitude.p[magnitude.len - 1] & 1) != 0;
}

static bool
is_null(const struct spki_parts *parts)
{
	struct der_bytes contents;

	return parts->has_parameters &&
	    der_read_whole(parts->parameters, DER_NULL, &contents) &&
	    contents.len == 0;
}

static enum oc_err
check_rsa(const struct spki_parts *parts, struct oc_error *error)
{
	struct der_bytes modulus, exponent;
	uint64_t e = 0;
	unsigned int bits;
	size_t i;

	if (!is_null(parts))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: RSA with parameters other than NULL "
		    "(RFC 3279, 2.3.1)");
	if (!read_rsa(parts->bits, &modulus, &exponent))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: not an RSAPublicKey");
	bits = num_bits(modulus);
	if (bits < RSA_BITS_MIN || bits > OC_RSA_BITS_MAX)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: RSA with %u bits; %d to %d are taken", bits,
		    RSA_BITS_MIN, OC_RSA_BITS_MAX);
	if (!is_odd(modulus))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: RSA with an even modulus");
	if (exponent.len > RSA_EXPONENT_OCTETS_MAX)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: RSA with an exponent of more than 64 bits");
	for (i = 0; i < exponent.len; i++)
		e = e << 8 | exponent.p[i];
	if (e < RSA_EXPONENT_MIN || (e & 1) == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: RSA with the exponent %llu; odd ones from 65537 up "
		    "are taken", (unsigned long long)e);
	return x509_weak_check(modulus, error);
}

static const struct curve *
find_curve(const struct spki_parts *parts)
{
	struct der_bytes oid;
	size_t i;

	if (!parts->has_parameters ||
	    !der_read_whole(parts->parameters, DER_OID, &oid))
		return NULL;
	for (i = 0; i < NUM_CURVES; i++)
		if (der_oid_find(oid) == curves[i].oid)
			return &curves[i];
	return NULL;
}

/*
 * Making a group costs six times what checking a point does.  Made once,
 * never changed, never freed; NULL: out of memory.
 */
static EC_GROUP *groups[NUM_CURVES];
static pthread_once_t groups_once = PTHREAD_ONCE_INIT;

static void
make_groups(void)
{
	for (size_t i = 0; i < NUM_CURVES; i++)
		groups[i] = EC_GROUP_new_by_curve_name(curves[i].nid);
}

static const EC_GROUP *
group_of(const struct curve *curve)
{
	if (pthread_once(&groups_once, make_groups) != 0)
		return NULL;
	return groups[curve - curves];
}

/* The curves' cofactor is 1: on the curve and not infinity is in the group. */
static enum oc_err
check_point(const struct curve *curve, struct der_bytes octets,
    struct oc_error *error)
{
	const EC_GROUP *group = group_of(curve);
	EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
	enum oc_err err = OC_OK;

	/* What OpenSSL says of a stranger's point is nobody else's error. */
	ERR_set_mark();
	if (point == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "key: out of memory");
	else if (EC_POINT_oct2point(group, point, octets.p, octets.len,
	    NULL) != 1)
		err = oc_error_set(error, OC_ERR_REFUSED,
		    "key: the EC point is not on %s", curve->name);
	ERR_pop_to_mark();
	EC_POINT_free(point);
	return err;
}

static enum oc_err
check_ec(const struct spki_parts *parts, struct oc_error *error)
{
	const struct curve *curve = find_curve(parts);
	struct der_bytes point = parts->bits;

	if (curve == NULL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: EC, but not with P-256, P-384 or P-521 as a named "
		    "curve");
	if (point.len != 1 + 2 * curve->octets ||
	    point.p[0] != EC_UNCOMPRESSED)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: not an uncompressed point of %s", curve->name);
	return check_point(curve, point, error);
}

enum oc_err
x509_spki_check(struct der_bytes spki, struct oc_error *error)
{
	struct spki_parts parts;

	if (!read_parts(spki, &parts))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: not a SubjectPublicKeyInfo");
	if (parts.algorithm == DER_OID_RSA_ENCRYPTION)
		return check_rsa(&parts, error);
	if (parts.algorithm == DER_OID_EC_PUBLIC_KEY)
		return check_ec(&parts, error);
	if (parts.algorithm != DER_OID_ED25519)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: neither RSA nor EC nor Ed25519");
	if (parts.has_parameters || parts.bits.len != X509_ED25519_LEN)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "key: not an Ed25519 key as RFC 8410 has it");
	return x509_weak_check_ed25519(parts.bits.p, error);
}

void
x509_spki_format(struct der_bytes spki, char text[64])
{
	struct der_bytes modulus, exponent;
	const struct curve *curve;
	struct spki_parts parts;
	const char *name = "unknown key type";

	if (!read_parts(spki, &parts)) {
		name = "malformed key";
	} else if (parts.algorithm == DER_OID_RSA_ENCRYPTION) {
		name = "malformed RSA key";
		if (read_rsa(parts.bits, &modulus, &exponent)) {
			snprintf(text, 64, "RSA %u bits", num_bits(modulus));
			return;
		}
	} else if (parts.algorithm == DER_OID_EC_PUBLIC_KEY) {
		curve = find_curve(&parts);
		snprintf(text, 64, "EC %s",
		    curve != NULL ? curve->name : "unknown curve");
		return;
	} else if (parts.algorithm == DER_OID_ED25519) {
		name = "Ed25519";
	}
	snprintf(text, 64, "%s", name);
}

enum oc_err
x509_spki_verify(struct der_bytes spki, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature, const char *what,
    struct oc_error *error)
{
	enum oc_err key_err, err;

	err = sign_verify_once(spki, alg, tbs, signature, &key_err);
	if (key_err != OC_OK)
		return oc_error_set(error, err,
		    "%s: the key that should verify it cannot be used: %s",
		    what, oc_strerror(err));
	if (err == OC_OK)
		return OC_OK;
	return oc_error_set(error, err,
	    err == OC_ERR_SIGNATURE ? "%s: the signature does not verify" :
	    "%s: the signature's algorithm is not one for the key", what);
}
