/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and modules that go away and come back, and PINs that are wrong.  One
 * test a kind of failure.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "pkcs11/pin.h"
#include "tests/faults/fixture.h"
#include "tests/unit/tbs_samples.h"

static void
device_error_until_restart(void **state)
{
	unsigned long before;

	(void)state;
	start(2, 0);
	signs();
	before = shim_calls(f.shim, SHIM_FINALIZE);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_BREAK, 0x30, 0, 1);
	signs();
	assert_int_equal(shim_calls(f.shim, SHIM_FINALIZE) - before, 1);
	assert_int_equal(status().num_restarts, 1);
	assert_int_equal(status().num_recovered, 1);
	assert_true(counted(P11_CLASS_MODULE) >= 1);
	assert_true(status().recovered_ns > 0);
	assert_true(status().recovered_at > 0);
	signs();
	finish(1);
}

static void
token_away_for_a_while(void **state)
{
	struct oc_error error = { 0 };
	int slots;

	(void)state;
	start(1, 0);
	signs();
	slots = shim_add(f.shim, SHIM_GET_SLOT_LIST, SHIM_RETURN, 0x30, 0,
	    0);
	/* Not on another session, either. */
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x32, 0, 2);
	/* Jobs wait to their deadlines, no longer. */
	assert_int_equal(sign_within(300 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_false(status().is_up);
	assert_int_equal(sign_within(100 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	atomic_store(&f.shim->rules[slots].function, SHIM_NONE);
	signs();
	assert_true(status().is_up);
	assert_true(counted(P11_CLASS_MODULE) >= 2);
	assert_int_equal(p11_local_failure(f.signer, &error), OC_OK);
	finish(1);
}

/* C_Sign fails for a while; who waits that long is served. */
static void
device_error_for_a_while(void **state)
{
	struct oc_error error = { 0 };
	int rule;

	(void)state;
	start(2, 0);
	signs();
	rule = shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x30, 0, 0);
	assert_int_equal(sign_within(OC_NS_PER_S, &error), OC_ERR_TIMEOUT);
	assert_true(is_down());
	assert_true(counted(P11_CLASS_MODULE) >= 2);
	atomic_store(&f.shim->rules[rule].function, SHIM_NONE);
	(void)signs_many(20, 4);
	finish(2);
}

/* Pulled out: no slot has a token, what was opened is gone; put in again, its
 * slot has another number. */
static void
token_removed_and_put_elsewhere(void **state)
{
	struct oc_error error = { 0 };
	int empty;

	(void)state;
	start(2, 0);
	signs();
	empty = shim_add(f.shim, SHIM_GET_SLOT_LIST, SHIM_EMPTY, 0, 0, 0);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 0, 1);
	(void)shim_add(f.shim, SHIM_GET_TOKEN_INFO, SHIM_RETURN, 0xe0, 0, 1);
	assert_int_equal(sign_within(300 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_true(is_down());
	atomic_store(&f.shim->rules[empty].function, SHIM_NONE);
	(void)shim_add(f.shim, SHIM_GET_SLOT_LIST, SHIM_RENUMBER, 0, 0, 1);
	(void)signs_many(20, 4);
	assert_true(counted(P11_CLASS_SESSION) + counted(P11_CLASS_MODULE) >
	    0);
	finish(2);
}

/* Only the number changes: what was opened goes on, what is opened anew is
 * not found where it was. */
static void
slot_renumbered(void **state)
{
	unsigned long before;

	(void)state;
	start(2, 0);
	signs();
	before = atomic_load(&f.shim->num_renumbered);
	(void)shim_add(f.shim, SHIM_GET_SLOT_LIST, SHIM_RENUMBER, 0, 0, 1);
	/* The keeper looks, and the slot it knew is another. */
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x101, 0, 1);
	(void)signs_many(20, 4);
	assert_int_equal(atomic_load(&f.shim->num_renumbered), before + 1);
	assert_true(counted(P11_CLASS_LOGIN) >= 1);
	finish(0);
}

static void
pin_wrong_after_logout(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, 0);
	signs();
	(void)shim_add(f.shim, SHIM_LOGIN, SHIM_RETURN, 0xa0, 0, 1);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0, 1);
	assert_int_equal(sign_within(PATIENCE_NS, &error), OC_ERR_PIN);
	assert_int_equal(sign_within(PATIENCE_NS, &error), OC_ERR_PIN);
	names_token_once(&error);
	assert_int_equal(p11_local_failure(f.signer, &error), OC_ERR_PIN);
	names_token_once(&error);
	assert_int_equal(shim_calls(f.shim, SHIM_LOGIN) - f.num_logins, 1);
	assert_int_equal(counted(P11_CLASS_PIN), 1);
	finish(1);
	start_fails(OC_ERR_PIN, "refused this PIN before");
	/* It was the right one, for the tests after this one. */
	assert_int_equal(p11_pin_unlatch(f.hsm.state_dir, f.hsm.token.name,
	    &error), OC_OK);
}

