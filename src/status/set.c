/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of an issuer's certificates, by serial.  Records stand in
 * blocks, in the order in which they came, and are never moved nor removed: a
 * certificate stays known.  The index leads to them: record number + 1, 0 =
 * empty; open addressing with linear probing.  At three quarters full a larger
 * one takes its place by and by, so that nobody waits for ten million entries
 * to be hashed again: each record that is added moves a few, and until all are
 * moved both are looked at.
 *
 * Both are in shared memory: what a process has of its own does not grow with
 * how many certificates there are.
 *
 * One thread, the event loop's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/spool.h"
#include "status/status.h"

#define INDEX_BITS_MIN 10
#define INDEX_BITS_MAX 31
#define BLOCK_LEN 16384			/* records: 768 KiB */
/* The larger index is three quarters full after 3/4 as many records as the
 * smaller one has buckets. */
#define MOVE_EACH 2

struct index {
	struct oc_mapping memory;	/* owned */
	uint32_t *buckets;		/* in it; NULL: none */
	uint32_t num;			/* a power of two */
};

struct status_set {
	uint32_t num_holders;
	struct oc_mapping *blocks;	/* owned, as each of them */
	uint32_t num_blocks;
	uint32_t num;			/* records */
	struct index index, before;	/* before: the smaller one */
	uint32_t num_moved;		/* buckets of before */
	uint64_t seed;		/* serials of foreign sources are chosen by
				 * strangers; where they land is not */
	int64_t retention_s;
};

/* FNV-1a over the seed and the octets, then mixed. */
static uint32_t
hash_of(const struct status_set *set, const struct oc_serial *serial)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ set->seed;
	uint32_t i;

	for (i = 0; i < serial->len; i++)
		h = (h ^ serial->bytes[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd) ^ set->seed;
	return (uint32_t)(h >> 32);
}

static struct status_record *
record_of(const struct status_set *set, uint32_t number)
{
	void *block = set->blocks[number / BLOCK_LEN].bytes;

	return (struct status_record *)block + number % BLOCK_LEN;
}

/* The bucket of this serial, or the empty one where it would go. */
static uint32_t *
bucket_of(const struct status_set *set, const struct index *index,
    const struct oc_serial *serial)
{
	uint32_t mask = index->num - 1;
	uint32_t i = hash_of(set, serial) & mask;

	while (index->buckets[i] != 0 && !oc_serial_equal(
	    &record_of(set, index->buckets[i] - 1)->serial, serial))
		i = (i + 1) & mask;
	return &index->buckets[i];
}

static struct status_record *
find(const struct status_set *set, const struct oc_serial *serial)
{
	uint32_t entry = *bucket_of(set, &set->index, serial);

	if (entry == 0 && set->before.buckets != NULL)
		entry = *bucket_of(set, &set->before, serial);
	return entry == 0 ? NULL : record_of(set, entry - 1);
}

static enum oc_err
index_new(uint32_t num, struct index *index)
{
	/* What is not touched yet is no memory: this takes no time. */
	enum oc_err err = oc_mapping_new(num * sizeof(*index->buckets),
	    &index->memory);

	index->buckets = err == OC_OK ? (void *)index->memory.bytes : NULL;
	index->num = num;
	return err;
}

static void
index_fini(struct index *index)
{
	oc_mapping_fini(&index->memory);
	index->buckets = NULL;
}

static enum oc_err
begin_larger(struct status_set *set)
{
	struct index larger;
	enum oc_err err;

	oc_assert(set->before.buckets == NULL);
	if (set->index.num >= UINT32_C(1) << INDEX_BITS_MAX)
		return OC_ERR_LIMIT;
	err = index_new(set->index.num * 2, &larger);
	if (err != OC_OK)
		return err;
	set->before = set->index;
	set->index = larger;
	set->num_moved = 0;
	return OC_OK;
}

