/* SPDX-License-Identifier: Apache-2.0 */
/* Does each order of ACME's get its one certificate, whoever asks and whoever
 * dies meanwhile? */
#include "store_ordering.h"

#include <poll.h>
#include <signal.h>

#include "store/backend.h"

/* --- orders ------------------------------------------------------------- */

static void
test_order(void **state)
{
	struct fixture *f = *state;
	struct store_order found = { .id = 0 }, again;
	struct ordering o;
	int64_t num;

	setup_ordering(f, &o);
	assert_int_equal(o.order.state, STORE_ORDER_PENDING);
	assert_ok(store_find_order(f->store, o.order.tag, &found));
	assert_string_equal(found.names, o.order.names);
	assert_string_equal(found.profile, "server");
	assert_memory_equal(found.authorization_ids,
	    o.order.authorization_ids, sizeof(found.authorization_ids));
	store_order_fini(&found);
	assert_int_equal(store_process_order(f->store, o.order.id,
	    oc_clock_now_s()), OC_ERR_MISMATCH);
	pass(f, &o.a);
	assert_order(f, o.order.tag, STORE_ORDER_PENDING, 0);
	pass(f, &o.b);
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
	/* With proofs that hold already. */
	again = order_of(&o);
	assert_ok(store_add_order(f->store, &again));
	assert_int_equal(again.state, STORE_ORDER_READY);
	assert_ok(store_count_orders(f->store, o.account, 1, &num));
	assert_int_equal(num, 2);
	assert_ok(store_count_orders(f->store, o.account,
	    oc_clock_now_s() + 10, &num));
	assert_int_equal(num, 0);
	/* One that is given back. */
	assert_ok(store_deactivate_authorization(f->store, o.b.id));
	assert_order(f, o.order.tag, STORE_ORDER_INVALID, 0);
	assert_order(f, again.tag, STORE_ORDER_INVALID, 0);
	again = order_of(&o);
	assert_int_equal(store_add_order(f->store, &again), OC_ERR_MISMATCH);
	assert_verifies(f->store);
	assert_int_equal(num_not_json(f), 0);
}

static int64_t
nth_order(struct fixture *f, int64_t account, const char *domain,
    int64_t since_at, int64_t num)
{
	int64_t made_at = -1;

	assert_ok(store_find_nth_order(f->store, account, domain, since_at,
	    num, &made_at));
	return made_at;
}

/* Each once, whichever of its names it is. */
static void
test_nth_of_a_zone(void **state)
{
	struct fixture *f = *state;
	int64_t now = oc_clock_now_s();
	struct store_authorization below, beside;
	struct store_order more;
	struct ordering o;

	setup_ordering(f, &o);
	below = add_proof(f, o.account, o.acme, "x.a.test");
	beside = add_proof(f, o.account, o.acme, "xa.test");
	more = order_of(&o);
	more.authorization_ids[0] = below.id;
	assert_ok(store_add_order(f->store, &more));
	more = order_of(&o);
	more.authorization_ids[1] = beside.id;
	assert_ok(store_add_order(f->store, &more));
	run_sql(f->path, "UPDATE acme_order SET created_at = created_at - 100"
	    " WHERE id = 1");
	assert_in_range(nth_order(f, o.account, ".a.test", 1, 1), now,
	    now + 60);
	assert_in_range(nth_order(f, o.account, ".a.test", 1, 2), now - 100,
	    now - 40);
	assert_int_equal(nth_order(f, o.account, ".a.test", 1, 3), 0);
	assert_int_equal(nth_order(f, o.account, ".a.test", now - 20, 2), 0);
	assert_true(nth_order(f, o.account, ".b.test", 1, 2) > 0);
	assert_int_equal(nth_order(f, o.account, ".b.test", 1, 3), 0);
	assert_true(nth_order(f, o.account, ".test", 1, 3) > 0);
	assert_int_equal(nth_order(f, o.account, ".x.a.test", 1, 2), 0);
	assert_int_equal(nth_order(f, o.account + 1, ".a.test", 1, 1), 0);
	run_sql(f->path, "UPDATE acme_order SET created_at = created_at + 100"
	    " WHERE id = 1");
	assert_verifies(f->store);
}

