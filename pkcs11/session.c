/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session thread.
 *
 * Ownership: a ticket belongs to exactly one stage at a time; whoever holds
 * it last finishes it, once.  During a call that is who watch.h says.  The
 * session never leaves this thread.  Blocks in the token, so nothing else may
 * run here.
 */
#include "pkcs11/session.h"

#include <stdio.h>

#include "base/clock.h"
#include "pkcs11/canary.h"
#include "pkcs11/context.h"
#include "pkcs11/key.h"
#include "pkcs11/route.h"
#include "pkcs11/threads.h"
#include "pkcs11/verify.h"
#include "pkcs11/watch.h"

/* What a token looks like at one moment. */
struct view {
	enum p11_token_state state;
	uint64_t generation, epoch;
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	unsigned int num_others;	/* open sessions beside this one */
};

void
p11_session_call_begin(struct p11_session *s)
{
	atomic_store(&s->call_since_ns, oc_clock_mono_ns());
}

void
p11_session_call_end(struct p11_session *s)
{
	atomic_store(&s->call_since_ns, 0);
}

/* If the token is up, and the module the one it knows, the ticket is lent to
 * the call that follows. */
static bool
look_and_lend(struct p11_session *s, const struct p11_key *key,
    struct sign_ticket *t, uint64_t epoch, struct view *view)
{
	struct p11_token *token = s->token;
	struct view v;
	bool is_up;

	(void)pthread_mutex_lock(&token->lock);
	v = (struct view){
		.state = token->state,
		.generation = token->generation,
		.epoch = token->epoch,
		.slot = token->slot,
		.key = key->handle,
		.num_others = token->num_open - (s->is_counted ? 1 : 0),
	};
	is_up = v.state == P11_STATE_UP && v.epoch == epoch;
	if (is_up)
		p11_watch_lend(s, t);
	(void)pthread_mutex_unlock(&token->lock);
	*view = v;
	return is_up;
}

/* The keeper's own is not counted: nothing is signed on it.  Nor is one that
 * is lost. */
static void
count_open(struct p11_session *s, bool is_open)
{
	struct p11_token *token = s->token;

	if (s == &token->home)
		return;
	(void)pthread_mutex_lock(&token->lock);
	if (is_open && !s->is_lost) {
		token->num_open++;
		s->is_counted = true;
	} else if (!is_open && s->is_counted) {
		token->num_open--;
		s->is_counted = false;
	}
	(void)pthread_mutex_unlock(&token->lock);
}

void
p11_session_drop(struct p11_session *s, uint64_t epoch)
{
	if (!s->is_open)
		return;
	/* After a restart the number may be somebody else's. */
	if (s->epoch == epoch)
		(void)s->token->module->f->C_CloseSession(s->handle);
	s->is_open = false;
	count_open(s, false);
}

/* A session of this generation.  The keeper found the slot: looking for it
 * again here would cost a C_GetTokenInfo for each slot. */
static CK_RV
ensure_open(struct p11_session *s, const struct view *v, uint64_t epoch)
{
	CK_RV rv;

	if (s->is_open && s->generation == v->generation &&
	    s->epoch == epoch)
		return CKR_OK;
	p11_session_drop(s, epoch);
	rv = p11_token_open_session(s->token->module->f, v->slot, &s->handle);
	if (rv != CKR_OK)
		return rv;
	s->is_open = true;
	s->epoch = epoch;
	s->generation = v->generation;
	count_open(s, true);
	return CKR_OK;
}

/* What comes between C_SignInit and C_Sign. */
static CK_RV
log_in_between(struct p11_key *key, CK_SESSION_HANDLE session,
    const char **function)
{
	if (key == NULL || !key->wants_login)
		return CKR_OK;
	*function = "C_Login";
	return p11_context_login(key->token, session);
}

static CK_RV
sign(CK_FUNCTION_LIST *f, struct p11_key *key, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function)
{
	CK_MECHANISM mechanism = p11_input_mechanism(in);
	/* Never asked for: NSS answers a question with length 0. */
	CK_ULONG signature_len = max;
	CK_RV rv;

	*function = "C_SignInit";
	rv = f->C_SignInit(session, &mechanism, handle);
	if (rv == CKR_OK)
		rv = log_in_between(key, session, function);
	if (rv != CKR_OK)
		return rv;
	*function = "C_Sign";
	rv = f->C_Sign(session, p11_input_bytes(in), in->len, signature,
	    &signature_len);
	if (rv == CKR_OK)
		*len = signature_len;
	return rv;
}

CK_RV
p11_session_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function)
{
	return sign(f, NULL, session, key, in, signature, max, len, function);
}

