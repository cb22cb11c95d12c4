/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mechanisms by trial: each that fits a key signs a canary, and the signature
 * is verified here.  What the token lists is only held against that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "pkcs11/doctor_probe.h"
#include "pkcs11/key.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/recover.h"
#include "sign/verify.h"

#ifndef CKM_ECDSA_SHA256
#define CKM_ECDSA_SHA256 0x1044UL
#define CKM_ECDSA_SHA384 0x1045UL
#define CKM_ECDSA_SHA512 0x1046UL
#endif

#define DIGEST(type, alg) { #type, type, alg, false }
#define WHOLE(type, alg) { #type, type, alg, true }
const struct p11_doctor_mechanism p11_doctor_mechanisms[] = {
	DIGEST(CKM_RSA_PKCS, SIGN_RSA_SHA256),
	DIGEST(CKM_RSA_PKCS, SIGN_RSA_SHA384),
	DIGEST(CKM_RSA_PKCS, SIGN_RSA_SHA512),
	WHOLE(CKM_SHA256_RSA_PKCS, SIGN_RSA_SHA256),
	WHOLE(CKM_SHA384_RSA_PKCS, SIGN_RSA_SHA384),
	WHOLE(CKM_SHA512_RSA_PKCS, SIGN_RSA_SHA512),
	DIGEST(CKM_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA256),
	DIGEST(CKM_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA384),
	DIGEST(CKM_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA512),
	WHOLE(CKM_SHA256_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA256),
	WHOLE(CKM_SHA384_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA384),
	WHOLE(CKM_SHA512_RSA_PKCS_PSS, SIGN_RSA_PSS_SHA512),
	DIGEST(CKM_ECDSA, SIGN_ECDSA_SHA256),
	DIGEST(CKM_ECDSA, SIGN_ECDSA_SHA384),
	DIGEST(CKM_ECDSA, SIGN_ECDSA_SHA512),
	WHOLE(CKM_ECDSA_SHA256, SIGN_ECDSA_SHA256),
	WHOLE(CKM_ECDSA_SHA384, SIGN_ECDSA_SHA384),
	WHOLE(CKM_ECDSA_SHA512, SIGN_ECDSA_SHA512),
	DIGEST(CKM_EDDSA, SIGN_ED25519),
};
#define NUM_ROWS (sizeof(p11_doctor_mechanisms) / \
	sizeof(p11_doctor_mechanisms[0]))
const size_t p11_doctor_num_mechanisms = NUM_ROWS;

void
p11_doctor_canary(struct p11_doctor_canary *canary)
{
	memset(canary, 0, sizeof(*canary));
	(void)snprintf(canary->text, sizeof(canary->text),
	    "ocsign doctor's canary, no TBS");
	if (getrandom(canary->nonce, sizeof(canary->nonce), 0) < 0)
		memset(canary->nonce, 0, sizeof(canary->nonce));
}

static struct der_bytes
canary_bytes(const struct p11_doctor_canary *canary)
{
	return (struct der_bytes){ (const uint8_t *)canary, sizeof(*canary) };
}

void
p11_doctor_choose(const struct p11_doctor_facts *facts, size_t key,
    CK_OBJECT_HANDLE handle, struct p11_doctor_signing *s)
{
	const struct p11_key_entry *e = &facts->keys[key].entry;
	enum sign_alg alg = sign_alg_default(e->type);
	const struct p11_doctor_mechanism *how = NULL;

	for (size_t i = 0; i < facts->num_trials && how == NULL; i++)
		if (facts->trials[i].state == P11_TRIAL_WORKS &&
		    facts->keys[facts->trials[i].key].entry.type == e->type)
			how = &p11_doctor_mechanisms[
			    facts->trials[i].mechanism];
	for (size_t i = 0; i < NUM_ROWS && how == NULL; i++)
		if (p11_doctor_mechanisms[i].alg == alg)
			how = &p11_doctor_mechanisms[i];
	*s = (struct p11_doctor_signing){ .how = how, .type = e->type,
	    .bits = e->bits, .handle = handle };
}

/* --- one signature ---------------------------------------------------- */

struct input {
	CK_MECHANISM mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
	struct p11_input digest;	/* unless the token hashes */
	CK_BYTE_PTR bytes;
	CK_ULONG len;
};

/* The parameters are those of the digest's row; the bytes are the canary. */
static enum oc_err
input_init(struct input *in, const struct p11_doctor_signing *s,
    const struct p11_doctor_canary *canary)
{
	enum oc_err err = p11_input_init(&in->digest, s->how->alg, s->type,
	    canary_bytes(canary));

	if (err != OC_OK)
		return err;
	in->mechanism = p11_input_mechanism(&in->digest);
	in->mechanism.mechanism = s->how->type;
	in->bytes = p11_input_bytes(&in->digest);
	in->len = in->digest.len;
	if (s->how->is_whole) {
		in->bytes = (CK_BYTE_PTR)(uintptr_t)canary;
		in->len = sizeof(*canary);
	}
	return OC_OK;
}

static void
input_fini(struct input *in)
{
	p11_input_fini(&in->digest);
}

CK_RV
p11_doctor_sign_init(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_doctor_signing *s)
{
	struct p11_doctor_canary canary;
	struct input in;
	CK_RV rv;

	p11_doctor_canary(&canary);
	if (input_init(&in, s, &canary) != OC_OK)
		return CKR_HOST_MEMORY;
	rv = f->C_SignInit(session, &in.mechanism, s->handle);
	input_fini(&in);
	return rv;
}

