/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of an issuer's certificates: found again after growing, by
 * serials of every length, the newest change wins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "status/status.h"

#define NUM 100000

static struct oc_serial
serial_of(uint32_t n, uint8_t len)
{
	struct oc_serial serial = { .len = len };

	serial.bytes[0] = 0x11;
	for (int i = len - 1; i > 0 && n != 0; i--, n >>= 8)
		serial.bytes[i] = (uint8_t)n;
	return serial;
}

static struct status_change
change_of(uint32_t n, int64_t seq)
{
	return (struct status_change){
		.seq = seq,
		.serial = serial_of(n, 20),
		.not_after = INT64_C(4000000000) + n,
	};
}

static int
setup(void **state)
{
	struct status_set *set;

	if (status_set_new(&set) != OC_OK)
		return -1;
	*state = set;
	return 0;
}

static int
teardown(void **state)
{
	status_set_free(*state);
	return 0;
}

static void
apply(struct status_set *set, struct status_change change)
{
	assert_int_equal(status_set_apply(set, &change), OC_OK);
}

static void
test_empty(void **state)
{
	struct oc_serial serial = serial_of(1, 20);

	assert_null(status_set_find(*state, &serial));
	assert_int_equal(status_set_num(*state), 0);
	status_set_free(NULL);
}

/* Many more than it began with: each is found with what was said of it, while
 * it grows and then, and its neighbours that were not put in are not. */
static void
test_growth(void **state)
{
	struct status_set *set = *state;

	for (uint32_t n = 0; n < NUM; n += 2) {
		struct oc_serial other = serial_of(n * 7919 % (n + 1), 20);
		const struct status_record *r;

		apply(set, change_of(n, n + 1));
		r = status_set_find(set, &other);
		assert_int_equal(r != NULL, other.bytes[19] % 2 == 0);
		/* What is there stays as it is, also while it is moved. */
		if (r != NULL)
			apply(set, change_of((uint32_t)r->seq - 1, 0));
	}
	assert_int_equal(status_set_num(set), NUM / 2);
	for (uint32_t n = 0; n < NUM; n++) {
		struct oc_serial serial = serial_of(n, 20);
		const struct status_record *r = status_set_find(set, &serial);

		if (n % 2 != 0) {
			assert_null(r);
			continue;
		}
		assert_non_null(r);
		assert_true(oc_serial_equal(&r->serial, &serial));
		assert_int_equal(r->seq, n + 1);
		assert_int_equal(r->not_after, INT64_C(4000000000) + n);
		assert_false(r->is_revoked);
	}
}

/* The same octets at the end, another length: another certificate. */
static void
test_lengths(void **state)
{
	struct status_set *set = *state;

	for (uint8_t len = 1; len <= OC_SERIAL_MAX; len++) {
		struct status_change change = change_of(0, len);

		change.serial = serial_of(0, len);
		apply(set, change);
	}
	assert_int_equal(status_set_num(set), OC_SERIAL_MAX);
	for (uint8_t len = 1; len <= OC_SERIAL_MAX; len++) {
		struct oc_serial serial = serial_of(0, len);

		assert_int_equal(status_set_find(set, &serial)->seq, len);
	}
}

static void
test_newest_wins(void **state)
{
	struct status_set *set = *state;
	struct status_change c = change_of(5, 10);
	const struct status_record *r;

	apply(set, c);
	c.seq = 12;
	c.is_revoked = true;
	c.reason = CRL_REASON_KEY_COMPROMISE;
	c.revoked_at = 777;
	apply(set, c);
	r = status_set_find(set, &c.serial);
	assert_true(r->is_revoked);
	assert_int_equal(r->reason, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(r->revoked_at, 777);
	assert_int_equal(status_set_num(set), 1);
	/* Late news of an earlier time does not make it good again. */
	apply(set, change_of(5, 11));
	r = status_set_find(set, &c.serial);
	assert_true(r->is_revoked);
	assert_int_equal(r->seq, 12);
	/* Later news does. */
	apply(set, change_of(5, 13));
	assert_false(status_set_find(set, &c.serial)->is_revoked);
}

struct walk {
	uint32_t num, num_max;
	uint8_t seen[NUM];
};

static bool
walk_one(void *arg, const struct status_record *record)
{
	struct walk *walk = arg;

	assert_in_range(record->seq, 1, NUM);
	assert_int_equal(walk->seen[record->seq - 1]++, 0);
	return ++walk->num < walk->num_max;
}

/* A status is told beyond its certificate's end, of each alike. */
static void
test_retain(void **state)
{
	struct status_set *set = *state;
	struct oc_serial serial = serial_of(7, 20);
	struct status_change change = change_of(7, 1);

	status_set_retain(set, 1000);
	apply(set, change);
	assert_int_equal(status_set_find(set, &serial)->not_after,
	    change.not_after + 1000);
	change.seq = 2;
	apply(set, change);
	assert_int_equal(status_set_find(set, &serial)->not_after,
	    change.not_after + 1000);
}

/* In parts each is met once, though more come meanwhile. */
static void
test_walk_part(void **state)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	uint32_t next = 0, num_parts = 0, n;

	assert_non_null(walk);
	walk->num_max = UINT32_MAX;
	assert_false(status_set_walk_part(*state, &next, 100, walk_one,
	    walk));
	for (n = 0; n < 3000; n++)
		apply(*state, change_of(n, n + 1));
	while (status_set_walk_part(*state, &next, 100, walk_one, walk)) {
		assert_int_equal(walk->num, ++num_parts * 100);
		/* What changes stays where it is. */
		apply(*state, change_of(17, 18));
		apply(*state, change_of(n, n + 1));
		n++;
	}
	assert_in_range(num_parts, 30, 31);
	assert_int_equal(walk->num, n);
	assert_false(status_set_walk_part(*state, &next, 100, walk_one,
	    walk));

	/* It ends when it is told to. */
	memset(walk, 0, sizeof(*walk));
	walk->num_max = 7;
	next = 0;
	assert_true(status_set_walk_part(*state, &next, 3000, walk_one,
	    walk));
	assert_int_equal(walk->num, 7);
	walk->num_max = UINT32_MAX;
	for (; n < NUM; n++)
		apply(*state, change_of(n, n + 1));
	assert_false(status_set_walk_part(*state, &next, UINT32_MAX, walk_one,
	    walk));
	assert_int_equal(walk->num, NUM);
	free(walk);
}

/* Two who read the same source keep one; either may go first. */
static void
test_shared(void **state)
{
	struct status_set *first = *state, *second = status_set_hold(first);
	struct oc_serial serial = serial_of(7, 20);

	apply(first, change_of(7, 1));
	assert_non_null(status_set_find(second, &serial));
	/* What one has read again is no news. */
	apply(second, change_of(7, 1));
	assert_int_equal(status_set_num(first), 1);
	status_set_retain(second, 0);
	status_set_free(first);
	*state = second;
	assert_int_equal(status_set_find(second, &serial)->seq, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_growth, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest_wins, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_retain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk_part, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
