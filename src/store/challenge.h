/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs that a name is somebody's: an authorization is one account's claim on
 * one name, its challenges are the ways in which it may be proven, and a valid
 * one is the proof, until it ends.  The zone registry and ACME (RFC 8555,
 * 7.1.4) have the same.
 *
 * Under store.h's contract: blocks, every change is one transaction with its
 * entry in the journal (what was seen is in it), usable inside a group.  When
 * the next try is due is a plan and no record: in no journal.  Rows
 * are never removed while anything refers to them; store_prune_challenges()
 * removes those that ended long ago and led to nothing.
 */
#ifndef STORE_CHALLENGE_H
#define STORE_CHALLENGE_H

#include "store/account.h"

/* The same numbers in the database, for good. */
enum store_method {
	STORE_METHOD_DNS = 1,		/* TXT at _ocsign-challenge.NAME */
	STORE_METHOD_META = 2,		/* a meta element in the page's head */
	STORE_METHOD_FILE = 3,		/* /.well-known/ocsign-challenge */
	STORE_METHOD_EMAIL = 4,		/* a code in a message */
	STORE_METHOD_HTTP_01 = 5,	/* RFC 8555, 8.3 */
	STORE_METHOD_DNS_01 = 6,	/* RFC 8555, 8.4 */
	STORE_METHOD_OPERATOR = 7	/* the operator's word: "zone add" */
};
#define STORE_METHODS_NUM 7
/* "dns", "meta", "file", "email", "http-01", "dns-01", "operator". */
const char *store_method_text(enum store_method method);
/* NOT_FOUND. */
enum oc_err store_method_find(const char *text, enum store_method *method);

enum store_proof_state {
	STORE_PROOF_PENDING = 1,
	STORE_PROOF_VALID = 2,
	STORE_PROOF_INVALID = 3,
	STORE_PROOF_DEACTIVATED = 4	/* by its account */
	/* One that is PENDING or VALID ends at expires_at; nobody writes
	 * that down. */
};

#define STORE_CHALLENGES_MAX 8		/* of one authorization */
#define STORE_TOKEN_TEXT_LEN 43		/* 256 random bits, base64url */
#define STORE_PROBLEM_MAX 1024		/* JSON (RFC 9457) */
#define STORE_SEEN_MAX 400

struct store_challenge {
	int64_t id;
	char tag[STORE_TAG_LEN + 1];	/* for URLs: random */
	int64_t authorization_id;
	enum store_method method;
	char token[STORE_TOKEN_TEXT_LEN + 1];
	enum store_proof_state state;
	/* Since when it is being looked at: the client has said that it is
	 * there.  0: not yet. */
	int64_t begun_at;
	uint32_t num_tries;
	int64_t next_try_at;		/* 0: none is planned */
	int64_t validated_at;
	char problem[STORE_PROBLEM_MAX + 1];	/* of the last try; "" */
	char seen[STORE_SEEN_MAX + 1];
	/* EMAIL: to whom it went, SHA-256 of the code, which has 128 random
	 * bits or more, since the hash is not secret; else "". */
	char address[STORE_EMAIL_MAX + 1];
	uint8_t code_hash[STORE_HASH_LEN];
};

struct store_authorization {
	int64_t id;
	char tag[STORE_TAG_LEN + 1];
	int64_t account_id;		/* the registry's */
	int64_t acme_account_id;	/* 0: the zone registry's own */
	char name[STORE_ZONE_NAME_MAX + 1];	/* without "*." */
	bool is_wildcard;
	enum store_proof_state state;
	int64_t created_at, expires_at;
	int64_t proved_at, failed_at;	/* 0: not */
	enum store_method method;	/* that proved it; 0 */
	int64_t touched_id;		/* the challenge that changed last; 0 */
	uint32_t num_challenges;
	struct store_challenge challenges[STORE_CHALLENGES_MAX];
};

/* Fills in ids, tags, created_at, and each challenge's token unless it has
 * one; the challenges say which methods.  PENDING, unless state is VALID and
 * method says by what it was proven just now. */
enum oc_err store_add_authorization(struct store *store,
    struct store_authorization *a) OC_MUST_CHECK;
/* With its challenges.  NOT_FOUND. */
enum oc_err store_get_authorization(struct store *store, int64_t id,
    struct store_authorization *a) OC_MUST_CHECK;
enum oc_err store_find_authorization(struct store *store, const char *tag,
    struct store_authorization *a) OC_MUST_CHECK;
