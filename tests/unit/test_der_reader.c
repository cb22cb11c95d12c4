/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the reader take DER, and nothing else?  Each thing BER would allow and
 * DER does not is below with the clause of X.690 that forbids it; each input
 * lies on the heap with nothing behind it.
 */
#include "der_test.h"

#include "base/serial.h"
#include "der/reader.h"

/* One getter each, so that a table may name it; false if it failed. */
typedef bool get_fn(struct der_reader *r);

static bool
get_any(struct der_reader *r)
{
	struct der_bytes contents, tlv;
	uint8_t tag;

	return der_get_any(r, &tag, &contents, &tlv);
}

static bool
get_sequence(struct der_reader *r)
{
	struct der_bytes contents;

	return der_get(r, DER_SEQUENCE, &contents);
}

static bool
get_tlv(struct der_reader *r)
{
	struct der_bytes tlv;

	return der_get_tlv(r, DER_SEQUENCE, &tlv);
}

static bool
get_inner(struct der_reader *r)
{
	struct der_reader inner;

	return der_enter(r, DER_SEQUENCE, &inner);
}

static bool
get_integer(struct der_reader *r)
{
	struct der_bytes contents;

	return der_get_integer(r, &contents);
}

static bool
get_uint(struct der_reader *r)
{
	uint64_t value = 42;

	if (der_get_uint(r, &value))
		return true;
	assert_true(value == 42);
	return false;
}

static bool
get_enum(struct der_reader *r)
{
	unsigned int value = 4242;

	if (der_get_enum(r, &value))
		return true;
	assert_true(value == 4242);
	return false;
}

static bool
get_boolean(struct der_reader *r)
{
	bool value;

	return der_get_boolean(r, &value);
}

static bool
get_bits(struct der_reader *r)
{
	struct der_bytes octets;

	return der_get_bits(r, &octets);
}

static bool
get_named_bits(struct der_reader *r)
{
	uint32_t value = 42;

	if (der_get_named_bits(r, &value))
		return true;
	assert_true(value == 42);
	return false;
}

static bool
get_oid(struct der_reader *r)
{
	struct der_bytes contents;

	return der_get_oid(r, &contents);
}

static bool
get_serial(struct der_reader *r)
{
	struct oc_serial serial;

	return der_get_serial(r, &serial);
}

static bool
get_gentime(struct der_reader *r)
{
	int64_t at = 42;

	if (der_get_gentime(r, &at))
		return true;
	assert_true(at == 42);
	return false;
}

static bool
get_time(struct der_reader *r)
{
	int64_t at = 42;

	if (der_get_time(r, &at))
		return true;
	assert_true(at == 42);
	return false;
}

struct refused {
	get_fn *get;
	const char *hex, *why;
};

