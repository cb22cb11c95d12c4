/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature algorithms, one row each: the AlgorithmIdentifier as it stands in
 * certificates, the hash, the key type it needs (RFC 4055, 5758, 8410).
 * The row numbers travel between processes and in the response table: new
 * ones are only ever added at the end.
 */
#ifndef SIGN_ALG_H
#define SIGN_ALG_H

#include "base/config.h"
#include "base/err.h"
#include "der/bytes.h"
#include "der/oid.h"

enum sign_alg {
	SIGN_ALG_NONE = 0,		/* "whatever suits the key" */
	SIGN_RSA_SHA256 = 1,		/* RSASSA-PKCS1-v1_5 */
	SIGN_RSA_SHA384 = 2,
	SIGN_RSA_SHA512 = 3,
	SIGN_RSA_PSS_SHA256 = 4,	/* salt as long as the hash */
	SIGN_RSA_PSS_SHA384 = 5,
	SIGN_RSA_PSS_SHA512 = 6,
	SIGN_ECDSA_SHA256 = 7,
	SIGN_ECDSA_SHA384 = 8,
	SIGN_ECDSA_SHA512 = 9,
	SIGN_ED25519 = 10,
	SIGN_ALG_MAX
};

enum sign_hash { SIGN_HASH_NONE = 0, SIGN_SHA256, SIGN_SHA384, SIGN_SHA512 };

enum sign_key_type {
	SIGN_KEY_NONE = 0,
	SIGN_KEY_RSA,
	SIGN_KEY_P256,
	SIGN_KEY_P384,
	SIGN_KEY_P521,
	SIGN_KEY_ED25519
};

struct sign_alg_info {
	const char *name;		/* "ecdsa-sha256": what we print */
	struct der_bytes identifier;	/* AlgorithmIdentifier, whole TLV */
	enum sign_hash hash;
	enum sign_key_type key_type;	/* EC rows: P256 stands for any */
	bool is_pss;
};

/* alg must be a row. */
const struct sign_alg_info *sign_alg_info(enum sign_alg alg);
/* By AlgorithmIdentifier TLV, byte for byte; SIGN_ALG_NONE if not ours. */
enum sign_alg sign_alg_find(struct der_bytes identifier);
/* What a key signs with unless told otherwise: P-384 with SHA-384 and so on,
 * RSA with PKCS#1 v1.5 and SHA-256. */
enum sign_alg sign_alg_default(enum sign_key_type type);
/* What the configuration says; NONE if it leaves it to the key's type. */
enum sign_alg sign_alg_configured(enum oc_config_algorithm algorithm);
bool sign_alg_fits(enum sign_alg alg, enum sign_key_type type);

/* Reads the type and size in bits of a SubjectPublicKeyInfo; UNSUPPORTED for
 * a type or curve not above, MALFORMED if it is not DER. */
enum oc_err sign_spki_type(struct der_bytes spki, enum sign_key_type *type,
    unsigned int *bits) OC_MUST_CHECK;

/*
 * Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }  (RFC 3279, 2.2.3)
 * from r||s, each raw_len / 2 octets, and back (each left-padded).
 * out holds at least raw_len + 9 octets.
 */
enum oc_err sign_ecdsa_to_der(struct der_bytes raw, uint8_t *out,
    size_t out_max, size_t *len) OC_MUST_CHECK;
enum oc_err sign_ecdsa_from_der(struct der_bytes der, uint8_t *raw,
    size_t raw_len) OC_MUST_CHECK;

#endif
