/* SPDX-License-Identifier: Apache-2.0 */
/* The response table as its users see it: ocsp/table.h. */
#include "ocsp/table.h"

#include "base/clock.h"
#include "ocsp/table_private.h"

const struct ocsp_identity *
ocsp_table_identity(const struct ocsp_table *table)
{
	return &table->identity;
}

uint32_t
ocsp_table_num_used(const struct ocsp_table *table)
{
	return atomic_load_explicit(&table->header->num_used,
	    memory_order_relaxed);
}

bool
ocsp_table_find(const struct ocsp_table *table,
    const struct oc_serial *serial, uint8_t encoding, struct ocsp_slot *slot)
{
	struct table_key key = ocsp_table_key_of(serial, encoding);
	uint32_t words[SLOT_WORDS_MAX], number;

	if (!ocsp_table_lookup(table, &key, &number, words))
		return false;
	ocsp_table_unpack(table, words, slot);
	return true;
}

static bool
has_flag(const struct ocsp_table *table, enum table_flag flag)
{
	return (atomic_load_explicit(&table->header->flags,
	    memory_order_acquire) & flag) != 0;
}

bool
ocsp_table_is_retired(const struct ocsp_table *table)
{
	return has_flag(table, TABLE_RETIRED);
}

void
ocsp_table_set_run(struct ocsp_table *table, uint64_t run)
{
	table->run = run;
}

bool
ocsp_table_was_ready(const struct ocsp_table *table)
{
	return has_flag(table, TABLE_READY);
}

bool
ocsp_table_is_ready(const struct ocsp_table *table)
{
	return has_flag(table, TABLE_READY) &&
	    atomic_load_explicit(&table->header->ready_run,
	    memory_order_acquire) == table->run;
}

void
ocsp_table_set_ready(struct ocsp_table *table, bool is_ready)
{
	if (!is_ready) {
		atomic_fetch_and(&table->header->flags,
		    ~(uint32_t)TABLE_READY);
		return;
	}
	atomic_store(&table->header->ready_run, table->run);
	atomic_fetch_or(&table->header->flags, TABLE_READY);
}

int64_t
ocsp_table_seq(const struct ocsp_table *table)
{
	return (int64_t)atomic_load(&table->header->seq);
}

void
ocsp_table_set_seq(struct ocsp_table *table, int64_t seq)
{
	atomic_store(&table->header->seq, (uint64_t)seq);
}

/* Growing pays only if going through all slots finds few of no use. */
static enum oc_err
make_room(struct ocsp_table *table)
{
	uint32_t num_freed = ocsp_table_reclaim(table, oc_clock_now_s());
	enum oc_err err;

	if (num_freed > table->num_slots / 16)
		return OC_OK;
	err = ocsp_table_grow(table, (uint64_t)table->num_slots * 3 / 2);
	return num_freed > 0 ? OC_OK : err;
}

enum oc_err
ocsp_table_put(struct ocsp_table *table, const struct ocsp_slot *slot)
{
	struct table_key key = ocsp_table_key_of(&slot->serial, slot->encoding);
	uint32_t words[SLOT_WORDS_MAX], number;
	enum oc_err err;

	oc_assert(table->lock_fd >= 0);
	err = ocsp_table_pack(table, slot, words);
	if (err != OC_OK)
		return err;
	if (ocsp_table_find_slot(table, &key, &number)) {
		ocsp_table_store_slot(table, number, words);
		return OC_OK;
	}
	if (!ocsp_table_take_free(table, &number)) {
		err = make_room(table);
		if (err != OC_OK)
			return err;
		if (!ocsp_table_take_free(table, &number))
			return OC_ERR_INTERNAL;
	}
	ocsp_table_store_slot(table, number, words);
	ocsp_table_enter(table, number);
	return OC_OK;
}

void
ocsp_table_withdraw(struct ocsp_table *table, const struct oc_serial *serial)
{
	oc_assert(table->lock_fd >= 0);
	ocsp_table_remove_serial(table, serial);
}

void
ocsp_table_walk(const struct ocsp_table *table, ocsp_table_fn *fn, void *arg)
{
	uint32_t words[SLOT_WORDS_MAX], i;
	struct ocsp_slot slot;

	for (i = 0; i < table->num_slots; i++) {
		if (i >= atomic_load_explicit(&table->header->num_touched,
		    memory_order_relaxed))
			return;
		if (!ocsp_table_load_slot(table, i, words) ||
		    !ocsp_table_slot_is_live(words))
			continue;
		ocsp_table_unpack(table, words, &slot);
		if (!fn(arg, &slot))
			return;
	}
}

enum ocsp_table_walked
ocsp_table_walk_part(const struct ocsp_table *table,
    struct ocsp_table_place *place, uint32_t num, ocsp_table_fn *fn,
    void *arg)
{
	uint32_t words[SLOT_WORDS_MAX], num_touched;
	struct ocsp_slot slot;

	oc_assert(table->lock_fd >= 0);
	if (place->next == 0)
		place->num_slots = table->num_slots;
	else if (place->num_slots != table->num_slots)
		return OCSP_TABLE_GREW;
	num_touched = atomic_load_explicit(&table->header->num_touched,
	    memory_order_relaxed);
	for (; num > 0 && place->next < num_touched; num--, place->next++) {
		if (!ocsp_table_load_slot(table, place->next, words) ||
		    !ocsp_table_slot_is_live(words))
			continue;
		ocsp_table_unpack(table, words, &slot);
		if (!fn(arg, &slot))
			return OCSP_TABLE_END;
	}
	return place->next < num_touched ? OCSP_TABLE_MORE : OCSP_TABLE_END;
}

static void
verify_slot(const struct ocsp_table *table, uint32_t number,
    struct ocsp_table_report *report)
{
	uint32_t words[SLOT_WORDS_MAX], found_words[SLOT_WORDS_MAX], found;
	struct table_key key;

	if (!ocsp_table_load_slot(table, number, words)) {
		report->num_torn++;
		return;
	}
	if (!ocsp_table_slot_is_live(words))
		return;
	key.shape = words[SLOT_SHAPE] & 0xffff;
	memcpy(key.serial, &words[SLOT_SERIAL], sizeof(key.serial));
	if (ocsp_table_lookup(table, &key, &found, found_words) &&
	    found == number)
		report->num_good++;
	else
		report->num_lost++;
}

enum oc_err
ocsp_table_verify(const struct ocsp_table *table,
    struct ocsp_table_report *report)
{
	struct ocsp_table_report counts = { 0 };
	uint32_t i, num_touched;

	if (ocsp_table_check_header(table->header, table->map_len) != NULL)
		return OC_ERR_MALFORMED;
	num_touched = atomic_load(&table->header->num_touched);
	if (num_touched > table->num_slots)
		return OC_ERR_MALFORMED;
	for (i = 0; i < num_touched; i++)
		verify_slot(table, i, &counts);
	*report = counts;
	return OC_OK;
}
