/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloudflare's Origin CA API v4: what its files share.  A call begins with
 * the caller's token, looked up on the store's thread together with what the
 * call wants to read there; nothing is said to who has none.
 */
#ifndef ISSUER_ORIGIN_H
#define ISSUER_ORIGIN_H

#include "base/bytes.h"
#include "issuer/door.h"
#include "issuer/issuance.h"
#include "issuer/revocation.h"
#include "store/token.h"

/* Ours, but for the first, which clients know.  What a rule refuses has
 * ORIGIN_RULE and the rule's number, which never changes. */
enum {
	ORIGIN_AUTHENTICATION = 10000,
	ORIGIN_BAD_REQUEST = 10001,
	ORIGIN_NOT_FOUND = 10002,
	ORIGIN_METHOD = 10003,
	ORIGIN_TRY_LATER = 10004,
	ORIGIN_BROKEN = 10005,
	ORIGIN_RULE = 11000
};

struct origin_call;

/* What a call does in the store once its caller is known; on its thread. */
typedef enum oc_err origin_read_fn(struct store *store,
    struct origin_call *call, struct oc_error *error);
/* Then, on the event loop: answers, at once or later. */
typedef void origin_then_fn(struct origin_call *call);

struct origin_call {
	struct issuer_service *service;
	struct net_exchange *exchange;
	struct store_job job;
	/* Who asks. */
	enum store_token_kind kind;
	struct oc_secret token_text;
	char email[STORE_EMAIL_MAX + 1];
	enum oc_err auth_err;
	struct store_account account;
	struct store_token token;
	/* What for. */
	bool is_change;			/* read changes the store, all or
					 * nothing */
	origin_read_fn *read;
	origin_then_fn *then;
	struct oc_error error;		/* of read */
	/* POST */
	json_t *document;		/* owned */
	struct ca_names *names;		/* owned */
	struct ca_policy *policy;	/* owned */
	struct issuer_authority *authority;
	const struct ca_profile *profile;
	const char *csr, *type;		/* borrowed from document */
	const json_t *hostnames;
	int64_t validity_days;
	bool has_validity;
	char *hostnames_text;		/* owned */
	struct ca_explanation explanation;	/* of what we refuse */
	enum oc_err document_err;	/* told to who is let in */
	struct oc_error document_error;
	/* one and list */
	struct oc_serial serial;
	struct store_asked asked;
	struct origin_zone *zone;	/* owned; of /zones */
	char zone_tag[STORE_TAG_LEN + 1];
	int64_t page, per_page, skipped, total;
	json_t *list;			/* owned */
};

/* NULL: answered already. */
struct origin_call *issuer_origin_call_new(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_origin_call_free(struct origin_call *call);
/* Authenticates, then read, then then; answers itself if a step fails. */
void issuer_origin_begin(struct origin_call *call, origin_read_fn *read,
    origin_then_fn *then);

/* {"success":false,...}; errors is never empty.  Frees the call. */
void issuer_origin_fail(struct origin_call *call, int status, int code,
    const char *message);
/* Takes result and info (NULL: none).  Frees the call. */
void issuer_origin_succeed(struct origin_call *call, json_t *result,
    json_t *info);
/* For what issuing or policy says; x has the rule. */
void issuer_origin_fail_rule(struct origin_call *call, enum oc_err err,
    const struct ca_explanation *x, const char *message);

/* One certificate as the API shows it. */
json_t *issuer_origin_describe(const struct store_asked *asked);

/* page and per_page, or limit and offset; false: they are none. */
bool issuer_origin_take_paging(struct origin_call *call);
/* Of call->list, total, page and per_page. */
void issuer_origin_answer_list(struct origin_call *call);

/* origin_zone.c: whether the path is one of its own; answered, then. */
bool issuer_origin_zones(struct issuer_service *service,
    struct net_exchange *exchange);
void issuer_origin_zone_free(struct origin_zone *zone);	/* NULL is fine */

void issuer_origin_create(struct origin_call *call);
void issuer_origin_list(struct origin_call *call);
void issuer_origin_get(struct origin_call *call);
void issuer_origin_revoke(struct origin_call *call);

#endif
