/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that shares responses, and the database: two hosts, each with a
 * thread of its own, on a real server ($OCSIGN_TEST_DATABASE, see
 * store_postgres.sh).  Who leads, and when another does; what is given and
 * taken; what is forged, looked for and dropped.
 */
#include "tests/unit/status_fixture.h"

#include "status/share_impl.h"
#include "store/share.h"
#include "tests/unit/store_database.h"

#define USUAL OCSP_ENCODING_USUAL
#define HOSTS 2
#define NUM 40

struct host {
	struct status_share *share;
	struct status_member *member;
	enum status_fitness fitness;
	bool says_nothing;		/* its loop hangs */
	/* What it was brought. */
	uint32_t num_good, num_bad, num_absent, num_marked;
	struct oc_serial last;
	bool is_not_ready;		/* for what is marked */
};
static struct host hosts[HOSTS];
static char where[600];

static bool
on_batch(void *arg, struct status_share_batch *batch)
{
	struct host *h = arg;

	for (uint32_t i = 0; i < batch->num; i++) {
		struct status_shared *row = &batch->rows[i];

		if (batch->step == STATUS_SHARE_MARK) {
			row->is_wanted = row->is_there;
			h->num_marked++;
			continue;
		}
		h->num_good += row->is_wanted && row->is_good;
		h->num_bad += row->is_refused;
		h->num_absent += !row->is_there && !row->is_refused;
		h->last = row->slot.serial;
	}
	return batch->step == STATUS_SHARE_TAKE || !h->is_not_ready;
}

static void
turn(void)
{
	for (int i = 0; i < HOSTS; i++) {
		if (hosts[i].member == NULL || hosts[i].says_nothing)
			continue;
		status_member_say(hosts[i].member, hosts[i].fitness);
		status_share_dispatch(hosts[i].share);
	}
	/* Two never lead at once. */
	assert_false(hosts[0].member != NULL && hosts[1].member != NULL &&
	    status_member_lead(hosts[0].member) == STATUS_LEAD_LEADS &&
	    status_member_lead(hosts[1].member) == STATUS_LEAD_LEADS);
	usleep(10000);
}

#define until(condition) do { \
	int64_t until_end = oc_clock_mono_ns() + 60 * OC_NS_PER_S; \
	while (!(condition)) { \
		if (oc_clock_mono_ns() > until_end) \
			fail_msg("never: %s", #condition); \
		turn(); \
	} \
} while (0)

static enum status_lead
lead_of(int i)
{
	return status_member_lead(hosts[i].member);
}

static struct status_member_state
state_of(int i)
{
	struct status_member_state state;

	status_member_state(hosts[i].member, &state);
	return state;
}

