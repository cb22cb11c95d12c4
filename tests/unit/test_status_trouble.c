/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status service when something is wrong: no signer, a full queue, a
 * full disk, a source that fails, a restart, the end with work under way.
 */
#include <signal.h>
#include <sys/resource.h>

#include "ocsp/table_private.h"
#include "tests/unit/status_fixture.h"

#define USUAL OCSP_ENCODING_USUAL

/* In front of the feed: its source has not returned for so long. */
static int64_t stuck_s;

int64_t __wrap_status_feed_stuck_ns(const struct status_feed *feed);

int64_t
__wrap_status_feed_stuck_ns(const struct status_feed *feed)
{
	assert_non_null(feed);
	return stuck_s * OC_NS_PER_S;
}

/* Nor does anything arrive that its thread says of the source meanwhile. */
static bool is_feed_cut;

void __real_status_feed_dispatch(struct status_feed *feed,
    status_batch_fn *fn, void *arg);
void __wrap_status_feed_dispatch(struct status_feed *feed,
    status_batch_fn *fn, void *arg);

void
__wrap_status_feed_dispatch(struct status_feed *feed, status_batch_fn *fn,
    void *arg)
{
	if (!is_feed_cut)
		__real_status_feed_dispatch(feed, fn, arg);
}

static int
setup(void **state)
{
	stuck_s = 0;
	is_feed_cut = false;
	return world_setup(state);
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

static uint32_t
num_due(const struct world *w)
{
	struct status_service_report report;

	status_service_report(w->service, &report);
	return report.num_due;
}

static void
test_signer_fails(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;
	int done;

	world_issue_many(w, 1, 100);
	world_start(w);
	w->gate.fail = OC_ERR_DOWN;
	for (uint64_t n = 1; n <= 50; n++)
		world_ask(w, n, USUAL, &reply);
	world_until(w, reply.num == 50);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(reply.retry_after_s, STATUS_RETRY_S);
	assert_int_equal(world_num_lines(w, "no signature: "), 1);
	/* Whoever asks in vain leaves nothing behind. */
	assert_int_equal(num_due(w), 0);
	/* A revocation is known and withdrawn; for the signature nobody has
	 * to wait. */
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	world_until(w, done == 1);
	assert_int_equal(num_due(w), 1);
	w->gate.fail = OC_OK;
	w->skip_s = STATUS_RETRY_S + 1;
	world_until(w, world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	world_ask(w, 2, USUAL, &reply);
	world_until(w, reply.num == 51);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_lines(w, "no signature: "), 1);
	assert_int_equal(world_num_lines(w, "answers again"), 1);
}

static void
test_signer_refuses(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	static const uint64_t one[] = { 1 };

	world_issue_many(w, 1, 10);
	world_start(w);
	w->gate.refuse = OC_ERR_DOWN;
	for (uint64_t n = 1; n <= 10; n++) {
		world_ask(w, n, USUAL, &reply);
		world_ask_live(w, one, 1, 16, &reply);
	}
	assert_int_equal(reply.num, 20);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(world_num_lines(w, "no signature: "), 1);
	assert_int_equal(w->service->num_waiters, 0);
	assert_int_equal(w->service->num_flights, 0);
	assert_int_equal(num_due(w), 0);
	w->gate.refuse = OC_OK;
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 21);
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
}

/* With everything to be signed and nothing that signs, a tick costs little
 * and the log says it once; when it comes back all is signed. */
static void
test_presign_while_down(void **state)
{
	struct world *w = *state;

	world_issue_many(w, 1, 200);
	w->issuer.presign = OC_PRESIGN_ALL;
	w->gate.refuse = OC_ERR_DOWN;
	world_start(w);
	world_idle(w, 300);
	assert_true(w->gate.num_refused < 100);
	assert_int_equal(world_num_lines(w, "no signature: "), 1);
	assert_int_equal(num_due(w), 200);
	w->gate.refuse = OC_OK;
	w->skip_s = STATUS_RETRY_S + 1;
	world_until(w, world_num_slots(w) == 200);
	assert_int_equal(world_num_signed(w), 200);
}

