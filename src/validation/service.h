/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answering end of validator.sock: who asks what, in which order it is
 * begun, and that each is told.  What looking is, it does not know.
 *
 * There are lanes, so that what waits on dead servers keeps nothing else from
 * being looked at, least of all CAA, which an issuance waits for; in each a
 * number is under way at once, of which one peer has a half at most, and
 * peers take turns.  Answers come as they are ready.
 *
 * For the loop's thread alone.
 */
#ifndef VALIDATION_SERVICE_H
#define VALIDATION_SERVICE_H

#include "ipc/server.h"
#include "validation/counts.h"
#include "validation/validation.h"

/* Who looks. */
struct validation_looking;
struct validation_looker {
	/* done() runs once, from the loop and never from start(), not later
	 * than the deadline, unless cancel() was called before.  The question
	 * is borrowed until then.  BUSY: not now; UNSUPPORTED: never, with
	 * this configuration; anything else: not a question like that. */
	enum oc_err (*start)(void *arg,
	    const struct validation_question *question, int64_t deadline_ns,
	    validation_done_fn *done, void *done_arg,
	    struct validation_looking **looking);
	void (*cancel)(void *arg, struct validation_looking *looking);
	void *arg;
};

struct validation_service_options {
	struct event_base *base;
	int listener;			/* the service's from new() on */
	const struct ipc_peers *peers;
	const struct validation_looker *looker;	/* copied */
	int64_t timeout_ns;		/* of one question, at most */
	uint32_t under_way_max;		/* in a lane; 0: 2048 */
	struct validation_counts *counts;	/* outlives it */
};

struct validation_service;
enum oc_err validation_service_new(
    const struct validation_service_options *options,
    struct validation_service **service) OC_MUST_CHECK;
/* Accepts nobody any more and begins nothing.  Peers go when what is under way
 * for them is answered; the rest they ask of a successor. */
void validation_service_drain(struct validation_service *service);
bool validation_service_is_drained(const struct validation_service *service);
/* Cancels what is under way.  NULL is fine. */
void validation_service_free(struct validation_service *service);

#endif
