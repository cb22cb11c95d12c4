/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket of one's own, for a role that was handed none. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "base/err.h"

/* "127.0.0.1:8888", "[::1]:8888". */
enum oc_err net_listen(const char *address, int *fd, struct oc_error *error)
    OC_MUST_CHECK;

#endif
