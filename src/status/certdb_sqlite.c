/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's certdb in SQLite: only ever read, one transaction at a time, by
 * whoever's file it is not. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "status/certdb.h"

/* Whoever writes is done by then. */
#define BUSY_MS 2000

/* Go writes text, whatever the column's type; others may have copied it as
 * something else. */
#define KEY_ID "CAST(authority_key_identifier AS TEXT)"
static const char select_rows[] =
    "SELECT " KEY_ID ", CASE WHEN " KEY_ID " <> '' THEN NULL "
    "ELSE CAST(pem AS TEXT) END, "
    "CAST(serial_number AS TEXT), CAST(status AS TEXT), "
    "CAST(reason AS TEXT), CAST(expiry AS TEXT), CAST(revoked_at AS TEXT) "
    "FROM certificates";
#define SELECT_WHOLE "SELECT " KEY_ID ", CAST(pem AS TEXT), " \
    "CAST(serial_number AS TEXT), CAST(status AS TEXT), " \
    "CAST(reason AS TEXT), CAST(expiry AS TEXT), " \
    "CAST(revoked_at AS TEXT), CAST(ca_label AS TEXT)"
static const char select_old[] =
    SELECT_WHOLE " FROM certificates ORDER BY rowid";
static const char select_new[] = SELECT_WHOLE
    ", CAST(issued_at AS TEXT), CAST(not_before AS TEXT), "
    "CAST(metadata AS TEXT), CAST(sans AS TEXT), CAST(common_name AS TEXT) "
    "FROM certificates ORDER BY rowid";

static enum oc_err
fail(sqlite3 *db, int rc, struct oc_error *error)
{
	bool is_busy = (rc & 0xff) == SQLITE_BUSY ||
	    (rc & 0xff) == SQLITE_LOCKED;

	return oc_error_set(error, is_busy ? OC_ERR_BUSY : OC_ERR_SYSTEM,
	    "SQLite: %.300s", db != NULL ? sqlite3_errmsg(db) :
	    sqlite3_errstr(rc));
}

