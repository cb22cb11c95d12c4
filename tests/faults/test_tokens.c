/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key in two tokens: what one does wrong costs nobody a signature, while
 * the other works.  Each behind a shim and a library of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/admin.h"
#include "pkcs11/clone.h"
#include "tests/faults/two_tokens.h"

#define LONG_NS (30 * OC_NS_PER_S)
#define NUM_JOBS 300

static struct two two;
static struct two_job jobs[NUM_JOBS];

static unsigned long
num_signs(size_t token)
{
	return shim_calls(two.shim[token], SHIM_SIGN);
}

static size_t
num_keys(size_t token)
{
	static struct p11_key_entry keys[P11_ADMIN_MAX];
	struct oc_error error = { 0 };
	size_t num = 0;

	assert_int_equal(p11_admin_list_keys(&two.tokens[token],
	    two.hsm.state_dir, oc_clock_mono_ns() + LONG_NS, keys, &num,
	    &error), OC_OK);
	return num;
}

/* Whatever fails, and wherever: no key that is not proven, and nothing that
 * it was wrapped with.  Before there is a pool: it forks. */
static void
clone_that_fails_leaves_nothing(void **state)
{
	static const struct { size_t token; enum shim_function function; }
	    faults[] = {
		{ 1, SHIM_SIGN }, { 1, SHIM_SIGN_INIT },
		{ 1, SHIM_GENERATE_KEY_PAIR }, { 1, SHIM_OPEN_SESSION },
		{ 0, SHIM_FIND_OBJECTS }, { 0, SHIM_LOGIN },
	};
	const struct p11_clone clone = { .from = &two.tokens[0],
		.to = &two.tokens[1], .state_dir = two.hsm.state_dir,
		.key = "movable" };
	struct oc_error error = { 0 };
	struct p11_cloned cloned;
	struct sign_key_info info;
	size_t num_a, num_b;

	(void)state;
	assert_int_equal(p11_admin_generate_extractable(&two.tokens[0],
	    two.hsm.state_dir, "movable", SIGN_KEY_P256, 256,
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	num_a = num_keys(0);
	num_b = num_keys(1);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		(void)shim_add(two.shim[faults[i].token],
		    faults[i].function, SHIM_RETURN, 0x30, 0, 0);
		memset(&error, 0, sizeof(error));
		assert_int_not_equal(p11_clone(&clone, oc_clock_mono_ns() +
		    2 * LONG_NS, &cloned, &error), OC_OK);
		if (strstr(error.text, "token a") == NULL &&
		    strstr(error.text, "token b") == NULL)
			fail_msg("%s", error.text);
		for (size_t n = 0; n < 2; n++)
			shim_clear(two.shim[n]);
		assert_int_equal(num_keys(0), num_a);
		assert_int_equal(num_keys(1), num_b);
	}
	assert_int_equal(p11_clone(&clone, oc_clock_mono_ns() + 2 * LONG_NS,
	    &cloned, &error), OC_OK);
	assert_int_equal(num_keys(1), num_b + 1);
}

static void
weights_share_the_work(void **state)
{
	uint64_t a, b;

	(void)state;
	two.tokens[1].weight = 50;
	two_start(&two, 4, 0);
	two_sign(&two, 90);
	a = two_status(&two, 0).num_signed;
	b = two_status(&two, 1).num_signed;
	assert_int_equal(a + b, 90);
	/* 60 and 30; one that the machine makes slow gets less. */
	assert_true(a >= 40);
	assert_true(b >= 8);
	assert_int_equal(two_status(&two, 1).weight, 50);
	two_stop(&two);
}

static void
standby_works_alone(void **state)
{
	uint64_t before;

	(void)state;
	two.tokens[1].is_standby = true;
	two_start(&two, 4, 0);
	two_sign(&two, 20);
	assert_int_equal(two_status(&two, 1).num_signed, 0);
	assert_int_equal(two_status(&two, 1).weight, 0);
	two_kill(&two, 0);
	two_sign(&two, 20);
	assert_int_equal(two_status(&two, 1).num_signed, 20);
	assert_string_equal(two_status(&two, 0).state, "down");
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
	before = two_status(&two, 1).num_signed;
	two_sign(&two, 20);
	assert_int_equal(two_status(&two, 1).num_signed, before);
	two_stop(&two);
}

/* Under load one dies; the other has all its work at once.  It comes back and
 * gets work again, a little at first. */
static void
dies_and_returns(void **state)
{
	unsigned long logins;
	uint64_t before;
	int64_t begin_ns;

	(void)state;
	two_start(&two, 4, 0);
	logins = shim_calls(two.shim[0], SHIM_LOGIN);
	two_submit(&two, jobs, NUM_JOBS, LONG_NS);
	two_turn(&two);
	two_kill(&two, 0);
	begin_ns = oc_clock_mono_ns();
	assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	/* SoftHSM makes these in less than a second. */
	assert_true(oc_clock_mono_ns() - begin_ns < 15 * OC_NS_PER_S);
	assert_string_equal(two_status(&two, 0).state, "down");
	assert_int_equal(two_status(&two, 0).num_waiting, 0);
	assert_non_null(strstr(two_status(&two, 0).failure,
	    "CKR_DEVICE_ERROR"));
	assert_string_equal(two_status(&two, 1).state, "up");
	assert_true(two_status(&two, 0).num_moved > 0);
	two_sign(&two, 10);
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
	assert_true(shim_calls(two.shim[0], SHIM_LOGIN) - logins <= 3);
	before = two_status(&two, 0).num_signed;
	two_sign(&two, 80);
	assert_true(two_status(&two, 0).num_signed > before);
	/* An eighth at first. */
	assert_true(two_status(&two, 0).num_signed - before < 40);
	two_stop(&two);
}

/* What was in its hands is tried on the other, once. */
static void
one_error_costs_nobody(void **state)
{
	(void)state;
	two_start(&two, 1, 0);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_RETURN, 0x31, 2, 1);
	two_submit(&two, jobs, 40, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 40), 40);
	assert_int_equal(two_status(&two, 0).num_failed, 0);
	assert_int_equal(two_status(&two, 1).num_failed, 0);
	two_stop(&two);
}

