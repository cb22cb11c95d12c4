/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/object.h"

#include <stdio.h>
#include <sys/random.h>

#include "der/reader.h"
#include "der/writer.h"
#include "pkcs11/admin_impl.h"
#include "pkcs11/mechanism.h"
#include "pkcs11/recover.h"
#include "pkcs11/session.h"
#include "sign/verify.h"

void
p11_template_bytes(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
    const void *value, size_t len)
{
	oc_assert(t->num < P11_ATTRIBUTES_MAX);
	t->attributes[t->num++] = (CK_ATTRIBUTE){ type,
	    (void *)(uintptr_t)value, len };
}

void
p11_template_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
    CK_ULONG value)
{
	oc_assert(t->num < P11_ATTRIBUTES_MAX);
	t->numbers[t->num] = value;
	p11_template_bytes(t, type, &t->numbers[t->num],
	    sizeof(t->numbers[0]));
}

void
p11_template_bool(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool value)
{
	oc_assert(t->num < P11_ATTRIBUTES_MAX);
	t->bools[t->num] = value ? CK_TRUE : CK_FALSE;
	p11_template_bytes(t, type, &t->bools[t->num], sizeof(t->bools[0]));
}

enum oc_err
p11_side_open(struct p11_side *side, const struct p11_token_config *token,
    const char *state_dir, struct oc_error *error)
{
	struct p11_module *module;
	enum oc_err err;

	side->name = token->name;
	err = p11_admin_open(token, state_dir, &module, &side->session,
	    error);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", token->name);
	side->module = module;
	side->f = module->f;
	return OC_OK;
}

void
p11_side_close(struct p11_side *side)
{
	if (side->module == NULL)
		return;
	(void)side->f->C_CloseSession(side->session);
	p11_module_close(side->module);
	side->module = NULL;
}

void
p11_side_destroy(struct p11_side *side, CK_OBJECT_HANDLE *object)
{
	if (*object != CK_INVALID_HANDLE)
		(void)side->f->C_DestroyObject(side->session, *object);
	*object = CK_INVALID_HANDLE;
}

enum oc_err
p11_side_error(struct oc_error *error, const struct p11_side *side,
    const char *function, CK_RV rv)
{
	(void)p11_error(error, function, rv);
	return oc_error_prefix(error, "token %s", side->name);
}

void
p11_template_private(struct p11_template *t, const struct p11_new_key *k)
{
	p11_template_number(t, CKA_CLASS, CKO_PRIVATE_KEY);
	p11_template_number(t, CKA_KEY_TYPE, k->type);
	p11_template_bool(t, CKA_TOKEN, true);
	p11_template_bool(t, CKA_PRIVATE, true);
	p11_template_bool(t, CKA_SENSITIVE, true);
	p11_template_bool(t, CKA_EXTRACTABLE, k->is_extractable);
	p11_template_bool(t, CKA_SIGN, true);
	p11_template_bytes(t, CKA_LABEL, k->label, strlen(k->label));
	if (k->id_len > 0)
		p11_template_bytes(t, CKA_ID, k->id, k->id_len);
	if (k->is_plain)
		return;
	if (k->type == CKK_RSA) {
		p11_template_bool(t, CKA_DECRYPT, false);
		p11_template_bool(t, CKA_UNWRAP, false);
	} else
		p11_template_bool(t, CKA_DERIVE, false);
}

/* NOT_FOUND is what is hoped for. */
static enum oc_err
check_one(const struct p11_side *side, const struct p11_uri *uri,
    const char *what, struct oc_error *error)
{
	CK_OBJECT_HANDLE handle;
	enum oc_err err;

	err = p11_key_find(side->f, side->session, uri, &handle, error);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK || err == OC_ERR_MISMATCH)
		return oc_error_set(error, OC_ERR_EXISTS, "token %s has a "
		    "private key of this %s already", side->name, what);
	return oc_error_prefix(error, "token %s", side->name);
}

enum oc_err
p11_object_is_free(const struct p11_side *side, const struct p11_new_key *key,
    struct oc_error *error)
{
	struct p11_uri by_label = { .type = P11_URI_PRIVATE };
	struct p11_uri by_id = { .type = P11_URI_PRIVATE };
	enum oc_err err;

