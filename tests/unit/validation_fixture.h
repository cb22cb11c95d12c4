/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of src/validation share: a loop that ends when an answer is
 * there, and a server on that loop which says what a script says.
 */
#ifndef UNIT_VALIDATION_FIXTURE_H
#define UNIT_VALIDATION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "validation/validation.h"

/* Seconds in which whatever is waited for comes, on a busy machine, too. */
#define PATIENCE_S 60

struct waiter {
	struct event_base *base;
	unsigned int num;		/* times that done() ran */
	struct validation_reply reply;
};
void waiter_init(struct waiter *w);
void waiter_fini(struct waiter *w);
/* Of validation_done_fn; the argument is the waiter. */
void waiter_done(void *arg, const struct validation_reply *reply);
/* Runs the loop until done() has run once; fails after PATIENCE_S. */
void waiter_wait(struct waiter *w);
/* Runs it for so long; nothing may come. */
void waiter_idle(struct waiter *w, int64_t ms);
int64_t deadline_in_ms(int64_t ms);

/* A server on 127.0.0.1.  When a connection has sent something, and then each
 * time a line or more comes, answer() is called with all that came since the
 * last answer; NULL: nothing is said; what is said is for free().  It closes
 * when is_closing is set. */
struct stand;
typedef char *stand_answer_fn(struct stand *stand, const char *said,
    size_t len, size_t *answer_len);
struct stand {
	struct event_base *base;
	struct evconnlistener *listener;
	uint16_t port;
	stand_answer_fn *answer;
	const char *greeting;		/* NULL: none */
	void *arg;
	bool is_closing;
	/* An octet each so many ms, instead of all at once. */
	int drip_ms;
	unsigned int num_connections, num_said;
	char heard[4096];		/* all, on all connections */
	size_t heard_len;
	struct stand_connection *connections;
};
void stand_open(struct stand *stand, struct event_base *base);
void stand_close(struct stand *stand);

#endif
