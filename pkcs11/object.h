/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates and key objects, for what brings a key into a token: clone.c and
 * import.c.  All of it blocks in the module.
 */
#ifndef PKCS11_OBJECT_H
#define PKCS11_OBJECT_H

#include "pkcs11/config.h"
#include "pkcs11/key.h"
#include "pkcs11/module.h"

#define P11_ATTRIBUTES_MAX 24

/* The values are borrowed, but for bools and numbers. */
struct p11_template {
	CK_ATTRIBUTE attributes[P11_ATTRIBUTES_MAX];
	CK_ULONG num;
	CK_ULONG numbers[P11_ATTRIBUTES_MAX];
	CK_BBOOL bools[P11_ATTRIBUTES_MAX];
};

void p11_template_bytes(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
    const void *value, size_t len);
void p11_template_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
    CK_ULONG value);
void p11_template_bool(struct p11_template *t, CK_ATTRIBUTE_TYPE type,
    bool value);

/* What one side of a move works with. */
struct p11_side {
	const char *name;		/* of the section */
	struct p11_module *module;
	CK_FUNCTION_LIST *f;
	CK_SESSION_HANDLE session;
};
enum oc_err p11_side_open(struct p11_side *side,
    const struct p11_token_config *token, const char *state_dir,
    struct oc_error *error) OC_MUST_CHECK;
void p11_side_close(struct p11_side *side);	/* zero state is fine */
/* Unless it is CK_INVALID_HANDLE. */
void p11_side_destroy(struct p11_side *side, CK_OBJECT_HANDLE *object);

/* "token hsm-a: C_WrapKey by CKM_...: CKR_..." */
enum oc_err p11_side_error(struct oc_error *error,
    const struct p11_side *side, const char *function, CK_RV rv);

/* What the new private key is called; id_len 0: none. */
struct p11_new_key {
	char label[P11_OBJECT_LABEL_MAX];
	uint8_t id[P11_ID_MAX];
	size_t id_len;
	CK_KEY_TYPE type;
	bool is_extractable;
	bool is_plain;		/* without what a token may refuse to set */
};
/* For C_UnwrapKey and C_CreateObject: private, sensitive, for signing. */
void p11_template_private(struct p11_template *t, const struct p11_new_key *k);
/* EXISTS if the token has the label, or the id. */
enum oc_err p11_object_is_free(const struct p11_side *side,
    const struct p11_new_key *key, struct oc_error *error) OC_MUST_CHECK;
/* The public key beside it, without which many tokens do not tell it. */
enum oc_err p11_object_put_public(const struct p11_side *side,
    const struct p11_new_key *key, const struct sign_key_info *info,
    CK_OBJECT_HANDLE *object, struct oc_error *error) OC_MUST_CHECK;
/* That it is this key, by its public half and by a signature on something
 * new; what has become of it, in entry. */
enum oc_err p11_object_prove(const struct p11_side *side,
    CK_OBJECT_HANDLE private, const struct sign_key_info *info,
    struct p11_key_entry *entry, struct oc_error *error) OC_MUST_CHECK;
bool p11_object_flag(const struct p11_side *side, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type);

#endif
