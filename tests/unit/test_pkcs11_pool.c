/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool on a real SoftHSM token: concurrency, and everything that must keep
 * it from starting.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/admin.h"
#include "pkcs11/pin.h"
#include "tests/faults/shim_control.h"
#include "tests/unit/pool_fixture.h"
#include "tests/unit/tbs_samples.h"

static void
generating_refuses_what_it_must(void **state)
{
	struct sign_key_info info;
	struct oc_error error = { 0 };
	int64_t deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S;
	struct softhsm hsm;

	(void)state;
	softhsm_init(&hsm, "gen");
	softhsm_generate(&hsm, "taken", SIGN_KEY_P256, 256, NULL);
	assert_int_equal(p11_admin_generate_key(&hsm.token, hsm.state_dir,
	    "taken", SIGN_KEY_P384, 384, deadline_ns, &info, &error),
	    OC_ERR_EXISTS);
	assert_int_equal(p11_admin_generate_key(&hsm.token, hsm.state_dir,
	    "weak", SIGN_KEY_RSA, 1024, deadline_ns, &info, &error),
	    OC_ERR_UNSUPPORTED);
	assert_int_equal(p11_admin_generate_key(&hsm.token, hsm.state_dir,
	    "", SIGN_KEY_P256, 256, deadline_ns, &info, &error),
	    OC_ERR_LIMIT);
	softhsm_fini(&hsm);
}

static void
count_done(struct sign_job *job, void *arg)
{
	assert_int_equal(job->err, OC_OK);
	++*(int *)arg;
}

static void
eight_sessions_sign_at_once(void **state)
{
	enum { NUM = 400 };
	static struct sign_job jobs[NUM];
	static uint8_t tbs[NUM][512];
	struct p11_token_status status;
	struct signer *s;
	struct pool p;
	int num_done = 0;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "rsa", SIGN_KEY_RSA, 2048, NULL);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, "issuer/rsa", "rsa");
	pool_add_key(&p, "issuer/p256", "p256");
	p.hsm.token.num_sessions = 8;
	pool_open(&p, &s);
	for (int i = 0; i < NUM; i++) {
		enum sign_alg alg = i % 3 == 0 ? SIGN_RSA_PSS_SHA256 :
		    i % 3 == 1 ? SIGN_RSA_SHA384 : SIGN_ECDSA_SHA256;

		jobs[i] = (struct sign_job){
			.key = i % 3 == 2 ? "issuer/p256" : "issuer/rsa",
			.kind = SIGN_KIND_CERTIFICATE, .alg = alg,
			.lane = (enum sign_lane)(i % SIGN_LANE_MAX),
			.tbs = { tbs[i], pool_make_tbs(alg, tbs[i],
			    sizeof(tbs[i])) },
			.deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S,
			.done = count_done, .arg = &num_done,
		};
		assert_int_equal(sign_submit(s, &jobs[i]), OC_OK);
	}
	for (int64_t end = oc_clock_mono_ns() + 60 * OC_NS_PER_S;
	    num_done < NUM && oc_clock_mono_ns() < end; ) {
		struct pollfd pfd = { .fd = sign_fd(s), .events = POLLIN };

		(void)poll(&pfd, 1, 100);
		sign_dispatch(s);
	}
	assert_int_equal(num_done, NUM);
	assert_int_equal(p11_local_num_tokens(s), 1);
	p11_local_status(s, 0, &status);
	assert_true(status.is_up);
	assert_int_equal(status.num_signed, NUM);
	assert_int_equal(status.num_failed, 0);
	assert_int_equal(status.num_logins, 1);
	sign_free(s);
	softhsm_fini(&p.hsm);
}

static void
what_the_limits_forbid_is_refused(void **state)
{
	struct tbs_sample sample;
	struct oc_error error = { 0 };
	uint8_t tbs[512];
	struct sign_job job;
	struct signer *s;
	struct pool p;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, "issuer/ca", "p256");
	pool_open(&p, &s);
	tbs_sample_init(&sample, oc_clock_now_s());
	sample.issuer = tbs_other_name;
	job = (struct sign_job){ .key = "issuer/ca",
		.kind = SIGN_KIND_CERTIFICATE,
		.tbs = { tbs, tbs_certificate(&sample, tbs, sizeof(tbs)) },
		.deadline_ns = oc_clock_mono_ns() + 10 * OC_NS_PER_S };
	assert_int_equal(sign_now(s, &job, &error), OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "issuer is not this key's"));
	job.kind = SIGN_KIND_OCSP;
	assert_int_equal(sign_now(s, &job, &error), OC_ERR_REFUSED);
	sign_free(s);
	softhsm_fini(&p.hsm);
}

