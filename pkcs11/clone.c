/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mechanisms both tokens have is found by trial: lists of mechanisms
 * are wrong too often, and say nothing of what a key allows.
 */
#include "pkcs11/clone.h"

#include <stdio.h>
#include <sys/random.h>

#include "pkcs11/admin_impl.h"
#include "pkcs11/object.h"
#include "pkcs11/recover.h"

#ifndef CKM_AES_KEY_WRAP_KWP
#define CKM_AES_KEY_WRAP_KWP 0x210bUL	/* PKCS#11 3.0 */
#endif

#define WRAPPED_MAX 8192
#define AES_LEN 32

struct move {
	const struct p11_clone *clone;
	struct p11_side from, to;
	struct p11_new_key key;
	CK_OBJECT_HANDLE source;
	CK_OBJECT_HANDLE pair[2];	/* to: public, private */
	CK_OBJECT_HANDLE wrapping;	/* from: the public half */
	CK_OBJECT_HANDLE aes_from, aes_to;
	CK_OBJECT_HANDLE target, target_public;
	struct p11_cloned *out;
};

/* --- the target's key pair -------------------------------------------- */

static CK_RV
generate_pair(struct move *m, CK_ULONG bits)
{
	static const uint8_t f4[] = { 0x01, 0x00, 0x01 };
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	struct p11_template public = { .num = 0 }, private = { .num = 0 };

	p11_template_bool(&public, CKA_TOKEN, false);
	p11_template_bool(&public, CKA_WRAP, true);
	p11_template_bool(&public, CKA_ENCRYPT, false);
	p11_template_number(&public, CKA_MODULUS_BITS, bits);
	p11_template_bytes(&public, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
	p11_template_bool(&private, CKA_TOKEN, false);
	p11_template_bool(&private, CKA_PRIVATE, true);
	p11_template_bool(&private, CKA_SENSITIVE, true);
	p11_template_bool(&private, CKA_EXTRACTABLE, false);
	p11_template_bool(&private, CKA_UNWRAP, true);
	p11_template_bool(&private, CKA_DECRYPT, false);
	p11_template_bool(&private, CKA_SIGN, false);
	return m->to.f->C_GenerateKeyPair(m->to.session, &mechanism,
	    public.attributes, public.num, private.attributes, private.num,
	    &m->pair[0], &m->pair[1]);
}

/* Its public half, in the source. */
static enum oc_err
carry_public(struct move *m, struct oc_error *error)
{
	uint8_t modulus[1024], exponent[64];
	CK_ATTRIBUTE got[] = {
		{ CKA_MODULUS, modulus, sizeof(modulus) },
		{ CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent) },
	};
	struct p11_template t = { .num = 0 };
	CK_RV rv;

	rv = m->to.f->C_GetAttributeValue(m->to.session, m->pair[0], got, 2);
	if (rv != CKR_OK)
		return p11_side_error(error, &m->to, "C_GetAttributeValue",
		    rv);
	p11_template_number(&t, CKA_CLASS, CKO_PUBLIC_KEY);
	p11_template_number(&t, CKA_KEY_TYPE, CKK_RSA);
	p11_template_bool(&t, CKA_TOKEN, false);
	p11_template_bool(&t, CKA_WRAP, true);
	p11_template_bool(&t, CKA_ENCRYPT, false);
	p11_template_bool(&t, CKA_VERIFY, false);
	p11_template_bytes(&t, CKA_MODULUS, modulus, got[0].ulValueLen);
	p11_template_bytes(&t, CKA_PUBLIC_EXPONENT, exponent,
	    got[1].ulValueLen);
	rv = m->from.f->C_CreateObject(m->from.session, t.attributes, t.num,
	    &m->wrapping);
	return rv == CKR_OK ? OC_OK : p11_side_error(error, &m->from,
	    "C_CreateObject of the wrapping key", rv);
}

static enum oc_err
make_pair(struct move *m, struct oc_error *error)
{
	static const CK_ULONG sizes[] = { 4096, 3072, 2048 };
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		rv = generate_pair(m, sizes[i]);
		m->out->transport_bits = (unsigned int)sizes[i];
		if (rv == CKR_OK)
			return carry_public(m, error);
		m->pair[0] = m->pair[1] = CK_INVALID_HANDLE;
	}
	return p11_side_error(error, &m->to, "C_GenerateKeyPair of a key to "
	    "unwrap with", rv);
}

/* --- one wrapping ----------------------------------------------------- */

struct way {
	const char *name;
	CK_MECHANISM mechanism;
};

struct wrapped {
	uint8_t bytes[WRAPPED_MAX];
	CK_ULONG len;
};