	memcpy(by_label.object, key->label, sizeof(by_label.object));
	err = check_one(side, &by_label, "label", error);
	if (err == OC_OK && key->id_len > 0) {
		memcpy(by_id.id, key->id, key->id_len);
		by_id.id_len = key->id_len;
		err = check_one(side, &by_id, "CKA_ID", error);
	}
	if (err == OC_OK && error != NULL)
		*error = (struct oc_error){ 0 };
	return err;
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         SEQUENCE { OID, parameters ANY OPTIONAL },
 *     subjectPublicKey  BIT STRING }
 */
struct spki_view {
	struct der_bytes oid_tlv, params_tlv, key;
};

static bool
read_spki(const struct sign_key_info *info, struct spki_view *v)
{
	struct der_reader r = der_reader_of((struct der_bytes){ info->spki,
	    info->spki_len }), spki, alg;
	struct der_bytes bits;

	der_enter(&r, DER_SEQUENCE, &spki);
	der_enter(&spki, DER_SEQUENCE, &alg);
	if (!der_get_tlv(&alg, DER_OID, &v->oid_tlv))
		return false;
	v->params_tlv = v->oid_tlv;	/* Ed25519 has none */
	if (!der_at_end(&alg) && der_next_is(&alg, DER_OID) &&
	    !der_get_tlv(&alg, DER_OID, &v->params_tlv))
		return false;
	if (!der_get(&spki, DER_BIT_STRING, &bits) || bits.len < 2 ||
	    bits.p[0] != 0)
		return false;
	v->key = (struct der_bytes){ bits.p + 1, bits.len - 1 };
	return true;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER } */
static bool
put_rsa(struct p11_template *t, struct der_bytes key)
{
	struct der_reader r = der_reader_of(key), seq;
	struct der_bytes n, e;

	der_enter(&r, DER_SEQUENCE, &seq);
	if (!der_get_integer(&seq, &n) || !der_get_integer(&seq, &e) ||
	    n.len < 2 || e.len < 1)
		return false;
	if (n.p[0] == 0)
		n = (struct der_bytes){ n.p + 1, n.len - 1 };
	p11_template_bytes(t, CKA_MODULUS, n.p, n.len);
	p11_template_bytes(t, CKA_PUBLIC_EXPONENT, e.p, e.len);
	return true;
}

static void
put_octets(struct der_writer *w, const void *arg)
{
	const struct der_bytes *b = arg;

	der_put_octets(w, *b);
}

/* PKCS#11 3.0 has the OID; SoftHSM and others only the name. */
static const uint8_t edwards[] = { 0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd',
    's', '2', '5', '5', '1', '9' };

enum oc_err
p11_object_put_public(const struct p11_side *side,
    const struct p11_new_key *key, const struct sign_key_info *info,
    CK_OBJECT_HANDLE *object, struct oc_error *error)
{
	bool is_ok, is_edwards = info->type == SIGN_KEY_ED25519;
	struct p11_template t = { .num = 0 };
	CK_ATTRIBUTE *params = NULL;
	struct spki_view v;
	uint8_t point[256];
	size_t len;
	CK_RV rv;

	p11_template_number(&t, CKA_CLASS, CKO_PUBLIC_KEY);
	p11_template_number(&t, CKA_KEY_TYPE, key->type);
	p11_template_bool(&t, CKA_TOKEN, true);
	p11_template_bool(&t, CKA_VERIFY, true);
	p11_template_bytes(&t, CKA_LABEL, key->label, strlen(key->label));
	if (key->id_len > 0)
		p11_template_bytes(&t, CKA_ID, key->id, key->id_len);
	is_ok = read_spki(info, &v);
	if (is_ok && key->type == CKK_RSA)
		is_ok = put_rsa(&t, v.key);
	else if (is_ok) {
		is_ok = der_write(put_octets, &v.key, point, sizeof(point),
		    &len) == OC_OK;
		params = &t.attributes[t.num];
		p11_template_bytes(&t, CKA_EC_PARAMS, is_edwards ? edwards :
		    v.params_tlv.p, is_edwards ? sizeof(edwards) :
		    v.params_tlv.len);
		p11_template_bytes(&t, CKA_EC_POINT, point, is_ok ? len : 0);
	}
	if (!is_ok)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the public key cannot be read");
	rv = side->f->C_CreateObject(side->session, t.attributes, t.num,
	    object);
	if (rv != CKR_OK && is_edwards) {
		*params = (CK_ATTRIBUTE){ CKA_EC_PARAMS,
		    (void *)(uintptr_t)v.oid_tlv.p, v.oid_tlv.len };
		rv = side->f->C_CreateObject(side->session, t.attributes,
		    t.num, object);
	}
	return rv == CKR_OK ? OC_OK : p11_side_error(error, side,
	    "C_CreateObject of the public key", rv);
}

