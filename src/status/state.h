/* SPDX-License-Identifier: Apache-2.0 */
/* A watched file as a status source: status/status.h. */
#ifndef STATUS_STATE_H
#define STATUS_STATE_H

#include "base/config.h"
#include "status/status.h"
#include "status/watch.h"
#include "x509/cert.h"

/* All of it outlives the source. */
struct status_state_plan {
	struct status_watch *watch;
	const struct x509_cert *ca;	/* whose certificates it is about */
	enum oc_config_unlisted unlisted;	/* of no matter but by a CRL */
	int64_t max_age_s;		/* the watch's */
};
enum oc_err status_state_open(const struct status_state_plan *plan,
    struct status_source **source, struct oc_error *error) OC_MUST_CHECK;

#endif