/* One wrong try is left, or none: not even the right PIN is tried. */
static void
pin_final_try_or_locked(void **state)
{
	static const struct { unsigned long flag; const char *says; } rows[] = {
		{ 0x20000, "one wrong PIN more locks it" },
		{ 0x40000, "its PIN is locked" },
	};
	struct oc_error error = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		unsigned long before;

		shim_clear(f.shim);
		before = shim_calls(f.shim, SHIM_LOGIN);
		(void)shim_add(f.shim, SHIM_GET_TOKEN_INFO, SHIM_FLAGS,
		    rows[i].flag, 0, 0);
		start_fails(OC_ERR_PIN, rows[i].says);
		assert_int_equal(shim_calls(f.shim, SHIM_LOGIN), before);

		/* The same when it was up before. */
		start(2, 0);
		signs();
		(void)shim_add(f.shim, SHIM_GET_TOKEN_INFO, SHIM_FLAGS,
		    rows[i].flag, 0, 0);
		(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0,
		    1);
		assert_int_equal(sign_within(PATIENCE_NS, &error),
		    OC_ERR_PIN);
		assert_non_null(strstr(error.text, rows[i].says));
		assert_int_equal(counted(P11_CLASS_PIN), 1);
		finish(0);
	}
}

static void
pin_locked_at_login(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, 0);
	signs();
	(void)shim_add(f.shim, SHIM_LOGIN, SHIM_RETURN, 0xa4, 0, 0);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 0, 1);
	assert_int_equal(sign_within(PATIENCE_NS, &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "CKR_PIN_LOCKED"));
	assert_int_equal(counted(P11_CLASS_PIN), 1);
	finish(1);
	assert_int_equal(p11_pin_unlatch(f.hsm.state_dir, f.hsm.token.name,
	    &error), OC_OK);
}

static bool
was_kept_alive(void)
{
	static unsigned long before;

	if (before == 0)
		before = shim_calls(f.shim, SHIM_SIGN);
	/* Two sessions and the keeper's, twice. */
	return shim_calls(f.shim, SHIM_SIGN) >= before + 6;
}

static bool
was_recovered(void)
{
	return status().num_recovered >= 1 && status().is_up;
}

/* Idle sessions are used, and one that was lost meanwhile is found before
 * somebody needs it. */
static void
keep_alive(void **state)
{
	unsigned long before;

	(void)state;
	f.hsm.token.keep_alive_ns = 100 * OC_NS_PER_MS;
	start(2, 0);
	(void)signs_many(20, 4);
	wait_for(was_kept_alive);
	assert_int_equal(status().num_recovered, 0);
	before = shim_calls(f.shim, SHIM_GET_SESSION_INFO);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_BREAK, 0x30, 0, 1);
	wait_for(was_recovered);
	assert_true(counted(P11_CLASS_MODULE) >= 1);
	assert_int_equal(status().num_restarts, 1);
	/* Asked for the login's state, never whether it lives. */
	assert_true(shim_calls(f.shim, SHIM_GET_SESSION_INFO) <= before + 2);
	finish(1);

	/* Nobody has ever signed: the keeper's own is enough. */
	start(2, 0);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 0, 1);
	wait_for(was_recovered);
	signs();
	finish(1);

	/* And without it nothing is signed by itself. */
	f.hsm.token.keep_alive_ns = 0;
	start(2, 0);
	signs();
	before = shim_calls(f.shim, SHIM_SIGN);
	(void)poll(NULL, 0, 300);
	assert_int_equal(shim_calls(f.shim, SHIM_SIGN), before);
	finish(0);
}

/* Two tokens behind one library: the restart that one needs takes the other
 * down as well, and both come back. */
