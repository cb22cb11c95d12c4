/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN is read anew each time and the latch closed around the call, so that
 * N sessions with a PIN that is wrong now try it once, not N times.  The first
 * of them knows why; the others are told that it is not tried again.
 */
#include "pkcs11/context.h"

#include "base/log.h"
#include "pkcs11/key.h"
#include "pkcs11/login.h"

static CK_RV
get_info(struct p11_token *token, CK_SESSION_HANDLE session,
    CK_TOKEN_INFO *info)
{
	CK_FUNCTION_LIST *f = token->module->f;
	CK_SESSION_INFO session_info;
	CK_RV rv;

	rv = f->C_GetSessionInfo(session, &session_info);
	if (rv != CKR_OK)
		return rv;
	(void)pthread_mutex_lock(&token->module->finding);
	rv = f->C_GetTokenInfo(session_info.slotID, info);
	(void)pthread_mutex_unlock(&token->module->finding);
	return rv;
}

/* With the lock for it. */
static CK_RV
log_in(struct p11_token *token, CK_SESSION_HANDLE session,
    struct oc_error *error)
{
	CK_TOKEN_INFO info;
	const struct p11_login login = {
		.f = token->module->f,
		.session = session,
		.user = CKU_CONTEXT_SPECIFIC,
		.info = &info,
		.name = token->name,
		.pin_source = token->pin_source,
		.state_dir = token->state_dir,
		.known = &token->pin_known,
	};
	enum oc_err err;
	CK_RV rv;

	rv = get_info(token, session, &info);
	if (rv != CKR_OK) {
		(void)p11_error(error, "C_GetTokenInfo", rv);
		return rv;
	}
	err = p11_login(&login, &rv, error);
	if (err == OC_OK)
		return CKR_OK;
	if (err == OC_ERR_PIN)
		return CKR_PIN_INCORRECT;
	return rv != CKR_OK ? rv : CKR_USER_NOT_LOGGED_IN;
}

CK_RV
p11_context_login(struct p11_token *token, CK_SESSION_HANDLE session)
{
	struct oc_error error = { 0 };
	CK_RV rv;

	(void)pthread_mutex_lock(&token->logging_in);
	rv = log_in(token, session, &error);
	if (rv == CKR_OK)
		token->login_failure = error;
	else if (token->login_failure.code != error.code) {
		token->login_failure = error;
		/* The keeper says itself why it ends a token, and a token what
		 * it answers. */
		if (error.code != OC_ERR_PIN && error.code != OC_ERR_TOKEN)
			oc_log(OC_LOG_ERROR, "token %s: login for a "
			    "signature: %s", token->name, error.text);
	}
	(void)pthread_mutex_unlock(&token->logging_in);
	return rv;
}

enum oc_err
p11_context_failure(struct p11_token *token, struct oc_error *error)
{
	(void)pthread_mutex_lock(&token->logging_in);
	*error = token->login_failure;
	(void)pthread_mutex_unlock(&token->logging_in);
	return error->code;
}
