/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread on which a status source lives.  It asks the source for news
 * four times a second, at once when nudged, and hands what changed to the
 * event loop in batches; it waits while the loop has not taken the last one.
 */
#ifndef STATUS_FEED_H
#define STATUS_FEED_H

#include "status/status.h"

#define STATUS_BATCH_MAX 512

struct status_feed;

/* What the loop is handed: changes, or a state, or both. */
struct status_batch {
	struct status_change changes[STATUS_BATCH_MAX];
	uint32_t num_changes;
	/* These are no news: the feed was told that they are known. */
	bool is_history;
	/* Everything that there was at the start has been handed over. */
	bool is_whole;
	/* Everything up to the nudge of this number has been handed over. */
	bool is_caught_up;
	uint64_t nudge;
	/* Of all that was handed over, where is_caught_up. */
	struct status_bounds bounds;
	/* What the source said; OC_OK when it is well (again). */
	enum oc_err err;
	char text[OC_ERROR_TEXT_MAX];
};

/* Takes the source, whatever it returns.  First comes what is newer than
 * after_seq, then, while news go before it, all that is not. */
enum oc_err status_feed_new(struct status_source *source, int64_t after_seq,
    struct status_feed **feed) OC_MUST_CHECK;
/* Stops and joins the thread, which closes the source; NULL is fine. */
void status_feed_free(struct status_feed *feed);

/* Readable when dispatch has something. */
int status_feed_fd(const struct status_feed *feed);
typedef void status_batch_fn(void *arg, const struct status_batch *batch);
void status_feed_dispatch(struct status_feed *feed, status_batch_fn *fn,
    void *arg);

/* For how long the source has not returned from what it was asked; 0: it has.
 * When it does after more than a second, a batch comes, news or not. */
int64_t status_feed_stuck_ns(const struct status_feed *feed);

/* Look now.  Returns the number that a later batch's nudge reaches. */
uint64_t status_feed_nudge(struct status_feed *feed);

#endif
