/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random faults at full load, for $SOAK_SECONDS (15).  Each job has time
 * enough for a fault to end and the token to come back, so each must be
 * signed, and each signature must verify; logins are what restarts cost; no
 * session, descriptor or memory is lost.  The faults follow from $SOAK_SEED,
 * which is printed.
 */
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "sign/verify.h"
#include "tests/faults/fixture.h"
#include "tests/unit/tbs_samples.h"

#define SESSIONS 6
#define AT_ONCE 24
#define TIMEOUT_NS (800 * OC_NS_PER_MS)
/* SoftHSM loses a little with each C_Finalize; a sanitizer keeps for a while
 * what was freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_MAX_KB (512 * 1024)
#else
#define GROWTH_MAX_KB (12 * 1024)
#endif

struct fault {
	const char *name;
	enum shim_function function;
	enum shim_mode mode;
	unsigned long rv;
	int count, per_mille, latency_ms;
	long arg;
};

static const struct fault faults[] = {
	{ "session lost", SHIM_SIGN, SHIM_RETURN, 0xb3, 3, 0, 0, 0 },
	{ "sessions closed", SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 1, 0, 0,
	    0 },
	{ "logged out", SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 1, 0, 0, 0 },
	{ "not logged in", SHIM_SIGN_INIT, SHIM_RETURN, 0x101, 2, 0, 0, 0 },
	{ "operation active", SHIM_SIGN, SHIM_RETURN, 0x90, 0, 50, 0, 0 },
	{ "throttled", SHIM_SIGN, SHIM_RETURN, 0x6, 0, 50, 1, 0 },
	{ "busy above two", SHIM_SIGN, SHIM_BUSY, 0x90, 0, 0, 1, 2 },
	{ "no more sessions", SHIM_OPEN_SESSION, SHIM_FULL, 0xb1, 0, 0, 0,
	    3 },
	{ "device error", SHIM_SIGN, SHIM_RETURN, 0x30, 0, 0, 0, 0 },
	{ "device error at times", SHIM_SIGN, SHIM_RETURN, 0x30, 0, 10, 0,
	    0 },
	{ "vendor's", SHIM_SIGN, SHIM_RETURN, 0x80000043, 2, 0, 0, 0 },
	{ "broken until finalised", SHIM_SIGN, SHIM_BREAK, 0x30, 1, 0, 0, 0 },
	{ "failover", SHIM_SIGN_INIT, SHIM_FAILOVER, 0, 1, 0, 100, 0 },
	{ "failover, other key", SHIM_SIGN_INIT, SHIM_FAILOVER, 0, 1, 0, 100,
	    1 },
	{ "hung", SHIM_SIGN, SHIM_HANG, 0, 1, 0, 0, 0 },
	{ "hung at opening", SHIM_OPEN_SESSION, SHIM_HANG, 0, 1, 0, 0, 0 },
	{ "slow", SHIM_SIGN, SHIM_SLOW, 0, 0, 0, 20, 0 },
	{ "spikes", SHIM_SIGN, SHIM_SLOW, 0, 0, 20, 200, 0 },
	{ "removed", SHIM_GET_SLOT_LIST, SHIM_EMPTY, 0, 0, 0, 0, 0 },
	{ "renumbered", SHIM_GET_SLOT_LIST, SHIM_RENUMBER, 0, 1, 0, 0, 0 },
	{ "wrong bits", SHIM_SIGN, SHIM_FLIP, 0, 4, 0, 0, 0 },
	{ "too short", SHIM_SIGN, SHIM_SHORTEN, 0, 2, 0, 0, 0 },
	{ "short r", SHIM_SIGN, SHIM_SHORT_R, 0, 1, 0, 0, 0 },
	{ "DER", SHIM_SIGN, SHIM_TO_DER, 0, 0, 0, 0, 0 },
	{ "second key", SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0, 0, 0 },
};
#define NUM_FAULTS (sizeof(faults) / sizeof(faults[0]))

static struct soak {
	uint64_t seed, random;
	struct sign_verifier *verifier;
	struct sign_job jobs[AT_ONCE];
	uint8_t tbs[512];
	size_t tbs_len;
	bool is_over;
	unsigned int num_under_way;
	unsigned long num_signed, num_failed, num_faults[NUM_FAULTS];
	int64_t worst_ns;
	const char *now;		/* the fault that is on */
} k;

