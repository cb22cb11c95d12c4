/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store: what its public half (store.c, certificate.c, crl.c,
 * journal.c: rules, transactions, journal) asks of a database.  A database
 * only reads and writes rows; it knows no rules, so that all of them share
 * the same.
 *
 * Every function of a backend leaves its text in store->error when it does
 * not return OC_OK, and writes outputs only when it does.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/account.h"
#include "store/acme.h"
#include "store/import.h"
#include "store/store.h"

#define STORE_ACTOR_MAX 128
#define STORE_EPOCH_MAX ((UINT32_C(1) << 30) - 1)	/* ca/serial.h */

struct store_ops;
struct sql_engine;

/* The row that every change goes through. */
struct store_head {
	int64_t change_seq;
	int64_t journal_number;
	uint8_t journal_hash[STORE_HASH_LEN];
};

/* What of it is known inside a change, and not written yet. */
struct store_head_state {
	struct store_head head;
	bool is_read, is_changed;
};

/* A group, a job of it, its own change, one inside that; and room. */
#define STORE_DEPTH_MAX 8

/* Embedded first in each database's own struct. */
struct store {
	const struct store_ops *ops;
	const struct sql_engine *sql;	/* store/sql.h */
	char *path;			/* owned; names it in errors */
	enum store_mode mode;
	uint8_t id[STORE_ID_LEN];
	uint32_t epoch;
	char actor[STORE_ACTOR_MAX];
	int64_t run;			/* of this connection; 0: none */
	int read_timeout_s;		/* 0: none */
	struct oc_error error;
	unsigned int depth;		/* transactions open, nested */
	enum oc_err broken;		/* the outermost one is lost: why */
	uint64_t revocation_mark;
	int64_t pruned_at;		/* up to which end prune has looked */
	/* Written once, right before the outermost change is committed;
	 * saved[n] is what it was when n changes were open. */
	struct store_head_state head, saved[STORE_DEPTH_MAX];
};

struct store_issuer_key {
	int64_t id;
	uint8_t spki_hash[STORE_HASH_LEN];
};

/* What store_revoke writes into a row; is_revoked false lifts a hold. */
struct store_status {
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t invalidity_at;
};

struct store_crl_row {
	int64_t id;
	int64_t issuer_id;
	char issuer[OC_CONFIG_NAME_MAX + 1];
	uint64_t number, base_number;
	int64_t this_update, next_update;
	int64_t reserved_at;
	uint32_t partition;
	int64_t change_seq;
	char point[STORE_CRL_POINT_MAX + 1];
	bool is_issued;
	uint64_t crl_len;		/* of what is in its parts */
	int64_t num_entries;
};

/* Octets of each part of a CRL but the last. */
#define STORE_CRL_PART_LEN (1024 * 1024)

enum store_table {
	STORE_TABLE_CERTIFICATE,
	STORE_TABLE_CRL,
	STORE_TABLE_ACCOUNT,
	STORE_TABLE_TOKEN,
	STORE_TABLE_ZONE,
	STORE_TABLE_ISSUER,
	STORE_TABLE_PROOF,
	STORE_TABLE_ORDER,
	STORE_TABLE_ACME_ACCOUNT,
	STORE_TABLE_EAB_KEY
};

/* A certificate and the name of its issuer. */
struct store_row {
	struct store_certificate certificate;
	char issuer[OC_CONFIG_NAME_MAX + 1];
};

/* What recording has to know; read for each certificate, so it is little. */
struct store_waiting {
	char issuer[OC_CONFIG_NAME_MAX + 1];
	struct oc_serial serial;
	enum store_state state;
	bool is_asked;			/* there is a request with it */
	bool is_current;		/* as that says */
	int64_t reserved_at;
	int64_t order_id;		/* that is processed for it; 0: none */
};

