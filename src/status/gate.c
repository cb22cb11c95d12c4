/* SPDX-License-Identifier: Apache-2.0 */
#include "status/gate.h"

#include "base/err.h"

/* The mean is of about so many. */
#define MEAN_OF 32
/* How many may wait until the first has come back. */
#define UNKNOWN_MAX 32

bool
status_gate_has_room(const struct status_gate *gate, int64_t now_ns)
{
	if (gate->num < gate->num_sessions)
		return true;
	if (gate->each_ns == 0)
		return gate->num - gate->num_sessions < UNKNOWN_MAX;
	return now_ns - gate->since_ns <= STATUS_GATE_WAIT_NS &&
	    (gate->num - gate->num_sessions) * gate->each_ns <=
	    STATUS_GATE_WAIT_NS;
}

void
status_gate_enter(struct status_gate *gate, int64_t now_ns)
{
	if (gate->num++ == 0)
		gate->since_ns = now_ns;
}

void
status_gate_leave(struct status_gate *gate, enum status_gate_end end,
    int64_t now_ns)
{
	int64_t each_ns = now_ns - gate->since_ns;

	oc_assert(gate->num > 0);
	gate->num--;
	switch (end) {
	case STATUS_GATE_SIGNED:
		if (gate->each_ns == 0)
			gate->each_ns = each_ns;
		gate->each_ns += (each_ns - gate->each_ns) / MEAN_OF;
		break;
	case STATUS_GATE_LATE:
		/* Not more than the sessions take, until some come back. */
		gate->each_ns = STATUS_GATE_WAIT_NS + 1;
		break;
	case STATUS_GATE_OTHER:
		return;
	}
	gate->since_ns = now_ns;
}
