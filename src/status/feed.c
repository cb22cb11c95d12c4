/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed's thread, and the one batch that it and the event loop pass to and
 * fro: the thread fills it while it is empty, the loop reads it while it is
 * full; the mutex guards only whose it is.
 */
#include "status/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define POLL_NS (OC_NS_PER_S / 4)
/* Who takes so long to say whether there is news may have been given up. */
#define SLOW_NS OC_NS_PER_S

struct status_feed {
	struct status_source *source;	/* the thread's */
	int64_t seq;			/* the thread's */
	int64_t old_seq, old_end;	/* the thread's: what is no news */
	bool has_history;		/* the thread's: all of that is read */
	bool has_failed;		/* the thread's: was said already */
	pthread_t thread;
	int event_fd;			/* the thread writes, the loop reads */
	_Atomic int64_t asked_ns;	/* when the source was asked what it has
					 * not said yet; 0: nothing */

	pthread_mutex_t mutex;
	pthread_cond_t wake;		/* for the thread */
	bool is_stopping;		/* under the mutex, as is the rest */
	uint64_t nudges;
	bool is_full;
	struct status_batch batch;	/* of whom is_full says */
};

/* --- the source, which may hang ----------------------------------------- */

static enum oc_err
read_source(struct status_feed *feed, int64_t after_seq, uint32_t *num)
{
	enum oc_err err;

	*num = 0;
	atomic_store(&feed->asked_ns, oc_clock_mono_ns());
	err = feed->source->ops->read(feed->source, after_seq,
	    feed->batch.changes, STATUS_BATCH_MAX, num);
	atomic_store(&feed->asked_ns, 0);
	return err;
}

/* Or there is to be a batch in any case. */
static bool
has_news(struct status_feed *feed)
{
	int64_t begin_ns = oc_clock_mono_ns();
	bool has;

	atomic_store(&feed->asked_ns, begin_ns);
	has = feed->source->ops->has_news(feed->source);
	atomic_store(&feed->asked_ns, 0);
	return has || oc_clock_mono_ns() - begin_ns >= SLOW_NS;
}

/* --- the thread --------------------------------------------------------- */

/* Waits until the loop has taken the last batch.  False: stop. */
static bool
wait_empty(struct status_feed *feed)
{
	bool is_empty;

	pthread_mutex_lock(&feed->mutex);
	while (feed->is_full && !feed->is_stopping)
		pthread_cond_wait(&feed->wake, &feed->mutex);
	is_empty = !feed->is_stopping;
	pthread_mutex_unlock(&feed->mutex);
	return is_empty;
}

static void
hand_over(struct status_feed *feed)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&feed->mutex);
	feed->is_full = true;
	pthread_mutex_unlock(&feed->mutex);
	/* Cannot fail: the counter is far from its limit. */
	oc_assert(write(feed->event_fd, &one, sizeof(one)) == sizeof(one));
}

/* Sleeps until a nudge, the next poll, or the end.  False: stop. */
static bool
wait_news(struct status_feed *feed, uint64_t nudges_seen)
{
	struct timespec until;
	bool goes_on;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += POLL_NS;
	if (until.tv_nsec >= OC_NS_PER_S) {
		until.tv_nsec -= OC_NS_PER_S;
		until.tv_sec++;
	}
	pthread_mutex_lock(&feed->mutex);
	while (rc != ETIMEDOUT && feed->nudges == nudges_seen &&
	    !feed->is_stopping)
		rc = pthread_cond_timedwait(&feed->wake, &feed->mutex, &until);
	goes_on = !feed->is_stopping;
	pthread_mutex_unlock(&feed->mutex);
	return goes_on;
}

static uint64_t
nudges_so_far(struct status_feed *feed)
{
	uint64_t nudges;

	pthread_mutex_lock(&feed->mutex);
	nudges = feed->nudges;
	pthread_mutex_unlock(&feed->mutex);
	return nudges;
}

/*
 * Reads until there is nothing more.  A failure is handed over once, and so
 * is the first success after it.  False: stop.
 */
static bool
read_all(struct status_feed *feed, uint64_t nudges)
{
	struct status_batch *batch = &feed->batch;
	uint32_t num;
	enum oc_err err;

	for (;;) {
		if (!wait_empty(feed))
			return false;
		err = read_source(feed, feed->seq, &num);
		if (err != OC_OK && feed->has_failed)
			return true;
		feed->has_failed = err != OC_OK;
		batch->num_changes = err == OC_OK ? num : 0;
		batch->is_history = false;
		batch->is_caught_up = err == OC_OK && num == 0;
		batch->is_whole = batch->is_caught_up && feed->has_history;
		if (batch->is_caught_up)
			feed->source->ops->bounds(feed->source,
			    &batch->bounds);
		batch->nudge = nudges;
		batch->err = err;
		snprintf(batch->text, sizeof(batch->text), "%s",
		    err != OC_OK ? feed->source->ops->error(feed->source) : "");
		if (batch->num_changes != 0)
			feed->seq = batch->changes[num - 1].seq;
		hand_over(feed);
		if (batch->is_caught_up || err != OC_OK)
			return true;
	}
}

