/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table when it is full: what is of no use makes room, then it
 * grows, and where it cannot, all stays as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "ocsp/table.h"
#include "ocsp/table_private.h"
#include "tests/unit/ocsp_table_test.h"

/* What is past its nextUpdate makes room before the file grows. */
static void
expired_ones_make_room(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot, found;
	uint64_t n;

	for (n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		slot.produced_at = oc_clock_now_s();
		if (n <= 10)
			slot.next_update = slot.produced_at - 1;
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(1000, 0, n);
	slot.produced_at = oc_clock_now_s();
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_int_equal(ocsp_table_num_used(table), TABLE_SLOTS_MIN - 9);
	assert_true(ocsp_table_has_freed(table));
	assert_false(ocsp_table_has_freed(table));
	for (n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_find(table, &slot.serial, 0,
		    &found), n > 10);
	}
	ocsp_table_close(table);
}

/* By the time of who signs: the machine's clock may have jumped ahead. */
static void
valid_ones_make_none(void **state)
{
	struct ocsp_table *table = make_table(*state);
	int64_t then = oc_clock_now_s() - 86400;
	struct ocsp_slot slot, found;
	uint64_t n;

	for (n = 1; n <= TABLE_SLOTS_MIN + 1; n++) {
		slot = slot_of(n, 0, n);
		slot.produced_at = then;
		if (n <= 10)
			slot.next_update = then + n % 2;
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_true(table->num_slots > TABLE_SLOTS_MIN);
	assert_int_equal(ocsp_table_num_used(table), TABLE_SLOTS_MIN + 1);
	assert_false(ocsp_table_has_freed(table));
	for (n = 1; n <= TABLE_SLOTS_MIN + 1; n++) {
		slot = slot_of(n, 0, n);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	}
	ocsp_table_close(table);
}

/* A slot that turns out to be damaged when it is to be moved is told of, also
 * if puts alone brought the table so far. */
static void
damaged_while_moved(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot;
	uint64_t n;

	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	table->growth.num_wanted = 200;
	while (table->growth.phase != TABLE_MOVING)
		assert_int_equal(ocsp_table_tend(table, 1), 0);
	atomic_fetch_add(&table->slots[39 * table->slot_words + SLOT_THIS],
	    1);
	for (; table->num_slots == TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_int_equal(ocsp_table_num_used(table), n - 2);
	assert_int_equal(ocsp_table_tend(table, 1), 1);
	assert_int_equal(ocsp_table_tend(table, 1), 0);
	ocsp_table_close(table);
}

/* What another key has signed is only taken away from: however full it is, it
 * needs no more room. */
static void
older_does_not_grow(void **state)
{
	struct ocsp_identity other = test_identity();
	struct ocsp_table *table = make_table(*state), *older;
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	ocsp_table_close(table);
	other.responder_key_hash[0]++;
	assert_int_equal(ocsp_table_create(*state, &other, test_store_id, 1,
	    &table, NULL), OC_OK);
	assert_int_equal(ocsp_table_take_older(*state, &other, test_store_id,
	    &older, NULL), OC_OK);
	assert_non_null(older);
	assert_int_equal(ocsp_table_num_used(older), TABLE_SLOTS_MIN);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ocsp_table_tend(older, 1000), 0);
		assert_false(ocsp_table_is_tending(older));
	}
	assert_int_equal(older->num_slots, TABLE_SLOTS_MIN);
	ocsp_table_discard(older);
	ocsp_table_close(table);
}

