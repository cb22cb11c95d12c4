/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store: SQL that SQLite and PostgreSQL both run.  The sql_*.c have
 * the statements, each once; an engine (sqlite_sql.c, postgres_sql.c) says how
 * one is prepared, run and read.
 *
 * The dialect is SQLite's where the two differ only in words: parameters are
 * ? or ?1, an engine renames what it calls otherwise (store/postgres_text.h).
 * Who inserts a row says its id, the next after the highest: two databases
 * number alike, and a change that was undone leaves no gap.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "store/backend.h"

struct sqlite3_stmt;
struct postgres_cursor;

/* How often it is asked, and how much of it there may be. */
enum sql_use {
	SQL_CACHED,	/* prepared once a connection */
	SQL_ONCE,	/* not cached; a few rows */
	SQL_WALK	/* not cached; any number of rows, read as they come */
};

#define SQL_PARAMETERS_MAX 16

/* Not SQLite's, which keeps its own. */
struct sql_parameter {
	unsigned int type;
	const void *bytes;
	size_t len;
	uint8_t integer[8];
};

/*
 * One statement: prepared once a connection, its parameters put in order,
 * the first failure sticky.  text must be a constant: it is the cache's key.
 * what is for errors: "reserve".
 */
struct sql {
	struct store *store;
	const char *what;
	const char *text;		/* gone once open, if not cached */
	enum sql_use use;
	int num_put;
	int num_read;

	/* SQLite's. */
	struct sqlite3_stmt *statement;
	int rc;
	/* PostgreSQL's. */
	char *translated;		/* owned; of one that is not cached */
	bool gives_id;
	struct pg_result *result;
	int row;
	bool has_run;
	char cursor[16];		/* "": none */
	struct sql_parameter parameters[SQL_PARAMETERS_MAX];
};

/* What an array is of: PostgreSQL's numbers (pg_type.dat), for ever. */
enum sql_element { SQL_ELEMENT_BYTEA = 17, SQL_ELEMENT_INT8 = 20 };

/* What a database does of the below; column counts from 0. */
struct sql_engine {
	void (*open)(struct sql *q);
	void (*put_int)(struct sql *q, int64_t value);
	void (*put_text)(struct sql *q, const char *text);
	void (*put_blob)(struct sql *q, const void *bytes, size_t len);
	void (*put_null)(struct sql *q);
	/* NULL: it has no arrays.  bytes: as the database wants it. */
	void (*put_array)(struct sql *q, enum sql_element element,
	    const void *bytes, size_t len);
	/* One that gives no rows, may be put off: store_ops.settle() does it
	 * then, and whatever needs an answer. */
	enum oc_err (*run)(struct sql *q);
	enum oc_err (*next)(struct sql *q, bool *has_row);
	void (*close)(struct sql *q);
	int64_t (*get_int)(struct sql *q, int column);
	bool (*get_is_null)(struct sql *q, int column);
	const char *(*get_text)(struct sql *q, int column);
	struct store_blob (*get_blob)(struct sql *q, int column);
	int64_t (*last_id)(struct store *s);
	enum oc_err (*exec)(struct store *s, const char *what,
	    const char *text);
};

/* One that runs already, in a walk whose callback runs the same walk, is
 * prepared once more. */
void sql_open(struct sql *q, struct store *s, const char *what,
    const char *text);
/* Not cached: for what is asked seldom, and for text made as needed. */
void sql_open_once(struct sql *q, struct store *s, const char *what,
    const char *text);
/* The same for rows of which nobody knows how many there are. */
void sql_open_walk(struct sql *q, struct store *s, const char *what,
    const char *text);
/* What is put is borrowed until the first row was asked for. */
void sql_put_int(struct sql *q, int64_t value);
void sql_put_text(struct sql *q, const char *text);
void sql_put_blob(struct sql *q, const void *bytes, size_t len);
void sql_put_null(struct sql *q);
/* Only where share.h's questions are asked. */
void sql_put_array(struct sql *q, enum sql_element element,
    const void *bytes, size_t len);
/* Runs to the end and closes.  In a change its failure may be told by what
 * comes behind it, up to the end of that change. */
enum oc_err sql_run(struct sql *q) OC_MUST_CHECK;
/* The next row; false at the end.  Close afterwards, whatever it said. */
enum oc_err sql_next(struct sql *q, bool *has_row) OC_MUST_CHECK;
void sql_close(struct sql *q);

