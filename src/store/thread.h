/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store on a thread of its own, for processes with an event loop.
 *
 * The contract, as sign/sign.h has it:
 * - submit() never calls done() itself.  done() is called exactly once for
 *   each job that submit() took, from dispatch() or free(), on the thread
 *   that calls them.
 * - The job belongs to the caller and stays put until done() has run.
 * - After cancel() returns, done() has run or never will.
 * - cancel, dispatch and free are called from one thread; submit from any,
 *   until free is called.
 *
 * Jobs run in the order of submit().  A job that changes the store is one
 * transaction, all of it or nothing; those that wait together, or come
 * meanwhile, share one commit, and no done() sees OC_OK before that commit is
 * on the disk.
 */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include "store/store.h"

/* More than these wait: submit() says BUSY. */
#define STORE_QUEUE_MAX 4096
/* Share one commit; more would only make the first of them wait longer. */
#define STORE_GROUP_MAX 64

struct store_thread;
struct store_job;

enum store_job_kind {
	STORE_JOB_READ,		/* changes nothing */
	STORE_JOB_CHANGE
};

/* On the store's thread: blocks as it likes, touches only store and arg. */
typedef enum oc_err store_job_fn(struct store *store, void *arg);
typedef void store_job_done_fn(struct store_job *job, void *arg);

struct store_job {
	/* The caller's, before submit(). */
	enum store_job_kind kind;
	store_job_fn *fn;
	store_job_done_fn *done;
	void *arg;

	/* The result, for done(). */
	enum oc_err err;	/* CANCELLED: free() found it waiting */
	char error_text[OC_ERROR_TEXT_MAX];	/* "" when OC_OK */

	/* The thread's own. */
	int stage;
	void *next;		/* base/fifo.h */
};

/* Opens the store, then starts.  Blocks while it opens.  actor: NULL keeps
 * the store's own. */
enum oc_err store_thread_new(const char *path, enum store_mode mode,
    const char *actor, struct store_thread **thread, struct oc_error *error)
    OC_MUST_CHECK;

enum oc_err store_thread_submit(struct store_thread *thread,
    struct store_job *job) OC_MUST_CHECK;
/* A job that runs is waited for: it may have changed the store. */
void store_thread_cancel(struct store_thread *thread, struct store_job *job);

/* Readable in poll() or epoll when dispatch() has work. */
int store_thread_fd(const struct store_thread *thread);
/* Runs done() of every finished job; never blocks. */
void store_thread_dispatch(struct store_thread *thread);

/* Waits for the jobs that run, gives the rest up; all of them get their
 * done().  Not from inside one.  NULL is fine. */
void store_thread_free(struct store_thread *thread);

#endif
