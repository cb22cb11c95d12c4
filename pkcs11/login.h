/* SPDX-License-Identifier: Apache-2.0 */
/* C_Login, wherever it is called. */
#ifndef PKCS11_LOGIN_H
#define PKCS11_LOGIN_H

#include <p11-kit/pkcs11.h>

#include "pkcs11/pin.h"

struct p11_login {
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
	CK_USER_TYPE user;		/* or context specific: a signature's */
	const CK_TOKEN_INFO *info;	/* as of now */
	const char *name, *pin_source;	/* no source: it has a pin pad */
	const char *state_dir;
	struct p11_pin_known *known;	/* may be NULL */
};

/*
 * At most once for a PIN: not when the token says that one wrong try is left,
 * nor when this PIN was refused before.  A refused one is latched, which is
 * OC_ERR_PIN as well.  *rv, if rv is not NULL, is what C_Login returned, or
 * CKR_OK where it was not called.  The texts say "it"; who asked names it.
 */
enum oc_err p11_login(const struct p11_login *login, CK_RV *rv,
    struct oc_error *error) OC_MUST_CHECK;

#endif