/* Columns of the row, in order.  Borrowed ones live until the next step. */
int64_t sql_get_int(struct sql *q);
bool sql_get_is_null(struct sql *q);	/* looks, does not move on */
const char *sql_get_text(struct sql *q);
struct store_blob sql_get_blob(struct sql *q);
void sql_get_text_fixed(struct sql *q, char *text, size_t room);
enum oc_err sql_get_hash(struct sql *q, uint8_t hash[STORE_HASH_LEN])
    OC_MUST_CHECK;
enum oc_err sql_get_serial(struct sql *q, struct oc_serial *serial)
    OC_MUST_CHECK;
/* Copies, for free(); NULL for NULL. */
enum oc_err sql_take_text(struct sql *q, char **text) OC_MUST_CHECK;
enum oc_err sql_take_blob(struct sql *q, uint8_t **bytes, size_t *len)
    OC_MUST_CHECK;

/* Statements without parameters, several in one text. */
enum oc_err sql_exec(struct store *s, const char *what, const char *text)
    OC_MUST_CHECK;
/* The first column of the first row. */
enum oc_err sql_read_int(struct store *s, const char *what, const char *text,
    int64_t *value) OC_MUST_CHECK;

/* Of the row inserted last; its statement ends in RETURNING id. */
int64_t sql_last_id(struct store *s);

/* The next row, whose first two columns say which store it is; those behind
 * are still to be read.  STORE: nothing does. */
enum oc_err sql_next_identity(struct sql *q, uint8_t id[STORE_ID_LEN],
    uint32_t *epoch) OC_MUST_CHECK;
/* Inside a change: s->id and s->epoch are the store's from now on.
 * replaced_id: of the store whose place it takes; may be NULL. */
enum oc_err sql_renew_identity(struct store *s,
    const uint8_t old_id[STORE_ID_LEN], const uint8_t *replaced_id)
    OC_MUST_CHECK;

/* The vtable's parts that are the same for both: a struct store_ops has them
 * by SQL_ROW_OPS. */
enum oc_err sql_find_issuer(struct store *s, const char *name,
    struct store_issuer *issuer, struct store_issuer_key *key);
enum oc_err sql_find_issuer_name(struct store *s, int64_t id,
    char name[OC_CONFIG_NAME_MAX + 1]);
enum oc_err sql_add_issuer(struct store *s, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN],
    int64_t *id);
enum oc_err sql_renew_issuer(struct store *s, int64_t id,
    struct store_blob certificate);

enum oc_err sql_add_certificate(struct store *s,
    const struct store_reservation *r, int64_t reserved_at,
    int64_t change_seq, int64_t *id);
enum oc_err sql_find_certificate(struct store *s, int64_t issuer_id,
    const struct oc_serial *serial, struct store_row *row);
enum oc_err sql_find_state(struct store *s, int64_t issuer_id,
    const struct oc_serial *serial, struct store_row *row);
enum oc_err sql_get_certificate(struct store *s, int64_t id,
    struct store_row *row);
enum oc_err sql_get_waiting(struct store *s, int64_t id,
    struct store_waiting *row);
enum oc_err sql_set_issued(struct store *s, int64_t id, int64_t issued_at,
    struct store_blob certificate);
enum oc_err sql_set_status(struct store *s, int64_t id,
    int64_t change_seq, const struct store_status *status);
enum oc_err sql_list_certificates(struct store *s,
    const struct store_filter *filter, int64_t now_at,
    store_certificate_fn *fn, void *arg);
enum oc_err sql_read_changes(struct store *s, int64_t after_seq,
    struct store_change *changes, uint32_t num_max, uint32_t *num);

enum oc_err sql_import_certificate(struct store *s,
    const struct store_import *import, int64_t change_seq, int64_t *id);
enum oc_err sql_complete_import(struct store *s, int64_t id,
    const struct store_import *import, int64_t change_seq);
enum oc_err sql_read_epoch(struct store *s, uint32_t *epoch);
enum oc_err sql_set_epoch(struct store *s, uint32_t epoch);

enum oc_err sql_take_crl_counter(struct store *s, int64_t issuer_id,
    uint32_t *counter);
enum oc_err sql_add_crl(struct store *s, const struct store_crl_row *row,
    int64_t *id);
enum oc_err sql_get_crl(struct store *s, int64_t id,
    struct store_crl_row *row);
