/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers for whom: what of an issuer and of the key that signs its
 * responses is the same in every answer.  Made from certificates when a
 * table is made; stored in the table's header; all that a responder knows.
 */
#ifndef OCSP_IDENTITY_H
#define OCSP_IDENTITY_H

#include "base/err.h"
#include "base/limits.h"
#include "der/bytes.h"
#include "ocsp/certid.h"
#include "ocsp/response.h"
#include "sign/alg.h"

#define OCSP_CERTS_MAX 4096	/* the delegated signer's certificate */
/* Both stand in the header of a table; names of CAs have some 100 octets. */
#define OCSP_RESPONDER_NAME_MAX 1024
#define OCSP_CRL_URL_MAX 256

struct ocsp_identity {
	uint8_t name_hash[OCSP_HASH_MAX][OCSP_DIGEST_MAX];
	uint8_t key_hash[OCSP_HASH_MAX][OCSP_DIGEST_MAX];
	uint8_t responder_key_hash[20];	/* responderID byKey */
	enum sign_alg alg;		/* of the responses */
	uint32_t signature_len;		/* raw, as in a slot: P-256 64, RSA
					 * the modulus */
	int64_t signer_not_after;	/* nextUpdate is never later */
	uint8_t certs[OCSP_CERTS_MAX];	/* Certificate TLVs */
	size_t certs_len;		/* 0: the CA signs itself */
	/* The signer's subject, a Name TLV; len 0: too long to keep. */
	uint8_t responder_name[OCSP_RESPONDER_NAME_MAX];
	uint32_t responder_name_len;
	/* What ocsp_identity_choose() chose: */
	uint32_t is_by_name;		/* the responderID; 0: byKey */
	int64_t archive_s;		/* how long a status is told after a
					 * certificate's end; 0: not */
	uint8_t crl_url[OCSP_CRL_URL_MAX];	/* of revoked ones */
	uint32_t crl_url_len;		/* 0: is not told */
};

/*
 * signer is the delegated signer's certificate; len 0 if the CA's own key
 * signs.  A signer that the issuer did not issue, that is a CA, has a
 * keyUsage without digitalSignature, or lacks id-kp-OCSPSigning (RFC 6960,
 * 4.2.2.2) or id-pkix-ocsp-nocheck is MISMATCH with the reason in error; that
 * it has expired is not.  alg SIGN_ALG_NONE: the key's default.
 */
enum oc_err ocsp_identity_make(struct der_bytes issuer,
    struct der_bytes signer, enum sign_alg alg, struct ocsp_identity *identity,
    struct oc_error *error) OC_MUST_CHECK;

/* By configuration; zero is what most want.  LIMIT if it does not fit. */
struct ocsp_choices {
	bool is_by_name;		/* RFC 6960, 4.2.2.3 */
	int64_t archive_s;		/* 4.4.4 */
	const char *crl_url;		/* 4.4.2; NULL: none */
};
enum oc_err ocsp_identity_choose(struct ocsp_identity *identity,
    const struct ocsp_choices *choices, struct oc_error *error) OC_MUST_CHECK;

/* The responderID of a response; singleExtensions for a certificate that was
 * issued.  What is set views the identity. */
void ocsp_identity_respond(const struct ocsp_identity *identity,
    struct ocsp_response_data *data);
void ocsp_identity_extend(const struct ocsp_identity *identity,
    int64_t produced_at, struct ocsp_single *single);

/* True if the same is chosen: what a signature of the one is over, the other
 * writes in the same octets, where the key is the same. */
bool ocsp_identity_has_choices(const struct ocsp_identity *a,
    const struct ocsp_identity *b);

/* True if every field is the same. */
bool ocsp_identity_equal(const struct ocsp_identity *a,
    const struct ocsp_identity *b);
/* True if both answer for the same issuer; and sign with the same key, so
 * that a signature of the one goes with the certificate of the other. */
bool ocsp_identity_has_issuer(const struct ocsp_identity *a,
    const struct ocsp_identity *b);
bool ocsp_identity_has_key(const struct ocsp_identity *a,
    const struct ocsp_identity *b);

/* The issuer's part of a CertID in one encoding: see
 * ocsp_put_certid_prefix(). */
enum oc_err ocsp_identity_certid_prefix(const struct ocsp_identity *identity,
    uint8_t encoding, uint8_t out[OCSP_CERTID_PREFIX_MAX], size_t *len)
    OC_MUST_CHECK;

/* True if the CertID's hashes are this issuer's. */
bool ocsp_identity_matches(const struct ocsp_identity *identity,
    const struct ocsp_certid *certid);

#endif
