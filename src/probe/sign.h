/* SPDX-License-Identifier: Apache-2.0 */
/* Signed requests: by somebody the responder knows, if one is given, else by
 * a key made for this once and thrown away. */
#ifndef PROBE_SIGN_H
#define PROBE_SIGN_H

#include "probe/case.h"

/* Whom a stranger says that he is, a GeneralName. */
extern const struct der_bytes probe_requestor;

enum probe_sign_kind { PROBE_SIGN_RIGHT, PROBE_SIGN_WRONG,
	PROBE_SIGN_NO_CERT };

/* The plain request, signed (RFC 6960, 4.1.1), with the key's certificates,
 * and what is answered.  signer NULL: a stranger.  False where OpenSSL cannot
 * sign so: nothing was sent. */
bool probe_ask_signed(struct probe *p, const struct probe_signer *signer,
    enum probe_sign_kind kind, struct probe_answer *a);

/* Does OpenSSL believe the response, too?  NULL, or what is wrong. */
const char *probe_openssl_check(struct der_bytes response,
    const struct x509_cert *issuer, const struct x509_cert *cert);

#endif
