/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several tokens gets the next ticket: shares, standbys, queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkcs11/route.h"

#define MS INT64_C(1000000)

static struct p11_candidate
candidate(unsigned int weight)
{
	return (struct p11_candidate){ .is_usable = true, .weight = weight,
	    .health = P11_HEALTH_MAX, .num_sessions = 4, .mean_ns = 2 * MS };
}

/* Chooses so often, each done before the next; how often each was it. */
static void
choose_often(const struct p11_candidate *c, size_t num, unsigned int times,
    unsigned int *chosen)
{
	int64_t credits[P11_PLACES_MAX] = { 0 };

	for (size_t i = 0; i < num; i++)
		chosen[i] = 0;
	while (times-- > 0) {
		size_t i = p11_route_choose(c, num, credits);

		assert_true(i < num);
		chosen[i]++;
	}
}

static void
weights_are_shares(void **state)
{
	struct p11_candidate c[3] = { candidate(100), candidate(50),
	    candidate(50) };
	unsigned int chosen[3];

	(void)state;
	choose_often(c, 3, 400, chosen);
	assert_int_equal(chosen[0], 200);
	assert_int_equal(chosen[1], 100);
	assert_int_equal(chosen[2], 100);
}

/* Not all of one and then all of the other. */
static void
turns_are_mixed(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(100) };
	int64_t credits[2] = { 0, 0 };
	size_t last = p11_route_choose(c, 2, credits);

	(void)state;
	for (int i = 0; i < 20; i++) {
		size_t next = p11_route_choose(c, 2, credits);

		assert_int_not_equal(next, last);
		last = next;
	}
}

static void
nobody_usable(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(0) };
	int64_t credits[2] = { 0, 0 };

	(void)state;
	c[0].is_usable = c[1].is_usable = false;
	assert_int_equal(p11_route_choose(c, 2, credits), 2);
	assert_int_equal(p11_route_choose(c, 0, credits), 0);
}

static void
standby_waits_for_its_hour(void **state)
{
	struct p11_candidate c[3] = { candidate(100), candidate(100),
	    candidate(1) };
	unsigned int chosen[3];

	(void)state;
	c[2].is_standby = true;
	c[0].load = c[1].load = 1000;		/* no reason to take it */
	choose_often(c, 3, 100, chosen);
	assert_int_equal(chosen[2], 0);
	c[0].is_usable = c[1].is_usable = false;
	choose_often(c, 3, 100, chosen);
	assert_int_equal(chosen[2], 100);
}

static void
drained_or_down_gets_none(void **state)
{
	struct p11_candidate c[2] = { candidate(1000), candidate(1) };
	unsigned int chosen[2];

	(void)state;
	c[0].is_usable = false;
	choose_often(c, 2, 50, chosen);
	assert_int_equal(chosen[0], 0);
	assert_int_equal(chosen[1], 50);
}

/* A session that is free goes before a weight. */
static void
free_session_first(void **state)
{
	struct p11_candidate c[2] = { candidate(1000), candidate(1) };
	unsigned int chosen[2];

	(void)state;
	c[0].load = 4;
	c[1].load = 3;
	choose_often(c, 2, 50, chosen);
	assert_int_equal(chosen[1], 50);
}

/* With all busy, who will be done first. */
static void
shortest_wait(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(100) };
	int64_t credits[2] = { 0, 0 };

	(void)state;
	c[0].load = 10;
	c[1].load = 30;
	assert_int_equal(p11_route_choose(c, 2, credits), 0);
	c[0].mean_ns = 20 * MS;		/* ten at 20 ms, or thirty at 2 ms */
	assert_int_equal(p11_route_choose(c, 2, credits), 1);
	c[0].mean_ns = c[1].mean_ns;
	c[1].num_sessions = 40;
	c[0].load = 10;
	c[1].load = 50;
	assert_int_equal(p11_route_choose(c, 2, credits), 1);
	c[0].health = c[1].health = P11_HEALTH_MAX;
	c[1].num_sessions = 4;
	c[1].load = 12;
	c[0].health = P11_HEALTH_MAX / 8;
	assert_int_equal(p11_route_choose(c, 2, credits), 1);
}

static void
sick_gets_less(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(100) };
	unsigned int chosen[2];

	(void)state;
	c[1].health = P11_HEALTH_MAX / 8;
	choose_often(c, 2, 900, chosen);
	assert_int_equal(chosen[1], 100);
}

/* Twice as slow is a matter of load; ten times is not. */
static void
slow_gets_less(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(100) };
	unsigned int chosen[2];

	(void)state;
	c[1].mean_ns = 4 * MS;
	choose_often(c, 2, 100, chosen);
	assert_int_equal(chosen[1], 50);
	c[1].mean_ns = 20 * MS;
	choose_often(c, 2, 120, chosen);
	assert_int_equal(chosen[1], 20);
	c[1].mean_ns = 0;		/* nobody knows yet */
	choose_often(c, 2, 100, chosen);
	assert_int_equal(chosen[1], 50);
	c[1].mean_ns = INT64_MAX / 2;
	choose_often(c, 2, 900, chosen);
	assert_int_equal(chosen[1], 100);
}

/* What it did not get while it was away is not owed to it. */
static void
no_debts_after_return(void **state)
{
	struct p11_candidate c[2] = { candidate(100), candidate(100) };
	int64_t credits[2] = { 0, 0 };
	unsigned int second = 0;

	(void)state;
	c[1].is_usable = false;
	for (int i = 0; i < 1000; i++)
		(void)p11_route_choose(c, 2, credits);
	c[1].is_usable = true;
	for (int i = 0; i < 100; i++)
		second += p11_route_choose(c, 2, credits) == 1;
	assert_int_equal(second, 50);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(turns_are_mixed),
		cmocka_unit_test(nobody_usable),
		cmocka_unit_test(standby_waits_for_its_hour),
		cmocka_unit_test(drained_or_down_gets_none),
		cmocka_unit_test(free_session_first),
		cmocka_unit_test(shortest_wait),
		cmocka_unit_test(sick_gets_less),
		cmocka_unit_test(slow_gets_less),
		cmocka_unit_test(no_debts_after_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
