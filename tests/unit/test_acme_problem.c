/* SPDX-License-Identifier: Apache-2.0 */
/* Are ACME's errors what the registry has, and does each rule have one? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/problem.h"

static void
expect_json(struct acme_problem *problem, const char *expected)
{
	json_t *json = acme_problem_json(problem);
	char *text;

	assert_non_null(json);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
	acme_problem_fini(problem);
}

/* RFC8555:6.7 RFC9773:7.4: the status as a number, in the body too. */
static void
test_json(void **state)
{
	struct acme_problem p = { 0 };

	(void)state;
	assert_int_equal(acme_problem_set(&p, ACME_BAD_NONCE, "used %s",
	    "before"), OC_ERR_REFUSED);
	expect_json(&p, "{\"detail\":\"used before\",\"status\":400,"
	    "\"type\":\"urn:ietf:params:acme:error:badNonce\"}");
	assert_int_equal(acme_problem_set(&p, ACME_BAD_SIGNATURE_ALGORITHM,
	    "x"), OC_ERR_UNSUPPORTED);
	expect_json(&p, "{\"algorithms\":[\"RS256\",\"ES256\",\"ES384\","
	    "\"ES512\",\"EdDSA\"],\"detail\":\"x\",\"status\":400,"
	    "\"type\":\"urn:ietf:params:acme:error:badSignatureAlgorithm\"}");
	assert_int_equal(acme_problem_set(&p, ACME_MALFORMED, "x"),
	    OC_ERR_MALFORMED);
	p.status = 415;
	expect_json(&p, "{\"detail\":\"x\",\"status\":415,"
	    "\"type\":\"urn:ietf:params:acme:error:malformed\"}");
}

/* RFC8555:6.7.1: an identifier is never at the top. */
static void
test_subproblems(void **state)
{
	struct acme_problem p = { 0 };

	(void)state;
	(void)acme_problem_set(&p, ACME_CAA, "no");
	strcpy(p.identifier, "a.example");
	expect_json(&p, "{\"detail\":\"no\",\"status\":403,\"subproblems\":"
	    "[{\"detail\":\"no\",\"identifier\":{\"type\":\"dns\",\"value\":"
	    "\"a.example\"},\"type\":\"urn:ietf:params:acme:error:caa\"}],"
	    "\"type\":\"urn:ietf:params:acme:error:caa\"}");
	(void)acme_problem_set(&p, ACME_COMPOUND, "two");
	acme_problem_add(&p, ACME_CAA, "a.example", "no");
	acme_problem_add(&p, ACME_DNS, "*.b.example", "what\n\xff");
	expect_json(&p, "{\"detail\":\"two\",\"status\":400,\"subproblems\":"
	    "[{\"detail\":\"no\",\"identifier\":{\"type\":\"dns\",\"value\":"
	    "\"a.example\"},\"type\":\"urn:ietf:params:acme:error:caa\"},"
	    "{\"detail\":\"what?\?\",\"identifier\":{\"type\":\"dns\","
	    "\"value\":\"*.b.example\"},"
	    "\"type\":\"urn:ietf:params:acme:error:dns\"}],"
	    "\"type\":\"urn:ietf:params:acme:error:compound\"}");
	/* As many as an order has names; and none are left by the next. */
	(void)acme_problem_set(&p, ACME_COMPOUND, "many");
	for (int i = 0; i < 2 * ACME_SUBPROBLEMS_MAX; i++)
		acme_problem_add(&p, ACME_DNS, "x.example", "y");
	assert_int_equal(json_array_size(p.subproblems),
	    ACME_SUBPROBLEMS_MAX);
	(void)acme_problem_set(&p, ACME_DNS, "one");
	expect_json(&p, "{\"detail\":\"one\",\"status\":400,"
	    "\"type\":\"urn:ietf:params:acme:error:dns\"}");
}

