/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA moduli that are as good as factored: a small prime factor, primes so
 * close that Fermat's method finds them, or the shape of the ROCA generator
 * (CVE-2017-15361).
 */
#ifndef X509_WEAK_H
#define X509_WEAK_H

#include "base/err.h"
#include "der/bytes.h"

/* modulus: its magnitude, odd.  REFUSED with the reason in error.  Takes
 * about a tenth of a millisecond; allocates in libcrypto. */
enum oc_err x509_weak_check(struct der_bytes modulus, struct oc_error *error)
    OC_MUST_CHECK;

#endif
