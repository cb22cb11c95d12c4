/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table's file, and what its sources share: table_file.c maps
 * it, table_create.c makes it and takes it over, table_grow.c goes through it
 * and makes it larger, table_flush.c waits for the disk, table_older.c keeps
 * what another key has signed, table_index.c knows slots and buckets,
 * table_hash.c its two hashes, table_verify.c looks whether it is whole,
 * table.c is the rest of ocsp/table.h.
 *
 * One writer, any number of readers in other processes.  Everything that
 * changes while they look is an atomic word.
 */
#ifndef OCSP_TABLE_PRIVATE_H
#define OCSP_TABLE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ocsp/table.h"

#define TABLE_MAGIC "ocstable"
#define TABLE_VERSION 1
#define TABLE_BYTE_ORDER 0x01020304
#define TABLE_BOOT_ID_LEN 36		/* a UUID as text */

#define TABLE_SLOTS_MIN 64
/* Up to here a table grows by half, and then by an eighth: what is allocated
 * and not used is memory, too. */
#define TABLE_LARGE 65536
#define TABLE_SLOTS_MAX UINT32_C(0x70000000)

enum table_flag {
	TABLE_RETIRED = 1 << 0,
	TABLE_READY = 1 << 1,
	TABLE_OPEN = 1 << 2	/* a writer has it, or died with it */
};

struct table_header {
	/* Constant from the file's making on. */
	uint8_t magic[8];
	uint32_t byte_order, version;
	uint32_t identity_len;		/* of another ABI if it differs */
	uint32_t slot_len, num_slots, num_buckets;
	uint64_t hash_key[2];		/* random, in each file another */
	uint8_t store_id[OCSP_STORE_ID_LEN];
	struct ocsp_identity identity;
	uint32_t crc;			/* over all that stands above */

	/* Changes.  On a line of its own: readers look at flags each time. */
	_Alignas(64) _Atomic uint32_t flags;
	_Atomic uint32_t num_used;	/* live slots */
	_Atomic uint32_t num_touched;	/* slots from here on are all zero */
	_Atomic uint32_t first_free;	/* slot + 1; 0: none */
	_Atomic uint64_t seq;
	_Atomic uint64_t durable_seq;	/* what sync made durable */
	uint8_t boot_id[TABLE_BOOT_ID_LEN];	/* the writer's; its only */
	_Atomic uint64_t ready_run;	/* the run that TABLE_READY is of */
};
_Static_assert(sizeof(struct table_header) <= OCSP_TABLE_HEADER_LEN,
    "the header has outgrown its room");

/*
 * A slot in words:
 *	0	sequence: odd while it is written
 *	1	CRC-32C over all words behind it
 *	2	producedAt; in a free slot the next free one + 1, 0 at the end
 *	3-5	thisUpdate, nextUpdate, revocationTime: Unix seconds
 *	6-10	serial, padded with zeros
 *	11	serial's length (0: free), encoding, status, reason: 8 bits each
 *	12-	signature, padded with zeros
 * P-256: 28 words, 112 octets.
 */
enum {
	SLOT_SEQUENCE = 0,
	SLOT_CRC = 1,
	SLOT_PRODUCED = 2,
	SLOT_THIS = 3,
	SLOT_NEXT = 4,
	SLOT_REVOKED = 5,
	SLOT_SERIAL = 6,
	SLOT_SHAPE = 11,
	SLOT_SIGNATURE = 12,
	SLOT_WORDS_MAX = SLOT_SIGNATURE + OC_SIGNATURE_MAX / 4
};
#define SLOT_TIME_NONE UINT32_MAX	/* no nextUpdate */

enum table_phase {
	TABLE_STEADY,
	TABLE_SLOTS,
	TABLE_INDEX,
	TABLE_ALLOCATING,
	TABLE_MOVING,
	TABLE_FLUSHING
};

/* table_flush.c: one fdatasync() on a thread.  Zero state: none. */
struct table_flush {
	pthread_t thread;
	int fd;
	int why;			/* the thread's, until is_done */
	_Atomic bool is_done;
	bool is_under_way, has_thread;
};
void ocsp_table_flush_begin(struct table_flush *flush, int fd);
bool ocsp_table_flush_is_done(const struct table_flush *flush);
/* Waits for it, if there is one; 0 or an errno. */
int ocsp_table_flush_end(struct table_flush *flush);

