/* SPDX-License-Identifier: Apache-2.0 */
/* The keys there are, how they look, and the temporary ones we make. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pkcs11/doctor_probe.h"
#include "pkcs11/key.h"
#include "pkcs11/recover.h"

/* Beside a call's own time: RSA takes its time in a smart card. */
#define GENERATE_NS (300 * OC_NS_PER_S)

/* False if the object has no such attribute, or an empty or too long one. */
static bool
get_bytes(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type, void *out, size_t max,
    size_t *len)
{
	CK_ATTRIBUTE a = { type, out, max };

	if (c->f->C_GetAttributeValue(session, handle, &a, 1) != CKR_OK ||
	    a.ulValueLen == (CK_ULONG)-1 || a.ulValueLen == 0 ||
	    a.ulValueLen > max)
		return false;
	*len = a.ulValueLen;
	return true;
}

static bool
get_bool(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type, bool *value)
{
	CK_BBOOL octet = CK_FALSE;
	size_t len;

	if (!get_bytes(c, session, handle, type, &octet, sizeof(octet), &len))
		return false;
	*value = octet != CK_FALSE;
	return true;
}

/* All objects that match; returns how many were kept. */
static size_t
find_all(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_ATTRIBUTE *template, CK_ULONG num, CK_OBJECT_HANDLE *handles,
    size_t max)
{
	CK_ULONG got = 1;
	size_t found = 0;

	p11_doctor_step(c, "C_FindObjects");
	if (c->f->C_FindObjectsInit(session, template, num) != CKR_OK)
		return 0;
	while (found < max && got > 0) {
		got = 0;
		if (c->f->C_FindObjects(session, handles + found,
		    max - found, &got) != CKR_OK)
			break;
		found += got;
	}
	(void)c->f->C_FindObjectsFinal(session);
	return found;
}

static size_t
find_class(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_CLASS object_class, CK_OBJECT_HANDLE *handles, size_t max)
{
	CK_ATTRIBUTE template = { CKA_CLASS, &object_class,
	    sizeof(object_class) };

	return find_all(c, session, &template, 1, handles, max);
}

/* Objects of a class with this CKA_ID, up to two. */
static size_t
find_by_id(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_CLASS object_class, const struct p11_key_entry *e,
    CK_OBJECT_HANDLE *handles, size_t max)
{
	CK_ATTRIBUTE template[2] = {
		{ CKA_CLASS, &object_class, sizeof(object_class) },
		{ CKA_ID, (void *)(uintptr_t)e->id, e->id_len },
	};

	return e->id_len == 0 ? 0 : find_all(c, session, template, 2,
	    handles, max);
}

/* CKA_EC_POINT is an OCTET STRING around 04 X Y (or X), or that itself. */
static enum p11_point_form
point_form(const uint8_t *p, size_t len)
{
	bool is_wrapped = len > 2 && p[0] == 0x04 && (p[1] < 0x80 ?
	    (size_t)p[1] + 2 == len : p[1] == 0x81 &&
	    (size_t)p[2] + 3 == len);

	return is_wrapped ? P11_POINT_WRAPPED : P11_POINT_RAW;
}

static enum p11_point_form
read_point(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public)
{
	uint8_t point[256];
	size_t len;

	if (get_bytes(c, session, private, CKA_EC_POINT, point,
	    sizeof(point), &len) ||
	    (public != CK_INVALID_HANDLE && get_bytes(c, session, public,
	    CKA_EC_POINT, point, sizeof(point), &len)))
		return point_form(point, len);
	return P11_POINT_NONE;
}

static void
read_label(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_key_entry *e)
{
	size_t len = 0;

	if (!get_bytes(c, session, handle, CKA_LABEL, e->label,
	    sizeof(e->label) - 1, &len))
		len = 0;
	e->label[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)e->label[i] < 0x20 || e->label[i] == 0x7f)
			e->label[i] = '?';
}