/* That a token lacks a mechanism says less than why another failed. */
static void
tell_worst(struct oc_error *error, const struct p11_side *side,
    const char *function, CK_RV rv)
{
	if (rv != CKR_MECHANISM_INVALID || error->code == OC_OK)
		(void)p11_side_error(error, side, function, rv);
}

static bool
wrap_and_unwrap(struct move *m, const struct way *way,
    CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE what, CK_OBJECT_HANDLE by,
    struct p11_template *t, CK_OBJECT_HANDLE *arrived,
    struct oc_error *error)
{
	CK_MECHANISM mechanism = way->mechanism;
	struct wrapped w = { .len = WRAPPED_MAX };
	char text[96];
	CK_RV rv;

	rv = m->from.f->C_WrapKey(m->from.session, &mechanism, with, what,
	    w.bytes, &w.len);
	if (rv != CKR_OK) {
		(void)snprintf(text, sizeof(text), "C_WrapKey by %s",
		    way->name);
		tell_worst(error, &m->from, text, rv);
		return false;
	}
	mechanism = way->mechanism;
	rv = m->to.f->C_UnwrapKey(m->to.session, &mechanism, by, w.bytes,
	    w.len, t->attributes, t->num, arrived);
	if (rv == CKR_OK)
		return true;
	*arrived = CK_INVALID_HANDLE;
	(void)snprintf(text, sizeof(text), "C_UnwrapKey by %s", way->name);
	tell_worst(error, &m->to, text, rv);
	return false;
}

static void
note_way(struct move *m, const char *name)
{
	size_t len = strlen(m->out->mechanisms);

	(void)snprintf(m->out->mechanisms + len,
	    sizeof(m->out->mechanisms) - len, "%s%s", len > 0 ? ", " : "",
	    name);
}

/* The key itself; a token may not take all of the template. */
static bool
move_key(struct move *m, const struct way *way, CK_OBJECT_HANDLE with,
    CK_OBJECT_HANDLE by, struct oc_error *error)
{
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		struct p11_template t = { .num = 0 };

		m->key.is_plain = is_plain != 0;
		p11_template_private(&t, &m->key);
		if (!wrap_and_unwrap(m, way, with, m->source, by, &t,
		    &m->target, error))
			continue;
		note_way(m, way->name);
		return true;
	}
	return false;
}

/* --- with an AES key between ------------------------------------------ */

static enum oc_err
make_aes(struct move *m, struct oc_error *error)
{
	CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
	struct p11_template t = { .num = 0 };
	CK_RV rv;

	p11_template_bool(&t, CKA_TOKEN, false);
	p11_template_bool(&t, CKA_PRIVATE, true);
	p11_template_bool(&t, CKA_SENSITIVE, true);
	p11_template_bool(&t, CKA_EXTRACTABLE, true);
	p11_template_bool(&t, CKA_WRAP, true);
	p11_template_bool(&t, CKA_ENCRYPT, false);
	p11_template_bool(&t, CKA_DECRYPT, false);
	p11_template_number(&t, CKA_VALUE_LEN, AES_LEN);
	rv = m->from.f->C_GenerateKey(m->from.session, &mechanism,
	    t.attributes, t.num, &m->aes_from);
	return rv == CKR_OK ? OC_OK : p11_side_error(error, &m->from,
	    "C_GenerateKey", rv);
}

static bool
move_aes(struct move *m, const struct way *way, struct oc_error *error)
{
	struct p11_template t = { .num = 0 };

	p11_template_number(&t, CKA_CLASS, CKO_SECRET_KEY);
	p11_template_number(&t, CKA_KEY_TYPE, CKK_AES);
	p11_template_bool(&t, CKA_TOKEN, false);
	p11_template_bool(&t, CKA_PRIVATE, true);
	p11_template_bool(&t, CKA_SENSITIVE, true);
	p11_template_bool(&t, CKA_EXTRACTABLE, false);
	p11_template_bool(&t, CKA_UNWRAP, true);
	p11_template_bool(&t, CKA_ENCRYPT, false);
	p11_template_bool(&t, CKA_DECRYPT, false);
	if (!wrap_and_unwrap(m, way, m->wrapping, m->aes_from, m->pair[1],
	    &t, &m->aes_to, error))
		return false;
	note_way(m, way->name);
	return true;
}

static CK_RSA_PKCS_OAEP_PARAMS oaep_sha256 = { CKM_SHA256, CKG_MGF1_SHA256,
    CKZ_DATA_SPECIFIED, NULL, 0 };
