/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe's HTTP reader against servers of every kind: a thread that takes
 * connections one after the other, reads a little, and writes what it was
 * told.
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
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/client.h"

#define TIMEOUT_NS (OC_NS_PER_S / 2)
/* On a busy machine. */
#define LATE_NS (5 * OC_NS_PER_S)

enum end { CLOSES, RESETS, WAITS, DRIPS };

struct server {
	pthread_t thread;
	int listener;
	int stop[2];			/* closed: the test is over */
	struct probe_peer peer;
	const char *reply;
	size_t reply_len;
	enum end end;
};

/* Waits until the other end goes, or the test. */
static void
wait_for_end(struct server *s, int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
	    { .fd = s->stop[0], .events = POLLIN } };
	char octets[256];

	do {
		(void)poll(fds, 2, 10000);
	} while (fds[1].revents == 0 && read(fd, octets, sizeof(octets)) > 0);
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	struct linger linger = { .l_onoff = 1 };
	char octets[256];
	int fd = accept(s->listener, NULL, NULL);

	if (fd < 0)
		return NULL;
	if (read(fd, octets, sizeof(octets)) > 0 && s->reply_len > 0)
		(void)!write(fd, s->reply, s->reply_len);
	if (s->end == WAITS)
		wait_for_end(s, fd);
	/* For ever, an octet at a time, as long as somebody listens. */
	while (s->end == DRIPS && poll(&(struct pollfd){ .fd = s->stop[0],
	    .events = POLLIN }, 1, 20) == 0 &&
	    send(fd, "x", 1, MSG_NOSIGNAL) == 1)
		;
	if (s->end == RESETS)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
		    sizeof(linger));
	(void)close(fd);
	return NULL;
}

static void
server_start(struct server *s, const char *reply, size_t reply_len,
    enum end end)
{
	struct sockaddr_in *address = (void *)&s->peer.address;

