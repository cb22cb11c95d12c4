/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of the configuration's databases, and of where their
 * passwords come from, before anybody has connected to one. */
#ifndef DAEMON_DATABASES_H
#define DAEMON_DATABASES_H

#include <stddef.h>

#include "base/config.h"

/* Calls print for each error, one line; how many there were. */
size_t daemon_check_databases(const struct oc_config *config,
    void (*print)(const char *line));

#endif
