/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When which response is signed again: a heap of what is due, earliest
 * first, and the brake on it.  No clock, no signer, no sockets.
 */
#ifndef OCSP_REFRESH_H
#define OCSP_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/serial.h"

/* 8 octets, one for each certificate.  What an item's number means, its owner
 * knows: the slot of a table, for instance. */
struct ocsp_due {
	uint32_t at;		/* Unix seconds, until 2106 */
	uint32_t item;
};

/* Zero state is an empty one. */
struct ocsp_refresh {
	struct ocsp_due *heap;	/* owned */
	uint32_t num, num_max;
};

void ocsp_refresh_fini(struct ocsp_refresh *r);
/* The same item may stand in it twice: who takes it looks whether there is
 * still something to do. */
enum oc_err ocsp_refresh_put(struct ocsp_refresh *r, int64_t at,
    uint32_t item) OC_MUST_CHECK;
/* False if nothing is due by now. */
bool ocsp_refresh_take(struct ocsp_refresh *r, int64_t now,
    struct ocsp_due *due);
/* When the first is due; INT64_MAX if there is none. */
int64_t ocsp_refresh_next_at(const struct ocsp_refresh *r);

/*
 * When a response is to be signed again: in the third quarter of its life,
 * and, as the Baseline Requirements 4.9.9 want it, eight hours before
 * nextUpdate and within four days of thisUpdate; of a life shorter than 16
 * hours, before half of it has passed.  The last third of the time until
 * then is spread by the serial, so that what was signed together is not
 * renewed together.  The requirements know no life over ten days: of such
 * only the quarter counts.
 */
int64_t ocsp_refresh_due_at(const struct oc_serial *serial,
    int64_t this_update, int64_t next_update);

/*
 * At most rate in any second, wherever it starts: what was taken is counted
 * in parts of a sixteenth, and those that reach into the last second count
 * whole.  Zero state, but for the rate, is a full one.
 */
#define OCSP_BUDGET_PARTS 17
struct ocsp_budget {
	int64_t rate;		/* a second; 0: nothing */
	int64_t part;		/* the one that was last taken from */
	uint32_t taken[OCSP_BUDGET_PARTS], num_taken;
};
/* False when it is spent.  now_ns is CLOCK_MONOTONIC. */
bool ocsp_budget_take(struct ocsp_budget *budget, int64_t now_ns);

#endif
