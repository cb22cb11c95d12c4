/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper.  Mild first: the session's state, a login if it is gone, the
 * keys again, a canary for each.  If that fails, C_Finalize and C_Initialize,
 * and all of it again; then with growing pauses.
 *
 * Only a signature proves that a token works: several libraries answer
 * C_GetSessionInfo from memory while the device is gone.
 */
#include "pkcs11/keeper.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/canary.h"
#include "pkcs11/home.h"
#include "pkcs11/key.h"
#include "pkcs11/prove.h"
#include "pkcs11/route.h"
#include "pkcs11/session.h"
#include "pkcs11/threads.h"

#define PAUSE_FIRST_NS OC_NS_PER_S
#define PAUSE_MAX_NS (60 * OC_NS_PER_S)
/* Of one that was up for a moment, doubled each time, up to PAUSE_FIRST_NS:
 * no more than a login and two log lines a second. */
#define PAUSE_RELAPSE_NS (50 * OC_NS_PER_MS)
/* Up for less than this, and it is not brought back at once. */
#define STEADY_NS (10 * OC_NS_PER_S)

/* The first time: fixes what the key is.  info is read by others only after
 * the start. */
static enum oc_err
adopt(struct p11_key *key, const struct sign_key_info *info,
    struct oc_error *error)
{
	struct der_bytes spki = { info->spki, info->spki_len };
	enum oc_err err;

	if (key->verifier == NULL) {
		err = sign_verifier_new(spki, &key->verifier);
		if (err != OC_OK)
			return oc_error_set(error, err,
			    "its public key is unusable");
		key->info = *info;
		return OC_OK;
	}
	if (key->info.spki_len != info->spki_len ||
	    memcmp(key->info.spki, info->spki, info->spki_len) != 0)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "it is another key than before");
	return OC_OK;
}

static enum oc_err
find_key(struct p11_token *token, struct p11_key *key, struct oc_error *error)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct der_bytes expected = p11_route_expected(key);
	char words[SIGN_KEY_WORDS_MAX];
	struct sign_key_info info;
	CK_OBJECT_HANDLE handle;
	int64_t begun_ns;
	enum oc_err err;

	p11_session_call_begin(&token->home);
	err = p11_key_find(f, token->home.handle, &key->uri, &handle, error);
	if (err == OC_OK)
		err = p11_key_read(f, token->home.handle, handle, expected,
		    &info, error);
	if (err == OC_OK)
		err = adopt(key, &info, error);
	begun_ns = oc_clock_mono_ns();
	if (err == OC_OK && key->is_proven)
		err = p11_canary(key, token->home.handle, handle, error);
	else if (err == OC_OK)
		err = p11_prove(key, handle, error);
	if (err == OC_OK) {
		(void)pthread_mutex_lock(&token->lock);
		key->handle = handle;
		if (token->takes_ns == 0)
			token->takes_ns = oc_clock_mono_ns() - begun_ns;
		(void)pthread_mutex_unlock(&token->lock);
		err = p11_route_place_works(key, error);
	}
	if (err != OC_OK) {
		sign_key_words(key->name, words);
		(void)oc_error_prefix(error, "%s", words);
	}
	return err;
}

/* Where several tokens have it, one of them may lack it. */
static enum oc_err
find_or_do_without(struct p11_token *token, struct p11_key *key,
    struct oc_error *error)
{
	enum oc_err err = find_key(token, key, error);

	if (err != OC_OK && !p11_route_place_is_wrong(key, error)) {
		/* Who alone has it fails with it. */
		if (err == OC_ERR_REFUSED)
			err = error->code = OC_ERR_TOKEN;
		return err;
	}
	*error = (struct oc_error){ 0 };
	return OC_OK;
}

static enum oc_err
bring_up(struct p11_token *token, uint64_t *epoch, struct oc_error *error)
{
	enum oc_err err;

	p11_module_enter(token->module, epoch);
	p11_session_call_begin(&token->home);
	err = p11_home_ensure(token, *epoch, error);
	for (struct p11_key *key = token->keys; key != NULL && err == OC_OK;
	    key = key->next)
		err = find_or_do_without(token, key, error);
	/* The session stays for the login's sake; the next try has its own. */
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	return err;
}

static enum oc_err
attempt(struct p11_token *token, bool is_start, uint64_t *epoch,
    struct oc_error *error)
{
	enum oc_err err;

