/* SPDX-License-Identifier: Apache-2.0 */
/* Finding keys and reading their public halves. */
#include <stdlib.h>

#include "der/reader.h"
#include "der/writer.h"
#include "pkcs11/key.h"
#include "pkcs11/recover.h"
#include "x509/cert.h"

enum oc_err
p11_error(struct oc_error *error, const char *function, CK_RV rv)
{
	char text[P11_CKR_TEXT_MAX];
	bool is_pin = p11_classify(P11_CALL_LOGIN, rv) == P11_CLASS_PIN;

	return oc_error_set(error, is_pin ? OC_ERR_PIN : OC_ERR_TOKEN,
	    "%s: %s", function, p11_ckr_text(rv, text));
}

/* Longer ones are not in tokens. */
#define P11_CERTIFICATE_MAX 8192

/* More matches than this need not be told apart. */
#define MATCHES_MAX 2

/* Up to MATCHES_MAX objects that match the template. */
static enum oc_err
find_objects(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_ATTRIBUTE *template, CK_ULONG num, CK_OBJECT_HANDLE *handles,
    CK_ULONG *num_found, struct oc_error *error)
{
	CK_RV rv, final;

	rv = f->C_FindObjectsInit(session, template, num);
	if (rv != CKR_OK)
		return p11_error(error, "C_FindObjectsInit", rv);
	*num_found = 0;
	rv = f->C_FindObjects(session, handles, MATCHES_MAX, num_found);
	final = f->C_FindObjectsFinal(session);
	if (rv != CKR_OK)
		return p11_error(error, "C_FindObjects", rv);
	if (final != CKR_OK)
		return p11_error(error, "C_FindObjectsFinal", final);
	return OC_OK;
}

/* class, and what of label and id is given. */
static CK_ULONG
make_template(CK_OBJECT_CLASS *object_class, struct der_bytes label,
    struct der_bytes id, CK_ATTRIBUTE template[3])
{
	CK_ULONG num = 0;

	template[num++] = (CK_ATTRIBUTE){ CKA_CLASS, object_class,
	    sizeof(*object_class) };
	if (label.len > 0)
		template[num++] = (CK_ATTRIBUTE){ CKA_LABEL,
		    (void *)(uintptr_t)label.p, label.len };
	if (id.len > 0)
		template[num++] = (CK_ATTRIBUTE){ CKA_ID,
		    (void *)(uintptr_t)id.p, id.len };
	return num;
}

enum oc_err
p11_key_find(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct p11_uri *uri, CK_OBJECT_HANDLE *handle,
    struct oc_error *error)
{
	CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
	CK_OBJECT_HANDLE found[MATCHES_MAX];
	CK_ATTRIBUTE template[3];
	CK_ULONG num, num_found;
	enum oc_err err;

	num = make_template(&object_class, (struct der_bytes){
	    (const uint8_t *)uri->object, strlen(uri->object) },
	    (struct der_bytes){ uri->id, uri->id_len }, template);
	err = find_objects(f, session, template, num, found, &num_found,
	    error);
	if (err != OC_OK)
		return err;
	if (num_found == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "the token has no private key of this label or id");
	if (num_found > 1)
		return oc_error_set(error, OC_ERR_MISMATCH, "the token has "
		    "several private keys of this label or id: name one by "
		    "both");
	*handle = found[0];
	return OC_OK;
}

/* False if the object has no such attribute, or an empty or too long one. */
static bool
get_bytes(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type, uint8_t *out, size_t max,
    size_t *len)
{
	CK_ATTRIBUTE a = { type, out, max };

	if (f->C_GetAttributeValue(session, handle, &a, 1) != CKR_OK ||
	    a.ulValueLen == (CK_ULONG)-1 || a.ulValueLen == 0 ||
	    a.ulValueLen > max)
		return false;
	*len = a.ulValueLen;
	return true;
}

static bool
get_ulong(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type, CK_ULONG *value)
{
	CK_ATTRIBUTE a = { type, value, sizeof(*value) };

	return f->C_GetAttributeValue(session, handle, &a, 1) == CKR_OK &&
	    a.ulValueLen == sizeof(*value);
}

/* False where the token does not say. */
static bool
get_bool(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE a = { type, &value, sizeof(value) };

	return f->C_GetAttributeValue(session, handle, &a, 1) == CKR_OK &&
	    a.ulValueLen == sizeof(value) && value != CK_FALSE;
}

