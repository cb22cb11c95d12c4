/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be signed: what has a slot and what has none in one order, and
 * what is no longer there is nobody's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ocsp/table_private.h"
#include "status/due.h"
#include "tests/unit/ocsp_table_test.h"

static void
put_wanted(struct status_agenda *a, enum status_due_kind kind, int64_t at,
    uint64_t n)
{
	const struct ocsp_slot slot = slot_of(n, (uint8_t)(n % 3), 0);

	assert_int_equal(status_agenda_put(a, kind, &(struct status_due){ at,
	    slot.serial, slot.encoding }), OC_OK);
}

static void
put_slot(struct status_agenda *a, struct ocsp_table *table, int64_t at,
    uint64_t n)
{
	struct ocsp_slot slot = slot_of(n, (uint8_t)(n % 3), 0), found;

	assert_int_equal(ocsp_table_put(table, &slot), OC_OK);
	assert_true(ocsp_table_find(table, &slot.serial, slot.encoding,
	    &found));
	assert_int_equal(status_agenda_put_slot(a, at, found.number), OC_OK);
}

static void
assert_taken(struct status_agenda *a, enum status_due_kind kind,
    const struct ocsp_table *table, int64_t at, uint64_t n)
{
	const struct ocsp_slot slot = slot_of(n, (uint8_t)(n % 3), 0);
	struct status_due due;

	assert_true(status_agenda_take(a, kind, table, at, &due));
	assert_int_equal(due.at, at);
	assert_true(oc_serial_equal(&due.serial, &slot.serial));
	assert_int_equal(due.encoding, slot.encoding);
}

static void
test_one_order(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct status_agenda a = { 0 };
	struct status_due due;

	assert_false(status_agenda_take(&a, STATUS_DUE_REFRESH, table,
	    INT64_MAX, &due));
	put_slot(&a, table, 400, 4);
	put_wanted(&a, STATUS_DUE_REFRESH, 300, 3);
	put_slot(&a, table, 200, 2);
	put_wanted(&a, STATUS_DUE_REFRESH, 100, 1);
	put_wanted(&a, STATUS_DUE_URGENT, 500, 5);
	assert_int_equal(status_agenda_num(&a, STATUS_DUE_REFRESH), 4);
	assert_int_equal(status_agenda_num(&a, STATUS_DUE_URGENT), 1);
	assert_int_equal(status_agenda_num(&a, STATUS_DUE_NEW), 0);
	assert_false(status_agenda_take(&a, STATUS_DUE_REFRESH, table, 99,
	    &due));
	assert_taken(&a, STATUS_DUE_REFRESH, table, 100, 1);
	assert_false(status_agenda_take(&a, STATUS_DUE_REFRESH, table, 199,
	    &due));
	assert_taken(&a, STATUS_DUE_REFRESH, table, 200, 2);
	assert_taken(&a, STATUS_DUE_REFRESH, table, 300, 3);
	assert_taken(&a, STATUS_DUE_REFRESH, table, 400, 4);
	assert_taken(&a, STATUS_DUE_URGENT, table, 500, 5);
	assert_int_equal(status_agenda_num(&a, STATUS_DUE_REFRESH), 0);
	status_agenda_fini(&a);
	status_agenda_fini(&a);
	ocsp_table_close(table);
}

static void
test_gone(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct status_agenda a = { 0 };
	struct ocsp_slot slot;
	struct status_due due;
	uint64_t n;

	for (n = 1; n <= 20; n++)
		put_slot(&a, table, (int64_t)n, n);
	put_wanted(&a, STATUS_DUE_REFRESH, 21, 21);
	for (n = 1; n <= 20; n++) {
		slot = slot_of(n, 0, 0);
		if (n != 7)
			ocsp_table_withdraw(table, &slot.serial);
	}
	assert_taken(&a, STATUS_DUE_REFRESH, table, 7, 7);
	assert_taken(&a, STATUS_DUE_REFRESH, table, 21, 21);
	assert_false(status_agenda_take(&a, STATUS_DUE_REFRESH, table,
	    INT64_MAX, &due));
	status_agenda_fini(&a);
	ocsp_table_close(table);
}

/* Places are used again; each comes out as it went in. */
static void
test_places(void **state)
{
	struct ocsp_table *table = make_table(*state);
	struct status_agenda a = { 0 };
	uint64_t n, taken = 0;

	for (n = 0; n < 30000; n++) {
		put_wanted(&a, STATUS_DUE_NEW, (int64_t)n, n);
		if (n % 100 < 97) {
			assert_taken(&a, STATUS_DUE_NEW, table,
			    (int64_t)taken, taken);
			taken++;
		}
	}
	assert_int_equal(status_agenda_num(&a, STATUS_DUE_NEW), n - taken);
	assert_true(a.num_places <= n - taken + 1);
	for (; taken < n; taken++)
		assert_taken(&a, STATUS_DUE_NEW, table, (int64_t)taken,
		    taken);
	status_agenda_fini(&a);
	ocsp_table_close(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(test_one_order),
		TABLE_TEST(test_gone),
		TABLE_TEST(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