/* splitmix64 */
static uint64_t
draw(uint64_t below)
{
	uint64_t z = k.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

static void on_done(struct sign_job *job, void *arg);

static void
submit(struct sign_job *job)
{
	*job = (struct sign_job){ .key = FAULTS_KEY,
	    .kind = SIGN_KIND_CERTIFICATE,
	    .lane = (enum sign_lane)draw(SIGN_LANE_MAX),
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
		print_error("\"%s\": %s\n", k.now, job->error_text);
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
		fail_msg("stuck after \"%s\", %lu calls that hung", k.now,
		    (unsigned long)st.num_errors[P11_CLASS_HUNG]);
	assert_true(st.num_sessions <= SESSIONS);
	/* Ours and the keeper's. */
	assert_true(atomic_load(&f.shim->num_open) <= SESSIONS + 1);
}

static void
strike(void)
{
	size_t which = (size_t)draw(NUM_FAULTS);
	const struct fault *fault = &faults[which];
	bool is_looked_for = fault->function != SHIM_SIGN &&
	    fault->function != SHIM_SIGN_INIT;
	int rule;

	k.now = fault->name;
	k.num_faults[which]++;
	rule = shim_add(f.shim, fault->function, fault->mode, fault->rv,
	    (int)draw(20), fault->count);
	/* Set before it strikes, or a call later. */
	atomic_store(&f.shim->rules[rule].per_mille, fault->per_mille);
	atomic_store(&f.shim->rules[rule].latency_ms, fault->latency_ms);
	atomic_store(&f.shim->rules[rule].arg, fault->arg);
	/* Who is well opens nothing and looks for nothing. */
	if (is_looked_for) {
		atomic_store(&f.shim->rules[rule].after, 0);
		(void)shim_add(f.shim, SHIM_SIGN_INIT, SHIM_RETURN,
		    draw(2) == 0 ? 0xb3 : 0x101, 0, 1);
	}
	go_on((int64_t)(50 + draw(700)) * OC_NS_PER_MS);
	if (fault->mode == SHIM_HANG)
		go_on(TIMEOUT_NS);
	shim_clear(f.shim);
	calm_down();
	go_on((int64_t)draw(150) * OC_NS_PER_MS);
}

static long
resident_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	(void)fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int
num_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int num = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		num++;
	(void)closedir(dir);
	return num;
}

static void
begin(void)
{
	struct tbs_sample sample;

	start(SESSIONS, TIMEOUT_NS);
	atomic_store(&f.shim->seed, k.seed);
	k.random = k.seed;
	k.now = "nothing";
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
	const char *seconds = getenv("SOAK_SECONDS");
	const char *seed = getenv("SOAK_SEED");
	int64_t length_ns = (seconds != NULL ? atoi(seconds) : 15) *
	    OC_NS_PER_S;
	int64_t begun_ns = oc_clock_mono_ns(), now_ns;
	long early_kb = 0, late_kb;
	int num_fds = 0;
	unsigned long num_logins;
	struct p11_token_status st;

	(void)state;
	(void)!getrandom(&k.seed, 2, 0);
	if (seed != NULL)
		k.seed = strtoul(seed, NULL, 0);
	print_message("SOAK_SEED=%lu\n", (unsigned long)k.seed);
	begin();
	while ((now_ns = oc_clock_mono_ns()) < begun_ns + length_ns) {
		strike();
		if (early_kb == 0 && now_ns > begun_ns + length_ns / 3) {
			early_kb = resident_kb();
			num_fds = num_descriptors();
		}
	}
	late_kb = resident_kb();
	k.is_over = true;
	while (k.num_under_way > 0)
		go_on(10 * OC_NS_PER_MS);
	st = status();
	num_logins = shim_calls(f.shim, SHIM_LOGIN) - f.num_logins;
	for (size_t i = 0; i < NUM_FAULTS; i++)
		print_message("%6lu %s\n", k.num_faults[i], faults[i].name);
	print_message("%lu signed, %lu lost, at most %lld ms; %lu recoveries, "
	    "%lu restarts, %lu logins; %ld kB, then %ld kB\n", k.num_signed,
	    k.num_failed, (long long)(k.worst_ns / OC_NS_PER_MS),
	    (unsigned long)st.num_recovered, (unsigned long)st.num_restarts,
	    num_logins, early_kb, late_kb);
	assert_int_equal(k.num_failed, 0);
	assert_true(k.num_signed > 100);
	/* One for each loss of the login, which a restart is, too. */
	assert_true(num_logins <= st.num_restarts + k.num_faults[1] +
	    k.num_faults[2]);
	assert_true(late_kb - early_kb < GROWTH_MAX_KB);
	assert_true(num_descriptors() <= num_fds + 1);
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
