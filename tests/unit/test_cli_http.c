/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client of "ocsp query" against replies of every kind: a thread
 * that accepts one connection, reads, and writes what it was told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/http.h"

#define TYPE "Content-Type: application/ocsp-response\r\n"

struct server {
	pthread_t thread;
	int listener;
	char url[96];
	const char *reply;
	size_t reply_len;
	bool stays_open;		/* says nothing more, does not close */
	char request[4096];		/* what came */
};

/* The head, and of a body whatever has come with it or soon after. */
static void
read_request(struct server *s, int fd)
{
	const char *length;
	size_t len = 0, want = 0;

	while (len < sizeof(s->request) - 1) {
		ssize_t n = read(fd, s->request + len,
		    sizeof(s->request) - 1 - len);
		char *end;

		if (n <= 0)
			return;
		len += (size_t)n;
		s->request[len] = '\0';
		end = strstr(s->request, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strstr(s->request, "Content-Length: ");
		want = (size_t)(end + 4 - s->request);
		if (length != NULL)
			want += strtoul(length + 16, NULL, 10);
		if (len >= want)
			return;
	}
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char octet;

	if (fd < 0)
		return NULL;
	read_request(s, fd);
	if (write(fd, s->reply, s->reply_len) != (ssize_t)s->reply_len)
		s->request[0] = '\0';
	/* Until the client gives up. */
	if (s->stays_open)
		(void)!read(fd, &octet, 1);
	(void)close(fd);
	return NULL;
}

static void
start(struct server *s, const char *reply, size_t len)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t address_len = sizeof(address);

	memset(s, 0, sizeof(*s));
	s->reply = reply;
	s->reply_len = len;
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address,
	    address_len), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(getsockname(s->listener,
	    (struct sockaddr *)&address, &address_len), 0);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/ocsp",
	    ntohs(address.sin_port));
}

static void
run(struct server *s)
{
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop(struct server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->listener);
}

static enum oc_err
ask(const char *url, enum cli_http_method method, int64_t ms, uint8_t **body,
    size_t *len, struct oc_error *error)
{
	static const uint8_t request[] = { 0x30, 0x03, 0xfb, 0xff, 0xbf };

	*error = (struct oc_error){ 0 };
	return cli_http_ask(url, method, DER_ARRAY(request),
	    oc_clock_mono_ns() + ms * OC_NS_PER_MS, body, len, error);
}

