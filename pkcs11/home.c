/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/home.h"

#include "pkcs11/key.h"
#include "pkcs11/login.h"
#include "pkcs11/session.h"

static bool
is_logged_in(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	return f->C_GetSessionInfo(session, &info) == CKR_OK &&
	    (info.state == CKS_RO_USER_FUNCTIONS ||
	    info.state == CKS_RW_USER_FUNCTIONS);
}

/* Only a token that has no more to give must do without. */
CK_RV
p11_home_reopen(struct p11_token *token, CK_SLOT_ID slot, uint64_t epoch)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct p11_session *home = &token->home;
	CK_SESSION_HANDLE handle;
	CK_RV rv;

	rv = p11_token_open_session(f, slot, &handle);
	if (p11_classify(P11_CALL_OPEN, rv) == P11_CLASS_LIMIT &&
	    home->is_open) {
		p11_session_drop(home, epoch);
		rv = p11_token_open_session(f, slot, &handle);
	}
	p11_session_drop(home, epoch);
	if (rv != CKR_OK)
		return rv;
	home->handle = handle;
	home->is_open = true;
	home->epoch = epoch;
	return CKR_OK;
}

enum oc_err
p11_home_ensure(struct p11_token *token, uint64_t epoch,
    struct oc_error *error)
{
	CK_FUNCTION_LIST *f = token->module->f;
	struct p11_session *home = &token->home;
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	enum oc_err err;
	CK_RV rv;

	/* SoftHSM has gmtime() in there. */
	(void)pthread_mutex_lock(&token->module->finding);
	err = p11_token_find(f, &token->uri, &slot, &info, error);
	(void)pthread_mutex_unlock(&token->module->finding);
	if (err != OC_OK)
		return err;
	(void)pthread_mutex_lock(&token->lock);
	token->slot = slot;
	(void)pthread_mutex_unlock(&token->lock);
	rv = p11_home_reopen(token, slot, epoch);
	if (rv != CKR_OK)
		return p11_error(error, "C_OpenSession", rv);
	if (is_logged_in(f, home->handle))
		return OC_OK;
	(void)atomic_fetch_add(&token->num_logins, 1);
	err = p11_login(&(struct p11_login){ .f = f, .session = home->handle,
	    .user = CKU_USER, .info = &info, .name = token->name,
	    .pin_source = token->pin_source, .state_dir = token->state_dir },
	    NULL, error);
	if (err == OC_ERR_PIN)
		p11_token_count(token, P11_CLASS_PIN);
	return err;
}