static CK_RSA_PKCS_OAEP_PARAMS oaep_sha1 = { CKM_SHA_1, CKG_MGF1_SHA1,
    CKZ_DATA_SPECIFIED, NULL, 0 };

static enum oc_err
move_by_aes(struct move *m, struct oc_error *error)
{
	uint8_t iv[16];
	const struct way aes_ways[] = {
		{ "CKM_RSA_PKCS_OAEP with SHA-256", { CKM_RSA_PKCS_OAEP,
		    &oaep_sha256, sizeof(oaep_sha256) } },
		{ "CKM_RSA_PKCS_OAEP with SHA-1", { CKM_RSA_PKCS_OAEP,
		    &oaep_sha1, sizeof(oaep_sha1) } },
		{ "CKM_RSA_PKCS", { CKM_RSA_PKCS, NULL, 0 } },
	};
	const struct way key_ways[] = {
		{ "CKM_AES_KEY_WRAP_KWP", { CKM_AES_KEY_WRAP_KWP, NULL, 0 } },
		{ "CKM_AES_KEY_WRAP_PAD", { CKM_AES_KEY_WRAP_PAD, NULL, 0 } },
		{ "CKM_AES_CBC_PAD", { CKM_AES_CBC_PAD, iv, sizeof(iv) } },
	};
	enum oc_err err = make_aes(m, error);
	size_t i = 0;

	if (err != OC_OK)
		return err;
	if (getrandom(iv, sizeof(iv), 0) != (ssize_t)sizeof(iv))
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	while (i < sizeof(aes_ways) / sizeof(aes_ways[0]) &&
	    !move_aes(m, &aes_ways[i], error))
		i++;
	if (m->aes_to == CK_INVALID_HANDLE)
		return oc_error_prefix(error, "there is no way for an AES key "
		    "from token %s to token %s", m->from.name, m->to.name);
	*error = (struct oc_error){ 0 };
	for (i = 0; i < sizeof(key_ways) / sizeof(key_ways[0]); i++)
		if (move_key(m, &key_ways[i], m->aes_from, m->aes_to, error))
			return OC_OK;
	return oc_error_prefix(error, "there is no way for the key from "
	    "token %s to token %s", m->from.name, m->to.name);
}

/* --- all of it -------------------------------------------------------- */

#ifndef CKM_RSA_AES_KEY_WRAP
#define CKM_RSA_AES_KEY_WRAP 0x1054UL
#endif

/* PKCS#11 2.40, CK_RSA_AES_KEY_WRAP_PARAMS: p11-kit 0.24 has no such type. */
struct rsa_aes_params {
	CK_ULONG aes_bits;
	CK_RSA_PKCS_OAEP_PARAMS *oaep;
};

/* Tokens that have both in one mechanism often allow nothing else. */
static bool
move_at_once(struct move *m, struct oc_error *error)
{
	struct rsa_aes_params params[] = {
		{ 8 * AES_LEN, &oaep_sha256 }, { 8 * AES_LEN, &oaep_sha1 },
	};
	const struct way ways[] = {
		{ "CKM_RSA_AES_KEY_WRAP with SHA-256", {
		    CKM_RSA_AES_KEY_WRAP, &params[0], sizeof(params[0]) } },
		{ "CKM_RSA_AES_KEY_WRAP with SHA-1", {
		    CKM_RSA_AES_KEY_WRAP, &params[1], sizeof(params[1]) } },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (move_key(m, &ways[i], m->wrapping, m->pair[1], error))
			return true;
	return false;
}

static void
read_text(const struct p11_side *side, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, void *out, size_t max, size_t *len)
{
	CK_ATTRIBUTE a = { type, out, max };

	*len = 0;
	if (side->f->C_GetAttributeValue(side->session, object, &a, 1) ==
	    CKR_OK && a.ulValueLen <= max)
		*len = a.ulValueLen;
}

static CK_KEY_TYPE
type_of(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_RSA:
		return CKK_RSA;
	case SIGN_KEY_ED25519:
		return CKK_EC_EDWARDS;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
	case SIGN_KEY_NONE:
		break;
	}
	return CKK_EC;
}

