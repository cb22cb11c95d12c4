/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the walk over everything take DER and nothing else?  What is refused
 * stands beside the clause of X.690 (or another) that forbids it.
 */
#include "der_test.h"

#include "der/reader.h"
#include "der/writer.h"		/* DER_DEPTH_MAX */

static const struct {
	const char *hex, *why;
} invalid[] = {
	{ "", "nothing" },
	{ "30", "cut" },
	{ "30 00 00", "half a value behind" },
	{ "00 00", "8.1.5: end-of-contents" },
	{ "20 00", "8.1.5: end-of-contents, constructed" },
	{ "0f 00", "X.680 8.4: reserved" },
	{ "30 80 00 00", "10.1: indefinite" },
	{ "30 04 30 80 00 00", "10.1: indefinite, inside" },
	{ "30 02 02 00", "8.3.1, inside" },
	{ "30 03 02 01", "cut inside" },
	{ "30 03 02 02 01", "longer than what it is in" },
	{ "a0 03 a0 02 05", "longer than what it is in" },
	{ "30 03 01 01 01", "11.1: TRUE as 01" },
	{ "01 00", "8.2.1" },
	{ "02 02 00 01", "8.3.2" },
	{ "0a 02 ff ff", "8.3.2" },
	{ "03 00", "8.6.2.2" },
	{ "03 01 01", "8.6.2.3" },
	{ "03 02 01 01", "11.2.1: unused bit set" },
	{ "03 02 08 00", "8.6.2.2" },
	{ "05 01 00", "8.8.2" },
	{ "06 00", "8.19.2" },
	{ "06 02 55 80", "8.19.2" },
	{ "10 00", "8.9.1: SEQUENCE, primitive" },
	{ "11 00", "8.11.1: SET, primitive" },
	{ "08 00", "8.18: EXTERNAL, primitive" },
	{ "0b 00", "EMBEDDED PDV, primitive" },
	{ "1d 00", "CHARACTER STRING, primitive" },
	{ "21 03 01 01 ff", "8.2.1: BOOLEAN, constructed" },
	{ "22 03 02 01 01", "8.3.1: INTEGER, constructed" },
	{ "23 03 03 01 00", "10.2: BIT STRING, constructed" },
	{ "24 03 04 01 61", "10.2: OCTET STRING, constructed" },
	{ "25 00", "8.8.1: NULL, constructed" },
	{ "2c 03 0c 01 61", "10.2: UTF8String, constructed" },
	{ "33 03 13 01 61", "10.2: PrintableString, constructed" },
	{ "17 0b 32 36 31 31 32 33 32 32 30 30 5a", "11.8.2" },
	{ "17 11 32 36 31 31 32 33 32 32 30 30 30 30 2b 30 30 30 30",
	    "11.8.1" },
	{ "18 0d 32 30 32 36 31 31 32 33 32 32 30 30 5a", "11.7.2" },
	{ "18 10 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 5a",
	    "11.7.3: a point and nothing" },
	{ "18 12 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 35 30 5a",
	    "11.7.3: trailing zero" },
	{ "18 11 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2c 35 5a",
	    "11.7.4: a comma" },
	{ "18 11 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 61 5a",
	    "not a digit" },
	{ "18 10 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 35",
	    "11.7.1: local" },
	{ "31 06 02 01 02 02 01 01", "11.6: SET OF not ascending" },
	{ "31 07 02 02 01 00 02 01 02", "11.6: length before contents" },
	{ "1f 1f 00", "tag number 31" },
	{ "a0 03 1f 1f 00", "tag number 31, inside" },
};

static const char *const valid[] = {
	"05 00", "30 00", "30 00 05 00", "31 00", "a0 00", "80 00",
	"30 03 02 01 00", "28 00", "2b 00", "3d 00", "0d 01 05",
	"31 06 02 01 01 02 01 02", "31 06 02 01 01 02 01 01",
	"31 07 02 01 02 02 02 01 00",
	/* A SET: other tags in another order than 11.6 would have them. */
	"31 05 05 00 02 01 01",
	/* What a context tag holds can't be known: 01 may be no BOOLEAN. */
	"81 01 01", "80 00 a3 03 01 01 ff",
	"18 11 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 35 5a",
	"18 13 32 30 32 36 31 31 32 33 32 32 30 30 30 30 2e 30 30 35 5a",
	"03 02 01 02", "03 01 00", "09 00", "60 00", "e0 02 05 00", "c1 00",
};

static void
test_is_valid(void **state)
{
	struct der_bytes bytes;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		bytes = test_unhex(invalid[i].hex);
		if (der_is_valid(bytes))
			fail_msg("taken: %s (%s)", invalid[i].hex,
			    invalid[i].why);
		test_release(bytes);
	}
	for (i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
		bytes = test_unhex(valid[i]);
		if (!der_is_valid(bytes))
			fail_msg("refused: %s", valid[i]);
		test_release(bytes);
	}
}

static void
test_depth(void **state)
{
	uint8_t octets[2 * (DER_DEPTH_MAX + 1)];
	unsigned int depth, i;

	(void)state;
	for (depth = 1; depth <= DER_DEPTH_MAX + 1; depth++) {
		for (i = 0; i < depth; i++) {
			octets[2 * i] = 0x30;
			octets[2 * i + 1] = (uint8_t)(2 * (depth - i - 1));
		}
		assert_int_equal(der_is_valid((struct der_bytes){ octets,
		    2 * depth }), depth <= DER_DEPTH_MAX);
	}
}

static void
test_bit_strings(void **state)
{
	(void)state;
	assert_true(der_bit_string_is_valid(DER_LITERAL("\0")));
	assert_true(der_bit_string_is_valid(DER_LITERAL("\0\xff")));
	assert_true(der_bit_string_is_valid(DER_LITERAL("\x07\x80")));
	assert_false(der_bit_string_is_valid(DER_LITERAL("")));
	assert_false(der_bit_string_is_valid(DER_LITERAL("\x01")));
	assert_false(der_bit_string_is_valid(DER_LITERAL("\x08\x00")));
	assert_false(der_bit_string_is_valid(DER_LITERAL("\x07\xc0")));
	assert_false(der_bit_string_is_valid(DER_LITERAL("\x01\xff")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_valid),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_bit_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
