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
 * logins.  CKR_PIN_INCORRECT also for a PIN that is not tried, or cannot be
 * read; CKR_USER_NOT_LOGGED_IN where something else of ours is in its way,
 * which is logged, once until a login is good again.
 */
CK_RV p11_context_login(struct p11_token *token, CK_SESSION_HANDLE session);

/* Why the last failed, and of those alike the first: since one was good. */
enum oc_err p11_context_failure(struct p11_token *token,
    struct oc_error *error) OC_MUST_CHECK;

#endif
