/* SPDX-License-Identifier: Apache-2.0 */
/* Small to-be-signed values of every kind, written with der/writer.h. */
#ifndef TESTS_TBS_SAMPLES_H
#define TESTS_TBS_SAMPLES_H

#include "sign/sign.h"

#define TBS_NO_NEXT_UPDATE INT64_MAX

/* What differs from sample to sample.  tbs_sample_init() fills in values that
 * any signer takes. */
struct tbs_sample {
	enum sign_alg alg;
	struct der_bytes issuer, subject, spki;
	unsigned int version;		/* certificate: 2, CRL: 1, CSR: 0 */
	struct der_bytes serial;	/* INTEGER contents */
	int64_t not_before, not_after;	/* CRL: or TBS_NO_NEXT_UPDATE */
	/* Of certificates and CRLs: Extensions' contents; none if empty. */
	struct der_bytes extensions;
	/* OCSP */
	struct der_bytes responder_name;	/* byName, or else byKey: */
	struct der_bytes responder_key_hash;
	struct der_bytes name_hash, key_hash;
	enum der_oid hash;
	int64_t produced_at, this_update, next_update;
	unsigned int num_singles;
	bool has_trailing_null;		/* an element too many at the end */
};

/* A Name with one commonName, "Sample CA" and "Other CA". */
extern const struct der_bytes tbs_name, tbs_other_name;

void tbs_sample_init(struct tbs_sample *s, int64_t now_s);
/* Appends an Extension to those at out; value is what extnValue holds. */
struct der_bytes tbs_add_extension(struct der_bytes extensions, uint8_t *out,
    size_t max, enum der_oid oid, bool is_critical, struct der_bytes value);
/* Asserts that it fits. */
size_t tbs_certificate(const struct tbs_sample *s, uint8_t *out, size_t max);
size_t tbs_crl(const struct tbs_sample *s, uint8_t *out, size_t max);
size_t tbs_csr(const struct tbs_sample *s, uint8_t *out, size_t max);
size_t tbs_ocsp(const struct tbs_sample *s, uint8_t *out, size_t max);

#endif
