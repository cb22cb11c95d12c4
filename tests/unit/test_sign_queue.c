/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's order and what it says of itself; that threads may use it all
 * at once, the tests of the pool show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>

#include "base/clock.h"
#include "sign/queue.h"

static struct sign_ticket
ticket(enum sign_lane lane)
{
	return (struct sign_ticket){ .lane = lane };
}

static void
urgent_first(void **state)
{
	struct sign_ticket refresh = ticket(SIGN_LANE_REFRESH),
	    live = ticket(SIGN_LANE_LIVE), late = ticket(SIGN_LANE_LIVE),
	    revocation = ticket(SIGN_LANE_REVOCATION), *begun[1];
	struct sign_queue q;

	(void)state;
	assert_int_equal(sign_queue_init(&q, 3), OC_OK);
	assert_int_equal(sign_queue_put(&q, &refresh), OC_OK);
	assert_int_equal(sign_queue_put(&q, &live), OC_OK);
	assert_int_equal(sign_queue_put(&q, &late), OC_OK);
	assert_int_equal(sign_queue_put(&q, &revocation), OC_ERR_BUSY);
	sign_queue_put_front(&q, &revocation);
	assert_int_equal(sign_queue_len(&q), 4);
	assert_ptr_equal(sign_queue_take(&q), &revocation);
	assert_ptr_equal(sign_queue_take(&q), &live);
	assert_true(sign_queue_remove(&refresh));
	assert_false(sign_queue_remove(&refresh));
	assert_ptr_equal(sign_queue_take(&q), &late);
	sign_queue_close(&q);
	assert_null(sign_queue_take(&q));
	assert_int_equal(sign_queue_begin(&q, begun, 1), 0);
	assert_int_equal(sign_queue_put(&q, &late), OC_ERR_CANCELLED);
	sign_queue_fini(&q);
}

/* However many revocations there are, one in four is another's: the one that
 * has waited longest; and the tokens' queues are emptied by lane all the
 * same. */
static void
nobody_starves(void **state)
{
	enum { NUM = 24 };
	struct sign_ticket urgent[NUM], refresh[3], crl = ticket(
	    SIGN_LANE_CRL), *taken;
	struct sign_queue q;
	int num_urgent = 0;

	(void)state;
	assert_int_equal(sign_queue_init(&q, 64), OC_OK);
	crl.since_ns = 2;
	for (int i = 0; i < 3; i++) {
		refresh[i] = ticket(SIGN_LANE_REFRESH);
		/* One is older than the CRL, the others are younger. */
		refresh[i].since_ns = 1 + 2 * i;
		assert_int_equal(sign_queue_put(&q, &refresh[i]), OC_OK);
	}
	assert_int_equal(sign_queue_put(&q, &crl), OC_OK);
	for (int i = 0; i < NUM; i++) {
		urgent[i] = ticket(SIGN_LANE_REVOCATION);
		assert_int_equal(sign_queue_put(&q, &urgent[i]), OC_OK);
	}
	for (int i = 0; i < 12; i++) {
		taken = sign_queue_take(&q);
		if (i == 3)
			assert_ptr_equal(taken, &refresh[0]);
		else if (i == 7)
			assert_ptr_equal(taken, &crl);
		else if (i == 11)
			assert_ptr_equal(taken, &refresh[1]);
		else
			assert_ptr_equal(taken, &urgent[num_urgent++]);
	}
	while (num_urgent < NUM)
		assert_ptr_equal(sign_queue_drain(&q), &urgent[num_urgent++]);
	assert_ptr_equal(sign_queue_take(&q), &refresh[2]);
	sign_queue_fini(&q);
}

/* Takes num of them, pause_ms apart, and leaves what is behind. */
static void
take_slowly(struct sign_queue *q, struct sign_ticket *t, int num,
    int pause_ms)
{
	for (int i = 0; i < num; i++)
		assert_int_equal(sign_queue_put(q, &t[i]), OC_OK);
	for (int i = 0; i < num - 1; i++) {
		assert_non_null(sign_queue_take(q));
		if (i > SIGN_QUEUE_PACE_SKIPPED && pause_ms > 0)
			(void)poll(NULL, 0, pause_ms);
	}
}

