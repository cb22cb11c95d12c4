/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do names come out of text as RFC 5280 wants them, and as text as RFC 4514
 * does; and can nobody smuggle an attribute in?  RFC5280:4.1.2.4
 */
#include "x509_test.h"

#include <stdio.h>
#include <string.h>

static void
expect_text(const char *text, const char *want)
{
	char got[X509_NAME_TEXT_MAX];

	x509_name_format(test_name(text), got);
	assert_string_equal(got, want);
}

static void
test_both_orders(void **state)
{
	(void)state;
	expect_text("/C=DE/O=Example/CN=a", "CN=a,O=Example,C=DE");
	expect_text("CN=a,O=Example,C=DE", "CN=a,O=Example,C=DE");
	expect_text("CN=a, O=Example , C=DE", "CN=a,O=Example,C=DE");
	expect_text(" cn = a", "CN=a");
	expect_text("commonName=a,2.5.4.10=b", "CN=a,O=b");
	expect_text("", "");
	expect_text("/", "");
	assert_true(x509_name_is_empty(test_name("/")));
	assert_false(x509_name_is_empty(test_name("CN=a")));
	assert_bytes_equal(test_name("/C=DE/CN=a"), test_name("CN=a,C=DE"));
}

static void
test_escapes(void **state)
{
	(void)state;
	expect_text("CN=a\\,O=b", "CN=a\\,O=b");
	expect_text("/CN=a,O=b", "CN=a\\,O=b");
	expect_text("/CN=a\\/O=b", "CN=a/O=b");
	expect_text("CN=a/O=b", "CN=a/O=b");
	expect_text("CN=a\\2CO=b", "CN=a\\,O=b");
	expect_text("CN=C\\+\\+", "CN=C\\+\\+");
	expect_text("CN=\\#a", "CN=\\#a");
	expect_text("CN=a#b", "CN=a#b");
	expect_text("CN=a=b", "CN=a=b");
	expect_text("CN=\\\"a\\\"\\<\\>\\;\\\\", "CN=\\\"a\\\"\\<\\>\\;\\\\");
	expect_text("/CN=\"a\"<b>;c", "CN=\\\"a\\\"\\<b\\>\\;c");
	expect_text("CN=Zo\\C3\\AB", "CN=Zo\xc3\xab");
	expect_text("CN=Zo\xc3\xab", "CN=Zo\xc3\xab");
	/* An attribute that looks like two stays one. */
	assert_bytes_equal(test_name("/CN=a,O=b"), test_name("CN=a\\,O=b"));
}

/* SET and SEQUENCE around each, and the string types. */
static void
test_octets(void **state)
{
	(void)state;
	assert_bytes_equal(test_name("CN=a.b"), DER_LITERAL(
	    "\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x13\x03" "a.b"));
	assert_bytes_equal(test_name("CN=a_b"), DER_LITERAL(
	    "\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03" "a_b"));
	assert_bytes_equal(test_name("CN=*.b"), DER_LITERAL(
	    "\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x0c\x03" "*.b"));
	assert_bytes_equal(test_name("C=DE"), DER_LITERAL(
	    "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02" "DE"));
	assert_bytes_equal(test_name("E=a@b"), DER_LITERAL(
	    "\x30\x14\x31\x12\x30\x10\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09"
	    "\x01\x16\x03" "a@b"));
	assert_bytes_equal(test_name("DC=de"), DER_LITERAL(
	    "\x30\x14\x31\x12\x30\x10\x06\x0a\x09\x92\x26\x89\x93\xf2\x2c\x64"
	    "\x01\x19\x16\x02" "de"));
	assert_bytes_equal(test_name("/"), DER_LITERAL("\x30\x00"));
}

struct bad {
	const char *text;
	enum oc_err err;
	const char *in_error;		/* what the error must name */
};

