/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

#include "base/err.h"

int64_t
oc_clock_now_s(void)
{
	struct timespec ts;
	int r = clock_gettime(CLOCK_REALTIME, &ts);

	oc_assert(r == 0);
	return (int64_t)ts.tv_sec;
}

int64_t
oc_clock_now_ms(void)
{
	struct timespec ts;
	int r = clock_gettime(CLOCK_REALTIME, &ts);

	oc_assert(r == 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / OC_NS_PER_MS;
}

int64_t
oc_clock_mono_ns(void)
{
	struct timespec ts;
	int r = clock_gettime(CLOCK_MONOTONIC, &ts);

	oc_assert(r == 0);
	return (int64_t)ts.tv_sec * OC_NS_PER_S + (int64_t)ts.tv_nsec;
}

int64_t
oc_clock_boot_ms(void)
{
	struct timespec ts;
	int r = clock_gettime(CLOCK_BOOTTIME, &ts);

	oc_assert(r == 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / OC_NS_PER_MS;
}

int
oc_clock_poll_ms(int64_t deadline_ns)
{
	int64_t now_ns = oc_clock_mono_ns(), left_ns, left_ms;

	if (deadline_ns <= now_ns)
		return 0;
	left_ns = deadline_ns - now_ns;
	/* Rounded up: poll() must not return just before the deadline. */
	left_ms = left_ns / OC_NS_PER_MS + (left_ns % OC_NS_PER_MS != 0);
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}
