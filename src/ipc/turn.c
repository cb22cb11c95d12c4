/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/turn.h"

#include <event2/event.h>

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_turn *turn = arg;

	(void)fd, (void)what;
	turn->is_held = false;
	turn->hold(turn->arg, false);
}

enum oc_err
ipc_turn_init(struct ipc_turn *turn, struct event_base *base,
    ipc_hold_fn *hold, void *arg)
{
	turn->hold = hold;
	turn->arg = arg;
	turn->end = event_new(base, -1, 0, on_end, turn);
	return turn->end != NULL ? OC_OK : OC_ERR_NOMEM;
}

void
ipc_turn_fini(struct ipc_turn *turn)
{
	if (turn->end != NULL)
		event_free(turn->end);
	turn->end = NULL;
}

void
ipc_turn_asks(struct ipc_turn *turn)
{
	if (turn->is_held)
		return;
	turn->is_held = true;
	turn->hold(turn->arg, true);
	/* Behind all that this turn has still to do. */
	event_active(turn->end, 0, 0);
}
