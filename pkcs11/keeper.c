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
#include "pkcs11/key.h"
#include "pkcs11/session.h"
#include "pkcs11/verify.h"

#define PAUSE_FIRST_NS OC_NS_PER_S
#define PAUSE_MAX_NS (60 * OC_NS_PER_S)
/* Up for less than this, and it is not brought back at once. */
#define STEADY_NS (10 * OC_NS_PER_S)

/* Starts with a letter, so it can be no TBS of any kind. */
struct canary {
	char text[16];
	uint8_t nonce[32];
};

static enum oc_err
sign_canary(struct p11_token *token, struct p11_key *key,
    CK_OBJECT_HANDLE handle, struct oc_error *error)
{
	struct canary canary = { "ocsign canary:\n", { 0 } };
	struct der_bytes tbs = { (const uint8_t *)&canary, sizeof(canary) };
	uint8_t signature[OC_SIGNATURE_MAX];
	char text[P11_CKR_TEXT_MAX];
	struct p11_input in;
	const char *function;
	enum oc_err err;
	size_t len = 0;
	CK_RV rv;

	if (getrandom(canary.nonce, sizeof(canary.nonce), 0) < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	err = p11_input_init_way(&in, key->info.alg, key->info.type, key->way,
	    tbs);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	rv = p11_session_sign_key(key, token->home.handle, handle, &in,
	    signature, sizeof(signature), &len, &function);
	p11_input_fini(&in);
	/* Logged in, and asked for more: not every token has the attribute. */
	if (rv == CKR_USER_NOT_LOGGED_IN && !key->is_proven &&
	    strcmp(function, "C_Sign") == 0)
		key->wants_login = true;
	if (p11_classify(P11_CALL_LOGIN, rv) == P11_CLASS_PIN &&
	    strcmp(function, "C_Login") == 0)
		return oc_error_set(error, OC_ERR_PIN, "it refused the PIN "
		    "for a signature: C_Login: %s; it is not tried again: put "
		    "the right one into its token's pin-source",
		    p11_ckr_text(rv, text));
	if (rv != CKR_OK)
		return p11_error(error, function, rv);
	if (p11_signature_finish(key->info.alg, key->info.type,
	    key->info.bits, signature, sizeof(signature), &len) != OC_OK ||
	    p11_verify(key, key->info.alg, tbs,
	    (struct der_bytes){ signature, len }) != OC_OK)
		return oc_error_set(error, OC_ERR_SIGNATURE,
		    "its test signature does not verify");
	return OC_OK;
}

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
	struct der_bytes expected = { key->expected, key->expected_len };
	char words[SIGN_KEY_WORDS_MAX];
	struct sign_key_info info;
	CK_OBJECT_HANDLE handle;
	enum oc_err err;

	p11_session_call_begin(&token->home);
	if (expected.len == 0 && key->verifier != NULL)
		expected = (struct der_bytes){ key->info.spki,
		    key->info.spki_len };
	err = p11_key_find(f, token->home.handle, &key->uri, &handle, error);
	if (err == OC_OK)
		err = p11_key_read(f, token->home.handle, handle, expected,
		    &info, error);
	if (err == OC_OK)
		err = adopt(key, &info, error);
	if (err == OC_OK && key->is_proven)
		err = sign_canary(token, key, handle, error);
	if (err != OC_OK) {
		sign_key_words(key->name, words);
		return oc_error_prefix(error, "%s", words);
	}
	if (!key->is_proven)
		key->wants_login = p11_key_wants_login(f, token->home.handle,
		    handle);
	(void)pthread_mutex_lock(&token->lock);
	key->handle = handle;
	(void)pthread_mutex_unlock(&token->lock);
	return OC_OK;
}

static bool
is_logged_in(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	return f->C_GetSessionInfo(session, &info) == CKR_OK &&
	    (info.state == CKS_RO_USER_FUNCTIONS ||
	    info.state == CKS_RW_USER_FUNCTIONS);
}

/* A new session before the old one goes: with the last one, the login goes.
 * Only a token that has no more to give must do without. */
static CK_RV
reopen_home(struct p11_token *token, CK_SLOT_ID slot, uint64_t epoch)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct p11_session *home = &token->home;
	CK_SESSION_HANDLE handle;
	CK_RV rv;

	rv = p11_token_open_session(f, slot, &handle);
	if (p11_classify(P11_CALL_OPEN, rv) == P11_CLASS_LIMIT &&
	    home->is_open) {
		p11_session_drop(home, epoch);
		rv = p11_token_open_session(f, slot, &handle);
	}
	p11_session_drop(home, epoch);
	if (rv != CKR_OK)
		return rv;
	home->handle = handle;
	home->is_open = true;
	home->epoch = epoch;
	return CKR_OK;
}

