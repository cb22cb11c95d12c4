/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/counts.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/page.h"

#define US INT64_C(1000)
#define MS OC_NS_PER_MS
#define CACHE_LINE 64

/* What is counted of one issuer; name[0] is written last, and once. */
struct place {
	alignas(CACHE_LINE) char name[OC_CONFIG_NAME_MAX + CACHE_LINE];
	struct ocsp_issuer_counts counts;
};
_Static_assert(sizeof(struct ocsp_issuer_counts) == CACHE_LINE,
    "what a request counts is in one");

/* What a page holds. */
struct image {
	struct ocsp_counts counts;
	struct place places[OCSP_COUNTS_ISSUERS_MAX];
};
_Static_assert(sizeof(struct ocsp_counts) % sizeof(uint64_t) == 0,
    "summed as an array");
_Static_assert(sizeof(struct image) <= OC_PAGE_LEN_MAX, "it is a page");

static const struct oc_page_kind kind = {
	"responder",
	/* "ocscnts", and the version of what stands behind it. */
	UINT64_C(0x6f6373636e747304),
	sizeof(struct image)
};

const int64_t ocsp_counts_bounds_ns[OCSP_LATENCY_BUCKETS - 1] = {
	5 * US, 10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US,
	1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
	250 * MS, 500 * MS, 1000 * MS, 2500 * MS, 5000 * MS
};

void
ocsp_latency_add(struct ocsp_latency *latency, int64_t ns)
{
	size_t i = 0;

	if (ns < 0)
		ns = 0;
	while (i < OCSP_LATENCY_BUCKETS - 1 && ns > ocsp_counts_bounds_ns[i])
		i++;
	latency->num[i]++;
	latency->sum_ns += (uint64_t)ns;
}

enum oc_err
ocsp_counts_open(const char *directory, uint64_t run, struct oc_page **page,
    struct oc_error *error)
{
	return oc_page_open(directory, &kind, run, page, error);
}

struct ocsp_counts *
ocsp_counts_of(struct oc_page *page)
{
	return &((struct image *)oc_page_data(page))->counts;
}

struct ocsp_issuer_counts *
ocsp_counts_of_issuer(struct oc_page *page, const char *name)
{
	struct image *image = oc_page_data(page);
	size_t len = strlen(name), i;

	oc_assert(len > 0 && len <= OC_CONFIG_NAME_MAX);
	for (i = 0; i < OCSP_COUNTS_ISSUERS_MAX; i++) {
		struct place *place = &image->places[i];

		if (place->name[0] == '\0') {
			memcpy(place->name + 1, name + 1, len);
			atomic_thread_fence(memory_order_release);
			place->name[0] = name[0];
			return &place->counts;
		}
		if (strncmp(place->name, name, sizeof(place->name)) == 0)
			return &place->counts;
	}
	return NULL;
}

/* Which of the total's it is; UINT32_MAX: none. */
static uint32_t
find_issuer(const struct ocsp_counts_total *total, const char *name)
{
	uint32_t i;

	for (i = 0; i < total->num_issuers; i++)
		if (strcmp(total->issuers[i].name, name) == 0)
			return i;
	return UINT32_MAX;
}

/* What is no name that one of us wrote is left out. */
static void
add_issuer(const struct place *place, struct ocsp_counts_total *total)
{
	size_t len = strnlen(place->name, sizeof(place->name));
	uint32_t i;

	if (len == 0 || len > OC_CONFIG_NAME_MAX)
		return;
	i = find_issuer(total, place->name);
	if (i == UINT32_MAX) {
		if (total->num_issuers == OCSP_COUNTS_ISSUERS_MAX)
			return;
		i = total->num_issuers++;
		memcpy(total->issuers[i].name, place->name, len + 1);
	}
	oc_page_add(&total->issuers[i].counts, &place->counts,
	    sizeof(place->counts));
}

static void
add_page(void *arg, const void *data)
{
	struct ocsp_counts_total *total = arg;
	const struct image *image = data;
	size_t i;

	oc_page_add(&total->counts, &image->counts, sizeof(image->counts));
	for (i = 0; i < OCSP_COUNTS_ISSUERS_MAX; i++)
		add_issuer(&image->places[i], total);
}

void
ocsp_counts_read(const char *directory, uint64_t run,
    struct ocsp_counts_total *total)
{
	memset(total, 0, sizeof(*total));
	oc_page_read(directory, &kind, run, add_page, total, &total->pages);
}

struct ocsp_issuer_counts
ocsp_counts_find(const struct ocsp_counts_total *total, const char *issuer)
{
	uint32_t i = find_issuer(total, issuer);

	return i == UINT32_MAX ? (struct ocsp_issuer_counts){ 0 } :
	    total->issuers[i].counts;
}
