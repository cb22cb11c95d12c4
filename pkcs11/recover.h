/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery ladder: what a token's return value means (its class), and
 * what is done about it (an action); both are tables in recover.c.  The same
 * value can mean another thing where a session is opened than where something
 * is signed.
 */
#ifndef PKCS11_RECOVER_H
#define PKCS11_RECOVER_H

#include <p11-kit/pkcs11.h>

#include "pkcs11/class.h"
#include "sign/queue.h"

enum p11_call { P11_CALL_OPEN, P11_CALL_SIGN, P11_CALL_LOGIN };

enum p11_action {
	P11_SIGNED,
	P11_RETRY,		/* at once, on a new session */
	P11_FEWER,		/* after a moment, and fewer at once */
	P11_REFUSED,		/* the job fails, the token is fine */
	P11_REFUSED_DOWN,	/* it fails, and the keeper has a look */
	P11_TOKEN_DOWN		/* the job waits, the keeper has a look */
};

enum p11_class p11_classify(enum p11_call call, CK_RV rv);

/*
 * The same for a ticket, which may have met the value before: an operation
 * that is active on a session of our own is broken once, on a new one again
 * it is the token that is busy.  num_open is how many sessions the token has
 * beside this one: without any there is nothing to do with fewer.
 */
enum p11_class p11_class_of(const struct sign_ticket *t, enum p11_call call,
    CK_RV rv, unsigned int num_open);

/*
 * What to do with a ticket after an attempt for it ended so.  Never tried
 * again after its deadline, nor for ever: what fails on a token that is well
 * is not the token's fault.  The ticket remembers.
 */
enum p11_action p11_recover(struct sign_ticket *t, enum p11_call call,
    enum p11_class class, int64_t now_ns);

/* "CKR_DEVICE_ERROR", or "CKR 0x80000043" when the table has none. */
#define P11_CKR_TEXT_MAX 48
const char *p11_ckr_text(CK_RV rv, char text[P11_CKR_TEXT_MAX]);

#endif
