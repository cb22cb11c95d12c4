/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed's thread over a source that follows a script: what is handed over,
 * in which batches, how often a failure is said, and that it always stops.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "status/feed.h"

/* A source with num_changes changes, seq 1 .. num_changes. */
static struct script {
	struct status_source source;	/* first */
	pthread_mutex_t mutex;
	int64_t num_changes;
	enum oc_err err;
	int num_reads, num_closed;
	bool has_news;
	int delay_ms;			/* once, before it says so */
	uint32_t batch_max;		/* fewer than it is asked for */
} script;

static enum oc_err
script_read(struct status_source *s, int64_t after_seq,
    struct status_change *changes, uint32_t num_max, uint32_t *num)
{
	enum oc_err err;
	uint32_t n = 0;

	assert_ptr_equal(s, &script.source);
	pthread_mutex_lock(&script.mutex);
	script.num_reads++;
	if (num_max > script.batch_max)
		num_max = script.batch_max;
	while (n < num_max && after_seq < script.num_changes) {
		changes[n] = (struct status_change){ .seq = ++after_seq };
		n++;
	}
	err = script.err;
	pthread_mutex_unlock(&script.mutex);
	if (err == OC_OK)
		*num = n;
	return err;
}

static bool
script_has_news(struct status_source *s)
{
	bool has_news;
	int delay_ms;

	(void)s;
	pthread_mutex_lock(&script.mutex);
	has_news = script.has_news;
	delay_ms = script.delay_ms;
	script.has_news = false;
	script.delay_ms = 0;
	pthread_mutex_unlock(&script.mutex);
	if (delay_ms != 0)
		usleep((useconds_t)delay_ms * 1000);
	return has_news;
}

static const char *
script_error(const struct status_source *s)
{
	(void)s;
	return "the script says no";
}

static void
script_close(struct status_source *s)
{
	(void)s;
	pthread_mutex_lock(&script.mutex);
	script.num_closed++;
	pthread_mutex_unlock(&script.mutex);
}

static void
script_bounds(struct status_source *s, struct status_bounds *bounds)
{
	(void)s;
	*bounds = (struct status_bounds){ 7, 8 };
}

static const struct status_ops script_ops = {
	.read = script_read,
	.has_news = script_has_news,
	.bounds = script_bounds,
	.error = script_error,
	.close = script_close,
};

static void
script_set(int64_t num_changes, enum oc_err err, bool has_news)
{
	pthread_mutex_lock(&script.mutex);
	script.num_changes = num_changes;
	script.err = err;
	script.has_news = has_news;
	pthread_mutex_unlock(&script.mutex);
}

static int
script_num_reads(void)
{
	int num;

	pthread_mutex_lock(&script.mutex);
	num = script.num_reads;
	pthread_mutex_unlock(&script.mutex);
	return num;
}

static struct status_feed *feed;

/* What came. */
static struct {
	int num_batches, num_caught_up, num_failed, num_recovered;
	int64_t seq, old_seq;
	int num_whole;
	int64_t news_at_end;		/* seq when it was whole */
	int64_t more_news;		/* to come with the first history ... */
	int64_t more_at;		/* ... that reaches this */
	int64_t fails_at;		/* of history */
	uint64_t nudge;
	uint32_t largest;
	bool is_failing;
	char text[OC_ERROR_TEXT_MAX];
} seen;

static void
take_history(const struct status_batch *batch)
{
	for (uint32_t i = 0; i < batch->num_changes; i++)
		assert_int_equal(batch->changes[i].seq, ++seen.old_seq);
	assert_false(batch->is_caught_up);
	if (seen.more_news != 0 && seen.old_seq >= seen.more_at) {
		script_set(seen.more_news, OC_OK, true);
		seen.more_news = 0;
	}
	if (seen.fails_at != 0 && seen.old_seq >= seen.fails_at) {
		script_set(3000, OC_ERR_BUSY, false);
		seen.fails_at = 0;
	}
}