/* A queue that others fill: 5000 revocations at once. */
static void
test_mass_revocation(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;
	int done, num_lines;

	world_issue_many(w, 1, 5000);
	world_start(w);
	num_lines = world_num_lines(w, "");
	w->gate.refuse = OC_ERR_BUSY;
	assert_int_equal(store_begin_group(w->store), OC_OK);
	for (uint64_t n = 1; n <= 5000; n++)
		world_revoke(w, n, CRL_REASON_CA_COMPROMISE);
	assert_int_equal(store_commit_group(w->store), OC_OK);
	nudge(w, &done);
	world_idle(w, 500);
	assert_int_equal(done, 0);
	assert_true(w->gate.num_refused > 0);
	w->gate.refuse = OC_OK;
	/* Done means done: all of them. */
	world_until(w, done == 1);
	assert_int_equal(world_num_slots(w), 5000);
	for (uint64_t n = 1; n <= 5000; n++) {
		assert_true(world_look(w, n, USUAL, &slot));
		assert_int_equal(slot.status.kind, OCSP_REVOKED);
	}
	assert_int_equal(world_num_signed(w), 5000);
	assert_int_equal(w->gate.num_in_lane[SIGN_LANE_REVOCATION], 5000);
	assert_int_equal(world_num_lines(w, ""), num_lines);
}

