/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of what is due, and the token bucket. */
#include "ocsp/refresh.h"

#include <stdlib.h>

#include "base/clock.h"

#define HEAP_MIN 256
#define SHORT_LIFE_S (16 * 3600)

void
ocsp_refresh_fini(struct ocsp_refresh *r)
{
	free(r->heap);
	*r = (struct ocsp_refresh){ 0 };
}

enum oc_err
ocsp_refresh_put(struct ocsp_refresh *r, const struct ocsp_due *due)
{
	uint32_t i, parent;

	if (r->num == r->num_max) {
		uint32_t num_max = r->num_max == 0 ? HEAP_MIN :
		    r->num_max + r->num_max / 2;
		struct ocsp_due *heap = reallocarray(r->heap, num_max,
		    sizeof(*heap));

		if (heap == NULL)
			return OC_ERR_NOMEM;
		r->heap = heap;
		r->num_max = num_max;
	}
	for (i = r->num++; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (r->heap[parent].at <= due->at)
			break;
		r->heap[i] = r->heap[parent];
	}
	r->heap[i] = *due;
	return OC_OK;
}

bool
ocsp_refresh_take(struct ocsp_refresh *r, int64_t now, struct ocsp_due *due)
{
	struct ocsp_due last;
	uint32_t i, child;

	if (r->num == 0 || r->heap[0].at > now)
		return false;
	*due = r->heap[0];
	last = r->heap[--r->num];
	for (i = 0; (child = 2 * i + 1) < r->num; i = child) {
		if (child + 1 < r->num &&
		    r->heap[child + 1].at < r->heap[child].at)
			child++;
		if (last.at <= r->heap[child].at)
			break;
		r->heap[i] = r->heap[child];
	}
	r->heap[i] = last;
	return true;
}

/* 0 .. 1023, from all of the serial's octets. */
static int64_t
phase_of(const struct oc_serial *serial)
{
	uint32_t h = 0, i;

	for (i = 0; i < serial->len; i++)
		h = (h ^ serial->bytes[i]) * UINT32_C(0x9e3779b1);
	return h >> 22;
}

int64_t
ocsp_refresh_due_at(const struct oc_serial *serial, int64_t this_update,
    int64_t next_update)
{
	int64_t life = next_update - this_update;
	int64_t from = life < SHORT_LIFE_S ? life * 3 / 8 : life / 2;
	int64_t to = life < SHORT_LIFE_S ? life / 2 : life * 3 / 4;

	return this_update + from + (to - from) * phase_of(serial) / 1024;
}

bool
ocsp_budget_take(struct ocsp_budget *budget, int64_t now_ns)
{
	int64_t cost;

	if (budget->rate <= 0)
		return false;
	cost = OC_NS_PER_S / budget->rate;
	budget->left_ns += now_ns - budget->filled_at_ns;
	budget->filled_at_ns = now_ns;
	if (budget->left_ns > OC_NS_PER_S)
		budget->left_ns = OC_NS_PER_S;
	if (budget->left_ns < cost)
		return false;
	budget->left_ns -= cost;
	return true;
}
