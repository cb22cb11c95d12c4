/* SPDX-License-Identifier: Apache-2.0 */
/* Threads beside an event loop. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* With every signal blocked: they are for the thread that has the loop.
 * Returns 0 or an errno. */
int oc_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
    OC_MUST_CHECK;

/*
 * The calling thread, when it wakes, leaves the CPU to who woke it: on a busy
 * machine a loop then hands over all that it has, not one thing at a time
 * with two changes of thread for each.  Costs nothing where a CPU is free.
 * Where the system does not allow it, nothing changes.
 */
void oc_thread_give_way(void);

#endif