static const struct refused refused[] = {
	/* identifier octets */
	{ get_any, "", "nothing" },
	{ get_any, "30", "no length" },
	{ get_any, "1f 20 00", "8.1.2.4: tag number 32" },
	{ get_any, "3f 1f 00", "8.1.2.4: tag number 31" },
	{ get_any, "9f 01 00", "8.1.2.4: high form of [1]" },
	{ get_any, "bf 81 01 00", "8.1.2.4: high form of [129]" },
	{ get_any, "ff 7f 00", "8.1.2.4: private, high" },
	/* length octets */
	{ get_any, "30 80 00 00", "10.1: indefinite" },
	{ get_any, "30 80", "10.1: indefinite, and nothing behind" },
	{ get_any, "24 80 04 01 61 00 00", "10.1: indefinite string" },
	{ get_any, "30 81 00", "10.1: 0 in two octets" },
	{ get_any, "04 81 01 61", "10.1: 1 in two octets" },
	{ get_any, "04 82 00 01 61", "10.1: 1 in three" },
	{ get_any, "04 84 00 00 00 01 61", "10.1: 1 in five" },
	{ get_any, "04 85 00 00 00 00 01 61", "10.1: 1 in six" },
	{ get_any, "04 85 01 00 00 00 00", "larger than 2^32" },
	{ get_any, "04 88 ff ff ff ff ff ff ff ff", "2^64-1" },
	{ get_any, "04 84 ff ff ff ff", "2^32-1 of nothing" },
	{ get_any, "04 84 80 00 00 00", "2^31 of nothing" },
	{ get_any, "04 ff 01", "8.1.3.5: FF is reserved" },
	{ get_any, "04 fe 01", "126 length octets" },
	{ get_any, "04 81", "no length octet" },
	{ get_any, "04 82 01", "one length octet of two" },
	{ get_any, "04 84 01 00 00", "three of four" },
	{ get_any, "04 01", "no contents" },
	{ get_any, "04 02 61", "one octet of two" },
	{ get_any, "04 81 80 61", "one octet of 128" },
	/* another tag than asked for */
	{ get_sequence, "", "nothing" },
	{ get_sequence, "31 00", "a SET" },
	{ get_sequence, "10 00", "8.9.1: primitive SEQUENCE" },
	{ get_sequence, "a0 00", "[0]" },
	{ get_sequence, "30 80 00 00", "10.1: indefinite" },
	{ get_sequence, "30 81 00", "10.1: not minimal" },
	{ get_tlv, "31 00", "a SET" },
	{ get_tlv, "30 01", "cut" },
	{ get_tlv, "", "nothing" },
	{ get_inner, "31 00", "a SET" },
	{ get_inner, "30 03 02 01", "cut" },
	{ get_inner, "", "nothing" },
	/* INTEGER */
	{ get_integer, "02 00", "8.3.1: no octets" },
	{ get_integer, "02 02 00 00", "8.3.2: 0 padded" },
	{ get_integer, "02 02 00 7f", "8.3.2: 127 padded" },
	{ get_integer, "02 03 00 00 80", "8.3.2: 128 padded twice" },
	{ get_integer, "02 02 ff 80", "8.3.2: -128 padded" },
	{ get_integer, "02 02 ff ff", "8.3.2: -1 padded" },
	{ get_integer, "03 01 00", "a BIT STRING" },
	{ get_integer, "22 03 02 01 00", "8.3.1: constructed" },
	{ get_integer, "02 81 01 00", "10.1: not minimal" },
	{ get_uint, "02 00", "8.3.1: no octets" },
	{ get_uint, "02 01 ff", "-1" },
	{ get_uint, "02 01 80", "-128" },
	{ get_uint, "02 08 80 00 00 00 00 00 00 00", "-2^63" },
	{ get_uint, "02 09 01 00 00 00 00 00 00 00 00", "2^64" },
	{ get_uint, "02 0a 00 ff ff ff ff ff ff ff ff ff", "2^72-1" },
	{ get_uint, "02 09 00 7f ff ff ff ff ff ff ff", "8.3.2: padded" },
	{ get_uint, "0a 01 00", "ENUMERATED" },
	/* ENUMERATED */
	{ get_enum, "0a 00", "8.4: no octets" },
	{ get_enum, "0a 01 80", "negative" },
	{ get_enum, "0a 01 ff", "negative" },
	{ get_enum, "0a 02 00 01", "8.4: padded" },
	{ get_enum, "0a 02 01 00", "256" },
	{ get_enum, "0a 03 00 ff ff", "65535" },
	{ get_enum, "0a 02 ff ff", "8.4: -1 padded" },
	{ get_enum, "02 01 00", "INTEGER" },
	/* BOOLEAN */
	{ get_boolean, "01 00", "8.2.1: no octet" },
	{ get_boolean, "01 01 01", "11.1: TRUE as 01" },
	{ get_boolean, "01 01 fe", "11.1: TRUE as FE" },
	{ get_boolean, "01 01 7f", "11.1: TRUE as 7F" },
	{ get_boolean, "01 02 ff ff", "8.2.1: two octets" },
	{ get_boolean, "01 02 00 00", "8.2.1: two octets" },
	{ get_boolean, "21 03 01 01 ff", "8.2.1: constructed" },
	{ get_boolean, "02 01 ff", "INTEGER" },
	/* NULL */
	{ der_get_null, "05 01 00", "8.8.2: contents" },
	{ der_get_null, "05 81 00", "10.1: not minimal" },
	{ der_get_null, "05", "cut" },
	{ der_get_null, "25 00", "8.8.1: constructed" },
	{ der_get_null, "04 00", "OCTET STRING" },
	/* BIT STRING of octets */
	{ get_bits, "03 00", "8.6.2.2: no initial octet" },
	{ get_bits, "03 01 01", "8.6.2.3: empty but bits unused" },
	{ get_bits, "03 02 01 00", "not whole octets" },
	{ get_bits, "03 02 07 80", "not whole octets" },
	{ get_bits, "03 02 08 00", "8.6.2.2: eight unused" },
	{ get_bits, "23 04 03 02 00 ff", "10.2: constructed" },
	{ get_bits, "23 80 03 02 00 ff 00 00", "10.1, 10.2" },
	{ get_bits, "04 02 00 ff", "OCTET STRING" },
	/* BIT STRING of named bits */
	{ get_named_bits, "03 00", "8.6.2.2: no initial octet" },
	{ get_named_bits, "03 01 07", "8.6.2.3: empty but bits unused" },
	{ get_named_bits, "03 02 00 00", "11.2.2: trailing zeros" },
	{ get_named_bits, "03 02 07 00", "11.2.2: trailing zero" },
	{ get_named_bits, "03 02 00 80", "11.2.2: trailing zeros" },
	{ get_named_bits, "03 02 06 80", "11.2.2: a trailing zero" },
	{ get_named_bits, "03 02 07 81", "11.2.1: unused bit set" },
	{ get_named_bits, "03 02 05 b0", "11.2.1: unused bit set" },
	{ get_named_bits, "03 03 07 80 00", "11.2.2: a trailing octet" },
	{ get_named_bits, "03 02 08 00", "8.6.2.2: eight unused" },
	{ get_named_bits, "03 02 ff 00", "8.6.2.2: 255 unused" },
	{ get_named_bits, "03 06 07 80 00 00 00 80", "33 bits" },
	{ get_named_bits, "23 04 03 02 07 80", "10.2: constructed" },
	/* OBJECT IDENTIFIER */
	{ get_oid, "06 00", "8.19.2: no arc" },
	{ get_oid, "06 01 80", "8.19.2: not whole" },
	{ get_oid, "06 03 55 04 83", "8.19.2: not whole" },
	{ get_oid, "06 04 55 04 80 03", "8.19.2: leading 80" },
	{ get_oid, "06 02 80 01", "8.19.2: leading 80, first" },
	{ get_oid, "26 05 06 03 55 04 03", "8.19.1: constructed" },
	{ get_oid, "0d 03 55 04 03", "RELATIVE-OID" },
	/* serials: RFC5280:4.1.2.2 */
	{ get_serial, "02 00", "8.3.1: no octets" },
	{ get_serial, "02 01 00", "zero" },
	{ get_serial, "02 01 80", "negative" },
	{ get_serial, "02 01 ff", "negative" },
	{ get_serial, "02 02 00 01", "8.3.2: padded" },
	{ get_serial, "02 15 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 "
	    "11 12 13 14 15", "21 octets" },
	{ get_serial, "02 15 00 ff 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 "
	    "11 12 13 14 15", "21 octets with its sign" },
	{ get_serial, "04 01 01", "OCTET STRING" },
	/* GeneralizedTime: RFC5280:4.1.2.5.2 */
	{ get_gentime, "18 00", "empty" },
	{ get_gentime, "18 0d 32 30 32 36 31 31 32 33 32 32 30 30 5a",
	    "11.7.2: no seconds" },
	{ get_gentime, "18 0e 32 30 32 36 31 31 32 33 32 32 30 30 30 30",
	    "11.7.1: local" },
	{ get_gentime, "18 11 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 35 "
	    "5a", "a fraction" },
	{ get_gentime, "18 13 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2b 30 "
	    "30 30 30", "11.7.1: an offset" },
	{ get_gentime, "18 0f 32 30 32 36 31 33 32 33 32 32 30 30 30 30 5a",
	    "month 13" },
	{ get_gentime, "18 0f 32 30 32 36 31 31 32 33 32 32 30 30 36 30 5a",
	    "a leap second" },
	{ get_gentime, "17 0d 32 36 31 31 32 33 32 32 30 30 30 30 5a",
	    "UTCTime" },
	{ get_gentime, "38 11 18 0f 32 30 32 36 31 31 32 33 32 32 30 30 30 30 "
	    "5a", "10.2: constructed" },
	/* Time: RFC5280:4.1.2.5 */
	{ get_time, "17 00", "empty" },
	{ get_time, "17 0b 32 36 31 31 32 33 32 32 30 30 5a",
	    "11.8.2: no seconds" },
	{ get_time, "17 11 32 36 31 31 32 33 32 32 30 30 30 30 2b 30 30 30 30",
	    "11.8.1: an offset" },
	{ get_time, "17 0d 32 36 31 31 33 31 32 32 30 30 30 30 5a",
	    "November 31" },
	{ get_time, "18 0f 32 30 32 36 31 31 32 33 32 32 30 30 30 30 5a",
	    "2026 as GeneralizedTime" },
	{ get_time, "18 0f 32 30 34 39 31 32 33 31 32 33 35 39 35 39 5a",
	    "2049 as GeneralizedTime" },
	{ get_time, "18 0f 31 39 34 39 31 32 33 31 32 33 35 39 35 39 5a",
	    "1949" },
	{ get_time, "04 0d 32 36 31 31 32 33 32 32 30 30 30 30 5a",
	    "OCTET STRING" },
};

