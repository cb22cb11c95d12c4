/* SPDX-License-Identifier: Apache-2.0 */
/* What a lost login looks like, what a session takes, and how many there
 * are. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pkcs11/doctor_probe.h"
#include "pkcs11/key.h"
#include "pkcs11/recover.h"
#include "pkcs11/token.h"

/* --- logout ----------------------------------------------------------- */

enum oc_err
p11_probe_logout(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_facts *facts = c->facts;
	struct p11_doctor_signing signing;
	CK_OBJECT_HANDLE before, after = 0;
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO info;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK)
		err = p11_doctor_find_key(c, session, facts->best_key,
		    &before, error);
	if (err != OC_OK)
		return err;
	p11_doctor_choose(facts, facts->best_key, before, &signing);
	p11_doctor_step(c, "C_Logout");
	facts->rv_logout = c->f->C_Logout(session);
	if (facts->rv_logout != CKR_OK)
		return p11_error(error, "C_Logout", facts->rv_logout);
	p11_doctor_step(c, "C_SignInit when logged out");
	facts->rv_sign_logged_out = p11_doctor_sign_init(c->f, session,
	    &signing);
	facts->is_state_told = c->f->C_GetSessionInfo(session, &info) ==
	    CKR_OK && (info.state == CKS_RO_PUBLIC_SESSION ||
	    info.state == CKS_RW_PUBLIC_SESSION);
	/* What was begun there stays open in some: on with another. */
	(void)c->f->C_CloseSession(session);
	err = p11_doctor_open_session(c, &session, error);
	if (err == OC_OK)
		err = p11_doctor_login(c, session, error);
	if (err != OC_OK)
		return err;
	p11_doctor_step(c, "C_SignInit with the handle from before");
	facts->rv_old_handle = p11_doctor_sign_init(c->f, session, &signing);
	/* The last one's end would be a logout. */
	err = p11_doctor_open_session(c, &session, error);
	if (err == OC_OK)
		err = p11_doctor_find_key(c, session, facts->best_key,
		    &after, error);
	facts->is_handle_same = err == OC_OK && after == before;
	return err;
}

/* --- operations ------------------------------------------------------- */

/* A session of its own for each, which ends with it. */
struct trial {
	struct p11_doctor_child *c;
	CK_SESSION_HANDLE session;
	struct p11_doctor_signing signing;
};

static enum oc_err
begin(struct trial *t, const char *what, struct oc_error *error)
{
	CK_OBJECT_HANDLE handle;
	enum oc_err err;

	err = p11_doctor_open_session(t->c, &t->session, error);
	if (err == OC_OK)
		err = p11_doctor_find_key(t->c, t->session,
		    t->c->facts->best_key, &handle, error);
	if (err != OC_OK)
		return err;
	p11_doctor_choose(t->c->facts, t->c->facts->best_key, handle,
	    &t->signing);
	p11_doctor_step(t->c, "%s", what);
	return OC_OK;
}

static void
end(struct trial *t)
{
	(void)t->c->f->C_CloseSession(t->session);
}

static enum oc_err
try_cancel(struct trial *t, struct oc_error *error)
{
	enum oc_err err = begin(t, "C_SignInit(NULL), to cancel", error);

	if (err != OC_OK)
		return err;
	t->c->facts->rv_cancel = p11_doctor_sign_init(t->c->f, t->session,
	    &t->signing);
	if (t->c->facts->rv_cancel == CKR_OK)
		t->c->facts->rv_cancel = t->c->f->C_SignInit(t->session,
		    NULL, t->signing.handle);
	end(t);
	return OC_OK;
}

static enum oc_err
try_find(struct trial *t, struct oc_error *error)
{
	CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template = { CKA_CLASS, &object_class,
	    sizeof(object_class) };
	enum oc_err err = begin(t, "C_FindObjectsInit while signing", error);

	if (err != OC_OK)
		return err;
	t->c->facts->rv_find_while_signing = p11_doctor_sign_init(t->c->f,
	    t->session, &t->signing);
	if (t->c->facts->rv_find_while_signing == CKR_OK)
		t->c->facts->rv_find_while_signing =
		    t->c->f->C_FindObjectsInit(t->session, &template, 1);
	end(t);
	return OC_OK;
}

/* C_Sign with what we would never give it. */
static enum oc_err
try_sign(struct trial *t, const char *what, CK_ULONG data_len,
    CK_BYTE *out, CK_ULONG *out_len, unsigned long *rv,
    struct oc_error *error)
{
	static CK_BYTE data[4096];
	enum oc_err err = begin(t, what, error);