static void
test_order_fails(void **state)
{
	struct fixture *f = *state;
	struct store_order found = { .id = 0 }, bad;
	struct ordering o;
	struct store_try t;

	setup_ordering(f, &o);
	pass(f, &o.a);
	t = (struct store_try){ .id = o.b.challenges[0].id,
		.at = oc_clock_now_s(), .problem = "{\"type\":\"x\"}" };
	assert_ok(store_fail_challenge(f->store, &t));
	assert_ok(store_find_order(f->store, o.order.tag, &found));
	assert_int_equal(found.state, STORE_ORDER_INVALID);
	assert_string_equal(found.problem, t.problem);
	store_order_fini(&found);
	assert_int_equal(store_fail_order(f->store, o.order.id, "{}"),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_reopen_order(f->store, o.order.id),
	    OC_ERR_MISMATCH);
	/* What is none. */
	bad = order_of(&o);
	bad.authorization_ids[1] = bad.authorization_ids[0] = o.a.id;
	assert_int_equal(store_add_order(f->store, &bad), OC_ERR_MALFORMED);
	bad.authorization_ids[1] = 99;
	assert_int_equal(store_add_order(f->store, &bad), OC_ERR_NOT_FOUND);
	bad.num_authorizations = 0;
	assert_int_equal(store_add_order(f->store, &bad), OC_ERR_LIMIT);
	bad = order_of(&o);
	bad.names = NULL;
	assert_int_equal(store_add_order(f->store, &bad), OC_ERR_MALFORMED);
	bad = order_of(&o);
	bad.account_id = add_account(f, "b");
	assert_int_equal(store_add_order(f->store, &bad), OC_ERR_NOT_FOUND);
	assert_verifies(f->store);
}

/* --- a certificate ------------------------------------------------------ */

/* Ended after somebody has asked, before it is signed. */
static void
test_owner_is_over(void **state)
{
	struct fixture *f = *state;
	struct store_acme_account owner;
	struct ordering o;

	setup_ready(f, &o);
	assert_ok(store_get_acme_account(f->store, o.acme, &owner));
	owner.state = STORE_ACME_REVOKED;
	assert_ok(store_change_acme_account(f->store, &owner));
	assert_int_equal(store_process_order(f->store, o.order.id,
	    oc_clock_now_s()), OC_ERR_MISMATCH);
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
}

