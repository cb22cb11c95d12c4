/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many signatures a token is asked for at once: fewer when it says that
 * it is busy, again and again; slowly more while all goes well.
 *
 * A burst of refusals is one cut, by a quarter.  After it each further one is
 * tried for when as many signatures came as are made at once, and some time
 * has passed; the time doubles when the try was a mistake, so that a token
 * with a ceiling meets it once in a while and not all the time.
 *
 * No lock, no clock: the caller's.
 */
#ifndef PKCS11_LIMIT_H
#define PKCS11_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct p11_limit {
	unsigned int now;		/* at once */
	unsigned int max;		/* the sessions configured */
	unsigned int found;		/* after the last cut; 0: never cut */

	/* Its own. */
	uint64_t num_good;		/* signatures */
	uint64_t good_at_busy, good_at_step;
	unsigned int num_in_row;	/* busy, no signature between */
	int64_t busy_ns, cut_ns, step_ns, hold_ns;
};

void p11_limit_init(struct p11_limit *l, unsigned int max);

/* A signature came.  True if one more may work from now on. */
bool p11_limit_good(struct p11_limit *l, int64_t now_ns);

/* The token was busy.  True if it is that with one at a time, too, and has
 * been often: then it is not busy but broken. */
bool p11_limit_busy(struct p11_limit *l, int64_t now_ns);

/* It opens no further session than these num_open, which are at least 1. */
void p11_limit_full(struct p11_limit *l, unsigned int num_open,
    int64_t now_ns);

#endif
