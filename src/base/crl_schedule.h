/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an issuer's next CRL is to be published, and how late it is: arithmetic
 * alone, on what the records say of the newest one, full or a delta, of one
 * partition.  Who publishes and who complains go by the same.
 */
#ifndef BASE_CRL_SCHEDULE_H
#define BASE_CRL_SCHEDULE_H

#include "base/config.h"

enum oc_crl_standing {
	OC_CRL_FINE,
	OC_CRL_DUE,
	OC_CRL_LATE,		/* it was due for a while */
	OC_CRL_URGENT,		/* half of what was to be left is left */
	OC_CRL_ENDED		/* clients refuse it; or there never was one */
};

/* Unix seconds, as all times here.  this_update 0: there is none.  One that
 * somebody made for a shorter life is replaced in the second half of that. */
int64_t oc_crl_due_at(const struct oc_config_issuer *issuer, bool is_delta,
    int64_t this_update, int64_t next_update);
/* The same, if it lacks a revocation; full or not. */
int64_t oc_crl_at_once_at(const struct oc_config_issuer *issuer,
    int64_t this_update);
/* It is dated later than this clock can be: another clock was wrong. */
bool oc_crl_is_of_future(int64_t this_update, int64_t now);
enum oc_crl_standing oc_crl_standing_of(
    const struct oc_config_issuer *issuer, bool is_delta,
    int64_t this_update, int64_t next_update, int64_t now);
/* "fine", "due", "late", "urgent", "ended". */
const char *oc_crl_standing_word(enum oc_crl_standing standing);

#endif
