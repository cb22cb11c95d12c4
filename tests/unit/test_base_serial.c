/* SPDX-License-Identifier: Apache-2.0 */
#include "base_test.h"

#include "base/serial.h"

static const char max_hex[] = "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

struct text_case {
	const char *text;
	const char *hex;	/* as formatted */
	size_t len;
};

static const struct text_case good[] = {
	{ "0x1A", "1A", 1 },
	{ "0X1a", "1A", 1 },
	{ "0x1", "01", 1 },
	{ "0x00001a", "1A", 1 },
	{ "1a:2b:3c", "1A2B3C", 3 },
	{ "00:8a", "8A", 2 },
	{ "01:02", "0102", 2 },
	{ "1A2B", "1A2B", 2 },
	{ "1a2b", "1A2B", 2 },
	{ "8A", "8A", 2 },
	{ "00AB", "AB", 2 },
	{ "0A", "0A", 1 },
	/* Digits alone are decimal. */
	{ "1", "01", 1 },
	{ "10", "0A", 1 },
	{ "127", "7F", 1 },
	{ "128", "80", 2 },
	{ "1234", "04D2", 2 },
	{ "18446744073709551616", "010000000000000000", 9 },
	/* 0x forces hex on digits alone. */
	{ "0x1234", "1234", 2 },
	/* The largest, 2^159 - 1, in each form. */
	{ "0x7fffffffffffffffffffffffffffffffffffffff", max_hex, 20 },
	{ "730750818665451459101842416358141509827966271487", max_hex, 20 },
	{ "7f:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff:ff",
	    max_hex, 20 },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct oc_error error = { OC_OK, "" };
		char text[OC_SERIAL_TEXT_MAX];
		struct oc_serial s, again;

		if (oc_serial_parse(good[i].text, &s, &error) != OC_OK)
			fail_msg("%s: %s", good[i].text, error.text);
		oc_serial_format(&s, text);
		assert_string_equal(text, good[i].hex);
		assert_int_equal(s.len, good[i].len);
		for (size_t k = s.len; k < OC_SERIAL_MAX; k++)
			assert_int_equal(s.bytes[k], 0);
		/* What came out is a legal INTEGER. */
		assert_int_equal(oc_serial_from_bytes(s.bytes, s.len, &again),
		    OC_OK);
		assert_true(oc_serial_equal(&s, &again));
	}
}

static const struct {
	const char *text;
	enum oc_err err;
	const char *part;	/* of the error text */
} bad[] = {
	{ "", OC_ERR_MALFORMED, "no serial number" },
	{ "0", OC_ERR_MALFORMED, "not zero" },
	{ "0x", OC_ERR_MALFORMED, "no serial number" },
	{ "0x0", OC_ERR_MALFORMED, "not zero" },
	{ "00:00", OC_ERR_MALFORMED, "not zero" },
	{ "-1", OC_ERR_MALFORMED, "no serial number" },
	{ "+1", OC_ERR_MALFORMED, "no serial number" },
	{ " 1", OC_ERR_MALFORMED, "no serial number" },
	{ "1 ", OC_ERR_MALFORMED, "no serial number" },
	{ "1.5", OC_ERR_MALFORMED, "no serial number" },
	{ "0x1g", OC_ERR_MALFORMED, "no serial number" },
	{ "0x-1", OC_ERR_MALFORMED, "no serial number" },
	{ "0x1a:2b", OC_ERR_MALFORMED, "no serial number" },
	{ "xyz", OC_ERR_MALFORMED, "no serial number" },
	{ "1a:", OC_ERR_MALFORMED, "no serial number" },
	{ ":1a", OC_ERR_MALFORMED, "no serial number" },
	{ "1a::2b", OC_ERR_MALFORMED, "no serial number" },
	{ "1:2", OC_ERR_MALFORMED, "no serial number" },
	{ "1a:2", OC_ERR_MALFORMED, "no serial number" },
	{ "1a:2b:", OC_ERR_MALFORMED, "no serial number" },
	{ "1a-2b", OC_ERR_MALFORMED, "no serial number" },
	/* Ambiguous: the text says how to say which. */
	{ "0010", OC_ERR_MALFORMED, "write 0x0010 for hexadecimal" },
	{ "01", OC_ERR_MALFORMED, "write 0x01 for hexadecimal" },
	{ "00", OC_ERR_MALFORMED, "hexadecimal or decimal" },
	{ "ABC", OC_ERR_MALFORMED, "Write 0xABC" },
	{ "1a2", OC_ERR_MALFORMED, "odd number" },
	/* One more than the largest, and much more. */
	{ "0x8000000000000000000000000000000000000000", OC_ERR_LIMIT,
	    "20 octets" },
	{ "730750818665451459101842416358141509827966271488", OC_ERR_LIMIT,
	    "20 octets" },
	{ "999999999999999999999999999999999999999999999999", OC_ERR_LIMIT,
	    "20 octets" },
	{ "1000000000000000000000000000000000000000000000000", OC_ERR_LIMIT,
	    "20 octets" },
	{ "0x100000000000000000000000000000000000000000000000000000000",
	    OC_ERR_LIMIT, "20 octets" },
	{ "80:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
	    OC_ERR_LIMIT, "20 octets" },
	{ "01:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
	    OC_ERR_LIMIT, "20 octets" },
};

