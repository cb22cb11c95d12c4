/* SPDX-License-Identifier: Apache-2.0 */
/* Questions on a channel, and what became of them. */
#ifndef TESTS_IPC_ASKED_H
#define TESTS_IPC_ASKED_H

#include "ipc/channel.h"
#include "tests/unit/ipc_thread.h"

#define LONG_NS (20 * OC_NS_PER_S)

struct asked {
	int num_replies;
	enum oc_err err;
	enum ipc_type type;
	char text[32];
	uint64_t id;
	struct ipc_channel *ask_again;	/* in the reply: this, of it */
	struct asked *again;
};

/* The socket, in a directory of its own. */
extern char asked_path[IPC_DIR_MAX + 16];
int asked_setup(void **state);
int asked_teardown(void **state);

int64_t asked_in_ms(int64_t ms);
struct ipc_channel *asked_channel(void);
/* The reply function of both. */
void asked_note(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields);
void asked_status(struct ipc_channel *ch, struct asked *a,
    int64_t deadline_ns);
/* The TBS ends with 0x5a. */
void asked_sign(struct ipc_channel *ch, struct asked *a, size_t tbs_len,
    int64_t deadline_ns);
void asked_turn(struct ipc_channel *ch, int timeout_ms);
/* Until there is one reply. */
void asked_wait_for(struct ipc_channel *ch, const struct asked *a);
void asked_settle(struct ipc_channel *ch, int64_t for_ms);

#endif
