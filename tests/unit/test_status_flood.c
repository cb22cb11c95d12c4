/* SPDX-License-Identifier: Apache-2.0 */
/* The status service, to which a great many revocations come at once. */
#include "tests/unit/status_fixture.h"

#define USUAL OCSP_ENCODING_USUAL

static bool
is_in_table(struct world *w, uint64_t n, uint8_t encoding,
    enum ocsp_cert_status kind)
{
	struct ocsp_slot slot;

	return world_look(w, n, encoding, &slot) && slot.status.kind == kind;
}

static void
note_done(void *arg)
{
	++*(int *)arg;
}

static void
nudge(struct world *w, int *done)
{
	*done = 0;
	assert_int_equal(status_service_nudge(w->service, note_done, done),
	    OC_OK);
}

/* Of very many revocations at once none is called good any more, whoever asks
 * about one is answered before the rest, and nobody waits for all of them. */
static void
test_flood(void **state)
{
	enum { URGENT_MAX = 256,
		NUM = URGENT_MAX + STATUS_URGENT_MAX + 40 };
	struct world *w = *state;
	struct reply reply = { 0 };
	struct oc_serial serial = world_serial(1);
	struct ocsp_slot slot;
	uint64_t asked = 1;
	int done;

	world_issue_many(w, 1, NUM + 1);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	w->service->nudge_urgent_max = URGENT_MAX;
	world_until(w, world_num_slots(w) == NUM + 1);
	sign_soft_hold(w->gate.soft);
	assert_int_equal(store_begin_group(w->store), OC_OK);
	for (uint64_t n = 1; n <= NUM; n++)
		world_revoke(w, n, CRL_REASON_KEY_COMPROMISE);
	assert_int_equal(store_commit_group(w->store), OC_OK);
	nudge(w, &done);
	world_until(w, w->service->nudges == NULL ||
	    w->service->nudges->is_known);
	for (uint64_t n = 1; n <= NUM; n++)
		assert_false(world_look(w, n, USUAL, &slot));
	world_turn(w, 0);
	assert_int_equal(done, 1);
	assert_true(is_in_table(w, NUM + 1, USUAL, OCSP_GOOD));
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_REVOCATION],
	    STATUS_URGENT_MAX);
	/* One whose turn it is not. */
	while (status_service_find_flight(w->service, &serial, USUAL) !=
	    NULL)
		serial = world_serial(++asked);
	world_ask(w, asked, USUAL, &reply);
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_LIVE], 1);
	sign_soft_release(w->gate.soft);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_true(is_in_table(w, asked, USUAL, OCSP_REVOKED));
	world_until(w, world_num_slots(w) == NUM + 1);
	nudge(w, &done);
	world_until(w, done == 1);
	for (uint64_t n = 1; n <= NUM; n++)
		assert_true(is_in_table(w, n, USUAL, OCSP_REVOKED));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flood, world_setup,
		    world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
