/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures a second with 1, 2, 4 ... sessions, a thread each, until one
 * round is hardly faster than the one before.
 *
 * A thread owns its session and its counts; they are added up when all have
 * ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "pkcs11/doctor_probe.h"
#include "pkcs11/recover.h"
#include "pkcs11/token.h"

/* Microseconds in steps of a sixteenth. */
#define BUCKETS 640

struct worker {
	struct p11_doctor_child *c;
	const struct p11_doctor_signing *signing;
	struct der_bytes spki;
	CK_SESSION_HANDLE session;
	bool has_session;
	int64_t until_ns;
	pthread_t thread;
	bool has_thread;
	uint64_t num_signed, num_failed, num_wrong;
	CK_RV rv;			/* of the first failure */
	uint32_t buckets[BUCKETS];
};

static unsigned int
bucket_of(unsigned int us)
{
	unsigned int e;

	if (us < 16)
		return us;
	e = 31 - (unsigned int)__builtin_clz(us);
	return (e - 3) * 16 + ((us >> (e - 4)) & 15);
}

/* The upper end. */
static unsigned int
us_of(unsigned int bucket)
{
	unsigned int e = bucket / 16 + 3;

	return bucket < 16 ? bucket : (unsigned int)(((uint64_t)(bucket % 16 +
	    17) << (e - 4)) - 1);
}

static void
note_failure(struct worker *w, CK_RV rv)
{
	if (w->num_failed++ == 0)
		w->rv = rv;
}

static void
sign_one(struct worker *w, bool is_checked)
{
	struct p11_doctor_signature signature;
	struct p11_doctor_canary canary;
	unsigned int us;
	CK_RV rv;

	p11_doctor_canary(&canary);
	rv = p11_doctor_sign(w->c->f, w->session, w->signing, &canary,
	    &signature);
	p11_doctor_go_on(w->c);
	if (rv != CKR_OK) {
		note_failure(w, rv);
		/* As the pool does: nothing else cures it. */
		(void)w->c->f->C_CloseSession(w->session);
		w->has_session = false;
		return;
	}
	w->num_signed++;
	us = signature.init_us + signature.sign_us;
	w->buckets[bucket_of(us)]++;
	if (is_checked && p11_doctor_check(w->signing, w->spki, &canary,
	    &signature) != OC_OK)
		w->num_wrong++;
}

/* Every signature is checked up to here, then one in 16: the rate is the
 * token's, not ours. */
#define CHECKED_FIRST 16

static void *
work(void *arg)
{
	const struct timespec pause = { 0, 5 * OC_NS_PER_MS };
	struct worker *w = arg;
	CK_RV rv;

	/* Once at least, however busy the machine is. */
	for (uint64_t n = 0; n == 0 || oc_clock_mono_ns() < w->until_ns; n++) {
		if (!w->has_session) {
			rv = p11_token_open_session(w->c->f, w->c->slot,
			    &w->session);
			w->has_session = rv == CKR_OK;
			if (rv != CKR_OK) {
				note_failure(w, rv);
				(void)nanosleep(&pause, NULL);
				continue;
			}
		}
		sign_one(w, n < CHECKED_FIRST || n % 16 == 0);
	}
	return NULL;
}

static unsigned int
percentile(const uint32_t *buckets, uint64_t total, uint64_t percent)
{
	uint64_t seen = 0;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		seen += buckets[i];
		if (total > 0 && seen * 100 >= total * percent)
			return us_of(i);
	}
	return 0;
}

static void
add_up(struct worker *workers, struct p11_doctor_round *r)
{
	static uint32_t all[BUCKETS];

	memset(all, 0, sizeof(all));
	for (unsigned int i = 0; i < r->num_sessions; i++) {
		struct worker *w = &workers[i];

		if (r->num_failed == 0)
			r->rv = w->rv;
		r->num_signed += w->num_signed;
		r->num_failed += w->num_failed;
		r->num_wrong += w->num_wrong;
		for (unsigned int b = 0; b < BUCKETS; b++)
			all[b] += w->buckets[b];
	}
	r->p50_us = percentile(all, r->num_signed, 50);
	r->p99_us = percentile(all, r->num_signed, 99);
}

/* False if not all of them can be opened. */
static bool
open_all(struct p11_doctor_child *c, struct worker *workers,
    unsigned int num)
{
	struct oc_error ignored;

	for (unsigned int i = 0; i < num; i++)
		if (!workers[i].has_session) {
			workers[i].has_session = p11_doctor_open_session(c,
			    &workers[i].session, &ignored) == OC_OK;
			if (!workers[i].has_session)
				return false;
		}
	return true;
}

static void
reset(struct p11_doctor_child *c, struct worker *w,
    const struct p11_doctor_signing *signing, struct der_bytes spki)
{
	CK_SESSION_HANDLE session = w->session;
	bool has_session = w->has_session;

	memset(w, 0, sizeof(*w));
	w->c = c;
	w->signing = signing;
	w->spki = spki;
	w->session = session;
	w->has_session = has_session;
}

static void
run_round(struct p11_doctor_child *c, struct worker *workers,
    struct p11_doctor_round *r)
{
	int64_t begun_ns = oc_clock_mono_ns();

	p11_doctor_long_step(c, c->options->round_ns,
	    "C_Sign in %u sessions", r->num_sessions);
	for (unsigned int i = 0; i < r->num_sessions; i++) {
		workers[i].until_ns = begun_ns + c->options->round_ns;
		workers[i].has_thread = oc_thread_start(&workers[i].thread,
		    work, &workers[i]) == 0;
	}
	for (unsigned int i = 0; i < r->num_sessions; i++)
		if (workers[i].has_thread)
			(void)pthread_join(workers[i].thread, NULL);
	r->seconds = (double)(oc_clock_mono_ns() - begun_ns) / 1e9;
	add_up(workers, r);
}

static double
rate_of(const struct p11_doctor_round *r)
{
	return r->seconds > 0 ? (double)r->num_signed / r->seconds : 0;
}

static void
run_rounds(struct p11_doctor_child *c, struct worker *workers,
    const struct p11_doctor_signing *signing, struct der_bytes spki)
{
	struct p11_doctor_facts *facts = c->facts;

	for (unsigned int n = 1; facts->num_rounds < P11_DOCTOR_ROUNDS_MAX;
	    n *= 2) {
		struct p11_doctor_round r = { .num_sessions = n };

		for (unsigned int i = 0; i < n; i++)
			reset(c, &workers[i], signing, spki);
		if (!open_all(c, workers, n))
			return;
		run_round(c, workers, &r);
		facts->rounds[facts->num_rounds++] = r;
		if (facts->num_rounds > 1 && rate_of(&r) < 1.1 * rate_of(
		    &facts->rounds[facts->num_rounds - 2]))
			return;
	}
}

enum oc_err
p11_probe_speed(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_signing signing;
	struct sign_key_info info;
	struct worker *workers;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE handle;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK)
		err = p11_doctor_find_key(c, session, c->facts->best_key,
		    &handle, error);
	if (err == OC_OK)
		err = p11_doctor_spki(c, session, handle, &info, error);
	if (err != OC_OK)
		return err;
	p11_doctor_choose(c->facts, c->facts->best_key, handle, &signing);
	workers = calloc(1U << (P11_DOCTOR_ROUNDS_MAX - 1), sizeof(*workers));
	if (workers == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	run_rounds(c, workers, &signing, (struct der_bytes){ info.spki,
	    info.spki_len });
	free(workers);
	return OC_OK;
}
