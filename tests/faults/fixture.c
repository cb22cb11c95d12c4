/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "sign/verify.h"
#include "tests/unit/tbs_samples.h"

struct faults f;

static struct p11_local_config
make_config(void)
{
	return (struct p11_local_config){
		.tokens = &f.hsm.token, .num_tokens = 1,
		.keys = &f.key, .num_keys = 1,
		.state_dir = f.hsm.state_dir,
	};
}

void
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

void
finish(unsigned long logins_max)
{
	unsigned long num = shim_calls(f.shim, SHIM_LOGIN) - f.num_logins;

	assert_true(num <= logins_max);
	shim_clear(f.shim);
	sign_free(f.signer);
	f.signer = NULL;
	assert_int_equal(atomic_load(&f.shim->num_open_at_finalize), 0);
	assert_int_equal(atomic_load(&f.shim->num_finalized_inside), 0);
	assert_int_equal(atomic_load(&f.shim->num_forks), 0);
}

/* From outside: not what the pool has verified with. */
static void
verifies(const struct sign_job *job)
{
	struct sign_verifier *v;

	assert_int_equal(sign_verifier_new((struct der_bytes){ f.info.spki,
	    f.info.spki_len }, &v), OC_OK);
	assert_int_equal(sign_verify(v, job->signed_alg, job->tbs,
	    (struct der_bytes){ job->signature, job->signature_len }),
	    OC_OK);
	sign_verifier_free(v);
}

enum oc_err
sign_within(int64_t wait_ns, struct oc_error *error)
{
	struct tbs_sample sample;
	uint8_t tbs[512];
	struct sign_job job;
	int64_t begin = oc_clock_mono_ns();
	enum oc_err err;

	tbs_sample_init(&sample, oc_clock_now_s());
	job = (struct sign_job){ .key = FAULTS_KEY,
	    .kind = SIGN_KIND_CERTIFICATE,
	    .tbs = { tbs, tbs_certificate(&sample, tbs, sizeof(tbs)) },
	    .deadline_ns = begin + wait_ns };
	err = sign_now(f.signer, &job, error);
	assert_true(oc_clock_mono_ns() - begin < wait_ns + 5 * OC_NS_PER_S);
	if (err != OC_OK)
		assert_int_equal(job.signature_len, 0);
	else
		verifies(&job);
	return err;
}

void
signs(void)
{
	struct oc_error error = { 0 };
	enum oc_err err = sign_within(PATIENCE_NS, &error);

	if (err != OC_OK)
		print_error("%s\n", error.text);
	assert_int_equal(err, OC_OK);
}

#define AT_ONCE_MAX 64

struct many {
	struct sign_job jobs[AT_ONCE_MAX];
	uint8_t tbs[512];
	size_t tbs_len;
	unsigned int num_left, num_done, num_bad;
};

static void many_done(struct sign_job *job, void *arg);

static void
submit(struct many *m, struct sign_job *job)
{
	enum oc_err err;

	*job = (struct sign_job){ .key = FAULTS_KEY,
	    .kind = SIGN_KIND_CERTIFICATE, .lane = SIGN_LANE_CERTIFICATE,
	    .tbs = { m->tbs, m->tbs_len },
	    .deadline_ns = oc_clock_mono_ns() + PATIENCE_NS,
	    .done = many_done, .arg = m };
	m->num_left--;
	err = sign_submit(f.signer, job);
	if (err != OC_OK)
		print_error("%s\n", job->error_text);
	assert_int_equal(err, OC_OK);
}

static void
many_done(struct sign_job *job, void *arg)
{
	struct many *m = arg;

	m->num_done++;
	if (job->err == OC_OK)
		verifies(job);
	else {
		print_error("%s\n", job->error_text);
		m->num_bad++;
	}
	if (m->num_left > 0)
		submit(m, job);
}

int64_t
signs_many(unsigned int num, unsigned int at_once)
{
	static struct many m;
	struct pollfd pfd = { .fd = sign_fd(f.signer), .events = POLLIN };
	int64_t begin = oc_clock_mono_ns();
	struct tbs_sample sample;

	assert_true(at_once <= AT_ONCE_MAX && at_once <= num);
	memset(&m, 0, sizeof(m));
	tbs_sample_init(&sample, oc_clock_now_s());
	m.tbs_len = tbs_certificate(&sample, m.tbs, sizeof(m.tbs));
	m.num_left = num;
	for (unsigned int i = 0; i < at_once; i++)
		submit(&m, &m.jobs[i]);
	while (m.num_done < num) {
		(void)poll(&pfd, 1, 100);
		sign_dispatch(f.signer);
	}
	assert_int_equal(m.num_bad, 0);
	return oc_clock_mono_ns() - begin;
}

void
names_token_once(const struct oc_error *error)
{
	char named[64];
	const char *at;

	(void)snprintf(named, sizeof(named), "token %s", f.hsm.token.name);
	at = strstr(error->text, named);
	if (at == NULL || strstr(at + 1, named) != NULL ||
	    strstr(error->text, FAULTS_KEY) != NULL)
		fail_msg("%s", error->text);
}

void
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

struct p11_token_status
status(void)
{
	struct p11_token_status s;

	p11_local_status(f.signer, 0, &s);
	return s;
}

unsigned long
counted(enum p11_class class)
{
	return status().num_errors[class];
}

void
survives(enum shim_function function, enum shim_mode mode, unsigned long rv,
    unsigned long logins_max, enum p11_class class)
{
	int rule;

	start(2, 0);
	signs();
	rule = shim_add(f.shim, function, mode, rv, 0, 1);
	signs();
	assert_true(atomic_load(&f.shim->rules[rule].struck) > 0);
	if (class != P11_CLASS_OK)
		assert_int_equal(counted(class), 1);
	signs();
	assert_true(status().is_up);
	finish(logins_max);
}

void
wait_for(bool (*is_so)(void))
{
	const struct timespec moment = { 0, 2 * OC_NS_PER_MS };
	int64_t end_ns = oc_clock_mono_ns() + PATIENCE_NS;

	while (!is_so()) {
		assert_true(oc_clock_mono_ns() < end_ns);
		(void)nanosleep(&moment, NULL);
	}
}

bool
is_up(void)
{
	return status().is_up;
}

bool
is_down(void)
{
	return !status().is_up;
}

int
clean_up(void **state)
{
	(void)state;
	shim_clear(f.shim);
	sign_free(f.signer);
	f.signer = NULL;
	f.hsm.token.keep_alive_ns = 0;
	return 0;
}

int
set_up(void **state)
{
	(void)state;
	softhsm_init(&f.hsm, "faults");
	softhsm_generate(&f.hsm, "ca", SIGN_KEY_P256, 256, &f.info);
	/* What a handle may point to by mistake. */
	softhsm_generate(&f.hsm, "other", SIGN_KEY_P256, 256, NULL);
	f.shim = shim_open(&f.hsm);
	f.key = (struct p11_key_config){ .name = FAULTS_KEY, .token = "hsm",
	    .uri = "ca", .spki = { f.info.spki, f.info.spki_len },
	    .allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name } };
	return 0;
}

int
tear_down(void **state)
{
	(void)state;
	shim_close(f.shim);
	softhsm_fini(&f.hsm);
	return 0;
}
