/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder go on whatever clients, tables and ocsign-status do?
 * Each test has an issuer and a worker of its own.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static struct world world;
static struct running running;
static struct stub stub;
static struct response r;

#define PORT running.port
#define NUM_SLOW 40

static int
setup(void **state)
{
	(void)state;
	world_init(&world);
	memset(&running, 0, sizeof(running));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_fini(&world);
	return 0;
}

static void
sleep_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static int64_t
now_ms(void)
{
	return oc_clock_mono_ns() / OC_NS_PER_MS;
}

static void
expect_good(void)
{
	http_get(PORT, world.path, "", &r);
	assert_body(&r, world.answer);
}

static void
get_text(const char *path, char text[1100])
{
	snprintf(text, 1100, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
}

/* What is not in the table, asked for on a connection of its own. */
static void
get_serial(const char *serial_hex, size_t nonce_len)
{
	char path[512];

	world_path(world_request(&world, serial_hex, nonce_len), path,
	    sizeof(path));
	http_get(PORT, path, "", &r);
}

/* Once it has seen that the last client is gone. */
static int
num_fds_at_rest(void)
{
	sleep_ms(150);
	return worker_num_fds(&running);
}

static void
reset(struct client *c)
{
	const struct linger at_once = { 1, 0 };

	assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once)), 0);
	client_free(c);
}

/* --- clients ---------------------------------------------------------- */

static void
tune_short(struct ocsp_worker_options *options)
{
	options->header_timeout_ns = 500 * OC_NS_PER_MS;
	options->body_timeout_ns = 500 * OC_NS_PER_MS;
	options->idle_timeout_ns = 500 * OC_NS_PER_MS;
	options->write_timeout_ns = 500 * OC_NS_PER_MS;
}

/* slowloris: octets that dribble in do not move the deadline, and nobody
 * else waits. */
static void
slowloris(void **state)
{
	struct client *slow[NUM_SLOW];
	int64_t begin;
	int i, round;

	(void)state;
	worker_start(&world, tune_short, &running);
	begin = now_ms();
	for (i = 0; i < NUM_SLOW; i++) {
		slow[i] = client_new(PORT);
		client_send_text(slow[i], "GET / HTTP/1.1\r\nX: ");
	}
	for (round = 0; round < 3; round++) {
		sleep_ms(100);
		for (i = 0; i < NUM_SLOW; i++)
			client_send_text(slow[i], "a");
		expect_good();
	}
	for (i = 0; i < NUM_SLOW; i++) {
		assert_true(client_is_closed(slow[i], 2000));
		client_free(slow[i]);
	}
	assert_in_range(now_ms() - begin, 450, 1500);
	worker_stop(&running);
	assert_int_equal(running.counts->timeouts, NUM_SLOW);
}

