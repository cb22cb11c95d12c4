/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/random_faults.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct random_fault table[] = {
	{ "session lost", SHIM_SIGN, SHIM_RETURN, 0xb3, 3, 0, 0, 0 },
	{ "sessions closed", SHIM_SIGN_INIT, SHIM_DO_CLOSE_ALL, 0, 1, 0, 0,
	    0 },
	{ "logged out", SHIM_SIGN_INIT, SHIM_DO_LOGOUT, 0, 1, 0, 0, 0 },
	{ "not logged in", SHIM_SIGN_INIT, SHIM_RETURN, 0x101, 2, 0, 0, 0 },
	{ "operation active", SHIM_SIGN, SHIM_RETURN, 0x90, 0, 50, 0, 0 },
	{ "throttled", SHIM_SIGN, SHIM_RETURN, 0x6, 0, 50, 1, 0 },
	{ "busy above two", SHIM_SIGN, SHIM_BUSY, 0x90, 0, 0, 1, 2 },
	{ "no more sessions", SHIM_OPEN_SESSION, SHIM_FULL, 0xb1, 0, 0, 0,
	    3 },
	{ "device error", SHIM_SIGN, SHIM_RETURN, 0x30, 0, 0, 0, 0 },
	{ "device error at times", SHIM_SIGN, SHIM_RETURN, 0x30, 0, 10, 0,
	    0 },
	{ "vendor's", SHIM_SIGN, SHIM_RETURN, 0x80000043, 2, 0, 0, 0 },
	{ "broken until finalised", SHIM_SIGN, SHIM_BREAK, 0x30, 1, 0, 0, 0 },
	{ "failover", SHIM_SIGN_INIT, SHIM_FAILOVER, 0, 1, 0, 100, 0 },
	{ "failover, other key", SHIM_SIGN_INIT, SHIM_FAILOVER, 0, 1, 0, 100,
	    1 },
	{ "hung", SHIM_SIGN, SHIM_HANG, 0, 1, 0, 0, 0 },
	{ "hung at opening", SHIM_OPEN_SESSION, SHIM_HANG, 0, 1, 0, 0, 0 },
	{ "slow", SHIM_SIGN, SHIM_SLOW, 0, 0, 0, 20, 0 },
	{ "spikes", SHIM_SIGN, SHIM_SLOW, 0, 0, 20, 200, 0 },
	{ "removed", SHIM_GET_SLOT_LIST, SHIM_EMPTY, 0, 0, 0, 0, 0 },
	{ "renumbered", SHIM_GET_SLOT_LIST, SHIM_RENUMBER, 0, 1, 0, 0, 0 },
	{ "wrong bits", SHIM_SIGN, SHIM_FLIP, 0, 4, 0, 0, 0 },
	{ "too short", SHIM_SIGN, SHIM_SHORTEN, 0, 2, 0, 0, 0 },
	{ "short r", SHIM_SIGN, SHIM_SHORT_R, 0, 1, 0, 0, 0 },
	{ "DER", SHIM_SIGN, SHIM_TO_DER, 0, 0, 0, 0, 0 },
	{ "second key", SHIM_FIND_OBJECTS, SHIM_TWICE, 0, 0, 0, 0, 0 },
};
#define NUM_FAULTS (sizeof(table) / sizeof(table[0]))
_Static_assert(NUM_FAULTS <= RANDOM_FAULTS_MAX, "a counter for each");

uint64_t
random_faults_start(struct random_faults *faults)
{
	const char *text = getenv("SOAK_SEED");
	uint64_t seed = 0;

	(void)!getrandom(&seed, 2, 0);
	if (text != NULL)
		seed = strtoul(text, NULL, 0);
	print_message("SOAK_SEED=%lu\n", (unsigned long)seed);
	*faults = (struct random_faults){ .random = seed, .now = "nothing" };
	return seed;
}

/* splitmix64 */
uint64_t
random_draw(struct random_faults *faults, uint64_t below)
{
	uint64_t z = faults->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

const struct random_fault *
random_strike(struct random_faults *r, struct shim_control *shim)
{
	size_t which = (size_t)random_draw(r, NUM_FAULTS);
	const struct random_fault *fault = &table[which];
	bool is_looked_for = fault->function != SHIM_SIGN &&
	    fault->function != SHIM_SIGN_INIT;
	int rule;

	r->now = fault->name;
	r->nums[which]++;
	rule = shim_add(shim, fault->function, fault->mode, fault->rv,
	    (int)random_draw(r, 20), fault->count);
	/* Set before it strikes, or a call later. */
	atomic_store(&shim->rules[rule].per_mille, fault->per_mille);
	atomic_store(&shim->rules[rule].latency_ms, fault->latency_ms);
	atomic_store(&shim->rules[rule].arg, fault->arg);
	/* Who is well opens nothing and looks for nothing. */
	if (is_looked_for) {
		atomic_store(&shim->rules[rule].after, 0);
		(void)shim_add(shim, SHIM_SIGN_INIT, SHIM_RETURN,
		    random_draw(r, 2) == 0 ? 0xb3 : 0x101, 0, 1);
	}
	return fault;
}

bool
random_costs_login(const struct random_fault *fault)
{
	return fault->mode == SHIM_DO_CLOSE_ALL ||
	    fault->mode == SHIM_DO_LOGOUT;
}

void
random_faults_print(const struct random_faults *r)
{
	for (size_t i = 0; i < NUM_FAULTS; i++)
		print_message("%6lu %s\n", r->nums[i], table[i].name);
}

int64_t
soak_length_ns(void)
{
	const char *seconds = getenv("SOAK_SECONDS");

	return (seconds != NULL ? atoi(seconds) : 15) * OC_NS_PER_S;
}

long
soak_resident_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	(void)fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int
soak_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int num = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		num++;
	(void)closedir(dir);
	return num;
}
