/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names, RFC 5280 section 4.1.2.4, read and shown (RFC 4514).
 *
 * Names are compared and copied as octets; what is decoded here is only
 * checked, looked up or printed.
 */
#include "x509/name.h"

#include <stdio.h>

#include "base/limits.h"
#include "der/reader.h"
#include "x509/name_types.h"

enum {
	NUMERIC_STRING = 0x12,
	UNIVERSAL_STRING = 0x1c
};

/* One AttributeTypeAndValue; views. */
struct attribute {
	struct der_bytes type;		/* OID contents */
	uint8_t tag;			/* of the value */
	struct der_bytes value;		/* its contents */
	struct der_bytes value_tlv;
};

/*
 * The next character of a string of this type.  TeletexString is taken for
 * Latin-1, as everybody does.  False at the end, or if it is malformed:
 * rest->len tells which.
 */
static bool
get_character(uint8_t tag, struct der_bytes *rest, uint32_t *character)
{
	size_t width = 1, i;
	uint32_t c = 0;

	if (tag == DER_UTF8_STRING)
		return x509_utf8_get(rest, character);
	if (tag == DER_BMP_STRING)
		width = 2;
	else if (tag == UNIVERSAL_STRING)
		width = 4;
	if (rest->len < width)
		return false;
	for (i = 0; i < width; i++)
		c = c << 8 | rest->p[i];
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	rest->p += width;
	rest->len -= width;
	*character = c;
	return true;
}

/* Whole characters, and none of them NUL: what is behind a NUL has fooled
 * readers in C before. */
static bool
is_string(uint8_t tag, struct der_bytes value)
{
	uint32_t c;

	while (get_character(tag, &value, &c))
		if (c == 0)
			return false;
	return value.len == 0;
}

/* The string types of DirectoryString and those that attributes of their own
 * have; x500UniqueIdentifier is a BIT STRING. */
static bool
is_value(uint8_t tag, struct der_bytes value)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_TELETEX_STRING:
	case DER_IA5_STRING:
	case UNIVERSAL_STRING:
	case DER_BMP_STRING:
		return is_string(tag, value);
	case DER_BIT_STRING:
		return der_bit_string_is_valid(value);
	}
	return false;
}

/*
 * AttributeTypeAndValue ::= SEQUENCE {
 *     type   OBJECT IDENTIFIER,
 *     value  ANY DEFINED BY type }
 */
static bool
get_attribute(struct der_reader *r, struct attribute *a)
{
	struct der_reader inner;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &a->type);
	der_get_any(&inner, &a->tag, &a->value, &a->value_tlv);
	return der_leave(r, &inner);
}

/* RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue */
bool
x509_rdn_is_valid(struct der_bytes contents)
{
	struct der_reader r = der_reader_of(contents);
	struct attribute a;

	if (contents.len == 0)
		return false;
	while (!der_at_end(&r))
		if (!get_attribute(&r, &a) || !is_value(a.tag, a.value))
			return false;
	return der_is_done(&r);
}