static void
wrong_pin_is_tried_once_for_ever(void **state)
{
	struct shim_control *shim;
	struct oc_error error = { 0 };
	struct signer *s;
	struct pool p;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, "issuer/ca", "p256");
	shim = shim_open(&p.hsm);
	softhsm_write_pin(&p.hsm, "9999");
	pool_fails(&p, OC_ERR_PIN, "CKR_PIN_INCORRECT");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 1);
	for (int i = 0; i < 3; i++)
		pool_fails(&p, OC_ERR_PIN, "not tried again");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 1);
	/* Another wrong one is one more try; the right one unlatches. */
	softhsm_write_pin(&p.hsm, "8888");
	pool_fails(&p, OC_ERR_PIN, "CKR_PIN_INCORRECT");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 2);
	softhsm_write_pin(&p.hsm, SOFTHSM_PIN);
	pool_open(&p, &s);
	sign_free(s);
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 3);
	assert_int_equal(p11_pin_unlatch(p.hsm.state_dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

/* In a process of its own, which ends with what came out.  Who has waited too
 * long for the one that is logging in is told so, and comes again. */
static pid_t
start_process(const struct pool *p)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S;
	pid_t pid = fork();

	if (pid == 0) {
		struct oc_error error = { 0 };
		struct signer *s;
		enum oc_err err;

		do
			err = p11_local_new(&p->config, &s, &error);
		while (err == OC_ERR_BUSY && oc_clock_mono_ns() < deadline_ns);
		_exit(err);
	}
	assert_true(pid > 0);
	return pid;
}

static void
wait_login(const struct shim_control *shim)
{
	int64_t deadline_ns = oc_clock_mono_ns() + 30 * OC_NS_PER_S;

	while (shim_calls(shim, SHIM_LOGIN) == 0) {
		assert_true(oc_clock_mono_ns() < deadline_ns);
		(void)usleep(1000);
	}
}

/* Killed after the token has seen it, before anybody heard what it thinks. */
static void
pin_of_a_killed_process_is_not_tried_again(void **state)
{
	struct shim_control *shim;
	struct pool p;
	int status;
	pid_t pid;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, "issuer/ca", "p256");
	shim = shim_open(&p.hsm);
	softhsm_write_pin(&p.hsm, "9999");
	(void)shim_add(shim, SHIM_LOGIN, SHIM_HANG, 0, 0, 0);
	pid = start_process(&p);
	wait_login(shim);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	shim_clear(shim);
	pool_fails(&p, OC_ERR_PIN, "which may be wrong");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 1);
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

/* The first is slower than the others are patient. */
static void
wrong_pin_is_tried_once_by_many(void **state)
{
	struct shim_control *shim;
	pid_t pids[4];
	struct pool p;
	int status, rule;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	pool_add_key(&p, "issuer/ca", "p256");
	shim = shim_open(&p.hsm);
	softhsm_write_pin(&p.hsm, "9999");
	rule = shim_add(shim, SHIM_LOGIN, SHIM_SLOW, 0, 0, 0);
	atomic_store(&shim->rules[rule].latency_ms, 5500);
	for (size_t i = 0; i < 4; i++)
		pids[i] = start_process(&p);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), OC_ERR_PIN);
	}
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 1);
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

static void
pin_that_others_can_read_is_refused(void **state)
{
	struct pool p;

	(void)state;
	pool_init(&p);
	assert_int_equal(chmod(p.hsm.pin_file, 0640), 0);
	pool_fails(&p, OC_ERR_PIN, "chmod 0600");
	p.hsm.token.pin_source = NULL;
	pool_fails(&p, OC_ERR_PIN, "pin-source");
	softhsm_fini(&p.hsm);
}

static void
locked_or_last_try_is_not_tried(void **state)
{
	struct shim_control *shim;
	struct pool p;

	(void)state;
	pool_init(&p);
	shim = shim_open(&p.hsm);
	(void)shim_add(shim, SHIM_GET_TOKEN_INFO, SHIM_FLAGS, 0x20000, 0, 0);
	pool_fails(&p, OC_ERR_PIN, "one wrong PIN more");
	shim_clear(shim);
	(void)shim_add(shim, SHIM_GET_TOKEN_INFO, SHIM_FLAGS, 0x40000, 0, 0);
	pool_fails(&p, OC_ERR_PIN, "locked");
	assert_int_equal(shim_calls(shim, SHIM_LOGIN), 0);
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

static void
missing_things_are_named(void **state)
{
	struct pool p;

	(void)state;
	pool_init(&p);
	pool_add_key(&p, "issuer/ca", "nothing");
	pool_fails(&p, OC_ERR_NOT_FOUND, "issuer ca: ");
	p.hsm.token.uri = "pkcs11:token=nobody";
	pool_fails(&p, OC_ERR_NOT_FOUND, "no initialised token");
	p.hsm.token.module = "/nowhere/libpkcs11.so";
	pool_fails(&p, OC_ERR_NOT_FOUND, "/nowhere/libpkcs11.so");
	p.hsm.token.module = p.hsm.conf;
	pool_fails(&p, OC_ERR_UNSUPPORTED, p.hsm.conf);
	p.hsm.token.module = "libsofthsm2.so";
	pool_fails(&p, OC_ERR_CONFIG, "absolute");
	softhsm_fini(&p.hsm);
}

static void
ambiguous_names_are_refused(void **state)
{
	struct shim_control *shim;
	struct pool p;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "p256", SIGN_KEY_P256, 256, NULL);
	softhsm_add_token(&p.hsm, "other");
	p.hsm.token.uri = "pkcs11:model=SoftHSM%20v2";
	pool_fails(&p, OC_ERR_MISMATCH, "add serial=");
	p.hsm.token.uri = p.hsm.uri;
	pool_add_key(&p, "issuer/ca", "p256");
	pool_add_key(&p, "issuer/ca", "p256");
	pool_fails(&p, OC_ERR_EXISTS, "issuer ca is there twice");
	p.config.num_keys = 1;
	shim = shim_open(&p.hsm);
	(void)shim_add(shim, SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0);
	pool_fails(&p, OC_ERR_MISMATCH, "several private keys");
	shim_close(shim);
	softhsm_fini(&p.hsm);
}

