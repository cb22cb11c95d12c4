/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/value.h"

/* Farther words are no slips of the finger. */
#define DISTANCE_MAX 2

/* --- memory that is overwritten --------------------------------------- */

/* What json_dumps() gives is for free(), so the blocks are malloc()'s own. */
static void
cleansed_free(void *block)
{
	if (block != NULL)
		explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

void
cfssl_json_cleanse(void)
{
	json_set_alloc_funcs(malloc, cleansed_free);
}

/* --- places ----------------------------------------------------------- */

struct cfssl_place
cfssl_place_in(const struct cfssl_place *place, const char *key, size_t index)
{
	struct cfssl_place in = { .where = place->where };
	char last[CFSSL_PATH_MAX];

	if (key == NULL)
		(void)snprintf(last, sizeof(last), "[%zu]", index);
	else
		(void)snprintf(last, sizeof(last), "%s%.40s",
		    place->path[0] == '\0' ? "" : ".", key);
	(void)snprintf(in.path, sizeof(in.path), "%.40s%.50s", place->path,
	    last);
	return in;
}

enum oc_err
cfssl_json_error(const struct cfssl_place *place, enum oc_err code,
    struct oc_error *error, const char *format, ...)
{
	char text[OC_ERROR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return oc_error_set(error, code, "%s: %s%s%s", place->where,
	    place->path, place->path[0] == '\0' ? "" : ": ", text);
}

void
cfssl_json_prefix(const struct cfssl_place *place, struct oc_error *error)
{
	if (error == NULL)
		return;
	oc_error_prefix(error, "%s%s%s", place->where,
	    place->path[0] == '\0' ? "" : ": ", place->path);
}

/* --- reading ---------------------------------------------------------- */

/* jansson's own limit is 2048 levels of recursion. */
static bool
is_too_deep(const uint8_t *text, size_t len)
{
	bool is_string = false;
	size_t depth = 0, i;

	for (i = 0; i < len; i++) {
		if (is_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				is_string = false;
			continue;
		}
		if (text[i] == '"')
			is_string = true;
		else if (text[i] == '{' || text[i] == '[')
			depth++;
		else if ((text[i] == '}' || text[i] == ']') && depth > 0)
			depth--;
		if (depth > CFSSL_JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

enum oc_err
cfssl_json_parse(const char *where, const uint8_t *text, size_t len,
    json_t **document, struct oc_error *error)
{
	json_error_t why;
	json_t *read;
	char *near;

	if (len > CFSSL_JSON_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "%s: %zu octets, the "
		    "limit is %d", where, len, CFSSL_JSON_MAX);
	if (is_too_deep(text, len))
		return oc_error_set(error, OC_ERR_LIMIT, "%s: more than %d "
		    "brackets in each other", where, CFSSL_JSON_DEPTH_MAX);
	read = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES,
	    &why);
	if (read == NULL) {
		/* What stands there may be somebody's key. */
		near = strstr(why.text, " near ");
		if (near == NULL)
			near = strstr(why.text, " without JSON_");
		if (near != NULL)
			*near = '\0';
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: line %d, "
		    "column %d: %s", where, why.line, why.column, why.text);
	}
	if (!json_is_object(read)) {
		json_decref(read);
		return oc_error_set(error, OC_ERR_MALFORMED, "%s: not a JSON "
		    "object {...}", where);
	}
	*document = read;
	return OC_OK;
}

static const char *
type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object {...}";
	case JSON_ARRAY:
		return "a list [...]";
	case JSON_STRING:
		return "a text \"...\"";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

static bool
is_of(const json_t *value, json_type type)
{
	if (type == JSON_TRUE)
		return json_is_boolean(value);
	return json_typeof(value) == type;
}

static enum oc_err
unknown_key(const struct cfssl_place *place, const char *key,
    const struct cfssl_member *members, struct oc_error *error)
{
	const char *nearest = NULL;
	unsigned int distance, least = DISTANCE_MAX + 1;
	struct cfssl_place in = cfssl_place_in(place, key, 0);

	for (; members->name != NULL; members++) {
		distance = oc_value_distance(key, members->name);
		if (distance < least && distance < strlen(members->name)) {
			least = distance;
			nearest = members->name;
		}
	}
	if (nearest != NULL)
		return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
		    "there is no such key; did you mean \"%s\"?", nearest);
	return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
	    "there is no such key; take it out");
}

static struct cfssl_member *
find_member(struct cfssl_member *members, const char *key)
{
	for (; members->name != NULL; members++)
		if (strcasecmp(members->name, key) == 0)
			return members;
	return NULL;
}

enum oc_err
cfssl_json_members(const struct cfssl_place *place, const json_t *object,
    struct cfssl_member *members, struct oc_error *error)
{
	/* jansson's iterators want it writable and leave it alone. */
	json_t *read = (json_t *)(uintptr_t)object, *value;
	const char *key;

	if (!json_is_object(object))
		return cfssl_json_error(place, OC_ERR_MALFORMED, error,
		    "must be %s", type_name(JSON_OBJECT));
	json_object_foreach(read, key, value) {
		struct cfssl_member *m = find_member(members, key);
		struct cfssl_place in = cfssl_place_in(place, key, 0);

		if (m == NULL)
			return unknown_key(place, key, members, error);
		if (m->value != NULL)
			return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
			    "is there twice, in another case; leave one");
		if (json_is_null(value))
			continue;
		if (!is_of(value, m->type))
			return cfssl_json_error(&in, OC_ERR_MALFORMED, error,
			    "must be %s", type_name(m->type));
		m->value = value;
	}
	return OC_OK;
}
