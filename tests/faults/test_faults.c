/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool against a token that misbehaves: SoftHSM behind the shim.  After
 * each fault: no job hangs past its deadline, one C_Login at most for a
 * cause, sessions opened are closed, and what was released verifies (the
 * pool says OC_OK only then; checked here again, from outside).
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/local.h"
#include "pkcs11/pin.h"
#include "sign/verify.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/tbs_samples.h"

#define KEY "issuer/ca"

struct faults {
	struct softhsm hsm;
	struct shim_control *shim;
	struct p11_key_config key;
	struct sign_key_info info, second;
	struct signer *signer;
	unsigned long num_logins;	/* C_Login calls before the fault */
};

/* SoftHSM is slow to set up: one token for all, one pool for each test. */
static struct faults f;

static struct p11_local_config
make_config(void)
{
	return (struct p11_local_config){
		.tokens = &f.hsm.token, .num_tokens = 1,
		.keys = &f.key, .num_keys = 1,
		.state_dir = f.hsm.state_dir,
	};
}

static void
start(unsigned int num_sessions, int64_t timeout_ns)
{
	struct p11_local_config config = make_config();
	struct oc_error error = { 0 };
	enum oc_err err;

	shim_clear(f.shim);
	f.hsm.token.num_sessions = num_sessions;
	f.hsm.token.timeout_ns = timeout_ns;
	err = p11_local_new(&config, &f.signer, &error);
	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
	f.num_logins = shim_calls(f.shim, SHIM_LOGIN);
}

static void
finish(unsigned long logins_max)
{
	unsigned long num = shim_calls(f.shim, SHIM_LOGIN) - f.num_logins;

	assert_true(num <= logins_max);
	shim_clear(f.shim);
	sign_free(f.signer);
	f.signer = NULL;
	assert_int_equal(atomic_load(&f.shim->num_open_at_finalize), 0);
}

/* Signs once; what it says within wait_ns. */
static enum oc_err
sign_within(int64_t wait_ns, struct oc_error *error)
{
	struct tbs_sample sample;
	struct sign_verifier *v;
	uint8_t tbs[512];
	struct sign_job job;
	int64_t begin = oc_clock_mono_ns();
	enum oc_err err;

	tbs_sample_init(&sample, oc_clock_now_s());
	job = (struct sign_job){ .key = KEY, .kind = SIGN_KIND_CERTIFICATE,
		.lane = SIGN_LANE_CERTIFICATE,
		.tbs = { tbs, tbs_certificate(&sample, tbs, sizeof(tbs)) },
		.deadline_ns = begin + wait_ns };
	err = sign_now(f.signer, &job, error);
	/* Sanitizers and a busy machine make it late, never by a second. */
	assert_true(oc_clock_mono_ns() - begin < wait_ns + OC_NS_PER_S);
	if (err != OC_OK) {
		assert_int_equal(job.signature_len, 0);
		return err;
	}
	assert_int_equal(sign_verifier_new((struct der_bytes){ f.info.spki,
	    f.info.spki_len }, &v), OC_OK);
	assert_int_equal(sign_verify(v, job.signed_alg, job.tbs,
	    (struct der_bytes){ job.signature, job.signature_len }), OC_OK);
	sign_verifier_free(v);
	return OC_OK;
}

static void
signs(void)
{
	struct oc_error error = { 0 };
	enum oc_err err = sign_within(20 * OC_NS_PER_S, &error);

	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
}

/* What people read names the token once, and no key as processes do. */
static void
names_token_once(const struct oc_error *error)
{
	char named[64];
	const char *at;

	(void)snprintf(named, sizeof(named), "token %s", f.hsm.token.name);
	at = strstr(error->text, named);
	if (at == NULL || strstr(at + 1, named) != NULL ||
	    strstr(error->text, KEY) != NULL)
		fail_msg("%s", error->text);
}

/* A pool that does not even start. */
static void
start_fails(enum oc_err expected, const char *says)
{
	struct p11_local_config config = make_config();
	struct oc_error error = { 0 };
	struct signer *s;

	assert_int_equal(p11_local_new(&config, &s, &error), expected);
	names_token_once(&error);
	if (strstr(error.text, says) == NULL)
		fail_msg("%s", error.text);
}

static struct p11_token_status
status(void)
{
	struct p11_token_status s;

	p11_local_status(f.signer, 0, &s);
	return s;
}

/* A fault that strikes once costs the caller nothing. */
static void
survives(enum shim_function function, enum shim_mode mode, unsigned long rv,
    unsigned long logins_max)
{
	int rule;

	start(2, 0);
	signs();
	rule = shim_add(f.shim, function, mode, rv, 0, 1);
	signs();
	assert_true(atomic_load(&f.shim->rules[rule].seen) > 0);
	signs();
	finish(logins_max);
}

