/* SPDX-License-Identifier: Apache-2.0 */
/* What an issuer's key may certify: its certificate, and its section. */
#ifndef PKCS11_PLAN_LIMITS_H
#define PKCS11_PLAN_LIMITS_H

#include "base/config.h"
#include "pkcs11/allow.h"
#include "x509/cert.h"

/* The lists are octets of their own, *bytes for free(); the rest is borrowed
 * from cert.  CONFIG for a word that is no OID. */
enum oc_err p11_plan_limits(const struct oc_config_issuer *issuer,
    const struct x509_cert *cert, struct p11_limits *limits, uint8_t **bytes,
    struct oc_error *error) OC_MUST_CHECK;

#endif
