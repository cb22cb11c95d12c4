/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the responder read HTTP as RFC 9112 has it, refuse what two readers
 * could understand differently, and write the fields of RFC 9919?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ocsp/http.h"
#include "ocsp/http_date.h"
#include "ocsp/http_reply.h"

/* On the heap, exactly as long as it is, so that a sanitizer sees every octet
 * read behind it. */
static uint8_t *
exact_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

static int
parse_bytes(const void *bytes, size_t len, struct http_request *request)
{
	uint8_t *copy = exact_copy(bytes, len);
	int rv = http_request_parse(copy, len, request);

	free(copy);
	return rv;
}

static int
parse(const char *head)
{
	struct http_request request;

	return parse_bytes(head, strlen(head), &request);
}

struct good {
	const char *head;
	enum http_method method;
	const char *target;
	enum http_framing framing;
	uint32_t length;
	bool keep_alive, expects_continue;
};

static const struct good goods[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_GET, "/", HTTP_NO_BODY, 0,
	    true, false },
	{ "HEAD /a HTTP/1.1\r\nhost:a:80\r\n\r\n", HTTP_HEAD, "/a",
	    HTTP_NO_BODY, 0, true, false },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_GET, "/", HTTP_NO_BODY, 0,
	    true, false },
	/* http10 */
	{ "GET /a HTTP/1.0\r\n\r\n", HTTP_GET, "/a", HTTP_NO_BODY, 0, false,
	    false },
	/* http10-ka */
	{ "GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_GET, "/a",
	    HTTP_NO_BODY, 0, true, false },
	{ "GET /a HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", HTTP_GET,
	    "/a", HTTP_NO_BODY, 0, false, false },
	{ "GET /a HTTP/1.1\r\nHost: a\r\nConnection: te ,Close\r\n\r\n",
	    HTTP_GET, "/a", HTTP_NO_BODY, 0, false, false },
	/* A later 1.x is spoken to as 1.1 is. */
	{ "GET /a HTTP/1.7\r\nHost: a\r\n\r\n", HTTP_GET, "/a", HTTP_NO_BODY,
	    0, true, false },
	/* get-absform */
	{ "GET http://ocsp.example:80/MF HTTP/1.1\r\nHost: b\r\n\r\n",
	    HTTP_GET, "/MF", HTTP_NO_BODY, 0, true, false },
	{ "GET HTTP://[::1]?x HTTP/1.1\r\nHost: b\r\n\r\n", HTTP_GET, "?x",
	    HTTP_NO_BODY, 0, true, false },
	{ "POST http://ocsp.example HTTP/1.1\r\nHost: b\r\n"
	    "Content-Length: 0\r\n\r\n", HTTP_POST, "/", HTTP_NO_BODY, 0, true,
	    false },
	/* get-space: a client's plus */
	{ "GET /MF w/ x HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_GET, "/MF w/ x",
	    HTTP_NO_BODY, 0, true, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 83\r\n\r\n",
	    HTTP_POST, "/", HTTP_LENGTH, 83, true, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n"
	    "content-length:\t007 \r\n\r\n", HTTP_POST, "/", HTTP_LENGTH, 7,
	    true, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n",
	    HTTP_POST, "/", HTTP_LENGTH, 65536, true, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
	    HTTP_POST, "/", HTTP_CHUNKED, 0, true, false },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked,\r\n"
	    "\r\n", HTTP_POST, "/", HTTP_CHUNKED, 0, true, false },
	/* expect-100; an HTTP/1.0 client cannot mean it */
	{ "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
	    "Content-Length: 9\r\n\r\n", HTTP_POST, "/", HTTP_LENGTH, 9, true,
	    true },
	{ "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
	    "Content-Length: 9\r\n\r\n", HTTP_POST, "/", HTTP_LENGTH, 9, false,
	    false },
	/* A body where there should be none is read, not mistaken. */
	{ "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", HTTP_GET,
	    "/", HTTP_LENGTH, 2, true, false },
	{ "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OTHER, "*",
	    HTTP_NO_BODY, 0, true, false },
	{ "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OTHER, "a:1",
	    HTTP_NO_BODY, 0, true, false },
	{ "get / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_OTHER, "/", HTTP_NO_BODY,
	    0, true, false },
	/* Fields of other people, obs-text, names that begin like ours. */
	{ "GET / HTTP/1.1\r\nHost: a\r\nHosts: b c\r\nX: \xc3\xa4\r\n\r\n",
	    HTTP_GET, "/", HTTP_NO_BODY, 0, true, false },
};

