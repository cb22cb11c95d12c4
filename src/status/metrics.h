/* SPDX-License-Identifier: Apache-2.0 */
/* How it all stands, for Prometheus: text format 0.0.4.  ocsign-status(8)
 * lists the names. */
#ifndef STATUS_METRICS_H
#define STATUS_METRICS_H

#include <jansson.h>

#include "base/bytes.h"
#include "status/describe.h"

#define STATUS_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* signer: what ocsign-signer says of itself; NULL if it says nothing.  False
 * without memory. */
bool status_put_metrics(const struct status_all *all, const json_t *signer,
    struct oc_buffer *out);

#endif
