/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TBSCertificate, RFC 5280 4.1.  One writer: run once for a certificate, or
 * compiled with holes into a template where many alike are made.
 */
#ifndef X509_TBS_H
#define X509_TBS_H

#include "base/err.h"
#include "der/bytes.h"
#include "der/writer.h"
#include "sign/alg.h"
#include "x509/ext.h"

/*
 * serial, subject, spki and what ext.h says may be holes.  A time may be
 * DER_TIME_HOLE(i): that hole is filled with a whole Time TLV
 * (x509_write_time), because its form changes in 2050.
 */
struct x509_tbs {
	struct der_bytes serial;	/* INTEGER contents */
	enum sign_alg alg;
	struct der_bytes issuer;	/* Name TLV, copied from the issuer */
	int64_t not_before, not_after;
	struct der_bytes subject;	/* Name TLV */
	struct der_bytes spki;		/* SubjectPublicKeyInfo TLV */
	struct x509_extensions extensions;
};

/*
 * A der_put_fn; arg is a struct x509_tbs.  Always v3.  Fails with MALFORMED
 * if there is not a single extension: the empty list cannot be encoded.
 */
void x509_put_tbs(struct der_writer *w, const void *tbs);

/* A Time TLV, UTCTime to 2049, then GeneralizedTime; returns its length.
 * at in 1950 to 9999. */
#define X509_TIME_MAX 17
size_t x509_write_time(int64_t at, uint8_t out[X509_TIME_MAX]);

/*
 * What CertificateList, Certificate, CertificationRequest and
 * BasicOCSPResponse share:
 * SEQUENCE { tbs, signatureAlgorithm AlgorithmIdentifier, signature BIT
 * STRING }.  A der_put_fn; arg is a struct x509_signed.
 */
struct x509_signed {
	struct der_bytes tbs;
	enum sign_alg alg;
	struct der_bytes signature;
};
void x509_put_signed(struct der_writer *w, const void *x509_signed);

/* Reads that shape: der is exactly one such SEQUENCE.  tbs is a TLV. */
enum oc_err x509_read_signed(struct der_bytes der, struct der_bytes *tbs,
    struct der_bytes *alg_identifier, struct der_bytes *signature)
    OC_MUST_CHECK;

/* True for a well-formed AlgorithmIdentifier TLV, whatever the algorithm. */
bool x509_algorithm_is_valid(struct der_bytes identifier);

#endif