/* What a client sent may stand in it, and what was there before. */
static void
test_detail(void **state)
{
	struct acme_problem p = { 0 };
	char text[2 * ACME_DETAIL_MAX];

	(void)state;
	(void)acme_problem_set(&p, ACME_MALFORMED, "\x1b[2J\r\n\xff");
	assert_string_equal(p.detail, "?[2J??" "?");
	(void)acme_problem_set(&p, ACME_MALFORMED, "x: %s", p.detail);
	assert_string_equal(p.detail, "x: ?[2J??" "?");
	memset(text, 'a', sizeof(text));
	/* U+00E4, cut in its middle. */
	memcpy(text + ACME_DETAIL_MAX - 2, "\xc3\xa4", 2);
	text[sizeof(text) - 1] = '\0';
	(void)acme_problem_set(&p, ACME_MALFORMED, "%s", text);
	assert_int_equal(strlen(p.detail), ACME_DETAIL_MAX - 2);
	acme_problem_fini(&p);
	assert_int_equal(p.error, ACME_OK);
}

/* RFC 8555, 6.7, the IANA registry: the names, and nothing twice. */
static void
test_names(void **state)
{
	static const char *const names[] = { "none", "accountDoesNotExist",
	    "alreadyReplaced", "alreadyRevoked", "badCSR", "badNonce",
	    "badPublicKey", "badRevocationReason", "badSignatureAlgorithm",
	    "caa", "compound", "connection", "dns", "externalAccountRequired",
	    "incorrectResponse", "invalidContact", "invalidProfile",
	    "malformed", "orderNotReady", "rateLimited",
	    "rejectedIdentifier", "serverInternal", "tls", "unauthorized",
	    "unsupportedContact", "unsupportedIdentifier",
	    "userActionRequired" };
	struct acme_problem p = { 0 };

	(void)state;
	assert_int_equal(sizeof(names) / sizeof(names[0]), ACME_NUM_ERRORS);
	for (int e = ACME_OK; e < ACME_NUM_ERRORS; e++) {
		int status = acme_error_status((enum acme_error)e);

		assert_string_equal(acme_error_name((enum acme_error)e),
		    names[e]);
		if (e == ACME_OK)
			continue;
		assert_true(status >= 400 && status <= 500);
		/* certbot takes any 409 for an account that is there. */
		assert_true(status != 409 || e == ACME_ALREADY_REPLACED);
		assert_true(acme_problem_set(&p, (enum acme_error)e, "x") !=
		    OC_OK);
	}
	acme_problem_fini(&p);
}

static void
test_rules(void **state)
{
	static const struct { enum ca_rule rule; enum acme_error error; }
	expected[] = {
		{ CA_RULE_CSR_SIGNATURE, ACME_BAD_CSR },
		{ CA_RULE_CSR_EXTENSION, ACME_BAD_CSR },
		{ CA_RULE_KEY_UNFIT, ACME_BAD_CSR },
		{ CA_RULE_COMMON_NAME, ACME_BAD_CSR },
		{ CA_RULE_ZONE, ACME_REJECTED_IDENTIFIER },
		{ CA_RULE_NAME_WILDCARD, ACME_REJECTED_IDENTIFIER },
		{ CA_RULE_NAME_KIND, ACME_UNSUPPORTED_IDENTIFIER },
		{ CA_RULE_QUOTA, ACME_RATE_LIMITED },
		{ CA_RULE_QUOTA_PERIOD, ACME_RATE_LIMITED },
		{ CA_RULE_ACCOUNT, ACME_UNAUTHORIZED },
		{ CA_RULE_PROFILE_UNKNOWN, ACME_INVALID_PROFILE },
		{ CA_RULE_VALIDITY_PROFILE, ACME_MALFORMED },
		{ CA_RULE_CAA, ACME_CAA },
		{ CA_RULE_LINT, ACME_SERVER_INTERNAL },
		{ CA_RULE_ISSUER_REVOKED, ACME_SERVER_INTERNAL },
	};

	(void)state;
	for (int r = CA_RULE_NONE; r < CA_RULE_MAX; r++)
		assert_true(acme_error_of_rule((enum ca_rule)r) != ACME_OK);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(acme_error_of_rule(expected[i].rule),
		    expected[i].error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_subproblems),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