/* A request's row without the certificate's. */
struct store_request_row {
	int64_t id;			/* the certificate's */
	char account[OC_CONFIG_NAME_MAX + 1];	/* "": none */
	bool has_key;
	bool is_current;
	uint8_t key[STORE_HASH_LEN];
	char *hostnames;		/* owned */
	uint8_t *csr;			/* owned */
	size_t csr_len;
	char type[OC_CONFIG_NAME_MAX + 1];
	int64_t validity;
	int64_t zone_ids[STORE_ZONES_MAX];	/* ascending */
	uint32_t num_zones;
};

/* Which certificate a key stands for now. */
struct store_key_row {
	int64_t id;
	enum store_state state;
	bool is_revoked;
	int64_t reserved_at, not_after;
	int64_t run;			/* whose reservation; 0: unknown */
};

/* As it is in its row: nobody has looked yet who processes it. */
struct store_order_row {
	struct store_order order;
	int64_t run, processing_at;
	bool is_issued;			/* its certificate */
	bool is_asked;			/* its request stands */
};

typedef enum oc_err store_order_row_fn(void *arg,
    struct store_order_row *row);

/* One whose end has come. */
struct store_ended {
	int64_t id;
	int64_t expires_at;
	bool is_kept;			/* something refers to it */
};

enum store_proof_by {
	STORE_PROOF_BY_ID,
	STORE_PROOF_BY_TAG,
	STORE_PROOF_BY_CHALLENGE,
	STORE_PROOF_BY_CHALLENGE_TAG
};
enum store_acme_by { STORE_ACME_BY_ID, STORE_ACME_BY_TAG };
enum store_eab_by { STORE_EAB_BY_ID, STORE_EAB_BY_KID };
enum store_order_by {
	STORE_ORDER_BY_ID,
	STORE_ORDER_BY_TAG,
	STORE_ORDER_BY_CERTIFICATE
};
enum store_account_by { STORE_BY_ID, STORE_BY_NAME, STORE_BY_EMAIL };
enum store_zone_by { STORE_ZONE_BY_ID, STORE_ZONE_BY_NAME, STORE_ZONE_BY_TAG };
enum store_token_by { STORE_TOKEN_BY_ID, STORE_TOKEN_BY_PREFIX };

/* part is borrowed until it returns. */
typedef enum oc_err store_crl_part_fn(void *arg, uint32_t number,
    struct store_blob part);

struct store_ops {
	void (*close)(struct store *s);
	void (*set_busy_timeout)(struct store *s, int timeout_ms);
	/* True only if that connection is closed for certain. */
	bool (*is_run_over)(struct store *s, int64_t run);

	/* begin_change takes the database's one write lock, waiting for it;
	 * begin_read only pins what is seen.  One of them at a time. */
	enum oc_err (*begin_change)(struct store *s);
	enum oc_err (*begin_read)(struct store *s);
	enum oc_err (*commit)(struct store *s);	/* failed: rolled back */
	void (*rollback)(struct store *s);
	/* Inside a change; they nest.  undo() goes back to the last save(). */
	enum oc_err (*settle)(struct store *s);	/* all is done so far */
	enum oc_err (*save)(struct store *s);
	enum oc_err (*keep)(struct store *s);
	enum oc_err (*undo)(struct store *s);
	/* false: the database has given the transaction up by itself. */
	bool (*in_transaction)(struct store *s);

	enum oc_err (*read_head)(struct store *s, struct store_head *head);
	enum oc_err (*write_head)(struct store *s,
	    const struct store_head *head);
	enum oc_err (*data_version)(struct store *s, int64_t *version);
	enum oc_err (*find_id_max)(struct store *s, enum store_table table,
	    int64_t *id_max);		/* 0: the table is empty */

	enum oc_err (*find_issuer)(struct store *s, const char *name,
	    struct store_issuer *issuer, struct store_issuer_key *key);
	enum oc_err (*find_issuer_name)(struct store *s, int64_t id,
	    char name[OC_CONFIG_NAME_MAX + 1]);
	enum oc_err (*add_issuer)(struct store *s, const char *name,
	    struct store_blob certificate,
	    const uint8_t spki_hash[STORE_HASH_LEN], int64_t *id);
	enum oc_err (*renew_issuer)(struct store *s, int64_t id,
	    struct store_blob certificate);

