/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership: a ticket belongs to the session's thread until it lends it to
 * the call, and from then on to whoever takes it out of session->ticket under
 * the token's lock: the thread itself when the call returns, or the watch.
 */
#include "pkcs11/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/route.h"
#include "pkcs11/session.h"
#include "pkcs11/threads.h"

/* How often it looks while something is inside a call. */
#define LOOK_NS (50 * OC_NS_PER_MS)
#define USUAL_TIMES 4

void
p11_watch_lend(struct p11_session *s, struct sign_ticket *t)
{
	struct p11_token *token = s->token;
	int64_t now_ns = oc_clock_mono_ns(), half_ns, usual_ns;

	s->ticket = t;
	s->is_busy = t != NULL;
	s->rescue_ns = INT64_MAX;
	if (t != NULL && (t->retried & 1U << P11_CLASS_HUNG) == 0 &&
	    t->deadline_ns > now_ns) {
		half_ns = (t->deadline_ns - now_ns) / 2;
		usual_ns = USUAL_TIMES * token->takes_ns;
		s->rescue_ns = now_ns + (half_ns > usual_ns ? half_ns :
		    usual_ns);
	}
	atomic_store(&s->call_since_ns, now_ns);
	if (token->is_watch_idle) {
		token->is_watch_idle = false;
		(void)pthread_cond_signal(&token->calling);
	}
}

/* Under lock. */
static void
note_good(struct p11_token *token, int64_t now_ns, int64_t took_ns)
{
	token->good_ns = now_ns;
	p11_route_note_signed(token, took_ns);
	token->takes_ns += (took_ns - token->takes_ns) / 8;
	if (p11_limit_good(&token->limit, now_ns))
		(void)pthread_cond_signal(&token->room);
}

enum p11_watch_verdict
p11_watch_take(struct p11_session *s, CK_RV rv)
{
	struct p11_token *token = s->token;
	enum p11_watch_verdict verdict = P11_WATCH_MINE;
	int64_t now_ns = oc_clock_mono_ns();

	(void)pthread_mutex_lock(&token->lock);
	if (s->is_lost) {
		verdict = P11_WATCH_LOST;
		/* Left to it when the token was stuck. */
		if (s->ticket != NULL)
			p11_token_put_back(token, s->ticket);
	} else if (s->ticket == NULL)
		verdict = P11_WATCH_TAKEN;
	s->ticket = NULL;
	s->is_busy = false;
	if (rv == CKR_OK) {
		s->used_ns = now_ns;
		note_good(token, now_ns, now_ns -
		    atomic_load(&s->call_since_ns));
	}
	/* One that is lost stays inside until its thread has ended. */
	if (verdict != P11_WATCH_LOST)
		atomic_store(&s->call_since_ns, 0);
	(void)pthread_mutex_unlock(&token->lock);
	return verdict;
}

/* Under lock.  Once to another session, and then its time is over. */
static void
rescue(struct p11_session *s)
{
	struct p11_token *token = s->token;
	struct sign_ticket *t = s->ticket;

	if (t == NULL)
		return;
	s->ticket = NULL;
	if (p11_recover(t, P11_CALL_SIGN, P11_CLASS_HUNG,
	    oc_clock_mono_ns()) == P11_RETRY) {
		p11_token_put_back(token, t);
		return;
	}
	(void)atomic_fetch_add(&token->num_failed, 1);
	sign_desk_finish(token->desk, t, OC_ERR_TIMEOUT,
	    "the token does not return from signing it");
}

/* Under lock. */
static void
lose(struct p11_session *s, int64_t since_ns)
{
	struct p11_token *token = s->token;

	s->is_lost = true;
	token->num_lost++;
	(void)atomic_fetch_add(&token->module->num_lost, 1);
	p11_token_count(token, P11_CLASS_HUNG);
	if (s->is_counted)
		token->num_open--;
	s->is_counted = false;
	if (s->is_working)
		token->num_working--;
	s->is_working = false;
	/* What it was busy with is no longer its own. */
	if (s->is_busy)
		p11_route_end(token);
	(void)pthread_cond_signal(&token->room);
	oc_log(OC_LOG_WARNING, "token %s: a call does not return after "
	    "%lld ms: its session is lost (%u of at most %u)", token->name,
	    (long long)(token->timeout_ns / OC_NS_PER_MS), token->num_lost,
	    token->lost_max);
	/* If others were signed meanwhile, the token is well. */
	if (token->good_ns < since_ns)
		p11_token_suspect_locked(token, token->generation,
		    "a call", "does not return");
	p11_route_note_failed(token);
	if (token->num_lost <= token->lost_max &&
	    (token->is_stopping || p11_threads_add_session(token))) {
		rescue(s);
		return;
	}
	atomic_store(&token->is_stuck, true);
	/* Without another token whoever asked asks the next process. */
	if (p11_route_is_spare(token)) {
		rescue(s);
		p11_route_changed(token);
	}
}

/* Under lock: acts on what is due; when to look again, or 0 if nothing is
 * inside a call. */
static int64_t
look(struct p11_token *token, int64_t now_ns)
{
	int64_t next_ns = 0;

	for (unsigned int i = 0; i < token->num_slots; i++) {
		struct p11_session *s = &token->sessions[i];
		int64_t since_ns = atomic_load(&s->call_since_ns);

		if (since_ns == 0 || s->is_lost)
			continue;
		next_ns = now_ns + LOOK_NS;
		if (now_ns - since_ns > token->timeout_ns)
			lose(s, since_ns);
		else if (now_ns >= s->rescue_ns)
			rescue(s);
	}
	return next_ns;
}

void *
p11_watch_main(void *arg)
{
	struct p11_token *token = arg;

	(void)pthread_mutex_lock(&token->lock);
	while (!token->is_stopping) {
		int64_t next_ns = look(token, oc_clock_mono_ns());
		struct timespec at = { next_ns / OC_NS_PER_S,
		    next_ns % OC_NS_PER_S };

		token->is_watch_idle = next_ns == 0;
		if (next_ns == 0)
			(void)pthread_cond_wait(&token->calling,
			    &token->lock);
		else
			(void)pthread_cond_timedwait(&token->calling,
			    &token->lock, &at);
	}
	(void)pthread_mutex_unlock(&token->lock);
	p11_threads_end(token, NULL);
	return NULL;
}

bool
p11_watch_is_stuck(struct p11_token *token)
{
	int64_t since_ns = atomic_load(&token->home.call_since_ns);

	if (since_ns == 0 ||
	    oc_clock_mono_ns() - since_ns <= token->timeout_ns)
		return atomic_load(&token->is_stuck);
	/* Once for each call. */
	if (atomic_exchange(&token->hung_since_ns, since_ns) != since_ns)
		p11_token_count(token, P11_CLASS_HUNG);
	return true;
}
