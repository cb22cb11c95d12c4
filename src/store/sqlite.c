/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: opened with its locks and pragmas, begun, committed, closed.
 * Never carried over a fork(2). */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/lock.h"
#include "store/sqlite.h"

#define WAL_KEPT_MAX "67108864"	/* octets of WAL kept after a checkpoint */

static enum oc_err
begin_change(struct store *s)
{
	static const char text[] = "BEGIN IMMEDIATE";
	struct sql q;

	sql_open(&q, s, "begin", text);
	return sql_run(&q);
}

static enum oc_err
begin_read(struct store *s)
{
	return sql_exec(s, "begin", "BEGIN");
}

static bool
in_transaction(struct store *s)
{
	return sqlite3_get_autocommit(((struct sqlite_store *)s)->db) == 0;
}

/* Nothing to report: if it fails, the transaction was gone before, and the
 * text of what went wrong must stay. */
static void
rollback(struct store *s)
{
	if (in_transaction(s))
		(void)sqlite3_exec(((struct sqlite_store *)s)->db, "ROLLBACK",
		    NULL, NULL, NULL);
}

static enum oc_err
commit(struct store *s)
{
	static const char text[] = "COMMIT";
	struct sql q;
	enum oc_err err;

	sql_open(&q, s, "commit", text);
	err = sql_run(&q);
	if (err != OC_OK)
		rollback(s);
	return err;
}

/* Nothing is put off here. */
static enum oc_err
settle(struct store *s)
{
	(void)s;
	return OC_OK;
}

static enum oc_err
save(struct store *s)
{
	static const char text[] = "SAVEPOINT s";
	struct sql q;

	sql_open(&q, s, "savepoint", text);
	return sql_run(&q);
}

static enum oc_err
keep(struct store *s)
{
	static const char text[] = "RELEASE s";
	struct sql q;

	sql_open(&q, s, "savepoint", text);
	return sql_run(&q);
}

/* The error that led here is what the caller wants to read. */
static enum oc_err
undo(struct store *s)
{
	struct oc_error first = s->error;
	enum oc_err err;

	err = sql_exec(s, "undo", "ROLLBACK TO s; RELEASE s");
	s->error = first;
	return err;
}

static enum oc_err
data_version(struct store *s, int64_t *version)
{
	static const char text[] = "PRAGMA data_version";

	return sql_read_int(s, "data version", text, version);
}

static void
set_busy_timeout(struct store *s, int timeout_ms)
{
	struct sqlite_store *q = (struct sqlite_store *)s;

	q->busy_timeout_ms = timeout_ms;
	sqlite3_busy_timeout(q->db, timeout_ms);
}

static bool
is_run_over(struct store *s, int64_t run)
{
	return run != s->run && store_lock_is_run_over(
	    ((struct sqlite_store *)s)->lock_fd, run);
}

/* What was confirmed is on the disk. */
static void
say_risks(struct store *s)
{
	(void)s;
}

/* What undoes one change of a group goes into a file for all of the group once
 * one of them had too much for memory: then each page is written again for
 * each row.  It is a few pages. */
static enum oc_err
expect_many(struct store *s)
{
	char text[96];

	/* Negative: in KiB. */
	(void)snprintf(text, sizeof(text), "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -%lld", (long long)(STORE_MANY_CACHE / 1024));
	return sql_exec(s, "import", text);
}

static void
close_store(struct store *s)
{
	sqlite_store_free((struct sqlite_store *)s);
}

static const struct store_ops sqlite_ops = {
	.close = close_store,
	.set_busy_timeout = set_busy_timeout,
	.is_run_over = is_run_over,
	.begin_change = begin_change,
	.begin_read = begin_read,
	.commit = commit,
	.rollback = rollback,
	.settle = settle,
	.save = save,
	.keep = keep,
	.undo = undo,
	.in_transaction = in_transaction,
	.data_version = data_version,
	.backup = sqlite_backup,
	.say_risks = say_risks,
	.expect_many = expect_many,
	.read_head = sql_read_head,
	.write_head = sql_write_head,
	SQL_ROW_OPS
};

/* --- opening ------------------------------------------------------------ */

/* "file:x" would be a URI to SQLite, and ":memory:" no file at all. */
static char *
plain_path(const char *path)
{
	char *plain = NULL;

	if (path[0] == '/' || path[0] == '.')
		return strdup(path);
	return asprintf(&plain, "./%s", path) < 0 ? NULL : plain;
}

enum oc_err
sqlite_store_new(const char *path, const char *file, enum store_mode mode,
    struct sqlite_store **q, struct oc_error *error)
{
	struct sqlite_store *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	made->base.ops = &sqlite_ops;
	made->base.sql = &sqlite_engine;
	made->base.mode = mode;
	made->lock_fd = -1;
	made->busy_timeout_ms = SQLITE_BUSY_TIMEOUT_MS;
	made->base.path = strdup(path);
	made->file = plain_path(file == NULL ? path : file);
	if (made->base.path == NULL || made->file == NULL) {
		sqlite_store_free(made);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	snprintf(made->base.actor, sizeof(made->base.actor), "uid %lu",
	    (unsigned long)getuid());
	*q = made;
	return OC_OK;
}

void
sqlite_store_free(struct sqlite_store *q)
{
	if (q == NULL)
		return;
	for (unsigned int i = 0; i < q->num_statements; i++)
		sqlite3_finalize(q->statements[i].statement);
	/* BUSY would mean a statement we forgot. */
	oc_assert(sqlite3_close(q->db) == SQLITE_OK);
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	free(q->base.path);
	free(q->file);
	free(q);
}

enum oc_err
sqlite_store_connect(struct sqlite_store *q)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
	    (q->base.mode == STORE_READ ? SQLITE_OPEN_READONLY :
	    SQLITE_OPEN_READWRITE);
	int rc;

