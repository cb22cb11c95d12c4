/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token's threads: its keeper, its watch, one for each session, and those
 * that stand in for lost ones.  They are counted, since there is no portable
 * join with a deadline, and no thread can be ended that stands in a module.
 */
#ifndef PKCS11_THREADS_H
#define PKCS11_THREADS_H

#include "pkcs11/token.h"

bool p11_threads_start(struct p11_token *token);
/* With the lock: one more, in a slot that is free; false if there is none. */
bool p11_threads_add_session(struct p11_token *token);
/* With the lock, of a token or a call that is back: as many as there should
 * be, also after it was stuck and others did its work. */
void p11_threads_top_up(struct p11_token *token);

/* Tells them to end, and closes the queue. */
void p11_threads_tell(struct p11_token *token);
/* Waits for a call's timeout, and some grace; false if one is stuck, and what
 * it may use must stay. */
bool p11_threads_join(struct p11_token *token);

/* The last thing a thread does; session NULL: it is no session's.  One that
 * was lost goes by itself, and its slot is free again. */
void p11_threads_end(struct p11_token *token, struct p11_session *session);

#endif