/* The keeper's session, open and logged in. */
static enum oc_err
ensure_home(struct p11_token *token, uint64_t epoch, struct oc_error *error)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct p11_session *home = &token->home;
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	enum oc_err err;
	CK_RV rv;

	/* SoftHSM has gmtime() in there. */
	(void)pthread_mutex_lock(&token->module->finding);
	err = p11_token_find(f, &token->uri, &slot, &info, error);
	(void)pthread_mutex_unlock(&token->module->finding);
	if (err != OC_OK)
		return err;
	(void)pthread_mutex_lock(&token->lock);
	token->slot = slot;
	(void)pthread_mutex_unlock(&token->lock);
	rv = reopen_home(token, slot, epoch);
	if (rv != CKR_OK)
		return p11_error(error, "C_OpenSession", rv);
	if (is_logged_in(f, home->handle))
		return OC_OK;
	(void)atomic_fetch_add(&token->num_logins, 1);
	return p11_token_login(f, home->handle, &info, token->name,
	    token->pin_source, token->state_dir, error);
}

/* A canary with this mechanism.  A failed one may leave its operation open, so
 * the session is another afterwards. */
static enum oc_err
try_way(struct p11_token *token, struct p11_key *key, enum sign_alg alg,
    enum p11_way way, struct oc_error *error)
{
	enum oc_err err;
	CK_RV rv;

	p11_session_call_begin(&token->home);
	key->info.alg = alg;
	key->way = way;
	err = sign_canary(token, key, key->handle, error);
	if (err == OC_OK)
		return OC_OK;
	rv = reopen_home(token, token->slot, token->home.epoch);
	return rv == CKR_OK ? err : p11_error(error, "C_OpenSession", rv);
}

static enum oc_err
try_alg(struct p11_token *token, struct p11_key *key, enum sign_alg alg,
    struct oc_error *error)
{
	bool wanted_login = key->wants_login;
	struct oc_error other = { 0 };
	enum oc_err err;

	err = try_way(token, key, alg, P11_WAY_DIGEST, error);
	if (err != OC_OK && key->wants_login && !wanted_login) {
		err = try_way(token, key, alg, P11_WAY_DIGEST, error);
		key->wants_login = err == OC_OK || err == OC_ERR_PIN;
	}
	if (err == OC_OK || err == OC_ERR_PIN ||
	    sign_alg_info(alg)->hash == SIGN_HASH_NONE)
		return err;
	/* What the first one said is what a person can do something with. */
	return try_way(token, key, alg, P11_WAY_MESSAGE, &other) == OC_OK ?
	    OC_OK : err;
}

/* Which algorithm would do: for a person to write into the configuration.
 * What a CA signs with is not for a token to change. */
static enum oc_err
find_other_alg(struct p11_token *token, struct p11_key *key,
    enum sign_alg wanted, enum oc_err err, struct oc_error *error)
{
	struct oc_error ignored = { 0 };
	int alg;

	for (alg = SIGN_ALG_NONE + 1; alg < SIGN_ALG_MAX; alg++)
		if (alg != (int)wanted &&
		    sign_alg_fits((enum sign_alg)alg, key->info.type) &&
		    try_alg(token, key, (enum sign_alg)alg, &ignored) ==
		    OC_OK)
			break;
	if (alg < SIGN_ALG_MAX && key->is_alg_free)
		return OC_OK;
	/* It may have failed for a moment only. */
	if (alg < SIGN_ALG_MAX &&
	    try_alg(token, key, wanted, &ignored) == OC_OK)
		return OC_OK;
	key->info.alg = wanted;
	if (alg == SIGN_ALG_MAX)
		return err;
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "the token makes no "
	    "signature of %s with it, but of %s: put that into its section "
	    "(algorithm, ocsp-algorithm)", sign_alg_info(wanted)->name,
	    sign_alg_info((enum sign_alg)alg)->name);
}

/* The first time: how the token signs with a key is found by trial. */
static enum oc_err
prove_key(struct p11_token *token, struct p11_key *key, struct oc_error *error)
{
	enum sign_alg wanted = key->alg != SIGN_ALG_NONE ? key->alg :
	    key->info.alg;
	char words[SIGN_KEY_WORDS_MAX];
	enum oc_err err;

	if (key->is_proven)
		return OC_OK;
	if (!sign_alg_fits(wanted, key->info.type))
		err = oc_error_set(error, OC_ERR_MISMATCH, "algorithm = %s "
		    "is for keys of another type",
		    sign_alg_info(wanted)->name);
	else
		err = try_alg(token, key, wanted, error);
	if (err == OC_ERR_TOKEN || err == OC_ERR_SIGNATURE)
		err = find_other_alg(token, key, wanted, err, error);
	if (err != OC_OK) {
		sign_key_words(key->name, words);
		return oc_error_prefix(error, "%s", words);
	}
	key->is_proven = true;
	if (key->way == P11_WAY_MESSAGE)
		oc_log(OC_LOG_INFO, "token %s: %s: it hashes itself",
		    token->name, key->name);
	return OC_OK;
}