/* How fast it goes is known once there was enough to do for long enough, and
 * what the idle take at once is not it. */
static void
pace(void **state)
{
	enum { NUM = SIGN_QUEUE_PACE_SKIPPED + SIGN_QUEUE_PACE_NUM + 3 };
	static struct sign_ticket t[NUM];
	struct sign_queue q;

	(void)state;
	for (int i = 0; i < NUM; i++)
		t[i] = ticket(SIGN_LANE_REFRESH);
	assert_int_equal(sign_queue_init(&q, NUM), OC_OK);
	for (int i = 0; i < 4; i++) {
		take_slowly(&q, t, SIGN_QUEUE_PACE_SKIPPED, 0);
		assert_non_null(sign_queue_take(&q));
	}
	assert_int_equal(sign_queue_each_ns(&q), 0);
	take_slowly(&q, t, NUM, 1);
	assert_true(sign_queue_each_ns(&q) >= OC_NS_PER_MS);
	assert_non_null(sign_queue_take(&q));
	sign_queue_fini(&q);
}

/* From another queue, each finds its place by its age. */
static void
aged(void **state)
{
	struct sign_ticket t[6];
	struct sign_queue from, to;
	struct sign_ticket *moved;

	(void)state;
	assert_int_equal(sign_queue_init(&from, 8), OC_OK);
	assert_int_equal(sign_queue_init(&to, 2), OC_OK);
	for (int i = 0; i < 6; i++) {
		t[i] = ticket(i < 5 ? SIGN_LANE_LIVE : SIGN_LANE_REVOCATION);
		/* Clocks are coarse. */
		t[i].since_ns = i + 1;
	}
	assert_int_equal(sign_queue_put(&to, &t[1]), OC_OK);
	assert_int_equal(sign_queue_put(&to, &t[3]), OC_OK);
	assert_int_equal(sign_queue_put(&from, &t[0]), OC_OK);
	assert_int_equal(sign_queue_put(&from, &t[2]), OC_OK);
	assert_int_equal(sign_queue_put(&from, &t[4]), OC_OK);
	assert_int_equal(sign_queue_put(&from, &t[5]), OC_OK);
	/* Full or not. */
	while ((moved = sign_queue_drain(&from)) != NULL)
		sign_queue_put_aged(&to, moved);
	assert_int_equal(sign_queue_len(&to), 6);
	assert_ptr_equal(sign_queue_take(&to), &t[5]);
	for (int i = 0; i < 5; i++)
		assert_ptr_equal(sign_queue_take(&to), &t[i]);
	sign_queue_fini(&from);
	sign_queue_fini(&to);
}

static void
waiting_ends(void **state)
{
	struct sign_ticket a = ticket(SIGN_LANE_LIVE), *taken = &a;
	int64_t begun_ns = oc_clock_mono_ns();
	struct sign_queue q;

	(void)state;
	assert_int_equal(sign_queue_init(&q, 3), OC_OK);
	assert_int_equal(sign_queue_take_until(&q, begun_ns +
	    20 * OC_NS_PER_MS, &taken), OC_ERR_TIMEOUT);
	assert_null(taken);
	assert_true(oc_clock_mono_ns() - begun_ns >= 20 * OC_NS_PER_MS);
	assert_int_equal(sign_queue_put(&q, &a), OC_OK);
	sign_queue_pause(&q);
	assert_int_equal(sign_queue_take_until(&q, 0, &taken),
	    OC_ERR_TIMEOUT);
	sign_queue_resume(&q);
	/* What is there is taken, however late it is. */
	assert_int_equal(sign_queue_take_until(&q, 0, &taken), OC_OK);
	assert_ptr_equal(taken, &a);
	sign_queue_close(&q);
	assert_int_equal(sign_queue_take_until(&q, INT64_MAX, &taken),
	    OC_ERR_CANCELLED);
	sign_queue_fini(&q);
}

