/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots and the index that leads to them.
 *
 * The index is open addressing with linear probing over serials, at most 0.6
 * full, without tombstones: what is removed is closed up by moving entries
 * back.  A reader that passes meanwhile may miss a slot that is there, which
 * costs a question to ocsign-status; it never gets another one, because the
 * key in the slot itself decides.
 */
#include "ocsp/table_private.h"

#include <stdlib.h>

/* A reader tries a slot that is being written this often.  A writer that
 * died left it odd for ever. */
#define LOAD_TRIES 64

static _Atomic uint32_t *
slot_words(const struct ocsp_table *table, uint32_t slot)
{
	return table->slots + (size_t)slot * table->slot_words;
}

static uint32_t
crc_of(const struct ocsp_table *table, const uint32_t words[SLOT_WORDS_MAX])
{
	return ocsp_table_crc32c(words + SLOT_CRC + 1,
	    (table->slot_words - SLOT_CRC - 1) * sizeof(words[0]));
}

/* Lengths, encodings and statuses that ocsp_table_pack() would not write: the
 * CRC was right, but these are what memory and templates are picked by. */
static bool
is_sane(const uint32_t words[SLOT_WORDS_MAX])
{
	uint32_t shape = words[SLOT_SHAPE];

	return (shape & 0xff) <= OC_SERIAL_MAX &&
	    (shape >> 8 & 0xff) < OCSP_ENCODING_MAX &&
	    (shape >> 16 & 0xff) <= OCSP_UNKNOWN;
}

/*
 * The reader's half of a seqlock.  Each word is an acquire load, paired with
 * the writer's release stores: who sees one new word sees the odd sequence
 * number before it.  So no fence is needed, and on x86 nothing but moves.
 */
bool
ocsp_table_load_slot(const struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX])
{
	_Atomic uint32_t *shared = slot_words(table, slot);
	uint32_t i, sequence;
	int tries;

	for (tries = 0; tries < LOAD_TRIES; tries++) {
		sequence = atomic_load_explicit(&shared[SLOT_SEQUENCE],
		    memory_order_acquire);
		if ((sequence & 1) != 0)
			continue;
		for (i = SLOT_CRC; i < table->slot_words; i++)
			words[i] = atomic_load_explicit(&shared[i],
			    memory_order_acquire);
		if (atomic_load_explicit(&shared[SLOT_SEQUENCE],
		    memory_order_relaxed) != sequence)
			continue;
		words[SLOT_SEQUENCE] = sequence;
		return words[SLOT_CRC] == crc_of(table, words) &&
		    is_sane(words);
	}
	return false;
}

/* The writer's half.  A sequence that a dead writer left odd stays so until
 * the end of this. */
void
ocsp_table_store_slot(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX])
{
	_Atomic uint32_t *shared = slot_words(table, slot);
	uint32_t i, sequence;

	sequence = atomic_load_explicit(&shared[SLOT_SEQUENCE],
	    memory_order_relaxed) | 1;
	words[SLOT_CRC] = crc_of(table, words);
	atomic_store_explicit(&shared[SLOT_SEQUENCE], sequence,
	    memory_order_relaxed);
	for (i = SLOT_CRC; i < table->slot_words; i++)
		atomic_store_explicit(&shared[i], words[i],
		    memory_order_release);
	atomic_store_explicit(&shared[SLOT_SEQUENCE], sequence + 1,
	    memory_order_release);
}

bool
ocsp_table_slot_is_live(const uint32_t words[SLOT_WORDS_MAX])
{
	return (words[SLOT_SHAPE] & 0xff) != 0;
}

static bool
pack_time(int64_t at, uint32_t *word)
{
	if (at < 0 || at >= SLOT_TIME_NONE)
		return false;
	*word = (uint32_t)at;
	return true;
}