/* A body that never ends; a connection that says nothing, or no more. */
static void
other_deadlines(void **state)
{
	struct client *body, *silent, *idle;
	char text[1100];
	int64_t begin;

	(void)state;
	worker_start(&world, tune_short, &running);
	begin = now_ms();
	body = client_new(PORT);
	client_send_text(body, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 100\r\n\r\n0");
	idle = client_new(PORT);
	get_text(world.path, text);
	client_send_text(idle, text);
	assert_true(client_read(idle, false, &r));
	assert_body(&r, world.answer);
	assert_true(client_is_closed(body, 2000));
	assert_true(client_is_closed(idle, 2000));
	assert_in_range(now_ms() - begin, 450, 1500);
	/* Nothing at all: the kernel may keep it back for a while. */
	silent = client_new(PORT);
	assert_true(client_is_closed(silent, 10000));
	client_free(body);
	client_free(idle);
	client_free(silent);
	expect_good();
	worker_stop(&running);
}

/* Writes until the worker, which cannot send, reads no more.  The number of
 * whole requests sent; *rest octets of the next. */
static size_t
fill_up(struct client *c, const char *text, size_t *rest)
{
	size_t len = strlen(text), at = 0, num = 0;
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	ssize_t n;

	while (poll(&p, 1, 300) == 1) {
		n = send(c->fd, text + at, len - at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			break;
		at += (size_t)n;
		if (at == len) {
			at = 0;
			num++;
		}
	}
	*rest = at;
	return num;
}

/* A client that reads late gets every answer, whole and in order. */
static void
slow_reader(void **state)
{
	struct client *c;
	char text[1100];
	size_t num, rest, i;

	(void)state;
	worker_start(&world, NULL, &running);
	c = client_new(PORT);
	get_text(world.path, text);
	num = fill_up(c, text, &rest);
	assert_true(num > 1000);
	expect_good();
	for (i = 0; i < num; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	if (rest > 0) {
		client_send_text(c, text + rest);
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	client_free(c);
	worker_stop(&running);
	assert_int_equal(running.counts->timeouts, 0);
}

/* One that never reads is closed, and holds nothing. */
static void
never_reads(void **state)
{
	struct client *c;
	char text[1100];
	size_t rest;
	int num_fds;

	(void)state;
	worker_start(&world, tune_short, &running);
	expect_good();
	num_fds = num_fds_at_rest();
	c = client_new(PORT);
	get_text(world.path, text);
	assert_true(fill_up(c, text, &rest) > 1000);
	sleep_ms(1000);
	assert_int_equal(num_fds_at_rest(), num_fds);
	client_free(c);
	expect_good();
	worker_stop(&running);
	assert_int_equal(running.counts->timeouts, 1);
}

/* rst-midwrite, and at every other moment */
static void
rst(void **state)
{
	struct client *c;
	char text[1100];
	size_t rest;
	int num_fds, i;

	(void)state;
	worker_start(&world, NULL, &running);
	expect_good();
	num_fds = num_fds_at_rest();
	get_text(world.path, text);
	for (i = 0; i < 50; i++) {
		c = client_new(PORT);
		if (i % 3 > 0)
			client_send(c, text, strlen(text) / (i % 3));
		reset(c);
	}
	for (i = 0; i < 3; i++) {
		c = client_new(PORT);
		assert_true(fill_up(c, text, &rest) > 1000);
		reset(c);
	}
	expect_good();
	assert_int_equal(num_fds_at_rest(), num_fds);
	worker_stop(&running);
}

/* fd-exhaustion: RLIMIT_NOFILE 64, and a hundred who will not go. */
static void
fd_exhaustion(void **state)
{
	struct client *clients[100];
	int64_t cpu_ms;
	int i;

	(void)state;
	running.fds_max = 64;
	worker_start(&world, NULL, &running);
	expect_good();
	for (i = 0; i < 100; i++) {
		clients[i] = client_new(PORT);
		client_send_text(clients[i], "GET / HTTP/1.1\r\n");
	}
	sleep_ms(300);
	cpu_ms = worker_cpu_ms(&running);
	sleep_ms(1000);
	cpu_ms = worker_cpu_ms(&running) - cpu_ms;
	assert_in_range(cpu_ms, 0, 100);
	/* Those who were let in are served. */
	client_send_text(clients[0], "Host: a\r\n\r\n");
	assert_true(client_read(clients[0], false, &r));
	assert_int_equal(r.status, 200);
	for (i = 0; i < 100; i++)
		client_free(clients[i]);
	sleep_ms(600);
	expect_good();
	worker_stop(&running);
	assert_true(running.counts->accept_pauses > 0);
}

static void
tune_eight(struct ocsp_worker_options *options)
{
	options->connections_max = 8;
}

/* At the limit the longest idle one makes room; nobody does who is not. */
static void
connections_max(void **state)
{
	struct client *idle[8], *busy;
	char text[1100];
	int i;

	(void)state;
	worker_start(&world, tune_eight, &running);
	get_text(world.path, text);
	for (i = 0; i < 7; i++) {
		idle[i] = client_new(PORT);
		client_send_text(idle[i], text);
		assert_true(client_read(idle[i], false, &r));
	}
	busy = client_new(PORT);
	client_send(busy, text, 20);
	sleep_ms(1200);
	expect_good();
	assert_true(client_is_closed(idle[0], 2000));
	client_send_text(busy, text + 20);
	assert_true(client_read(busy, false, &r));
	assert_body(&r, world.answer);
	client_send_text(idle[6], text);
	assert_true(client_read(idle[6], false, &r));
	assert_body(&r, world.answer);
	for (i = 0; i < 7; i++)
		client_free(idle[i]);
	client_free(busy);
	worker_stop(&running);
	assert_true(running.counts->shed > 0);
}

/* --- ocsign-status ---------------------------------------------------- */

static void
tune_status(struct ocsp_worker_options *options)
{
	options->status_timeout_ns = 500 * OC_NS_PER_MS;
	options->misses_max = 4;
}

static void
miss_table(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_TABLE, &stub);
	get_serial("1234", 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(world_verify(&world, world_request(&world, "1234",
	    0), r.body, r.len), V_OCSP_CERTSTATUS_REVOKED);
	assert_non_null(strstr(r.head, "max-age="));
	get_serial("1234", 0);
	assert_int_equal(r.status, 200);
	worker_stop(&running);
	stub_stop(&stub);
	assert_int_equal(stub.num_asked, 1);
}

/* A table that still has nothing: no second question, no loop. */
static void
miss_table_lie(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_TABLE_LIE, &stub);
	get_serial("1234", 0);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	worker_stop(&running);
	stub_stop(&stub);
	assert_int_equal(stub.num_asked, 1);
}

/* nonce-nocache: made for one client, kept for none. */
static void
miss_response(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_RESPONSE, &stub);
	get_serial(world.serial_hex, 32);
	assert_body(&r, world.answer);
	assert_field(&r, "Cache-Control", "no-store");
	assert_field(&r, "ETag", NULL);
	assert_field(&r, "Expires", NULL);
	worker_stop(&running);
	stub_stop(&stub);
	assert_int_equal(stub.num_nonces, 1);
}

static void
miss_error(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_ERROR, &stub);
	get_serial("1234", 0);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "17");
	worker_stop(&running);
	stub_stop(&stub);
}