/* Of the challenge with this tag. */
enum oc_err store_find_challenge(struct store *store, const char *tag,
    struct store_authorization *a, struct store_challenge *challenge)
    OC_MUST_CHECK;

/* A proof of the account's that holds at now_at and is no older than
 * proved_from: of the name itself by any of the methods (a bit each, 1 <<
 * method), or, where covers says so, of a domain around it, the nearest.  The
 * newest.  acme_account_id 0: whoever's of the account.  NOT_FOUND. */
enum store_proof_kind {
	STORE_PROOF_ANY = 0,
	STORE_PROOF_PLAIN,		/* is_wildcard is not set */
	STORE_PROOF_WILDCARD
};
struct store_proof_wish {
	int64_t account_id, acme_account_id;
	const char *name;
	uint32_t methods;	/* that prove the name itself */
	uint32_t covers;	/* that prove all below a domain, too */
	int64_t now_at, proved_from;
	enum store_proof_kind kind;
};
enum oc_err store_find_proof(struct store *store,
    const struct store_proof_wish *wish, struct store_authorization *a)
    OC_MUST_CHECK;

/* The client says that it is there: begun_at, next_try_at.  EXISTS if it was
 * begun or is over, MISMATCH if its authorization is not PENDING or has
 * ended. */
enum oc_err store_begin_challenge(struct store *store, int64_t id,
    int64_t now_at) OC_MUST_CHECK;
/* A message goes to address with a code of this hash, which is a try;
 * begun_at becomes now_at.  MISMATCH as above, and for another method.  It is
 * never due: who has the code compares it, and says so by pass or fail. */
enum oc_err store_send_challenge(struct store *store, int64_t id,
    const char *address, const uint8_t code_hash[STORE_HASH_LEN],
    int64_t now_at) OC_MUST_CHECK;
/* Before somebody looks: the next try, which was due at due_at, is at
 * next_try_at now.  MISMATCH: another host was faster, or it is over. */
enum oc_err store_claim_challenge(struct store *store, int64_t id,
    int64_t due_at, int64_t next_try_at) OC_MUST_CHECK;
/* How a try went: another try at next_try_at, or (0) it is INVALID and so is
 * its authorization, and every order that waits for that. */
struct store_try {
	int64_t id;			/* of the challenge */
	const char *problem, *seen;
	int64_t at, next_try_at;
};
enum oc_err store_fail_challenge(struct store *store,
    const struct store_try *t) OC_MUST_CHECK;
/* It is there: challenge and authorization are VALID, until expires_at; an
 * order whose last one that was is ready.  A zone registry's own makes the
 * zone, with its own tag, unless the account has it: EXISTS, REFUSED as
 * store_add_zone() of one that is not delegated; then nothing is changed.
 * MISMATCH if it is no longer PENDING, or has ended; so for fail. */
enum oc_err store_pass_challenge(struct store *store,
    const struct store_try *t, int64_t expires_at) OC_MUST_CHECK;
/* By its account.  An order that waits for it is invalid.  EXISTS. */
enum oc_err store_deactivate_authorization(struct store *store, int64_t id)
    OC_MUST_CHECK;

/* Challenges of authorizations that are PENDING and hold, begun, whose next
 * try is at until_at or before: earliest first, num_max at most; but for
 * those by e-mail.  The
 * authorization's own fields are filled in, with this challenge alone. */
typedef enum oc_err store_challenge_fn(void *arg,
    const struct store_authorization *a);
enum oc_err store_list_due_challenges(struct store *store, int64_t now_at,
    int64_t until_at, uint32_t num_max, store_challenge_fn *fn, void *arg)
    OC_MUST_CHECK;
/* Of an account (0: any, and then of a name) and a name (NULL: any), newest
 * first; acme_account_id 0: the zone registry's own alone. */
enum oc_err store_list_authorizations(struct store *store,
    int64_t account_id, int64_t acme_account_id, const char *name,
    uint32_t num_max, store_challenge_fn *fn, void *arg) OC_MUST_CHECK;
/* For limits: of the account, PENDING and not ended; and INVALID since.  name
 * NULL: of any; ".example.com": of example.com and all below. */
enum oc_err store_count_authorizations(struct store *store,
    int64_t account_id, const char *name, int64_t now_at, int64_t since_at,
    int64_t *num_pending, int64_t *num_invalid) OC_MUST_CHECK;
/* What ended before this and led to no certificate and no zone, orders first;
 * num at most, and no more than a moment's work: to be called now and then. */
enum oc_err store_prune_challenges(struct store *store, int64_t before_at,
    uint32_t num, uint32_t *num_removed) OC_MUST_CHECK;

#endif
