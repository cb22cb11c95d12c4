/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying a signature with a SubjectPublicKeyInfo, through OpenSSL's EVP.
 * Used by signers before they hand a signature out, and for the proof of
 * possession in a CSR.
 */
#ifndef SIGN_VERIFY_H
#define SIGN_VERIFY_H

#include "base/err.h"
#include "der/bytes.h"
#include "sign/alg.h"

/* A public key to verify more than once with; used by one thread at a
 * time. */
struct sign_verifier;

enum oc_err sign_verifier_new(struct der_bytes spki,
    struct sign_verifier **verifier) OC_MUST_CHECK;
void sign_verifier_free(struct sign_verifier *verifier);

/* OC_ERR_SIGNATURE if it does not verify, OC_ERR_MISMATCH if the algorithm
 * is not one for this key. */
enum oc_err sign_verify(struct sign_verifier *verifier, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature) OC_MUST_CHECK;

struct sign_claim {
	enum sign_alg alg;
	struct der_bytes tbs, signature;
	const uint8_t *digest;		/* of the TBS, by the algorithm's hash,
					 * where it is known; or NULL */
	enum oc_err verdict;		/* what sign_verify() returns */
};

/* Several for one key: with a P-256 key that has verified often this takes
 * less than one by one. */
void sign_verify_all(struct sign_verifier *verifier,
    struct sign_claim *claims, size_t num);

/*
 * The same with a key that is seen once, as an applicant's is: for an EC key
 * it takes less than making a verifier does.  What sign_verifier_new() would
 * say of the key is *key_err; what it returns is then the same.
 */
enum oc_err sign_verify_once(struct der_bytes spki, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature, enum oc_err *key_err)
    OC_MUST_CHECK;

#endif
