/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature algorithms and the shapes around them: AlgorithmIdentifiers
 * (RFC 4055, 5758, 8410), SubjectPublicKeyInfo (RFC 3279, 5480, 8410) and
 * Ecdsa-Sig-Value.  Only bytes here: no cryptography.
 */
#include "der/reader.h"
#include "sign/alg.h"

/* SEQUENCE { 1.2.840.113549.1.1.n, NULL } */
#define RSA_IDENTIFIER(n) { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, \
	0xf7, 0x0d, 0x01, 0x01, (n), 0x05, 0x00 }
/* SEQUENCE { 1.2.840.10045.4.3.n } */
#define ECDSA_IDENTIFIER(n) { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, \
	0x3d, 0x04, 0x03, (n) }
/*
 * RSASSA-PSS-params ::= SEQUENCE {
 *     hashAlgorithm     [0] { 2.16.840.1.101.3.4.2.n, NULL },
 *     maskGenAlgorithm  [1] { mgf1, { the same hash, NULL } },
 *     saltLength        [2] INTEGER,
 *     trailerField      [3] DEFAULT 1 }
 */
#define PSS_IDENTIFIER(n, salt_len) { 0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, \
	0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f, \
	0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, \
	0x02, (n), 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, \
	0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, \
	0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, (n), 0x05, \
	0x00, 0xa2, 0x03, 0x02, 0x01, (salt_len) }

static const uint8_t rsa_sha256[] = RSA_IDENTIFIER(0x0b);
static const uint8_t rsa_sha384[] = RSA_IDENTIFIER(0x0c);
static const uint8_t rsa_sha512[] = RSA_IDENTIFIER(0x0d);
static const uint8_t pss_sha256[] = PSS_IDENTIFIER(0x01, 32);
static const uint8_t pss_sha384[] = PSS_IDENTIFIER(0x02, 48);
static const uint8_t pss_sha512[] = PSS_IDENTIFIER(0x03, 64);
static const uint8_t ecdsa_sha256[] = ECDSA_IDENTIFIER(0x02);
static const uint8_t ecdsa_sha384[] = ECDSA_IDENTIFIER(0x03);
static const uint8_t ecdsa_sha512[] = ECDSA_IDENTIFIER(0x04);
/* SEQUENCE { 1.3.101.112 } */
static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };

#define BYTES(a) { (a), sizeof(a) }
static const struct sign_alg_info algs[SIGN_ALG_MAX] = {
	[SIGN_ALG_NONE] = { "none", { NULL, 0 }, SIGN_HASH_NONE,
	    SIGN_KEY_NONE, false },
	[SIGN_RSA_SHA256] = { "rsa-sha256", BYTES(rsa_sha256), SIGN_SHA256,
	    SIGN_KEY_RSA, false },
	[SIGN_RSA_SHA384] = { "rsa-sha384", BYTES(rsa_sha384), SIGN_SHA384,
	    SIGN_KEY_RSA, false },
	[SIGN_RSA_SHA512] = { "rsa-sha512", BYTES(rsa_sha512), SIGN_SHA512,
	    SIGN_KEY_RSA, false },
	[SIGN_RSA_PSS_SHA256] = { "rsa-pss-sha256", BYTES(pss_sha256),
	    SIGN_SHA256, SIGN_KEY_RSA, true },
	[SIGN_RSA_PSS_SHA384] = { "rsa-pss-sha384", BYTES(pss_sha384),
	    SIGN_SHA384, SIGN_KEY_RSA, true },
	[SIGN_RSA_PSS_SHA512] = { "rsa-pss-sha512", BYTES(pss_sha512),
	    SIGN_SHA512, SIGN_KEY_RSA, true },
	[SIGN_ECDSA_SHA256] = { "ecdsa-sha256", BYTES(ecdsa_sha256),
	    SIGN_SHA256, SIGN_KEY_P256, false },
	[SIGN_ECDSA_SHA384] = { "ecdsa-sha384", BYTES(ecdsa_sha384),
	    SIGN_SHA384, SIGN_KEY_P256, false },
	[SIGN_ECDSA_SHA512] = { "ecdsa-sha512", BYTES(ecdsa_sha512),
	    SIGN_SHA512, SIGN_KEY_P256, false },
	[SIGN_ED25519] = { "ed25519", BYTES(ed25519), SIGN_HASH_NONE,
	    SIGN_KEY_ED25519, false },
};

const struct sign_alg_info *
sign_alg_info(enum sign_alg alg)
{
	oc_assert(alg > SIGN_ALG_NONE && alg < SIGN_ALG_MAX);
	return &algs[alg];
}

