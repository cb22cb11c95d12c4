/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes through a whole table, a part at a time, while it is written and
 * read: looking for slots that are of no use, mending it, making it larger.
 *
 *	STEADY -> SLOTS -> [INDEX] -> STEADY
 *	                -> ALLOCATING -> MOVING -> FLUSHING -> STEADY
 *
 * SLOTS frees what is damaged or not to be found, and, for room, what is past
 * its nextUpdate when something was put last, and counts; INDEX, of a table
 * that may be damaged, takes out what leads nowhere.  If that makes too little
 * room, a larger file is made beside: its blocks are allocated, each slot is
 * copied to the place it had, and from then on what is written to one is
 * written to the other (free slots, too: the two lists of them are one).  A
 * thread makes it durable, and then it gets the name; the old one's header says
 * RETIRED.  Until then the old file is whole and the table: whoever dies, or
 * finds the disk full, leaves it so.
 *
 * Each put that takes a new slot does its share, so that all is over before
 * the last slot is taken; ocsp_table_tend() does the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ocsp/table_private.h"

/* Slots of this many are left when it begins. */
#define BEGIN_PART 64
/* The parts of those that are left when looking, and moving, is over. */
#define LOOKED_PART 2
#define MOVED_PART 4
/* Of all, so many must be free after looking, or it grows. */
#define ENOUGH_PART 16
/* Octets that are allocated in the time that a slot is copied in, also where
 * that means to write zeros; and what is worth a call. */
#define ALLOCATE_EACH 1024
#define ALLOCATE_MIN (UINT64_C(1) << 20)
/* After a failure, if there is still room: when to try again; and for so long
 * after a look there is no other. */
#define RETRY_NS (60 * OC_NS_PER_S)
#define SYNC_NS (60 * OC_NS_PER_S)

static uint32_t
num_touched(const struct ocsp_table *table)
{
	uint32_t num = atomic_load_explicit(&table->header->num_touched,
	    memory_order_relaxed);

	return num < table->num_slots ? num : table->num_slots;
}

static uint32_t
num_free(const struct ocsp_table *table)
{
	uint32_t num_used = ocsp_table_num_used(table);

	return num_used < table->num_slots ? table->num_slots - num_used : 0;
}

/* --- what is written meanwhile ----------------------------------------- */

/* The larger file has it, too. */
static bool
is_moved(const struct ocsp_table *table, uint32_t slot)
{
	const struct table_growth *g = &table->growth;

	return (g->phase == TABLE_MOVING && slot < g->next) ||
	    g->phase == TABLE_FLUSHING;
}

static bool
is_counted(const struct ocsp_table *table, uint32_t slot)
{
	return table->growth.phase == TABLE_SLOTS &&
	    slot < table->growth.next;
}

void
ocsp_table_replace(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX])
{
	ocsp_table_store_slot(table, slot, words);
	if (is_moved(table, slot))
		ocsp_table_store_slot(table->growth.larger, slot, words);
}

void
ocsp_table_add(struct ocsp_table *table, uint32_t slot,
    uint32_t words[SLOT_WORDS_MAX])
{
	ocsp_table_store_slot(table, slot, words);
	ocsp_table_enter(table, slot);
	table->growth.num_live += is_counted(table, slot);
	if (!is_moved(table, slot))
		return;
	ocsp_table_store_slot(table->growth.larger, slot, words);
	ocsp_table_enter(table->growth.larger, slot);
}

void
ocsp_table_drop(struct ocsp_table *table, uint32_t slot)
{
	uint32_t words[SLOT_WORDS_MAX];

	ocsp_table_remove(table, slot);
	table->growth.num_live -= is_counted(table, slot);
	if (!is_moved(table, slot))
		return;
	ocsp_table_remove(table->growth.larger, slot);
	if (ocsp_table_load_slot(table, slot, words))
		ocsp_table_store_slot(table->growth.larger, slot, words);
}

