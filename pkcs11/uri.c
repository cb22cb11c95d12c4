/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7512 through p11-kit's parser, which decodes; the rules are ours. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <p11-kit/uri.h>

#include "pkcs11/uri.h"

static const char scheme[] = "pkcs11:";

/* A blank-padded field; p11-kit leaves it zero when it was not given. */
static void
copy_field(const unsigned char *field, size_t field_len, char *out)
{
	size_t len = field[0] == '\0' ? 0 : field_len;

	while (len > 0 && field[len - 1] == ' ')
		len--;
	memcpy(out, field, len);
	out[len] = '\0';
}

static enum oc_err
read_object(P11KitUri *parsed, struct p11_uri *uri, struct oc_error *error)
{
	CK_ATTRIBUTE *a;
	CK_OBJECT_CLASS object_class;

	a = p11_kit_uri_get_attribute(parsed, CKA_LABEL);
	if (a != NULL && a->pValue != NULL) {
		if (a->ulValueLen >= sizeof(uri->object) ||
		    memchr(a->pValue, '\0', a->ulValueLen) != NULL)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "\"object\" is too long or holds a NUL");
		memcpy(uri->object, a->pValue, a->ulValueLen);
	}
	a = p11_kit_uri_get_attribute(parsed, CKA_ID);
	if (a != NULL && a->pValue != NULL) {
		if (a->ulValueLen > sizeof(uri->id))
			return oc_error_set(error, OC_ERR_LIMIT,
			    "\"id\" is longer than %zu octets",
			    sizeof(uri->id));
		memcpy(uri->id, a->pValue, a->ulValueLen);
		uri->id_len = a->ulValueLen;
	}
	a = p11_kit_uri_get_attribute(parsed, CKA_CLASS);
	if (a == NULL || a->ulValueLen != sizeof(object_class))
		return OC_OK;
	memcpy(&object_class, a->pValue, sizeof(object_class));
	if (object_class == CKO_PRIVATE_KEY)
		uri->type = P11_URI_PRIVATE;
	else if (object_class == CKO_PUBLIC_KEY)
		uri->type = P11_URI_PUBLIC;
	else if (object_class == CKO_CERTIFICATE)
		uri->type = P11_URI_CERTIFICATE;
	else
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "\"type\" must be private, public or cert");
	return OC_OK;
}

/* What no URI says here. */
static enum oc_err
refuse(P11KitUri *parsed, bool is_token, struct oc_error *error)
{
	if (p11_kit_uri_get_pin_value(parsed) != NULL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "a PIN is not for the URI: set pin-source");
	if (!is_token && p11_kit_uri_get_pin_source(parsed) != NULL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "a PIN is the token's: set pin-source there");
	if (!is_token && (p11_kit_uri_get_module_path(parsed) != NULL ||
	    p11_kit_uri_get_module_name(parsed) != NULL))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "module-path and module-name are the token's: set module "
		    "there");
	if (p11_kit_uri_any_unrecognized(parsed))
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "it has an attribute we do not know");
	return OC_OK;
}

static void
read_place(P11KitUri *parsed, struct p11_uri *uri)
{
	const CK_INFO *module = p11_kit_uri_get_module_info(parsed);
	const CK_SLOT_INFO *slot = p11_kit_uri_get_slot_info(parsed);
	CK_SLOT_ID id = p11_kit_uri_get_slot_id(parsed);

	copy_field(module->manufacturerID, sizeof(module->manufacturerID),
	    uri->library_manufacturer);
	copy_field(module->libraryDescription,
	    sizeof(module->libraryDescription), uri->library_description);
	uri->has_library_version =
	    module->libraryVersion.major != (CK_BYTE)-1;
	uri->library_major = module->libraryVersion.major;
	uri->library_minor = module->libraryVersion.minor;
	copy_field(slot->slotDescription, sizeof(slot->slotDescription),
	    uri->slot_description);
	copy_field(slot->manufacturerID, sizeof(slot->manufacturerID),
	    uri->slot_manufacturer);
	uri->has_slot_id = id != (CK_SLOT_ID)-1;
	uri->slot_id = uri->has_slot_id ? id : 0;
}

