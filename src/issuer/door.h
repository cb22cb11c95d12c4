/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doors: which path leads to which dialect, and what they have in common
 * when they answer.  A dialect is one table of endpoints; all of them issue
 * through issuer/issuance.h and revoke through issuer/revocation.h.
 */
#ifndef ISSUER_DOOR_H
#define ISSUER_DOOR_H

#include <jansson.h>

#include "ca/explain.h"
#include "issuer/service.h"
#include "net/server.h"

/* A path of a dialect and what may be done there. */
struct issuer_endpoint {
	const char *name;		/* behind the dialect's prefix */
	enum net_method method;
	const char *method_name;	/* for Allow */
	void (*handle)(struct issuer_service *service,
	    struct net_exchange *exchange);
};

/* net_handler_fn and net_refuse_fn; arg is the struct issuer_service. */
void issuer_door_handle(void *arg, struct net_exchange *exchange);
void issuer_door_refuse(void *arg, const char *path, int status,
    char **body, const char **type);

/* Sends json, compact and with a line end, and gives it up; a private key in
 * it is overwritten.  fields as net_reply(). */
void issuer_door_reply(struct net_exchange *exchange, int status,
    const char *type, const char *fields, json_t *json);

/* Whether the request says "explain=1". */
bool issuer_door_explains(const struct net_exchange *exchange);
/* Puts x as "explanation" into object if the request says "explain=1".  One
 * that is NULL is not put. */
void issuer_door_explain(const struct net_exchange *exchange, json_t *object,
    const struct ca_explanation *x);
/* What a door refuses itself; of no memory of its own. */
struct ca_explanation issuer_door_refusal(enum ca_rule rule,
    const char *text);

/* CFSSL's door: "/api/v1/cfssl/". */
#define ISSUER_CFSSL_PREFIX "/api/v1/cfssl/"
void issuer_cfssl_handle(struct issuer_service *service,
    struct net_exchange *exchange, const char *name);
json_t *issuer_cfssl_failure(int code, const char *message);

/* ACME's is in issuer/acme.h: below the path of [acme] url. */

/* The page behind a message's link: "/zone-proof/". */
#define ISSUER_CONFIRM_PREFIX "/zone-proof/"
void issuer_confirm_handle(struct issuer_service *service,
    struct net_exchange *exchange, const char *rest);

/* Cloudflare's: "/client/v4". */
bool issuer_origin_is_path(const char *path);
void issuer_origin_handle(struct issuer_service *service,
    struct net_exchange *exchange);
json_t *issuer_origin_failure(int code, const char *message);
/* True if it was one of the two roots, and is answered. */
bool issuer_origin_root(struct issuer_service *service,
    struct net_exchange *exchange);

#endif
