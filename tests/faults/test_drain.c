/* SPDX-License-Identifier: Apache-2.0 */
/* One of two tokens that have a key is drained: under load, by force, and
 * over a restart; what is drained is not asked anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/drain.h"
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

static bool
is_drained(const char *token)
{
	struct oc_error error = { 0 };
	bool is_set = false;

	assert_int_equal(p11_drain_is_set(two.hsm.state_dir, token, &is_set,
	    &error), OC_OK);
	return is_set;
}

static void
drained_under_load(void **state)
{
	struct oc_error error = { 0 };
	unsigned long before, logins;

	(void)state;
	two_start(&two, 2, 0);
	two_submit(&two, jobs, NUM_JOBS, LONG_NS);
	two_turn(&two);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_DRAIN, &error),
	    OC_OK);
	two_await(&two, 0, "drained");
	before = num_signs(0);
	logins = shim_calls(two.shim[0], SHIM_LOGIN);
	assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	assert_int_equal(two_status(&two, 0).num_waiting, 0);
	two_sign(&two, 10);
	assert_int_equal(num_signs(0), before);
	assert_true(is_drained("a"));
	/* Then nobody would be left. */
	assert_int_equal(p11_local_drain(two.signer, "b", P11_DRAIN, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "--force"));
	assert_false(is_drained("b"));
	assert_int_equal(p11_local_drain(two.signer, "c", P11_DRAIN, &error),
	    OC_ERR_NOT_FOUND);
	two_stop(&two);

	/* It holds. */
	two_start(&two, 2, 0);
	two_sign(&two, 10);
	assert_string_equal(two_status(&two, 0).state, "drained");
	assert_int_equal(num_signs(0), before);
	assert_int_equal(shim_calls(two.shim[0], SHIM_LOGIN), logins);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_UNDRAIN,
	    &error), OC_OK);
	two_await(&two, 0, "up");
	assert_true(num_signs(0) > before);	/* a canary */
	two_sign(&two, 40);
	assert_true(two_status(&two, 0).num_signed > 0);
	assert_false(is_drained("a"));
	two_stop(&two);
}

/* The last one, by force: requests wait until it is let work again. */
static void
drained_by_force(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	two_start(&two, 2, 0);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_DRAIN, &error),
	    OC_OK);
	assert_int_equal(p11_local_drain(two.signer, "b", P11_DRAIN_FORCED,
	    &error), OC_OK);
	two_await(&two, 0, "drained");
	two_await(&two, 1, "drained");
	two_submit(&two, jobs, 20, LONG_NS);
	for (int i = 0; i < 20; i++)
		two_turn(&two);
	assert_int_equal(jobs[0].num_done, 0);
	assert_int_equal(p11_local_drain(two.signer, "b", P11_UNDRAIN,
	    &error), OC_OK);
	assert_int_equal(two_finish(&two, jobs, 20), 20);
	assert_string_equal(two_status(&two, 0).state, "drained");
	assert_int_equal(two_status(&two, 1).num_signed, 20);
	two_stop(&two);
}

/* A drained token that breaks meanwhile is left alone, until it is asked
 * for again. */
static void
drained_and_switched_off(void **state)
{
	struct oc_error error = { 0 };
	unsigned long calls;

	(void)state;
	two_start(&two, 2, 0);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_DRAIN, &error),
	    OC_OK);
	two_await(&two, 0, "drained");
	two_kill(&two, 0);
	calls = shim_calls(two.shim[0], SHIM_GET_SLOT_LIST);
	two_sign(&two, 20);
	assert_int_equal(shim_calls(two.shim[0], SHIM_GET_SLOT_LIST), calls);
	assert_int_equal(p11_local_drain(two.signer, "a", P11_UNDRAIN,
	    &error), OC_OK);
	two_sign(&two, 20);
	for (int i = 0; i < 3000 && shim_calls(two.shim[0],
	    SHIM_GET_SLOT_LIST) == calls; i++)
		two_turn(&two);
	two_await(&two, 0, "down");
	shim_clear(two.shim[0]);
	two_await(&two, 0, "up");
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
		TEST(drained_under_load),
		TEST(drained_by_force),
		TEST(drained_and_switched_off),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_drain", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