/* The other half: same CKA_ID, and of several the one of the same label. */
static bool
find_public(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE private, CK_OBJECT_CLASS object_class,
    CK_OBJECT_HANDLE *public)
{
	uint8_t id[P11_ID_MAX], label[P11_OBJECT_LABEL_MAX];
	struct der_bytes by_id = { id, 0 }, by_label = { label, 0 };
	CK_OBJECT_HANDLE found[MATCHES_MAX];
	CK_ATTRIBUTE template[3];
	CK_ULONG num, num_found;

	if (!get_bytes(f, session, private, CKA_ID, id, sizeof(id),
	    &by_id.len))
		by_id.len = 0;
	if (!get_bytes(f, session, private, CKA_LABEL, label, sizeof(label),
	    &by_label.len))
		by_label.len = 0;
	if (by_id.len == 0 && by_label.len == 0)
		return false;
	num = make_template(&object_class, by_id.len > 0 ?
	    (struct der_bytes){ NULL, 0 } : by_label, by_id, template);
	if (find_objects(f, session, template, num, found, &num_found,
	    NULL) != OC_OK)
		return false;
	if (num_found > 1 && by_id.len > 0 && by_label.len > 0) {
		num = make_template(&object_class, by_label, by_id, template);
		if (find_objects(f, session, template, num, found,
		    &num_found, NULL) != OC_OK)
			return false;
	}
	if (num_found != 1)
		return false;
	*public = found[0];
	return true;
}

/* What a SubjectPublicKeyInfo is made of. */
struct spki_parts {
	enum sign_key_type type;
	struct der_bytes modulus, exponent;	/* RSA: magnitudes */
	struct der_bytes point;			/* EC, Ed25519 */
};

/*
 * RSAPublicKey ::= SEQUENCE {
 *     modulus         INTEGER,
 *     publicExponent  INTEGER }
 */
static void
put_rsa_key(struct der_writer *w, const void *arg)
{
	const struct spki_parts *parts = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_magnitude(w, parts->modulus);
	der_put_magnitude(w, parts->exponent);
	der_end(w);
}

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         AlgorithmIdentifier,
 *     subjectPublicKey  BIT STRING }
 */
static void
put_spki(struct der_writer *w, const void *arg)
{
	const struct spki_parts *parts = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	switch (parts->type) {
	case SIGN_KEY_RSA:
		der_put_oid(w, DER_OID_RSA_ENCRYPTION);
		der_put_null(w);
		break;
	case SIGN_KEY_P256:
		der_put_oid(w, DER_OID_EC_PUBLIC_KEY);
		der_put_oid(w, DER_OID_P256);
		break;
	case SIGN_KEY_P384:
		der_put_oid(w, DER_OID_EC_PUBLIC_KEY);
		der_put_oid(w, DER_OID_P384);
		break;
	case SIGN_KEY_P521:
		der_put_oid(w, DER_OID_EC_PUBLIC_KEY);
		der_put_oid(w, DER_OID_P521);
		break;
	case SIGN_KEY_ED25519:
		der_put_oid(w, DER_OID_ED25519);
		break;
	case SIGN_KEY_NONE:
		der_fail(w, OC_ERR_UNSUPPORTED);
		break;
	}
	der_end(w);
	der_put_bits(w, parts->point);
	der_end(w);
}

/* The curve of CKA_EC_PARAMS: an OID, or, for Edwards curves in some tokens,
 * a PrintableString. */
static enum sign_key_type
curve_of(struct der_bytes params)
{
	struct der_reader r = der_reader_of(params);
	struct der_bytes oid;

	if (der_next_is(&r, DER_PRINTABLE_STRING) &&
	    der_get(&r, DER_PRINTABLE_STRING, &oid))
		return der_bytes_equal(oid, DER_LITERAL("edwards25519")) ?
		    SIGN_KEY_ED25519 : SIGN_KEY_NONE;
	if (!der_get_oid(&r, &oid))
		return SIGN_KEY_NONE;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_P256)))
		return SIGN_KEY_P256;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_P384)))
		return SIGN_KEY_P384;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_P521)))
		return SIGN_KEY_P521;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_ED25519)))
		return SIGN_KEY_ED25519;
	return SIGN_KEY_NONE;
}

/* PKCS#11 wants an OCTET STRING around the point; some tokens have none, some
 * a BIT STRING. */
static struct der_bytes
unwrap_point(struct der_bytes value, enum sign_key_type type)
{
	struct der_reader r = der_reader_of(value);
	struct der_bytes inner;
	size_t wanted = 0;

	if (type == SIGN_KEY_P256)
		wanted = 65;
	else if (type == SIGN_KEY_P384)
		wanted = 97;
	else if (type == SIGN_KEY_P521)
		wanted = 133;
	else if (type == SIGN_KEY_ED25519)
		wanted = 32;
	if (value.len == wanted)
		return value;
	if (der_read_whole(value, DER_OCTET_STRING, &inner))
		return inner;
	return der_get_bits(&r, &inner) && der_is_done(&r) ? inner : value;
}

