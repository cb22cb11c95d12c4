/* SPDX-License-Identifier: Apache-2.0 */
/* CFSSL's certdb in SQLite, with the tables that its migrations make. */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pem.h"
#include "der/time.h"
#include "transfer/export.h"
#include "transfer/record.h"

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

/* "2026-11-27 16:04:00+00:00", as Go writes it. */
#define TIME_TEXT_MAX 40

struct writer {
	const struct transfer_export *export;
	sqlite3 *db;
	sqlite3_stmt *row;
	struct status_certdb_issuer issuer;
	struct oc_buffer pem;
	char *record;			/* owned: what columns are views of */
	char *serial;			/* OPENSSL_free() */
	char expiry[TIME_TEXT_MAX], revoked_at[TIME_TEXT_MAX], reason[12];
};

static enum oc_err
fail(const struct writer *w, int rc, struct oc_error *error)
{
	return oc_error_set(error, (rc & 0xff) == SQLITE_FULL ?
	    OC_ERR_NO_SPACE : OC_ERR_SYSTEM, "SQLite: %.300s",
	    w->db != NULL ? sqlite3_errmsg(w->db) : sqlite3_errstr(rc));
}

static void
certdb_close(void *arg)
{
	struct writer *w = arg;

	if (w == NULL)
		return;
	(void)sqlite3_finalize(w->row);
	(void)sqlite3_close(w->db);
	status_certdb_issuer_fini(&w->issuer);
	oc_buffer_fini(&w->pem);
	free(w->record);
	OPENSSL_free(w->serial);
	free(w);
}

static enum oc_err
certdb_open(const struct transfer_export *export, const char *path,
    void **writer, struct oc_error *error)
{
	struct writer *w = calloc(1, sizeof(*w));
	enum oc_err err;
	int rc;

	if (w == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	w->export = export;
	oc_buffer_init(&w->pem, 2 * OC_CERTIFICATE_MAX);
	err = status_certdb_issuer_init(&w->issuer, export->issuer, error);
	if (err == OC_OK) {
		rc = sqlite3_open_v2(path, &w->db, SQLITE_OPEN_READWRITE,
		    NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(w->db, schema, NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_prepare_v2(w->db, insert, -1, &w->row,
			    NULL);
		if (rc != SQLITE_OK)
			err = fail(w, rc, error);
	}
	if (err != OC_OK)
		certdb_close(w);
	else
		*writer = w;
	return err;
}

static void
format_time(int64_t at, char text[TIME_TEXT_MAX])
{
	struct der_civil c;

	der_civil_from_unix(at, &c);
	(void)snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02d "
	    "%02d:%02d:%02d+00:00", c.year, c.month, c.day, c.hour, c.minute,
	    c.second);
}

static void
put_status(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS])
{
	columns[TRANSFER_STATUS] = c->is_revoked ? "revoked" : "good";
	(void)snprintf(w->reason, sizeof(w->reason), "%d",
	    c->is_revoked ? (int)c->reason : 0);
	columns[TRANSFER_REASON] = w->reason;
	/* Go's zero time. */
	(void)snprintf(w->revoked_at, sizeof(w->revoked_at),
	    "0001-01-01 00:00:00+00:00");
	if (c->is_revoked)
		format_time(c->revoked_at, w->revoked_at);
	columns[TRANSFER_REVOKED_AT] = w->revoked_at;
}

static bool
is_unchanged(const struct store_certificate *c,
    const char *const columns[TRANSFER_NUM_COLUMNS])
{
	struct status_entry entry;

	if (status_certdb_entry(&(struct status_certdb_row){
	    .serial = columns[TRANSFER_SERIAL],
	    .status = columns[TRANSFER_STATUS],
	    .reason = columns[TRANSFER_REASON],
	    .expiry = columns[TRANSFER_EXPIRY],
	    .revoked_at = columns[TRANSFER_REVOKED_AT] }, &entry, NULL) !=
	    OC_OK || (entry.is_revoked != 0) != c->is_revoked)
		return false;
	return !c->is_revoked || (entry.reason == c->reason &&
	    entry.revoked_at == c->revoked_at);
}

/* False: it did not come from a certdb. */
static bool
read_record(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS])
{
	free(w->record);
	w->record = c->import_record == NULL ? NULL :
	    strdup(c->import_record);
	return w->record != NULL &&
	    transfer_record_read(w->record, columns) == OC_OK;
}

static enum oc_err
make_columns(struct writer *w, const struct store_certificate *c,
    const char *columns[TRANSFER_NUM_COLUMNS], struct oc_error *error)
{
	BIGNUM *number = BN_bin2bn(c->serial.bytes, c->serial.len, NULL);

	OPENSSL_free(w->serial);
	w->serial = number == NULL ? NULL : BN_bn2dec(number);
	BN_free(number);
	w->pem.len = 0;
	oc_pem_write(&w->pem, "CERTIFICATE", c->certificate,
	    c->certificate_len);
	if (w->serial == NULL || w->pem.err != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	format_time(c->not_after, w->expiry);
	columns[TRANSFER_KEY_ID] = w->issuer.key_id;
	columns[TRANSFER_PEM] = oc_buffer_text(&w->pem);
	columns[TRANSFER_SERIAL] = w->serial;
	columns[TRANSFER_EXPIRY] = w->expiry;
	columns[TRANSFER_MORE + STATUS_CERTDB_CA_LABEL] = "";
	put_status(w, c, columns);
	return OC_OK;
}

static enum oc_err
insert_row(struct writer *w, const char *const columns[TRANSFER_NUM_COLUMNS],
    struct oc_error *error)
{
	int rc = SQLITE_OK;

	for (int i = 0; rc == SQLITE_OK && i < TRANSFER_NUM_COLUMNS; i++)
		rc = columns[i] == NULL ? sqlite3_bind_null(w->row, i + 1) :
		    sqlite3_bind_text(w->row, i + 1, columns[i], -1,
		    SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(w->row);
	if (rc != SQLITE_DONE)
		return fail(w, rc, error);
	(void)sqlite3_reset(w->row);
	return OC_OK;
}

static enum oc_err
certdb_put(void *arg, const struct store_certificate *c,
    char unsaid[TRANSFER_UNSAID_MAX], struct oc_error *error)
{
	const char *columns[TRANSFER_NUM_COLUMNS] = { NULL };
	struct writer *w = arg;
	enum oc_err err = OC_OK;

	if (read_record(w, c, columns)) {
		if (!is_unchanged(c, columns))
			put_status(w, c, columns);
	} else if (c->certificate_len == 0) {
		(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "the certificate "
		    "itself is not known, and CFSSL wants its PEM");
		return OC_ERR_UNSUPPORTED;
	} else {
		memset(columns, 0, sizeof(columns));
		err = make_columns(w, c, columns, error);
	}
	if (err == OC_OK && c->invalidity_at != 0)
		(void)snprintf(unsaid, TRANSFER_UNSAID_MAX, "CFSSL has no "
		    "invalidity date");
	return err == OC_OK ? insert_row(w, columns, error) : err;
}

static enum oc_err
certdb_finish(void *arg, struct oc_error *error)
{
	struct writer *w = arg;
	int rc = sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL);

	return rc == SQLITE_OK ? OC_OK : fail(w, rc, error);
}

const struct transfer_writer_ops transfer_certdb_writer = {
	.open = certdb_open,
	.put = certdb_put,
	.finish = certdb_finish,
	.close = certdb_close
};
