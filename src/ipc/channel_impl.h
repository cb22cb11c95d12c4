/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What channel.c and channel_send.c share: the struct, and the half that
 * connects and writes.  Nothing here runs a reply function.
 */
#ifndef IPC_CHANNEL_IMPL_H
#define IPC_CHANNEL_IMPL_H

#include <sys/un.h>

#include "base/clock.h"
#include "ipc/calls.h"
#include "ipc/channel.h"

#define IPC_BACKOFF_MIN_NS (20 * OC_NS_PER_MS)
#define IPC_BACKOFF_MAX_NS (1 * OC_NS_PER_S)
#define IPC_IN_MAX (OC_FRAME_MAX + 4)
#define IPC_NEVER INT64_MAX

struct ipc_channel {
	struct sockaddr_un address;
	struct ipc_calls calls;
	uint64_t last_id;
	uint64_t num_late;

	int epoll_fd, timer_fd;
	int sock;			/* -1: IDLE */
	bool is_greeted;		/* the peer's HELLO has come */
	bool is_broken;			/* a write failed: dispatch closes */
	bool wants_out;			/* EPOLLOUT is set */
	bool is_held;			/* nothing is sent for now */
	int64_t retry_at_ns;		/* no connect(2) before this */
	int64_t backoff_ns;
	int64_t armed_ns;		/* what the timer is set to */

	uint8_t hello[64];
	size_t hello_len, hello_sent;
	uint8_t *now;			/* ask_now()'s fields, OC_FRAME_MAX */
	size_t in_len;
	uint8_t in[IPC_IN_MAX];
};

/* The timer comes at this time; IPC_NEVER disarms it. */
void ipc_channel_arm(struct ipc_channel *ch, int64_t at_ns);
/* When dispatch must run though the socket is quiet. */
int64_t ipc_channel_next_wake(const struct ipc_channel *ch);
/* EPOLLOUT on or off. */
void ipc_channel_watch_out(struct ipc_channel *ch, bool wants_out);
/* No connect(2) before the back-off is over, which doubles. */
void ipc_channel_back_off(struct ipc_channel *ch);
/* Connects when it is time to, and sends what can be sent. */
void ipc_channel_push(struct ipc_channel *ch);

#endif
