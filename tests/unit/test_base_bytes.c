/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, buffers, hex, base64, UTF-8, values. */
#include "base_test.h"

#include "base/bytes.h"
#include "base/value.h"

static void
test_secret(void **state)
{
	static const struct oc_secret none;
	uint8_t long_pin[OC_PIN_MAX + 1];
	struct oc_secret s = none;

	(void)state;
	oc_secret_fini(&s);
	assert_int_equal(oc_secret_set(&s, "123456", 6), OC_OK);
	assert_int_equal(s.len, 6);
	assert_string_equal((const char *)s.bytes, "123456");
	/* A shorter one leaves nothing of the longer one. */
	assert_int_equal(oc_secret_set(&s, "78", 2), OC_OK);
	assert_memory_equal(s.bytes, "78\0\0\0\0", 6);
	memset(long_pin, 'x', sizeof(long_pin));
	assert_int_equal(oc_secret_set(&s, long_pin, sizeof(long_pin)),
	    OC_ERR_LIMIT);
	assert_int_equal(s.len, 2);
	assert_int_equal(oc_secret_set(&s, long_pin, OC_PIN_MAX), OC_OK);
	assert_int_equal(s.bytes[OC_PIN_MAX], 0);
	oc_secret_fini(&s);
	assert_memory_equal(&s, &none, sizeof(s));
}

static enum oc_err
read_pin(const void *bytes, size_t len, struct oc_secret *s)
{
	struct oc_error error = { OC_OK, "" };
	enum oc_err err;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, len), len);
	close(fds[1]);
	err = oc_secret_read(s, "PIN", fds[0], &error);
	assert_int_equal(error.code, err);
	/* No error text repeats what was read. */
	assert_null(strstr(error.text, "secret"));
	close(fds[0]);
	return err;
}

static void
test_secret_read(void **state)
{
	char text[OC_PIN_MAX + 8];
	struct oc_secret s = { .len = 0 };

	(void)state;
	assert_int_equal(read_pin("12 34", 5, &s), OC_OK);
	assert_string_equal((const char *)s.bytes, "12 34");
	assert_int_equal(read_pin("1234\n", 5, &s), OC_OK);
	assert_int_equal(s.len, 4);
	assert_int_equal(read_pin("1234\r\n", 6, &s), OC_OK);
	assert_int_equal(s.len, 4);
	assert_int_equal(read_pin("", 0, &s), OC_ERR_NOT_FOUND);
	assert_int_equal(read_pin("\n", 1, &s), OC_ERR_NOT_FOUND);
	assert_int_equal(read_pin("\r\n", 2, &s), OC_ERR_NOT_FOUND);
	assert_int_equal(read_pin("secret\nsecret\n", 14, &s),
	    OC_ERR_MALFORMED);
	assert_int_equal(read_pin("secret\n\n", 8, &s), OC_ERR_MALFORMED);
	assert_int_equal(read_pin("sec\0ret", 7, &s), OC_ERR_MALFORMED);
	assert_int_equal(s.len, 4);
	memset(text, 'x', sizeof(text));
	assert_int_equal(read_pin(text, OC_PIN_MAX + 1, &s), OC_ERR_LIMIT);
	assert_int_equal(read_pin(text, sizeof(text), &s), OC_ERR_LIMIT);
	memcpy(text + OC_PIN_MAX, "\r\n", 2);
	assert_int_equal(read_pin(text, OC_PIN_MAX + 2, &s), OC_OK);
	assert_int_equal(s.len, OC_PIN_MAX);
	assert_int_equal(oc_secret_read(&s, "PIN", -1, NULL), OC_ERR_SYSTEM);
	oc_secret_fini(&s);
}

