/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SubjectPublicKeyInfo, RFC 5280 4.1.2.7: what kind of key it is, whether we
 * take it, and the identifiers made from it.
 */
#ifndef X509_SPKI_H
#define X509_SPKI_H

#include "base/err.h"
#include "der/bytes.h"
#include "sign/alg.h"

#define X509_KEY_ID_LEN 20
#define X509_HASH_MAX 64

/* The BIT STRING's octets, without the unused-bits octet.  MALFORMED if the
 * algorithm is not well-formed either. */
enum oc_err x509_spki_key_bits(struct der_bytes spki, struct der_bytes *bits)
    OC_MUST_CHECK;

/* RFC 5280 4.2.1.2 method (1): SHA-1 of the BIT STRING's octets.  Also the
 * issuerKeyHash of OCSP with SHA-1, and responderID byKey.  MALFORMED if it
 * is not a SEQUENCE of a SEQUENCE, which is not looked into, and whole octets
 * of bits. */
enum oc_err x509_spki_key_id(struct der_bytes spki,
    uint8_t key_id[X509_KEY_ID_LEN]) OC_MUST_CHECK;

/* SHA-256 of the whole SubjectPublicKeyInfo. */
enum oc_err x509_spki_hash(struct der_bytes spki, uint8_t hash[32])
    OC_MUST_CHECK;

/*
 * What we certify: RSA 2048 to 4096 with an odd exponent of at least 65537,
 * P-256, P-384, P-521 points that are on their curve, Ed25519 points of no
 * small order.  REFUSED with the reason in error otherwise.
 */
enum oc_err x509_spki_check(struct der_bytes spki, struct oc_error *error)
    OC_MUST_CHECK;

/* "RSA 2048 bits", "EC P-256"; "unknown key type" and the like for what is
 * none of ours. */
void x509_spki_format(struct der_bytes spki, char text[64]);

/*
 * Verifies what (a "CSR", a "certificate": for the error's text) with this
 * key.  SIGNATURE if it does not verify, MISMATCH if the algorithm is not one
 * for the key, UNSUPPORTED or MALFORMED if the key itself is no use.
 */
enum oc_err x509_spki_verify(struct der_bytes spki, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature, const char *what,
    struct oc_error *error) OC_MUST_CHECK;

#endif
