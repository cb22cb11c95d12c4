/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/result.h"

#include <stdlib.h>
#include <string.h>

#include "cfssl/json.h"

/* --- printing --------------------------------------------------------- */

struct line {
	char *text;		/* NULL: only counting */
	size_t len;
};

static void
put(struct line *l, const char *text, size_t len)
{
	if (l->text != NULL)
		memcpy(l->text + l->len, text, len);
	l->len += len;
}

/* PEM has no other character that JSON would escape. */
static void
put_member(struct line *l, const char *name, const char *pem)
{
	size_t len;

	if (pem == NULL)
		return;
	put(l, l->len == 0 ? "{\"" : ",\"", 2);
	put(l, name, strlen(name));
	put(l, "\":\"", 3);
	for (;; pem += len + 1) {
		len = strcspn(pem, "\n");
		put(l, pem, len);
		if (pem[len] == '\0')
			break;
		put(l, "\\n", 2);
	}
	put(l, "\"", 1);
}

static void
put_result(struct line *l, const struct cfssl_result *result)
{
	put_member(l, "cert", result->cert);
	put_member(l, "csr", result->csr);
	put_member(l, "key", result->key);
	put(l, "}\n", 3);	/* with its NUL */
}

enum oc_err
cfssl_result_line(const struct cfssl_result *result, char **line,
    struct oc_error *error)
{
	struct line l = { NULL, 0 };

	oc_assert(result->cert != NULL || result->csr != NULL);
	put_result(&l, result);
	l.text = malloc(l.len);
	if (l.text == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	l.len = 0;
	put_result(&l, result);
	*line = l.text;
	return OC_OK;
}

/* --- taking apart ----------------------------------------------------- */

static enum oc_err
add(struct cfssl_parts *parts, const char *suffix, mode_t mode,
    const char *text, size_t len, struct oc_error *error)
{
	struct cfssl_part *p = &parts->parts[parts->num_parts];

	oc_assert(parts->num_parts < CFSSL_PARTS_MAX);
	p->bytes = malloc(len + 1);
	if (p->bytes == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	memcpy(p->bytes, text, len);
	p->bytes[len] = '\0';
	p->len = len;
	p->suffix = suffix;
	p->mode = mode;
	parts->num_parts++;
	return OC_OK;
}

/* The value of either key, the first before the second; NULL: neither. */
static enum oc_err
find_text(const struct cfssl_place *place, const json_t *object,
    const char *key, const char *other_key, const char **text,
    struct oc_error *error)
{
	const json_t *value = json_object_get(object, key);
	struct cfssl_place in;

	if (value == NULL && other_key != NULL) {
		key = other_key;
		value = json_object_get(object, key);
	}
	*text = json_string_value(value);
	if (value == NULL || *text != NULL)
		return OC_OK;
	in = cfssl_place_in(place, key, 0);
	return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
	    "must be a text");
}

static const struct {
	const char *key, *other_key, *suffix;
	mode_t mode;
	enum { TEXT, OPAQUE, BASE64 } kind;
} rows[] = {
	{ "cert", "certificate", ".pem", 0664, TEXT },
	{ "key", "private_key", "-key.pem", 0600, TEXT },
	{ "encrypted_key", NULL, "-key.enc", 0600, OPAQUE },
	{ "csr", "certificate_request", ".csr", 0644, TEXT },
	{ "ocspResponse", NULL, "-response.der", 0644, BASE64 },
};

static enum oc_err
decode_last(struct cfssl_parts *parts, const struct cfssl_place *place,
    struct oc_error *error)
{
	struct cfssl_part *p = &parts->parts[parts->num_parts - 1];
	struct cfssl_place in = cfssl_place_in(place, "ocspResponse", 0);

	if (oc_base64_decode_in_place(p->bytes, p->len, &p->len) != OC_OK)
		return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
		    "is no base64");
	return OC_OK;
}

static enum oc_err
add_row(struct cfssl_parts *parts, const struct cfssl_place *place,
    const json_t *object, size_t row, struct oc_error *error)
{
	const char *text;
	enum oc_err err;

	err = find_text(place, object, rows[row].key, rows[row].other_key,
	    &text, error);
	if (err != OC_OK || text == NULL ||
	    (rows[row].kind == TEXT && text[0] == '\0'))
		return err;
	err = add(parts, rows[row].suffix, rows[row].mode, text,
	    strlen(text), error);
	if (err != OC_OK)
		return err;
	parts->parts[parts->num_parts - 1].is_binary =
	    rows[row].kind == OPAQUE || rows[row].kind == BASE64;
	return rows[row].kind == BASE64 ? decode_last(parts, place, error) :
	    OC_OK;
}

