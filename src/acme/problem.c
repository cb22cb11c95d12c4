/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/problem.h"

#include <stdio.h>
#include <string.h>

#define TYPE_PREFIX "urn:ietf:params:acme:error:"

static const struct error_row {
	const char *name;
	int status;
	enum oc_err err;
} rows[ACME_NUM_ERRORS] = {
	[ACME_OK] = { "none", 200, OC_OK },
	[ACME_ACCOUNT_DOES_NOT_EXIST] = { "accountDoesNotExist", 400,
	    OC_ERR_NOT_FOUND },
	[ACME_ALREADY_REPLACED] = { "alreadyReplaced", 409, OC_ERR_EXISTS },
	[ACME_ALREADY_REVOKED] = { "alreadyRevoked", 400, OC_ERR_EXISTS },
	[ACME_BAD_CSR] = { "badCSR", 400, OC_ERR_REFUSED },
	[ACME_BAD_NONCE] = { "badNonce", 400, OC_ERR_REFUSED },
	[ACME_BAD_PUBLIC_KEY] = { "badPublicKey", 400, OC_ERR_REFUSED },
	[ACME_BAD_REVOCATION_REASON] = { "badRevocationReason", 400,
	    OC_ERR_REFUSED },
	[ACME_BAD_SIGNATURE_ALGORITHM] = { "badSignatureAlgorithm", 400,
	    OC_ERR_UNSUPPORTED },
	[ACME_CAA] = { "caa", 403, OC_ERR_REFUSED },
	[ACME_COMPOUND] = { "compound", 400, OC_ERR_REFUSED },
	[ACME_CONNECTION] = { "connection", 400, OC_ERR_REFUSED },
	[ACME_DNS] = { "dns", 400, OC_ERR_REFUSED },
	[ACME_EXTERNAL_ACCOUNT_REQUIRED] = { "externalAccountRequired", 403,
	    OC_ERR_REFUSED },
	[ACME_INCORRECT_RESPONSE] = { "incorrectResponse", 403,
	    OC_ERR_REFUSED },
	[ACME_INVALID_CONTACT] = { "invalidContact", 400, OC_ERR_REFUSED },
	[ACME_INVALID_PROFILE] = { "invalidProfile", 400, OC_ERR_REFUSED },
	[ACME_MALFORMED] = { "malformed", 400, OC_ERR_MALFORMED },
	[ACME_ORDER_NOT_READY] = { "orderNotReady", 403, OC_ERR_REFUSED },
	[ACME_RATE_LIMITED] = { "rateLimited", 429, OC_ERR_BUSY },
	[ACME_REJECTED_IDENTIFIER] = { "rejectedIdentifier", 400,
	    OC_ERR_REFUSED },
	[ACME_SERVER_INTERNAL] = { "serverInternal", 500, OC_ERR_INTERNAL },
	[ACME_TLS] = { "tls", 400, OC_ERR_REFUSED },
	[ACME_UNAUTHORIZED] = { "unauthorized", 403, OC_ERR_REFUSED },
	[ACME_UNSUPPORTED_CONTACT] = { "unsupportedContact", 400,
	    OC_ERR_REFUSED },
	[ACME_UNSUPPORTED_IDENTIFIER] = { "unsupportedIdentifier", 400,
	    OC_ERR_REFUSED },
	[ACME_USER_ACTION_REQUIRED] = { "userActionRequired", 403,
	    OC_ERR_REFUSED },
};

const char *
acme_error_name(enum acme_error error)
{
	oc_assert(error < ACME_NUM_ERRORS);
	return rows[error].name;
}

int
acme_error_status(enum acme_error error)
{
	oc_assert(error < ACME_NUM_ERRORS);
	return rows[error].status;
}

enum oc_err
acme_problem_set(struct acme_problem *problem, enum acme_error error,
    const char *format, ...)
{
	char text[ACME_DETAIL_MAX];
	struct oc_error tidied;
	va_list ap;

	oc_assert(error > ACME_OK && error < ACME_NUM_ERRORS);
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* What a client sent may be in it: one line of printable UTF-8. */
	(void)oc_error_set(&tidied, rows[error].err, "%s", text);
	acme_problem_fini(problem);
	problem->error = error;
	problem->lists_algorithms = error == ACME_BAD_SIGNATURE_ALGORITHM;
	_Static_assert(sizeof(problem->detail) == sizeof(tidied.text),
	    "a detail's size");
	memcpy(problem->detail, tidied.text, sizeof(problem->detail));
	return rows[error].err;
}

/*
 * RFC 8555, 6.7.1: a problem with the identifier that it is about.  A name
 * longer than any is no use to anybody.
 */
static json_t *
subproblem(enum acme_error error, const char *identifier, const char *detail)
{
	return json_pack("{s:o, s:s, s:{s:s, s:s}}",
	    "type", json_sprintf(TYPE_PREFIX "%s", acme_error_name(error)),
	    "detail", detail, "identifier", "type", "dns", "value",
	    identifier);
}