static const char *
text_of(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

/* A C string that ends before the column does is not what it says. */
static bool
has_nul(sqlite3_stmt *row, int num_columns)
{
	for (int i = 0; i < num_columns; i++) {
		const char *text = text_of(row, i);

		if (text != NULL && strlen(text) !=
		    (size_t)sqlite3_column_bytes(row, i))
			return true;
	}
	return false;
}

static enum oc_err
put_row(struct status_certdb *to, sqlite3_stmt *row, struct oc_error *error)
{
	int num = sqlite3_column_count(row);

	if (to->fn != NULL && has_nul(row, num))
		return oc_error_set(error, OC_ERR_MALFORMED, "serial_number "
		    "\"%.60s\": there is a NUL in it", text_of(row, 2) ==
		    NULL ? "" : text_of(row, 2));
	for (int i = 0; i < STATUS_CERTDB_NUM_MORE; i++)
		to->more[i] = num > 7 + i ? text_of(row, 7 + i) : NULL;
	return status_certdb_put(to, &(struct status_certdb_row){
	    text_of(row, 0), text_of(row, 1), text_of(row, 2),
	    text_of(row, 3), text_of(row, 4), text_of(row, 5),
	    text_of(row, 6) }, error);
}

/* Whoever wants all of a row: as CFSSL's newer schema has it, or its first. */
static int
prepare(sqlite3 *db, const struct status_certdb *to, sqlite3_stmt **row)
{
	int rc;

	if (to->fn == NULL)
		return sqlite3_prepare_v2(db, select_rows, -1, row, NULL);
	rc = sqlite3_prepare_v2(db, select_new, -1, row, NULL);
	return rc == SQLITE_ERROR ? sqlite3_prepare_v2(db, select_old, -1,
	    row, NULL) : rc;
}

/*
 * What is missing of the last page SQLite takes for zeros, and a leaf that is
 * cut behind its first octets for one without rows.  Only SQLite opens the
 * file: who closes it again gives up the locks that others of this process
 * have there.
 */
static enum oc_err
check_pages(sqlite3 *db, struct oc_error *error)
{
	const char *path = sqlite3_db_filename(db, "main");
	sqlite3_stmt *row = NULL;
	int page_len = 0;
	struct stat st;

	if (sqlite3_prepare_v2(db, "PRAGMA page_size", -1, &row, NULL) ==
	    SQLITE_OK && sqlite3_step(row) == SQLITE_ROW)
		page_len = sqlite3_column_int(row, 0);
	(void)sqlite3_finalize(row);
	if (path == NULL || stat(path, &st) != 0 || page_len <= 0 ||
	    st.st_size % page_len == 0)
		return OC_OK;
	return oc_error_set(error, OC_ERR_MALFORMED, "SQLite: it is cut off: "
	    "its %lld octets are not whole pages of %d",
	    (long long)st.st_size, page_len);
}

static enum oc_err
read_rows(sqlite3 *db, struct status_certdb *to, struct oc_error *error)
{
	sqlite3_stmt *row = NULL;
	int rc = prepare(db, to, &row);
	enum oc_err err = OC_OK;

	if (rc != SQLITE_OK)
		return fail(db, rc, error);
	while (err == OC_OK && (rc = sqlite3_step(row)) == SQLITE_ROW)
		err = put_row(to, row, error);
	if (err == OC_OK && rc != SQLITE_DONE)
		err = fail(db, rc, error);
	/* Of zeros there are rows that are no good. */
	if (err == OC_OK || err == OC_ERR_MALFORMED) {
		enum oc_err cut = check_pages(db, error);

		err = cut == OC_OK ? err : cut;
	}
	(void)sqlite3_finalize(row);
	return err;
}

/* "file:PATH", for free(). */
static char *
uri_of(const char *path, const char *parameters)
{
	char *uri = malloc(strlen("file:") + 3 * strlen(path) +
	    strlen(parameters) + 1);
	char *at = uri;

	if (uri == NULL)
		return NULL;
	at += sprintf(at, "file:");
	for (; *path != '\0'; path++)
		at += sprintf(at, strchr("%?#", *path) != NULL ? "%%%02x" :
		    "%c", (unsigned char)*path);
	(void)sprintf(at, "%s", parameters);
	return uri;
}

static bool
is_beside(const char *path, const char *suffix)
{
	struct oc_file_stamp stamp;
	char *name;
	bool is;

	if (asprintf(&name, "%s%s", path, suffix) < 0)
		return true;
	is = oc_file_stamp(name, &stamp, NULL) == OC_OK;
	free(name);
	return is;
}

/* A folder of somebody else's is one in which we can't make the files that
 * SQLite wants beside a database in WAL mode.  Where its owner has left none,
 * nobody has it open, and nothing but the file is to be read. */
static bool
has_log(const char *path)
{
	return is_beside(path, "-wal") || is_beside(path, "-journal");
}

static enum oc_err
read_by(const char *path, const char *parameters, struct status_certdb *to,
    struct oc_error *error)
{
	sqlite3 *db = NULL;
	char *uri = uri_of(path, parameters);
	enum oc_err err;
	int rc;

	if (uri == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	rc = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY |
	    SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	err = rc != SQLITE_OK ? fail(db, rc, error) :
	    read_rows(db, to, error);
	(void)sqlite3_close(db);
	free(uri);
	return err;
}

static enum oc_err
read_either_way(void *source, struct status_certdb *to,
    struct oc_error *error)
{
	const char *path = source;
	struct oc_file_stamp before, after;
	struct stat st;
	enum oc_err err = oc_file_stamp(path, &before, error);

	if (err != OC_OK)
		return err;
	/* A pipe would be waited for. */
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "it is no regular file");
	err = read_by(path, "?mode=ro", to, error);
	if (err != OC_ERR_SYSTEM || has_log(path))
		return err;
	if (to->list != NULL)
		to->list->num_entries = 0;
	err = read_by(path, "?mode=ro&immutable=1", to, error);
	if (err == OC_OK && (has_log(path) || oc_file_stamp(path, &after,
	    NULL) != OC_OK || !oc_file_stamp_equal(&before, &after)))
		err = oc_error_set(error, OC_ERR_BUSY, "it has changed while "
		    "it was read");
	return err;
}

enum oc_err
status_certdb_read_sqlite(const char *path,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error)
{
	return status_certdb_list(read_either_way, (void *)(uintptr_t)path,
	    issuer, list, error);
}

enum oc_err
status_certdb_walk_sqlite(const char *path,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error)
{
	return status_certdb_walk(read_either_way, (void *)(uintptr_t)path,
	    issuer, fn, arg, num_others, error);
}

enum oc_err
status_certdb_stamp_sqlite(const char *path, struct oc_file_stamp *stamp,
    struct oc_error *error)
{
	struct oc_file_stamp log = { .len = 0 }, whole;
	enum oc_err err = oc_file_stamp(path, &whole, error);
	char *name;

	if (err != OC_OK)
		return err;
	if (asprintf(&name, "%s-wal", path) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* An empty one is made and removed by who only reads, as we do, and
	 * its ctime is another each time that root opens it. */
	if (oc_file_stamp(name, &log, NULL) == OC_OK && log.len > 0) {
		whole.inode ^= log.inode;
		whole.len += log.len;
		whole.changed_ns ^= log.written_ns;
		if (log.written_ns > whole.written_ns)
			whole.written_ns = log.written_ns;
	}
	free(name);
	*stamp = whole;
	return OC_OK;
}
