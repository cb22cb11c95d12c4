/* SPDX-License-Identifier: Apache-2.0 */
/* What share.c and share_thread.c share; nobody else includes it. */
#ifndef STATUS_SHARE_IMPL_H
#define STATUS_SHARE_IMPL_H

#include <pthread.h>

#include "status/share.h"

/* Of a batch: 3 MB for all members together. */
#define STATUS_SHARE_ROWS (2 * STORE_SHARED_NUM_MAX)
/* Waiting to be put there, or looked for, of each member: 4.8 MB while the
 * database is away. */
#define STATUS_SHARE_OUT_MAX 8192
#define STATUS_SHARE_LOOKS 256
/* So long the service may say that it does not know yet. */
#define STATUS_SHARE_WAIT_MS 1000

/* Whose the batch is. */
enum status_share_stage {
	STATUS_SHARE_FREE,	/* the thread's */
	STATUS_SHARE_FILLED,	/* the loop's: what is wanted? */
	STATUS_SHARE_MARKED,	/* the thread's: is it good? */
	STATUS_SHARE_VERIFIED,	/* the loop's */
	STATUS_SHARE_TAKEN	/* the thread's */
};

/* A name: see status/shared.h. */
struct status_look {
	uint8_t name[STORE_SHARED_NAME_MAX];
	uint8_t name_len;
};

struct status_member {
	struct status_share *share;
	struct status_member_plan plan;
	struct status_shared_verifier *verifier;	/* owned */
	uint8_t name[STORE_CONTEXT_LEN];

	/* The thread's. */
	int64_t id;			/* of the context; 0: not known */
	int64_t lease_at_ms;		/* when to ask next */
	int64_t seq;			/* the newest there is */
	int64_t read_seq;		/* and up to which all was taken */
	int64_t reach_seq;		/* to be read before it leads */
	int64_t prune_seq, prune_at_ms;
	bool is_leading;

	/* Both threads', under the mutex. */
	enum status_fitness fitness;
	int64_t said_ms;
	struct status_lease lease;
	bool is_caught_up;
	char leader[STORE_HOST_MAX + 1];
	uint32_t num_leads;
	int64_t num_counted;
	struct store_shared *out;	/* owned */
	uint32_t num_out, out_max;
	struct status_look looks[STATUS_SHARE_LOOKS];
	uint32_t num_looks;
	uint64_t num_shared, num_refused;
};

struct status_share {
	char *where;			/* owned */
	uint8_t holder[STORE_HOLDER_LEN];
	char host[STORE_HOST_MAX + 1];
	struct status_member **members;	/* owned, as each of them; fixed once
					 * it is started */
	uint32_t num_members;
	bool is_started;
	pthread_t thread;
	int event_fd;			/* the thread writes, the loop reads */

	/* The thread's. */
	struct store *store;		/* NULL: not open */
	struct store_shared *raw;	/* owned; what rows were read from */
	struct store_shared *put;	/* owned; what is being put there */
	uint32_t next_member;		/* whose turn it is to be read */
	int64_t prune_at_ms;

	pthread_mutex_t mutex;
	pthread_cond_t wake;		/* for the thread */
	bool is_stopping;		/* under the mutex, as is the rest */
	char error[OC_ERROR_TEXT_MAX];
	enum status_share_stage stage;
	/* Of whom stage says. */
	struct status_member *of;
	bool is_look;
	struct status_shared *rows;	/* owned */
	uint32_t num_rows;
	int64_t last_seq;		/* of what was read */
	int64_t filled_ms;
};

void status_share_init_wake(struct status_share *share);
void *status_share_main(void *share);

#endif
