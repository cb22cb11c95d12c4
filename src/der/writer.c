/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DER writer: what each value's octets are, and the three things that
 * may be done with them: counted, written, recorded.
 */
#include "der/writer.h"

#include "base/bytes.h"
#include "der/header.h"
#include "der/reader.h"
#include "der/record.h"
#include "der/time.h"

/* Only the addresses matter. */
const uint8_t der_holes[DER_HOLES_MAX + 1];

static bool
is_time_hole(int64_t at)
{
	return at < DER_TIME_HOLE(DER_HOLES_MAX);
}

void
der_fail(struct der_writer *w, enum oc_err err)
{
	oc_assert(err != OC_OK);
	if (w->err == OC_OK)
		w->err = err;
}

static void
record(struct der_writer *w, enum oc_err err)
{
	if (err != OC_OK)
		der_fail(w, err);
}

/* Where the next len octets go; NULL if they are only counted, or there is no
 * room for so many in a length.  Not while recording. */
static inline uint8_t *
claim(struct der_writer *w, size_t len)
{
	uint8_t *at = NULL;

	if (w->mode == DER_WRITE) {
		/* More than was measured. */
		oc_assert(len <= w->out_max - w->len);
		at = w->out + w->len;
	} else if (len > UINT32_MAX - w->len) {
		/* Four length octets are the most we write. */
		der_fail(w, OC_ERR_LIMIT);
		return NULL;
	}
	w->len += len;
	return at;
}

static void
put(struct der_writer *w, struct der_bytes octets)
{
	uint8_t *at;

	if (w->err != OC_OK || octets.len == 0)
		return;
	if (w->mode == DER_RECORD)
		record(w, der_record_octets(w->record, octets));
	else if ((at = claim(w, octets.len)) != NULL)
		memcpy(at, octets.p, octets.len);
}

static void
put_hole(struct der_writer *w, struct der_bytes hole)
{
	if (w->err != OC_OK)
		return;
	oc_assert(w->mode == DER_RECORD);
	record(w, der_record_hole(w->record,
	    (unsigned int)(hole.p - &der_holes[1]), hole.len));
}

static void
put_octets_or_hole(struct der_writer *w, struct der_bytes octets)
{
	if (der_is_hole(octets))
		put_hole(w, octets);
	else
		put(w, octets);
}

void
der_begin(struct der_writer *w, uint8_t tag)
{
	uint32_t node;
	uint8_t *at;

	oc_assert((tag & 0x1f) != 0x1f);
	if (w->err != OC_OK)
		return;
	if (w->depth == DER_DEPTH_MAX) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	if (w->mode == DER_RECORD) {
		record(w, der_record_begin(w->record, tag));
		w->depth++;
		return;
	}
	node = w->num_nodes;
	if (w->mode == DER_WRITE) {
		oc_assert(node < w->num_measured);
		at = claim(w, der_header_len(w->sizes[node]));
		(void)der_put_header(at, tag, w->sizes[node]);
	} else if (node == DER_NODES_MAX) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	w->num_nodes++;
	w->open[w->depth] = node;
	w->start[w->depth] = w->len;
	w->depth++;
}

void
der_end(struct der_writer *w)
{
	size_t len;
	uint32_t node;

	if (w->err != OC_OK)
		return;
	oc_assert(w->depth > 0);
	w->depth--;
	if (w->mode == DER_RECORD) {
		record(w, der_record_end(w->record));
		return;
	}
	node = w->open[w->depth];
	len = w->len - w->start[w->depth];
	if (w->mode == DER_WRITE) {
		/* Other than was measured. */
		oc_assert(len == w->sizes[node]);
		return;
	}
	if (w->len > UINT32_MAX - DER_HEADER_MAX) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	w->sizes[node] = (uint32_t)len;
	w->len += der_header_len(len);
}

enum oc_err
der_write(der_put_fn *put_fn, const void *arg, uint8_t *out, size_t out_max,
    size_t *len)
{
	struct der_writer w;
	size_t measured;

	w.mode = DER_MEASURE;
	w.err = OC_OK;
	w.out = out;
	w.len = 0;
	w.out_max = 0;
	w.num_nodes = 0;
	w.num_measured = 0;
	w.depth = 0;
	w.record = NULL;
	put_fn(&w, arg);
	if (w.err != OC_OK)
		return w.err;
	oc_assert(w.depth == 0);
	measured = w.len;
	if (out == NULL) {
		*len = measured;
		return OC_OK;
	}
	if (measured > out_max)
		return OC_ERR_NO_SPACE;

	w.mode = DER_WRITE;
	w.len = 0;
	w.out_max = measured;
	w.num_measured = w.num_nodes;
	w.num_nodes = 0;
	put_fn(&w, arg);
	/* The function sees the same values: it can't fail only now. */
	oc_assert(w.err == OC_OK && w.depth == 0 && w.len == measured &&
	    w.num_nodes == w.num_measured);
	*len = measured;
	return OC_OK;
}