	/* EXISTS if the issuer has the serial. */
	enum oc_err (*add_certificate)(struct store *s,
	    const struct store_reservation *r, int64_t reserved_at,
	    int64_t change_seq, int64_t *id);
	enum oc_err (*find_certificate)(struct store *s, int64_t issuer_id,
	    const struct oc_serial *serial, struct store_row *row);
	/* Only what it takes to revoke it: id, serial, not_after, status. */
	enum oc_err (*find_state)(struct store *s, int64_t issuer_id,
	    const struct oc_serial *serial, struct store_row *row);
	enum oc_err (*get_certificate)(struct store *s, int64_t id,
	    struct store_row *row);
	enum oc_err (*get_waiting)(struct store *s, int64_t id,
	    struct store_waiting *row);
	enum oc_err (*set_issued)(struct store *s, int64_t id,
	    int64_t issued_at, struct store_blob certificate);
	enum oc_err (*set_status)(struct store *s, int64_t id,
	    int64_t change_seq, const struct store_status *status);
	enum oc_err (*list_certificates)(struct store *s,
	    const struct store_filter *filter, int64_t now_at,
	    store_certificate_fn *fn, void *arg);
	enum oc_err (*list_revoked)(struct store *s,
	    const struct store_revoked_filter *filter, store_revoked_fn *fn,
	    void *arg);
	enum oc_err (*list_released)(struct store *s,
	    const struct store_revoked_filter *filter, store_revoked_fn *fn,
	    void *arg);
	/* Of any of that filter, revoked or released since. */
	enum oc_err (*find_status_change)(struct store *s,
	    const struct store_revoked_filter *filter, bool *is_there);
	/* 0: none. */
	enum oc_err (*find_last_partition)(struct store *s,
	    int64_t issuer_id, uint32_t *partition);
	enum oc_err (*read_changes)(struct store *s, int64_t after_seq,
	    struct store_change *changes, uint32_t num_max, uint32_t *num);

	/* A row that has all of it at once. */
	enum oc_err (*import_certificate)(struct store *s,
	    const struct store_import *import, int64_t change_seq,
	    int64_t *id);
	/* What was not known of it. */
	enum oc_err (*complete_import)(struct store *s, int64_t id,
	    const struct store_import *import, int64_t change_seq);
	/* As it is now: an import may have moved it. */
	enum oc_err (*read_epoch)(struct store *s, uint32_t *epoch);
	enum oc_err (*set_epoch)(struct store *s, uint32_t epoch);

	/* Adds one to the issuer's counter and says what it then is. */
	enum oc_err (*take_crl_counter)(struct store *s, int64_t issuer_id,
	    uint32_t *counter);
	enum oc_err (*add_crl)(struct store *s,
	    const struct store_crl_row *row, int64_t *id);
	enum oc_err (*get_crl)(struct store *s, int64_t id,
	    struct store_crl_row *row);
	enum oc_err (*set_crl_issued)(struct store *s, int64_t id,
	    int64_t issued_at, uint64_t crl_len, int64_t num_entries);
	/* Parts are numbered from 0. */
	enum oc_err (*add_crl_part)(struct store *s, int64_t id,
	    uint32_t number, struct store_blob part);
	/* All there are, in order. */
	enum oc_err (*list_crl_parts)(struct store *s, int64_t id,
	    store_crl_part_fn *fn, void *arg);
	/* The newest one of the scope that was issued. */
	enum oc_err (*find_crl)(struct store *s,
	    const struct store_crl_scope *scope, struct store_crl_row *row);
	/* The newest one of the scope that was not, if it is newer. */
	enum oc_err (*find_reserved_crl)(struct store *s,
	    const struct store_crl_scope *scope, struct store_crl_row *row);
	/* Of its full ones that end after now_at, have that point and a
	 * change_seq, the oldest. */
	enum oc_err (*find_crl_base)(struct store *s,
	    const struct store_crl_scope *scope, const char *point,
	    int64_t now_at, struct store_crl_row *row);

