/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed for one question, and what is signed while things change: how
 * long it is good, when it is not begun, and what is not said in the end.
 */
#include "tests/unit/status_fixture.h"

#define USUAL OCSP_ENCODING_USUAL
#define SHA256_NULL OCSP_ENCODING(OCSP_HASH_SHA256, 0)

/* No longer than the first of the certificates that it is about. */
static void
test_ends_with_the_first(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	static const uint64_t both[] = { 1, 2 };
	struct reply one = { 0 }, two = { 0 };

	world_issue(w, 1, now + YEAR);
	world_issue(w, 2, now + 3600);
	world_start(w);
	world_ask_live(w, &both[1], 1, 32, &one);
	world_ask_live(w, both, 2, 0, &two);
	world_until(w, one.num == 1 && two.num == 1);
	assert_int_equal(one.kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(one.next_update, now + 3600);
	assert_int_equal(two.kind, IPC_ANSWER_RESPONSE);
	assert_int_equal(two.next_update, now + 3600);
}

/* However large the budget: no more than the token gives back soon.  A nonce
 * is answered without, several certificates get tryLater, both at once. */
static void
test_more_than_the_token_has(void **state)
{
	struct world *w = *state;
	static const uint64_t both[] = { 1, 2 };
	struct reply waiting = { 0 }, nonce = { 0 }, several = { 0 };
	uint32_t num_taken;

	w->budget.rate = 1000000;
	world_issue_many(w, 1, 2);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	for (int i = 0; i < 1000; i++)
		world_ask_live(w, both, 1, 32, &waiting);
	num_taken = w->gate.num_submitted;
	assert_in_range(num_taken, 1, 100);
	assert_int_equal(waiting.num, 1000 - (int)num_taken);
	assert_int_equal(waiting.kind, IPC_ANSWER_NO_NONCE);
	world_ask_live(w, both, 1, 32, &nonce);
	world_ask_live(w, both, 2, 0, &several);
	assert_int_equal(nonce.num, 1);
	assert_int_equal(nonce.kind, IPC_ANSWER_NO_NONCE);
	assert_int_equal(several.num, 1);
	assert_int_equal(several.status, OCSP_TRY_LATER);
	assert_true(several.retry_after_s > 0);
	sign_soft_release(w->gate.soft);
	world_until(w, waiting.num == 1000);
	assert_int_equal(world_num_signed(w), num_taken);
	/* And then as ever. */
	nonce.num = 0;
	world_ask_live(w, both, 1, 32, &nonce);
	world_until(w, nonce.num == 1);
	assert_int_equal(nonce.kind, IPC_ANSWER_RESPONSE);
}

/* Revoked while it is away, and what would take its place is not to be had
 * yet: it is of no use when it comes. */
static void
test_revoked_and_busy(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;

	world_issue_many(w, 1, 1);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	world_ask(w, 1, USUAL, &reply);
	assert_int_equal(w->gate.num_submitted, 1);
	w->gate.refuse = OC_ERR_BUSY;
	w->never_good = world_serial(1);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_until(w, w->gate.num_refused > 0);
	assert_int_equal(reply.num, 0);
	sign_soft_release(w->gate.soft);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_false(world_look(w, 1, USUAL, &slot));
	w->gate.refuse = OC_OK;
	w->skip_s += STATUS_RETRY_S + 1;
	world_until(w, world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
}

/* While the clock is not believed nothing is signed, whoever asks. */
static void
test_clock_jumped(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 };
	struct reply usual = { 0 }, nonce = { 0 };

	world_set_clock(w, 0);
	world_issue_many(w, 1, 3);
	world_start(w);
	world_stop(w);
	world_set_clock(w, 86400);
	world_start(w);
	world_ask(w, 1, SHA256_NULL, &usual);
	world_ask_live(w, one, 1, 32, &nonce);
	assert_int_equal(usual.num, 1);
	assert_int_equal(usual.status, OCSP_TRY_LATER);
	assert_int_equal(nonce.num, 1);
	assert_int_equal(nonce.kind, IPC_ANSWER_ERROR);
	assert_int_equal(nonce.status, OCSP_TRY_LATER);
	assert_int_equal(w->gate.num_submitted, 0);
	world_set_clock(w, 0);
	world_ask(w, 1, SHA256_NULL, &usual);
	world_until(w, usual.num == 2);
	assert_int_equal(usual.kind, IPC_ANSWER_TABLE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
    world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ends_with_the_first), T(test_more_than_the_token_has),
		T(test_revoked_and_busy), T(test_clock_jumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
