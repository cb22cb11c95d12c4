/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the writer write the octets X.690 says, nothing at all after a failure,
 * and does it stop the program where only a programmer can be wrong?
 */
#include "der_test.h"

#include "der/reader.h"
#include "der/time.h"
#include "der/writer.h"

/* One put, so that a table may hold it; 1 KiB is enough for all of them. */
struct written {
	uint8_t out[1024];
	size_t len;
	enum oc_err err;
};

static struct written
write_one(der_put_fn *put, const void *arg)
{
	struct written w = { .len = 4242 };
	size_t measured = 0;

	w.err = der_write(put, arg, w.out, sizeof(w.out), &w.len);
	if (w.err != OC_OK) {
		assert_int_equal(w.len, 4242);
		return w;
	}
	assert_true(der_is_valid((struct der_bytes){ w.out, w.len }));
	assert_int_equal(der_write(put, arg, NULL, 0, &measured), OC_OK);
	assert_int_equal(measured, w.len);
	return w;
}

static void
check_hex(struct written w, const char *hex)
{
	struct der_bytes want = test_unhex(hex);

	assert_int_equal(w.err, OC_OK);
	assert_int_equal(w.len, want.len);
	assert_memory_equal(w.out, want.p, want.len);
	test_release(want);
}

static void
put_uint(struct der_writer *w, const void *arg)
{
	der_put_uint(w, *(const uint64_t *)arg);
}

static void
put_enum(struct der_writer *w, const void *arg)
{
	der_put_enum(w, *(const unsigned int *)arg);
}

static void
put_integer(struct der_writer *w, const void *arg)
{
	der_put_integer(w, *(const struct der_bytes *)arg);
}

static void
put_serial(struct der_writer *w, const void *arg)
{
	der_put_serial(w, arg);
}

static void
put_magnitude(struct der_writer *w, const void *arg)
{
	der_put_magnitude(w, *(const struct der_bytes *)arg);
}

static void
put_named_bits(struct der_writer *w, const void *arg)
{
	der_put_named_bits(w, *(const uint32_t *)arg);
}

static void
put_bits(struct der_writer *w, const void *arg)
{
	der_put_bits(w, *(const struct der_bytes *)arg);
}

static void
put_octets(struct der_writer *w, const void *arg)
{
	der_put_octets(w, *(const struct der_bytes *)arg);
}

static void
put_raw(struct der_writer *w, const void *arg)
{
	der_put_raw(w, *(const struct der_bytes *)arg);
}

static void
put_oid_bytes(struct der_writer *w, const void *arg)
{
	der_put_oid_bytes(w, *(const struct der_bytes *)arg);
}

static void
put_utf8(struct der_writer *w, const void *arg)
{
	der_put_utf8(w, *(const struct der_bytes *)arg);
}

static void
put_printable(struct der_writer *w, const void *arg)
{
	der_put_printable(w, *(const struct der_bytes *)arg);
}

static void
put_ia5(struct der_writer *w, const void *arg)
{
	der_put_ia5(w, *(const struct der_bytes *)arg);
}

static void
put_gentime(struct der_writer *w, const void *arg)
{
	der_put_gentime(w, *(const int64_t *)arg);
}

static void
put_time(struct der_writer *w, const void *arg)
{
	der_put_time(w, *(const int64_t *)arg);
}

/*
 * Every kind of value once, inside [1] inside a SEQUENCE.
 */
static void
put_all(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_begin(w, DER_SEQUENCE);
	der_put_boolean(w, true);
	der_put_boolean(w, false);
	der_put_null(w);
	der_begin(w, DER_CONTEXT(1));
	der_put_uint(w, 128);
	der_put_enum(w, 5);
	der_put_oid(w, DER_OID_COMMON_NAME);
	der_end(w);
	der_begin(w, DER_SET);
	der_end(w);
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(2),
	    DER_LITERAL("x"));
	der_put_named_bits(w, 1u << 5 | 1u << 6);
	der_put_bits(w, DER_LITERAL("\x12\x34"));
	der_put_octets(w, DER_LITERAL("\xff"));
	der_put_utf8(w, DER_LITERAL("\xc3\xa9"));
	der_put_printable(w, DER_LITERAL("a"));
	der_put_ia5(w, DER_LITERAL("@"));
	der_put_raw(w, DER_LITERAL("\x05\x00"));
	der_end(w);
}