/* The smaller one is left as it is: its ways must go on leading. */
static void
move_some(struct status_set *set)
{
	uint32_t i, entry;

	if (set->before.buckets == NULL)
		return;
	for (i = 0; i < MOVE_EACH && set->num_moved < set->before.num; i++) {
		entry = set->before.buckets[set->num_moved++];
		if (entry != 0)
			*bucket_of(set, &set->index, &record_of(set,
			    entry - 1)->serial) = entry;
	}
	if (set->num_moved < set->before.num)
		return;
	index_fini(&set->before);
}

static enum oc_err
add_block(struct status_set *set)
{
	struct oc_mapping *blocks;
	enum oc_err err;

	if (set->num < set->num_blocks * BLOCK_LEN)
		return OC_OK;
	blocks = reallocarray(set->blocks, set->num_blocks + 1,
	    sizeof(*blocks));
	if (blocks == NULL)
		return OC_ERR_NOMEM;
	set->blocks = blocks;
	err = oc_mapping_new(BLOCK_LEN * sizeof(struct status_record),
	    &set->blocks[set->num_blocks]);
	set->num_blocks += err == OC_OK;
	return err;
}

static enum oc_err
add_record(struct status_set *set, const struct oc_serial *serial,
    struct status_record **record)
{
	enum oc_err err = add_block(set);

	if (err == OC_OK && set->num >= set->index.num / 4 * 3)
		err = begin_larger(set);
	if (err != OC_OK)
		return err;
	move_some(set);
	*bucket_of(set, &set->index, serial) = set->num + 1;
	*record = record_of(set, set->num++);
	return OC_OK;
}

enum oc_err
status_set_new(struct status_set **out)
{
	struct status_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return OC_ERR_NOMEM;
	set->num_holders = 1;
	if (index_new(UINT32_C(1) << INDEX_BITS_MIN, &set->index) != OC_OK ||
	    getrandom(&set->seed, sizeof(set->seed), 0) !=
	    (ssize_t)sizeof(set->seed)) {
		status_set_free(set);
		return OC_ERR_NOMEM;
	}
	*out = set;
	return OC_OK;
}

struct status_set *
status_set_hold(struct status_set *set)
{
	set->num_holders++;
	return set;
}

void
status_set_retain(struct status_set *set, int64_t retention_s)
{
	oc_assert(set->num == 0 || set->retention_s == retention_s);
	set->retention_s = retention_s;
}

void
status_set_free(struct status_set *set)
{
	uint32_t i;

	if (set == NULL || --set->num_holders > 0)
		return;
	for (i = 0; i < set->num_blocks; i++)
		oc_mapping_fini(&set->blocks[i]);
	free(set->blocks);
	index_fini(&set->index);
	index_fini(&set->before);
	free(set);
}

enum oc_err
status_set_apply(struct status_set *set, const struct status_change *change)
{
	struct status_record *r;
	enum oc_err err;

	oc_assert(change->serial.len != 0);
	r = find(set, &change->serial);
	if (r == NULL) {
		err = add_record(set, &change->serial, &r);
		if (err != OC_OK)
			return err;
	} else if (change->seq < r->seq) {
		return OC_OK;
	}
	*r = (struct status_record){
		.serial = change->serial,
		.is_revoked = change->is_revoked,
		.reason = change->reason,
		.revoked_at = change->revoked_at,
		.not_after = change->not_after == STATUS_GONE ? STATUS_GONE :
		    change->not_after + set->retention_s,
		.seq = change->seq,
	};
	return OC_OK;
}

const struct status_record *
status_set_find(const struct status_set *set, const struct oc_serial *serial)
{
	return find(set, serial);
}

uint32_t
status_set_num(const struct status_set *set)
{
	return set->num;
}

bool
status_set_walk_part(const struct status_set *set, uint32_t *next,
    uint32_t num, status_set_fn *fn, void *arg)
{
	bool goes_on = true;

	for (; num > 0 && goes_on && *next < set->num; num--)
		goes_on = fn(arg, record_of(set, (*next)++));
	return *next < set->num;
}