CK_RV
p11_session_sign_key(struct p11_key *key, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function)
{
	return sign(key->token->module->f, key, session, handle, in,
	    signature, max, len, function);
}

/* The outcome of one try. */
struct tried {
	enum p11_watch_verdict verdict;
	enum p11_action action;		/* of what is ours */
	enum p11_call call;
	CK_RV rv;
	const char *function;
	uint64_t generation;
	unsigned int num_others;
	uint8_t signature[OC_SIGNATURE_MAX];
	size_t signature_len;
};

/* How long a signature takes; which of two that end together is counted last
 * makes no difference. */
static void
note_call(const struct p11_session *s)
{
	int64_t call_ns = oc_clock_mono_ns() - atomic_load(&s->call_since_ns);
	int64_t mean_ns = atomic_load(&s->token->call_ns);

	atomic_store(&s->token->call_ns, mean_ns == 0 ? call_ns : mean_ns +
	    (call_ns - mean_ns) / 32);
}

/*
 * Inside the module.  After any failure the session is closed: no provider can
 * cancel an operation, and one left open answers CKR_OPERATION_ACTIVE for
 * ever.
 */
static void
call_token(struct p11_session *s, struct p11_key *key, const struct view *v,
    uint64_t epoch, struct p11_input *in, struct tried *r)
{
	r->call = P11_CALL_OPEN;
	r->function = "C_OpenSession";
	r->rv = ensure_open(s, v, epoch);
	if (r->rv != CKR_OK)
		return;
	r->call = P11_CALL_SIGN;
	p11_session_call_begin(s);
	r->rv = p11_session_sign_key(key, s->handle, v->key, in, r->signature,
	    sizeof(r->signature), &r->signature_len, &r->function);
	if (r->rv != CKR_OK)
		p11_session_drop(s, epoch);
	else
		note_call(s);
}

/* The token wants fewer at once.  True if it is broken rather than busy. */
static bool
do_with_fewer(struct p11_session *s, const struct tried *r)
{
	struct p11_token *token = s->token;
	int64_t now_ns = oc_clock_mono_ns();
	bool is_broken = false;

	(void)pthread_mutex_lock(&token->lock);
	if (r->call == P11_CALL_SIGN)
		is_broken = p11_limit_busy(&token->limit, now_ns);
	else {
		p11_limit_full(&token->limit, r->num_others, now_ns);
		/* Those that have one go on, not this thread. */
		if (s->is_working)
			token->num_working--;
		s->is_working = false;
	}
	atomic_store(&token->is_crowded, token->num_working >
	    token->limit.now);
	(void)pthread_mutex_unlock(&token->lock);
	return is_broken;
}

static enum p11_action
judge(struct p11_session *s, struct sign_ticket *t, const struct tried *r)
{
	enum p11_class class = p11_class_of(t, r->call, r->rv, r->num_others);

	if (class == P11_CLASS_LIMIT && do_with_fewer(s, r))
		class = P11_CLASS_MODULE;
	if (class != P11_CLASS_OK)
		p11_token_count(s->token, class);
	return p11_recover(t, r->call, class, oc_clock_mono_ns());
}

static void
try_once(struct p11_session *s, struct sign_ticket *t, struct p11_input *in,
    struct tried *r)
{
	struct p11_token *token = s->token;
	struct p11_key *key = t->key;
	struct view v;
	uint64_t epoch;
	bool is_up;

	p11_module_enter(token->module, &epoch);
	is_up = look_and_lend(s, key, t, epoch, &v);
	r->generation = v.generation;
	r->num_others = v.num_others;
	if (!is_up) {
		/* Another token's keeper restarted the module, or ours is
		 * about to: nobody's fault, so no try is counted. */
		r->verdict = P11_WATCH_MINE;
		r->action = P11_TOKEN_DOWN;
		r->function = "the module";
		r->rv = CKR_CRYPTOKI_NOT_INITIALIZED;
		p11_module_leave(token->module);
		return;
	}
	call_token(s, key, &v, epoch, in, r);
	r->verdict = p11_watch_take(s, r->rv);
	if (r->verdict == P11_WATCH_LOST)
		p11_session_drop(s, epoch);
	p11_module_leave(token->module);
	if (r->verdict == P11_WATCH_MINE)
		r->action = judge(s, t, r);
	else if (r->rv != CKR_OK)
		p11_token_count(token, p11_classify(r->call, r->rv));
}

/* A busy token gets a moment, longer each time. */
#define BACK_OFF_NS (5 * OC_NS_PER_MS)
#define BACK_OFF_MAX_SHIFT 5