static void
test_issue(void **state)
{
	struct fixture *f = *state;
	struct store_order order, found = { .id = 0 };
	struct ordering o;
	int64_t now = oc_clock_now_s(), id = 0, none;

	setup_ready(f, &o);
	assert_int_equal(reserve(f->store, f->issuer_id, o.account,
	    o.order.id, 1, &none), OC_ERR_MISMATCH);
	assert_int_equal(store_complete_order(f->store, o.order.id, 1),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_process_order(f->store, o.order.id,
	    o.order.expires_at), OC_ERR_MISMATCH);
	assert_ok(store_process_order(f->store, o.order.id, now));
	assert_order(f, o.order.tag, STORE_ORDER_PROCESSING, 0);
	assert_int_equal(store_process_order(f->store, o.order.id, now),
	    OC_ERR_MISMATCH);
	id = reserve_for(f, &o, 1);
	assert_order(f, o.order.tag, STORE_ORDER_PROCESSING, id);
	assert_int_equal(store_complete_order(f->store, o.order.id, id),
	    OC_ERR_MISMATCH);
	assert_ok(store_issue(f->store, id, BLOB("certificate")));
	assert_order(f, o.order.tag, STORE_ORDER_VALID, id);
	assert_ok(store_complete_order(f->store, o.order.id, id));
	assert_int_equal(store_fail_order(f->store, o.order.id, "{}"),
	    OC_ERR_MISMATCH);
	assert_int_equal(store_process_order(f->store, o.order.id, now),
	    OC_ERR_MISMATCH);
	assert_ok(store_find_order_of(f->store, id, &found));
	assert_int_equal(found.id, o.order.id);
	store_order_fini(&found);
	/* One order replaces it, unless that fails. */
	order = order_of(&o);
	order.replaces_id = id;
	assert_ok(store_add_order(f->store, &order));
	assert_int_equal(store_add_order(f->store, &order), OC_ERR_EXISTS);
	assert_ok(store_fail_order(f->store, order.id, "{}"));
	assert_ok(store_add_order(f->store, &order));
	run_sql(f->path, "UPDATE acme_order SET expires_at = 1 WHERE id = 3");
	order = order_of(&o);
	order.replaces_id = id;
	assert_ok(store_add_order(f->store, &order));
	/* By what was issued before. */
	assert_ok(store_process_order(f->store, order.id, now));
	assert_ok(store_complete_order(f->store, order.id, id));
	assert_order(f, order.tag, STORE_ORDER_VALID, id);
	assert_ok(store_find_order_of(f->store, id, &found));
	assert_int_equal(found.id, order.id);
	store_order_fini(&found);
	run_sql(f->path, "UPDATE acme_order SET expires_at = (SELECT"
	    " expires_at FROM acme_order WHERE id = 2) WHERE id = 3");
}

static void
test_reopen(void **state)
{
	struct fixture *f = *state;
	struct ordering o;
	int64_t now = oc_clock_now_s(), id, next;

	setup_ready(f, &o);
	assert_ok(store_process_order(f->store, o.order.id, now));
	id = reserve_for(f, &o, 1);
	assert_ok(store_reopen_order(f->store, o.order.id));
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
	assert_int_equal(store_issue(f->store, id, BLOB("late")),
	    OC_ERR_MISMATCH);
	/* The request's own way, and a serial that was there already. */
	assert_ok(store_process_order(f->store, o.order.id, now));
	assert_int_equal(reserve(f->store, f->issuer_id, o.account,
	    o.order.id, 1, &next), OC_ERR_EXISTS);
	id = reserve_for(f, &o, 2);
	assert_ok(store_abandon_request(f->store, id));
	next = reserve_for(f, &o, 3);
	assert_order(f, o.order.tag, STORE_ORDER_PROCESSING, next);
	assert_ok(store_issue(f->store, next, BLOB("certificate")));
	assert_order(f, o.order.tag, STORE_ORDER_VALID, next);
	assert_verifies(f->store);
}

/* A name is proven no longer when it comes to that. */
static void
test_unproven(void **state)
{
	struct fixture *f = *state;
	int64_t now = oc_clock_now_s();
	struct ordering o;

	setup_ready(f, &o);
	run_sql(f->path, "UPDATE proof SET expires_at = expires_at - 7200"
	    " WHERE id = 1");
	assert_int_equal(store_process_order(f->store, o.order.id, now),
	    OC_ERR_MISMATCH);
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
	run_sql(f->path, "UPDATE proof SET expires_at = expires_at + 7200"
	    " WHERE id = 1");
	assert_ok(store_process_order(f->store, o.order.id, now));
	assert_verifies(f->store);
}

/* --- who dies meanwhile ------------------------------------------------- */

/* Whoever had it is too slow: it is ready again, and what was reserved for it
 * nobody records. */
