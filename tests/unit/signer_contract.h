/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every struct signer must do (sign/sign.h), as tests that take one.
 * The soft signer, the pool and the channel each fill in a fixture and run
 * them all with signer_contract_run().
 */
#ifndef TESTS_SIGNER_CONTRACT_H
#define TESTS_SIGNER_CONTRACT_H

#include "sign/sign.h"

struct signer_contract {
	struct signer *signer;
	/* Keys that may sign SIGN_KIND_CERTIFICATE; NULL: not there. */
	const char *rsa_key;
	const char *p256_key;
	const char *p384_key;
	const char *ed25519_key;
	/* Between hold and release no queued job gets its signature. */
	void (*hold)(void *arg);
	void (*release)(void *arg);
	void *arg;
	/* What such a key signs with alg, written to out; NULL: anything. */
	size_t (*make_tbs)(enum sign_alg alg, uint8_t *out, size_t max);
	/* Jobs that surely fill the queue while it is held. */
	size_t num_jobs_full;
};

void signer_contract_run(const struct signer_contract *c);

#endif
