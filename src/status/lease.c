/* SPDX-License-Identifier: Apache-2.0 */
#include "status/lease.h"

#include <stddef.h>

#define PATIENCE_MAX_S (4 * INT64_C(3600))

const char *
status_lead_word(enum status_lead lead)
{
	switch (lead) {
	case STATUS_LEAD_NONE:
		return "none";
	case STATUS_LEAD_ALONE:
		return "alone";
	case STATUS_LEAD_FOLLOWS:
		return "follows";
	case STATUS_LEAD_LEADS:
		return "leads";
	}
	return NULL;
}

void
status_lease_contact(struct status_lease *lease, int64_t asked_ms)
{
	if (asked_ms > lease->contact_ms)
		lease->contact_ms = asked_ms;
}

void
status_lease_answer(struct status_lease *lease, int64_t asked_ms, bool is_ours)
{
	status_lease_contact(lease, asked_ms);
	lease->until_ms = is_ours ? asked_ms + STATUS_LEASE_MS -
	    STATUS_LEASE_MARGIN_MS : 0;
}

enum status_lead
status_lease_lead(const struct status_lease *lease, int64_t now_ms)
{
	int64_t since = lease->contact_ms != 0 ? lease->contact_ms :
	    lease->begun_ms;

	if (now_ms - since > STATUS_ALONE_MS)
		return STATUS_LEAD_ALONE;
	return now_ms < lease->until_ms ? STATUS_LEAD_LEADS :
	    STATUS_LEAD_FOLLOWS;
}

int64_t
status_lease_patience_s(int64_t lifetime_s)
{
	int64_t patience_s = lifetime_s / 8;

	return patience_s < PATIENCE_MAX_S ? patience_s : PATIENCE_MAX_S;
}
