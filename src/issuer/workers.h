/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads for what takes a CPU longer than an event loop has: reading
 * and verifying a CSR is 100 us, making a key is 100 ms to seconds.  Keys are
 * made by pools of their own, so that no certificate waits for another's key.
 * The contract is that of sign/sign.h: done() runs once, on the thread that
 * calls issuer_workers_dispatch(), or issuer_workers_free(), never inside
 * submit(); or not at all where the work has handed on to the store (then).
 */
#ifndef ISSUER_WORKERS_H
#define ISSUER_WORKERS_H

#include "base/err.h"
#include "store/thread.h"

/* Each is a client that waits. */
#define ISSUER_WORK_MAX 1024
/* An RSA key takes up to some seconds: who is behind more than these has
 * given up before it is made. */
#define ISSUER_KEY_WORK_MAX 4

struct issuer_workers;

struct issuer_work {
	/* The caller's, before submit(); stays put until done(), or then's
	 * done(), has run. */
	void (*fn)(void *arg);		/* on a thread of the pool */
	void (*done)(void *arg);
	void *arg;
	/*
	 * NULL; or fn sets it to what the store is to do next, and then that
	 * job's done() runs and this one does not: the event loop need not
	 * wake to hand it on.  If the store does not take it, done() runs with
	 * then as it was set.
	 */
	struct store_job *then;
	/* The pool's own. */
	void *next;			/* base/fifo.h */
};

/* More than num_waiting_max wait: submit() says BUSY.  store is where then
 * goes, and outlives the workers; NULL: no work has one. */
enum oc_err issuer_workers_new(unsigned int num_threads,
    unsigned int num_waiting_max, struct store_thread *store,
    struct issuer_workers **workers, struct oc_error *error) OC_MUST_CHECK;
/* CANCELLED if workers is NULL. */
enum oc_err issuer_workers_submit(struct issuer_workers *workers,
    struct issuer_work *work) OC_MUST_CHECK;
/* Readable when dispatch() has work. */
int issuer_workers_fd(const struct issuer_workers *workers);
void issuer_workers_dispatch(struct issuer_workers *workers);
/* Does all that waits first; NULL is fine. */
void issuer_workers_free(struct issuer_workers *workers);

#endif
