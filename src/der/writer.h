/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DER writer (X.690).  A type is written by one function, in the order
 * of its ASN.1, with der_begin()/der_end() around what is constructed.
 *
 * der_write() runs that function twice: first to measure every begin..end,
 * then to write, headers in their final size, so that nothing is shifted.
 * der_template_compile() (der/template.h) runs the same function a third
 * way: it records it, with holes, for the hot path.
 *
 * The writer's failure is sticky: after the first every put is a no-op, and
 * der_write() reports it, once.  Never allocates.
 */
#ifndef DER_WRITER_H
#define DER_WRITER_H

#include "base/err.h"
#include "base/serial.h"
#include "der/bytes.h"
#include "der/oid.h"
#include "der/tag.h"

/* Constructed values in one der_write(), and how deep they nest.  What has
 * more of them (a CRL's entries) is written in pieces. */
#define DER_NODES_MAX 512
#define DER_DEPTH_MAX 24

/*
 * A hole in a template: what is passed instead of a value that will differ
 * from one filling to the next.  DER_HOLE(i) stands for octets of any length
 * (the contents of an INTEGER or OCTET STRING, or raw DER), DER_FIXED_HOLE(i,
 * n) for n octets, 1 to DER_FIXED_HOLE_MAX, which is filled faster, and
 * DER_TIME_HOLE(i) for a GeneralizedTime.  A writer that is not recording
 * asserts on it, and so does every put that has to look at its value (text,
 * OIDs, magnitudes).
 * A hole is known by its address.  The element before the first is no hole: it
 * may be where another, empty array ends.
 */
#define DER_HOLES_MAX 16
extern const uint8_t der_holes[DER_HOLES_MAX + 1];
#define DER_HOLE(i) DER_FIXED_HOLE(i, 0)
#define DER_FIXED_HOLE(i, n) ((struct der_bytes){ &der_holes[(i) + 1], (n) })
#define DER_FIXED_HOLE_MAX 255
#define DER_TIME_HOLE(i) (INT64_MIN + (i))

static inline bool
der_is_hole(struct der_bytes bytes)
{
	return (uintptr_t)bytes.p - (uintptr_t)&der_holes[1] < DER_HOLES_MAX;
}

struct der_template;

enum der_writer_mode { DER_MEASURE, DER_WRITE, DER_RECORD };

struct der_writer {
	enum der_writer_mode mode;
	enum oc_err err;		/* sticky */
	uint8_t *out;			/* DER_WRITE: the caller's */
	size_t len;			/* octets so far */
	size_t out_max;
	uint32_t sizes[DER_NODES_MAX];	/* contents of the n-th begin..end */
	uint32_t num_nodes;		/* begun so far */
	uint32_t num_measured;		/* DER_WRITE: all there must be */
	uint32_t open[DER_DEPTH_MAX];	/* node, by depth */
	size_t start[DER_DEPTH_MAX];	/* len where its contents began */
	uint32_t depth;
	struct der_template *record;	/* DER_RECORD: what is compiled */
};

/* Writes one ASN.1 type from what arg points to. */
typedef void der_put_fn(struct der_writer *w, const void *arg);

/*
 * Measures and writes.  On success *len is the length and out holds it; with
 * out == NULL only *len is set.  NO_SPACE if out_max is too small, LIMIT if
 * there are too many nodes, or what the writer failed with (der_fail).
 */
enum oc_err der_write(der_put_fn *put, const void *arg, uint8_t *out,
    size_t out_max, size_t *len) OC_MUST_CHECK;

/* Makes the writer fail with err if it has not failed before. */
void der_fail(struct der_writer *w, enum oc_err err);

void der_begin(struct der_writer *w, uint8_t tag);
void der_end(struct der_writer *w);

/* Octets as they are: a complete TLV, or several, made before. */
void der_put_raw(struct der_writer *w, struct der_bytes tlv);

/* A primitive value of any tag. */
void der_put_primitive(struct der_writer *w, uint8_t tag,
    struct der_bytes contents);

/* TRUE as FF (X.690, 11.1); FALSE is nearly always a DEFAULT: left out. */
void der_put_boolean(struct der_writer *w, bool value);
/* From content octets, which must already be minimal (MALFORMED if they are
 * not): serials, hole. */
void der_put_integer(struct der_writer *w, struct der_bytes contents);
void der_put_serial(struct der_writer *w, const struct oc_serial *serial);
/* Unsigned big-endian magnitude of any length; made minimal and positive. */
void der_put_magnitude(struct der_writer *w, struct der_bytes magnitude);
void der_put_uint(struct der_writer *w, uint64_t value);
void der_put_enum(struct der_writer *w, unsigned int value);
void der_put_null(struct der_writer *w);
void der_put_octets(struct der_writer *w, struct der_bytes contents);
/* A BIT STRING whose bits are whole octets. */
void der_put_bits(struct der_writer *w, struct der_bytes octets);
/* A BIT STRING of named bits, bit 0 first: trailing zero bits are left out
 * (X.690, 11.2.2).  Bit n of the type is bit n of value. */
void der_put_named_bits(struct der_writer *w, uint32_t value);
void der_put_oid(struct der_writer *w, enum der_oid oid);
/* An OID's content octets, for one that is not in der/oid.h: MALFORMED if
 * they are not minimal arcs. */
void der_put_oid_bytes(struct der_writer *w, struct der_bytes contents);
/* UTF8String, PrintableString or IA5String from text that must fit its
 * alphabet: MALFORMED otherwise. */
void der_put_utf8(struct der_writer *w, struct der_bytes text);
void der_put_printable(struct der_writer *w, struct der_bytes text);
void der_put_ia5(struct der_writer *w, struct der_bytes text);
/* GeneralizedTime YYYYMMDDHHMMSSZ from Unix seconds; years 0000 to 9999,
 * LIMIT outside them. */
void der_put_gentime(struct der_writer *w, int64_t at);
/* Time as RFC 5280 4.1.2.5 has it: UTCTime to 2049, then GeneralizedTime;
 * LIMIT before 1950, which neither may say.  Takes no hole. */
void der_put_time(struct der_writer *w, int64_t at);

#endif
