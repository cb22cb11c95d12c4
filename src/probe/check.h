/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of OCSP needs to know: the CertID of a certificate, and
 * whether a response may be believed (RFC 6960, 3.2).
 */
#ifndef PROBE_CHECK_H
#define PROBE_CHECK_H

#include "ocsp/response.h"
#include "x509/cert.h"

/* A clock may be this far off, ours or theirs. */
#define PROBE_SKEW_S 300

/* CertID of a certificate of this issuer; *certid is for free(). */
enum oc_err probe_certid(const struct x509_cert *issuer,
    enum ocsp_hash hash, const struct oc_serial *serial, uint8_t **certid,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

/*
 * A careful client's view of an answer: successful; a SingleResponse whose
 * CertID is certid, octet for octet; signed by the issuer or by a signer
 * that it delegated (RFC 6960, 4.2.2.2); within its times; the nonce, if one
 * was sent, not another.
 */
struct probe_checked {
	struct ocsp_single_view single;
	bool is_delegated;
	struct der_bytes signer;	/* Name TLV */
	enum {
		PROBE_NONCE_UNASKED, PROBE_NONCE_SAME, PROBE_NONCE_ABSENT
	} nonce;
};
enum oc_err probe_check(const struct ocsp_response_view *view,
    const struct x509_cert *issuer, struct der_bytes certid,
    struct der_bytes nonce, int64_t now, struct probe_checked *verdict,
    struct oc_error *error) OC_MUST_CHECK;

/* "sha1", as --hash takes it; NULL for what is none of ours. */
const char *probe_hash_name(enum ocsp_hash hash);

#endif