static void
take(void *arg, const struct status_batch *batch)
{
	assert_ptr_equal(arg, &seen);
	seen.num_batches++;
	seen.num_caught_up += batch->is_caught_up;
	assert_true(batch->num_changes <= STATUS_BATCH_MAX);
	if (batch->num_changes > seen.largest)
		seen.largest = batch->num_changes;
	if (batch->is_history)
		take_history(batch);
	for (uint32_t i = 0; !batch->is_history && i < batch->num_changes;
	    i++)
		assert_int_equal(batch->changes[i].seq, ++seen.seq);
	if (batch->is_whole && seen.num_whole++ == 0)
		seen.news_at_end = seen.seq;
	assert_true(batch->nudge >= seen.nudge);
	if (batch->is_caught_up)
		seen.nudge = batch->nudge;
	if (batch->err != OC_OK) {
		assert_int_equal(batch->num_changes, 0);
		assert_false(batch->is_caught_up);
		seen.num_failed++;
		memcpy(seen.text, batch->text, sizeof(seen.text));
	} else if (seen.is_failing) {
		seen.num_recovered++;
	}
	seen.is_failing = batch->err != OC_OK;
}

/* Turns the loop for so long, or until *what has reached value. */
static void
turn(int ms, const int *what, int value)
{
	int64_t end = oc_clock_mono_ns() + ms * OC_NS_PER_MS;
	struct pollfd p = { status_feed_fd(feed), POLLIN, 0 };

	while (oc_clock_mono_ns() < end && (what == NULL || *what < value))
		if (poll(&p, 1, what == NULL ? 10 : 50) > 0)
			status_feed_dispatch(feed, take, &seen);
	if (what != NULL)
		assert_true(*what >= value);
}

static int
setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&script, 0, sizeof(script));
	script.source.ops = &script_ops;
	script.batch_max = UINT32_MAX;
	return pthread_mutex_init(&script.mutex, NULL);
}

static void
start(void)
{
	assert_int_equal(status_feed_new(&script.source, 0, &feed), OC_OK);
}

static int
teardown(void **state)
{
	int64_t begun = oc_clock_mono_ns();

	(void)state;
	status_feed_free(feed);
	feed = NULL;
	assert_true(oc_clock_mono_ns() - begun < OC_NS_PER_S);
	assert_int_equal(script.num_closed, 1);
	pthread_mutex_destroy(&script.mutex);
	return 0;
}

static void
test_snapshot(void **state)
{
	(void)state;
	script.num_changes = 3 * STATUS_BATCH_MAX + 17;
	start();
	turn(5000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 3 * STATUS_BATCH_MAX + 17);
	assert_int_equal(seen.num_batches, 5);
	assert_int_equal(seen.largest, STATUS_BATCH_MAX);
	assert_int_equal(seen.nudge, 0);
}

/* While it hangs that can be seen; then it is said that it does not. */
static void
test_hangs(void **state)
{
	int64_t end = oc_clock_mono_ns() + 20 * OC_NS_PER_S, stuck_ns = 0;
	int num;

	(void)state;
	start();
	turn(5000, &seen.num_whole, 1);
	num = seen.num_caught_up;
	pthread_mutex_lock(&script.mutex);
	script.delay_ms = 2500;
	pthread_mutex_unlock(&script.mutex);
	while (stuck_ns < 300 * OC_NS_PER_MS && oc_clock_mono_ns() < end) {
		usleep(10000);
		stuck_ns = status_feed_stuck_ns(feed);
	}
	assert_true(stuck_ns >= 300 * OC_NS_PER_MS);
	turn(5000, &seen.num_caught_up, num + 1);
	assert_true(status_feed_stuck_ns(feed) < 300 * OC_NS_PER_MS);
}

static void
test_empty_source(void **state)
{
	(void)state;
	start();
	turn(5000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 0);
}