static const struct bad bad[] = {
	{ "C=DEU", OC_ERR_MALFORMED, "C:" },
	{ "C=D", OC_ERR_MALFORMED, "C:" },
	{ "C=de", OC_ERR_MALFORMED, "C:" },
	{ "C=D1", OC_ERR_MALFORMED, "C:" },
	{ "C=\xc3\x84", OC_ERR_MALFORMED, "C:" },
	{ "jurisdictionC=USA", OC_ERR_MALFORMED, "jurisdictionC:" },
	{ "CN=", OC_ERR_MALFORMED, "CN:" },
	{ "/CN=/O=a", OC_ERR_MALFORMED, "CN:" },
	{ "O=b,CN=", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a,", OC_ERR_MALFORMED, "TYPE=value" },
	{ "CN=a,,O=b", OC_ERR_MALFORMED, "" },
	{ "/CN=a/", OC_ERR_MALFORMED, "TYPE=value" },
	{ "//CN=a", OC_ERR_MALFORMED, "" },
	{ "a", OC_ERR_MALFORMED, "TYPE=value" },
	{ "=a", OC_ERR_MALFORMED, "" },
	{ "XX=a", OC_ERR_MALFORMED, "XX" },
	{ "1.2.3.4=a", OC_ERR_MALFORMED, "1.2.3.4" },
	{ "CN=a+O=b", OC_ERR_MALFORMED, "CN:" },
	{ "/CN=a+O=b", OC_ERR_MALFORMED, "CN:" },
	{ "CN=#0c0161", OC_ERR_MALFORMED, "CN:" },
	{ "CN=\"a\"", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a;O=b", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a<b", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\x", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\2", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\00b", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\0Ab", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\nb", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\x7f", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\xc2\x85", OC_ERR_MALFORMED, "CN:" },	/* NEL, a C1 */
	{ "CN=\\ a", OC_ERR_MALFORMED, "CN:" },
	{ "CN=a\\ ", OC_ERR_MALFORMED, "CN:" },
	{ "/CN= a", OC_ERR_MALFORMED, "CN:" },
	{ "/CN=a ", OC_ERR_MALFORMED, "CN:" },
	{ "CN=\xff", OC_ERR_MALFORMED, "CN:" },
	{ "CN=\xc0\x80", OC_ERR_MALFORMED, "CN:" },	/* NUL, too long */
	{ "CN=\xed\xa0\x80", OC_ERR_MALFORMED, "CN:" },	/* surrogate */
	{ "CN=\xf4\x90\x80\x80", OC_ERR_MALFORMED, "CN:" },
	{ "CN=\xe2\x82", OC_ERR_MALFORMED, "CN:" },	/* cut short */
	{ "serialNumber=a_b", OC_ERR_MALFORMED, "serialNumber:" },
	{ "serialNumber=\xc3\xa4", OC_ERR_MALFORMED, "serialNumber:" },
	{ "emailAddress=\xc3\xa4@b", OC_ERR_MALFORMED, "emailAddress:" },
	{ "DC=\xc3\xa4", OC_ERR_MALFORMED, "DC:" },
	{ "CN=12345678901234567890123456789012345678901234567890123456789"
	    "012345", OC_ERR_LIMIT, "CN:" },
	{ "O=12345678901234567890123456789012345678901234567890123456789"
	    "012345", OC_ERR_LIMIT, "O:" },
	{ "postalCode=12345678901234567890123456789012345678901",
	    OC_ERR_LIMIT, "postalCode:" },
	{ "C=DE,CN=a\\,C=DEU,C=DEU", OC_ERR_MALFORMED, "C:" },
};

static void
test_refused(void **state)
{
	uint8_t out[4096];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct oc_error error = { 0 };
		size_t len = 4711;
		enum oc_err err;

		err = x509_name_parse(bad[i].text, out, sizeof(out), &len,
		    &error);
		if (err != bad[i].err || error.code != err ||
		    strstr(error.text, bad[i].in_error) == NULL)
			fail_msg("\"%s\": %s, %s", bad[i].text,
			    oc_strerror(err), error.text);
		assert_int_equal(len, 4711);
	}
}

/* Characters are counted, not octets. */
static void
test_limits(void **state)
{
	char text[8192], *p;
	uint8_t out[4096];
	struct oc_error error;
	size_t len;
	int i;

	(void)state;
	p = text + sprintf(text, "CN=");
	for (i = 0; i < 64; i++)
		p += sprintf(p, "\xe6\x97\xa5");
	assert_int_equal(x509_name_parse(text, out, sizeof(out), &len,
	    &error), OC_OK);
	sprintf(p, "x");
	assert_int_equal(x509_name_parse(text, out, sizeof(out), &len,
	    &error), OC_ERR_LIMIT);
	p = text + sprintf(text, "CN=a");
	for (i = 0; i < 31; i++)
		p += sprintf(p, ",OU=a");
	assert_int_equal(x509_name_parse(text, out, sizeof(out), &len,
	    &error), OC_OK);
	sprintf(p, ",OU=a");
	assert_int_equal(x509_name_parse(text, out, sizeof(out), &len,
	    &error), OC_ERR_LIMIT);
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "CN=", 3);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(x509_name_parse(text, out, sizeof(out), &len,
	    &error), OC_ERR_LIMIT);
	assert_int_equal(x509_name_parse("CN=a", out, 13, &len, &error),
	    OC_ERR_NO_SPACE);
	assert_int_equal(x509_name_parse("CN=a", out, 14, &len, &error),
	    OC_OK);
	assert_int_equal(len, 14);
}

