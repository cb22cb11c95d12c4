/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that one process writes and others read while it runs and after it
 * was killed: files DIRECTORY/NAME-N.counts.  Whoever starts takes the first
 * that nobody holds and goes on from what stands there, so that the sum over
 * all of them is the total of one run of ocsignd, whatever ended, crashed or
 * was replaced meanwhile: a page has one writer at a time, held by a lock of
 * its file, and none is removed.
 *
 * Their writer maps it, and never waits.  Readers do not map: one who cuts a
 * page short is no trouble for them.
 */
#ifndef BASE_PAGE_H
#define BASE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What there is of a kind of pages. */
struct oc_page_kind {
	const char *name;
	uint64_t magic;			/* with a version */
	size_t len;			/* of what is counted: of nothing but
					 * what may be all zero */
};
#define OC_PAGE_LEN_MAX (2 * 1024 * 1024 + 64)
#define OC_PAGES_MAX 256		/* 64 processes, twice in a reload */

struct oc_page;
/*
 * The first page that nobody holds, made if need be; what it says of another
 * run, or another version, is forgotten.  BUSY if all are held.
 */
enum oc_err oc_page_open(const char *directory,
    const struct oc_page_kind *kind, uint64_t run, struct oc_page **page,
    struct oc_error *error) OC_MUST_CHECK;
/* Mapped, at the beginning of a cache line, the caller's to write until
 * close. */
void *oc_page_data(struct oc_page *page);
void oc_page_close(struct oc_page *page);	/* NULL is fine */

/* Of all pages of one run. */
struct oc_page_total {
	uint32_t num_pages, num_held;	/* held: writers that run */
	uint64_t num_starts;		/* of writers */
	int64_t since;			/* when the first began; 0: none has */
};
/* each() is given what was counted in one, to be added up.  Pages of other
 * runs and what is no page are left out, and where memory has run out all. */
#define OC_PAGE_ANY_RUN UINT64_MAX
typedef void oc_page_fn(void *arg, const void *data);
void oc_page_read(const char *directory, const struct oc_page_kind *kind,
    uint64_t run, oc_page_fn *each, void *arg, struct oc_page_total *total);

/* Adds len octets of uint64_t to as many. */
void oc_page_add(void *to, const void *from, size_t len);

#endif