enum oc_err
der_record(struct der_template *t, der_put_fn *put_fn, const void *arg)
{
	struct der_writer w;

	w.mode = DER_RECORD;
	w.err = OC_OK;
	w.out = NULL;
	w.len = 0;
	w.out_max = 0;
	w.num_nodes = 0;
	w.num_measured = 0;
	w.depth = 0;
	w.record = t;
	put_fn(&w, arg);
	oc_assert(w.err != OC_OK || w.depth == 0);
	return w.err;
}

void
der_put_raw(struct der_writer *w, struct der_bytes tlv)
{
	put_octets_or_hole(w, tlv);
}

/* Its array would cost the others a guard on the stack. */
static __attribute__((noinline)) void
record_parts(struct der_writer *w, uint8_t tag, struct der_bytes first,
    struct der_bytes second)
{
	uint8_t header[DER_HEADER_MAX];
	size_t len;

	if (der_is_hole(second)) {
		der_begin(w, tag);
		put(w, first);
		put_hole(w, second);
		der_end(w);
		return;
	}
	len = der_put_header(header, tag, first.len + second.len);
	put(w, (struct der_bytes){ header, len });
	put(w, first);
	put(w, second);
}

/* A primitive value whose contents are a first part, which may be empty,
 * and a second, which may be a hole. */
static inline void
put_parts(struct der_writer *w, uint8_t tag, struct der_bytes first,
    struct der_bytes second)
{
	size_t len;
	uint8_t *at;

	oc_assert((tag & 0x1f) != 0x1f);
	if (w->err != OC_OK)
		return;
	if (second.len > UINT32_MAX - DER_HEADER_MAX - first.len) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	if (w->mode == DER_RECORD) {
		record_parts(w, tag, first, second);
		return;
	}
	oc_assert(!der_is_hole(second));
	len = first.len + second.len;
	at = claim(w, der_header_len(len) + len);
	if (at == NULL)
		return;
	at += der_put_header(at, tag, len);
	if (first.len > 0)
		memcpy(at, first.p, first.len);
	if (second.len > 0)
		memcpy(at + first.len, second.p, second.len);
}

void
der_put_primitive(struct der_writer *w, uint8_t tag, struct der_bytes contents)
{
	put_parts(w, tag, (struct der_bytes){ NULL, 0 }, contents);
}

void
der_put_boolean(struct der_writer *w, bool value)
{
	uint8_t octet = value ? 0xff : 0x00;

	der_put_primitive(w, DER_BOOLEAN, (struct der_bytes){ &octet, 1 });
}

