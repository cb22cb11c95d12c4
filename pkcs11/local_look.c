/* SPDX-License-Identifier: Apache-2.0 */
/* How the pool stands, for those who watch it; and draining. */
#include <stdio.h>

#include "base/log.h"
#include "pkcs11/local_impl.h"
#include "pkcs11/tally.h"
#include "pkcs11/watch.h"

bool
p11_local_is_stuck(const struct signer *s)
{
	const struct p11_local *local = p11_local_of(s);

	for (size_t i = 0; i < local->num_tokens; i++)
		if (p11_watch_is_stuck(&local->tokens[i]) &&
		    !p11_route_is_spare(&local->tokens[i]))
			return true;
	return false;
}

enum oc_err
p11_local_failure(const struct signer *s, struct oc_error *error)
{
	struct p11_local *local = p11_local_of(s);
	struct p11_token *token;

	for (size_t i = 0; i < local->num_tokens; i++)
		if (atomic_load(&local->tokens[i].state) != P11_STATE_FAILED)
			return OC_OK;
	if (local->num_tokens == 0)
		return OC_OK;
	token = &local->tokens[local->num_tokens - 1];
	(void)pthread_mutex_lock(&token->lock);
	(void)oc_error_set(error, token->failure.code, "%s",
	    token->failure.text);
	(void)pthread_mutex_unlock(&token->lock);
	return OC_ERR_PIN;
}

size_t
p11_local_num_tokens(const struct signer *s)
{
	return p11_local_of(s)->num_tokens;
}

static const char *
state_text(const struct p11_token *token)
{
	switch (token->state) {
	case P11_STATE_STARTING:
		return "starting";
	case P11_STATE_UP:
		return atomic_load(&token->is_stuck) ? "stuck" : "up";
	case P11_STATE_DOWN:
		if (!atomic_load(&token->is_drained))
			return "down";
		return atomic_load(&token->balance.num_busy) > 0 ?
		    "draining" : "drained";
	case P11_STATE_FAILED:
		break;
	}
	return "failed";
}

void
p11_local_status(const struct signer *s, size_t i,
    struct p11_token_status *status)
{
	struct p11_local *local = p11_local_of(s);
	struct p11_token *token = &local->tokens[i];

	oc_assert(i < local->num_tokens);
	memset(status, 0, sizeof(*status));
	status->name = token->name;
	(void)pthread_mutex_lock(&token->lock);
	status->is_up = token->state == P11_STATE_UP &&
	    !atomic_load(&token->is_stuck);
	status->state = state_text(token);
	status->num_sessions = token->num_open;
	status->num_lost = token->num_lost;
	status->limit = token->limit.now;
	status->limit_found = token->limit.found;
	status->recovered_at = token->recovered_at;
	status->recovered_ns = token->recovered_ns;
	if (token->state == P11_STATE_UP && !status->is_up)
		(void)snprintf(status->failure, sizeof(status->failure),
		    "token %s: %u calls into its module do not return",
		    token->name, token->num_lost);
	else if (!status->is_up)
		(void)snprintf(status->failure, sizeof(status->failure),
		    "%.*s", (int)sizeof(status->failure) - 1,
		    token->failure.text);
	(void)pthread_mutex_unlock(&token->lock);
	status->is_drained = atomic_load(&token->is_drained);
	status->weight = token->is_standby ? 0 : token->weight;
	sign_queue_look(&token->queue, status->lanes);
	for (int lane = 0; lane < SIGN_LANE_MAX; lane++)
		status->num_waiting += status->lanes[lane].num_tickets;
	status->num_logins = atomic_load(&token->num_logins);
	status->num_signed = atomic_load(&token->num_signed);
	status->num_failed = atomic_load(&token->num_failed);
	status->num_recovered = atomic_load(&token->num_recovered);
	status->num_restarts = atomic_load(&token->num_restarts);
	for (int class = 0; class < P11_CLASS_MAX; class++)
		status->num_errors[class] = atomic_load(
		    &token->num_errors[class]);
	status->num_moved = atomic_load(&token->balance.num_moved);
	status->each_ns = sign_queue_each_ns(&token->queue);
	status->is_each_measured = status->each_ns != 0;
	if (!status->is_each_measured && status->limit != 0)
		status->each_ns = atomic_load(&token->call_ns) /
		    status->limit;
}