/* Up to the limit and beyond: whole characters, then "...". */
static void
test_cut(void **state)
{
	char got[X509_NAME_TEXT_MAX], text[4096], *p = text;
	size_t len;
	int i, j;

	(void)state;
	for (i = 0; i < 12; i++) {
		p += sprintf(p, "%sO=", i ? "," : "");
		for (j = 0; j < 50; j++)
			p += sprintf(p, "\xe6\x97\xa5");
	}
	x509_name_format(test_name(text), got);
	len = strlen(got);
	assert_true(len < X509_NAME_TEXT_MAX && len > X509_NAME_TEXT_MAX - 8);
	assert_string_equal(got + len - 3, "...");
	/* Not inside a character. */
	assert_int_equal((uint8_t)got[len - 4], 0xa5);
}

struct octets {
	const char *what;
	struct der_bytes name;
	bool is_valid;
	const char *text;
};
#define VALUE(s) DER_LITERAL("\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03" s)

static void
test_read(void **state)
{
	const struct octets all[] = {
		{ "empty", DER_LITERAL("\x30\x00"), true, "" },
		{ "Printable", VALUE("\x13\x03" "abc"), true, "CN=abc" },
		{ "UTF-8", VALUE("\x0c\x03" "\xe6\x97\xa5"), true,
		    "CN=\xe6\x97\xa5" },
		{ "Teletex", VALUE("\x14\x03" "Zo\xeb"), true,
		    "CN=Zo\xc3\xab" },
		{ "BMP", DER_LITERAL("\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04"
		    "\x03\x1e\x04\x00" "a\x65\xe5"), true,
		    "CN=a\xe6\x97\xa5" },
		{ "control", VALUE("\x0c\x03" "a\nb"), true, "CN=a\\0Ab" },
		{ "C1", VALUE("\x14\x03" "a\x9b" "b"), true,
		    "CN=a\\C2\\9Bb" },
		{ "spaces", VALUE("\x13\x03" " a "), true, "CN=\\ a\\ " },
		{ "one space", DER_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03"
		    "\x55\x04\x03\x13\x01 "), true, "CN=\\ " },
		{ "BIT STRING", VALUE("\x03\x03\x00\x01\x02"), true,
		    "CN=#0303000102" },
		{ "unknown type", DER_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06"
		    "\x03\x55\x04\x7f\x13\x01" "a"), true,
		    "2.5.4.127=#130161" },
		{ "two in one", DER_LITERAL("\x30\x16\x31\x14\x30\x08\x06\x03"
		    "\x55\x04\x03\x13\x01" "a\x30\x08\x06\x03\x55\x04\x0a\x13"
		    "\x01" "b"), true, "CN=a+O=b" },
		{ "NUL", VALUE("\x13\x03" "a\0b"), false, NULL },
		{ "BMP NUL", DER_LITERAL("\x30\x0f\x31\x0d\x30\x0b\x06\x03"
		    "\x55\x04\x03\x1e\x04\0a\0\0"), false, NULL },
		{ "odd BMP", VALUE("\x1e\x03" "\0a\0"), false, NULL },
		{ "BMP surrogate", DER_LITERAL("\x30\x0d\x31\x0b\x30\x09\x06"
		    "\x03\x55\x04\x03\x1e\x02\xd8\x00"), false, NULL },
		{ "bad UTF-8", VALUE("\x0c\x03" "\xe6\x97" "a"), false, NULL },
		{ "INTEGER", VALUE("\x02\x03" "abc"), false, NULL },
		{ "VisibleString", VALUE("\x1a\x03" "abc"), false, NULL },
		{ "empty SET", DER_LITERAL("\x30\x02\x31\x00"), false, NULL },
		{ "no SET", DER_LITERAL("\x30\x02\x30\x00"), false, NULL },
		{ "behind", DER_LITERAL("\x30\x00\x00"), false, NULL },
		{ "behind value", DER_LITERAL("\x30\x10\x31\x0e\x30\x0c\x06"
		    "\x03\x55\x04\x03\x13\x01" "a\x13\x02" "bc"), false,
		    NULL },
		{ "nothing", DER_LITERAL(""), false, NULL },
		{ "bad OID", DER_LITERAL("\x30\x0c\x31\x0a\x30\x08\x06\x03"
		    "\x55\x04\x83\x13\x01" "a"), false, NULL },
	};
	char text[X509_NAME_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++) {
		if (x509_name_is_valid(all[i].name) != all[i].is_valid)
			fail_msg("%s", all[i].what);
		x509_name_format(all[i].name, text);
		assert_string_equal(text, all[i].text != NULL ?
		    all[i].text : "(malformed name)");
	}
}

