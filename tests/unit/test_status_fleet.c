/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service among others: what it takes of what they had signed, what never,
 * in either order of row and news, and what it leaves to who leads.  No
 * database: the test is the thread.
 */
#include "tests/unit/status_fixture.h"

#include "status/share_impl.h"

#define USUAL OCSP_ENCODING_USUAL

static struct status_share *share;

static int
setup(void **state)
{
	struct oc_error error = { 0 };
	struct world *w;

	if (world_setup(state) != 0)
		return -1;
	w = *state;
	/* It is never started. */
	if (status_share_new("host=/nowhere dbname=none", &share, &error) !=
	    OC_OK)
		return -1;
	w->share = share;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	world_stop(w);
	w->share = NULL;
	status_share_free(share);
	return world_teardown(state);
}

/* As the thread does when the database has answered. */
static void
lead(struct world *w, enum status_lead lead)
{
	struct status_member *m = w->service->fleet.member;
	int64_t now = oc_clock_boot_ms();

	assert_non_null(m);
	switch (lead) {
	case STATUS_LEAD_NONE:
	case STATUS_LEAD_ALONE:
		m->lease.contact_ms = now - STATUS_ALONE_MS - 1;
		break;
	case STATUS_LEAD_FOLLOWS:
		status_lease_answer(&m->lease, now + 3600000, false);
		break;
	case STATUS_LEAD_LEADS:
		status_lease_answer(&m->lease, now + 3600000, true);
		m->lease.contact_ms = now + 3600000;
		m->is_caught_up = true;
		break;
	}
}

/* A service that follows, and knows of n. */
static void
follow(struct world *w, uint64_t n)
{
	world_issue(w, n, oc_clock_now_s() + YEAR);
	world_open(w);
	lead(w, STATUS_LEAD_FOLLOWS);
	world_until(w, status_service_is_ready(w->service));
}

static int64_t
seq_of(struct world *w, uint64_t n)
{
	struct oc_serial serial = world_serial(n);

	return status_set_find(w->service->set, &serial)->seq;
}

/* What another host would have had signed: the signature is not looked at
 * here. */
static struct status_shared
row_of(struct world *w, uint64_t n, enum ocsp_cert_status kind)
{
	int64_t now = oc_clock_now_s();
	struct status_shared row = {
		.slot = {
			.serial = world_serial(n),
			.encoding = USUAL,
			.status = { .kind = kind },
			.produced_at = now,
			.this_update = now - w->issuer.ocsp_backdate_s,
			.signature = { 1, 2, 3 },
			.signature_len = w->service->identity->signature_len,
		},
		.change_seq = seq_of(w, n),
		.is_there = true,
	};

	row.slot.next_update = row.slot.this_update +
	    w->issuer.ocsp_lifetime_s - 1;
	return row;
}

static bool
step(struct world *w, enum status_share_step step, struct status_shared *row,
    bool is_look)
{
	struct status_member *m = w->service->fleet.member;
	struct status_share_batch batch = { .step = step, .is_look = is_look,
	    .rows = row, .num = 1 };

	return m->plan.fn(m->plan.arg, &batch);
}

/* The whole way, with a signature that is good. */
static bool
bring(struct world *w, struct status_shared *row)
{
	if (!step(w, STATUS_SHARE_MARK, row, false))
		return false;
	row->is_good = row->is_wanted;
	return step(w, STATUS_SHARE_TAKE, row, false);
}

