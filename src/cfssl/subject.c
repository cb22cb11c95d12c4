/* SPDX-License-Identifier: Apache-2.0 */
#include "cfssl/subject.h"

#include <string.h>

#include "der/reader.h"
#include "x509/name.h"
#include "x509/name_types.h"

/* Of what has no place of its own. */
#define RANK_LAST UINT8_MAX

static uint8_t
rank_of(struct der_bytes oid)
{
	static const enum der_oid order[] = { DER_OID_COUNTRY, DER_OID_STATE,
	    DER_OID_LOCALITY, DER_OID_ORGANIZATION,
	    DER_OID_ORGANIZATIONAL_UNIT, DER_OID_STREET, DER_OID_POSTAL_CODE,
	    DER_OID_COMMON_NAME, DER_OID_SERIAL_NUMBER };
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (der_bytes_equal(der_oid_bytes(order[i]), oid))
			return (uint8_t)i;
	return RANK_LAST;
}

static struct der_bytes
attribute_at(const struct cfssl_subject *s, size_t i)
{
	return (struct der_bytes){ s->octets + s->attributes[i].at,
	    s->attributes[i].len };
}

/* The type of an AttributeTypeAndValue TLV. */
static struct der_bytes
type_of(struct der_bytes attribute)
{
	struct der_reader r = der_reader_of(attribute);
	struct der_bytes contents, oid = { NULL, 0 };

	if (der_get(&r, DER_SEQUENCE, &contents)) {
		r = der_reader_of(contents);
		(void)der_get(&r, DER_OID, &oid);
	}
	return oid;
}

/* An attribute of len octets was put behind those there are. */
static void
keep(struct cfssl_subject *s, struct der_bytes oid, size_t len)
{
	s->attributes[s->num_attributes].rank = rank_of(oid);
	s->attributes[s->num_attributes].at = (uint16_t)s->octets_len;
	s->attributes[s->num_attributes].len = (uint16_t)len;
	s->num_attributes++;
	s->octets_len += len;
}

struct attribute {
	const struct x509_name_type *type;
	struct der_bytes value;
};

static void
put_attribute(struct der_writer *w, const void *arg)
{
	const struct attribute *a = arg;

	x509_put_name_attribute(w, a->type, a->value);
}

/* A type that is not in our table, by its OID: any text. */
static bool
make_type(const char *text, uint8_t *octets, size_t max,
    struct x509_name_type *type)
{
	size_t len;

	if (der_oid_parse(text, octets, max, &len) != OC_OK)
		return false;
	*type = (struct x509_name_type){ .name = text,
	    .oid = { octets, len }, .form = X509_FORM_DIRECTORY,
	    .chars_max = OC_NAME_MAX };
	return true;
}

enum oc_err
cfssl_subject_add(struct cfssl_subject *s, const struct cfssl_place *place,
    const char *type, const char *value, struct oc_error *error)
{
	struct attribute a = { .value = { (const uint8_t *)value,
	    strlen(value) } };
	struct x509_name_type other;
	uint8_t octets[64];
	enum oc_err err;
	size_t len;

	a.type = x509_name_type_find(type, strlen(type));
	if (a.type == NULL && make_type(type, octets, sizeof(octets), &other))
		a.type = &other;
	if (a.type == NULL)
		return cfssl_json_error(place, OC_ERR_MALFORMED, error,
		    "\"%.40s\" is no dotted object identifier", type);
	err = x509_name_check_value(a.type, a.value, error);
	if (err != OC_OK) {
		cfssl_json_prefix(place, error);
		return err;
	}
	if (s->num_attributes == CFSSL_ATTRIBUTES_MAX ||
	    der_write(put_attribute, &a, s->octets + s->octets_len,
	    sizeof(s->octets) - s->octets_len, &len) != OC_OK)
		return cfssl_json_error(place, OC_ERR_LIMIT, error, "a name "
		    "has at most %d attributes and %d octets",
		    CFSSL_ATTRIBUTES_MAX, OC_NAME_MAX);
	keep(s, a.type->oid, len);
	return OC_OK;
}

