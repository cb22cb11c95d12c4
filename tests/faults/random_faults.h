/* SPDX-License-Identifier: Apache-2.0 */
/* Faults at random, for the soaks: what follows from the seed, and how often
 * each has struck. */
#ifndef TESTS_RANDOM_FAULTS_H
#define TESTS_RANDOM_FAULTS_H

#include "tests/faults/shim_control.h"

/* What a sanitizer keeps of what was freed, and SoftHSM loses with each
 * C_Finalize; of one library. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_MAX_KB (64 * 1024)
#else
#define GROWTH_MAX_KB (12 * 1024)
#endif

struct random_fault {
	const char *name;
	enum shim_function function;
	enum shim_mode mode;
	unsigned long rv;
	int count, per_mille, latency_ms;
	long arg;
};

#define RANDOM_FAULTS_MAX 32
struct random_faults {
	uint64_t random;
	unsigned long nums[RANDOM_FAULTS_MAX];
	const char *now;		/* the one that is on */
};

/* $SOAK_SEED, or one that nobody knows; it is printed, and returned. */
uint64_t random_faults_start(struct random_faults *faults);
/* Below that. */
uint64_t random_draw(struct random_faults *faults, uint64_t below);
/* Any of them, until shim_clear(). */
const struct random_fault *random_strike(struct random_faults *faults,
    struct shim_control *shim);
/* One login for each, restarts apart. */
bool random_costs_login(const struct random_fault *fault);
void random_faults_print(const struct random_faults *faults);

/* $SOAK_SECONDS (15). */
int64_t soak_length_ns(void);
/* Of this process. */
long soak_resident_kb(void);
int soak_descriptors(void);

#endif
