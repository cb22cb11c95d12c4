/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that are trusted, and whether another leads to one of them:
 * path validation (RFC 5280, section 6) by libcrypto.  Used by one thread at
 * a time.
 */
#ifndef X509_TRUST_H
#define X509_TRUST_H

#include "base/err.h"
#include "der/bytes.h"
#include "x509/cert.h"

struct x509_trust;

/* A PEM file of at most OC_CHAIN_MAX certificates.  Each in it is trusted,
 * self-signed or not.  The errors of x509_file_read_chain(), and MALFORMED
 * for one that libcrypto does not read. */
enum oc_err x509_trust_load(const char *path, struct x509_trust **trust,
    struct oc_error *error) OC_MUST_CHECK;
void x509_trust_free(struct x509_trust *trust);		/* NULL: fine */

/*
 * certs: Certificate TLVs, end to end, from a stranger; the first is the one
 * in question, and the others may be needed on the way.  How many public-key
 * operations that may take is bounded by X509_TRUST_CERTS_MAX, and how long
 * each by OC_RSA_BITS_MAX; none, if the way does not lead to who is trusted.
 * REFUSED with the reason in error; LIMIT for too many; MALFORMED or
 * UNSUPPORTED for what is no certificate, or of a key that is none of ours.
 */
#define X509_TRUST_CERTS_MAX 4
enum oc_err x509_trust_check(struct x509_trust *trust, struct der_bytes certs,
    int64_t now, struct oc_error *error) OC_MUST_CHECK;

#endif
