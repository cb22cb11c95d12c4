/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 URIs, RFC 7512: which token of which library in which slot, and
 * which object.  Everything a URI says must be so.  A PIN in a URI and
 * attributes we do not know are errors, never ignored; the query belongs to a
 * token's URI only.  No error text repeats the URI.
 */
#ifndef PKCS11_URI_H
#define PKCS11_URI_H

#include <stdbool.h>

#include "base/err.h"
#include "der/bytes.h"

#define P11_OBJECT_LABEL_MAX 256
#define P11_ID_MAX 128
#define P11_URI_PATH_MAX 512

enum p11_uri_type { P11_URI_ANY, P11_URI_PRIVATE, P11_URI_PUBLIC,
    P11_URI_CERTIFICATE };

/* Decoded, without the blanks tokens pad with.  "" or 0: not given. */
struct p11_uri {
	char token[33];			/* CK_TOKEN_INFO's field sizes */
	char serial[17];
	char manufacturer[33];
	char model[17];
	char object[P11_OBJECT_LABEL_MAX];
	uint8_t id[P11_ID_MAX];
	size_t id_len;
	enum p11_uri_type type;
	char library_manufacturer[33];	/* CK_INFO's */
	char library_description[33];
	bool has_library_version;
	uint8_t library_major, library_minor;
	char slot_description[65];	/* CK_SLOT_INFO's */
	char slot_manufacturer[33];
	bool has_slot_id;
	unsigned long slot_id;
	char pin_source[P11_URI_PATH_MAX];	/* "file:/PATH" */
	char module_path[P11_URI_PATH_MAX];
	char module_name[64];
};

/* True if both say something of the token, and not the same. */
bool p11_uri_is_other_token(const struct p11_uri *a, const struct p11_uri *b);
/* What b says of the token and a does not, a then says too. */
void p11_uri_narrow(struct p11_uri *a, const struct p11_uri *b);

/* CONFIG if it names another module than the one at path. */
enum oc_err p11_uri_check_module(const struct p11_uri *uri, const char *path,
    struct oc_error *error) OC_MUST_CHECK;

/* Names at least one thing of a token. */
enum oc_err p11_uri_parse_token(const char *text, struct p11_uri *uri,
    struct oc_error *error) OC_MUST_CHECK;
/* Names an object by label or id; a text that does not start with "pkcs11:"
 * is a label. */
enum oc_err p11_uri_parse_key(const char *text, struct p11_uri *uri,
    struct oc_error *error) OC_MUST_CHECK;

#endif
