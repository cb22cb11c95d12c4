/* SPDX-License-Identifier: Apache-2.0 */
/* What of the DER reader is not on the hot path: values, and the walk. */
#include "der/reader.h"

#include "der/oid.h"
#include "der/time.h"
#include "der/writer.h"		/* DER_DEPTH_MAX */

static bool
fail(struct der_reader *r)
{
	der_reader_fail(r);
	return false;
}

bool
der_bit_string_is_valid(struct der_bytes c)
{
	uint8_t unused;

	if (c.len == 0)
		return false;
	unused = c.p[0];
	if (c.len == 1)
		return unused == 0;
	return unused < 8 && (c.p[c.len - 1] & ((1u << unused) - 1)) == 0;
}

bool
der_get_uint(struct der_reader *r, uint64_t *value)
{
	struct der_bytes c;
	uint64_t v = 0;
	size_t i;

	if (!der_get_integer(r, &c))
		return false;
	if (c.p[0] >= 0x80 || c.len > sizeof(v) + (c.p[0] == 0))
		return fail(r);
	for (i = 0; i < c.len; i++)
		v = v << 8 | c.p[i];
	*value = v;
	return true;
}

bool
der_get_enum(struct der_reader *r, unsigned int *value)
{
	struct der_bytes c;

	if (!der_get(r, DER_ENUMERATED, &c))
		return false;
	if (!der_integer_is_valid(c) || c.p[0] >= 0x80 ||
	    c.len > 1 + (c.p[0] == 0))
		return fail(r);
	*value = c.p[c.len - 1];
	return true;
}

bool
der_get_boolean(struct der_reader *r, bool *value)
{
	struct der_bytes c;

	if (!der_get(r, DER_BOOLEAN, &c))
		return false;
	if (c.len != 1 || (c.p[0] != 0x00 && c.p[0] != 0xff))
		return fail(r);
	*value = c.p[0] == 0xff;
	return true;
}

bool
der_get_null(struct der_reader *r)
{
	struct der_bytes c;

	if (!der_get(r, DER_NULL, &c))
		return false;
	return c.len == 0 || fail(r);
}

bool
der_get_bits(struct der_reader *r, struct der_bytes *octets)
{
	struct der_bytes c;

	if (!der_get(r, DER_BIT_STRING, &c))
		return false;
	if (c.len == 0 || c.p[0] != 0)
		return fail(r);
	*octets = (struct der_bytes){ c.p + 1, c.len - 1 };
	return true;
}

bool
der_get_named_bits(struct der_reader *r, uint32_t *value)
{
	struct der_bytes c;
	uint32_t v = 0;
	size_t i;

	if (!der_get(r, DER_BIT_STRING, &c))
		return false;
	if (!der_bit_string_is_valid(c) || c.len > 1 + sizeof(v))
		return fail(r);
	/* The last bit that is there must be a one. */
	if (c.len > 1 && (c.p[c.len - 1] >> c.p[0] & 1) == 0)
		return fail(r);
	for (i = 0; i < 8 * (c.len - 1); i++)
		if (c.p[1 + i / 8] & 0x80u >> i % 8)
			v |= UINT32_C(1) << i;
	*value = v;
	return true;
}

bool
der_get_oid(struct der_reader *r, struct der_bytes *contents)
{
	struct der_bytes c;

	if (!der_get(r, DER_OID, &c))
		return false;
	if (!der_oid_is_valid(c))
		return fail(r);
	*contents = c;
	return true;
}

bool
der_get_serial(struct der_reader *r, struct oc_serial *serial)
{
	struct der_bytes c;

	if (!der_get_integer(r, &c))
		return false;
	return oc_serial_from_bytes(c.p, c.len, serial) == OC_OK || fail(r);
}

bool
der_get_gentime(struct der_reader *r, int64_t *at)
{
	struct der_bytes c;

	if (!der_get(r, DER_GENERALIZED_TIME, &c))
		return false;
	return der_parse_gentime(c, at) == OC_OK || fail(r);
}

/*
 * Time ::= CHOICE {
 *     utcTime      UTCTime,             dates to 2049
 *     generalTime  GeneralizedTime }    from 2050
 */
bool
der_get_time(struct der_reader *r, int64_t *at)
{
	struct der_bytes c;
	int64_t value;

	if (!der_next_is(r, DER_UTC_TIME)) {
		if (!der_get_gentime(r, &value))
			return false;
		/* RFC 5280, 4.1.2.5 */
		if (value <= DER_UTCTIME_LAST)
			return fail(r);
		*at = value;
		return true;
	}
	if (!der_get(r, DER_UTC_TIME, &c))
		return false;
	return der_parse_utctime(c, at) == OC_OK || fail(r);
}

