/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token's keeper: the thread that logs in, finds the keys, proves them with
 * a canary signature, and does it again whenever the token went away.
 */
#ifndef PKCS11_KEEPER_H
#define PKCS11_KEEPER_H

#include "pkcs11/token.h"

/* pthread_create()'s; arg is the struct p11_token.  Runs until is_stopping.
 * Its session is token->home. */
void *p11_keeper_main(void *arg);

#endif