enum oc_err sql_set_crl_issued(struct store *s, int64_t id,
    int64_t issued_at, uint64_t crl_len, int64_t num_entries);
enum oc_err sql_find_crl(struct store *s,
    const struct store_crl_scope *scope, struct store_crl_row *row);
enum oc_err sql_find_reserved_crl(struct store *s,
    const struct store_crl_scope *scope, struct store_crl_row *row);
enum oc_err sql_find_crl_base(struct store *s,
    const struct store_crl_scope *scope, const char *point, int64_t now_at,
    struct store_crl_row *row);
enum oc_err sql_add_crl_part(struct store *s, int64_t id, uint32_t number,
    struct store_blob part);
enum oc_err sql_list_crl_parts(struct store *s, int64_t id,
    store_crl_part_fn *fn, void *arg);
enum oc_err sql_list_revoked(struct store *s,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg);
enum oc_err sql_list_released(struct store *s,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg);
enum oc_err sql_find_status_change(struct store *s,
    const struct store_revoked_filter *filter, bool *is_there);
enum oc_err sql_list_touched(struct store *s, int64_t issuer_id,
    int64_t after_seq, int64_t upto_seq, store_touched_fn *fn, void *arg);
enum oc_err sql_find_last_partition(struct store *s, int64_t issuer_id,
    uint32_t *partition);

enum oc_err sql_add_account(struct store *s,
    const struct store_account *account, int64_t *id);
enum oc_err sql_set_account(struct store *s,
    const struct store_account *account);
enum oc_err sql_find_account(struct store *s, enum store_account_by by,
    int64_t id, const char *text, struct store_account *account);
enum oc_err sql_list_accounts(struct store *s, store_account_fn *fn,
    void *arg);
enum oc_err sql_count_live(struct store *s, int64_t account_id,
    int64_t now_at, int64_t pending_at, int64_t *num);
enum oc_err sql_count_reserved(struct store *s, int64_t account_id,
    int64_t after_at, int64_t *num);
enum oc_err sql_add_token(struct store *s,
    const struct store_token *token, int64_t *id);
enum oc_err sql_set_token(struct store *s,
    const struct store_token *token);
enum oc_err sql_find_token(struct store *s, enum store_token_by by,
    int64_t id, const char *prefix, struct store_token *token);
enum oc_err sql_list_tokens(struct store *s, int64_t account_id,
    store_token_fn *fn, void *arg);
enum oc_err sql_add_zone(struct store *s, const struct store_zone *zone,
    int64_t *id);
enum oc_err sql_set_zone_state(struct store *s, int64_t id,
    enum store_zone_state state);
enum oc_err sql_find_zone(struct store *s, enum store_zone_by by,
    int64_t id, const char *text, struct store_zone *zone);
enum oc_err sql_find_zone_inside(struct store *s, const char *name,
    int64_t account_id, struct store_zone *zone);
enum oc_err sql_list_zones(struct store *s, int64_t account_id,
    store_zone_fn *fn, void *arg);

enum oc_err sql_add_request(struct store *s, int64_t id,
    const struct store_request *request, int64_t reserved_at);
enum oc_err sql_end_request(struct store *s, int64_t id);
enum oc_err sql_find_key(struct store *s,
    const uint8_t key[STORE_HASH_LEN], struct store_key_row *row);
enum oc_err sql_get_request(struct store *s, int64_t id,
    struct store_request_row *row);
enum oc_err sql_get_asked(struct store *s, int64_t id,
    struct store_asked *asked);
enum oc_err sql_find_asked(struct store *s, int64_t account_id,
    const struct oc_serial *serial, struct store_asked *asked);
enum oc_err sql_list_asked(struct store *s,
    const struct store_asked_filter *filter, int64_t now_at,
    store_asked_fn *fn, void *arg);
enum oc_err sql_count_asked(struct store *s,
    const struct store_asked_filter *filter, int64_t now_at, int64_t *num);
enum oc_err sql_count_requests(struct store *s, int64_t *num);

enum oc_err sql_add_proof(struct store *s, const struct store_authorization *a,
    int64_t *id);
enum oc_err sql_set_proof(struct store *s, const struct store_authorization
    *a);
enum oc_err sql_add_challenge(struct store *s, const struct store_challenge *c,
    int64_t *id);
enum oc_err sql_set_challenge(struct store *s, const struct store_challenge
    *c);
