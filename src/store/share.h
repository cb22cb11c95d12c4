/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several hosts' ocsign-status share by a database: OCSP responses that
 * one of them had signed, without what all of them know, and which of them
 * leads.  Beside the records and none of them: no journal, no change_seq, no
 * lock of theirs, and what is lost is signed again.
 *
 * Whoever reads must not believe: anybody who may write these tables may have
 * written it.
 *
 * A context is all that two responses of a serial have in common whose octets
 * are the same.  What is put into one takes the next seq of it, under the lock
 * of its row, which one statement has: who sees a seq sees all below it.
 *
 * All of it blocks, on a store that was opened with STORE_SHARE, for five
 * seconds of a server that does not answer; errors as any other question's.
 */
#ifndef STORE_SHARE_H
#define STORE_SHARE_H

#include "store/store.h"

#define STORE_CONTEXT_LEN 32
#define STORE_HOLDER_LEN 16
#define STORE_HOST_MAX 96
/* Encoding and serial. */
#define STORE_SHARED_NAME_MAX (1 + OC_SERIAL_MAX)
/* 19 octets and a signature. */
#define STORE_SHARED_BODY_MAX (19 + OC_SIGNATURE_MAX)
/* In one statement; 1024 with P-256 are 150 KB. */
#define STORE_SHARED_NUM_MAX 1024

struct store_shared {
	uint8_t name[STORE_SHARED_NAME_MAX];
	uint8_t name_len;
	int64_t seq;		/* what it was put with */
	int64_t change_seq;	/* of the certificate, when it was signed */
	int64_t next_update;
	uint8_t body[STORE_SHARED_BODY_MAX];
	uint16_t body_len;
};

/* SHA-256 of all that makes one. */
void store_share_name_context(const void *octets, size_t len,
    uint8_t name[STORE_CONTEXT_LEN]);
/* Makes it if it is not there. */
enum oc_err store_share_find_context(struct store *store,
    const uint8_t name[STORE_CONTEXT_LEN], int64_t *id) OC_MUST_CHECK;

struct store_lease_wish {
	const uint8_t *holder;	/* STORE_HOLDER_LEN: who asks */
	const char *host;	/* for people */
	int64_t length_ms;
	/* For so long it must have been nobody's; < 0: it is not wanted, and
	 * given back if it is ours. */
	int64_t patience_ms;
};
struct store_lease {
	bool is_ours, is_held;	/* by whomever */
	char host[STORE_HOST_MAX + 1];	/* who has it, or had */
	int64_t seq;		/* of the context */
};
/*
 * Takes, prolongs or gives back, and says how it stands.  By the server's
 * clock; a lease that ends later than one of ours could is none.
 */
enum oc_err store_share_lease(struct store *store, int64_t id,
    const struct store_lease_wish *wish, struct store_lease *lease)
    OC_MUST_CHECK;
/* The same for who only looks. */
enum oc_err store_share_seq(struct store *store, int64_t id, int64_t *seq)
    OC_MUST_CHECK;

/* In the order of their names, no two with the same.  What is there about a
 * later change, or about the same one and until later, stays. */
enum oc_err store_share_put(struct store *store, int64_t id,
    const struct store_shared *rows, uint32_t num, int64_t *seq) OC_MUST_CHECK;
/* Those after seq, in order; num_max of them at most, but never a part of those
 * that were put together, if these were STORE_SHARED_NUM_MAX.  Rows that are
 * longer than can be have no name.  num_max > STORE_SHARED_NUM_MAX. */
enum oc_err store_share_read(struct store *store, int64_t id, int64_t seq,
    struct store_shared *rows, uint32_t num_max, uint32_t *num) OC_MUST_CHECK;
/* Those of these names: the rest is filled in; seq 0: is not there. */
enum oc_err store_share_find(struct store *store, int64_t id,
    struct store_shared *rows, uint32_t num) OC_MUST_CHECK;
/* As they were read; what took their place meanwhile stays. */
enum oc_err store_share_drop(struct store *store, int64_t id,
    const struct store_shared *rows, uint32_t num) OC_MUST_CHECK;
enum oc_err store_share_count(struct store *store, int64_t id, int64_t *num)
    OC_MUST_CHECK;

/* Drops, among num rows after *seq, what has ended, or can't be: it ends in
 * years, or is of a change to come.  Moves *seq on; at the end to 0. */
enum oc_err store_share_prune(struct store *store, int64_t id, uint32_t num,
    int64_t *seq) OC_MUST_CHECK;
/* Contexts that nobody has led for a week: num rows of them, and those that
 * have none. */
enum oc_err store_share_prune_contexts(struct store *store, uint32_t num)
    OC_MUST_CHECK;

#endif