	rc = sqlite3_open_v2(q->file, &q->db, flags, NULL);
	if (q->db == NULL)
		return store_fail(&q->base, OC_ERR_NOMEM, "out of memory");
	sqlite3_extended_result_codes(q->db, 1);
	if (rc != SQLITE_OK)
		return sql_error(&q->base, rc, "open");
	sqlite3_busy_timeout(q->db, q->busy_timeout_ms);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return sql_exec(&q->base, "open", "PRAGMA trusted_schema = OFF;"
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA journal_size_limit = " WAL_KEPT_MAX ";");
}

/* One try; SQLite answers with the mode that holds now. */
static enum oc_err
try_journal_mode(struct sqlite_store *q, const char *mode, bool *is_set)
{
	char text[64];
	struct sql sql;
	bool has_row = false;
	enum oc_err err;

	snprintf(text, sizeof(text), "PRAGMA journal_mode = %s", mode);
	sql_open_once(&sql, &q->base, "journal mode", text);
	err = sql_next(&sql, &has_row);
	*is_set = err == OC_OK && has_row &&
	    strcmp(sql_get_text(&sql), mode) == 0;
	sql_close(&sql);
	return err;
}

/* The busy handler is not always asked here: another process may be setting
 * the mode of a new file at the same time. */
enum oc_err
sqlite_store_set_journal_mode(struct sqlite_store *q, const char *mode)
{
	int64_t deadline_ns = oc_clock_mono_ns() +
	    q->busy_timeout_ms * OC_NS_PER_MS;
	bool is_set = false;
	enum oc_err err;

	for (;;) {
		err = try_journal_mode(q, mode, &is_set);
		if (err != OC_ERR_BUSY || oc_clock_mono_ns() >= deadline_ns)
			break;
		usleep(10 * 1000);
	}
	if (err == OC_OK && !is_set)
		return store_fail(&q->base, OC_ERR_UNSUPPORTED, "this file "
		    "system does not let SQLite use its %s mode: put the "
		    "store on a local disk", mode);
	return err;
}

enum oc_err
sqlite_store_report(struct sqlite_store *q, enum oc_err err,
    struct oc_error *error)
{
	if (err == OC_OK)
		return OC_OK;
	return oc_error_set(error, err, "%s", q->base.error.text);
}

/* As far as it exists: two names of one store must share one lock. */
static enum oc_err
resolve(const char *path, enum store_mode mode, char **resolved,
    struct oc_error *error)
{
	struct stat st;

	if (path[0] == '\0')
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the store needs a path");
	/* Before a lock's file is made beside it. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s: is not a regular file", path);
	*resolved = realpath(path, NULL);
	if (*resolved != NULL)
		return OC_OK;
	if (errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
	if (mode != STORE_CREATE)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "%s: there is no store", path);
	*resolved = strdup(path);
	if (*resolved == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

/* Lock held, file there: what remains to make it a store to work with. */
static enum oc_err
open_existing(struct sqlite_store *q, const struct store_schema *schema)
{
	bool is_backup;
	int version;
	enum oc_err err;

	err = sqlite_store_connect(q);
	if (err == OC_OK)
		err = sqlite_store_check(q, schema, &version);
	if (err == OC_OK && version < schema->num_steps &&
	    q->base.mode == STORE_READ)
		return store_fail(&q->base, OC_ERR_UNSUPPORTED, "schema %d "
		    "is older than this program's %d: whatever writes to it "
		    "migrates it, such as ocsignd at its start or \"ocsign "
		    "store backup FILE\"",
		    version, schema->num_steps);
	if (err == OC_OK)
		err = sqlite_store_identify(q, &is_backup);
	if (err != OC_OK || q->base.mode == STORE_READ)
		return err;
	if (is_backup)
		return store_fail(&q->base, OC_ERR_REFUSED, "this is a "
		    "backup: written to it would use numbers twice: restore "
		    "it first");
	err = sqlite_store_set_journal_mode(q, "wal");
	if (err == OC_OK)
		err = sqlite_store_migrate(q, schema, version);
	return err;
}

/* The lock first: while it is held no restore can change the file. */
static enum oc_err
open_locked(struct sqlite_store *q, const struct store_schema *schema,
    struct oc_error *error)
{
	enum oc_err err;

	err = store_lock_open(q->base.path, STORE_LOCK_SHARED,
	    q->busy_timeout_ms, &q->lock_fd, error);
	if (err != OC_OK)
		return err;
	if (q->base.mode != STORE_READ)
		q->base.run = store_lock_acquire_run(q->lock_fd);
	if (q->base.mode == STORE_CREATE && access(q->file, F_OK) != 0) {
		err = sqlite_store_create(q->base.path, schema, error);
		if (err != OC_OK && err != OC_ERR_EXISTS)
			return err;
	}
	return sqlite_store_report(q, open_existing(q, schema), error);
}

enum oc_err
store_sqlite_open(const char *path, enum store_mode mode,
    const struct store_schema *schema, struct store **store,
    struct oc_error *error)
{
	struct oc_error ignored;
	struct sqlite_store *q = NULL;
	char *resolved = NULL;
	enum oc_err err;

	if (error == NULL)
		error = &ignored;
	err = resolve(path, mode, &resolved, error);
	if (err == OC_OK)
		err = sqlite_store_new(resolved, NULL, mode, &q, error);
	free(resolved);
	if (err == OC_OK)
		err = open_locked(q, schema, error);
	if (err != OC_OK) {
		sqlite_store_free(q);
		return err;
	}
	*store = &q->base;
	return OC_OK;
}
