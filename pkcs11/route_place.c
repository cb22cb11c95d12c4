/* SPDX-License-Identifier: Apache-2.0 */
/* Which places work: waited for at the start, told by the keepers. */
#include "pkcs11/route.h"

#include "base/clock.h"
#include "base/log.h"

/* Between two restarts of a library that others work with. */
#define RESTART_PAUSE_NS (300 * OC_NS_PER_S)

/* --- the start -------------------------------------------------------- */

/* Under the router's lock. */
static bool
is_start_over(const struct p11_router *router)
{
	const struct p11_route *route = router->routes;
	size_t i = 0;

	while (route != NULL && p11_route_other(route, NULL) != NULL)
		route = route->next;
	/* Of those that are looked at, with or without a key. */
	while (i < router->num_tokens && (atomic_load(
	    &router->tokens[i].state) != P11_STATE_STARTING ||
	    (route == NULL && router->tokens[i].keys != NULL)))
		i++;
	return i == router->num_tokens;
}

void
p11_router_wait(struct p11_router *router, int64_t deadline_ns)
{
	struct timespec at = { deadline_ns / OC_NS_PER_S,
	    deadline_ns % OC_NS_PER_S };
	int rc = 0;

	(void)pthread_mutex_lock(&router->lock);
	while (!is_start_over(router) && rc == 0)
		rc = pthread_cond_timedwait(&router->changed, &router->lock,
		    &at);
	(void)pthread_mutex_unlock(&router->lock);
}

static enum oc_err
tell_token(struct p11_token *token, struct oc_error *error)
{
	if (atomic_load(&token->state) == P11_STATE_STARTING)
		return oc_error_set(error, OC_ERR_TIMEOUT, "token %s: its "
		    "module does not answer", token->name);
	(void)pthread_mutex_lock(&token->lock);
	(void)oc_error_set(error, token->failure.code, "%s",
	    token->failure.text);
	(void)pthread_mutex_unlock(&token->lock);
	return error->code;
}

/* Under no lock.  What is said is what may still get better. */
static enum oc_err
check_route(const struct p11_route *route, struct oc_error *error)
{
	if (p11_route_other(route, NULL) != NULL)
		return OC_OK;
	for (size_t i = 0; i < route->num_places; i++)
		if (atomic_load(&route->places[i]->token->state) ==
		    P11_STATE_STARTING)
			return tell_token(route->places[i]->token, error);
	if (route->num_places == 1)
		return tell_token(route->places[0]->token, error);
	p11_route_describe_failure(route, error);
	return error->code;
}

enum oc_err
p11_router_check(struct p11_router *router, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (const struct p11_route *r = router->routes;
	    r != NULL && err == OC_OK; r = r->next)
		err = check_route(r, error);
	/* One without a key is only asked to be there. */
	for (size_t i = 0; i < router->num_tokens && err == OC_OK; i++)
		if (router->tokens[i].keys == NULL &&
		    atomic_load(&router->tokens[i].state) != P11_STATE_UP)
			err = tell_token(&router->tokens[i], error);
	return err;
}

bool
p11_route_is_spare(const struct p11_token *token)
{
	for (const struct p11_key *key = token->keys; key != NULL;
	    key = key->next)
		if (key->route == NULL ||
		    p11_route_other(key->route, token) == NULL)
			return false;
	return true;
}

/* --- for the keeper --------------------------------------------------- */

struct der_bytes
p11_route_expected(struct p11_key *key)
{
	const struct sign_key_info *info = p11_route_info(key->route);

	if (key->expected_len > 0 || info == NULL)
		return (struct der_bytes){ key->expected, key->expected_len };
	return (struct der_bytes){ info->spki, info->spki_len };
}

enum oc_err
p11_route_place_works(struct p11_key *key, struct oc_error *error)
{
	struct p11_router *router = key->token->router;
	struct p11_route *route = key->route;
	const struct p11_token *other;
	bool is_same = true;

	(void)pthread_mutex_lock(&router->lock);
	if (!route->is_known) {
		route->info = key->info;
		atomic_store(&route->is_known, true);
	} else
		is_same = der_bytes_equal((struct der_bytes){
		    route->info.spki, route->info.spki_len },
		    (struct der_bytes){ key->info.spki, key->info.spki_len });
	(void)pthread_mutex_unlock(&router->lock);
	if (is_same) {
		if (atomic_exchange(&key->place, P11_PLACE_WORKS) ==
		    P11_PLACE_WRONG)
			oc_log(OC_LOG_NOTICE, "token %s has the key of %s "
			    "now", key->token->name, route->name);
		return OC_OK;
	}
	other = p11_route_other(route, key->token);
	return oc_error_set(error, OC_ERR_MISMATCH, "it is another key than "
	    "that in token %s", other != NULL ? other->name : "before");
}

bool
p11_route_place_is_wrong(struct p11_key *key, const struct oc_error *error)
{
	struct p11_token *token = key->token;
	const struct p11_token *other;
	struct oc_error why = *error;
	bool is_news;

	if (key->route->num_places < 2 || (error->code != OC_ERR_NOT_FOUND &&
	    error->code != OC_ERR_MISMATCH &&
	    error->code != OC_ERR_UNSUPPORTED &&
	    error->code != OC_ERR_REFUSED))
		return false;
	other = p11_route_other(key->route, token);
	if (other != NULL)
		(void)oc_error_prefix(&why, "token %s gets no work of a key "
		    "that token %s has", token->name, other->name);
	else
		(void)oc_error_prefix(&why, "token %s gets no work of a key",
		    token->name);
	(void)pthread_mutex_lock(&token->lock);
	is_news = key->place != P11_PLACE_WRONG;
	key->wrong = why;
	key->handle = CK_INVALID_HANDLE;
	atomic_store(&key->place, P11_PLACE_WRONG);
	(void)pthread_mutex_unlock(&token->lock);
	if (is_news)
		oc_log(OC_LOG_ERROR, "%s", why.text);
	return true;
}

/* The library works for another token: it has just signed. */
static bool
has_working_neighbour(const struct p11_token *token, int64_t now_ns)
{
	const struct p11_router *router = token->router;

	for (size_t i = 0; i < router->num_tokens; i++) {
		const struct p11_token *other = &router->tokens[i];

		if (other != token && other->module == token->module &&
		    now_ns - atomic_load(&other->balance.signed_at_ns) <
		    OC_NS_PER_S)
			return true;
	}
	return false;
}

bool
p11_route_may_restart(struct p11_token *token)
{
	int64_t now_ns = oc_clock_mono_ns();

	if (token->restart_ns != 0 &&
	    now_ns - token->restart_ns < RESTART_PAUSE_NS &&
	    has_working_neighbour(token, now_ns))
		return false;
	token->restart_ns = now_ns;
	return true;
}

bool
p11_route_has_wrong_place(const struct p11_token *token)
{
	for (const struct p11_key *key = token->keys; key != NULL;
	    key = key->next)
		if (atomic_load(&key->place) == P11_PLACE_WRONG)
			return true;
	return false;
}

struct p11_key *
p11_route_any_place(const struct p11_token *token)
{
	struct p11_key *key = token->keys;

	while (key != NULL && atomic_load(&key->place) != P11_PLACE_WORKS)
		key = key->next;
	return key;
}