static void
test_good_heads(void **state)
{
	struct http_request r;
	size_t i, len, cut;
	uint8_t *copy;

	(void)state;
	for (i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		const struct good *g = &goods[i];

		len = strlen(g->head);
		copy = exact_copy(g->head, len);
		assert_int_equal(http_request_parse(copy, len, &r), len);
		assert_int_equal(r.method, g->method);
		assert_int_equal(r.target.len, strlen(g->target));
		assert_memory_equal(r.target.p, g->target, r.target.len);
		assert_int_equal(r.framing, g->framing);
		assert_int_equal(r.content_length, g->length);
		assert_int_equal(r.keep_alive, g->keep_alive);
		assert_int_equal(r.expects_continue, g->expects_continue);
		free(copy);
		/* However it arrives: nothing too early, nothing too late. */
		for (cut = 0; cut < len; cut++)
			assert_int_equal(parse_bytes(g->head, cut, &r), 0);
	}
}

struct bad {
	const char *head;
	int status;
};

static const struct bad bads[] = {
	/* http09/junk */
	{ "GET /x\r\n", 400 }, { "GET\r\n", 400 }, { "\x16\x03\x01", 400 },
	{ " GET / HTTP/1.1\r\n", 400 }, { "G@T ", 400 }, { "\n", 400 },
	{ "GET  HTTP/1.1\r\n", 400 }, { "GET / http/1.1\r\n", 400 },
	{ "GET / HTTP/11\r\n", 400 }, { "GET / HTTP/1.1 \r\n", 400 },
	{ "GET / HTTP/1.1\n", 400 }, { "GET / HTTP/1.1\r ", 400 },
	{ "GET /\x01 ", 400 }, { "GET /\x7f ", 400 }, { "GET /\xc3", 400 },
	{ "GET /\t", 400 }, { "GET x HTTP/1.1\r\n", 400 },
	{ "GET * HTTP/1.1\r\n", 400 }, { "GET http:// HTTP/1.1\r\n", 400 },
	{ "GET http:/// HTTP/1.1\r\n", 400 },
	{ "GET http://u@a/ HTTP/1.1\r\n", 400 },
	{ "GET ftp://a/ HTTP/1.1\r\n", 400 },
	{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400 },
	{ "PRI * HTTP/2.0\r\n", 505 }, { "GET / HTTP/0.9\r\n", 505 },
	/* http11-nohost, and two of them, and what is none */
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400 },
	{ "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a,b\r\n", 400 },
	/* obs-fold, and what else a line must not begin with */
	{ "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb", 400 },
	{ "GET / HTTP/1.1\r\n Host: a\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost : a\r\n", 400 },
	{ "GET / HTTP/1.1\r\n: a\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\n\rx", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\rb", 400 },
	{ "GET / HTTP/1.1\r\nX: \x01", 400 },
	{ "GET / HTTP/1.1\r\nX: \x7f", 400 },
	{ "GET / HTTP/1.1\r\nX-\xc3", 400 },
	/* cl+te, in either order */
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	    "Content-Length: 5\r\n\r\n", 400 },
	/* dup-cl, and what is no length */
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
	    "Content-Length: 6\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: +5\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: -5\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 5 5\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length:\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 5\v\r\n", 400 },
	/* Codings. */
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n"
	    "\r\n", 501 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
	    501 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
	    501 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \vchunked\r\n",
	    400 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n", 400 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked"
	    "\r\n", 400 },
	{ "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
	    "Transfer-Encoding: chunked\r\n", 400 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	/* cl-missing */
	{ "POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411 },
	{ "POST / HTTP/1.0\r\n\r\n", 411 },
	/* body-big */
	{ "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 18446744073709551616\r\n\r\n", 413 },
	{ "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 99999999999999999999999999\r\n\r\n", 413 },
	/* expect-bogus */
	{ "POST / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n"
	    "Content-Length: 5\r\n\r\n", 417 },
};

static void
test_bad_heads(void **state)
{
	struct http_request r;
	size_t i, cut;
	int rv;

	(void)state;
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		rv = parse(bads[i].head);
		if (rv != -bads[i].status)
			fail_msg("case %zu: %d, not %d: %s", i, rv,
			    -bads[i].status, bads[i].head);
		/* Never taken before it is seen to be bad. */
		for (cut = 0; cut < strlen(bads[i].head); cut++)
			assert_true(parse_bytes(bads[i].head, cut, &r) <= 0);
	}
	assert_int_equal(parse_bytes("GET /\0 ", 7, &r), -400);
	assert_int_equal(parse_bytes("GET / HTTP/1.1\r\nHost: a\0", 24, &r),
	    -400);
	assert_int_equal(parse_bytes("\0", 1, &r), -400);
}

