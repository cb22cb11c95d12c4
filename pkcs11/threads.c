/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/threads.h"

#include "base/clock.h"
#include "base/thread.h"
#include "pkcs11/keeper.h"
#include "pkcs11/route.h"
#include "pkcs11/session.h"
#include "pkcs11/watch.h"

/* Beyond a call's timeout, to let its thread end. */
#define STOP_GRACE_NS (2 * OC_NS_PER_S)

/* Under lock, so that a thread that has ended is not missed. */
static bool
start(struct p11_token *token, pthread_t *thread, void *(*run)(void *),
    void *arg)
{
	if (oc_thread_start(thread, run, arg) != 0)
		return false;
	token->num_running++;
	return true;
}

bool
p11_threads_add_session(struct p11_token *token)
{
	for (unsigned int i = 0; i < token->num_slots; i++) {
		struct p11_session *s = &token->sessions[i];

		if (s->has_thread)
			continue;
		s->has_thread = start(token, &s->thread, p11_session_main,
		    s);
		return s->has_thread;
	}
	return false;
}

void
p11_threads_top_up(struct p11_token *token)
{
	unsigned int num = 0;

	for (unsigned int i = 0; i < token->num_slots; i++)
		num += token->sessions[i].has_thread &&
		    !token->sessions[i].is_lost;
	while (num < token->num_sessions && !token->is_stopping &&
	    p11_threads_add_session(token))
		num++;
	if (token->num_lost > token->lost_max ||
	    !atomic_exchange(&token->is_stuck, false))
		return;
	/* Again one that others may leave work to. */
	if (token->state == P11_STATE_UP)
		p11_route_changed(token);
}

bool
p11_threads_start(struct p11_token *token)
{
	bool is_good;

	(void)pthread_mutex_lock(&token->lock);
	token->has_watch = start(token, &token->watch, p11_watch_main, token);
	token->has_keeper = token->has_watch &&
	    start(token, &token->keeper, p11_keeper_main, token);
	is_good = token->has_keeper;
	for (unsigned int n = 0; n < token->num_sessions && is_good; n++)
		is_good = p11_threads_add_session(token);
	(void)pthread_mutex_unlock(&token->lock);
	return is_good;
}

void
p11_threads_tell(struct p11_token *token)
{
	(void)pthread_mutex_lock(&token->lock);
	token->is_stopping = true;
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_cond_broadcast(&token->room);
	(void)pthread_cond_broadcast(&token->calling);
	(void)pthread_mutex_unlock(&token->lock);
	sign_queue_close(&token->queue);
}

bool
p11_threads_join(struct p11_token *token)
{
	int64_t deadline_ns = oc_clock_mono_ns() + token->timeout_ns +
	    STOP_GRACE_NS;
	struct timespec at = { deadline_ns / OC_NS_PER_S,
	    deadline_ns % OC_NS_PER_S };
	bool is_clean;
	int rc = 0;

	(void)pthread_mutex_lock(&token->lock);
	while (token->num_running > 0 && rc == 0)
		rc = pthread_cond_timedwait(&token->changed, &token->lock,
		    &at);
	is_clean = token->num_running == 0;
	(void)pthread_mutex_unlock(&token->lock);
	if (!is_clean)
		return false;
	for (unsigned int n = 0; n < token->num_slots; n++)
		if (token->sessions[n].has_thread)
			(void)pthread_join(token->sessions[n].thread, NULL);
	if (token->has_keeper)
		(void)pthread_join(token->keeper, NULL);
	if (token->has_watch)
		(void)pthread_join(token->watch, NULL);
	return true;
}

void
p11_threads_end(struct p11_token *token, struct p11_session *session)
{
	(void)pthread_mutex_lock(&token->lock);
	if (session != NULL && session->is_lost) {
		(void)pthread_detach(session->thread);
		session->has_thread = session->is_lost = false;
		atomic_store(&session->call_since_ns, 0);
		token->num_lost--;
		(void)atomic_fetch_sub(&token->module->num_lost, 1);
		if (!token->is_stopping)
			p11_threads_top_up(token);
	}
	token->num_running--;
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
}
