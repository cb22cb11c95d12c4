/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table: one mapped file per issuer and signing key, holding for
 * each (serial, CertID encoding) what is needed to build its response again:
 * status, times, and the raw signature.  ocsign-status is its only writer;
 * responders map it read-only.  Derived data: it can always be made again
 * from the store, at the price of signing everything again.
 *
 *	header   OCSP_TABLE_HEADER_LEN octets
 *	index    num_buckets x u32: slot number + 1, 0 = empty; open addressing
 *	slots    num_slots x slot_len
 *
 * All numbers are of the machine's byte order; the header says which, and a
 * table of another is made anew.  A slot is guarded by a sequence number,
 * odd while it is written, and by a CRC-32C over the rest, so that readers
 * see torn ones, and so does a start after a crash.
 * Nearly full: slots that were withdrawn or whose nextUpdate has passed are
 * used again; if there are few of them, a larger file is made beside it, a part
 * at a time, with each slot in its old place, and renamed over it; the header
 * of the old one says RETIRED, so that readers map the new.
 */
#ifndef OCSP_TABLE_H
#define OCSP_TABLE_H

#include "base/err.h"
#include "base/limits.h"
#include "base/serial.h"
#include "ocsp/identity.h"
#include "ocsp/single.h"

struct ocsp_table;

#define OCSP_STORE_ID_LEN 16
#define OCSP_TABLE_HEADER_LEN 8192

/* One answer, as it is handed in and out. */
struct ocsp_slot {
	struct oc_serial serial;
	uint8_t encoding;
	struct ocsp_status status;
	int64_t produced_at, this_update, next_update;
	uint8_t signature[OC_SIGNATURE_MAX];	/* ECDSA: r||s; else as is */
	size_t signature_len;
	/* Handed out only: for ocsp_table_get().  Growing does not change it,
	 * making the table anew does. */
	uint32_t number;
};

/* The writer: takes an exclusive lock on path.lock (BUSY if another has it),
 * makes the file if it is missing, unreadable, another store's, another
 * identity's or another version's.  num_slots is a first guess.
 *
 * What was signed with the same key under another certificate is kept, and
 * goes with the new one from now on.  What was signed for the same issuer with
 * another key is set aside as path + OCSP_TABLE_OLDER_SUFFIX, in place of what
 * was there, for ocsp_table_take_older().
 *
 * Of a table that was closed nothing is looked at.  One that was not (its
 * writer died) is gone through by ocsp_table_tend(); if the machine went down
 * as well, here, slot by slot, and ocsp_table_seq() goes back to what
 * ocsp_table_sync() had made durable, so that no change is missed. */
enum oc_err ocsp_table_create(const char *path,
    const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], uint32_t num_slots,
    struct ocsp_table **table, struct oc_error *error) OC_MUST_CHECK;
#define OCSP_TABLE_OLDER_SUFFIX ".old"
/* The writer's of path takes what was set aside, if it is this store's and for
 * the issuer of this identity; NULL if there is none.  Nothing but withdrawing
 * and the flags is sensible: nothing is signed with that key any more. */
enum oc_err ocsp_table_take_older(const char *path,
    const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], struct ocsp_table **older,
    struct oc_error *error) OC_MUST_CHECK;
/* Tells the readers that it is of no use any more, removes its file, and
 * closes it. */
void ocsp_table_discard(struct ocsp_table *table);
/* A reader.  NOT_FOUND if there is none yet. */
enum oc_err ocsp_table_open(const char *path, struct ocsp_table **table,
    struct oc_error *error) OC_MUST_CHECK;
void ocsp_table_close(struct ocsp_table *table);

const struct ocsp_identity *ocsp_table_identity(const struct ocsp_table *table);
uint32_t ocsp_table_num_used(const struct ocsp_table *table);

/* The reader's: false if absent, withdrawn or torn.  Lock-free. */
bool ocsp_table_find(const struct ocsp_table *table,
    const struct oc_serial *serial, uint8_t encoding, struct ocsp_slot *slot);
/* The slot of this number; false also if it is free. */
bool ocsp_table_get(const struct ocsp_table *table, uint32_t number,
    struct ocsp_slot *slot);
/* True once a larger file has replaced this one: open it again. */
bool ocsp_table_is_retired(const struct ocsp_table *table);