CK_RV
p11_doctor_sign(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_doctor_signing *s,
    const struct p11_doctor_canary *canary, struct p11_doctor_signature *out)
{
	/* Never asked for: NSS answers 0. */
	CK_ULONG len = sizeof(out->bytes);
	int64_t begun_ns = oc_clock_mono_ns();
	struct input in;
	CK_RV rv;

	if (input_init(&in, s, canary) != OC_OK)
		return CKR_HOST_MEMORY;
	rv = f->C_SignInit(session, &in.mechanism, s->handle);
	out->init_us = p11_doctor_us_since(begun_ns);
	begun_ns = oc_clock_mono_ns();
	if (rv == CKR_OK)
		rv = f->C_Sign(session, in.bytes, in.len, out->bytes, &len);
	out->sign_us = p11_doctor_us_since(begun_ns);
	out->len = rv == CKR_OK && len <= sizeof(out->bytes) ? len : 0;
	input_fini(&in);
	return rv;
}

enum oc_err
p11_doctor_check(const struct p11_doctor_signing *s, struct der_bytes spki,
    const struct p11_doctor_canary *canary, struct p11_doctor_signature *out)
{
	enum oc_err key_err = OC_OK, err;

	err = p11_signature_finish(s->how->alg, s->type, s->bits, out->bytes,
	    sizeof(out->bytes), &out->len);
	if (err != OC_OK)
		return err;
	return sign_verify_once(spki, s->how->alg, canary_bytes(canary),
	    (struct der_bytes){ out->bytes, out->len }, &key_err);
}

enum oc_err
p11_doctor_spki(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct sign_key_info *info,
    struct oc_error *error)
{
	return p11_key_read(c->f, session, handle,
	    (struct der_bytes){ NULL, 0 }, info, error);
}

/* --- the trials ------------------------------------------------------- */

static void
read_list(struct p11_doctor_child *c)
{
	CK_MECHANISM_TYPE *types;
	CK_ULONG num = 0;

	p11_doctor_step(c, "C_GetMechanismList");
	if (c->f->C_GetMechanismList(c->slot, NULL, &num) != CKR_OK ||
	    num > 4096)
		return;
	types = calloc(num + 1, sizeof(*types));
	if (types == NULL)
		return;
	if (c->f->C_GetMechanismList(c->slot, types, &num) == CKR_OK) {
		c->facts->has_list = true;
		for (CK_ULONG i = 0; i < num; i++)
			for (size_t m = 0; m < NUM_ROWS; m++)
				if (p11_doctor_mechanisms[m].type ==
				    types[i])
					c->facts->is_listed[m] = true;
	}
	free(types);
}

/* Octets of r||s. */
static size_t
raw_len(enum sign_key_type type)
{
	return type == SIGN_KEY_P256 ? 64 : type == SIGN_KEY_P384 ? 96 :
	    type == SIGN_KEY_P521 ? 132 : 0;
}

static void
note_form(struct p11_doctor_trial *t, const struct p11_doctor_signing *s,
    size_t len)
{
	size_t raw = raw_len(s->type);

	t->is_der = raw > 0 && len != raw;
	t->is_short = s->type == SIGN_KEY_RSA && len < (s->bits + 7) / 8;
}

/* A session of its own: what a refusal leaves in one, nobody knows. */
static enum oc_err
try_one(struct p11_doctor_child *c, struct p11_doctor_trial *t,
    struct oc_error *error)
{
	struct p11_doctor_signing s = {
		.how = &p11_doctor_mechanisms[t->mechanism],
		.type = c->facts->keys[t->key].entry.type,
		.bits = c->facts->keys[t->key].entry.bits };
	struct p11_doctor_signature signature;
	struct p11_doctor_canary canary;
	struct sign_key_info info;
	CK_SESSION_HANDLE session;
	enum oc_err err;

	err = p11_doctor_open_session(c, &session, error);
	if (err == OC_OK)
		err = p11_doctor_find_key(c, session, t->key, &s.handle,
		    error);
	if (err == OC_OK)
		err = p11_doctor_spki(c, session, s.handle, &info, error);
	if (err != OC_OK)
		return err;
	p11_doctor_canary(&canary);
	p11_doctor_step(c, "C_Sign with %s, %s", s.how->name,
	    sign_alg_info(s.how->alg)->name);
	t->state = P11_TRIAL_RUNNING;
	t->rv = p11_doctor_sign(c->f, session, &s, &canary, &signature);
	t->init_us = signature.init_us;
	t->sign_us = signature.sign_us;
	note_form(t, &s, signature.len);
	if (t->rv != CKR_OK)
		t->state = P11_TRIAL_REFUSED;
	else if (p11_doctor_check(&s, (struct der_bytes){ info.spki,
	    info.spki_len }, &canary, &signature) == OC_OK)
		t->state = P11_TRIAL_WORKS;
	else
		t->state = P11_TRIAL_WRONG;
	p11_doctor_step(c, "C_CloseSession");
	(void)c->f->C_CloseSession(session);
	return OC_OK;
}

enum oc_err
p11_probe_trials(struct p11_doctor_child *c, struct oc_error *error)
{
	CK_SESSION_HANDLE session;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK)
		read_list(c);
	for (size_t i = 0; err == OC_OK && i < c->facts->num_trials; i++)
		if (c->facts->trials[i].state == P11_TRIAL_UNTRIED)
			err = try_one(c, &c->facts->trials[i], error);
	return err;
}