static void
test_slow(void **state)
{
	struct fixture *f = *state;
	int64_t now = oc_clock_now_s(), id, next;
	struct store *slow;
	struct ordering o;

	setup_ready(f, &o);
	assert_ok(store_process_order(f->store, o.order.id, now));
	id = reserve_for(f, &o, 1);
	slow = f->store;
	f->store = open_store(f->path, STORE_WRITE);
	assert_order(f, o.order.tag, STORE_ORDER_PROCESSING, id);
	/* Not another's to go on with. */
	assert_int_equal(reserve(f->store, f->issuer_id, o.account,
	    o.order.id, 2, &next), OC_ERR_MISMATCH);
	run_sql(f->path, "UPDATE acme_order SET processing_at ="
	    " processing_at - 120");
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
	assert_ok(store_process_order(f->store, o.order.id,
	    oc_clock_now_s()));
	assert_int_equal(store_issue(slow, id, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_int_equal(reserve(slow, f->issuer_id, o.account, o.order.id, 2,
	    &next), OC_ERR_MISMATCH);
	next = reserve_for(f, &o, 2);
	assert_ok(store_issue(f->store, next, BLOB("certificate")));
	assert_order(f, o.order.tag, STORE_ORDER_VALID, next);
	store_close(slow);
	assert_verifies(f->store);
}

/* Says how far it has come, after it has. */
static void
order_until_killed(const char *path, int64_t issuer_id,
    const struct ordering *o, uint64_t n, int to)
{
	struct store *store;
	int64_t id;

	if (store_open(path, STORE_WRITE, &store, NULL) != OC_OK ||
	    write(to, "o", 1) != 1 || store_process_order(store, o->order.id,
	    oc_clock_now_s()) != OC_OK || write(to, "p", 1) != 1 ||
	    reserve(store, issuer_id, o->account, o->order.id, n, &id) !=
	    OC_OK || write(to, "r", 1) != 1 ||
	    store_issue(store, id, BLOB("certificate")) != OC_OK ||
	    write(to, "i", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Killed once it has said so, or a while later. */
static char
kill_at(struct fixture *f, const struct ordering *o, uint64_t n, char step)
{
	struct pollfd p = { .events = POLLIN };
	char said = 0, last = 0;
	int ends[2], status;
	pid_t child;

	store_close(f->store);
	f->store = NULL;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		order_until_killed(f->path, f->issuer_id, o, n, ends[1]);
	close(ends[1]);
	p.fd = ends[0];
	while (said != step && poll(&p, 1, 20000) == 1 &&
	    read(ends[0], &said, 1) == 1)
		last = said;
	assert_int_equal(said, step);
	usleep((useconds_t)(rand() % 1500));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], &said, 1) == 1)
		last = said;
	close(ends[0]);
	f->store = open_store(f->path, STORE_WRITE);
	return last;
}

/* The kernel unlocks a file at once; a server has to hear of it. */
static enum store_order_state
state_soon(struct fixture *f, const char *tag)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	struct store_order order = { .id = 0 };
	enum store_order_state state;

	for (;;) {
		assert_ok(store_find_order(f->store, tag, &order));
		state = order.state;
		store_order_fini(&order);
		if (state != STORE_ORDER_PROCESSING ||
		    oc_clock_mono_ns() > deadline_ns)
			return state;
		usleep(1000);
	}
}

/* Between any two steps: the order is where it was, or has its certificate; the
 * next try succeeds, and one certificate is issued for each. */
static void
test_killed(void **state)
{
	static const char steps[] = "opri";
	struct fixture *f = *state;
	struct ordering o;
	uint64_t n = 0;

	setup_ready(f, &o);
	srand((unsigned int)oc_clock_mono_ns());
	for (int i = 0; i < 40; i++) {
		enum store_order_state found;
		char last;

		o.order = order_of(&o);
		assert_ok(store_add_order(f->store, &o.order));
		last = kill_at(f, &o, n++, steps[i % 4]);
		found = state_soon(f, o.order.tag);
		if (last == 'i')
			assert_int_equal(found, STORE_ORDER_VALID);
		if (found == STORE_ORDER_READY) {
			assert_ok(store_process_order(f->store, o.order.id,
			    oc_clock_now_s()));
			assert_ok(store_issue(f->store, reserve_for(f, &o,
			    n++), BLOB("certificate")));
		}
		assert_int_equal(state_soon(f, o.order.tag),
		    STORE_ORDER_VALID);
		assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
		    " certificate WHERE state = 2"), i + 1);
		assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
		    " acme_order o JOIN certificate c ON c.id ="
		    " o.certificate_id WHERE o.state = 4 AND c.state = 2"),
		    i + 1);
	}
	assert_verifies(f->store);
}