static void
read_key(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_doctor_key *key)
{
	CK_OBJECT_HANDLE public[2] = { CK_INVALID_HANDLE, CK_INVALID_HANDLE };
	struct p11_key_entry *e = &key->entry;
	struct oc_error error = { 0 };
	struct sign_key_info info;
	size_t len, num_public;

	p11_doctor_step(c, "C_GetAttributeValue");
	read_label(c, session, handle, e);
	e->has_private = true;
	if (!get_bytes(c, session, handle, CKA_ID, e->id, sizeof(e->id),
	    &e->id_len))
		e->id_len = 0;
	if (!get_bytes(c, session, handle, CKA_KEY_TYPE, &key->key_type,
	    sizeof(key->key_type), &len))
		key->key_type = (unsigned long)-1;
	num_public = find_by_id(c, session, CKO_PUBLIC_KEY, e, public, 2);
	e->has_public = num_public > 0;
	key->point = key->key_type == CKK_RSA ? P11_POINT_NONE :
	    read_point(c, session, handle, public[0]);
	key->is_always_authenticate_error = !get_bool(c, session, handle,
	    CKA_ALWAYS_AUTHENTICATE, &key->is_always_authenticate);
	if (!get_bool(c, session, handle, CKA_EXTRACTABLE,
	    &e->is_extractable))
		e->is_extractable = false;
	key->is_temporary = strncmp(e->label, P11_DOCTOR_LABEL,
	    sizeof(P11_DOCTOR_LABEL) - 1) == 0;
	key->is_usable = p11_doctor_spki(c, session, handle, &info, &error) ==
	    OC_OK;
	if (key->is_usable) {
		e->type = info.type;
		e->bits = info.bits;
	}
	/* Our signatures would all be refused, and might cost a PIN's try. */
	if (key->is_usable && key->is_always_authenticate) {
		key->is_usable = false;
		(void)oc_error_set(&error, OC_ERR_UNSUPPORTED, "it wants its "
		    "PIN for each signature");
	}
	(void)snprintf(key->reason, sizeof(key->reason), "%.127s",
	    error.text);
}

static bool
is_same_id(const struct p11_key_entry *a, const struct p11_key_entry *b)
{
	return a->id_len > 0 && a->id_len == b->id_len &&
	    memcmp(a->id, b->id, a->id_len) == 0;
}

static void
count_same_ids(struct p11_doctor_facts *facts)
{
	for (size_t i = 0; i < facts->num_keys; i++)
		for (size_t n = 0; n < facts->num_keys; n++)
			facts->keys[i].num_same_id += n != i && is_same_id(
			    &facts->keys[i].entry, &facts->keys[n].entry);
}

static size_t
count_public_only(struct p11_doctor_child *c, CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE public[P11_DOCTOR_KEYS_MAX], private;
	struct p11_key_entry e;
	size_t num, alone = 0;

	num = find_class(c, session, CKO_PUBLIC_KEY, public,
	    P11_DOCTOR_KEYS_MAX);
	for (size_t i = 0; i < num; i++) {
		memset(&e, 0, sizeof(e));
		if (!get_bytes(c, session, public[i], CKA_ID, e.id,
		    sizeof(e.id), &e.id_len))
			e.id_len = 0;
		if (find_by_id(c, session, CKO_PRIVATE_KEY, &e, &private,
		    1) == 0)
			alone++;
	}
	return alone;
}

enum oc_err
p11_probe_keys(struct p11_doctor_child *c, struct oc_error *error)
{
	CK_OBJECT_HANDLE handles[P11_DOCTOR_KEYS_MAX + 1];
	struct p11_doctor_facts *facts = c->facts;
	CK_SESSION_HANDLE session;
	enum oc_err err = p11_doctor_start(c, &session, error);
	size_t num;

	if (err != OC_OK)
		return err;
	num = find_class(c, session, CKO_PRIVATE_KEY, handles,
	    P11_DOCTOR_KEYS_MAX + 1);
	facts->has_more_keys = num > P11_DOCTOR_KEYS_MAX;
	for (size_t i = 0; i < num && i < P11_DOCTOR_KEYS_MAX; i++) {
		read_key(c, session, handles[i], &facts->keys[i]);
		facts->num_keys = i + 1;
	}
	count_same_ids(facts);
	facts->num_public_only = count_public_only(c, session);
	return OC_OK;
}

