/* SPDX-License-Identifier: Apache-2.0 */
/* What may be believed of an RDAP server's answer. */
#include "validation/rdap.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "net/json.h"
#include "validation/mailbox.h"
#include "validation/reply.h"

static bool
is_name(const char *text, const char *name)
{
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '.')
		len--;
	return len == strlen(name) && strncasecmp(text, name, len) == 0;
}

/* RFC 9083, 10.2.4. */
static bool
is_contact(const json_t *entity)
{
	static const char *const wanted[] = { "registrant", "administrative",
	    "technical" };
	const json_t *roles = NULL;

	if (net_json_get_strings(entity, "roles", &roles) != OC_OK ||
	    roles == NULL)
		return false;
	for (size_t i = 0; i < json_array_size(roles); i++)
		for (size_t w = 0; w < sizeof(wanted) / sizeof(wanted[0]); w++)
			if (strcmp(json_string_value(json_array_get(roles, i)),
			    wanted[w]) == 0)
				return true;
	return false;
}

/* [ "email", {}, "text", "a@example.com" ]: RFC 7095, 3.3. */
static void
put_property(struct validation_reply *reply, const json_t *property)
{
	const char *name = json_string_value(json_array_get(property, 0));
	const char *type = json_string_value(json_array_get(property, 2));
	const char *value = json_string_value(json_array_get(property, 3));

	if (name != NULL && type != NULL && value != NULL &&
	    strcasecmp(name, "email") == 0 && strcmp(type, "text") == 0 &&
	    json_array_size(property) == 4 &&
	    validation_mailbox_is_valid(value, strlen(value)))
		validation_reply_put_contact(reply, value);
}

/* [ "vcard", [ PROPERTY, ... ] ] */
static void
put_card(struct validation_reply *reply, const json_t *entity)
{
	const json_t *card = json_object_get(entity, "vcardArray");
	const char *kind = json_string_value(json_array_get(card, 0));
	const json_t *properties = json_array_get(card, 1);

	if (kind == NULL || strcmp(kind, "vcard") != 0)
		return;
	for (size_t i = 0; i < json_array_size(properties); i++)
		put_property(reply, json_array_get(properties, i));
}

enum oc_err
validation_rdap_read(const uint8_t *text, size_t len, const char *name,
    struct validation_reply *reply, struct oc_error *error)
{
	const char *kind = NULL, *own = NULL;
	const json_t *entities;
	json_t *json = NULL;
	enum oc_err err = net_json_parse(text, len, &json, error);

	if (err != OC_OK)
		return err;
	if (net_json_get_string(json, "objectClassName", &kind) != OC_OK ||
	    net_json_get_string(json, "ldhName", &own) != OC_OK ||
	    kind == NULL || strcmp(kind, "domain") != 0 || own == NULL)
		err = oc_error_set(error, OC_ERR_MALFORMED, "it is no domain "
		    "object");
	else if (!is_name(own, name))
		err = oc_error_set(error, OC_ERR_MISMATCH, "it is about "
		    "\"%s\"", own);
	entities = json_object_get(json, "entities");
	for (size_t i = 0; err == OC_OK && i < json_array_size(entities);
	    i++) {
		const json_t *entity = json_array_get(entities, i);

		if (is_contact(entity))
			put_card(reply, entity);
	}
	json_decref(json);
	return err;
}
