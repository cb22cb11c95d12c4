/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer is no oracle: what a to-be-signed value must look like before a
 * key touches it.  Bytes in, a verdict out; no PKCS#11 here.
 */
#ifndef PKCS11_ALLOW_H
#define PKCS11_ALLOW_H

#include "base/limits.h"
#include "sign/sign.h"

#define P11_ALLOW(kind) (1u << (kind))	/* enum sign_kind */
#define P11_ALLOW_ISSUER (P11_ALLOW(SIGN_KIND_CERTIFICATE) | \
	P11_ALLOW(SIGN_KIND_CRL) | P11_ALLOW(SIGN_KIND_CSR))

/* The limits of one key.  Names are whole DER Names, borrowed. */
struct p11_allow {
	unsigned int kinds;		/* P11_ALLOW() bits */
	/* The subject in the key's own certificate.  Empty: there is none
	 * yet, and only a certificate that the key signs for itself, whose
	 * issuer is its subject, or a CSR passes. */
	struct der_bytes name;
	/* SIGN_KIND_OCSP: the CA it answers for. */
	struct der_bytes ca_name, ca_spki;
};

/* A response may be dated this far from our clock, and live this long. */
#define P11_OCSP_SKEW_S 3600
#define P11_OCSP_LIFE_MAX_S OCSP_LIFE_MAX_S

/*
 * Checks tbs against the limits of the key whose public key is spki, which
 * is to sign with alg at time now_s.  REFUSED or MALFORMED, and error says
 * which rule.  A CRL's entries are skipped, not walked.
 */
enum oc_err p11_allow_check(const struct p11_allow *allow,
    struct der_bytes spki, enum sign_kind kind, enum sign_alg alg,
    struct der_bytes tbs, int64_t now_s, struct oc_error *error)
    OC_MUST_CHECK;

#endif