static enum oc_err
look_at_source(struct move *m, struct oc_error *error)
{
	const struct p11_side *from = &m->from;
	struct p11_uri uri, token;
	enum oc_err err;
	size_t len;

	err = p11_uri_parse_key(m->clone->key, &uri, error);
	if (err == OC_OK)
		err = p11_uri_parse_token(m->clone->from->uri, &token, error);
	if (err == OC_OK && p11_uri_is_other_token(&uri, &token))
		err = oc_error_set(error, OC_ERR_MISMATCH,
		    "the key's URI names another token");
	if (err == OC_OK)
		err = p11_key_find(from->f, from->session, &uri, &m->source,
		    error);
	if (err == OC_OK)
		err = p11_key_read(from->f, from->session, m->source,
		    (struct der_bytes){ NULL, 0 }, &m->out->info, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "token %s", from->name);
	read_text(from, m->source, CKA_LABEL, m->key.label,
	    sizeof(m->key.label) - 1, &len);
	read_text(from, m->source, CKA_ID, m->key.id, sizeof(m->key.id),
	    &m->key.id_len);
	m->key.type = type_of(m->out->info.type);
	m->key.is_extractable = m->clone->is_extractable;
	if (p11_object_flag(from, m->source, CKA_EXTRACTABLE))
		return OC_OK;
	return oc_error_set(error, OC_ERR_REFUSED, "token %s: this key was "
	    "made not to be taken out (CKA_EXTRACTABLE is false), and no "
	    "command can change that.  Its vendor's own backup or cloning may "
	    "carry it, between tokens of the same make and security domain; "
	    "then add the second token's name to token = in the "
	    "configuration.  Or make a new key with \"ocsign key generate "
	    "--extractable\"", from->name);
}

/* From then on it can be taken out of the source no more. */
static enum oc_err
seal_source(struct move *m, struct oc_error *error)
{
	struct p11_template t = { .num = 0 };
	CK_RV rv;

	if (!m->clone->is_sealed)
		return OC_OK;
	p11_template_bool(&t, CKA_EXTRACTABLE, false);
	rv = m->from.f->C_SetAttributeValue(m->from.session, m->source,
	    t.attributes, t.num);
	if (rv == CKR_OK && !p11_object_flag(&m->from, m->source,
	    CKA_EXTRACTABLE))
		return OC_OK;
	(void)p11_side_error(error, &m->from, "C_SetAttributeValue", rv);
	return oc_error_prefix(error, "the key is in token %s and proven, "
	    "but still extractable in the other", m->to.name);
}

static enum oc_err
move(struct move *m, struct oc_error *error)
{
	enum oc_err err;

	err = look_at_source(m, error);
	if (err == OC_OK)
		err = p11_object_is_free(&m->to, &m->key, error);
	if (err == OC_OK)
		err = make_pair(m, error);
	if (err == OC_OK && !move_at_once(m, error)) {
		*error = (struct oc_error){ 0 };
		err = move_by_aes(m, error);
	}
	if (err == OC_OK)
		err = p11_object_put_public(&m->to, &m->key, &m->out->info,
		    &m->target_public, error);
	if (err == OC_OK)
		err = p11_object_prove(&m->to, m->target, &m->out->info,
		    &m->out->target, error);
	if (err != OC_OK) {
		p11_side_destroy(&m->to, &m->target);
		p11_side_destroy(&m->to, &m->target_public);
		return err;
	}
	err = seal_source(m, error);
	m->out->source.is_extractable = p11_object_flag(&m->from, m->source,
	    CKA_EXTRACTABLE);
	return err;
}

/* Session objects go with their sessions, but not all tokens know that. */
static void
clean_up(struct move *m)
{
	if (m->to.module != NULL) {
		p11_side_destroy(&m->to, &m->pair[0]);
		p11_side_destroy(&m->to, &m->pair[1]);
		p11_side_destroy(&m->to, &m->aes_to);
	}
	if (m->from.module != NULL) {
		p11_side_destroy(&m->from, &m->wrapping);
		p11_side_destroy(&m->from, &m->aes_from);
	}
	p11_side_close(&m->to);
	p11_side_close(&m->from);
}

static enum oc_err
run(const void *request, void *out, struct oc_error *error)
{
	struct move m = { .clone = request, .out = out };
	enum oc_err err;

	err = p11_side_open(&m.from, m.clone->from, m.clone->state_dir,
	    error);
	if (err == OC_OK)
		err = p11_side_open(&m.to, m.clone->to, m.clone->state_dir,
		    error);
	if (err == OC_OK)
		err = move(&m, error);
	/* What is there now, for who asks. */
	memcpy(m.out->target.label, m.key.label, sizeof(m.key.label));
	memcpy(m.out->target.id, m.key.id, sizeof(m.key.id));
	m.out->target.id_len = m.key.id_len;
	clean_up(&m);
	return err;
}

enum oc_err
p11_clone(const struct p11_clone *clone, int64_t deadline_ns,
    struct p11_cloned *cloned, struct oc_error *error)
{
	return p11_admin_run(run, clone, clone->to->module, deadline_ns,
	    cloned, sizeof(*cloned), error);
}
