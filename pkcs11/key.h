/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key objects on a token: find, read, generate, list.  All of it blocks in
 * the module; the caller has a session and is logged in.
 */
#ifndef PKCS11_KEY_H
#define PKCS11_KEY_H

#include <p11-kit/pkcs11.h>

#include "pkcs11/config.h"
#include "pkcs11/uri.h"

/* "C_FindObjects: CKR_DEVICE_ERROR"; OC_ERR_PIN for PIN values, or TOKEN. */
enum oc_err p11_error(struct oc_error *error, const char *function, CK_RV rv);

/* The one private key that label and id name.  NOT_FOUND; MISMATCH when there
 * are several. */
enum oc_err p11_key_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_uri *uri, CK_OBJECT_HANDLE *handle,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * Its public key: from its own attributes, from the public key object of the
 * same CKA_ID, or, where the token has neither, the expected one (len 0:
 * none) or that of a certificate object beside it, which only a canary can
 * prove.  MISMATCH when it is not the expected
 * one; UNSUPPORTED for a key type we do not sign with.
 */
enum oc_err p11_key_read(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct der_bytes expected,
    struct sign_key_info *info, struct oc_error *error) OC_MUST_CHECK;

/* CKA_ALWAYS_AUTHENTICATE: a login for each signature. */
bool p11_key_wants_login(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle);

/* CKA_EC_PARAMS: the curve's OID, or, where a token wants that for Ed25519, its
 * name.  Nothing for RSA. */
enum p11_params { P11_PARAMS_OID, P11_PARAMS_NAME };
struct der_bytes p11_key_params(enum sign_key_type type,
    enum p11_params params);

/* Generates a pair on the token: sensitive, never extractable, for signing
 * only, with a random CKA_ID.  RSA with 2048, 3072 or 4096 bits, P-256,
 * P-384, P-521 and Ed25519.  EXISTS when the label is taken.  May take
 * minutes. */
enum oc_err p11_key_generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const char *label, enum sign_key_type type, unsigned int bits,
    struct oc_error *error) OC_MUST_CHECK;

/* The same, but it may be taken out of the token, wrapped by another key. */
enum oc_err p11_key_generate_extractable(CK_FUNCTION_LIST *f,
    CK_SESSION_HANDLE session, const char *label, enum sign_key_type type,
    unsigned int bits, struct oc_error *error) OC_MUST_CHECK;

/* Private keys, and public keys without one.  LIMIT over max. */
enum oc_err p11_key_list(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    struct p11_key_entry *entries, size_t max, size_t *num,
    struct oc_error *error) OC_MUST_CHECK;

#endif
