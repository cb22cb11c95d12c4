/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates, RFC 5280 4.1, and what two of them are to another. */
#ifndef X509_CERT_H
#define X509_CERT_H

#include "base/err.h"
#include "base/serial.h"
#include "der/bytes.h"
#include "sign/alg.h"
#include "x509/ext.h"

/* Views into the DER it was read from. */
struct x509_cert {
	struct der_bytes der;		/* the whole */
	struct der_bytes tbs;		/* TBSCertificate TLV */
	struct oc_serial serial;
	struct der_bytes issuer;	/* Name TLV */
	struct der_bytes subject;	/* Name TLV */
	struct der_bytes spki;		/* TLV */
	int64_t not_before, not_after;
	struct x509_extensions extensions;
	enum sign_alg alg;		/* NONE if not one of ours */
	struct der_bytes alg_identifier;
	struct der_bytes signature;
};

/* Strict: v3 (or v1 without extensions), inner and outer algorithm equal, no
 * trailing octets. */
enum oc_err x509_cert_read(struct der_bytes der, struct x509_cert *cert,
    struct oc_error *error) OC_MUST_CHECK;

/* The same without a look at the extensions, which are then all zero: of what
 * others have issued, with names in it of kinds that are not known here. */
enum oc_err x509_cert_read_frame(struct der_bytes der, struct x509_cert *cert,
    struct oc_error *error) OC_MUST_CHECK;

/* The issuer's name matches, and its key verifies cert's signature. */
enum oc_err x509_cert_verify_issued(const struct x509_cert *cert,
    const struct x509_cert *issuer, struct oc_error *error) OC_MUST_CHECK;

/*
 * chain, DER end to end: does the first stand above cert, and each further one
 * above the one before it, by name and signature?  A signature by an algorithm
 * that is none of ours is not judged.
 */
enum oc_err x509_cert_check_chain(const struct x509_cert *cert,
    struct der_bytes chain, struct oc_error *error) OC_MUST_CHECK;

/* basicConstraints CA and, if keyUsage is there, keyCertSign. */
bool x509_cert_is_ca(const struct x509_cert *cert);
bool x509_cert_has_eku(const struct x509_cert *cert, enum der_oid eku);

#endif
