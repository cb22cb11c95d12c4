/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front desk of a signer whose work is done by threads.  It turns a job
 * into a ticket, keeps the deadlines, and hands every job back exactly once,
 * on the caller's thread.  A thread that hangs in a token keeps its ticket,
 * never the caller's memory: the job goes home at its deadline.
 *
 * Locks: the desk's, then a queue's.  Stages hold neither when they call.
 */
#ifndef SIGN_DESK_H
#define SIGN_DESK_H

#include "sign/queue.h"

struct sign_desk;

/*
 * Whoever keeps a record of each ticket is told of it when it is finished.
 * True: the ticket is the recorder's now, and sign_desk_release() ends it.
 */
typedef bool sign_desk_record_fn(void *arg, struct sign_desk *desk,
    struct sign_ticket *ticket, enum oc_err err, const char *text);

struct sign_desk {
	sign_desk_record_fn *record;	/* NULL: nobody */
	void *record_arg;
	pthread_mutex_t lock;
	pthread_cond_t unpinned;
	int epoll_fd, event_fd, timer_fd;
	int64_t armed_ns;	/* what timer_fd waits for; 0: nothing */
	struct sign_ticket **heap;	/* live tickets by deadline */
	size_t num_live, heap_room;
	struct sign_job *done_first, *done_last;
	uint64_t num_late;		/* results nobody waited for any more */
};

enum oc_err sign_desk_init(struct sign_desk *desk, struct oc_error *error)
    OC_MUST_CHECK;
/* All threads must be gone.  Jobs still here are dropped as by cancel. */
void sign_desk_fini(struct sign_desk *desk);

/* The caller's side: submit, cancel, fd, dispatch of struct signer. */

/* A ticket for the job, its deadline running.  Put it into a queue, or give
 * it back with sign_desk_discard(): then there is no done(). */
enum oc_err sign_desk_open(struct sign_desk *desk, struct sign_job *job,
    void *key, enum sign_alg alg, struct sign_ticket **ticket) OC_MUST_CHECK;
void sign_desk_discard(struct sign_desk *desk, struct sign_ticket *ticket);
/* Waits for a stage that has the TBS pinned: as long as hashing it takes. */
void sign_desk_cancel(struct sign_desk *desk, struct sign_job *job);
void sign_desk_dispatch(struct sign_desk *desk);

/* The stages' side, from any thread that owns the ticket. */

/* Lends the TBS until unpin; false if nobody waits for it any more, and the
 * ticket is then to be finished, with whatever error.  Only for work that
 * ends by itself: never hold it across a call into a token. */
bool sign_desk_pin(struct sign_desk *desk, struct sign_ticket *ticket,
    struct der_bytes *tbs) OC_MUST_CHECK;
void sign_desk_unpin(struct sign_desk *desk, struct sign_ticket *ticket);
/* Where there is a recorder: the TBS's digest, for it.  Between pin and
 * unpin. */
void sign_desk_note(const struct sign_desk *desk, struct sign_ticket *ticket,
    struct der_bytes tbs);
/* Hands the job back, by way of the recorder, with the ticket's signature if
 * err is OC_OK, and frees the ticket.  text may be NULL. */
void sign_desk_finish(struct sign_desk *desk, struct sign_ticket *ticket,
    enum oc_err err, const char *text);

/* The recorder's side: whether anybody waits, and the end. */
bool sign_desk_is_wanted(struct sign_desk *desk,
    const struct sign_ticket *ticket);
void sign_desk_release(struct sign_desk *desk, struct sign_ticket *ticket,
    enum oc_err err, const char *text);

#endif
