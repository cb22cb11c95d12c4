/* SPDX-License-Identifier: Apache-2.0 */
/* A pool (pkcs11/local.h) on a SoftHSM token of its own. */
#ifndef TESTS_POOL_FIXTURE_H
#define TESTS_POOL_FIXTURE_H

#include "pkcs11/local.h"
#include "tests/unit/softhsm_fixture.h"

#define POOL_KEYS_MAX 8

struct pool {
	struct softhsm hsm;
	struct p11_key_config keys[POOL_KEYS_MAX];
	struct p11_local_config config;
};

/* A new token, no keys; softhsm_fini(&pool->hsm) removes it. */
void pool_init(struct pool *pool);
/* A key of the configuration, for an issuer's use; uri: or a label. */
void pool_add_key(struct pool *pool, const char *name, const char *uri);
void pool_open(const struct pool *pool, struct signer **s);
/* It does not open, and says that somewhere in its error. */
void pool_fails(const struct pool *pool, enum oc_err expected,
    const char *says);
/* A certificate to sign for alg, now; its length. */
size_t pool_make_tbs(enum sign_alg alg, uint8_t *out, size_t max);

#endif