/* get-huge, and the longest that is allowed. */
static void
test_target_limit(void **state)
{
	static char head[HTTP_HEAD_MAX + 64];
	struct http_request r;
	size_t len;

	(void)state;
	memcpy(head, "GET /", 5);
	memset(head + 5, 'A', HTTP_TARGET_MAX);
	strcpy(head + 4 + HTTP_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
	len = strlen(head);
	assert_int_equal(parse_bytes(head, len, &r), len);
	strcpy(head + 5 + HTTP_TARGET_MAX, " HTTP/1.1\r\nHost: a\r\n\r\n");
	head[4 + HTTP_TARGET_MAX] = 'A';
	assert_int_equal(parse(head), -414);
	/* Without an end in sight it is said all the same. */
	memset(head, 'A', sizeof(head));
	memcpy(head, "GET /", 5);
	assert_int_equal(parse_bytes(head, 9 * 1024, &r), -414);
	assert_int_equal(parse_bytes(head, HTTP_HEAD_MAX, &r), -414);
}

static void
test_header_limit(void **state)
{
	static const char line[] = "GET / HTTP/1.0\r\n";
	static char head[3 * HTTP_HEADER_MAX];
	struct http_request r;
	size_t line_len = sizeof(line) - 1, len;

	(void)state;
	memset(head, 'a', sizeof(head));
	memcpy(head, line, line_len);
	memcpy(head + line_len, "X: ", 3);
	len = line_len + HTTP_HEADER_MAX;
	memcpy(head + len - 4, "\r\n\r\n", 4);
	assert_int_equal(parse_bytes(head, len, &r), len);
	assert_int_equal(parse_bytes(head, sizeof(head), &r), len);
	memset(head + len - 4, 'a', 4);
	assert_int_equal(parse_bytes(head, len - 1, &r), 0);
	assert_int_equal(parse_bytes(head, len, &r), -431);
	memcpy(head + len - 3, "\r\n\r\n", 4);
	assert_int_equal(parse_bytes(head, len + 1, &r), -431);
}

static void
test_fields(void **state)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n"
	    "If-None-Match: \"b\" \r\nCONTENT-TYPE: application/ocsp-request"
	    " ; charset=x\r\nIf-Modified-Since:\tyesterday\r\n\r\nGET";
	struct http_request r;

	(void)state;
	assert_int_equal(http_request_parse((const uint8_t *)head,
	    sizeof(head) - 1, &r), sizeof(head) - 4);
	assert_true(der_bytes_equal(r.if_none_match, DER_LITERAL("\"b\"")));
	assert_true(der_bytes_equal(r.if_modified_since,
	    DER_LITERAL("yesterday")));
	assert_true(http_media_type_is(r.content_type,
	    "Application/OCSP-Request"));
	assert_false(http_media_type_is(r.content_type, "application/ocsp"));
	assert_false(http_media_type_is((struct der_bytes){ NULL, 0 }, "a/b"));
	assert_int_equal(http_blank_len((const uint8_t *)"\r\n\r\n\rG", 6), 4);
	assert_int_equal(http_blank_len((const uint8_t *)"\nG", 2), 0);
	/* Cut in the middle of such a line. */
	assert_int_equal(http_request_parse((const uint8_t *)"\r", 1,
	    &r), 0);
	assert_int_equal(http_request_parse((const uint8_t *)"\rG", 2,
	    &r), -400);
}

struct body {
	const char *wire;
	int rv;
	const char *body, *rest;
};