static void
test_every_kind(void **state)
{
	(void)state;
	check_hex(write_one(put_all, NULL), "30 33 01 01 ff 01 01 00 05 00 "
	    "a1 0c 02 02 00 80 0a 01 05 06 03 55 04 03 31 00 82 01 78 "
	    "03 02 01 06 03 03 00 12 34 04 01 ff 0c 02 c3 a9 13 01 61 16 01 40 "
	    "05 00");
}

static void
test_no_space(void **state)
{
	struct written whole = write_one(put_all, NULL);
	uint8_t *out;
	size_t len = 42, max;

	(void)state;
	for (max = 0; max < whole.len; max++) {
		out = malloc(max == 0 ? 1 : max);
		assert_non_null(out);
		assert_int_equal(der_write(put_all, NULL, out, max, &len),
		    OC_ERR_NO_SPACE);
		assert_int_equal(len, 42);
		free(out);
	}
	out = malloc(whole.len);
	assert_non_null(out);
	assert_int_equal(der_write(put_all, NULL, out, whole.len, &len),
	    OC_OK);
	assert_memory_equal(out, whole.out, len);
	free(out);
}

/* X.690 8.3 */
static void
test_integers(void **state)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} cases[] = {
		{ 0, "02 01 00" }, { 1, "02 01 01" }, { 127, "02 01 7f" },
		{ 128, "02 02 00 80" }, { 255, "02 02 00 ff" },
		{ 256, "02 02 01 00" }, { 32767, "02 02 7f ff" },
		{ 32768, "02 03 00 80 00" },
		{ INT64_MAX, "02 08 7f ff ff ff ff ff ff ff" },
		{ UINT64_MAX, "02 09 00 ff ff ff ff ff ff ff ff" },
	};
	unsigned int i, value;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_hex(write_one(put_uint, &cases[i].value), cases[i].hex);
	value = 0;
	check_hex(write_one(put_enum, &value), "0a 01 00");
	value = 10;
	check_hex(write_one(put_enum, &value), "0a 01 0a");
	value = 128;
	check_hex(write_one(put_enum, &value), "0a 02 00 80");
}

static struct written
write_hex(der_put_fn *put, const char *hex)
{
	struct der_bytes bytes = test_unhex(hex);
	struct written w = write_one(put, &bytes);

	test_release(bytes);
	return w;
}

static void
test_integer_octets(void **state)
{
	static const char *const bad[] = { "", "00 00", "00 7f", "ff ff",
	    "ff 80", "00 00 80", "ff ff 7f" };
	struct oc_serial serial = { .bytes = { 0x00, 0x80 }, .len = 2 };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(write_hex(put_integer, bad[i]).err,
		    OC_ERR_MALFORMED);
	check_hex(write_hex(put_integer, "ff"), "02 01 ff");
	check_hex(write_hex(put_integer, "ff 7f"), "02 02 ff 7f");
	check_hex(write_one(put_serial, &serial), "02 02 00 80");
	serial.len = 0;
	assert_int_equal(write_one(put_serial, &serial).err,
	    OC_ERR_MALFORMED);
	check_hex(write_hex(put_magnitude, ""), "02 01 00");
	check_hex(write_hex(put_magnitude, "00 00 00"), "02 01 00");
	check_hex(write_hex(put_magnitude, "00 00 80"), "02 02 00 80");
	check_hex(write_hex(put_magnitude, "7f ff"), "02 02 7f ff");
}