/* --- looking ----------------------------------------------------------- */

static void
begin_looking(struct ocsp_table *table)
{
	struct table_growth *g = &table->growth;

	g->phase = TABLE_SLOTS;
	g->next = g->num_live = 0;
	g->is_mending = table->is_damaged;
	table->is_damaged = false;
}

static void
look_at(struct ocsp_table *table, uint32_t slot)
{
	uint32_t words[SLOT_WORDS_MAX];

	switch (ocsp_table_look_at(table, slot)) {
	case TABLE_FREE:
		return;
	case TABLE_TORN:
	case TABLE_LOST:
		ocsp_table_free_slot(table, slot);
		table->growth.num_dropped++;
		table->growth.is_mending = true;
		return;
	case TABLE_GOOD:
		break;
	}
	if (table->growth.is_for_room &&
	    ocsp_table_load_slot(table, slot, words) &&
	    words[SLOT_NEXT] != SLOT_TIME_NONE &&
	    words[SLOT_NEXT] < table->put_at) {
		ocsp_table_remove(table, slot);
		table->has_freed = true;
	} else {
		table->growth.num_live++;
	}
}

static void
look_at_slots(struct ocsp_table *table, uint32_t num)
{
	struct table_growth *g = &table->growth;

	for (; num > 0 && g->next < num_touched(table); num--)
		look_at(table, g->next++);
	if (g->next < num_touched(table))
		return;
	atomic_store_explicit(&table->header->num_used, g->num_live,
	    memory_order_relaxed);
	if (g->is_for_room)
		g->looked_ns = oc_clock_mono_ns();
	g->next = 0;
	g->phase = g->is_mending ? TABLE_INDEX : TABLE_STEADY;
}

static void
look_at_index(struct ocsp_table *table, uint32_t num)
{
	struct table_growth *g = &table->growth;

	ocsp_table_sweep_index(table, &g->next, num);
	if (g->next == table->num_buckets)
		g->phase = TABLE_STEADY;
}

/* --- the larger file --------------------------------------------------- */

static enum oc_err
give_up(struct ocsp_table *table, const char *what)
{
	struct table_growth *g = &table->growth;
	struct oc_error error = { 0 };
	int why = errno;
	enum oc_err err = ocsp_table_fail(&error, what, g->larger->path);

	(void)unlink(g->larger->path);
	ocsp_table_free(g->larger);
	g->larger = NULL;
	g->phase = TABLE_STEADY;
	g->failed_ns = oc_clock_mono_ns();
	if (!g->has_said)
		oc_log(OC_LOG_ERROR, "%s: the table has room for %u more "
		    "responses; make room in its directory", error.text,
		    (unsigned)num_free(table));
	g->has_said = true;
	errno = why;
	return err;
}

static enum oc_err
begin_growing(struct ocsp_table *table, uint64_t num_slots)
{
	struct table_growth *g = &table->growth;
	struct table_header header;
	char *name;
	enum oc_err err;

	if (num_slots > TABLE_SLOTS_MAX)
		return OC_ERR_LIMIT;
	name = ocsp_table_beside(table->path, ".new");
	g->larger = name == NULL ? NULL : ocsp_table_alloc(name);
	free(name);
	if (g->larger == NULL)
		return OC_ERR_NOMEM;
	err = ocsp_table_plan(&table->identity, table->store_id,
	    (uint32_t)num_slots, &header);
	if (err != OC_OK) {
		ocsp_table_free(g->larger);
		g->larger = NULL;
		return err;
	}
	g->phase = TABLE_ALLOCATING;
	g->num_allocated = 0;
	g->len = ocsp_table_file_len_for(&header);
	g->larger->fd = ocsp_table_make_file(g->larger->path, &header);
	return g->larger->fd < 0 ? give_up(table, "make") : OC_OK;
}