static const struct body bodies[] = {
	{ "0\r\n\r\n", 1, "", "" },
	{ "5\r\nhello\r\n0\r\n\r\nGET", 1, "hello", "GET" },
	{ "1\r\nh\r\n1\r\ne\r\n003\r\nllo\r\n000\r\n\r\n", 1, "hello", "" },
	{ "a;x=\"y\"\r\n0123456789\r\nA \r\n0123456789\r\n0;last\r\n\r\n", 1,
	    "01234567890123456789", "" },
	{ "2\r\n\r\n\r\n0\r\nTrailer: 1\r\nX:\r\n\r\n\r\n", 1, "\r\n",
	    "\r\n" },
	{ "10000\r\n", 0, NULL, NULL }, { "10001\r\n", -413, NULL, NULL },
	{ "ffffffff\r\n", -413, NULL, NULL },
	{ "100000000\r\n", -400, NULL, NULL },
	{ "000000000\r\n", -400, NULL, NULL },
	{ "1\r\nh\r\n10000\r\n", -413, NULL, NULL },
	{ "\r\n", -400, NULL, NULL }, { "x\r\n", -400, NULL, NULL },
	{ "-1\r\n", -400, NULL, NULL }, { "0x5\r\n", -400, NULL, NULL },
	{ " 5\r\n", -400, NULL, NULL }, { "5\nhello", -400, NULL, NULL },
	{ "5\r\rhello", -400, NULL, NULL },
	{ "5;a\nb", -400, NULL, NULL }, { "5;\x7f", -400, NULL, NULL },
	{ "5\r\nhellox", -400, NULL, NULL },
	{ "5\r\nhello\n", -400, NULL, NULL },
	{ "5\r\nhello\rx", -400, NULL, NULL },
	{ "0\r\n\rx", -400, NULL, NULL }, { "0\r\n a: b", -400, NULL, NULL },
	{ "0\r\n\n", -400, NULL, NULL }, { "0\r\nX: a\n", -400, NULL, NULL },
	{ "5\r\nhell", 0, NULL, NULL },
};

/* Fed in pieces of this many octets, the way a connection does it. */
static int
feed(const char *wire, size_t piece, struct http_chunked *c, uint8_t *buffer)
{
	size_t len = strlen(wire), at = 0, n, used = 0;
	int rv = 0;

	memset(c, 0, sizeof(*c));
	while (at < len && rv == 0) {
		n = len - at < piece ? len - at : piece;
		memcpy(buffer + c->len, wire + at, n);
		at += n;
		rv = http_chunked_decode(c, buffer, c->len + n, &used);
	}
	return rv;
}

static void
test_chunked(void **state)
{
	uint8_t buffer[256];
	struct http_chunked c;
	size_t i, piece, used;
	int rv;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct body *b = &bodies[i];

		for (piece = 1; piece <= strlen(b->wire); piece++) {
			memset(&c, 0, sizeof(c));
			rv = feed(b->wire, piece, &c, buffer);
			if (rv != b->rv)
				fail_msg("%s in %zu: %d", b->wire, piece, rv);
			if (rv <= 0)
				continue;
			assert_int_equal(c.len, strlen(b->body));
			assert_memory_equal(buffer, b->body, c.len);
		}
		if (b->rv <= 0)
			continue;
		memset(&c, 0, sizeof(c));
		memcpy(buffer, b->wire, strlen(b->wire));
		assert_int_equal(http_chunked_decode(&c, buffer,
		    strlen(b->wire), &used), 1);
		assert_string_equal(b->wire + used, b->rest);
	}
}

/* What is not data is bounded: extensions and trailers together. */
static void
test_chunked_extra(void **state)
{
	static uint8_t buffer[HTTP_HEADER_MAX + 64];
	struct http_chunked c = { .state = HTTP_CHUNK_SIZE };
	size_t used;

	(void)state;
	memset(buffer, 'x', sizeof(buffer));
	memcpy(buffer, "5;", 2);
	assert_int_equal(http_chunked_decode(&c, buffer, HTTP_HEADER_MAX,
	    &used), 0);
	assert_int_equal(http_chunked_decode(&c, buffer, 32, &used), -431);
	memset(&c, 0, sizeof(c));
	memcpy(buffer, "0\r\n", 3);
	assert_int_equal(http_chunked_decode(&c, buffer, sizeof(buffer),
	    &used), -431);
}

