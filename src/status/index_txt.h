/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database that "openssl ca" keeps, index.txt: a line for each
 * certificate, of six fields with tabs between them (ca(1), TXT_DB):
 *
 *	status		V, R or E: valid, revoked, expired
 *	end		of the certificate: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ
 *	revocation	of R alone: date[,reason[,argument]]
 *	serial		hexadecimal, an even number of digits
 *	file		"unknown"
 *	subject		/CN=...
 *
 * Lines that begin with '#' are comments.  What is read has all of it or is
 * refused, with the line and what is wrong with it.
 */
#ifndef STATUS_INDEX_TXT_H
#define STATUS_INDEX_TXT_H

#include "base/limits.h"
#include "base/spool.h"
#include "status/list.h"

/* All of a line; what is not in the entry is borrowed. */
struct status_index_line {
	struct status_entry entry;
	int64_t invalidity_at;		/* of keyTime, CAkeyTime; 0: none */
	const char *text;		/* no NUL behind it */
	size_t len;			/* without the end of the line */
	const char *subject, *serial;	/* views into text */
	size_t subject_len, serial_len;
};
typedef enum oc_err status_index_line_fn(void *arg,
    const struct status_index_line *line, struct oc_error *error);
/* One line without its end.  MALFORMED. */
enum oc_err status_index_line_read(const char *text, size_t len,
    struct status_index_line *line, struct oc_error *error) OC_MUST_CHECK;

/* Octets are given in parts of any length, as they are read. */
struct status_index {
	struct status_list *list;	/* owned */
	uint32_t line;			/* the number of the last one */
	uint32_t in_rest;		/* octets of the line after it */
	char rest[OC_INDEX_LINE_MAX];
	/* Not to make a list, but to find out where this one stands. */
	const struct oc_serial *wanted;
	uint32_t found[2];		/* lines: the first, and another */
	/* Not to make a list, but for somebody who wants each line. */
	status_index_line_fn *fn;	/* NULL: a list */
	void *arg;
};

enum oc_err status_index_init(struct status_index *index) OC_MUST_CHECK;
void status_index_fini(struct status_index *index);
/* MALFORMED with "line N: ...", LIMIT, NOMEM. */
enum oc_err status_index_put(struct status_index *index, const char *text,
    size_t len, struct oc_error *error) OC_MUST_CHECK;
/*
 * There is no more.  MALFORMED: nothing was there, or the last line has no
 * end, so that more may be missing; EXISTS: a serial number is there twice.
 */
enum oc_err status_index_finish(struct status_index *index,
    struct status_list **list, struct oc_error *error) OC_MUST_CHECK;

/* A whole regular file; as of *stamp, before the first octet was read.  BUSY:
 * it has changed meanwhile. */
struct oc_file_stamp;
enum oc_err status_index_read(const char *path, struct status_list **list,
    struct oc_file_stamp *stamp, struct oc_error *error) OC_MUST_CHECK;

/* The same, line by line; comments are left out.  What fn returns other than
 * OC_OK ends it, with "line N: " in front of its text. */
enum oc_err status_index_walk(const char *path, status_index_line_fn *fn,
    void *arg, struct oc_error *error) OC_MUST_CHECK;

/* A list as such a file, behind a first line of somebody's own. */
enum oc_err status_index_write(const struct status_list *list,
    const char *first_line, struct oc_mapping *text) OC_MUST_CHECK;

/* "date[,reason[,argument]]", as openssl reads it: MALFORMED says why. */
enum oc_err status_index_revocation(const char *text, size_t len,
    struct status_entry *entry, struct oc_error *error) OC_MUST_CHECK;

#endif