bool
der_read_whole(struct der_bytes bytes, uint8_t tag, struct der_bytes *contents)
{
	struct der_reader r = der_reader_of(bytes);
	struct der_bytes c;

	if (!der_get(&r, tag, &c) || !der_is_done(&r))
		return false;
	*contents = c;
	return true;
}

/* X.690, 11.7: seconds always, a fraction without trailing zeros, Z. */
static bool
is_generalized_time(struct der_bytes c)
{
	uint8_t whole[DER_GENTIME_LEN];
	int64_t at;
	size_t i;

	if (c.len < DER_GENTIME_LEN)
		return false;
	if (c.len > DER_GENTIME_LEN) {
		if (c.p[DER_GENTIME_LEN - 1] != '.' ||
		    c.p[c.len - 1] != 'Z' || c.p[c.len - 2] == '0' ||
		    c.len == DER_GENTIME_LEN + 1)
			return false;
		for (i = DER_GENTIME_LEN; i < c.len - 1; i++)
			if (c.p[i] < '0' || c.p[i] > '9')
				return false;
	}
	memcpy(whole, c.p, DER_GENTIME_LEN - 1);
	whole[DER_GENTIME_LEN - 1] = c.p[c.len - 1];
	return der_parse_gentime((struct der_bytes){ whole, sizeof(whole) },
	    &at) == OC_OK;
}

/* Constructed or primitive as the type must be (X.690, 10.2), and for
 * primitive ones the contents.  Only of the universal class: what a context
 * tag stands for cannot be seen. */
static bool
is_universal_valid(uint8_t tag, struct der_bytes c)
{
	int64_t at;

	switch (tag) {
	case DER_BOOLEAN:
		return c.len == 1 && (c.p[0] == 0x00 || c.p[0] == 0xff);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return der_integer_is_valid(c);
	case DER_BIT_STRING:
		return der_bit_string_is_valid(c);
	case DER_NULL:
		return c.len == 0;
	case DER_OID:
		return der_oid_is_valid(c);
	case DER_UTC_TIME:
		return der_parse_utctime(c, &at) == OC_OK;
	case DER_GENERALIZED_TIME:
		return is_generalized_time(c);
	case 0x00:			/* end-of-contents, 8.1.5 */
	case 0x0f:			/* reserved, X.680 8.4 */
		return false;
	case 0x08:			/* EXTERNAL, */
	case 0x0b:			/* EMBEDDED PDV, */
	case DER_SEQUENCE & 0x1f:
	case DER_SET & 0x1f:
	case 0x1d:			/* CHARACTER STRING: constructed */
		return false;
	case 0x28:
	case 0x2b:
	case DER_SEQUENCE:
	case DER_SET:
	case 0x3d:
		return true;
	default:
		return (tag & 0x20) == 0;
	}
}

/* A constructed value that the walk is inside of. */
struct level {
	struct der_reader r;
	bool is_set;
	struct der_bytes last;		/* the element before */
};

/* X.690, 11.6: elements ascend as octet strings, the shorter one padded
 * with zeros; TLVs of which none is a prefix of another need no padding. */
static bool
is_ascending(struct der_bytes a, struct der_bytes b)
{
	return memcmp(a.p, b.p, a.len < b.len ? a.len : b.len) <= 0;
}

/* One element, which must fit where it is; its contents. */
static bool
walk_one(struct level *level, uint8_t *tag, struct der_bytes *contents)
{
	struct der_bytes tlv;

	if (!der_get_any(&level->r, tag, contents, &tlv))
		return false;
	if ((*tag & 0xc0) == 0 && !is_universal_valid(*tag, *contents))
		return false;
	/* A SET has no two elements of one tag: then it is a SET OF. */
	if (level->is_set && level->last.len > 0 && level->last.p[0] == *tag &&
	    !is_ascending(level->last, tlv))
		return false;
	level->last = tlv;
	return true;
}

bool
der_is_valid(struct der_bytes bytes)
{
	struct level levels[DER_DEPTH_MAX + 1];
	struct der_bytes contents;
	unsigned int depth = 0;
	uint8_t tag;

	if (bytes.len == 0)
		return false;
	levels[0] = (struct level){ .r = der_reader_of(bytes) };
	for (;;) {
		if (der_at_end(&levels[depth].r)) {
			if (depth == 0)
				return true;
			depth--;
			continue;
		}
		if (!walk_one(&levels[depth], &tag, &contents))
			return false;
		if ((tag & 0x20) == 0)
			continue;
		if (depth == DER_DEPTH_MAX)
			return false;
		levels[++depth] = (struct level){
			.r = der_reader_of(contents),
			.is_set = tag == DER_SET
		};
	}
}
