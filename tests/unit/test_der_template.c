/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a template, filled, what der_write() writes from the same function and
 * values: for every length of every hole, and for shapes of every kind?
 */
#include "der_test.h"

#include "der/reader.h"
#include "der/template.h"
#include "der/time.h"

#define NUM_FIELDS 5

/* Values for the function below; bytes or holes. */
struct answer {
	struct der_bytes serial, raw, nonce, signature;
	int64_t this_update;
	bool is_bare;			/* leaves the constants out */
};

/*
 * The shape of an OCSP answer, in small:
 *
 * SEQUENCE {
 *     ENUMERATED 0,
 *     [0] SEQUENCE {
 *         SEQUENCE { OID, NULL },                   constant
 *         SEQUENCE { OCTET STRING, INTEGER serial },
 *         [0] {},                                   constant
 *         GeneralizedTime,
 *         raw,
 *         [1] SEQUENCE { OID, OCTET STRING nonce },
 *         BIT STRING signature },
 *     OCTET STRING }                                constant
 */
static void
put_answer(struct der_writer *w, const void *arg)
{
	const struct answer *a = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_enum(w, 0);
	der_begin(w, DER_CONTEXT(0));
	der_begin(w, DER_SEQUENCE);
	if (!a->is_bare) {
		der_begin(w, DER_SEQUENCE);
		der_put_oid(w, DER_OID_SHA1);
		der_put_null(w);
		der_end(w);
	}
	der_begin(w, DER_SEQUENCE);
	if (!a->is_bare)
		der_put_octets(w, DER_LITERAL("0123456789abcdef0123"));
	der_put_integer(w, a->serial);
	der_end(w);
	if (!a->is_bare) {
		der_begin(w, DER_CONTEXT(0));
		der_end(w);
	}
	der_put_gentime(w, a->this_update);
	der_put_raw(w, a->raw);
	der_begin(w, DER_CONTEXT(1));
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_OCSP_NONCE);
	der_put_octets(w, a->nonce);
	der_end(w);
	der_end(w);
	der_put_bits(w, a->signature);
	der_end(w);
	der_end(w);
	if (!a->is_bare)
		der_put_octets(w, DER_LITERAL("end"));
	der_end(w);
}

static struct answer
holes_of(bool is_bare)
{
	return (struct answer){ .serial = DER_HOLE(0), .raw = DER_HOLE(1),
	    .nonce = DER_HOLE(2), .signature = DER_HOLE(3),
	    .this_update = DER_TIME_HOLE(4), .is_bare = is_bare };
}

/* Written and filled; the same octets, and DER if the raw hole is. */
static void
check_same(const struct der_template *t, const struct answer *a,
    bool is_raw_valid)
{
	uint8_t time[DER_GENTIME_LEN];
	struct der_bytes holes[NUM_FIELDS] = { a->serial, a->raw, a->nonce,
	    a->signature, { time, sizeof(time) } };
	static const size_t rooms[] = { 0, 1, 31, 32, 33, 100 };
	uint8_t *written, *filled;
	size_t written_len, filled_len = 42, room;

	der_format_gentime(a->this_update, time);
	assert_int_equal(der_write(put_answer, a, NULL, 0, &written_len),
	    OC_OK);
	written = malloc(written_len);
	filled = malloc(written_len);
	assert_non_null(written);
	assert_non_null(filled);
	assert_int_equal(der_write(put_answer, a, written, written_len,
	    &written_len), OC_OK);
	assert_int_equal(der_template_fill(t, holes, filled, written_len - 1,
	    &filled_len), OC_ERR_NO_SPACE);
	assert_int_equal(filled_len, 42);
	assert_int_equal(der_template_fill(t, holes, filled, written_len,
	    &filled_len), OC_OK);
	assert_int_equal(filled_len, written_len);
	assert_memory_equal(filled, written, written_len);
	if (is_raw_valid)
		assert_true(der_is_valid((struct der_bytes){ filled,
		    filled_len }));
	free(filled);
	/* More room is used, but not more than there is. */
	for (room = 1; room < sizeof(rooms) / sizeof(rooms[0]); room++) {
		filled = malloc(written_len + rooms[room]);
		assert_int_equal(der_template_fill(t, holes, filled,
		    written_len + rooms[room], &filled_len), OC_OK);
		assert_int_equal(filled_len, written_len);
		assert_memory_equal(filled, written, written_len);
		free(filled);
	}
	free(written);
}

