/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's certificate database, the table "certificates" that "cfssl serve"
 * and "cfssl gencert -db-config" write: what its rows say (certdb.c), and how
 * they are read from SQLite (certdb_sqlite.c) and from PostgreSQL
 * (certdb_postgres.c).
 */
#ifndef STATUS_CERTDB_H
#define STATUS_CERTDB_H

#include "base/file.h"
#include "status/list.h"
#include "x509/cert.h"

/* Whose rows are wanted. */
struct status_certdb_issuer {
	const struct x509_cert *cert;	/* borrowed */
	char *key_id;			/* owned: as the column has it */
};
/* REFUSED: its certificate has no subjectKeyIdentifier. */
enum oc_err status_certdb_issuer_init(struct status_certdb_issuer *issuer,
    const struct x509_cert *cert, struct oc_error *error) OC_MUST_CHECK;
void status_certdb_issuer_fini(struct status_certdb_issuer *issuer);

/* In the words of whichever database; NULL: null. */
struct status_certdb_row {
	const char *key_id;		/* authority_key_identifier */
	const char *pem;		/* of no matter where there is a
					 * key_id */
	const char *serial;		/* decimal */
	const char *status;		/* good, revoked */
	const char *reason;		/* RFC 5280's number */
	const char *expiry, *revoked_at;	/* "YYYY-MM-DD HH:MM:SS", with
					 * or without a zone */
};

/* What says nothing of the status, in the words of the database. */
enum status_certdb_more {
	STATUS_CERTDB_CA_LABEL, STATUS_CERTDB_ISSUED_AT,
	STATUS_CERTDB_NOT_BEFORE, STATUS_CERTDB_METADATA, STATUS_CERTDB_SANS,
	STATUS_CERTDB_COMMON_NAME, STATUS_CERTDB_NUM_MORE
};
typedef enum oc_err status_certdb_row_fn(void *arg,
    const struct status_certdb_row *row, const struct status_entry *entry,
    const char *const more[STATUS_CERTDB_NUM_MORE], struct oc_error *error);

/* While they are read; zero, but for the first two. */
struct status_certdb {
	struct status_list *list;	/* borrowed */
	const struct status_certdb_issuer *issuer;	/* borrowed */
	uint64_t num_others;		/* rows of other issuers */
	/* Not to make a list, but for somebody who wants each row. */
	status_certdb_row_fn *fn;	/* NULL: a list */
	void *arg;
	const char *more[STATUS_CERTDB_NUM_MORE];	/* the row's */
};

/* MALFORMED names the certificate and what is wrong.  Of other issuers' rows
 * only that they are is looked at. */
enum oc_err status_certdb_put(struct status_certdb *db,
    const struct status_certdb_row *row, struct oc_error *error)
    OC_MUST_CHECK;
/* What a row says, whoever's it is. */
enum oc_err status_certdb_entry(const struct status_certdb_row *row,
    struct status_entry *entry, struct oc_error *error) OC_MUST_CHECK;
/* There are no more.  MALFORMED if none is there, or one twice; MISMATCH if
 * all are of others. */
enum oc_err status_certdb_finish(struct status_certdb *db,
    struct oc_error *error) OC_MUST_CHECK;

/* What a database has for the next two: gives each of its rows to
 * status_certdb_put(). */
typedef enum oc_err status_certdb_rows_fn(void *source,
    struct status_certdb *db, struct oc_error *error);
enum oc_err status_certdb_list(status_certdb_rows_fn *rows, void *source,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error) OC_MUST_CHECK;
enum oc_err status_certdb_walk(status_certdb_rows_fn *rows, void *source,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error) OC_MUST_CHECK;

/* A moment as Go and SQLite write it, or PostgreSQL. */
enum oc_err status_certdb_time(const char *text, int64_t *at) OC_MUST_CHECK;

/* A whole file of SQLite, in one transaction, which changes nothing there. */
enum oc_err status_certdb_read_sqlite(const char *path,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error) OC_MUST_CHECK;
/* The same, row by row: those of the issuer, with their pem, and all else
 * that they have.  What fn returns other than OC_OK ends it. */
enum oc_err status_certdb_walk_sqlite(const char *path,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error) OC_MUST_CHECK;
/* Of the file and its write-ahead log. */
enum oc_err status_certdb_stamp_sqlite(const char *path,
    struct oc_file_stamp *stamp, struct oc_error *error) OC_MUST_CHECK;

/* --- in PostgreSQL ------------------------------------------------------ */

/*
 * A connection to the server, made when something is asked and none is there;
 * for one thread at a time.  where is a connection string, maybe with the
 * source of its password (base/conninfo.h).  DOWN: nobody answers.
 */
struct status_certdb_server;

enum oc_err status_certdb_server_new(const char *where,
    struct status_certdb_server **server, struct oc_error *error)
    OC_MUST_CHECK;
void status_certdb_server_free(struct status_certdb_server *server);
/* Which database, for people; lives as long as the server. */
const char *status_certdb_server_name(
    const struct status_certdb_server *server);

/* Another one if anybody has committed anything there since the last, or the
 * connection was made anew; but after a read that took long not before ten
 * times as long, or a minute, have passed. */
enum oc_err status_certdb_server_stamp(struct status_certdb_server *server,
    struct oc_file_stamp *stamp, struct oc_error *error) OC_MUST_CHECK;
/* As status_certdb_read_sqlite(), of one moment.  One row at a time is in
 * memory, beside the list. */
enum oc_err status_certdb_server_read(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, struct status_list **list,
    struct oc_error *error) OC_MUST_CHECK;
/* As status_certdb_walk_sqlite(). */
enum oc_err status_certdb_server_walk(struct status_certdb_server *server,
    const struct status_certdb_issuer *issuer, status_certdb_row_fn *fn,
    void *arg, uint64_t *num_others, struct oc_error *error) OC_MUST_CHECK;

#endif
