/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token's watch: the thread that looks at calls which take long.
 *
 * At half of the time that a ticket has left it is taken away from the call
 * and put back, for another session to try; once, and not before the call has
 * taken four times what is usual.  At the token's timeout the session itself
 * is lost, and a new thread has its place.  When more are lost than a quarter
 * of the sessions and one, or the keeper is, the token is stuck: nothing in
 * this process brings it back.
 */
#ifndef PKCS11_WATCH_H
#define PKCS11_WATCH_H

#include "pkcs11/token.h"

/* pthread_create()'s; arg is the struct p11_token.  Runs until is_stopping. */
void *p11_watch_main(void *arg);

/* Before a call for a ticket, NULL for none: lends it to the call.  With the
 * token's lock. */
void p11_watch_lend(struct p11_session *s, struct sign_ticket *t);

enum p11_watch_verdict {
	P11_WATCH_MINE,		/* the ticket is the caller's, as before */
	P11_WATCH_TAKEN,	/* it is somebody else's by now, or was NULL */
	P11_WATCH_LOST		/* and so is the session: the thread ends */
};
/* After the call; rv is what it returned. */
enum p11_watch_verdict p11_watch_take(struct p11_session *s, CK_RV rv);

/* From any thread.  Counts a call of the keeper's that hangs, once. */
bool p11_watch_is_stuck(struct p11_token *token);

#endif