/* One batch of what was there before the feed began; without what has changed
 * since, which is whole only together with the news.  False: stop. */
static bool
read_history(struct status_feed *feed)
{
	struct status_batch *batch = &feed->batch;
	uint32_t num;
	enum oc_err err;

	if (!wait_empty(feed))
		return false;
	err = read_source(feed, feed->old_seq, &num);
	/* What has changed since comes, or came, as news. */
	while (err == OC_OK && num > 0 &&
	    batch->changes[num - 1].seq > feed->old_end)
		num--;
	feed->has_failed = err != OC_OK;
	feed->has_history = err == OC_OK && num == 0;
	batch->num_changes = err == OC_OK ? num : 0;
	batch->is_history = true;
	batch->is_caught_up = false;
	batch->is_whole = false;
	batch->err = err;
	snprintf(batch->text, sizeof(batch->text), "%s",
	    err != OC_OK ? feed->source->ops->error(feed->source) : "");
	if (batch->num_changes != 0)
		feed->old_seq = batch->changes[num - 1].seq;
	hand_over(feed);
	return true;
}

static void *
feed_main(void *arg)
{
	struct status_feed *feed = arg;
	uint64_t nudges = 0, nudges_done = 0;
	bool goes_on = true, must_read = true;

	while (goes_on) {
		nudges = nudges_so_far(feed);
		if (must_read || nudges != nudges_done || feed->has_failed ||
		    has_news(feed)) {
			goes_on = read_all(feed, nudges);
			must_read = false;
			nudges_done = nudges;
		}
		if (goes_on && !feed->has_history && !feed->has_failed) {
			goes_on = read_history(feed);
			must_read = feed->has_history;
		} else {
			goes_on = goes_on && wait_news(feed, nudges_done);
		}
	}
	feed->source->ops->close(feed->source);
	return NULL;
}

enum oc_err
status_feed_new(struct status_source *source, int64_t after_seq,
    struct status_feed **out)
{
	struct status_feed *feed = calloc(1, sizeof(*feed));
	pthread_condattr_t attr;

	if (feed == NULL)
		goto fail;
	feed->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (feed->event_fd < 0)
		goto fail;
	feed->source = source;
	feed->seq = feed->old_end = after_seq;
	feed->has_history = after_seq == 0;
	pthread_mutex_init(&feed->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&feed->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&feed->thread, NULL, feed_main, feed) != 0) {
		pthread_cond_destroy(&feed->wake);
		pthread_mutex_destroy(&feed->mutex);
		close(feed->event_fd);
		goto fail;
	}
	*out = feed;
	return OC_OK;
fail:
	free(feed);
	source->ops->close(source);
	return OC_ERR_NOMEM;
}

void
status_feed_free(struct status_feed *feed)
{
	if (feed == NULL)
		return;
	pthread_mutex_lock(&feed->mutex);
	feed->is_stopping = true;
	pthread_cond_signal(&feed->wake);
	pthread_mutex_unlock(&feed->mutex);
	pthread_join(feed->thread, NULL);
	pthread_cond_destroy(&feed->wake);
	pthread_mutex_destroy(&feed->mutex);
	close(feed->event_fd);
	free(feed);
}

int
status_feed_fd(const struct status_feed *feed)
{
	return feed->event_fd;
}

void
status_feed_dispatch(struct status_feed *feed, status_batch_fn *fn, void *arg)
{
	uint64_t count;
	bool is_full;

	if (read(feed->event_fd, &count, sizeof(count)) != sizeof(count))
		return;
	pthread_mutex_lock(&feed->mutex);
	is_full = feed->is_full;
	pthread_mutex_unlock(&feed->mutex);
	if (!is_full)
		return;
	fn(arg, &feed->batch);
	pthread_mutex_lock(&feed->mutex);
	feed->is_full = false;
	pthread_cond_signal(&feed->wake);
	pthread_mutex_unlock(&feed->mutex);
}

int64_t
status_feed_stuck_ns(const struct status_feed *feed)
{
	int64_t asked_ns = atomic_load(&feed->asked_ns);

	return asked_ns == 0 ? 0 : oc_clock_mono_ns() - asked_ns;
}

uint64_t
status_feed_nudge(struct status_feed *feed)
{
	uint64_t nudge;

	pthread_mutex_lock(&feed->mutex);
	nudge = ++feed->nudges;
	pthread_cond_signal(&feed->wake);
	pthread_mutex_unlock(&feed->mutex);
	return nudge;
}
