/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on P-256 with one public key that verifies again and again.
 *
 * Half of a verification is a multiple of the key's point, which libcrypto
 * has to work out from nothing each time; with a table of multiples that was
 * made once it is as quick as the other half, the generator's.  The field
 * arithmetic, the curve and the table's format are libcrypto's.
 *
 * Where libcrypto has no code of its own for P-256 (no assembler, say) a table
 * gains nothing; verdicts are the same.
 *
 * A table is 150 KB and takes some 20 ms to make, the time that 500
 * verifications save: for a CA's own key, never for an applicant's.
 */
#ifndef SIGN_P256_H
#define SIGN_P256_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "der/bytes.h"

#define SIGN_P256_POINT_LEN 65		/* uncompressed, SEC 1 2.3.3 */
#define SIGN_P256_DIGEST_LEN 32

/* Used by one thread at a time. */
struct sign_p256;

/* MALFORMED for a point that is not on the curve; UNSUPPORTED if this
 * libcrypto cannot make tables. */
enum oc_err sign_p256_new(struct der_bytes point, struct sign_p256 **key)
    OC_MUST_CHECK;
void sign_p256_free(struct sign_p256 *key);

/* What is to be verified: the digest of what was signed, and the DER of an
 * Ecdsa-Sig-Value (RFC 3279 2.2.3), nothing else about it. */
struct sign_p256_claim {
	uint8_t digest[SIGN_P256_DIGEST_LEN];
	struct der_bytes signature;
	enum oc_err verdict;
};

/*
 * Gives each its verdict, whatever the others are: OC_OK, OC_ERR_SIGNATURE if
 * it does not verify, NOMEM or INTERNAL if that could not be found out.
 * Several at once take less than one by one: of each one's division modulo the
 * order, a quarter of its time, only the last is done as such.  Leaves nothing
 * in OpenSSL's error queue.
 */
void sign_p256_verify(struct sign_p256 *key, struct sign_p256_claim *claims,
    size_t num);

#endif