bool
p11_object_flag(const struct p11_side *side, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE a = { type, &value, sizeof(value) };

	return side->f->C_GetAttributeValue(side->session, object, &a, 1) ==
	    CKR_OK && value != CK_FALSE;
}

/* Starts with a letter, so it can be no TBS of any kind. */
struct proof {
	char text[16];
	uint8_t nonce[32];
};

static enum oc_err
check_signature(const struct p11_side *side, CK_OBJECT_HANDLE private,
    const struct sign_key_info *info, struct oc_error *error)
{
	struct proof proof = { "ocsign canary:\n", { 0 } };
	struct der_bytes tbs = { (const uint8_t *)&proof, sizeof(proof) };
	uint8_t signature[OC_SIGNATURE_MAX];
	struct sign_verifier *verifier;
	const char *function;
	struct p11_input in;
	size_t len = 0;
	enum oc_err err;
	CK_RV rv;

	if (getrandom(proof.nonce, sizeof(proof.nonce), 0) < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	err = p11_input_init(&in, info->alg, info->type, tbs);
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", oc_strerror(err));
	rv = p11_session_sign(side->f, side->session, private, &in,
	    signature, sizeof(signature), &len, &function);
	p11_input_fini(&in);
	if (rv != CKR_OK)
		return p11_side_error(error, side, function, rv);
	err = sign_verifier_new((struct der_bytes){ info->spki,
	    info->spki_len }, &verifier);
	if (err != OC_OK)
		return oc_error_set(error, err, "the public key is unusable");
	err = p11_signature_finish(info->alg, info->type, info->bits,
	    signature, sizeof(signature), &len);
	if (err == OC_OK)
		err = sign_verify(verifier, info->alg, tbs,
		    (struct der_bytes){ signature, len });
	sign_verifier_free(verifier);
	if (err != OC_OK)
		return oc_error_set(error, OC_ERR_SIGNATURE, "token %s: its "
		    "signature does not verify with the key's public half",
		    side->name);
	return OC_OK;
}

enum oc_err
p11_object_prove(const struct p11_side *side, CK_OBJECT_HANDLE private,
    const struct sign_key_info *info, struct p11_key_entry *entry,
    struct oc_error *error)
{
	struct der_bytes expected = { info->spki, info->spki_len };
	struct sign_key_info found;
	enum oc_err err;

	err = p11_key_read(side->f, side->session, private, expected, &found,
	    error);
	if (err == OC_ERR_MISMATCH)
		return oc_error_set(error, err, "token %s: what is there now "
		    "is another key", side->name);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", side->name);
	err = check_signature(side, private, info, error);
	if (err != OC_OK)
		return err;
	entry->type = info->type;
	entry->bits = info->bits;
	entry->has_private = entry->has_public = true;
	entry->is_extractable = p11_object_flag(side, private,
	    CKA_EXTRACTABLE);
	entry->was_always_sensitive = p11_object_flag(side, private,
	    CKA_ALWAYS_SENSITIVE);
	entry->was_never_extractable = p11_object_flag(side, private,
	    CKA_NEVER_EXTRACTABLE);
	entry->is_local = p11_object_flag(side, private, CKA_LOCAL);
	if (p11_object_flag(side, private, CKA_SENSITIVE))
		return OC_OK;
	return oc_error_set(error, OC_ERR_TOKEN, "token %s made a key that "
	    "can be read out of it; it was destroyed", side->name);
}
