/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder answer every spelling of a GET, in every version of HTTP?
 * Each test is named after its case; all of them talk to one worker over the
 * loopback.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <stdio.h>

static struct response r;

#define PORT running.port

static void
expect_good(const char *path)
{
	http_get(PORT, path, "", &r);
	assert_body(&r, world.answer);
}

/* Each c in the path replaced by text. */
static void
expect_good_with(char c, const char *text)
{
	char path[2048], *out = path;
	const char *p;

	for (p = world.path; *p != '\0'; p++) {
		if (*p == c && p != world.path)
			out += sprintf(out, "%s", text);
		else
			*out++ = *p;
	}
	*out = '\0';
	assert_string_not_equal(path, world.path);
	expect_good(path);
}

static void
get_escaped(void **state)
{
	char path[2048] = "/", *out = path + 1;
	const char *p;

	(void)state;
	for (p = world.path + 1; *p != '\0'; p++)
		out += sprintf(out, "%%%02X", (unsigned char)*p);
	expect_good(path);
	assert_int_equal(world_verify(&world, world.request, r.body, r.len),
	    V_OCSP_CERTSTATUS_GOOD);
	expect_good_with('/', "%2F");
	expect_good_with('+', "%2B");
	expect_good_with('=', "%3D");
}

/* get-raw-plus, get-raw-slash: nothing is escaped here. */
static void
get_raw(void **state)
{
	(void)state;
	assert_non_null(strchr(world.path, '+'));
	assert_non_null(strstr(world.path, "//"));
	expect_good(world.path);
}

static void
get_lower_hex(void **state)
{
	(void)state;
	expect_good_with('/', "%2f");
	expect_good_with('+', "%2b");
	expect_good_with('=', "%3d");
}

static void
get_mixed(void **state)
{
	char path[2048], *out = path;
	const char *p;

	(void)state;
	for (p = world.path; *p != '\0'; p++)
		if (p != world.path && (p - world.path) % 3 == 0)
			out += sprintf(out, "%%%02x", (unsigned char)*p);
		else
			*out++ = *p;
	*out = '\0';
	expect_good(path);
}

static void
get_space(void **state)
{
	(void)state;
	expect_good_with('+', "%20");
	expect_good_with('+', " ");
}

static void
get_nopad(void **state)
{
	(void)state;
	expect_good_with('=', "");
}

static void
get_b64url(void **state)
{
	(void)state;
	expect_good_with('/', "_");
	expect_good_with('+', "-");
}

static void
get_double_slash_lead(void **state)
{
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "/%s", world.path);
	expect_good(path);
	snprintf(path, sizeof(path), "//%s", world.path);
	expect_good(path);
}

static void
get_collapsed(void **state)
{
	char path[1024], *twice;

	(void)state;
	strcpy(path, world.path);
	twice = strstr(path, "//");
	memmove(twice, twice + 1, strlen(twice));
	expect_good(path);
}

static void
get_double_escaped(void **state)
{
	(void)state;
	expect_good_with('/', "%252F");
	expect_good_with('+', "%252b");
	expect_good_with('=', "%25253D");
}

static void
get_query(void **state)
{
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s?x=1&y", world.path);
	expect_good(path);
}

static void
tune_prefix(struct ocsp_worker_options *options)
{
	options->prefix = "/ocsp/ca1/";
}

static void
get_prefix(void **state)
{
	struct running other = { 0 };
	char path[1024];

	(void)state;
	worker_start(&world, tune_prefix, &other);
	snprintf(path, sizeof(path), "/ocsp/ca1%s", world.path);
	http_get(other.port, path, "", &r);
	assert_body(&r, world.answer);
	http_get(other.port, world.path, "", &r);
	assert_int_equal(r.status, 404);
	http_get(other.port, "/ocsp/ca1/", "", &r);
	assert_int_equal(r.status, 200);
	http_post(other.port, "", world.request, &r);
	assert_int_equal(r.status, 404);
	worker_stop(&other);
	assert_int_equal(other.counts->http_errors, 2);
}

static void
get_root(void **state)
{
	(void)state;
	http_get(PORT, "/", "", &r);
	assert_int_equal(r.status, 200);
	assert_field(&r, "Content-Type", "text/plain; charset=utf-8");
	assert_field(&r, "Cache-Control", "no-store");
	assert_non_null(memmem(r.body, r.len, "OCSP", 4));
}

