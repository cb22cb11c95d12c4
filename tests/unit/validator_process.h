/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validation/service.h in a process of its own, which can be killed.  What
 * becomes of a name, its first label says: "now" is so, "soon" in a while,
 * "dead" is told at the deadline, "busy" and "never" are not begun, "stuck" is
 * never told.
 */
#ifndef TESTS_VALIDATOR_PROCESS_H
#define TESTS_VALIDATOR_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "validation/counts.h"

/* What the validators of a test tell it. */
struct validator_shared {
	atomic_int num_begun, num_cancelled, num_served;
	struct validation_counts counts;
};
extern struct validator_shared *validator_shared;
/* Where they listen. */
extern char validator_path[];
extern int validator_listener;

/* Of cmocka: around each test. */
int validator_set_up(void **state);
int validator_tear_down(void **state);

pid_t validator_start(uint32_t under_way_max);
/* And waits; with another signal than SIGKILL it ends well. */
void validator_end(pid_t pid, int sig);

#endif
