/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/counts.h"

#include <string.h>

_Static_assert(sizeof(struct validation_counts) % sizeof(uint64_t) == 0,
    "summed as an array");

static const struct oc_page_kind kind = {
	"validator",
	/* "ocsvali", and the version of what stands behind it. */
	UINT64_C(0x6f637376616c6901),
	sizeof(struct validation_counts)
};

uint64_t
validation_counts_waiting(const struct validation_counts *counts)
{
	uint64_t asked = 0, over = counts->left;

	for (size_t i = 0; i <= VALIDATION_TASK_LAST; i++) {
		asked += counts->asked[i];
		for (size_t n = 0; n <= VALIDATION_FAULT_LAST; n++)
			over += counts->ended[i][n];
	}
	/* Read while they are written. */
	return asked > over ? asked - over : 0;
}

enum oc_err
validation_counts_open(const char *directory, uint64_t run,
    struct oc_page **page, struct oc_error *error)
{
	struct validation_counts *counts;
	enum oc_err err = oc_page_open(directory, &kind, run, page, error);

	if (err != OC_OK)
		return err;
	counts = validation_counts_of(*page);
	counts->left += validation_counts_waiting(counts);
	return OC_OK;
}

struct validation_counts *
validation_counts_of(struct oc_page *page)
{
	return oc_page_data(page);
}

static void
add_page(void *arg, const void *data)
{
	struct validation_counts_total *total = arg;

	oc_page_add(&total->counts, data, sizeof(total->counts));
}

void
validation_counts_read(const char *directory, uint64_t run,
    struct validation_counts_total *total)
{
	memset(total, 0, sizeof(*total));
	oc_page_read(directory, &kind, run, add_page, total, &total->pages);
}
