/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The continuity horizon: held against sorting, with what does not count left
 * out; and over a real service, from the table to the figure.
 */
#include "tests/unit/status_fixture.h"

#include "status/horizon.h"

#define NOW INT64_C(1800000000)
#define LIFE (4 * 86400)
#define NEVER INT64_C(4000000000)

static struct status_horizon_pass pass;

static void
add(int64_t next_update, int64_t not_after)
{
	const struct ocsp_slot slot = { .produced_at = next_update - LIFE,
	    .next_update = next_update };

	status_horizon_add(&pass, &slot, not_after);
}

static struct status_horizon
end(void)
{
	struct status_horizon h;

	memset(&h, 0xa5, sizeof(h));
	status_horizon_end(&pass, NOW + 3, &h);
	assert_false(pass.is_under_way);
	return h;
}

static void
test_empty(void **state)
{
	struct status_horizon h;

	(void)state;
	status_horizon_begin(&pass, NOW, LIFE);
	assert_true(pass.is_under_way);
	h = end();
	assert_int_equal(h.begun_at, NOW);
	assert_int_equal(h.as_of, NOW + 3);
	assert_int_equal(h.num_answers, 0);
	assert_int_equal(h.first_stale_at, 0);
	assert_int_equal(h.half_stale_at, 0);
	assert_int_equal(h.oldest_produced_at, 0);
}

static void
test_few(void **state)
{
	struct status_horizon h;

	(void)state;
	status_horizon_begin(&pass, NOW, LIFE);
	add(NOW + 5000, NEVER);
	h = end();
	assert_int_equal(h.first_stale_at, NOW + 5000);
	assert_int_equal(h.half_stale_at, NOW + 5000);
	assert_int_equal(h.oldest_produced_at, NOW + 5000 - LIFE);

	status_horizon_begin(&pass, NOW, LIFE);
	add(NOW + 9000, NEVER);
	add(NOW + 5000, NEVER);
	add(NOW + 70000, NEVER);
	h = end();
	assert_int_equal(h.num_answers, 3);
	assert_int_equal(h.first_stale_at, NOW + 5000);
	assert_int_equal(h.half_stale_at, NOW + 9000);

	/* Of four, half are two. */
	status_horizon_begin(&pass, NOW, LIFE);
	add(NOW + 9000, NEVER);
	add(NOW + 5000, NEVER);
	add(NOW + 70000, NEVER);
	add(NOW + 80000, NEVER);
	h = end();
	assert_int_equal(h.half_stale_at, NOW + 9000);
}

/* What ends with its certificate, and what is stale already. */
static void
test_left_out(void **state)
{
	struct status_horizon h;

	(void)state;
	status_horizon_begin(&pass, NOW, LIFE);
	add(NOW + 10, NOW + 10);
	add(NOW - 10, NOW - 10);
	add(NOW, NEVER);
	add(NOW - 1, NEVER);
	add(NOW + 1, NEVER);
	add(NOW + 1, NOW + 2);
	h = end();
	assert_int_equal(h.num_ending, 2);
	assert_int_equal(h.num_stale, 2);
	assert_int_equal(h.num_answers, 2);
	assert_int_equal(h.first_stale_at, NOW + 1);
}

/* Answers from before ocsp-lifetime was made shorter. */
static void
test_far(void **state)
{
	struct status_horizon h;

	(void)state;
	status_horizon_begin(&pass, NOW, 3600);
	add(NOW + 30 * 86400, NEVER);
	add(NOW + 40 * 86400, NEVER);
	add(NOW + 20 * 86400, NEVER);
	h = end();
	assert_int_equal(h.num_answers, 3);
	assert_int_equal(h.first_stale_at, NOW + 20 * 86400);
	assert_int_equal(h.half_stale_at, NOW + 20 * 86400);
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

#define NUM_MANY 5001
static void
test_many(void **state)
{
	static int64_t at[NUM_MANY];
	uint64_t chance = 20261126;
	struct status_horizon h;
	uint32_t number;
	size_t i;
	int round;

	(void)state;
	for (round = 0; round < 20; round++) {
		status_horizon_begin(&pass, NOW, LIFE);
		for (i = 0; i < NUM_MANY; i++) {
			test_random_fill(&chance, (uint8_t *)&number,
			    sizeof(number));
			at[i] = NOW + 1 + number % LIFE;
			add(at[i], NEVER);
		}
		qsort(at, NUM_MANY, sizeof(at[0]), compare);
		h = end();
		assert_int_equal(h.first_stale_at, at[0]);
		assert_int_equal(h.oldest_produced_at, at[0] - LIFE);
		assert_true(h.half_stale_at <= at[NUM_MANY / 2]);
		assert_true(h.half_stale_at >=
		    at[NUM_MANY / 2] - LIFE / 1000);
	}
}

/* --- the service ------------------------------------------------------- */

static struct status_horizon
horizon_of(const struct world *w)
{
	struct status_service_report report;

	status_service_report(w->service, &report);
	return report.horizon;
}

static void
test_service(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s(), first = INT64_MAX;
	struct status_horizon h;
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= 9; n++)
		world_issue(w, n, now + YEAR);
	world_issue(w, 10, now + 600);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 10);
	for (uint64_t n = 1; n <= 9; n++) {
		assert_true(world_look(w, n, OCSP_ENCODING_USUAL, &slot));
		if (slot.next_update < first)
			first = slot.next_update;
	}
	/* The pass before may have been too early for some. */
	w->skip_s += STATUS_HORIZON_PAUSE_S;
	world_until(w, horizon_of(w).num_answers == 9);
	h = horizon_of(w);
	assert_int_equal(h.first_stale_at, first);
	assert_true(h.half_stale_at >= first);
	assert_true(h.half_stale_at <= now + w->issuer.ocsp_lifetime_s + 5);
	assert_int_equal(h.num_ending, 1);
	assert_int_equal(h.num_stale, 0);
	assert_true(h.as_of >= now);
	assert_true(h.oldest_produced_at >= now - 1);

	/* Not again before its time, whatever changes. */
	world_issue(w, 11, now + YEAR);
	world_until(w, world_num_slots(w) == 11);
	world_idle(w, 100);
	assert_int_equal(horizon_of(w).as_of, h.as_of);

	/* The token dies, and all of it comes. */
	w->gate.refuse = OC_ERR_DOWN;
	w->skip_s += w->issuer.ocsp_lifetime_s + 10;
	world_until(w, horizon_of(w).num_stale == 10);
	h = horizon_of(w);
	assert_int_equal(h.num_answers, 0);
	assert_int_equal(h.first_stale_at, 0);
}

/* More slots than one tick looks at: the last figure stays until all are. */
static void
test_in_parts(void **state)
{
	struct world *w = *state;
	const uint64_t num = STATUS_HORIZON_SLOTS + 100;

	world_issue_many(w, 1, num);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	while (world_num_slots(w) < num)
		world_turn(w, 20);
	w->skip_s += STATUS_HORIZON_PAUSE_S;
	world_until(w, horizon_of(w).num_answers == num);
	w->skip_s += STATUS_HORIZON_PAUSE_S;
	world_turn(w, 0);
	assert_true(w->service->pass.is_under_way);
	assert_int_equal(horizon_of(w).num_answers, num);
	world_turn(w, 0);
	assert_false(w->service->pass.is_under_way);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
    world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_few),
		cmocka_unit_test(test_left_out), cmocka_unit_test(test_far),
		cmocka_unit_test(test_many),
		T(test_service), T(test_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