static void
wrong_signature_is_made_elsewhere(void **state)
{
	(void)state;
	two_start(&two, 1, 0);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_FLIP, 0, 2, 0);
	two_submit(&two, jobs, 40, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 40), 40);
	/* Its canary has a wrong bit as well. */
	assert_string_equal(two_status(&two, 0).state, "down");
	two_stop(&two);
}

/* A call that never returns: the process goes on, with the other. */
static void
hangs(void **state)
{
	int64_t end_ns;

	(void)state;
	two_start(&two, 2, 300 * OC_NS_PER_MS);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_HANG, 0, 0, 0);
	two_submit(&two, jobs, 40, 2 * OC_NS_PER_S);
	end_ns = oc_clock_mono_ns() + OC_NS_PER_S;
	while (oc_clock_mono_ns() < end_ns) {
		two_turn(&two);
		assert_false(p11_local_is_stuck(two.signer));
	}
	/* What was in its hands is taken away and done by the other. */
	assert_int_equal(two_finish(&two, jobs, 40), 40);
	assert_string_equal(two_status(&two, 0).state, "down");
	two_sign(&two, 20);
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
	two_sign(&two, 20);
	two_stop(&two);
}

/* Without the other it is stuck, and says so. */
static void
hangs_alone(void **state)
{
	int64_t end_ns;
	struct two_job job;

	(void)state;
	two_start(&two, 2, 300 * OC_NS_PER_MS);
	two_kill(&two, 1);
	two_sign(&two, 8);
	two_await(&two, 1, "down");
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_HANG, 0, 0, 0);
	two_submit(&two, &job, 1, OC_NS_PER_S);
	assert_int_equal(two_finish(&two, &job, 1), 0);
	end_ns = oc_clock_mono_ns() + LONG_NS;
	while (!p11_local_is_stuck(two.signer)) {
		assert_true(oc_clock_mono_ns() < end_ns);
		two_turn(&two);
	}
	two_stop(&two);
}

static void
slow_gets_less(void **state)
{
	uint64_t a, b;
	int rule;

	(void)state;
	two_start(&two, 2, 0);
	rule = shim_add(two.shim[0], SHIM_SIGN, SHIM_SLOW, 0, 0, 0);
	atomic_store(&two.shim[0]->rules[rule].latency_ms, 50);
	two_submit(&two, jobs, 20, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 20), 20);
	a = two_status(&two, 0).num_signed;
	b = two_status(&two, 1).num_signed;
	two_sign(&two, 60);
	a = two_status(&two, 0).num_signed - a;
	b = two_status(&two, 1).num_signed - b;
	assert_true(b > 2 * a);
	two_stop(&two);
}