static void
begin(struct world *w, int i)
{
	struct host *h = &hosts[i];
	static const uint8_t id[STORE_ID_LEN] = { 7 };
	const struct status_member_plan plan = { &w->ocsp,
	    w->service->identity, id, on_batch, h };
	struct oc_error error = { 0 };

	*h = (struct host){ .fitness = STATUS_FIT };
	if (status_share_new(where, &h->share, &error) != OC_OK ||
	    status_share_join(h->share, &plan, &h->member, &error) != OC_OK ||
	    status_share_start(h->share, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
end(int i)
{
	status_share_free(hosts[i].share);
	hosts[i] = (struct host){ .share = NULL };
}

static int
setup(void **state)
{
	struct store *store = NULL;
	struct oc_error error = { 0 };
	struct world *w;

	if (world_setup(state) != 0)
		return -1;
	w = *state;
	database_place(where, sizeof(where));
	if (store_open(where, STORE_CREATE, &store, &error) != OC_OK)
		fail_msg("%s", error.text);
	store_close(store);
	/* As if there were that many. */
	database_run(where, "UPDATE store SET change_seq = 1000");
	w->issuer.presign = OC_PRESIGN_ALL;
	world_issue_many(w, 1, NUM);
	world_start(w);
	world_until(w, world_num_slots(w) == NUM);
	return 0;
}

static int
teardown(void **state)
{
	for (int i = 0; i < HOSTS; i++)
		end(i);
	return world_teardown(state);
}

/* All that the world has signed, as if it had been done now. */
static void
give(struct world *w, int i)
{
	struct ocsp_slot slot;

	for (uint64_t n = 1; n <= NUM; n++) {
		assert_true(world_look(w, n, USUAL, &slot));
		assert_true(status_member_offer(hosts[i].member, &slot,
		    (int64_t)n));
	}
}

static void
test_gives_and_takes(void **state)
{
	struct world *w = *state;
	uint64_t num_shared;

	begin(w, 0);
	until(lead_of(0) == STATUS_LEAD_LEADS);
	begin(w, 1);
	until(state_of(1).leader[0] != '\0');
	assert_int_equal(lead_of(1), STATUS_LEAD_FOLLOWS);
	assert_string_equal(state_of(1).leader, hosts[0].share->host);
	give(w, 0);
	give(w, 0);
	until(hosts[1].num_good == NUM);
	assert_int_equal(database_run(where,
	    "SELECT count(*) FROM response"), NUM);
	/* What stands twice in a batch counts once. */
	until(state_of(0).num_room == STATUS_SHARE_OUT_MAX);
	num_shared = state_of(0).num_shared;
	assert_in_range(num_shared, NUM, 2 * NUM);
	/* What one has put there itself it is not brought again. */
	assert_int_equal(hosts[0].num_marked, 0);
	assert_int_equal(state_of(0).num_refused, 0);
	/* Nothing new: no seq, and nobody is brought anything. */
	hosts[1].num_marked = 0;
	give(w, 0);
	until(state_of(0).num_shared == num_shared + NUM);
	turn();
	assert_int_equal(hosts[1].num_marked, 0);
	/* Who comes later has it all before it leads. */
	end(0);
	begin(w, 0);
	until(hosts[0].num_good == NUM);
}

static void
test_who_leads(void **state)
{
	struct world *w = *state;
	int64_t begun_ms;

	begin(w, 0);
	begin(w, 1);
	hosts[1].fitness = STATUS_UNREADY;
	until(lead_of(0) == STATUS_LEAD_LEADS);
	hosts[1].fitness = STATUS_FIT;
	until(state_of(1).leader[0] != '\0');
	/* It can't sign: another does at once. */
	hosts[0].fitness = STATUS_UNFIT;
	until(lead_of(1) == STATUS_LEAD_LEADS);
	hosts[0].fitness = STATUS_FIT;
	/* Its loop hangs, and says nothing: in a bounded time. */
	begun_ms = oc_clock_boot_ms();
	hosts[1].says_nothing = true;
	until(lead_of(0) == STATUS_LEAD_LEADS);
	assert_int_equal(lead_of(1), STATUS_LEAD_FOLLOWS);
	assert_true(oc_clock_boot_ms() - begun_ms < 30000);
	hosts[1].says_nothing = false;
	/* It ends: at once. */
	end(0);
	until(lead_of(1) == STATUS_LEAD_LEADS);
	assert_int_equal(state_of(1).num_leads, 2);
}

/* Somebody writes that it leads until the year 3000, or the server's clock went
 * back: that is no lease. */
static void
test_no_lease_for_ever(void **state)
{
	struct world *w = *state;

	begin(w, 0);
	until(lead_of(0) == STATUS_LEAD_LEADS);
	end(0);
	database_run(where, "UPDATE response_context SET holder = '\\x01',"
	    " host = 'ghost', expires_at = 32503680000000");
	begin(w, 1);
	until(lead_of(1) == STATUS_LEAD_LEADS);
}

static void
test_forged(void **state)
{
	struct world *w = *state;

	begin(w, 0);
	until(lead_of(0) == STATUS_LEAD_LEADS);
	give(w, 0);
	until(state_of(0).num_shared == NUM);
	/* A signature, a status, a row that is none. */
	database_run(where, "UPDATE response SET body ="
	    " set_byte(body, 40, get_byte(body, 40) # 1)"
	    " WHERE change_seq = 1");
	database_run(where, "UPDATE response SET body ="
	    " overlay(body PLACING '\\x01010400000001' FROM 1)"
	    " WHERE change_seq = 2");
	database_run(where, "UPDATE response SET body = body || '\\x00'"
	    " WHERE change_seq = 3");
	database_run(where, "UPDATE response SET next_update = 1"
	    " WHERE change_seq = 4");
	database_run(where, "INSERT INTO response SELECT context_id, seq,"
	    " change_seq, next_update, '\\xff00', body FROM response"
	    " WHERE change_seq = 5");
	begin(w, 1);
	until(hosts[1].num_good + hosts[1].num_bad == NUM);
	assert_int_equal(hosts[1].num_bad, 4);
	assert_int_equal(state_of(1).num_refused, 4);
	/* They are gone; what has no name, nobody asks for. */
	assert_int_equal(database_run(where, "SELECT count(*) FROM response"
	    " WHERE change_seq <= 4"), 0);
	/* And may be put there again. */
	give(w, 0);
	until(hosts[1].num_good == NUM);
}

static void
test_looks(void **state)
{
	struct world *w = *state;
	struct oc_serial there = world_serial(7), absent = world_serial(999);

	begin(w, 0);
	until(lead_of(0) == STATUS_LEAD_LEADS);
	give(w, 0);
	until(state_of(0).num_shared == NUM);
	assert_true(status_member_look(hosts[0].member, &there, USUAL));
	until(hosts[0].num_good == 1);
	assert_true(oc_serial_equal(&hosts[0].last, &there));
	assert_true(status_member_look(hosts[0].member, &absent, USUAL));
	assert_true(status_member_look(hosts[0].member, &there,
	    OCSP_ENCODING(OCSP_HASH_SHA256, 0)));
	until(hosts[0].num_absent == 2);
	assert_int_equal(hosts[0].num_good, 1);
}

/* Who does not know yet what it is about is asked again, for a while. */
static void
test_asks_again(void **state)
{
	struct world *w = *state;

	begin(w, 0);
	begin(w, 1);
	hosts[1].is_not_ready = true;
	until(lead_of(0) == STATUS_LEAD_LEADS ||
	    lead_of(1) == STATUS_LEAD_LEADS);
	give(w, 0);
	until(hosts[1].num_marked > NUM);
	assert_int_equal(hosts[1].num_good, 0);
	hosts[1].is_not_ready = false;
	until(hosts[1].num_good == NUM);
}

static void
test_prunes(void **state)
{
	struct world *w = *state;

	database_run(where, "INSERT INTO response_context VALUES"
	    " (1000, decode(repeat('ab', 32), 'hex'), 5, '\\x00', '', 1)");
	database_run(where, "INSERT INTO response VALUES (1000, 5, 1,"
	    " 5000000000, '\\x0001', decode(repeat('ab', 83), 'hex'))");
	begin(w, 0);
	until(lead_of(0) == STATUS_LEAD_LEADS);
	until(database_run(where, "SELECT count(*) FROM response_context")
	    == 1);
	assert_int_equal(database_run(where, "SELECT count(*) FROM response"),
	    0);
	give(w, 0);
	until(state_of(0).num_shared == NUM);
	database_run(where, "UPDATE response SET next_update = 1000"
	    " WHERE change_seq % 2 = 0");
	database_run(where, "UPDATE response SET next_update = 20000000000"
	    " WHERE change_seq = 1");
	until(database_run(where, "SELECT count(*) FROM response") ==
	    NUM / 2 - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gives_and_takes),
		TEST(test_who_leads),
		TEST(test_no_lease_for_ever),
		TEST(test_forged),
		TEST(test_looks),
		TEST(test_asks_again),
		TEST(test_prunes),
	};

	if (!on_database())
		return 77;
	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