/* Refused, and from then on empty: nothing may be read after a failure. */
static void
test_refused(void **state)
{
	struct der_bytes bytes;
	struct der_reader r;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		bytes = test_unhex(refused[i].hex);
		r = der_reader_of(bytes);
		if (refused[i].get(&r))
			fail_msg("taken: %s (%s)", refused[i].hex,
			    refused[i].why);
		assert_true(r.has_failed);
		assert_true(der_at_end(&r));
		assert_false(der_is_done(&r));
		assert_false(der_next_is(&r, 0x30));
		assert_false(get_any(&r));
		test_release(bytes);
	}
}

struct taken {
	get_fn *get;
	const char *hex;
};

static const struct taken taken[] = {
	{ get_any, "04 00" }, { get_any, "80 01 00" }, { get_any, "de 00" },
	{ get_sequence, "30 00" }, { get_sequence, "30 03 02 01 00" },
	{ get_tlv, "30 00" }, { get_inner, "30 02 05 00" },
	{ get_integer, "02 01 00" }, { get_integer, "02 01 80" },
	{ get_integer, "02 02 00 80" }, { get_integer, "02 02 ff 7f" },
	{ get_uint, "02 09 00 ff ff ff ff ff ff ff ff" },
	{ get_enum, "0a 01 00" }, { get_enum, "0a 02 00 ff" },
	{ get_boolean, "01 01 00" }, { get_boolean, "01 01 ff" },
	{ der_get_null, "05 00" }, { get_bits, "03 01 00" },
	{ get_bits, "03 02 00 00" }, { get_named_bits, "03 01 00" },
	{ get_named_bits, "03 02 07 80" },
	{ get_named_bits, "03 05 00 00 00 00 01" },
	{ get_oid, "06 01 00" }, { get_oid, "06 03 55 04 03" },
	{ get_serial, "02 01 01" }, { get_serial, "02 02 00 80" },
	{ get_gentime, "18 0f 32 30 32 36 31 31 32 33 32 32 30 30 30 30 5a" },
	{ get_time, "17 0d 32 36 31 31 32 33 32 32 30 30 30 30 5a" },
	{ get_time, "18 0f 32 30 35 30 30 31 30 31 30 30 30 30 30 30 5a" },
};