static enum oc_err
allocate(struct ocsp_table *table, uint32_t num)
{
	struct table_growth *g = &table->growth;
	uint64_t part = (uint64_t)num * ALLOCATE_EACH;
	struct table_header header;
	const char *trouble;

	if (part < ALLOCATE_MIN)
		part = ALLOCATE_MIN;
	if (part > g->len - g->num_allocated)
		part = g->len - g->num_allocated;
	errno = ocsp_table_allocate(g->larger->fd, g->num_allocated, part);
	if (errno != 0)
		return give_up(table, "allocate");
	g->num_allocated += part;
	if (g->num_allocated < g->len)
		return OC_OK;
	trouble = ocsp_table_read_header(g->larger->fd, &header);
	if (trouble != NULL || ocsp_table_map_file(g->larger, g->larger->fd,
	    &header, TABLE_READ_WRITE, NULL) != OC_OK)
		return give_up(table, "map");
	g->phase = TABLE_MOVING;
	g->next = 0;
	return OC_OK;
}

static void
move_slot(struct ocsp_table *table, uint32_t slot)
{
	struct ocsp_table *larger = table->growth.larger;
	uint32_t words[SLOT_WORDS_MAX];
	enum table_found found = ocsp_table_look_at(table, slot);

	if (found == TABLE_TORN || found == TABLE_LOST) {
		ocsp_table_free_slot(table, slot);
		table->growth.num_dropped++;
	}
	if (!ocsp_table_load_slot(table, slot, words))
		return;
	ocsp_table_store_slot(larger, slot, words);
	if (ocsp_table_slot_is_live(words))
		ocsp_table_enter(larger, slot);
}

/* All of it that changes beside slots and index. */
static void
copy_header(const struct ocsp_table *table, struct ocsp_table *larger)
{
	const struct table_header *from = table->header;
	struct table_header *to = larger->header;

	atomic_store(&to->first_free, atomic_load(&from->first_free));
	atomic_store(&to->num_touched, num_touched(table));
	atomic_store(&to->seq, atomic_load(&from->seq));
	atomic_store(&to->ready_run, atomic_load(&from->ready_run));
	if (ocsp_table_was_ready(table))
		atomic_fetch_or(&to->flags, TABLE_READY);
	else
		atomic_fetch_and(&to->flags, ~(uint32_t)TABLE_READY);
}

static void
move_slots(struct ocsp_table *table, uint32_t num)
{
	struct table_growth *g = &table->growth;

	for (; num > 0 && g->next < num_touched(table); num--)
		move_slot(table, g->next++);
	if (g->next < num_touched(table))
		return;
	/* What is named has this much of it on the disk. */
	copy_header(table, g->larger);
	atomic_store(&g->larger->header->durable_seq,
	    atomic_load(&g->larger->header->seq));
	g->phase = TABLE_FLUSHING;
	ocsp_table_flush_begin(&g->flush, g->larger->fd);
}

/* The new map takes the old one's place in the same struct. */
static void
swap_in(struct ocsp_table *table)
{
	struct ocsp_table *larger = table->growth.larger, old = *table;

	*table = *larger;
	table->path = old.path;
	table->lock_fd = old.lock_fd;
	table->run = old.run;
	table->is_damaged = old.is_damaged;
	table->put_at = old.put_at;
	table->has_freed = old.has_freed;
	table->growth.num_wanted = old.growth.num_wanted;
	table->growth.num_dropped = old.growth.num_dropped;
	ocsp_table_unmap(&old);
	free(larger->path);
	free(larger);
}

/*
 * The old file is RETIRED before the new one has its name: should we die in
 * between, the old one is still found, and taken over, by the next writer.
 * Losing the new name would only cost signatures: it is not waited for.
 */