enum oc_err
ocsp_table_pack(const struct ocsp_table *table, const struct ocsp_slot *slot,
    uint32_t words[SLOT_WORDS_MAX])
{
	struct table_key key = ocsp_table_key_of(&slot->serial, slot->encoding);

	oc_assert(slot->serial.len > 0 && slot->serial.len <= OC_SERIAL_MAX);
	oc_assert(slot->encoding < OCSP_ENCODING_MAX);
	if (slot->signature_len != table->identity.signature_len)
		return OC_ERR_MISMATCH;
	memset(words, 0, table->slot_words * sizeof(words[0]));
	words[SLOT_NEXT] = SLOT_TIME_NONE;
	if (!pack_time(slot->produced_at, &words[SLOT_PRODUCED]) ||
	    !pack_time(slot->this_update, &words[SLOT_THIS]) ||
	    (slot->next_update != OCSP_NO_NEXT_UPDATE &&
	    !pack_time(slot->next_update, &words[SLOT_NEXT])))
		return OC_ERR_LIMIT;
	words[SLOT_SHAPE] = key.shape | (uint32_t)slot->status.kind << 16;
	if (slot->status.kind == OCSP_REVOKED) {
		if (!pack_time(slot->status.revoked_at, &words[SLOT_REVOKED]))
			return OC_ERR_LIMIT;
		words[SLOT_SHAPE] |= (uint32_t)slot->status.reason << 24;
	}
	memcpy(&words[SLOT_SERIAL], key.serial, sizeof(key.serial));
	memcpy(&words[SLOT_SIGNATURE], slot->signature, slot->signature_len);
	return OC_OK;
}

void
ocsp_table_unpack(const struct ocsp_table *table,
    const uint32_t words[SLOT_WORDS_MAX], struct ocsp_slot *slot)
{
	uint32_t shape = words[SLOT_SHAPE];

	memcpy(slot->serial.bytes, &words[SLOT_SERIAL], OC_SERIAL_MAX);
	slot->serial.len = (uint8_t)shape;
	slot->encoding = (uint8_t)(shape >> 8);
	slot->status.kind = (enum ocsp_cert_status)(shape >> 16 & 0xff);
	slot->status.reason = (enum crl_reason)(shape >> 24);
	slot->status.revoked_at = words[SLOT_REVOKED];
	slot->produced_at = words[SLOT_PRODUCED];
	slot->this_update = words[SLOT_THIS];
	slot->next_update = words[SLOT_NEXT] == SLOT_TIME_NONE ?
	    OCSP_NO_NEXT_UPDATE : words[SLOT_NEXT];
	slot->signature_len = table->identity.signature_len;
	memcpy(slot->signature, &words[SLOT_SIGNATURE], slot->signature_len);
}

struct table_key
ocsp_table_key_of(const struct oc_serial *serial, uint8_t encoding)
{
	struct table_key key = { .shape = serial->len |
	    (uint32_t)encoding << 8 };

	memcpy(key.serial, serial->bytes, sizeof(key.serial));
	return key;
}

/* Not over the encoding: what a serial has is found along one way. */
static uint32_t
home_of(const struct ocsp_table *table, const uint32_t serial[5])
{
	uint64_t words[3], hash;

	memcpy(words, serial, 20);
	memset((uint8_t *)words + 20, 0, 4);
	hash = ocsp_table_siphash(table->hash_key, words, 3);
	return (uint32_t)((hash >> 32) * table->num_buckets >> 32);
}

static uint32_t
next_bucket(const struct ocsp_table *table, uint32_t bucket)
{
	return bucket + 1 == table->num_buckets ? 0 : bucket + 1;
}

static bool
has_key(const struct ocsp_table *table, uint32_t slot,
    const struct table_key *key, uint32_t mask)
{
	_Atomic uint32_t *shared = slot_words(table, slot);
	uint32_t i;

	for (i = 0; i < 5; i++)
		if (atomic_load_explicit(&shared[SLOT_SERIAL + i],
		    memory_order_relaxed) != key->serial[i])
			return false;
	return (atomic_load_explicit(&shared[SLOT_SHAPE],
	    memory_order_relaxed) & mask) == (key->shape & mask);
}