/* Taken whole; cut anywhere, or with another tag, refused. */
static void
test_taken_and_cut(void **state)
{
	struct der_bytes bytes;
	struct der_reader r;
	uint8_t *copy;
	unsigned int i;
	size_t len;

	(void)state;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		bytes = test_unhex(taken[i].hex);
		r = der_reader_of(bytes);
		if (!taken[i].get(&r))
			fail_msg("refused: %s", taken[i].hex);
		assert_true(der_is_done(&r));
		for (len = 0; len < bytes.len; len++) {
			copy = malloc(len == 0 ? 1 : len);
			assert_non_null(copy);
			memcpy(copy, bytes.p, len);
			r = der_reader_of((struct der_bytes){ copy, len });
			assert_false(taken[i].get(&r));
			assert_true(r.has_failed);
			free(copy);
		}
		if (taken[i].get != get_any) {
			((uint8_t *)(uintptr_t)bytes.p)[0] ^= 0x40;
			r = der_reader_of(bytes);
			assert_false(taken[i].get(&r));
		}
		test_release(bytes);
	}
}

/* 8.1.3: lengths at which the length's own length changes. */
static void
test_length_borders(void **state)
{
	static const struct {
		uint32_t len;
		const char *header;
	} cases[] = {
		{ 0, "04 00" }, { 127, "04 7f" }, { 128, "04 81 80" },
		{ 255, "04 81 ff" }, { 256, "04 82 01 00" },
		{ 65535, "04 82 ff ff" }, { 65536, "04 83 01 00 00" },
		{ 16777215, "04 83 ff ff ff" },
		{ 16777216, "04 84 01 00 00 00" },
	};
	struct der_bytes header, contents, tlv;
	struct der_reader r;
	uint8_t *all, tag;
	unsigned int i;
	size_t len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		header = test_unhex(cases[i].header);
		len = header.len + cases[i].len;
		all = calloc(1, len);
		assert_non_null(all);
		memcpy(all, header.p, header.len);
		r = der_reader_of((struct der_bytes){ all, len });
		assert_true(der_get_any(&r, &tag, &contents, &tlv));
		assert_int_equal(tag, 0x04);
		assert_int_equal(contents.len, cases[i].len);
		assert_ptr_equal(contents.p, all + header.len);
		assert_int_equal(tlv.len, len);
		assert_ptr_equal(tlv.p, all);
		assert_true(der_is_done(&r));
		r = der_reader_of((struct der_bytes){ all, len - 1 });
		assert_false(get_any(&r));
		free(all);
		test_release(header);
	}
}