/* X.690 8.6, 11.2: nothing behind the last one-bit. */
static void
test_bit_strings(void **state)
{
	static const struct {
		uint32_t value;
		const char *hex;
	} cases[] = {
		{ 0, "03 01 00" }, { 1, "03 02 07 80" },
		{ 1u << 7, "03 02 00 01" }, { 0xff, "03 02 00 ff" },
		{ 1u << 8, "03 03 07 00 80" },
		/* decipherOnly, the ninth bit of KeyUsage */
		{ 1u << 8 | 1u << 4, "03 03 07 08 80" },
		{ UINT32_C(1) << 31, "03 05 00 00 00 00 01" },
		{ UINT32_MAX, "03 05 00 ff ff ff ff" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_hex(write_one(put_named_bits, &cases[i].value),
		    cases[i].hex);
	check_hex(write_hex(put_bits, ""), "03 01 00");
	check_hex(write_hex(put_bits, "00 80"), "03 03 00 00 80");
}

static void
test_text(void **state)
{
	/* RFC 3629 3 and 4: overlong, surrogates, too large, cut, stray. */
	static const char *const bad_utf8[] = { "80", "bf", "c0 80", "c1 bf",
	    "c2", "c2 41", "e0 80 80", "e0 9f bf", "ed a0 80", "ed bf bf",
	    "e1 80", "e1 80 41", "f0 8f bf bf", "f4 90 80 80", "f5 80 80 80",
	    "f0 90 80", "f0 90 80 41", "ff", "fe", "61 80", "c3 a9 c3" };
	static const char *const bad_printable[] = { "00", "61 00", "2a", "40",
	    "5f", "26", "21", "22", "3b", "3c", "7e", "80", "c3 a9", "0a",
	    "61 0a", "23", "24", "25", "3e", "5b", "60", "7b", "7f" };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad_utf8) / sizeof(bad_utf8[0]); i++)
		assert_int_equal(write_hex(put_utf8, bad_utf8[i]).err,
		    OC_ERR_MALFORMED);
	for (i = 0; i < sizeof(bad_printable) / sizeof(bad_printable[0]); i++)
		assert_int_equal(write_hex(put_printable,
		    bad_printable[i]).err, OC_ERR_MALFORMED);
	assert_int_equal(write_hex(put_ia5, "61 80").err, OC_ERR_MALFORMED);
	assert_int_equal(write_hex(put_ia5, "ff").err, OC_ERR_MALFORMED);
	check_hex(write_hex(put_utf8, ""), "0c 00");
	check_hex(write_hex(put_utf8, "7f c2 80 df bf e0 a0 80 ed 9f bf ee 80 "
	    "80 ef bf bf f0 90 80 80 f4 8f bf bf"), "0c 19 7f c2 80 df bf e0 "
	    "a0 80 ed 9f bf ee 80 80 ef bf bf f0 90 80 80 f4 8f bf bf");
	check_hex(write_hex(put_ia5, "00 7f"), "16 02 00 7f");
}

/* RFC5280:4.1.2.5 */
static void
test_times(void **state)
{
	int64_t at;

	(void)state;
	at = DER_UTCTIME_LAST;
	check_hex(write_one(put_time, &at),
	    "17 0d 34 39 31 32 33 31 32 33 35 39 35 39 5a");
	check_hex(write_one(put_gentime, &at),
	    "18 0f 32 30 34 39 31 32 33 31 32 33 35 39 35 39 5a");
	at = DER_UTCTIME_LAST + 1;
	check_hex(write_one(put_time, &at),
	    "18 0f 32 30 35 30 30 31 30 31 30 30 30 30 30 30 5a");
	at = DER_UTCTIME_FIRST;
	check_hex(write_one(put_time, &at),
	    "17 0d 35 30 30 31 30 31 30 30 30 30 30 30 5a");
	at = DER_TIME_MAX;
	check_hex(write_one(put_time, &at),
	    "18 0f 39 39 39 39 31 32 33 31 32 33 35 39 35 39 5a");
	at = DER_UTCTIME_FIRST - 1;
	assert_int_equal(write_one(put_time, &at).err, OC_ERR_LIMIT);
	at = DER_TIME_MAX + 1;
	assert_int_equal(write_one(put_time, &at).err, OC_ERR_LIMIT);
	assert_int_equal(write_one(put_gentime, &at).err, OC_ERR_LIMIT);
	at = DER_TIME_MIN - 1;
	assert_int_equal(write_one(put_gentime, &at).err, OC_ERR_LIMIT);
	/* The first that is not a hole's number. */
	at = INT64_MIN + DER_HOLES_MAX;
	assert_int_equal(write_one(put_gentime, &at).err, OC_ERR_LIMIT);
}

static void
test_oid_octets(void **state)
{
	(void)state;
	check_hex(write_hex(put_oid_bytes, "88 37 03"), "06 03 88 37 03");
	assert_int_equal(write_hex(put_oid_bytes, "").err, OC_ERR_MALFORMED);
	assert_int_equal(write_hex(put_oid_bytes, "80 01").err,
	    OC_ERR_MALFORMED);
	assert_int_equal(write_hex(put_oid_bytes, "55 84").err,
	    OC_ERR_MALFORMED);
}

