/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking: RFC 5280 section 5.3. */
#ifndef CA_REVOKE_H
#define CA_REVOKE_H

#include "ca/crl.h"
#include "ca/issuer.h"
#include "sign/sign.h"

/* revoked_at is what is recorded: now, or when it was revoked before.  Errors
 * as store_revoke(), in words; REFUSED for the issuer's own self-signed
 * certificate, and for a CA's without a reason. */
enum oc_err ca_revoke(struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *revoked_at, int64_t invalidity_at, struct oc_error *error)
    OC_MUST_CHECK;
/* What that would say now, and when the certificate ends. */
enum oc_err ca_may_revoke(const struct ca_issuer *issuer, struct store *store,
    const struct oc_serial *serial, enum crl_reason reason,
    int64_t *not_after, struct oc_error *error) OC_MUST_CHECK;

#endif
