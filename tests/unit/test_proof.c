/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked for by each method, when again, and which codes are
 * recognised. */
#include "store_proof.h"

#include <jansson.h>

#include "proof/proof.h"

static const uint8_t thumbprint[STORE_HASH_LEN] = { 1, 2, 3 };

/* --- what is looked for ------------------------------------------------- */

static void
test_want(void **state)
{
	struct store_authorization a = { .name = "a.test" };
	struct store_challenge *c = &a.challenges[0];
	struct proof_wanted w;

	(void)state;
	strcpy(c->token, "token");
	for (int i = 1; i <= STORE_METHODS_NUM; i++) {
		bool is_acme;

		c->method = (enum store_method)i;
		is_acme = c->method == STORE_METHOD_HTTP_01 ||
		    c->method == STORE_METHOD_DNS_01;
		if (c->method == STORE_METHOD_EMAIL ||
		    c->method == STORE_METHOD_OPERATOR) {
			assert_int_equal(proof_want(&a, c, thumbprint, &w),
			    OC_ERR_UNSUPPORTED);
			continue;
		}
		assert_int_equal(proof_want(&a, c, NULL, &w),
		    is_acme ? OC_ERR_UNSUPPORTED : OC_OK);
		assert_ok(proof_want(&a, c, thumbprint, &w));
		assert_string_equal(w.name, "a.test");
		/* A token alone is no key authorization. */
		assert_int_equal(strcmp(w.expected, "token") == 0, !is_acme);
		assert_string_equal(proof_question(&w).expected, w.expected);
		assert_int_equal(proof_question(&w).path == NULL,
		    w.task != VALIDATION_FILE);
		assert_int_equal(proof_question(&w).prefix == NULL,
		    w.task != VALIDATION_TXT);
	}
}