static enum oc_err
finish(struct ocsp_table *table)
{
	struct table_growth *g = &table->growth;

	errno = ocsp_table_flush_end(&g->flush);
	if (errno != 0)
		return give_up(table, "write");
	(void)ocsp_table_flush_end(&g->sync);
	copy_header(table, g->larger);
	atomic_fetch_or(&table->header->flags, TABLE_RETIRED);
	if (rename(g->larger->path, table->path) < 0) {
		atomic_fetch_and(&table->header->flags,
		    ~(uint32_t)TABLE_RETIRED);
		return give_up(table, "rename");
	}
	swap_in(table);
	/* What takes no time is not worth a line. */
	if (table->num_slots > TABLE_LARGE)
		oc_log(OC_LOG_INFO, "the response table %s has room for %u "
		    "responses now, %u are in it", table->path,
		    (unsigned)table->num_slots,
		    (unsigned)ocsp_table_num_used(table));
	return OC_OK;
}

/* --- driving it -------------------------------------------------------- */

static uint64_t
next_size(const struct ocsp_table *table)
{
	uint32_t n = table->num_slots;
	uint64_t size = (uint64_t)n + n / (n < TABLE_LARGE ? 2 : 8);

	return size > table->growth.num_wanted ? size :
	    table->growth.num_wanted;
}

static bool
is_recent(int64_t at_ns)
{
	return at_ns != 0 && oc_clock_mono_ns() - at_ns < RETRY_NS;
}

/* What, if anything, is to be begun. */
static enum oc_err
begin(struct ocsp_table *table, bool is_full)
{
	struct table_growth *g = &table->growth;
	bool has_looked = g->is_for_room;
	bool is_low = num_free(table) <= table->num_slots /
	    (has_looked ? ENOUGH_PART : BEGIN_PART) + 1;

	g->is_for_room = false;
	if (table->is_damaged) {
		begin_looking(table);
		return OC_OK;
	}
	if (!is_full && (table->is_older || is_recent(g->failed_ns)))
		return OC_OK;
	if (table->num_slots < g->num_wanted)
		return begin_growing(table, g->num_wanted);
	if (g->is_renewing)
		return begin_growing(table, table->num_slots);
	if (!is_full && !is_low)
		return OC_OK;
	if (has_looked || is_recent(g->looked_ns))
		return begin_growing(table, next_size(table));
	begin_looking(table);
	g->is_for_room = true;
	return OC_OK;
}

/* Both that wait for the disk have come back: ending them takes no time. */
static bool
is_flushed(const struct table_growth *g)
{
	return ocsp_table_flush_is_done(&g->flush) &&
	    (!g->sync.is_under_way || ocsp_table_flush_is_done(&g->sync));
}

static enum oc_err
step(struct ocsp_table *table, uint32_t num, bool is_full)
{
	struct table_growth *g = &table->growth;

	switch (g->phase) {
	case TABLE_STEADY:
		return begin(table, is_full);
	case TABLE_SLOTS:
		look_at_slots(table, num);
		break;
	case TABLE_INDEX:
		look_at_index(table, num);
		break;
	case TABLE_ALLOCATING:
		return allocate(table, num);
	case TABLE_MOVING:
		move_slots(table, num);
		return OC_OK;
	case TABLE_FLUSHING:
		return is_full || is_flushed(g) ? finish(table) : OC_OK;
	}
	return g->phase == TABLE_STEADY ? begin(table, is_full) : OC_OK;
}

/* Of what is left to do, what one put of a new slot has to do. */
static uint32_t
share_of(const struct ocsp_table *table)
{
	const struct table_growth *g = &table->growth;
	uint32_t low = table->num_slots / BEGIN_PART, room = num_free(table);
	uint64_t left = num_touched(table);

	switch (g->phase) {
	case TABLE_STEADY:
	case TABLE_FLUSHING:
		return 0;
	case TABLE_SLOTS:
		low /= LOOKED_PART;
		left -= g->next;
		break;
	case TABLE_INDEX:
		low /= LOOKED_PART;
		left = table->num_buckets - g->next;
		break;
	case TABLE_ALLOCATING:
		low /= MOVED_PART;
		left += (g->len - g->num_allocated) / ALLOCATE_EACH;
		break;
	case TABLE_MOVING:
		low /= MOVED_PART;
		left -= g->next;
		break;
	}
	return (uint32_t)(left / (room > low ? room - low : 1) + 1);
}

