/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder go on whatever its clients do, and come to a good end?
 * Each test has an issuer and a worker of its own.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static struct scripted scripted;
static struct response r;

#define PORT running.port
#define NUM_SLOW 40

static void
expect_good(void)
{
	http_get(PORT, world.path, "", &r);
	assert_body(&r, world.answer);
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
	char text[1024];
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

/* Sends an octet now and then until the other end has closed; how long that
 * took, in ms. */
static int64_t
dribble(struct client *c, const char *octet)
{
	int64_t begin = now_ms();

	while (!client_is_closed(c, 50)) {
		assert_true(now_ms() - begin < 10000);
		client_send_text(c, octet);
	}
	return now_ms() - begin;
}

/* The same slowness on a kept connection, in a chunked body, and by one who
 * was refused and does not stop. */
static void
slow_later(void **state)
{
	struct client *c;
	char text[1024];

	(void)state;
	worker_start(&world, tune_short, &running);
	get_text(world.path, text);
	c = client_new(PORT);
	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	client_send_text(c, "GET / HTTP/1.1\r\nX: ");
	assert_in_range(dribble(c, "a"), 450, 2500);
	client_free(c);
	c = client_new(PORT);
	client_send_text(c, "POST / HTTP/1.1\r\nHost: a\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	assert_in_range(dribble(c, "1\r\na\r\n"), 450, 2500);
	client_free(c);
	/* Two seconds for reading why. */
	c = client_new(PORT);
	client_send_text(c, "BREW\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 400);
	assert_in_range(dribble(c, "a"), 0, 5000);
	client_free(c);
	expect_good();
	worker_stop(&running);
}

/* Writes until the worker, which cannot send, reads no more.  The number of
 * whole requests sent; *rest octets of the next.  Of all that waits somewhere,
 * what we hold back ourselves tells nothing. */
static size_t
fill_up(struct client *c, const char *text, size_t *rest)
{
	size_t len = strlen(text), at = 0, num = 0;
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	const int few = 65536;
	ssize_t n;

	assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &few,
	    sizeof(few)), 0);
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
	char text[1024];
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
	char text[1024];
	size_t rest;
	int num_fds;

	(void)state;
	worker_start(&world, tune_short, &running);
	expect_good();
	num_fds = worker_num_fds(&running);
	c = client_new(PORT);
	get_text(world.path, text);
	assert_true(fill_up(c, text, &rest) > 1000);
	sleep_ms(1000);
	assert_int_equal(worker_num_fds(&running), num_fds);
	client_free(c);
	expect_good();
	worker_stop(&running);
	assert_int_equal(running.counts->timeouts, 1);
}

/* The same, when what it does not read comes from ocsign-status: an answer
 * may find the socket full that the one before it went through. */
static void
never_reads_misses(void **state)
{
	struct client *c;
	char path[512], text[1024];
	size_t rest;
	int num_fds;

	(void)state;
	worker_start(&world, tune_short, &running);
	scripted_start(&world, STUB_RESPONSE, &scripted);
	http_get_serial(&world, PORT, world.serial_hex, 32, &r);
	num_fds = worker_num_fds(&running);
	world_path(world_request(&world, world.serial_hex, 32), path,
	    sizeof(path));
	get_text(path, text);
	c = client_new(PORT);
	assert_true(fill_up(c, text, &rest) > 1000);
	sleep_ms(1000);
	assert_int_equal(worker_num_fds(&running), num_fds);
	client_free(c);
	worker_stop(&running);
	scripted_stop(&scripted);
	assert_int_equal(running.counts->timeouts, 1);
}

/* And when it reads after all, it gets all of them. */
static void
slow_reader_of_misses(void **state)
{
	struct client *c;
	char path[512], text[1024];
	size_t num, rest, i;

	(void)state;
	worker_start(&world, NULL, &running);
	scripted_start(&world, STUB_RESPONSE, &scripted);
	world_path(world_request(&world, world.serial_hex, 32), path,
	    sizeof(path));
	get_text(path, text);
	c = client_new(PORT);
	num = fill_up(c, text, &rest);
	assert_true(num > 1000);
	for (i = 0; i < num; i++) {
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	client_free(c);
	worker_stop(&running);
	scripted_stop(&scripted);
}

/* rst-midwrite, and at every other moment */
static void
rst(void **state)
{
	struct client *c;
	char text[1024];
	size_t rest;
	int num_fds, i;

	(void)state;
	worker_start(&world, NULL, &running);
	expect_good();
	num_fds = worker_num_fds(&running);
	get_text(world.path, text);
	for (i = 0; i < 50; i++) {
		c = client_new(PORT);
		if (i % 3 > 0)
			client_send(c, text, strlen(text) / (i % 3));
		client_reset(c);
	}
	for (i = 0; i < 3; i++) {
		c = client_new(PORT);
		assert_true(fill_up(c, text, &rest) > 1000);
		client_reset(c);
	}
	expect_good();
	assert_int_equal(worker_num_fds(&running), num_fds);
	worker_stop(&running);
}

/* What it counts can be seen while it runs, and nobody is too slow. */
static void
tune_watched(struct ocsp_worker_options *options)
{
	options->counts = running.counts;
	options->header_timeout_ns = 60 * OC_NS_PER_S;
}

/* fd-exhaustion: RLIMIT_NOFILE 64, and a hundred who will not go. */
static void
fd_exhaustion(void **state)
{
	struct client *clients[100];
	int64_t cpu_ms, begin;
	uint64_t num_pauses;
	int i, num_fds;

	(void)state;
	running.fds_max = 64;
	worker_start(&world, tune_watched, &running);
	expect_good();
	num_fds = worker_num_fds(&running);
	for (i = 0; i < 100; i++) {
		clients[i] = client_new(PORT);
		client_send_text(clients[i], "GET / HTTP/1.1\r\n");
	}
	begin = now_ms();
	while (running.counts->accept_pauses == 0) {
		assert_true(now_ms() - begin < 20000);
		sleep_ms(20);
	}
	begin = now_ms();
	cpu_ms = worker_cpu_ms(&running);
	num_pauses = running.counts->accept_pauses;
	sleep_ms(1000);
	assert_in_range(worker_cpu_ms(&running) - cpu_ms, 0, 100);
	/* One a tick, of which there are four a second. */
	num_pauses = running.counts->accept_pauses - num_pauses;
	assert_true((int64_t)num_pauses <= (now_ms() - begin) / 250 + 2);
	/* Those who were let in are served. */
	client_send_text(clients[0], "Host: a\r\n\r\n");
	assert_true(client_read(clients[0], false, &r));
	assert_int_equal(r.status, 200);
	/* And when there are descriptors again, everybody.  Before it has seen
	 * that they are gone, it may send somebody away. */
	for (i = 0; i < 100; i++)
		client_free(clients[i]);
	begin = now_ms();
	while (worker_num_fds(&running) != num_fds)
		assert_true(now_ms() - begin < 20000);
	for (i = 0; i < 10; i++)
		expect_good();
	worker_stop(&running);
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
	char text[1024];
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

#define NUM_WAITING 50

/* Nobody idle, and many in the queue: it does not spin, and lets the next one
 * in when one leaves, not with the next tick. */
static void
full(void **state)
{
	struct client *busy[8], *waiting[NUM_WAITING];
	char text[1024];
	int64_t cpu_ms, begin;
	int i;

	(void)state;
	worker_start(&world, tune_eight, &running);
	get_text(world.path, text);
	for (i = 0; i < 8; i++) {
		busy[i] = client_new(PORT);
		client_send(busy[i], text, 20);
	}
	for (i = 0; i < NUM_WAITING; i++) {
		waiting[i] = client_new(PORT);
		client_send_text(waiting[i], "GET / HTTP/1.1\r\nHost: a\r\n"
		    "Connection: close\r\n\r\n");
	}
	sleep_ms(300);
	cpu_ms = worker_cpu_ms(&running);
	sleep_ms(1000);
	assert_in_range(worker_cpu_ms(&running) - cpu_ms, 0, 100);
	begin = now_ms();
	client_send_text(busy[0], text + 20);
	assert_true(client_read(busy[0], false, &r));
	assert_body(&r, world.answer);
	client_free(busy[0]);
	/* One place is enough for all of them, one after the other; with each
	 * tick one would take 12 s. */
	for (i = 0; i < NUM_WAITING; i++) {
		assert_true(client_read(waiting[i], false, &r));
		assert_int_equal(r.status, 200);
		client_free(waiting[i]);
	}
	assert_true(now_ms() - begin < 4000);
	for (i = 1; i < 8; i++)
		client_free(busy[i]);
	worker_stop(&running);
	assert_int_equal(running.counts->shed, 0);
}

/* --- the end ---------------------------------------------------------- */

static void
tune_last_words(struct ocsp_worker_options *options)
{
	options->drain_idle_ns = 1500 * OC_NS_PER_MS;
}

/* A connection on which one request was answered. */
static struct client *
client_idle(const char *text)
{
	struct client *c = client_new(PORT);

	client_send_text(c, text);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	assert_field(&r, "Connection", NULL);
	return c;
}

/* The answer, that it was the last, and the end. */
static void
expect_last(struct client *c)
{
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	assert_field(&r, "Connection", "close");
	assert_true(client_is_closed(c, 2000));
	client_free(c);
}

/* What was begun is finished; who is idle may ask once more; nobody new is
 * let in. */
static void
drain(void **state)
{
	struct client *waiting, *idle, *late, *half;
	char path[512], text[1024], other[1024];
	int64_t begin;
	int status;

	(void)state;
	worker_start(&world, tune_last_words, &running);
	scripted_start(&world, STUB_SLOW, &scripted);
	get_text(world.path, text);
	idle = client_idle(text);
	late = client_idle(text);
	half = client_new(PORT);
	client_send(half, text, 20);
	world_path(world_request(&world, "1234", 0), path, sizeof(path));
	waiting = client_new(PORT);
	get_text(path, other);
	client_send_text(waiting, other);
	while (scripted.num_asked == 0)
		sleep_ms(5);
	begin = now_ms();
	assert_int_equal(kill(running.pid, SIGTERM), 0);
	sleep_ms(300);
	client_send_text(late, text);
	client_send_text(half, text + 20);
	expect_last(late);
	expect_last(half);
	assert_true(client_read(waiting, false, &r));
	assert_ocsp_error(&r, OCSP_UNAUTHORIZED);
	assert_field(&r, "Connection", "close");
	assert_true(client_is_closed(waiting, 2000));
	assert_true(client_is_closed(idle, 5000));
	assert_true(now_ms() - begin >= 1450);
	assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	client_free(waiting);
	client_free(idle);
	scripted_stop(&scripted);
}

/* Two turns of accepting leave some to the signal. */
#define NUM_QUEUED 140

/* Who waits in the queue when it is told to end is answered: the worker, not
 * running, has let in none of them. */
static void
drain_queue(void **state)
{
	struct client *queued[NUM_QUEUED];
	char text[1024];
	int i, status;

	(void)state;
	worker_start(&world, NULL, &running);
	expect_good();
	assert_int_equal(kill(running.pid, SIGSTOP), 0);
	get_text(world.path, text);
	for (i = 0; i < NUM_QUEUED; i++) {
		queued[i] = client_new(PORT);
		client_send_text(queued[i], text);
	}
	assert_int_equal(kill(running.pid, SIGTERM), 0);
	assert_int_equal(kill(running.pid, SIGCONT), 0);
	for (i = 0; i < NUM_QUEUED; i++) {
		assert_true(client_read(queued[i], false, &r));
		assert_body(&r, world.answer);
		client_free(queued[i]);
	}
	assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Also who has not said all yet, when those before it are done and gone. */
static void
drain_queue_slow(void **state)
{
	struct client *queued[NUM_QUEUED], *half;
	char text[1024], last[1024];
	int i, status;

	(void)state;
	worker_start(&world, NULL, &running);
	expect_good();
	assert_int_equal(kill(running.pid, SIGSTOP), 0);
	get_text(world.path, text);
	snprintf(last, sizeof(last), "GET %s HTTP/1.1\r\nHost: a\r\n"
	    "Connection: close\r\n\r\n", world.path);
	for (i = 0; i < NUM_QUEUED; i++) {
		queued[i] = client_new(PORT);
		client_send_text(queued[i], last);
	}
	half = client_new(PORT);
	client_send(half, text, 20);
	assert_int_equal(kill(running.pid, SIGTERM), 0);
	assert_int_equal(kill(running.pid, SIGCONT), 0);
	for (i = 0; i < NUM_QUEUED; i++)
		expect_last(queued[i]);
	sleep_ms(100);
	client_send_text(half, text + 20);
	expect_last(half);
	assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(slowloris),
		WORKER_TEST(other_deadlines),
		WORKER_TEST(slow_later),
		WORKER_TEST(slow_reader),
		WORKER_TEST(never_reads),
		WORKER_TEST(never_reads_misses),
		WORKER_TEST(slow_reader_of_misses),
		WORKER_TEST(rst),
		WORKER_TEST(fd_exhaustion),
		WORKER_TEST(connections_max),
		WORKER_TEST(full),
		WORKER_TEST(drain),
		WORKER_TEST(drain_queue),
		WORKER_TEST(drain_queue_slow),
		WORKER_TEST(drain_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