struct attributes {
	uint8_t a[OC_SPKI_MAX], b[OC_SPKI_MAX];
	size_t a_len, b_len;
};

/* Two attributes from the private key or else from the public one. */
static bool
get_pair(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const CK_OBJECT_HANDLE handles[2], size_t num_handles,
    CK_ATTRIBUTE_TYPE a, CK_ATTRIBUTE_TYPE b, struct attributes *out)
{
	bool has_a = false, has_b = false;

	for (size_t i = 0; i < num_handles; i++) {
		has_a = has_a || get_bytes(f, session, handles[i], a, out->a,
		    sizeof(out->a), &out->a_len);
		has_b = has_b || get_bytes(f, session, handles[i], b, out->b,
		    sizeof(out->b), &out->b_len);
	}
	return has_a && has_b;
}

/* True if the token told us all of the public key. */
static bool
read_spki(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const CK_OBJECT_HANDLE handles[2], size_t num_handles, CK_KEY_TYPE type,
    struct sign_key_info *info)
{
	struct attributes attributes;
	struct spki_parts parts = { .type = SIGN_KEY_NONE };
	uint8_t rsa[OC_SPKI_MAX];
	size_t len;

	if (type == CKK_RSA) {
		if (!get_pair(f, session, handles, num_handles, CKA_MODULUS,
		    CKA_PUBLIC_EXPONENT, &attributes))
			return false;
		parts.type = SIGN_KEY_RSA;
		parts.modulus = (struct der_bytes){ attributes.a,
		    attributes.a_len };
		parts.exponent = (struct der_bytes){ attributes.b,
		    attributes.b_len };
		if (der_write(put_rsa_key, &parts, rsa, sizeof(rsa),
		    &len) != OC_OK)
			return false;
		parts.point = (struct der_bytes){ rsa, len };
	} else {
		if (!get_pair(f, session, handles, num_handles, CKA_EC_PARAMS,
		    CKA_EC_POINT, &attributes))
			return false;
		parts.type = curve_of((struct der_bytes){ attributes.a,
		    attributes.a_len });
		parts.point = unwrap_point((struct der_bytes){ attributes.b,
		    attributes.b_len }, parts.type);
	}
	return der_write(put_spki, &parts, info->spki, sizeof(info->spki),
	    &info->spki_len) == OC_OK;
}

#ifndef CKA_PUBLIC_KEY_INFO
#define CKA_PUBLIC_KEY_INFO 0x129UL	/* PKCS#11 2.40 */
#endif

bool
p11_key_wants_login(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle)
{
	return get_bool(f, session, handle, CKA_ALWAYS_AUTHENTICATE);
}

/* Where the token tells nothing of the public key: what it must be, or what a
 * certificate of the same CKA_ID says.  Smart cards have these. */
static enum oc_err
take_elsewhere(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct der_bytes expected,
    struct sign_key_info *info, struct oc_error *error)
{
	uint8_t der[P11_CERTIFICATE_MAX];
	CK_OBJECT_HANDLE object;
	struct x509_cert cert;
	size_t len;

	if (expected.len == 0 && find_public(f, session, handle,
	    CKO_CERTIFICATE, &object) && get_bytes(f, session, object,
	    CKA_VALUE, der, sizeof(der), &len) && x509_cert_read(
	    (struct der_bytes){ der, len }, &cert, NULL) == OC_OK)
		expected = cert.spki;
	if (expected.len == 0 || expected.len > sizeof(info->spki))
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "the token has no public key to this private key, nor a "
		    "certificate");
	memcpy(info->spki, expected.p, expected.len);
	info->spki_len = expected.len;
	return OC_OK;
}

enum oc_err
p11_key_read(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct der_bytes expected,
    struct sign_key_info *info, struct oc_error *error)
{
	CK_OBJECT_HANDLE handles[2] = { handle, CK_INVALID_HANDLE };
	struct sign_key_info found = { .type = SIGN_KEY_NONE };
	struct der_bytes spki;
	size_t num_handles = 1;
	CK_ULONG type;
	enum oc_err err;