static enum oc_err
bring_up(struct p11_token *token, uint64_t *epoch, struct oc_error *error)
{
	enum oc_err err;

	p11_module_enter(token->module, epoch);
	p11_session_call_begin(&token->home);
	err = ensure_home(token, *epoch, error);
	for (struct p11_key *key = token->keys; key != NULL && err == OC_OK;
	    key = key->next) {
		err = find_key(token, key, error);
		if (err == OC_OK)
			err = prove_key(token, key, error);
	}
	/* The session stays for the login's sake; the next try has its own. */
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	return err;
}

static enum oc_err
attempt(struct p11_token *token, bool is_start, uint64_t *epoch,
    struct oc_error *error)
{
	enum oc_err err = bring_up(token, epoch, error);

	if (err == OC_OK || err == OC_ERR_PIN || is_start)
		return err;
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

/* Under lock.  Waits until then, or until the token stops. */
static void
wait_until(struct p11_token *token, int64_t at_ns)
{
	struct timespec at = { at_ns / OC_NS_PER_S, at_ns % OC_NS_PER_S };

	while (!token->is_stopping && oc_clock_mono_ns() < at_ns)
		(void)pthread_cond_timedwait(&token->changed, &token->lock,
		    &at);
}

/* Under lock: what the attempt means.  What is said of the token gets its
 * name here, and nowhere below. */
static void
conclude(struct p11_token *token, enum oc_err err, uint64_t epoch,
    const struct oc_error *error, int64_t down_since_ns)
{
	bool was_starting = token->state == P11_STATE_STARTING;

	token->failure = *error;
	if (err != OC_OK)
		oc_error_prefix(&token->failure, "token %s", token->name);
	if (err == OC_OK) {
		token->state = P11_STATE_UP;
		token->generation++;
		token->epoch = epoch;
		token->up_since_ns = oc_clock_mono_ns();
		sign_queue_resume(&token->queue);
		if (!was_starting) {
			(void)atomic_fetch_add(&token->num_recovered, 1);
			oc_log(OC_LOG_NOTICE, "token %s is up again after "
			    "%lld ms", token->name,
			    (long long)((token->up_since_ns - down_since_ns) /
			    OC_NS_PER_MS));
		}
	} else if (err == OC_ERR_PIN || was_starting) {
		token->state = P11_STATE_FAILED;
		/* The session threads give the reason to all who wait. */
		sign_queue_resume(&token->queue);
		if (!was_starting)
			oc_log(OC_LOG_ERROR, "%s", token->failure.text);
	}
	(void)pthread_cond_broadcast(&token->changed);
}

/* Under lock, from DOWN to UP or FAILED. */
static void
recover(struct p11_token *token)
{
	int64_t down_since_ns = oc_clock_mono_ns();
	/* One that was up for a moment only gets no more than a login and
	 * two log lines a second. */
	int64_t pause_ns = down_since_ns - token->up_since_ns > STEADY_NS ||
	    token->generation == 1 ? 0 : PAUSE_FIRST_NS;

	while (token->state == P11_STATE_DOWN && !token->is_stopping) {
		struct oc_error error = { 0 };
		uint64_t epoch = 0;
		enum oc_err err;

		wait_until(token, oc_clock_mono_ns() + jitter(pause_ns));
		if (token->is_stopping)
			return;
		pause_ns = pause_ns == 0 ? PAUSE_FIRST_NS : 2 * pause_ns;
		if (pause_ns > PAUSE_MAX_NS)
			pause_ns = PAUSE_MAX_NS;
		(void)pthread_mutex_unlock(&token->lock);
		err = attempt(token, false, &epoch, &error);
		(void)pthread_mutex_lock(&token->lock);
		conclude(token, err, epoch, &error, down_since_ns);
	}
}

void *
p11_keeper_main(void *arg)
{
	struct p11_token *token = arg;
	struct oc_error error = { 0 };
	uint64_t epoch = 0;
	enum oc_err err;

	err = attempt(token, true, &epoch, &error);
	(void)pthread_mutex_lock(&token->lock);
	conclude(token, err, epoch, &error, 0);
	while (!token->is_stopping) {
		if (token->state == P11_STATE_DOWN)
			recover(token);
		else
			(void)pthread_cond_wait(&token->changed,
			    &token->lock);
	}
	(void)pthread_mutex_unlock(&token->lock);

	p11_module_enter(token->module, &epoch);
	p11_session_call_begin(&token->home);
	p11_session_drop(&token->home, epoch);
	p11_session_call_end(&token->home);
	p11_module_leave(token->module);
	p11_token_thread_ends(token);
	return NULL;
}
