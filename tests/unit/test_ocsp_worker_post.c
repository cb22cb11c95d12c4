/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder answer what HTTP clients really send: POST in all its
 * forms, conditions, pipelines?  And what it says of its answers, is it true?
 * Each test is named after its case; all of them talk to one worker.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <netinet/in.h>
#include <regex.h>
#include <stdio.h>
#include <sys/socket.h>

static struct response r;

#define PORT running.port

static void
keepalive_1000(void **state)
{
	struct client *c = client_new(PORT);
	char text[1024];
	int i;

	(void)state;
	get_text(world.path, text);
	for (i = 0; i < 1000; i++) {
		client_send_text(c, text);
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
		assert_field(&r, "Connection", NULL);
	}
	client_free(c);
}

/* pipeline-16, in order: every second is another. */
static void
pipeline_16(void **state)
{
	struct client *c = client_new(PORT);
	char text[1024], all[32 * 1024] = "";
	int i;

	(void)state;
	get_text(world.path, text);
	for (i = 0; i < 8; i++) {
		strcat(all, text);
		strcat(all, "GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n");
	}
	client_send_text(c, all);
	for (i = 0; i < 8; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
		assert_true(client_read(c, false, &r));
		assert_int_equal(r.status, 404);
	}
	client_free(c);
}

/* More than one output, and more than one turn. */
static void
pipeline_1000(void **state)
{
	struct client *c = client_new(PORT);
	char text[1024], *all;
	size_t len;
	int i;

	(void)state;
	get_text(world.path, text);
	len = strlen(text);
	all = malloc(1000 * len);
	for (i = 0; i < 1000; i++)
		memcpy(all + (size_t)i * len, text, len);
	/* The answers find room in the sockets' buffers. */
	client_send(c, all, 1000 * len);
	for (i = 0; i < 1000; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	free(all);
	client_free(c);
}

static void
post_text(char head[512], const char *fields, size_t len)
{
	snprintf(head, 512, "POST / HTTP/1.1\r\nHost: a\r\n%s"
	    "Content-Length: %zu\r\n\r\n", fields, len);
}

static void
byte_at_a_time(void **state)
{
	struct client *c = client_new(PORT);
	const int on = 1;
	char head[512];
	size_t i;

	(void)state;
	setsockopt(c->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	post_text(head, "Content-Type: application/ocsp-request\r\n",
	    world.request.len);
	for (i = 0; head[i] != '\0'; i++) {
		client_send(c, head + i, 1);
		usleep(2000);
	}
	for (i = 0; i < world.request.len; i++) {
		client_send(c, world.request.bytes + i, 1);
		usleep(2000);
	}
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	/* The old clients' CR LF behind a body, and on it goes. */
	client_send_text(c, "\r\n");
	usleep(10000);
	client_send_text(c, head);
	client_send(c, world.request.bytes, world.request.len);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
}

static void
head(void **state)
{
	struct client *c = client_new(PORT);
	char text[1024], date[256];
	struct response get;

	(void)state;
	http_get(PORT, world.path, "", &get);
	get_text(world.path, text);
	client_send_text(c, "HEAD");
	client_send_text(c, text + 3);
	client_send_text(c, text);
	assert_true(client_read(c, true, &r));
	assert_int_equal(r.status, 200);
	assert_int_equal(r.content_length, get.len);
	assert_field(&r, "ETag", response_field(&get, "ETag", date));
	assert_field(&r, "Expires", response_field(&get, "Expires", date));
	assert_field(&r, "Last-Modified",
	    response_field(&get, "Last-Modified", date));
	/* What follows is the next answer and no body. */
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
}

static void
options_put_delete(void **state)
{
	static const char *const methods[] = { "OPTIONS", "PUT", "DELETE",
	    "TRACE", "get" };
	struct client *c = client_new(PORT);
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n"
		    "Content-Length: 3\r\n\r\nabc", methods[i]);
		client_send_text(c, text);
		assert_true(client_read(c, false, &r));
		assert_int_equal(r.status, 405);
		assert_field(&r, "Allow", "GET, HEAD, POST");
	}
	client_send_text(c, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 405);
	client_free(c);
}

static void
expect_100(void **state)
{
	struct client *c = client_new(PORT);
	char text[512];

	(void)state;
	post_text(text, "Expect: 100-continue\r\n", world.request.len);
	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 100);
	client_send(c, world.request.bytes, world.request.len);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
}

static void
expect_bogus(void **state)
{
	(void)state;
	http_refused(PORT, "POST / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n"
	    "Content-Length: 5\r\n\r\nhello", 417);
}