static void
growing(void **state)
{
	struct ocsp_table *table = make_table(*state), *reader;
	struct ocsp_table_report report;
	struct ocsp_slot slot, found;
	uint64_t n, num_reopened = 0;

	ocsp_table_set_seq(table, 42);
	ocsp_table_set_ready(table, true);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	for (n = 1; n <= 5000; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		if (!ocsp_table_is_retired(reader))
			continue;
		num_reopened++;
		ocsp_table_close(reader);
		assert_int_equal(ocsp_table_open(*state, &reader, NULL),
		    OC_OK);
		assert_true(ocsp_table_is_ready(reader));
		assert_int_equal(ocsp_table_seq(reader), 42);
	}
	/* 64 * 1.5^11 > 5000 */
	assert_int_equal(num_reopened, 11);
	for (n = 1; n <= 5000; n++) {
		slot = slot_of(n, 0, n);
		assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
		assert_slot_equal(&found, &slot);
	}
	assert_int_equal(ocsp_table_verify(reader, &report), OC_OK);
	assert_int_equal(report.num_good, 5000);
	assert_int_equal(report.num_lost + report.num_torn, 0);
	ocsp_table_close(reader);
	ocsp_table_close(table);
}

static bool
count_walked(void *arg, const struct ocsp_slot *slot)
{
	(void)slot;
	++*(int *)arg;
	return true;
}

static void
walk_in_parts(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot;
	uint32_t num_slots = table->num_slots, next = 0;
	int num = 0;
	uint64_t n;

	assert_false(ocsp_table_walk_part(table, &next, 5, count_walked,
	    &num));
	for (n = 1; n <= 12; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(3, 0, 3);
	ocsp_table_withdraw(table, &slot.serial);
	next = 0;
	assert_true(ocsp_table_walk_part(table, &next, 5, count_walked, &num));
	assert_int_equal(num, 4);
	assert_true(ocsp_table_walk_part(table, &next, 5, count_walked, &num));
	assert_int_equal(num, 9);
	assert_false(ocsp_table_walk_part(table, &next, 5, count_walked,
	    &num));
	assert_int_equal(num, 11);
	/* In between it grows: nobody is met twice, nobody is left out. */
	next = 0;
	num = 0;
	assert_true(ocsp_table_walk_part(table, &next, 5, count_walked, &num));
	for (; table->num_slots == num_slots; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	assert_false(ocsp_table_walk_part(table, &next, 1000, count_walked,
	    &num));
	/* The place of the third was behind us when it was taken again. */
	assert_int_equal(num, ocsp_table_num_used(table) - 1);
	ocsp_table_close(table);
}

/* Its number leads to a slot until that is withdrawn, however it grows. */
static void
slots_keep_their_numbers(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct ocsp_slot slot, found;
	uint32_t numbers[41], num_slots = table->num_slots;
	uint64_t n;

	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
		numbers[n] = found.number;
	}
	slot = slot_of(7, 0, 7);
	ocsp_table_withdraw(table, &slot.serial);
	assert_false(ocsp_table_get(table, numbers[7], &found));
	assert_int_equal(ocsp_table_reserve(table, num_slots), OC_OK);
	assert_int_equal(table->num_slots, num_slots);
	assert_int_equal(ocsp_table_reserve(table, 1600), OC_OK);
	assert_int_equal(table->num_slots, 1650);
	assert_int_equal(ocsp_table_num_used(table), 39);
	for (n = 1; n <= 40; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_get(table, numbers[n], &found),
		    n != 7);
		if (n == 7)
			continue;
		assert_slot_equal(&found, &slot);
		assert_int_equal(found.number, numbers[n]);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
		assert_int_equal(found.number, numbers[n]);
	}
	/* What was free stays so. */
	slot = slot_of(1000, 0, 1);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_true(ocsp_table_get(table, numbers[7], &found));
	assert_slot_equal(&found, &slot);
	assert_false(ocsp_table_get(table, 41, &found));
	assert_false(ocsp_table_get(table, UINT32_MAX, &found));
	ocsp_table_close(table);
}