/* RFC 8555, 8.1 and 8.4, by other means: openssl dgst and base64. */
static void
test_key_authorization(void **state)
{
	static const uint8_t zeros[STORE_HASH_LEN];
	struct store_authorization a = { .name = "a.test" };
	struct store_challenge *c = &a.challenges[0];
	struct proof_wanted w;

	(void)state;
	strcpy(c->token, "abc");
	c->method = STORE_METHOD_HTTP_01;
	assert_ok(proof_want(&a, c, zeros, &w));
	assert_string_equal(w.expected,
	    "abc.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	assert_string_equal(w.path, "acme-challenge/abc");
	c->method = STORE_METHOD_DNS_01;
	assert_ok(proof_want(&a, c, zeros, &w));
	assert_string_equal(w.expected,
	    "hYr6UnFCop1LguDNq9oHRDOnILUoCemc5R-vyGrpFKI");
}

/* --- what came of it ---------------------------------------------------- */

static void
test_problem(void **state)
{
	struct validation_reply reply = { .fault = VALIDATION_DNS_FAULT };
	char text[STORE_PROBLEM_MAX + 1];

	(void)state;
	for (int i = VALIDATION_DNS_FAULT; i <= VALIDATION_FAULT_LAST; i++) {
		json_t *json;
		const char *type;

		reply.fault = (enum validation_fault)i;
		/* As long as it may be, and nothing of it fits as it is. */
		memset(reply.seen, '"', sizeof(reply.seen) - 1);
		assert_ok(proof_problem(&reply, text));
		json = json_loads(text, 0, NULL);
		assert_non_null(json);
		type = json_string_value(json_object_get(json, "type"));
		assert_memory_equal(type, "urn:ietf:params:acme:error:", 27);
		assert_string_equal(json_string_value(json_object_get(json,
		    "detail")), reply.seen);
		json_decref(json);
	}
}

static void
test_next_try(void **state)
{
	static const int64_t waits_s[] = { 5, 15, 60, 300, 300, 300 };
	const struct oc_config_validation config = { .tries = 7 };
	const struct validation_reply later = { .is_temporary = true };
	const struct validation_reply never = { .is_temporary = false };

	(void)state;
	for (uint32_t i = 1; i <= 6; i++) {
		assert_int_equal(proof_next_try(&config, STORE_METHOD_DNS,
		    &later, i, 1000), 1000 + waits_s[i - 1]);
		/* Who edits by hand may yet do so. */
		assert_int_equal(proof_next_try(&config, STORE_METHOD_DNS,
		    &never, i, 1000), 1000 + waits_s[i - 1]);
	}
	assert_int_equal(proof_next_try(&config, STORE_METHOD_DNS, &later, 7,
	    1000), 0);
	assert_int_equal(proof_next_try(&config, STORE_METHOD_HTTP_01, &later,
	    2, 1000), 1015);
	assert_int_equal(proof_next_try(&config, STORE_METHOD_HTTP_01, &later,
	    3, 1000), 0);
	assert_int_equal(proof_next_try(&config, STORE_METHOD_DNS_01, &never,
	    1, 1000), 0);
}

/* --- codes -------------------------------------------------------------- */

static void
test_code(void **state)
{
	static const char *const bad[] = { "", "a", "-", "aaaa",
		"aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaa1",
		"aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-a",
		"aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaa\n" };
	char code[PROOF_CODE_TEXT_MAX], other[PROOF_CODE_TEXT_MAX];
	uint8_t hash[STORE_HASH_LEN], again[STORE_HASH_LEN];

	(void)state;
	assert_ok(proof_new_code(code, hash));
	assert_ok(proof_new_code(other, again));
	assert_string_not_equal(code, other);
	assert_memory_not_equal(hash, again, sizeof(hash));
	assert_ok(proof_hash_code(code, again));
	assert_memory_equal(hash, again, sizeof(hash));
	/* As people type it. */
	for (char *p = code; *p != '\0'; p++)
		*p = *p == '-' ? ' ' : (char)(*p >= 'a' && *p <= 'z' ?
		    *p - 'a' + 'A' : *p);
	assert_ok(proof_hash_code(code, again));
	assert_memory_equal(hash, again, sizeof(hash));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(proof_hash_code(bad[i], again),
		    OC_ERR_MALFORMED);
}

static struct store_authorization
add_mailed(struct fixture *f, int64_t account, const char *name,
    char code[PROOF_CODE_TEXT_MAX])
{
	struct store_authorization a = proof_of(account, 0, name);
	uint8_t hash[STORE_HASH_LEN];

	a.challenges[0].method = STORE_METHOD_EMAIL;
	assert_ok(store_add_authorization(f->store, &a));
	assert_ok(proof_new_code(code, hash));
	assert_ok(store_send_challenge(f->store, a.challenges[0].id,
	    "admin@a.test", hash, oc_clock_now_s()));
	return get_proof(f, a.id);
}

static enum oc_err
redeem(struct fixture *f, int64_t id, const char *code)
{
	const struct oc_config_validation config = { .proof_lifetime_s =
	    HOUR };
	struct store_authorization a = get_proof(f, id);

	return proof_redeem_code(f->store, &config, &a, code,
	    oc_clock_now_s());
}

/* Ten tries, and then not even the right one. */
static void
test_redeem(void **state)
{
	struct fixture *f = *state;
	int64_t account = add_account(f, "a");
	char code[PROOF_CODE_TEXT_MAX], other[PROOF_CODE_TEXT_MAX];
	struct store_authorization a = add_mailed(f, account, "a.test", code);
	struct store_authorization b = add_mailed(f, account, "b.test",
	    other);
	struct store_zone zone;

	assert_true(proof_is_code(&a, code, oc_clock_now_s()));
	assert_false(proof_is_code(&a, other, oc_clock_now_s()));
	assert_false(proof_is_code(&a, "x", oc_clock_now_s()));
	assert_false(proof_is_code(&a, code, a.expires_at));
	assert_int_equal(redeem(f, a.id, other), OC_ERR_MISMATCH);
	assert_int_equal(redeem(f, a.id, "x"), OC_ERR_MISMATCH);
	assert_int_equal(get_proof(f, a.id).challenges[0].num_tries, 3);
	assert_ok(redeem(f, a.id, code));
	assert_ok(store_find_zone(f->store, "a.test", &zone));
	assert_int_equal(redeem(f, a.id, code), OC_ERR_MISMATCH);
	for (int i = 1; i < PROOF_CODE_TRIES; i++) {
		assert_int_equal(get_proof(f, b.id).state,
		    STORE_PROOF_PENDING);
		assert_int_equal(redeem(f, b.id, code), OC_ERR_MISMATCH);
	}
	assert_int_equal(get_proof(f, b.id).state, STORE_PROOF_INVALID);
	assert_int_equal(redeem(f, b.id, other), OC_ERR_MISMATCH);
	/* None was sent. */
	a = add_proof(f, account, 0, "c.test");
	assert_int_equal(redeem(f, a.id, code), OC_ERR_MISMATCH);
	assert_verifies(f->store);
}

/* Who gets them may not have asked for any. */
static void
test_messages(void **state)
{
	struct store_challenge c = { .num_tries = 0 };
	struct oc_error error;

	(void)state;
	assert_ok(proof_check_send(&c, 1000, &error));
	c.begun_at = 1000;
	c.num_tries = 1;
	assert_int_equal(proof_check_send(&c, 1059, &error), OC_ERR_LIMIT);
	assert_ok(proof_check_send(&c, 1060, &error));
	c.num_tries = PROOF_MESSAGES_MAX;
	assert_int_equal(proof_check_send(&c, 9000, &error), OC_ERR_LIMIT);
}

/* --- claims ------------------------------------------------------------- */

static void
test_claim(void **state)
{
	struct oc_config config = { .has_validation = true,
		.validation = { .challenge_lifetime_s = HOUR,
		.pending_max = 2, .timeout_s = 10 } };
	struct fixture *f = *state;
	int64_t account = add_account(f, "a"), now = oc_clock_now_s();
	struct store_authorization a, b;
	struct oc_error error = { 0 };
	struct proof_try t;

	assert_int_equal(proof_find_claim(f->store, account, "a.test", now,
	    &a), OC_ERR_NOT_FOUND);
	assert_ok(proof_open_claim(f->store, &config, account, "a.test", now,
	    &a, &error));
	assert_int_equal(a.num_challenges, 3);
	assert_null(proof_challenge_by(&a, STORE_METHOD_EMAIL));
	assert_ok(proof_open_claim(f->store, &config, account, "a.test", now,
	    &b, &error));
	assert_int_equal(a.id, b.id);
	/* With mail there is one more way. */
	config.validation.mail_server = (char *)"smtp://m.test:25";
	assert_ok(proof_open_claim(f->store, &config, account, "b.test", now,
	    &b, &error));
	assert_non_null(proof_challenge_by(&b, STORE_METHOD_EMAIL));
	assert_int_equal(proof_open_claim(f->store, &config, account,
	    "c.test", now, &b, &error), OC_ERR_LIMIT);
	/* One looks at a time. */
	assert_ok(proof_take(f->store, &config.validation,
	    &a.challenges[0], now, &t));
	assert_int_equal(t.claimed_until, now +
	    proof_claim_s(&config.validation));
	assert_int_equal(proof_take(f->store, &config.validation,
	    &a.challenges[0], now, &t), OC_ERR_MISMATCH);
	assert_ok(proof_find_claim(f->store, account, "a.test", now, &b));
	assert_ok(proof_take(f->store, &config.validation,
	    &b.challenges[0], now, &t));
	assert_int_equal(proof_find_claim(f->store, account, "a.test",
	    now + 2 * HOUR, &b), OC_ERR_NOT_FOUND);
	/* Who fails again and again waits. */
	config.validation.pending_max = 100;
	for (int i = 0; i < PROOF_FAILED_MAX; i++) {
		struct store_try failed = { .at = now };

		assert_ok(proof_open_claim(f->store, &config, account,
		    "e.test", now, &b, &error));
		failed.id = b.challenges[0].id;
		assert_ok(store_fail_challenge(f->store, &failed));
	}
	assert_int_equal(proof_open_claim(f->store, &config, account,
	    "e.test", now, &b, &error), OC_ERR_LIMIT);
	assert_ok(proof_open_claim(f->store, &config, account, "f.test", now,
	    &b, &error));
	config.has_validation = false;
	assert_int_equal(proof_open_claim(f->store, &config, account,
	    "d.test", now, &b, &error), OC_ERR_CONFIG);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_want),
		cmocka_unit_test(test_key_authorization),
		cmocka_unit_test(test_problem),
		cmocka_unit_test(test_next_try),
		cmocka_unit_test(test_code),
		cmocka_unit_test(test_messages),
		TEST(test_redeem),
		TEST(test_claim)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