/* The writer's.  Replaces the slot of the same serial and encoding; full:
 * NO_SPACE if the disk is, and then nothing has changed.
 * MISMATCH if the signature is not as long as the identity says; LIMIT for a
 * time before 1970 or after 2106. */
enum oc_err ocsp_table_put(struct ocsp_table *table,
    const struct ocsp_slot *slot) OC_MUST_CHECK;
/* Room for so many live slots at once, and some, so that it need not grow
 * again and again while they come: now, if there is little in it, else while
 * it is tended.  NO_SPACE changes nothing. */
enum oc_err ocsp_table_reserve(struct ocsp_table *table, uint32_t num_slots)
    OC_MUST_CHECK;
/* Withdraws every encoding of a serial at once: its status has changed and
 * no answer made before may be served. */
void ocsp_table_withdraw(struct ocsp_table *table,
    const struct oc_serial *serial);
/* The last change of the store that the table reflects. */
int64_t ocsp_table_seq(const struct ocsp_table *table);
void ocsp_table_set_seq(struct ocsp_table *table, int64_t seq);
/* Makes all slots and the present seq durable.  Blocks in msync().
 * ocsp_table_close() does it, too; and ocsp_table_tend(), which waits for
 * nothing, once a minute. */
enum oc_err ocsp_table_sync(struct ocsp_table *table) OC_MUST_CHECK;
/* The writer's: false if its file was removed, replaced by another or cut
 * short behind its back; the table is to be closed, and made anew. */
bool ocsp_table_is_in_place(const struct ocsp_table *table);
/* The run of the service that the caller belongs to, a random number; 0, as
 * it is without this call, where nobody counts them. */
void ocsp_table_set_run(struct ocsp_table *table, uint64_t run);
/* False until the writer has caught up with the store in this run: what was
 * true when the service ended need not be so when it starts. */
bool ocsp_table_is_ready(const struct ocsp_table *table);
void ocsp_table_set_ready(struct ocsp_table *table, bool is_ready);
/* It was ready in whatever run.  For the writer, before it says more: and
 * ocsp_table_seq() tells all that is missing. */
bool ocsp_table_was_ready(const struct ocsp_table *table);

/* Walks all live slots; the walk ends when fn returns false.  fn must not
 * put or withdraw. */
typedef bool ocsp_table_fn(void *arg, const struct ocsp_slot *slot);
void ocsp_table_walk(const struct ocsp_table *table, ocsp_table_fn *fn,
    void *arg);
/* Asks the kernel to have the next megabytes of the table in memory soon,
 * unless all of it is more than half of what there is: a walk finds one slot
 * after the other, and each by an index that leads all over it.  *at starts as
 * 0.  False: those were the last.  Waits for no disk, or hardly. */
bool ocsp_table_prefetch(const struct ocsp_table *table, uint64_t *at);
/* The writer's walk in parts, while it puts and withdraws: what is put
 * meanwhile may be met or not.  *next starts as 0.  Looks at num slots, live
 * or not; false when those were the last, or fn said so. */
bool ocsp_table_walk_part(struct ocsp_table *table, uint32_t *next,
    uint32_t num, ocsp_table_fn *fn, void *arg);
/* The writer's, in each turn of its loop: a part of what goes through the
 * whole table, which is looking at num slots, or copying them.  Slots that are
 * damaged, or that the index does not lead to (nobody knows how old they are),
 * are dropped: how many it were, once all is looked at. */
uint32_t ocsp_table_tend(struct ocsp_table *table, uint32_t num_slots);
/* What was past its nextUpdate has made room since this was last asked: more
 * of it may be wanted. */
bool ocsp_table_has_freed(struct ocsp_table *table);
/* There is more to do. */
bool ocsp_table_is_tending(const struct ocsp_table *table);
/* Checks header, index and every slot's CRC.  MALFORMED if the header is
 * damaged.  What seems wrong beside a writer at work is looked at again; what
 * only adds up while nobody writes is not added up then. */
struct ocsp_table_report {
	uint32_t num_good;
	uint32_t num_torn;	/* slots: CRC wrong, or left half written */
	uint32_t num_lost;	/* good ones that the index does not lead to */
	uint32_t num_strays;	/* in the index: lead to none, or a second to
				 * the same */
	bool is_miscounted;	/* header: another number than there are */
};
enum oc_err ocsp_table_verify(const struct ocsp_table *table,
    struct ocsp_table_report *report) OC_MUST_CHECK;

#endif
