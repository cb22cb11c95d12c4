/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, fetched once: EVP_sha256() and its like are looked up by name each
 * time they are used, which takes as long as hashing a short text.
 */
#ifndef SIGN_DIGEST_H
#define SIGN_DIGEST_H

#include <openssl/evp.h>

#include "sign/alg.h"

/* NULL for SIGN_HASH_NONE.  Never freed. */
const EVP_MD *sign_digest(enum sign_hash hash);

#endif
