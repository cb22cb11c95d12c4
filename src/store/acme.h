/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACME's own records (RFC 8555, 7.1): accounts, by their keys; keys for
 * external account binding (7.3.4), by which an ACME account is one of the
 * registry's; orders.  Authorizations are in store/challenge.h.
 *
 * Under store.h's contract: blocks, every change is one transaction with its
 * entry in the journal, usable inside a group.
 */
#ifndef STORE_ACME_H
#define STORE_ACME_H

#include "store/challenge.h"

#define STORE_JWK_MAX 2048		/* canonical JSON; RSA-8192 is 1,400 */
#define STORE_CONTACTS_MAX 2048		/* a JSON list */
#define STORE_HMAC_KEY_LEN 32
#define STORE_NAMES_MAX 200		/* of one order: X509_SANS_MAX */

/* --- keys for external account binding -------------------------------- */

struct store_eab_key {
	int64_t id;
	int64_t account_id;
	char kid[STORE_TAG_LEN + 1];	/* random */
	/* The secret itself: HMAC needs it; cleanse it.  Zeros once it
	 * was used or revoked. */
	uint8_t hmac[STORE_HMAC_KEY_LEN];
	char label[STORE_LABEL_MAX + 1];
	int64_t created_at, expires_at, revoked_at;	/* 0: never */
	int64_t used_at;	/* by an ACME account; once alone */
};
/* Fills in id, kid, hmac, created_at. */
enum oc_err store_add_eab_key(struct store *store, struct store_eab_key *key)
    OC_MUST_CHECK;
/* One that may be used now, of an account that is active; else REFUSED with the
 * reason for the log alone; NOT_FOUND. */
enum oc_err store_find_eab_key(struct store *store, const char *kid,
    int64_t now_at, struct store_eab_key *key) OC_MUST_CHECK;
/* EXISTS when it is revoked already; NOT_FOUND also when it is another
 * account's. */
enum oc_err store_revoke_eab_key(struct store *store, int64_t account_id,
    const char *kid) OC_MUST_CHECK;
/* hmac is zeros. */
typedef enum oc_err store_eab_key_fn(void *arg,
    const struct store_eab_key *key);
enum oc_err store_list_eab_keys(struct store *store, int64_t account_id,
    store_eab_key_fn *fn, void *arg) OC_MUST_CHECK;

/* --- accounts --------------------------------------------------------- */

enum store_acme_state {
	STORE_ACME_VALID = 1,
	STORE_ACME_DEACTIVATED = 2,	/* by itself */
	STORE_ACME_REVOKED = 3		/* by the operator */
};

struct store_acme_account {
	int64_t id;
	char tag[STORE_TAG_LEN + 1];
	int64_t account_id;		/* the registry's */
	enum store_acme_state state;
	uint8_t thumbprint[STORE_HASH_LEN];	/* RFC 7638 */
	char jwk[STORE_JWK_MAX + 1];	/* as the thumbprint has it */
	char contacts[STORE_CONTACTS_MAX + 1];	/* "[]" */
	bool has_agreed;		/* to the terms of service */
	bool is_bound;			/* it has shown an external key */
	int64_t created_at;
};
/* Fills in id, tag, is_bound, created_at.  EXISTS: the key has one that is
 * VALID, and *a is that one.  eab_id 0: none; else that key is used up in the
 * same change: REFUSED if it was or may not be used. */
enum oc_err store_add_acme_account(struct store *store,
    struct store_acme_account *a, int64_t eab_id) OC_MUST_CHECK;
/* NOT_FOUND.  By thumbprint: of whatever state, a VALID one first. */
enum oc_err store_get_acme_account(struct store *store, int64_t id,
    struct store_acme_account *a) OC_MUST_CHECK;
enum oc_err store_find_acme_account(struct store *store, const char *tag,
    struct store_acme_account *a) OC_MUST_CHECK;
enum oc_err store_find_acme_key(struct store *store,
    const uint8_t thumbprint[STORE_HASH_LEN], struct store_acme_account *a)
    OC_MUST_CHECK;
/* By id: contacts, state, agreement.  Who is not VALID stays so. */
enum oc_err store_change_acme_account(struct store *store,
    const struct store_acme_account *a) OC_MUST_CHECK;
/* RFC 8555, 7.3.5.  EXISTS: the key is another account's, whose tag is
 * written. */
enum oc_err store_roll_acme_key(struct store *store, int64_t id,
    const uint8_t thumbprint[STORE_HASH_LEN], const char *jwk,
    char other[STORE_TAG_LEN + 1]) OC_MUST_CHECK;
typedef enum oc_err store_acme_account_fn(void *arg,
    const struct store_acme_account *a);
