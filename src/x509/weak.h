/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are nobody's own: RSA moduli that are as good as factored (a small
 * prime factor, primes so close that Fermat's method finds them, the shape of
 * the ROCA generator, CVE-2017-15361), and Ed25519 points of small order.
 */
#ifndef X509_WEAK_H
#define X509_WEAK_H

#include <stdint.h>

#include "base/err.h"
#include "der/bytes.h"

/* modulus: its magnitude, odd.  REFUSED with the reason in error.  Takes
 * about a tenth of a millisecond; allocates in libcrypto. */
enum oc_err x509_weak_check(struct der_bytes modulus, struct oc_error *error)
    OC_MUST_CHECK;

/* An Ed25519 key.  REFUSED for one of the eight points under which anybody's
 * signature verifies, and for a y that is no residue (RFC 8032, 5.1.3). */
#define X509_ED25519_LEN 32
enum oc_err x509_weak_check_ed25519(const uint8_t key[X509_ED25519_LEN],
    struct oc_error *error) OC_MUST_CHECK;

#endif