void
der_put_integer(struct der_writer *w, struct der_bytes contents)
{
	if (!der_is_hole(contents) && !der_integer_is_valid(contents)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_put_primitive(w, DER_INTEGER, contents);
}

void
der_put_serial(struct der_writer *w, const struct oc_serial *serial)
{
	oc_assert(serial->len <= OC_SERIAL_MAX);
	der_put_integer(w, (struct der_bytes){ serial->bytes, serial->len });
}

static void
put_magnitude(struct der_writer *w, uint8_t tag, struct der_bytes magnitude)
{
	static const uint8_t zero[1] = { 0 };
	struct der_bytes sign = { zero, 0 };

	oc_assert(!der_is_hole(magnitude));
	while (magnitude.len > 0 && magnitude.p[0] == 0) {
		magnitude.p++;
		magnitude.len--;
	}
	if (magnitude.len == 0 || magnitude.p[0] >= 0x80)
		sign.len = 1;
	put_parts(w, tag, sign, magnitude);
}

void
der_put_magnitude(struct der_writer *w, struct der_bytes magnitude)
{
	put_magnitude(w, DER_INTEGER, magnitude);
}

static void
put_uint(struct der_writer *w, uint8_t tag, uint64_t value)
{
	uint8_t octets[sizeof(value)];
	size_t i;

	for (i = sizeof(octets); i-- > 0; value >>= 8)
		octets[i] = (uint8_t)value;
	put_magnitude(w, tag, DER_ARRAY(octets));
}

void
der_put_uint(struct der_writer *w, uint64_t value)
{
	put_uint(w, DER_INTEGER, value);
}

void
der_put_enum(struct der_writer *w, unsigned int value)
{
	put_uint(w, DER_ENUMERATED, value);
}

void
der_put_null(struct der_writer *w)
{
	der_put_primitive(w, DER_NULL, (struct der_bytes){ NULL, 0 });
}

void
der_put_octets(struct der_writer *w, struct der_bytes contents)
{
	der_put_primitive(w, DER_OCTET_STRING, contents);
}

void
der_put_bits(struct der_writer *w, struct der_bytes octets)
{
	static const uint8_t no_unused_bits[1] = { 0 };

	put_parts(w, DER_BIT_STRING, DER_ARRAY(no_unused_bits), octets);
}

void
der_put_named_bits(struct der_writer *w, uint32_t value)
{
	uint8_t contents[1 + sizeof(value)] = { 0 };
	size_t len = 1;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		if ((value >> i & 1) == 0)
			continue;
		contents[1 + i / 8] |= (uint8_t)(0x80u >> i % 8);
		contents[0] = (uint8_t)(7 - i % 8);
		len = 2 + i / 8;
	}
	der_put_primitive(w, DER_BIT_STRING, (struct der_bytes){ contents,
	    len });
}

void
der_put_oid(struct der_writer *w, enum der_oid oid)
{
	oc_assert(oid != DER_OID_UNKNOWN);
	der_put_primitive(w, DER_OID, der_oid_bytes(oid));
}

void
der_put_oid_bytes(struct der_writer *w, struct der_bytes contents)
{
	oc_assert(!der_is_hole(contents));
	if (!der_oid_is_valid(contents)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_put_primitive(w, DER_OID, contents);
}

void
der_put_utf8(struct der_writer *w, struct der_bytes text)
{
	oc_assert(!der_is_hole(text));
	if (text.len > 0 && !oc_utf8_is_valid(text.p, text.len)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_put_primitive(w, DER_UTF8_STRING, text);
}

/* X.680, 41.4 */
static bool
is_printable(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr(" '()+,-./:=?", c) != NULL);
}

void
der_put_printable(struct der_writer *w, struct der_bytes text)
{
	size_t i;

	oc_assert(!der_is_hole(text));
	for (i = 0; i < text.len; i++) {
		if (!is_printable(text.p[i])) {
			der_fail(w, OC_ERR_MALFORMED);
			return;
		}
	}
	der_put_primitive(w, DER_PRINTABLE_STRING, text);
}

void
der_put_ia5(struct der_writer *w, struct der_bytes text)
{
	size_t i;

	oc_assert(!der_is_hole(text));
	for (i = 0; i < text.len; i++) {
		if (text.p[i] >= 0x80) {
			der_fail(w, OC_ERR_MALFORMED);
			return;
		}
	}
	der_put_primitive(w, DER_IA5_STRING, text);
}

void
der_put_gentime(struct der_writer *w, int64_t at)
{
	/* Its length is known before it is. */
	uint8_t contents[DER_GENTIME_LEN] = { 0 };

	if (is_time_hole(at)) {
		der_put_primitive(w, DER_GENERALIZED_TIME,
		    DER_FIXED_HOLE(at - INT64_MIN, DER_GENTIME_LEN));
		return;
	}
	if (at < DER_TIME_MIN || at > DER_TIME_MAX) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	if (w->mode != DER_MEASURE)
		der_format_gentime(at, contents);
	der_put_primitive(w, DER_GENERALIZED_TIME, DER_ARRAY(contents));
}

void
der_put_time(struct der_writer *w, int64_t at)
{
	uint8_t contents[DER_UTCTIME_LEN] = { 0 };

	/* Which of the two types it is could not be known. */
	oc_assert(!is_time_hole(at));
	if (at > DER_UTCTIME_LAST) {
		der_put_gentime(w, at);
		return;
	}
	if (at < DER_UTCTIME_FIRST) {
		der_fail(w, OC_ERR_LIMIT);
		return;
	}
	if (w->mode != DER_MEASURE)
		der_format_utctime(at, contents);
	der_put_primitive(w, DER_UTC_TIME, DER_ARRAY(contents));
}
