/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long signatures take when one of the two tokens that have their key
 * dies, or hangs: the last of as many as keep both busy, "recover-token-dies"
 * and "recover-token-hangs", medians of several rounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/faults/two_tokens.h"

#define ROUNDS 9
#define NUM_SESSIONS 4
#define NUM_JOBS 8		/* as many as there are sessions */
#define TIMEOUT_NS OC_NS_PER_S	/* of a call, for the one that hangs */

static struct two two;
static struct two_job jobs[NUM_JOBS];

static void
does_nothing(void)
{
}

static void
dies(void)
{
	two_kill(&two, 0);
}

static void
hangs(void)
{
	(void)shim_add(two.shim[0], SHIM_SIGN, SHIM_HANG, 0, 0, 0);
}

static int64_t
measure(void (*fault)(void))
{
	int64_t begun_ns;

	two_reset(&two);
	two_start(&two, NUM_SESSIONS, TIMEOUT_NS);
	two_sign(&two, 40);
	fault();
	begun_ns = oc_clock_mono_ns();
	two_submit(&two, jobs, NUM_JOBS, 20 * OC_NS_PER_S);
	assert_int_equal(two_finish(&two, jobs, NUM_JOBS), NUM_JOBS);
	begun_ns = oc_clock_mono_ns() - begun_ns;
	two_stop(&two);
	return begun_ns;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
report(const char *name, void (*fault)(void))
{
	int64_t took_ns[ROUNDS];

	for (int n = 0; n < ROUNDS; n++)
		took_ns[n] = measure(fault);
	qsort(took_ns, ROUNDS, sizeof(took_ns[0]), compare);
	printf("recover-%s %.1f ms\n", name,
	    (double)took_ns[ROUNDS / 2] / (double)OC_NS_PER_MS);
	(void)fflush(stdout);
}

int
main(void)
{
	if (!softhsm_is_there())
		return 77;
	oc_log_init("failover", OC_LOG_ERROR);
	two_init(&two);
	report("tokens", does_nothing);
	report("token-dies", dies);
	report("token-hangs", hangs);
	two_fini(&two);
	return 0;
}
