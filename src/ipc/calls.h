/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a channel has been asked and has not answered: found by id, ordered by
 * deadline, and queued in the order of asking.  Knows nothing of sockets.
 *
 * A call is in the queue "waiting" until its last octet is on the wire, then
 * in "sent" until it is answered.  One whose asker has gone, or a CANCEL, has
 * no reply function: an orphan, which is in the queue alone and is freed as
 * soon as it is sent.
 */
#ifndef IPC_CALLS_H
#define IPC_CALLS_H

#include "base/err.h"
#include "ipc/channel.h"

/* A signer's queue holds fewer; beyond it waiting has no sense. */
#define IPC_CALLS_MAX 8192
#define IPC_CALLS_BYTES_MAX (16 * 1024 * 1024)

struct ipc_call {
	uint64_t id;
	int64_t deadline_ns;
	ipc_reply_fn *reply;		/* NULL: an orphan */
	void *arg;
	int fd;				/* sent along; owned; -1: none */
	uint16_t type;
	bool is_sent;			/* in which queue it is */
	size_t num_sent;		/* octets */
	size_t heap_at;
	struct ipc_call *prev, *next;	/* in its queue */
	struct ipc_call *bucket_next;
	size_t len;
	uint8_t frame[];
};

struct ipc_call_queue {
	struct ipc_call *first, *last;
};

#define IPC_CALL_BUCKETS 1024
struct ipc_calls {
	struct ipc_call *buckets[IPC_CALL_BUCKETS];
	struct ipc_call **heap;		/* heap[0] is due first */
	size_t num, heap_max;		/* calls, without orphans */
	size_t num_bytes;		/* of all frames */
	struct ipc_call_queue waiting, sent;
};

void ipc_calls_fini(struct ipc_calls *calls);	/* zero state is fine */

/* Copies the frame, takes the fd when it succeeds, queues behind the others.
 * reply NULL: an orphan.  BUSY over the limits above, NOMEM. */
enum oc_err ipc_calls_add(struct ipc_calls *calls, uint64_t id,
    const uint8_t *frame, size_t len, int fd, int64_t deadline_ns,
    ipc_reply_fn *reply, void *arg) OC_MUST_CHECK;
struct ipc_call *ipc_calls_find(const struct ipc_calls *calls, uint64_t id);
/* The one whose deadline is next; NULL when there is none. */
struct ipc_call *ipc_calls_next_due(const struct ipc_calls *calls);
/* The first of "waiting" is on the wire, whole. */
void ipc_calls_sent(struct ipc_calls *calls, struct ipc_call *call);
/* Nobody waits for it any more.  Frees it, or, when half of it is on the
 * wire, makes it an orphan. */
void ipc_calls_drop(struct ipc_calls *calls, struct ipc_call *call);
/* The connection is lost: everything sent waits again, in its old order, and
 * orphans are forgotten. */
void ipc_calls_rewind(struct ipc_calls *calls);

#endif