/* The disk is full: an error, nothing changed, and no signal. */
static void
full_disk(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct rlimit limit, small;
	struct ocsp_slot slot, found;
	char name[TEST_PATH_MAX];
	struct oc_error error = { 0 };
	uint64_t n;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = table->map_len + 512;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(n, 0, n);
	assert_int_equal(ocsp_table_put(table, &slot), OC_ERR_NO_SPACE);
	assert_false(ocsp_table_is_retired(table));
	(void)snprintf(name, sizeof(name), "%s.new", (const char *)*state);
	assert_int_equal(access(name, F_OK), -1);
	for (n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	}
	/* Replacing needs no room; and a withdrawn one's is taken. */
	slot = slot_of(5, 0, 1234);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	ocsp_table_withdraw(table, &slot.serial);
	slot = slot_of(TABLE_SLOTS_MIN + 1, 0, 1);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	/* So is one whose time is over, the next time that all are looked
	 * at. */
	slot = slot_of(7, 0, 7);
	slot.next_update = oc_clock_now_s() - 1;
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	table->growth.looked_ns = 0;
	slot = slot_of(7000, 0, 1);
	slot.produced_at = oc_clock_now_s();
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	slot = slot_of(TABLE_SLOTS_MIN + 2, 0, 1);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	ocsp_table_close(table);
	assert_int_equal(unlink(*state), 0);

	small.rlim_cur = 4096;
	{
		struct ocsp_identity identity = test_identity();

		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		assert_int_equal(ocsp_table_create(*state, &identity,
		    test_store_id, 64, &table, &error), OC_ERR_NO_SPACE);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(access(*state, F_OK), -1);
	}
}

/* The same key's new certificate, without room for another file: with the one
 * before all is served until there is, or until that has ended. */
static void
no_room_for_another_certificate(void **state)
{
	struct ocsp_identity first = test_identity(), second = first;
	struct ocsp_table *table = make_table(*state), *reader;
	struct ocsp_slot slot = slot_of(7, 0, 7), found;
	struct rlimit limit, small;
	struct oc_error error = { 0 };

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ table->map_len - 1, limit.rlim_max };
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	ocsp_table_close(table);
	second.signer_not_after = oc_clock_now_s() - 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(ocsp_table_create(*state, &second, test_store_id, 1,
	    &table, &error), OC_OK);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader), &first));
	assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	table->growth.failed_ns = 0;
	do {
		(void)ocsp_table_tend(table, 100);
	} while (ocsp_table_is_tending(table));
	assert_true(ocsp_table_is_retired(reader));
	ocsp_table_close(reader);
	ocsp_table_close(table);
	assert_int_equal(ocsp_table_open(*state, &reader, NULL), OC_OK);
	assert_true(ocsp_identity_equal(ocsp_table_identity(reader),
	    &second));
	assert_true(ocsp_table_find(reader, &slot.serial, 0, &found));
	ocsp_table_close(reader);
	/* That one has ended. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(ocsp_table_create(*state, &first, test_store_id, 1,
	    &table, &error), OC_ERR_NO_SPACE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What the table is to say: of each serial one generation, 0: nothing. */
#define MODEL_MAX 400
struct model {
	uint64_t generation[MODEL_MAX], last, chance;
};

/* Something that happens to it between two parts. */
static void
change(struct ocsp_table *table, struct model *m, uint64_t num)
{
	uint64_t n = test_random(&m->chance) % num;
	struct ocsp_slot slot = slot_of(n, 0, ++m->last);

	if (test_random(&m->chance) % 3 == 0) {
		ocsp_table_withdraw(table, &slot.serial);
		m->generation[n] = 0;
	} else {
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		m->generation[n] = m->last;
	}
}

static void
assert_model(const struct ocsp_table *table, const struct model *m)
{
	struct ocsp_slot slot, found;
	uint64_t n;

	for (n = 0; n < MODEL_MAX; n++) {
		slot = slot_of(n, 0, m->generation[n]);
		assert_int_equal(ocsp_table_find(table, &slot.serial, 0,
		    &found), m->generation[n] != 0);
		if (m->generation[n] != 0)
			assert_slot_equal(&found, &slot);
	}
}

static void
assert_whole(const char *path, const struct model *m)
{
	struct ocsp_table_report report;
	struct ocsp_table *reader;
	uint32_t num = 0;
	uint64_t n;

	for (n = 0; n < MODEL_MAX; n++)
		num += m->generation[n] != 0;
	assert_int_equal(ocsp_table_open(path, &reader, NULL), OC_OK);
	assert_model(reader, m);
	assert_int_equal(ocsp_table_verify(reader, &report), OC_OK);
	assert_int_equal(report.num_good, num);
	assert_int_equal(ocsp_table_num_used(reader), num);
	assert_int_equal(report.num_lost + report.num_torn +
	    report.num_strays, 0);
	ocsp_table_close(reader);
}