static struct der_bytes
view(const uint8_t *octets, size_t len)
{
	return (struct der_bytes){ octets, len };
}

static void
test_every_length(void **state)
{
	static const size_t borders[] = { 0, 1, 2, 100, 119, 120, 121, 122,
	    123, 124, 125, 126, 127, 128, 129, 240, 246, 247, 248, 249, 250,
	    251, 252, 253, 254, 255, 256, 257, 65500, 65510, 65519, 65527,
	    65531, 65532, 65533, 65534, 65535, 65536, 65537 };
	const size_t num = sizeof(borders) / sizeof(borders[0]);
	uint8_t *octets = malloc(65537);
	struct der_template t;
	struct answer holes, a;
	unsigned int bare, field, i;

	(void)state;
	assert_non_null(octets);
	memset(octets, 0x5a, 65537);
	for (bare = 0; bare < 2; bare++) {
		holes = holes_of(bare == 1);
		assert_int_equal(der_template_compile(&t, put_answer, &holes),
		    OC_OK);
		assert_int_equal(t.num_holes, NUM_FIELDS);
		for (field = 0; field < 4; field++) {
			for (i = 0; i < num; i++) {
				a = holes;
				a.this_update = 1795471200 + i;
				a.serial = view(octets, 1);
				a.raw = a.nonce = a.signature =
				    view(octets, 0);
				/* An INTEGER has contents. */
				if (field == 0 && borders[i] > 0)
					a.serial = view(octets, borders[i]);
				else if (field == 1)
					a.raw = view(octets, borders[i]);
				else if (field == 2)
					a.nonce = view(octets, borders[i]);
				else if (field == 3)
					a.signature = view(octets,
					    borders[i]);
				check_same(&t, &a, field != 1 ||
				    borders[i] == 0);
			}
		}
		der_template_fini(&t);
	}
	free(octets);
}

static void
test_random_lengths(void **state)
{
	uint64_t seed = 20260818;
	uint8_t *octets = malloc(70000);
	struct der_template t;
	struct answer holes = holes_of(false), a = holes;
	unsigned int i;

	(void)state;
	assert_non_null(octets);
	test_random_fill(&seed, octets, 70000);
	octets[0] = 0x01;
	assert_int_equal(der_template_compile(&t, put_answer, &holes), OC_OK);
	for (i = 0; i < 4000; i++) {
		/* Small ones mostly, as they are; some up to 64 KiB. */
		size_t max = i % 16 == 0 ? 66000 : i % 4 == 0 ? 300 : 40;

		a.serial = view(octets, 1 + test_random(&seed) % max);
		a.nonce = view(octets + 7, test_random(&seed) % max);
		a.signature = view(octets + 9, test_random(&seed) % max);
		a.raw = view(octets + 11, test_random(&seed) % max);
		a.this_update = DER_TIME_MIN + (int64_t)(test_random(&seed) %
		    (uint64_t)(DER_TIME_MAX - DER_TIME_MIN));
		check_same(&t, &a, false);
	}
	der_template_fini(&t);
	free(octets);
}

/* The same template with holes of fixed lengths, some or all of them. */
static void
check_fixed(const struct answer *a, unsigned int which)
{
	struct answer holes = holes_of(a->is_bare);
	struct der_template t;

	if (which & 1)
		holes.serial.len = a->serial.len;
	if (which & 2)
		holes.raw.len = a->raw.len;
	if (which & 4)
		holes.nonce.len = a->nonce.len;
	if (which & 8)
		holes.signature.len = a->signature.len;
	assert_int_equal(der_template_compile(&t, put_answer, &holes), OC_OK);
	assert_int_equal(t.num_holes, NUM_FIELDS);
	/* No header is left to be written, and the whole is one node. */
	if (which == 15)
		assert_int_equal(t.num_nodes, 1);
	check_same(&t, a, false);
	der_template_fini(&t);
}