/* file:/PATH, file:///PATH or /PATH; "|command" was in a draft. */
static enum oc_err
read_pin_source(P11KitUri *parsed, struct p11_uri *uri,
    struct oc_error *error)
{
	const char *path = p11_kit_uri_get_pin_source(parsed);
	int len;

	if (path == NULL)
		return OC_OK;
	if (strncasecmp(path, "file:", 5) == 0)
		path += strncmp(path + 5, "///", 3) == 0 ? 7 : 5;
	if (path[0] != '/' || path[1] == '/')
		return oc_error_set(error, OC_ERR_REFUSED, "its pin-source "
		    "is no file's absolute path: write file:/PATH");
	len = snprintf(uri->pin_source, sizeof(uri->pin_source), "file:%s",
	    path);
	if (len < 0 || (size_t)len >= sizeof(uri->pin_source))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "its pin-source is too long");
	return OC_OK;
}

static enum oc_err
read_module(P11KitUri *parsed, struct p11_uri *uri, struct oc_error *error)
{
	const char *path = p11_kit_uri_get_module_path(parsed);
	const char *name = p11_kit_uri_get_module_name(parsed);

	if (path != NULL && path[0] != '/')
		return oc_error_set(error, OC_ERR_REFUSED,
		    "its module-path is not absolute");
	if ((path != NULL && strlen(path) >= sizeof(uri->module_path)) ||
	    (name != NULL && strlen(name) >= sizeof(uri->module_name)))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "its module-path or module-name is too long");
	if (path != NULL)
		memcpy(uri->module_path, path, strlen(path) + 1);
	if (name != NULL)
		memcpy(uri->module_name, name, strlen(name) + 1);
	return OC_OK;
}

static const char *
next_attribute(const char *at)
{
	return at + strcspn(at, ";?") + 1;
}

/* RFC 7512, 2.3: an attribute stands in the path once.  p11-kit would take
 * the last. */
static enum oc_err
refuse_repeated(const char *text, struct oc_error *error)
{
	const char *path = text + sizeof(scheme) - 1, *a, *b;
	const char *end = path + strcspn(path, "?");

	for (a = path; a < end; a = next_attribute(a)) {
		size_t len = strcspn(a, "=;?");

		for (b = next_attribute(a); b < end; b = next_attribute(b))
			if (strcspn(b, "=;?") == len &&
			    strncmp(a, b, len) == 0)
				return oc_error_set(error, OC_ERR_MALFORMED,
				    "it has the same attribute twice");
	}
	return OC_OK;
}

static enum oc_err
parse(const char *text, const char *whose, struct p11_uri *uri,
    struct oc_error *error)
{
	P11KitUri *parsed;
	const CK_TOKEN_INFO *token;
	struct p11_uri u = { .type = P11_URI_ANY };
	enum oc_err err;
	int rc;

	/* Wherever it stands, also where RFC 7512 has no place for it. */
	if (strcasestr(text, "pin-value") != NULL)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "pin-value puts the PIN where everybody reads it: "
		    "use pin-source");
	parsed = p11_kit_uri_new();
	if (parsed == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	rc = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, parsed);
	if (rc != P11_KIT_URI_OK) {
		err = oc_error_set(error, OC_ERR_MALFORMED, "%s",
		    p11_kit_uri_message(rc));
		goto out;
	}
	err = refuse_repeated(text, error);
	if (err == OC_OK)
		err = refuse(parsed, strcmp(whose, "token") == 0, error);
	if (err == OC_OK)
		err = read_pin_source(parsed, &u, error);
	if (err == OC_OK)
		err = read_module(parsed, &u, error);
	if (err != OC_OK)
		goto out;
	read_place(parsed, &u);
	token = p11_kit_uri_get_token_info(parsed);
	copy_field(token->label, sizeof(token->label), u.token);
	copy_field(token->serialNumber, sizeof(token->serialNumber),
	    u.serial);
	copy_field(token->manufacturerID, sizeof(token->manufacturerID),
	    u.manufacturer);
	copy_field(token->model, sizeof(token->model), u.model);
	err = read_object(parsed, &u, error);
	if (err == OC_OK)
		*uri = u;
out:
	p11_kit_uri_free(parsed);
	return err == OC_OK ? OC_OK :
	    oc_error_prefix(error, "the %s's PKCS#11 URI", whose);
}