static void
session_lost(void **state)
{
	(void)state;
	survives(SHIM_SIGN, SHIM_RETURN, 0xb3, 0);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0xb3, 0);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0xb0, 0);
}

static void
all_sessions_lost(void **state)
{
	(void)state;
	/* It logs out as well: one login, by the keeper. */
	survives(SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 1);
}

static void
login_lost(void **state)
{
	(void)state;
	survives(SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 1);
	/* Four providers, four ways to say it; the login is still there. */
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x60, 0);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x63, 0);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x82, 0);
	survives(SHIM_SIGN_INIT, SHIM_RETURN, 0x101, 0);
}

static void
operation_left_active(void **state)
{
	(void)state;
	/* Not called through, so the real session stays in its operation. */
	survives(SHIM_SIGN, SHIM_RETURN, 0x30, 0);
	survives(SHIM_SIGN, SHIM_RETURN, 0x90, 0);
	survives(SHIM_SIGN, SHIM_RETURN, 0x5, 0);
}

static void
vendor_value(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	survives(SHIM_SIGN, SHIM_RETURN, 0x80000043, 0);
	/* Not cut to 23 bits on its way into the text. */
	start(1, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x80000043, 0, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x80000043, 1, 1);
	assert_int_equal(sign_within(20 * OC_NS_PER_S, &error), OC_ERR_TOKEN);
	assert_non_null(strstr(error.text, "0x80000043"));
	finish(0);
}

static void
signature_with_a_wrong_bit(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	survives(SHIM_SIGN, SHIM_FLIP, 0, 0);
	/* Only jobs, never the canary between them. */
	start(1, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_FLIP, 0, 0, 1);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_FLIP, 0, 1, 1);
	assert_int_equal(sign_within(20 * OC_NS_PER_S, &error),
	    OC_ERR_SIGNATURE);
	finish(0);
}

static void
signature_of_a_wrong_length(void **state)
{
	(void)state;
	survives(SHIM_SIGN, SHIM_SHORTEN, 0, 0);
}

static void
signature_in_der_already(void **state)
{
	(void)state;
	start(1, 0);
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_TO_DER, 0, 0, 0);
	signs();
	signs();
	assert_int_equal(status().num_recovered, 0);
	finish(0);
}

