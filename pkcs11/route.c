/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets and what tokens tell of themselves; the choice by itself is in
 * pkcs11/choose.c, the start and places in pkcs11/route_place.c. */
#include "pkcs11/route.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

/* One that came back gets an eighth at first, and all after this. */
#define RAMP_NS (10 * OC_NS_PER_S)
#define RAMP_FIRST (P11_HEALTH_MAX / 8)
/* However often it fails: nobody would see that it is well again. */
#define HEALTH_MIN (P11_HEALTH_MAX / 16)

enum oc_err
p11_router_init(struct p11_router *router)
{
	pthread_condattr_t attr;

	memset(router, 0, sizeof(*router));
	if (pthread_mutex_init(&router->lock, NULL) != 0)
		return OC_ERR_SYSTEM;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&router->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	return OC_OK;
}

void
p11_router_fini(struct p11_router *router)
{
	struct p11_route *route;

	while ((route = router->routes) != NULL) {
		router->routes = route->next;
		free(route);
	}
	(void)pthread_cond_destroy(&router->changed);
	(void)pthread_mutex_destroy(&router->lock);
}

struct p11_route *
p11_router_find(const struct p11_router *router, const char *name)
{
	for (struct p11_route *r = router->routes; r != NULL; r = r->next)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

enum oc_err
p11_router_add(struct p11_router *router, const char *name,
    struct p11_route **out)
{
	struct p11_route *route;

	if (p11_router_find(router, name) != NULL)
		return OC_ERR_EXISTS;
	route = calloc(1, sizeof(*route));
	if (route == NULL)
		return OC_ERR_NOMEM;
	(void)snprintf(route->name, sizeof(route->name), "%s", name);
	route->next = router->routes;
	router->routes = route;
	*out = route;
	return OC_OK;
}

/* One that is stuck may have no thread left, however its canaries are. */
static bool
is_up(const struct p11_token *token)
{
	return atomic_load(&token->state) == P11_STATE_UP &&
	    !atomic_load(&token->is_stuck);
}

static bool
is_usable(const struct p11_key *place)
{
	return is_up(place->token) &&
	    atomic_load(&place->place) == P11_PLACE_WORKS;
}

static bool
has_usable(const struct p11_route *route)
{
	for (size_t i = 0; i < route->num_places; i++)
		if (is_usable(route->places[i]))
			return true;
	return false;
}

struct p11_token *
p11_route_other(const struct p11_route *route, const struct p11_token *token)
{
	for (size_t i = 0; i < route->num_places; i++)
		if (route->places[i]->token != token &&
		    is_usable(route->places[i]))
			return route->places[i]->token;
	return NULL;
}

bool
p11_route_is_started(const struct p11_token *token)
{
	return token->router != NULL &&
	    atomic_load(&token->router->is_started);
}

const struct sign_key_info *
p11_route_info(const struct p11_route *route)
{
	return atomic_load(&route->is_known) ? &route->info : NULL;
}

/* --- choosing --------------------------------------------------------- */

static unsigned int
health_of(const struct p11_token *token)
{
	int64_t since_ns = atomic_load(&token->balance.ramp_since_ns);
	unsigned int health = atomic_load(&token->balance.health);
	int64_t up_ns;
	unsigned int ramp;

	if (since_ns == 0)
		return health;
	up_ns = oc_clock_mono_ns() - since_ns;
	if (up_ns >= RAMP_NS)
		return health;
	ramp = RAMP_FIRST + (unsigned int)((P11_HEALTH_MAX - RAMP_FIRST) *
	    (up_ns / OC_NS_PER_MS) / (RAMP_NS / OC_NS_PER_MS));
	return health < ramp ? health : ramp;
}

static struct p11_candidate
candidate_of(const struct p11_key *place)
{
	struct p11_token *token = place->token;

	return (struct p11_candidate){
		.is_usable = is_usable(place),
		.is_standby = token->is_standby,
		.weight = token->weight,
		.health = health_of(token),
		.num_sessions = token->num_sessions,
		.load = sign_queue_len(&token->queue) +
		    atomic_load(&token->balance.num_busy),
		.mean_ns = atomic_load(&token->balance.mean_ns),
	};
}

/* A bit of tried is a place that has no room.  NULL: none is usable. */
static struct p11_key *
choose(struct p11_router *router, struct p11_route *route, unsigned int tried)
{
	struct p11_candidate candidates[P11_PLACES_MAX];
	size_t i;

	if (route->num_places == 1)
		return tried == 0 && is_usable(route->places[0]) ?
		    route->places[0] : NULL;
	(void)pthread_mutex_lock(&router->lock);
	for (i = 0; i < route->num_places; i++) {
		candidates[i] = candidate_of(route->places[i]);
		if ((tried & 1U << i) != 0)
			candidates[i].is_usable = false;
	}
	i = p11_route_choose(candidates, route->num_places, route->credits);
	(void)pthread_mutex_unlock(&router->lock);
	return i < route->num_places ? route->places[i] : NULL;
}

/* How much there is to hope for from a place that is not usable; 0: it will
 * never be. */
static int
hope(const struct p11_key *place)
{
	if (atomic_load(&place->place) == P11_PLACE_WRONG)
		return 0;
	switch (atomic_load(&place->token->state)) {
	case P11_STATE_UP:
		return 4;
	case P11_STATE_STARTING:
		return 3;
	case P11_STATE_DOWN:
		return atomic_load(&place->token->is_drained) ? 1 : 2;
	case P11_STATE_FAILED:
		break;
	}
	return 0;
}

/* Where a ticket waits if no place is usable; NULL: nowhere. */
static struct p11_key *
where_to_wait(const struct p11_route *route)
{
	struct p11_key *best = NULL;

	for (size_t i = 0; i < route->num_places; i++) {
		struct p11_key *place = route->places[i];

		if (hope(place) > 0 &&
		    (best == NULL || hope(place) > hope(best)))
			best = place;
	}
	return best;
}

void
p11_route_describe_failure(const struct p11_route *route,
    struct oc_error *error)
{
	char words[SIGN_KEY_WORDS_MAX];

	(void)oc_error_set(error, OC_ERR_DOWN, "no token has the key");
	for (size_t i = 0; i < route->num_places; i++) {
		struct p11_key *place = route->places[i];
		struct p11_token *token = place->token;

		(void)pthread_mutex_lock(&token->lock);
		if (token->state == P11_STATE_FAILED ||
		    token->state == P11_STATE_DOWN)
			*error = token->failure;
		else if (place->place == P11_PLACE_WRONG)
			*error = place->wrong;
		(void)pthread_mutex_unlock(&token->lock);
		if (token->state == P11_STATE_DOWN)
			break;	/* it may come back: the best to say */
	}
	sign_key_words(route->name, words);
	(void)oc_error_prefix(error, "%s", words);
}

/* --- tickets ---------------------------------------------------------- */

static size_t
index_of(const struct p11_route *route, const struct p11_key *place)
{
	size_t i = 0;

	while (route->places[i] != place)
		i++;
	return i;
}

static void settle(struct p11_token *token);

/* Owned, from token's queue, to where it is signed or may wait.  False if it
 * is to stay. */
static bool
hand_on(struct p11_token *token, struct sign_ticket *t)
{
	struct p11_key *place = t->key, *to;
	const struct p11_route *route = place->route;
	struct oc_error error = { 0 };

	if (is_usable(place))
		return false;
	to = choose(token->router, place->route, 0);
	if (to == NULL)
		to = where_to_wait(place->route);
	if (to == place)
		return false;
	if (to != NULL) {
		t->key = to;
		(void)atomic_fetch_add(&token->balance.num_moved, 1);
		sign_queue_put_aged(&to->token->queue, t);
		/* It may have gone away as well, just before. */
		if (!is_up(to->token) && has_usable(route))
			settle(to->token);
		return true;
	}
	/* The token's own session threads say why. */
	if (atomic_load(&token->state) == P11_STATE_FAILED)
		return false;
	(void)oc_error_set(&error, OC_ERR_DOWN, "no token has the key");
	sign_desk_finish(token->desk, t, error.code, error.text);
	return true;
}

/* What waits here and can be done elsewhere, goes. */
static void
settle(struct p11_token *token)
{
	struct sign_ticket *t, *first = NULL, **end = &first;

	while ((t = sign_queue_drain(&token->queue)) != NULL) {
		if (hand_on(token, t))
			continue;
		*end = t;
		end = &t->next;
	}
	*end = NULL;
	while ((t = first) != NULL) {
		first = t->next;
		t->next = NULL;
		sign_queue_put_aged(&token->queue, t);
	}
}

enum oc_err
p11_route_submit(struct p11_route *route, struct sign_ticket *t,
    struct oc_error *error)
{
	struct p11_token *token = NULL;
	struct p11_key *place;
	unsigned int tried = 0;
	enum oc_err err = OC_ERR_BUSY;

	while (err == OC_ERR_BUSY &&
	    (place = choose(route->places[0]->token->router, route,
	    tried)) != NULL) {
		tried |= 1U << index_of(route, place);
		token = place->token;
		t->key = place;
		err = sign_queue_put(&token->queue, t);
	}
	if (tried == 0) {
		place = where_to_wait(route);
		if (place == NULL)
			place = route->places[0];
		token = place->token;
		/* One that failed for good says so by its threads, which one
		 * without a library never had. */
		if (hope(place) == 0 && (token->module == NULL ||
		    atomic_load(&token->state) != P11_STATE_FAILED)) {
			p11_route_describe_failure(route, error);
			return OC_ERR_DOWN;
		}
		t->key = place;
		err = sign_queue_put(&token->queue, t);
	}
	/* It may have gone away, or another come back, just before. */
	if (err == OC_OK && !is_up(token) && has_usable(route))
		settle(token);
	return err;
}

void
p11_route_give_back(struct p11_token *token, struct sign_ticket *t)
{
	struct p11_key *place = t->key, *to = NULL;
	struct p11_route *route = place->route;

	if (route != NULL && route->num_places > 1)
		to = choose(token->router, route,
		    1U << index_of(route, place));
	if (to == NULL && route != NULL && !is_usable(place))
		to = where_to_wait(route);
	if (to == NULL || to == place) {
		sign_queue_put_front(&token->queue, t);
	} else {
		/* It has the same right to a second try there, but a request
		 * that kills tokens does not go round for ever. */
		if (++t->num_moves < route->num_places)
			t->retried = t->num_failed = t->num_busy = 0;
		t->key = to;
		(void)atomic_fetch_add(&token->balance.num_moved, 1);
		sign_queue_put_front(&to->token->queue, t);
		token = to->token;
	}
	if (route != NULL && !is_up(token) && has_usable(route))
		settle(token);
}

bool
p11_route_may_move(const struct sign_ticket *t)
{
	const struct p11_key *place = t->key;

	return p11_route_has_other(t) &&
	    t->num_moves + 1 < place->route->num_places;
}

bool
p11_route_has_other(const struct sign_ticket *t)
{
	const struct p11_key *place = t->key;

	return place->route != NULL &&
	    p11_route_other(place->route, place->token) != NULL;
}

/* --- what tokens tell ------------------------------------------------- */

/* One that has come back starts small, but with a clean slate. */
static void
note_generation(struct p11_token *token)
{
	if (token->generation == token->balance.generation)
		return;
	token->balance.generation = token->generation;
	atomic_store(&token->balance.health, P11_HEALTH_MAX);
	atomic_store(&token->balance.mean_ns, 0);
	if (token->generation > 1)
		atomic_store(&token->balance.ramp_since_ns,
		    oc_clock_mono_ns());
}

void
p11_route_changed(struct p11_token *token)
{
	struct p11_router *router = token->router;
	enum p11_token_state state = token->state;
	bool is_open = state == P11_STATE_UP || state == P11_STATE_FAILED;

	if (!is_open)
		sign_queue_pause(&token->queue);
	if (router != NULL) {
		note_generation(token);
		settle(token);
	}
	if (is_open)
		sign_queue_resume(&token->queue);
	if (router == NULL)
		return;
	for (size_t i = 0; i < router->num_tokens; i++) {
		struct p11_token *other = &router->tokens[i];

		if (other != token && state == P11_STATE_UP &&
		    atomic_load(&other->state) != P11_STATE_UP &&
		    atomic_load(&other->state) != P11_STATE_FAILED)
			settle(other);
	}
	(void)pthread_mutex_lock(&router->lock);
	(void)pthread_cond_broadcast(&router->changed);
	(void)pthread_mutex_unlock(&router->lock);
}

void
p11_route_begin(struct p11_token *token)
{
	(void)atomic_fetch_add(&token->balance.num_busy, 1);
}

void
p11_route_end(struct p11_token *token)
{
	(void)atomic_fetch_sub(&token->balance.num_busy, 1);
}

void
p11_route_note_signed(struct p11_token *token, int64_t duration_ns)
{
	struct p11_balance *b = &token->balance;
	int64_t mean_ns = atomic_load(&b->mean_ns);
	unsigned int health = atomic_load(&b->health);

	atomic_store(&b->signed_at_ns, oc_clock_mono_ns());
	/* Threads may overwrite each other's: it is a mean. */
	atomic_store(&b->mean_ns, mean_ns == 0 ? duration_ns :
	    mean_ns + (duration_ns - mean_ns) / 8);
	if (health < P11_HEALTH_MAX)
		atomic_store(&b->health,
		    health + (P11_HEALTH_MAX - health + 15) / 16);
}

void
p11_route_note_failed(struct p11_token *token)
{
	unsigned int health = atomic_load(&token->balance.health) / 2;

	atomic_store(&token->balance.health,
	    health < HEALTH_MIN ? HEALTH_MIN : health);
}
