/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer's CRL that somebody else signs and puts into a file: [issuer NAME]
 * crl-file, watched (status/watch.h).  What is in the file is in force only if
 * it is the issuer's, valid now, and no step back from what was before.
 */
#ifndef STATUS_CRL_FILE_H
#define STATUS_CRL_FILE_H

#include "base/config.h"
#include "status/crl_list.h"
#include "status/watch.h"

struct status_crl_file;

struct status_crl_plan {
	const char *issuer;		/* the configuration's name of it */
	const char *path;		/* crl-file */
	const char *certificate;	/* path of the issuer's */
	/* Path of the last good one's, DER; of its delta's, if it had one, the
	 * same with "-delta". */
	const char *copy;
	const char *issued;		/* path; NULL: there is no such list */
	enum status_crl_scope scope;
	int64_t dropped_max_percent;	/* see status_crl_list_succeeds() */
	const char *delta;		/* crl-delta-file; NULL: none */
	bool is_fetched;		/* both, by ocsign-fetcher */
	const char *clock_directory;	/* the watch's */
};

/* "TABLE-DIRECTORY/ISSUER.crl", for free(); NULL: out of memory. */
char *status_crl_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer);

/* Reads the certificate; then as status_watch_new(). */
enum oc_err status_crl_file_new(const struct status_crl_plan *plan,
    struct status_crl_file **file, struct oc_error *error) OC_MUST_CHECK;
void status_crl_file_free(struct status_crl_file *file);  /* NULL: fine */

struct status_watch *status_crl_file_watched(struct status_crl_file *file);
/* The last good one, which may have ended since; NULL: there was none yet.
 * For status_crl_list_release(). */
struct status_crl_list *status_crl_file_hold(struct status_crl_file *file);
/* The issuer's. */
const struct x509_cert *status_crl_file_certificate(
    const struct status_crl_file *file);
/* Its watch's. */
uint64_t status_crl_file_generation(struct status_crl_file *file);

/* Whether a certificate that is not on it was issued. */
enum status_crl_unlisted {
	STATUS_UNLISTED_UNTOLD,		/* nothing is said of such */
	STATUS_UNLISTED_ISSUED,
	STATUS_UNLISTED_NEVER,
	STATUS_UNLISTED_UNKNOWN		/* the list is not there yet */
};
enum status_crl_unlisted status_crl_file_unlisted(
    struct status_crl_file *file, const struct oc_config_issuer *issuer,
    const struct oc_serial *serial);

struct status_crl_report {
	struct status_watch_report of;
	char number[STATUS_CRL_NUMBER_TEXT_MAX];	/* if there is one */
};
void status_crl_file_report(struct status_crl_file *file,
    struct status_crl_report *report);

#endif
