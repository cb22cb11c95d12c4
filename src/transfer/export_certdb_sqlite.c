/* SPDX-License-Identifier: Apache-2.0 */
/* A certdb in SQLite, with the tables that CFSSL's migrations make. */
#include <sqlite3.h>
#include <stdlib.h>

#include "transfer/export_certdb.h"

static const char schema[] =
"PRAGMA journal_mode = OFF;"
"BEGIN;"
"CREATE TABLE certificates ("
"  serial_number            blob NOT NULL,"
"  authority_key_identifier blob NOT NULL,"
"  ca_label                 blob,"
"  status                   blob NOT NULL,"
"  reason                   int,"
"  expiry                   timestamp,"
"  revoked_at               timestamp,"
"  pem                      blob NOT NULL,"
"  issued_at                timestamp,"
"  not_before               timestamp,"
"  metadata                 blob,"
"  sans                     blob,"
"  common_name              text,"
"  PRIMARY KEY(serial_number, authority_key_identifier));"
"CREATE TABLE ocsp_responses ("
"  serial_number            blob NOT NULL,"
"  authority_key_identifier blob NOT NULL,"
"  body                     blob NOT NULL,"
"  expiry                   timestamp,"
"  PRIMARY KEY(serial_number, authority_key_identifier),"
"  FOREIGN KEY(serial_number, authority_key_identifier)"
"    REFERENCES certificates(serial_number, authority_key_identifier));";
static const char insert[] =
    "INSERT INTO certificates (authority_key_identifier, pem, serial_number,"
    " status, reason, expiry, revoked_at, ca_label, issued_at, not_before,"
    " metadata, sans, common_name)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

struct sink {
	sqlite3 *db;
	sqlite3_stmt *row;
};

static enum oc_err
fail(const struct sink *s, int rc, struct oc_error *error)
{
	return oc_error_set(error, (rc & 0xff) == SQLITE_FULL ?
	    OC_ERR_NO_SPACE : OC_ERR_SYSTEM, "SQLite: %.300s",
	    s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
}

static void
sink_close(void *arg)
{
	struct sink *s = arg;

	if (s == NULL)
		return;
	(void)sqlite3_finalize(s->row);
	(void)sqlite3_close(s->db);
	free(s);
}

/* A new file, which nobody knows yet. */
static enum oc_err
sink_open(const char *path, bool replaces, void **sink,
    struct oc_error *error)
{
	struct sink *s = calloc(1, sizeof(*s));
	int rc;

	(void)replaces;
	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(s->db, insert, -1, &s->row, NULL);
	if (rc == SQLITE_OK) {
		*sink = s;
		return OC_OK;
	}
	(void)fail(s, rc, error);
	sink_close(s);
	return error->code;
}

static enum oc_err
sink_insert(void *arg, const char *const columns[TRANSFER_NUM_COLUMNS],
    struct oc_error *error)
{
	struct sink *s = arg;
	int rc = SQLITE_OK;

	for (int i = 0; rc == SQLITE_OK && i < TRANSFER_NUM_COLUMNS; i++)
		rc = columns[i] == NULL ? sqlite3_bind_null(s->row, i + 1) :
		    sqlite3_bind_text(s->row, i + 1, columns[i], -1,
		    SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s->row);
	if (rc != SQLITE_DONE)
		return fail(s, rc, error);
	(void)sqlite3_reset(s->row);
	return OC_OK;
}

static enum oc_err
sink_finish(void *arg, struct oc_error *error)
{
	struct sink *s = arg;
	int rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);

	return rc == SQLITE_OK ? OC_OK : fail(s, rc, error);
}

const struct transfer_sink_ops transfer_sink_sqlite = {
	.open = sink_open,
	.insert = sink_insert,
	.finish = sink_finish,
	.close = sink_close
};
