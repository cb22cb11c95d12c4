/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are slow, or never return; and a module that is restarted while
 * others sign.  One test a kind of failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/faults/fixture.h"
#include "tests/unit/tbs_samples.h"

/* Far more than SoftHSM takes on a busy machine. */
#define SHORT_NS (700 * OC_NS_PER_MS)

static bool
is_stuck(void)
{
	return p11_local_is_stuck(f.signer);
}

static bool
nothing_is_lost(void)
{
	return status().num_lost == 0;
}

static void
slow_token(void **state)
{
	struct oc_error error = { 0 };
	int rule;

	(void)state;
	start(2, 0);
	rule = shim_add(f.shim, SHIM_SIGN, SHIM_SLOW, 0, 0, 0);
	atomic_store(&f.shim->rules[rule].latency_ms, 50);
	signs();
	assert_int_equal(sign_within(10 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	signs();
	assert_false(is_stuck());
	assert_int_equal(counted(P11_CLASS_HUNG), 0);
	finish(0);
}

/* NSS decrypts the key in C_SignInit; some calls take much longer. */
static void
slow_with_spikes(void **state)
{
	int init, spikes;

	(void)state;
	start(4, 2 * OC_NS_PER_S);
	init = shim_add(f.shim, SHIM_SIGN_INIT, SHIM_SLOW, 0, 0, 0);
	atomic_store(&f.shim->rules[init].latency_ms, 30);
	spikes = shim_add(f.shim, SHIM_SIGN, SHIM_SLOW, 0, 0, 0);
	atomic_store(&f.shim->rules[spikes].latency_ms, 500);
	atomic_store(&f.shim->rules[spikes].per_mille, 20);
	(void)signs_many(200, 8);
	assert_false(is_stuck());
	assert_int_equal(counted(P11_CLASS_HUNG), 0);
	assert_int_equal(status().num_recovered, 0);
	finish(0);
}

/* It costs its session, which another has the place of; the ticket is signed
 * there; when the call returns after all, it is not signed twice. */
static void
hung_call_costs_a_session(void **state)
{
	static const enum shim_function functions[] = { SHIM_SIGN,
	    SHIM_SIGN_INIT, SHIM_OPEN_SESSION };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(2, SHORT_NS);
		if (functions[i] != SHIM_OPEN_SESSION)
			signs();
		(void)shim_add(f.shim, functions[i], SHIM_HANG, 0, 0, 1);
		signs();
		assert_int_equal(counted(P11_CLASS_HUNG), 1);
		assert_int_equal(status().num_lost, 1);
		assert_false(is_stuck());
		(void)signs_many(60, 4);
		assert_int_equal(status().num_sessions, 2);
		shim_clear(f.shim);
		wait_for(nothing_is_lost);
		(void)signs_many(60, 4);
		assert_int_equal(status().num_sessions, 2);
		finish(0);
	}
}

/* Long before the timeout, half of a job's time is for another session. */
static void
half_of_the_time_is_for_another(void **state)
{
	struct oc_error error = { 0 };
	int64_t begin_ns;

	(void)state;
	start(2, 60 * OC_NS_PER_S);
	signs();
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_HANG, 0, 0, 1);
	begin_ns = oc_clock_mono_ns();
	assert_int_equal(sign_within(3 * OC_NS_PER_S, &error), OC_OK);
	assert_true(oc_clock_mono_ns() - begin_ns >= 3 * OC_NS_PER_S / 2);
	assert_int_equal(counted(P11_CLASS_HUNG), 0);
	assert_int_equal(status().num_lost, 0);
	shim_clear(f.shim);
	finish(0);
}

/* The only session: the one that takes its place signs. */
static void
only_session_hangs(void **state)
{
	(void)state;
	start(1, SHORT_NS);
	signs();
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_HANG, 0, 0, 1);
	signs();
	assert_int_equal(counted(P11_CLASS_HUNG), 1);
	assert_int_equal(status().num_lost, 1);
	assert_false(is_stuck());
	shim_clear(f.shim);
	wait_for(nothing_is_lost);
	finish(0);
}