/* 10.1: longer than need be, with all the contents there. */
static void
test_long_lengths(void **state)
{
	static const struct {
		uint32_t len;
		const char *header;
	} cases[] = {
		{ 0, "04 81 00" }, { 1, "04 81 01" }, { 127, "04 81 7f" },
		{ 127, "04 82 00 7f" }, { 128, "04 82 00 80" },
		{ 255, "04 82 00 ff" }, { 255, "04 84 00 00 00 ff" },
		{ 256, "04 83 00 01 00" }, { 65535, "04 83 00 ff ff" },
		{ 65536, "04 84 00 01 00 00" },
		{ 65536, "04 85 00 00 01 00 00" },
		{ 128, "04 88 00 00 00 00 00 00 00 80" },
	};
	struct der_bytes header;
	struct der_reader r;
	unsigned int i;
	uint8_t *all;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		header = test_unhex(cases[i].header);
		all = calloc(1, header.len + cases[i].len);
		assert_non_null(all);
		memcpy(all, header.p, header.len);
		r = der_reader_of((struct der_bytes){ all,
		    header.len + cases[i].len });
		if (get_any(&r))
			fail_msg("taken: %s", cases[i].header);
		free(all);
		test_release(header);
	}
}

static void
test_values(void **state)
{
	/* 7, 2^64-1, ENUMERATED 255, TRUE, FALSE, 2.5.4.3, serial 80,
	 * 2026-11-23T22:00:00Z twice, 2050-01-01, keyCertSign and cRLSign,
	 * bit 31, two octets */
	struct der_bytes all = test_unhex("02 01 07 "
	    "02 09 00 ff ff ff ff ff ff ff ff 0a 02 00 ff 01 01 ff 01 01 00 "
	    "06 03 55 04 03 02 02 00 80 "
	    "18 0f 32 30 32 36 31 31 32 33 32 32 30 30 30 30 5a "
	    "17 0d 32 36 31 31 32 33 32 32 30 30 30 30 5a "
	    "18 0f 32 30 35 30 30 31 30 31 30 30 30 30 30 30 5a "
	    "03 02 01 06 03 05 00 00 00 00 01 03 03 00 12 34 05 00");
	struct der_reader r = der_reader_of(all);
	struct oc_serial serial;
	struct der_bytes bytes;
	uint64_t number;
	unsigned int enumerated;
	uint32_t named;
	int64_t at;
	bool flag;

	(void)state;
	assert_true(der_get_uint(&r, &number) && number == 7);
	assert_true(der_get_uint(&r, &number) && number == UINT64_MAX);
	assert_true(der_get_enum(&r, &enumerated) && enumerated == 255);
	assert_true(der_get_boolean(&r, &flag) && flag);
	assert_true(der_get_boolean(&r, &flag) && !flag);
	assert_true(der_get_oid(&r, &bytes));
	assert_true(der_bytes_equal(bytes, DER_LITERAL("\x55\x04\x03")));
	assert_true(der_get_serial(&r, &serial));
	assert_int_equal(serial.len, 2);
	assert_memory_equal(serial.bytes, "\x00\x80", 2);
	assert_true(der_get_gentime(&r, &at) && at == 1795471200);
	assert_true(der_get_time(&r, &at) && at == 1795471200);
	assert_true(der_get_time(&r, &at) && at == INT64_C(2524608000));
	assert_true(der_get_named_bits(&r, &named));
	assert_int_equal(named, 1u << 5 | 1u << 6);
	assert_true(der_get_named_bits(&r, &named));
	assert_true(named == UINT32_C(1) << 31);
	assert_true(der_get_bits(&r, &bytes));
	assert_true(der_bytes_equal(bytes, DER_LITERAL("\x12\x34")));
	assert_true(der_get_null(&r));
	assert_true(der_is_done(&r));
	test_release(all);
}