/* nonce-budget spent: the answer without one, from the table if it is there,
 * else by a question without one. */
static void
miss_no_nonce(void **state)
{
	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_NO_NONCE, &stub);
	get_serial(world.serial_hex, 32);
	assert_body(&r, world.answer);
	assert_non_null(strstr(r.head, "max-age="));
	assert_int_equal(stub.num_asked, 1);
	get_serial("1234", 32);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_int_equal(stub.num_asked, 3);
	assert_int_equal(stub.num_nonces, 2);
	worker_stop(&running);
	stub_stop(&stub);
}

/* Away, silent, dying, mad: tryLater for what must be asked; the table's
 * answers go on; and all is well when it is back. */
static void
status_in_trouble(void **state)
{
	static const enum stub_mode modes[] = { STUB_SILENT, STUB_HANG_UP,
	    STUB_GARBAGE };
	int64_t begin;
	size_t i;

	(void)state;
	worker_start(&world, tune_status, &running);
	begin = now_ms();
	get_serial("1234", 0);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	assert_in_range(now_ms() - begin, 0, 3000);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		stub_start(&world, modes[i], &stub);
		get_serial("1234", 0);
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		expect_good();
		stub_stop(&stub);
	}
	stub_start(&world, STUB_TABLE, &stub);
	for (begin = now_ms(); now_ms() - begin < 10000; sleep_ms(50)) {
		get_serial("1234", 0);
		if (r.len > OCSP_ERROR_RESPONSE_LEN)
			break;
	}
	assert_true(r.len > OCSP_ERROR_RESPONSE_LEN);
	worker_stop(&running);
	stub_stop(&stub);
}