/* Name ::= CHOICE { rdnSequence SEQUENCE OF RelativeDistinguishedName } */
bool
x509_name_is_valid(struct der_bytes name)
{
	struct der_bytes contents, rdn;
	struct der_reader r;

	if (name.len > OC_NAME_MAX ||
	    !der_read_whole(name, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	while (!der_at_end(&r))
		if (!der_get(&r, DER_SET, &rdn) || !x509_rdn_is_valid(rdn))
			return false;
	return der_is_done(&r);
}

bool
x509_name_is_empty(struct der_bytes name)
{
	struct der_bytes contents;

	return der_read_whole(name, DER_SEQUENCE, &contents) &&
	    contents.len == 0;
}

bool
x509_name_find(struct der_bytes name, enum der_oid attribute,
    struct der_bytes *value)
{
	struct der_reader r, rdn;
	struct der_bytes contents;
	struct attribute a;

	if (!der_read_whole(name, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	while (der_enter_optional(&r, DER_SET, &rdn)) {
		while (!der_at_end(&rdn) && get_attribute(&rdn, &a)) {
			if (der_oid_find(a.type) != attribute)
				continue;
			*value = a.value;
			return true;
		}
	}
	return false;
}

void
x509_name_begin(struct der_bytes name, struct x509_name_cursor *cursor)
{
	struct der_bytes contents = { NULL, 0 };

	if (!der_read_whole(name, DER_SEQUENCE, &contents))
		contents = (struct der_bytes){ NULL, 0 };
	cursor->rdns = der_reader_of(contents);
	cursor->rdn = der_reader_of((struct der_bytes){ NULL, 0 });
}

bool
x509_name_next(struct x509_name_cursor *cursor, enum der_oid *attribute,
    struct der_bytes *value)
{
	struct attribute a;

	if (der_at_end(&cursor->rdn) &&
	    !der_enter_optional(&cursor->rdns, DER_SET, &cursor->rdn))
		return false;
	if (!get_attribute(&cursor->rdn, &a))
		return false;
	*attribute = der_oid_find(a.type);
	*value = a.value;
	return true;
}

/* The next character of a value as it is compared: lower case, and any run
 * of spaces as one.  False at the end. */
static bool
get_compared(uint8_t tag, struct der_bytes *rest, uint32_t *c)
{
	struct der_bytes ahead;
	uint32_t next;

	if (!get_character(tag, rest, c))
		return false;
	if (*c >= 'A' && *c <= 'Z')
		*c += 'a' - 'A';
	for (ahead = *rest; *c == ' ' && get_character(tag, &ahead, &next) &&
	    next == ' ';)
		*rest = ahead;
	return true;
}

static bool
is_same_value(const struct attribute *a, const struct attribute *b)
{
	struct der_bytes rest_a = a->value, rest_b = b->value;
	uint32_t c_a = 0, c_b = 0;
	bool has_a, has_b;

	if (!der_bytes_equal(a->type, b->type))
		return false;
	if (a->tag == DER_BIT_STRING || b->tag == DER_BIT_STRING)
		return der_bytes_equal(a->value_tlv, b->value_tlv);
	do {
		has_a = get_compared(a->tag, &rest_a, &c_a);
		has_b = get_compared(b->tag, &rest_b, &c_b);
	} while (has_a && has_b && c_a == c_b);
	return !has_a && !has_b && rest_a.len == 0 && rest_b.len == 0;
}

/* RDNs are nearly always of one attribute; those of more are compared in
 * DER's order of the SET. */
static bool
is_same_rdn(struct der_reader *a, struct der_reader *b)
{
	struct attribute in_a, in_b;

	while (!der_at_end(a) && !der_at_end(b))
		if (!get_attribute(a, &in_a) || !get_attribute(b, &in_b) ||
		    !is_same_value(&in_a, &in_b))
			return false;
	return der_is_done(a) && der_is_done(b);
}

bool
x509_name_is_below(struct der_bytes name, struct der_bytes base)
{
	struct x509_name_cursor n, b;

	x509_name_begin(name, &n);
	x509_name_begin(base, &b);
	while (der_enter_optional(&b.rdns, DER_SET, &b.rdn))
		if (!der_enter_optional(&n.rdns, DER_SET, &n.rdn) ||
		    !is_same_rdn(&n.rdn, &b.rdn))
			return false;
	return true;
}

/* Text that grows to a limit, in units that are not torn: a character or an
 * escape. */
struct text {
	char *out;
	size_t len;
	size_t uncut_len;	/* the last len with room for "..." */
	bool is_cut;
};

static void
put_unit(struct text *t, const char *unit, size_t len)
{
	if (t->is_cut || t->len + len > X509_NAME_TEXT_MAX - 1) {
		t->is_cut = true;
		return;
	}
	memcpy(t->out + t->len, unit, len);
	t->len += len;
	if (t->len <= X509_NAME_TEXT_MAX - sizeof("..."))
		t->uncut_len = t->len;
}

static void
put_text(struct text *t, const char *s)
{
	put_unit(t, s, strlen(s));
}

/* #XX..., the value in DER: RFC 4514, 2.4. */
static void
put_hex(struct text *t, struct der_bytes tlv)
{
	char unit[3];
	size_t i;

	put_text(t, "#");
	for (i = 0; i < tlv.len; i++) {
		snprintf(unit, sizeof(unit), "%02X", tlv.p[i]);
		put_unit(t, unit, 2);
	}
}

static size_t
utf8_put(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

enum place { PLACE_FIRST = 1, PLACE_LAST = 2 };

static bool
is_special(uint32_t c, unsigned int place)
{
	if (c == ' ')
		return place != 0;
	if (c == '#')
		return (place & PLACE_FIRST) != 0;
	return c < 0x80 && c != 0 && strchr("\"+,;<>\\", (int)c) != NULL;
}

/* One character with the escapes of RFC 4514, 2.4. */
static void
put_character(struct text *t, uint32_t c, unsigned int place)
{
	uint8_t utf8[4];
	char unit[13];
	size_t len, i;

	len = utf8_put(c, utf8);
	if (x509_is_control(c)) {
		for (i = 0; i < len; i++)
			snprintf(unit + 3 * i, 4, "\\%02X", utf8[i]);
		put_unit(t, unit, 3 * len);
		return;
	}
	i = 0;
	if (is_special(c, place))
		unit[i++] = '\\';
	memcpy(unit + i, utf8, len);
	put_unit(t, unit, i + len);
}

static void
put_value(struct text *t, const struct attribute *a)
{
	struct der_bytes rest = a->value;
	unsigned int place;
	uint32_t c;

	if (x509_name_type_of(a->type) == NULL || a->tag == DER_BIT_STRING ||
	    !is_value(a->tag, a->value)) {
		put_hex(t, a->value_tlv);
		return;
	}
	for (place = PLACE_FIRST; get_character(a->tag, &rest, &c);
	    place = 0) {
		if (rest.len == 0)
			place |= PLACE_LAST;
		put_character(t, c, place);
	}
}

static void
put_rdn(struct text *t, struct der_bytes rdn)
{
	const struct x509_name_type *type;
	struct der_reader r = der_reader_of(rdn);
	char dotted[DER_OID_TEXT_MAX];
	struct attribute a;
	bool is_first = true;

	while (!der_at_end(&r) && get_attribute(&r, &a)) {
		if (!is_first)
			put_text(t, "+");
		is_first = false;
		if ((type = x509_name_type_of(a.type)) != NULL) {
			put_text(t, type->name);
		} else {
			der_oid_format(a.type, dotted);
			put_text(t, dotted);
		}
		put_text(t, "=");
		put_value(t, &a);
	}
}

/* The index-th RDN; contents are those of a valid Name. */
static struct der_bytes
find_rdn(struct der_bytes contents, size_t index)
{
	struct der_reader r = der_reader_of(contents);
	struct der_bytes rdn = { NULL, 0 };

	do
		der_get(&r, DER_SET, &rdn);
	while (index-- > 0);
	return rdn;
}

static size_t
count_rdns(struct der_bytes contents)
{
	struct der_reader r = der_reader_of(contents);
	struct der_bytes rdn;
	size_t n = 0;

	while (!der_at_end(&r) && der_get(&r, DER_SET, &rdn))
		n++;
	return n;
}

void
x509_name_format(struct der_bytes name, char out[X509_NAME_TEXT_MAX])
{
	struct text t = { .out = out };
	struct der_bytes contents;
	size_t i, n;

	if (!x509_name_is_valid(name) ||
	    !der_read_whole(name, DER_SEQUENCE, &contents)) {
		snprintf(out, X509_NAME_TEXT_MAX, "(malformed name)");
		return;
	}
	/* The last comes first: RFC 4514, 2.1. */
	n = count_rdns(contents);
	for (i = n; i-- > 0 && !t.is_cut;) {
		if (i != n - 1)
			put_text(&t, ",");
		put_rdn(&t, find_rdn(contents, i));
	}
	if (t.is_cut) {
		t.len = t.uncut_len;
		memcpy(out + t.len, "...", 3);
		t.len += 3;
	}
	out[t.len] = '\0';
}
