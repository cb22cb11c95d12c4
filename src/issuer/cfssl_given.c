/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request to sign or authsign gives beside CSR, names and subject:
 * extensions, where the profile lists them in allowed_extensions; a serial
 * number, where it wants the caller's.  What CFSSL's clients may say and is
 * for nobody to say here is refused by name, unless it says nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "der/oid.h"
#include "issuer/cfssl.h"
#include "net/json.h"

/* What Go writes for a time that was not set. */
#define NO_TIME "0001-01-01T00:00:00Z"

struct reading {
	struct issuer_given *given;
	size_t room, used;		/* of given->octets */
	struct ca_explanation *x;
	struct oc_error *error;
};

/* --- what nobody has a say in ------------------------------------------- */

static bool
says_nothing(const json_t *j)
{
	if (json_is_string(j))
		return json_string_length(j) == 0 ||
		    strcmp(json_string_value(j), NO_TIME) == 0;
	return j == NULL || json_is_null(j) || json_is_false(j) ||
	    (json_is_object(j) && json_object_size(j) == 0);
}

static enum oc_err
refuse_others(struct reading *r, const json_t *document)
{
	static const char *const names[] = { "crl_override", "NotBefore",
	    "NotAfter", "ReturnPrecert", "metadata" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!says_nothing(json_object_get(document, names[i])))
			return ca_refuse(r->x, CA_RULE_NONE, OC_ERR_REFUSED,
			    r->error, "%s: is not the request's to say; "
			    "take it out", names[i]);
	return OC_OK;
}

/* --- the serial number -------------------------------------------------- */

static enum oc_err
read_serial(struct reading *r, const json_t *document)
{
	const json_t *j = json_object_get(document, "serial");
	uint64_t value = (uint64_t)json_integer_value(j);
	uint8_t octets[9] = { 0 };
	size_t first = 0;

	if (j == NULL || json_is_null(j))
		return OC_OK;
	for (size_t i = 0; i < 8; i++)
		octets[1 + i] = (uint8_t)(value >> (56 - 8 * i));
	while (first < 8 && octets[first] == 0 && octets[first + 1] < 0x80)
		first++;
	if (!json_is_integer(j) || json_integer_value(j) <= 0 ||
	    oc_serial_from_bytes(octets + first, sizeof(octets) - first,
	    &r->given->serial) != OC_OK)
		return ca_refuse(r->x, CA_RULE_SERIAL, OC_ERR_REFUSED,
		    r->error, "serial: is no positive number");
	return OC_OK;
}

/* --- extensions --------------------------------------------------------- */

static enum oc_err
refuse(struct reading *r, size_t n, const char *what)
{
	return ca_refuse(r->x, CA_RULE_EXTENSION, OC_ERR_REFUSED, r->error,
	    "extensions[%zu]%s", n, what);
}

static enum oc_err
read_extension(struct reading *r, const json_t *item, size_t n)
{
	struct ca_request_extension *e = &r->given->extensions[n];
	uint8_t *octets = r->given->octets + r->used;
	const char *id = NULL, *value = "";
	size_t room = r->room - r->used;

	if (!json_is_object(item))
		return refuse(r, n, ": must be an object");
	if (net_json_get_string(item, "id", &id) != OC_OK || id == NULL ||
	    der_oid_parse(id, octets, room, &e->oid.len) != OC_OK)
		return refuse(r, n, ".id: is no dotted OID");
	if (net_json_get_boolean(item, "critical", &e->is_critical) != OC_OK)
		return refuse(r, n, ".critical: must be true or false");
	e->oid.p = octets;
	octets += e->oid.len;
	if (net_json_get_string(item, "value", &value) != OC_OK ||
	    oc_hex_decode(value, strlen(value), octets, room - e->oid.len,
	    &e->value.len) != OC_OK)
		return refuse(r, n, ".value: is not in hexadecimal");
	e->value.p = octets;
	r->used += e->oid.len + e->value.len;
	r->given->num_extensions++;
	return OC_OK;
}

static enum oc_err
read_extensions(struct reading *r, const json_t *document)
{
	const json_t *list = json_object_get(document, "extensions");
	enum oc_err err = OC_OK;

	if (list == NULL || json_is_null(list))
		return OC_OK;
	if (!json_is_array(list))
		return ca_refuse(r->x, CA_RULE_EXTENSION, OC_ERR_REFUSED,
		    r->error, "extensions: must be a list");
	if (json_array_size(list) > X509_EXTENSIONS_MAX)
		return ca_refuse(r->x, CA_RULE_EXTENSION, OC_ERR_REFUSED,
		    r->error, "extensions: there are more than %d",
		    X509_EXTENSIONS_MAX);
	for (size_t i = 0; err == OC_OK && i < json_array_size(list); i++)
		err = read_extension(r, json_array_get(list, i), i);
	return err;
}

/* An OID and a value take fewer octets than they have characters. */
static size_t
room_for(const json_t *document)
{
	const json_t *list = json_object_get(document, "extensions");
	size_t room = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		room += json_string_length(json_object_get(item, "id")) +
		    json_string_length(json_object_get(item, "value"));
	}
	return room;
}

enum oc_err
issuer_cfssl_read_given(const json_t *document, struct issuer_given **given,
    struct ca_explanation *x, struct oc_error *error)
{
	struct reading r = { .room = room_for(document), .x = x,
	    .error = error };
	enum oc_err err;

	*given = NULL;
	r.given = calloc(1, sizeof(*r.given) + r.room);
	if (r.given == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = refuse_others(&r, document);
	if (err == OC_OK)
		err = read_serial(&r, document);
	if (err == OC_OK)
		err = read_extensions(&r, document);
	if (err != OC_OK) {
		free(r.given);
		return err;
	}
	*given = r.given;
	return OC_OK;
}
