/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When responses are signed again: the heap's order, the windows that the
 * Baseline Requirements 4.9.9 promise, and the budget.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ocsp/refresh.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

/* xorshift64*: the same numbers everywhere. */
static uint64_t
random_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(0x2545f4914f6cdd1d);
}

static struct oc_serial
serial_of(uint64_t n)
{
	struct oc_serial serial = { .len = 16 };

	serial.bytes[0] = 0x40;
	for (int i = 15; i > 7; i--, n >>= 8)
		serial.bytes[i] = (uint8_t)n;
	return serial;
}

static void
put(struct ocsp_refresh *r, int64_t at, uint64_t n)
{
	assert_int_equal(ocsp_refresh_put(r, at, (uint32_t)n), OC_OK);
}

/* Puts and takes in turns; each comes out once, as it went in, and never
 * before one that was due earlier. */
static void
test_heap_order(void **state)
{
	enum { NUM = 20000 };
	struct ocsp_refresh r = { 0 };
	struct ocsp_due due;
	uint64_t seed = 7;
	uint8_t *seen = calloc(NUM, 1);
	int64_t *at = calloc(NUM, sizeof(*at)), last = -1;
	uint32_t i, num_taken = 0;

	(void)state;
	assert_non_null(seen);
	assert_non_null(at);
	for (i = 0; i < NUM; i++) {
		at[i] = (int64_t)(random_next(&seed) % 5000);
		put(&r, at[i], i);
		if (i % 3 != 0)
			continue;
		assert_true(ocsp_refresh_take(&r, INT64_MAX, &due));
		assert_int_equal(seen[due.item]++, 0);
		num_taken++;
	}
	assert_int_equal(r.num, NUM - num_taken);
	while (ocsp_refresh_take(&r, INT64_MAX, &due)) {
		uint32_t n = due.item;

		assert_true(n < NUM);
		assert_int_equal(seen[n]++, 0);
		assert_int_equal(due.at, at[n]);
		assert_true(due.at >= last);
		last = due.at;
		num_taken++;
	}
	assert_int_equal(num_taken, NUM);
	assert_int_equal(r.num, 0);
	free(seen);
	free(at);
	ocsp_refresh_fini(&r);
}

static void
test_heap_waits(void **state)
{
	struct ocsp_refresh r = { 0 };
	struct ocsp_due due = { .at = 1 };

	(void)state;
	assert_false(ocsp_refresh_take(&r, INT64_MAX, &due));
	put(&r, 100, 1);
	put(&r, 50, 2);
	assert_false(ocsp_refresh_take(&r, 49, &due));
	assert_int_equal(due.at, 1);
	assert_true(ocsp_refresh_take(&r, 50, &due));
	assert_int_equal(due.item, 2);
	assert_false(ocsp_refresh_take(&r, 99, &due));
	assert_true(ocsp_refresh_take(&r, 100, &due));
	assert_int_equal(due.item, 1);
	ocsp_refresh_fini(&r);
	ocsp_refresh_fini(&r);
	assert_int_equal(r.num, 0);
}

/* The same one twice is allowed, and comes twice. */
static void
test_heap_twins(void **state)
{
	struct ocsp_refresh r = { 0 };
	struct ocsp_due due;

	(void)state;
	put(&r, 5, 9);
	put(&r, 5, 9);
	assert_true(ocsp_refresh_take(&r, 5, &due));
	assert_true(ocsp_refresh_take(&r, 5, &due));
	assert_false(ocsp_refresh_take(&r, 5, &due));
	ocsp_refresh_fini(&r);
}

static void
assert_window(int64_t life, const struct oc_serial *serial)
{
	const int64_t from = INT64_C(1790000000);
	int64_t at = ocsp_refresh_due_at(serial, from, from + life);

	if (at < from + life / 4 || at > from + life * 3 / 4)
		fail_msg("life %lld: due after %lld", (long long)life,
		    (long long)(at - from));
	if (life < 16 * HOUR) {
		assert_true(at <= from + life / 2);
		return;
	}
	assert_true(at <= from + life - 8 * HOUR);
	if (life <= 10 * DAY)
		assert_true(at <= from + 4 * DAY);
	else
		assert_true(at >= from + life / 2 - 1);
}

/* From a minute to 400 days, and around each edge. */
static void
test_due_windows(void **state)
{
	static const int64_t edges[] = { 60, 8 * HOUR, 16 * HOUR, 32 * HOUR,
		4 * DAY, 5 * DAY, 128 * HOUR, 7 * DAY, 8 * DAY, 10 * DAY,
		400 * DAY };
	uint64_t seed = 3;

	(void)state;
	for (size_t e = 0; e < sizeof(edges) / sizeof(edges[0]); e++)
		for (int64_t life = edges[e] - 2; life <= edges[e] + 2; life++)
			for (int i = 0; i < 3000; i++) {
				struct oc_serial serial =
				    serial_of(random_next(&seed));

				assert_window(life, &serial);
			}
	for (int i = 0; i < 200000; i++) {
		struct oc_serial serial = serial_of(random_next(&seed));
		int64_t life = 60 + (int64_t)(random_next(&seed) %
		    (uint64_t)(400 * DAY));

		assert_window(life, &serial);
	}
}