	/* After after_seq, up to upto_seq. */
	enum oc_err (*list_touched)(struct store *s, int64_t issuer_id,
	    int64_t after_seq, int64_t upto_seq, store_touched_fn *fn,
	    void *arg);

	enum oc_err (*add_entry)(struct store *s,
	    const struct store_entry *entry);
	enum oc_err (*list_entries)(struct store *s, int64_t after_number,
	    store_entry_fn *fn, void *arg);

	/* Registers.  The add functions give the id; text is the name,
	 * e-mail address, tag or prefix, where by says so. */
	enum oc_err (*add_account)(struct store *s,
	    const struct store_account *account, int64_t *id);
	enum oc_err (*set_account)(struct store *s,
	    const struct store_account *account);
	enum oc_err (*find_account)(struct store *s, enum store_account_by by,
	    int64_t id, const char *text, struct store_account *account);
	enum oc_err (*list_accounts)(struct store *s, store_account_fn *fn,
	    void *arg);
	/* Those reserved after pending_at count if they are current. */
	enum oc_err (*count_live)(struct store *s, int64_t account_id,
	    int64_t now_at, int64_t pending_at, int64_t *num);
	enum oc_err (*count_reserved)(struct store *s, int64_t account_id,
	    int64_t after_at, int64_t *num);
	enum oc_err (*add_token)(struct store *s,
	    const struct store_token *token, int64_t *id);
	enum oc_err (*set_token)(struct store *s,
	    const struct store_token *token);	/* revoked_at, used_at */
	enum oc_err (*find_token)(struct store *s, enum store_token_by by,
	    int64_t id, const char *prefix, struct store_token *token);
	enum oc_err (*list_tokens)(struct store *s, int64_t account_id,
	    store_token_fn *fn, void *arg);
	enum oc_err (*add_zone)(struct store *s,
	    const struct store_zone *zone, int64_t *id);
	enum oc_err (*set_zone_state)(struct store *s, int64_t id,
	    enum store_zone_state state);
	/* By id removed ones too, else not. */
	enum oc_err (*find_zone)(struct store *s, enum store_zone_by by,
	    int64_t id, const char *text, struct store_zone *zone);
	/* One of another account that lies inside the name. */
	enum oc_err (*find_zone_inside)(struct store *s, const char *name,
	    int64_t account_id, struct store_zone *zone);
	enum oc_err (*list_zones)(struct store *s, int64_t account_id,
	    store_zone_fn *fn, void *arg);

	enum oc_err (*add_request)(struct store *s, int64_t id,
	    const struct store_request *request, int64_t reserved_at);
	enum oc_err (*end_request)(struct store *s, int64_t id);
	enum oc_err (*find_key)(struct store *s,
	    const uint8_t key[STORE_HASH_LEN], struct store_key_row *row);
	enum oc_err (*get_request)(struct store *s, int64_t id,
	    struct store_request_row *row);
	enum oc_err (*get_asked)(struct store *s, int64_t id,
	    struct store_asked *asked);
	enum oc_err (*find_asked)(struct store *s, int64_t account_id,
	    const struct oc_serial *serial, struct store_asked *asked);
	enum oc_err (*list_asked)(struct store *s,
	    const struct store_asked_filter *filter, int64_t now_at,
	    store_asked_fn *fn, void *arg);
	enum oc_err (*count_asked)(struct store *s,
	    const struct store_asked_filter *filter, int64_t now_at,
	    int64_t *num);
	enum oc_err (*count_requests)(struct store *s, int64_t *num);

