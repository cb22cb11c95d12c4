/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A canary: a signature over a fresh nonce, verified and thrown away.  Only
 * that proves that a token works: several libraries answer C_GetSessionInfo
 * from memory while the device is gone.
 */
#ifndef PKCS11_CANARY_H
#define PKCS11_CANARY_H

#include "pkcs11/token.h"

/* On this session, between module enter and leave; blocks in the token.  What
 * goes wrong is counted in its class.  REFUSED where the token does not do
 * this with the key, and is well. */
enum oc_err p11_canary(struct p11_key *key, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct oc_error *error) OC_MUST_CHECK;

#endif
