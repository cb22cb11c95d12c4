/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that want their PIN for each signature (pkcs11/context.h), also behind a
 * PIN pad. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/keys_fixture.h"

static struct pool p;
static struct shim_control *shim;

static int
set_up(void **state)
{
	(void)state;
	pool_init(&p);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	if (shim != NULL)
		shim_close(shim);
	shim = NULL;
	softhsm_fini(&p.hsm);
	return 0;
}

static void
signs(void)
{
	struct oc_error error = { 0 };
	struct signer *s;
	enum oc_err err;

	pool_open(&p, &s);
	err = keys_sign(s, &error);
	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
	sign_free(s);
}

static void
each_signature_has_its_login(void **state)
{
	struct oc_error error = { 0 };
	unsigned long before;
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	pool_open(&p, &s);
	/* C_Login once, and for the canary. */
	before = shim_calls(shim, SHIM_LOGIN);
	assert_int_equal(before, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(keys_sign(s, &error), OC_OK);
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before + 3);
	sign_free(s);
}

/* Not every token has the attribute: some just say that nobody is logged in,
 * though somebody is. */
static void
login_is_wanted_without_a_word(void **state)
{
	struct oc_error error = { 0 };
	unsigned long before;
	struct signer *s;

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	(void)shim_add(shim, SHIM_GET_ATTRIBUTE_VALUE, SHIM_HIDE,
	    CKA_ALWAYS_AUTHENTICATE, 0, 0);
	pool_open(&p, &s);
	before = shim_calls(shim, SHIM_LOGIN);
	assert_int_equal(before, 2);
	assert_int_equal(keys_sign(s, &error), OC_OK);
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before + 1);
	sign_free(s);
}

static void
count_pin(struct sign_job *job, void *arg)
{
	assert_int_not_equal(job->err, OC_OK);
	assert_int_equal(job->signature_len, 0);
	++*(int *)arg;
}

/* Eight jobs on four sessions, and the PIN is no longer the right one. */
static void
refused_pin_is_tried_once_for_all_signatures(void **state)
{
	enum { NUM = 8 };
	static struct sign_job jobs[NUM];
	uint8_t tbs[512];
	struct oc_error error = { 0 };
	int64_t until = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	struct signer *s;
	unsigned long before;
	int num_done = 0;
	size_t len;

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	pool_open(&p, &s);
	before = shim_calls(shim, SHIM_LOGIN);
	(void)shim_add(shim, SHIM_LOGIN, SHIM_RETURN, CKR_PIN_INCORRECT, 0, 0);
	len = pool_make_tbs(SIGN_ECDSA_SHA256, tbs, sizeof(tbs));
	for (int i = 0; i < NUM; i++) {
		jobs[i] = (struct sign_job){ .key = KEYS_NAME,
			.kind = SIGN_KIND_CERTIFICATE,
			.lane = SIGN_LANE_CERTIFICATE,
			.tbs = { tbs, len }, .deadline_ns = until,
			.done = count_pin, .arg = &num_done };
		assert_int_equal(sign_submit(s, &jobs[i]), OC_OK);
	}
	while (num_done < NUM && oc_clock_mono_ns() < until) {
		struct pollfd pfd = { .fd = sign_fd(s), .events = POLLIN };

		(void)poll(&pfd, 1, 100);
		sign_dispatch(s);
	}
	assert_int_equal(num_done, NUM);
	assert_int_equal(p11_local_failure(s, &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "refused the PIN for a signature"));
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before + 1);
	sign_free(s);
	/* Nor by the next process. */
	shim_clear(shim);
	before = shim_calls(shim, SHIM_LOGIN);
	pool_fails(&p, OC_ERR_PIN, "refused this PIN before");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before);
}

/* Its source is gone while it signs: that is what is said, and no PIN that
 * was refused. */
static void
unreadable_pin_is_told_as_that(void **state)
{
	struct oc_error error = { 0 };
	struct signer *s;
	unsigned long before;
	char kept[512];

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	pool_open(&p, &s);
	assert_int_equal(keys_sign(s, &error), OC_OK);
	before = shim_calls(shim, SHIM_LOGIN);
	(void)snprintf(kept, sizeof(kept), "%s.kept", p.hsm.pin_file);
	assert_int_equal(rename(p.hsm.pin_file, kept), 0);
	assert_int_not_equal(keys_sign(s, &error), OC_OK);
	assert_int_equal(p11_local_failure(s, &error), OC_ERR_PIN);
	assert_non_null(strstr(error.text, "cannot open the PIN file"));
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before);
	sign_free(s);
	assert_int_equal(rename(kept, p.hsm.pin_file), 0);
	signs();
}

/* Nor is the state directory in its way one: the token is down with that
 * reason, and comes back by itself. */
static void
latch_that_cannot_be_locked_takes_it_down(void **state)
{
	struct p11_token_status status;
	struct oc_error error = { 0 };
	int64_t until = oc_clock_mono_ns() + 20 * OC_NS_PER_S;
	char lock[512], kept[520];
	struct signer *s;
	unsigned long before;

	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	pool_open(&p, &s);
	before = shim_calls(shim, SHIM_LOGIN);
	(void)snprintf(lock, sizeof(lock), "%s/pin-latch-%s.lock",
	    p.hsm.state_dir, p.hsm.token.name);
	(void)snprintf(kept, sizeof(kept), "%s.kept", lock);
	assert_int_equal(rename(lock, kept), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_not_equal(keys_sign_within(s, OC_NS_PER_S, &error), OC_OK);
	assert_int_equal(p11_local_failure(s, &error), OC_OK);
	p11_local_status(s, 0, &status);
	assert_string_equal(status.state, "down");
	assert_non_null(strstr(status.failure, "pin-latch-"));
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), before);
	assert_int_equal(rmdir(lock), 0);
	while (keys_sign(s, &error) != OC_OK)
		assert_true(oc_clock_mono_ns() < until);
	sign_free(s);
}

static void
pad_takes_the_pin(void **state)
{
	(void)state;
	keys_on_token(&p.hsm, keys_make_always);
	pool_add_key(&p, KEYS_NAME, "always");
	shim = shim_open(&p.hsm);
	p.hsm.token.pin_source = NULL;
	pool_fails(&p, OC_ERR_PIN, "no pin pad");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 0);
	assert_int_equal(setenv("OCSIGN_SHIM_PIN", SOFTHSM_PIN, 1), 0);
	(void)shim_add(shim, SHIM_GET_TOKEN_INFO, SHIM_FLAGS,
	    CKF_PROTECTED_AUTHENTICATION_PATH, 0, 0);
	(void)shim_add(shim, SHIM_LOGIN, SHIM_PIN_PAD, 0, 0, 0);
	signs();
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_signature_has_its_login),
		T(login_is_wanted_without_a_word),
		T(refused_pin_is_tried_once_for_all_signatures),
		T(unreadable_pin_is_told_as_that),
		T(latch_that_cannot_be_locked_takes_it_down),
		T(pad_takes_the_pin),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_pkcs11_context", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
