/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of a misbehaving token share: SoftHSM behind the shim, a pool
 * on it, and what has to hold after each fault: no job is later than its
 * deadline, one C_Login at most for a cause, sessions opened are closed, no
 * C_Finalize under a signature, no fork() between C_Initialize and it, and
 * what was released verifies (the pool says OC_OK only then; it is verified
 * here again, from outside).
 */
#ifndef TESTS_FAULTS_FIXTURE_H
#define TESTS_FAULTS_FIXTURE_H

#include "base/clock.h"
#include "pkcs11/local.h"
#include "tests/faults/shim_control.h"

#define FAULTS_KEY "issuer/ca"
#define PATIENCE_NS (30 * OC_NS_PER_S)

/* SoftHSM is slow to set up: one token for all, one pool for each test. */
extern struct faults {
	struct softhsm hsm;
	struct shim_control *shim;
	struct p11_key_config key;
	struct sign_key_info info;
	struct signer *signer;
	unsigned long num_logins;	/* C_Login calls before the fault */
} f;

/* A pool without a fault; finish() closes it and looks what it left. */
void start(unsigned int num_sessions, int64_t timeout_ns);
void finish(unsigned long logins_max);

/* Signs once; what it says within wait_ns. */
enum oc_err sign_within(int64_t wait_ns, struct oc_error *error);
/* Signs once, come what may. */
void signs(void);
/* So many jobs, so many at once, PATIENCE_NS each: all are signed.  Returns how
 * long it took. */
int64_t signs_many(unsigned int num, unsigned int at_once);

/* A pool that does not even start. */
void start_fails(enum oc_err expected, const char *says);

/* What people read names the token once, and no key as processes do. */
void names_token_once(const struct oc_error *error);

struct p11_token_status status(void);
/* How often this was counted since start(). */
unsigned long counted(enum p11_class class);

/* A fault that strikes once costs the caller nothing, and is counted in its
 * class, if that is not P11_CLASS_OK. */
void survives(enum shim_function function, enum shim_mode mode,
    unsigned long rv, unsigned long logins_max, enum p11_class class);

/* Until it is true, PATIENCE_NS at most. */
void wait_for(bool (*is_so)(void));
bool is_up(void);
bool is_down(void);

/* For cmocka. */
int set_up(void **state);
int tear_down(void **state);
int clean_up(void **state);	/* after a test that failed half-way */
#define FAULT_TEST(test) cmocka_unit_test_teardown(test, clean_up)

#endif
