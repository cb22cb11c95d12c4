/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that need some care, made in a pool's token by PKCS#11 alone. */
#ifndef TESTS_KEYS_FIXTURE_H
#define TESTS_KEYS_FIXTURE_H

#include <p11-kit/pkcs11.h>

#include "tests/unit/pool_fixture.h"

/* What a test calls its key. */
#define KEYS_NAME "issuer/ca"

/* Logged in, in a child: this process must not have a module open when it
 * forks. */
typedef CK_RV keys_prepare_fn(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session);
void keys_on_token(const struct softhsm *hsm, keys_prepare_fn *prepare);

/* A pair with something more in its private half; rsa_bits 0: P-256. */
CK_RV keys_generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const char *label, CK_ULONG rsa_bits, const CK_ATTRIBUTE *more);
/* "always", which wants its PIN for each signature. */
CK_RV keys_make_always(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session);

/* A certificate, verified; within 20 s. */
enum oc_err keys_sign(struct signer *s, struct oc_error *error);
enum oc_err keys_sign_within(struct signer *s, int64_t for_ns,
    struct oc_error *error);

#endif