static void
test_restart(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;
	unsigned long num_signed;

	world_issue_many(w, 1, 50);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 50);
	world_idle(w, 50);
	num_signed = world_num_signed(w);
	world_stop(w);

	world_start(w);
	world_idle(w, 300);
	assert_int_equal(world_num_signed(w), num_signed);
	assert_int_equal(world_num_slots(w), 50);
	world_stop(w);

	/* Revoked while nobody looked: withdrawn before anybody may. */
	world_revoke(w, 9, CRL_REASON_KEY_COMPROMISE);
	sign_soft_hold(w->gate.soft);
	world_open(w);
	assert_false(world_look(w, 9, USUAL, &slot));
	/* The others are served while all is read again. */
	assert_true(ocsp_table_is_ready(w->reader));
	assert_true(world_look(w, 8, USUAL, &slot));
	assert_false(status_service_is_ready(w->service));
	while (!status_service_is_ready(w->service))
		world_turn(w, 5);
	assert_false(world_look(w, 9, USUAL, &slot));
	w->never_good = world_serial(9);
	sign_soft_release(w->gate.soft);
	world_until(w, world_look(w, 9, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	world_idle(w, 100);
	assert_int_equal(world_num_signed(w), num_signed + 1);
}

/* Also where only what was asked for is signed: it had been asked for. */
static void
test_restart_asked(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;
	const uint8_t encoding = OCSP_ENCODING(OCSP_HASH_SHA256, 1);

	world_issue_many(w, 1, 5);
	world_start(w);
	world_ask(w, 1, encoding, &reply);
	world_ask(w, 2, encoding, &reply);
	world_until(w, reply.num == 2);
	world_stop(w);
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	world_start(w);
	assert_false(world_look(w, 2, encoding, &slot) &&
	    slot.status.kind == OCSP_GOOD);
	world_until(w, world_look(w, 2, encoding, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_signed(w), 3);
}

/*
 * Many certificates: long before all of them are known again, what was
 * revoked meanwhile is signed, also for who asks, what is revoked just now is
 * withdrawn, and what is in the table is answered.
 */
static void
test_restart_many(void **state)
{
	struct world *w = *state;
	struct reply revoked = { 0 }, good = { 0 }, unknown = { 0 };
	struct ocsp_slot slot;
	uint64_t n;

	world_issue_many(w, 1, 30000);
	world_start(w);
	for (n = 1; n <= 3; n++)
		world_ask(w, n, USUAL, &good);
	world_until(w, good.num == 3);
	world_stop(w);
	world_revoke(w, 1, CRL_REASON_KEY_COMPROMISE);
	world_open(w);
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	assert_true(status_service_is_current(w->service));
	world_ask(w, 3, USUAL, &good);
	assert_int_equal(good.num, 4);
	assert_int_equal(good.kind, IPC_ANSWER_TABLE);
	world_ask(w, 1, USUAL, &revoked);
	world_ask(w, 29999, USUAL, &unknown);
	world_until(w, revoked.num == 1 && world_look(w, 1, USUAL, &slot));
	assert_int_equal(revoked.kind, IPC_ANSWER_TABLE);
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_false(status_service_is_ready(w->service));
	assert_int_equal(unknown.num, 0);
	while (!status_service_is_ready(w->service)) {
		world_turn(w, 5);
		if (world_look(w, 2, USUAL, &slot))
			n += slot.status.kind == OCSP_REVOKED;
	}
	assert_true(n > 4);
	world_until(w, unknown.num == 1);
	assert_int_equal(unknown.kind, IPC_ANSWER_TABLE);
	/* All of it is in order, each slot once. */
	assert_int_equal(status_set_num(w->service->set), 30000);
	world_until(w, !w->service->is_sweeping);
	assert_int_equal(world_num_slots(w), 4);
	assert_int_equal(w->service->sweep.num_withdrawn, 0);
}

static void
test_not_ready(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	world_issue_many(w, 1, 1);
	world_open(w);
	world_ask(w, 1, USUAL, &reply);
	assert_int_equal(reply.num, 0);
	world_until(w, reply.num == 1);
	assert_true(status_service_is_ready(w->service));
	assert_int_equal(reply.kind, IPC_ANSWER_TABLE);
}

/* It ends before it was ready: who asked is sent away, once. */
static void
test_never_ready(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };

	world_issue_many(w, 1, 1);
	world_open(w);
	world_ask(w, 1, USUAL, &reply);
	assert_int_equal(reply.num, 0);
	world_stop(w);
	assert_int_equal(reply.num, 1);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
}

static void
test_second_writer(void **state)
{
	struct world *w = *state;
	const struct status_service_plan plan = { &w->config, &w->ocsp,
		&w->gate.signer, &w->budget };
	struct status_service *second = NULL;
	struct oc_error error = { 0 };

	world_start(w);
	assert_int_equal(status_service_new(&plan, &second, &error),
	    OC_ERR_BUSY);
	assert_null(second);
	assert_true(ocsp_table_is_ready(w->service->table));
}

/* The table's file may not grow: the first 4096 fit, then nobody's does. */
static void
test_table_full(void **state)
{
	struct world *w = *state;
	struct rlimit whole, small;
	struct reply reply = { 0 };
	struct ocsp_slot slot;
	unsigned long num_signed;
	uint64_t n = 1;

	w->issuer.presign = OC_PRESIGN_ALL;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
	world_start(w);
	/* After the start: what is known then has room. */
	world_issue_many(w, 1, 4200);
	/* Room for a few lines of the log, not for twice the table. */
	small = (struct rlimit){ 65536, whole.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	world_until(w, !w->service->is_table_well);
	world_until(w, w->service->num_flights == 0);
	num_signed = world_num_signed(w);
	world_idle(w, 500);
	/* Nothing is signed for the bin, but one now and then to see. */
	assert_true(world_num_signed(w) <= num_signed + 1);
	while (world_look(w, n, USUAL, &slot))
		n++;
	world_ask(w, n, USUAL, &reply);
	world_until(w, reply.num == 1);
	assert_int_equal(reply.kind, IPC_ANSWER_RESPONSE);
	assert_true(reply.response_len > 100);
	/* And what is signed so is within the budget. */
	w->budget.rate = 0;
	world_ask(w, n, USUAL, &reply);
	assert_int_equal(reply.num, 2);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
	w->skip_s = STATUS_RETRY_S + 1;
	world_until(w, world_num_slots(w) == 4200);
	assert_int_equal(world_num_lines(w, "takes responses again"), 1);
	assert_int_equal(world_num_lines(w, "takes nothing"), 1);
}

/* Freed with signatures away and people waiting: each is told. */
static void
test_free_in_flight(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 }, two[] = { 1, 2 };
	struct reply reply = { 0 };
	int done = 0;

	world_issue_many(w, 1, 20);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	for (uint64_t n = 1; n <= 20; n++) {
		world_ask(w, n, USUAL, &reply);
		world_ask(w, n, USUAL, &reply);
	}
	world_ask_live(w, one, 1, 32, &reply);
	world_ask_live(w, two, 2, 0, &reply);
	world_revoke(w, 3, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	world_idle(w, 100);
	assert_int_equal(reply.num, 0);
	assert_int_equal(done, 0);
	world_stop(w);
	assert_int_equal(reply.num, 42);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_true(reply.retry_after_s > 0);
	assert_int_equal(done, 1);
	sign_soft_release(w->gate.soft);
}

static void
test_free_at_once(void **state)
{
	struct world *w = *state;

	world_issue_many(w, 1, 2000);
	world_open(w);
	world_stop(w);
	status_service_free(NULL);
}

static void
test_too_many_waiters(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 };
	struct reply waiting = { 0 }, late = { 0 };

	world_issue_many(w, 1, 3);
	world_start(w);
	sign_soft_hold(w->gate.soft);
	for (int i = 0; i < STATUS_WAITERS_MAX; i++)
		world_ask(w, 1, USUAL, &waiting);
	assert_int_equal(waiting.num, 0);
	world_ask(w, 1, USUAL, &late);
	world_ask(w, 2, USUAL, &late);
	world_ask_live(w, one, 1, 32, &late);
	assert_int_equal(late.num, 3);
	assert_int_equal(late.status, OCSP_TRY_LATER);
	assert_true(late.retry_after_s > 0);
	sign_soft_release(w->gate.soft);
	world_until(w, waiting.num == STATUS_WAITERS_MAX);
	assert_int_equal(world_num_signed(w), 1);
	world_ask(w, 2, USUAL, &late);
	world_until(w, late.num == 4);
	assert_int_equal(late.kind, IPC_ANSWER_TABLE);
}

static void
test_expired_signer(void **state)
{
	struct world *w = *state;
	static const uint64_t one[] = { 1 };
	struct reply reply = { 0 };
	int done;

	world_set_delegate(w, oc_clock_now_s() - 10);
	world_issue_many(w, 1, 30);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_ask_live(w, one, 1, 32, &reply);
	assert_int_equal(reply.num, 2);
	assert_int_equal(reply.kind, IPC_ANSWER_ERROR);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	nudge(w, &done);
	world_until(w, done == 1);
	world_idle(w, 300);
	assert_int_equal(w->gate.num_submitted, 0);
	assert_int_equal(world_num_lines(w, "has expired"), 1);
	assert_int_equal(world_num_lines(w, ": error: "), 1);
}

/* While the source fails nothing is claimed to be known later than it was,
 * and what was known stays. */
static void
test_source_fails(void **state)
{
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;
	static const uint64_t never[] = { 99 };

	world_issue_many(w, 1, 3);
	world_start(w);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 1);
	/* As the feed says it; how it comes to, is the feed's test. */
	is_feed_cut = true;
	w->service->is_source_well = false;
	w->service->known_at = oc_clock_now_s() - 86400;
	world_ask(w, 2, USUAL, &reply);
	world_until(w, reply.num == 2);
	assert_true(world_look(w, 2, USUAL, &slot));
	assert_int_equal(slot.this_update, w->service->known_at - 3600);
	assert_int_equal(slot.next_update, slot.this_update + 4 * 86400 - 1);
	/* What was never heard of may have been issued since. */
	world_ask_live(w, never, 1, 0, &reply);
	assert_int_equal(reply.num, 3);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	/* Nothing can be renewed, so nothing is. */
	w->skip_s = 2 * 86400;
	world_idle(w, 100);
	assert_int_equal(world_num_signed(w), 2);
	assert_int_equal(num_due(w), 2);
	/* After all of a life nothing is said any more. */
	w->service->known_at = oc_clock_now_s() - 5 * 86400;
	world_ask(w, 3, USUAL, &reply);
	assert_int_equal(reply.num, 4);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	/* And when it is well again all goes on. */
	is_feed_cut = false;
	w->service->is_source_well = true;
	w->skip_s += STATUS_SOURCE_RETRY_S + 1;
	world_until(w, world_num_signed(w) > 2);
}

