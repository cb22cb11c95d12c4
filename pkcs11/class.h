/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong with tokens, mildest first.  Plain data, without a PKCS#11
 * type; what belongs to which class, and what is done about it, is in
 * pkcs11/recover.c.
 */
#ifndef PKCS11_CLASS_H
#define PKCS11_CLASS_H

#include "base/err.h"

enum p11_class {
	P11_CLASS_OK,
	P11_CLASS_REQUEST,	/* this job can never work */
	P11_CLASS_SESSION,	/* the session is broken: open another */
	P11_CLASS_LIMIT,	/* too much at once: do with fewer sessions */
	P11_CLASS_LOGIN,	/* logged out, or handles are stale */
	P11_CLASS_SIGNATURE,	/* what came does not verify */
	P11_CLASS_MODULE,	/* the token or the library is broken */
	P11_CLASS_HUNG,		/* a call that does not return */
	P11_CLASS_PIN,		/* never try again */
	P11_CLASS_MAX
};

/* "session"; for metrics. */
const char *p11_class_name(enum p11_class class);

#endif
