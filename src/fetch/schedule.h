/* SPDX-License-Identifier: Apache-2.0 */
/* When a CRL is fetched next.  Arithmetic alone: no clock is looked at. */
#ifndef FETCH_SCHEDULE_H
#define FETCH_SCHEDULE_H

#include <stdint.h>

/* Whatever is asked for and however near the end is. */
#define FETCH_WAIT_MIN_S 5
/* After one failure, after two and so on it is twice as long, up to: */
#define FETCH_BACKOFF_MIN_S 10
#define FETCH_BACKOFF_MAX_S 600

struct fetch_schedule {
	int64_t interval_s;
	uint32_t num_failures;		/* since the last success */
	int64_t next_update;		/* of what is there; 0: nothing is */
};

/*
 * Seconds to wait from now, when there was a try.  Without a failure up to a
 * quarter less than interval_s, after one up to a half less than the back-off,
 * and never past a half of what is left until next_update.  random: any; it
 * keeps those apart who began at the same time.
 */
int64_t fetch_wait_s(const struct fetch_schedule *schedule, int64_t now,
    uint32_t random);

#endif
