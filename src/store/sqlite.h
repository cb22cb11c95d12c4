/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in an SQLite file: what the sqlite*.c share.  WAL, synchronous
 * FULL; one write lock, taken at the start of a change (BEGIN IMMEDIATE), so
 * change_seq and journal numbers ascend in the order of commits.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/backend.h"
#include "store/schema.h"

struct sqlite3;
struct sqlite3_stmt;

#define SQLITE_BUSY_TIMEOUT_MS 5000
#define SQLITE_STATEMENTS_MAX 96	/* all there are in sqlite*.c */

struct sqlite_store {
	struct store base;
	char *file;			/* what is open: base.path, or a
					 * temporary beside it; owned */
	struct sqlite3 *db;
	int lock_fd;			/* -1: none */
	int busy_timeout_ms;
	unsigned int num_statements;
	struct {
		const char *text;	/* compared by address */
		struct sqlite3_stmt *statement;
	} statements[SQLITE_STATEMENTS_MAX];
};

/* store_open() with another schema: what tests migrate with. */
enum oc_err store_sqlite_open(const char *path, enum store_mode mode,
    const struct store_schema *schema, struct store **store,
    struct oc_error *error) OC_MUST_CHECK;
enum oc_err store_sqlite_restore(const char *from, const char *to,
    const struct store_schema *schema, struct oc_error *error) OC_MUST_CHECK;

/*
 * Opening, step by step.  new() copies path and file (NULL: the same);
 * connect() opens the file, which must be there, and sets what every
 * connection needs; free() closes everything.
 */
enum oc_err sqlite_store_new(const char *path, const char *file,
    enum store_mode mode, struct sqlite_store **q, struct oc_error *error)
    OC_MUST_CHECK;
enum oc_err sqlite_store_connect(struct sqlite_store *q) OC_MUST_CHECK;
void sqlite_store_free(struct sqlite_store *q);

/* REFUSED if the file is not ours, UNSUPPORTED if it is newer. */
enum oc_err sqlite_store_check(struct sqlite_store *q,
    const struct store_schema *schema, int *version) OC_MUST_CHECK;
enum oc_err sqlite_store_migrate(struct sqlite_store *q,
    const struct store_schema *schema, int version) OC_MUST_CHECK;
/* A whole new store at q's path, or none; EXISTS if somebody was faster. */
enum oc_err sqlite_store_create(const char *path,
    const struct store_schema *schema, struct oc_error *error) OC_MUST_CHECK;
/* Reads id and epoch. */
enum oc_err sqlite_store_identify(struct sqlite_store *q, bool *is_backup)
    OC_MUST_CHECK;
/* "wal" or "delete". */
enum oc_err sqlite_store_set_journal_mode(struct sqlite_store *q,
    const char *mode) OC_MUST_CHECK;
/* q's own text into *error; returns err. */
enum oc_err sqlite_store_report(struct sqlite_store *q, enum oc_err err,
    struct oc_error *error);

/* All of it from one file to another, as of one moment. */
enum oc_err sqlite_store_copy(struct sqlite_store *from,
    struct sqlite_store *to) OC_MUST_CHECK;
enum oc_err sqlite_backup(struct store *s, const char *to) OC_MUST_CHECK;

/* PATH.XXXXXX, 0600, empty, closed; *file is for free(). */
enum oc_err sqlite_temporary_create(const char *path, char **file,
    struct oc_error *error) OC_MUST_CHECK;
/* Removes it and what SQLite may have left beside it, and frees the name. */
void sqlite_temporary_remove(char *file);
/* Reaches the disk: the file, and the name it has. */
enum oc_err sqlite_file_sync(const char *path, struct oc_error *error)
    OC_MUST_CHECK;
enum oc_err sqlite_directory_sync(const char *path, struct oc_error *error)
    OC_MUST_CHECK;

/*
 * One statement: prepared once a connection, its parameters put in order,
 * the first failure sticky.  text must be a constant: it is the cache's key.
 * what is for errors: "reserve".
 */
struct sql {
	struct store *store;
	struct sqlite3_stmt *statement;
	const char *what;
	int rc;
	int num_put;
	int num_read;
	bool is_cached;
};

/* One that runs already, in a walk whose callback runs the same walk, is
 * prepared once more. */
void sql_open(struct sql *q, struct store *s, const char *what,
    const char *text);
/* Not cached: for what is asked seldom, and for text made as needed. */
void sql_open_once(struct sql *q, struct store *s, const char *what,
    const char *text);
void sql_put_int(struct sql *q, int64_t value);
void sql_put_text(struct sql *q, const char *text);
void sql_put_blob(struct sql *q, const void *bytes, size_t len);
void sql_put_null(struct sql *q);
/* Runs to the end and closes. */
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

/* Of the row inserted last. */
int64_t sql_last_id(struct store *s);

/* What SQLite said, in our words. */
enum oc_err sql_error(struct store *s, int rc, const char *what);

/* The vtable's parts, in the other sqlite_*.c. */
enum oc_err sqlite_find_issuer(struct store *s, const char *name,
    struct store_issuer *issuer, struct store_issuer_key *key);
enum oc_err sqlite_find_issuer_name(struct store *s, int64_t id,
    char name[OC_CONFIG_NAME_MAX + 1]);
enum oc_err sqlite_add_issuer(struct store *s, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN],
    int64_t *id);
enum oc_err sqlite_renew_issuer(struct store *s, int64_t id,
    struct store_blob certificate);

enum oc_err sqlite_add_certificate(struct store *s,
    const struct store_reservation *r, int64_t reserved_at,
    int64_t change_seq, int64_t *id);