static void
get_garbage(void **state)
{
	(void)state;
	http_get(PORT, "/favicon.ico", "", &r);
	assert_int_equal(r.status, 404);
	http_get(PORT, "/robots.txt", "", &r);
	assert_int_equal(r.status, 404);
	assert_field(&r, "Cache-Control", "no-store");
	http_get(PORT, "/MAMCAQE=", "", &r);	/* DER, but no OCSPRequest */
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	expect_good(world.path);
}

static void
get_over_255(void **state)
{
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s?%0300d", world.path, 1);
	expect_good(path);
}

static void
get_huge(void **state)
{
	static char text[10 * 1024];

	(void)state;
	memset(text, 'A', 9 * 1024);
	memcpy(text, "GET /", 5);
	strcpy(text + 9 * 1024, " HTTP/1.1\r\nHost: a\r\n\r\n");
	http_refused(PORT, text, 414);
}

static void
header_huge(void **state)
{
	static char text[10 * 1024];

	(void)state;
	memset(text, 'A', 9 * 1024);
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	http_refused(PORT, text, 431);
}

/* One request as it is, with the path between these two, on a connection that
 * must then be closed, or not. */
static void
expect_good_to(const char *before, const char *after, const char *connection)
{
	struct client *c = client_new(PORT);
	char text[2048];

	snprintf(text, sizeof(text), "%s%s%s", before, world.path, after);
	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	assert_field(&r, "Connection", connection);
	if (connection != NULL && strcmp(connection, "close") == 0) {
		assert_true(client_is_closed(c, 5000));
	} else {
		client_send_text(c, text);
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	client_free(c);
}

static void
get_absform(void **state)
{
	(void)state;
	expect_good_to("GET http://ocsp.example", " HTTP/1.1\r\n"
	    "Host: ocsp.example\r\n\r\n", NULL);
}

static void
http10(void **state)
{
	(void)state;
	expect_good_to("GET ", " HTTP/1.0\r\n\r\n", "close");
}

static void
http10_ka(void **state)
{
	(void)state;
	expect_good_to("GET ", " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	    "keep-alive");
}

static void
http11_close(void **state)
{
	(void)state;
	expect_good_to("GET ", " HTTP/1.1\r\nHost: a\r\n"
	    "Connection: close\r\n\r\n", "close");
}

static void
http11_nohost(void **state)
{
	(void)state;
	http_refused(PORT, "GET / HTTP/1.1\r\n\r\n", 400);
}

static void
http09_junk(void **state)
{
	static const uint8_t hello[] = { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01,
	    0x00, 0x01, 0xfc, 0x03, 0x03 }, nuls[64] = { 0 };
	struct client *c;

	(void)state;
	http_refused(PORT, "GET /x\r\n", 400);
	c = client_new(PORT);
	client_send(c, hello, sizeof(hello));
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 400);
	client_free(c);
	c = client_new(PORT);
	client_send(c, nuls, sizeof(nuls));
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 400);
	assert_true(client_is_closed(c, 5000));
	client_free(c);
}

/* What all of the above has left: no waiting, no trouble. */
static int
teardown(void **state)
{
	const struct ocsp_counts *counts = running.counts;

	worker_stop_untroubled();
	assert_int_equal(counts->cured_slashes, 1);
	assert_int_equal(counts->cured_escapes, 3);
	assert_int_equal(counts->cured_alphabet, 4);
	assert_true(counts->successful > 20);
	return worker_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_escaped),
		cmocka_unit_test(get_raw),
		cmocka_unit_test(get_lower_hex),
		cmocka_unit_test(get_mixed),
		cmocka_unit_test(get_space),
		cmocka_unit_test(get_nopad),
		cmocka_unit_test(get_b64url),
		cmocka_unit_test(get_double_slash_lead),
		cmocka_unit_test(get_collapsed),
		cmocka_unit_test(get_double_escaped),
		cmocka_unit_test(get_query),
		cmocka_unit_test(get_prefix),
		cmocka_unit_test(get_root),
		cmocka_unit_test(get_garbage),
		cmocka_unit_test(get_over_255),
		cmocka_unit_test(get_huge),
		cmocka_unit_test(header_huge),
		cmocka_unit_test(get_absform),
		cmocka_unit_test(http10),
		cmocka_unit_test(http10_ka),
		cmocka_unit_test(http11_close),
		cmocka_unit_test(http11_nohost),
		cmocka_unit_test(http09_junk),
	};

	return cmocka_run_group_tests(tests, worker_setup_started, teardown);
}