static void
session_limit(void **state)
{
	static const unsigned long values[] = { 0xb1, 0x31, 0x7 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(4, 0);
		signs();
		/* One is open; no other will be. */
		(void)shim_add(f.shim, SHIM_OPEN_SESSION, SHIM_RETURN,
		    values[i], 0, 0);
		for (int n = 0; n < 20; n++)
			signs();
		assert_true(status().num_sessions >= 1);
		assert_true(status().is_up);
		finish(0);
	}
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
	assert_true(status().is_up);
	signs();
	finish(0);
}

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
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_RETURN, 0x32, 0, 1);
	/* Jobs wait to their deadlines, no longer. */
	assert_int_equal(sign_within(300 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	assert_false(status().is_up);
	assert_int_equal(sign_within(100 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	atomic_store(&f.shim->rules[slots].function, SHIM_NONE);
	signs();
	assert_true(status().is_up);
	assert_int_equal(p11_local_failure(f.signer, &error), OC_OK);
	finish(1);
}

static void
key_ambiguous_at_start(void **state)
{
	(void)state;
	shim_clear(f.shim);
	(void)shim_add(f.shim, SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0);
	start_fails(OC_ERR_MISMATCH, "issuer ca: the token has several");
	shim_clear(f.shim);
}

static void
key_gone_ambiguous_after_return(void **state)
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
	atomic_store(&f.shim->rules[twice].function, SHIM_NONE);
	signs();
	/* The module was restarted in between: that costs a login. */
	finish(1);
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
	assert_int_equal(sign_within(10 * OC_NS_PER_S, &error), OC_ERR_PIN);
	assert_int_equal(sign_within(10 * OC_NS_PER_S, &error), OC_ERR_PIN);
	names_token_once(&error);
	assert_int_equal(p11_local_failure(f.signer, &error), OC_ERR_PIN);
	names_token_once(&error);
	assert_int_equal(shim_calls(f.shim, SHIM_LOGIN) - f.num_logins, 1);
	finish(1);
	start_fails(OC_ERR_PIN, "refused this PIN before");
	/* It was the right one, for the tests after this one. */
	assert_int_equal(p11_pin_unlatch(f.hsm.state_dir, f.hsm.token.name,
	    &error), OC_OK);
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
	assert_false(p11_local_is_stuck(f.signer));
	finish(0);
}

static void
hung_call(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(2, 200 * OC_NS_PER_MS);
	signs();
	(void)shim_add(f.shim, SHIM_SIGN, SHIM_HANG, 0, 0, 1);
	assert_int_equal(sign_within(200 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	/* The other session goes on, and the supervisor can be told. */
	signs();
	(void)usleep(250000);
	assert_true(p11_local_is_stuck(f.signer));
	shim_clear(f.shim);
	for (int i = 0; i < 100 && p11_local_is_stuck(f.signer); i++)
		(void)usleep(20000);
	assert_false(p11_local_is_stuck(f.signer));
	signs();
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
	struct p11_token_status second;
	struct oc_error error = { 0 };
	struct tbs_sample sample;
	struct sign_job job;
	uint8_t tbs[512];

	(void)state;
	shim_clear(f.shim);
	tokens[1].name = keys[1].token = "second";
	tokens[1].uri = "pkcs11:token=second";
	keys[1].name = "issuer/second";
	keys[1].spki = (struct der_bytes){ f.second.spki,
	    f.second.spki_len };
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
		.deadline_ns = oc_clock_mono_ns() + 20 * OC_NS_PER_S };
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

		t->job = (struct sign_job){ .key = KEY,
			.kind = SIGN_KIND_CERTIFICATE,
			.lane = (enum sign_lane)(i % SIGN_LANE_MAX),
			.tbs = { t->tbs, tbs_certificate(&sample, t->tbs,
			    sizeof(t->tbs)) },
			.deadline_ns = oc_clock_mono_ns() + (i % 3 == 0 ?
			    i % 7 * OC_NS_PER_MS : 20 * OC_NS_PER_S),
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
	for (int64_t end = oc_clock_mono_ns() + 25 * OC_NS_PER_S;
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

static void
hung_open_session(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	start(1, 200 * OC_NS_PER_MS);
	(void)shim_add(f.shim, SHIM_OPEN_SESSION, SHIM_HANG, 0, 0, 1);
	assert_int_equal(sign_within(200 * OC_NS_PER_MS, &error),
	    OC_ERR_TIMEOUT);
	(void)usleep(250000);
	assert_true(p11_local_is_stuck(f.signer));
	shim_clear(f.shim);
	signs();
	finish(0);
}

/* After a test that failed half-way. */
static int
clean_up(void **state)
{
	(void)state;
	shim_clear(f.shim);
	sign_free(f.signer);
	f.signer = NULL;
	return 0;
}

static int
set_up(void **state)
{
	struct softhsm neighbour;

	(void)state;
	softhsm_init(&f.hsm, "faults");
	softhsm_generate(&f.hsm, "ca", SIGN_KEY_P256, 256, &f.info);
	softhsm_add_token(&f.hsm, "second");
	neighbour = f.hsm;
	neighbour.token.uri = "pkcs11:token=second";
	softhsm_generate(&neighbour, "ca", SIGN_KEY_P256, 256, &f.second);
	f.shim = shim_open(&f.hsm);
	f.key = (struct p11_key_config){ .name = KEY, .token = "hsm",
	    .uri = "ca", .spki = { f.info.spki, f.info.spki_len },
	    .allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name } };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	shim_close(f.shim);
	softhsm_fini(&f.hsm);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(session_lost, clean_up),
		cmocka_unit_test_teardown(all_sessions_lost, clean_up),
		cmocka_unit_test_teardown(login_lost, clean_up),
		cmocka_unit_test_teardown(operation_left_active, clean_up),
		cmocka_unit_test_teardown(vendor_value, clean_up),
		cmocka_unit_test_teardown(signature_with_a_wrong_bit, clean_up),
		cmocka_unit_test_teardown(signature_of_a_wrong_length,
		    clean_up),
		cmocka_unit_test_teardown(signature_in_der_already, clean_up),
		cmocka_unit_test_teardown(session_limit, clean_up),
		cmocka_unit_test_teardown(request_refused, clean_up),
		cmocka_unit_test_teardown(device_error_until_restart, clean_up),
		cmocka_unit_test_teardown(token_away_for_a_while, clean_up),
		cmocka_unit_test_teardown(key_ambiguous_at_start, clean_up),
		cmocka_unit_test_teardown(key_gone_ambiguous_after_return,
		    clean_up),
		cmocka_unit_test_teardown(pin_wrong_after_logout, clean_up),
		cmocka_unit_test_teardown(slow_token, clean_up),
		cmocka_unit_test_teardown(hung_call, clean_up),
		cmocka_unit_test_teardown(hung_open_session, clean_up),
		cmocka_unit_test_teardown(
		    restart_is_survived_by_the_neighbour, clean_up),
		cmocka_unit_test_teardown(storm, clean_up),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
