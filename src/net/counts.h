/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an API's requests ended, by HTTP status, in pages of the run directory
 * (base/page.h): RUN/api-N.counts.
 */
#ifndef NET_COUNTS_H
#define NET_COUNTS_H

#include "base/page.h"

/* Those that are told apart; the last is any other. */
#define NET_CODES 16
extern const int net_codes[NET_CODES - 1];

/* Nothing but uint64_t, and all of them only grow. */
struct net_counts {
	uint64_t answers[NET_CODES];
};

void net_counts_note(struct net_counts *counts, int status);

/* oc_page_open(), and what is in such a page. */
enum oc_err net_counts_open(const char *directory, uint64_t run,
    struct oc_page **page, struct oc_error *error) OC_MUST_CHECK;
struct net_counts *net_counts_of(struct oc_page *page);

struct net_counts_total {
	struct net_counts counts;
	struct oc_page_total pages;
};
void net_counts_read(const char *directory, uint64_t run,
    struct net_counts_total *total);

#endif