/* One of two: it is latched and left alone, and the service goes on. */
static void
wrong_pin(void **state)
{
	struct oc_error error = { 0 };
	unsigned long logins;

	(void)state;
	two_set_pin(two.pin_file, "9999\n");
	logins = shim_calls(two.shim[1], SHIM_LOGIN);
	two_start(&two, 2, 0);
	two_await(&two, 1, "failed");
	assert_int_equal(shim_calls(two.shim[1], SHIM_LOGIN) - logins, 1);
	assert_non_null(strstr(two_status(&two, 1).failure, "PIN"));
	two_sign(&two, 20);
	assert_int_equal(p11_local_failure(two.signer, &error), OC_OK);
	two_kill(&two, 0);
	two_submit(&two, jobs, 4, 300 * OC_NS_PER_MS);
	assert_int_equal(two_finish(&two, jobs, 4), 0);
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
	two_sign(&two, 5);
	assert_int_equal(shim_calls(two.shim[1], SHIM_LOGIN) - logins, 1);
	two_stop(&two);

	/* Nor is it tried by the next process. */
	two_start(&two, 2, 0);
	two_await(&two, 1, "failed");
	assert_int_equal(shim_calls(two.shim[1], SHIM_LOGIN) - logins, 1);
	two_stop(&two);
}

/* While it works: the login goes, and the PIN is another by then. */
static void
pin_changes_while_it_works(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	two_start(&two, 2, 0);
	two_set_pin(two.pin_file, "9999\n");
	(void)shim_add(two.shim[1], SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 3, 1);
	two_submit(&two, jobs, 60, LONG_NS);
	assert_int_equal(two_finish(&two, jobs, 60), 60);
	two_await(&two, 1, "failed");
	assert_int_equal(p11_local_failure(two.signer, &error), OC_OK);
	two_sign(&two, 10);
	two_stop(&two);
}

static void
no_token_is_left(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	two_set_pin(two.pin_file, "9999\n");
	two_set_pin(two.hsm.pin_file, "8888\n");
	assert_int_equal(two_try(&two, &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "PIN"));
}

static void
absent_at_the_start(void **state)
{
	(void)state;
	two.tokens[1].uri = "pkcs11:token=nobody";
	two_start(&two, 2, 0);
	two_sign(&two, 10);
	two_await(&two, 1, "down");
	assert_non_null(strstr(two_status(&two, 1).failure, "token b"));
	two_stop(&two);
	/* Its library is away. */
	two.tokens[1].uri = "pkcs11:token=b";
	two.tokens[1].module = "/nowhere/libpkcs11.so";
	two_start(&two, 2, 0);
	two_sign(&two, 10);
	assert_string_equal(two_status(&two, 1).state, "failed");
	assert_non_null(strstr(two_status(&two, 1).failure, "/nowhere/"));
	two_stop(&two);
}

/* Its C_Initialize fails for a while, and then does not. */
static void
starts_late(void **state)
{
	(void)state;
	(void)shim_add(two.shim[1], SHIM_INITIALIZE, SHIM_RETURN, 0x30, 0, 0);
	two_start(&two, 2, 0);
	two_sign(&two, 10);
	two_await(&two, 1, "down");
	shim_clear(two.shim[1]);
	two_await(&two, 1, "up");
	two_sign(&two, 20);
	assert_true(two_status(&two, 1).num_signed > 0);
	two_stop(&two);
}

static void
hangs_at_the_start(void **state)
{
	(void)state;
	(void)shim_add(two.shim[1], SHIM_INITIALIZE, SHIM_HANG, 0, 0, 1);
	for (size_t i = 0; i < 2; i++)
		two.tokens[i].timeout_ns = 300 * OC_NS_PER_MS;
	assert_int_equal(two_try(&two, &(struct oc_error){ 0 }), OC_OK);
	two_sign(&two, 10);
	(void)usleep(400000);
	assert_false(p11_local_is_stuck(two.signer));
	assert_string_equal(two_status(&two, 1).state, "starting");
	shim_clear(two.shim[1]);
	two_await(&two, 1, "up");
	two_stop(&two);
}

/* Another key under the same name: never used, both named. */
static void
another_key(void **state)
{
	struct p11_place_status place = { .key = NULL };

	(void)state;
	two.key.uri = "other";
	two.key.spki = (struct der_bytes){ NULL, 0 };
	two_start(&two, 2, 0);
	assert_true(p11_local_place(two.signer, 0, &place));
	if (!place.is_wrong)
		assert_true(p11_local_place(two.signer, 1, &place));
	assert_true(place.is_wrong);
	assert_non_null(strstr(place.wrong, "token a"));
	assert_non_null(strstr(place.wrong, "token b"));
	assert_false(p11_local_place(two.signer, 2, &place));
	assert_string_equal(two_status(&two, 0).state, "up");
	assert_string_equal(two_status(&two, 1).state, "up");
	two_stop(&two);
}

