/* SPDX-License-Identifier: Apache-2.0 */
/* The response table as its users see it: ocsp/table.h. */
#include "ocsp/table.h"

#include <sys/mman.h>
#include <unistd.h>

#include "ocsp/table_private.h"

/* A multiple of every page's size. */
#define PREFETCH_LEN ((uint64_t)4 * 1024 * 1024)

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
	slot->number = number;
	return true;
}

bool
ocsp_table_get(const struct ocsp_table *table, uint32_t number,
    struct ocsp_slot *slot)
{
	uint32_t words[SLOT_WORDS_MAX];

	if (number >= table->num_slots ||
	    !ocsp_table_load_slot(table, number, words) ||
	    !ocsp_table_slot_is_live(words))
		return false;
	ocsp_table_unpack(table, words, slot);
	slot->number = number;
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
		ocsp_table_replace(table, number, words);
		return OC_OK;
	}
	table->put_at = slot->produced_at;
	err = ocsp_table_take_slot(table, &number);
	if (err != OC_OK)
		return err;
	ocsp_table_add(table, number, words);
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
	struct ocsp_slot slot;
	uint32_t i;

	for (i = 0; i < table->num_slots; i++) {
		if (i >= atomic_load_explicit(&table->header->num_touched,
		    memory_order_relaxed))
			return;
		if (ocsp_table_get(table, i, &slot) && !fn(arg, &slot))
			return;
	}
}

bool
ocsp_table_prefetch(const struct ocsp_table *table, uint64_t *at)
{
	long num_pages = sysconf(_SC_PHYS_PAGES);
	uint64_t len;

	if (*at >= table->map_len || num_pages <= 0 || table->map_len >
	    (uint64_t)num_pages * (uint64_t)sysconf(_SC_PAGESIZE) / 2)
		return false;
	len = table->map_len - *at;
	if (len > PREFETCH_LEN)
		len = PREFETCH_LEN;
	(void)madvise(table->map + *at, len, MADV_WILLNEED);
	*at += len;
	return *at < table->map_len;
}

bool
ocsp_table_walk_part(struct ocsp_table *table, uint32_t *next, uint32_t num,
    ocsp_table_fn *fn, void *arg)
{
	uint32_t num_touched = atomic_load_explicit(
	    &table->header->num_touched, memory_order_relaxed);
	enum table_found found;
	struct ocsp_slot slot;

	oc_assert(table->lock_fd >= 0);
	for (; num > 0 && *next < num_touched; num--, ++*next) {
		found = ocsp_table_look_at(table, *next);
		table->is_damaged |= found == TABLE_TORN ||
		    found == TABLE_LOST;
		if (found == TABLE_GOOD &&
		    ocsp_table_get(table, *next, &slot) && !fn(arg, &slot))
			return false;
	}
	return *next < num_touched;
}
