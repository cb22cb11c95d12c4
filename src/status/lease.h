/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of several hosts leads, as one of them knows it: the arithmetic alone.
 * Times are oc_clock_boot_ms(), which goes on while a machine sleeps; the
 * server's clock decides, ours only says how long ago that was.
 *
 * Whoever leads stops before the others may begin: what it has is counted from
 * before it asked, and ends a second earlier.  Two leaders for a moment would
 * cost signatures, and no more.
 */
#ifndef STATUS_LEASE_H
#define STATUS_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* How long one is had, how often it is prolonged, and how much earlier its
 * holder stops. */
#define STATUS_LEASE_MS 6000
#define STATUS_LEASE_EVERY_MS 1500
#define STATUS_LEASE_MARGIN_MS 1000
/* Who could not sign takes one that nobody has wanted for so long. */
#define STATUS_LEASE_UNFIT_MS 10000
/* No answer for so long: everybody is alone. */
#define STATUS_ALONE_MS 3000

enum status_lead {
	STATUS_LEAD_NONE,	/* nothing is shared */
	STATUS_LEAD_ALONE,	/* the database does not answer */
	STATUS_LEAD_FOLLOWS,
	STATUS_LEAD_LEADS
};
/* "leads"; for JSON and metrics. */
const char *status_lead_word(enum status_lead lead);

/* Zero state, but for begun_ms: nothing is known yet. */
struct status_lease {
	int64_t begun_ms;
	int64_t contact_ms;	/* when the database last answered; 0: never */
	int64_t until_ms;	/* it is ours; 0: it is not */
};

/* The database answered what was asked at asked_ms. */
void status_lease_contact(struct status_lease *lease, int64_t asked_ms);
/* It said whose the lease is. */
void status_lease_answer(struct status_lease *lease, int64_t asked_ms,
    bool is_ours);
enum status_lead status_lease_lead(const struct status_lease *lease,
    int64_t now_ms);

/*
 * How long something may be due, in seconds, before a host that does not lead
 * has it signed itself: half of what is left between the latest time at which
 * ocsp_refresh_due_at() has a response of this life renewed, and its end, and
 * four hours at most.
 */
int64_t status_lease_patience_s(int64_t lifetime_s);

#endif
