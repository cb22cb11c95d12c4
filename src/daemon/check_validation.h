/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of [validation] before ocsign-validator is started. */
#ifndef DAEMON_CHECK_VALIDATION_H
#define DAEMON_CHECK_VALIDATION_H

#include <stddef.h>

#include "base/config.h"

/* Calls print for each error, one line; how many there were. */
size_t daemon_check_validation(const struct oc_config *config,
    void (*print)(const char *line));

#endif