	/* Proofs, with their challenges but for add and set. */
	enum oc_err (*add_proof)(struct store *s,
	    const struct store_authorization *a, int64_t *id);
	enum oc_err (*set_proof)(struct store *s,
	    const struct store_authorization *a);
	enum oc_err (*add_challenge)(struct store *s,
	    const struct store_challenge *c, int64_t *id);
	enum oc_err (*set_challenge)(struct store *s,
	    const struct store_challenge *c);
	enum oc_err (*plan_challenge)(struct store *s, int64_t id,
	    int64_t next_try_at);
	enum oc_err (*find_proof)(struct store *s, enum store_proof_by by,
	    int64_t id, const char *text, struct store_authorization *a);
	/* VALID, newest first. */
	enum oc_err (*list_valid_proofs)(struct store *s, int64_t account_id,
	    const char *name, int64_t proved_from, store_challenge_fn *fn,
	    void *arg);
	enum oc_err (*list_due)(struct store *s, int64_t now_at,
	    int64_t until_at, uint32_t num_max, store_challenge_fn *fn,
	    void *arg);
	enum oc_err (*list_proofs)(struct store *s, int64_t account_id,
	    int64_t acme_account_id, const char *name, uint32_t num_max,
	    store_challenge_fn *fn, void *arg);
	enum oc_err (*count_pending)(struct store *s, int64_t account_id,
	    const char *name, int64_t now_at, int64_t *num);
	enum oc_err (*count_failed)(struct store *s, int64_t account_id,
	    const char *name, int64_t since_at, int64_t *num);
	/* By expires_at, from one to before another. */
	enum oc_err (*list_ended_proofs)(struct store *s, int64_t from_at,
	    int64_t before_at, uint32_t num_max, struct store_ended *ended,
	    uint32_t *num);
	enum oc_err (*remove_proof)(struct store *s, int64_t id);
	/* Of challenges whose proof ended before. */
	enum oc_err (*drop_plans)(struct store *s, int64_t before_at);

	enum oc_err (*add_eab_key)(struct store *s,
	    const struct store_eab_key *key, int64_t *id);
	enum oc_err (*set_eab_key)(struct store *s,
	    const struct store_eab_key *key);	/* hmac, revoked_at, used_at */
	enum oc_err (*find_eab_key)(struct store *s, enum store_eab_by by,
	    int64_t id, const char *kid, struct store_eab_key *key);
	enum oc_err (*list_eab_keys)(struct store *s, int64_t account_id,
	    store_eab_key_fn *fn, void *arg);
	enum oc_err (*add_acme_account)(struct store *s,
	    const struct store_acme_account *a, int64_t *id);
	enum oc_err (*set_acme_account)(struct store *s,
	    const struct store_acme_account *a);
	enum oc_err (*find_acme_account)(struct store *s,
	    enum store_acme_by by, int64_t id, const char *tag,
	    struct store_acme_account *a);
	/* A VALID one first. */
	enum oc_err (*find_acme_key)(struct store *s,
	    const uint8_t thumbprint[STORE_HASH_LEN],
	    struct store_acme_account *a);
	enum oc_err (*count_acme_accounts)(struct store *s,
	    int64_t account_id, int64_t since_at, int64_t *num);
	enum oc_err (*list_acme_accounts)(struct store *s, int64_t account_id,
	    store_acme_account_fn *fn, void *arg);

	enum oc_err (*add_order)(struct store *s,
	    const struct store_order *order, int64_t *id);
	enum oc_err (*set_order)(struct store *s,
	    const struct store_order_row *row);
	enum oc_err (*find_order)(struct store *s, enum store_order_by by,
	    int64_t id, const char *tag, struct store_order_row *row);
	/* Without authorizations. */
	enum oc_err (*list_orders)(struct store *s, int64_t acme_account_id,
	    int64_t before_id, uint32_t num_max, store_order_row_fn *fn,
	    void *arg);
	enum oc_err (*count_orders)(struct store *s, int64_t account_id,
	    int64_t since_at, int64_t *num);
	enum oc_err (*find_nth_order)(struct store *s, int64_t account_id,
	    const char *domain, int64_t since_at, int64_t num,
	    int64_t *made_at);
	/* Of those that have the proof, are PENDING or READY and whose id is
	 * above after_id, the first. */
	enum oc_err (*find_waiting_order)(struct store *s, int64_t proof_id,
	    int64_t after_id, struct store_order_row *row);
	/* Its authorizations that do not hold. */
	enum oc_err (*count_unproved)(struct store *s, int64_t order_id,
	    int64_t now_at, int64_t *num);
	enum oc_err (*count_replacing)(struct store *s,
	    int64_t certificate_id, int64_t now_at, int64_t *num);
	enum oc_err (*list_ended_orders)(struct store *s, int64_t before_at,
	    uint32_t num_max, struct store_ended *ended, uint32_t *num);
	enum oc_err (*remove_order)(struct store *s, int64_t id);