enum oc_err sql_plan_challenge(struct store *s, int64_t id, int64_t
    next_try_at);
enum oc_err sql_find_proof(struct store *s, enum store_proof_by by, int64_t id,
    const char *text, struct store_authorization *a);
enum oc_err sql_list_valid_proofs(struct store *s, int64_t account_id, const
    char *name, int64_t proved_from, store_challenge_fn *fn, void *arg);
enum oc_err sql_list_due(struct store *s, int64_t now_at, int64_t until_at,
    uint32_t num_max, store_challenge_fn *fn, void *arg);
enum oc_err sql_list_proofs(struct store *s, int64_t account_id, int64_t
    acme_account_id, const char *name, uint32_t num_max, store_challenge_fn
    *fn, void *arg);
enum oc_err sql_count_pending(struct store *s, int64_t account_id, const char
    *name, int64_t now_at, int64_t *num);
enum oc_err sql_count_failed(struct store *s, int64_t account_id, const char
    *name, int64_t since_at, int64_t *num);
enum oc_err sql_list_ended_proofs(struct store *s, int64_t from_at, int64_t
    before_at, uint32_t num_max, struct store_ended *ended, uint32_t *num);
enum oc_err sql_remove_proof(struct store *s, int64_t id);
enum oc_err sql_drop_plans(struct store *s, int64_t before_at);
enum oc_err sql_add_eab_key(struct store *s, const struct store_eab_key *key,
    int64_t *id);
enum oc_err sql_set_eab_key(struct store *s, const struct store_eab_key *key);
enum oc_err sql_find_eab_key(struct store *s, enum store_eab_by by, int64_t id,
    const char *kid, struct store_eab_key *key);
enum oc_err sql_list_eab_keys(struct store *s, int64_t account_id,
    store_eab_key_fn *fn, void *arg);
enum oc_err sql_add_acme_account(struct store *s, const struct
    store_acme_account *a, int64_t *id);
enum oc_err sql_set_acme_account(struct store *s, const struct
    store_acme_account *a);
enum oc_err sql_find_acme_account(struct store *s, enum store_acme_by by,
    int64_t id, const char *tag, struct store_acme_account *a);
enum oc_err sql_find_acme_key(struct store *s, const uint8_t
    thumbprint[STORE_HASH_LEN], struct store_acme_account *a);
enum oc_err sql_count_acme_accounts(struct store *s, int64_t account_id,
    int64_t since_at, int64_t *num);
enum oc_err sql_list_acme_accounts(struct store *s, int64_t account_id,
    store_acme_account_fn *fn, void *arg);
enum oc_err sql_add_order(struct store *s, const struct store_order *order,
    int64_t *id);
enum oc_err sql_set_order(struct store *s, const struct store_order_row *row);
enum oc_err sql_find_order(struct store *s, enum store_order_by by, int64_t id,
    const char *tag, struct store_order_row *row);
enum oc_err sql_list_orders(struct store *s, int64_t acme_account_id, int64_t
    before_id, uint32_t num_max, store_order_row_fn *fn, void *arg);
enum oc_err sql_count_orders(struct store *s, int64_t account_id, int64_t
    since_at, int64_t *num);
enum oc_err sql_find_nth_order(struct store *s, int64_t account_id, const char
    *domain, int64_t since_at, int64_t num, int64_t *made_at);
enum oc_err sql_find_waiting_order(struct store *s, int64_t proof_id, int64_t
    after_id, struct store_order_row *row);
enum oc_err sql_count_unproved(struct store *s, int64_t order_id, int64_t
    now_at, int64_t *num);
enum oc_err sql_count_replacing(struct store *s, int64_t certificate_id,
    int64_t now_at, int64_t *num);
enum oc_err sql_list_ended_orders(struct store *s, int64_t before_at, uint32_t
    num_max, struct store_ended *ended, uint32_t *num);
enum oc_err sql_remove_order(struct store *s, int64_t id);

enum oc_err sql_read_head(struct store *s, struct store_head *head);
enum oc_err sql_write_head(struct store *s, const struct store_head *head);
enum oc_err sql_add_entry(struct store *s,
    const struct store_entry *entry);
enum oc_err sql_list_entries(struct store *s, int64_t after_number,
    store_entry_fn *fn, void *arg);
enum oc_err sql_find_id_max(struct store *s, enum store_table table,
    int64_t *id_max);

