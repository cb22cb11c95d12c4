/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does a connection cost that is kept and asks nothing?  16 MB for
 * 10,000 of them is the promise.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <stdio.h>
#include <sys/resource.h>

#define NUM_IDLE 10000
#define COST_MAX (16 * 1024 * 1024 / NUM_IDLE)
/* Answered side by side; fewer than wait in a listener's queue. */
#define NUM_AT_ONCE 400

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#else
#define IS_SANITIZED 0
#endif

static struct response r;
static struct client *one;	/* has each descriptor by turns */

static void
tune(struct ocsp_worker_options *options)
{
	options->connections_max = 12000;
	options->idle_timeout_ns = 600 * OC_NS_PER_S;
	options->header_timeout_ns = 60 * OC_NS_PER_S;
}

/* Memory of its own, in octets. */
static int64_t
worker_memory(void)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)running.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	fclose(f);
	assert_true(kb > 0);
	return (int64_t)kb * 1024;
}

static void
send_to(int fd, const char *text, size_t len)
{
	one->fd = fd;
	client_send(one, text, len);
}

static void
expect_answer(int fd)
{
	one->fd = fd;
	one->len = 0;
	assert_true(client_read(one, false, &r));
	assert_body(&r, world.answer);
}

static int
connect_one(void)
{
	struct client *c = client_new(running.port);
	int fd = c->fd;

	free(c);
	return fd;
}

/* Each request comes in two pieces, so that all of them hold a buffer at the
 * same time. */
static void
make_idle(int *idle, size_t num, const char *text)
{
	size_t i, half = strlen(text) / 2;

	for (i = 0; i < num; i++) {
		idle[i] = connect_one();
		send_to(idle[i], text, half);
	}
	/* Until the last one was looked at, and those before it. */
	sleep_ms(20);
	for (i = 0; i < num; i++)
		send_to(idle[i], text + half, strlen(text) - half);
	for (i = 0; i < num; i++)
		expect_answer(idle[i]);
}

/* As many as there may be descriptors; a thousand tell as much. */
static size_t
num_possible(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 1200)
		skip();
	return limit.rlim_max < NUM_IDLE + 200 ?
	    (size_t)limit.rlim_max - 200 : NUM_IDLE;
}

/* Without a TIME_WAIT, of which others would have 10,000. */
static void
leave(int fd)
{
	struct client *c = malloc(sizeof(*c));

	assert_non_null(c);
	c->fd = fd;
	client_reset(c);
}

static void
idle_connections(void **state)
{
	size_t num = num_possible(), i, n;
	int *idle = calloc(num, sizeof(*idle));
	char text[1024];
	int64_t before, cost;

	(void)state;
	one = malloc(sizeof(*one));
	assert_non_null(idle);
	assert_non_null(one);
	worker_start(&world, tune, &running);
	http_get(running.port, world.path, "", &r);
	before = worker_memory();
	get_text(world.path, text);
	for (i = 0; i < num; i += n) {
		n = num - i < NUM_AT_ONCE ? num - i : NUM_AT_ONCE;
		make_idle(idle + i, n, text);
	}
	cost = (worker_memory() - before) / (int64_t)num;
	print_message("%zu idle connections: %lld octets each\n", num,
	    (long long)cost);
	if (!IS_SANITIZED)
		assert_in_range(cost, 1, COST_MAX);
	/* All of them are still there. */
	for (i = 0; i < num; i += num / 100) {
		send_to(idle[i], text, strlen(text));
		expect_answer(idle[i]);
	}
	for (i = 0; i < num; i++)
		leave(idle[i]);
	free(idle);
	free(one);
	worker_stop(&running);
	assert_int_equal(running.counts->shed, 0);
	assert_int_equal(running.counts->buffers_exhausted, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(idle_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