static void
key_is_missing_in_one(void **state)
{
	struct p11_place_status place = { .key = NULL };
	uint64_t before;

	(void)state;
	/* The certificate's is in both; "other" is what is looked for. */
	two.key.uri = "pkcs11:token=a;object=ca";
	two_start(&two, 2, 0);
	two_sign(&two, 10);
	assert_true(two_status(&two, 1).num_signed > 0);
	two_stop(&two);

	(void)shim_add(two.shim[1], SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 1);
	two_start(&two, 2, 0);
	before = num_signs(1);
	two_sign(&two, 10);
	assert_int_equal(num_signs(1), before);
	assert_true(p11_local_place(two.signer, 1, &place));
	assert_string_equal(place.token, "b");
	assert_true(place.is_wrong);
	/* It is looked for again, without a restart. */
	for (int i = 0; i < 3000 && !place.works; i++) {
		two_turn(&two);
		assert_true(p11_local_place(two.signer, 1, &place));
	}
	assert_true(place.works);
	two_sign(&two, 10);
	assert_true(num_signs(1) > before);
	two_stop(&two);
}

/* With nobody left they wait, for the first that is back. */
static void
both_die(void **state)
{
	(void)state;
	two_start(&two, 2, 0);
	two_kill(&two, 0);
	two_kill(&two, 1);
	two_submit(&two, jobs, 40, LONG_NS);
	two_await(&two, 0, "down");
	two_await(&two, 1, "down");
	shim_clear(two.shim[1]);
	/* Those that killed both may be lost. */
	assert_true(two_finish(&two, jobs, 40) >= 36);
	assert_string_equal(two_status(&two, 0).state, "down");
	two_sign(&two, 10);
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
	two_stop(&two);
}

static void
both_away_in_the_end(void **state)
{
	int64_t begin_ns;

	(void)state;
	two_start(&two, 2, 0);
	two_kill(&two, 0);
	two_kill(&two, 1);
	begin_ns = oc_clock_mono_ns();
	two_submit(&two, jobs, 40, 500 * OC_NS_PER_MS);
	assert_int_equal(two_finish(&two, jobs, 40), 0);
	assert_true(oc_clock_mono_ns() - begin_ns < 5 * OC_NS_PER_S);
	two_stop(&two);
}

/* Both behind one library: the restart that one needs takes the other along,
 * and both come back. */
static void
one_library(void **state)
{
	(void)state;
	two.tokens[1].module = two.tokens[0].module;
	two.tokens[1].environment = two.tokens[0].environment;
	two_start(&two, 2, 0);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_BREAK, 0x30, 30, 1);
	two_submit(&two, jobs, 100, LONG_NS);
	assert_true(two_finish(&two, jobs, 100) >= 96);
	two_await(&two, 0, "up");
	two_await(&two, 1, "up");
	two_sign(&two, 10);
	two_stop(&two);
}

/* Faults on both, short deadlines and cancels: still once each. */
static void
storm(void **state)
{
	unsigned int num_good, num_kept = 0;

	(void)state;
	two_start(&two, 3, 0);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_RETURN, 0xb3, 5, 3);
	(void)shim_add(two.shim[1], SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 20,
	    1);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_FLIP, 0, 30, 1);
	(void)shim_add(two.shim[1], SHIM_SIGN, SHIM_BREAK, 0x30, 40, 1);
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_RETURN, 0x30, 50, 1);
	two_submit(&two, jobs, NUM_JOBS, LONG_NS);
	for (int i = 0; i < NUM_JOBS; i += 5) {
		if (i % 50 == 0)
			two_turn(&two);
		if (jobs[i].num_done == 0) {
			sign_cancel(two.signer, &jobs[i].job);
			jobs[i].num_done = 1;
			jobs[i].job.err = OC_ERR_CANCELLED;
		}
	}
	for (int i = 0; i < NUM_JOBS; i++)
		num_kept += jobs[i].job.err != OC_ERR_CANCELLED;
	num_good = two_finish(&two, jobs, NUM_JOBS);
	assert_true(num_good + 8 >= num_kept);
	two_stop(&two);
}

static int
clean_up(void **state)
{
	(void)state;
	two_reset(&two);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	two_init(&two);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	two_fini(&two);
	return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clone_that_fails_leaves_nothing),
		TEST(weights_share_the_work),
		TEST(standby_works_alone),
		TEST(dies_and_returns),
		TEST(one_error_costs_nobody),
		TEST(wrong_signature_is_made_elsewhere),
		TEST(hangs),
		TEST(hangs_alone),
		TEST(slow_gets_less),
		TEST(wrong_pin),
		TEST(pin_changes_while_it_works),
		TEST(no_token_is_left),
		TEST(absent_at_the_start),
		TEST(starts_late),
		TEST(hangs_at_the_start),
		TEST(another_key),
		TEST(key_is_missing_in_one),
		TEST(both_die),
		TEST(both_away_in_the_end),
		TEST(one_library),
		TEST(storm),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_tokens", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