static void
check_good(const char *reply, size_t reply_len, const char *expected)
{
	struct oc_error error;
	struct server s;
	uint8_t *body;
	size_t len;

	start(&s, reply, reply_len);
	run(&s);
	if (ask(s.url, CLI_HTTP_POST, 5000, &body, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	stop(&s);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(body, expected, len);
	free(body);
}

static void
test_good(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\n" TYPE "Content-Length: 3\r\n\r\nabc",
		"HTTP/1.0 200 OK\r\n" TYPE "\r\nabc",
		"HTTP/1.1 200 \r\ncontent-type:application/ocsp-response; x=y"
		"\r\ncontent-length:   3  \r\n\r\nabcdef",
		"HTTP/1.1 200 OK\r\n" TYPE "Transfer-Encoding: chunked\r\n"
		"\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		check_good(replies[i], strlen(replies[i]), "abc");
}

static void
check_bad(const char *reply, size_t reply_len, enum oc_err expected)
{
	struct oc_error error;
	struct server s;
	uint8_t *body = NULL;
	size_t len;
	enum oc_err err;

	start(&s, reply, reply_len);
	run(&s);
	err = ask(s.url, CLI_HTTP_POST, 5000, &body, &len, &error);
	stop(&s);
	if (err != expected)
		fail_msg("%.60s: %s (%s)", reply, oc_strerror(err),
		    error.text);
	assert_null(body);
	assert_true(strlen(error.text) > 0);
}

static void
test_bad(void **state)
{
	static const struct {
		const char *reply;
		enum oc_err err;
	} cases[] = {
		{ "", OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n", OC_ERR_MALFORMED },
		{ "SSH-2.0-x\r\n\r\n", OC_ERR_MALFORMED },
		{ "HTTP/2 200 OK\r\n" TYPE "\r\nabc", OC_ERR_MALFORMED },
		{ "HTTP/1.1\r\n\r\n", OC_ERR_MALFORMED },
		{ "HTTP/1.1 404 Not Found\r\n" TYPE "\r\nabc",
		    OC_ERR_REFUSED },
		{ "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n",
		    OC_ERR_REFUSED },
		{ "HTTP/1.1 200 OK\r\n\r\nabc", OC_ERR_REFUSED },
		{ "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nabc",
		    OC_ERR_REFUSED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Content-Length: 4\r\n\r\nabc",
		    OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Content-Length: -1\r\n\r\nabc",
		    OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Content-Length: 3x\r\n\r\nabc",
		    OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Content-Length:\r\n\r\nabc",
		    OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Transfer-Encoding: gzip\r\n\r\n"
		    "abc", OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Transfer-Encoding: chunked\r\n"
		    "\r\n3\r\nab", OC_ERR_MALFORMED },
		{ "HTTP/1.1 200 OK\r\n" TYPE "Transfer-Encoding: chunked\r\n"
		    "\r\nxyz\r\n", OC_ERR_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_bad(cases[i].reply, strlen(cases[i].reply),
		    cases[i].err);
}

/* A head, or a body, without an end. */
static void
test_too_long(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n" TYPE "\r\n";
	size_t len = 200 * 1024;
	char *reply = malloc(len);

	(void)state;
	assert_non_null(reply);
	memset(reply, 'a', len);
	check_bad(reply, 20 * 1024, OC_ERR_MALFORMED);
	memcpy(reply, head, sizeof(head) - 1);
	check_bad(reply, len, OC_ERR_LIMIT);
	free(reply);
}

/* It answers half, then nothing more. */
static void
test_timeout(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\n";
	struct oc_error error;
	struct server s;
	uint8_t *body = NULL;
	int64_t began_ns;
	size_t len;

	(void)state;
	start(&s, reply, sizeof(reply) - 1);
	s.stays_open = true;
	run(&s);
	began_ns = oc_clock_mono_ns();
	assert_int_equal(ask(s.url, CLI_HTTP_POST, 300, &body, &len, &error),
	    OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - began_ns >= 250 * OC_NS_PER_MS);
	stop(&s);
	assert_null(body);
}

static void
test_nobody(void **state)
{
	struct oc_error error;
	struct server s;
	uint8_t *body = NULL;
	size_t len;

	(void)state;
	start(&s, "", 0);
	(void)close(s.listener);
	assert_int_equal(ask(s.url, CLI_HTTP_GET, 2000, &body, &len, &error),
	    OC_ERR_DOWN);
	assert_null(body);
}

/* What is sent, octet for octet where it matters. */
static void
test_requests(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\n" TYPE
	    "Content-Length: 1\r\n\r\na";
	char expected[256];
	struct oc_error error;
	struct server s;
	uint8_t *body;
	size_t len;

	(void)state;
	start(&s, reply, sizeof(reply) - 1);
	run(&s);
	assert_int_equal(ask(s.url, CLI_HTTP_GET, 5000, &body, &len, &error),
	    OC_OK);
	stop(&s);
	free(body);
	/* 30 03 fb ff bf is MAP7/78=: '/' and '=' mean something in a URL. */
	(void)snprintf(expected, sizeof(expected), "GET /ocsp/MAP7%%2F78%%3D "
	    "HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
	    (int)strcspn(s.url + 7, "/"), s.url + 7);
	assert_string_equal(s.request, expected);

	start(&s, reply, sizeof(reply) - 1);
	run(&s);
	assert_int_equal(ask(s.url, CLI_HTTP_POST, 5000, &body, &len,
	    &error), OC_OK);
	stop(&s);
	free(body);
	assert_true(strncmp(s.request, "POST /ocsp HTTP/1.1\r\n", 21) == 0);
	assert_non_null(strstr(s.request,
	    "\r\nContent-Type: application/ocsp-request\r\n"));
	assert_non_null(strstr(s.request, "\r\nContent-Length: 5\r\n"));
}

static void
test_bad_urls(void **state)
{
	static const char *const urls[] = { "", "ocsp.example", "ftp://a/",
	    "https://a/", "http://", "http:///x", "http://:80/",
	    "http://a b/", "http://user@a/", "http://[::1/",
	    "http://[::1]x/", "http://a:123456789/", "http://a\r\nX: y/",
	    "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/a b",
	    "http://127.0.0.1/\xc3\xa4" };
	struct oc_error error;
	uint8_t *body = NULL;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		enum oc_err err = ask(urls[i], CLI_HTTP_GET, 1000, &body,
		    &len, &error);

		if (err != OC_ERR_MALFORMED && err != OC_ERR_UNSUPPORTED)
			fail_msg("\"%s\": %s", urls[i], error.text);
		assert_null(body);
	}
}

/* --- files ------------------------------------------------------------ */

static void
test_fetch(void **state)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\n"
	    "Content-Type: application/pkix-crl\r\n\r\n12345678";
	struct oc_error error = { 0 };
	struct server s;
	uint8_t *body = NULL;
	size_t len;
	enum oc_err err;

	(void)state;
	start(&s, reply, sizeof(reply) - 1);
	(void)strcat(s.url, "/a.crl?b=c#d");
	run(&s);
	err = cli_http_fetch(s.url, 8, oc_clock_mono_ns() + 5 * OC_NS_PER_S,
	    &body, &len, &error);
	stop(&s);
	if (err != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(len, 8);
	assert_memory_equal(body, "12345678", 8);
	free(body);
	if (strncmp(s.request, "GET /ocsp/a.crl?b=c HTTP/1.1\r\n", 30) != 0)
		fail_msg("%s", s.request);
}

/* What is longer than it may be is not read to its end. */
static void
test_fetch_too_long(void **state)
{
	static char reply[100000];
	struct oc_error error = { 0 };
	struct server s;
	uint8_t *body = NULL;
	size_t len;
	enum oc_err err;

	(void)state;
	memset(reply, 'x', sizeof(reply));
	memcpy(reply, "HTTP/1.1 200 OK\r\n\r\n", 19);
	start(&s, reply, sizeof(reply));
	run(&s);
	err = cli_http_fetch(s.url, 1000, oc_clock_mono_ns() +
	    5 * OC_NS_PER_S, &body, &len, &error);
	stop(&s);
	assert_int_equal(err, OC_ERR_LIMIT);
	assert_null(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_fetch_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