	if (err != OC_OK)
		return err;
	*rv = p11_doctor_sign_init(t->c->f, t->session, &t->signing);
	if (*rv == CKR_OK)
		*rv = t->c->f->C_Sign(t->session, data, data_len, out,
		    out_len);
	return OC_OK;
}

static enum oc_err
try_after_failure(struct trial *t, struct oc_error *error)
{
	struct p11_doctor_canary canary;
	struct p11_doctor_signature signature;
	CK_BYTE out[OC_SIGNATURE_MAX];
	CK_ULONG len = sizeof(out);
	struct p11_doctor_facts *facts = t->c->facts;
	enum oc_err err;

	/* Longer than any digest or modulus we sign with. */
	err = try_sign(t, "C_Sign of over-long data", 4096, out, &len,
	    &facts->rv_over_long, error);
	if (err != OC_OK)
		return err;
	p11_doctor_step(t->c, "C_SignInit after a failure");
	p11_doctor_canary(&canary);
	facts->rv_after_failure = p11_doctor_sign(t->c->f, t->session,
	    &t->signing, &canary, &signature);
	end(t);
	return OC_OK;
}

/* As long as what the mechanism signs: a digest, or DigestInfo. */
static CK_ULONG
data_len(const struct trial *t)
{
	return t->signing.type == SIGN_KEY_RSA ? 51 : 32;
}

static enum oc_err
try_sizes(struct trial *t, struct oc_error *error)
{
	struct p11_doctor_facts *facts = t->c->facts;
	CK_BYTE out[1];
	CK_ULONG len = 0;
	enum oc_err err;

	err = try_sign(t, "C_Sign(NULL), to ask for the size", data_len(t),
	    NULL, &len, &facts->rv_ask_size, error);
	facts->asked_size = len;
	if (err != OC_OK)
		return err;
	end(t);
	len = sizeof(out);
	err = try_sign(t, "C_Sign with a buffer of one octet", data_len(t),
	    out, &len, &facts->rv_small_buffer, error);
	if (err == OC_OK)
		end(t);
	return err;
}

enum oc_err
p11_probe_operations(struct p11_doctor_child *c, struct oc_error *error)
{
	struct trial t = { .c = c };
	CK_SESSION_HANDLE session;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK)
		err = try_cancel(&t, error);
	if (err == OC_OK)
		err = try_find(&t, error);
	if (err == OC_OK)
		err = try_sizes(&t, error);
	if (err == OC_OK)
		err = try_after_failure(&t, error);
	if (err == OC_OK)
		err = begin(&t, "C_SignInit with no key's handle", error);
	if (err != OC_OK)
		return err;
	t.signing.handle = (CK_OBJECT_HANDLE)0x7ffffff1;
	c->facts->rv_bad_key = p11_doctor_sign_init(c->f, t.session,
	    &t.signing);
	end(&t);
	return OC_OK;
}

/* --- sessions --------------------------------------------------------- */

enum oc_err
p11_probe_sessions(struct p11_doctor_child *c, struct oc_error *error)
{
	CK_SESSION_HANDLE sessions[P11_DOCTOR_SESSIONS_MAX];
	struct p11_doctor_facts *facts = c->facts;
	enum oc_err err = p11_doctor_open(c, error);
	int64_t begun_ns = oc_clock_mono_ns();
	CK_RV rv = CKR_OK;

	if (err != OC_OK)
		return err;
	while (facts->num_opened < P11_DOCTOR_SESSIONS_MAX) {
		p11_doctor_step(c, "C_OpenSession, number %u",
		    facts->num_opened + 1);
		rv = p11_token_open_session(c->f, c->slot,
		    &sessions[facts->num_opened]);
		if (rv != CKR_OK)
			break;
		facts->num_opened++;
	}
	facts->rv_refused = rv;
	if (facts->num_opened > 0)
		facts->open_us = p11_doctor_us_since(begun_ns) /
		    facts->num_opened;
	begun_ns = oc_clock_mono_ns();
	for (unsigned int i = 0; i < facts->num_opened; i++) {
		p11_doctor_step(c, "C_CloseSession, number %u", i + 1);
		(void)c->f->C_CloseSession(sessions[i]);
	}
	if (facts->num_opened > 0)
		facts->close_us = p11_doctor_us_since(begun_ns) /
		    facts->num_opened;
	return OC_OK;
}
