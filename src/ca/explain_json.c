/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/explain_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static json_t *
text_value(const char *text)
{
	json_t *value;
	char *copy;

	if (oc_utf8_is_valid(text, strlen(text)))
		return json_string(text);
	copy = strdup(text);
	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	value = copy == NULL ? NULL : json_string(copy);
	free(copy);
	return value;
}

/* Setting a member to NULL fails too. */
static bool
put_text(json_t *object, const char *name, const char *text)
{
	return json_object_set_new(object, name, text_value(text)) == 0;
}

static json_t *
item_json(const struct ca_explained *item)
{
	json_t *json = json_object();

	if (put_text(json, "field", item->field) &&
	    put_text(json, "value", item->value) &&
	    put_text(json, "source", ca_source_name(item->source)) &&
	    (item->detail[0] == '\0' ||
	    put_text(json, "detail", item->detail)))
		return json;
	json_decref(json);
	return NULL;
}

json_t *
ca_explanation_json(const struct ca_explanation *x)
{
	bool is_refused = x->refusal[0] != '\0';
	json_t *json = json_object(), *fields = json_array();
	bool is_whole = json_object_set_new(json, "accepted",
	    json_boolean(!is_refused)) == 0;

	if (is_refused)
		is_whole = is_whole &&
		    put_text(json, "rule", ca_rule_name(x->rule)) &&
		    put_text(json, "refusal", x->refusal);
	if (x->is_repeated)
		is_whole = is_whole && json_object_set_new(json, "repeated",
		    json_true()) == 0;
	for (size_t i = 0; is_whole && i < x->num_items; i++)
		is_whole = json_array_append_new(fields,
		    item_json(&x->items[i])) == 0;
	if (json_object_set_new(json, "fields", fields) == 0 && is_whole)
		return json;
	json_decref(json);
	return NULL;
}
