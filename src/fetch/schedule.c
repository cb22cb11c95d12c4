/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/schedule.h"

/* From least to most, by where random is in its range. */
static int64_t
between(int64_t least, int64_t most, uint32_t random)
{
	return least + (int64_t)((double)(most - least) *
	    ((double)random / (double)UINT32_MAX));
}

static int64_t
backoff_s(const struct fetch_schedule *s)
{
	int64_t wait = FETCH_BACKOFF_MIN_S;

	for (uint32_t i = 1; i < s->num_failures &&
	    wait < FETCH_BACKOFF_MAX_S; i++)
		wait *= 2;
	if (wait > FETCH_BACKOFF_MAX_S)
		wait = FETCH_BACKOFF_MAX_S;
	return wait < s->interval_s ? wait : s->interval_s;
}

int64_t
fetch_wait_s(const struct fetch_schedule *s, int64_t now, uint32_t random)
{
	int64_t most = s->num_failures > 0 ? backoff_s(s) : s->interval_s;
	int64_t least = s->num_failures > 0 ? most / 2 : most - most / 4;
	int64_t half = (s->next_update - now) / 2, wait;

	/* Past its end there is no hurry that back-off would not have. */
	if (s->next_update > now && half < most) {
		most = half;
		least = half - half / 4;
	}
	wait = between(least, most, random);
	return wait < FETCH_WAIT_MIN_S ? FETCH_WAIT_MIN_S : wait;
}
