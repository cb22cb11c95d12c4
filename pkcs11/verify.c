/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/verify.h"

#include "base/clock.h"
#include "pkcs11/recover.h"
#include "pkcs11/route.h"

/* A cancellation waits for as many as are verified at once. */
#define AT_ONCE 8

static void
conclude(struct sign_ticket *t, enum oc_err verdict)
{
	struct p11_key *key = t->key;
	struct p11_token *token = key->token;

	if (verdict == OC_OK) {
		sign_desk_finish(token->desk, t, OC_OK, NULL);
		return;
	}
	p11_token_count(token, P11_CLASS_SIGNATURE);
	p11_token_suspect(token, t->generation, "C_Sign",
	    "a signature that does not verify");
	if (p11_recover(t, P11_CALL_SIGN, P11_CLASS_SIGNATURE,
	    oc_clock_mono_ns()) == P11_TOKEN_DOWN) {
		p11_route_note_failed(token);
		p11_token_put_back(token, t);
		return;
	}
	(void)atomic_fetch_add(&token->num_failed, 1);
	sign_desk_finish(token->desk, t, OC_ERR_SIGNATURE,
	    "the token's signature does not verify");
}

/*
 * What is long is not hashed once more: then the digest is that of which the
 * token made its signature.  It is a sealed memfd's, which nobody changes
 * meanwhile.
 */
static const uint8_t *
shared_digest(const struct sign_ticket *t, size_t tbs_len)
{
	return tbs_len > OC_TBS_INLINE_MAX && t->has_digest &&
	    sign_alg_info(t->alg)->hash == SIGN_SHA256 ? t->digest : NULL;
}

/* All of one key, with its verifying lock; they leave as they came. */
static void
verify_tickets(struct p11_key *key, struct sign_ticket **tickets, size_t num)
{
	struct sign_desk *desk = key->token->desk;
	struct sign_claim claims[AT_ONCE];
	struct sign_ticket *pinned[AT_ONCE];
	size_t num_pinned = 0;

	oc_assert(num <= AT_ONCE);
	for (size_t i = 0; i < num; i++) {
		struct sign_claim *c = &claims[num_pinned];
		struct sign_ticket *t = tickets[i];

		if (!sign_desk_pin(desk, t, &c->tbs)) {
			sign_desk_finish(desk, t, OC_ERR_CANCELLED, NULL);
			continue;
		}
		c->alg = t->alg;
		c->digest = shared_digest(t, c->tbs.len);
		c->signature = (struct der_bytes){ t->signature,
		    t->signature_len };
		pinned[num_pinned++] = t;
	}
	sign_verify_all(key->verifier, claims, num_pinned);
	for (size_t i = 0; i < num_pinned; i++)
		sign_desk_unpin(desk, pinned[i]);
	for (size_t i = 0; i < num_pinned; i++)
		conclude(pinned[i], claims[i].verdict);
}

enum oc_err
p11_verify(struct p11_key *key, enum sign_alg alg, struct der_bytes tbs,
    struct der_bytes signature)
{
	enum oc_err err;

	(void)pthread_mutex_lock(&key->verifying);
	err = sign_verify(key->verifier, alg, tbs, signature);
	(void)pthread_mutex_unlock(&key->verifying);
	return err;
}

void
p11_verify_take(struct p11_token *token, struct sign_ticket *t)
{
	struct p11_key *key = t->key;

	/* Nobody overtakes who was signed before. */
	if (sign_queue_len(&token->queue) == 0 &&
	    sign_queue_is_idle(token->to_verify) &&
	    pthread_mutex_trylock(&key->verifying) == 0) {
		verify_tickets(key, &t, 1);
		(void)pthread_mutex_unlock(&key->verifying);
		return;
	}
	/* It has no bound: what is signed is not thrown away. */
	if (sign_queue_put(token->to_verify, t) != OC_OK)
		sign_desk_finish(token->desk, t, OC_ERR_CANCELLED, NULL);
}

/* Those at the head that are of one key. */
static size_t
num_of_first(struct sign_ticket **tickets, size_t num)
{
	size_t n = 1;

	while (n < num && tickets[n]->key == tickets[0]->key)
		n++;
	return n;
}

void *
p11_verify_main(void *arg)
{
	struct sign_ticket *tickets[AT_ONCE];
	struct sign_queue *to_verify = arg;
	size_t num, num_same;

	while ((num = sign_queue_begin(to_verify, tickets, AT_ONCE)) > 0) {
		for (size_t i = 0; i < num; i += num_same) {
			struct p11_key *key = tickets[i]->key;

			num_same = num_of_first(&tickets[i], num - i);
			(void)pthread_mutex_lock(&key->verifying);
			verify_tickets(key, &tickets[i], num_same);
			(void)pthread_mutex_unlock(&key->verifying);
		}
		sign_queue_done(to_verify, num);
	}
	return NULL;
}
