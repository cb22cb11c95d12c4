/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a loop asks of another role is held until its turn ends, and then goes
 * out in one write.  Nobody waits longer for it: a turn is what the loop does
 * between two looks for events.
 */
#ifndef IPC_TURN_H
#define IPC_TURN_H

#include <stdbool.h>

#include "base/err.h"

struct event;
struct event_base;

/* ipc_channel_hold(), sign_hold(), or what leads to one. */
typedef void ipc_hold_fn(void *arg, bool is_held);

/* Embedded; zero state is legal for fini. */
struct ipc_turn {
	struct event *end;
	bool is_held;
	ipc_hold_fn *hold;
	void *arg;
};

enum oc_err ipc_turn_init(struct ipc_turn *turn, struct event_base *base,
    ipc_hold_fn *hold, void *arg) OC_MUST_CHECK;
/* Before base is freed. */
void ipc_turn_fini(struct ipc_turn *turn);
/* Before something is asked; from the loop's thread. */
void ipc_turn_asks(struct ipc_turn *turn);

#endif
