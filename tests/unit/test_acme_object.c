/* SPDX-License-Identifier: Apache-2.0 */
/* Do clients see what the records say, and when are they to renew? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/object.h"
#include "acme/renewal.h"

#define BASE "https://ca.example/acme/"
#define NOW INT64_C(1795773600)		/* 2026-11-27T10:00:00Z */
#define TAG_A "0123456789abcdef0123456789abcdef"
#define TAG_B "fedcba9876543210fedcba9876543210"

/* Takes both. */
static void
expect(json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

static void
test_account(void **state)
{
	struct store_acme_account a = { .tag = TAG_A, .contacts = "[]",
	    .state = STORE_ACME_VALID };

	(void)state;
	expect(acme_account_json(BASE, &a), "{\"contact\":[],\"orders\":"
	    "\"" BASE "account/" TAG_A "/orders\",\"status\":\"valid\"}");
	a.state = STORE_ACME_DEACTIVATED;
	a.has_agreed = true;
	strcpy(a.contacts, "[\"mailto:a@b.example\"]");
	expect(acme_account_json(BASE, &a), "{\"contact\":"
	    "[\"mailto:a@b.example\"],\"orders\":\"" BASE "account/" TAG_A
	    "/orders\",\"status\":\"deactivated\","
	    "\"termsOfServiceAgreed\":true}");
}

static const char tags[2][STORE_TAG_LEN + 1] = { TAG_A, TAG_B };

static void
expect_order(const struct store_order *order, const char *replaces,
    const char *expected)
{
	const struct acme_order_view view = {
		.order = order, .tags = tags, .replaces = replaces,
		.now_at = NOW,
	};

	expect(acme_order_json(BASE, &view), expected);
}

#define FRONT "{\"authorizations\":[\"" BASE "authz/" TAG_A "\"],"
#define MIDDLE "\"expires\":\"2026-11-27T10:00:01Z\",\"finalize\":\"" BASE \
	"order/" TAG_B "/finalize\",\"identifiers\":" \
	"[{\"type\":\"dns\",\"value\":\"*.a.example\"}],"

/* RFC8555:7.1.3 */
static void
test_order(void **state)
{
	char names[] = "[\"*.a.example\"]";
	struct store_order order = { .tag = TAG_B, .names = names,
	    .state = STORE_ORDER_PENDING, .expires_at = NOW + 1,
	    .num_authorizations = 1 };

	(void)state;
	expect_order(&order, NULL, FRONT MIDDLE "\"status\":\"pending\"}");
	order.state = STORE_ORDER_VALID;
	order.expires_at = NOW + 1;
	order.not_before = order.not_after = NOW;
	strcpy(order.profile, "server");
	expect_order(&order, "x.y", FRONT "\"certificate\":\"" BASE
	    "certificate/" TAG_B "\"," MIDDLE
	    "\"notAfter\":\"2026-11-27T10:00:00Z\","
	    "\"notBefore\":\"2026-11-27T10:00:00Z\","
	    "\"profile\":\"server\",\"replaces\":\"x.y\","
	    "\"status\":\"valid\"}");
}

/* What has ended is invalid and says why; a certificate stays. */
static void
test_ended(void **state)
{
	char names[] = "[\"*.a.example\"]";
	struct store_order order = { .tag = TAG_B, .names = names,
	    .state = STORE_ORDER_READY, .expires_at = NOW };
	const struct acme_order_view view = { .order = &order,
	    .now_at = NOW };
	json_t *json;

	(void)state;
	assert_int_equal(acme_order_state(&order, NOW), STORE_ORDER_INVALID);
	assert_int_equal(acme_order_state(&order, NOW - 1),
	    STORE_ORDER_READY);
	json = acme_order_json(BASE, &view);
	assert_string_equal(json_string_value(json_object_get(json,
	    "status")), "invalid");
	assert_true(json_is_object(json_object_get(json, "error")));
	json_decref(json);
	order.state = STORE_ORDER_INVALID;
	strcpy(order.problem, "{\"type\":\"t\"}");
	json = acme_order_json(BASE, &view);
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(json, "error"), "type")), "t");
	json_decref(json);
	strcpy(order.problem, "no JSON");
	json = acme_order_json(BASE, &view);
	assert_true(json_is_object(json_object_get(json, "error")));
	json_decref(json);
	order.state = STORE_ORDER_VALID;
	assert_int_equal(acme_order_state(&order, NOW), STORE_ORDER_VALID);
	order.state = STORE_ORDER_PROCESSING;
	assert_int_equal(acme_order_state(&order, NOW),
	    STORE_ORDER_PROCESSING);
}