/* For limits: of the registry's account, not bound, made since. */
enum oc_err store_count_acme_accounts(struct store *store, int64_t account_id,
    int64_t since_at, int64_t *num) OC_MUST_CHECK;
/* account_id 0: all. */
enum oc_err store_list_acme_accounts(struct store *store, int64_t account_id,
    store_acme_account_fn *fn, void *arg) OC_MUST_CHECK;

/* --- orders ----------------------------------------------------------- */

enum store_order_state {
	STORE_ORDER_PENDING = 1,
	STORE_ORDER_READY = 2,
	STORE_ORDER_PROCESSING = 3,	/* its certificate is being signed */
	STORE_ORDER_VALID = 4,
	STORE_ORDER_INVALID = 5
	/* PENDING and READY end at expires_at. */
};

struct store_order {
	int64_t id;
	char tag[STORE_TAG_LEN + 1];
	int64_t acme_account_id, account_id;
	enum store_order_state state;
	int64_t created_at, expires_at;
	int64_t not_before, not_after;	/* as asked for; 0: not */
	char profile[OC_CONFIG_NAME_MAX + 1];	/* of ocsign.conf */
	char *names;			/* owned: a JSON list, as it was
					 * normalised, "*." and all */
	int64_t replaces_id;		/* certificate (RFC 9773); 0: none */
	int64_t certificate_id;		/* VALID, or being signed; 0: none */
	char problem[STORE_PROBLEM_MAX + 1];
	uint32_t num_authorizations;
	int64_t authorization_ids[STORE_NAMES_MAX];
};
void store_order_fini(struct store_order *order);

/* With authorizations of the account's that are there; READY if all of them are
 * valid, MISMATCH if one is over.  Fills in id, tag, state, created_at.
 * EXISTS: what it replaces was replaced by another order that is not invalid,
 * and has not ended. */
enum oc_err store_add_order(struct store *store, struct store_order *order)
    OC_MUST_CHECK;
enum oc_err store_find_order(struct store *store, const char *tag,
    struct store_order *order) OC_MUST_CHECK;
/* Newest first, after the order with the id before_id (0: from the newest);
 * without authorizations. */
typedef enum oc_err store_order_fn(void *arg,
    const struct store_order *order);
enum oc_err store_list_orders(struct store *store, int64_t acme_account_id,
    int64_t before_id, uint32_t num_max, store_order_fn *fn, void *arg)
    OC_MUST_CHECK;
/* For limits: orders of the registry's account since. */
enum oc_err store_count_orders(struct store *store, int64_t account_id,
    int64_t since_at, int64_t *num) OC_MUST_CHECK;
/* For limits, too: when the num-th newest of those was made that have a name of
 * this domain (".example.com": example.com and all below); 0: there are
 * fewer. */
enum oc_err store_find_nth_order(struct store *store, int64_t account_id,
    const char *domain, int64_t since_at, int64_t num, int64_t *made_at)
    OC_MUST_CHECK;
/*
 * How an order gets its certificate, all on one connection:
 *	store_process_order()	READY -> PROCESSING, in whose hands it is then
 *	store_reserve_request()	with acme_order_id in the struct
 *				store_request: the order names the certificate
 *	store_issue()		PROCESSING -> VALID, in the transaction that
 *				issues: there is nothing in between
 * What a process that died left in PROCESSING is read as READY after
 * STORE_PENDING_S, or at once if the store was closed since by who had it, as
 * with store_reserve_request(); whoever processes it then gives up what was
 * reserved for it before, which store_issue() refuses from then on.
 *
 * READY -> PROCESSING: MISMATCH if it is not READY, or has ended, or one of
 * its authorizations no longer holds, or its account is over.
 */
enum oc_err store_process_order(struct store *store, int64_t id,
    int64_t now_at) OC_MUST_CHECK;
/* OK if store_issue() has done so already.  Else PROCESSING -> VALID with one
 * that was issued before, as STORE_OUTCOME_REPEATED says; MISMATCH. */
enum oc_err store_complete_order(struct store *store, int64_t id,
    int64_t certificate_id) OC_MUST_CHECK;
/* PROCESSING -> READY (the token is away: the client may try again), or any but
 * VALID -> INVALID with a problem; else MISMATCH.  What was reserved for it is
 * given up. */
enum oc_err store_reopen_order(struct store *store, int64_t id)
    OC_MUST_CHECK;
enum oc_err store_fail_order(struct store *store, int64_t id,
    const char *problem) OC_MUST_CHECK;
/* The order whose certificate this is; NOT_FOUND. */
enum oc_err store_find_order_of(struct store *store, int64_t certificate_id,
    struct store_order *order) OC_MUST_CHECK;

#endif