	*s = (struct server){ .reply = reply, .reply_len = reply_len,
	    .end = end, .peer = { .address_len = sizeof(*address),
	    .timeout_ns = TIMEOUT_NS, .first_fd = -1 } };
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(bind(s->listener, (void *)address,
	    sizeof(*address)), 0);
	assert_int_equal(getsockname(s->listener, (void *)address,
	    &s->peer.address_len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
server_stop(struct server *s)
{
	(void)close(s->stop[1]);
	(void)shutdown(s->listener, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listener);
	(void)close(s->stop[0]);
}

/* --- what is read ----------------------------------------------------- */

struct expected {
	enum oc_err err;
	int status;
	const char *body;
	const char *says;		/* of an error */
	bool is_kept;
};

static void
expect(const char *reply, size_t len, enum end end, enum probe_method method,
    struct expected want)
{
	struct server s;
	struct probe_connection c;
	struct probe_reply r;
	struct oc_error error = { 0 };
	int64_t began_ns = oc_clock_mono_ns();
	enum oc_err err;

	server_start(&s, reply, len, end);
	assert_int_equal(probe_open(&s.peer, &c, &error), OC_OK);
	assert_int_equal(probe_send(&c, DER_LITERAL("GET / HTTP/1.1\r\n\r\n"),
	    &error), OC_OK);
	err = probe_read(&c, method, &r, &error);
	if (err != want.err)
		fail_msg("%.40s: error %d, not %d: %s", reply, (int)err,
		    (int)want.err, error.text);
	if (err == OC_OK) {
		assert_int_equal(r.status, want.status);
		assert_int_equal(r.body.len, strlen(want.body));
		assert_memory_equal(r.body.p, want.body, r.body.len);
		assert_int_equal(r.is_kept, want.is_kept);
	} else if (want.says != NULL && strstr(error.text, want.says) ==
	    NULL) {
		fail_msg("%.40s: no \"%s\" in \"%s\"", reply, want.says,
		    error.text);
	}
	assert_true(oc_clock_mono_ns() - began_ns < LATE_NS);
	probe_close(&c);
	server_stop(&s);
}

static void
good(const char *reply, int status, const char *body, bool is_kept)
{
	expect(reply, strlen(reply), WAITS, PROBE_METHOD_OTHER,
	    (struct expected){ OC_OK, status, body, NULL, is_kept });
}

static void
bad(const char *reply, enum oc_err err, const char *says)
{
	expect(reply, strlen(reply), CLOSES, PROBE_METHOD_OTHER,
	    (struct expected){ .err = err, .says = says });
}

static void
test_bodies(void **state)
{
	(void)state;
	good("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc",
	    true);
	good("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "abc",
	    false);
	good("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"
	    "Content-Length: 0\r\n\r\n", 200, "", true);
	good("HTTP/1.1 404\r\ncontent-length:2\r\nconnection: x, close\r\n"
	    "\r\nno", 404, "no", false);
	good("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\na\r\n0002\r\nbc\r\n0\r\nX: y\r\n\r\n", 200, "abc", true);
	good("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1;a=b\r\na\r\n2 ; c\r\nbc\r\n0;\r\n\r\n", 200, "abc", true);
	good("HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: x\r\n"
	    "Content-Length: 0\r\n\r\n", 200, "", false);
	good("HTTP/1.1 100 Continue\r\n\r\n", 100, "", true);
	good("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304,
	    "", true);
	/* Up to the end. */
	expect("HTTP/1.1 200 OK\r\n\r\nabc", 22, CLOSES, PROBE_METHOD_OTHER,
	    (struct expected){ OC_OK, 200, "abc", NULL, false });
	expect("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 38, WAITS,
	    PROBE_METHOD_HEAD, (struct expected){ OC_OK, 200, "", NULL,
	    true });
}

static void
test_malformed(void **state)
{
	(void)state;
	bad("nothing of HTTP\r\n\r\n", OC_ERR_MALFORMED, "status line");
	bad("nothing of HTTP", OC_ERR_MALFORMED, "HTTP/1.x");
	bad("HTTP/2 200 OK\r\n\r\n", OC_ERR_MALFORMED, "status line");
	bad("HTTP/1.1 2OO OK\r\n\r\n", OC_ERR_MALFORMED, "status line");
	bad("HTTP/1.1 900 OK\r\n\r\n", OC_ERR_MALFORMED, "status line");
	bad("HTTP/1.1 200OK\r\n\r\n", OC_ERR_MALFORMED, "status line");
	bad("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", OC_ERR_MALFORMED,
	    "header");
	bad("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", OC_ERR_MALFORMED,
	    "header");
	bad("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", OC_ERR_MALFORMED, "header");
	bad("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", OC_ERR_MALFORMED,
	    "header");
	bad("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n"
	    "\r\na", OC_ERR_MALFORMED, "Content-Length");
	bad("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	    OC_ERR_MALFORMED, "Content-Length");
	bad("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na",
	    OC_ERR_MALFORMED, "Content-Length");
	bad("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OC_ERR_MALFORMED,
	    "Transfer-Encoding");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	    OC_ERR_MALFORMED, "Transfer-Encoding");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "x\r\n\r\n", OC_ERR_MALFORMED, "chunks");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1\r\nabc\r\n0\r\n\r\n", OC_ERR_MALFORMED, "chunks");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    ";\r\n\r\n", OC_ERR_MALFORMED, "chunks");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "1 \r\na\r\n0\r\n\r\n", OC_ERR_MALFORMED, "chunks");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "fffffffffff\r\n", OC_ERR_MALFORMED, "chunks");
}

static void
test_cut(void **state)
{
	(void)state;
	bad("", OC_ERR_NOT_FOUND, "without a reply");
	bad("HTTP/1.1 200 OK\r\nA: b\r\n", OC_ERR_DOWN, "inside");
	bad("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", OC_ERR_DOWN,
	    "shorter");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	    OC_ERR_DOWN, "shorter");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	    OC_ERR_DOWN, "inside");
	expect("", 0, RESETS, PROBE_METHOD_OTHER, (struct expected){
	    .err = OC_ERR_DOWN });
}

static void
test_too_long(void **state)
{
	static char reply[256 * 1024];

	(void)state;
	memset(reply, 'a', sizeof(reply));
	memcpy(reply, "HTTP/1.1 200 OK\r\nA: ", 20);
	expect(reply, sizeof(reply), WAITS, PROBE_METHOD_OTHER,
	    (struct expected){ .err = OC_ERR_LIMIT, .says = "header" });
	memcpy(reply, "HTTP/1.1 200 OK\r\n\r\n", 19);
	expect(reply, sizeof(reply), WAITS, PROBE_METHOD_OTHER,
	    (struct expected){ .err = OC_ERR_LIMIT, .says = "body" });
	bad("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", OC_ERR_LIMIT,
	    "body");
	bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n",
	    OC_ERR_LIMIT, "body");
}

/* Neither who is silent nor who is slow keeps us. */
static void
test_slow(void **state)
{
	static const char drip[] = "HTTP/1.1 200 OK\r\nContent-Length: 60000"
	    "\r\n\r\n", head[] = "HTTP/1.1 200 OK\r\nA: ";

	(void)state;
	expect("", 0, WAITS, PROBE_METHOD_OTHER, (struct expected){
	    .err = OC_ERR_TIMEOUT });
	expect(drip, sizeof(drip) - 1, DRIPS, PROBE_METHOD_OTHER,
	    (struct expected){ .err = OC_ERR_TIMEOUT });
	expect(head, sizeof(head) - 1, DRIPS, PROBE_METHOD_OTHER,
	    (struct expected){ .err = OC_ERR_TIMEOUT });
}

