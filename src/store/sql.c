/* SPDX-License-Identifier: Apache-2.0 */
/* One SQL statement at a time, and what SQLite's errors mean to us. */
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

void
sql_open_once(struct sql *q, struct store *s, const char *what,
    const char *text)
{
	*q = (struct sql){ .store = s, .what = what };
	q->rc = sqlite3_prepare_v2(db_of(s), text, -1, &q->statement, NULL);
}

void
sql_open(struct sql *q, struct store *s, const char *what, const char *text)
{
	struct sqlite_store *db = (struct sqlite_store *)s;
	unsigned int n = db->num_statements;

	*q = (struct sql){ .store = s, .what = what, .is_cached = true };
	for (unsigned int i = 0; i < n; i++) {
		if (db->statements[i].text != text)
			continue;
		if (sqlite3_stmt_busy(db->statements[i].statement)) {
			sql_open_once(q, s, what, text);
			return;
		}
		q->statement = db->statements[i].statement;
		return;
	}
	oc_assert(n < SQLITE_STATEMENTS_MAX);
	q->rc = sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT,
	    &q->statement, NULL);
	if (q->rc != SQLITE_OK)
		return;
	db->statements[n].text = text;
	db->statements[n].statement = q->statement;
	db->num_statements = n + 1;
}

void
sql_put_int(struct sql *q, int64_t value)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_int64(q->statement, ++q->num_put, value);
}

void
sql_put_text(struct sql *q, const char *text)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_text(q->statement, ++q->num_put, text,
		    -1, SQLITE_STATIC);
}

void
sql_put_blob(struct sql *q, const void *bytes, size_t len)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_blob64(q->statement, ++q->num_put, bytes,
		    len, SQLITE_STATIC);
}

void
sql_put_null(struct sql *q)
{
	if (q->rc == SQLITE_OK)
		q->rc = sqlite3_bind_null(q->statement, ++q->num_put);
}

enum oc_err
sql_next(struct sql *q, bool *has_row)
{
	if (q->rc == SQLITE_OK || q->rc == SQLITE_ROW)
		q->rc = sqlite3_step(q->statement);
	q->num_read = 0;
	if (q->rc != SQLITE_ROW && q->rc != SQLITE_DONE)
		return sql_error(q->store, q->rc, q->what);
	*has_row = q->rc == SQLITE_ROW;
	return OC_OK;
}

void
sql_close(struct sql *q)
{
	if (q->statement == NULL)
		return;
	if (q->is_cached) {
		sqlite3_reset(q->statement);
		sqlite3_clear_bindings(q->statement);
	} else {
		sqlite3_finalize(q->statement);
	}
	q->statement = NULL;
}

enum oc_err
sql_run(struct sql *q)
{
	bool has_row = true;
	enum oc_err err = OC_OK;

	while (err == OC_OK && has_row)
		err = sql_next(q, &has_row);
	sql_close(q);
	return err;
}

enum oc_err
sql_exec(struct store *s, const char *what, const char *text)
{
	int rc = sqlite3_exec(db_of(s), text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? OC_OK : sql_error(s, rc, what);
}

enum oc_err
sql_read_int(struct store *s, const char *what, const char *text,
    int64_t *value)
{
	struct sql q;
	bool has_row = false;
	enum oc_err err;

	sql_open(&q, s, what, text);
	err = sql_next(&q, &has_row);
	if (err == OC_OK && !has_row)
		err = store_fail(s, OC_ERR_STORE, "%s: nothing there", what);
	if (err == OC_OK)
		*value = sql_get_int(&q);
	sql_close(&q);
	return err;
}

int64_t
sql_last_id(struct store *s)
{
	return sqlite3_last_insert_rowid(db_of(s));
}

/* --- columns ------------------------------------------------------------ */

int64_t
sql_get_int(struct sql *q)
{
	return sqlite3_column_int64(q->statement, q->num_read++);
}

bool
sql_get_is_null(struct sql *q)
{
	return sqlite3_column_type(q->statement, q->num_read) == SQLITE_NULL;
}

const char *
sql_get_text(struct sql *q)
{
	const char *text =
	    (const char *)sqlite3_column_text(q->statement, q->num_read++);

	return text == NULL ? "" : text;
}

struct store_blob
sql_get_blob(struct sql *q)
{
	int column = q->num_read++;
	struct store_blob blob;

	blob.p = sqlite3_column_blob(q->statement, column);
	blob.len = (size_t)sqlite3_column_bytes(q->statement, column);
	return blob;
}

void
sql_get_text_fixed(struct sql *q, char *text, size_t room)
{
	snprintf(text, room, "%s", sql_get_text(q));
}

enum oc_err
sql_get_hash(struct sql *q, uint8_t hash[STORE_HASH_LEN])
{
	struct store_blob blob = sql_get_blob(q);

	if (blob.len != STORE_HASH_LEN)
		return store_fail(q->store, OC_ERR_STORE, "%s: the file is "
		    "damaged: a hash of %zu octets: restore a backup",
		    q->what, blob.len);
	memcpy(hash, blob.p, STORE_HASH_LEN);
	return OC_OK;
}

enum oc_err
sql_get_serial(struct sql *q, struct oc_serial *serial)
{
	struct store_blob blob = sql_get_blob(q);

	if (oc_serial_from_bytes(blob.p, blob.len, serial) != OC_OK)
		return store_fail(q->store, OC_ERR_STORE, "%s: the file is "
		    "damaged: no serial number: restore a backup", q->what);
	return OC_OK;
}

enum oc_err
sql_take_text(struct sql *q, char **text)
{
	char *copy = strdup(sql_get_text(q));

	if (copy == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "%s: out of memory",
		    q->what);
	*text = copy;
	return OC_OK;
}

enum oc_err
sql_take_blob(struct sql *q, uint8_t **bytes, size_t *len)
{
	struct store_blob blob = sql_get_blob(q);
	uint8_t *copy;

	if (blob.p == NULL) {
		*bytes = NULL;
		*len = 0;
		return OC_OK;
	}
	copy = malloc(blob.len);
	if (copy == NULL)
		return store_fail(q->store, OC_ERR_NOMEM, "%s: out of memory",
		    q->what);
	memcpy(copy, blob.p, blob.len);
	*bytes = copy;
	*len = blob.len;
	return OC_OK;
}
