/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of tickets with one lane for each enum sign_lane: the most
 * urgent lane first, within a lane first come, first served.  But of four that
 * are taken to be worked on while several lanes wait, one is of those behind,
 * the one that has waited longest: a million revocations keep nobody's
 * response from being renewed before it ends.  Safe from any number of
 * threads; its lock is a leaf: nothing else is locked under it.
 */
#ifndef SIGN_QUEUE_H
#define SIGN_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "sign/sign.h"

struct sign_queue;

/* One job on its way through a signer's threads.  Whoever took it out of a
 * queue owns it until it puts it into the next, or finishes it
 * (sign/desk.h). */
struct sign_ticket {
	void *key;			/* the signer's own; who owns the ticket
					 * may change it */
	/* From the job, constant. */
	enum sign_kind kind;
	enum sign_lane lane;
	enum sign_alg alg;		/* never SIGN_ALG_NONE */
	int64_t deadline_ns;

	/* The stages' own. */
	unsigned int retried;		/* what for, a bit for each */
	unsigned int num_moves;		/* with the work begun elsewhere */
	unsigned int num_failed, num_busy;	/* tries */
	uint64_t generation;		/* of the token that signed it */
	uint8_t signature[OC_SIGNATURE_MAX];
	size_t signature_len;
	uint8_t digest[32];		/* SHA-256 of the TBS, for a record */
	bool has_digest;

	/* The queue's. */
	struct sign_ticket *next, *previous;
	int64_t since_ns;		/* when it was put the first time */
	int64_t put_ns;			/* since when it waits */
	_Atomic(struct sign_queue *) queue;	/* NULL: in none */

	/* The desk's, under its lock. */
	struct sign_job *job;		/* NULL once the caller has it back */
	bool is_pinned, is_due;
	size_t heap_index;
};

/* One lane, for people and metrics. */
struct sign_queue_lane {
	size_t num_tickets;		/* that wait */
	int64_t oldest_ns;		/* how long the first has; 0: none */
	uint64_t num_taken;		/* ever, to be worked on */
	uint64_t waited_ns;		/* these, all together */
};

/* Taken in a row from the most urgent lane while others wait. */
#define SIGN_QUEUE_AHEAD_MAX 3

/*
 * How fast tickets are worked on, seen by how fast they are taken while others
 * wait behind them.  Whoever was idle before takes his first one at once: so
 * many do not count.
 */
#define SIGN_QUEUE_PACE_SKIPPED 32
#define SIGN_QUEUE_PACE_NUM 64
struct sign_queue_pace {
	uint32_t num;		/* taken since there was always one waiting */
	int64_t since_ns;	/* when those began that count */
	int64_t each_ns;	/* between two, lately; 0: not known */
};

struct sign_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sign_ticket *first[SIGN_LANE_MAX], *last[SIGN_LANE_MAX];
	size_t num_tickets, tickets_max;
	size_t num_begun;
	struct sign_queue_lane lanes[SIGN_LANE_MAX];	/* no oldest_ns */
	unsigned int num_ahead;		/* in a row, while others waited */
	struct sign_queue_pace pace;
	bool is_paused, is_closed;
};

enum oc_err sign_queue_init(struct sign_queue *q, size_t tickets_max)
    OC_MUST_CHECK;
/* It must be empty and nobody inside. */
void sign_queue_fini(struct sign_queue *q);

/* BUSY when it is full, CANCELLED when it is closed. */
enum oc_err sign_queue_put(struct sign_queue *q, struct sign_ticket *t)
    OC_MUST_CHECK;
/* Back to the head of its lane, full or closed or not. */
void sign_queue_put_front(struct sign_queue *q, struct sign_ticket *t);
/* From another queue: among those of its lane that came before and after it,
 * full or closed or not. */
void sign_queue_put_aged(struct sign_queue *q, struct sign_ticket *t);
/* Blocks until there is a ticket and the queue is not paused; NULL once it
 * is closed. */
struct sign_ticket *sign_queue_take(struct sign_queue *q);
/* The same, but not beyond then: TIMEOUT; CANCELLED once it is closed. */
enum oc_err sign_queue_take_until(struct sign_queue *q, int64_t until_ns,
    struct sign_ticket **t) OC_MUST_CHECK;
/* As take(), up to tickets_max of those that wait by then; how many, 0 for
 * NULL.  Until as many are done the queue is not idle. */
size_t sign_queue_begin(struct sign_queue *q, struct sign_ticket **tickets,
    size_t tickets_max);
void sign_queue_done(struct sign_queue *q, size_t num);
/* Whether nothing is in it, and nothing that was begun is not done. */
bool sign_queue_is_idle(struct sign_queue *q);
/* What is left, without blocking, paused or closed or not; NULL if empty. */
struct sign_ticket *sign_queue_drain(struct sign_queue *q);
/* Takes a ticket out of whatever queue it is in; false if it is in none. */
bool sign_queue_remove(struct sign_ticket *t);

void sign_queue_pause(struct sign_queue *q);
void sign_queue_resume(struct sign_queue *q);
void sign_queue_close(struct sign_queue *q);
size_t sign_queue_len(struct sign_queue *q);
void sign_queue_look(struct sign_queue *q,
    struct sign_queue_lane lanes[SIGN_LANE_MAX]);
/* Between two that are worked on, when there is enough to do; 0: there never
 * was, for long enough to tell. */
int64_t sign_queue_each_ns(struct sign_queue *q);

#endif
