/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session thread: takes tickets from its token's queue, signs on the
 * session it owns, verifies them or has them verified.  While nothing comes it
 * keeps the session alive, if that is configured.
 */
#ifndef PKCS11_SESSION_H
#define PKCS11_SESSION_H

#include "pkcs11/mechanism.h"
#include "pkcs11/recover.h"
#include "pkcs11/token.h"

/* pthread_create()'s; arg is a struct p11_session.  Runs until its token's
 * queue is closed, or it is lost. */
void *p11_session_main(void *arg);

/* Marks the session as being inside a call (watch.h has more). */
void p11_session_call_begin(struct p11_session *s);
void p11_session_call_end(struct p11_session *s);

/* Between module enter and leave: closes or forgets. */
void p11_session_drop(struct p11_session *s, uint64_t epoch);

/* C_SignInit and C_Sign; *function says which one returned. */
CK_RV p11_session_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE key, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function);
/* The same with a key of the pool, after a C_Login for this one signature if
 * the key wants that. */
CK_RV p11_session_sign_key(struct p11_key *key, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_input *in, uint8_t *signature,
    size_t max, size_t *len, const char **function);

#endif