enum oc_err sqlite_find_certificate(struct store *s, int64_t issuer_id,
    const struct oc_serial *serial, struct store_row *row);
enum oc_err sqlite_get_certificate(struct store *s, int64_t id,
    struct store_row *row);
enum oc_err sqlite_get_waiting(struct store *s, int64_t id,
    struct store_waiting *row);
enum oc_err sqlite_set_issued(struct store *s, int64_t id, int64_t issued_at,
    struct store_blob certificate);
enum oc_err sqlite_set_status(struct store *s, int64_t id,
    int64_t change_seq, const struct store_status *status);
enum oc_err sqlite_list_certificates(struct store *s,
    const struct store_filter *filter, int64_t now_at,
    store_certificate_fn *fn, void *arg);
enum oc_err sqlite_list_revoked(struct store *s, int64_t issuer_id,
    int64_t not_after_min, store_certificate_fn *fn, void *arg);
enum oc_err sqlite_read_changes(struct store *s, int64_t after_seq,
    struct store_change *changes, uint32_t num_max, uint32_t *num);

enum oc_err sqlite_import_certificate(struct store *s,
    const struct store_import *import, int64_t change_seq, int64_t *id);
enum oc_err sqlite_complete_import(struct store *s, int64_t id,
    const struct store_import *import, int64_t change_seq);
enum oc_err sqlite_read_epoch(struct store *s, uint32_t *epoch);
enum oc_err sqlite_set_epoch(struct store *s, uint32_t epoch);

enum oc_err sqlite_take_crl_counter(struct store *s, int64_t issuer_id,
    uint32_t *counter);
enum oc_err sqlite_add_crl(struct store *s, int64_t issuer_id,
    uint64_t number, int64_t this_update, int64_t next_update,
    int64_t reserved_at, int64_t *id);
enum oc_err sqlite_get_crl(struct store *s, int64_t id,
    struct store_crl_row *row);
enum oc_err sqlite_set_crl_issued(struct store *s, int64_t id,
    int64_t issued_at, struct store_blob crl);
enum oc_err sqlite_find_crl(struct store *s, int64_t issuer_id,
    struct store_crl *crl);
enum oc_err sqlite_find_crl_times(struct store *s, int64_t issuer_id,
    struct store_crl *crl);

enum oc_err sqlite_add_account(struct store *s,
    const struct store_account *account, int64_t *id);
enum oc_err sqlite_set_account(struct store *s,
    const struct store_account *account);
enum oc_err sqlite_find_account(struct store *s, enum store_account_by by,
    int64_t id, const char *text, struct store_account *account);
enum oc_err sqlite_list_accounts(struct store *s, store_account_fn *fn,
    void *arg);
enum oc_err sqlite_count_live(struct store *s, int64_t account_id,
    int64_t now_at, int64_t pending_at, int64_t *num);
enum oc_err sqlite_count_reserved(struct store *s, int64_t account_id,
    int64_t after_at, int64_t *num);
enum oc_err sqlite_add_token(struct store *s,
    const struct store_token *token, int64_t *id);
enum oc_err sqlite_set_token(struct store *s,
    const struct store_token *token);
enum oc_err sqlite_find_token(struct store *s, enum store_token_by by,
    int64_t id, const char *prefix, struct store_token *token);
enum oc_err sqlite_list_tokens(struct store *s, int64_t account_id,
    store_token_fn *fn, void *arg);
enum oc_err sqlite_add_zone(struct store *s, const struct store_zone *zone,
    int64_t *id);
enum oc_err sqlite_set_zone_state(struct store *s, int64_t id,
    enum store_zone_state state);
enum oc_err sqlite_find_zone(struct store *s, enum store_zone_by by,
    int64_t id, const char *text, struct store_zone *zone);
enum oc_err sqlite_find_zone_inside(struct store *s, const char *name,
    int64_t account_id, struct store_zone *zone);
enum oc_err sqlite_list_zones(struct store *s, int64_t account_id,
    store_zone_fn *fn, void *arg);

enum oc_err sqlite_add_request(struct store *s, int64_t id,
    const struct store_request *request, int64_t reserved_at);
enum oc_err sqlite_end_request(struct store *s, int64_t id);
enum oc_err sqlite_find_key(struct store *s,
    const uint8_t key[STORE_HASH_LEN], struct store_key_row *row);
enum oc_err sqlite_get_request(struct store *s, int64_t id,
    struct store_request_row *row);
enum oc_err sqlite_get_asked(struct store *s, int64_t id,
    struct store_asked *asked);
enum oc_err sqlite_find_asked(struct store *s, int64_t account_id,
    const struct oc_serial *serial, struct store_asked *asked);
enum oc_err sqlite_list_asked(struct store *s,
    const struct store_asked_filter *filter, int64_t now_at,
    store_asked_fn *fn, void *arg);
enum oc_err sqlite_count_asked(struct store *s,
    const struct store_asked_filter *filter, int64_t now_at, int64_t *num);
enum oc_err sqlite_count_requests(struct store *s, int64_t *num);

enum oc_err sqlite_read_head(struct store *s, struct store_head *head);
enum oc_err sqlite_write_head(struct store *s, const struct store_head *head);
enum oc_err sqlite_add_entry(struct store *s,
    const struct store_entry *entry);
enum oc_err sqlite_list_entries(struct store *s, int64_t after_number,
    store_entry_fn *fn, void *arg);
enum oc_err sqlite_find_id_max(struct store *s, enum store_table table,
    int64_t *id_max);

#endif
