/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes of doubly linked tickets, so that a cancelled one leaves at once. */
#include "base/clock.h"
#include "sign/queue.h"

enum oc_err
sign_queue_init(struct sign_queue *q, size_t tickets_max)
{
	pthread_condattr_t attr;
	int rc;

	memset(q, 0, sizeof(*q));
	q->tickets_max = tickets_max;
	if (pthread_mutex_init(&q->lock, NULL) != 0)
		return OC_ERR_SYSTEM;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&q->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (rc != 0) {
		(void)pthread_mutex_destroy(&q->lock);
		return OC_ERR_SYSTEM;
	}
	return OC_OK;
}

void
sign_queue_fini(struct sign_queue *q)
{
	oc_assert(q->num_tickets == 0);
	(void)pthread_cond_destroy(&q->changed);
	(void)pthread_mutex_destroy(&q->lock);
}

static void
unlink_ticket(struct sign_queue *q, struct sign_ticket *t)
{
	if (t->previous != NULL)
		t->previous->next = t->next;
	else
		q->first[t->lane] = t->next;
	if (t->next != NULL)
		t->next->previous = t->previous;
	else
		q->last[t->lane] = t->previous;
	t->next = t->previous = NULL;
	q->num_tickets--;
	q->lanes[t->lane].num_tickets--;
	atomic_store(&t->queue, NULL);
}

/* It is linked. */
static void
note_put(struct sign_queue *q, struct sign_ticket *t)
{
	t->put_ns = oc_clock_mono_ns();
	if (t->since_ns == 0)
		t->since_ns = t->put_ns;
	q->num_tickets++;
	q->lanes[t->lane].num_tickets++;
	atomic_store(&t->queue, q);
	(void)pthread_cond_signal(&q->changed);
}

enum oc_err
sign_queue_put(struct sign_queue *q, struct sign_ticket *t)
{
	enum oc_err err = OC_OK;

	oc_assert(t->lane < SIGN_LANE_MAX && t->queue == NULL);
	(void)pthread_mutex_lock(&q->lock);
	if (q->is_closed)
		err = OC_ERR_CANCELLED;
	else if (q->num_tickets >= q->tickets_max)
		err = OC_ERR_BUSY;
	else {
		t->next = NULL;
		t->previous = q->last[t->lane];
		if (t->previous != NULL)
			t->previous->next = t;
		else
			q->first[t->lane] = t;
		q->last[t->lane] = t;
		note_put(q, t);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return err;
}

void
sign_queue_put_front(struct sign_queue *q, struct sign_ticket *t)
{
	oc_assert(t->lane < SIGN_LANE_MAX && t->queue == NULL);
	(void)pthread_mutex_lock(&q->lock);
	t->previous = NULL;
	t->next = q->first[t->lane];
	if (t->next != NULL)
		t->next->previous = t;
	else
		q->last[t->lane] = t;
	q->first[t->lane] = t;
	note_put(q, t);
	(void)pthread_mutex_unlock(&q->lock);
}

void
sign_queue_put_aged(struct sign_queue *q, struct sign_ticket *t)
{
	struct sign_ticket *before;

	oc_assert(t->lane < SIGN_LANE_MAX && t->queue == NULL);
	(void)pthread_mutex_lock(&q->lock);
	/* Most come in their order, behind all others. */
	before = q->last[t->lane];
	while (before != NULL && before->since_ns > t->since_ns)
		before = before->previous;
	t->previous = before;
	t->next = before != NULL ? before->next : q->first[t->lane];
	if (t->next != NULL)
		t->next->previous = t;
	else
		q->last[t->lane] = t;
	if (before != NULL)
		before->next = t;
	else
		q->first[t->lane] = t;
	note_put(q, t);
	(void)pthread_mutex_unlock(&q->lock);
}

/* The most urgent ticket, unlinked; NULL if there is none. */
static struct sign_ticket *
take_first(struct sign_queue *q)
{
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++) {
		struct sign_ticket *t = q->first[lane];

		if (t != NULL) {
			unlink_ticket(q, t);
			return t;
		}
	}
	return NULL;
}

