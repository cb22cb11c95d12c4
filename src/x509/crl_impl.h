/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read and write CRLs share; for them only. */
#ifndef X509_CRL_IMPL_H
#define X509_CRL_IMPL_H

#include "x509/crl.h"

enum { X509_CRL_V2 = 1 };

/* What of a TBSCertList stands before its revokedCertificates, and behind
 * them; arg is a struct x509_crl_tbs. */
void x509_put_crl_before(struct der_writer *w, const void *arg);
void x509_put_crl_behind(struct der_writer *w, const void *arg);

enum x509_crl_version { X509_CRL_IS_V1, X509_CRL_IS_V2 };
/* All entries, in one pass; fn may be NULL. */
enum oc_err x509_crl_check_entries(struct x509_crl *crl,
    enum x509_crl_version version, x509_crl_entry_fn *fn, void *arg,
    struct oc_error *error) OC_MUST_CHECK;
void x509_crl_note_critical(struct x509_crl *crl, struct der_bytes id);

/* The reasons that crl_reason_name() knows, by bit: all of RFC 5280, 5.3.1, but
 * 7, which nobody may use. */
#define X509_CRL_REASONS UINT32_C(0x77f)

/* reasonCode alone: SEQUENCE { SEQUENCE { 2.5.29.21, OCTET STRING {
 * ENUMERATED } } }; the reason stands last. */
#define X509_CRL_REASON_LEN 14
extern const uint8_t x509_crl_reason[X509_CRL_REASON_LEN];

/* value: inside extnValue.  False: it is not strict DER. */
bool x509_read_crl_point(struct der_bytes value, struct x509_crl_point *point);

#endif
