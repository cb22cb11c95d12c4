/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responders count, each in a page of the run directory that it maps and
 * writes, and that others read (base/page.h): RUN/responder-N.counts.
 *
 * Plain numbers: their writer never waits, and what readers see may be of
 * slightly different moments.
 */
#ifndef OCSP_COUNTS_H
#define OCSP_COUNTS_H

#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/page.h"

/* Upper bounds in ocsp_counts_bounds_ns[]; the last one has none. */
#define OCSP_LATENCY_BUCKETS 20
extern const int64_t ocsp_counts_bounds_ns[OCSP_LATENCY_BUCKETS - 1];

struct ocsp_latency {
	uint64_t num[OCSP_LATENCY_BUCKETS];
	uint64_t sum_ns;
};

/* One in so many answers from a table is timed. */
#define OCSP_HITS_A_SAMPLE 64

/* How requests for files of one kind ended. */
struct ocsp_file_counts {
	uint64_t whole, part, not_modified;
	uint64_t refused;		/* by method, condition, range */
	uint64_t missing;		/* there is none yet */
	uint64_t cut;			/* of whole and part: closed before
					 * all had been sent */
};

/* Nothing but uint64_t, and all of them only grow. */
struct ocsp_counts {
	uint64_t connections, requests;
	/* Which of the requests; what was not understood is "other". */
	uint64_t get, post, head, other_methods;
	/* How each ended: OCSPResponses, then what is none. */
	uint64_t successful, malformed, internal_errors, try_later;
	uint64_t sig_required, unauthorized;
	uint64_t not_modified, pages, http_errors;
	struct ocsp_file_counts crls, certificates;
	/* Answered from a table at the first look; asked of ocsign-status,
	 * among these because what the table had was past its nextUpdate;
	 * not even asked. */
	uint64_t hits, misses, stale, misses_refused;
	uint64_t cured_escapes, cured_alphabet, cured_slashes;
	uint64_t other_content_types;	/* POSTs without ours */
	uint64_t without_basic;		/* requests for no basic response */
	uint64_t timeouts, shed, accept_pauses, buffers_exhausted;
	/* Of one address: connections beyond what it may have; misses that
	 * were not asked. */
	uint64_t address_refused, address_limited;
	/* From when the loop took up a connection with a hit until it was
	 * done with it; and how long ocsign-status was waited for. */
	struct ocsp_latency hit_latency, miss_latency;
};

/* The same of the requests about one issuer; a cache line. */
struct ocsp_issuer_counts {
	uint64_t successful, not_modified, try_later, unauthorized;
	uint64_t other;			/* OCSPResponses of other statuses */
	uint64_t hits, misses, stale;
};
/* In one run, also those that it no longer has. */
#define OCSP_COUNTS_ISSUERS_MAX 64

void ocsp_latency_add(struct ocsp_latency *latency, int64_t ns);

/* oc_page_open() and what is in such a page; oc_page_close() ends it. */
enum oc_err ocsp_counts_open(const char *directory, uint64_t run,
    struct oc_page **page, struct oc_error *error) OC_MUST_CHECK;
struct ocsp_counts *ocsp_counts_of(struct oc_page *page);
/* Those of "[issuer NAME]"; NULL if there is no room for one more. */
struct ocsp_issuer_counts *ocsp_counts_of_issuer(struct oc_page *page,
    const char *name);

/* All pages of one run. */
struct ocsp_counts_total {
	struct ocsp_counts counts;
	struct oc_page_total pages;
	struct {
		char name[OC_CONFIG_NAME_MAX + 1];
		struct ocsp_issuer_counts counts;
	} issuers[OCSP_COUNTS_ISSUERS_MAX];
	uint32_t num_issuers;
};
void ocsp_counts_read(const char *directory, uint64_t run,
    struct ocsp_counts_total *total);
/* All zero if nothing was counted of it. */
struct ocsp_issuer_counts ocsp_counts_find(
    const struct ocsp_counts_total *total, const char *issuer);

#endif
