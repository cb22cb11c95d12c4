/* SPDX-License-Identifier: Apache-2.0 */
/* How many at once, against tokens that are made of a few lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pkcs11/limit.h"

#define MS OC_NS_PER_MS

struct toy {
	struct p11_limit limit;
	int64_t now_ns;
	unsigned int num_good, num_busy;
};

static void
begin(struct toy *t, unsigned int max)
{
	*t = (struct toy){ .now_ns = 1000 * OC_NS_PER_S };
	p11_limit_init(&t->limit, max);
}

/* All that work at once, 2 ms each; what is over the ceiling is refused. */
static void
turn(struct toy *t, unsigned int ceiling)
{
	unsigned int num = t->limit.now;

	t->now_ns += 2 * MS;
	for (unsigned int i = 0; i < num; i++)
		if (i < ceiling) {
			t->num_good++;
			(void)p11_limit_good(&t->limit, t->now_ns);
		} else {
			t->num_busy++;
			assert_false(p11_limit_busy(&t->limit, t->now_ns));
		}
}

static void
a_ceiling_is_found_and_kept(void **state)
{
	static const unsigned int ceilings[] = { 1, 2, 5, 16, 60 };

	(void)state;
	for (size_t c = 0; c < 5; c++) {
		struct toy t;

		begin(&t, 64);
		/* A second is enough. */
		for (int i = 0; i < 500; i++)
			turn(&t, ceilings[c]);
		assert_true(t.limit.now <= ceilings[c] + 1);
		assert_true(t.limit.found > 0);
		/* From then on the token is used, and hardly bothered. */
		for (int i = 0; i < 5000; i++)
			turn(&t, ceilings[c]);
		t.num_good = t.num_busy = 0;
		for (int i = 0; i < 5000; i++)
			turn(&t, ceilings[c]);
		assert_true(t.num_good >= 5000 * ceilings[c] * 6 / 10);
		assert_true(t.num_busy * 20 < t.num_good);
	}
}

static void
it_comes_back(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 8);
	for (int i = 0; i < 500; i++)
		turn(&t, 2);
	assert_true(t.limit.now <= 3);
	/* Whoever else used it is gone. */
	for (int i = 0; i < 15000; i++)
		turn(&t, 64);
	assert_int_equal(t.limit.now, 8);
}

static void
one_in_a_while_changes_nothing(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 8);
	for (int i = 0; i < 1000; i++) {
		t.now_ns += MS;
		for (int n = 0; n < 20; n++)
			(void)p11_limit_good(&t.limit, t.now_ns);
		assert_false(p11_limit_busy(&t.limit, t.now_ns));
	}
	assert_int_equal(t.limit.now, 8);
	assert_int_equal(t.limit.found, 0);
}

static void
busy_alone_is_broken(void **state)
{
	struct toy t;
	int num = 0;

	(void)state;
	begin(&t, 64);
	do {
		t.now_ns += 10 * MS;
		assert_true(++num < 1000);
	} while (!p11_limit_busy(&t.limit, t.now_ns));
	assert_int_equal(t.limit.now, 1);
	assert_true(num >= 8);
	(void)p11_limit_good(&t.limit, t.now_ns);
	assert_false(p11_limit_busy(&t.limit, t.now_ns));
}

static void
no_more_sessions(void **state)
{
	struct toy t;

	(void)state;
	begin(&t, 16);
	p11_limit_full(&t.limit, 3, t.now_ns);
	assert_int_equal(t.limit.now, 3);
	assert_int_equal(t.limit.found, 3);
	/* Late ones, who were told the same. */
	p11_limit_full(&t.limit, 5, t.now_ns);
	assert_int_equal(t.limit.now, 3);
	for (int i = 0; i < 900; i++)
		turn(&t, 64);
	assert_int_equal(t.limit.now, 3);
	for (int i = 0; i < 200; i++)
		turn(&t, 64);
	assert_int_equal(t.limit.now, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ceiling_is_found_and_kept),
		cmocka_unit_test(it_comes_back),
		cmocka_unit_test(one_in_a_while_changes_nothing),
		cmocka_unit_test(busy_alone_is_broken),
		cmocka_unit_test(no_more_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