/* What left by itself is not waited for. */
static void
idle(void **state)
{
	struct sign_ticket a = ticket(SIGN_LANE_CRL), b = ticket(
	    SIGN_LANE_CRL), c = ticket(SIGN_LANE_LIVE), *begun[4];
	struct sign_queue q;

	(void)state;
	assert_int_equal(sign_queue_init(&q, 2), OC_OK);
	assert_true(sign_queue_is_idle(&q));
	assert_int_equal(sign_queue_put(&q, &a), OC_OK);
	assert_int_equal(sign_queue_put(&q, &b), OC_OK);
	assert_false(sign_queue_is_idle(&q));
	assert_int_equal(sign_queue_begin(&q, begun, 1), 1);
	assert_ptr_equal(begun[0], &a);
	assert_true(sign_queue_remove(&b));
	assert_false(sign_queue_is_idle(&q));
	sign_queue_done(&q, 1);
	assert_true(sign_queue_is_idle(&q));
	/* What waits together is begun together, and done by and by. */
	assert_int_equal(sign_queue_put(&q, &b), OC_OK);
	assert_int_equal(sign_queue_put(&q, &c), OC_OK);
	assert_int_equal(sign_queue_begin(&q, begun, 4), 2);
	assert_ptr_equal(begun[0], &c);
	assert_ptr_equal(begun[1], &b);
	sign_queue_done(&q, 1);
	assert_false(sign_queue_is_idle(&q));
	sign_queue_done(&q, 1);
	assert_true(sign_queue_is_idle(&q));
	assert_int_equal(sign_queue_put(&q, &a), OC_OK);
	assert_ptr_equal(sign_queue_take(&q), &a);
	assert_true(sign_queue_is_idle(&q));
	sign_queue_fini(&q);
}

/* Who waits, for how long, and who has waited; the cancelled have not. */
static void
lanes(void **state)
{
	struct sign_ticket live = ticket(SIGN_LANE_LIVE),
	    late = ticket(SIGN_LANE_LIVE), crl = ticket(SIGN_LANE_CRL);
	struct sign_queue_lane seen[SIGN_LANE_MAX];
	int64_t begun_ns = oc_clock_mono_ns(), taken_ns;
	struct sign_queue q;

	(void)state;
	assert_int_equal(sign_queue_init(&q, 8), OC_OK);
	assert_int_equal(sign_queue_put(&q, &live), OC_OK);
	assert_int_equal(sign_queue_put(&q, &late), OC_OK);
	assert_int_equal(sign_queue_put(&q, &crl), OC_OK);
	(void)poll(NULL, 0, 20);
	sign_queue_look(&q, seen);
	assert_int_equal(seen[SIGN_LANE_LIVE].num_tickets, 2);
	assert_int_equal(seen[SIGN_LANE_CRL].num_tickets, 1);
	assert_int_equal(seen[SIGN_LANE_REFRESH].num_tickets, 0);
	assert_int_equal(seen[SIGN_LANE_REFRESH].oldest_ns, 0);
	assert_int_equal(seen[SIGN_LANE_LIVE].num_taken, 0);
	assert_true(seen[SIGN_LANE_LIVE].oldest_ns >= 19 * OC_NS_PER_MS);
	assert_true(seen[SIGN_LANE_LIVE].oldest_ns <=
	    oc_clock_mono_ns() - begun_ns);

	assert_ptr_equal(sign_queue_take(&q), &live);
	taken_ns = oc_clock_mono_ns();
	assert_true(sign_queue_remove(&late));
	assert_ptr_equal(sign_queue_drain(&q), &crl);
	sign_queue_look(&q, seen);
	assert_int_equal(seen[SIGN_LANE_LIVE].num_tickets, 0);
	assert_int_equal(seen[SIGN_LANE_LIVE].num_taken, 1);
	assert_true(seen[SIGN_LANE_LIVE].waited_ns >=
	    (uint64_t)(19 * OC_NS_PER_MS));
	assert_true(seen[SIGN_LANE_LIVE].waited_ns <=
	    (uint64_t)(taken_ns - begun_ns));
	assert_int_equal(seen[SIGN_LANE_LIVE].oldest_ns, 0);
	assert_int_equal(seen[SIGN_LANE_CRL].num_taken, 0);
	sign_queue_fini(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgent_first),
		cmocka_unit_test(nobody_starves),
		cmocka_unit_test(pace),
		cmocka_unit_test(aged),
		cmocka_unit_test(waiting_ends),
		cmocka_unit_test(idle),
		cmocka_unit_test(lanes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
