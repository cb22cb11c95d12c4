/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines are a binary heap of live tickets, watched by one timerfd; what
 * is finished is a list of jobs, announced by one eventfd; both sit in the
 * epoll fd that the caller sees.
 *
 * job->signer_data: the ticket while it is live, the desk while the job waits
 * for dispatch(), NULL before and after.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "sign/desk.h"
#include "sign/digest.h"

/* done() calls in one dispatch(), so that an event loop gets its turn. */
#define DISPATCH_MAX 256

static void
close_fds(struct sign_desk *desk)
{
	int *fds[] = { &desk->epoll_fd, &desk->event_fd, &desk->timer_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -1;
	}
}

enum oc_err
sign_desk_init(struct sign_desk *desk, struct oc_error *error)
{
	struct epoll_event ev = { .events = EPOLLIN };

	memset(desk, 0, sizeof(*desk));
	desk->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	desk->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	desk->timer_fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (desk->epoll_fd < 0 || desk->event_fd < 0 || desk->timer_fd < 0 ||
	    epoll_ctl(desk->epoll_fd, EPOLL_CTL_ADD, desk->event_fd,
	    &ev) != 0 ||
	    epoll_ctl(desk->epoll_fd, EPOLL_CTL_ADD, desk->timer_fd,
	    &ev) != 0) {
		(void)oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "the signer's epoll, eventfd or timerfd");
		close_fds(desk);
		return OC_ERR_SYSTEM;
	}
	if (pthread_mutex_init(&desk->lock, NULL) != 0 ||
	    pthread_cond_init(&desk->unpinned, NULL) != 0) {
		close_fds(desk);
		return oc_error_set(error, OC_ERR_SYSTEM, "no lock");
	}
	return OC_OK;
}

void
sign_desk_fini(struct sign_desk *desk)
{
	struct sign_job *job;

	for (size_t i = 0; i < desk->num_live; i++) {
		desk->heap[i]->job->signer_data = NULL;
		free(desk->heap[i]);
	}
	while ((job = desk->done_first) != NULL) {
		desk->done_first = job->next;
		job->signer_data = NULL;
	}
	free(desk->heap);
	close_fds(desk);
	(void)pthread_cond_destroy(&desk->unpinned);
	(void)pthread_mutex_destroy(&desk->lock);
}

/* The heap: the parent of i is (i - 1) / 2. */

static void
heap_set(struct sign_desk *desk, size_t i, struct sign_ticket *t)
{
	desk->heap[i] = t;
	t->heap_index = i;
}

