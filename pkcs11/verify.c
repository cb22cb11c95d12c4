/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/verify.h"

#include "pkcs11/recover.h"

/* With the key's verifying lock. */
static void
verify_ticket(struct sign_ticket *t)
{
	struct p11_key *key = t->key;
	struct p11_token *token = key->token;
	struct der_bytes tbs;
	enum oc_err err;

	if (!sign_desk_pin(token->desk, t, &tbs)) {
		sign_desk_finish(token->desk, t, OC_ERR_CANCELLED, NULL);
		return;
	}
	err = sign_verify(key->verifier, t->alg, tbs,
	    (struct der_bytes){ t->signature, t->signature_len });
	sign_desk_unpin(token->desk, t);
	if (err == OC_OK) {
		sign_desk_finish(token->desk, t, OC_OK, NULL);
		return;
	}
	p11_token_suspect(token, t->generation, "C_Sign",
	    "a signature that does not verify");
	if (p11_may_retry(t, P11_CLASS_LOGIN)) {
		sign_queue_put_front(&token->queue, t);
		return;
	}
	(void)atomic_fetch_add(&token->num_failed, 1);
	sign_desk_finish(token->desk, t, OC_ERR_SIGNATURE,
	    "the token's signature does not verify");
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
		verify_ticket(t);
		(void)pthread_mutex_unlock(&key->verifying);
		return;
	}
	/* It has no bound: what is signed is not thrown away. */
	if (sign_queue_put(token->to_verify, t) != OC_OK)
		sign_desk_finish(token->desk, t, OC_ERR_CANCELLED, NULL);
}

void *
p11_verify_main(void *arg)
{
	struct sign_queue *to_verify = arg;
	struct sign_ticket *t;

	while ((t = sign_queue_begin(to_verify)) != NULL) {
		struct p11_key *key = t->key;

		(void)pthread_mutex_lock(&key->verifying);
		verify_ticket(t);
		(void)pthread_mutex_unlock(&key->verifying);
		sign_queue_done(to_verify);
	}
	return NULL;
}
