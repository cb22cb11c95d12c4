/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random faults at full load, for $SOAK_SECONDS (15), in one of two tokens:
 * the other is well, so nothing may be lost that has the time a client waits,
 * though the one that is hurt needs more to come back.  Each signature must
 * verify; nobody logs in more often than a restart and a lost login cost; no
 * session, descriptor or memory is lost.  The faults follow from $SOAK_SEED,
 * which is printed.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "sign/verify.h"
#include "tests/unit/softhsm_fixture.h"
#include "tests/faults/random_faults.h"
#include "tests/faults/two_tokens.h"
#include "tests/unit/tbs_samples.h"

#define SESSIONS 4
#define AT_ONCE 24
#define TIMEOUT_NS (800 * OC_NS_PER_MS)
/* Of a live answer. */
#define WAIT_NS (5 * OC_NS_PER_S)
/* For a token to come back on a busy machine. */
#define BACK_NS (60 * OC_NS_PER_S)

static struct two two;
static struct soak {
	struct random_faults faults;
	struct sign_verifier *verifier;
	struct sign_job jobs[AT_ONCE];
	uint8_t tbs[512];
	size_t tbs_len;
	bool is_over;
	unsigned int num_under_way;
	unsigned long num_submitted, num_signed, num_failed, num_dead;
	int64_t worst_ns;
	unsigned long num_logins[2];	/* before it began */
	unsigned long num_logins_lost[2];
} k;

static void on_done(struct sign_job *job, void *arg);

static void
submit(struct sign_job *job)
{
	*job = (struct sign_job){ .key = TWO_KEY,
	    .kind = SIGN_KIND_CERTIFICATE,
	    .lane = (enum sign_lane)(k.num_submitted++ % SIGN_LANE_MAX),
	    .tbs = { k.tbs, k.tbs_len },
	    .deadline_ns = oc_clock_mono_ns() + WAIT_NS,
	    .done = on_done };
	assert_int_equal(sign_submit(two.signer, job), OC_OK);
	k.num_under_way++;
}

static void
on_done(struct sign_job *job, void *arg)
{
	int64_t took_ns = oc_clock_mono_ns() + WAIT_NS - job->deadline_ns;

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
	int64_t end_ns = oc_clock_mono_ns() + ns;

	do
		two_turn(&two);
	while (oc_clock_mono_ns() < end_ns);
}

/* Both are well and all threads are back: the next fault may come. */
static void
calm_down(void)
{
	int64_t end_ns = oc_clock_mono_ns() + BACK_NS;
	struct p11_token_status st[2];

	do {
		go_on(20 * OC_NS_PER_MS);
		for (size_t i = 0; i < 2; i++)
			st[i] = two_status(&two, i);
		if (oc_clock_mono_ns() > end_ns)
			fail_msg("after \"%s\" a is %s, b is %s",
			    k.faults.now, st[0].state, st[1].state);
	} while (!st[0].is_up || !st[1].is_up || st[0].num_lost > 0 ||
	    st[1].num_lost > 0);
	assert_false(p11_local_is_stuck(two.signer));
	for (size_t i = 0; i < 2; i++) {
		assert_true(st[i].num_sessions <= SESSIONS);
		/* Ours and the keeper's. */
		assert_true(atomic_load(&two.shim[i]->num_open) <=
		    SESSIONS + 1);
	}
}

static void
strike(void)
{
	size_t which = (size_t)random_draw(&k.faults, 2);
	const struct random_fault *fault = NULL;

	/* One in ten: all of it, so that nothing helps. */
	if (random_draw(&k.faults, 10) == 0) {
		k.faults.now = "dead";
		k.num_dead++;
		two_kill(&two, which);
	} else {
		fault = random_strike(&k.faults, two.shim[which]);
		k.num_logins_lost[which] += random_costs_login(fault);
	}
	go_on((int64_t)(50 + random_draw(&k.faults, 700)) * OC_NS_PER_MS);
	if (fault != NULL && fault->mode == SHIM_HANG)
		go_on(TIMEOUT_NS);
	shim_clear(two.shim[which]);
	calm_down();
	go_on((int64_t)random_draw(&k.faults, 150) * OC_NS_PER_MS);
}

static void
begin(void)
{
	struct tbs_sample sample;
	uint64_t seed = random_faults_start(&k.faults);

	for (size_t i = 0; i < 2; i++) {
		k.num_logins[i] = shim_calls(two.shim[i], SHIM_LOGIN);
		atomic_store(&two.shim[i]->seed, seed + i);
	}
	two_start(&two, SESSIONS, TIMEOUT_NS);
	for (size_t i = 0; i < 2; i++)
		two_await(&two, i, "up");
	assert_int_equal(sign_verifier_new((struct der_bytes){ two.info.spki,
	    two.info.spki_len }, &k.verifier), OC_OK);
	tbs_sample_init(&sample, oc_clock_now_s());
	k.tbs_len = tbs_certificate(&sample, k.tbs, sizeof(k.tbs));
	for (int i = 0; i < AT_ONCE; i++)
		submit(&k.jobs[i]);
	go_on(500 * OC_NS_PER_MS);
}

/* What each has done, and that no login was wasted on it. */
static void
end_of(size_t i)
{
	struct p11_token_status st = two_status(&two, i);
	unsigned long num_logins = shim_calls(two.shim[i], SHIM_LOGIN) -
	    k.num_logins[i];

	print_message("%s: %lu signed; %lu recoveries, %lu restarts, "
	    "%lu logins\n", i == 0 ? "a" : "b", (unsigned long)st.num_signed,
	    (unsigned long)st.num_recovered, (unsigned long)st.num_restarts,
	    num_logins);
	assert_true(st.num_signed > 50);
	assert_true(num_logins <= 1 + st.num_restarts + k.num_logins_lost[i]);
}

static void
soak(void **state)
{
	int64_t begun_ns = oc_clock_mono_ns(), now_ns;
	int64_t length_ns = soak_length_ns();
	bool is_early = true;
	long early_kb, late_kb;
	int num_fds;

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
	random_faults_print(&k.faults);
	print_message("%6lu dead\n%lu signed, %lu lost, at most %lld ms; "
	    "%ld kB, then %ld kB\n", k.num_dead, k.num_signed, k.num_failed,
	    (long long)(k.worst_ns / OC_NS_PER_MS), early_kb, late_kb);
	for (size_t i = 0; i < 2; i++)
		end_of(i);
	assert_int_equal(k.num_failed, 0);
	assert_true(late_kb - early_kb < 2 * GROWTH_MAX_KB);
	assert_true(soak_descriptors() <= num_fds + 1);
	sign_verifier_free(k.verifier);
	two_stop(&two);
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

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(soak) };

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test_tokens_soak", getenv("SOAK_LOG") != NULL ?
	    OC_LOG_NOTICE : OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
