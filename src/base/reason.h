/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation reasons, RFC 5280 section 5.3.1.  The values are the wire's.
 */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include <stdbool.h>

#include "base/err.h"

enum crl_reason {
	CRL_REASON_UNSPECIFIED = 0,
	CRL_REASON_KEY_COMPROMISE = 1,
	CRL_REASON_CA_COMPROMISE = 2,
	CRL_REASON_AFFILIATION_CHANGED = 3,
	CRL_REASON_SUPERSEDED = 4,
	CRL_REASON_CESSATION_OF_OPERATION = 5,
	CRL_REASON_CERTIFICATE_HOLD = 6,
	/* 7 is not used */
	CRL_REASON_REMOVE_FROM_CRL = 8,
	CRL_REASON_PRIVILEGE_WITHDRAWN = 9,
	CRL_REASON_AA_COMPROMISE = 10
};

/* "keyCompromise"; "reason 7" style text never: NULL for values not above. */
const char *crl_reason_name(enum crl_reason reason);

/* The key may be somebody else's: what it signed is not to be believed. */
bool crl_reason_is_compromise(enum crl_reason reason);

/* The RFC's name, any case, '-' and '_' ignored, or the number. */
enum oc_err crl_reason_parse(const char *text, enum crl_reason *reason,
    struct oc_error *error) OC_MUST_CHECK;

#endif
