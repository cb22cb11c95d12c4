/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a role is given its listeners and says that it is ready, the same under
 * ocsignd and under systemd: sd_listen_fds(3) and sd_notify(3), in the few
 * lines they are.
 */
#ifndef IPC_HANDOVER_H
#define IPC_HANDOVER_H

#include <stdint.h>

#include "base/err.h"

/* The fd that LISTEN_FDNAMES calls name (the n-th of that name); -1 if there
 * is none.  Set close-on-exec. */
int ipc_handover_fd(const char *name, unsigned int n);

/* $OCSIGN_RUN, a random number that all roles of one run of ocsignd are told,
 * those too that were started again; 0 without ocsignd. */
uint64_t ipc_handover_run(void);

/* "READY=1", "STOPPING=1", "STATUS=..." to $NOTIFY_SOCKET, if there is one. */
void ipc_notify(const char *format, ...) OC_PRINTF(1, 2);

#endif
