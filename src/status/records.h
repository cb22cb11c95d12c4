/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All certificates of an issuer, in a file or database that somebody else's CA
 * keeps: [issuer NAME] index-file, certdb-file or certdb-database, watched
 * (status/watch.h).  What is
 * in it is in force only if all of it is well-formed, it is there at all, and
 * no step back from what was before: it is not older, has nobody's revocation
 * undone, and no certificate is missing that has not expired.
 *
 * The copy of either is an index.txt with less in it, whose first line says of
 * which key and of when it is.
 */
#ifndef STATUS_RECORDS_H
#define STATUS_RECORDS_H

#include "status/watch.h"
#include "x509/cert.h"

struct status_records;

struct status_records_plan {
	const char *issuer;		/* the configuration's name of it */
	enum oc_config_source source;	/* INDEX, CERTDB */
	const char *path;		/* or a connection string */
	const char *certificate;	/* path of the issuer's */
	const char *copy;		/* path of the last good one's */
	int64_t dropped_max_percent;	/* source-dropped */
	int64_t max_age_s;		/* source-max-age */
	int64_t retention_s;		/* statuses are told after the end */
	const char *clock_directory;	/* the watch's */
};

/* "TABLE-DIRECTORY/ISSUER.source", for free(); NULL: out of memory. */
char *status_records_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer);

/* Reads the certificate; then as status_watch_new(). */
enum oc_err status_records_new(const struct status_records_plan *plan,
    struct status_records **records, struct oc_error *error) OC_MUST_CHECK;
void status_records_free(struct status_records *records); /* NULL: fine */

struct status_watch *status_records_watched(struct status_records *records);
/* The issuer's. */
const struct x509_cert *status_records_certificate(
    const struct status_records *records);
/* Whether what is not in it was never issued: while what is in the file is not
 * in force, it may have been since. */
bool status_records_is_complete(struct status_records *records);

#endif