static void
heap_up(struct sign_desk *desk, size_t i, struct sign_ticket *t)
{
	while (i > 0 &&
	    desk->heap[(i - 1) / 2]->deadline_ns > t->deadline_ns) {
		heap_set(desk, i, desk->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(desk, i, t);
}

static void
heap_down(struct sign_desk *desk, size_t i, struct sign_ticket *t)
{
	size_t child;

	while ((child = 2 * i + 1) < desk->num_live) {
		if (child + 1 < desk->num_live &&
		    desk->heap[child + 1]->deadline_ns <
		    desk->heap[child]->deadline_ns)
			child++;
		if (desk->heap[child]->deadline_ns >= t->deadline_ns)
			break;
		heap_set(desk, i, desk->heap[child]);
		i = child;
	}
	heap_set(desk, i, t);
}

static enum oc_err
heap_insert(struct sign_desk *desk, struct sign_ticket *t)
{
	struct sign_ticket **heap;
	size_t room;

	if (desk->num_live == desk->heap_room) {
		room = desk->heap_room == 0 ? 64 : 2 * desk->heap_room;
		heap = realloc(desk->heap, room * sizeof(*heap));
		if (heap == NULL)
			return OC_ERR_NOMEM;
		desk->heap = heap;
		desk->heap_room = room;
	}
	heap_up(desk, desk->num_live++, t);
	return OC_OK;
}

/* Takes a live ticket out; is_due ones have left before. */
static void
heap_remove(struct sign_desk *desk, struct sign_ticket *t)
{
	struct sign_ticket *last;
	size_t i = t->heap_index;

	if (t->is_due)
		return;
	last = desk->heap[--desk->num_live];
	if (last == t)
		return;
	if (i > 0 && desk->heap[(i - 1) / 2]->deadline_ns > last->deadline_ns)
		heap_up(desk, i, last);
	else
		heap_down(desk, i, last);
}

/* Sets the timer for the first deadline if it does not fire before it. */
static void
arm_timer(struct sign_desk *desk)
{
	struct itimerspec at = { { 0, 0 }, { 0, 0 } };
	int64_t first;

	if (desk->num_live == 0)
		return;
	first = desk->heap[0]->deadline_ns;
	if (first < 1)
		first = 1;	/* zero would switch it off */
	if (desk->armed_ns != 0 && desk->armed_ns <= first)
		return;
	at.it_value.tv_sec = first / OC_NS_PER_S;
	at.it_value.tv_nsec = first % OC_NS_PER_S;
	(void)timerfd_settime(desk->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
	desk->armed_ns = first;
}

/* Once for a run of finished jobs: dispatch() empties the list. */
static void
ring(struct sign_desk *desk)
{
	uint64_t one = 1;

	while (write(desk->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* The job goes to the done list; the ticket keeps nothing of it. */
static void
hand_back(struct sign_desk *desk, struct sign_ticket *t, enum oc_err err,
    const char *text)
{
	struct sign_job *job = t->job;

	heap_remove(desk, t);
	t->job = NULL;
	job->err = err;
	if (err == OC_OK) {
		job->signed_alg = t->alg;
		memcpy(job->signature, t->signature, t->signature_len);
		job->signature_len = t->signature_len;
	} else
		(void)snprintf(job->error_text, sizeof(job->error_text), "%s",
		    text != NULL ? text : oc_strerror(err));
	job->signer_data = desk;
	job->next = NULL;
	if (desk->done_last != NULL)
		desk->done_last->next = job;
	else
		desk->done_first = job;
	desk->done_last = job;
}

enum oc_err
sign_desk_open(struct sign_desk *desk, struct sign_job *job, void *key,
    enum sign_alg alg, struct sign_ticket **ticket)
{
	struct sign_ticket *t;
	enum oc_err err;

	oc_assert(job->lane < SIGN_LANE_MAX);
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return OC_ERR_NOMEM;
	t->key = key;
	t->kind = job->kind;
	t->lane = job->lane;
	t->alg = alg;
	t->deadline_ns = job->deadline_ns;
	t->job = job;
	(void)pthread_mutex_lock(&desk->lock);
	err = heap_insert(desk, t);
	if (err == OC_OK) {
		job->signer_data = t;
		arm_timer(desk);
	}
	(void)pthread_mutex_unlock(&desk->lock);
	if (err != OC_OK) {
		free(t);
		return err;
	}
	*ticket = t;
	return OC_OK;
}

void
sign_desk_discard(struct sign_desk *desk, struct sign_ticket *ticket)
{
	(void)pthread_mutex_lock(&desk->lock);
	if (ticket->job != NULL) {
		heap_remove(desk, ticket);
		ticket->job->signer_data = NULL;
	}
	(void)pthread_mutex_unlock(&desk->lock);
	free(ticket);
}

static void
remove_done(struct sign_desk *desk, struct sign_job *job)
{
	struct sign_job **link = &desk->done_first, *previous = NULL;

	while (*link != job) {
		previous = *link;
		link = &previous->next;
	}
	*link = job->next;
	if (desk->done_last == job)
		desk->done_last = previous;
}

void
sign_desk_cancel(struct sign_desk *desk, struct sign_job *job)
{
	struct sign_ticket *t;

	(void)pthread_mutex_lock(&desk->lock);
	/* Read again after each wait: unpinning may hand the job back, and
	 * the ticket may then be gone. */
	while ((t = job->signer_data) != NULL && job->signer_data != desk &&
	    t->is_pinned)
		(void)pthread_cond_wait(&desk->unpinned, &desk->lock);
	if (job->signer_data == desk)
		remove_done(desk, job);
	else if (t != NULL) {
		heap_remove(desk, t);
		t->job = NULL;
		if (sign_queue_remove(t))
			free(t);
	}
	job->signer_data = NULL;
	job->err = OC_ERR_CANCELLED;
	(void)pthread_mutex_unlock(&desk->lock);
}

/* Sends home what is past its deadline. */
static void
expire(struct sign_desk *desk)
{
	int64_t now = oc_clock_mono_ns();

	while (desk->num_live > 0 && desk->heap[0]->deadline_ns <= now) {
		struct sign_ticket *t = desk->heap[0];

		if (t->is_pinned) {
			/* Its TBS is being read: unpin sends it home. */
			heap_remove(desk, t);
			t->is_due = true;
			continue;
		}
		hand_back(desk, t, OC_ERR_TIMEOUT, NULL);
		if (sign_queue_remove(t))
			free(t);
	}
}

static struct sign_job *
take_done(struct sign_desk *desk)
{
	struct sign_job *job;

	(void)pthread_mutex_lock(&desk->lock);
	job = desk->done_first;
	if (job != NULL) {
		desk->done_first = job->next;
		if (desk->done_first == NULL)
			desk->done_last = NULL;
		job->next = NULL;
		job->signer_data = NULL;
	}
	(void)pthread_mutex_unlock(&desk->lock);
	return job;
}

void
sign_desk_dispatch(struct sign_desk *desk)
{
	struct sign_job *job;
	uint64_t count;

	(void)pthread_mutex_lock(&desk->lock);
	while (read(desk->event_fd, &count, sizeof(count)) < 0 &&
	    errno == EINTR)
		;
	/* Not interrupted: it never blocks. */
	if (read(desk->timer_fd, &count, sizeof(count)) > 0)
		desk->armed_ns = 0;
	expire(desk);
	arm_timer(desk);
	(void)pthread_mutex_unlock(&desk->lock);

	for (int i = 0; i < DISPATCH_MAX; i++) {
		job = take_done(desk);
		if (job == NULL)
			return;
		job->done(job, job->arg);
	}
	ring(desk);	/* there may be more */
}

bool
sign_desk_pin(struct sign_desk *desk, struct sign_ticket *ticket,
    struct der_bytes *tbs)
{
	bool is_wanted;

	(void)pthread_mutex_lock(&desk->lock);
	is_wanted = ticket->job != NULL;
	if (is_wanted) {
		ticket->is_pinned = true;
		*tbs = ticket->job->tbs;
	}
	(void)pthread_mutex_unlock(&desk->lock);
	return is_wanted;
}

void
sign_desk_unpin(struct sign_desk *desk, struct sign_ticket *ticket)
{
	(void)pthread_mutex_lock(&desk->lock);
	oc_assert(ticket->is_pinned);
	ticket->is_pinned = false;
	if (ticket->is_due) {
		if (desk->done_first == NULL)
			ring(desk);
		hand_back(desk, ticket, OC_ERR_TIMEOUT, NULL);
	}
	(void)pthread_cond_broadcast(&desk->unpinned);
	(void)pthread_mutex_unlock(&desk->lock);
}

void
sign_desk_note(const struct sign_desk *desk, struct sign_ticket *ticket,
    struct der_bytes tbs)
{
	if (desk->record != NULL && !ticket->has_digest)
		ticket->has_digest = EVP_Digest(tbs.p, tbs.len,
		    ticket->digest, NULL, sign_digest(SIGN_SHA256), NULL) == 1;
}

bool
sign_desk_is_wanted(struct sign_desk *desk, const struct sign_ticket *ticket)
{
	bool is_wanted;

	(void)pthread_mutex_lock(&desk->lock);
	is_wanted = ticket->job != NULL;
	(void)pthread_mutex_unlock(&desk->lock);
	return is_wanted;
}

void
sign_desk_finish(struct sign_desk *desk, struct sign_ticket *ticket,
    enum oc_err err, const char *text)
{
	if (desk->record == NULL ||
	    !desk->record(desk->record_arg, desk, ticket, err, text))
		sign_desk_release(desk, ticket, err, text);
}

void
sign_desk_release(struct sign_desk *desk, struct sign_ticket *ticket,
    enum oc_err err, const char *text)
{
	bool is_first = false;

	(void)pthread_mutex_lock(&desk->lock);
	oc_assert(!ticket->is_pinned);
	if (ticket->job != NULL) {
		is_first = desk->done_first == NULL;
		hand_back(desk, ticket, err, text);
	} else
		desk->num_late++;
	(void)pthread_mutex_unlock(&desk->lock);
	/* Who wakes wants the lock.  The desk outlives those who finish. */
	if (is_first)
		ring(desk);
	free(ticket);
}
