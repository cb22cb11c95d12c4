/* SPDX-License-Identifier: Apache-2.0 */
/* A signature on a request, with a key made for this once and thrown away. */
#ifndef PROBE_SIGN_H
#define PROBE_SIGN_H

#include "probe/case.h"

enum probe_sign_kind { PROBE_SIGN_RIGHT, PROBE_SIGN_WRONG,
	PROBE_SIGN_NO_CERT };

/* The Signature of RFC 6960, 4.1.1, over tbs, with the key's own certificate.
 * False where OpenSSL has no P-256. */
bool probe_sign(struct probe *p, struct der_bytes tbs,
    enum probe_sign_kind kind, struct der_bytes *signature);

/* Does OpenSSL believe the response, too?  NULL, or what is wrong. */
const char *probe_openssl_check(struct der_bytes response,
    const struct x509_cert *issuer, const struct x509_cert *cert);

#endif