enum oc_err
ocsp_table_take_slot(struct ocsp_table *table, uint32_t *slot)
{
	enum oc_err err;

	/* What fails while there is room matters later. */
	(void)!step(table, share_of(table), false);
	while (!ocsp_table_take_free(table, slot)) {
		err = step(table, UINT32_MAX, true);
		/* It may have found a few, and then no room for more. */
		if (err != OC_OK)
			return ocsp_table_take_free(table, slot) ? OC_OK :
			    err;
	}
	return OC_OK;
}

/* So that after a power cut little has to be applied again. */
static void
sync_now_and_then(struct ocsp_table *table)
{
	struct table_growth *g = &table->growth;
	uint64_t seq = atomic_load(&table->header->seq);
	int64_t now_ns = oc_clock_mono_ns();

	if (ocsp_table_flush_is_done(&g->sync) &&
	    ocsp_table_flush_end(&g->sync) == 0)
		atomic_store(&table->header->durable_seq, g->sync_seq);
	if (g->synced_ns == 0)
		g->synced_ns = now_ns;
	if (g->sync.is_under_way || g->phase == TABLE_FLUSHING ||
	    now_ns - g->synced_ns < SYNC_NS ||
	    seq == atomic_load(&table->header->durable_seq))
		return;
	g->synced_ns = now_ns;
	g->sync_seq = seq;
	ocsp_table_flush_begin(&g->sync, table->fd);
}

uint32_t
ocsp_table_tend(struct ocsp_table *table, uint32_t num_slots)
{
	struct table_growth *g = &table->growth;
	uint32_t num_dropped;

	oc_assert(table->lock_fd >= 0);
	(void)!step(table, num_slots, false);
	sync_now_and_then(table);
	if (g->phase == TABLE_SLOTS || g->phase == TABLE_INDEX)
		return 0;
	num_dropped = g->num_dropped;
	g->num_dropped = 0;
	return num_dropped;
}

bool
ocsp_table_has_freed(struct ocsp_table *table)
{
	bool has_freed = table->has_freed;

	table->has_freed = false;
	return has_freed;
}

bool
ocsp_table_is_tending(const struct ocsp_table *table)
{
	return table->growth.phase != TABLE_STEADY;
}

enum oc_err
ocsp_table_grow(struct ocsp_table *table, uint64_t num_slots)
{
	enum oc_err err;

	oc_assert(table->growth.phase == TABLE_STEADY);
	err = begin_growing(table, num_slots);
	while (err == OC_OK && table->growth.phase != TABLE_STEADY)
		err = step(table, UINT32_MAX, true);
	return err;
}

/* Some above, for what is issued next and for other encodings. */
enum oc_err
ocsp_table_reserve(struct ocsp_table *table, uint32_t num_slots)
{
	struct table_growth *g = &table->growth;
	uint64_t num = (uint64_t)num_slots + num_slots / 32;

	oc_assert(table->lock_fd >= 0);
	if (num_slots <= table->num_slots)
		return OC_OK;
	if (num > TABLE_SLOTS_MAX)
		return OC_ERR_LIMIT;
	g->num_wanted = (uint32_t)num;
	if (g->phase == TABLE_STEADY && num_touched(table) <= TABLE_LARGE)
		return ocsp_table_grow(table, num);
	return OC_OK;
}

void
ocsp_table_stop_growing(struct ocsp_table *table)
{
	struct table_growth *g = &table->growth;

	(void)ocsp_table_flush_end(&g->flush);
	(void)ocsp_table_flush_end(&g->sync);
	if (g->larger != NULL) {
		(void)unlink(g->larger->path);
		ocsp_table_free(g->larger);
	}
	*g = (struct table_growth){ .phase = TABLE_STEADY };
}