/* What is due and would not last longer is looked at again and again, but not
 * all of it in one turn. */
static void
test_many_without_gain(void **state)
{
	struct world *w = *state;
	const struct ocsp_refresh *due;
	int64_t ahead_s = 3 * 86400 + 3600;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, STATUS_PUMP_MAX + 1000);
	world_start(w);
	due = &w->service->agenda.slots;
	world_until(w, world_num_slots(w) == STATUS_PUMP_MAX + 1000);
	is_feed_cut = true;
	w->service->is_source_well = false;
	w->service->known_at = oc_clock_now_s() - 86400;
	status_service_tick(w->service, oc_clock_now_s() + ahead_s);
	assert_true(ocsp_refresh_next_at(due) <= oc_clock_now_s() + ahead_s);
	w->skip_s = ahead_s;
	world_until(w, ocsp_refresh_next_at(due) > oc_clock_now_s() + ahead_s);
	assert_int_equal(w->gate.num_submitted, STATUS_PUMP_MAX + 1000);
}

/* One that hangs is no better than one that fails: what is signed now was
 * known before, and who is not known may have been issued since. */
static void
test_source_hangs(void **state)
{
	static const uint64_t never[] = { 99 };
	struct world *w = *state;
	struct reply reply = { 0 };
	struct ocsp_slot slot;
	int64_t now;

	world_issue_many(w, 1, 2);
	world_start(w);
	stuck_s = STATUS_SOURCE_STUCK_S - 1;
	world_idle(w, 1500);
	assert_true(w->service->is_source_well);
	stuck_s = 5000;
	is_feed_cut = true;
	now = oc_clock_now_s();
	world_until(w, !w->service->is_source_well);
	world_ask(w, 1, USUAL, &reply);
	world_until(w, reply.num == 1);
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_in_range(slot.this_update, now - 5000 - 3600,
	    now - 5000 - 3600 + 10);
	world_ask_live(w, never, 1, 0, &reply);
	assert_int_equal(reply.num, 2);
	assert_int_equal(reply.status, OCSP_TRY_LATER);
	assert_int_equal(world_num_lines(w, "the source fails: it does not "
	    "answer"), 1);
	/* It does. */
	stuck_s = 0;
	is_feed_cut = false;
	world_issue(w, 3, now + YEAR);
	world_until(w, w->service->is_source_well);
	assert_string_equal(w->service->source_error, "");
}