static void
test_nesting(void **state)
{
	/* SEQUENCE { [0] { INTEGER 1 }, SEQUENCE {} } */
	struct der_bytes all = test_unhex("30 07 a0 03 02 01 01 30 00");
	struct der_reader r, sequence, inner;
	uint64_t value;

	(void)state;
	r = der_reader_of(all);
	assert_true(der_enter(&r, DER_SEQUENCE, &sequence));
	assert_false(der_enter_optional(&sequence, DER_CONTEXT(1), &inner));
	assert_false(sequence.has_failed);
	assert_true(der_enter_optional(&sequence, DER_CONTEXT(0), &inner));
	assert_true(der_get_uint(&inner, &value) && value == 1);
	assert_true(der_leave(&sequence, &inner));
	assert_true(der_enter(&sequence, DER_SEQUENCE, &inner));
	assert_true(der_leave(&sequence, &inner));
	assert_true(der_leave(&r, &sequence));
	assert_true(der_is_done(&r));

	/* Left with something unread. */
	r = der_reader_of(all);
	assert_true(der_enter(&r, DER_SEQUENCE, &sequence));
	assert_true(der_enter(&sequence, DER_CONTEXT(0), &inner));
	assert_false(der_leave(&sequence, &inner));
	assert_true(sequence.has_failed);
	assert_false(der_leave(&r, &sequence));
	assert_false(der_is_done(&r));

	/* Left after a failure inside. */
	r = der_reader_of(all);
	assert_true(der_enter(&r, DER_SEQUENCE, &sequence));
	assert_true(der_enter(&sequence, DER_CONTEXT(0), &inner));
	assert_false(der_get_null(&inner));
	assert_true(der_at_end(&inner));
	assert_false(der_leave(&sequence, &inner));

	/* What was not entered can't be read, only left with a failure. */
	r = der_reader_of(all);
	assert_false(der_enter(&r, DER_SET, &inner));
	assert_false(get_any(&inner));
	assert_false(der_leave(&r, &inner));

	/* An optional that is there but broken is a failure. */
	r = der_reader_of((struct der_bytes){ all.p, all.len - 1 });
	assert_false(der_enter_optional(&r, DER_SEQUENCE, &inner));
	assert_true(r.has_failed);
	test_release(all);
}

static void
test_empty(void **state)
{
	struct der_reader r = der_reader_of((struct der_bytes){ NULL, 0 });

	(void)state;
	assert_true(der_is_done(&r));
	assert_true(der_at_end(&r));
	assert_false(der_next_is(&r, 0));
	assert_false(get_any(&r));
	assert_false(der_is_done(&r));
}

static void
test_read_whole(void **state)
{
	struct der_bytes contents = { NULL, 42 };
	struct der_bytes one = test_unhex("30 03 02 01 05");
	struct der_bytes more = test_unhex("30 03 02 01 05 00");
	struct der_bytes cut = test_unhex("30 03 02 01");

	(void)state;
	assert_false(der_read_whole(more, DER_SEQUENCE, &contents));
	assert_false(der_read_whole(cut, DER_SEQUENCE, &contents));
	assert_false(der_read_whole(one, DER_SET, &contents));
	assert_false(der_read_whole((struct der_bytes){ NULL, 0 },
	    DER_SEQUENCE, &contents));
	assert_int_equal(contents.len, 42);
	assert_true(der_read_whole(one, DER_SEQUENCE, &contents));
	assert_true(der_bytes_equal(contents, DER_LITERAL("\x02\x01\x05")));
	test_release(one);
	test_release(more);
	test_release(cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_taken_and_cut),
		cmocka_unit_test(test_length_borders),
		cmocka_unit_test(test_long_lengths),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