/* Only so many wait; the others are told at once. */
static void
misses_bounded(void **state)
{
	struct client *clients[8];
	char path[512], text[1100];
	int64_t begin;
	int i;

	(void)state;
	worker_start(&world, tune_status, &running);
	stub_start(&world, STUB_SILENT, &stub);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	get_text(path, text);
	begin = now_ms();
	for (i = 0; i < 8; i++) {
		clients[i] = client_new(PORT);
		client_send_text(clients[i], text);
	}
	for (i = 7; i >= 0; i--) {
		assert_true(client_read(clients[i], false, &r));
		assert_ocsp_error(&r, OCSP_TRY_LATER);
		if (i == 4)
			assert_in_range(now_ms() - begin, 0, 400);
		client_free(clients[i]);
	}
	assert_true(now_ms() - begin >= 400);
	worker_stop(&running);
	stub_stop(&stub);
	assert_int_equal(running.counts->misses_refused, 4);
	assert_int_equal(stub.num_asked, 4);
}

/* While one request waits, those behind it do, and no others. */
static void
pipeline_behind_miss(void **state)
{
	struct client *c;
	char path[512], text[1100];
	int64_t begin;
	int i;

	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_SLOW, &stub);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	begin = now_ms();
	c = client_new(PORT);
	for (i = 0; i < 3; i++) {
		get_text(world.path, text);
		client_send_text(c, text);
		get_text(path, text);
		client_send_text(c, text);
	}
	expect_good();
	assert_in_range(now_ms() - begin, 0, 250);
	for (i = 0; i < 3; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
		assert_true(client_read(c, false, &r));
		assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	}
	assert_true(now_ms() - begin >= 850);
	client_free(c);
	worker_stop(&running);
	stub_stop(&stub);
}

/* Gone, one way or another, before the answer is there. */
static void
gone_while_waiting(void **state)
{
	struct client *c;
	char path[512], text[1100];
	int num_fds, i;

	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_SLOW, &stub);
	get_serial("1234", 0);
	num_fds = num_fds_at_rest();
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	get_text(path, text);
	for (i = 0; i < 10; i++) {
		c = client_new(PORT);
		client_send_text(c, text);
		sleep_ms(10);
		if (i % 2 == 0)
			reset(c);
		else
			client_free(c);
	}
	/* One that has said all it wanted still wants to hear. */
	c = client_new(PORT);
	client_send_text(c, text);
	shutdown(c->fd, SHUT_WR);
	assert_true(client_read(c, false, &r));
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	assert_true(client_is_closed(c, 2000));
	client_free(c);
	assert_int_equal(num_fds_at_rest(), num_fds);
	expect_good();
	worker_stop(&running);
	stub_stop(&stub);
}

/* --- tables ----------------------------------------------------------- */

/* The table grows under the worker: what is new is found in the new file
 * without a question. */
static void
table_grows(void **state)
{
	char hex[16];
	int i;

	(void)state;
	worker_start(&world, tune_status, &running);
	expect_good();
	for (i = 0; i < 2000; i++) {
		snprintf(hex, sizeof(hex), "41%06x", i);
		(void)world_put(&world, hex, OCSP_GOOD, world.now - 60,
		    world.now + WORLD_LIFE_S);
		if (i % 100 == 0)
			expect_good();
	}
	for (i = 0; i < 2000; i += 50) {
		snprintf(hex, sizeof(hex), "41%06x", i);
		get_serial(hex, 0);
		assert_int_equal(world_verify(&world, world_request(&world,
		    hex, 0), r.body, r.len), V_OCSP_CERTSTATUS_GOOD);
	}
	expect_good();
	worker_stop(&running);
	assert_int_equal(running.counts->misses_refused, 0);
	assert_int_equal(running.counts->try_later, 0);
}

/* Another identity at the same path: other contexts. */
static void
table_of_another(void **state)
{
	struct world other;
	struct running *run = &running;

	(void)state;
	worker_start(&world, NULL, run);
	expect_good();
	world_init(&other);
	assert_int_equal(rename(other.table_path, world.table_path), 0);
	sleep_ms(700);
	http_get(PORT, other.path, "", &r);
	assert_body(&r, other.answer);
	assert_int_equal(world_verify(&other, other.request, r.body, r.len),
	    V_OCSP_CERTSTATUS_GOOD);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	worker_stop(run);
	world_fini(&other);
}

