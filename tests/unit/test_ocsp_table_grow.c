/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response table when it is full: what is of no use makes room, then it
 * grows, and where it cannot, all stays as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
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
		if (n <= 10)
			slot.next_update = oc_clock_now_s() - 1;
		assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	}
	slot = slot_of(1000, 0, n);
	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_int_equal(table->num_slots, TABLE_SLOTS_MIN);
	assert_int_equal(ocsp_table_num_used(table), TABLE_SLOTS_MIN - 9);
	for (n = 1; n <= TABLE_SLOTS_MIN; n++) {
		slot = slot_of(n, 0, n);
		assert_int_equal(ocsp_table_find(table, &slot.serial, 0,
		    &found), n > 10);
	}
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(expired_ones_make_room),
		TABLE_TEST(growing),
		TABLE_TEST(walk_in_parts),
		TABLE_TEST(slots_keep_their_numbers),
		TABLE_TEST(full_disk),
	};

	oc_log_init("test_ocsp_table_grow", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
