/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACME's errors (RFC 8555, 6.7; RFC 9773, 5; RFC 9457): the type, its HTTP
 * status, one line for people, and what else some types must carry.
 */
#ifndef ACME_PROBLEM_H
#define ACME_PROBLEM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ca/rule.h"

enum acme_error {
	ACME_OK = 0,
	ACME_ACCOUNT_DOES_NOT_EXIST, ACME_ALREADY_REPLACED,
	ACME_ALREADY_REVOKED, ACME_BAD_CSR, ACME_BAD_NONCE,
	ACME_BAD_PUBLIC_KEY, ACME_BAD_REVOCATION_REASON,
	ACME_BAD_SIGNATURE_ALGORITHM, ACME_CAA, ACME_COMPOUND,
	ACME_CONNECTION, ACME_DNS, ACME_EXTERNAL_ACCOUNT_REQUIRED,
	ACME_INCORRECT_RESPONSE, ACME_INVALID_CONTACT, ACME_INVALID_PROFILE,
	ACME_MALFORMED, ACME_ORDER_NOT_READY, ACME_RATE_LIMITED,
	ACME_REJECTED_IDENTIFIER, ACME_SERVER_INTERNAL, ACME_TLS,
	ACME_UNAUTHORIZED, ACME_UNSUPPORTED_CONTACT,
	ACME_UNSUPPORTED_IDENTIFIER, ACME_USER_ACTION_REQUIRED,
	ACME_NUM_ERRORS
};

#define ACME_DETAIL_MAX OC_ERROR_TEXT_MAX
#define ACME_SUBPROBLEMS_MAX 200

/* Zero state is legal for fini. */
struct acme_problem {
	enum acme_error error;
	int status;			/* 0: the type's own */
	char detail[ACME_DETAIL_MAX];
	char identifier[256];		/* whose; "": nobody's.  JSON has it in
					 * a subproblem */
	bool lists_algorithms;		/* 6.2: those of jws.h */
	int64_t retry_after_s;		/* 0: none */
	json_t *subproblems;		/* owned; NULL: none */
};
/* Writes over what was there; what is no printable UTF-8 is '?'.  Returns the
 * error of that kind, for a caller to pass on: MALFORMED, REFUSED, BUSY... */
enum oc_err acme_problem_set(struct acme_problem *problem,
    enum acme_error error, const char *format, ...) OC_PRINTF(3, 4);
void acme_problem_add(struct acme_problem *problem, enum acme_error error,
    const char *identifier, const char *detail);
void acme_problem_fini(struct acme_problem *problem);

/* "badNonce"; the status that goes with it. */
const char *acme_error_name(enum acme_error error);
int acme_error_status(enum acme_error error);
/* {"type", "detail", "status"...}: with the number, without which lego does
 * not try again after badNonce.  NULL: no memory. */
json_t *acme_problem_json(const struct acme_problem *problem);
/* What a rule of the policy core that refuses is here. */
enum acme_error acme_error_of_rule(enum ca_rule rule);

#endif
