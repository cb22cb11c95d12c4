/* SPDX-License-Identifier: Apache-2.0 */
/* Generating a key pair on the token. */
#include <stdio.h>
#include <sys/random.h>

#include "pkcs11/key.h"
#include "pkcs11/recover.h"

#define ID_LEN 16
#define ATTRIBUTES_MAX 16

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

struct template {
	CK_ATTRIBUTE attributes[ATTRIBUTES_MAX];
	CK_ULONG num;
};

static void
put(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
	oc_assert(t->num < ATTRIBUTES_MAX);
	t->attributes[t->num++] = (CK_ATTRIBUTE){ type,
	    (void *)(uintptr_t)value, len };
}

static void
put_bool(struct template *t, CK_ATTRIBUTE_TYPE type, CK_BBOOL *value)
{
	put(t, type, value, sizeof(*value));
}

/* As TLVs. */
static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07 };
static const uint8_t p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t p521[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 };
/* PKCS#11 3.0 has the OID; SoftHSM and others only the name. */
static const uint8_t ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
static const uint8_t ed25519_name[] = { 0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
    'd', 's', '2', '5', '5', '1', '9' };
static const uint8_t f4[] = { 0x01, 0x00, 0x01 };

struct der_bytes
p11_key_params(enum sign_key_type type, enum p11_params params)
{
	switch (type) {
	case SIGN_KEY_P256:
		return DER_ARRAY(p256);
	case SIGN_KEY_P384:
		return DER_ARRAY(p384);
	case SIGN_KEY_P521:
		return DER_ARRAY(p521);
	case SIGN_KEY_ED25519:
		return params == P11_PARAMS_OID ? DER_ARRAY(ed25519) :
		    DER_ARRAY(ed25519_name);
	case SIGN_KEY_RSA:
	case SIGN_KEY_NONE:
		break;
	}
	return (struct der_bytes){ NULL, 0 };
}

static enum oc_err
check_type(enum sign_key_type type, unsigned int bits,
    CK_MECHANISM_TYPE *mechanism, struct oc_error *error)
{
	switch (type) {
	case SIGN_KEY_RSA:
		if (bits != 2048 && bits != 3072 && bits != 4096)
			return oc_error_set(error, OC_ERR_UNSUPPORTED,
			    "an RSA key has 2048, 3072 or 4096 bits");
		*mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		return OC_OK;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		break;
	case SIGN_KEY_ED25519:
		*mechanism = CKM_EC_EDWARDS_KEY_PAIR_GEN;
		return OC_OK;
	case SIGN_KEY_NONE:
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "not a key type we generate");
	}
	*mechanism = CKM_EC_KEY_PAIR_GEN;
	return OC_OK;
}

