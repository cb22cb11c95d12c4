/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct signer over tokens in this process: the pool.
 *
 * For each token a queue, N session threads and a keeper that brings it back
 * when it went away; one thread that verifies; one desk (sign/desk.h).  While
 * a token is away its jobs go to others that have the key (pkcs11/route.h),
 * or wait until their deadlines.
 *
 * Never fork once one exists: no provider survives it.
 */
#ifndef PKCS11_LOCAL_H
#define PKCS11_LOCAL_H

#include "pkcs11/class.h"
#include "pkcs11/config.h"
#include "pkcs11/drain.h"
#include "sign/queue.h"

/*
 * Opens the modules, logs in, finds every key, checks that its public key is
 * the expected one (MISMATCH) and signs a canary with it.  Blocks up to
 * start_timeout_ns, and until each key is in one token that works; the others
 * are tried in the background.  PIN failures that leave a key without a token
 * are OC_ERR_PIN: the process must then exit and must not be restarted before
 * somebody acted.
 */
enum oc_err p11_local_new(const struct p11_local_config *config,
    struct signer **s, struct oc_error *error) OC_MUST_CHECK;

/*
 * True when a token is stuck, and no other has its keys: a call that does not
 * return within its timeout costs a session and its thread, which another one
 * replaces; too many of them, or one where there is only one of its kind, and
 * nothing in this process can help.  Exit (with _exit) and let the supervisor
 * start another.  Ask now and then, once a second is fine.
 */
bool p11_local_is_stuck(const struct signer *s);

/* OC_OK, or why the pool will never work again without a person: OC_ERR_PIN,
 * when no token is left.  The caller's thread only. */
enum oc_err p11_local_failure(const struct signer *s, struct oc_error *error);

/* For metrics and "ocsign status". */
struct p11_token_status {
	const char *name;
	bool is_up, is_drained;
	const char *state;		/* "up", "stuck", "draining",
					 * "drained", "starting", "down",
					 * "failed" */
	char failure[160];		/* why it is not up; "" if it is */
	unsigned int weight;		/* 0: a standby */
	uint64_t num_moved;		/* jobs that went to another token */
	unsigned int num_sessions;	/* open, beside the keeper's */
	size_t num_waiting;		/* jobs in its queue */
	struct sign_queue_lane lanes[SIGN_LANE_MAX];	/* the same by lane */
	uint64_t num_logins, num_signed, num_failed, num_recovered;
	uint64_t num_restarts;		/* C_Finalize + C_Initialize */
	unsigned int num_lost;		/* sessions in a call for ever */
	unsigned int limit, limit_found;	/* pkcs11/limit.h */
	int64_t recovered_at;		/* Unix time; 0: never down */
	int64_t recovered_ns;		/* how long that took */
	uint64_t num_errors[P11_CLASS_MAX];
	/* Between two signatures, if all sessions have work: as it was seen
	 * when they had, or else by how long one takes.  0: not known. */
	int64_t each_ns;
	bool is_each_measured;
};
size_t p11_local_num_tokens(const struct signer *s);
/* pkcs11/tally.h, of all tokens: before a process that is stuck leaves, and
 * once the next one has its pool.  What cannot be kept is logged. */
void p11_local_keep_errors(const struct signer *s);
void p11_local_take_errors(struct signer *s);
void p11_local_status(const struct signer *s, size_t token,
    struct p11_token_status *status);

/* A key in one of several tokens that may have it. */
struct p11_place_status {
	const char *key, *token;
	bool works, is_wrong;
	char wrong[200];
};
/* The n-th; false: there are no more. */
bool p11_local_place(const struct signer *s, size_t n,
    struct p11_place_status *status);

/*
 * Keeps new work from a token, over restarts as well, or lets it work again,
 * once it is proven.  What is under way ends.  REFUSED if a key has no other
 * token that works, unless by P11_DRAIN_FORCED.
 */
enum oc_err p11_local_drain(struct signer *s, const char *token,
    enum p11_drain drain, struct oc_error *error) OC_MUST_CHECK;

#endif
