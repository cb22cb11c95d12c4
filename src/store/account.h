/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may have certificates for which names: accounts, their tokens, their
 * zones, and what was asked for beside each certificate issued for one.
 *
 * Under store.h's contract: blocks, every change is one transaction with its
 * entry in the journal, usable inside a group.  Rows are never removed: an
 * account is disabled, a token revoked, a zone removed, and a number never
 * comes again.  The rules about names are the caller's (ca/hostname.h); here
 * a zone is a lower-case A-label name.
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "store/store.h"

#define STORE_EMAIL_MAX 254		/* RFC 5321, 4.5.3.1.3 */
#define STORE_LABEL_MAX 64
#define STORE_ZONE_NAME_MAX 253		/* RFC 1035, as text */
#define STORE_TAG_LEN 32		/* hex digits, as Cloudflare's ids */
/* What a signature may take, twice: a reservation older than this was left
 * behind: its request may be made again, its place in a quota is free, and it
 * is recorded no more.  At once if the store was closed since by who reserved,
 * which the end of a process does too. */
#define STORE_PENDING_S 120
#define STORE_HOSTNAMES_MAX (128 * 1024)	/* JSON; 200 names of 253 */
#define STORE_ZONES_MAX 200		/* of one certificate: one a SAN */

/* --- accounts --------------------------------------------------------- */

enum store_account_state {
	STORE_ACCOUNT_ACTIVE = 1,
	STORE_ACCOUNT_DISABLED = 2
};

struct store_account {
	int64_t id;			/* of the row; 0 = none */
	char tag[STORE_TAG_LEN + 1];	/* for others: random, for good */
	char name[OC_CONFIG_NAME_MAX + 1];	/* for good */
	char email[STORE_EMAIL_MAX + 1];	/* lower case; "": none */
	enum store_account_state state;
	int64_t live_max;	/* live certificates; 0: no limit */
	int64_t period_max;	/* issuances in period_s; 0: no limit */
	int64_t period_s;
	int64_t created_at;
};

/*
 * Fills in id, tag and created_at.  EXISTS when the name or the e-mail
 * address is another's; MALFORMED for a name that is not 1 to 64 of
 * [a-z0-9._-] beginning with a letter or digit, a negative quota, a
 * period_max without period_s.
 */
enum oc_err store_add_account(struct store *store,
    struct store_account *account) OC_MUST_CHECK;
/* By id: e-mail, state and quotas become these.  NOT_FOUND, EXISTS. */
enum oc_err store_change_account(struct store *store,
    const struct store_account *account) OC_MUST_CHECK;
enum oc_err store_find_account(struct store *store, const char *name,
    struct store_account *account) OC_MUST_CHECK;
enum oc_err store_get_account(struct store *store, int64_t id,
    struct store_account *account) OC_MUST_CHECK;

/* Return other than OC_OK ends the walk with it; fn may read the store. */
typedef enum oc_err store_account_fn(void *arg,
    const struct store_account *account);
enum oc_err store_list_accounts(struct store *store, store_account_fn *fn,
    void *arg) OC_MUST_CHECK;

/* What the quotas count, as of now_at: certificates issued, or reserved and
 * neither given up nor older than STORE_PENDING_S, that are not revoked and
 * not expired; and those reserved in the last period_s (0 if that is 0). */
struct store_usage {
	int64_t num_live;
	int64_t num_period;
};
enum oc_err store_count_usage(struct store *store,
    const struct store_account *account, int64_t now_at,
    struct store_usage *usage) OC_MUST_CHECK;

/* --- tokens: store/token.h says what they look like ------------------- */

enum store_token_kind {
	STORE_TOKEN_BEARER = 1,		/* ocs_ID_SECRET */
	STORE_TOKEN_SERVICE_KEY = 2,	/* v1.0-24HEX-146HEX */
	STORE_TOKEN_GLOBAL_KEY = 3	/* 37 hex digits, beside an e-mail */
};

struct store_token {
	int64_t id;
	int64_t account_id;
	enum store_token_kind kind;
	/* Its public half, unique, by which it is found, listed and revoked;
	 * of a global key, which has none, one made up. */
	char prefix[STORE_TAG_LEN + 1];
	char label[STORE_LABEL_MAX + 1];	/* for people; may be "" */
	uint8_t hash[STORE_HASH_LEN];	/* SHA-256 of the whole token */
	int64_t created_at;
	int64_t expires_at;		/* 0: never */
	int64_t revoked_at;		/* 0: not */
	int64_t used_at;		/* to the day; 0: not yet */
};