/* The next slot on this serial's way that matches; *bucket starts at home
 * and is left behind it. */
static bool
walk_way(const struct ocsp_table *table, const struct table_key *key,
    uint32_t mask, uint32_t *bucket, uint32_t *num_left, uint32_t *slot)
{
	uint32_t entry;

	for (; *num_left > 0; --*num_left) {
		entry = atomic_load_explicit(&table->index[*bucket],
		    memory_order_acquire);
		if (entry == 0)
			return false;
		*bucket = next_bucket(table, *bucket);
		if (entry <= table->num_slots &&
		    has_key(table, entry - 1, key, mask)) {
			--*num_left;
			*slot = entry - 1;
			return true;
		}
	}
	return false;
}

bool
ocsp_table_lookup(const struct ocsp_table *table, const struct table_key *key,
    uint32_t *slot, uint32_t words[SLOT_WORDS_MAX])
{
	uint32_t bucket = home_of(table, key->serial);
	uint32_t num_left = table->num_buckets;

	while (walk_way(table, key, 0xffff, &bucket, &num_left, slot)) {
		/* It may have become another's since. */
		if (ocsp_table_load_slot(table, *slot, words) &&
		    (words[SLOT_SHAPE] & 0xffff) == key->shape &&
		    memcmp(&words[SLOT_SERIAL], key->serial,
		    sizeof(key->serial)) == 0)
			return true;
	}
	return false;
}

bool
ocsp_table_find_slot(const struct ocsp_table *table,
    const struct table_key *key, uint32_t *slot)
{
	uint32_t bucket = home_of(table, key->serial);
	uint32_t num_left = table->num_buckets;

	return walk_way(table, key, 0xffff, &bucket, &num_left, slot);
}

static void
get_serial_words(const struct ocsp_table *table, uint32_t slot,
    uint32_t serial[5])
{
	uint32_t i;

	for (i = 0; i < 5; i++)
		serial[i] = atomic_load_explicit(
		    &slot_words(table, slot)[SLOT_SERIAL + i],
		    memory_order_relaxed);
}

void
ocsp_table_enter(struct ocsp_table *table, uint32_t slot)
{
	uint32_t serial[5], bucket, num_left = table->num_buckets, next = 0;

	get_serial_words(table, slot, serial);
	bucket = home_of(table, serial);
	while (atomic_load_explicit(&table->index[bucket],
	    memory_order_relaxed) != 0) {
		bucket = next_bucket(table, bucket);
		if (--num_left > 0)
			continue;
		/* Never full, unless damaged. */
		num_left = table->num_buckets;
		ocsp_table_sweep_index(table, &next, UINT32_MAX);
	}
	atomic_store_explicit(&table->index[bucket], slot + 1,
	    memory_order_release);
	atomic_fetch_add_explicit(&table->header->num_used, 1,
	    memory_order_relaxed);
}

/* Whether an entry whose home is home, found at bucket, may move back to
 * hole: only if its way leads past the hole. */
static bool
may_move(uint32_t home, uint32_t bucket, uint32_t hole)
{
	if (hole <= bucket)
		return home <= hole || home > bucket;
	return home <= hole && home > bucket;
}

/* Closes the way behind a removed entry.  Each entry is at its new place
 * before it leaves the old one. */
static void
close_up(struct ocsp_table *table, uint32_t hole)
{
	uint32_t bucket = hole, entry, serial[5], num_left;

	for (num_left = table->num_buckets; num_left > 1; num_left--) {
		bucket = next_bucket(table, bucket);
		entry = atomic_load_explicit(&table->index[bucket],
		    memory_order_relaxed);
		if (entry == 0)
			break;
		if (entry > table->num_slots)
			continue;
		get_serial_words(table, entry - 1, serial);
		if (!may_move(home_of(table, serial), bucket, hole))
			continue;
		atomic_store_explicit(&table->index[hole], entry,
		    memory_order_release);
		hole = bucket;
	}
	atomic_store_explicit(&table->index[hole], 0, memory_order_release);
}

