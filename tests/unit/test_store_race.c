/* SPDX-License-Identifier: Apache-2.0 */
/* Is one request one certificate, and a quota a quota, however many ask at
 * once and whoever dies meanwhile? */
#include "store_asking.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

#define NUM_ASKERS 4
#define NUM_TRIES 50

/* What a child says, and until when it stays. */
struct talk {
	int said[2], gate[2];
};

static void
talk_open(struct talk *t)
{
	assert_int_equal(pipe(t->said), 0);
	assert_int_equal(pipe(t->gate), 0);
}

/* In the child: says so, and holds the store open until it is let go. */
static void
say_and_stay(struct talk *t, int said)
{
	uint8_t octet = (uint8_t)said;

	close(t->gate[1]);
	if (write(t->said[1], &octet, 1) != 1)
		_exit(253);
	/* The others may have nothing to say. */
	close(t->said[1]);
	(void)!read(t->gate[0], &octet, 1);
}

/* After all forks: who ends without a word is heard of by that alone. */
static void
listen_only(const struct talk *t)
{
	close(t->said[1]);
}

static int
hear(const struct talk *t)
{
	uint8_t octet;

	assert_int_equal(read(t->said[0], &octet, 1), 1);
	return octet;
}

static void
talk_close(struct talk *t)
{
	close(t->said[0]);
	close(t->gate[0]);
	close(t->gate[1]);
}

/* Says how many it was given. */
static void
ask_many(const char *path, int64_t issuer_id, const struct asking *a,
    int asker, struct talk *talk)
{
	struct store *store;
	int num = 0;

	if (store_open(path, STORE_WRITE, &store, NULL) != OC_OK)
		_exit(255);
	for (int i = 0; i < NUM_TRIES; i++) {
		struct store_reservation r = reservation_of(issuer_id,
		    (uint64_t)(asker * NUM_TRIES + i));
		struct store_reserved reserved;

		if (store_reserve_request(store, &r, &a->request,
		    &reserved) != OC_OK)
			_exit(254);
		if (reserved.outcome == STORE_OUTCOME_RESERVED)
			num++;
	}
	say_and_stay(talk, num);
	store_close(store);
	_exit(0);
}

static int
race(struct fixture *f, const struct asking *a)
{
	pid_t children[NUM_ASKERS];
	struct talk talk;
	int num = 0, status;

	talk_open(&talk);
	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < NUM_ASKERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			ask_many(f->path, f->issuer_id, a, i, &talk);
	}
	listen_only(&talk);
	for (int i = 0; i < NUM_ASKERS; i++)
		num += hear(&talk);
	talk_close(&talk);
	for (int i = 0; i < NUM_ASKERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0),
		    children[i]);
		assert_int_equal(status, 0);
	}
	f->store = open_store(f->path, STORE_WRITE);
	return num;
}

static void
test_race_for_a_key(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	assert_int_equal(race(f, &a), 1);
	assert_int_equal(count(f, "certificate"), 1);
	assert_verifies(f->store);
}

static void
test_race_for_a_quota(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	a.request.key = NULL;
	a.account.live_max = 37;
	assert_ok(store_change_account(f->store, &a.account));
	assert_int_equal(race(f, &a), 37);
	assert_int_equal(count(f, "certificate"), 37);
	assert_verifies(f->store);
}

/* Never returns: a test that fails in a child would go on there. */
static void
ask_and_stay(const struct fixture *f, const struct asking *a,
    struct talk *talk)
{
	struct store_reservation r = reservation_of(f->issuer_id, 1);
	struct store_reserved reserved;
	struct store *store;

	if (store_open(f->path, STORE_WRITE, &store, NULL) != OC_OK ||
	    store_reserve_request(store, &r, &a->request, &reserved) !=
	    OC_OK)
		_exit(255);
	say_and_stay(talk, (int)reserved.id);
	_exit(1);
}

/* The kernel unlocks a file at once; a server has to hear of it. */
static void
wait_until_over(struct fixture *f, const struct asking *a)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	struct store_reserved found;

	while (on_database() && store_find_key(f->store, a->key, 0,
	    &found) == OC_OK && oc_clock_mono_ns() < deadline_ns)
		usleep(1000);
	assert_int_equal(store_find_key(f->store, a->key, 0, &found),
	    OC_ERR_NOT_FOUND);
}

/* Whoever reserved it was killed: it was not issued, and will not be. */
static void
test_killed(void **state)
{
	struct fixture *f = *state;
	struct store_reserved found;
	struct talk talk;
	struct asking a;
	int status;
	pid_t child;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_ok(store_change_account(f->store, &a.account));
	talk_open(&talk);
	store_close(f->store);
	f->store = NULL;
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		ask_and_stay(f, &a, &talk);
	listen_only(&talk);
	assert_int_equal(hear(&talk), 1);
	f->store = open_store(f->path, STORE_WRITE);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	assert_ok(store_find_key(f->store, a.key, 0, &found));
	assert_int_equal(found.outcome, STORE_OUTCOME_PENDING);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	talk_close(&talk);
	wait_until_over(f, &a);
	/* Nor does it count any more. */
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	assert_outcome(f, &a, 3, STORE_OUTCOME_PENDING, 2);
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 2);
	assert_int_equal(read_sql(f->path, "SELECT count(*) FROM"
	    " certificate_request WHERE is_current = 1"), 1);
	assert_verifies(f->store);
}

/* As of before there were such numbers, and where there are no such locks. */
static void
test_nobodys(void **state)
{
	struct fixture *f = *state;
	struct asking a;

	setup_asking(f, &a);
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	run_sql(f->path, "UPDATE certificate_request SET run = 0");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate_request SET run = -5");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate_request SET run ="
	    " 1099511627776");
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
}

/* Stopped for longer than it may take; it has its signature now, but its
 * request was given to another. */
static void
test_given_up(void **state)
{
	struct fixture *f = *state;
	struct store_asked asked = { 0 };
	struct store_usage usage;
	struct store *slow;
	struct asking a;

	setup_asking(f, &a);
	a.account.live_max = 1;
	assert_ok(store_change_account(f->store, &a.account));
	assert_outcome(f, &a, 1, STORE_OUTCOME_RESERVED, 1);
	slow = f->store;
	f->store = open_store(f->path, STORE_WRITE);
	assert_outcome(f, &a, 2, STORE_OUTCOME_PENDING, 1);
	run_sql(f->path, "UPDATE certificate SET reserved_at = reserved_at -"
	    " 120; UPDATE certificate_request SET reserved_at = reserved_at -"
	    " 120");
	assert_outcome(f, &a, 2, STORE_OUTCOME_RESERVED, 2);
	/* Whether or not the other is there yet. */
	assert_int_equal(store_issue(slow, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	assert_non_null(strstr(store_error(slow), "given up"));
	assert_ok(store_issue(f->store, 2, BLOB("certificate")));
	assert_int_equal(store_issue(slow, 1, BLOB("late")),
	    OC_ERR_MISMATCH);
	store_close(slow);
	assert_ok(store_count_usage(f->store, &a.account, oc_clock_now_s(),
	    &usage));
	assert_int_equal(usage.num_live, 1);
	assert_ok(store_get_asked(f->store, 1, &asked));
	assert_int_equal(asked.certificate.state, STORE_RESERVED);
	store_asked_fini(&asked);
	assert_outcome(f, &a, 3, STORE_OUTCOME_REPEATED, 2);
	assert_verifies(f->store);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_race_for_a_key),
		TEST(test_race_for_a_quota),
		TEST(test_killed),
		TEST(test_nobodys),
		TEST(test_given_up)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