/* Fills in id and created_at.  A global key needs the account to have an
 * e-mail address: else REFUSED. */
enum oc_err store_add_token(struct store *store, struct store_token *token)
    OC_MUST_CHECK;
/* EXISTS when it is revoked already; NOT_FOUND also when the token is
 * another account's. */
enum oc_err store_revoke_token(struct store *store, int64_t account_id,
    const char *prefix) OC_MUST_CHECK;
typedef enum oc_err store_token_fn(void *arg,
    const struct store_token *token);
enum oc_err store_list_tokens(struct store *store, int64_t account_id,
    store_token_fn *fn, void *arg) OC_MUST_CHECK;

/*
 * Whose a token is.  kind says in which header it came; email only for
 * STORE_TOKEN_GLOBAL_KEY, else NULL.  Compares hashes in constant time, and
 * does so for an unknown prefix too.  REFUSED for a token that is malformed,
 * unknown, wrong, revoked, expired, or of a disabled account: the error's
 * text says which, for the log alone; tell the caller one thing for all.
 * The token is nowhere in it.  Reads only.
 */
enum oc_err store_authenticate(struct store *store,
    enum store_token_kind kind, const char *text, const char *email,
    struct store_account *account, struct store_token *token) OC_MUST_CHECK;
/* Notes that it was used, unless it was noted within a day: then nothing is
 * written. */
enum oc_err store_note_token_use(struct store *store,
    const struct store_token *token) OC_MUST_CHECK;

/* --- zones ------------------------------------------------------------ */

enum store_zone_state {
	STORE_ZONE_ACTIVE = 1,
	STORE_ZONE_PAUSED = 2,		/* issues nothing */
	STORE_ZONE_REMOVED = 3
};

struct store_zone {
	int64_t id;
	char tag[STORE_TAG_LEN + 1];	/* Cloudflare's zone_id */
	char name[STORE_ZONE_NAME_MAX + 1];	/* "example.com", A-labels */
	int64_t account_id;
	enum store_zone_state state;
	int64_t created_at;
};

enum store_zone_nesting {
	STORE_ZONE_ALONE,	/* not inside or around another account's */
	STORE_ZONE_DELEGATED	/* may be: the most specific zone wins */
};

/* Fills in id, created_at, and tag unless there is one.  EXISTS when it is
 * somebody's zone already, or the tag is; REFUSED when another account's zone
 * is inside or around it and nesting does not allow that. */
enum oc_err store_add_zone(struct store *store, struct store_zone *zone,
    enum store_zone_nesting nesting) OC_MUST_CHECK;
/* EXISTS when it is so already.  What was issued for a removed zone stays;
 * the name is free again, under another tag. */
enum oc_err store_set_zone_state(struct store *store, int64_t id,
    enum store_zone_state state) OC_MUST_CHECK;
/* These know no removed zones: NOT_FOUND. */
enum oc_err store_find_zone(struct store *store, const char *name,
    struct store_zone *zone) OC_MUST_CHECK;
enum oc_err store_find_zone_tag(struct store *store, const char *tag,
    struct store_zone *zone) OC_MUST_CHECK;
/* The most specific zone, whoever's, that the name is or lies in. */
enum oc_err store_match_zone(struct store *store, const char *name,
    struct store_zone *zone) OC_MUST_CHECK;
typedef enum oc_err store_zone_fn(void *arg, const struct store_zone *zone);
/* By name; account_id 0: all. */
enum oc_err store_list_zones(struct store *store, int64_t account_id,
    store_zone_fn *fn, void *arg) OC_MUST_CHECK;

/* --- requests --------------------------------------------------------- */

/*
 * What was asked for, as it was sent; kept beside the certificate.  Borrowed.
 */