static void
test_takes(void **state)
{
	struct world *w = *state;
	struct status_shared row, other;
	struct ocsp_slot slot;

	follow(w, 1);
	row = row_of(w, 1, OCSP_GOOD);
	/* Not verified, and not good. */
	assert_true(step(w, STATUS_SHARE_MARK, &row, false));
	assert_true(row.is_wanted);
	assert_true(step(w, STATUS_SHARE_TAKE, &row, false));
	assert_false(world_look(w, 1, USUAL, &slot));
	assert_true(bring(w, &row));
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_int_equal(w->service->fleet.num_taken, 1);
	assert_int_equal(world_num_signed(w), 0);
	/* Again: it is there. */
	assert_true(bring(w, &row));
	assert_false(row.is_wanted);
	/* Of two that were signed at once all have the same. */
	other = row_of(w, 1, OCSP_GOOD);
	other.slot = row.slot;
	other.slot.signature[5] ^= 1;
	assert_true(bring(w, &other));
	assert_true(world_look(w, 1, USUAL, &slot));
	assert_memory_equal(slot.signature, other.slot.signature, 8);
	/* An older one is not. */
	other.slot.next_update--;
	assert_true(bring(w, &other));
	assert_false(other.is_wanted);
}

/* What others may not have signed, or not for us. */
static void
test_does_not_take(void **state)
{
	struct world *w = *state;
	struct status_shared row;
	int64_t now = oc_clock_now_s();

	follow(w, 1);
#define REFUSES(change, refused) do { \
	row = row_of(w, 1, OCSP_GOOD); \
	change; \
	(void)bring(w, &row); \
	assert_false(row.is_wanted); \
	assert_int_equal(row.is_refused, refused); \
} while (0)
	REFUSES(row.slot.serial = world_serial(77), false);
	REFUSES(row.slot.status.kind = OCSP_REVOKED, false);
	REFUSES(row.change_seq--, false);
	REFUSES(row.change_seq++, false);
	REFUSES(row.slot.next_update++, true);
	REFUSES(row.slot.next_update = now, false);
	REFUSES(row.slot.produced_at = now + 3600, false);
	REFUSES(row.slot.this_update = now + 60, false);
	/* Longer than the certificate. */
	REFUSES(row.slot.next_update = now + 2 * YEAR, true);
	/* The thread found that it is none. */
	REFUSES((row.is_there = false, row.is_refused = true), true);
	/* Longer than what the source says, and with a key that is told to
	 * others. */
	REFUSES(w->service->bounds.next_update = row.slot.next_update - 1,
	    false);
	w->service->bounds.next_update = 0;
	w->issuer.on_compromise = OC_COMPROMISE_REFUSED;
	REFUSES((w->service->trust.is_compromised = true,
	    w->service->trust.compromised_at = now - 1), false);
#undef REFUSES
	assert_int_equal(world_num_slots(w), 0);
}

/* Who could not sign does not want to lead. */
static void
test_unfit(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct status_service *s;

	follow(w, 1);
	s = w->service;
#define UNFIT(field, value) do { \
	bool was = s->field; \
	status_fleet_tick(s, now); \
	assert_int_equal(s->fleet.member->fitness, STATUS_FIT); \
	s->field = value; \
	status_fleet_tick(s, now); \
	assert_int_equal(s->fleet.member->fitness, STATUS_UNFIT); \
	s->field = was; \
} while (0)
	UNFIT(is_current, false);
	UNFIT(is_closed, true);
	UNFIT(is_source_well, false);
	UNFIT(is_signer_well, false);
	UNFIT(is_table_well, false);
	UNFIT(is_between, true);
	w->issuer.on_compromise = OC_COMPROMISE_REFUSED;
	UNFIT(trust.is_compromised, true);
#undef UNFIT
	s->is_ready = false;
	status_fleet_tick(s, now);
	assert_int_equal(s->fleet.member->fitness, STATUS_UNREADY);
	s->is_ready = true;
}

/* Ahead of our own source: it is asked again. */
static void
test_early(void **state)
{
	struct world *w = *state;
	struct status_shared row;
	struct ocsp_slot slot;

	follow(w, 1);
	row = row_of(w, 1, OCSP_GOOD);
	row.slot.serial = world_serial(2);
	row.change_seq++;
	assert_false(bring(w, &row));
	world_issue(w, 2, oc_clock_now_s() + YEAR);
	world_until(w, w->service->seq >= row.change_seq);
	assert_true(bring(w, &row));
	assert_true(world_look(w, 2, USUAL, &slot));
}

/* Revoked first, then a good one that is true but for that, whatever change
 * it says it was signed after; and good and revoked in turn, as with a
 * hold. */