	p11_session_call_begin(&token->home);
	err = p11_module_start(token->module, error);
	p11_session_call_end(&token->home);
	if (err != OC_OK)
		return err;
	err = bring_up(token, epoch, error);
	if (err == OC_OK || err == OC_ERR_PIN || is_start ||
	    !p11_route_may_restart(token))
		return err;
	/* Whoever stands in there will not leave for a restart. */
	if (atomic_load(&token->module->num_lost) > 0) {
		atomic_store(&token->is_stuck, true);
		return err;
	}
	p11_session_call_begin(&token->home);
	err = p11_module_restart(token->module, *epoch,
	    oc_clock_mono_ns() + token->timeout_ns, error);
	p11_session_call_end(&token->home);
	if (err != OC_OK)
		return err;
	(void)atomic_fetch_add(&token->num_restarts, 1);
	return bring_up(token, epoch, error);
}

/* Between 75 and 125 per cent, so that a fleet does not come all at once. */
static int64_t
jitter(int64_t ns)
{
	uint16_t r = 0;

	(void)!getrandom(&r, sizeof(r), 0);
	return ns / 4 * 3 + ns / 2 * r / UINT16_MAX;
}

/* Under lock. */
static void
note_recovery(struct p11_token *token, int64_t took_ns)
{
	token->recovered_at = oc_clock_now_s();
	token->recovered_ns = took_ns;
	(void)atomic_fetch_add(&token->num_recovered, 1);
	oc_log(OC_LOG_NOTICE, "token %s is up again after %lld ms",
	    token->name, (long long)(took_ns / OC_NS_PER_MS));
}

/* Under lock: what the attempt means.  What is said of the token gets its
 * name here, and nowhere below. */
static void
conclude(struct p11_token *token, enum oc_err err, uint64_t epoch,
    const struct oc_error *error, int64_t down_since_ns)
{
	bool was_starting = token->state == P11_STATE_STARTING;

	token->failure = *error;
	if (err == OC_OK && atomic_load(&token->is_drained))
		err = oc_error_set(&token->failure, OC_ERR_DOWN,
		    P11_DRAINED ": " P11_UNDRAIN_HELPS);
	if (err != OC_OK)
		oc_error_prefix(&token->failure, "token %s", token->name);
	if (err == OC_OK) {
		token->state = P11_STATE_UP;
		token->generation++;
		token->epoch = epoch;
		token->up_since_ns = oc_clock_mono_ns();
		token->home.used_ns = token->up_since_ns;
		p11_threads_top_up(token);
		if (!was_starting)
			note_recovery(token, token->up_since_ns -
			    down_since_ns);
	} else if (err == OC_ERR_PIN || was_starting) {
		/* FAILED: its session threads give the reason to all who
		 * could wait for nobody else. */
		token->state = err == OC_ERR_PIN ? P11_STATE_FAILED :
		    P11_STATE_DOWN;
		if (!was_starting || p11_route_is_started(token))
			oc_log(OC_LOG_ERROR, "%s", token->failure.text);
	}
	p11_route_changed(token);
	(void)pthread_cond_broadcast(&token->changed);
}

/* Under lock: how long to wait before the first attempt. */
static int64_t
first_pause(struct p11_token *token, int64_t now_ns)
{
	int64_t *pause_ns = &token->relapse_ns;

	if (token->generation == 0)
		return PAUSE_FIRST_NS;
	if (now_ns - token->up_since_ns > STEADY_NS ||
	    token->generation == 1)
		*pause_ns = 0;
	else if (*pause_ns == 0)
		*pause_ns = PAUSE_RELAPSE_NS;
	else if (*pause_ns < PAUSE_FIRST_NS)
		*pause_ns *= 2;
	return *pause_ns;
}

/* Under lock, from DOWN to UP or FAILED. */
static void
recover(struct p11_token *token)
{
	int64_t down_since_ns = oc_clock_mono_ns();
	int64_t pause_ns = first_pause(token, down_since_ns), until_ns;

	while (token->state == P11_STATE_DOWN && !token->is_stopping) {
		struct oc_error error = { 0 };
		uint64_t epoch = 0;
		enum oc_err err;

		until_ns = oc_clock_mono_ns() + jitter(pause_ns);
		while (!token->is_stopping &&
		    !atomic_load(&token->is_drained) &&
		    oc_clock_mono_ns() < until_ns)
			p11_token_wait(token, until_ns);
		if (token->is_stopping)
			return;
		if (atomic_load(&token->is_drained)) {
			/* Left alone: it may be in pieces. */
			(void)pthread_cond_wait(&token->changed,
			    &token->lock);
			pause_ns = 0;
			continue;
		}
		pause_ns = pause_ns < PAUSE_FIRST_NS ? PAUSE_FIRST_NS :
		    2 * pause_ns;
		if (pause_ns > PAUSE_MAX_NS)
			pause_ns = PAUSE_MAX_NS;
		(void)pthread_mutex_unlock(&token->lock);
		err = attempt(token, false, &epoch, &error);
		(void)pthread_mutex_lock(&token->lock);
		conclude(token, err, epoch, &error, down_since_ns);
	}
}