	if (!get_ulong(f, session, handle, CKA_KEY_TYPE, &type))
		return oc_error_set(error, OC_ERR_TOKEN,
		    "the token does not tell the key's type");
	if (type != CKK_RSA && type != CKK_EC && type != CKK_EC_EDWARDS)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "key type 0x%lx: only RSA, EC and Ed25519 are done here",
		    (unsigned long)type);
	if (find_public(f, session, handle, CKO_PUBLIC_KEY, &handles[1]))
		num_handles = 2;
	if (!read_spki(f, session, handles, num_handles, type, &found) &&
	    !get_bytes(f, session, handle, CKA_PUBLIC_KEY_INFO, found.spki,
	    sizeof(found.spki), &found.spki_len)) {
		err = take_elsewhere(f, session, handle, expected, &found,
		    error);
		if (err != OC_OK)
			return err;
	}
	spki = (struct der_bytes){ found.spki, found.spki_len };
	if (expected.len > 0 && !der_bytes_equal(spki, expected))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the token's key is not the one in the certificate");
	err = sign_spki_type(spki, &found.type, &found.bits);
	if (err != OC_OK)
		return oc_error_set(error, err,
		    "the token's public key is none we know");
	found.alg = sign_alg_default(found.type);
	*info = found;
	return OC_OK;
}

/* Listing: every object of a class, its handle only. */
static enum oc_err
collect(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_CLASS object_class, CK_OBJECT_HANDLE *handles, size_t max,
    size_t *num, struct oc_error *error)
{
	CK_ATTRIBUTE template = { CKA_CLASS, &object_class,
	    sizeof(object_class) };
	CK_ULONG got;
	CK_RV rv;

	rv = f->C_FindObjectsInit(session, &template, 1);
	if (rv != CKR_OK)
		return p11_error(error, "C_FindObjectsInit", rv);
	for (*num = 0; *num < max; *num += got) {
		got = 0;
		rv = f->C_FindObjects(session, handles + *num, max - *num,
		    &got);
		if (rv != CKR_OK || got == 0)
			break;
	}
	(void)f->C_FindObjectsFinal(session);
	if (rv != CKR_OK)
		return p11_error(error, "C_FindObjects", rv);
	if (*num == max)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "the token has more than %zu keys", max - 1);
	return OC_OK;
}

static void
read_entry(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_key_entry *e)
{
	struct sign_key_info info;
	size_t len;

	if (get_bytes(f, session, handle, CKA_LABEL, (uint8_t *)e->label,
	    sizeof(e->label) - 1, &len))
		for (size_t i = 0; i < len; i++)
			if ((uint8_t)e->label[i] < 0x20 ||
			    e->label[i] == 0x7f)
				e->label[i] = '?';
	if (!get_bytes(f, session, handle, CKA_ID, e->id, sizeof(e->id),
	    &e->id_len))
		e->id_len = 0;
	if (p11_key_read(f, session, handle, (struct der_bytes){ NULL, 0 },
	    &info, NULL) == OC_OK) {
		e->type = info.type;
		e->bits = info.bits;
	}
}

/* What the token says has become of a private key so far. */
static void
read_history(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, struct p11_key_entry *e)
{
	if (!e->has_private)
		return;
	e->was_always_sensitive = get_bool(f, session, handle,
	    CKA_ALWAYS_SENSITIVE);
	e->was_never_extractable = get_bool(f, session, handle,
	    CKA_NEVER_EXTRACTABLE);
	e->is_local = get_bool(f, session, handle, CKA_LOCAL);
}

static bool
has_other_half(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS object_class)
{
	CK_OBJECT_HANDLE other;

	return find_public(f, session, handle, object_class, &other);
}

#define LIST_MAX 1024

enum oc_err
p11_key_list(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    struct p11_key_entry *entries, size_t max, size_t *num,
    struct oc_error *error)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
	    CKO_PUBLIC_KEY };
	CK_OBJECT_HANDLE *handles;
	size_t num_handles = 0, n = 0;
	enum oc_err err = OC_OK;

	handles = calloc(LIST_MAX + 1, sizeof(*handles));
	if (handles == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t c = 0; c < 2 && err == OC_OK; c++) {
		bool is_private = classes[c] == CKO_PRIVATE_KEY;

		err = collect(f, session, classes[c], handles, LIST_MAX + 1,
		    &num_handles, error);
		for (size_t i = 0; i < num_handles && err == OC_OK; i++) {
			bool has_other = has_other_half(f, session,
			    handles[i], classes[1 - c]);

			if (!is_private && has_other)
				continue;
			if (n == max) {
				err = oc_error_set(error, OC_ERR_LIMIT,
				    "the token has more than %zu keys", max);
				break;
			}
			memset(&entries[n], 0, sizeof(entries[n]));
			read_entry(f, session, handles[i], &entries[n]);
			entries[n].has_private = is_private;
			entries[n].has_public = !is_private || has_other;
			entries[n].is_extractable = is_private &&
			    get_bool(f, session, handles[i], CKA_EXTRACTABLE);
			read_history(f, session, handles[i], &entries[n]);
			n++;
		}
	}
	free(handles);
	if (err == OC_OK)
		*num = n;
	return err;
}
