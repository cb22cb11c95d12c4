/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each certificate is asked about, roughly, for whoever must begin
 * with one of a million: a page of the responders' directory a process
 * (base/page.h), RESPONDER-DIRECTORY/asked-N.counts.
 *
 * A counter for each of a million hashes of a serial number, and so of several
 * certificates: what is asked about often stands out all the same.  What was
 * asked about long ago is forgotten: each sixteenth request halves one counter
 * of the next.
 */
#ifndef OCSP_ASKED_H
#define OCSP_ASKED_H

#include "base/err.h"
#include "base/page.h"
#include "base/serial.h"

#define OCSP_ASKED_COUNTERS (1024 * 1024)	/* a power of two; 2 MB */

struct ocsp_asked;			/* in a page: its writer's */
enum oc_err ocsp_asked_open(const char *directory, uint64_t run,
    struct oc_page **page, struct oc_error *error) OC_MUST_CHECK;
struct ocsp_asked *ocsp_asked_of(struct oc_page *page);
/* Never waits; NULL: nobody counts. */
void ocsp_asked_count(struct ocsp_asked *asked,
    const struct oc_serial *serial);

/* All pages that can be read, of whatever run. */
struct ocsp_asked_total;
/* NOMEM alone; all is 0 where there is no page. */
enum oc_err ocsp_asked_read(const char *directory,
    struct ocsp_asked_total **total) OC_MUST_CHECK;
void ocsp_asked_free(struct ocsp_asked_total *total);	/* NULL is fine */
uint32_t ocsp_asked_num(const struct ocsp_asked_total *total,
    const struct oc_serial *serial);

#endif
