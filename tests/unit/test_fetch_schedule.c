/* SPDX-License-Identifier: Apache-2.0 */
/* When a CRL is fetched next: by the interval, before it ends, after
 * failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/schedule.h"

#define NOW INT64_C(1800000000)
#define HOUR 3600
#define NONE 0

/* The least and the most, by both ends of what random may be. */
static void
expect(int64_t interval_s, uint32_t num_failures, int64_t left_s,
    int64_t least, int64_t most)
{
	const struct fetch_schedule s = { interval_s, num_failures,
	    left_s == NONE ? 0 : NOW + left_s };
	int64_t middle;

	assert_int_equal(fetch_wait_s(&s, NOW, 0), least);
	assert_int_equal(fetch_wait_s(&s, NOW, UINT32_MAX), most);
	middle = fetch_wait_s(&s, NOW, UINT32_MAX / 2);
	assert_in_range(middle, least, most);
	if (most - least > 4)
		assert_in_range(middle, least + 1, most - 1);
}

static void
test_interval(void **state)
{
	(void)state;
	expect(HOUR, 0, 7 * 86400, HOUR - HOUR / 4, HOUR);
	expect(10, 0, 86400, 8, 10);
	expect(7 * 86400, 0, 30 * 86400, 7 * 86400 * 3 / 4, 7 * 86400);
}

/* Never later than half of what is left. */
static void
test_before_the_end(void **state)
{
	(void)state;
	expect(HOUR, 0, 2 * HOUR, HOUR - HOUR / 4, HOUR);
	expect(HOUR, 0, HOUR, 1350, 1800);
	expect(HOUR, 0, 100, 38, 50);
	expect(HOUR, 0, 12, FETCH_WAIT_MIN_S, 6);
	expect(HOUR, 0, 1, FETCH_WAIT_MIN_S, FETCH_WAIT_MIN_S);
	/* Whatever the answers: a first, a last and at least three between. */
	for (int64_t left = 86400, num = 0; left > 60; num++) {
		const struct fetch_schedule s = { 7 * 86400, 0, NOW + left };

		left -= fetch_wait_s(&s, NOW, UINT32_MAX);
		assert_in_range(num, 0, 12);
		assert_true(left > 0);
	}
}

static void
test_failures(void **state)
{
	(void)state;
	expect(HOUR, 1, NONE, 5, 10);
	expect(HOUR, 2, NONE, 10, 20);
	expect(HOUR, 3, NONE, 20, 40);
	expect(HOUR, 7, NONE, 300, 600);
	expect(HOUR, UINT32_MAX, NONE, 300, 600);
	/* No rarer than without one. */
	expect(60, 9, NONE, 30, 60);
	/* Sooner as the end comes near, and not because it is past. */
	expect(HOUR, 9, 100, 38, 50);
	expect(HOUR, 9, -1, 300, 600);
	expect(HOUR, 9, 86400, 300, 600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_before_the_end),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
