/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session thread.
 *
 * Ownership: a ticket belongs to exactly one stage at a time; whoever holds
 * it last finishes it, once.  The session never leaves this thread.  Blocks
 * in the token, so nothing else may run here.
 */
#include "pkcs11/session.h"

#include <stdio.h>

#include "base/clock.h"
#include "pkcs11/key.h"
#include "pkcs11/verify.h"

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

static struct view
look(struct p11_session *s, const struct p11_key *key)
{
	struct p11_token *token = s->token;
	struct view v;

	(void)pthread_mutex_lock(&token->lock);
	v = (struct view){
		.state = token->state,
		.generation = token->generation,
		.epoch = token->epoch,
		.slot = token->slot,
		.key = key->handle,
		.num_others = token->num_open - (s->is_open ? 1 : 0),
	};
	(void)pthread_mutex_unlock(&token->lock);
	return v;
}

static void
count_open(struct p11_session *s, int change)
{
	/* The keeper's own is not counted: nothing is signed on it. */
	if (s == &s->token->home)
		return;
	(void)pthread_mutex_lock(&s->token->lock);
	s->token->num_open += (unsigned int)change;
	(void)pthread_mutex_unlock(&s->token->lock);
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
	count_open(s, -1);
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
	count_open(s, 1);
	return CKR_OK;
}

CK_RV
p11_session_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function)
{
	CK_MECHANISM mechanism = p11_input_mechanism(in);
	/* Never asked for: NSS answers a question with length 0. */
	CK_ULONG signature_len = max;
	CK_RV rv;

	*function = "C_SignInit";
	rv = f->C_SignInit(session, &mechanism, key);
	if (rv != CKR_OK)
		return rv;
	*function = "C_Sign";
	rv = f->C_Sign(session, p11_input_bytes(in), in->len, signature,
	    &signature_len);
	if (rv == CKR_OK)
		*len = signature_len;
	return rv;
}

/* The outcome of one try. */
struct tried {
	enum p11_action action;
	CK_RV rv;
	const char *function;
	uint64_t generation;
};

/*
 * One try, all of it inside the module.  After any failure the session is
 * closed: no provider can cancel an operation, and one left open answers
 * CKR_OPERATION_ACTIVE for ever.
 */
static struct tried
try_once(struct p11_session *s, struct sign_ticket *t, struct p11_input *in)
{
	struct p11_token *token = s->token;
	struct tried r = { .action = P11_SIGNED, .function = "" };
	enum p11_call call = P11_CALL_OPEN;
	struct view v;
	uint64_t epoch;

	p11_module_enter(token->module, &epoch);
	v = look(s, t->key);
	r.generation = v.generation;
	if (v.state != P11_STATE_UP || v.epoch != epoch) {
		/* Another token's keeper restarted the module, or ours is
		 * about to: nobody's fault, so no try is counted. */
		r.action = P11_TOKEN_DOWN;
		r.function = "the module";
		r.rv = CKR_CRYPTOKI_NOT_INITIALIZED;
		p11_module_leave(token->module);
		return r;
	}
	p11_session_call_begin(s);
	r.function = "C_OpenSession";
	r.rv = ensure_open(s, &v, epoch);
	if (r.rv == CKR_OK) {
		call = P11_CALL_SIGN;
		p11_session_call_begin(s);
		r.rv = p11_session_sign(token->module->f, s->handle, v.key,
		    in, t->signature, sizeof(t->signature),
		    &t->signature_len, &r.function);
		if (r.rv != CKR_OK)
			p11_session_drop(s, epoch);
	}
	p11_session_call_end(s);
	p11_module_leave(token->module);
	r.action = p11_recover(t, call, r.rv, v.num_others,
	    oc_clock_mono_ns());
	return r;
}

/* The token has given all the sessions it has: wait a little, so that those
 * who have one get the work. */
#define STEP_BACK_NS (250 * OC_NS_PER_MS)

