/* SPDX-License-Identifier: Apache-2.0 */
#include "status/renewal.h"

#define WEEK_S (INT64_C(7) * 86400)

int64_t
status_renewal_at(int64_t not_before, int64_t not_after)
{
	return not_after - (not_after - not_before) / 3;
}

enum status_renewal
status_renewal_of(int64_t not_before, int64_t not_after, int64_t now)
{
	int64_t life_s = not_after - not_before;
	int64_t due_at = status_renewal_at(not_before, not_after);
	int64_t last_s = life_s / 6 < WEEK_S ? life_s / 6 : WEEK_S;

	if (now >= not_after - last_s)
		return STATUS_RENEWAL_URGENT;
	if (now >= due_at + life_s / 30)
		return STATUS_RENEWAL_LATE;
	return now >= due_at ? STATUS_RENEWAL_DUE : STATUS_RENEWAL_FINE;
}

const char *
status_renewal_word(enum status_renewal renewal)
{
	switch (renewal) {
	case STATUS_RENEWAL_NONE:
		break;
	case STATUS_RENEWAL_FINE:
		return "fine";
	case STATUS_RENEWAL_DUE:
		return "due";
	case STATUS_RENEWAL_LATE:
		return "late";
	case STATUS_RENEWAL_URGENT:
		return "urgent";
	}
	return "none";
}