void
cfssl_subject_remove(struct cfssl_subject *s, const char *type)
{
	const struct x509_name_type *t = x509_name_type_find(type,
	    strlen(type));
	size_t i, left = 0;

	for (i = 0; i < s->num_attributes; i++)
		if (t == NULL || !der_bytes_equal(type_of(attribute_at(s, i)),
		    t->oid))
			s->attributes[left++] = s->attributes[i];
	s->num_attributes = left;
}

static bool
has_type(const struct cfssl_subject *s, size_t num, struct der_bytes oid)
{
	size_t i;

	for (i = 0; i < num; i++)
		if (der_bytes_equal(type_of(attribute_at(s, i)), oid))
			return true;
	return false;
}

enum oc_err
cfssl_subject_fill(struct cfssl_subject *s, struct der_bytes name,
    struct oc_error *error)
{
	struct der_reader rdns, set, r = der_reader_of(name);
	const size_t num_own = s->num_attributes;
	struct der_bytes contents, attribute, oid;

	if (!x509_name_is_valid(name) ||
	    !der_get(&r, DER_SEQUENCE, &contents))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the request's subject is malformed");
	rdns = der_reader_of(contents);
	while (!der_at_end(&rdns) && der_get(&rdns, DER_SET, &contents)) {
		set = der_reader_of(contents);
		while (!der_at_end(&set) &&
		    der_get_tlv(&set, DER_SEQUENCE, &attribute)) {
			oid = type_of(attribute);
			if (has_type(s, num_own, oid))
				continue;
			if (s->num_attributes == CFSSL_ATTRIBUTES_MAX ||
			    attribute.len > sizeof(s->octets) - s->octets_len)
				return oc_error_set(error, OC_ERR_LIMIT,
				    "both subjects together are too long");
			memcpy(s->octets + s->octets_len, attribute.p,
			    attribute.len);
			keep(s, oid, attribute.len);
		}
	}
	return OC_OK;
}

/* --- writing ---------------------------------------------------------- */

/* X.690, 11.6: by their octets; of two that begin alike the shorter first. */
static bool
is_before(struct der_bytes a, struct der_bytes b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.p, b.p, least);

	return order != 0 ? order < 0 : a.len < b.len;
}

/* All of one rank, in one SET. */
static void
put_rank(struct der_writer *w, const struct cfssl_subject *s, uint8_t rank)
{
	struct der_bytes sorted[CFSSL_ATTRIBUTES_MAX], next;
	size_t num = 0, i, at;

	for (i = 0; i < s->num_attributes; i++) {
		if (s->attributes[i].rank != rank)
			continue;
		next = attribute_at(s, i);
		for (at = num++; at > 0 && is_before(next, sorted[at - 1]);
		    at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = next;
	}
	if (num == 0)
		return;
	der_begin(w, DER_SET);
	for (i = 0; i < num; i++)
		der_put_raw(w, sorted[i]);
	der_end(w);
}

static void
put_subject(struct der_writer *w, const void *arg)
{
	const struct cfssl_subject *s = arg;
	uint8_t rank;
	size_t i;

	der_begin(w, DER_SEQUENCE);
	for (rank = 0; rank <= rank_of(der_oid_bytes(DER_OID_SERIAL_NUMBER));
	    rank++)
		put_rank(w, s, rank);
	for (i = 0; i < s->num_attributes; i++) {
		if (s->attributes[i].rank != RANK_LAST)
			continue;
		der_begin(w, DER_SET);
		der_put_raw(w, attribute_at(s, i));
		der_end(w);
	}
	der_end(w);
}

enum oc_err
cfssl_subject_write(const struct cfssl_subject *s, uint8_t out[OC_NAME_MAX],
    size_t *len, struct oc_error *error)
{
	enum oc_err err = der_write(put_subject, s, out, OC_NAME_MAX, len);

	if (err == OC_ERR_NO_SPACE)
		return oc_error_set(error, OC_ERR_LIMIT, "the subject is "
		    "longer than %d octets", OC_NAME_MAX);
	if (err != OC_OK)
		return oc_error_set(error, err, "the subject cannot be "
		    "encoded: %s", oc_strerror(err));
	return OC_OK;
}
