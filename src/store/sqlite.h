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
#include "store/sql.h"

struct sqlite3;

#define SQLITE_BUSY_TIMEOUT_MS 5000
#define SQLITE_STATEMENTS_MAX 160	/* all there are in sqlite*.c */

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

extern const struct sql_engine sqlite_engine;
/* What SQLite said, in our words. */
enum oc_err sql_error(struct store *s, int rc, const char *what);

#endif