static void
test_dates(void **state)
{
	static const char *const bad[] = {
		"", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Nox 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT", "784111777",
		"Sun Nov 06 08:49:37 94  ", "Sun, 6 Nov 1994 08:49:37 GMT",
	};
	static const char *const good[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
	};
	char date[HTTP_DATE_LEN + 1] = "", expected[64];
	int64_t at, back;
	struct tm tm;
	time_t t;
	size_t i;

	(void)state;
	for (at = -86400 * 800; at < INT64_C(4102444800); at += 86400 * 3 + 7) {
		t = (time_t)at;
		assert_non_null(gmtime_r(&t, &tm));
		strftime(expected, sizeof(expected),
		    "%a, %d %b %Y %H:%M:%S GMT", &tm);
		http_date_format(at, date);
		assert_string_equal(date, expected);
		assert_true(http_date_parse((struct der_bytes){
		    (uint8_t *)date, HTTP_DATE_LEN }, 0, &back));
		assert_true(back == at);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(http_date_parse((struct der_bytes){
		    (const uint8_t *)good[i], strlen(good[i]) }, 1000000000,
		    &at));
		assert_int_equal(at, 784111777);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_date_parse((struct der_bytes){
		    (const uint8_t *)bad[i], strlen(bad[i]) }, 1000000000,
		    &at));
}

#define NOW INT64_C(1764000000)

static struct ocsp_reply
cacheable(void)
{
	struct ocsp_reply reply = { .len = 278, .status = OCSP_SUCCESSFUL,
	    .modified_at = NOW - 3600, .next_update = NOW + 86400,
	    .is_cacheable = true };

	memset(reply.etag, 0xa5, sizeof(reply.etag));
	return reply;
}

#define ETAG "\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\""