void
p11_local_keep_errors(const struct signer *s)
{
	const struct p11_local *local = p11_local_of(s);
	uint64_t num[P11_CLASS_MAX];
	struct oc_error error;

	for (size_t i = 0; i < local->num_tokens; i++) {
		const struct p11_token *token = &local->tokens[i];

		for (int class = 0; class < P11_CLASS_MAX; class++)
			num[class] = atomic_load(&token->num_errors[class]);
		if (p11_tally_keep(token->state_dir, token->name, num,
		    &error) != OC_OK)
			oc_log(OC_LOG_WARNING, "token %s: what has failed is "
			    "forgotten: %s", token->name, error.text);
	}
}

void
p11_local_take_errors(struct signer *s)
{
	struct p11_local *local = p11_local_of(s);
	uint64_t num[P11_CLASS_MAX];

	for (size_t i = 0; i < local->num_tokens; i++) {
		struct p11_token *token = &local->tokens[i];

		p11_tally_take(token->state_dir, token->name, num);
		for (int class = 0; class < P11_CLASS_MAX; class++)
			(void)atomic_fetch_add(&token->num_errors[class],
			    num[class]);
	}
}

bool
p11_local_place(const struct signer *s, size_t n,
    struct p11_place_status *status)
{
	const struct p11_local *local = p11_local_of(s);

	for (size_t i = 0; i < local->num_tokens; i++)
		for (struct p11_key *key = local->tokens[i].keys; key != NULL;
		    key = key->next) {
			if (key->route->num_places < 2 || n-- > 0)
				continue;
			status->key = key->name;
			status->token = key->token->name;
			(void)pthread_mutex_lock(&key->token->lock);
			status->works = key->place == P11_PLACE_WORKS;
			status->is_wrong = key->place == P11_PLACE_WRONG;
			(void)snprintf(status->wrong, sizeof(status->wrong),
			    "%.*s", (int)sizeof(status->wrong) - 1,
			    key->place == P11_PLACE_WRONG ?
			    key->wrong.text : "");
			(void)pthread_mutex_unlock(&key->token->lock);
			return true;
		}
	return false;
}

/* Somebody else would have its work. */
static enum oc_err
check_drain(const struct p11_token *token, struct oc_error *error)
{
	char words[SIGN_KEY_WORDS_MAX];

	for (const struct p11_key *key = token->keys; key != NULL;
	    key = key->next) {
		if (p11_route_other(key->route, token) != NULL)
			continue;
		sign_key_words(key->name, words);
		return oc_error_set(error, OC_ERR_REFUSED, "no other token "
		    "works with the key of %s, and nothing would be signed "
		    "with it; --force drains it anyway", words);
	}
	return OC_OK;
}

static void
set_drained(struct p11_token *token)
{
	uint64_t generation;

	atomic_store(&token->is_drained, true);
	(void)pthread_mutex_lock(&token->lock);
	generation = token->generation;
	if (token->state == P11_STATE_DOWN)
		(void)oc_error_set(&token->failure, OC_ERR_DOWN,
		    "token %s: " P11_DRAINED ": " P11_UNDRAIN_HELPS,
		    token->name);
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
	p11_token_suspect(token, generation, P11_DRAINED, P11_UNDRAIN_HELPS);
}

enum oc_err
p11_local_drain(struct signer *s, const char *name, enum p11_drain drain,
    struct oc_error *error)
{
	struct p11_local *local = p11_local_of(s);
	struct p11_token *token = p11_local_token(local, name);
	enum oc_err err = OC_OK;

	if (token == NULL)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "the service "
		    "has no key in a token of this name");
	if (drain == P11_DRAIN)
		err = check_drain(token, error);
	if (err == OC_OK)
		err = p11_drain_set(token->state_dir, name,
		    drain != P11_UNDRAIN, error);
	if (err != OC_OK)
		return err;
	if (drain != P11_UNDRAIN) {
		set_drained(token);
		return OC_OK;
	}
	(void)pthread_mutex_lock(&token->lock);
	atomic_store(&token->is_drained, false);
	(void)pthread_cond_broadcast(&token->changed);
	(void)pthread_mutex_unlock(&token->lock);
	return OC_OK;
}
