/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer's CRL that somebody else signs and puts into a file: [issuer NAME]
 * crl-file.  What is in the file is in force only if it is the issuer's, valid
 * now, and no step back from what was before; whatever else happens to the
 * file, the last good one stays.  A copy of that lies in the table directory,
 * so that no restart lets an older one in.
 *
 * A thread looks at the file once a second; the rest may be called from any
 * thread.  Who holds a list keeps it.
 */
#ifndef STATUS_CRL_FILE_H
#define STATUS_CRL_FILE_H

#include "base/config.h"
#include "status/crl_list.h"
#include "status/issued.h"

/* A list may be of so long from now: clocks are not the same everywhere. */
#define STATUS_CRL_SKEW_S 300

struct status_crl_file;

struct status_crl_plan {
	const char *issuer;		/* the configuration's name of it */
	const char *path;		/* crl-file */
	const char *certificate;	/* path of the issuer's */
	const char *copy;		/* path of the last good one's, DER */
	const char *issued;		/* path; NULL: there is no such list */
	enum status_crl_scope scope;
	int64_t dropped_max_percent;	/* see status_crl_list_succeeds() */
};

/* "TABLE-DIRECTORY/ISSUER.crl", for free(); NULL: out of memory. */
char *status_crl_copy_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer);

/*
 * Reads the certificate, the copy, and the file.  What is wrong with the last
 * two is no error, but said in the log and in reports.  Blocks, and nobody
 * looks at the file again before status_crl_file_watch().
 */
enum oc_err status_crl_file_new(const struct status_crl_plan *plan,
    struct status_crl_file **file, struct oc_error *error) OC_MUST_CHECK;
/* Nobody else may watch any more: what he put into the copy since counts. */
enum oc_err status_crl_file_watch(struct status_crl_file *file)
    OC_MUST_CHECK;
/* Nobody looks any more; what is in force stays. */
void status_crl_file_stop(struct status_crl_file *file);
void status_crl_file_free(struct status_crl_file *file);  /* NULL: fine */

/* The last good one, which may have ended since; NULL: there was none yet.
 * For status_crl_list_release(). */
struct status_crl_list *status_crl_file_hold(struct status_crl_file *file);
/* The last good list of issued serial numbers; NULL: there was none yet.  For
 * status_issued_release(). */
struct status_issued *status_crl_file_hold_issued(
    struct status_crl_file *file);
/* The issuer's. */
const struct x509_cert *status_crl_file_certificate(
    const struct status_crl_file *file);
/* Goes up when one of both is another one. */
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

enum status_crl_state {
	STATUS_CRL_CURRENT,
	STATUS_CRL_REFUSED,		/* what is in the file, not in force */
	STATUS_CRL_ENDED,		/* what is in force */
	STATUS_CRL_NONE			/* there never was a good one */
};

struct status_crl_report {
	const char *issuer;		/* lives as long as the file */
	bool has_list;			/* or the next four are zero */
	char number[STATUS_CRL_NUMBER_TEXT_MAX];
	int64_t this_update, next_update;
	uint32_t num_entries;
	/* Since when, in Unix seconds, and why what is in the file is not in
	 * force, or is not kept; 0: all is well. */
	int64_t refused_since;
	char why[OC_ERROR_TEXT_MAX];
	uint64_t num_taken, num_refused;	/* since the start */
};
void status_crl_file_report(struct status_crl_file *file,
    struct status_crl_report *report);

/* In the order of how bad it is: NONE, ENDED, REFUSED. */
enum status_crl_state status_crl_report_state(
    const struct status_crl_report *report, int64_t now);
const char *status_crl_state_word(enum status_crl_state state);

/* What the thread does once a second: true if another is in force.  For tests,
 * and before status_crl_file_watch() only. */
bool status_crl_file_look(struct status_crl_file *file, int64_t now,
    int64_t mono_ns);

#endif
