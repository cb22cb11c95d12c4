/* SPDX-License-Identifier: Apache-2.0 */
/* Locking: one mutex over both queues and is_stopping; not held while fn or
 * done runs. */
#include "issuer/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fifo.h"
#include "base/thread.h"

#define THREADS_MAX 64

struct issuer_workers {
	pthread_t threads[THREADS_MAX];
	unsigned int num_threads;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct oc_fifo waiting, finished;
	unsigned int num_waiting_max;
	struct store_thread *store;
	bool is_stopping;
	int event_fd;
};

static void
tell(struct issuer_workers *w)
{
	uint64_t one = 1;

	while (write(w->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* False if done() is to run.  After true the work may be gone already. */
static bool
is_handed_on(struct issuer_workers *w, struct issuer_work *work)
{
	return work->then != NULL &&
	    store_thread_submit(w->store, work->then) == OC_OK;
}

static void *
thread_main(void *arg)
{
	struct issuer_workers *w = arg;
	struct issuer_work *work;
	bool is_first, has_left;

	oc_thread_give_way();
	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (w->waiting.first == NULL && !w->is_stopping)
			pthread_cond_wait(&w->wake, &w->mutex);
		work = oc_fifo_take(&w->waiting);
		if (work == NULL)
			break;
		pthread_mutex_unlock(&w->mutex);
		work->fn(work->arg);
		has_left = is_handed_on(w, work);
		pthread_mutex_lock(&w->mutex);
		if (has_left)
			continue;
		is_first = w->finished.first == NULL;
		oc_fifo_put(&w->finished, work);
		if (is_first)
			tell(w);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

static enum oc_err
start(struct issuer_workers *w, unsigned int num_threads,
    struct oc_error *error)
{
	int rc = 0;

	while (rc == 0 && w->num_threads < num_threads) {
		rc = oc_thread_start(&w->threads[w->num_threads],
		    thread_main, w);
		w->num_threads += rc == 0;
	}
	errno = rc;
	return rc == 0 ? OC_OK : oc_error_set_errno(error, OC_ERR_SYSTEM,
	    "cannot start a thread");
}

enum oc_err
issuer_workers_new(unsigned int num_threads, unsigned int num_waiting_max,
    struct store_thread *store, struct issuer_workers **workers,
    struct oc_error *error)
{
	struct issuer_workers *w = calloc(1, sizeof(*w));
	enum oc_err err;

	oc_assert(num_threads > 0 && num_threads <= THREADS_MAX);
	if (w == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->wake, NULL);
	oc_fifo_init(&w->waiting, offsetof(struct issuer_work, next));
	oc_fifo_init(&w->finished, offsetof(struct issuer_work, next));
	w->num_waiting_max = num_waiting_max;
	w->store = store;
	w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = w->event_fd >= 0 ? start(w, num_threads, error) :
	    oc_error_set_errno(error, OC_ERR_SYSTEM, "eventfd");
	if (err != OC_OK) {
		issuer_workers_free(w);
		return err;
	}
	*workers = w;
	return OC_OK;
}

enum oc_err
issuer_workers_submit(struct issuer_workers *w, struct issuer_work *work)
{
	enum oc_err err = OC_ERR_BUSY;

	if (w == NULL)
		return OC_ERR_CANCELLED;
	pthread_mutex_lock(&w->mutex);
	if (w->waiting.num < w->num_waiting_max && !w->is_stopping) {
		oc_fifo_put(&w->waiting, work);
		pthread_cond_signal(&w->wake);
		err = OC_OK;
	}
	pthread_mutex_unlock(&w->mutex);
	return err;
}

int
issuer_workers_fd(const struct issuer_workers *workers)
{
	return workers->event_fd;
}

void
issuer_workers_dispatch(struct issuer_workers *w)
{
	struct issuer_work *work;
	struct oc_fifo done;
	uint64_t count;

	/* First, so that whatever finishes from here on wakes us again. */
	while (read(w->event_fd, &count, sizeof(count)) < 0 &&
	    errno == EINTR)
		continue;
	pthread_mutex_lock(&w->mutex);
	done = w->finished;
	oc_fifo_init(&w->finished, done.next_at);
	pthread_mutex_unlock(&w->mutex);
	while ((work = oc_fifo_take(&done)) != NULL)
		work->done(work->arg);
}

void
issuer_workers_free(struct issuer_workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->mutex);
	w->is_stopping = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->mutex);
	while (w->num_threads > 0)
		pthread_join(w->threads[--w->num_threads], NULL);
	if (w->event_fd >= 0) {
		issuer_workers_dispatch(w);
		close(w->event_fd);
	}
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}