/* Until it begins to grow, which is while some are free. */
static void
fill_until_it_grows(struct ocsp_table *table, struct model *m, uint64_t num)
{
	uint64_t n;

	for (n = 0; n < num && !ocsp_table_is_tending(table); n++) {
		struct ocsp_slot slot = slot_of(n, 0, ++m->last);

		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		m->generation[n] = m->last;
	}
	assert_true(ocsp_table_is_tending(table));
}

/* What happens while it grows, part by part, is in the old file at once, and
 * in the new one when that takes its place; what was put on readers' tables
 * is never older than what was there. */
static void
changes_while_growing(void **state)
{
	uint64_t seed;

	for (seed = 1; seed <= 60; seed++) {
		struct ocsp_table *table = make_table(*state), *reader;
		struct model m = { .chance = seed };
		uint32_t num_slots = table->num_slots;

		ocsp_table_set_seq(table, 7);
		ocsp_table_set_ready(table, true);
		fill_until_it_grows(table, &m, TABLE_SLOTS_MIN);
		/* Also if what is withdrawn meanwhile makes room enough. */
		table->growth.num_wanted = 100;
		assert_int_equal(ocsp_table_open(*state, &reader, NULL),
		    OC_OK);
		while (ocsp_table_is_tending(table)) {
			change(table, &m, seed % 2 == 0 ? 60 : 66);
			if (!ocsp_table_is_retired(reader))
				assert_model(reader, &m);
			(void)ocsp_table_tend(table, 1 + seed % 5);
			ocsp_table_set_seq(table, 8);
		}
		assert_true(table->num_slots > num_slots);
		assert_true(ocsp_table_is_retired(reader));
		ocsp_table_close(reader);
		assert_whole(*state, &m);
		while (m.last < 2000)
			change(table, &m, MODEL_MAX);
		assert_model(table, &m);
		assert_int_equal(ocsp_table_seq(table), 8);
		ocsp_table_close(table);
		assert_whole(*state, &m);
		assert_int_equal(ocsp_table_open(*state, &reader, NULL),
		    OC_OK);
		assert_true(ocsp_table_is_ready(reader));
		ocsp_table_close(reader);
		assert_int_equal(unlink(*state), 0);
	}
}

/* A put waits for its share, not for all: with few slots left and no tick,
 * growing is over before they are. */
static void
each_put_does_its_share(void **state)
{
	struct ocsp_identity identity = test_identity();
	struct ocsp_table *table;
	struct ocsp_slot slot;
	uint32_t before, most = 0, num_puts = 0;
	uint64_t n, moved_at = 0;

	assert_int_equal(ocsp_table_create(*state, &identity, test_store_id,
	    100000, &table, NULL), OC_OK);
	for (n = 0; table->num_slots == 100000; n++) {
		before = table->growth.next;
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
		num_puts += ocsp_table_is_tending(table);
		if (table->growth.phase == TABLE_FLUSHING && moved_at == 0)
			moved_at = n;
		if (table->growth.next > before &&
		    table->growth.phase == TABLE_MOVING &&
		    table->growth.next - before > most)
			most = table->growth.next - before;
	}
	/* What is left is for the disk to be waited for. */
	assert_in_range(moved_at, 1, 100000 - 300);
	assert_in_range(num_puts, 400, 2000);
	assert_in_range(most, 1, 1000);
	assert_int_equal(table->num_slots, 112500);
	ocsp_table_close(table);
}

