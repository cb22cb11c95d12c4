/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every role does before its own work: options, hardening, log,
 * configuration.
 */
#ifndef IPC_ROLE_H
#define IPC_ROLE_H

#include "base/config.h"

/* sysexits.h's EX_CONFIG: a role that ends so is not started again. */
#define IPC_EXIT_CONFIG 78
#define IPC_ROLE_RUN (-1)

/*
 * Takes -c FILE, --help and --version; then: umask 077, no core dumps, no new
 * privileges, SIGPIPE ignored, log lines under name, the configuration read,
 * and that we run as the user that it says.
 * Returns IPC_ROLE_RUN with *config for oc_config_free(), or what main() is
 * to return.
 */
int ipc_role_start(int argc, char **argv, const char *name,
    const char *about, struct oc_config **config);

#endif