/* dates-gmt, max-age-bound, RFC 9919 7.2 */
static void
test_answer_head(void **state)
{
	struct ocsp_reply reply = cacheable();
	struct http_now now = { 0 };
	char out[HTTP_REPLY_MAX + 1];
	size_t len;

	(void)state;
	http_now_set(&now, NOW);
	len = http_put_answer_head(&now, &reply, 0, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_string_equal(out, "HTTP/1.1 200 OK\r\n"
	    "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\n"
	    "Content-Type: application/ocsp-response\r\n"
	    "Content-Length: 278\r\n"
	    "Last-Modified: Mon, 24 Nov 2025 15:00:00 GMT\r\n"
	    "Expires: Tue, 25 Nov 2025 16:00:00 GMT\r\n"
	    "ETag: " ETAG "\r\n"
	    "Cache-Control: max-age=86400, public, no-transform,"
	    " must-revalidate\r\n\r\n");
	/* The same answer, later; and too late. */
	http_now_set(&now, NOW + 86399);
	len = http_put_answer_head(&now, &reply, 0, HTTP_KEEPS_ALIVE,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_non_null(strstr(out, "Date: Tue, 25 Nov 2025 15:59:59 GMT\r\n"));
	assert_non_null(strstr(out, "max-age=1,"));
	assert_non_null(strstr(out, "Connection: keep-alive\r\n"));
	http_now_set(&now, NOW + 86401);
	len = http_put_answer_head(&now, &reply, 0, HTTP_CLOSES,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_non_null(strstr(out, "max-age=0,"));
	assert_non_null(strstr(out, "Connection: close\r\n"));
}

/* err-nostore, nonce-nocache */
static void
test_uncacheable_head(void **state)
{
	struct ocsp_reply reply = cacheable();
	struct http_now now = { 0 };
	char out[HTTP_REPLY_MAX + 1];
	size_t len;

	(void)state;
	http_now_set(&now, NOW);
	reply.is_cacheable = false;
	len = http_put_answer_head(&now, &reply, 0, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_string_equal(out, "HTTP/1.1 200 OK\r\n"
	    "Date: Mon, 24 Nov 2025 16:00:00 GMT\r\n"
	    "Content-Type: application/ocsp-response\r\n"
	    "Content-Length: 278\r\nCache-Control: no-store\r\n\r\n");
	reply.status = OCSP_TRY_LATER;
	reply.is_cacheable = true;	/* an error never is */
	reply.len = 5;
	len = http_put_answer_head(&now, &reply, 7, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_non_null(strstr(out, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(out, "Retry-After: 7\r\n"));
	assert_null(strstr(out, "ETag"));
	reply.status = OCSP_UNAUTHORIZED;
	len = http_put_answer_head(&now, &reply, 7, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_null(strstr(out, "Retry-After"));
}

static bool
is_not_modified(enum http_method method, const char *none_match,
    const char *since)
{
	struct ocsp_reply reply = cacheable();
	struct http_request r = { .method = method };

	if (none_match != NULL)
		r.if_none_match = (struct der_bytes){
		    (const uint8_t *)none_match, strlen(none_match) };
	if (since != NULL)
		r.if_modified_since = (struct der_bytes){
		    (const uint8_t *)since, strlen(since) };
	return http_is_not_modified(&r, &reply, NOW);
}

/* etag-304, ims-304 */
static void
test_conditions(void **state)
{
	static const char at[] = "Mon, 24 Nov 2025 15:00:00 GMT";
	static const char before[] = "Mon, 24 Nov 2025 14:59:59 GMT";
	struct ocsp_reply reply = cacheable();
	struct http_request r = { .method = HTTP_GET,
	    .if_none_match = DER_LITERAL("*") };

	(void)state;
	assert_true(is_not_modified(HTTP_GET, ETAG, NULL));
	assert_true(is_not_modified(HTTP_HEAD, "W/" ETAG, NULL));
	assert_true(is_not_modified(HTTP_GET, "\"x\", \"\" ," ETAG, NULL));
	assert_true(is_not_modified(HTTP_GET, "*", NULL));
	assert_true(is_not_modified(HTTP_GET, NULL, at));
	assert_false(is_not_modified(HTTP_GET, NULL, NULL));
	assert_false(is_not_modified(HTTP_POST, ETAG, NULL));
	assert_false(is_not_modified(HTTP_GET, "\"a5a5\"", NULL));
	assert_false(is_not_modified(HTTP_GET, "\"", NULL));
	assert_false(is_not_modified(HTTP_GET, "a5", NULL));
	assert_false(is_not_modified(HTTP_GET,
	    "\"A5A5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\"", NULL));
	assert_false(is_not_modified(HTTP_GET, NULL, before));
	assert_false(is_not_modified(HTTP_GET, NULL, "now"));
	/* The tag goes before the date. */
	assert_false(is_not_modified(HTTP_GET, "\"x\"", at));
	assert_true(http_is_not_modified(&r, &reply, NOW));
	reply.is_cacheable = false;
	assert_false(http_is_not_modified(&r, &reply, NOW));
	reply.is_cacheable = true;
	reply.status = OCSP_TRY_LATER;
	assert_false(http_is_not_modified(&r, &reply, NOW));
}

static void
test_other_replies(void **state)
{
	struct ocsp_reply reply = cacheable();
	struct http_now now = { 0 };
	char out[HTTP_REPLY_MAX + 1], *end;
	size_t len, length;

	(void)state;
	http_now_set(&now, NOW);
	len = http_put_not_modified(&now, &reply, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_int_equal(strncmp(out, "HTTP/1.1 304 Not Modified\r\n", 27), 0);
	assert_non_null(strstr(out, "ETag: " ETAG "\r\n"));
	assert_non_null(strstr(out, "Cache-Control: max-age=86400, public"));
	assert_non_null(strstr(out, "Expires: Tue, 25 Nov 2025"));
	assert_non_null(strstr(out, "Date: "));
	assert_null(strstr(out, "Content-"));
	assert_string_equal(out + len - 4, "\r\n\r\n");
	/* options/put/delete */
	len = http_put_status(&now, 405, HTTP_OTHER, HTTP_PERSISTS,
	    (uint8_t *)out);
	out[len] = '\0';
	assert_non_null(strstr(out, "\r\nAllow: GET, HEAD, POST\r\n"));
	assert_non_null(strstr(out, "Cache-Control: no-store\r\n"));
	assert_non_null(strstr(out, "\r\n\r\nMethod Not Allowed\n"));
	assert_non_null(strstr(out, "Content-Length: 19\r\n"));
	/* head, get-root */
	len = http_put_page(&now, HTTP_GET, HTTP_CLOSES, (uint8_t *)out);
	out[len] = '\0';
	end = strstr(out, "\r\n\r\n");
	assert_non_null(end);
	length = strtoul(strstr(out, "Content-Length: ") + 16, NULL, 10);
	assert_int_equal(length, strlen(end + 4));
	assert_non_null(strstr(out, "no-store"));
	len = http_put_page(&now, HTTP_HEAD, HTTP_CLOSES, (uint8_t *)out);
	out[len] = '\0';
	assert_string_equal(out + len - 4, "\r\n\r\n");
	assert_int_equal(strtoul(strstr(out, "Content-Length: ") + 16, NULL,
	    10), length);
	len = http_put_continue((uint8_t *)out);
	out[len] = '\0';
	assert_string_equal(out, "HTTP/1.1 100 Continue\r\n\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_heads),
		cmocka_unit_test(test_bad_heads),
		cmocka_unit_test(test_target_limit),
		cmocka_unit_test(test_header_limit),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_chunked_extra),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_answer_head),
		cmocka_unit_test(test_uncacheable_head),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_other_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
