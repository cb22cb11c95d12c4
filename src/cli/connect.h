/* SPDX-License-Identifier: Apache-2.0 */
/* A TCP connection before a deadline, the look-up of the name included. */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * host is a name or an address (IPv6 without brackets), port its number.
 * Tries each address the name has until one answers.  *fd does not block and
 * is for close().  DOWN if nobody answers or there is no such name, TIMEOUT
 * at deadline_ns, with the address that was tried last.
 */
enum oc_err cli_connect(const char *host, const char *port,
    int64_t deadline_ns, int *fd, struct oc_error *error) OC_MUST_CHECK;

/* Until poll() has one of events, or false with errno: ETIMEDOUT from the
 * deadline on, whatever there is. */
bool cli_wait(int fd, short events, int64_t deadline_ns);

#endif
