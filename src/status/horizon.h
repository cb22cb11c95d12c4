/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The continuity horizon of one issuer: if nothing is signed from now on,
 * when the first answer in its table goes stale, and when half of them have.
 * An answer that ends with its certificate is not counted: nobody will ask
 * for another.
 *
 * Made by a pass over the table in parts, so that ten million slots keep
 * nobody waiting; the figure is as old as the pass.
 */
#ifndef STATUS_HORIZON_H
#define STATUS_HORIZON_H

#include <stdint.h>

#include "ocsp/table.h"

struct status_horizon {
	int64_t begun_at, as_of;	/* the pass; as_of 0: none is done */
	uint32_t num_answers;		/* that the two below are about */
	int64_t first_stale_at;		/* 0: there is no such answer */
	int64_t half_stale_at;		/* to a thousandth of ocsp-lifetime,
					 * never too late */
	int64_t oldest_produced_at;	/* 0: there is no such answer */
	uint32_t num_stale;		/* past its nextUpdate, and needed */
	uint32_t num_ending;		/* ends with its certificate */
};

#define STATUS_HORIZON_BINS 1024
/* Zero state: between passes. */
struct status_horizon_pass {
	bool is_under_way;
	uint32_t next, older_next;	/* slots */
	int64_t width_s;		/* of a bin; the last is endless */
	struct {
		uint32_t num;
		int64_t first;		/* the earliest in it */
	} bins[STATUS_HORIZON_BINS];
	struct status_horizon found;
};

void status_horizon_begin(struct status_horizon_pass *pass, int64_t now,
    int64_t lifetime_s);
/* not_after: the certificate's. */
void status_horizon_add(struct status_horizon_pass *pass,
    const struct ocsp_slot *slot, int64_t not_after);
void status_horizon_end(struct status_horizon_pass *pass, int64_t now,
    struct status_horizon *horizon);

#endif