struct store_request {
	int64_t account_id;	/* 0: none (CFSSL's auth_key) */
	const char *hostnames;	/* JSON text, as sent */
	struct store_blob csr;	/* octets, as sent: PEM or DER */
	const char *type;	/* request_type or profile, as sent */
	int64_t validity;	/* whole days: the life that it has */
	const int64_t *zone_ids;	/* each once */
	uint32_t num_zones;
	/*
	 * What makes two requests one: SHA-256; NULL: each is its own.
	 * key_window_s 0: for as long as the certificate lives, unrevoked;
	 * else for so many seconds, whatever becomes of the certificate.
	 */
	const uint8_t *key;
	int64_t key_window_s;
	/* That it is for: it must be being processed over this connection,
	 * else MISMATCH (store/acme.h).  0: none. */
	int64_t acme_order_id;
};

enum store_outcome {
	STORE_OUTCOME_RESERVED,	/* id is the new record */
	STORE_OUTCOME_REPEATED,	/* id is what was issued for this key */
	STORE_OUTCOME_PENDING,	/* id is being signed for this key: ask again
				 * with store_find_key() */
	/* Refused; nothing was reserved. */
	STORE_OUTCOME_DISABLED,	/* the account */
	STORE_OUTCOME_ZONE,	/* a zone is no longer active, or theirs */
	STORE_OUTCOME_LIVE,	/* quota: limit, and count = limit or more */
	STORE_OUTCOME_PERIOD
};

struct store_reserved {
	enum store_outcome outcome;
	int64_t id;		/* of the certificate; 0 when refused */
	int64_t limit, count;	/* of a quota that is used up */
};

/*
 * store_reserve() for an account: key, account, zones and quotas are looked
 * at in the transaction that reserves, so no two processes pass them
 * together.  OC_OK whatever the outcome; EXISTS if the issuer has the serial.
 * What stood for the key and is over is given up even if a quota refuses then.
 * It is issued over the same connection or not at all: whoever closes that
 * gives it up.  So does who is slower than STORE_PENDING_S, whether another
 * has made the request since or not: store_issue() is MISMATCH.
 */
enum oc_err store_reserve_request(struct store *store,
    const struct store_reservation *r, const struct store_request *request,
    struct store_reserved *reserved) OC_MUST_CHECK;
/* It was not signed after all: frees its key and quota.  MISMATCH unless it
 * is reserved, not issued, and was made by store_reserve_request(). */
enum oc_err store_abandon_request(struct store *store, int64_t id)
    OC_MUST_CHECK;
/* What store_reserve_request() would say of the key, REPEATED or PENDING;
 * NOT_FOUND: it would reserve.  Reads only. */
enum oc_err store_find_key(struct store *store, const uint8_t *key,
    int64_t key_window_s, struct store_reserved *reserved) OC_MUST_CHECK;

/* A certificate with the request it was issued for. */
struct store_asked {
	struct store_certificate certificate;
	char issuer[OC_CONFIG_NAME_MAX + 1];
	int64_t account_id;		/* 0: none */
	char *hostnames;		/* owned */
	uint8_t *csr;			/* owned */
	size_t csr_len;
	char type[OC_CONFIG_NAME_MAX + 1];
	int64_t validity;
	bool is_current;		/* its key still stands for it */
};
void store_asked_fini(struct store_asked *asked);

/* NOT_FOUND also for a certificate that nobody asked for in this way. */
enum oc_err store_get_asked(struct store *store, int64_t certificate_id,
    struct store_asked *asked) OC_MUST_CHECK;
/* Of the account and of any issuer; only what was issued. */
enum oc_err store_find_asked(struct store *store, int64_t account_id,
    const struct oc_serial *serial, struct store_asked *asked) OC_MUST_CHECK;

/* What was issued, in the order in which it was reserved. */
struct store_asked_filter {
	int64_t account_id;
	int64_t zone_id;		/* 0: any */
	bool only_live;			/* unrevoked, unexpired */
	uint32_t num_skipped;		/* (page - 1) * per_page */
	uint32_t num_max;		/* per_page; 0: all */
};
typedef enum oc_err store_asked_fn(void *arg,
    const struct store_asked *asked);
/* *num_total: how many there are without num_skipped and num_max, as of the
 * same moment. */
enum oc_err store_list_asked(struct store *store,
    const struct store_asked_filter *filter, store_asked_fn *fn, void *arg,
    int64_t *num_total) OC_MUST_CHECK;

#endif
