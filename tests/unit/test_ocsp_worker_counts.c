/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a responder says that it did, while it runs and after it was killed:
 * every request is of one method and ended in one way, and what another
 * process reads is what clients got.
 */
#include "tests/unit/ocsp_worker_test.h"

#include <signal.h>
#include <sys/wait.h>

#define RUN 7
#define NUM_HITS (3 * OCSP_HITS_A_SAMPLE)

static struct oc_page *page;
static struct ocsp_worker_issuer counted;

static void
count_in_page(struct ocsp_worker_options *options)
{
	struct oc_error error = { 0 };

	if (ocsp_counts_open(world.dir, RUN, &page, &error) != OC_OK)
		_exit(3);
	options->counts = ocsp_counts_of(page);
	counted = options->issuers[0];
	counted.counts = ocsp_counts_of_issuer(page, "ca");
	options->issuers = &counted;
}

static struct ocsp_counts
counts_now(void)
{
	struct ocsp_counts_total total;

	ocsp_counts_read(world.dir, RUN, &total);
	return total.counts;
}

static struct ocsp_issuer_counts
issuer_now(void)
{
	struct ocsp_counts_total total;

	ocsp_counts_read(world.dir, RUN, &total);
	return ocsp_counts_find(&total, "ca");
}

static uint64_t
num_in(const struct ocsp_latency *latency)
{
	uint64_t num = 0;
	int i;

	for (i = 0; i < OCSP_LATENCY_BUCKETS; i++)
		num += latency->num[i];
	return num;
}

static void
assert_whole(const struct ocsp_counts *c)
{
	assert_int_equal(c->get + c->post + c->head + c->other_methods,
	    c->requests);
	assert_int_equal(c->successful + c->malformed + c->internal_errors +
	    c->try_later + c->sig_required + c->unauthorized +
	    c->not_modified + c->pages + c->http_errors, c->requests);
	assert_int_equal(num_in(&c->hit_latency),
	    c->hits / OCSP_HITS_A_SAMPLE);
}

static void
get_often(uint16_t port, int num)
{
	struct client *c = client_new(port);
	struct response r;
	char text[1024];
	int i;

	get_text(world.path, text);
	for (i = 0; i < num; i++) {
		client_send_text(c, text);
		assert_true(client_read(c, false, &r));
		assert_body(&r, world.answer);
	}
	client_free(c);
}

static void
ask_all(uint16_t port)
{
	struct response r;
	struct client *c;

	get_often(port, NUM_HITS - 1);
	http_post(port, "Content-Type: application/ocsp-request\r\n",
	    world.request, &r);
	assert_body(&r, world.answer);
	http_get(port, "/", "", &r);
	assert_int_equal(r.status, 200);
	http_get(port, "/nonsense", "", &r);
	http_refused(port, "GET / HTTP/9.9\r\n\r\n", 505);
	c = client_new(port);
	client_send_text(c, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(client_read(c, false, &r));
	assert_int_equal(r.status, 405);
	client_free(c);
}

static void
each_request_once(void **state)
{
	struct scripted status;
	struct ocsp_counts c, before;
	struct ocsp_issuer_counts mine, now;
	struct response r;

	(void)state;
	memset(&running, 0, sizeof(running));
	scripted_start(&world, STUB_TABLE, &status);
	worker_start(&world, count_in_page, &running);
	ask_all(running.port);
	c = counts_now();
	assert_whole(&c);
	assert_int_equal(c.get, NUM_HITS - 1 + 3 - 1);
	assert_int_equal(c.post, 1);
	assert_int_equal(c.other_methods, 2);
	assert_int_equal(c.hits, NUM_HITS);
	assert_int_equal(c.successful, NUM_HITS);
	assert_int_equal(c.pages, 1);
	assert_int_equal(c.misses, 0);
	assert_int_equal(c.stale, 0);
	assert_true(c.hit_latency.sum_ns > 0);

	/* One that the table lacks, and one that is past its time there. */
	before = c;
	http_get_serial(&world, running.port, "4711", 0, &r);
	assert_int_equal(r.status, 200);
	world_put(&world, "4712", OCSP_GOOD, world.now - 2 * WORLD_AGE_S,
	    world.now - WORLD_AGE_S);
	http_get_serial(&world, running.port, "4712", 0, &r);
	assert_int_equal(r.status, 200);
	c = counts_now();
	assert_whole(&c);
	assert_int_equal(c.misses, before.misses + 2);
	assert_int_equal(c.stale, 1);
	assert_int_equal(c.hits, before.hits);
	assert_int_equal(c.successful, before.successful + 2);
	assert_int_equal(num_in(&c.miss_latency), 2);
	assert_true(c.miss_latency.sum_ns > 0);

	/* All this was about the one issuer; what is about none is not. */
	before = c;
	mine = issuer_now();
	assert_int_equal(mine.successful, c.successful);
	assert_int_equal(mine.hits, c.hits);
	assert_int_equal(mine.misses, 2);
	assert_int_equal(mine.stale, 1);
	http_post(running.port, "", (struct blob){ .bytes = "0", .len = 1 },
	    &r);
	assert_int_equal(r.status, 200);
	c = counts_now();
	assert_int_equal(c.malformed, before.malformed + 1);
	now = issuer_now();
	assert_memory_equal(&now, &mine, sizeof(now));
	worker_stop(&running);
	scripted_stop(&status);
}

static void
killed_and_started(void **state)
{
	struct ocsp_counts before = counts_now(), c;
	struct ocsp_counts_total total;
	int status;

	(void)state;
	memset(&running, 0, sizeof(running));
	worker_start(&world, count_in_page, &running);
	get_often(running.port, 10);
	assert_int_equal(kill(running.pid, SIGKILL), 0);
	assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
	c = counts_now();
	assert_int_equal(c.requests, before.requests + 10);
	worker_start(&world, count_in_page, &running);
	get_often(running.port, 5);
	c = counts_now();
	assert_int_equal(c.requests, before.requests + 15);
	assert_whole(&c);
	worker_stop(&running);
	ocsp_counts_read(world.dir, RUN, &total);
	assert_int_equal(total.counts.requests, before.requests + 15);
	assert_int_equal(total.pages.num_pages, 1);
	assert_int_equal(total.pages.num_starts, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_once),
		cmocka_unit_test(killed_and_started),
	};

	return cmocka_run_group_tests(tests, worker_setup, worker_teardown);
}
