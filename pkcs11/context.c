/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIN is read anew each time and the latch closed around the call, so that
 * N sessions with a PIN that is wrong now try it once, not N times.
 */
#include "pkcs11/context.h"

#include "base/log.h"
#include "pkcs11/pin.h"
#include "pkcs11/recover.h"

static CK_RV
check_tries(struct p11_token *token, CK_SESSION_HANDLE session)
{
	CK_FUNCTION_LIST *f = token->module->f;
	CK_SESSION_INFO session_info;
	CK_TOKEN_INFO info;
	CK_RV rv;

	rv = f->C_GetSessionInfo(session, &session_info);
	if (rv != CKR_OK)
		return rv;
	(void)pthread_mutex_lock(&token->module->finding);
	rv = f->C_GetTokenInfo(session_info.slotID, &info);
	(void)pthread_mutex_unlock(&token->module->finding);
	if (rv == CKR_OK && (info.flags & (CKF_USER_PIN_LOCKED |
	    CKF_USER_PIN_FINAL_TRY)) != 0)
		rv = CKR_PIN_LOCKED;
	return rv;
}

static enum p11_pin_outcome
outcome_of(CK_RV rv)
{
	switch (p11_classify(P11_CALL_LOGIN, rv)) {
	case P11_CLASS_OK:
		return P11_PIN_ACCEPTED;
	case P11_CLASS_PIN:
		return P11_PIN_REFUSED;
	case P11_CLASS_REQUEST:
	case P11_CLASS_SESSION:
	case P11_CLASS_LIMIT:
	case P11_CLASS_LOGIN:
	case P11_CLASS_MODULE:
	case P11_CLASS_SIGNATURE:
	case P11_CLASS_HUNG:
	case P11_CLASS_MAX:
		break;
	}
	return P11_PIN_NOT_LOOKED_AT;
}

static CK_RV
log_in(struct p11_token *token, CK_SESSION_HANDLE session)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };
	struct p11_pin_try attempt;
	enum oc_err err;
	CK_RV rv;

	if (token->pin_source == NULL)
		return f->C_Login(session, CKU_CONTEXT_SPECIFIC, NULL, 0);
	err = p11_pin_read(token->pin_source, &pin, &error);
	if (err == OC_OK)
		err = p11_pin_begin(token->state_dir, token->name, &pin,
		    &attempt, &error);
	if (err == OC_OK) {
		rv = f->C_Login(session, CKU_CONTEXT_SPECIFIC, pin.bytes,
		    pin.len);
		p11_pin_end(&attempt, outcome_of(rv));
		if (outcome_of(rv) == P11_PIN_ACCEPTED)
			rv = CKR_OK;
	} else if (err == OC_ERR_PIN) {
		/* The keeper, which meets it next, says so, once. */
		rv = CKR_PIN_INCORRECT;
	} else {
		oc_log(OC_LOG_ERROR, "token %s: %s", token->name, error.text);
		rv = CKR_FUNCTION_FAILED;
	}
	oc_secret_fini(&pin);
	return rv;
}

CK_RV
p11_context_login(struct p11_token *token, CK_SESSION_HANDLE session)
{
	CK_RV rv;

	(void)pthread_mutex_lock(&token->logging_in);
	rv = check_tries(token, session);
	if (rv == CKR_OK)
		rv = log_in(token, session);
	(void)pthread_mutex_unlock(&token->logging_in);
	return rv;
}