static bool
are_other(const char *a, const char *b)
{
	return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* What tokens are told apart by. */
static const struct { size_t offset, size; } texts[] = {
#define TEXT(field) { offsetof(struct p11_uri, field), \
	sizeof(((struct p11_uri *)NULL)->field) }
	TEXT(token), TEXT(serial), TEXT(manufacturer), TEXT(model),
	TEXT(library_manufacturer), TEXT(library_description),
	TEXT(slot_description), TEXT(slot_manufacturer)
#undef TEXT
};
#define NUM_TEXTS (sizeof(texts) / sizeof(texts[0]))

bool
p11_uri_is_other_token(const struct p11_uri *a, const struct p11_uri *b)
{
	for (size_t i = 0; i < NUM_TEXTS; i++)
		if (are_other((const char *)a + texts[i].offset,
		    (const char *)b + texts[i].offset))
			return true;
	if (a->has_slot_id && b->has_slot_id && a->slot_id != b->slot_id)
		return true;
	return a->has_library_version && b->has_library_version &&
	    (a->library_major != b->library_major ||
	    a->library_minor != b->library_minor);
}

void
p11_uri_narrow(struct p11_uri *a, const struct p11_uri *b)
{
	for (size_t i = 0; i < NUM_TEXTS; i++) {
		char *text = (char *)a + texts[i].offset;

		if (text[0] == '\0')
			memcpy(text, (const char *)b + texts[i].offset,
			    texts[i].size);
	}
	if (!a->has_slot_id) {
		a->has_slot_id = b->has_slot_id;
		a->slot_id = b->slot_id;
	}
	if (!a->has_library_version) {
		a->has_library_version = b->has_library_version;
		a->library_major = b->library_major;
		a->library_minor = b->library_minor;
	}
}

/* RFC 7512, 2.3: a name without what the system puts around it, in letters of
 * either case; many write "lib" all the same. */
static bool
is_module_name(const char *name, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base != NULL ? base + 1 : path;
	if (strncmp(base, "lib", 3) == 0 && strncasecmp(name, "lib", 3) != 0)
		base += 3;
	len = strcspn(base, ".");
	return strlen(name) == len && strncasecmp(name, base, len) == 0;
}

enum oc_err
p11_uri_check_module(const struct p11_uri *uri, const char *path,
    struct oc_error *error)
{
	if (uri->module_path[0] != '\0' &&
	    strcmp(uri->module_path, path) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "the URI's "
		    "module-path is not module: leave it out");
	if (uri->module_name[0] != '\0' &&
	    !is_module_name(uri->module_name, path))
		return oc_error_set(error, OC_ERR_CONFIG, "the URI's "
		    "module-name is not that of module: leave it out");
	return OC_OK;
}

enum oc_err
p11_uri_parse_token(const char *text, struct p11_uri *uri,
    struct oc_error *error)
{
	struct p11_uri u;
	enum oc_err err = parse(text, "token", &u, error);

	if (err != OC_OK)
		return err;
	if (u.token[0] == '\0' && u.serial[0] == '\0' &&
	    u.model[0] == '\0' && u.manufacturer[0] == '\0' &&
	    u.slot_description[0] == '\0')
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the PKCS#11 URI names no token: give token= or serial=");
	*uri = u;
	return OC_OK;
}

enum oc_err
p11_uri_parse_key(const char *text, struct p11_uri *uri,
    struct oc_error *error)
{
	struct p11_uri u = { .type = P11_URI_ANY };
	size_t len = strlen(text);
	enum oc_err err;

	if (strncasecmp(text, scheme, sizeof(scheme) - 1) != 0) {
		if (len == 0 || len >= sizeof(u.object))
			return oc_error_set(error, OC_ERR_LIMIT,
			    "a key's label has 1 to %zu octets",
			    sizeof(u.object) - 1);
		memcpy(u.object, text, len + 1);
		*uri = u;
		return OC_OK;
	}
	err = parse(text, "key", &u, error);
	if (err != OC_OK)
		return err;
	if (u.object[0] == '\0' && u.id_len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the PKCS#11 URI names no key: give object= or id=");
	if (u.type == P11_URI_CERTIFICATE)
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "the PKCS#11 URI names a certificate, not a key");
	*uri = u;
	return OC_OK;
}