/* Killed in each part of it: the next writer has all there was, and grows. */
static void
killed_while_growing(void **state)
{
	char name[TEST_PATH_MAX];
	int parts, status;
	pid_t child;

	(void)snprintf(name, sizeof(name), "%s.new", (const char *)*state);
	for (parts = 0; parts < 30; parts++) {
		struct model m = { .chance = 5 };
		struct ocsp_table *table;
		struct model *shared = mmap(NULL, sizeof(m), PROT_READ |
		    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		assert_ptr_not_equal(shared, MAP_FAILED);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			table = make_table(*state);
			fill_until_it_grows(table, &m, TABLE_SLOTS_MIN);
			for (int i = 0; i < parts; i++) {
				change(table, &m, 62);
				(void)ocsp_table_tend(table, 9);
			}
			*shared = m;
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		m = *shared;
		assert_int_equal(munmap(shared, sizeof(m)), 0);

		table = make_table(*state);
		assert_model(table, &m);
		do {
			(void)ocsp_table_tend(table, 9);
		} while (ocsp_table_is_tending(table));
		while (m.last < 1000)
			change(table, &m, MODEL_MAX);
		ocsp_table_close(table);
		assert_whole(*state, &m);
		assert_int_equal(access(name, F_OK), -1);
		assert_int_equal(unlink(*state), 0);
	}
}

#define SMALL_DISK (16 << 20)

/* A disk of our own, if we may have one. */
static bool
mount_small_disk(const char *path)
{
	char options[32];

	(void)snprintf(options, sizeof(options), "size=%d", SMALL_DISK);
	return unshare(geteuid() == 0 ? CLONE_NEWNS :
	    CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", path, "tmpfs", 0, options) == 0;
}

/* In a process of its own: the disk fills while the larger file is made. */
static void
fill_disk_meanwhile(const char *directory)
{
	struct ocsp_identity identity = test_identity();
	char path[TEST_PATH_MAX], filler[TEST_PATH_MAX];
	struct ocsp_table *table;
	struct ocsp_slot slot, found;
	uint32_t num_slots;
	uint64_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/table", directory);
	(void)snprintf(filler, sizeof(filler), "%s/filler", directory);
	assert_int_equal(ocsp_table_create(path, &identity, test_store_id,
	    50000, &table, NULL), OC_OK);
	num_slots = table->num_slots;
	for (n = 0; table->growth.phase != TABLE_ALLOCATING; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	/* Some blocks are there, the rest is somebody else's now. */
	(void)ocsp_table_tend(table, 1);
	assert_int_equal(table->growth.phase, TABLE_ALLOCATING);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	for (off_t at = 0; posix_fallocate(fd, at, 4096) == 0; at += 4096)
		;
	(void)ocsp_table_tend(table, 50000);
	assert_false(ocsp_table_is_tending(table));
	for (; n < num_slots; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(n, 0, n);
	assert_int_equal(ocsp_table_put(table, &slot), OC_ERR_NO_SPACE);
	for (n = 0; n < num_slots; n++) {
		slot = slot_of(n, 0, n);
		assert_true(ocsp_table_find(table, &slot.serial, 0, &found));
	}
	/* And when there is room again. */
	close(fd);
	assert_int_equal(unlink(filler), 0);
	slot = slot_of(n, 0, n);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_true(table->num_slots > num_slots);
	ocsp_table_close(table);
}

static void
disk_fills_while_growing(void **state)
{
	char directory[TEST_PATH_MAX];
	int status;
	pid_t child;

	(void)snprintf(directory, sizeof(directory), "%s",
	    (const char *)*state);
	*strrchr(directory, '/') = '\0';
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (!mount_small_disk(directory))
			_exit(77);
		fill_disk_meanwhile(directory);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(expired_ones_make_room),
		TABLE_TEST(valid_ones_make_none),
		TABLE_TEST(damaged_while_moved),
		TABLE_TEST(older_does_not_grow),
		TABLE_TEST(growing),
		TABLE_TEST(walk_in_parts),
		TABLE_TEST(slots_keep_their_numbers),
		TABLE_TEST(full_disk),
		TABLE_TEST(no_room_for_another_certificate),
		TABLE_TEST(changes_while_growing),
		TABLE_TEST(each_put_does_its_share),
		TABLE_TEST(killed_while_growing),
		TABLE_TEST(disk_fills_while_growing),
	};

	/* That a disk is full is what is asked for. */
	oc_log_init("test_ocsp_table_grow", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
