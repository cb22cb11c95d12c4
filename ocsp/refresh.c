/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of what is due, and the budget. */
#include "ocsp/refresh.h"

#include <stdlib.h>

#include "base/clock.h"

#define HEAP_MIN 256
#define HEAP_LARGE 65536
/* The Baseline Requirements' numbers, 4.9.9 and 4.9.10. */
#define SHORT_LIFE_S (16 * 3600)
#define BEFORE_END_S (8 * 3600)
#define AFTER_START_S (4 * 86400)
#define LONG_LIFE_S (10 * 86400)

void
ocsp_refresh_fini(struct ocsp_refresh *r)
{
	free(r->heap);
	*r = (struct ocsp_refresh){ 0 };
}

/* By a sixteenth once it is large: it is moved by the page, not copied. */
static enum oc_err
make_room(struct ocsp_refresh *r)
{
	uint32_t step = r->num_max < HEAP_LARGE ? r->num_max / 2 :
	    r->num_max / 16;
	struct ocsp_due *heap;

	if (step < HEAP_MIN)
		step = HEAP_MIN;
	if (r->num_max > UINT32_MAX - step)
		return OC_ERR_LIMIT;
	heap = reallocarray(r->heap, r->num_max + step, sizeof(*heap));
	if (heap == NULL)
		return OC_ERR_NOMEM;
	r->heap = heap;
	r->num_max += step;
	return OC_OK;
}

static uint32_t
clamp(int64_t at)
{
	return at < 0 ? 0 : at > UINT32_MAX ? UINT32_MAX : (uint32_t)at;
}

enum oc_err
ocsp_refresh_put(struct ocsp_refresh *r, int64_t at, uint32_t item)
{
	const struct ocsp_due due = { clamp(at), item };
	uint32_t i, parent;
	enum oc_err err;

	if (r->num == r->num_max) {
		err = make_room(r);
		if (err != OC_OK)
			return err;
	}
	for (i = r->num++; i > 0; i = parent) {
		parent = (i - 1) / 2;
		if (r->heap[parent].at <= due.at)
			break;
		r->heap[i] = r->heap[parent];
	}
	r->heap[i] = due;
	return OC_OK;
}

int64_t
ocsp_refresh_next_at(const struct ocsp_refresh *r)
{
	return r->num == 0 ? INT64_MAX : r->heap[0].at;
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

/* The last moment for the last phase, counted from thisUpdate. */
static int64_t
latest_of(int64_t life)
{
	int64_t latest = life * 3 / 4;

	if (life < SHORT_LIFE_S)
		return life / 2;
	if (latest > life - BEFORE_END_S)
		latest = life - BEFORE_END_S;
	/* Who signs for longer than is allowed does it offline. */
	if (latest > AFTER_START_S && life <= LONG_LIFE_S)
		latest = AFTER_START_S;
	return latest;
}

int64_t
ocsp_refresh_due_at(const struct oc_serial *serial, int64_t this_update,
    int64_t next_update)
{
	int64_t latest = latest_of(next_update - this_update);
	int64_t spread = latest / 3;

	return this_update + latest - spread +
	    spread * phase_of(serial) / 1024;
}

/* Forgets what was taken in parts that are now more than a second old. */
static void
forget(struct ocsp_budget *budget, int64_t part)
{
	int64_t num_past = part - budget->part;
	int64_t i;

	if (num_past > OCSP_BUDGET_PARTS)
		num_past = OCSP_BUDGET_PARTS;
	for (i = 1; i <= num_past; i++) {
		uint32_t *old = &budget->taken[(budget->part + i) %
		    OCSP_BUDGET_PARTS];

		budget->num_taken -= *old;
		*old = 0;
	}
	if (num_past > 0)
		budget->part = part;
}

bool
ocsp_budget_take(struct ocsp_budget *budget, int64_t now_ns)
{
	forget(budget, now_ns / (OC_NS_PER_S / (OCSP_BUDGET_PARTS - 1)));
	if (budget->num_taken >= budget->rate ||
	    budget->num_taken == UINT32_MAX)
		return false;
	budget->num_taken++;
	budget->taken[budget->part % OCSP_BUDGET_PARTS]++;
	return true;
}
