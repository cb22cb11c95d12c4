/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a delegated signer's certificate is to be renewed: "ocsign ocsp renew"
 * does it, once two thirds of its life are over, and ocsign-status complains
 * if nobody did.
 */
#ifndef STATUS_RENEWAL_H
#define STATUS_RENEWAL_H

#include <stdint.h>

enum status_renewal {
	STATUS_RENEWAL_NONE,	/* the CA signs itself */
	STATUS_RENEWAL_FINE,
	STATUS_RENEWAL_DUE,	/* two thirds are over */
	STATUS_RENEWAL_LATE,	/* and a thirtieth: who looks once a day has
				 * looked by now */
	STATUS_RENEWAL_URGENT	/* a week is left, or a sixth, if that is
				 * less */
};

int64_t status_renewal_at(int64_t not_before, int64_t not_after);
enum status_renewal status_renewal_of(int64_t not_before, int64_t not_after,
    int64_t now);
/* "fine", "due", "late", "urgent"; of NONE it is "none". */
const char *status_renewal_word(enum status_renewal renewal);

#endif