static void
test_news_first(void **state)
{
	struct world *w = *state;
	struct status_shared good, revoked;
	struct ocsp_slot slot;
	int64_t seq;

	follow(w, 1);
	good = row_of(w, 1, OCSP_GOOD);
	seq = good.change_seq;
	world_revoke(w, 1, CRL_REASON_CERTIFICATE_HOLD);
	world_until(w, seq_of(w, 1) > seq);
	w->never_good = world_serial(1);
	assert_true(bring(w, &good));
	assert_false(good.is_wanted || good.is_refused);
	good.change_seq = seq_of(w, 1);
	assert_true(bring(w, &good));
	assert_false(good.is_wanted);
	assert_true(good.is_refused);
	good.change_seq++;
	(void)bring(w, &good);
	assert_false(good.is_wanted);
	revoked = row_of(w, 1, OCSP_REVOKED);
	revoked.slot.status.reason = CRL_REASON_CERTIFICATE_HOLD;
	revoked.slot.status.revoked_at = status_set_find(w->service->set,
	    &revoked.slot.serial)->revoked_at;
	assert_true(bring(w, &revoked));
	world_until(w, world_look(w, 1, USUAL, &slot));
	/* Lifted: what was good before it does not come back. */
	w->never_good.len = 0;
	seq = seq_of(w, 1);
	world_revoke(w, 1, CRL_REASON_REMOVE_FROM_CRL);
	world_until(w, seq_of(w, 1) > seq);
	good.change_seq = seq - 1;
	good.is_refused = false;
	assert_true(bring(w, &good));
	assert_false(good.is_wanted || good.is_refused);
}

/* A good one first, and the news while it is verified, or after it. */
static void
test_row_first(void **state)
{
	struct world *w = *state;
	struct status_shared row;
	struct ocsp_slot slot;
	int64_t seq;

	follow(w, 1);
	row = row_of(w, 1, OCSP_GOOD);
	seq = row.change_seq;
	assert_true(step(w, STATUS_SHARE_MARK, &row, false));
	assert_true(row.is_wanted);
	world_revoke(w, 1, CRL_REASON_KEY_COMPROMISE);
	world_until(w, seq_of(w, 1) > seq);
	row.is_good = true;
	w->never_good = world_serial(1);
	assert_true(step(w, STATUS_SHARE_TAKE, &row, false));
	world_turn(w, 0);
	assert_false(world_look(w, 1, USUAL, &slot) &&
	    slot.status.kind == OCSP_GOOD);
	w->never_good.len = 0;

	world_issue(w, 2, oc_clock_now_s() + YEAR);
	world_until(w, status_set_num(w->service->set) == 2);
	row = row_of(w, 2, OCSP_GOOD);
	assert_true(bring(w, &row));
	assert_true(world_look(w, 2, USUAL, &slot));
	world_revoke(w, 2, CRL_REASON_KEY_COMPROMISE);
	world_until(w, !world_look(w, 2, USUAL, &slot) ||
	    slot.status.kind == OCSP_REVOKED);
}

/* Due in vain, until the leader has had its time. */
static void
test_leaves_to_the_leader(void **state)
{
	struct world *w = *state;
	struct ocsp_slot slot;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 20);
	follow(w, 21);
	world_idle(w, 700);
	assert_int_equal(world_num_signed(w), 0);
	assert_int_equal(world_num_slots(w), 0);
	/* Nobody comes: what is new and urgent is signed after a moment. */
	world_revoke(w, 1, CRL_REASON_SUPERSEDED);
	world_until(w, world_look(w, 1, USUAL, &slot));
	assert_int_equal(slot.status.kind, OCSP_REVOKED);
	assert_int_equal(world_num_signed(w), 1);
	/* It leads, and has all. */
	lead(w, STATUS_LEAD_LEADS);
	world_until(w, world_num_slots(w) == 21);
	assert_int_equal(world_num_signed(w), 21);
	assert_int_equal(w->service->fleet.member->num_out, 21);
	/* And no more once it does not. */
	lead(w, STATUS_LEAD_FOLLOWS);
	world_issue_many(w, 30, 5);
	world_until(w, status_set_num(w->service->set) == 26);
	world_idle(w, 700);
	assert_int_equal(world_num_signed(w), 21);
}

