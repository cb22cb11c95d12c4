/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token's return value means and what to do about it: one table.
 *
 * Classes, mildest first.  The same value can mean another thing where a
 * session is opened than where something is signed, so rows have two.
 */
#ifndef PKCS11_RECOVER_H
#define PKCS11_RECOVER_H

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "sign/queue.h"

enum p11_class {
	P11_CLASS_OK,
	P11_CLASS_REQUEST,	/* this job can never work */
	P11_CLASS_SESSION,	/* the session is broken: open another */
	P11_CLASS_LIMIT,	/* no more sessions: do with fewer */
	P11_CLASS_LOGIN,	/* logged out, or handles are stale */
	P11_CLASS_MODULE,	/* the token or the library is broken */
	P11_CLASS_PIN		/* never try again */
};

enum p11_call { P11_CALL_OPEN, P11_CALL_SIGN, P11_CALL_LOGIN };

enum p11_action {
	P11_SIGNED,
	P11_RETRY,		/* at once, on a new session, once */
	P11_STEP_BACK,		/* leave the job to the other sessions */
	P11_REFUSED,		/* the job fails, the token is fine */
	P11_REFUSED_DOWN,	/* it fails, and the keeper has a look */
	P11_TOKEN_DOWN		/* the job waits, the keeper looks at it */
};

enum p11_class p11_classify(enum p11_call call, CK_RV rv);

/*
 * Once for a lost session and once for all that is worse: where sessions are
 * lost, the login often is as well.  The ticket remembers.
 */
bool p11_may_retry(struct sign_ticket *t, enum p11_class class);

/*
 * What to do with a ticket after a call for it returned rv.  Never retried
 * after its deadline.
 * num_open is how many sessions the token has beside this one.
 */
enum p11_action p11_recover(struct sign_ticket *t, enum p11_call call,
    CK_RV rv, unsigned int num_open, int64_t now_ns);

/* "CKR_DEVICE_ERROR", or "CKR 0x80000043" when the table has none. */
#define P11_CKR_TEXT_MAX 48
const char *p11_ckr_text(CK_RV rv, char text[P11_CKR_TEXT_MAX]);

#endif
