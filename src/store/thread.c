/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locking: one mutex over both queues, every job's stage and is_stopping.
 * Not held while a job's fn or done runs.  The store belongs to the thread.
 */
#include "store/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fifo.h"
#include "base/thread.h"
#include "store/backend.h"

/* Whose a job is. */
enum stage {
	STAGE_NONE,		/* the caller's */
	STAGE_WAITING,		/* in waiting */
	STAGE_RUNNING,		/* the thread's */
	STAGE_FINISHED		/* in finished */
};

struct store_thread {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;		/* waiting or is_stopping changed */
	pthread_cond_t moved;		/* running jobs became finished */
	struct oc_fifo waiting;
	struct oc_fifo finished;
	bool is_stopping;
	int event_fd;
};

static void
put_job(struct oc_fifo *q, struct store_job *job, enum stage stage)
{
	job->stage = (int)stage;
	oc_fifo_put(q, job);
}

static struct store_job *
take_job(struct oc_fifo *q, enum stage stage)
{
	struct store_job *job = oc_fifo_take(q);

	if (job != NULL)
		job->stage = (int)stage;
	return job;
}

static void
remove_job(struct oc_fifo *q, struct store_job *job)
{
	job->stage = STAGE_NONE;
	oc_fifo_remove(q, job);
}

static void
set_result(struct store_job *job, enum oc_err err, const char *text)
{
	job->err = err;
	snprintf(job->error_text, sizeof(job->error_text), "%s",
	    err == OC_OK ? "" : text[0] != '\0' ? text : oc_strerror(err));
}

/* --- on the store's thread ---------------------------------------------- */

/* fn's own error text if it failed in the store, else what the code says. */
static void
run_job(struct store *s, struct store_job *job)
{
	enum oc_err err;

	memset(&s->error, 0, sizeof(s->error));
	err = job->fn(s, job->arg);
	set_result(job, err, s->error.text);
}

/* One of a group: a savepoint of its own. */
static void
run_change(struct store *s, struct store_job *job)
{
	enum oc_err err;

	err = store_begin_change(s);
	if (err != OC_OK) {
		set_result(job, err, s->error.text);
		return;
	}
	run_job(s, job);
	err = store_end_change(s, job->err);
	if (err != job->err)
		set_result(job, err, s->error.text);
}

static void
fail_group(struct store_job *group, enum oc_err err, const char *text)
{
	for (struct store_job *job = group; job != NULL; job = job->next)
		if (job->err == OC_OK)
			set_result(job, err, text);
}

/* One more for the group if a change stands in front by now: what comes while
 * others are carried out shares their commit. */
static struct store_job *
next_of_group(struct store_thread *t, struct store_job *job)
{
	const struct store_job *first;

	pthread_mutex_lock(&t->mutex);
	first = t->waiting.first;
	if (!t->is_stopping && first != NULL &&
	    first->kind == STORE_JOB_CHANGE)
		job->next = take_job(&t->waiting, STAGE_RUNNING);
	pthread_mutex_unlock(&t->mutex);
	return job->next;
}

/* *lost: why the transaction is; who comes then has the next. */
static void
run_changes(struct store_thread *t, struct store_job *first,
    struct oc_error *lost)
{
	struct store *s = t->store;
	struct store_job *job = first;

	for (int num = 1; job != NULL; num++) {
		run_change(s, job);
		if (s->broken != OC_OK) {
			*lost = s->error;
			lost->code = s->broken;
			return;
		}
		job = num < STORE_GROUP_MAX ? next_of_group(t, job) : NULL;
	}
}

/* No transaction: whoever waited for it too is told the same. */
static void
fail_changes(struct store_thread *t, struct store_job *first,
    unsigned int num_others, enum oc_err err)
{
	struct store_job *job = first;

	set_result(job, err, t->store->error.text);
	while (num_others-- > 0 && (job = next_of_group(t, job)) != NULL)
		set_result(job, err, t->store->error.text);
}

/* first begins it; the others, of whom num_others wait already, are linked to
 * it as they come. */
static void
run_group(struct store_thread *t, struct store_job *first,
    unsigned int num_others)
{
	struct store *s = t->store;
	struct oc_error lost = { 0 };
	enum oc_err err;

	err = store_begin_group(s);
	if (err != OC_OK) {
		fail_changes(t, first, num_others, err);
		return;
	}
	run_changes(t, first, &lost);
	err = store_commit_group(s);
	if (err != OC_OK)
		fail_group(first, err, lost.code != OC_OK ? lost.text :
		    s->error.text);
}