static void
test_nobody(void **state)
{
	struct server s;
	struct probe_connection c;
	struct oc_error error = { 0 };

	(void)state;
	server_start(&s, "", 0, CLOSES);
	server_stop(&s);
	assert_int_equal(probe_open(&s.peer, &c, &error), OC_ERR_DOWN);
	probe_close(&c);
}

/* Replies that came together are read one by one. */
static void
test_several(void **state)
{
	static const char reply[] =
	    "HTTP/1.1 100 Continue\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\none\r\n0\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"
	    "rest";
	static const char *const bodies[] = { "", "one", "two" };
	struct server s;
	struct probe_connection c;
	struct probe_reply r;
	struct oc_error error = { 0 };
	size_t len;

	(void)state;
	server_start(&s, reply, sizeof(reply) - 1, CLOSES);
	assert_int_equal(probe_open(&s.peer, &c, &error), OC_OK);
	assert_int_equal(probe_send(&c, DER_LITERAL("GET"), &error), OC_OK);
	assert_true(probe_wait(&c, oc_clock_mono_ns() + LATE_NS));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(probe_read(&c, PROBE_METHOD_OTHER, &r,
		    &error), OC_OK);
		assert_int_equal(r.body.len, strlen(bodies[i]));
		assert_memory_equal(r.body.p, bodies[i], r.body.len);
	}
	assert_int_equal(probe_read_end(&c, &len, &error), OC_OK);
	assert_int_equal(len, 4);
	probe_close(&c);
	server_stop(&s);
}

/* --- fields ----------------------------------------------------------- */

static void
test_fields(void **state)
{
	struct probe_reply r = { .head = DER_LITERAL("Date: now\r\n"
	    "ETag:\t\"x\" \r\nDated: no\r\nVary: a\r\nvary: b\r\n") };
	struct der_bytes value;

	(void)state;
	assert_true(probe_field(&r, "date", &value));
	assert_true(der_bytes_equal(value, DER_LITERAL("now")));
	assert_true(probe_field(&r, "ETag", &value));
	assert_true(der_bytes_equal(value, DER_LITERAL("\"x\"")));
	assert_false(probe_field(&r, "Vary", &value));
	assert_int_equal(probe_num_fields(&r, "Vary"), 2);
	assert_int_equal(probe_num_fields(&r, "Dat"), 0);
	assert_false(probe_field(&r, "Age", &value));
}

static void
test_lists(void **state)
{
	struct der_bytes list = DER_LITERAL("public ,max-age=60, No-Store,x"),
	    argument;

	(void)state;
	assert_true(probe_list_has(list, "public", &argument));
	assert_int_equal(argument.len, 0);
	assert_true(probe_list_has(list, "max-age", &argument));
	assert_true(der_bytes_equal(argument, DER_LITERAL("60")));
	assert_true(probe_list_has(list, "no-store", NULL));
	assert_false(probe_list_has(list, "max", NULL));
	assert_false(probe_list_has(list, "store", NULL));
	/* Not the commas of a quoted string. */
	list = DER_LITERAL("a=\"x, b, \\\", c\" , d=\"e");
	assert_true(probe_list_has(list, "a", NULL));
	assert_false(probe_list_has(list, "b", NULL));
	assert_false(probe_list_has(list, "c\"", NULL));
	assert_true(probe_list_has(list, "d", &argument));
	assert_true(der_bytes_equal(argument, DER_LITERAL("\"e")));
}

/* Several fields of a name are one list. */
static void
test_fields_of_lists(void **state)
{
	struct probe_reply r = { .head = DER_LITERAL("A: b, c=1\r\n"
	    "A:\r\na: d\r\n") };
	struct der_bytes argument;

	(void)state;
	assert_true(probe_fields_have(&r, "A", "c", &argument));
	assert_true(der_bytes_equal(argument, DER_LITERAL("1")));
	assert_true(probe_fields_have(&r, "A", "d", NULL));
	assert_false(probe_fields_have(&r, "A", "e", NULL));
	assert_false(probe_fields_have(&r, "B", "b", NULL));
}

static void
test_dates(void **state)
{
	static const char *const no[] = {
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Mon, 06 Nov 1994 08:49:37 GMT",	/* a Sunday */
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"sun, 06 nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:60 GMT",
		"Thu, 31 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"784111777", "",
	};
	int64_t at;

	(void)state;
	assert_true(probe_date(DER_LITERAL("Sun, 06 Nov 1994 08:49:37 GMT"),
	    &at));
	assert_int_equal(at, 784111777);
	assert_true(probe_date(DER_LITERAL("Thu, 01 Jan 1970 00:00:00 GMT"),
	    &at));
	assert_int_equal(at, 0);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (probe_date((struct der_bytes){ (const uint8_t *)no[i],
		    strlen(no[i]) }, &at))
			fail_msg("%s", no[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_fields_of_lists),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
