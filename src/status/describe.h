/* SPDX-License-Identifier: Apache-2.0 */
/* How it all stands, for "ocsign status": JSON, as ocsign(1) describes it. */
#ifndef STATUS_DESCRIBE_H
#define STATUS_DESCRIBE_H

#include "status/service.h"

/* For free(); NULL without memory. */
char *status_describe(struct status_service *const *services,
    uint32_t num_services, bool is_ready);

#endif