static void
step_back(struct p11_token *token)
{
	int64_t until = oc_clock_mono_ns() + STEP_BACK_NS;
	struct timespec at = { until / OC_NS_PER_S, until % OC_NS_PER_S };

	(void)pthread_mutex_lock(&token->lock);
	if (!token->is_stopping)
		(void)pthread_cond_timedwait(&token->changed, &token->lock,
		    &at);
	(void)pthread_mutex_unlock(&token->lock);
}

static void
refuse(struct p11_session *s, struct sign_ticket *t, const struct tried *r)
{
	struct oc_error error = { 0 };
	enum oc_err err = p11_error(&error, r->function, r->rv);

	(void)atomic_fetch_add(&s->token->num_failed, 1);
	sign_desk_finish(s->token->desk, t, err, error.text);
}

/* Until the ticket is signed, finished, or back in the queue. */
static void
sign_ticket(struct p11_session *s, struct sign_ticket *t,
    struct p11_input *in)
{
	struct p11_token *token = s->token;
	const struct p11_key *key = t->key;
	char text[P11_CKR_TEXT_MAX];
	struct tried r;

	do
		r = try_once(s, t, in);
	while (r.action == P11_RETRY);

	switch (r.action) {
	case P11_SIGNED:
		t->generation = r.generation;
		/* What cannot be a signature will not verify: one path. */
		if (p11_signature_finish(t->alg, key->info.type,
		    key->info.bits, t->signature, sizeof(t->signature),
		    &t->signature_len) != OC_OK)
			t->signature_len = 0;
		(void)atomic_fetch_add(&token->num_signed, 1);
		p11_verify_take(token, t);
		return;
	case P11_STEP_BACK:
		sign_queue_put_front(&token->queue, t);
		step_back(token);
		return;
	case P11_TOKEN_DOWN:
		p11_token_suspect(token, r.generation, r.function,
		    p11_ckr_text(r.rv, text));
		sign_queue_put_front(&token->queue, t);
		return;
	case P11_REFUSED_DOWN:
		p11_token_suspect(token, r.generation, r.function,
		    p11_ckr_text(r.rv, text));
		refuse(s, t, &r);
		return;
	case P11_REFUSED:
	case P11_RETRY:
		refuse(s, t, &r);
		return;
	}
}

static void
serve(struct p11_session *s, struct sign_ticket *t)
{
	struct p11_token *token = s->token;
	const struct p11_key *key = t->key;
	struct oc_error failure = { 0 };
	struct p11_input in;
	struct der_bytes tbs;
	enum oc_err err;

	(void)pthread_mutex_lock(&token->lock);
	if (token->state == P11_STATE_FAILED)
		failure = token->failure;
	(void)pthread_mutex_unlock(&token->lock);
	if (failure.code != OC_OK) {
		sign_desk_finish(token->desk, t, failure.code, failure.text);
		return;
	}
	if (!sign_desk_pin(token->desk, t, &tbs)) {
		sign_desk_finish(token->desk, t, OC_ERR_CANCELLED, NULL);
		return;
	}
	err = p11_input_init(&in, t->alg, key->info.type, tbs);
	sign_desk_note(token->desk, t, tbs);
	sign_desk_unpin(token->desk, t);
	if (err != OC_OK) {
		sign_desk_finish(token->desk, t, err, NULL);
		return;
	}
	sign_ticket(s, t, &in);
	p11_input_fini(&in);
}

void *
p11_session_main(void *arg)
{
	struct p11_session *s = arg;
	struct sign_ticket *t;
	uint64_t epoch;

	while ((t = sign_queue_take(&s->token->queue)) != NULL)
		serve(s, t);
	p11_module_enter(s->token->module, &epoch);
	p11_session_call_begin(s);
	p11_session_drop(s, epoch);
	p11_session_call_end(s);
	p11_module_leave(s->token->module);
	p11_token_thread_ends(s->token);
	return NULL;
}