static void
test_buffer(void **state)
{
	struct oc_buffer b;
	uint8_t *bytes;
	size_t len;

	(void)state;
	oc_buffer_init(&b, 1000);
	assert_string_equal(oc_buffer_text(&b), "");
	for (int i = 0; i < 100; i++)
		oc_buffer_printf(&b, "%09d\n", i);
	assert_int_equal(b.err, OC_OK);
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.bytes[1000], 0);
	assert_memory_equal(b.bytes + 990, "000000099\n", 10);
	/* Full to the byte; the next one is too many, for ever. */
	oc_buffer_put(&b, "", 0);
	assert_int_equal(b.err, OC_OK);
	oc_buffer_put_text(&b, "x");
	assert_int_equal(b.err, OC_ERR_LIMIT);
	oc_buffer_put(&b, "", 0);
	assert_int_equal(b.err, OC_ERR_LIMIT);
	assert_int_equal(b.len, 1000);
	assert_int_equal(oc_buffer_take(&b, &bytes, &len), OC_ERR_LIMIT);
	oc_buffer_fini(&b);
	oc_buffer_fini(&b);

	oc_buffer_init(&b, 10);
	oc_buffer_printf(&b, "%s", "12345678901");
	assert_int_equal(b.err, OC_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	oc_buffer_fini(&b);
	assert_int_equal(b.err, OC_OK);
	oc_buffer_put(&b, "a\0b", 3);
	assert_int_equal(oc_buffer_take(&b, &bytes, &len), OC_OK);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "a\0b", 4);
	free(bytes);
	assert_int_equal(b.len, 0);
	assert_int_equal(oc_buffer_take(&b, &bytes, &len), OC_OK);
	assert_int_equal(len, 0);
	free(bytes);
	oc_buffer_put(&b, "x", SIZE_MAX);
	assert_int_equal(b.err, OC_ERR_LIMIT);
	oc_buffer_fini(&b);
}

static void
test_buffer_nomem(void **state)
{
	struct oc_buffer b;

	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	/* Its malloc() ends the process instead. */
	skip();
#endif
	/* More than any allocator has: malloc fails, nothing is copied. */
	oc_buffer_init(&b, SIZE_MAX - 1);
	oc_buffer_put_text(&b, "kept");
	oc_buffer_put(&b, "x", SIZE_MAX / 2 + 8);
	assert_int_equal(b.err, OC_ERR_NOMEM);
	assert_string_equal(oc_buffer_text(&b), "kept");
	oc_buffer_fini(&b);
}

static void
test_hex(void **state)
{
	static const char *const bad[] = { "a", "0g", "0x", " 00", "0 ", "zz" };
	uint8_t bytes[4] = { 9, 9, 9, 9 };
	size_t len = 77;
	char text[9];

	(void)state;
	oc_hex_encode("\x00\x7f\xff\x1a", 4, text);
	assert_string_equal(text, "007fff1a");
	oc_hex_encode("", 0, text);
	assert_string_equal(text, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(oc_hex_decode(bad[i], strlen(bad[i]), bytes,
		    sizeof(bytes), &len), OC_ERR_MALFORMED);
	assert_int_equal(oc_hex_decode("0011223344", 10, bytes, 4, &len),
	    OC_ERR_NO_SPACE);
	assert_int_equal(len, 77);
	assert_int_equal(bytes[0], 9);
	assert_int_equal(oc_hex_decode("007FfF1a", 8, bytes, 4, &len), OC_OK);
	assert_int_equal(len, 4);
	assert_memory_equal(bytes, "\x00\x7f\xff\x1a", 4);
	assert_int_equal(oc_hex_decode("", 0, bytes, 0, &len), OC_OK);
	assert_int_equal(len, 0);
}

static void
test_base64(void **state)
{
	/* RFC 4648, 10. */
	static const struct {
		const char *plain, *coded;
	} vectors[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "==", "====",
		"Z===", "Zm 9v", "Zm9v\n", "Zm9v Zg==", "Zg==Zg==", "Z-9v",
		"Z_9v", "Zm=v", "Z=9v", "=m9v", "Zm9v=", "Zm9v====", "Zm\t9",
	};
	char text[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t plain_len = strlen(vectors[i].plain);

		oc_base64_encode(vectors[i].plain, plain_len, text);
		assert_string_equal(text, vectors[i].coded);
		assert_int_equal(strlen(text), OC_BASE64_LEN(plain_len));
		assert_int_equal(oc_base64_decode_in_place(text, strlen(text),
		    &len), OC_OK);
		assert_int_equal(len, plain_len);
		assert_memory_equal(text, vectors[i].plain, len);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = 99;
		strcpy(text, bad[i]);
		if (oc_base64_decode_in_place(text, strlen(text), &len) !=
		    OC_ERR_MALFORMED)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(len, 99);
	}
}

/* All lengths, all byte values, there and back. */
static void
test_base64_round(void **state)
{
	uint8_t bytes[512];
	char text[OC_BASE64_LEN(512) + 1];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8));
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		oc_base64_encode(bytes, n, text);
		assert_int_equal(oc_base64_decode_in_place(text, strlen(text),
		    &len), OC_OK);
		assert_int_equal(len, n);
		assert_memory_equal(text, bytes, n);
	}
}