#define SQL_ROW_OPS \
	.find_issuer = sql_find_issuer, \
	.find_issuer_name = sql_find_issuer_name, \
	.add_issuer = sql_add_issuer, \
	.renew_issuer = sql_renew_issuer, \
	.add_certificate = sql_add_certificate, \
	.find_certificate = sql_find_certificate, \
	.find_state = sql_find_state, \
	.get_certificate = sql_get_certificate, \
	.get_waiting = sql_get_waiting, \
	.set_issued = sql_set_issued, \
	.set_status = sql_set_status, \
	.list_certificates = sql_list_certificates, \
	.list_revoked = sql_list_revoked, \
	.list_released = sql_list_released, \
	.find_status_change = sql_find_status_change, \
	.find_last_partition = sql_find_last_partition, \
	.read_changes = sql_read_changes, \
	.import_certificate = sql_import_certificate, \
	.complete_import = sql_complete_import, \
	.read_epoch = sql_read_epoch, \
	.set_epoch = sql_set_epoch, \
	.take_crl_counter = sql_take_crl_counter, \
	.add_crl = sql_add_crl, \
	.get_crl = sql_get_crl, \
	.set_crl_issued = sql_set_crl_issued, \
	.add_crl_part = sql_add_crl_part, \
	.list_crl_parts = sql_list_crl_parts, \
	.find_crl = sql_find_crl, \
	.find_reserved_crl = sql_find_reserved_crl, \
	.find_crl_base = sql_find_crl_base, \
	.list_touched = sql_list_touched, \
	.add_account = sql_add_account, \
	.set_account = sql_set_account, \
	.find_account = sql_find_account, \
	.list_accounts = sql_list_accounts, \
	.count_live = sql_count_live, \
	.count_reserved = sql_count_reserved, \
	.add_token = sql_add_token, \
	.set_token = sql_set_token, \
	.find_token = sql_find_token, \
	.list_tokens = sql_list_tokens, \
	.add_zone = sql_add_zone, \
	.set_zone_state = sql_set_zone_state, \
	.find_zone = sql_find_zone, \
	.find_zone_inside = sql_find_zone_inside, \
	.list_zones = sql_list_zones, \
	.add_request = sql_add_request, \
	.end_request = sql_end_request, \
	.find_key = sql_find_key, \
	.get_request = sql_get_request, \
	.get_asked = sql_get_asked, \
	.find_asked = sql_find_asked, \
	.list_asked = sql_list_asked, \
	.count_asked = sql_count_asked, \
	.count_requests = sql_count_requests, \
	.add_proof = sql_add_proof, \
	.set_proof = sql_set_proof, \
	.add_challenge = sql_add_challenge, \
	.set_challenge = sql_set_challenge, \
	.plan_challenge = sql_plan_challenge, \
	.find_proof = sql_find_proof, \
	.list_valid_proofs = sql_list_valid_proofs, \
	.list_due = sql_list_due, \
	.list_proofs = sql_list_proofs, \
	.count_pending = sql_count_pending, \
	.count_failed = sql_count_failed, \
	.list_ended_proofs = sql_list_ended_proofs, \
	.remove_proof = sql_remove_proof, \
	.drop_plans = sql_drop_plans, \
	.add_eab_key = sql_add_eab_key, \
	.set_eab_key = sql_set_eab_key, \
	.find_eab_key = sql_find_eab_key, \
	.list_eab_keys = sql_list_eab_keys, \
	.add_acme_account = sql_add_acme_account, \
	.set_acme_account = sql_set_acme_account, \
	.find_acme_account = sql_find_acme_account, \
	.find_acme_key = sql_find_acme_key, \
	.count_acme_accounts = sql_count_acme_accounts, \
	.list_acme_accounts = sql_list_acme_accounts, \
	.add_order = sql_add_order, \
	.set_order = sql_set_order, \
	.find_order = sql_find_order, \
	.list_orders = sql_list_orders, \
	.count_orders = sql_count_orders, \
	.find_nth_order = sql_find_nth_order, \
	.find_waiting_order = sql_find_waiting_order, \
	.count_unproved = sql_count_unproved, \
	.count_replacing = sql_count_replacing, \
	.list_ended_orders = sql_list_ended_orders, \
	.remove_order = sql_remove_order, \
	.add_entry = sql_add_entry, \
	.list_entries = sql_list_entries, \
	.find_id_max = sql_find_id_max

#endif