/* Sequential serials and random ones: each sixteenth of the window gets its
 * share, within a half of it. */
static void
assert_spread(bool is_random)
{
	enum { NUM = 16000, PARTS = 16 };
	const int64_t life = 96 * HOUR, latest = life * 3 / 4;
	const int64_t spread = latest / 3;
	uint64_t seed = 11;
	int count[PARTS] = { 0 };

	for (uint64_t i = 0; i < NUM; i++) {
		struct oc_serial serial = serial_of(is_random ?
		    random_next(&seed) : i);
		int64_t at = ocsp_refresh_due_at(&serial, 0, life);

		assert_in_range(at, latest - spread, latest);
		count[(at - (latest - spread)) * PARTS / (spread + 1)]++;
	}
	for (int i = 0; i < PARTS; i++)
		assert_in_range(count[i], NUM / PARTS / 2,
		    NUM / PARTS * 3 / 2);
}

static void
test_due_spread(void **state)
{
	(void)state;
	assert_spread(true);
	assert_spread(false);
}

/* One serial, one answer: a restart does not move it. */
static void
test_due_is_stable(void **state)
{
	struct oc_serial a = serial_of(1), b = serial_of(1);

	(void)state;
	assert_int_equal(ocsp_refresh_due_at(&a, 1000, 500000),
	    ocsp_refresh_due_at(&b, 1000, 500000));
	assert_int_equal(ocsp_refresh_due_at(&a, 1000, 500000) + 77,
	    ocsp_refresh_due_at(&a, 1077, 500077));
}

static void
test_budget_none(void **state)
{
	struct ocsp_budget b = { .rate = 0 };

	(void)state;
	for (int64_t s = 0; s < 10; s++)
		assert_false(ocsp_budget_take(&b, s * OC_NS_PER_S));
	b = (struct ocsp_budget){ .rate = -1 };
	assert_false(ocsp_budget_take(&b, OC_NS_PER_S));
}

/* Whatever the clock says at first, and after hours of nothing. */
static void
test_budget_full(void **state)
{
	static const int64_t starts[] = { 0, 1, OC_NS_PER_S / 2,
		9000 * OC_NS_PER_S };

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct ocsp_budget b = { .rate = 100 };
		int64_t now = starts[i];

		for (int turn = 0; turn < 3; turn++) {
			for (int n = 0; n < 100; n++)
				assert_true(ocsp_budget_take(&b, now));
			for (int n = 0; n < 100; n++)
				assert_false(ocsp_budget_take(&b, now));
			now += 7 * HOUR * OC_NS_PER_S + turn;
		}
	}
}

/* Random times, dense and sparse, at several rates: no second sees more than
 * the rate, and under steady pressure nearly all of it is given. */
static void
assert_budget(int64_t rate, int64_t step_max)
{
	enum { NUM = 40000 };
	struct ocsp_budget b = { .rate = rate };
	int64_t *taken = calloc(NUM, sizeof(*taken)), now = 12345;
	uint64_t seed = (uint64_t)(rate * 31 + step_max);
	size_t num = 0, first = 0;

	assert_non_null(taken);
	for (int i = 0; i < NUM; i++) {
		now += (int64_t)(random_next(&seed) % (uint64_t)step_max);
		if (!ocsp_budget_take(&b, now))
			continue;
		taken[num++] = now;
		while (taken[first] <= now - OC_NS_PER_S)
			first++;
		assert_true((int64_t)(num - first) <= rate);
	}
	if (step_max / 2 * rate < OC_NS_PER_S / 4)
		assert_true((int64_t)num * OC_NS_PER_S >=
		    (now - 12345 - 2 * OC_NS_PER_S) * rate * 7 / 8);
	free(taken);
}

static void
test_budget_any_second(void **state)
{
	static const int64_t rates[] = { 1, 2, 7, 16, 17, 100, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		assert_budget(rates[i], OC_NS_PER_MS / 10);
		assert_budget(rates[i], OC_NS_PER_MS * 2);
		assert_budget(rates[i], OC_NS_PER_MS * 130);
		assert_budget(rates[i], OC_NS_PER_S * 2);
	}
}

/* A burst at the end of a second does not come with one at the start of the
 * next. */
static void
test_budget_no_double_burst(void **state)
{
	struct ocsp_budget b = { .rate = 10 };
	int64_t now = 5 * OC_NS_PER_S - 1;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(ocsp_budget_take(&b, now));
	assert_false(ocsp_budget_take(&b, now + 1));
	assert_false(ocsp_budget_take(&b, now + OC_NS_PER_S / 2));
	assert_false(ocsp_budget_take(&b, now + OC_NS_PER_S - 1));
	assert_true(ocsp_budget_take(&b, now + OC_NS_PER_S * 9 / 8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap_order),
		cmocka_unit_test(test_heap_waits),
		cmocka_unit_test(test_heap_twins),
		cmocka_unit_test(test_due_windows),
		cmocka_unit_test(test_due_spread),
		cmocka_unit_test(test_due_is_stable),
		cmocka_unit_test(test_budget_none),
		cmocka_unit_test(test_budget_full),
		cmocka_unit_test(test_budget_any_second),
		cmocka_unit_test(test_budget_no_double_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
