/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's statements, and what its errors mean to us. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"

static struct sqlite3 *
db_of(struct store *s)
{
	return ((struct sqlite_store *)s)->db;
}

static bool
says_out_of_space(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

/* What write(2) on the database or its log last failed with: COMMIT does not
 * pass it on. */
static int
file_errno(struct store *s, int which)
{
	sqlite3_file *file = NULL;
	int err = 0;

	if (sqlite3_file_control(db_of(s), "main", which, &file) !=
	    SQLITE_OK || file == NULL || file->pMethods == NULL ||
	    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO,
	    &err) != SQLITE_OK)
		return 0;
	return err;
}

/* A quota or RLIMIT_FSIZE is a full disk to whoever has to act on it; SQLite
 * calls only ENOSPC by that name. */
static bool
is_out_of_space(struct store *s, int rc)
{
	int primary = rc & 0xff;

	if (primary == SQLITE_FULL)
		return true;
	if (rc == SQLITE_IOERR_WRITE &&
	    (says_out_of_space(file_errno(s, SQLITE_FCNTL_FILE_POINTER)) ||
	    says_out_of_space(file_errno(s, SQLITE_FCNTL_JOURNAL_POINTER))))
		return true;
	return (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) &&
	    says_out_of_space(sqlite3_system_errno(db_of(s)));
}

static enum oc_err
constraint_error(struct store *s, int rc, const char *what)
{
	if (rc == SQLITE_CONSTRAINT_UNIQUE ||
	    rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	    rc == SQLITE_CONSTRAINT_ROWID)
		return store_fail(s, OC_ERR_EXISTS, "%s: exists already",
		    what);
	if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
		return store_fail(s, OC_ERR_NOT_FOUND,
		    "%s: there is no such record to refer to", what);
	return store_fail(s, OC_ERR_STORE, "%s: %s", what,
	    sqlite3_errmsg(db_of(s)));
}

enum oc_err
sql_error(struct store *s, int rc, const char *what)
{
	int timeout_ms = ((struct sqlite_store *)s)->busy_timeout_ms;

	if (is_out_of_space(s, rc))
		return store_fail(s, OC_ERR_NO_SPACE, "%s: the disk or quota "
		    "is full; nothing was written: free some space and try "
		    "again", what);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return store_fail(s, OC_ERR_BUSY, "%s: another process has "
		    "kept the database locked for over %d ms: try again",
		    what, timeout_ms);
	case SQLITE_NOMEM:
		return store_fail(s, OC_ERR_NOMEM, "%s: out of memory", what);
	case SQLITE_TOOBIG:
		return store_fail(s, OC_ERR_LIMIT, "%s: too large", what);
	case SQLITE_CONSTRAINT:
		return constraint_error(s, rc, what);
	case SQLITE_CORRUPT:
		return store_fail(s, OC_ERR_STORE, "%s: the file is damaged: "
		    "restore a backup (%s)", what, sqlite3_errmsg(db_of(s)));
	case SQLITE_NOTADB:
		return store_fail(s, OC_ERR_REFUSED, "this file is not a "
		    "store of ocsign: give another path");
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return store_fail(s, OC_ERR_STORE, "%s: may not write to the "
		    "file or its directory: check owner and mode (%s)", what,
		    sqlite3_errmsg(db_of(s)));
	}
	if (sqlite3_system_errno(db_of(s)) != 0 &&
	    ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN))
		return store_fail(s, OC_ERR_STORE, "%s: %s (%s)", what,
		    sqlite3_errmsg(db_of(s)),
		    strerror(sqlite3_system_errno(db_of(s))));
	return store_fail(s, OC_ERR_STORE, "%s: %s (SQLite %d)", what,
	    sqlite3_errmsg(db_of(s)), rc);
}

/* --- statements --------------------------------------------------------- */

static int
prepare(struct sql *q, unsigned int flags)
{
	return sqlite3_prepare_v3(db_of(q->store), q->text, -1, flags,
	    &q->statement, NULL);
}

static void
open_cached(struct sql *q)
{
	struct sqlite_store *db = (struct sqlite_store *)q->store;
	unsigned int n = db->num_statements;

	for (unsigned int i = 0; i < n; i++) {
		if (db->statements[i].text != q->text)
			continue;
		if (sqlite3_stmt_busy(db->statements[i].statement)) {
			q->use = SQL_ONCE;
			q->rc = prepare(q, 0);
			return;
		}
		q->statement = db->statements[i].statement;
		return;
	}
	oc_assert(n < SQLITE_STATEMENTS_MAX);
	q->rc = prepare(q, SQLITE_PREPARE_PERSISTENT);
	if (q->rc != SQLITE_OK)
		return;
	db->statements[n].text = q->text;
	db->statements[n].statement = q->statement;
	db->num_statements = n + 1;
}

static void
open_statement(struct sql *q)
{
	if (q->use == SQL_CACHED)
		open_cached(q);
	else
		q->rc = prepare(q, 0);
}

static void
put_int(struct sql *q, int64_t value)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_int64(q->statement, q->num_put, value);
}

static void
put_text(struct sql *q, const char *text)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_text(q->statement, q->num_put, text,
		    -1, SQLITE_STATIC);
}

static void
put_blob(struct sql *q, const void *bytes, size_t len)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_blob64(q->statement, q->num_put, bytes,
		    len, SQLITE_STATIC);
}

static void
put_null(struct sql *q)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_null(q->statement, q->num_put);
}

static enum oc_err
next_row(struct sql *q, bool *has_row)
{
	if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW)
		q->rc = sqlite3_step(q->statement);
	if (q->rc != SQLITE_ROW && q->rc != SQLITE_DONE)
		return sql_error(q->store, q->rc, q->what);
	*has_row = q->rc == SQLITE_ROW;
	return OC_OK;
}

static enum oc_err
run(struct sql *q)
{
	bool has_row = true;
	enum oc_err err = OC_OK;

	while (err == OC_OK && has_row)
		err = next_row(q, &has_row);
	return err;
}

static void
close_statement(struct sql *q)
{
	if (q->statement == NULL)
		return;
	if (q->use == SQL_CACHED) {
		sqlite3_reset(q->statement);
		sqlite3_clear_bindings(q->statement);
	} else {
		sqlite3_finalize(q->statement);
	}
	q->statement = NULL;
}

static enum oc_err
exec(struct store *s, const char *what, const char *text)
{
	int rc = sqlite3_exec(db_of(s), text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OC_OK : sql_error(s, rc, what);
}

static int64_t
last_id(struct store *s)
{
	return sqlite3_last_insert_rowid(db_of(s));
}

/* --- columns ------------------------------------------------------------ */

static int64_t
get_int(struct sql *q, int column)
{
	return sqlite3_column_int64(q->statement, column);
}

static bool
get_is_null(struct sql *q, int column)
{
	return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}

static const char *
get_text(struct sql *q, int column)
{
	return (const char *)sqlite3_column_text(q->statement, column);
}

static struct store_blob
get_blob(struct sql *q, int column)
{
	struct store_blob blob;

	blob.p = sqlite3_column_blob(q->statement, column);
	blob.len = (size_t)sqlite3_column_bytes(q->statement, column);
	return blob;
}

const struct sql_engine sqlite_engine = {
	.open = open_statement,
	.put_int = put_int,
	.put_text = put_text,
	.put_blob = put_blob,
	.put_null = put_null,
	.run = run,
	.next = next_row,
	.close = close_statement,
	.get_int = get_int,
	.get_is_null = get_is_null,
	.get_text = get_text,
	.get_blob = get_blob,
	.last_id = last_id,
	.exec = exec
};