static void
test_starts_later(void **state)
{
	(void)state;
	script.num_changes = 10;
	seen.seq = 7;
	assert_int_equal(status_feed_new(&script.source, 7, &feed), OC_OK);
	turn(5000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 10);
	assert_int_equal(seen.old_seq, 0);
	assert_int_equal(seen.num_whole, 0);
	turn(5000, &seen.num_whole, 1);
	assert_int_equal(seen.old_seq, 7);
}

/* What is new comes first, and also while what is known comes again. */
static void
test_news_first(void **state)
{
	(void)state;
	script.num_changes = 3000;
	seen.seq = 1000;
	seen.more_news = 3100;
	assert_int_equal(status_feed_new(&script.source, 1000, &feed), OC_OK);
	turn(5000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 3000);
	assert_int_equal(seen.old_seq, 0);
	turn(5000, &seen.num_whole, 1);
	assert_int_equal(seen.old_seq, 1000);
	assert_int_equal(seen.news_at_end, 3100);
	/* And on it goes. */
	script_set(3200, OC_OK, true);
	turn(5000, &seen.num_whole, 2);
	assert_int_equal(seen.seq, 3200);
	assert_int_equal(seen.old_seq, 1000);
}

/* What changes while the last of what is known is read is not in that any
 * more: it is not whole without the news. */
static void
test_news_at_the_end(void **state)
{
	(void)state;
	script.num_changes = 3000;
	seen.seq = 1000;
	seen.more_news = 3100;
	seen.more_at = 1000;
	assert_int_equal(status_feed_new(&script.source, 1000, &feed), OC_OK);
	turn(5000, &seen.num_whole, 1);
	assert_int_equal(seen.old_seq, 1000);
	assert_int_equal(seen.news_at_end, 3100);
}

/* The source fails in between: what is missing is read when it is back. */
static void
test_history_fails(void **state)
{
	(void)state;
	script.num_changes = 3000;
	script.batch_max = 100;
	seen.seq = 2990;
	seen.fails_at = 300;
	assert_int_equal(status_feed_new(&script.source, 2990, &feed), OC_OK);
	turn(5000, &seen.num_failed, 1);
	assert_int_equal(seen.num_whole, 0);
	script_set(3000, OC_OK, false);
	turn(5000, &seen.num_whole, 1);
	assert_int_equal(seen.num_recovered, 1);
	assert_int_equal(seen.old_seq, 2990);
}

/* A source that hands out few at a time is asked until it has no more. */
static void
test_small_batches(void **state)
{
	(void)state;
	script.num_changes = 100;
	script.batch_max = 3;
	start();
	turn(5000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 100);
	assert_int_equal(seen.largest, 3);
}

static void
test_polls(void **state)
{
	(void)state;
	start();
	turn(5000, &seen.num_caught_up, 1);
	script_set(5, OC_OK, true);
	turn(2000, &seen.num_caught_up, 2);
	assert_int_equal(seen.seq, 5);
}

/* Without news it is not read, nudged it is, at once. */
static void
test_nudge(void **state)
{
	int64_t begun;
	int num_reads;

	(void)state;
	start();
	turn(5000, &seen.num_caught_up, 1);
	turn(700, NULL, 0);
	num_reads = script_num_reads();
	turn(700, NULL, 0);
	assert_int_equal(script_num_reads(), num_reads);

	script_set(3, OC_OK, false);
	begun = oc_clock_mono_ns();
	assert_int_equal(status_feed_nudge(feed), 1);
	turn(2000, &seen.num_caught_up, 2);
	assert_int_equal(seen.nudge, 1);
	assert_int_equal(seen.seq, 3);
	/* It has no news: unasked it would never have been read. */
	assert_true(oc_clock_mono_ns() - begun < OC_NS_PER_S);
	assert_int_equal(status_feed_nudge(feed), 2);
	assert_int_equal(status_feed_nudge(feed), 3);
	while (seen.nudge < 3)
		turn(2000, &seen.num_batches, seen.num_batches + 1);
}

/* Nudges while the loop is away, and while the thread reads: the last batch
 * reaches the last number, with all that had changed before it. */
