/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names from text, RFC 4514 or with slashes, checked against
 * the upper bounds and alphabets of RFC 5280 appendix A.1, and written.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/name_types.h"

#define ATTRIBUTES_MAX 32

struct attribute {
	const struct x509_name_type *type;
	struct der_bytes value;		/* UTF-8, in names.values */
};

struct name {
	struct attribute attributes[ATTRIBUTES_MAX];
	uint32_t num_attributes;
	enum { IN_ORDER, REVERSED } order;
	uint8_t values[OC_NAME_MAX];
	size_t values_len;
};

struct parser {
	const char *p;
	char separator;			/* '/' or ',' */
	struct name *name;
	struct oc_error *error;
};

static bool
is_printable(struct der_bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9'))
			continue;
		if (c == '\0' || strchr(" '()+,-./:=?", c) == NULL)
			return false;
	}
	return true;
}

static bool
is_ascii(struct der_bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.p[i] >= 0x80)
			return false;
	return true;
}

static bool
is_country(struct der_bytes text)
{
	return text.len == 2 && text.p[0] >= 'A' && text.p[0] <= 'Z' &&
	    text.p[1] >= 'A' && text.p[1] <= 'Z';
}

static enum oc_err
check_form(const struct x509_name_type *type, struct der_bytes value,
    struct oc_error *error)
{
	switch (type->form) {
	case X509_FORM_DIRECTORY:
		return OC_OK;
	case X509_FORM_COUNTRY:
		if (!is_country(value))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "name: %s: must be two upper-case letters, like "
			    "DE", type->name);
		return OC_OK;
	case X509_FORM_PRINTABLE:
		if (!is_printable(value))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "name: %s: only letters, digits, space and "
			    "'()+,-./:=? are possible", type->name);
		return OC_OK;
	case X509_FORM_IA5:
		if (!is_ascii(value))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "name: %s: only ASCII is possible", type->name);
		return OC_OK;
	}
	return OC_ERR_INTERNAL;
}

enum oc_err
x509_name_check_value(const struct x509_name_type *type,
    struct der_bytes value, struct oc_error *error)
{
	struct der_bytes rest = value;
	uint32_t c, num_chars = 0;

	if (value.len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "name: %s: empty", type->name);
	if (value.p[0] == ' ' || value.p[value.len - 1] == ' ')
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "name: %s: begins or ends with a space", type->name);
	for (; rest.len != 0; num_chars++) {
		if (!x509_utf8_get(&rest, &c))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "name: %s: not UTF-8", type->name);
		if (x509_is_control(c))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "name: %s: holds a control character",
			    type->name);
	}
	if (num_chars > type->chars_max && type->form != X509_FORM_COUNTRY)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "name: %s: %u characters, at most %u are possible",
		    type->name, num_chars, type->chars_max);
	return check_form(type, value, error);
}

/* Everything up to '=', without spaces around it. */
static enum oc_err
parse_type(struct parser *s, const struct x509_name_type **type)
{
	const char *start = s->p + strspn(s->p, " ");
	const char *equals = strchr(start, '=');
	size_t len;

	if (equals == NULL)
		return oc_error_set(s->error, OC_ERR_MALFORMED,
		    "name: expected TYPE=value at \"%.40s\"", s->p);
	len = (size_t)(equals - start);
	while (len > 0 && start[len - 1] == ' ')
		len--;
	*type = x509_name_type_find(start, len);
	if (*type == NULL)
		return oc_error_set(s->error, OC_ERR_MALFORMED,
		    "name: %.*s: not an attribute known here",
		    len < 40 ? (int)len : 40, start);
	s->p = equals + 1;
	return OC_OK;
}

/* pair = ESC ( ESC / special / hexpair ), RFC 4514 section 3; and "\/". */
static bool
parse_escape(struct parser *s, uint8_t *octet)
{
	const char *p = s->p + 1;

	if (*p == '\0')
		return false;
	if (strchr("\\\"+,;<> #=/", *p) != NULL) {
		*octet = (uint8_t)*p;
		s->p += 2;
		return true;
	}
	if (oc_hex_value(p[0]) < 0 || oc_hex_value(p[1]) < 0)
		return false;
	*octet = (uint8_t)(oc_hex_value(p[0]) << 4 | oc_hex_value(p[1]));
	s->p += 3;
	return true;
}