static void
test_fixed_lengths(void **state)
{
	uint64_t seed = 20261126;
	uint8_t octets[DER_FIXED_HOLE_MAX];
	unsigned int i, which;

	(void)state;
	test_random_fill(&seed, octets, sizeof(octets));
	octets[0] = 0x01;
	for (i = 0; i < 200; i++) {
		size_t max = i % 2 == 0 ? 40 : sizeof(octets);
		struct answer a = { .is_bare = i % 3 == 0,
		    .this_update = 1795471200 + i };

		a.serial = view(octets, 1 + test_random(&seed) % max);
		a.raw = view(octets, 1 + test_random(&seed) % max);
		a.nonce = view(octets, 1 + test_random(&seed) % max);
		a.signature = view(octets, 1 + test_random(&seed) % max);
		for (which = 0; which < 16; which++)
			check_fixed(&a, which);
	}
}

/* What can't change is one run of octets: nothing to do but copy it. */
static void
put_constant(struct der_writer *w, const void *arg)
{
	const struct answer a = { .serial = DER_LITERAL("\x05"),
	    .raw = DER_LITERAL("\x05\x00"), .nonce = DER_LITERAL("nonce"),
	    .signature = DER_LITERAL("signature"),
	    .this_update = 1795471200, .is_bare = false };

	(void)arg;
	put_answer(w, &a);
	put_answer(w, &a);
}

static void
test_constant(void **state)
{
	struct der_template t;
	uint8_t written[512], filled[512];
	size_t written_len, filled_len;

	(void)state;
	assert_int_equal(der_template_compile(&t, put_constant, NULL), OC_OK);
	assert_int_equal(t.num_steps, 1);
	assert_int_equal(t.num_nodes, 1);
	assert_int_equal(t.num_holes, 0);
	assert_int_equal(der_write(put_constant, NULL, written,
	    sizeof(written), &written_len), OC_OK);
	assert_int_equal(der_template_fill(&t, NULL, filled, sizeof(filled),
	    &filled_len), OC_OK);
	assert_int_equal(filled_len, written_len);
	assert_memory_equal(filled, written, written_len);
	der_template_fini(&t);
}

/* A constant value longer than the first piece of memory, and its header
 * put in front of it: the three lengths of a length. */
static void
put_long_constant(struct der_writer *w, const void *arg)
{
	size_t len = *(const size_t *)arg;
	uint8_t *octets = calloc(1, len);

	assert_non_null(octets);
	der_begin(w, DER_SEQUENCE);
	der_put_null(w);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_octets(w, view(octets, len));
	der_end(w);
	der_put_null(w);
	der_end(w);
	if (w->mode == DER_RECORD)
		der_put_integer(w, DER_HOLE(0));
	else
		der_put_integer(w, DER_LITERAL("\x2a"));
	der_put_null(w);
	der_end(w);
	free(octets);
}

static void
test_long_constant(void **state)
{
	static const size_t lens[] = { 1, 120, 123, 125, 126, 127, 128, 249,
	    251, 252, 253, 254, 255, 256, 1000, 65529, 65531, 65535, 65536,
	    200000 };
	struct der_bytes hole = DER_LITERAL("\x2a");
	uint8_t *written = malloc(200100), *filled = malloc(200100);
	size_t written_len, filled_len;
	struct der_template t;
	unsigned int i;

	(void)state;
	assert_non_null(written);
	assert_non_null(filled);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_int_equal(der_template_compile(&t, put_long_constant,
		    &lens[i]), OC_OK);
		/* SEQUENCE, constant and INTEGER, hole, constant */
		assert_int_equal(t.num_steps, 4);
		assert_int_equal(der_write(put_long_constant, &lens[i],
		    written, 200100, &written_len), OC_OK);
		assert_int_equal(der_template_fill(&t, &hole, filled, 200100,
		    &filled_len), OC_OK);
		assert_int_equal(filled_len, written_len);
		assert_memory_equal(filled, written, written_len);
		der_template_fini(&t);
	}
	free(written);
	free(filled);
}

/* Holes at the top, with nothing around them, and one hole twice. */
static void
put_bare_holes(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_raw(w, DER_HOLE(7));
	der_put_null(w);
	der_put_octets(w, DER_HOLE(7));
	der_put_raw(w, DER_HOLE(DER_HOLES_MAX - 1));
}

