/* SPDX-License-Identifier: Apache-2.0 */
#include "net/counts.h"

#include <string.h>

_Static_assert(sizeof(struct net_counts) % sizeof(uint64_t) == 0,
    "summed as an array");

const int net_codes[NET_CODES - 1] = {
	200, 400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 431, 500, 502,
	503
};

static const struct oc_page_kind kind = {
	"api",
	/* "ocsapis", and the version of what stands behind it. */
	UINT64_C(0x6f63736170697301),
	sizeof(struct net_counts)
};

void
net_counts_note(struct net_counts *counts, int status)
{
	size_t i = 0;

	while (i < NET_CODES - 1 && net_codes[i] != status)
		i++;
	counts->answers[i]++;
}

enum oc_err
net_counts_open(const char *directory, uint64_t run, struct oc_page **page,
    struct oc_error *error)
{
	return oc_page_open(directory, &kind, run, page, error);
}

struct net_counts *
net_counts_of(struct oc_page *page)
{
	return oc_page_data(page);
}

static void
add_page(void *arg, const void *data)
{
	struct net_counts_total *total = arg;

	oc_page_add(&total->counts, data, sizeof(total->counts));
}

void
net_counts_read(const char *directory, uint64_t run,
    struct net_counts_total *total)
{
	memset(total, 0, sizeof(*total));
	oc_page_read(directory, &kind, run, add_page, total, &total->pages);
}
