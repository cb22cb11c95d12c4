/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may wait for a signature that is made for one question: no more than
 * would have theirs within STATUS_GATE_WAIT_NS, by how fast signatures have
 * come lately.  Whoever comes when there are more is told so at once; else
 * all would wait, the longer the more there are, until nobody gets anything
 * in time.  No clock, no signer.
 */
#ifndef STATUS_GATE_H
#define STATUS_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define STATUS_GATE_WAIT_NS (500 * OC_NS_PER_MS)

/* Zero state, but for num_sessions: nothing is known. */
struct status_gate {
	uint32_t num_sessions;	/* so many are signed side by side */
	uint32_t num;		/* under way */
	int64_t since_ns;	/* when one last came back, or went first */
	int64_t each_ns;	/* between two that come back; 0: unknown */
};

enum status_gate_end {
	STATUS_GATE_SIGNED,
	STATUS_GATE_LATE,	/* it took so long that nobody waits */
	STATUS_GATE_OTHER	/* says nothing about how long it takes */
};

/* now_ns is CLOCK_MONOTONIC. */
bool status_gate_has_room(const struct status_gate *gate, int64_t now_ns);
void status_gate_enter(struct status_gate *gate, int64_t now_ns);
void status_gate_leave(struct status_gate *gate, enum status_gate_end end,
    int64_t now_ns);

#endif
