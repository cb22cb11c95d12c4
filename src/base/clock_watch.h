/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the calendar clock jumped?  It is held against CLOCK_BOOTTIME, which
 * nobody sets and which goes on while the machine sleeps: the difference
 * stays what it is unless the calendar clock is set.  Steps of up to
 * OC_CLOCK_STEP_MAX_S within an hour are corrections and followed; a larger
 * one is a jump, until the clock is right again or a person says that it is.
 *
 * The difference that is believed stands in a file, RUN/clock, so that who is
 * started while the clock is wrong does not take it for right.  One process
 * writes it; ocsignd removes it at its start and when it reloads, and that is
 * how a person says so.
 */
#ifndef BASE_CLOCK_WATCH_H
#define BASE_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The file's name in the run directory. */
#define OC_CLOCK_WATCH_NAME "clock"

enum oc_clock_watch_role { OC_CLOCK_WATCH_READS, OC_CLOCK_WATCH_WRITES };

struct oc_clock_watch {
	char *path;			/* owned */
	enum oc_clock_watch_role role;
	int64_t offset_ms;		/* believed: calendar less boot time */
	int64_t followed_at_ms;		/* boot time */
	int64_t jump_ms;		/* now; 0: none */
	bool is_kept;			/* the file was there: if it goes,
					 * somebody removed it */
};

/* Believes the file, or, if there is none, the clock. */
enum oc_err oc_clock_watch_init(struct oc_clock_watch *watch,
    const char *run_directory, enum oc_clock_watch_role role) OC_MUST_CHECK;
void oc_clock_watch_fini(struct oc_clock_watch *watch);	/* zero is fine */

/* How far the calendar clock is ahead of what it should say, in ms; 0 while
 * it is believed.  Looks at both clocks, and at the file only after a jump.
 * NULL: 0. */
int64_t oc_clock_watch_look(struct oc_clock_watch *watch);

/* Unix seconds: what the calendar clock should say.  As of the last look
 * whether it is right.  NULL: what it says. */
int64_t oc_clock_watch_now_s(const struct oc_clock_watch *watch);

#endif
