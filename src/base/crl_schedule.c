/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crl_schedule.h"

#define GRACE_MAX_S 3600
/* Of two hosts' clocks. */
#define AHEAD_MAX_S 300

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Deltas are made beside each full list, and a quarter of their lives apart. */
static int64_t
every_of(const struct oc_config_issuer *issuer, bool is_delta)
{
	return is_delta ? least(issuer->crl_delta_lifetime_s / 4,
	    issuer->crl_every_s) : issuer->crl_every_s;
}

/* How much of a life is to be left when the next one comes. */
static int64_t
overlap_of(const struct oc_config_issuer *issuer, bool is_delta,
    int64_t this_update, int64_t next_update)
{
	int64_t half_s = (next_update - this_update) / 2;

	return is_delta ? half_s : least(issuer->crl_overlap_s, half_s);
}

int64_t
oc_crl_due_at(const struct oc_config_issuer *issuer, bool is_delta,
    int64_t this_update, int64_t next_update)
{
	if (this_update == 0)
		return 0;
	return least(this_update + every_of(issuer, is_delta), next_update -
	    overlap_of(issuer, is_delta, this_update, next_update));
}

int64_t
oc_crl_at_once_at(const struct oc_config_issuer *issuer, int64_t this_update)
{
	return this_update == 0 ? 0 : this_update + issuer->crl_spacing_s;
}

bool
oc_crl_is_of_future(int64_t this_update, int64_t now)
{
	return this_update > now + AHEAD_MAX_S;
}

enum oc_crl_standing
oc_crl_standing_of(const struct oc_config_issuer *issuer, bool is_delta,
    int64_t this_update, int64_t next_update, int64_t now)
{
	int64_t due_at = oc_crl_due_at(issuer, is_delta, this_update,
	    next_update);
	int64_t grace_s = least(every_of(issuer, is_delta) / 4, GRACE_MAX_S);
	int64_t overlap_s = overlap_of(issuer, is_delta, this_update,
	    next_update);

	if (this_update == 0 || now >= next_update)
		return OC_CRL_ENDED;
	if (now >= next_update - overlap_s / 2)
		return OC_CRL_URGENT;
	if (now >= due_at + grace_s)
		return OC_CRL_LATE;
	return now >= due_at ? OC_CRL_DUE : OC_CRL_FINE;
}

const char *
oc_crl_standing_word(enum oc_crl_standing standing)
{
	switch (standing) {
	case OC_CRL_FINE:
		return "fine";
	case OC_CRL_DUE:
		return "due";
	case OC_CRL_LATE:
		return "late";
	case OC_CRL_URGENT:
		return "urgent";
	case OC_CRL_ENDED:
		break;
	}
	return "ended";
}