/* One octet of a value, unescaped. */
static enum oc_err
parse_octet(struct parser *s, const struct x509_name_type *type,
    uint8_t *octet)
{
	if (*s->p == '\\') {
		if (!parse_escape(s, octet))
			return oc_error_set(s->error, OC_ERR_MALFORMED,
			    "name: %s: a backslash before neither a special "
			    "character nor two hex digits", type->name);
		return OC_OK;
	}
	if (*s->p == '+')
		return oc_error_set(s->error, OC_ERR_MALFORMED,
		    "name: %s: several attributes in one (\"+\") are not "
		    "taken; a plus sign is written \\+", type->name);
	if (s->separator == ',' && strchr("\";<>", *s->p) != NULL)
		return oc_error_set(s->error, OC_ERR_MALFORMED,
		    "name: %s: %c is written \\%c", type->name, *s->p, *s->p);
	*octet = (uint8_t)*s->p++;
	return OC_OK;
}

/* Up to the separator.  Spaces around it are layout in RFC 4514 order,
 * unless they are escaped. */
static enum oc_err
parse_value(struct parser *s, struct attribute *a)
{
	struct name *n = s->name;
	uint8_t *value = n->values + n->values_len;
	size_t len = 0, len_kept = 0;
	enum oc_err err;
	bool is_layout;

	if (s->separator == ',') {
		s->p += strspn(s->p, " ");
		if (*s->p == '#')
			return oc_error_set(s->error, OC_ERR_MALFORMED,
			    "name: %s: values in hex are not taken; a first "
			    "# is written \\#", a->type->name);
	}
	while (*s->p != '\0' && *s->p != s->separator) {
		/* parse() has checked that the text fits. */
		oc_assert(n->values_len + len < sizeof(n->values));
		is_layout = s->separator == ',' && *s->p == ' ';
		if ((err = parse_octet(s, a->type, &value[len])) != OC_OK)
			return err;
		len++;
		if (!is_layout)
			len_kept = len;
	}
	n->values_len += len_kept;
	a->value = (struct der_bytes){ value, len_kept };
	return x509_name_check_value(a->type, a->value, s->error);
}

static enum oc_err
parse(struct parser *s)
{
	struct name *n = s->name;
	enum oc_err err;

	if (strlen(s->p) > OC_NAME_MAX)
		return oc_error_set(s->error, OC_ERR_LIMIT,
		    "name: longer than %d octets", OC_NAME_MAX);
	for (;;) {
		struct attribute *a = &n->attributes[n->num_attributes];

		if (n->num_attributes == ATTRIBUTES_MAX)
			return oc_error_set(s->error, OC_ERR_LIMIT,
			    "name: more than %d attributes", ATTRIBUTES_MAX);
		if ((err = parse_type(s, &a->type)) != OC_OK ||
		    (err = parse_value(s, a)) != OC_OK)
			return err;
		n->num_attributes++;
		if (*s->p == '\0')
			return OC_OK;
		s->p++;
	}
}

void
x509_put_name_attribute(struct der_writer *w,
    const struct x509_name_type *type, struct der_bytes value)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid_bytes(w, type->oid);
	if (type->form == X509_FORM_IA5)
		der_put_ia5(w, value);
	else if (is_printable(value))
		der_put_printable(w, value);
	else
		der_put_utf8(w, value);
	der_end(w);
}

/* Name: a SEQUENCE of SETs of one SEQUENCE { type, value } each. */
static void
put_name(struct der_writer *w, const void *arg)
{
	const struct name *n = arg;
	uint32_t i, num = n->num_attributes;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < num; i++) {
		const struct attribute *a = &n->attributes[n->order ==
		    REVERSED ? num - 1 - i : i];

		der_begin(w, DER_SET);
		x509_put_name_attribute(w, a->type, a->value);
		der_end(w);
	}
	der_end(w);
}

enum oc_err
x509_name_parse(const char *text, uint8_t *out, size_t out_max, size_t *len,
    struct oc_error *error)
{
	struct name name = { .num_attributes = 0 };
	struct parser s = { text, ',', &name, error };
	enum oc_err err;
	size_t size;

	name.order = REVERSED;
	if (*text == '/') {
		s.separator = '/';
		s.p++;
		name.order = IN_ORDER;
	}
	if (*s.p != '\0' && (err = parse(&s)) != OC_OK)
		return err;
	if ((err = der_write(put_name, &name, NULL, 0, &size)) != OC_OK)
		return oc_error_set(error, err, "name: cannot be encoded: %s",
		    oc_strerror(err));
	if (size > OC_NAME_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "name: longer than %d octets in DER", OC_NAME_MAX);
	err = der_write(put_name, &name, out, out_max, len);
	if (err != OC_OK)
		return oc_error_set(error, err, "name: no room for it");
	return OC_OK;
}