void
ocsp_table_free_slot(struct ocsp_table *table, uint32_t slot)
{
	uint32_t words[SLOT_WORDS_MAX] = { 0 };

	words[SLOT_PRODUCED] = atomic_load_explicit(
	    &table->header->first_free, memory_order_relaxed);
	ocsp_table_store_slot(table, slot, words);
	atomic_store_explicit(&table->header->first_free, slot + 1,
	    memory_order_relaxed);
}

/* The slot goes first, and nobody finds it from then on; the index follows. */
void
ocsp_table_remove(struct ocsp_table *table, uint32_t slot)
{
	uint32_t serial[5], bucket, num_left, entry;

	get_serial_words(table, slot, serial);
	bucket = home_of(table, serial);
	ocsp_table_free_slot(table, slot);
	for (num_left = table->num_buckets; num_left > 0; num_left--) {
		entry = atomic_load_explicit(&table->index[bucket],
		    memory_order_relaxed);
		if (entry == 0)
			return;
		if (entry == slot + 1) {
			close_up(table, bucket);
			atomic_fetch_sub_explicit(&table->header->num_used, 1,
			    memory_order_relaxed);
			return;
		}
		bucket = next_bucket(table, bucket);
	}
}

void
ocsp_table_remove_serial(struct ocsp_table *table,
    const struct oc_serial *serial)
{
	struct table_key key = ocsp_table_key_of(serial, 0);
	uint32_t bucket, num_left, slot;

	for (;;) {
		/* Removing moves what comes behind: from the start again. */
		bucket = home_of(table, key.serial);
		num_left = table->num_buckets;
		if (!walk_way(table, &key, 0xff, &bucket, &num_left, &slot))
			return;
		ocsp_table_drop(table, slot);
	}
}

bool
ocsp_table_take_free(struct ocsp_table *table, uint32_t *slot)
{
	struct table_header *header = table->header;
	uint32_t words[SLOT_WORDS_MAX], first, num_touched;

	first = atomic_load_explicit(&header->first_free,
	    memory_order_relaxed);
	if (first != 0) {
		if (first <= table->num_slots &&
		    ocsp_table_load_slot(table, first - 1, words) &&
		    !ocsp_table_slot_is_live(words)) {
			atomic_store_explicit(&header->first_free,
			    words[SLOT_PRODUCED], memory_order_relaxed);
			*slot = first - 1;
			return true;
		}
		/* Damaged: better no list than a wrong one. */
		atomic_store_explicit(&header->first_free, 0,
		    memory_order_relaxed);
	}
	num_touched = atomic_load_explicit(&header->num_touched,
	    memory_order_relaxed);
	if (num_touched >= table->num_slots)
		return false;
	atomic_store_explicit(&header->num_touched, num_touched + 1,
	    memory_order_relaxed);
	*slot = num_touched;
	return true;
}

/* Whether its slot's way leads to this bucket, and to no other before. */
static bool
is_led_to(const struct ocsp_table *table, uint32_t bucket, uint32_t entry)
{
	uint32_t words[SLOT_WORDS_MAX], at, found, num_left;

	if (entry > table->num_slots ||
	    !ocsp_table_load_slot(table, entry - 1, words) ||
	    !ocsp_table_slot_is_live(words))
		return false;
	at = home_of(table, &words[SLOT_SERIAL]);
	for (num_left = table->num_buckets; num_left > 0; num_left--) {
		if (at == bucket)
			return true;
		found = atomic_load_explicit(&table->index[at],
		    memory_order_relaxed);
		if (found == 0 || found == entry)
			return false;
		at = next_bucket(table, at);
	}
	return false;
}

void
ocsp_table_sweep_index(struct ocsp_table *table, uint32_t *next, uint32_t num)
{
	uint32_t entry;

	for (; num > 0 && *next < table->num_buckets; num--) {
		entry = atomic_load_explicit(&table->index[*next],
		    memory_order_relaxed);
		if (entry == 0 || is_led_to(table, *next, entry))
			++*next;
		else
			close_up(table, *next);
	}
}