/* How far table_grow.c is.  Zero state: nothing is under way. */
struct table_growth {
	enum table_phase phase;
	uint32_t next;			/* slot or bucket */
	uint32_t num_live, num_dropped;	/* by SLOTS, of those below next */
	bool is_mending;		/* INDEX follows */
	bool is_for_room;		/* SLOTS is, or was just now */
	bool has_said;			/* that the disk is full */
	uint32_t num_wanted;		/* slots; ocsp_table_reserve() */
	bool is_renewing;		/* the header has another identity */
	int64_t looked_ns, failed_ns;	/* 0: never; CLOCK_MONOTONIC */
	struct ocsp_table *larger;	/* owned; mapped from MOVING on */
	uint64_t num_allocated, len;	/* octets of its file */
	struct table_flush flush, sync;	/* of larger, of the table itself */
	uint64_t sync_seq;		/* what sync makes durable */
	int64_t synced_ns;		/* 0: never; when it was last begun */
};

struct ocsp_table {
	char *path;
	int fd, lock_fd;		/* -1: a reader's */
	uint8_t *map;
	size_t map_len;
	struct table_header *header;	/* in the map, like the next two */
	_Atomic uint32_t *index;
	_Atomic uint32_t *slots;
	/* Copies: what steers memory accesses is never read twice. */
	uint32_t num_slots, num_buckets, slot_words;
	uint64_t hash_key[2];
	uint8_t store_id[OCSP_STORE_ID_LEN];
	struct ocsp_identity identity;
	uint64_t run;			/* ours, not the file's */
	bool is_damaged;		/* seen, or to be feared */
	bool is_older;			/* another key's: nothing is put */
	bool has_freed;			/* what is past its time */
	int64_t put_at;			/* producedAt of what was put last, by
					 * a clock that somebody watches */
	struct table_growth growth;
};

/* table_hash.c */
uint32_t ocsp_table_crc32c(const void *bytes, size_t len);
/* SipHash-1-3 of words that make up whole 8 octets. */
uint64_t ocsp_table_siphash(const uint64_t key[2], const uint64_t *words,
    size_t num_words);

/* table_index.c */

/* What a slot is found by. */
struct table_key {
	uint32_t serial[OC_SERIAL_MAX / 4];
	uint32_t shape;			/* length and encoding */
};
struct table_key ocsp_table_key_of(const struct oc_serial *serial,
    uint8_t encoding);

/* A whole slot that is neither being written nor damaged. */
bool ocsp_table_load_slot(const struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX]);
void ocsp_table_store_slot(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX]);
bool ocsp_table_slot_is_live(const uint32_t words[SLOT_WORDS_MAX]);
enum oc_err ocsp_table_pack(const struct ocsp_table *table,
    const struct ocsp_slot *slot, uint32_t words[SLOT_WORDS_MAX])
    OC_MUST_CHECK;
void ocsp_table_unpack(const struct ocsp_table *table,
    const uint32_t words[SLOT_WORDS_MAX], struct ocsp_slot *slot);

/* The slot of this key as the index leads to it, words read whole. */
bool ocsp_table_lookup(const struct ocsp_table *table,
    const struct table_key *key, uint32_t *slot,
    uint32_t words[SLOT_WORDS_MAX]);
/* The writer's, which sees damaged ones, too. */
bool ocsp_table_find_slot(const struct ocsp_table *table,
    const struct table_key *key, uint32_t *slot);
/* Enters a slot under the serial its words have. */
void ocsp_table_enter(struct ocsp_table *table, uint32_t slot);
/* Puts one that the index does not lead to on the list of free ones. */
void ocsp_table_free_slot(struct ocsp_table *table, uint32_t slot);
/* Takes a live slot out of the index and makes it free. */
void ocsp_table_remove(struct ocsp_table *table, uint32_t slot);
/* Removes the slots of all encodings of a serial. */
void ocsp_table_remove_serial(struct ocsp_table *table,
    const struct oc_serial *serial);
