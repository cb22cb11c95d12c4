/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that are lost, logged out, left in an operation, or not to be had;
 * and a token that is asked for too much.  One test a kind of failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/faults/fixture.h"

static void
session_lost(void **state)
{
	(void)state;
	survives(SHIM_SIGN, SHIM_RETURN, 0xb3, 0, P11_CLASS_SESSION);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0xb3, 0, P11_CLASS_SESSION);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0xb0, 0, P11_CLASS_SESSION);
	survives(SHIM_SIGN, SHIM_RETURN, 0x50, 0, P11_CLASS_SESSION);
}

static void
all_sessions_lost(void **state)
{
	(void)state;
	/* It logs out as well: one login, by the keeper. */
	survives(SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 1, P11_CLASS_OK);
	start(4, 0);
	(void)signs_many(40, 8);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 0, 1);
	(void)signs_many(40, 8);
	assert_true(counted(P11_CLASS_SESSION) + counted(P11_CLASS_LOGIN) >
	    0);
	finish(1);
}

static void
login_lost(void **state)
{
	(void)state;
	survives(SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 1, P11_CLASS_LOGIN);
	/* Four providers, four ways to say it; the login is still there. */
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x60, 0, P11_CLASS_LOGIN);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x63, 0, P11_CLASS_LOGIN);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x82, 0, P11_CLASS_LOGIN);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x101, 0, P11_CLASS_LOGIN);
}

/* Under load all sessions notice; one login mends it for all. */
static void
login_lost_under_load(void **state)
{
	(void)state;
	start(4, 0);
	(void)signs_many(40, 8);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 20, 1);
	(void)signs_many(100, 8);
	assert_true(counted(P11_CLASS_LOGIN) >= 1);
	assert_int_equal(status().num_logins, 2);
	finish(1);
}

static void
operation_left_active(void **state)
{
	(void)state;
	/* Not called through, so the real session stays in its operation. */
	survives(SHIM_SIGN, SHIM_RETURN, 0x30, 0, P11_CLASS_MODULE);
	survives(SHIM_SIGN, SHIM_RETURN, 0x90, 0, P11_CLASS_SESSION);
	survives(SHIM_SIGN, SHIM_RETURN, 0x5, 0, P11_CLASS_MODULE);
}

static void
session_limit(void **state)
{
	static const unsigned long values[] = { 0xb1, 0x31, 0x7 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int rule;

		start(6, 0);
		/* With the keeper's own, three for us. */
		rule = shim_add(f.shim, SHIM_OPEN_SESSION, SHIM_FULL,
		    values[i], 0, 0);
		atomic_store(&f.shim->rules[rule].arg, 4);
		(void)signs_many(200, 12);
		assert_true(status().num_sessions >= 1);
		assert_true(status().num_sessions <= 3);
		assert_int_equal(status().limit_found, status().limit);
		assert_true(status().limit <= 3);
		assert_true(counted(P11_CLASS_LIMIT) >= 1);
		assert_true(status().is_up);
		assert_int_equal(status().num_recovered, 0);
		finish(0);
	}
}

/* Not even one for us: it waits until there is. */
static void
no_session_at_all(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, 0);
	(void)shim_add(f.shim, SHIM_OPEN_SESSION, SHIM_RETURN, 0xb1, 0, 0);
	assert_int_equal(sign_within(300 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_true(counted(P11_CLASS_MODULE) >= 1);
	shim_clear(f.shim);
	signs();
	finish(1);
}

/* So many of a thousand say that they are busy; nothing is lost. */
static void
busy_now_and_then(void **state)
{
	static const unsigned long values[] = { 0x6, 0x90 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int rule;

		start(4, 0);
		rule = shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, values[i], 0,
		    0);
		atomic_store(&f.shim->rules[rule].latency_ms, 2);
		atomic_store(&f.shim->rules[rule].per_mille, 50);
		(void)signs_many(600, 12);
		assert_true(atomic_load(&f.shim->rules[rule].struck) > 5);
		assert_true(counted(values[i] == 0x6 ? P11_CLASS_LIMIT :
		    P11_CLASS_SESSION) >= 5);
		/* It is busy, not down. */
		assert_int_equal(status().num_recovered, 0);
		finish(0);
	}
}

static bool
is_limit_back(void)
{
	signs();
	return status().limit == 8;
}

/* What works on two at once is asked for two, and for more when it works on
 * more. */
static void
busy_above_a_ceiling(void **state)
{
	int rule;

	(void)state;
	start(8, 0);
	rule = shim_add(f.shim, SHIM_SIGN, SHIM_BUSY, 0x90, 0, 0);
	atomic_store(&f.shim->rules[rule].latency_ms, 2);
	atomic_store(&f.shim->rules[rule].arg, 2);
	(void)signs_many(400, 16);
	/* How near it comes to two depends on who else uses the machine. */
	assert_true(status().limit < 8);
	assert_in_range(status().limit_found, 1, 5);
	assert_true(counted(P11_CLASS_LIMIT) >= 1);
	assert_int_equal(status().num_recovered, 0);
	shim_clear(f.shim);
	wait_for(is_limit_back);
	finish(0);
}

/* Always busy is broken, and told as that; and then it is not. */
static void
busy_all_the_time(void **state)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	(void)state;
	start(4, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x6, 0, 0);
	err = sign_within(2 * OC_NS_PER_S, &error);
	/* Its time is over; or the token said so once more after that. */
	if (err == OC_ERR_TOKEN)
		assert_non_null(strstr(error.text, "CKR_FUNCTION_FAILED"));
	else
		assert_int_equal(err, OC_ERR_TIMEOUT);
	assert_true(counted(P11_CLASS_LIMIT) >= 8);
	shim_clear(f.shim);
	signs();
	/* One for each restart of the module, which is tried once a second. */
	finish(4);
}

/* Another library in the process has the module, too, and ends it. */
static void
finalized_by_another(void **state)
{
	(void)state;
	survives(SHIM_SIGN, SHIM_DO_FINALIZE, 0, 1, P11_CLASS_OK);
	survives(SHIM_SIGN_INIT, SHIM_DO_FINALIZE, 0, 1, P11_CLASS_OK);
}

static void
request_refused(void **state)
{
	struct oc_error error = { 0 };
	unsigned long before;

	(void)state;
	start(1, 0);
	before = shim_calls(f.shim, SHIM_SIGN);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x21, 0, 1);
	assert_int_equal(sign_within(5 * OC_NS_PER_S, &error), OC_ERR_TOKEN);
	assert_non_null(strstr(error.text, "C_Sign: CKR_DATA_LEN_RANGE"));
	/* Not tried twice, and the token stays up. */
	assert_int_equal(shim_calls(f.shim, SHIM_SIGN) - before, 1);
	assert_int_equal(counted(P11_CLASS_REQUEST), 1);
	assert_true(status().is_up);
	signs();
	finish(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(session_lost),
		FAULT_TEST(all_sessions_lost),
		FAULT_TEST(login_lost),
		FAULT_TEST(login_lost_under_load),
		FAULT_TEST(operation_left_active),
		FAULT_TEST(session_limit),
		FAULT_TEST(no_session_at_all),
		FAULT_TEST(busy_now_and_then),
		FAULT_TEST(busy_above_a_ceiling),
		FAULT_TEST(busy_all_the_time),
		FAULT_TEST(finalized_by_another),
		FAULT_TEST(request_refused),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults_session", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