/* --- who ends meanwhile --------------------------------------------------- */

static struct {
	const struct store_ops *ops;
	struct store *store;
	int64_t id;
} worker;

/* It has done it just before it ended. */
static bool
is_run_over_now(struct store *s, int64_t run)
{
	if (worker.store != NULL) {
		assert_ok(store_issue(worker.store, worker.id,
		    BLOB("certificate")));
		store_close(worker.store);
		worker.store = NULL;
	}
	(void)worker.ops->is_run_over(s, run);
	return true;
}

static void
test_done_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct store_ops ops;
	struct ordering o;

	setup_ready(f, &o);
	assert_ok(store_process_order(f->store, o.order.id,
	    oc_clock_now_s()));
	worker.id = reserve_for(f, &o, 1);
	worker.store = f->store;
	f->store = open_store(f->path, STORE_WRITE);
	worker.ops = f->store->ops;
	ops = *worker.ops;
	ops.is_run_over = is_run_over_now;
	f->store->ops = &ops;
	assert_order(f, o.order.tag, STORE_ORDER_VALID, worker.id);
	f->store->ops = worker.ops;
}

/* --- several processes -------------------------------------------------- */

static int
finalize_attempt(struct store *store, int64_t id)
{
	enum oc_err err = store_process_order(store, id, oc_clock_now_s());

	if (err == OC_OK) {
		int64_t certificate;

		/* Not over before the others have tried. */
		usleep(300 * 1000);
		return reserve(store, 1, 1, id, 1, &certificate) == OC_OK &&
		    store_issue(store, certificate, BLOB("certificate")) ==
		    OC_OK ? 0 : 2;
	}
	return err == OC_ERR_MISMATCH ? 1 : 2;
}

static void
test_race_for_an_order(void **state)
{
	struct fixture *f = *state;
	struct ordering o;

	setup_ready(f, &o);
	assert_int_equal(race(f, finalize_attempt, o.order.id), 1);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate"), 1);
	assert_order(f, o.order.tag, STORE_ORDER_VALID, 1);
	assert_verifies(f->store);
}

/* As the issuer does: counted in the change that adds it. */
static int
limited_attempt(struct store *store, int64_t id)
{
	struct store_order order = order_of(&(struct ordering){
	    .account = 1, .acme = 1, .a.id = 1, .b.id = 2 });
	int64_t made_at = 0;
	enum oc_err err = store_begin_group(store);

	if (err == OC_OK)
		err = store_find_nth_order(store, 1, ".a.test", 1, id,
		    &made_at);
	if (err != OC_OK)
		return 2;
	if (made_at != 0) {
		store_abandon_group(store);
		return 1;
	}
	usleep(50 * 1000);
	return store_add_order(store, &order) == OC_OK &&
	    store_commit_group(store) == OC_OK ? 0 : 2;
}

static void
test_race_for_a_place(void **state)
{
	struct fixture *f = *state;
	struct ordering o;

	setup_ordering(f, &o);
	assert_int_equal(race(f, limited_attempt, 3), 2);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " acme_order"), 3);
	assert_verifies(f->store);
}

/* --- lists, the end, by hand -------------------------------------------- */

struct listed {
	int num;
	int64_t ids[8];
};