void
acme_problem_add(struct acme_problem *problem, enum acme_error error,
    const char *identifier, const char *detail)
{
	struct oc_error tidied;

	if (problem->subproblems == NULL)
		problem->subproblems = json_array();
	if (json_array_size(problem->subproblems) >= ACME_SUBPROBLEMS_MAX)
		return;
	(void)oc_error_set(&tidied, OC_ERR_REFUSED, "%s", detail);
	/* Without memory the whole says it still. */
	(void)json_array_append_new(problem->subproblems,
	    subproblem(error, identifier, tidied.text));
}

void
acme_problem_fini(struct acme_problem *problem)
{
	json_decref(problem->subproblems);
	memset(problem, 0, sizeof(*problem));
}

/* RFC 8555, 6.2: with badSignatureAlgorithm what would have been taken. */
static int
put_algorithms(json_t *json)
{
	return json_object_set_new(json, "algorithms",
	    json_pack("[s, s, s, s, s]", "RS256", "ES256", "ES384", "ES512",
	    "EdDSA"));
}

/* An identifier is a subproblem's alone (RFC 8555, 6.7.1). */
static int
put_subproblems(json_t *json, const struct acme_problem *problem)
{
	if (problem->subproblems != NULL)
		return json_object_set(json, "subproblems",
		    problem->subproblems);
	return json_object_set_new(json, "subproblems", json_pack("[o]",
	    subproblem(problem->error, problem->identifier,
	    problem->detail)));
}

json_t *
acme_problem_json(const struct acme_problem *problem)
{
	int status = problem->status != 0 ? problem->status :
	    acme_error_status(problem->error);
	json_t *json = json_pack("{s:o, s:s, s:i}",
	    "type", json_sprintf(TYPE_PREFIX "%s",
	    acme_error_name(problem->error)),
	    "detail", problem->detail, "status", status);
	bool has_subproblems = problem->identifier[0] != '\0' ||
	    json_array_size(problem->subproblems) > 0;

	if (json == NULL ||
	    (problem->lists_algorithms && put_algorithms(json) != 0) ||
	    (has_subproblems && put_subproblems(json, problem) != 0)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* By what a client can do about it: another CSR, another order, another
 * account, another time; or nothing. */
enum acme_error
acme_error_of_rule(enum ca_rule rule)
{
	switch (rule) {
	case CA_RULE_CSR_MALFORMED:
	case CA_RULE_CSR_SIGNATURE:
	case CA_RULE_CSR_LIMIT:
	case CA_RULE_CSR_PRIVATE_KEY:
	case CA_RULE_CSR_EXTENSION:
	case CA_RULE_CSR_CA:
	case CA_RULE_CSR_KEY_USAGE:
	case CA_RULE_CSR_EXTENDED_KEY_USAGE:
	case CA_RULE_KEY_UNFIT:
	case CA_RULE_KEY_TYPE:
	case CA_RULE_KEY_OF_CA:
	case CA_RULE_KEY_BLOCKED:
	case CA_RULE_SUBJECT_MISSING:
	case CA_RULE_NAMES_MISSING:
	case CA_RULE_COMMON_NAME:
		return ACME_BAD_CSR;
	case CA_RULE_NAME_KIND:
		return ACME_UNSUPPORTED_IDENTIFIER;
	case CA_RULE_NAME_MALFORMED:
	case CA_RULE_NAME_WILDCARD:
	case CA_RULE_NAME_WHITELIST:
	case CA_RULE_NAME_CONSTRAINT:
	case CA_RULE_ZONE:
	case CA_RULE_ZONE_PAUSED:
	case CA_RULE_ZONE_DELEGATED:
		return ACME_REJECTED_IDENTIFIER;
	case CA_RULE_NAMES_MAX:
	case CA_RULE_EXTENSION:
	case CA_RULE_SERIAL:
	case CA_RULE_VALIDITY:
	case CA_RULE_VALIDITY_CHOICE:
	case CA_RULE_VALIDITY_ISSUER:
	case CA_RULE_VALIDITY_PROFILE:
		return ACME_MALFORMED;
	case CA_RULE_ACCOUNT:
	case CA_RULE_AUTHENTICATION:
		return ACME_UNAUTHORIZED;
	case CA_RULE_QUOTA:
	case CA_RULE_QUOTA_PERIOD:
		return ACME_RATE_LIMITED;
	case CA_RULE_CAA:
		return ACME_CAA;
	case CA_RULE_PROFILE_UNKNOWN:
		return ACME_INVALID_PROFILE;
	case CA_RULE_NONE:
	case CA_RULE_ISSUER_EXPIRED:
	case CA_RULE_ISSUER_PROFILE:
	case CA_RULE_ISSUER_REVOKED:
	case CA_RULE_ISSUER_BLOCKED:
	case CA_RULE_PATH_LENGTH:
	case CA_RULE_PROFILE_CA:
	case CA_RULE_LINT:
	case CA_RULE_MAX:
		return ACME_SERVER_INTERNAL;
	}
	return ACME_SERVER_INTERNAL;
}
