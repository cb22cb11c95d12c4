/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ocsign-validator was asked and how that ended, in a page of its
 * directory (base/page.h): RUN/validator-N.counts.
 */
#ifndef VALIDATION_COUNTS_H
#define VALIDATION_COUNTS_H

#include "base/page.h"
#include "validation/validation.h"

/* Nothing but uint64_t, and all of them only grow.  By enum validation_task,
 * and by enum validation_fault. */
struct validation_counts {
	uint64_t asked[VALIDATION_TASK_LAST + 1];
	uint64_t ended[VALIDATION_TASK_LAST + 1][VALIDATION_FAULT_LAST + 1];
	uint64_t left;		/* whoever asked has given up, or we ended */
};

/* Those that wait or are looked at. */
uint64_t validation_counts_waiting(const struct validation_counts *counts);

/* oc_page_open(), and what is in such a page; what a process before us left
 * unanswered there has been left. */
enum oc_err validation_counts_open(const char *directory, uint64_t run,
    struct oc_page **page, struct oc_error *error) OC_MUST_CHECK;
struct validation_counts *validation_counts_of(struct oc_page *page);

struct validation_counts_total {
	struct validation_counts counts;
	struct oc_page_total pages;
};
void validation_counts_read(const char *directory, uint64_t run,
    struct validation_counts_total *total);

#endif