enum sign_alg
sign_alg_find(struct der_bytes identifier)
{
	for (int i = SIGN_ALG_NONE + 1; i < SIGN_ALG_MAX; i++)
		if (der_bytes_equal(algs[i].identifier, identifier))
			return (enum sign_alg)i;
	return SIGN_ALG_NONE;
}

enum sign_alg
sign_alg_default(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_NONE:
		return SIGN_ALG_NONE;
	case SIGN_KEY_RSA:
		return SIGN_RSA_SHA256;
	case SIGN_KEY_P256:
		return SIGN_ECDSA_SHA256;
	case SIGN_KEY_P384:
		return SIGN_ECDSA_SHA384;
	case SIGN_KEY_P521:
		return SIGN_ECDSA_SHA512;
	case SIGN_KEY_ED25519:
		return SIGN_ED25519;
	}
	return SIGN_ALG_NONE;
}

enum sign_alg
sign_alg_configured(enum oc_config_algorithm algorithm)
{
	_Static_assert((int)OC_ALGORITHM_OF_KEY == (int)SIGN_ALG_NONE &&
	    (int)OC_ALGORITHM_RSA_SHA512 == (int)SIGN_RSA_SHA512 &&
	    (int)OC_ALGORITHM_RSA_PSS_SHA512 == (int)SIGN_RSA_PSS_SHA512 &&
	    (int)OC_ALGORITHM_ECDSA_SHA512 == (int)SIGN_ECDSA_SHA512 &&
	    (int)OC_ALGORITHM_ED25519 == (int)SIGN_ED25519 &&
	    (int)OC_ALGORITHM_ED25519 == (int)SIGN_ALG_MAX - 1,
	    "one numbering");

	return (enum sign_alg)(int)algorithm;
}

static bool
is_ec(enum sign_key_type type)
{
	return type == SIGN_KEY_P256 || type == SIGN_KEY_P384 ||
	    type == SIGN_KEY_P521;
}

bool
sign_alg_fits(enum sign_alg alg, enum sign_key_type type)
{
	if (alg <= SIGN_ALG_NONE || alg >= SIGN_ALG_MAX)
		return false;
	if (algs[alg].key_type == SIGN_KEY_P256)
		return is_ec(type);
	return algs[alg].key_type == type;
}

/*
 * RSAPublicKey ::= SEQUENCE {
 *     modulus         INTEGER,
 *     publicExponent  INTEGER }
 */
static enum oc_err
read_rsa(struct der_reader *algorithm, struct der_bytes key,
    unsigned int *bits)
{
	struct der_reader r = der_reader_of(key), rsa;
	struct der_bytes modulus, exponent;
	unsigned int num_bits;

	/* parameters: NULL, RFC 3279 section 2.3.1 */
	if (!der_get_null(algorithm) || !der_is_done(algorithm))
		return OC_ERR_MALFORMED;
	if (!der_enter(&r, DER_SEQUENCE, &rsa) ||
	    !der_get_integer(&rsa, &modulus) ||
	    !der_get_integer(&rsa, &exponent) || !der_leave(&r, &rsa) ||
	    !der_is_done(&r))
		return OC_ERR_MALFORMED;
	if ((modulus.p[0] & 0x80) != 0 || (exponent.p[0] & 0x80) != 0)
		return OC_ERR_MALFORMED;
	if (modulus.p[0] == 0 && modulus.len > 1)
		modulus = (struct der_bytes){ modulus.p + 1, modulus.len - 1 };
	num_bits = (unsigned int)modulus.len * 8;
	for (uint8_t top = modulus.p[0]; num_bits > 0 && (top & 0x80) == 0;
	    top = (uint8_t)(top << 1 | 1))
		num_bits--;
	*bits = num_bits;
	return OC_OK;
}

/*
 * ECPoint ::= OCTET STRING, here as the octets of the BIT STRING:
 *     04 || X || Y                        (RFC 5480, section 2.2)
 */
static enum oc_err
read_ec(struct der_reader *algorithm, struct der_bytes point,
    enum sign_key_type *type, unsigned int *bits)
{
	struct der_bytes curve;
	enum sign_key_type found;
	unsigned int num_bits;
	enum der_oid oid;
	size_t len;