/* Among those in the lanes behind the first that has one: NULL if there are
 * none. */
static struct sign_ticket *
oldest_behind(const struct sign_queue *q, const struct sign_ticket *first)
{
	struct sign_ticket *oldest = NULL;

	for (int lane = (int)first->lane + 1; lane < SIGN_LANE_MAX; lane++)
		if (q->first[lane] != NULL && (oldest == NULL ||
		    q->first[lane]->since_ns < oldest->since_ns))
			oldest = q->first[lane];
	return oldest;
}

/* The next to be worked on, unlinked; NULL if there is none. */
static struct sign_ticket *
choose(struct sign_queue *q)
{
	struct sign_ticket *first = NULL, *behind;
	int lane;

	for (lane = 0; lane < SIGN_LANE_MAX && first == NULL; lane++)
		first = q->first[lane];
	if (first == NULL)
		return NULL;
	behind = oldest_behind(q, first);
	if (behind == NULL)
		q->num_ahead = 0;
	else if (q->num_ahead++ == SIGN_QUEUE_AHEAD_MAX) {
		q->num_ahead = 0;
		first = behind;
	}
	unlink_ticket(q, first);
	return first;
}

/* One was taken; others may wait behind it. */
static void
note_pace(struct sign_queue *q, int64_t now_ns)
{
	struct sign_queue_pace *p = &q->pace;
	uint32_t num;
	int64_t each_ns;

	if (p->num++ == SIGN_QUEUE_PACE_SKIPPED)
		p->since_ns = now_ns;
	num = p->num - 1 > SIGN_QUEUE_PACE_SKIPPED ?
	    p->num - 1 - SIGN_QUEUE_PACE_SKIPPED : 0;
	if (num == SIGN_QUEUE_PACE_NUM) {
		each_ns = (now_ns - p->since_ns) / num + 1;
		p->each_ns += p->each_ns == 0 ? each_ns :
		    (each_ns - p->each_ns) / 8;
		p->num = SIGN_QUEUE_PACE_SKIPPED + 1;
		p->since_ns = now_ns;
	}
	if (q->num_tickets == 0)
		p->num = 0;
}

/* The first to be worked on. */
static struct sign_ticket *
take_to_work(struct sign_queue *q)
{
	struct sign_ticket *t = choose(q);
	int64_t now_ns;

	if (t != NULL) {
		now_ns = oc_clock_mono_ns();
		q->lanes[t->lane].num_taken++;
		q->lanes[t->lane].waited_ns += (uint64_t)(now_ns - t->put_ns);
		note_pace(q, now_ns);
	}
	return t;
}

/* With the lock, which it gives up while it waits. */
static struct sign_ticket *
wait_first(struct sign_queue *q)
{
	struct sign_ticket *t = NULL;

	while (!q->is_closed && (q->is_paused ||
	    (t = take_to_work(q)) == NULL))
		(void)pthread_cond_wait(&q->changed, &q->lock);
	return t;
}

struct sign_ticket *
sign_queue_take(struct sign_queue *q)
{
	struct sign_ticket *t;

	(void)pthread_mutex_lock(&q->lock);
	t = wait_first(q);
	(void)pthread_mutex_unlock(&q->lock);
	return t;
}

enum oc_err
sign_queue_take_until(struct sign_queue *q, int64_t until_ns,
    struct sign_ticket **t)
{
	const struct timespec at = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	enum oc_err err;
	int rc = 0;