/* With nobody there it does as if there were no others. */
static void
test_alone(void **state)
{
	struct world *w = *state;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 20);
	world_open(w);
	lead(w, STATUS_LEAD_ALONE);
	world_until(w, world_num_slots(w) == 20);
	assert_true(world_num_lines(w, "responses are not shared") > 0);
}

/* Somebody asks: it is looked for first, once, and signed if it is not there,
 * or if nobody says so. */
static void
test_looks_first(void **state)
{
	struct world *w = *state;
	struct reply one = { 0 }, two = { 0 }, three = { 0 };
	struct status_member *m;
	struct status_shared row;

	world_issue_many(w, 1, 3);
	follow(w, 4);
	m = w->service->fleet.member;
	world_ask(w, 1, USUAL, &one);
	world_ask(w, 1, USUAL, &two);
	assert_int_equal(m->num_looks, 1);
	assert_int_equal(one.num, 0);
	/* Another has it. */
	row = row_of(w, 1, OCSP_GOOD);
	assert_true(step(w, STATUS_SHARE_MARK, &row, true));
	assert_true(row.is_wanted);
	row.is_good = true;
	assert_true(step(w, STATUS_SHARE_TAKE, &row, true));
	assert_int_equal(one.num + two.num, 2);
	assert_int_equal(one.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_signed(w), 0);
	/* Nobody has. */
	one = (struct reply){ 0 };
	world_ask(w, 2, USUAL, &one);
	row = row_of(w, 2, OCSP_GOOD);
	row.is_there = false;
	assert_true(step(w, STATUS_SHARE_MARK, &row, true));
	assert_false(row.is_wanted);
	assert_true(step(w, STATUS_SHARE_TAKE, &row, true));
	world_until(w, one.num == 1);
	assert_int_equal(one.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_signed(w), 1);
	assert_int_equal(m->num_out, 1);
	/* The database does not say. */
	world_ask(w, 3, USUAL, &three);
	world_until(w, three.num == 1);
	assert_int_equal(three.kind, IPC_ANSWER_TABLE);
	assert_int_equal(world_num_signed(w), 2);
	/* And it ends while one looks. */
	world_ask(w, 4, USUAL, &two);
	assert_int_equal(w->service->fleet.num_looking, 1);
}

/* Who begins to lead and has more than the others, gives them all; and who
 * was told of a forged one, the true one. */
static void
test_offers(void **state)
{
	struct world *w = *state;
	struct status_shared row;
	struct status_member *m;

	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, 30);
	world_open(w);
	lead(w, STATUS_LEAD_ALONE);
	world_until(w, world_num_slots(w) == 30);
	m = w->service->fleet.member;
	m->num_out = 0;
	m->num_leads++;
	lead(w, STATUS_LEAD_LEADS);
	world_until(w, m->num_out == 30);
	m->num_out = 0;
	row = row_of(w, 3, OCSP_GOOD);
	row.is_there = false;
	row.is_refused = true;
	assert_true(bring(w, &row));
	assert_int_equal(m->num_out, 1);
	/* There is no room: all of them, once there is. */
	w->service->fleet.is_offering = false;
	m->num_out = m->out_max = STATUS_SHARE_OUT_MAX;
	row.is_refused = true;
	assert_true(bring(w, &row));
	assert_true(w->service->fleet.is_offering);
	m->num_out = m->out_max = 0;
	free(m->out);
	m->out = NULL;
	world_until(w, m->num_out == 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_takes),
		TEST(test_does_not_take),
		TEST(test_unfit),
		TEST(test_early),
		TEST(test_news_first),
		TEST(test_row_first),
		TEST(test_leaves_to_the_leader),
		TEST(test_alone),
		TEST(test_looks_first),
		TEST(test_offers),
	};

	return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
