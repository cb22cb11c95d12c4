/* SPDX-License-Identifier: Apache-2.0 */
/* How fetching stands: what is written is read, and nothing else is. */
#include "tests/unit/base_test.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fetch/state.h"

#define PATH "ca.state"

static const struct fetch_state full = {
	.tried_at = 1800000005,
	.fetched_at = 1800000001,
	.next_at = 1800003600,
	.until = 1800090000,
	.num_failures = 3,
	.http_status = 404,
	.url = "https://pki.example.com/a.crl?x=1",
	.etag = "W/\"6-5f\"",
	.modified = "Fri, 15 Jan 2027 08:00:00 GMT",
	.digest = { 0x00, 0xff, 0x10 },
	.why = "https://pki.example.com/a.crl: HTTP status 404",
};

static void
write_state(const struct fetch_state *state)
{
	struct oc_error error = { 0 };

	if (fetch_state_write(PATH, state, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
read_state(struct fetch_state *state)
{
	struct oc_error error = { 0 };

	if (fetch_state_read(PATH, state, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
test_round_trip(void **state)
{
	const struct fetch_state none = { .tried_at = 0 };
	struct fetch_state read = { .num_failures = 9 };

	(void)state;
	write_state(&full);
	read_state(&read);
	assert_memory_equal(&read, &full, sizeof(read));
	write_state(&none);
	read_state(&read);
	assert_memory_equal(&read, &none, sizeof(read));
}

/* What a server said may not end a line, nor a character be half there. */
static void
test_text_is_one_line(void **state)
{
	struct fetch_state s = full, read;

	(void)state;
	(void)snprintf(s.why, sizeof(s.why), "a\nnext 1\r\x7f \xc3\xa9\xc3");
	write_state(&s);
	read_state(&read);
	assert_string_equal(read.why, "anext 1 \xc3\xa9");
	assert_int_equal(read.next_at, full.next_at);
	memset(s.url, 'u', sizeof(s.url) - 1);
	memset(s.etag, 'e', sizeof(s.etag) - 1);
	memset(s.why, 'w', sizeof(s.why) - 1);
	write_state(&s);
	read_state(&read);
	assert_string_equal(read.url, s.url);
	assert_string_equal(read.etag, s.etag);
	assert_string_equal(read.why, s.why);
}

static void
expect_malformed(const char *text)
{
	struct fetch_state read = full;
	struct oc_error error = { 0 };

	base_test_put_text(PATH, text);
	if (fetch_state_read(PATH, &read, &error) != OC_ERR_MALFORMED)
		fail_msg("taken: %s", text);
	assert_non_null(strstr(error.text, PATH));
	assert_memory_equal(&read, &full, sizeof(read));
}

/* Cut off at every octet; each line missing, doubled or with more behind. */
static void
test_malformed(void **state)
{
	static const char *const changes[][2] = {
		{ "ocsign-fetch 1", "ocsign-fetch 2" },
		{ "tried 1800000005", "tried -5" },
		{ "tried 1800000005", "tried 18000000050000000000" },
		{ "tried 1800000005", "tried 0x5" },
		{ "tried 1800000005", "Tried 1800000005" },
		{ "failures 3", "failures 4294967296" },
		{ "status 404", "status " },
		{ "status 404\n", "" },
		{ "status 404\n", "status 404\nstatus 404\n" },
		{ "digest 00ff", "digest 00f" },
		{ "digest 00ff", "digest 00fff0" },
		{ "digest 00ff", "digest g0ff" },
		{ "etag W", "etag \tW" },
		{ "etag W", "etag \xff" },
	};
	char text[4096], changed[4200];
	uint8_t *whole;
	size_t len;

	(void)state;
	write_state(&full);
	assert_int_equal(oc_file_read(PATH, sizeof(text) - 1, &whole, &len,
	    NULL), OC_OK);
	memcpy(text, whole, len + 1);
	free(whole);
	for (size_t n = 0; n < len; n++) {
		memcpy(changed, text, n);
		changed[n] = '\0';
		expect_malformed(changed);
	}
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *at = strstr(text, changes[i][0]);

		assert_non_null(at);
		(void)snprintf(changed, sizeof(changed), "%.*s%s%s",
		    (int)(at - text), text, changes[i][1],
		    at + strlen(changes[i][0]));
		expect_malformed(changed);
	}
	(void)snprintf(changed, sizeof(changed), "%s\n", text);
	expect_malformed(changed);
}

static void
test_missing(void **state)
{
	struct fetch_state read = full;

	(void)state;
	assert_int_equal(fetch_state_read("none.state", &read, NULL),
	    OC_ERR_NOT_FOUND);
	assert_memory_equal(&read, &full, sizeof(read));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_text_is_one_line),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, base_test_enter, base_test_leave);
}
