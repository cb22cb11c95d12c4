/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/asked.h"

#include <stdlib.h>

#define FORGET_EACH 16

struct ocsp_asked {
	uint64_t num;			/* counted; who is halved next */
	uint16_t counters[OCSP_ASKED_COUNTERS];
};
_Static_assert(sizeof(struct ocsp_asked) <= OC_PAGE_LEN_MAX, "it is a page");

struct ocsp_asked_total {
	uint32_t counters[OCSP_ASKED_COUNTERS];
};

static const struct oc_page_kind kind = {
	"asked",
	/* "ocasked", and the version of what stands behind it. */
	UINT64_C(0x6f6361736b656401),
	sizeof(struct ocsp_asked)
};

/* FNV-1a, the upper bits mixed in: an order, no promise. */
static uint32_t
place_of(const struct oc_serial *serial)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 0; i < serial->len; i++)
		h = (h ^ serial->bytes[i]) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ h >> 32) % OCSP_ASKED_COUNTERS;
}

enum oc_err
ocsp_asked_open(const char *directory, uint64_t run, struct oc_page **page,
    struct oc_error *error)
{
	return oc_page_open(directory, &kind, run, page, error);
}

struct ocsp_asked *
ocsp_asked_of(struct oc_page *page)
{
	return oc_page_data(page);
}

void
ocsp_asked_count(struct ocsp_asked *asked, const struct oc_serial *serial)
{
	uint16_t *counter;

	if (asked == NULL)
		return;
	counter = &asked->counters[place_of(serial)];
	*counter += *counter < UINT16_MAX;
	if (++asked->num % FORGET_EACH == 0)
		asked->counters[asked->num / FORGET_EACH %
		    OCSP_ASKED_COUNTERS] /= 2;
}

/* --- all of them -------------------------------------------------------- */

static void
add_page(void *arg, const void *data)
{
	struct ocsp_asked_total *total = arg;
	const struct ocsp_asked *asked = data;

	for (size_t i = 0; i < OCSP_ASKED_COUNTERS; i++)
		total->counters[i] += asked->counters[i];
}

enum oc_err
ocsp_asked_read(const char *directory, struct ocsp_asked_total **out)
{
	struct ocsp_asked_total *total = calloc(1, sizeof(*total));
	struct oc_page_total pages;

	if (total == NULL)
		return OC_ERR_NOMEM;
	oc_page_read(directory, &kind, OC_PAGE_ANY_RUN, add_page, total,
	    &pages);
	*out = total;
	return OC_OK;
}

void
ocsp_asked_free(struct ocsp_asked_total *total)
{
	free(total);
}

uint32_t
ocsp_asked_num(const struct ocsp_asked_total *total,
    const struct oc_serial *serial)
{
	return total->counters[place_of(serial)];
}
