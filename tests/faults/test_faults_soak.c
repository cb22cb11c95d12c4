/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random faults at full load, for $SOAK_SECONDS (15).  Each job has time
 * enough for a fault to end and the token to come back, so each must be
 * signed, and each signature must verify; logins are what restarts cost; no
 * session, descriptor or memory is lost.  The faults follow from $SOAK_SEED,
 * which is printed.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "sign/verify.h"
#include "tests/faults/fixture.h"
#include "tests/faults/random_faults.h"
#include "tests/unit/tbs_samples.h"

#define SESSIONS 6
#define AT_ONCE 24
#define TIMEOUT_NS (800 * OC_NS_PER_MS)

static struct soak {
	struct random_faults faults;
	struct sign_verifier *verifier;
	struct sign_job jobs[AT_ONCE];
	uint8_t tbs[512];
	size_t tbs_len;
	bool is_over;
	unsigned int num_under_way;
	unsigned long num_submitted, num_signed, num_failed;
	unsigned long num_logins_lost;
	int64_t worst_ns;
} k;

static void on_done(struct sign_job *job, void *arg);

static void
submit(struct sign_job *job)
{
	*job = (struct sign_job){ .key = FAULTS_KEY,
	    .kind = SIGN_KIND_CERTIFICATE,
	    .lane = (enum sign_lane)(k.num_submitted++ % SIGN_LANE_MAX),
	    .tbs = { k.tbs, k.tbs_len },
	    .deadline_ns = oc_clock_mono_ns() + PATIENCE_NS,
	    .done = on_done };
	assert_int_equal(sign_submit(f.signer, job), OC_OK);
	k.num_under_way++;
}

static void
on_done(struct sign_job *job, void *arg)
{
	int64_t took_ns = oc_clock_mono_ns() + PATIENCE_NS -
	    job->deadline_ns;

	(void)arg;
	k.num_under_way--;
	if (took_ns > k.worst_ns)
		k.worst_ns = took_ns;
	if (job->err == OC_OK) {
		assert_int_equal(sign_verify(k.verifier, job->signed_alg,
		    job->tbs, (struct der_bytes){ job->signature,
		    job->signature_len }), OC_OK);
		k.num_signed++;
	} else {
		k.num_failed++;
		print_error("\"%s\": %s\n", k.faults.now, job->error_text);
	}
	if (!k.is_over)
		submit(job);
}

/* Signs on, so long. */
static void
go_on(int64_t ns)
{
	struct pollfd pfd = { .fd = sign_fd(f.signer), .events = POLLIN };
	int64_t end_ns = oc_clock_mono_ns() + ns;

	do {
		(void)poll(&pfd, 1, 5);
		sign_dispatch(f.signer);
	} while (oc_clock_mono_ns() < end_ns);
}

/* The token is well and all threads are back: the next fault may come. */
static void
calm_down(void)
{
	int64_t end_ns = oc_clock_mono_ns() + PATIENCE_NS;
	struct p11_token_status st;

	do {
		go_on(20 * OC_NS_PER_MS);
		st = status();
		assert_true(oc_clock_mono_ns() < end_ns);
	} while (!st.is_up || st.num_lost > 0);
	if (p11_local_is_stuck(f.signer))
		fail_msg("stuck after \"%s\", %lu calls that hung",
		    k.faults.now,
		    (unsigned long)st.num_errors[P11_CLASS_HUNG]);
	assert_true(st.num_sessions <= SESSIONS);
	/* Ours and the keeper's. */
	assert_true(atomic_load(&f.shim->num_open) <= SESSIONS + 1);
}

static void
strike(void)
{
	const struct random_fault *fault = random_strike(&k.faults, f.shim);

	k.num_logins_lost += random_costs_login(fault);
	go_on((int64_t)(50 + random_draw(&k.faults, 700)) * OC_NS_PER_MS);
	if (fault->mode == SHIM_HANG)
		go_on(TIMEOUT_NS);
	shim_clear(f.shim);
	calm_down();
	go_on((int64_t)random_draw(&k.faults, 150) * OC_NS_PER_MS);
}

static void
begin(void)
{
	struct tbs_sample sample;

	start(SESSIONS, TIMEOUT_NS);
	atomic_store(&f.shim->seed, random_faults_start(&k.faults));
	assert_int_equal(sign_verifier_new((struct der_bytes){ f.info.spki,
	    f.info.spki_len }, &k.verifier), OC_OK);
	tbs_sample_init(&sample, oc_clock_now_s());
	k.tbs_len = tbs_certificate(&sample, k.tbs, sizeof(k.tbs));
	for (int i = 0; i < AT_ONCE; i++)
		submit(&k.jobs[i]);
	go_on(500 * OC_NS_PER_MS);
}

static void
soak(void **state)
{
	int64_t begun_ns = oc_clock_mono_ns(), now_ns;
	int64_t length_ns = soak_length_ns();
	bool is_early = true;
	long early_kb, late_kb;
	int num_fds;
	unsigned long num_logins;
	struct p11_token_status st;

	(void)state;
	begin();
	early_kb = soak_resident_kb();
	num_fds = soak_descriptors();
	while ((now_ns = oc_clock_mono_ns()) < begun_ns + length_ns) {
		strike();
		if (is_early && now_ns > begun_ns + length_ns / 3) {
			is_early = false;
			early_kb = soak_resident_kb();
			num_fds = soak_descriptors();
		}
	}
	late_kb = soak_resident_kb();
	k.is_over = true;
	while (k.num_under_way > 0)
		go_on(10 * OC_NS_PER_MS);
	st = status();
	num_logins = shim_calls(f.shim, SHIM_LOGIN) - f.num_logins;
	random_faults_print(&k.faults);
	print_message("%lu signed, %lu lost, at most %lld ms; %lu recoveries, "
	    "%lu restarts, %lu logins; %ld kB, then %ld kB\n", k.num_signed,
	    k.num_failed, (long long)(k.worst_ns / OC_NS_PER_MS),
	    (unsigned long)st.num_recovered, (unsigned long)st.num_restarts,
	    num_logins, early_kb, late_kb);
	assert_int_equal(k.num_failed, 0);
	assert_true(k.num_signed > 100);
	/* One for each loss of the login, which a restart is, too. */
	assert_true(num_logins <= st.num_restarts + k.num_logins_lost);
	assert_true(late_kb - early_kb < GROWTH_MAX_KB);
	assert_true(soak_descriptors() <= num_fds + 1);
	sign_verifier_free(k.verifier);
	finish(num_logins);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { FAULT_TEST(soak) };

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_faults_soak", getenv("SOAK_LOG") != NULL ?
	    OC_LOG_NOTICE : OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