static void
back_off(struct p11_token *token, unsigned int num_busy)
{
	unsigned int shift = num_busy < BACK_OFF_MAX_SHIFT ? num_busy :
	    BACK_OFF_MAX_SHIFT;
	int64_t until_ns = oc_clock_mono_ns() + (BACK_OFF_NS << shift);

	(void)pthread_mutex_lock(&token->lock);
	while (!token->is_stopping && oc_clock_mono_ns() < until_ns)
		p11_token_wait(token, until_ns);
	(void)pthread_mutex_unlock(&token->lock);
}

/* Who can do it at once does not wait for this one. */
static void
do_later(struct p11_session *s, struct sign_ticket *t, enum p11_call call)
{
	bool has_other = p11_route_has_other(t);
	unsigned int num_busy = t->num_busy;

	if (has_other)
		p11_token_put_back(s->token, t);
	if (call == P11_CALL_SIGN)
		back_off(s->token, num_busy);
	if (!has_other)
		p11_token_put_back(s->token, t);
}

static void
refuse(struct p11_session *s, struct sign_ticket *t, const struct tried *r)
{
	struct oc_error error = { 0 };
	enum oc_err err = p11_error(&error, r->function, r->rv);

	(void)atomic_fetch_add(&s->token->num_failed, 1);
	sign_desk_finish(s->token->desk, t, err, error.text);
}

/* Signed: to be verified. */
static void
deliver(struct p11_session *s, struct sign_ticket *t, const struct tried *r)
{
	const struct p11_key *key = t->key;

	t->generation = r->generation;
	t->signature_len = r->signature_len;
	memcpy(t->signature, r->signature, r->signature_len);
	/* What cannot be a signature will not verify: one path. */
	if (p11_signature_finish(t->alg, key->info.type, key->info.bits,
	    t->signature, sizeof(t->signature), &t->signature_len) != OC_OK)
		t->signature_len = 0;
	(void)atomic_fetch_add(&s->token->num_signed, 1);
	p11_verify_take(s->token, t);
}

/* Until the ticket is signed, finished, or somebody else's.  False if the
 * session is lost. */
static bool
sign_ticket(struct p11_session *s, struct sign_ticket *t,
    struct p11_input *in)
{
	struct p11_token *token = s->token;
	char text[P11_CKR_TEXT_MAX];
	struct tried r;

	do
		try_once(s, t, in, &r);
	while (r.verdict == P11_WATCH_MINE && r.action == P11_RETRY);
	if (r.verdict != P11_WATCH_MINE)
		return r.verdict != P11_WATCH_LOST;

	switch (r.action) {
	case P11_SIGNED:
		deliver(s, t, &r);
		break;
	case P11_FEWER:
		do_later(s, t, r.call);
		break;
	case P11_TOKEN_DOWN:
		p11_token_suspect(token, r.generation, r.function,
		    p11_ckr_text(r.rv, text));
		p11_route_note_failed(token);
		p11_token_put_back(token, t);
		break;
	case P11_REFUSED_DOWN:
		p11_token_suspect(token, r.generation, r.function,
		    p11_ckr_text(r.rv, text));
		p11_route_note_failed(token);
		refuse(s, t, &r);
		break;
	case P11_REFUSED:
	case P11_RETRY:
		if (!p11_route_may_move(t)) {
			refuse(s, t, &r);
			break;
		}
		/* Whose fault it is, the next token shows. */
		p11_route_note_failed(token);
		p11_token_put_back(token, t);
		break;
	}
	return true;
}

/* For the record.  A CRL may be long enough not to hash it twice. */
static void
note(const struct sign_desk *desk, struct sign_ticket *t,
    const struct p11_input *in, struct der_bytes tbs)
{
	if (!t->has_digest)
		t->has_digest = p11_input_get_sha256(in, t->alg, t->digest);
	sign_desk_note(desk, t, tbs);
}

static bool
serve(struct p11_session *s, struct sign_ticket *t)
{
	struct p11_token *token = s->token;
	const struct p11_key *key = t->key;
	struct oc_error failure = { 0 };
	struct p11_input in;
	struct der_bytes tbs;
	enum oc_err err;
	bool is_there;

	if (atomic_load(&token->state) == P11_STATE_FAILED) {
		(void)pthread_mutex_lock(&token->lock);
		failure = token->failure;
		(void)pthread_mutex_unlock(&token->lock);
		sign_desk_finish(token->desk, t, failure.code, failure.text);
		return true;
	}
	if (!sign_desk_pin(token->desk, t, &tbs)) {
		sign_desk_finish(token->desk, t, OC_ERR_CANCELLED, NULL);
		return true;
	}
	err = p11_input_init_way(&in, t->alg, key->info.type, key->way, tbs);
	if (err == OC_OK)
		note(token->desk, t, &in, tbs);
	sign_desk_unpin(token->desk, t);
	if (err != OC_OK) {
		sign_desk_finish(token->desk, t, err, NULL);
		return true;
	}
	is_there = sign_ticket(s, t, &in);
	p11_input_fini(&in);
	return is_there;
}

