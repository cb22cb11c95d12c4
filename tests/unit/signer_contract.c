/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of struct signer, one function for each promise. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sign/queue.h"
#include "sign/verify.h"
#include "tests/unit/signer_contract.h"

#define LONG_NS (20 * OC_NS_PER_S)

/* A job and what became of it. */
struct tried {
	struct sign_job job;
	int num_done;
	int order;			/* 1 for the first done() */
	int *last;			/* shared counter of done() calls */
	struct signer *cancel_in_done;	/* with other: cancelled in done() */
	struct sign_job *other;
	struct signer *submit_in_done;	/* with other: submitted in done() */
	uint8_t tbs[512];
};

static const uint8_t some_tbs[] = "30 octets or so to be signed...";

static void
note(struct sign_job *job, void *arg)
{
	struct tried *t = arg;

	assert_ptr_equal(job, &t->job);
	t->num_done++;
	if (t->last != NULL)
		t->order = ++*t->last;
	if (t->cancel_in_done != NULL)
		sign_cancel(t->cancel_in_done, t->other);
	if (t->submit_in_done != NULL)
		assert_int_equal(sign_submit(t->submit_in_done, t->other),
		    OC_OK);
}

static void
try_init(struct tried *t, const char *key, int64_t wait_ns)
{
	memset(t, 0, sizeof(*t));
	t->job.key = key;
	t->job.kind = SIGN_KIND_CERTIFICATE;
	t->job.lane = SIGN_LANE_CERTIFICATE;
	t->job.tbs = (struct der_bytes){ some_tbs, sizeof(some_tbs) };
	t->job.deadline_ns = oc_clock_mono_ns() + wait_ns;
	t->job.done = note;
	t->job.arg = t;
}

/* Makes what is to be signed, when key and algorithm are settled. */
static void
prepare(const struct signer_contract *c, struct tried *t)
{
	enum sign_alg alg = t->job.alg;
	struct sign_key_info info;

	if (c->make_tbs == NULL)
		return;
	if (alg == SIGN_ALG_NONE)
		alg = sign_find_key(c->signer, t->job.key,
		    oc_clock_mono_ns() + LONG_NS, &info, NULL) == OC_OK ?
		    info.alg : SIGN_ECDSA_SHA256;
	t->job.tbs = (struct der_bytes){ t->tbs,
	    c->make_tbs(alg, t->tbs, sizeof(t->tbs)) };
}

static enum oc_err
submit(const struct signer_contract *c, struct tried *t)
{
	prepare(c, t);
	return sign_submit(c->signer, &t->job);
}

static void
turn(struct signer *s, int timeout_ms)
{
	struct pollfd pfd = { .fd = sign_fd(s), .events = POLLIN };

	(void)poll(&pfd, 1, timeout_ms);
	sign_dispatch(s);
}

static void
wait_for(struct signer *s, const struct tried *t)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (t->num_done == 0 && oc_clock_mono_ns() < end)
		turn(s, 50);
	assert_int_equal(t->num_done, 1);
}

/* Dispatches for a while: what should not come has its chance to come. */
static void
settle(struct signer *s, int64_t for_ns)
{
	int64_t end = oc_clock_mono_ns() + for_ns;

	while (oc_clock_mono_ns() < end)
		turn(s, 20);
}