static void
tell(struct store_thread *t)
{
	uint64_t one = 1;

	/* EAGAIN: it counts to 2^64 already, so it is readable. */
	while (write(t->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* Mutex held. */
static void
finish_group(struct store_thread *t, struct store_job *group)
{
	while (group != NULL) {
		struct store_job *next = group->next;

		put_job(&t->finished, group, STAGE_FINISHED);
		group = next;
	}
	pthread_cond_broadcast(&t->moved);
	tell(t);
}

static void *
thread_main(void *arg)
{
	struct store_thread *t = arg;
	struct store_job *group;
	unsigned int num_waiting;

	pthread_mutex_lock(&t->mutex);
	for (;;) {
		while (!t->is_stopping && t->waiting.first == NULL)
			pthread_cond_wait(&t->wake, &t->mutex);
		if (t->is_stopping)
			break;
		group = take_job(&t->waiting, STAGE_RUNNING);
		num_waiting = t->waiting.num;
		pthread_mutex_unlock(&t->mutex);
		if (group->kind == STORE_JOB_CHANGE)
			run_group(t, group, num_waiting);
		else
			run_job(t->store, group);
		pthread_mutex_lock(&t->mutex);
		finish_group(t, group);
	}
	pthread_mutex_unlock(&t->mutex);
	return NULL;
}

/* --- on the caller's ---------------------------------------------------- */

static void
discard(struct store_thread *t)
{
	if (t->event_fd >= 0)
		close(t->event_fd);
	store_close(t->store);
	pthread_cond_destroy(&t->moved);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}

enum oc_err
store_thread_new(const char *path, enum store_mode mode, const char *actor,
    struct store_thread **thread, struct oc_error *error)
{
	struct store_thread *t = calloc(1, sizeof(*t));
	enum oc_err err;

	if (t == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	pthread_mutex_init(&t->mutex, NULL);
	pthread_cond_init(&t->wake, NULL);
	pthread_cond_init(&t->moved, NULL);
	oc_fifo_init(&t->waiting, offsetof(struct store_job, next));
	oc_fifo_init(&t->finished, offsetof(struct store_job, next));
	t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = t->event_fd >= 0 ? OC_OK :
	    oc_error_set_errno(error, OC_ERR_SYSTEM, "eventfd");
	if (err == OC_OK)
		err = store_open(path, mode, &t->store, error);
	if (err == OC_OK && actor != NULL)
		store_set_actor(t->store, actor);
	if (err == OC_OK && (errno = oc_thread_start(&t->thread,
	    thread_main, t)) != 0)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot start the store's thread");
	if (err != OC_OK) {
		discard(t);
		return err;
	}
	*thread = t;
	return OC_OK;
}

enum oc_err
store_thread_submit(struct store_thread *thread, struct store_job *job)
{
	enum oc_err err = OC_OK;

	pthread_mutex_lock(&thread->mutex);
	if (thread->is_stopping) {
		err = OC_ERR_CANCELLED;
	} else if (thread->waiting.num >= STORE_QUEUE_MAX) {
		err = OC_ERR_BUSY;
	} else {
		put_job(&thread->waiting, job, STAGE_WAITING);
		pthread_cond_signal(&thread->wake);
	}
	pthread_mutex_unlock(&thread->mutex);
	return err;
}

void
store_thread_cancel(struct store_thread *thread, struct store_job *job)
{
	pthread_mutex_lock(&thread->mutex);
	while (job->stage == STAGE_RUNNING)
		pthread_cond_wait(&thread->moved, &thread->mutex);
	if (job->stage == STAGE_WAITING)
		remove_job(&thread->waiting, job);
	else if (job->stage == STAGE_FINISHED)
		remove_job(&thread->finished, job);
	pthread_mutex_unlock(&thread->mutex);
}

int
store_thread_fd(const struct store_thread *thread)
{
	return thread->event_fd;
}

/* One at a time: done() may cancel another that has finished. */
static struct store_job *
take_finished(struct store_thread *t)
{
	struct store_job *job;

	pthread_mutex_lock(&t->mutex);
	job = take_job(&t->finished, STAGE_NONE);
	pthread_mutex_unlock(&t->mutex);
	return job;
}

void
store_thread_dispatch(struct store_thread *thread)
{
	struct store_job *job;
	uint64_t count;
	unsigned int num;

	/* First, so that whatever finishes from here on wakes us again. */
	while (read(thread->event_fd, &count, sizeof(count)) < 0 &&
	    errno == EINTR)
		continue;
	pthread_mutex_lock(&thread->mutex);
	num = thread->finished.num;
	pthread_mutex_unlock(&thread->mutex);
	while (num-- > 0 && (job = take_finished(thread)) != NULL)
		job->done(job, job->arg);
}

void
store_thread_free(struct store_thread *thread)
{
	struct store_job *job;

	if (thread == NULL)
		return;
	pthread_mutex_lock(&thread->mutex);
	thread->is_stopping = true;
	pthread_cond_signal(&thread->wake);
	pthread_mutex_unlock(&thread->mutex);
	pthread_join(thread->thread, NULL);
	while ((job = take_job(&thread->waiting, STAGE_NONE)) != NULL) {
		set_result(job, OC_ERR_CANCELLED, "");
		put_job(&thread->finished, job, STAGE_FINISHED);
	}
	while ((job = take_finished(thread)) != NULL)
		job->done(job, job->arg);
	discard(thread);
}
