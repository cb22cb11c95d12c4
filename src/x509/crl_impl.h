/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read CRLs share; for them only. */
#ifndef X509_CRL_IMPL_H
#define X509_CRL_IMPL_H

#include "x509/crl.h"

/* value: inside extnValue.  False: it is not strict DER. */
bool x509_read_crl_point(struct der_bytes value, struct x509_crl_point *point);

#endif
