/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reason.h"

#include <stdbool.h>
#include <string.h>

static const enum crl_reason all_reasons[] = {
	CRL_REASON_UNSPECIFIED,
	CRL_REASON_KEY_COMPROMISE,
	CRL_REASON_CA_COMPROMISE,
	CRL_REASON_AFFILIATION_CHANGED,
	CRL_REASON_SUPERSEDED,
	CRL_REASON_CESSATION_OF_OPERATION,
	CRL_REASON_CERTIFICATE_HOLD,
	CRL_REASON_REMOVE_FROM_CRL,
	CRL_REASON_PRIVILEGE_WITHDRAWN,
	CRL_REASON_AA_COMPROMISE
};

#define NUM_REASONS (sizeof(all_reasons) / sizeof(all_reasons[0]))

/*
 * CRLReason ::= ENUMERATED {
 *     unspecified (0), keyCompromise (1), cACompromise (2),
 *     affiliationChanged (3), superseded (4), cessationOfOperation (5),
 *     certificateHold (6), removeFromCRL (8), privilegeWithdrawn (9),
 *     aACompromise (10) }
 */
const char *
crl_reason_name(enum crl_reason reason)
{
	switch (reason) {
	case CRL_REASON_UNSPECIFIED:
		return "unspecified";
	case CRL_REASON_KEY_COMPROMISE:
		return "keyCompromise";
	case CRL_REASON_CA_COMPROMISE:
		return "cACompromise";
	case CRL_REASON_AFFILIATION_CHANGED:
		return "affiliationChanged";
	case CRL_REASON_SUPERSEDED:
		return "superseded";
	case CRL_REASON_CESSATION_OF_OPERATION:
		return "cessationOfOperation";
	case CRL_REASON_CERTIFICATE_HOLD:
		return "certificateHold";
	case CRL_REASON_REMOVE_FROM_CRL:
		return "removeFromCRL";
	case CRL_REASON_PRIVILEGE_WITHDRAWN:
		return "privilegeWithdrawn";
	case CRL_REASON_AA_COMPROMISE:
		return "aACompromise";
	}
	return NULL;
}

/* ASCII only: in some locales tolower('I') is no 'i'. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_same_name(const char *text, const char *name)
{
	for (;;) {
		while (*text == '-' || *text == '_')
			text++;
		if (lower(*text) != lower(*name))
			return false;
		if (*text == '\0')
			return true;
		text++;
		name++;
	}
}

/* "0" to "10", without leading zeros; -1 for all else. */
static int
small_number(const char *text)
{
	size_t len = strlen(text);

	if (len == 1 && text[0] >= '0' && text[0] <= '9')
		return text[0] - '0';
	if (strcmp(text, "10") == 0)
		return 10;
	return -1;
}

bool
crl_reason_is_compromise(enum crl_reason reason)
{
	return reason == CRL_REASON_KEY_COMPROMISE ||
	    reason == CRL_REASON_CA_COMPROMISE;
}

enum oc_err
crl_reason_parse(const char *text, enum crl_reason *reason,
    struct oc_error *error)
{
	int number = small_number(text);

	for (size_t i = 0; i < NUM_REASONS; i++) {
		enum crl_reason r = all_reasons[i];

		if (number == (int)r ||
		    is_same_name(text, crl_reason_name(r))) {
			*reason = r;
			return OC_OK;
		}
	}
	return oc_error_set(error, OC_ERR_MALFORMED,
	    "\"%.64s\" is no revocation reason; use one of unspecified, "
	    "keyCompromise, cACompromise, affiliationChanged, superseded, "
	    "cessationOfOperation, certificateHold, removeFromCRL, "
	    "privilegeWithdrawn, aACompromise", text);
}