	enum oc_err (*backup)(struct store *s, const char *to);
	void (*say_risks)(struct store *s);
	enum oc_err (*expect_many)(struct store *s);
};

/* Sets store->error, with the store's path in front; returns err. */
enum oc_err store_fail(struct store *s, enum oc_err err,
    const char *format, ...) OC_PRINTF(3, 4);

/*
 * Changes nest: the outermost is a transaction, the inner ones savepoints.
 * end_change takes what happened since begin_change: OC_OK keeps it, an
 * error undoes it and is returned, or a worse one.  begin_change that failed
 * needs no end.
 */
enum oc_err store_begin_change(struct store *s) OC_MUST_CHECK;
enum oc_err store_end_change(struct store *s, enum oc_err err) OC_MUST_CHECK;

/* Inside a change the head is kept here, and undone with what is undone. */
enum oc_err store_read_head(struct store *s, struct store_head *head)
    OC_MUST_CHECK;
enum oc_err store_write_head(struct store *s, const struct store_head *head)
    OC_MUST_CHECK;

/* Inside a change. */
enum oc_err store_take_change_seq(struct store *s, int64_t *seq) OC_MUST_CHECK;
enum oc_err store_add_entry(struct store *s, const char *event,
    const char *detail) OC_MUST_CHECK;

/* LIMIT and MALFORMED for names, blobs and serials from outside. */
enum oc_err store_check_name(struct store *s, const char *what,
    const char *name) OC_MUST_CHECK;
enum oc_err store_check_blob(struct store *s, const char *what,
    struct store_blob blob, size_t len_max) OC_MUST_CHECK;
enum oc_err store_check_serial(struct store *s,
    const struct oc_serial *serial) OC_MUST_CHECK;

/* certificate.c's part of a reservation: *whole has "" for what is NULL in r;
 * the second one inside a change. */
enum oc_err store_check_reservation(struct store *s,
    const struct store_reservation *r, struct store_reservation *whole)
    OC_MUST_CHECK;
enum oc_err store_add_reservation(struct store *s,
    const struct store_reservation *r, int64_t *id) OC_MUST_CHECK;
void store_request_row_fini(struct store_request_row *row);

/* Inside a change: the key, if any, no longer stands for the certificate. */
enum oc_err store_end_request(struct store *s, int64_t id) OC_MUST_CHECK;
/* Inside a change: what is reserved, or issued, for an order. */
enum oc_err store_reserve_for_order(struct store *s, int64_t order_id,
    int64_t certificate_id, int64_t now_at) OC_MUST_CHECK;
enum oc_err store_issue_for_order(struct store *s, int64_t order_id,
    int64_t certificate_id) OC_MUST_CHECK;
/* Inside a change: what becomes of the orders that wait for a proof. */
enum oc_err store_ready_orders(struct store *s, int64_t proof_id,
    int64_t now_at) OC_MUST_CHECK;
enum oc_err store_fail_orders(struct store *s, int64_t proof_id,
    const char *problem) OC_MUST_CHECK;
/* One line of UTF-8, at most that long. */
enum oc_err store_check_line(struct store *s, const char *what,
    const char *text, size_t len_max) OC_MUST_CHECK;

/* A CRL's parts in order, and whether they are what its row says they are:
 * STORE if they are not. */
enum oc_err store_walk_crl(struct store *s, const struct store_crl_row *row,
    store_crl_part_fn *fn, void *arg) OC_MUST_CHECK;

/* 32 random hex digits. */
enum oc_err store_new_tag(struct store *s, char tag[STORE_TAG_LEN + 1])
    OC_MUST_CHECK;

/* Minutes since 2020 now; CONFIG when the clock is before 2020. */
enum oc_err store_epoch_now(uint32_t *epoch, struct oc_error *error)
    OC_MUST_CHECK;

#endif