static CK_RV
generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const char *label,
    const uint8_t id[ID_LEN], CK_MECHANISM_TYPE type, CK_ULONG bits,
    struct der_bytes params, CK_BBOOL *extractable,
    CK_OBJECT_HANDLE handles[2])
{
	CK_MECHANISM mechanism = { type, NULL, 0 };
	struct template public = { .num = 0 }, private = { .num = 0 };

	put_bool(&public, CKA_TOKEN, &yes);
	put_bool(&public, CKA_VERIFY, &yes);
	put(&public, CKA_LABEL, label, strlen(label));
	put(&public, CKA_ID, id, ID_LEN);
	put_bool(&private, CKA_TOKEN, &yes);
	put_bool(&private, CKA_PRIVATE, &yes);
	put_bool(&private, CKA_SENSITIVE, &yes);
	put_bool(&private, CKA_EXTRACTABLE, extractable);
	put_bool(&private, CKA_SIGN, &yes);
	put(&private, CKA_LABEL, label, strlen(label));
	put(&private, CKA_ID, id, ID_LEN);
	if (params.len == 0) {
		put(&public, CKA_MODULUS_BITS, &bits, sizeof(bits));
		put(&public, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
		put_bool(&public, CKA_WRAP, &no);
		put_bool(&private, CKA_UNWRAP, &no);
	} else {
		put(&public, CKA_EC_PARAMS, params.p, params.len);
		put_bool(&private, CKA_DERIVE, &no);
	}
	return f->C_GenerateKeyPair(session, &mechanism, public.attributes,
	    public.num, private.attributes, private.num, &handles[0],
	    &handles[1]);
}

/*
 * A key for signing decrypts nothing.  Not in the template: tpm2-pkcs11 fails
 * there and keeps the object, and two or three of those fill a TPM.  Where
 * the token lets nothing be changed it stays as it is.
 */
static void
take_away(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE use)
{
	CK_BBOOL is_allowed = CK_FALSE;
	CK_ATTRIBUTE a = { use, &is_allowed, sizeof(is_allowed) };

	if (f->C_GetAttributeValue(session, handle, &a, 1) != CKR_OK ||
	    is_allowed == CK_FALSE)
		return;
	a.pValue = &no;
	(void)f->C_SetAttributeValue(session, handle, &a, 1);
}

/* A token that ignored the template gives no key we may use. */
static enum oc_err
check_private(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE handle, CK_BBOOL extractable, struct oc_error *error)
{
	CK_BBOOL is_sensitive = CK_FALSE, is_extractable = CK_TRUE;
	CK_ATTRIBUTE a[] = {
		{ CKA_SENSITIVE, &is_sensitive, sizeof(is_sensitive) },
		{ CKA_EXTRACTABLE, &is_extractable, sizeof(is_extractable) },
	};

	if (f->C_GetAttributeValue(session, handle, a, 2) != CKR_OK ||
	    is_sensitive == CK_FALSE ||
	    (is_extractable != CK_FALSE && extractable == CK_FALSE))
		return oc_error_set(error, OC_ERR_TOKEN, "the token made a "
		    "key that can be read out of it; it was destroyed");
	return OC_OK;
}

static enum oc_err
check_label(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, const char *label,
    struct oc_error *error)
{
	struct p11_uri uri = { .type = P11_URI_PRIVATE };
	CK_OBJECT_HANDLE handle;
	enum oc_err err;
	int len;

	len = snprintf(uri.object, sizeof(uri.object), "%s", label);
	if (len < 1 || (size_t)len >= sizeof(uri.object))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "a key's label has 1 to %zu octets",
		    sizeof(uri.object) - 1);
	err = p11_key_find(f, session, &uri, &handle, error);
	if (err == OC_ERR_NOT_FOUND)
		return OC_OK;
	if (err == OC_OK || err == OC_ERR_MISMATCH)
		return oc_error_set(error, OC_ERR_EXISTS,
		    "the token has a key \"%s\" already", label);
	return err;
}

static enum oc_err
generate_key(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const char *label, enum sign_key_type type, unsigned int bits,
    CK_BBOOL *extractable, struct oc_error *error)
{
	CK_OBJECT_HANDLE handles[2];
	CK_MECHANISM_TYPE mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	struct der_bytes params = p11_key_params(type, P11_PARAMS_OID);
	uint8_t id[ID_LEN];
	enum oc_err err;
	CK_RV rv;

	err = check_type(type, bits, &mechanism, error);
	if (err == OC_OK)
		err = check_label(f, session, label, error);
	if (err != OC_OK)
		return err;
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	rv = generate(f, session, label, id, mechanism, bits, params,
	    extractable, handles);
	if (rv != CKR_OK && type == SIGN_KEY_ED25519)
		rv = generate(f, session, label, id, mechanism, bits,
		    p11_key_params(type, P11_PARAMS_NAME), extractable,
		    handles);
	if (rv != CKR_OK)
		return p11_error(error, "C_GenerateKeyPair", rv);
	err = check_private(f, session, handles[1], *extractable, error);
	if (err != OC_OK) {
		(void)f->C_DestroyObject(session, handles[0]);
		(void)f->C_DestroyObject(session, handles[1]);
		return err;
	}
	if (type == SIGN_KEY_RSA) {
		take_away(f, session, handles[0], CKA_ENCRYPT);
		take_away(f, session, handles[1], CKA_DECRYPT);
	}
	return OC_OK;
}

enum oc_err
p11_key_generate(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const char *label, enum sign_key_type type, unsigned int bits,
    struct oc_error *error)
{
	return generate_key(f, session, label, type, bits, &no, error);
}

enum oc_err
p11_key_generate_extractable(CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const char *label, enum sign_key_type type, unsigned int bits,
    struct oc_error *error)
{
	return generate_key(f, session, label, type, bits, &yes, error);
}
