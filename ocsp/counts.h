/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responders count, and the page in which each counts it: a file
 * RUN/responder-N.counts that one process maps and writes, and that others
 * read.  Whoever starts takes the first page that nobody holds and goes on
 * from what stands there, so that the sum over all pages is the total of one
 * run of ocsignd, whatever ended, crashed or was replaced meanwhile: a page
 * has one writer at a time, held by a lock of its file, and none is removed.
 *
 * Plain numbers: their writer never waits, and what readers see may be of
 * slightly different moments.  Readers do not map: one who cuts a page short
 * is no trouble for them.
 */
#ifndef OCSP_COUNTS_H
#define OCSP_COUNTS_H

#include <stdint.h>

#include "base/err.h"

/* Upper bounds in ocsp_counts_bounds_ns[]; the last one has none. */
#define OCSP_LATENCY_BUCKETS 20
extern const int64_t ocsp_counts_bounds_ns[OCSP_LATENCY_BUCKETS - 1];

struct ocsp_latency {
	uint64_t num[OCSP_LATENCY_BUCKETS];
	uint64_t sum_ns;
};

/* One in so many answers from a table is timed. */
#define OCSP_HITS_A_SAMPLE 64

/* Nothing but uint64_t, and all of them only grow. */
struct ocsp_counts {
	uint64_t connections, requests;
	/* Which of the requests; what was not understood is "other". */
	uint64_t get, post, head, other_methods;
	/* How each ended: OCSPResponses, then what is none. */
	uint64_t successful, malformed, internal_errors, try_later;
	uint64_t sig_required, unauthorized;
	uint64_t not_modified, pages, http_errors;
	/* Answered from a table at the first look; asked of ocsign-status,
	 * among these because what the table had was past its nextUpdate;
	 * not even asked. */
	uint64_t hits, misses, stale, misses_refused;
	uint64_t cured_escapes, cured_alphabet, cured_slashes;
	uint64_t other_content_types;	/* POSTs without ours */
	uint64_t timeouts, shed, accept_pauses, buffers_exhausted;
	/* Of one address: connections beyond what it may have; misses that
	 * were not asked. */
	uint64_t address_refused, address_limited;
	/* From when the loop took up a connection with a hit until it was
	 * done with it; and how long ocsign-status was waited for. */
	struct ocsp_latency hit_latency, miss_latency;
};

void ocsp_latency_add(struct ocsp_latency *latency, int64_t ns);

#define OCSP_COUNTS_PAGES_MAX 256	/* 64 responders, twice in a reload */

struct ocsp_counts_page;
/*
 * The first page of directory that nobody holds, made if need be; what it
 * says of another run is forgotten.  BUSY if all are held.
 */
enum oc_err ocsp_counts_open(const char *directory, uint64_t run,
    struct ocsp_counts_page **page, struct oc_error *error) OC_MUST_CHECK;
/* Mapped, the caller's to write until close. */
struct ocsp_counts *ocsp_counts_of(struct ocsp_counts_page *page);
void ocsp_counts_close(struct ocsp_counts_page *page);	/* NULL is fine */

/* All pages of one run. */
struct ocsp_counts_total {
	struct ocsp_counts counts;
	uint32_t num_pages, num_held;	/* held: responders that run */
	uint64_t num_starts;		/* of responders */
	int64_t since;			/* when the first began; 0: none has */
};
/* Pages of other runs and what is no page are left out. */
void ocsp_counts_read(const char *directory, uint64_t run,
    struct ocsp_counts_total *total);

#endif
