/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/login.h"

#include "pkcs11/key.h"
#include "pkcs11/recover.h"

static enum oc_err
check_flags(const CK_TOKEN_INFO *info, struct oc_error *error)
{
	if ((info->flags & CKF_USER_PIN_LOCKED) != 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "its PIN is locked: its security officer must set a new "
		    "one");
	if ((info->flags & CKF_USER_PIN_FINAL_TRY) != 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "one wrong PIN more locks it: log in once by hand to "
		    "reset its count");
	if ((info->flags & CKF_USER_PIN_INITIALIZED) == 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "it has no user PIN yet");
	return OC_OK;
}

static enum p11_pin_outcome
outcome_of(CK_RV rv)
{
	/* Good enough for whoever wants a login, and says nothing of a PIN. */
	if (rv == CKR_USER_ALREADY_LOGGED_IN)
		return P11_PIN_NOT_LOOKED_AT;
	switch (p11_classify(P11_CALL_LOGIN, rv)) {
	case P11_CLASS_OK:
		return P11_PIN_ACCEPTED;
	case P11_CLASS_PIN:
		return P11_PIN_REFUSED;
	case P11_CLASS_REQUEST:
	case P11_CLASS_SESSION:
	case P11_CLASS_LIMIT:
	case P11_CLASS_LOGIN:
	case P11_CLASS_SIGNATURE:
	case P11_CLASS_MODULE:
	case P11_CLASS_HUNG:
	case P11_CLASS_MAX:
		break;
	}
	return P11_PIN_NOT_LOOKED_AT;
}

static enum oc_err
result_of(const struct p11_login *login, CK_RV rv, struct oc_error *error)
{
	char text[P11_CKR_TEXT_MAX];

	if (p11_classify(P11_CALL_LOGIN, rv) == P11_CLASS_OK)
		return OC_OK;
	if (outcome_of(rv) != P11_PIN_REFUSED)
		return p11_error(error, "C_Login", rv);
	return oc_error_set(error, OC_ERR_PIN, "it refused the PIN%s: "
	    "C_Login: %s; it is not tried again: put the right one into "
	    "its pin-source", login->user == CKU_CONTEXT_SPECIFIC ?
	    " for a signature" : "", p11_ckr_text(rv, text));
}

static enum oc_err
log_in_at_pad(const struct p11_login *login, CK_RV *rv,
    struct oc_error *error)
{
	if ((login->info->flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
		return oc_error_set(error, OC_ERR_PIN,
		    "it has no pin pad: set pin-source");
	*rv = login->f->C_Login(login->session, login->user, NULL, 0);
	return result_of(login, *rv, error);
}

static enum oc_err
log_in(const struct p11_login *login, CK_RV *rv, struct oc_error *error)
{
	struct oc_secret pin = { .len = 0 };
	struct p11_pin_try attempt;
	enum oc_err err;

	err = p11_pin_read(login->pin_source, &pin, error);
	if (err != OC_OK)
		return err;
	err = p11_pin_begin(login->state_dir, login->name, &pin, login->known,
	    &attempt, error);
	if (err == OC_OK) {
		*rv = login->f->C_Login(login->session, login->user,
		    pin.bytes, pin.len);
		p11_pin_end(&attempt, outcome_of(*rv));
		err = result_of(login, *rv, error);
	}
	oc_secret_fini(&pin);
	return err;
}

enum oc_err
p11_login(const struct p11_login *login, CK_RV *rv, struct oc_error *error)
{
	CK_RV returned = CKR_OK;
	enum oc_err err = check_flags(login->info, error);

	if (err == OC_OK && login->pin_source == NULL)
		err = log_in_at_pad(login, &returned, error);
	else if (err == OC_OK)
		err = log_in(login, &returned, error);
	if (rv != NULL)
		*rv = returned;
	return err;
}