static void
assert_verifies(struct signer *s, const struct tried *t)
{
	struct sign_verifier *v;
	struct sign_key_info info;
	struct oc_error error = { 0 };

	assert_int_equal(sign_find_key(s, t->job.key,
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(sign_verifier_new((struct der_bytes){ info.spki,
	    info.spki_len }, &v), OC_OK);
	assert_int_equal(t->job.err, OC_OK);
	assert_int_equal(sign_verify(v, t->job.signed_alg, t->job.tbs,
	    (struct der_bytes){ t->job.signature, t->job.signature_len }),
	    OC_OK);
	sign_verifier_free(v);
}

static void
signs_with(const struct signer_contract *c, const char *key,
    enum sign_alg asked, enum sign_alg expected)
{
	struct tried t;

	if (key == NULL)
		return;
	try_init(&t, key, LONG_NS);
	t.job.alg = asked;
	assert_int_equal(submit(c, &t), OC_OK);
	assert_int_equal(t.num_done, 0);	/* never inside submit */
	wait_for(c->signer, &t);
	assert_int_equal(t.job.signed_alg, expected);
	assert_verifies(c->signer, &t);
}

static void
every_algorithm_verifies(const struct signer_contract *c)
{
	for (int alg = SIGN_RSA_SHA256; alg <= SIGN_RSA_PSS_SHA512; alg++)
		signs_with(c, c->rsa_key, (enum sign_alg)alg,
		    (enum sign_alg)alg);
	for (int alg = SIGN_ECDSA_SHA256; alg <= SIGN_ECDSA_SHA512; alg++) {
		signs_with(c, c->p256_key, (enum sign_alg)alg,
		    (enum sign_alg)alg);
		signs_with(c, c->p384_key, (enum sign_alg)alg,
		    (enum sign_alg)alg);
	}
	signs_with(c, c->ed25519_key, SIGN_ED25519, SIGN_ED25519);
	signs_with(c, c->rsa_key, SIGN_ALG_NONE, SIGN_RSA_SHA256);
	signs_with(c, c->p256_key, SIGN_ALG_NONE, SIGN_ECDSA_SHA256);
	signs_with(c, c->p384_key, SIGN_ALG_NONE, SIGN_ECDSA_SHA384);
	signs_with(c, c->ed25519_key, SIGN_ALG_NONE, SIGN_ED25519);
}

/* submit() may say it at once, or done() a little later. */
static void
fails_with(const struct signer_contract *c, struct tried *t,
    enum oc_err expected)
{
	enum oc_err err = submit(c, t);

	assert_int_equal(t->num_done, 0);
	if (err != OC_OK) {
		assert_int_equal(err, expected);
		settle(c->signer, 50 * OC_NS_PER_MS);
		assert_int_equal(t->num_done, 0);
		return;
	}
	wait_for(c->signer, t);
	assert_int_equal(t->job.err, expected);
	assert_int_equal(t->job.signature_len, 0);
	assert_string_not_equal(t->job.error_text, "");
}

static void
unknown_key_is_not_found(const struct signer_contract *c)
{
	struct sign_key_info info;
	struct oc_error error = { 0 };
	struct tried t;

	try_init(&t, "issuer/nobody", LONG_NS);
	fails_with(c, &t, OC_ERR_NOT_FOUND);
	assert_int_equal(sign_find_key(c->signer, "issuer/nobody",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_ERR_NOT_FOUND);
}

static void
algorithm_that_does_not_fit_is_a_mismatch(const struct signer_contract *c)
{
	struct tried t;

	try_init(&t, c->p256_key, LONG_NS);
	t.job.alg = SIGN_RSA_SHA256;
	fails_with(c, &t, OC_ERR_MISMATCH);
	try_init(&t, c->p256_key, LONG_NS);
	t.job.alg = SIGN_ED25519;
	fails_with(c, &t, OC_ERR_MISMATCH);
	if (c->rsa_key == NULL)
		return;
	try_init(&t, c->rsa_key, LONG_NS);
	t.job.alg = SIGN_ECDSA_SHA256;
	fails_with(c, &t, OC_ERR_MISMATCH);
}

static void
done_comes_exactly_once(const struct signer_contract *c)
{
	enum { NUM = 200 };
	struct tried *t = calloc(NUM, sizeof(*t));
	int num_left = NUM;

	assert_non_null(t);
	for (int i = 0; i < NUM; i++) {
		try_init(&t[i], c->p256_key, LONG_NS);
		assert_int_equal(submit(c, &t[i]), OC_OK);
		assert_int_equal(t[i].num_done, 0);
	}
	for (int64_t end = oc_clock_mono_ns() + LONG_NS;
	    num_left > 0 && oc_clock_mono_ns() < end; ) {
		turn(c->signer, 50);
		num_left = 0;
		for (int i = 0; i < NUM; i++)
			num_left += t[i].num_done == 0;
	}
	settle(c->signer, 50 * OC_NS_PER_MS);
	for (int i = 0; i < NUM; i++) {
		assert_int_equal(t[i].num_done, 1);
		assert_verifies(c->signer, &t[i]);
	}
	free(t);
}

static void
deadline_is_kept_whatever_the_key_does(const struct signer_contract *c)
{
	struct tried t, later;
	int64_t start;

	c->hold(c->arg);
	try_init(&t, c->p256_key, 100 * OC_NS_PER_MS);
	try_init(&later, c->p256_key, LONG_NS);
	start = oc_clock_mono_ns();
	assert_int_equal(submit(c, &later), OC_OK);
	assert_int_equal(submit(c, &t), OC_OK);
	wait_for(c->signer, &t);
	assert_int_equal(t.job.err, OC_ERR_TIMEOUT);
	assert_int_equal(t.job.signature_len, 0);
	assert_true(oc_clock_mono_ns() - start >= 100 * OC_NS_PER_MS);
	assert_true(oc_clock_mono_ns() - start < 2 * OC_NS_PER_S);
	assert_int_equal(later.num_done, 0);
	c->release(c->arg);
	/* The late result is dropped, the other job is not. */
	wait_for(c->signer, &later);
	assert_verifies(c->signer, &later);
	settle(c->signer, 50 * OC_NS_PER_MS);
	assert_int_equal(t.num_done, 1);
	signs_with(c, c->p256_key, SIGN_ALG_NONE, SIGN_ECDSA_SHA256);
}

static void
deadline_in_the_past_is_a_timeout(const struct signer_contract *c)
{
	struct tried t;

	c->hold(c->arg);
	try_init(&t, c->p256_key, -OC_NS_PER_S);
	fails_with(c, &t, OC_ERR_TIMEOUT);
	c->release(c->arg);
}

static void
cancelled_job_is_never_done(const struct signer_contract *c)
{
	struct tried t, other;

	c->hold(c->arg);
	try_init(&t, c->p256_key, 200 * OC_NS_PER_MS);
	assert_int_equal(submit(c, &t), OC_OK);
	settle(c->signer, 50 * OC_NS_PER_MS);
	sign_cancel(c->signer, &t.job);
	/* Its memory is ours again: a late result must not land in it. */
	memset(&t.job, 0xa5, sizeof(t.job));
	try_init(&other, c->p256_key, LONG_NS);
	assert_int_equal(submit(c, &other), OC_OK);
	c->release(c->arg);
	wait_for(c->signer, &other);
	assert_verifies(c->signer, &other);
	settle(c->signer, 250 * OC_NS_PER_MS);
	assert_int_equal(t.num_done, 0);
	for (size_t i = 0; i < sizeof(t.job); i++)
		assert_int_equal(((const uint8_t *)&t.job)[i], 0xa5);
}

static void
cancel_without_waiting_is_never_done(const struct signer_contract *c)
{
	struct tried t;

	/* Signed or not by then: nobody dispatched, so done() has not run. */
	for (int i = 0; i < 50; i++) {
		struct pollfd pfd = { .fd = sign_fd(c->signer),
		    .events = POLLIN };

		try_init(&t, c->p256_key, LONG_NS);
		assert_int_equal(submit(c, &t), OC_OK);
		(void)poll(&pfd, 1, i % 3);
		sign_cancel(c->signer, &t.job);
		assert_int_equal(t.num_done, 0);
	}
	settle(c->signer, 50 * OC_NS_PER_MS);
	assert_int_equal(t.num_done, 0);
}

static void
cancel_after_done_does_nothing(const struct signer_contract *c)
{
	struct tried t;

	try_init(&t, c->p256_key, LONG_NS);
	assert_int_equal(submit(c, &t), OC_OK);
	wait_for(c->signer, &t);
	sign_cancel(c->signer, &t.job);
	settle(c->signer, 20 * OC_NS_PER_MS);
	assert_int_equal(t.num_done, 1);
}

static void
done_may_cancel_and_submit(const struct signer_contract *c)
{
	struct tried first, second, third, fourth;

	c->hold(c->arg);
	try_init(&first, c->p256_key, LONG_NS);
	try_init(&second, c->p256_key, LONG_NS);
	try_init(&third, c->p256_key, LONG_NS);
	try_init(&fourth, c->p256_key, LONG_NS);
	first.job.lane = SIGN_LANE_REVOCATION;
	second.job.lane = SIGN_LANE_CRL;
	third.job.lane = SIGN_LANE_LIVE;
	prepare(c, &fourth);
	first.cancel_in_done = c->signer;
	first.other = &second.job;
	third.submit_in_done = c->signer;
	third.other = &fourth.job;
	assert_int_equal(submit(c, &first), OC_OK);
	assert_int_equal(submit(c, &second), OC_OK);
	assert_int_equal(submit(c, &third), OC_OK);
	c->release(c->arg);
	wait_for(c->signer, &fourth);
	settle(c->signer, 50 * OC_NS_PER_MS);
	assert_int_equal(first.num_done, 1);
	assert_int_equal(second.num_done, 0);
	assert_int_equal(third.num_done, 1);
	assert_verifies(c->signer, &fourth);
}

static void
urgent_lanes_go_first(const struct signer_contract *c)
{
	struct tried plug, t[SIGN_LANE_MAX];
	int last = 0;

	c->hold(c->arg);
	/* What is first is on its way to the key already. */
	try_init(&plug, c->p256_key, LONG_NS);
	plug.job.lane = SIGN_LANE_REVOCATION;
	assert_int_equal(submit(c, &plug), OC_OK);
	settle(c->signer, 50 * OC_NS_PER_MS);
	for (int lane = SIGN_LANE_MAX - 1; lane >= 0; lane--) {
		try_init(&t[lane], c->p256_key, LONG_NS);
		t[lane].job.lane = (enum sign_lane)lane;
		t[lane].last = &last;
		assert_int_equal(submit(c, &t[lane]), OC_OK);
	}
	settle(c->signer, 50 * OC_NS_PER_MS);
	c->release(c->arg);
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++) {
		wait_for(c->signer, &t[lane]);
		assert_int_equal(t[lane].num_done, 1);
	}
	/* After three, of which the plug may be one, the oldest of those that
	 * wait behind: the last lane's. */
	for (int lane = 1; lane < SIGN_LANE_MAX - 1; lane++)
		assert_true(t[lane].order > t[lane - 1].order);
	assert_in_range(t[SIGN_LANE_MAX - 1].order, SIGN_QUEUE_AHEAD_MAX,
	    SIGN_LANE_MAX);
}

static void
full_queue_is_busy(const struct signer_contract *c)
{
	struct tried *t = calloc(c->num_jobs_full, sizeof(*t));
	enum oc_err err = OC_OK;
	size_t num = 0, num_busy = 0;

	assert_non_null(t);
	c->hold(c->arg);
	for (; num < c->num_jobs_full && err == OC_OK; num++) {
		try_init(&t[num], c->p256_key, LONG_NS);
		err = submit(c, &t[num]);
		assert_int_equal(t[num].num_done, 0);
	}
	/* A remote queue says it in done(). */
	if (err == OC_OK) {
		settle(c->signer, 100 * OC_NS_PER_MS);
		for (size_t i = 0; i < num; i++)
			num_busy += t[i].num_done == 1 &&
			    t[i].job.err == OC_ERR_BUSY;
		assert_true(num_busy > 0);
	} else {
		assert_int_equal(err, OC_ERR_BUSY);
		assert_int_equal(t[--num].num_done, 0);
	}
	for (size_t i = 0; i < num; i++)
		sign_cancel(c->signer, &t[i].job);
	c->release(c->arg);
	free(t);
	signs_with(c, c->p256_key, SIGN_ALG_NONE, SIGN_ECDSA_SHA256);
}

static void
sign_now_waits_and_reports(const struct signer_contract *c)
{
	struct oc_error error = { 0 };
	struct tried t;

	try_init(&t, c->p256_key, LONG_NS);
	prepare(c, &t);
	assert_int_equal(sign_now(c->signer, &t.job, &error), OC_OK);
	assert_verifies(c->signer, &t);
	try_init(&t, "issuer/nobody", LONG_NS);
	assert_int_equal(sign_now(c->signer, &t.job, &error),
	    OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "issuer nobody"));
	c->hold(c->arg);
	try_init(&t, c->p256_key, 50 * OC_NS_PER_MS);
	prepare(c, &t);
	assert_int_equal(sign_now(c->signer, &t.job, &error), OC_ERR_TIMEOUT);
	c->release(c->arg);
}

static void
find_key_tells_the_key(const struct signer_contract *c)
{
	struct sign_key_info info;
	struct oc_error error = { 0 };
	enum sign_key_type type;
	unsigned int bits;

	assert_int_equal(sign_find_key(c->signer, c->p256_key,
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(info.type, SIGN_KEY_P256);
	assert_int_equal(info.bits, 256);
	assert_int_equal(info.alg, SIGN_ECDSA_SHA256);
	assert_int_equal(sign_spki_type((struct der_bytes){ info.spki,
	    info.spki_len }, &type, &bits), OC_OK);
	assert_int_equal(type, SIGN_KEY_P256);
}

void
signer_contract_run(const struct signer_contract *c)
{
	find_key_tells_the_key(c);
	every_algorithm_verifies(c);
	unknown_key_is_not_found(c);
	algorithm_that_does_not_fit_is_a_mismatch(c);
	done_comes_exactly_once(c);
	deadline_is_kept_whatever_the_key_does(c);
	deadline_in_the_past_is_a_timeout(c);
	cancelled_job_is_never_done(c);
	cancel_without_waiting_is_never_done(c);
	cancel_after_done_does_nothing(c);
	done_may_cancel_and_submit(c);
	urgent_lanes_go_first(c);
	full_queue_is_busy(c);
	sign_now_waits_and_reports(c);
}
