/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One key in two tokens, "a" and "b", each behind a shim and a library of its
 * own, so that one can be finalised, hang and die without the other.
 */
#ifndef TESTS_TWO_TOKENS_H
#define TESTS_TWO_TOKENS_H

#include "pkcs11/journal.h"
#include "pkcs11/local.h"
#include "tests/faults/shim_control.h"

#define TWO_KEY "issuer/ca"

struct two {
	struct softhsm hsm;
	struct shim_control *shim[2];
	char paths[2][2][512];		/* shim, library */
	char variables[2][2][600];
	const char *environment[2][3];
	char pin_file[300];		/* b's */
	struct p11_token_config tokens[2];
	const char *others[2];
	struct p11_key_config key;
	struct sign_key_info info;
	struct p11_journal *journal;	/* a test's own, or NULL */
	struct signer *signer;
};

/* Both have the key "ca", and b another, "other". */
void two_init(struct two *two);
void two_fini(struct two *two);
/* After a test: as it was made, whatever that has changed or left. */
void two_reset(struct two *two);
void two_set_pin(const char *path, const char *pin);
/* Everything fails from now on; C_Finalize does not help. */
void two_kill(struct two *two, size_t token);

/* Both are tried before it returns. */
void two_start(struct two *two, unsigned int num_sessions,
    int64_t timeout_ns);
enum oc_err two_try(struct two *two, struct oc_error *error);
void two_stop(struct two *two);

struct p11_token_status two_status(const struct two *two, size_t token);
/* Until it says so; fails after a while. */
void two_await(struct two *two, size_t token, const char *state);

/* So many at once, each within wait_ns; how many were signed.  Every signature
 * is verified, and every job is done once. */
struct two_job {
	struct sign_job job;
	uint8_t tbs[512];
	int num_done;
};
void two_submit(struct two *two, struct two_job *jobs, size_t num,
    int64_t wait_ns);
void two_turn(struct two *two);
unsigned int two_finish(struct two *two, struct two_job *jobs, size_t num);
/* One after the other; all must be signed. */
void two_sign(struct two *two, unsigned int num);

#endif
