/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a CRL of an issuer whose CRLs ocsign-issuer publishes is late, the
 * worst of its lists, by what the records have, so that it is noticed also
 * where nobody publishes any more.
 */
#ifndef STATUS_CRL_ALARM_H
#define STATUS_CRL_ALARM_H

#include "base/crl_schedule.h"
#include "status/crls.h"

/* Of one that nobody publishes FINE. */
enum oc_crl_standing status_crl_standing(const struct status_crl *crl,
    int64_t now);

/* Which is the worst: "CRL", "delta CRL of partition 3". */
#define STATUS_CRL_NAME_MAX 48
void status_crl_name(const struct status_crl *crl,
    char text[STATUS_CRL_NAME_MAX]);
#define STATUS_CRL_ALARM_MAX 448
/* "delta CRL of partition 3 of web is 3 h from its end and could not be
 * published: ...".  False: there is nothing to say. */
bool status_crl_alarm(const struct status_crl *crl, int64_t now,
    char text[STATUS_CRL_ALARM_MAX]);
/* In the log, what has got worse since the last time, and what is well again.
 * Once a second, from one thread. */
void status_crls_complain(struct status_crls *crls, int64_t now);

#endif
