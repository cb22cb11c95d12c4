/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks: calendar time for what is signed, monotonic for waits. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define OC_NS_PER_S INT64_C(1000000000)
#define OC_NS_PER_MS INT64_C(1000000)

/* Since 1970-01-01 UTC. */
int64_t oc_clock_now_s(void);
int64_t oc_clock_now_ms(void);

/* CLOCK_MONOTONIC in nanoseconds; deadlines are absolute values of it. */
int64_t oc_clock_mono_ns(void);

/* CLOCK_BOOTTIME: like that one, but goes on while the machine sleeps. */
int64_t oc_clock_boot_ms(void);

/* What poll() wants for an absolute deadline: 0 when past, rounded up. */
int oc_clock_poll_ms(int64_t deadline_ns);

#endif