static void
test_no_certificate(void **state)
{
	struct world *w = *state;
	const struct status_service_plan plan = { &w->config, &w->ocsp,
		&w->gate.signer, &w->budget };
	struct status_service *service = NULL;
	struct oc_error error = { 0 };

	assert_int_equal(unlink(w->issuer.certificate), 0);
	assert_int_equal(status_service_new(&plan, &service, &error),
	    OC_ERR_NOT_FOUND);
	assert_null(service);
	assert_true(strstr(error.text, "ca.pem") != NULL);
}

/* A response past its time, which nobody could renew, has made room for
 * another's: when there is somebody who signs, it is signed again. */
static void
test_room_made(void **state)
{
	struct oc_serial two = world_serial(2);
	struct world *w = *state;
	struct ocsp_slot slot;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 3);
	world_start(w);
	world_until(w, world_num_slots(w) == 3);
	world_idle(w, 100);
	/* As the table does it; when it does, is the table's test. */
	ocsp_table_withdraw(w->service->table, &two);
	w->service->table->has_freed = true;
	world_until(w, world_look(w, 2, USUAL, &slot));
}

/* A start while the clock is a month ahead: by what it should say all is still
 * valid, nothing could be signed again, and so nothing is thrown away. */
static void
test_clock_ahead(void **state)
{
	struct world *w = *state;

	world_set_clock(w, 0);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 5);
	world_start(w);
	world_until(w, world_num_slots(w) == 5);
	world_stop(w);
	world_set_clock(w, 30 * 86400);
	world_start(w);
	assert_int_equal(world_num_slots(w), 5);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_clock_ahead),
		T(test_signer_fails), T(test_signer_refuses),
		T(test_presign_while_down), T(test_mass_revocation),
		T(test_restart), T(test_restart_asked), T(test_restart_many),
		T(test_not_ready), T(test_never_ready),
		T(test_second_writer), T(test_table_full),
		T(test_free_in_flight), T(test_free_at_once),
		T(test_too_many_waiters), T(test_expired_signer),
		T(test_source_fails), T(test_many_without_gain),
		T(test_source_hangs),
		T(test_no_certificate), T(test_room_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
