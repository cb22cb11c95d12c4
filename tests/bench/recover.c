/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a signature takes that meets a fault, which strikes once: "recover-
 * CLASS ms", medians of several rounds.  SoftHSM behind the shim, so it is
 * what we do about it that is measured, not a device's own time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "tests/faults/fixture.h"

#define ROUNDS 9
/* Of a call, for the one that hangs. */
#define TIMEOUT_NS OC_NS_PER_S

static const struct {
	const char *class;
	enum shim_function function;
	enum shim_mode mode;
	unsigned long rv;
} faults[] = {
	{ "none", SHIM_NONE, SHIM_RETURN, 0 },
	{ "session", SHIM_SIGN, SHIM_RETURN, 0xb3 },
	{ "limit", SHIM_SIGN, SHIM_RETURN, 0x6 },
	{ "login", SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0 },
	{ "failover", SHIM_SIGN_INIT, SHIM_FAILOVER, 0 },
	{ "signature", SHIM_SIGN, SHIM_FLIP, 0 },
	{ "module", SHIM_SIGN, SHIM_BREAK, 0x30 },
	{ "hung", SHIM_SIGN, SHIM_HANG, 0 },
};

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t
measure(size_t i)
{
	int64_t begun_ns;

	start(4, TIMEOUT_NS);
	(void)signs_many(40, 8);
	if (faults[i].function != SHIM_NONE)
		(void)shim_add(f.shim, faults[i].function, faults[i].mode,
		    faults[i].rv, 0, 1);
	begun_ns = oc_clock_mono_ns();
	signs();
	begun_ns = oc_clock_mono_ns() - begun_ns;
	finish(1);
	return begun_ns;
}

int
main(void)
{
	int64_t took_ns[ROUNDS];

	if (!softhsm_is_there())
		return 77;
	oc_log_init("recover", OC_LOG_ERROR);
	(void)set_up(NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (int n = 0; n < ROUNDS; n++)
			took_ns[n] = measure(i);
		qsort(took_ns, ROUNDS, sizeof(took_ns[0]), compare);
		printf("recover-%s %.1f ms\n", faults[i].class,
		    (double)took_ns[ROUNDS / 2] / (double)OC_NS_PER_MS);
		(void)fflush(stdout);
	}
	(void)tear_down(NULL);
	return 0;
}
