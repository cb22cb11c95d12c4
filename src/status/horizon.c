/* SPDX-License-Identifier: Apache-2.0 */
#include "status/horizon.h"

#include <string.h>

void
status_horizon_begin(struct status_horizon_pass *pass, int64_t now,
    int64_t lifetime_s)
{
	memset(pass, 0, sizeof(*pass));
	pass->is_under_way = true;
	pass->width_s = lifetime_s / STATUS_HORIZON_BINS + 1;
	pass->found.begun_at = now;
}

static void
note_first(int64_t *first, int64_t at)
{
	if (*first == 0 || at < *first)
		*first = at;
}

void
status_horizon_add(struct status_horizon_pass *pass,
    const struct ocsp_slot *slot, int64_t not_after)
{
	struct status_horizon *found = &pass->found;
	int64_t left_s = slot->next_update - found->begun_at;
	int64_t bin = left_s / pass->width_s;

	if (slot->next_update >= not_after) {
		found->num_ending++;
		return;
	}
	if (left_s <= 0) {
		found->num_stale++;
		return;
	}
	if (bin >= STATUS_HORIZON_BINS)
		bin = STATUS_HORIZON_BINS - 1;
	pass->bins[bin].num++;
	note_first(&pass->bins[bin].first, slot->next_update);
	note_first(&found->first_stale_at, slot->next_update);
	note_first(&found->oldest_produced_at, slot->produced_at);
	found->num_answers++;
}

void
status_horizon_end(struct status_horizon_pass *pass, int64_t now,
    struct status_horizon *horizon)
{
	struct status_horizon *found = &pass->found;
	uint32_t half = found->num_answers / 2 + found->num_answers % 2;
	uint32_t num = 0, i;

	for (i = 0; i < STATUS_HORIZON_BINS && half > 0; i++) {
		num += pass->bins[i].num;
		if (num >= half) {
			found->half_stale_at = pass->bins[i].first;
			break;
		}
	}
	found->as_of = now;
	*horizon = *found;
	pass->is_under_way = false;
}