/* Not there, there but not ready, ready, and away again. */
static void
table_comes_late(void **state)
{
	char away[WORLD_PATH_MAX + 8];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", world.table_path);
	assert_int_equal(rename(world.table_path, away), 0);
	ocsp_table_set_ready(world.table, false);
	worker_start(&world, tune_status, &running);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	assert_field(&r, "Retry-After", "5");
	assert_int_equal(rename(away, world.table_path), 0);
	sleep_ms(600);
	http_get(PORT, world.path, "", &r);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	ocsp_table_set_ready(world.table, true);
	expect_good();
	/* What is in it was signed; it is served while we have it. */
	assert_int_equal(rename(world.table_path, away), 0);
	sleep_ms(600);
	expect_good();
	worker_stop(&running);
}

/* stale-never: the answer ends with its nextUpdate, at the second. */
static void
table_expires(void **state)
{
	(void)state;
	worker_start(&world, tune_status, &running);
	(void)world_put(&world, "77", OCSP_GOOD, world.now - 60,
	    oc_clock_now_s() + 2);
	get_serial("77", 0);
	assert_true(r.len > OCSP_ERROR_RESPONSE_LEN);
	sleep_ms(2100);
	get_serial("77", 0);
	assert_ocsp_error(&r, OCSP_TRY_LATER);
	worker_stop(&running);
}

/* --- the end ---------------------------------------------------------- */

/* What was begun is finished; who is idle is closed; nobody new is let in. */
static void
drain(void **state)
{
	struct client *waiting, *idle, *half;
	char path[512], text[1100];
	int status;

	(void)state;
	worker_start(&world, NULL, &running);
	stub_start(&world, STUB_SLOW, &stub);
	idle = client_new(PORT);
	get_text(world.path, text);
	client_send_text(idle, text);
	assert_true(client_read(idle, false, &r));
	half = client_new(PORT);
	client_send(half, text, 20);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	waiting = client_new(PORT);
	get_text(path, text);
	client_send_text(waiting, text);
	while (stub.num_asked == 0)
		sleep_ms(5);
	assert_int_equal(kill(running.pid, SIGTERM), 0);
	assert_true(client_is_closed(idle, 2000));
	get_text(world.path, text);
	client_send_text(half, text + 20);
	assert_true(client_read(half, false, &r));
	assert_body(&r, world.answer);
	assert_field(&r, "Connection", "close");
	assert_true(client_read(waiting, false, &r));
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	assert_true(client_is_closed(waiting, 2000));
	assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	client_free(waiting);
	client_free(idle);
	client_free(half);
	stub_stop(&stub);
}

static void
tune_drain(struct ocsp_worker_options *options)
{
	options->drain_timeout_ns = 500 * OC_NS_PER_MS;
}

/* Who does not come to an end does not keep it from ending. */
static void
drain_deadline(void **state)
{
	struct client *c;
	int64_t begin;

	(void)state;
	worker_start(&world, tune_drain, &running);
	c = client_new(PORT);
	client_send_text(c, "GET / HTTP/1.1\r\n");
	expect_good();
	begin = now_ms();
	worker_stop(&running);
	assert_in_range(now_ms() - begin, 450, 1500);
	client_free(c);
}

#define FAULT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT(slowloris),
		FAULT(other_deadlines),
		FAULT(slow_reader),
		FAULT(never_reads),
		FAULT(rst),
		FAULT(fd_exhaustion),
		FAULT(connections_max),
		FAULT(miss_table),
		FAULT(miss_table_lie),
		FAULT(miss_response),
		FAULT(miss_error),
		FAULT(miss_no_nonce),
		FAULT(status_in_trouble),
		FAULT(misses_bounded),
		FAULT(pipeline_behind_miss),
		FAULT(gone_while_waiting),
		FAULT(table_grows),
		FAULT(table_of_another),
		FAULT(table_comes_late),
		FAULT(table_expires),
		FAULT(drain),
		FAULT(drain_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
