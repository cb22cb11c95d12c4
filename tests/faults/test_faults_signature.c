/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that are none, or another key's, and keys that are not the one:
 * nothing of it gets out.  One test a kind of failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/faults/fixture.h"

static void
vendor_value(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	survives(SHIM_SIGN, SHIM_RETURN, 0x80000043, 0, P11_CLASS_MODULE);
	/* Not cut to 23 bits on its way into the text. */
	start(1, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x80000043, 0, 2);
	/* Only jobs, never the canaries between them. */
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x80000043, 1, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x80000043, 2, 1);
	assert_int_equal(sign_within(PATIENCE_NS, &error), OC_ERR_TOKEN);
	assert_non_null(strstr(error.text, "0x80000043"));
	assert_int_equal(counted(P11_CLASS_MODULE), 4);
	signs();
	finish(0);
}

static void
wrong_bit(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	survives(SHIM_SIGN, SHIM_FLIP, 0, 0, P11_CLASS_SIGNATURE);
	/* Of job, canary, job, canary: only jobs. */
	start(1, 0);
	for (int i = 0; i < 4; i++)
		(void)shim_add(f.shim, SHIM_SIGN, SHIM_FLIP, 0, i, 1);
	assert_int_equal(sign_within(PATIENCE_NS, &error), OC_ERR_SIGNATURE);
	assert_int_equal(counted(P11_CLASS_SIGNATURE), 4);
	finish(0);
}

/* No signature verifies: the token stays away until one does. */
static void
wrong_bits_for_a_while(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_FLIP, 0, 0, 0);
	assert_int_equal(sign_within(500 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_false(status().is_up);
	assert_true(counted(P11_CLASS_SIGNATURE) >= 1);
	shim_clear(f.shim);
	signs();
	finish((unsigned long)status().num_restarts);
}

static void
wrong_length(void **state)
{
	(void)state;
	survives(SHIM_SIGN, SHIM_SHORTEN, 0, 0, P11_CLASS_SIGNATURE);
	survives(SHIM_SIGN, SHIM_SHORT_R, 0, 0, P11_CLASS_SIGNATURE);
}

static void
der_already(void **state)
{
	(void)state;
	start(1, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_TO_DER, 0, 0, 0);
	signs();
	signs();
	assert_int_equal(status().num_recovered, 0);
	finish(0);
}

/* An appliance takes over for another: objects have other handles, the old
 * ones are invalid, or are those of other keys. */
static void
failover(void **state)
{
	(void)state;
	for (int is_other_key = 0; is_other_key < 2; is_other_key++) {
		int rule;

		start(2, 0);
		signs();
		rule = shim_add(f.shim, SHIM_SIGN_INIT, SHIM_FAILOVER, 0, 0,
		    1);
		atomic_store(&f.shim->rules[rule].latency_ms, 2000);
		atomic_store(&f.shim->rules[rule].arg, is_other_key);
		(void)signs_many(60, 6);
		assert_true(counted(is_other_key ? P11_CLASS_SIGNATURE :
		    P11_CLASS_LOGIN) >= 1);
		assert_int_equal(status().num_restarts, 0);
		assert_true(status().num_recovered >= 1);
		finish(0);
	}
}

static void
second_key_at_start(void **state)
{
	(void)state;
	shim_clear(f.shim);
	(void)shim_add(f.shim, SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0);
	start_fails(OC_ERR_MISMATCH, "issuer ca: the token has several");
	shim_clear(f.shim);
}

static void
second_key_after_return(void **state)
{
	struct oc_error error = { 0 };
	int twice;

	(void)state;
	start(1, 0);
	signs();
	twice = shim_add(f.shim, SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_RETURN, 0x82, 0, 1);
	assert_int_equal(sign_within(300 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_false(status().is_up);
	assert_true(counted(P11_CLASS_LOGIN) >= 1);
	atomic_store(&f.shim->rules[twice].function, SHIM_NONE);
	signs();
	/* The module was restarted in between: that costs a login. */
	finish(1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(vendor_value),
		FAULT_TEST(wrong_bit),
		FAULT_TEST(wrong_bits_for_a_while),
		FAULT_TEST(wrong_length),
		FAULT_TEST(der_already),
		FAULT_TEST(failover),
		FAULT_TEST(second_key_at_start),
		FAULT_TEST(second_key_after_return),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults_signature", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