static void
key_must_be_the_expected_one(void **state)
{
	struct sign_key_info mine, other;
	struct signer *s;
	struct pool p;

	(void)state;
	pool_init(&p);
	softhsm_generate(&p.hsm, "mine", SIGN_KEY_P256, 256, &mine);
	softhsm_generate(&p.hsm, "other", SIGN_KEY_P256, 256, &other);
	pool_add_key(&p, "issuer/ca", "mine");
	p.keys[0].spki = (struct der_bytes){ other.spki, other.spki_len };
	pool_fails(&p, OC_ERR_MISMATCH, "not the one in the certificate");
	p.keys[0].spki = (struct der_bytes){ mine.spki, mine.spki_len };
	pool_open(&p, &s);
	sign_free(s);
	softhsm_fini(&p.hsm);
}

static void
tokens_are_listed_and_never_reinitialised(void **state)
{
	static struct p11_token_entry list[P11_ADMIN_MAX];
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };
	int64_t deadline_ns = oc_clock_mono_ns() + 60 * OC_NS_PER_S;
	struct softhsm hsm;
	size_t num, num_found = 0;

	(void)state;
	softhsm_init(&hsm, "listed");
	assert_int_equal(p11_admin_list_tokens(hsm.module, NULL, deadline_ns,
	    list, &num, &error), OC_OK);
	for (size_t i = 0; i < num; i++)
		if (strcmp(list[i].label, "listed") == 0) {
			num_found++;
			assert_true(list[i].is_initialized);
			assert_true(list[i].has_user_pin);
			assert_false(list[i].is_pin_locked);
		}
	assert_int_equal(num_found, 1);
	assert_int_equal(oc_secret_set(&pin, "1234", 4), OC_OK);
	assert_int_equal(p11_admin_init_token(hsm.module, NULL, NULL,
	    "listed", &pin, &pin, deadline_ns, &error), OC_ERR_EXISTS);
	assert_int_equal(p11_admin_init_token(hsm.module, NULL, "0badserial",
	    "new", &pin, &pin, deadline_ns, &error), OC_ERR_NOT_FOUND);
	assert_int_equal(p11_admin_list_tokens("/nowhere.so", NULL,
	    deadline_ns, list, &num, &error), OC_ERR_NOT_FOUND);
	softhsm_fini(&hsm);
}

static void
hung_module_is_killed_with_its_child(void **state)
{
	static struct p11_key_entry list[P11_ADMIN_MAX];
	struct shim_control *shim;
	struct oc_error error = { 0 };
	struct softhsm hsm;
	int64_t start;
	size_t num;

	(void)state;
	softhsm_init(&hsm, "hung");
	shim = shim_open(&hsm);
	(void)shim_add(shim, SHIM_OPEN_SESSION, SHIM_HANG, 0, 0, 0);
	start = oc_clock_mono_ns();
	assert_int_equal(p11_admin_list_keys(&hsm.token, hsm.state_dir,
	    start + 300 * OC_NS_PER_MS, list, &num, &error), OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - start < 3 * OC_NS_PER_S);
	shim_close(shim);
	softhsm_fini(&hsm);
}

int
main(void)
{
	/* First what forks only: a child of a process with threads is none
	 * of what the admin functions promise to survive. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_listed_and_never_reinitialised),
		cmocka_unit_test(hung_module_is_killed_with_its_child),
		cmocka_unit_test(generating_refuses_what_it_must),
		cmocka_unit_test(missing_things_are_named),
		cmocka_unit_test(ambiguous_names_are_refused),
		cmocka_unit_test(key_must_be_the_expected_one),
		cmocka_unit_test(wrong_pin_is_tried_once_for_ever),
		cmocka_unit_test(pin_of_a_killed_process_is_not_tried_again),
		cmocka_unit_test(wrong_pin_is_tried_once_by_many),
		cmocka_unit_test(pin_that_others_can_read_is_refused),
		cmocka_unit_test(locked_or_last_try_is_not_tried),
		cmocka_unit_test(what_the_limits_forbid_is_refused),
		cmocka_unit_test(eight_sessions_sign_at_once),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_pkcs11_pool", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