	*t = NULL;
	(void)pthread_mutex_lock(&q->lock);
	while (!q->is_closed && rc == 0 && (q->is_paused ||
	    (*t = take_to_work(q)) == NULL))
		rc = pthread_cond_timedwait(&q->changed, &q->lock, &at);
	/* What woke us was perhaps the put, not the time. */
	if (*t == NULL && !q->is_closed && !q->is_paused)
		*t = take_to_work(q);
	if (*t != NULL)
		err = OC_OK;
	else
		err = q->is_closed ? OC_ERR_CANCELLED : OC_ERR_TIMEOUT;
	(void)pthread_mutex_unlock(&q->lock);
	return err;
}

size_t
sign_queue_begin(struct sign_queue *q, struct sign_ticket **tickets,
    size_t tickets_max)
{
	struct sign_ticket *t;
	size_t num = 0;

	(void)pthread_mutex_lock(&q->lock);
	for (t = wait_first(q); t != NULL; t = take_to_work(q)) {
		tickets[num++] = t;
		if (num == tickets_max)
			break;
	}
	q->num_begun += num;
	(void)pthread_mutex_unlock(&q->lock);
	return num;
}

void
sign_queue_done(struct sign_queue *q, size_t num)
{
	(void)pthread_mutex_lock(&q->lock);
	oc_assert(q->num_begun >= num);
	q->num_begun -= num;
	(void)pthread_mutex_unlock(&q->lock);
}

bool
sign_queue_is_idle(struct sign_queue *q)
{
	bool is_idle;

	(void)pthread_mutex_lock(&q->lock);
	is_idle = q->num_tickets == 0 && q->num_begun == 0;
	(void)pthread_mutex_unlock(&q->lock);
	return is_idle;
}

struct sign_ticket *
sign_queue_drain(struct sign_queue *q)
{
	struct sign_ticket *t;

	(void)pthread_mutex_lock(&q->lock);
	t = take_first(q);
	(void)pthread_mutex_unlock(&q->lock);
	return t;
}

bool
sign_queue_remove(struct sign_ticket *t)
{
	struct sign_queue *q = atomic_load(&t->queue);
	bool was_in;

	if (q == NULL)
		return false;
	(void)pthread_mutex_lock(&q->lock);
	/* A thread may have taken it before we had the lock. */
	was_in = atomic_load(&t->queue) == q;
	if (was_in)
		unlink_ticket(q, t);
	(void)pthread_mutex_unlock(&q->lock);
	return was_in;
}

static void
set_flag(struct sign_queue *q, bool *flag, bool value)
{
	(void)pthread_mutex_lock(&q->lock);
	*flag = value;
	(void)pthread_cond_broadcast(&q->changed);
	(void)pthread_mutex_unlock(&q->lock);
}

void
sign_queue_pause(struct sign_queue *q)
{
	set_flag(q, &q->is_paused, true);
}

void
sign_queue_resume(struct sign_queue *q)
{
	set_flag(q, &q->is_paused, false);
}

void
sign_queue_close(struct sign_queue *q)
{
	set_flag(q, &q->is_closed, true);
}

size_t
sign_queue_len(struct sign_queue *q)
{
	size_t len;

	(void)pthread_mutex_lock(&q->lock);
	len = q->num_tickets;
	(void)pthread_mutex_unlock(&q->lock);
	return len;
}

void
sign_queue_look(struct sign_queue *q,
    struct sign_queue_lane lanes[SIGN_LANE_MAX])
{
	int64_t now_ns = oc_clock_mono_ns();

	(void)pthread_mutex_lock(&q->lock);
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++) {
		lanes[lane] = q->lanes[lane];
		if (q->first[lane] != NULL && q->first[lane]->put_ns < now_ns)
			lanes[lane].oldest_ns = now_ns -
			    q->first[lane]->put_ns;
	}
	(void)pthread_mutex_unlock(&q->lock);
}

int64_t
sign_queue_each_ns(struct sign_queue *q)
{
	int64_t each_ns;

	(void)pthread_mutex_lock(&q->lock);
	each_ns = q->pace.each_ns;
	(void)pthread_mutex_unlock(&q->lock);
	return each_ns;
}