/* "bundle" is PEM, or, as the API's bundle has it, { bundle, root }. */
static enum oc_err
add_bundle(struct cfssl_parts *parts, const struct cfssl_place *place,
    const json_t *value, struct oc_error *error)
{
	struct cfssl_place in = cfssl_place_in(place, "bundle", 0);
	const char *text = json_string_value(value), *root = NULL;
	enum oc_err err = OC_OK;

	if (value == NULL)
		return OC_OK;
	if (json_is_object(value)) {
		err = find_text(&in, value, "bundle", NULL, &text, error);
		if (err == OC_OK)
			err = find_text(&in, value, "root", NULL, &root,
			    error);
		if (err != OC_OK)
			return err;
	}
	if (text == NULL)
		return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
		    "must be a text, or an object with a bundle in it");
	if (root != NULL) {
		struct oc_buffer b;

		oc_buffer_init(&b, CFSSL_JSON_MAX);
		oc_buffer_printf(&b, "%s\n%s", text, root);
		err = b.err != OC_OK ? oc_error_set(error, b.err, "%s",
		    oc_strerror(b.err)) : add(parts, "-bundle.pem", 0644,
		    oc_buffer_text(&b), b.len, error);
		oc_buffer_fini(&b);
		return err != OC_OK ? err : add(parts, "-root.pem", 0644,
		    root, strlen(root), error);
	}
	return add(parts, "-bundle.pem", 0644, text, strlen(text), error);
}

static enum oc_err
add_all(struct cfssl_parts *parts, const struct cfssl_place *place,
    const json_t *object, struct oc_error *error)
{
	const json_t *inner = json_object_get(object, "result");
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < sizeof(rows) / sizeof(rows[0]) - 1;
	    i++)
		err = add_row(parts, place, object, i, error);
	if (err == OC_OK)
		err = add_bundle(parts, place, json_is_object(inner) ?
		    json_object_get(inner, "bundle") :
		    json_object_get(object, "bundle"), error);
	if (err == OC_OK)
		err = add_row(parts, place, object, i, error);
	if (err == OC_OK && parts->num_parts == 0)
		err = cfssl_json_error(place, OC_ERR_NOT_FOUND, error,
		    "has no cert, key, csr, bundle or ocspResponse; nothing "
		    "to write%s", json_object_get(object, "success") != NULL ?
		    " (leave -bare out: this is an answer of the API)" : "");
	return err;
}

/* The API's answer around it. */
static enum oc_err
unwrap(const struct cfssl_place *place, const json_t *document,
    const json_t **result, struct oc_error *error)
{
	const json_t *errors = json_object_get(document, "errors");
	const char *text;

	if (json_is_true(json_object_get(document, "success"))) {
		*result = json_object_get(document, "result");
		if (json_is_object(*result))
			return OC_OK;
		return cfssl_json_error(place, OC_ERR_MALFORMED, error,
		    "has no \"result\"");
	}
	text = json_string_value(json_object_get(json_array_get(errors, 0),
	    "message"));
	if (text != NULL)
		return cfssl_json_error(place, OC_ERR_REFUSED, error,
		    "the request failed: %.200s", text);
	return cfssl_json_error(place, OC_ERR_REFUSED, error, "no answer of "
	    "the API that says success; with -bare, what cfssl and ocsign "
	    "print is read");
}

enum oc_err
cfssl_parts_read(const char *where, const uint8_t *text, size_t len,
    enum cfssl_wrapping wrapping, struct cfssl_parts *out,
    struct oc_error *error)
{
	const struct cfssl_place place = { .where = where };
	struct cfssl_parts parts = { .num_parts = 0 };
	const json_t *object;
	json_t *document;
	enum oc_err err;

	err = cfssl_json_parse(where, text, len, &document, error);
	if (err != OC_OK)
		return err;
	object = document;
	if (wrapping == CFSSL_ENVELOPE)
		err = unwrap(&place, document, &object, error);
	if (err == OC_OK)
		err = add_all(&parts, &place, object, error);
	json_decref(document);
	if (err != OC_OK) {
		cfssl_parts_fini(&parts);
		return err;
	}
	*out = parts;
	return OC_OK;
}

void
cfssl_parts_fini(struct cfssl_parts *parts)
{
	for (size_t i = 0; i < parts->num_parts; i++) {
		explicit_bzero(parts->parts[i].bytes, parts->parts[i].len);
		free(parts->parts[i].bytes);
	}
	*parts = (struct cfssl_parts){ .num_parts = 0 };
}