static void
restart_is_survived_by_the_neighbour(void **state)
{
	struct p11_token_config tokens[2] = { f.hsm.token, f.hsm.token };
	struct p11_key_config keys[2] = { f.key, f.key };
	struct p11_local_config config = { .tokens = tokens,
		.num_tokens = 2, .keys = keys, .num_keys = 2,
		.state_dir = f.hsm.state_dir };
	struct sign_key_info info;
	struct softhsm neighbour;
	struct p11_token_status second;
	struct oc_error error = { 0 };
	struct tbs_sample sample;
	struct sign_job job;
	uint8_t tbs[512];

	(void)state;
	neighbour = f.hsm;
	neighbour.token.module = f.hsm.module;
	neighbour.token.uri = "pkcs11:token=second";
	softhsm_add_token(&f.hsm, "second");
	softhsm_generate(&neighbour, "ca", SIGN_KEY_P256, 256, &info);
	shim_clear(f.shim);
	tokens[1].name = keys[1].token = "second";
	tokens[1].uri = "pkcs11:token=second";
	keys[1].name = "issuer/second";
	keys[1].spki = (struct der_bytes){ info.spki, info.spki_len };
	assert_int_equal(p11_local_new(&config, &f.signer, &error), OC_OK);
	f.num_logins = shim_calls(f.shim, SHIM_LOGIN);
	signs();
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_BREAK, 0x30, 0, 1);
	signs();
	assert_int_equal(status().num_restarts, 1);
	tbs_sample_init(&sample, oc_clock_now_s());
	job = (struct sign_job){ .key = "issuer/second",
		.kind = SIGN_KIND_CERTIFICATE,
		.tbs = { tbs, tbs_certificate(&sample, tbs, sizeof(tbs)) },
		.deadline_ns = oc_clock_mono_ns() + PATIENCE_NS };
	assert_int_equal(sign_now(f.signer, &job, &error), OC_OK);
	p11_local_status(f.signer, 1, &second);
	assert_true(second.is_up);
	assert_int_equal(second.num_restarts, 0);
	finish(2);
}

/* A job of the storm. */
struct stormy {
	struct sign_job job;
	uint8_t tbs[512];
	int num_done;
	bool is_cancelled;
};

static void
note_done(struct sign_job *job, void *arg)
{
	struct stormy *t = arg;

	(void)job;
	t->num_done++;
}

static void
turn(void)
{
	struct pollfd pfd = { .fd = sign_fd(f.signer), .events = POLLIN };

	(void)poll(&pfd, 1, 1);
	sign_dispatch(f.signer);
}

/* Faults, short deadlines and cancels, all at once: still once each. */
static void
storm(void **state)
{
	enum { NUM = 600 };
	static struct stormy jobs[NUM];
	struct tbs_sample sample;
	unsigned int num_good = 0;

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	start(4, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0xb3, 20, 3);
	(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 150, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_FLIP, 0, 100, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x30, 200, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_BREAK, 0x30, 250, 1);
	tbs_sample_init(&sample, oc_clock_now_s());
	for (int i = 0; i < NUM; i++) {
		struct stormy *t = &jobs[i];

		t->job = (struct sign_job){ .key = FAULTS_KEY,
			.kind = SIGN_KIND_CERTIFICATE,
			.lane = (enum sign_lane)(i % SIGN_LANE_MAX),
			.tbs = { t->tbs, tbs_certificate(&sample, t->tbs,
			    sizeof(t->tbs)) },
			.deadline_ns = oc_clock_mono_ns() + (i % 3 == 0 ?
			    i % 7 * OC_NS_PER_MS : PATIENCE_NS),
			.done = note_done, .arg = t };
		assert_int_equal(sign_submit(f.signer, &t->job), OC_OK);
		if (i % 4 == 0)
			turn();
		if (i % 5 == 4 && jobs[i - 4].num_done == 0) {
			sign_cancel(f.signer, &jobs[i - 4].job);
			jobs[i - 4].is_cancelled = true;
			memset(&jobs[i - 4].job, 0xa5, sizeof(t->job));
		}
	}
	for (int64_t end = oc_clock_mono_ns() + PATIENCE_NS;
	    oc_clock_mono_ns() < end; turn()) {
		int num_left = 0;

		for (int i = 0; i < NUM; i++)
			num_left += jobs[i].num_done == 0 &&
			    !jobs[i].is_cancelled;
		if (num_left == 0)
			break;
	}
	for (int i = 0; i < NUM; i++) {
		assert_int_equal(jobs[i].num_done, jobs[i].is_cancelled ? 0 :
		    1);
		num_good += jobs[i].num_done == 1 &&
		    jobs[i].job.err == OC_OK;
	}
	assert_true(num_good > NUM / 4);
	finish(6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(device_error_until_restart),
		FAULT_TEST(device_error_for_a_while),
		FAULT_TEST(token_away_for_a_while),
		FAULT_TEST(token_removed_and_put_elsewhere),
		FAULT_TEST(slot_renumbered),
		FAULT_TEST(pin_wrong_after_logout),
		FAULT_TEST(pin_final_try_or_locked),
		FAULT_TEST(pin_locked_at_login),
		FAULT_TEST(keep_alive),
		FAULT_TEST(restart_is_survived_by_the_neighbour),
		FAULT_TEST(storm),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults_token", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