static void
close_session(struct p11_session *s)
{
	uint64_t epoch;

	if (!s->is_open)
		return;
	p11_module_enter(s->token->module, &epoch);
	p11_session_call_begin(s);
	p11_session_drop(s, epoch);
	p11_session_call_end(s);
	p11_module_leave(s->token->module);
}

/* Until this thread may work.  Who may not keeps no session from those who
 * may.  False if it was lost while it gave its own back. */
static bool
wait_turn(struct p11_session *s)
{
	struct p11_token *token = s->token;
	bool must_wait, is_lost;

	/* Nobody else changes is_working of who is not lost. */
	if (s->is_working && !atomic_load(&token->is_crowded))
		return true;
	(void)pthread_mutex_lock(&token->lock);
	if (s->is_working && token->num_working > token->limit.now) {
		s->is_working = false;
		token->num_working--;
	}
	atomic_store(&token->is_crowded, token->num_working >
	    token->limit.now);
	must_wait = !s->is_working && token->num_working >= token->limit.now;
	(void)pthread_mutex_unlock(&token->lock);
	if (must_wait)
		close_session(s);
	(void)pthread_mutex_lock(&token->lock);
	while (!s->is_working && !s->is_lost && !token->is_stopping) {
		if (token->num_working < token->limit.now) {
			s->is_working = true;
			token->num_working++;
		} else
			(void)pthread_cond_wait(&token->room, &token->lock);
	}
	is_lost = s->is_lost;
	(void)pthread_mutex_unlock(&token->lock);
	return !is_lost;
}

/* A canary, so that the device does not think us gone; and we know of it when
 * it is gone.  False if the session is lost. */
static bool
keep_alive(struct p11_session *s)
{
	struct p11_token *token = s->token;
	struct p11_key *key = p11_route_any_place(token);
	enum p11_watch_verdict verdict = P11_WATCH_TAKEN;
	struct oc_error error = { 0 };
	enum oc_err err = OC_OK;
	struct view v;
	uint64_t epoch;
	bool is_ours;

	s->used_ns = oc_clock_mono_ns();
	if (!s->is_open || key == NULL)
		return true;
	p11_module_enter(token->module, &epoch);
	if (look_and_lend(s, key, NULL, epoch, &v)) {
		is_ours = s->generation == v.generation && s->epoch == epoch;
		if (is_ours)
			err = p11_canary(key, s->handle, v.key, &error);
		if (!is_ours || err != OC_OK)
			p11_session_drop(s, epoch);
		verdict = p11_watch_take(s, is_ours && err == OC_OK ?
		    CKR_OK : CKR_GENERAL_ERROR);
		if (verdict == P11_WATCH_LOST)
			p11_session_drop(s, epoch);
	}
	p11_module_leave(token->module);
	if (err != OC_OK)
		p11_token_suspect(token, v.generation, "keep-alive",
		    error.text);
	return verdict != P11_WATCH_LOST;
}

/* The next ticket, or NULL when it is time to keep the session alive; false
 * once the queue is closed. */
static bool
next_ticket(struct p11_session *s, struct sign_ticket **t)
{
	struct p11_token *token = s->token;
	int64_t now_ns;

	if (token->keep_alive_ns == 0) {
		*t = sign_queue_take(&token->queue);
		return *t != NULL;
	}
	now_ns = oc_clock_mono_ns();
	return sign_queue_take_until(&token->queue, (s->is_open ? s->used_ns :
	    now_ns) + token->keep_alive_ns, t) != OC_ERR_CANCELLED;
}

void *
p11_session_main(void *arg)
{
	struct p11_session *s = arg;
	struct sign_ticket *t;
	bool is_there = true;

	while (is_there && wait_turn(s)) {
		if (!next_ticket(s, &t))
			break;
		if (t != NULL)
			p11_route_begin(s->token);
		is_there = t != NULL ? serve(s, t) : keep_alive(s);
		/* Of one that is lost the watch has said so. */
		if (t != NULL && is_there)
			p11_route_end(s->token);
	}
	close_session(s);
	p11_threads_end(s->token, s);
	return NULL;
}
