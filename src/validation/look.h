/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions that DNS and HTTP answer, whole: VALIDATION_TXT, FILE, META
 * and CAA.  What a struct validation_question asks, a struct validation_reply
 * says.  For the loop's thread alone.
 */
#ifndef VALIDATION_LOOK_H
#define VALIDATION_LOOK_H

#include "validation/caa.h"
#include "validation/page.h"
#include "validation/resolver.h"
#include "validation/validation.h"

/* Borrowed for as long as anything is looked at. */
struct validation_eyes {
	struct validation_resolver *resolver;
	struct validation_pages *pages;
	const char *const *identities;	/* what CAA records call us */
	size_t num_identities;
};

struct validation_look;
typedef void validation_look_fn(void *arg,
    const struct validation_reply *reply);

/*
 * done() runs once, from the loop and never from start(), not later than
 * deadline_ns (CLOCK_MONOTONIC), unless cancel() was called before; the look
 * is gone when it is called.  The question is borrowed until start() has
 * returned.  BUSY; UNSUPPORTED: another's task; MALFORMED: what it needs is
 * missing, or too long.
 */
enum oc_err validation_look_start(const struct validation_eyes *eyes,
    const struct validation_question *question, int64_t deadline_ns,
    validation_look_fn *done, void *arg, struct validation_look **look)
    OC_MUST_CHECK;
void validation_look_cancel(struct validation_look *look);

#endif
