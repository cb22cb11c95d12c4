/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying what a token signed, before anybody is told of it.
 *
 * A session's thread does it itself while nothing waits, neither for its
 * session nor to be verified, which spares two threads a change; otherwise
 * the thread that is there for it does.  A key verifies one signature at a
 * time.
 */
#ifndef PKCS11_VERIFY_H
#define PKCS11_VERIFY_H

#include "pkcs11/token.h"

/* sign_verify() with the key's own public key, from any thread. */
enum oc_err p11_verify(struct p11_key *key, enum sign_alg alg,
    struct der_bytes tbs, struct der_bytes signature) OC_MUST_CHECK;

/*
 * Takes a signed ticket from a session's thread, and finishes it.  A
 * signature that does not verify is never released: it is the token's fault
 * (a handle that points to another key after a failover), the keeper has a
 * look, and it is tried again, a few times.
 */
void p11_verify_take(struct p11_token *token, struct sign_ticket *t);

/* pthread_create()'s; arg is the struct sign_queue that tokens have as
 * to_verify.  Runs until it is closed. */
void *p11_verify_main(void *arg);

#endif
