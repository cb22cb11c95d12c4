/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer is no oracle: what a to-be-signed value must look like before a
 * key touches it.  Bytes in, a verdict out; no PKCS#11 here, and nothing is
 * allocated.
 */
#ifndef PKCS11_ALLOW_H
#define PKCS11_ALLOW_H

#include "base/limits.h"
#include "sign/sign.h"

#define P11_ALLOW(kind) (1u << (kind))	/* enum sign_kind */
#define P11_ALLOW_ISSUER (P11_ALLOW(SIGN_KIND_CERTIFICATE) | \
	P11_ALLOW(SIGN_KIND_CRL) | P11_ALLOW(SIGN_KIND_CSR))

enum p11_may { P11_MAY_NOT, P11_MAY };
#define P11_ANY_PATH_LENGTH (-1)

/*
 * The certificates that a key may sign: what its own certificate says, and
 * what [issuer NAME] narrows.  Lists are TLVs end to end, OBJECT IDENTIFIERs
 * or IA5Strings; empty ones, and zeros, are no limit.  Only
 * the two permissions are given, not taken.
 */
struct p11_limits {
	struct der_bytes key_id;	/* subjectKeyIdentifier */
	int64_t not_before, not_after;	/* within which; 0: any time */
	int64_t max_validity_s;
	enum p11_may sign_ca;		/* basicConstraints cA */
	int max_path_length;		/* of these; or P11_ANY_... */
	enum p11_may sign_ocsp_signer;	/* id-kp-OCSPSigning */
	struct der_bytes ekus;		/* OIDs */
	struct der_bytes permitted_dns, excluded_dns;	/* IA5Strings */
	struct der_bytes criticals;	/* OIDs */
};

/* The limits of one key.  Names are whole DER Names, borrowed. */
struct p11_allow {
	unsigned int kinds;		/* P11_ALLOW() bits */
	/* The subject in the key's own certificate.  Empty: there is none
	 * yet, and only a certificate that the key signs for itself, whose
	 * issuer is its subject, or a CSR passes. */
	struct der_bytes name;
	struct p11_limits limits;
	/* SIGN_KIND_OCSP: the CA it answers for. */
	struct der_bytes ca_name, ca_spki;
};

/* A response may be dated this far from our clock, and live this long. */
#define P11_OCSP_SKEW_S 3600
#define P11_OCSP_LIFE_MAX_S OCSP_LIFE_MAX_S
/* The same of a CRL: crl-lifetime's maximum, and a leap day. */
#define P11_CRL_LIFE_MAX_S (INT64_C(5) * 366 * 86400)
/* A certificate may begin so long before it is signed: a profile's backdate,
 * or a date that is given.  Not when the CA had no certificate yet. */
#define P11_BACKDATE_MAX_S (INT64_C(400) * 86400)

/*
 * Checks tbs against the limits of the key whose public key is spki, which
 * is to sign with alg at time now_s.  REFUSED or MALFORMED, and error says
 * which rule.  A CRL's entries are skipped, not walked.
 */
enum oc_err p11_allow_check(const struct p11_allow *allow,
    struct der_bytes spki, enum sign_kind kind, enum sign_alg alg,
    struct der_bytes tbs, int64_t now_s, struct oc_error *error)
    OC_MUST_CHECK;

/* A copy with octets of its own: *bytes, for free(). */
enum oc_err p11_allow_copy(const struct p11_allow *from,
    struct p11_allow *to, uint8_t **bytes) OC_MUST_CHECK;

#endif
