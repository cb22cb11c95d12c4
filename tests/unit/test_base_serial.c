/* SPDX-License-Identifier: Apache-2.0 */
#include "base_test.h"

#include "base/serial.h"
#include "base/serial_list.h"

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

/* --- files of them ------------------------------------------------------ */

/* Fed step octets at a time. */
static enum oc_err
read_list(const char *text, size_t step, struct oc_serial_list *list,
    struct oc_error *error)
{
	size_t len = strlen(text);

	*list = (struct oc_serial_list){ 0 };
	*error = (struct oc_error){ 0 };
	for (; len > 0; text += step, len -= step) {
		if (step > len)
			step = len;
		oc_serial_list_feed(list, text, step);
	}
	return oc_serial_list_end(list, error);
}

static void
test_list(void **state)
{
	static const char text[] = "# who\n\n 1a:2B:3c\t\r\n0x1A2B3D # why\n"
	    "10\n2\n0010\n  \nFF";
	static const char *const hex[] = { "02", "10", "FF", "1A2B3C",
	    "1A2B3D" };
	char got[OC_SERIAL_TEXT_MAX];
	struct oc_serial_list list;
	struct oc_error error;

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		assert_int_equal(read_list(text, step, &list, &error), OC_OK);
		assert_int_equal(list.num, 5);
		assert_int_equal(list.num_double, 1);
		for (size_t i = 0; i < 5; i++) {
			oc_serial_format(&list.serials[i], got);
			assert_string_equal(got, hex[i]);
		}
		oc_serial_list_fini(&list);
	}
}

static void
test_list_bad(void **state)
{
	static const struct {
		const char *text, *error;
		enum oc_err err;
	} rows[] = {
		{ "AB\nCG\n", "line 2: ", OC_ERR_MALFORMED },
		{ "AB\n\n#\nAB CD\n0\n-1\n", "line 4: ",
		    OC_ERR_MALFORMED },
		{ "G\n", "line 1: that is no serial number in hexadecimal",
		    OC_ERR_MALFORMED },
		{ "X\nY\nZ\n", "and 2 lines behind it", OC_ERR_MALFORMED },
		{ "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n",
		    "20 octets at most", OC_ERR_MALFORMED },
		{ "1:2\n", "line 1: ", OC_ERR_MALFORMED },
		{ "0x\n", "line 1: ", OC_ERR_MALFORMED },
		{ "", "no serial number in it", OC_ERR_NOT_FOUND },
		{ "#\n\n", "no serial number in it", OC_ERR_NOT_FOUND },
	};
	struct oc_serial_list list;
	struct oc_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_list(rows[i].text, 3, &list, &error),
		    rows[i].err);
		if (strstr(error.text, rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].text, error.text);
		oc_serial_list_fini(&list);
	}
}

/* What is no text, and lines without an end. */
static void
test_list_long(void **state)
{
	struct oc_serial_list list = { 0 };
	struct oc_error error = { 0 };
	char octets[OC_SERIAL_LINE_MAX];

	(void)state;
	memset(octets, ' ', sizeof(octets));
	oc_serial_list_feed(&list, "1", 1);
	oc_serial_list_feed(&list, octets, OC_SERIAL_LINE_MAX - 1);
	oc_serial_list_feed(&list, "\n2\0\n", 4);
	for (int i = 0; i < 3; i++)
		oc_serial_list_feed(&list, octets, sizeof(octets));
	assert_int_equal(list.num, 1);
	assert_int_equal(oc_serial_list_end(&list, &error), OC_ERR_MALFORMED);
	assert_int_equal(list.num_bad, 2);
	assert_non_null(strstr(error.text, "line 2: "));
	oc_serial_list_fini(&list);
	assert_int_equal(oc_serial_list_read("/", &list, &error),
	    OC_ERR_SYSTEM);
	assert_int_equal(oc_serial_list_read("/nowhere/at-all", &list, &error),
	    OC_ERR_NOT_FOUND);
}

/* What never ends is given up. */
static void
test_list_endless(void **state)
{
	static const struct {
		const char *path, *error;
	} rows[] = {
		{ "/dev/zero", "line 1: it is too long" },
		{ "/dev/urandom", "lines behind it" },
	};
	struct oc_serial_list list = { 0 };
	struct oc_error error;

	(void)state;
	(void)alarm(60);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(oc_serial_list_read(rows[i].path, &list,
		    &error), OC_ERR_MALFORMED);
		if (strstr(error.text, rows[i].error) == NULL)
			fail_msg("%s", error.text);
		oc_serial_list_fini(&list);
	}
	(void)alarm(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_from_bytes),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_bad),
		cmocka_unit_test(test_list_long),
		cmocka_unit_test(test_list_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