static void
test_too_large(void **state)
{
	static uint8_t name[5000];
	size_t i, len;

	(void)state;
	/* One RDN of 12 octets after the other. */
	for (i = 4; i + 14 <= 4096; i += 14)
		memcpy(name + i, "\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x13"
		    "\x03" "abc", 14);
	len = 4 + 292 * 14;
	memcpy(name, "\x30\x82", 2);
	name[2] = (uint8_t)((len - 4) >> 8);
	name[3] = (uint8_t)(len - 4);
	assert_true(x509_name_is_valid((struct der_bytes){ name, len }));
	len += 14;
	memcpy(name + len - 14, name + 4, 14);
	name[2] = (uint8_t)((len - 4) >> 8);
	name[3] = (uint8_t)(len - 4);
	assert_true(len > 4096);
	assert_false(x509_name_is_valid((struct der_bytes){ name, len }));
}

static void
test_find(void **state)
{
	struct der_bytes name = test_name("/O=first/OU=x/O=second"), value;

	(void)state;
	assert_true(x509_name_find(name, DER_OID_ORGANIZATION, &value));
	assert_bytes_equal(value, DER_LITERAL("first"));
	assert_true(x509_name_find(name, DER_OID_ORGANIZATIONAL_UNIT,
	    &value));
	assert_bytes_equal(value, DER_LITERAL("x"));
	assert_false(x509_name_find(name, DER_OID_COMMON_NAME, &value));
	assert_false(x509_name_find(DER_LITERAL("\x30"), DER_OID_COMMON_NAME,
	    &value));
	assert_bytes_equal(value, DER_LITERAL("x"));
}

/* Any characters there are: into text and back they stay what they were,
 * and OpenSSL sees the same attributes. */
static void
test_random_both_ways(void **state)
{
	static const char *const types[] = { "CN", "O", "OU", "L", "ST" };
	static const char alphabet[] = "ab ,+\"\\<>;#=/\xc3\xa4" "Z'()";
	uint64_t seed = 4514;
	char text[2048], again[X509_NAME_TEXT_MAX], *p;
	int i, j, k;

	(void)state;
	for (i = 0; i < 2000; i++) {
		int num = 1 + (int)test_random_below(&seed, 5);
		struct der_bytes name, second;
		const uint8_t *q;
		X509_NAME *theirs;

		for (p = text, j = 0; j < num; j++) {
			int len = (int)test_random_below(&seed, 12);

			p += sprintf(p, "%s%s=x", j ? "," : "",
			    types[test_random_below(&seed, 5)]);
			for (k = 0; k < len; k++) {
				uint32_t at = test_random_below(&seed,
				    sizeof(alphabet) - 1);

				if (((uint8_t)alphabet[at] & 0x80) != 0)
					p += sprintf(p, "\\C3\\A4");
				else
					p += sprintf(p, "\\%02X",
					    (uint8_t)alphabet[at]);
			}
			p += sprintf(p, "y");
		}
		name = test_name(text);
		assert_true(x509_name_is_valid(name));
		x509_name_format(name, again);
		second = test_name(again);
		assert_bytes_equal(second, name);
		q = name.p;
		theirs = d2i_X509_NAME(NULL, &q, (long)name.len);
		assert_non_null(theirs);
		assert_int_equal(X509_NAME_entry_count(theirs), num);
		X509_NAME_free(theirs);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_orders),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_random_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
