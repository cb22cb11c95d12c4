/* SPDX-License-Identifier: Apache-2.0 */
/* Request heads and JSON bodies: what is understood, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http.h"
#include "net/json.h"

static int
parse(const char *text, struct net_request *r, char **kept)
{
	size_t len = strlen(text);

	*kept = strdup(text);
	assert_non_null(*kept);
	assert_int_equal(net_head_len((const uint8_t *)text, len), len);
	return net_head_parse(*kept, len, r);
}

static void
test_good_head(void **state)
{
	struct net_request r;
	char *kept, value[16];

	(void)state;
	assert_int_equal(parse("\r\nPOST /a/b?c=d%20e&page=2 HTTP/1.1\r\n"
	    "Host: x\r\nAuthorization:  Bearer abc \t\r\n"
	    "content-type: application/json; charset=utf-8\r\n"
	    "Content-Length: 12\r\n\r\n", &r, &kept), 0);
	assert_int_equal(r.method, NET_POST);
	assert_string_equal(r.path, "/a/b");
	assert_string_equal(net_request_field(&r, "authorization"),
	    "Bearer abc");
	assert_null(net_request_field(&r, "author"));
	assert_true(net_request_is_type(&r, "application/json"));
	assert_false(net_request_is_type(&r, "application/js"));
	assert_int_equal(r.framing, NET_LENGTH);
	assert_int_equal(r.content_length, 12);
	assert_true(r.keep_alive);
	assert_true(net_request_query(&r, "c", value, sizeof(value)));
	assert_string_equal(value, "d e");
	assert_true(net_request_query(&r, "page", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_false(net_request_query(&r, "pag", value, sizeof(value)));
	free(kept);
	assert_int_equal(parse("GET http://h:1/x HTTP/1.0\r\n\r\n", &r,
	    &kept), 0);
	assert_string_equal(r.path, "/x");
	assert_false(r.keep_alive);
	free(kept);
	assert_int_equal(parse("PURGE / HTTP/1.1\nhost: a\n"
	    "Connection: close, x\n\n", &r, &kept), 0);
	assert_int_equal(r.method, NET_OTHER);
	assert_string_equal(r.method_name, "PURGE");
	assert_false(r.keep_alive);
	free(kept);
}

#define HOST "Host: a\r\n"
static const struct {
	const char *head;
	int status;
} bad[] = {
	{ "GET\r\n\r\n", 400 },
	{ "GET /\r\n\r\n", 400 },
	{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET x HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /a\tb HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET /#x HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "G@T / HTTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/2.0\r\n" HOST "\r\n", 505 },
	{ "GET / FTP/1.1\r\n" HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },		/* no Host */
	{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\x01z\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST "X: a\rz\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
	    "Content-Length: 1\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 9999999999999999\r\n"
	    "\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Expect: money\r\n\r\n", 417 },
};

static void
test_bad_head(void **state)
{
	struct net_request r;
	char *kept;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		status = parse(bad[i].head, &r, &kept);
		if (status != bad[i].status)
			fail_msg("%s: %d, not %d", bad[i].head, status,
			    bad[i].status);
		free(kept);
	}
}

static void
test_nul_and_many_fields(void **state)
{
	char head[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
	char many[16 * 1024] = "GET / HTTP/1.1\r\n";
	struct net_request r;

	(void)state;
	assert_int_equal(net_head_parse(head, sizeof(head) - 1, &r), 400);
	for (int i = 0; i < NET_FIELDS_MAX + 1; i++)
		strcat(many, "Host2: a\r\n");
	strcat(many, "\r\n");
	assert_int_equal(net_head_parse(many, strlen(many), &r), 431);
}

static void
test_incomplete_head(void **state)
{
	static const char whole[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < strlen(whole); i++)
		assert_int_equal(net_head_len((const uint8_t *)whole, i), 0);
}

/* Its path, or as much of it as there is. */
static void
test_begun_head(void **state)
{
	static const struct {
		const char *head, *path;
	} begun[] = {
		{ "", "" }, { "GET", "" }, { "GET ", "" }, { "GET x", "" },
		{ "\r\nGET /a", "/a" }, { "GET /a/b?c HT", "/a/b" },
		{ "GET /a HTTP/1.1\r\nX: /b", "/a" }, { "GET\r\n /a", "" },
		{ "GET http://h", "" }, { "GET http://h/a", "/a" },
		{ "GET /a\tb", "" }, { "GET /a\x7f", "" },
	};
	struct net_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
		char *head = strdup(begun[i].head);

		assert_non_null(head);
		net_head_begun(head, &r);
		assert_string_equal(r.path, begun[i].path);
		free(head);
	}
}

static void
test_json(void **state)
{
	static const char *const wrong[] = { "", "{", "[]", "5", "\"a\"",
	    "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}",
	    "{\"a\":1} x", "{\"a\":\"\x01\"}" };
	static const char brackets[] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[\\\"[\","
	    "\"n\":7}";
	struct oc_error error = { 0 };
	const char *text = "kept";
	char deep[64];
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (net_json_parse((const uint8_t *)wrong[i],
		    strlen(wrong[i]), &json, &error) != OC_ERR_MALFORMED)
			fail_msg("%s is taken", wrong[i]);
	strcpy(deep, "{\"a\":");
	memset(deep + 5, '[', NET_JSON_DEPTH_MAX);
	assert_int_equal(net_json_parse((const uint8_t *)deep,
	    5 + NET_JSON_DEPTH_MAX, &json, &error), OC_ERR_LIMIT);
	/* Brackets in strings are none. */
	assert_int_equal(net_json_parse((const uint8_t *)brackets,
	    strlen(brackets), &json, &error), OC_OK);
	assert_int_equal(net_json_get_string(json, "b", &text), OC_OK);
	assert_string_equal(text, "kept");
	assert_int_equal(net_json_get_string(json, "n", &text),
	    OC_ERR_MALFORMED);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_head),
		cmocka_unit_test(test_bad_head),
		cmocka_unit_test(test_nul_and_many_fields),
		cmocka_unit_test(test_incomplete_head),
		cmocka_unit_test(test_begun_head),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
