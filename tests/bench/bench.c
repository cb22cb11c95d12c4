/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define ROUNDS 11
#define LONG_ROUNDS 5
#define ROUND_NS (40 * OC_NS_PER_MS)

void
bench_failed(const char *condition, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	exit(1);
}

void
bench_begin(void)
{
	cpu_set_t cpus;
	int cpu = sched_getcpu();

	CPU_ZERO(&cpus);
	if (cpu >= 0) {
		CPU_SET((size_t)cpu, &cpus);
		/* Where that is not allowed, the numbers are only noisier. */
		(void)sched_setaffinity(0, sizeof(cpus), &cpus);
	}
	(void)printf("# name ours peer ratio unit (medians of %d rounds, of %d "
	    "of what takes long)\n", ROUNDS, LONG_ROUNDS);
}

static double
time_once(bench_fn *fn, void *arg, long runs)
{
	int64_t start = oc_clock_mono_ns();
	long i;

	for (i = 0; i < runs; i++)
		fn(arg);
	return (double)(oc_clock_mono_ns() - start) / (double)runs;
}

/* How often it runs in a round; warms up on the way. */
static long
calibrate(bench_fn *fn, void *arg)
{
	long runs = 1;

	while (time_once(fn, arg, runs) * (double)runs < (double)ROUND_NS)
		runs *= 2;
	return runs;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *values, size_t num)
{
	qsort(values, num, sizeof(*values), compare_doubles);
	return values[num / 2];
}

void
bench_compare(const char *name, bench_fn *ours, bench_fn *peer, void *arg)
{
	double our_ns[ROUNDS], peer_ns[ROUNDS], our_median, peer_median;
	long our_runs = calibrate(ours, arg), peer_runs =
	    calibrate(peer, arg);
	int round;

	for (round = 0; round < ROUNDS; round++) {
		our_ns[round] = time_once(ours, arg, our_runs);
		peer_ns[round] = time_once(peer, arg, peer_runs);
	}
	our_median = median(our_ns, ROUNDS);
	peer_median = median(peer_ns, ROUNDS);
	(void)printf("%s %.1f %.1f %.2f ns/op\n", name, our_median,
	    peer_median, peer_median / our_median);
	(void)fflush(stdout);
}

void
bench_compare_long(const char *name, bench_fn *ours, bench_fn *peer,
    bench_fn *clear, void *arg)
{
	double our_ns[LONG_ROUNDS], peer_ns[LONG_ROUNDS], our_median,
	    peer_median;

	for (int round = 0; round < LONG_ROUNDS; round++) {
		clear(arg);
		our_ns[round] = time_once(ours, arg, 1);
		clear(arg);
		peer_ns[round] = time_once(peer, arg, 1);
	}
	clear(arg);
	our_median = median(our_ns, LONG_ROUNDS);
	peer_median = median(peer_ns, LONG_ROUNDS);
	(void)printf("%s %.1f %.1f %.2f ns/op\n", name, our_median,
	    peer_median, peer_median / our_median);
	(void)fflush(stdout);
}