	/* implicitCurve and specifiedCurve are not for PKIX: RFC 5480, 2.1.1 */
	if (!der_next_is(algorithm, DER_OID))
		return OC_ERR_UNSUPPORTED;
	if (!der_get_oid(algorithm, &curve) || !der_is_done(algorithm))
		return OC_ERR_MALFORMED;
	oid = der_oid_find(curve);
	if (oid == DER_OID_P256) {
		found = SIGN_KEY_P256;
		num_bits = 256;
	} else if (oid == DER_OID_P384) {
		found = SIGN_KEY_P384;
		num_bits = 384;
	} else if (oid == DER_OID_P521) {
		found = SIGN_KEY_P521;
		num_bits = 521;
	} else
		return OC_ERR_UNSUPPORTED;
	len = (num_bits + 7) / 8;
	if (point.len == 1 + len && (point.p[0] == 2 || point.p[0] == 3))
		return OC_ERR_UNSUPPORTED;
	if (point.len != 1 + 2 * len || point.p[0] != 4)
		return OC_ERR_MALFORMED;
	*type = found;
	*bits = num_bits;
	return OC_OK;
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         AlgorithmIdentifier,
 *     subjectPublicKey  BIT STRING }
 */
enum oc_err
sign_spki_type(struct der_bytes spki, enum sign_key_type *type,
    unsigned int *bits)
{
	struct der_reader r = der_reader_of(spki), info, algorithm;
	struct der_bytes contents, key;
	enum der_oid oid;
	enum oc_err err;

	if (!der_enter(&r, DER_SEQUENCE, &info) || !der_is_done(&r) ||
	    !der_enter(&info, DER_SEQUENCE, &algorithm) ||
	    !der_get_oid(&algorithm, &contents) ||
	    !der_get_bits(&info, &key) || !der_is_done(&info))
		return OC_ERR_MALFORMED;
	oid = der_oid_find(contents);
	if (oid == DER_OID_RSA_ENCRYPTION) {
		err = read_rsa(&algorithm, key, bits);
		if (err == OC_OK)
			*type = SIGN_KEY_RSA;
		return err;
	}
	if (oid == DER_OID_EC_PUBLIC_KEY)
		return read_ec(&algorithm, key, type, bits);
	if (oid == DER_OID_ED25519) {
		/* no parameters, 32 octets: RFC 8410, sections 3 and 4 */
		if (!der_is_done(&algorithm) || key.len != 32)
			return OC_ERR_MALFORMED;
		*type = SIGN_KEY_ED25519;
		*bits = 256;
		return OC_OK;
	}
	return OC_ERR_UNSUPPORTED;
}

/* One INTEGER from a fixed-width magnitude; returns the octets written. */
static size_t
put_half(const uint8_t *half, size_t len, uint8_t *out)
{
	size_t pad, n = 0;

	while (len > 1 && half[0] == 0) {
		half++;
		len--;
	}
	pad = half[0] >> 7;
	out[n++] = DER_INTEGER;
	out[n++] = (uint8_t)(len + pad);
	if (pad != 0)
		out[n++] = 0;
	memcpy(out + n, half, len);
	return n + len;
}

/* Halves are at most 66 octets (P-521): INTEGERs have one-octet lengths. */
#define HALF_MAX 66

enum oc_err
sign_ecdsa_to_der(struct der_bytes raw, uint8_t *out, size_t out_max,
    size_t *len)
{
	uint8_t body[2 * (HALF_MAX + 3)];
	size_t half = raw.len / 2, body_len, n = 0;

	if (raw.len == 0 || raw.len % 2 != 0 || half > HALF_MAX)
		return OC_ERR_MALFORMED;
	body_len = put_half(raw.p, half, body);
	body_len += put_half(raw.p + half, half, body + body_len);
	if (out_max < body_len + (body_len < 0x80 ? 2 : 3))
		return OC_ERR_NO_SPACE;
	out[n++] = DER_SEQUENCE;
	if (body_len >= 0x80)
		out[n++] = 0x81;
	out[n++] = (uint8_t)body_len;
	memcpy(out + n, body, body_len);
	*len = n + body_len;
	return OC_OK;
}

enum oc_err
sign_ecdsa_from_der(struct der_bytes der, uint8_t *raw, size_t raw_len)
{
	struct der_reader r = der_reader_of(der), value;
	struct der_bytes part[2];
	size_t half = raw_len / 2;

	oc_assert(raw_len % 2 == 0);
	if (!der_enter(&r, DER_SEQUENCE, &value) ||
	    !der_get_integer(&value, &part[0]) ||
	    !der_get_integer(&value, &part[1]) || !der_leave(&r, &value) ||
	    !der_is_done(&r))
		return OC_ERR_MALFORMED;
	for (int i = 0; i < 2; i++) {
		if ((part[i].p[0] & 0x80) != 0)
			return OC_ERR_MALFORMED;
		if (part[i].p[0] == 0) {
			part[i].p++;
			part[i].len--;
		}
		if (part[i].len > half)
			return OC_ERR_MALFORMED;
	}
	memset(raw, 0, raw_len);
	for (int i = 0; i < 2; i++)
		if (part[i].len > 0)
			memcpy(raw + (size_t)(i + 1) * half - part[i].len,
			    part[i].p, part[i].len);
	return OC_OK;
}
