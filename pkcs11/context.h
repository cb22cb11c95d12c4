/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login for one signature: keys with CKA_ALWAYS_AUTHENTICATE, as smart cards
 * have them.
 */
#ifndef PKCS11_CONTEXT_H
#define PKCS11_CONTEXT_H

#include "pkcs11/token.h"

/*
 * Between C_SignInit and C_Sign of the same session: C_Login as
 * CKU_CONTEXT_SPECIFIC, one at a time, under the same latch as the other
 * logins.  CKR_PIN_INCORRECT also for a PIN that is not tried again,
 * CKR_PIN_LOCKED where one wrong try is left.
 */
CK_RV p11_context_login(struct p11_token *token, CK_SESSION_HANDLE session);

#endif