/* RFC8555:7.1.4 RFC8555:8 */
static void
test_authorization(void **state)
{
	struct store_authorization a = { .tag = TAG_A, .name = "a.example",
	    .state = STORE_PROOF_PENDING, .expires_at = NOW + 1,
	    .num_challenges = 2, .challenges = {
		{ .tag = TAG_A, .method = STORE_METHOD_HTTP_01,
		    .token = "t1", .state = STORE_PROOF_PENDING },
		{ .tag = TAG_B, .method = STORE_METHOD_DNS_01,
		    .token = "t2", .state = STORE_PROOF_PENDING,
		    .begun_at = NOW } } };

	(void)state;
	expect(acme_authorization_json(BASE, &a, NOW), "{\"challenges\":["
	    "{\"status\":\"pending\",\"token\":\"t1\",\"type\":\"http-01\","
	    "\"url\":\"" BASE "challenge/" TAG_A "\"},"
	    "{\"status\":\"processing\",\"token\":\"t2\",\"type\":"
	    "\"dns-01\",\"url\":\"" BASE "challenge/" TAG_B "\"}],"
	    "\"expires\":\"2026-11-27T10:00:01Z\",\"identifier\":"
	    "{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"status\":\"pending\"}");
	a.state = STORE_PROOF_VALID;
	a.is_wildcard = true;
	a.challenges[1].state = STORE_PROOF_VALID;
	a.challenges[1].validated_at = NOW;
	strcpy(a.challenges[1].problem, "{}");
	expect(acme_authorization_json(BASE, &a, NOW), "{\"challenges\":["
	    "{\"status\":\"valid\",\"token\":\"t2\",\"type\":"
	    "\"dns-01\",\"url\":\"" BASE "challenge/" TAG_B "\","
	    "\"validated\":\"2026-11-27T10:00:00Z\"}],"
	    "\"expires\":\"2026-11-27T10:00:01Z\",\"identifier\":"
	    "{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"status\":\"valid\",\"wildcard\":true}");
}

/* "expired" is no word that every client knows. */
static void
test_authorization_ended(void **state)
{
	struct store_authorization a = { .tag = TAG_A, .name = "a.example",
	    .state = STORE_PROOF_PENDING, .expires_at = NOW,
	    .num_challenges = 1, .challenges = {
		{ .tag = TAG_A, .method = STORE_METHOD_HTTP_01,
		    .token = "t1", .state = STORE_PROOF_PENDING,
		    .begun_at = NOW, .problem = "{\"type\":\"t\"}" } } };

	(void)state;
	expect(acme_authorization_json(BASE, &a, NOW), "{\"challenges\":["
	    "{\"error\":{\"type\":\"t\"},\"status\":\"invalid\","
	    "\"token\":\"t1\",\"type\":\"http-01\","
	    "\"url\":\"" BASE "challenge/" TAG_A "\"}],"
	    "\"expires\":\"2026-11-27T10:00:00Z\",\"identifier\":"
	    "{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"status\":\"invalid\"}");
	a.state = STORE_PROOF_DEACTIVATED;
	a.challenges[0].method = STORE_METHOD_EMAIL;
	expect(acme_authorization_json(BASE, &a, NOW), "{\"challenges\":[],"
	    "\"expires\":\"2026-11-27T10:00:00Z\",\"identifier\":"
	    "{\"type\":\"dns\",\"value\":\"a.example\"},"
	    "\"status\":\"deactivated\"}");
}

/* --- renewal ------------------------------------------------------------ */

#define DAY INT64_C(86400)

/* RFC9773:4.2: its end is behind its start. */
static void
test_window(void **state)
{
	struct acme_window w;

	(void)state;
	acme_window_of(NOW, NOW + 90 * DAY, 0, &w);
	assert_int_equal(w.start, NOW + 60 * DAY - 90 * DAY / 100);
	assert_int_equal(w.end, NOW + 60 * DAY + 90 * DAY / 100);
	acme_window_of(NOW, NOW + 6 * DAY, 0, &w);
	assert_true(w.start < NOW + 3 * DAY && NOW + 3 * DAY < w.end);
	acme_window_of(NOW, NOW + 60, 0, &w);
	assert_true(w.start < w.end && w.end < NOW + 60);
	acme_window_of(NOW, NOW + 90 * DAY, NOW + DAY, &w);
	assert_true(w.start < w.end && w.end < NOW + DAY);
}

/* RFC9773:4.1, and its own example. */
static void
test_certificate_id(void **state)
{
	static const char example[] =
	    "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
	static const uint8_t serial[] = { 0x00, 0x87, 0x65, 0x43, 0x21 };
	static const char *const bad[] = { "", ".", "AQ", "AQ.", ".AQ",
	    "AQ.AQ.AQ", "AQ=.AQ", "AQ.AQ==", "AR.AQ", "AQ.AAE", "AQ.gA",
	    "AQ.AA", "A+.AQ" };
	char text[ACME_CERTIFICATE_ID_MAX];
	struct acme_certificate_id id;

	(void)state;
	assert_int_equal(acme_certificate_id_parse(example, &id), OC_OK);
	assert_int_equal(id.key_id_len, 20);
	assert_int_equal(id.key_id[0], 0x69);
	assert_int_equal(id.serial.len, sizeof(serial));
	assert_memory_equal(id.serial.bytes, serial, sizeof(serial));
	acme_certificate_id_format((struct der_bytes){ id.key_id,
	    id.key_id_len }, &id.serial, text);
	assert_string_equal(text, example);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(acme_certificate_id_parse(bad[i], &id),
		    OC_ERR_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_authorization),
		cmocka_unit_test(test_authorization_ended),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_certificate_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