static void
test_utf8(void **state)
{
	static const char *const good[] = {
		"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", ("a\xc3\xa4" "b"),
	};
	static const char *const bad[] = {
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41",
		"\xc2\xc2", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xe1\x80", "\xe1\x80\x41", "\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xf0\x90\x80", "\xfe", "\xff", ("a\xe4" "b"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(oc_utf8_is_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (oc_utf8_is_valid(bad[i], strlen(bad[i])))
			fail_msg("number %zu was taken", i);
	assert_true(oc_utf8_is_valid("a\0b", 3));
}

typedef enum oc_err value_fn(const char *text, int64_t *value,
    struct oc_error *error);

static enum oc_err
small_int(const char *text, int64_t *value, struct oc_error *error)
{
	return oc_value_int(text, -5, 300, value, error);
}

static const struct {
	value_fn *fn;
	const char *text;
	enum oc_err err;
	int64_t value;
} values[] = {
	{ small_int, "0", OC_OK, 0 },
	{ small_int, "300", OC_OK, 300 },
	{ small_int, "-5", OC_OK, -5 },
	{ small_int, "301", OC_ERR_LIMIT, 0 },
	{ small_int, "-6", OC_ERR_LIMIT, 0 },
	{ small_int, "99999999999999999999999", OC_ERR_LIMIT, 0 },
	{ small_int, "-99999999999999999999999", OC_ERR_LIMIT, 0 },
	{ small_int, "", OC_ERR_MALFORMED, 0 },
	{ small_int, "-", OC_ERR_MALFORMED, 0 },
	{ small_int, "--1", OC_ERR_MALFORMED, 0 },
	{ small_int, "+1", OC_ERR_MALFORMED, 0 },
	{ small_int, "01", OC_ERR_MALFORMED, 0 },
	{ small_int, "1 ", OC_ERR_MALFORMED, 0 },
	{ small_int, "0x1", OC_ERR_MALFORMED, 0 },
	{ small_int, "1k", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "90s", OC_OK, 90 },
	{ oc_value_duration, "15m", OC_OK, 900 },
	{ oc_value_duration, "4h", OC_OK, 14400 },
	{ oc_value_duration, "7d", OC_OK, 604800 },
	{ oc_value_duration, "2w", OC_OK, 1209600 },
	{ oc_value_duration, "25y", OC_OK, INT64_C(788400000) },
	{ oc_value_duration, "100y", OC_OK, INT64_C(3153600000) },
	{ oc_value_duration, "0s", OC_OK, 0 },
	{ oc_value_duration, "101y", OC_ERR_LIMIT, 0 },
	{ oc_value_duration, "9223372036854775807y", OC_ERR_LIMIT, 0 },
	{ oc_value_duration, "99999999999999999999s", OC_ERR_LIMIT, 0 },
	{ oc_value_duration, "", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "90", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "s", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "90S", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "90 s", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "-90s", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "1h30m", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "1.5h", OC_ERR_MALFORMED, 0 },
	{ oc_value_duration, "5min", OC_ERR_MALFORMED, 0 },
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct oc_error error = { OC_OK, "" };
		int64_t value = 4711;
		enum oc_err err;

		err = values[i].fn(values[i].text, &value, &error);
		if (err != values[i].err)
			fail_msg("\"%s\": %s", values[i].text,
			    oc_strerror(err));
		assert_int_equal(error.code, err);
		assert_true(value == (err == OC_OK ? values[i].value : 4711));
		assert_int_equal(error.text[0] == '\0', err == OC_OK);
	}
}

static void
test_distance(void **state)
{
	char longer[100];

	(void)state;
	assert_int_equal(oc_value_distance("", ""), 0);
	assert_int_equal(oc_value_distance("abc", "abc"), 0);
	assert_int_equal(oc_value_distance("", "abc"), 3);
	assert_int_equal(oc_value_distance("abc", ""), 3);
	assert_int_equal(oc_value_distance("tokn", "token"), 1);
	assert_int_equal(oc_value_distance("kitten", "sitting"), 3);
	assert_int_equal(oc_value_distance("hlep", "help"), 1);
	assert_int_equal(oc_value_distance("nope", "zone"), 2);
	assert_int_equal(oc_value_distance("abcd", "badc"), 2);
	memset(longer, 'x', sizeof(longer));
	longer[99] = '\0';
	assert_true(oc_value_distance(longer, longer) > 64);
	longer[64] = '\0';
	assert_int_equal(oc_value_distance(longer, longer), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_secret_read),
		cmocka_unit_test(test_buffer),
		cmocka_unit_test(test_buffer_nomem),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_round),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
