/* SPDX-License-Identifier: Apache-2.0 */
#include "net/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

/* jansson's own bound is 2048 levels of recursion. */
static bool
is_too_deep(const uint8_t *text, size_t len)
{
	bool is_string = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < len; i++) {
		int c = text[i];

		if (is_string && c == '\\')
			i++;
		else if (c == '"')
			is_string = !is_string;
		else if (!is_string && (c == '{' || c == '['))
			depth++;
		else if (!is_string && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > NET_JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

enum oc_err
net_json_parse(const uint8_t *text, size_t len, json_t **json,
    struct oc_error *error)
{
	json_error_t said;
	json_t *j;

	if (is_too_deep(text, len))
		return oc_error_set(error, OC_ERR_LIMIT, "JSON of more than "
		    "%d levels", NET_JSON_DEPTH_MAX);
	j = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES,
	    &said);
	if (j == NULL)
		return oc_error_set(error, OC_ERR_MALFORMED, "JSON, octet "
		    "%d: %s", said.position, said.text);
	if (!json_is_object(j)) {
		json_decref(j);
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the JSON is no object");
	}
	*json = j;
	return OC_OK;
}

enum oc_err
net_json_get_string(const json_t *object, const char *key,
    const char **value)
{
	const json_t *j = json_object_get(object, key);

	if (j == NULL || json_is_null(j))
		return OC_OK;
	if (!json_is_string(j))
		return OC_ERR_MALFORMED;
	*value = json_string_value(j);
	return OC_OK;
}

enum oc_err
net_json_get_integer(const json_t *object, const char *key, int64_t *value)
{
	const json_t *j = json_object_get(object, key);

	if (j == NULL || json_is_null(j))
		return OC_OK;
	if (!json_is_integer(j))
		return OC_ERR_MALFORMED;
	*value = json_integer_value(j);
	return OC_OK;
}

enum oc_err
net_json_get_boolean(const json_t *object, const char *key, bool *value)
{
	const json_t *j = json_object_get(object, key);

	if (j == NULL || json_is_null(j))
		return OC_OK;
	if (!json_is_boolean(j))
		return OC_ERR_MALFORMED;
	*value = json_is_true(j);
	return OC_OK;
}

enum oc_err
net_json_get_strings(const json_t *object, const char *key,
    const json_t **value)
{
	const json_t *j = json_object_get(object, key);

	if (j == NULL || json_is_null(j))
		return OC_OK;
	if (!json_is_array(j))
		return OC_ERR_MALFORMED;
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!json_is_string(json_array_get(j, i)))
			return OC_ERR_MALFORMED;
	*value = j;
	return OC_OK;
}

enum oc_err
net_json_get_object(const json_t *object, const char *key,
    const json_t **value)
{
	const json_t *j = json_object_get(object, key);

	if (j == NULL || json_is_null(j))
		return OC_OK;
	if (!json_is_object(j))
		return OC_ERR_MALFORMED;
	*value = j;
	return OC_OK;
}

void
net_json_cleanse(json_t *string)
{
	if (json_is_string(string))
		explicit_bzero((char *)(uintptr_t)json_string_value(string),
		    json_string_length(string));
}
