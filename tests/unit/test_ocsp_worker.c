/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder answer what HTTP clients really send?  Each test is named
 * after its case; all of them talk to one worker over the loopback.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <netinet/in.h>
#include <regex.h>
#include <stdio.h>
#include <sys/socket.h>

static struct world world;
static struct running running;
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

/* Sends a head; reads the answer, which must be this and the last. */
static void
expect_refusal(const char *text, int status)
{
	struct client *c = client_new(PORT);

	client_send_text(c, text);
	if (!client_read(c, false, &r))
		fail_msg("no answer to %.40s", text);
	if (r.status != status)
		fail_msg("%d to %.60s", r.status, text);
	assert_field(&r, "Connection", "close");
	assert_field(&r, "Cache-Control", "no-store");
	assert_true(client_is_closed(c, 5000));
	client_free(c);
}

static void
get_huge(void **state)
{
	static char text[10 * 1024];

	(void)state;
	memset(text, 'A', 9 * 1024);
	memcpy(text, "GET /", 5);
	strcpy(text + 9 * 1024, " HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_refusal(text, 414);
}

static void
header_huge(void **state)
{
	static char text[10 * 1024];

	(void)state;
	memset(text, 'A', 9 * 1024);
	memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
	expect_refusal(text, 431);
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
	expect_refusal("GET / HTTP/1.1\r\n\r\n", 400);
}

static void
http09_junk(void **state)
{
	static const uint8_t hello[] = { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01,
	    0x00, 0x01, 0xfc, 0x03, 0x03 }, nuls[64] = { 0 };
	struct client *c;

	(void)state;
	expect_refusal("GET /x\r\n", 400);
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

static void
get_text(char text[1024])
{
	snprintf(text, 1024, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
	    world.path);
}

static void
keepalive_1000(void **state)
{
	struct client *c = client_new(PORT);
	char text[1024];
	int i;

	(void)state;
	get_text(text);
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
	get_text(text);
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
	get_text(text);
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
	get_text(text);
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
	expect_refusal("POST / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n"
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
	expect_refusal("POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400);
}

static void
cl_te(void **state)
{
	(void)state;
	expect_refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
}

static void
dup_cl(void **state)
{
	(void)state;
	expect_refusal("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
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
	expect_refusal("POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411);
}

static void
body_extra(void **state)
{
	(void)state;
	http_post(PORT, "", blob_join(world.request, blob_hex("0d 0a")), &r);
	assert_ocsp_error(&r, OCSP_MALFORMED_REQUEST);
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

static int
setup(void **state)
{
	(void)state;
	world_init(&world);
	worker_start(&world, NULL, &running);
	return 0;
}

/* What all of the above has left: no descriptor, no waiting, no trouble. */
static int
teardown(void **state)
{
	const struct ocsp_worker_counts *counts = running.counts;

	(void)state;
	worker_stop(&running);
	assert_int_equal(counts->misses, 0);
	assert_int_equal(counts->timeouts, 0);
	assert_int_equal(counts->accept_pauses, 0);
	assert_int_equal(counts->buffers_exhausted, 0);
	assert_int_equal(counts->cured_slashes, 1);
	assert_int_equal(counts->cured_escapes, 3);
	assert_int_equal(counts->cured_alphabet, 4);
	assert_int_equal(counts->not_modified, 2);
	assert_true(counts->successful > 2000);
	world_fini(&world);
	return 0;
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
		cmocka_unit_test(body_big),
		cmocka_unit_test(body_limit),
		cmocka_unit_test(ctype),
		cmocka_unit_test(post_empty),
		cmocka_unit_test(post_get),
		cmocka_unit_test(etag_304),
		cmocka_unit_test(ims_304),
		cmocka_unit_test(dates_gmt),
		cmocka_unit_test(max_age_bound),
		cmocka_unit_test(err_nostore),
		cmocka_unit_test(der_trunc),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
