/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read CRLs share; for them only. */
#ifndef X509_CRL_IMPL_H
#define X509_CRL_IMPL_H

#include "x509/crl.h"

enum { X509_CRL_V2 = 1 };

/* What of a TBSCertList stands before its revokedCertificates, and behind
 * them; arg is a struct x509_crl_tbs. */
void x509_put_crl_before(struct der_writer *w, const void *arg);
void x509_put_crl_behind(struct der_writer *w, const void *arg);

/* value: inside extnValue.  False: it is not strict DER. */
bool x509_read_crl_point(struct der_bytes value, struct x509_crl_point *point);

#endif