static void
test_nudge_storm(void **state)
{
	uint64_t last = 0;

	(void)state;
	start();
	for (int64_t n = 1; n <= 2000; n++) {
		script_set(n, OC_OK, false);
		last = status_feed_nudge(feed);
		if (n % 100 == 0)
			turn(2, NULL, 0);
	}
	while (seen.nudge < last)
		turn(2000, &seen.num_batches, seen.num_batches + 1);
	assert_int_equal(last, 2000);
	assert_int_equal(seen.seq, 2000);
}

static void
test_failure_once(void **state)
{
	(void)state;
	script.num_changes = 4;
	start();
	turn(5000, &seen.num_caught_up, 1);
	script_set(6, OC_ERR_STORE, true);
	turn(2000, &seen.num_failed, 1);
	assert_string_equal(seen.text, "the script says no");
	turn(1200, NULL, 0);
	assert_int_equal(seen.num_failed, 1);
	assert_int_equal(seen.num_recovered, 0);
	assert_int_equal(seen.seq, 4);
	assert_true(script_num_reads() >= 4);
	/* It is tried again by itself, and says so once. */
	script_set(6, OC_OK, false);
	turn(2000, &seen.num_recovered, 1);
	turn(700, NULL, 0);
	assert_int_equal(seen.num_recovered, 1);
	assert_int_equal(seen.num_failed, 1);
	assert_int_equal(seen.seq, 6);
	/* And again. */
	script_set(6, OC_ERR_STORE, true);
	turn(2000, &seen.num_failed, 2);
}

static void
test_fails_from_the_start(void **state)
{
	(void)state;
	script.err = OC_ERR_STORE;
	script.num_changes = 2;
	start();
	turn(2000, &seen.num_failed, 1);
	assert_int_equal(seen.num_caught_up, 0);
	script_set(2, OC_OK, false);
	turn(2000, &seen.num_caught_up, 1);
	assert_int_equal(seen.seq, 2);
}

/* A nudge while the source fails is reached once it is well. */
static void
test_nudge_outlives_failure(void **state)
{
	(void)state;
	script.err = OC_ERR_STORE;
	start();
	turn(2000, &seen.num_failed, 1);
	assert_int_equal(status_feed_nudge(feed), 1);
	turn(700, NULL, 0);
	assert_int_equal(seen.nudge, 0);
	script_set(1, OC_OK, false);
	turn(2000, &seen.num_caught_up, 1);
	assert_int_equal(seen.nudge, 1);
	assert_int_equal(seen.seq, 1);
}

/* The loop never takes a thing: the thread waits, reads no further, and
 * still stops. */
static void
test_stop_untaken(void **state)
{
	struct pollfd p;

	(void)state;
	script.num_changes = 100 * STATUS_BATCH_MAX;
	start();
	p = (struct pollfd){ status_feed_fd(feed), POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 5000), 1);
	usleep(300000);
	assert_int_equal(script_num_reads(), 1);
}

static void
test_stop_at_once(void **state)
{
	(void)state;
	script.num_changes = 10 * STATUS_BATCH_MAX;
	start();
}

static void
test_dispatch_of_nothing(void **state)
{
	(void)state;
	start();
	turn(5000, &seen.num_caught_up, 1);
	turn(700, NULL, 0);
	seen.num_batches = 0;
	status_feed_dispatch(feed, take, &seen);
	status_feed_dispatch(feed, take, &seen);
	assert_int_equal(seen.num_batches, 0);
	status_feed_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_snapshot), T(test_hangs), T(test_empty_source),
		T(test_starts_later),
		T(test_news_first), T(test_news_at_the_end),
		T(test_history_fails),
		T(test_small_batches), T(test_polls), T(test_nudge),
		T(test_nudge_storm), T(test_failure_once),
		T(test_fails_from_the_start), T(test_nudge_outlives_failure),
		T(test_stop_untaken), T(test_stop_at_once),
		T(test_dispatch_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
