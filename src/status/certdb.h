/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's certificate database, the table "certificates" that "cfssl serve"
 * and "cfssl gencert -db-config" write: what its rows say (certdb.c), and how
 * they are read from SQLite (certdb_sqlite.c).
 */
#ifndef STATUS_CERTDB_H
#define STATUS_CERTDB_H

#include "base/file.h"
#include "status/list.h"
#include "x509/cert.h"

/* One of this issuer's, in the words of whichever database; NULL: null. */
struct status_certdb_row {
	const char *serial;		/* decimal */
	const char *status;		/* good, revoked */
	const char *reason;		/* RFC 5280's number */
	const char *expiry, *revoked_at;	/* "YYYY-MM-DD HH:MM:SS", with
					 * or without a zone */
};

/* MALFORMED names the certificate and what is wrong. */
enum oc_err status_certdb_put(struct status_list *list,
    const struct status_certdb_row *row, struct oc_error *error)
    OC_MUST_CHECK;
/* There are no more; num_others: how many rows are of other issuers.
 * MALFORMED if none is there, or one twice. */
enum oc_err status_certdb_finish(struct status_list *list,
    uint64_t num_others, struct oc_error *error) OC_MUST_CHECK;
/* What the column authority_key_identifier has of an issuer; for free().
 * REFUSED: its certificate has no subjectKeyIdentifier. */
enum oc_err status_certdb_key_id(const struct x509_cert *issuer, char **text,
    struct oc_error *error) OC_MUST_CHECK;

/* A moment as Go and SQLite write it, or PostgreSQL. */
enum oc_err status_certdb_time(const char *text, int64_t *at) OC_MUST_CHECK;

/* A whole file of SQLite, in one transaction, which changes nothing there. */
enum oc_err status_certdb_read_sqlite(const char *path, const char *key_id,
    struct status_list **list, struct oc_error *error) OC_MUST_CHECK;
/* Of the file and its write-ahead log. */
enum oc_err status_certdb_stamp_sqlite(const char *path,
    struct oc_file_stamp *stamp, struct oc_error *error) OC_MUST_CHECK;

#endif