/* More than a quarter and one: not a session's fault any more. */
static void
all_hang(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(4, SHORT_NS);
	(void)signs_many(20, 4);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_HANG, 0, 0, 0);
	assert_int_equal(sign_within(2 * OC_NS_PER_S, &error),
	    OC_ERR_TIMEOUT);
	wait_for(is_stuck);
	assert_true(counted(P11_CLASS_HUNG) >= 1);
	shim_clear(f.shim);
	wait_for(nothing_is_lost);
	finish(0);
}

/* The keeper's own calls: nobody else could make them. */
static void
hung_login(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, SHORT_NS);
	signs();
	(void)shim_add(f.shim, SHIM_LOGIN, SHIM_HANG, 0, 0, 1);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0, 1);
	assert_int_equal(sign_within(500 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	wait_for(is_stuck);
	assert_int_equal(counted(P11_CLASS_HUNG), 1);
	assert_true(counted(P11_CLASS_LOGIN) >= 1);
	shim_clear(f.shim);
	signs();
	finish(1);
}

/* A restart waits for nobody who stands in the module for ever. */
static void
restart_beside_a_lost_call(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, SHORT_NS);
	signs();
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_HANG, 0, 0, 1);
	signs();
	assert_int_equal(status().num_lost, 1);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_BREAK, 0x30, 0, 1);
	assert_int_equal(sign_within(500 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	wait_for(is_stuck);
	assert_true(counted(P11_CLASS_HUNG) >= 1);
	assert_true(counted(P11_CLASS_MODULE) >= 1);
	shim_clear(f.shim);
	atomic_store(&f.shim->broken, 0);
	wait_for(nothing_is_lost);
	assert_int_equal(status().num_restarts, 0);
	/* What was not to be closed while it was broken is left. */
	sign_free(f.signer);
	f.signer = NULL;
}

/* C_Finalize waits for those who are inside C_Sign; finish() looks. */
static void
restart_waits_for_who_signs(void **state)
{
	int rule;

	(void)state;
	start(4, 0);
	signs();
	rule = shim_add(f.shim, SHIM_SIGN, SHIM_SLOW, 0, 0, 3);
	atomic_store(&f.shim->rules[rule].latency_ms, 300);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_BREAK, 0x30, 3, 1);
	(void)signs_many(8, 4);
	assert_int_equal(status().num_restarts, 1);
	finish(1);
}

/* C_Finalize while others are about to sign, again and again. */
static void
restarts_under_load(void **state)
{
	int rule;

	(void)state;
	start(4, 0);
	rule = shim_add(f.shim, SHIM_SIGN, SHIM_BREAK, 0x30, 0, 0);
	atomic_store(&f.shim->rules[rule].per_mille, 5);
	(void)signs_many(800, 16);
	assert_true(status().num_restarts >= 1);
	assert_true(counted(P11_CLASS_MODULE) >= 1);
	/* One login for each restart. */
	finish((unsigned long)status().num_restarts);
}

/* The pool ends while jobs are under way: none is called back, none leaks. */
static void
end_under_load(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct tbs_sample sample;
		static struct sign_job jobs[16];
		uint8_t tbs[512];
		size_t len;

		start(4, 0);
		tbs_sample_init(&sample, oc_clock_now_s());
		len = tbs_certificate(&sample, tbs, sizeof(tbs));
		for (int n = 0; n < 16; n++) {
			jobs[n] = (struct sign_job){ .key = FAULTS_KEY,
			    .kind = SIGN_KIND_CERTIFICATE,
			    .tbs = { tbs, len },
			    .deadline_ns = oc_clock_mono_ns() +
			    PATIENCE_NS };
			assert_int_equal(sign_submit(f.signer, &jobs[n]),
			    OC_OK);
		}
		finish(0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(slow_token),
		FAULT_TEST(slow_with_spikes),
		FAULT_TEST(hung_call_costs_a_session),
		FAULT_TEST(half_of_the_time_is_for_another),
		FAULT_TEST(only_session_hangs),
		FAULT_TEST(all_hang),
		FAULT_TEST(hung_login),
		FAULT_TEST(restart_beside_a_lost_call),
		FAULT_TEST(restart_waits_for_who_signs),
		FAULT_TEST(restarts_under_load),
		FAULT_TEST(end_under_load),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults_hung", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
