/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first canary of a key: which mechanism makes a signature of the
 * algorithm that is asked for, and whether each wants the PIN.
 */
#ifndef PKCS11_PROVE_H
#define PKCS11_PROVE_H

#include "pkcs11/token.h"

/* Sets info.alg, way, wants_login and is_proven of a key that is not proven.
 * On the keeper's session, which may be another afterwards.  UNSUPPORTED says
 * which algorithm would do; MISMATCH: none of this type. */
enum oc_err p11_prove(struct p11_key *key, CK_OBJECT_HANDLE handle,
    struct oc_error *error) OC_MUST_CHECK;

#endif