/* Somebody may put a key there that is missing. */
#define LOOK_AGAIN_NS (10 * OC_NS_PER_S)

/* Under lock, which it gives up. */
static void
look_again(struct p11_token *token)
{
	int64_t until = oc_clock_mono_ns() + LOOK_AGAIN_NS;
	struct timespec at = { until / OC_NS_PER_S, until % OC_NS_PER_S };
	struct oc_error error = { 0 };
	uint64_t epoch;

	if (pthread_cond_timedwait(&token->changed, &token->lock, &at) == 0 ||
	    token->is_stopping || token->state != P11_STATE_UP)
		return;
	(void)pthread_mutex_unlock(&token->lock);
	p11_module_enter(token->module, &epoch);
	for (struct p11_key *key = token->keys; key != NULL; key = key->next)
		if (atomic_load(&key->place) == P11_PLACE_WRONG &&
		    epoch == token->home.epoch)
			(void)!find_or_do_without(token, key, &error);
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	(void)pthread_mutex_lock(&token->lock);
	p11_route_changed(token);
}

/* A canary with each key on the keeper's own session. */
static void
probe(struct p11_token *token)
{
	uint64_t epoch, generation = 0;
	struct oc_error error = { 0 };
	enum oc_err err = OC_OK;

	p11_module_enter(token->module, &epoch);
	for (struct p11_key *key = token->keys; key != NULL && err == OC_OK;
	    key = key->next) {
		CK_OBJECT_HANDLE handle;
		bool is_up;

		if (atomic_load(&key->place) != P11_PLACE_WORKS)
			continue;
		(void)pthread_mutex_lock(&token->lock);
		is_up = token->state == P11_STATE_UP && token->epoch == epoch;
		generation = token->generation;
		handle = key->handle;
		(void)pthread_mutex_unlock(&token->lock);
		if (!is_up)
			break;
		p11_session_call_begin(&token->home);
		err = p11_canary(key, token->home.handle, handle, &error);
	}
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	if (err != OC_OK)
		p11_token_suspect(token, generation, "keep-alive",
		    error.text);
}

/* Under lock, UP or FAILED: until something changes. */
static void
idle(struct p11_token *token)
{
	int64_t due_ns = token->home.used_ns + token->keep_alive_ns;

	if (token->keep_alive_ns == 0 || token->state != P11_STATE_UP) {
		(void)pthread_cond_wait(&token->changed, &token->lock);
		return;
	}
	if (oc_clock_mono_ns() < due_ns) {
		p11_token_wait(token, due_ns);
		return;
	}
	(void)pthread_mutex_unlock(&token->lock);
	probe(token);
	(void)pthread_mutex_lock(&token->lock);
	token->home.used_ns = oc_clock_mono_ns();
}

void *
p11_keeper_main(void *arg)
{
	struct p11_token *token = arg;
	struct oc_error error = { 0 };
	uint64_t epoch = 0;
	enum oc_err err;

	if (atomic_load(&token->is_drained))
		err = oc_error_set(&error, OC_ERR_DOWN,
		    P11_DRAINED ": " P11_UNDRAIN_HELPS);
	else
		err = attempt(token, true, &epoch, &error);
	(void)pthread_mutex_lock(&token->lock);
	conclude(token, err, epoch, &error, 0);
	while (!token->is_stopping) {
		if (token->state == P11_STATE_DOWN)
			recover(token);
		else if (token->state == P11_STATE_UP &&
		    p11_route_has_wrong_place(token))
			look_again(token);
		else
			idle(token);
	}
	(void)pthread_mutex_unlock(&token->lock);

	p11_module_enter(token->module, &epoch);
	p11_session_call_begin(&token->home);
	p11_session_drop(&token->home, epoch);
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	p11_threads_end(token, NULL);
	return NULL;
}