static enum oc_err
note_order(void *arg, const struct store_order *order)
{
	struct listed *l = arg;

	assert_in_range(l->num, 0, 7);
	assert_string_equal(order->profile, "server");
	l->ids[l->num++] = order->id;
	return OC_OK;
}

static void
test_lists(void **state)
{
	struct fixture *f = *state;
	struct listed l = { .num = 0 };
	struct store_order order;
	struct ordering o;
	uint32_t num = 0;

	setup_ready(f, &o);
	for (int i = 0; i < 4; i++) {
		order = order_of(&o);
		assert_ok(store_add_order(f->store, &order));
	}
	assert_ok(store_list_orders(f->store, o.acme, 0, 2, note_order, &l));
	assert_int_equal(l.num, 2);
	assert_int_equal(l.ids[0], 5);
	assert_ok(store_list_orders(f->store, o.acme, l.ids[1], 9,
	    note_order, &l));
	assert_int_equal(l.num, 5);
	assert_int_equal(l.ids[4], 1);
	assert_ok(store_list_orders(f->store, o.acme + 1, 0, 9, note_order,
	    &l));
	assert_int_equal(l.num, 5);
	/* One has its certificate: that stays, and what it stands on. */
	assert_ok(store_process_order(f->store, o.order.id,
	    oc_clock_now_s()));
	assert_ok(store_issue(f->store, reserve_for(f, &o, 1),
	    BLOB("certificate")));
	assert_ok(store_prune_challenges(f->store, oc_clock_now_s() +
	    2 * HOUR, 100, &num));
	assert_int_equal(num, 3);
	assert_ok(store_prune_challenges(f->store, oc_clock_now_s() +
	    2 * HOUR, 100, &num));
	assert_int_equal(num, 0);
	assert_order(f, o.order.tag, STORE_ORDER_VALID, 1);
	(void)get_proof(f, o.a.id);
	assert_verifies(f->store);
	order = order_of(&o);
	assert_ok(store_add_order(f->store, &order));
	assert_int_equal(order.id, 6);
}

static void
test_noticed(void **state)
{
	struct fixture *f = *state;
	struct ordering o;

	setup_ready(f, &o);
	assert_noticed(f, "UPDATE acme_order SET state = 1",
	    "UPDATE acme_order SET state = 2");
	assert_noticed(f, "UPDATE acme_order SET names = '[]'", "UPDATE"
	    " acme_order SET names = '[\"a.test\",\"*.b.test\"]'");
	assert_noticed(f, "UPDATE acme_order SET profile = 'ca'",
	    "UPDATE acme_order SET profile = 'server'");
	assert_noticed(f, "DELETE FROM acme_order_proof WHERE proof_id = 1",
	    "INSERT INTO acme_order_proof (proof_id, order_id)"
	    " VALUES (1, 1)");
}

/* A copy has all of it. */
static void
test_backup(void **state)
{
	struct fixture *f = *state;
	struct oc_error error = { 0 };
	struct ordering o;
	char backup[320];

	needs_file();
	setup_ready(f, &o);
	snprintf(backup, sizeof(backup), "%s/backup", f->directory);
	assert_ok(store_backup(f->store, backup, &error));
	store_close(f->store);
	f->store = NULL;
	assert_ok(store_restore(backup, f->path, &error));
	f->store = open_store(f->path, STORE_WRITE);
	assert_order(f, o.order.tag, STORE_ORDER_READY, 0);
	assert_int_equal(get_proof(f, o.a.id).state, STORE_PROOF_VALID);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_nth_of_a_zone),
		TEST(test_order_fails),
		TEST(test_owner_is_over),
		TEST(test_issue),
		TEST(test_reopen),
		TEST(test_unproven),
		TEST(test_slow),
		TEST(test_done_meanwhile),
		TEST(test_killed),
		TEST(test_race_for_an_order),
		TEST(test_race_for_a_place),
		TEST(test_lists),
		TEST(test_noticed),
		TEST(test_backup)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