/* A free slot, if there is one without looking for it. */
bool ocsp_table_take_free(struct ocsp_table *table, uint32_t *slot);
/* Good, damaged, or not to be found: what there is in a place. */
enum table_found { TABLE_FREE, TABLE_GOOD, TABLE_TORN, TABLE_LOST };
enum table_found ocsp_table_look_at(const struct ocsp_table *table,
    uint32_t slot);
/* From *next on, takes out what leads to no slot, or to one that is found
 * before; looks at num buckets. */
void ocsp_table_sweep_index(struct ocsp_table *table, uint32_t *next,
    uint32_t num);
/* Nothing but the slots is believed: index, free list and counts from them
 * alone; how many were torn.  Nobody else may read it. */
uint32_t ocsp_table_recover(struct ocsp_table *table);

/* table_file.c */
uint32_t ocsp_table_num_buckets_for(uint32_t num_slots);
uint32_t ocsp_table_slot_len_for(uint32_t signature_len);
uint64_t ocsp_table_file_len_for(const struct table_header *header);
uint32_t ocsp_table_header_crc(const struct table_header *header);
/* NULL, or what is wrong with a header read from a file of this length. */
const char *ocsp_table_check_header(const struct table_header *header,
    uint64_t file_len);
/* Reads and checks it: NULL, or what is wrong with the file. */
const char *ocsp_table_read_header(int fd, struct table_header *header);
/* "cannot WHAT the response table PATH", and what errno says. */
enum oc_err ocsp_table_fail(struct oc_error *error, const char *what,
    const char *path);
struct ocsp_table *ocsp_table_alloc(const char *path);
void ocsp_table_free(struct ocsp_table *table);
/* Maps a file whose header was checked. */
enum table_access { TABLE_READ_ONLY, TABLE_READ_WRITE };
enum oc_err ocsp_table_map_file(struct ocsp_table *table, int fd,
    const struct table_header *header, enum table_access access,
    struct oc_error *error) OC_MUST_CHECK;
void ocsp_table_unmap(struct ocsp_table *table);

/* table_create.c */

/* A header for a new file. */
enum oc_err ocsp_table_plan(const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN], uint32_t num_slots,
    struct table_header *header) OC_MUST_CHECK;
/* A file with nothing but this header, if there seems to be room for what it
 * says; -1: errno says why not. */
int ocsp_table_make_file(const char *name, const struct table_header *header);
/* Blocks for these octets; 0 or an errno. */
int ocsp_table_allocate(int fd, uint64_t from, uint64_t len) OC_MUST_CHECK;
/* path + suffix, for free(). */
char *ocsp_table_beside(const char *path, const char *suffix);
/* Tells the readers of a file that is about to lose its name. */
void ocsp_table_retire_file(int fd);

/* table_grow.c */

/* A free slot: one more share of what is under way, or, if that was not
 * enough, all of it.  NO_SPACE if there is none and the disk is full. */
enum oc_err ocsp_table_take_slot(struct ocsp_table *table, uint32_t *slot)
    OC_MUST_CHECK;
/* What changes a slot, here and in the larger file if that has it already:
 * the answer of the same key; of one that was taken; none. */
void ocsp_table_replace(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX]);
void ocsp_table_add(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX]);
void ocsp_table_drop(struct ocsp_table *table, uint32_t slot);
/* At once, into a file of so many slots, at least as many as now, with the
 * identity that *table has by now; NO_SPACE, and then nothing has changed.
 * Nothing may be under way. */
enum oc_err ocsp_table_grow(struct ocsp_table *table, uint64_t num_slots)
    OC_MUST_CHECK;
/* Gives up what is under way; it costs nothing but the work. */
void ocsp_table_stop_growing(struct ocsp_table *table);

/* table_older.c */

/* What lies at the path and has this header, all zero if it is none: out of
 * the way, if another key has signed it for the same issuer.  False: it is of
 * no use. */
bool ocsp_table_set_aside(const struct ocsp_table *table,
    const struct table_header *header, const struct ocsp_identity *identity,
    const uint8_t store_id[OCSP_STORE_ID_LEN]);

#endif