static void
put_many(struct der_writer *w, const void *arg)
{
	unsigned int n = *(const unsigned int *)arg;

	der_begin(w, DER_SEQUENCE);
	while (n-- > 1) {
		der_begin(w, DER_SEQUENCE);
		der_end(w);
	}
	der_end(w);
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
test_limits(void **state)
{
	uint8_t out[2 * DER_NODES_MAX + 8];
	unsigned int n;
	size_t len;

	(void)state;
	n = DER_NODES_MAX;
	assert_int_equal(der_write(put_many, &n, out, sizeof(out), &len),
	    OC_OK);
	assert_int_equal(len, 4 + 2 * (DER_NODES_MAX - 1));
	n = DER_NODES_MAX + 1;
	assert_int_equal(der_write(put_many, &n, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
	n = DER_DEPTH_MAX;
	assert_int_equal(der_write(put_deep, &n, out, sizeof(out), &len),
	    OC_OK);
	assert_true(der_is_valid((struct der_bytes){ out, len }));
	n = DER_DEPTH_MAX + 1;
	assert_int_equal(der_write(put_deep, &n, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
}

/* What is longer than four length octets can say; only ever measured. */
static void
put_too_long(struct der_writer *w, const void *arg)
{
	struct der_bytes half = { arg, UINT32_MAX / 2 };

	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, half);
	der_put_raw(w, half);
	der_put_octets(w, half);
	der_end(w);
}

static void
put_too_long_together(struct der_writer *w, const void *arg)
{
	der_put_null(w);
	der_put_raw(w, (struct der_bytes){ arg, UINT32_MAX - 1 });
}

static void
put_just_too_long(struct der_writer *w, const void *arg)
{
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, (struct der_bytes){ arg, UINT32_MAX - 3 });
	der_end(w);
}

static void
put_bits_too_long(struct der_writer *w, const void *arg)
{
	der_put_bits(w, (struct der_bytes){ arg, UINT32_MAX });
}

static void
test_too_long(void **state)
{
	static const uint8_t octet;
	struct der_bytes octets = { &octet, 0 };
	size_t len = 42;

	(void)state;
	assert_int_equal(der_write(put_too_long, &octet, NULL, 0, &len),
	    OC_ERR_LIMIT);
	assert_int_equal(der_write(put_too_long_together, &octet, NULL, 0,
	    &len), OC_ERR_LIMIT);
	assert_int_equal(der_write(put_just_too_long, &octet, NULL, 0, &len),
	    OC_ERR_LIMIT);
	octets.len = UINT32_MAX - 5;
	assert_int_equal(der_write(put_octets, &octets, NULL, 0, &len),
	    OC_ERR_LIMIT);
	assert_int_equal(der_write(put_bits_too_long, &octet, NULL, 0, &len),
	    OC_ERR_LIMIT);
	assert_int_equal(len, 42);
	octets.len = UINT32_MAX - 6;
	assert_int_equal(der_write(put_octets, &octets, NULL, 0, &len),
	    OC_OK);
	assert_int_equal(len, UINT32_MAX);
}

/* The first failure is the one reported, and ends are no longer counted. */
static void
put_failing(struct der_writer *w, const void *arg)
{
	der_begin(w, DER_SEQUENCE);
	der_fail(w, *(const enum oc_err *)arg);
	der_fail(w, OC_ERR_INTERNAL);
	der_put_printable(w, DER_LITERAL("@"));
	der_put_null(w);
	der_begin(w, DER_SEQUENCE);
}

static void
test_failure_sticks(void **state)
{
	enum oc_err err = OC_ERR_REFUSED;

	(void)state;
	assert_int_equal(write_one(put_failing, &err).err, OC_ERR_REFUSED);
	err = OC_ERR_LIMIT;
	assert_int_equal(write_one(put_failing, &err).err, OC_ERR_LIMIT);
}

/* An empty view may point anywhere, so also right before the holes. */
static void
test_empty_before_holes(void **state)
{
	struct der_bytes empty = { der_holes, 0 };

	(void)state;
	check_hex(write_one(put_octets, &empty), "04 00");
	empty.p = NULL;
	check_hex(write_one(put_octets, &empty), "04 00");
	empty.p = der_holes + DER_HOLES_MAX + 1;
	check_hex(write_one(put_octets, &empty), "04 00");
}

/* What follows is wrong however it is called: the writer must not go on. */
static void
must_not_return(der_put_fn *put, const void *arg)
{
	uint8_t out[256];
	size_t len;

	(void)!der_write(put, arg, out, sizeof(out), &len);
}

static void
put_unended(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_begin(w, DER_SEQUENCE);
}

static void
put_overended(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_null(w);
	der_end(w);
}

static void
put_high_tag(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_begin(w, 0x3f);
	der_end(w);
}

static void
put_high_primitive(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_primitive(w, 0x1f, DER_LITERAL(""));
}

static void
put_unknown_oid(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_oid(w, DER_OID_UNKNOWN);
}

static void
put_ok_error(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_fail(w, OC_OK);
}

/* Another thing each time it is called: longer, shorter, other nodes. */
static unsigned int num_calls;

static void
put_growing(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, (struct der_bytes){ der_holes, ++num_calls });
}

static void
put_shrinking(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_octets(w, (struct der_bytes){ der_holes, 5 - num_calls++ });
}

static void
put_moving(struct der_writer *w, const void *arg)
{
	bool is_first = num_calls++ == 0;

	(void)arg;
	der_begin(w, DER_SEQUENCE);
	if (is_first)
		der_put_null(w);
	der_end(w);
	if (!is_first)
		der_put_null(w);
}

static void
put_more_nodes(struct der_writer *w, const void *arg)
{
	(void)arg;
	if (num_calls++ == 0) {
		der_put_null(w);
		return;
	}
	der_begin(w, DER_SEQUENCE);
	der_end(w);
}

static void
put_fewer_nodes(struct der_writer *w, const void *arg)
{
	(void)arg;
	if (num_calls++ > 0) {
		der_put_null(w);
		return;
	}
	der_begin(w, DER_SEQUENCE);
	der_end(w);
}

static void
put_failing_late(struct der_writer *w, const void *arg)
{
	(void)arg;
	der_put_null(w);
	if (num_calls++ > 0)
		der_fail(w, OC_ERR_REFUSED);
}

struct abort_case {
	der_put_fn *put;
	struct der_bytes bytes;
	int64_t at;
};

/* The case under test: test_aborts() takes a function without arguments. */
static struct abort_case aborting;

static void
run_aborting(void)
{
	if (aborting.at != 0)
		must_not_return(aborting.put, &aborting.at);
	else
		must_not_return(aborting.put, &aborting.bytes);
}

static void
test_programmer_errors(void **state)
{
	const struct abort_case cases[] = {
		{ .put = put_unended }, { .put = put_overended },
		{ .put = put_high_tag }, { .put = put_high_primitive },
		{ .put = put_unknown_oid }, { .put = put_ok_error },
		{ .put = put_growing }, { .put = put_shrinking },
		{ .put = put_moving }, { .put = put_more_nodes },
		{ .put = put_fewer_nodes }, { .put = put_failing_late },
		/* holes, but nothing is recorded */
		{ .put = put_octets, .bytes = DER_HOLE(0) },
		{ .put = put_octets, .bytes = DER_HOLE(DER_HOLES_MAX - 1) },
		{ .put = put_octets, .bytes = DER_FIXED_HOLE(0, 2) },
		{ .put = put_raw, .bytes = DER_HOLE(3) },
		{ .put = put_integer, .bytes = DER_HOLE(0) },
		{ .put = put_bits, .bytes = DER_HOLE(0) },
		{ .put = put_magnitude, .bytes = DER_HOLE(0) },
		{ .put = put_oid_bytes, .bytes = DER_HOLE(0) },
		{ .put = put_utf8, .bytes = DER_HOLE(0) },
		{ .put = put_printable, .bytes = DER_HOLE(0) },
		{ .put = put_ia5, .bytes = DER_HOLE(0) },
		{ .put = put_gentime, .at = DER_TIME_HOLE(0) },
		{ .put = put_gentime, .at = DER_TIME_HOLE(15) },
		{ .put = put_time, .at = DER_TIME_HOLE(0) },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		aborting = cases[i];
		test_aborts(run_aborting);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_integer_octets),
		cmocka_unit_test(test_bit_strings),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_oid_octets),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_empty_before_holes),
		cmocka_unit_test(test_programmer_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
