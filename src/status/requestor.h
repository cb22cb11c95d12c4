/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who signed a request, RFC 6960 section 4.1.2, and whether we know them.
 * Responders link no OpenSSL: where an issuer wants signatures verified, they
 * send us the request.
 */
#ifndef STATUS_REQUESTOR_H
#define STATUS_REQUESTOR_H

#include "base/err.h"
#include "ipc/message.h"
#include "ocsp/response.h"
#include "status/service.h"
#include "x509/trust.h"

/*
 * request: a whole OCSPRequest.  Its first certificate signed it, leads to
 * one of those trusted, may sign (keyUsage digitalSignature) and is a
 * client's (extendedKeyUsage clientAuth), as far as it says either;
 * requestorName is its subject or one of its subjectAltNames.  Whether it is
 * revoked is not looked at.
 * REFUSED, SIGNATURE or another with the reason in error; BUSY if the budget
 * is spent, of which one is taken for the request and one for each
 * certificate, before anything is verified.
 */
#define STATUS_VERIFICATIONS_MAX (1 + X509_TRUST_CERTS_MAX)
enum oc_err status_requestor_check(struct x509_trust *trust,
    struct ocsp_budget *budget, struct der_bytes request, int64_t now,
    struct oc_error *error) OC_MUST_CHECK;

/* What the issuer's policy says of this question: SUCCESSFUL, or the error
 * that it gets. */
enum ocsp_response_status status_requestor_judge(struct status_service *s,
    const struct ipc_ask *ask);

#endif
