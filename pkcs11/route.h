/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the tokens that have a key signs with it.
 *
 * A route is a key by its name, with a place in each token it may be in (a
 * struct p11_key).  A place gets work once a canary has proven it, and while
 * its token is up and not stuck (pkcs11/watch.h).  A ticket that waits for a
 * token that goes away is handed to another at once; where there is none it
 * waits.
 *
 * Its owner alone changes a ticket's place, so that nobody signs one twice.
 * Locks: a token's may be held, then the router's, then a queue's.
 */
#ifndef PKCS11_ROUTE_H
#define PKCS11_ROUTE_H

#include "pkcs11/token.h"

#define P11_PLACES_MAX 16		/* tokens that have one key */
#define P11_HEALTH_MAX 1024
/* Why a token is down that is well, and what helps. */
#define P11_DRAINED "it is drained"
#define P11_UNDRAIN_HELPS "\"ocsign token undrain\" lets it work again"

struct p11_route {
	struct p11_route *next;
	char name[SIGN_KEY_NAME_MAX];
	struct p11_key *places[P11_PLACES_MAX];
	size_t num_places;
	/* Of the first that was found; constant from then on. */
	struct sign_key_info info;
	atomic_bool is_known;
	/* Under the router's lock. */
	int64_t credits[P11_PLACES_MAX];
};

struct p11_router {
	pthread_mutex_t lock;
	pthread_cond_t changed;		/* a token's state */
	struct p11_route *routes;
	struct p11_token *tokens;
	size_t num_tokens;
	atomic_bool is_started;		/* what fails now is news */
};

/* --- the choice by itself --------------------------------------------- */

struct p11_candidate {
	bool is_usable, is_standby;
	unsigned int weight;		/* > 0 */
	unsigned int health;		/* 1 to P11_HEALTH_MAX */
	unsigned int num_sessions;
	size_t load;			/* tickets: waiting, and worked on */
	int64_t mean_ns;		/* 0: unknown */
};

/*
 * Which gets the next ticket; num if there is none.  Those that have a session
 * free take turns by weight, health and speed, for which credits (0 at first,
 * as many as candidates) keeps accounts; if none has, it is who will be done
 * first.  A standby is chosen only where nobody else is usable.
 */
size_t p11_route_choose(const struct p11_candidate *candidates, size_t num,
    int64_t *credits);

/* --- the router ------------------------------------------------------- */

enum oc_err p11_router_init(struct p11_router *router) OC_MUST_CHECK;
void p11_router_fini(struct p11_router *router);
/* A new route; NOMEM, EXISTS. */
enum oc_err p11_router_add(struct p11_router *router, const char *name,
    struct p11_route **route) OC_MUST_CHECK;
struct p11_route *p11_router_find(const struct p11_router *router,
    const char *name);
/* Until each route has a place that works or each token has been tried
 * once, or the deadline. */
void p11_router_wait(struct p11_router *router, int64_t deadline_ns);
/* OC_OK if each route has one; else why the first has none. */
enum oc_err p11_router_check(struct p11_router *router,
    struct oc_error *error) OC_MUST_CHECK;
/* Another token than this one, or, with NULL, any, that works now has the key;
 * or NULL. */
struct p11_token *p11_route_other(const struct p11_route *route,
    const struct p11_token *token);
/* Why none works: of one that may come back, if there is one. */
void p11_route_describe_failure(const struct p11_route *route,
    struct oc_error *error);
/* The pool is open: what fails now is news. */
bool p11_route_is_started(const struct p11_token *token);
/* NULL while nobody has seen the key. */
const struct sign_key_info *p11_route_info(const struct p11_route *route);

/* --- tickets ---------------------------------------------------------- */

/* A new ticket to where it is signed, or waits.  BUSY; DOWN, with a text,
 * where it could only wait for nothing. */
enum oc_err p11_route_submit(struct p11_route *route, struct sign_ticket *t,
    struct oc_error *error) OC_MUST_CHECK;
/* From a stage that cannot go on with it: to another token that is up, or
 * back to the head of this one's queue. */
void p11_route_give_back(struct p11_token *token, struct sign_ticket *t);

/* Another token that works now has the ticket's key.  Its owner asks. */
bool p11_route_has_other(const struct sign_ticket *t);
/* The same, and it has not been to all of them. */
bool p11_route_may_move(const struct sign_ticket *t);

/* --- what tokens tell ------------------------------------------------- */

/* Its state has changed: stops or opens its queue, hands on what can go
 * elsewhere, and fetches what waits for it elsewhere.  Under its lock. */
void p11_route_changed(struct p11_token *token);
/* Around what a session thread does with a ticket. */
void p11_route_begin(struct p11_token *token);
void p11_route_end(struct p11_token *token);
void p11_route_note_signed(struct p11_token *token, int64_t duration_ns);
void p11_route_note_failed(struct p11_token *token);

/* All its keys are in others that work. */
bool p11_route_is_spare(const struct p11_token *token);

/* --- for the keeper --------------------------------------------------- */

/* What the key has to be: of the configuration, or what another of its tokens
 * has; len 0: anything. */
struct der_bytes p11_route_expected(struct p11_key *key);
/* A canary has proven it: it gets work.  MISMATCH, which names both, if
 * another token has another key. */
enum oc_err p11_route_place_works(struct p11_key *key,
    struct oc_error *error) OC_MUST_CHECK;
/* It is not there, or another, or not to be signed with.  False: no other
 * token may have it, and this is the token's own failure. */
bool p11_route_place_is_wrong(struct p11_key *key,
    const struct oc_error *error);
/* A C_Finalize would end the work of others behind this library: once at
 * once, then now and then, unless none of them works. */
bool p11_route_may_restart(struct p11_token *token);
/* A key that the token was seen to have, for a canary; or NULL. */
struct p11_key *p11_route_any_place(const struct p11_token *token);
bool p11_route_has_wrong_place(const struct p11_token *token);

#endif
