/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From our algorithms to mechanisms.  The host hashes: CKM_RSA_PKCS over a
 * DigestInfo, CKM_RSA_PKCS_PSS and CKM_ECDSA over a digest are what most
 * providers have.  Where a token refuses that, because of its policy or the
 * key's CKA_ALLOWED_MECHANISMS, it gets the message and hashes itself; with
 * Ed25519 it always does.
 */
#ifndef PKCS11_MECHANISM_H
#define PKCS11_MECHANISM_H

#include <p11-kit/pkcs11.h>

#include "base/spool.h"
#include "sign/alg.h"

/* A DigestInfo with SHA-512 is 83 octets. */
#define P11_INPUT_MAX 96

/* Which of two mechanisms for one algorithm: found by trial, not in the list
 * of mechanisms, which tokens get wrong. */
enum p11_way {
	P11_WAY_DIGEST,			/* CKM_RSA_PKCS */
	P11_WAY_MESSAGE			/* CKM_SHA256_RSA_PKCS */
};

/* What C_SignInit and C_Sign are given.  Does not point into itself: the
 * mechanism is made by p11_input_mechanism(). */
struct p11_input {
	CK_MECHANISM_TYPE type;
	bool is_pss;
	CK_RSA_PKCS_PSS_PARAMS pss;
	uint8_t bytes[P11_INPUT_MAX];
	uint8_t *message;		/* owned; Ed25519, WAY_MESSAGE */
	struct oc_mapping mapping;	/* where a long one is; private */
	size_t len;
};

/* Hashes, or copies, the TBS.  fini frees. */
enum oc_err p11_input_init(struct p11_input *in, enum sign_alg alg,
    enum sign_key_type key_type, struct der_bytes tbs) OC_MUST_CHECK;
enum oc_err p11_input_init_way(struct p11_input *in, enum sign_alg alg,
    enum sign_key_type key_type, enum p11_way way, struct der_bytes tbs)
    OC_MUST_CHECK;
void p11_input_fini(struct p11_input *in);
/* The SHA-256 of the TBS, if it was made for that; false if not. */
bool p11_input_get_sha256(const struct p11_input *in, enum sign_alg alg,
    uint8_t digest[32]);

/* Borrows in. */
CK_MECHANISM p11_input_mechanism(struct p11_input *in);
CK_BYTE_PTR p11_input_bytes(struct p11_input *in);

/*
 * From what the token returned to what stands in the BIT STRING, in place.
 * signature holds max octets.  ECDSA comes as r||s or, from some tokens, as
 * DER already; RSA may lack leading zeros.  SIGNATURE if it is neither.
 */
enum oc_err p11_signature_finish(enum sign_alg alg,
    enum sign_key_type key_type, unsigned int bits, uint8_t *signature,
    size_t max, size_t *len) OC_MUST_CHECK;

#endif