static void
test_parse_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_error error = { OC_OK, "" };
		struct oc_serial s, untouched;
		enum oc_err err;

		memset(&s, 0xa5, sizeof(s));
		untouched = s;
		err = oc_serial_parse(bad[i].text, &s, &error);
		if (err != bad[i].err)
			fail_msg("\"%s\": %s", bad[i].text, oc_strerror(err));
		assert_int_equal(error.code, err);
		if (strstr(error.text, bad[i].part) == NULL)
			fail_msg("\"%s\": %s", bad[i].text, error.text);
		assert_memory_equal(&s, &untouched, sizeof(s));
		/* And without anybody to tell. */
		assert_int_equal(oc_serial_parse(bad[i].text, &s, NULL), err);
	}
}

static void
test_from_bytes(void **state)
{
	static const uint8_t ff[OC_SERIAL_MAX + 1] = { 0x7f, 0xff };
	static const uint8_t padded[] = { 0x00, 0x80 };
	static const uint8_t not_minimal[] = { 0x00, 0x7f };
	static const uint8_t negative[] = { 0x80 };
	static const uint8_t zero[] = { 0x00 };
	char text[OC_SERIAL_TEXT_MAX];
	struct oc_serial s;

	(void)state;
	assert_int_equal(oc_serial_from_bytes(ff, 0, &s), OC_ERR_MALFORMED);
	assert_int_equal(oc_serial_from_bytes(zero, 1, &s), OC_ERR_MALFORMED);
	assert_int_equal(oc_serial_from_bytes(negative, 1, &s),
	    OC_ERR_MALFORMED);
	assert_int_equal(oc_serial_from_bytes(not_minimal, 2, &s),
	    OC_ERR_MALFORMED);
	assert_int_equal(oc_serial_from_bytes(ff, sizeof(ff), &s),
	    OC_ERR_LIMIT);
	assert_int_equal(oc_serial_from_bytes(ff, OC_SERIAL_MAX, &s), OC_OK);
	assert_int_equal(oc_serial_from_bytes(padded, 2, &s), OC_OK);
	oc_serial_format(&s, text);
	assert_string_equal(text, "80");
}

static void
test_equal(void **state)
{
	struct oc_serial a, b;

	(void)state;
	assert_int_equal(oc_serial_parse("0x1234", &a, NULL), OC_OK);
	assert_int_equal(oc_serial_parse("4660", &b, NULL), OC_OK);
	assert_true(oc_serial_equal(&a, &b));
	assert_int_equal(oc_serial_parse("0x123400", &b, NULL), OC_OK);
	assert_false(oc_serial_equal(&a, &b));
	assert_int_equal(oc_serial_parse("0x1235", &b, NULL), OC_OK);
	assert_false(oc_serial_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_from_bytes),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
