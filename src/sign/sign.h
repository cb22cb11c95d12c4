/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct signer: the one door to a key.
 *
 * A job carries a whole to-be-signed value and its kind, never a digest, so
 * that whoever holds the key can look at what it signs.  Three signers stand
 * behind the door: the pool over PKCS#11 in this process (pkcs11/local.h), a
 * channel to ocsign-signer (ipc/channel.h), and a key in memory for tests
 * (sign/soft.h).
 *
 * The contract:
 * - submit() never calls done() itself.  done() is called exactly once for
 *   each job that submit() took (returned OC_OK for), from dispatch(), on
 *   the thread that calls it.
 * - job and tbs belong to the caller and stay put until done() has run.
 * - deadline_ns is absolute CLOCK_MONOTONIC; when it passes the job is done
 *   with OC_ERR_TIMEOUT, whatever the token does.
 * - After cancel() returns, done() has run or never will.
 * - Every signature has been verified against the key's public key before
 *   done() sees OC_OK.  Nobody else verifies.
 * - submit, cancel and dispatch are called from one thread, the caller's.
 */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "der/bytes.h"
#include "sign/alg.h"

/* What the TBS is.  The numbers travel between processes. */
enum sign_kind {
	SIGN_KIND_CERTIFICATE = 1,	/* TBSCertificate, RFC 5280 4.1 */
	SIGN_KIND_CRL = 2,		/* TBSCertList, RFC 5280 5.1 */
	SIGN_KIND_OCSP = 3,		/* ResponseData, RFC 6960 4.2.1 */
	SIGN_KIND_CSR = 4		/* CertificationRequestInfo, RFC 2986 */
};

/* Most urgent first: the order in which queued jobs reach the token. */
enum sign_lane {
	SIGN_LANE_REVOCATION = 0,
	SIGN_LANE_CERTIFICATE = 1,
	SIGN_LANE_LIVE = 2,		/* somebody waits for this answer */
	SIGN_LANE_REFRESH = 3,
	SIGN_LANE_CRL = 4,
	SIGN_LANE_MAX
};

/* "revocation"; NULL for what is none. */
const char *sign_lane_name(enum sign_lane lane);

struct sign_job;
struct signer;

typedef void sign_done_fn(struct sign_job *job, void *arg);

struct sign_job {
	/* The caller's, before submit(). */
	const char *key;	/* "issuer/ca", "ocsp/ca": sign_key_name() */
	enum sign_kind kind;
	enum sign_lane lane;
	enum sign_alg alg;	/* SIGN_ALG_NONE: the key's default */
	struct der_bytes tbs;
	bool has_memfd;		/* tbs is the end of a sealed one */
	int memfd;		/* (base/spool.h), which is then not copied */
	int64_t deadline_ns;
	sign_done_fn *done;
	void *arg;

	/* The result, for done(). */
	enum oc_err err;
	enum sign_alg signed_alg;
	uint8_t signature[OC_SIGNATURE_MAX];	/* as it goes into the BIT
						 * STRING: ECDSA in DER */
	size_t signature_len;
	char error_text[160];	/* one line when err != OC_OK */

	/* The signer's own. */
	void *signer_data;
	struct sign_job *next;
};

/* A key as its signer knows it. */
struct sign_key_info {
	enum sign_key_type type;
	unsigned int bits;
	enum sign_alg alg;			/* its default */
	uint8_t spki[OC_SPKI_MAX];		/* SubjectPublicKeyInfo, DER */
	size_t spki_len;
};

struct signer_ops {
	enum oc_err (*submit)(struct signer *s, struct sign_job *job);
	void (*cancel)(struct signer *s, struct sign_job *job);
	/* Readable in poll() or epoll when dispatch() has work. */
	int (*fd)(const struct signer *s);
	/* Runs the done() of every finished job; never blocks. */
	void (*dispatch)(struct signer *s);
	/* May block up to deadline_ns: never call from an event loop. */
	enum oc_err (*find_key)(struct signer *s, const char *key,
	    int64_t deadline_ns, struct sign_key_info *info,
	    struct oc_error *error);
	void (*free)(struct signer *s);
	/* NULL where it makes no difference. */
	void (*hold)(struct signer *s, bool is_held);
};

/* Embedded first in each implementation. */
struct signer {
	const struct signer_ops *ops;
};

/* OC_ERR_BUSY when the queue is full, OC_ERR_REFUSED when this caller may not
 * ask for it, OC_ERR_DOWN when there is nothing behind the door. */
enum oc_err sign_submit(struct signer *s, struct sign_job *job) OC_MUST_CHECK;
/* While it is held, what is submitted may wait until it is not: what is asked
 * for in one turn of a loop travels together. */
void sign_hold(struct signer *s, bool is_held);
void sign_cancel(struct signer *s, struct sign_job *job);
int sign_fd(const struct signer *s);
void sign_dispatch(struct signer *s);
enum oc_err sign_find_key(struct signer *s, const char *key,
    int64_t deadline_ns, struct sign_key_info *info, struct oc_error *error)
    OC_MUST_CHECK;
void sign_free(struct signer *s);	/* NULL is fine */

/*
 * Submits and waits.  Blocks: for the command line and tests, never from an
 * event loop.  job->done and job->arg are overwritten.
 */
enum oc_err sign_now(struct signer *s, struct sign_job *job,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * What keys are called between processes.  A name, not a URI: which object
 * it is in which token, and what it may sign, only the signer's own
 * configuration says.
 */
enum sign_key_role {
	SIGN_KEY_ISSUER,	/* "issuer/NAME": certificates, CRLs, its CSR */
	SIGN_KEY_OCSP		/* "ocsp/NAME": responses for issuer NAME, or
				 * "ocsp/NAME+SIGNER": see base/config.h */
};
#define SIGN_KEY_NAME_MAX (OC_KEY_NAME_MAX + 8)
void sign_key_name(enum sign_key_role role, const char *whose,
    char name[SIGN_KEY_NAME_MAX]);
/* The same for people: "issuer NAME", "the OCSP key of issuer NAME"; of any
 * other name "the key". */
#define SIGN_KEY_WORDS_MAX (SIGN_KEY_NAME_MAX + 32)
void sign_key_words(const char *name, char words[SIGN_KEY_WORDS_MAX]);

#endif