enum oc_err
p11_doctor_find_key(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    size_t key, CK_OBJECT_HANDLE *handle, struct oc_error *error)
{
	const struct p11_key_entry *e = &c->facts->keys[key].entry;
	struct p11_uri uri = { .type = P11_URI_PRIVATE };

	p11_doctor_step(c, "C_FindObjects");
	(void)snprintf(uri.object, sizeof(uri.object), "%s", e->label);
	memcpy(uri.id, e->id, e->id_len);
	uri.id_len = e->id_len;
	return p11_key_find(c->f, session, &uri, handle, error);
}

/* --- temporary keys --------------------------------------------------- */

static const char *
type_word(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_RSA:
		return "rsa2048";
	case SIGN_KEY_P256:
		return "p256";
	case SIGN_KEY_P384:
		return "p384";
	case SIGN_KEY_P521:
		return "p521";
	case SIGN_KEY_ED25519:
		return "ed25519";
	case SIGN_KEY_NONE:
		break;
	}
	return "none";
}

/* As "ocsign key generate" makes one. */
enum oc_err
p11_probe_make_key(struct p11_doctor_child *c, struct oc_error *error)
{
	struct oc_error why = { 0 };
	CK_SESSION_HANDLE session;
	int64_t begun_ns;
	char label[64];
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err != OC_OK)
		return err;
	(void)snprintf(label, sizeof(label), "%s%s", P11_DOCTOR_LABEL,
	    type_word(c->make));
	p11_doctor_long_step(c, GENERATE_NS, "C_GenerateKeyPair, %s",
	    type_word(c->make));
	begun_ns = oc_clock_mono_ns();
	err = p11_key_generate(c->f, session, label, c->make,
	    c->make == SIGN_KEY_RSA ? 2048 : 0, &why);
	c->facts->made[c->make].took_ms =
	    p11_doctor_us_since(begun_ns) / 1000;
	c->facts->made[c->make].is_made = err == OC_OK;
	(void)snprintf(c->facts->made[c->make].reason,
	    sizeof(c->facts->made[c->make].reason), "%.127s", why.text);
	/* That a token has no such keys is what it is. */
	return OC_OK;
}

/* Whatever has our label, also what one that was killed has left. */
enum oc_err
p11_probe_sweep(struct p11_doctor_child *c, struct oc_error *error)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
	    CKO_PUBLIC_KEY };
	CK_OBJECT_HANDLE handles[64];
	struct p11_key_entry e;
	CK_SESSION_HANDLE session;
	CK_RV rv, failed = CKR_OK;
	enum oc_err err = p11_doctor_start(c, &session, error);
	size_t num;

	if (err != OC_OK)
		return err;
	for (size_t k = 0; k < 2; k++) {
		num = find_class(c, session, classes[k], handles, 64);
		for (size_t i = 0; i < num; i++) {
			read_label(c, session, handles[i], &e);
			if (strncmp(e.label, P11_DOCTOR_LABEL,
			    sizeof(P11_DOCTOR_LABEL) - 1) != 0)
				continue;
			p11_doctor_step(c, "C_DestroyObject");
			rv = c->f->C_DestroyObject(session, handles[i]);
			if (rv != CKR_OK)
				failed = rv;
			else if (k == 0)
				c->facts->num_swept++;
		}
	}
	return failed == CKR_OK ? OC_OK : p11_error(error, "C_DestroyObject",
	    failed);
}