static void
test_bare_holes(void **state)
{
	struct der_bytes holes[DER_HOLES_MAX] = { { NULL, 0 } };
	struct der_template t;
	uint8_t out[16];
	size_t len;

	(void)state;
	assert_int_equal(der_template_compile(&t, put_bare_holes, NULL),
	    OC_OK);
	assert_int_equal(t.num_holes, DER_HOLES_MAX);
	holes[7] = DER_LITERAL("\x01\x01\xff");
	holes[DER_HOLES_MAX - 1] = DER_LITERAL("\x30\x00");
	assert_int_equal(der_template_fill(&t, holes, out, sizeof(out), &len),
	    OC_OK);
	assert_int_equal(len, 12);
	assert_memory_equal(out, "\x01\x01\xff\x05\x00\x04\x03\x01\x01\xff"
	    "\x30\x00", 12);
	/* All empty, out of nowhere. */
	memset(holes, 0, sizeof(holes));
	assert_int_equal(der_template_fill(&t, holes, out, 4, &len), OC_OK);
	assert_int_equal(len, 4);
	assert_memory_equal(out, "\x05\x00\x04\x00", 4);
	assert_int_equal(der_template_fill(&t, holes, out, 3, &len),
	    OC_ERR_NO_SPACE);
	der_template_fini(&t);
}

/* A hole, and so many constants behind it. */
static void
put_tail(struct der_writer *w, const void *arg)
{
	der_put_raw(w, DER_HOLE(0));
	der_put_raw(w, *(const struct der_bytes *)arg);
}

/* Constants are copied by whole chunks, and not beyond the room. */
static void
test_room(void **state)
{
	uint64_t seed = 32;
	uint8_t octets[70], *out;
	struct der_bytes hole = { octets, 0 }, tail = { octets, 0 };
	struct der_template t;
	size_t spare, len;

	(void)state;
	test_random_fill(&seed, octets, sizeof(octets));
	/* On the heap, where a sanitizer sees what is written behind it. */
	for (tail.len = 1; tail.len < sizeof(octets); tail.len++) {
		assert_int_equal(der_template_compile(&t, put_tail, &tail),
		    OC_OK);
		for (spare = 0; spare < 70; spare++) {
			hole.len = spare;
			len = spare + tail.len + spare;
			out = malloc(len);
			assert_int_equal(der_template_fill(&t, &hole, out,
			    len, &len), OC_OK);
			assert_int_equal(len, spare + tail.len);
			assert_memory_equal(out, octets, spare);
			assert_memory_equal(out + spare, octets, tail.len);
			free(out);
		}
		der_template_fini(&t);
	}
}

static void
put_nothing(struct der_writer *w, const void *arg)
{
	(void)w;
	(void)arg;
}

static void
test_nothing(void **state)
{
	struct der_template t;
	uint8_t out[1];
	size_t len = 42;

	(void)state;
	assert_int_equal(der_template_compile(&t, put_nothing, NULL), OC_OK);
	assert_int_equal(der_template_fill(&t, NULL, out, 0, &len), OC_OK);
	assert_int_equal(len, 0);
	der_template_fini(&t);
	/* Zero is a legal state, and what fini leaves. */
	der_template_fini(&t);
	memset(&t, 0, sizeof(t));
	der_template_fini(&t);
}

static void
put_nodes(struct der_writer *w, const void *arg)
{
	unsigned int i, n = *(const unsigned int *)arg;

	/* The whole is a node too. */
	for (i = 1; i < n; i++)
		der_put_octets(w, DER_HOLE(0));
}

static void
put_steps(struct der_writer *w, const void *arg)
{
	unsigned int i, hole, n = *(const unsigned int *)arg;

	/* Five a turn, and raw holes for the rest. */
	for (i = 0; i < n / 5; i++) {
		der_put_null(w);
		der_begin(w, DER_SEQUENCE);
		for (hole = 0; hole < 4; hole++)
			der_put_raw(w, DER_HOLE(hole));
		der_end(w);
	}
	for (i = 0; i < n % 5; i++)
		der_put_raw(w, DER_HOLE(i));
}

static void
put_deep(struct der_writer *w, const void *arg)
{
	unsigned int i, n = *(const unsigned int *)arg;

	for (i = 0; i < n; i++)
		der_begin(w, DER_SEQUENCE);
	for (i = 0; i < n; i++)
		der_end(w);
}

static void
put_failing(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_begin(w, DER_SEQUENCE);
	der_put_octets(w, DER_HOLE(0));
	der_put_printable(w, DER_LITERAL("@"));
	der_put_null(w);
}

