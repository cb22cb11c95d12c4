/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the sockets that share an address (SO_REUSEPORT) the kernel gives
 * new connections to.  One that gets none any more still has those that wait
 * in its queue, or whose handshake is under way.
 */
#ifndef DAEMON_STEER_H
#define DAEMON_STEER_H

#include "base/err.h"

/*
 * To the first num that were bound, each as often as the others; holds for
 * sockets bound later, too.  fd is any one of them, bound; num > 0.
 * UNSUPPORTED from a kernel that goes on giving to all.
 */
enum oc_err daemon_steer(int fd, unsigned int num) OC_MUST_CHECK;

#endif
