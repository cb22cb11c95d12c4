/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DER reader: a cursor over borrowed octets that takes strict DER only
 * (X.690: definite, minimal lengths; tag numbers below 31).  Failure is
 * sticky: a failed reader is empty and every later get fails, so a type is
 * read straight down and checked once.  Inline: the OCSP request walk is
 * three times faster so.  Never allocates, never reads past end.
 */
#ifndef DER_READER_H
#define DER_READER_H

#include "base/err.h"
#include "base/serial.h"
#include "der/bytes.h"
#include "der/tag.h"

struct der_reader {
	const uint8_t *p, *end;
	bool has_failed;
};

static inline struct der_reader
der_reader_of(struct der_bytes bytes)
{
	/* Empty may be NULL, to which C adds nothing, not even 0. */
	return (struct der_reader){ bytes.p,
	    bytes.len == 0 ? bytes.p : bytes.p + bytes.len, false };
}

static inline void
der_reader_fail(struct der_reader *r)
{
	r->has_failed = true;
	r->p = r->end;
}

/* True at the end of what there is, and after a failure. */
static inline bool
der_at_end(const struct der_reader *r)
{
	return r->p == r->end;
}

/* True if everything was read and nothing failed. */
static inline bool
der_is_done(const struct der_reader *r)
{
	return !r->has_failed && r->p == r->end;
}

static inline bool
der_next_is(const struct der_reader *r, uint8_t tag)
{
	return r->p != r->end && *r->p == tag;
}

/*
 * One TLV of any tag.  *contents and *tlv (the whole of it) may be NULL.
 */
static inline bool
der_get_any(struct der_reader *r, uint8_t *tag, struct der_bytes *contents,
    struct der_bytes *tlv)
{
	const uint8_t *p = r->p;
	size_t left = (size_t)(r->end - p), len, i, num_octets;

	if (left < 2 || (p[0] & 0x1f) == 0x1f)
		goto fail;
	len = p[1];
	p += 2;
	left -= 2;
	if (len >= 0x80) {
		num_octets = len & 0x7f;
		if (num_octets == 0 || num_octets > 4 || num_octets > left ||
		    p[0] == 0)
			goto fail;
		for (len = 0, i = 0; i < num_octets; i++)
			len = len << 8 | p[i];
		if (len < 0x80)
			goto fail;
		p += num_octets;
		left -= num_octets;
	}
	if (len > left)
		goto fail;
	*tag = r->p[0];
	if (contents != NULL)
		*contents = (struct der_bytes){ p, len };
	if (tlv != NULL)
		*tlv = (struct der_bytes){ r->p, (size_t)(p - r->p) + len };
	r->p = p + len;
	return true;
fail:
	der_reader_fail(r);
	return false;
}

/* One TLV of this tag; its contents. */
static inline bool
der_get(struct der_reader *r, uint8_t tag, struct der_bytes *contents)
{
	uint8_t found;

	if (!der_next_is(r, tag)) {
		der_reader_fail(r);
		return false;
	}
	return der_get_any(r, &found, contents, NULL);
}

/* One TLV of this tag, header included. */
static inline bool
der_get_tlv(struct der_reader *r, uint8_t tag, struct der_bytes *tlv)
{
	uint8_t found;

	if (!der_next_is(r, tag)) {
		der_reader_fail(r);
		return false;
	}
	return der_get_any(r, &found, NULL, tlv);
}

/* Enters a constructed value: inner reads its contents. */
static inline bool
der_enter(struct der_reader *r, uint8_t tag, struct der_reader *inner)
{
	struct der_bytes contents;

	if (!der_get(r, tag, &contents)) {
		*inner = (struct der_reader){ NULL, NULL, true };
		return false;
	}
	*inner = der_reader_of(contents);
	return true;
}

/* Enters it if it is next.  False, without failing, if it is not. */
static inline bool
der_enter_optional(struct der_reader *r, uint8_t tag, struct der_reader *inner)
{
	return der_next_is(r, tag) && der_enter(r, tag, inner);
}

/* Leaves a constructed value: what is left unread in it is a failure of the
 * outer reader, and so is a failure inside. */
static inline bool
der_leave(struct der_reader *r, const struct der_reader *inner)
{
	if (!der_is_done(inner)) {
		der_reader_fail(r);
		return false;
	}
	return true;
}

/* Contents of an INTEGER or ENUMERATED: minimal (X.690, 8.3.2). */
static inline bool
der_integer_is_valid(struct der_bytes c)
{
	return c.len == 1 || (c.len > 1 &&
	    !(c.p[0] == 0x00 && c.p[1] < 0x80) &&
	    !(c.p[0] == 0xff && c.p[1] >= 0x80));
}

/* Contents of a BIT STRING: how many bits are unused, 0 to 7, and these are
 * zero (X.690, 8.6.2 and 11.2.1). */
bool der_bit_string_is_valid(struct der_bytes contents);

/* INTEGER contents of any size. */
static inline bool
der_get_integer(struct der_reader *r, struct der_bytes *contents)
{
	struct der_bytes c;

	if (!der_get(r, DER_INTEGER, &c))
		return false;
	if (!der_integer_is_valid(c)) {
		der_reader_fail(r);
		return false;
	}
	*contents = c;
	return true;
}

/* The rest, out of line in reader.c: not on the hot path. */

/* INTEGER 0 .. 2^64-1. */
bool der_get_uint(struct der_reader *r, uint64_t *value);
/* ENUMERATED 0 .. 255. */
bool der_get_enum(struct der_reader *r, unsigned int *value);
/* BOOLEAN: 00 or FF only (X.690, 11.1). */
bool der_get_boolean(struct der_reader *r, bool *value);
bool der_get_null(struct der_reader *r);
/* BIT STRING with no unused bits; its octets. */
bool der_get_bits(struct der_reader *r, struct der_bytes *octets);
/* BIT STRING of named bits: bit n of the type is bit n of *value; at most
 * 32, unused bits zero, no trailing zero bits (X.690, 11.2). */
bool der_get_named_bits(struct der_reader *r, uint32_t *value);
/* OBJECT IDENTIFIER contents, checked to be whole, minimal arcs. */
bool der_get_oid(struct der_reader *r, struct der_bytes *contents);
/* A certificate serial: positive, at most 20 octets. */
bool der_get_serial(struct der_reader *r, struct oc_serial *serial);
/* GeneralizedTime YYYYMMDDHHMMSSZ, no fraction; Unix seconds. */
bool der_get_gentime(struct der_reader *r, int64_t *at);
/* RFC 5280 Time: UTCTime YYMMDDHHMMSSZ (1950 to 2049) or GeneralizedTime;
 * strictly, GeneralizedTime only from 2050. */
bool der_get_time(struct der_reader *r, int64_t *at);

/* Checks that bytes are exactly one TLV of this tag; its contents. */
bool der_read_whole(struct der_bytes bytes, uint8_t tag,
    struct der_bytes *contents);

/*
 * Walks everything, descending into every constructed value, to at most
 * DER_DEPTH_MAX levels (der/writer.h): true if it is one value or more, and
 * all of it is DER.  For values of universal tags that takes in their form
 * (primitive or constructed) and contents, and the order in a SET OF as far
 * as it can be seen: between neighbours of one tag.
 */
bool der_is_valid(struct der_bytes bytes);

#endif
