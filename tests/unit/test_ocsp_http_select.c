/* SPDX-License-Identifier: Apache-2.0 */
/* Preconditions and ranges: RFC 9110, 13 and 14. */
#include "tests/unit/der_test.h"

#include <stdio.h>

#include "ocsp/http_select.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define AT INT64_C(784111777)
#define TAG "\"00112233445566778899aabbccddeeff\""
#define OTHER "\"10112233445566778899aabbccddeeff\""

static const uint8_t etag[HTTP_ETAG_OCTETS] = { 0x00, 0x11, 0x22, 0x33, 0x44,
    0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

/* A head with these fields, as the parser reads it. */
static enum http_selection
ask_of(const char *method, const char *fields, uint64_t len, int64_t now,
    struct http_range *range)
{
	const struct http_file file = { .len = len, .modified_at = AT,
	    .etag = etag };
	struct http_request request;
	char head[1024];

	snprintf(head, sizeof(head), "%s /a HTTP/1.1\r\nHost: a\r\n%s\r\n",
	    method, fields);
	assert_true(http_request_parse((const uint8_t *)head, strlen(head),
	    &request) > 0);
	*range = (struct http_range){ 77, 77 };
	return http_select(&request, &file, now, range);
}

static const struct {
	const char *fields;
	enum http_selection selection;
} conditions[] = {
	{ "", HTTP_WHOLE },
	{ "If-None-Match: " TAG "\r\n", HTTP_NOT_MODIFIED },
	{ "If-None-Match: W/" TAG "\r\n", HTTP_NOT_MODIFIED },
	{ "If-None-Match: " OTHER ", " TAG "\r\n", HTTP_NOT_MODIFIED },
	{ "If-None-Match: *\r\n", HTTP_NOT_MODIFIED },
	{ "If-None-Match: " OTHER "\r\n", HTTP_WHOLE },
	{ "If-None-Match: \"\r\n", HTTP_WHOLE },
	/* The tag counts before the date. */
	{ "If-None-Match: " OTHER "\r\nIf-Modified-Since: " DATE "\r\n",
	    HTTP_WHOLE },
	{ "If-Modified-Since: " DATE "\r\n", HTTP_NOT_MODIFIED },
	{ "If-Modified-Since: " LATER "\r\n", HTTP_NOT_MODIFIED },
	{ "If-Modified-Since: " EARLIER "\r\n", HTTP_WHOLE },
	{ "If-Modified-Since: yesterday\r\n", HTTP_WHOLE },
	{ "If-Match: " TAG "\r\n", HTTP_WHOLE },
	{ "If-Match: *\r\n", HTTP_WHOLE },
	{ "If-Match: W/" TAG "\r\n", HTTP_NOT_MATCHED },
	{ "If-Match: " OTHER "\r\n", HTTP_NOT_MATCHED },
	{ "If-Unmodified-Since: " DATE "\r\n", HTTP_WHOLE },
	{ "If-Unmodified-Since: " EARLIER "\r\n", HTTP_NOT_MATCHED },
	{ "If-Unmodified-Since: never\r\n", HTTP_WHOLE },
	{ "If-Match: " TAG "\r\nIf-Unmodified-Since: " EARLIER "\r\n",
	    HTTP_WHOLE },
	{ "If-Match: " TAG "\r\nIf-None-Match: " TAG "\r\n",
	    HTTP_NOT_MODIFIED },
	/* Conditions come before ranges. */
	{ "If-None-Match: " TAG "\r\nRange: bytes=0-1\r\n",
	    HTTP_NOT_MODIFIED },
	{ "If-Match: " OTHER "\r\nRange: bytes=5000-\r\n",
	    HTTP_NOT_MATCHED },
};

static void
test_conditions(void **state)
{
	static const char *const methods[] = { "GET", "HEAD" };
	struct http_range range;

	(void)state;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		for (size_t m = 0; m < 2; m++) {
			enum http_selection is = ask_of(methods[m],
			    conditions[i].fields, 1000, AT + 100, &range);

			if (is != conditions[i].selection)
				fail_msg("%s: %d", conditions[i].fields, is);
			if (is != HTTP_WHOLE)
				continue;
			assert_true(range.first == 0);
			assert_true(range.len == 1000);
		}
}

static const struct {
	const char *range;
	enum http_selection selection;
	uint64_t first, len;
} ranges[] = {
	{ "bytes=0-0", HTTP_PART, 0, 1 },
	{ "bytes=0-999", HTTP_PART, 0, 1000 },
	{ "BYTES=0-1000", HTTP_PART, 0, 1000 },
	{ "bytes=10-", HTTP_PART, 10, 990 },
	{ "bytes=999-", HTTP_PART, 999, 1 },
	{ "bytes=999-999", HTTP_PART, 999, 1 },
	{ "bytes=-1", HTTP_PART, 999, 1 },
	{ "bytes=-1000", HTTP_PART, 0, 1000 },
	{ "bytes=-5000", HTTP_PART, 0, 1000 },
	{ "bytes=5-99999999999999999999999999", HTTP_PART, 5, 995 },
	{ "bytes=1000-", HTTP_NO_SUCH_PART, 0, 0 },
	{ "bytes=1000-2000", HTTP_NO_SUCH_PART, 0, 0 },
	{ "bytes=99999999999999999999999999-", HTTP_NO_SUCH_PART, 0, 0 },
	{ "bytes=-0", HTTP_NO_SUCH_PART, 0, 0 },
	{ "bytes=0-1,5-6", HTTP_WHOLE, 0, 1000 },
	{ "bytes=0-1, -1", HTTP_WHOLE, 0, 1000 },
	{ "bytes=5-4", HTTP_WHOLE, 0, 1000 },
	{ "bytes=", HTTP_WHOLE, 0, 1000 },
	{ "bytes=-", HTTP_WHOLE, 0, 1000 },
	{ "bytes=1", HTTP_WHOLE, 0, 1000 },
	{ "bytes=a-b", HTTP_WHOLE, 0, 1000 },
	{ "bytes=0-1x", HTTP_WHOLE, 0, 1000 },
	{ "bytes=+0-1", HTTP_WHOLE, 0, 1000 },
	{ "bytes", HTTP_WHOLE, 0, 1000 },
	{ "lines=0-1", HTTP_WHOLE, 0, 1000 },
};

static void
test_ranges(void **state)
{
	struct http_range range;
	char fields[200];

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		enum http_selection is;

		snprintf(fields, sizeof(fields), "Range: %s\r\n",
		    ranges[i].range);
		is = ask_of("GET", fields, 1000, AT + 100, &range);
		if (is != ranges[i].selection)
			fail_msg("%s: %d", ranges[i].range, is);
		if (is != HTTP_NO_SUCH_PART && (range.first !=
		    ranges[i].first || range.len != ranges[i].len))
			fail_msg("%s: %llu, %llu", ranges[i].range,
			    (unsigned long long)range.first,
			    (unsigned long long)range.len);
		/* HEAD has no ranges. */
		assert_int_equal(ask_of("HEAD", fields, 1000, AT + 100,
		    &range), HTTP_WHOLE);
	}
	assert_int_equal(ask_of("GET", "Range: bytes=-1\r\n", 0, AT + 100,
	    &range), HTTP_NO_SUCH_PART);
}

static void
test_if_range(void **state)
{
	static const struct {
		const char *value;
		enum http_selection selection;
	} cases[] = {
		{ TAG, HTTP_PART }, { OTHER, HTTP_WHOLE },
		{ "W/" TAG, HTTP_WHOLE }, { TAG ", " TAG, HTTP_WHOLE },
		{ "\"", HTTP_WHOLE }, { "*", HTTP_WHOLE },
		{ DATE, HTTP_PART }, { EARLIER, HTTP_WHOLE },
		{ LATER, HTTP_WHOLE }, { "Wed", HTTP_WHOLE },
	};
	struct http_range range;
	char fields[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(fields, sizeof(fields),
		    "Range: bytes=1-2\r\nIf-Range: %s\r\n", cases[i].value);
		if (ask_of("GET", fields, 1000, AT + 100, &range) !=
		    cases[i].selection)
			fail_msg("If-Range: %s", cases[i].value);
	}
	/* In the second that it is of, another may follow. */
	assert_int_equal(ask_of("GET", "Range: bytes=1-2\r\nIf-Range: " DATE
	    "\r\n", 1000, AT, &range), HTTP_WHOLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_if_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
