/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#10 certification requests, RFC 2986. */
#ifndef X509_CSR_H
#define X509_CSR_H

#include "base/err.h"
#include "der/bytes.h"
#include "sign/alg.h"
#include "x509/ext.h"

/* Views into the DER it was read from. */
struct x509_csr {
	struct der_bytes der;		/* the whole */
	struct der_bytes info;		/* CertificationRequestInfo TLV */
	struct der_bytes subject;	/* Name TLV */
	struct der_bytes spki;		/* SubjectPublicKeyInfo TLV */
	struct x509_extensions extensions;	/* from extensionRequest */
	bool has_extensions;
	enum sign_alg alg;
	struct der_bytes signature;
};

/*
 * Strict: version 0, one extensionRequest at most (either OID), no trailing
 * octets.  attributes [0] may be absent.  Does not check the signature.
 * UNSUPPORTED when the signature algorithm is none of ours (SHA-1 is not).
 */
enum oc_err x509_csr_read(struct der_bytes der, struct x509_csr *csr,
    struct oc_error *error) OC_MUST_CHECK;

/* Proof of possession: the signature, by the CSR's own key. */
enum oc_err x509_csr_verify(const struct x509_csr *csr,
    struct oc_error *error) OC_MUST_CHECK;

/* CertificationRequestInfo; extensions may be NULL. */
struct x509_csr_info {
	struct der_bytes subject;	/* Name TLV */
	struct der_bytes spki;
	const struct x509_extensions *extensions;
};
void x509_put_csr_info(struct der_writer *w, const void *csr_info);

#endif