static void
check_limit(der_put_fn *put, unsigned int max)
{
	static const struct der_template zero;
	struct der_template t;
	unsigned int n = max;

	assert_int_equal(der_template_compile(&t, put, &n), OC_OK);
	der_template_fini(&t);
	n = max + 1;
	assert_int_equal(der_template_compile(&t, put, &n), OC_ERR_LIMIT);
	/* Nothing is left behind, so nothing need be released. */
	assert_memory_equal(&t, &zero, sizeof(t));
}

static void
test_limits(void **state)
{
	static const struct der_template zero;
	struct der_template t;

	(void)state;
	check_limit(put_nodes, DER_TEMPLATE_NODES_MAX);
	check_limit(put_steps, DER_STEPS_MAX);
	check_limit(put_deep, DER_DEPTH_MAX);
	assert_int_equal(der_template_compile(&t, put_failing, NULL),
	    OC_ERR_MALFORMED);
	assert_memory_equal(&t, &zero, sizeof(t));
}

static void
put_hole_beside_itself(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_raw(w, DER_HOLE(0));
	der_put_null(w);
	der_put_raw(w, DER_HOLE(0));
}

/* Of a fixed length, it may be; but of one. */
static void
put_two_lengths(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, DER_FIXED_HOLE(0, 4));
	der_put_octets(w, DER_FIXED_HOLE(0, 4));
	der_put_octets(w, DER_FIXED_HOLE(0, 5));
}

static void
put_long_fixed(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, DER_FIXED_HOLE(0, DER_FIXED_HOLE_MAX + 1));
}

static void
put_unended(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_begin(w, DER_SEQUENCE);
	der_put_octets(w, DER_HOLE(0));
}

static void
put_overended(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, DER_HOLE(0));
	der_end(w);
}

static void
put_text_hole(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_utf8(w, DER_HOLE(0));
}

static void
put_either_time_hole(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_time(w, DER_TIME_HOLE(0));
}

static void
put_magnitude_hole(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_magnitude(w, DER_HOLE(0));
}

static void
put_oid_hole(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_oid_bytes(w, DER_HOLE(0));
}

/* The case under test: test_aborts() takes a function without arguments. */
static der_put_fn *aborting;

static void
compile_aborting(void)
{
	struct der_template t;

	if (der_template_compile(&t, aborting, NULL) == OC_OK)
		der_template_fini(&t);
}

static void
fill_short_time(void)
{
	struct answer holes = holes_of(false);
	struct der_bytes values[NUM_FIELDS] = { DER_LITERAL("\x05"),
	    { NULL, 0 }, { NULL, 0 }, { NULL, 0 },
	    DER_LITERAL("261123220000Z") };
	struct der_template t;
	uint8_t out[256];
	size_t len;

	if (der_template_compile(&t, put_answer, &holes) == OC_OK)
		(void)!der_template_fill(&t, values, out, sizeof(out), &len);
	der_template_fini(&t);
}

static void
put_fixed(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, DER_FIXED_HOLE(0, 4));
	der_put_octets(w, DER_FIXED_HOLE(0, 4));
	der_put_octets(w, DER_HOLE(0));
}

static void
fill_fixed(struct der_bytes hole)
{
	struct der_template t;
	uint8_t out[18];
	size_t len;

	assert_int_equal(der_template_compile(&t, put_fixed, NULL), OC_OK);
	assert_int_equal(der_template_fill(&t, &hole, out, sizeof(out), &len),
	    OC_OK);
	assert_int_equal(len, sizeof(out));
	assert_memory_equal(out, "\x04\x04" "abcd" "\x04\x04" "abcd"
	    "\x04\x04" "abcd", sizeof(out));
	der_template_fini(&t);
}

static void
fill_long(void)
{
	fill_fixed(DER_LITERAL("abcde"));
}

static void
test_programmer_errors(void **state)
{
	static der_put_fn *const cases[] = { put_hole_beside_itself,
	    put_two_lengths, put_long_fixed, put_unended, put_overended,
	    put_text_hole, put_either_time_hole, put_magnitude_hole,
	    put_oid_hole };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		aborting = cases[i];
		test_aborts(compile_aborting);
	}
	test_aborts(fill_short_time);
	fill_fixed(DER_LITERAL("abcd"));
	test_aborts(fill_long);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_random_lengths),
		cmocka_unit_test(test_fixed_lengths),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_long_constant),
		cmocka_unit_test(test_bare_holes),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_programmer_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