enum table_found
ocsp_table_look_at(const struct ocsp_table *table, uint32_t slot)
{
	uint32_t words[SLOT_WORDS_MAX], found_words[SLOT_WORDS_MAX], found;
	struct table_key key;

	if (!ocsp_table_load_slot(table, slot, words))
		return TABLE_TORN;
	if (!ocsp_table_slot_is_live(words))
		return TABLE_FREE;
	key.shape = words[SLOT_SHAPE] & 0xffff;
	memcpy(key.serial, &words[SLOT_SERIAL], sizeof(key.serial));
	return ocsp_table_lookup(table, &key, &found, found_words) &&
	    found == slot ? TABLE_GOOD : TABLE_LOST;
}

/* Of two slots with one key, which only a lost write leaves, the older. */
static void
recover_live(struct ocsp_table *table, uint32_t slot,
    const uint32_t words[SLOT_WORDS_MAX])
{
	uint32_t twin, twin_words[SLOT_WORDS_MAX];
	struct table_key key = { .shape = words[SLOT_SHAPE] & 0xffff };

	memcpy(key.serial, &words[SLOT_SERIAL], sizeof(key.serial));
	if (ocsp_table_lookup(table, &key, &twin, twin_words)) {
		if (twin_words[SLOT_PRODUCED] >= words[SLOT_PRODUCED]) {
			ocsp_table_free_slot(table, slot);
			return;
		}
		ocsp_table_remove(table, twin);
	}
	ocsp_table_enter(table, slot);
}

static bool
is_untouched(const struct ocsp_table *table, uint32_t slot)
{
	_Atomic uint32_t *shared = slot_words(table, slot);
	uint32_t i;

	for (i = 0; i < table->slot_words; i++)
		if (atomic_load_explicit(&shared[i],
		    memory_order_relaxed) != 0)
			return false;
	return true;
}

static uint32_t
index_slots(struct ocsp_table *table, uint32_t num_touched)
{
	struct table_header *header = table->header;
	uint32_t words[SLOT_WORDS_MAX], i, num_torn = 0;

	atomic_store(&header->first_free, 0);
	atomic_store(&header->num_used, 0);
	atomic_store(&header->num_touched, num_touched);
	for (i = 0; i < num_touched; i++) {
		if (ocsp_table_load_slot(table, i, words)) {
			if (ocsp_table_slot_is_live(words))
				recover_live(table, i, words);
			else
				ocsp_table_free_slot(table, i);
		} else {
			if (!is_untouched(table, i))
				num_torn++;
			ocsp_table_free_slot(table, i);
		}
	}
	return num_torn;
}

static uint32_t
num_touched_of(const struct ocsp_table *table)
{
	uint32_t num = table->num_slots;

	while (num > 0 && is_untouched(table, num - 1))
		num--;
	return num;
}

/*
 * Readers go on meanwhile: the index is made beside the one that they walk,
 * and then copied over it where it differs, which is nearly nowhere.  Without
 * memory for that it is made in place, and what is asked then is a miss.
 */
uint32_t
ocsp_table_recover(struct ocsp_table *table)
{
	_Atomic uint32_t *shared = table->index;
	_Atomic uint32_t *fresh = calloc(table->num_buckets, sizeof(*fresh));
	uint32_t i, entry, num_torn;

	if (fresh != NULL)
		table->index = fresh;
	else
		for (i = 0; i < table->num_buckets; i++)
			atomic_store_explicit(&shared[i], 0,
			    memory_order_relaxed);
	num_torn = index_slots(table, num_touched_of(table));
	for (i = 0; fresh != NULL && i < table->num_buckets; i++) {
		entry = atomic_load_explicit(&fresh[i], memory_order_relaxed);
		if (entry != atomic_load_explicit(&shared[i],
		    memory_order_relaxed))
			atomic_store_explicit(&shared[i], entry,
			    memory_order_release);
	}
	table->index = shared;
	free((void *)fresh);
	return num_torn;
}
