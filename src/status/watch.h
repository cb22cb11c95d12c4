/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file in which somebody else says what is so of an issuer's certificates,
 * and who watches it.  What is in the file is in force only if its reader
 * finds it well, and no step back from what was before; whatever else happens
 * to the file, the last good one stays, until it may no longer be trusted.  A
 * copy of that lies in the table directory, so that no restart lets an older
 * one in.
 *
 * A thread looks at the file once a second; the rest may be called from any
 * thread.  Who holds a list keeps it.
 */
#ifndef STATUS_WATCH_H
#define STATUS_WATCH_H

#include "base/config.h"
#include "base/file.h"
#include "status/issued.h"
#include "status/list.h"
#include "status/status.h"

enum status_from { STATUS_FROM_FILE, STATUS_FROM_COPY };

/* All of them are called by the thread, or before there is one. */
struct status_watch_ops {
	/* Of what is read; NULL: of the file. */
	enum oc_err (*stamp)(void *arg, struct oc_file_stamp *stamp,
	    struct oc_error *error);
	/* Reads it, and finds it to be the issuer's and whole.  EXISTS: it is
	 * what is in force already; before: that, NULL if nothing is. */
	enum oc_err (*load)(void *arg, enum status_from from,
	    const struct status_list *before, struct status_list **list,
	    struct oc_error *error);
	/* Whether it may be in force now, in the place of the one before. */
	enum oc_err (*judge)(void *arg, const struct status_list *list,
	    const struct status_list *before, int64_t now,
	    struct oc_error *error);
	/* What was judged last says less than the one before, and might be
	 * the beginning of more: it has to have settled.  NULL: it never is. */
	bool (*may_be_half)(void *arg);
	/* Writes the copy. */
	enum oc_err (*keep)(void *arg, const struct status_list *list,
	    struct oc_error *error);
	/* In the log: this one, judged before, will be in force. */
	void (*say_taken)(void *arg, const struct status_list *list);
};

struct status_watch;

struct status_watch_plan {
	const char *issuer;		/* the configuration's name of it */
	const char *key;		/* of the configuration: "crl-file" */
	const char *noun;		/* "CRL" */
	const char *path;		/* of the file; or what it is called */
	/* Its stamp is another whenever what is read is: no second look is
	 * wanted. */
	bool is_exact;
	const char *issued;		/* path; NULL: there is no such list */
	bool is_fetched;		/* by us: until it has been, that there
					 * is no file is no trouble */
	/* Of a list without dates: for how long what was last read well may be
	 * trusted. */
	int64_t max_age_s;
	const struct status_watch_ops *ops;
	void *arg;
	/* Whose clock file says which time is right (base/clock_watch.h); NULL:
	 * the clock is believed. */
	const char *clock_directory;
};

/*
 * Strings are copied, but for key and noun.  Reads the copy, and the file:
 * what is wrong with them is no error, but said in the log and in reports.
 * Blocks, and nobody looks at the file again before status_watch_start().
 */
enum oc_err status_watch_new(const struct status_watch_plan *plan,
    struct status_watch **watch, struct oc_error *error) OC_MUST_CHECK;
/* Nobody else may watch any more: what he put into the copy since counts. */
enum oc_err status_watch_start(struct status_watch *watch) OC_MUST_CHECK;
/* Nobody looks any more; what is in force stays. */
void status_watch_stop(struct status_watch *watch);
void status_watch_free(struct status_watch *watch);	/* NULL: fine */

/* What was in force together: held, for status_said_fini(). */
struct status_said {
	struct status_list *list;	/* NULL: there was none yet */
	struct status_issued *issued;	/* NULL: no such list, or not yet */
	struct status_bounds bounds;	/* of the list */
	uint64_t generation;		/* goes up with another of both */
};
void status_watch_hold(struct status_watch *watch, struct status_said *said);
void status_said_fini(struct status_said *said);
uint64_t status_watch_generation(struct status_watch *watch);
/* Of the list in force now; zero: there is none. */
struct status_bounds status_watch_bounds(struct status_watch *watch);

enum status_watch_state {
	STATUS_WATCH_CURRENT,
	STATUS_WATCH_REFUSED,		/* what is in the file, not in force */
	STATUS_WATCH_ENDED,		/* what is in force */
	STATUS_WATCH_NONE		/* there never was a good one */
};

struct status_watch_report {
	const char *issuer, *key, *noun;	/* live as long as the watch */
	bool has_list;			/* or the next four are zero */
	bool is_awaited;		/* it has not been fetched yet */
	struct status_bounds bounds;
	uint32_t num_entries, num_revoked;
	/* Since when, in Unix seconds, and why what is in the file is not in
	 * force, or is not kept; 0: all is well. */
	int64_t refused_since;
	char why[OC_ERROR_TEXT_MAX];
	uint64_t num_taken, num_refused;	/* since the start */
};
void status_watch_report(struct status_watch *watch,
    struct status_watch_report *report);

/* Unix seconds: by which it is told what has ended. */
int64_t status_watch_now(struct status_watch *watch);

/* In the order of how bad it is: NONE, ENDED, REFUSED. */
enum status_watch_state status_watch_report_state(
    const struct status_watch_report *report, int64_t now);
const char *status_watch_state_word(enum status_watch_state state);

/* What the thread does once a second: true if another is in force.  For tests,
 * and before status_watch_start() only. */
bool status_watch_look(struct status_watch *watch, int64_t now,
    int64_t mono_ns);

#endif
