/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in a PostgreSQL database: what the postgres*.c share.
 *
 * Whoever changes anything first locks the one row of "store", so that
 * change_seq and journal numbers ascend in the order in which commits become
 * visible: a reader that sees one sees all before it, and may simply read on
 * from there.
 *
 * A connection that was lost is made again where no transaction is open.  One
 * that was lost in COMMIT is asked about: the journal's entry of that change
 * is there or not.  A server that no longer has what this connection saw
 * committed is refused: it has lost it.
 */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store/backend.h"
#include "store/schema.h"
#include "store/sql.h"

struct pg_conn;
struct pg_result;

/* Which store it is.  A table that was put back from a copy is another one to
 * the database, which tells before a person does. */
struct postgres_identity {
	uint8_t id[STORE_ID_LEN];
	uint32_t epoch;
	int64_t relation;		/* of the table "store" */
};

#define POSTGRES_STATEMENTS_MAX 160	/* all there are in sql_*.c */
/* For a statement of a change, or its commit; for what only reads there is
 * store_set_read_timeout(), and else the network's own limits. */
#define POSTGRES_CHANGE_WAIT_S 30
/* For whatever who shares responses asks: it can do without. */
#define POSTGRES_SHARE_WAIT_S 5

struct postgres_store {
	struct store base;		/* base.path says which database */
	char *conninfo;			/* owned; never in an error or log;
					 * maybe with a password's source */
	const struct store_schema *schema;
	struct pg_conn *db;		/* NULL: lost */
	int busy_timeout_ms;
	bool prefers_primary;		/* a reader that was told nothing */
	int64_t connected_ns;
	bool is_open;			/* it was once: identity holds */
	struct postgres_identity identity;
	bool in_transaction;
	bool in_change;			/* and that is to be in time */
	bool is_making;			/* there is no row to lock yet */
	bool has_warned;		/* the server, since this was reset */
	unsigned int num_walks;		/* cursors that are open */
	unsigned int num_cursors;	/* that there were: their names */
	bool is_walk_own;		/* the transaction is the first's */
	int64_t last_id;
	/* What the open change has written, and what is known to be
	 * committed; journal_number 0: nothing. */
	struct store_head written, seen;
	struct store_head locked;	/* as it was when it began */
	/* store_data_version(). */
	bool is_listening, has_news;
	int64_t version, version_ns;
	unsigned int num_statements;
	struct {
		const char *text;	/* compared by address */
		char *translated;	/* owned */
		bool is_prepared;	/* on this connection */
	} statements[POSTGRES_STATEMENTS_MAX];
};

extern const struct sql_engine postgres_engine;

/* store_open() with another schema: what tests migrate with. */
enum oc_err store_postgres_open(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, struct store **store,
    struct oc_error *error) OC_MUST_CHECK;
/* store_renew(). */
enum oc_err store_postgres_renew(const char *conninfo,
    const struct store_schema *schema, struct oc_error *error) OC_MUST_CHECK;

/* Whether a store that was put here from a copy is to be refused. */
enum postgres_place { POSTGRES_HOME, POSTGRES_ANYWHERE };

enum oc_err postgres_store_open(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, enum postgres_place place,
    struct postgres_store **q, struct oc_error *error) OC_MUST_CHECK;

/* --- the connection: postgres_connect.c --------------------------------- */

/* CONFIG for a string that is none or has a password in it. */
enum oc_err postgres_store_new(const char *conninfo, enum store_mode mode,
    const struct store_schema *schema, struct postgres_store **q,
    struct oc_error *error) OC_MUST_CHECK;
void postgres_store_free(struct postgres_store *q);
/* One try, DOWN if nobody is there. */
enum oc_err postgres_connect(struct postgres_store *q) OC_MUST_CHECK;
/* As long as the busy timeout, and only outside a transaction: there is a
 * connection, to the same store as before. */
enum oc_err postgres_ensure(struct postgres_store *q) OC_MUST_CHECK;
/* For want of a primary a replica is read, and it is time to look for one. */
bool postgres_is_makeshift(const struct postgres_store *q);
/* The connection is no more; nothing of it is. */
void postgres_drop(struct postgres_store *q);
/* Of this store among all that the database's sessions lock. */
int64_t postgres_lock_class(const struct postgres_store *q);
/* Takes a run of its own, the same as before if it had one. */
enum oc_err postgres_take_run(struct postgres_store *q) OC_MUST_CHECK;

/* --- statements: postgres_sql.c ----------------------------------------- */

/*
 * One text of the server's own words, without parameters; *result may be
 * NULL.  A connection that is lost meanwhile is dropped, and that is BUSY.
 */
enum oc_err postgres_run(struct postgres_store *q, const char *what,
    const char *text, struct pg_result **result) OC_MUST_CHECK;
/* Sent now, answered with what comes next: errors are that one's. */
enum oc_err postgres_put_off(struct postgres_store *q, const char *text)
    OC_MUST_CHECK;
/* The answers to what was put off: the first error. */
enum oc_err postgres_settle(struct postgres_store *q) OC_MUST_CHECK;
/* What the server said, in our words; the result is cleared. */
enum oc_err postgres_error(struct postgres_store *q, struct pg_result *result,
    const char *what);
/* --- transactions: postgres_change.c ------------------------------------ */

enum oc_err postgres_begin_change(struct store *s) OC_MUST_CHECK;
enum oc_err postgres_begin_read(struct store *s) OC_MUST_CHECK;
enum oc_err postgres_commit(struct store *s) OC_MUST_CHECK;
void postgres_rollback(struct store *s);
enum oc_err postgres_read_head(struct store *s, struct store_head *head)
    OC_MUST_CHECK;
enum oc_err postgres_write_head(struct store *s,
    const struct store_head *head) OC_MUST_CHECK;

/* --- the store in the database: postgres_create.c ----------------------- */

/* NOT_FOUND if there is none, REFUSED if it is somebody else's, UNSUPPORTED
 * if it is newer; *is_home: it was made here, or said to be, and not put in
 * place from a copy. */
enum oc_err postgres_check(struct postgres_store *q, int *version,
    bool *is_home) OC_MUST_CHECK;
/* Inside a change: from now on it is. */
enum oc_err postgres_make_home(struct postgres_store *q) OC_MUST_CHECK;
enum oc_err postgres_create(struct postgres_store *q) OC_MUST_CHECK;
enum oc_err postgres_migrate(struct postgres_store *q, int version)
    OC_MUST_CHECK;
/* Reads which it is, and how far, in one look. */
enum oc_err postgres_identify(struct postgres_store *q,
    struct postgres_identity *identity, struct store_head *head)
    OC_MUST_CHECK;
/* The same, which must be the same as when it was opened, and have all that
 * was seen.  REFUSED, STORE: the connection is dropped. */
enum oc_err postgres_recognize(struct postgres_store *q,
    struct store_head *head) OC_MUST_CHECK;

#endif
