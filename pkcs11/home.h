/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's own session, token->home: it holds the login.  Between module
 * enter and leave, the keeper's thread only; blocks in the token.
 */
#ifndef PKCS11_HOME_H
#define PKCS11_HOME_H

#include "pkcs11/token.h"

/* Open and logged in, in a slot that is looked for anew.  PIN; TOKEN. */
enum oc_err p11_home_ensure(struct p11_token *token, uint64_t epoch,
    struct oc_error *error) OC_MUST_CHECK;
/* A new one before the old one goes: with the last session, the login goes. */
CK_RV p11_home_reopen(struct p11_token *token, CK_SLOT_ID slot,
    uint64_t epoch);

#endif