static void
send_chunk(struct client *c, const uint8_t *p, size_t len)
{
	char line[64];

	snprintf(line, sizeof(line), "%zX;a=\"b\"\r\n", len);
	client_send_text(c, line);
	client_send(c, p, len);
	client_send_text(c, "\r\n");
}

static void
chunked(void **state)
{
	struct client *c = client_new(PORT);
	size_t at, len, round;

	(void)state;
	for (round = 1; round < 8; round += 2) {
		client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n");
		for (at = 0; at < world.request.len; at += len) {
			len = world.request.len - at;
			if (len > 2 * round - 1)
				len = 2 * round - 1;
			send_chunk(c, world.request.bytes + at, len);
		}
		client_send_text(c, "0\r\nTrailer: 1\r\nOther:2\r\n\r\n");
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	client_free(c);
	http_refused(PORT, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400);
}

static void
cl_te(void **state)
{
	(void)state;
	http_refused(PORT, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

static void
dup_cl(void **state)
{
	(void)state;
	http_refused(PORT, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Content-Length: 6\r\n\r\nhello", 400);
}

static void
cl_short(void **state)
{
	struct client *c = client_new(PORT);
	char text[512];

	(void)state;
	post_text(text, "", world.request.len);
	client_send_text(c, text);
	client_send(c, world.request.bytes, 10);
	shutdown(c->fd, SHUT_WR);
	assert_true(client_is_closed(c, 5000));
	client_free(c);
}

static void
cl_missing(void **state)
{
	(void)state;
	http_refused(PORT, "POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411);
}

static void
body_extra(void **state)
{
	(void)state;
	http_post(PORT, "", blob_join(world.request, blob_hex("0d 0a")), &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
}

static void
tune_tolerant(struct ocsp_worker_options *options)
{
	options->tolerates_crlf = 1;
}

/* body-extra by the other policy: one CR LF and nothing else, and a request
 * that itself ends in these octets keeps them. */
static void
body_extra_tolerated(void **state)
{
	static const char *const others[] = { "00 00", "0d", "0a", "0a 0d",
	    "0d 0a 0d 0a", "0d 0a 00", "00 0d 0a" };
	struct running other = { 0 };
	struct blob lines = blob_hex("0d 0a"), ends_so;
	struct client *c;
	char text[1024];
	size_t i;

	(void)state;
	worker_start(&world, tune_tolerant, &other);
	http_post(other.port, "", world.request, &r);
	assert_body(&r, world.answer);
	http_post(other.port, "", blob_join(world.request, lines), &r);
	assert_body(&r, world.answer);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		http_post(other.port, "", blob_join(world.request,
		    blob_hex(others[i])), &r);
		assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	}
	http_post(other.port, "", lines, &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	/* A serial number with CR LF at its end. */
	(void)world_put(&world, "42 0d 0a", OCSP_GOOD, world.now - 60,
	    world.now + 600);
	ends_so = world_request(&world, "42 0d 0a", 0);
	assert_memory_equal(ends_so.bytes + ends_so.len - 2, "\r\n", 2);
	http_post(other.port, "", ends_so, &r);
	assert_int_equal(world_verify(&world, ends_so, r.body, r.len),
	    V_OCSP_CERTSTATUS_GOOD);
	http_post(other.port, "", blob_join(ends_so, lines), &r);
	assert_int_equal(world_verify(&world, ends_so, r.body, r.len),
	    V_OCSP_CERTSTATUS_GOOD);
	/* In chunks; the next request on the connection is found. */
	c = client_new(other.port);
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	send_chunk(c, world.request.bytes, world.request.len);
	send_chunk(c, lines.bytes, lines.len);
	client_send_text(c, "0\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	get_text(world.path, text);
	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
	/* A path has no lines. */
	world_path(blob_join(world.request, lines), text, sizeof(text));
	http_get(other.port, text, "", &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	worker_stop(&other);
}

/* The answer comes before the body has, and is not lost to a reset. */
static void
body_big(void **state)
{
	static uint8_t body[1024 * 1024];
	struct client *c = client_new(PORT);

	(void)state;
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 1048576\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 413);
	client_free(c);
	c = client_new(PORT);
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 1048576\r\n\r\n");
	client_send(c, body, sizeof(body));
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 413);
	client_free(c);
}

/* The largest that is read; it is answered, though with an error. */
static void
body_limit(void **state)
{
	static uint8_t body[65536 + 1];
	struct client *c = client_new(PORT);
	char text[512];

	(void)state;
	post_text(text, "", 65536);
	client_send_text(c, text);
	client_send(c, body, 65536);
	assert_true(client_read(c, false, &r));
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	send_chunk(c, body, 30000);
	send_chunk(c, body, 35536);
	client_send_text(c, "0\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	send_chunk(c, body, 30000);
	send_chunk(c, body, 35537);
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 413);
	client_free(c);
}

/* ctype-missing, -wrong, -charset */
static void
ctype(void **state)
{
	static const char *const types[] = { "",
	    "Content-Type: application/x-www-form-urlencoded\r\n",
	    "Content-Type: application/ocsp-request; charset=utf-8\r\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		http_post(PORT, types[i], world.request, &r);
		assert_body(&r, world.answer);
	}
}

static void
tune_refusing(struct ocsp_worker_options *options)
{
	options->refuses_other_types = options->refuses_no_request = 1;
	options->refuses_bare_nonces = options->refuses_no_basic = 1;
}

/* The same by the other policy: 415, and the connection goes on. */
static void
refusing(void **state)
{
	struct running other = { 0 };
	struct client *c;
	char text[1024];

	(void)state;
	worker_start(&world, tune_refusing, &other);
	http_post(other.port, "", world.request, &r);
	assert_int_equal(r.status, 415);
	assert_field(&r, "Cache-Control", "no-store");
	http_post(other.port, "Content-Type: text/plain\r\n", world.request,
	    &r);
	assert_int_equal(r.status, 415);
	http_post(other.port, "Content-Type: Application/OCSP-Request ;"
	    "charset=utf-8\r\n", world.request, &r);
	assert_body(&r, world.answer);
	http_get(other.port, world.path, "", &r);
	assert_body(&r, world.answer);
	http_get(other.port, "/", "", &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	c = client_new(other.port);
	client_send_text(c, "POST http://a HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 2\r\n\r\n0x");
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 415);
	get_text(world.path, text);
	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
	worker_stop(&other);
	assert_int_equal(other.counts->other_content_types, 3);
}

static void
post_empty(void **state)
{
	struct blob empty = { .len = 0 };

	(void)state;
	http_post(PORT, "", empty, &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
}

static void
post_get(void **state)
{
	struct response get;
	char etag[256];

	(void)state;
	http_get(PORT, world.path, "", &get);
	http_post(PORT, "", world.request, &r);
	assert_body(&r, world.answer);
	assert_field(&r, "ETag", response_field(&get, "ETag", etag));
	assert_int_equal(strlen(etag), 34);
}

static void
etag_304(void **state)
{
	char etag[256], fields[512];

	(void)state;
	http_get(PORT, world.path, "", &r);
	response_field(&r, "ETag", etag);
	snprintf(fields, sizeof(fields), "If-None-Match: \"x\", W/%s\r\n",
	    etag);
	http_get(PORT, world.path, fields, &r);
	assert_int_equal(r.status, 304);
	assert_field(&r, "ETag", etag);
	assert_non_null(response_field(&r, "Cache-Control", etag));
	assert_non_null(response_field(&r, "Expires", etag));
	assert_non_null(response_field(&r, "Date", etag));
	http_get(PORT, world.path, "If-None-Match: \"x\"\r\n", &r);
	assert_body(&r, world.answer);
}

static void
ims_304(void **state)
{
	char date[256], fields[512];

	(void)state;
	http_get(PORT, world.path, "", &r);
	response_field(&r, "Last-Modified", date);
	snprintf(fields, sizeof(fields), "If-Modified-Since: %s\r\n", date);
	http_get(PORT, world.path, fields, &r);
	assert_int_equal(r.status, 304);
	http_get(PORT, world.path,
	    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", &r);
	assert_body(&r, world.answer);
}

static void
dates_gmt(void **state)
{
	static const char *const names[] = { "Date", "Expires",
	    "Last-Modified" };
	regex_t regex;
	char value[256];
	size_t i;

	(void)state;
	assert_int_equal(regcomp(&regex, "^[A-Z][a-z]{2}, [0-9]{2} "
	    "[A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT$",
	    REG_EXTENDED | REG_NOSUB), 0);
	http_get(PORT, world.path, "", &r);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(response_field(&r, names[i], value));
		if (regexec(&regex, value, 0, NULL, 0) != 0)
			fail_msg("%s: %s", names[i], value);
	}
	regfree(&regex);
}

static void
max_age_bound(void **state)
{
	int64_t now = oc_clock_now_s(), max_age;
	struct blob answer;
	char path[512], value[256];

	(void)state;
	answer = world_put(&world, "42", OCSP_REVOKED, now - 60, now + 5);
	world_path(world_request(&world, "42", 0), path, sizeof(path));
	http_get(PORT, path, "", &r);
	assert_body(&r, answer);
	response_field(&r, "Cache-Control", value);
	assert_int_equal(strncmp(value, "max-age=", 8), 0);
	max_age = atoi(value + 8);
	assert_in_range(max_age, 0, 5);
	assert_non_null(strstr(value, ", public, no-transform, "
	    "must-revalidate"));
	assert_int_equal(world_verify(&world, world_request(&world, "42", 0),
	    r.body, r.len), V_OCSP_CERTSTATUS_REVOKED);
}

static void
tune_max_age(struct ocsp_worker_options *options)
{
	options->max_age_s = 600;
}

/* By policy: less than the day that the answer is good for, and of one that
 * ends sooner not more than is left of it. */
static void
max_age_policy(void **state)
{
	struct running other = { 0 };
	char path[512], etag[256], value[256];
	int64_t now = oc_clock_now_s();

	(void)state;
	worker_start(&world, tune_max_age, &other);
	http_get(other.port, world.path, "", &r);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "max-age=600, public, no-transform,"
	    " must-revalidate");
	snprintf(path, sizeof(path), "If-None-Match: %s\r\n",
	    response_field(&r, "ETag", etag));
	http_get(other.port, world.path, path, &r);
	assert_int_equal(r.status, 304);
	assert_field(&r, "Cache-Control", "max-age=600, public, no-transform,"
	    " must-revalidate");
	(void)world_put(&world, "43", OCSP_REVOKED, now - 60, now + 300);
	world_path(world_request(&world, "43", 0), path, sizeof(path));
	http_get(other.port, path, "", &r);
	response_field(&r, "Cache-Control", value);
	assert_int_equal(strncmp(value, "max-age=", 8), 0);
	assert_in_range(atoi(value + 8), 200, 300);
	worker_stop(&other);
}

/* err-nostore, over both methods */
static void
err_nostore(void **state)
{
	struct blob wrong = world.request;
	char path[512];

	(void)state;
	wrong.bytes[30] ^= 1;		/* another issuer's */
	world_path(wrong, path, sizeof(path));
	http_get(PORT, path, "", &r);
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	http_post(PORT, "", wrong, &r);
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	wrong.bytes[0] = 0x31;
	http_post(PORT, "", wrong, &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
}

/* der-trunc, as the decoder of a GET lets it through */
static void
der_trunc(void **state)
{
	struct blob cut = world.request;
	char path[512];

	(void)state;
	for (cut.len = world.request.len - 3; cut.len > 2; cut.len--) {
		world_path(cut, path, sizeof(path));
		http_get(PORT, path, "", &r);
		assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
	}
}

/* What all of the above has left: no waiting, no trouble. */
static int
teardown(void **state)
{
	const struct ocsp_counts *counts = running.counts;

	worker_stop_untroubled();
	assert_int_equal(counts->not_modified, 2);
	assert_true(counts->successful > 2000);
	return worker_teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keepalive_1000),
		cmocka_unit_test(pipeline_16),
		cmocka_unit_test(pipeline_1000),
		cmocka_unit_test(byte_at_a_time),
		cmocka_unit_test(head),
		cmocka_unit_test(options_put_delete),
		cmocka_unit_test(expect_100),
		cmocka_unit_test(expect_bogus),
		cmocka_unit_test(chunked),
		cmocka_unit_test(cl_te),
		cmocka_unit_test(dup_cl),
		cmocka_unit_test(cl_short),
		cmocka_unit_test(cl_missing),
		cmocka_unit_test(body_extra),
		cmocka_unit_test(body_extra_tolerated),
		cmocka_unit_test(body_big),
		cmocka_unit_test(body_limit),
		cmocka_unit_test(ctype),
		cmocka_unit_test(refusing),
		cmocka_unit_test(post_empty),
		cmocka_unit_test(post_get),
		cmocka_unit_test(etag_304),
		cmocka_unit_test(ims_304),
		cmocka_unit_test(dates_gmt),
		cmocka_unit_test(max_age_bound),
		cmocka_unit_test(max_age_policy),
		cmocka_unit_test(err_nostore),
		cmocka_unit_test(der_trunc),
	};

	return cmocka_run_group_tests(tests, worker_setup_started, teardown);
}
