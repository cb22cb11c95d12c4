/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SubjectPublicKeyInfo as OpenSSL's EVP_PKEY.  We read the DER ourselves,
 * strictly, and give OpenSSL numbers: its own d2i_PUBKEY takes several times
 * as long, looking for decoders.  That a point is on its curve is still
 * OpenSSL's to say.
 */
#ifndef SIGN_PUBLIC_H
#define SIGN_PUBLIC_H

#include <openssl/evp.h>

#include "base/err.h"
#include "der/bytes.h"
#include "sign/alg.h"

/*
 * *key is for EVP_PKEY_free().  As sign_spki_type(), and MALFORMED for a
 * point that is not on its curve or an RSA number that is zero.  Leaves
 * nothing in OpenSSL's error queue.
 */
enum oc_err sign_public_key_new(struct der_bytes spki,
    enum sign_key_type *type, EVP_PKEY **key) OC_MUST_CHECK;

/*
 * Makes an EC key of type another of its curve: a tenth of making one.  As
 * sign_public_key_new(), and MISMATCH if spki is not of that type; after an
 * error the key is of no use until another replaces it.
 */
enum oc_err sign_public_key_replace(struct der_bytes spki,
    enum sign_key_type type, EVP_PKEY *key) OC_MUST_CHECK;

#endif
