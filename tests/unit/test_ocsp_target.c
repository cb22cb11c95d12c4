/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does every spelling of a GET that clients and proxies make decode to the
 * octets that were meant, and is nothing else taken for a request?
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "ocsp/target.h"

#define DER_MAX 300
#define SPELLING_MAX (16 * DER_MAX)

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint32_t
random_below(uint32_t bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % bound;
}

/* SEQUENCE { OCTET STRING random, OCTET STRING random }. */
static size_t
random_der(uint8_t *out)
{
	size_t first = random_below(60), second = random_below(120), n = 0, i;
	size_t len = first + second + 4 + (second >= 128);

	out[n++] = 0x30;
	if (len >= 128)
		out[n++] = 0x81;
	out[n++] = (uint8_t)len;
	out[n++] = 0x04;
	out[n++] = (uint8_t)first;
	for (i = 0; i < first; i++)
		out[n++] = (uint8_t)random_below(256);
	out[n++] = 0x04;
	out[n++] = (uint8_t)second;
	for (i = 0; i < second; i++)
		out[n++] = (uint8_t)random_below(256);
	return n;
}

static enum http_target_kind
decode(const char *path, const char *prefix, http_judge_fn *judge, void *arg,
    uint8_t *out, size_t *out_len, unsigned int *cured)
{
	size_t len = strlen(path);
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	enum http_target_kind kind;
	struct der_bytes der;

	assert_non_null(copy);
	memcpy(copy, path, len);
	kind = http_target_decode(copy, len, prefix, judge, arg, &der, cured);
	if (kind == HTTP_TARGET_REQUEST) {
		assert_true(der.p >= copy && der.p + der.len <= copy + len);
		memcpy(out, der.p, der.len);
		*out_len = der.len;
	}
	free(copy);
	return kind;
}

/* The judge that knows what was meant, as the responder knows its issuers. */
static enum http_verdict
judge_same(void *arg, struct der_bytes der)
{
	return der_bytes_equal(*(struct der_bytes *)arg, der) ?
	    HTTP_CERTAIN : HTTP_IMPOSSIBLE;
}

static void
expect(const char *path, const char *prefix, const uint8_t *der, size_t len,
    unsigned int cured_expected)
{
	struct der_bytes meant = { der, len };
	uint8_t out[SPELLING_MAX];
	size_t out_len = 0;
	unsigned int cured = 0;

	if (decode(path, prefix, judge_same, &meant, out, &out_len, &cured) !=
	    HTTP_TARGET_REQUEST)
		fail_msg("not a request: %s", path);
	if (out_len != len || memcmp(out, der, len) != 0)
		fail_msg("decodes wrongly: %s", path);
	if (cured != cured_expected)
		fail_msg("cured of %#x, not %#x: %s", cured, cured_expected,
		    path);
}

/* How one character may be written. */
enum spelling {
	RAW, ESCAPED, LOWER, TWICE, THRICE, URL, SPACE, ESCAPED_SPACE, EVERY
};

static char *
put_char(char *out, char c, enum spelling spelling, unsigned int *cured)
{
	bool is_special = c == '+' || c == '/' || c == '=';

	if (spelling == EVERY)
		return out + sprintf(out, "%%%02X", (unsigned char)c);
	if (is_special && spelling == ESCAPED)
		return out + sprintf(out, "%%%02X", (unsigned char)c);
	if (is_special && spelling == LOWER)
		return out + sprintf(out, "%%%02x", (unsigned char)c);
	if (is_special && (spelling == TWICE || spelling == THRICE)) {
		*cured |= HTTP_CURED_ESCAPES;
		return out + sprintf(out, spelling == TWICE ? "%%25%02X" :
		    "%%2525%02x", (unsigned char)c);
	}
	if ((c == '+' || c == '/') && spelling == URL) {
		*cured |= HTTP_CURED_ALPHABET;
		*out++ = c == '+' ? '-' : '_';
		return out;
	}
	if (c == '+' && (spelling == SPACE || spelling == ESCAPED_SPACE)) {
		*cured |= HTTP_CURED_ALPHABET;
		return out + sprintf(out, spelling == SPACE ? " " : "%%20");
	}
	*out++ = c;
	return out;
}

static unsigned int
spell(const char *base64, enum spelling spelling, char *out)
{
	unsigned int cured = 0;

	for (; *base64 != '\0'; base64++)
		out = put_char(out, *base64, spelling, &cured);
	*out = '\0';
	return cured;
}

/* get-escaped, get-raw-plus, get-raw-slash, get-lower-hex, get-space,
 * get-nopad, get-b64url, get-double-slash-lead, get-double-escaped,
 * get-query */
static void
test_spellings(void **state)
{
	char base64[OC_BASE64_LEN(DER_MAX) + 1], path[SPELLING_MAX];
	uint8_t der[DER_MAX];
	enum spelling s;
	unsigned int cured;
	size_t len;
	int round;
	char *pad;

	(void)state;
	for (round = 0; round < 2000; round++) {
		len = random_der(der);
		oc_base64_encode(der, len, base64);
		for (s = RAW; s <= EVERY; s++) {
			path[0] = '/';
			cured = spell(base64, s, path + 1);
			expect(path, "/", der, len, cured);
			strcat(path, "?x=1");
			expect(path, "/", der, len, cured);
			memcpy(path, "//", 2);
			spell(base64, s, path + 2);
			expect(path, "/", der, len, cured);
		}
		pad = strchr(base64, '=');
		if (pad == NULL)
			continue;
		*pad = '\0';
		for (s = RAW; s <= EVERY; s++) {
			path[0] = '/';
			cured = spell(base64, s, path + 1);
			expect(path, "/", der, len, cured);
		}
	}
}

/* get-mixed: each character another way. */
static void
test_mixed(void **state)
{
	char base64[OC_BASE64_LEN(DER_MAX) + 1], path[SPELLING_MAX], *out, *p;
	unsigned int cured;
	uint8_t der[DER_MAX];
	size_t len;
	int round;

	(void)state;
	for (round = 0; round < 5000; round++) {
		len = random_der(der);
		oc_base64_encode(der, len, base64);
		cured = 0;
		path[0] = '/';
		for (out = path + 1, p = base64; *p != '\0'; p++)
			out = put_char(out, *p,
			    (enum spelling)random_below(EVERY + 1), &cured);
		*out = '\0';
		expect(path, "/", der, len, cured);
	}
}

/* get-collapsed, by a judge who knows the issuer. */
static void
test_collapsed(void **state)
{
	char base64[OC_BASE64_LEN(DER_MAX) + 1], path[SPELLING_MAX];
	uint8_t der[DER_MAX];
	int round, num_doubles, num_repaired = 0;
	size_t len, i, n;

	(void)state;
	for (round = 0; round < 20000; round++) {
		len = random_der(der);
		/* Half of the octets 0xff: slashes in plenty. */
		for (i = 8; i < len && i < 40; i++)
			if (der[4] > 40 && random_below(2) == 0)
				der[i] = 0xff;
		oc_base64_encode(der, len, base64);
		path[0] = '/';
		for (num_doubles = 0, n = 1, i = 0; base64[i] != '\0'; i++) {
			if (base64[i] == '/' && path[n - 1] == '/')
				num_doubles++;
			else
				path[n++] = base64[i];
		}
		path[n] = '\0';
		if (num_doubles == 0 || num_doubles > 2)
			continue;
		num_repaired++;
		expect(path, "/", der, len, HTTP_CURED_SLASHES);
	}
	assert_true(num_repaired > 500);
}

/* Without a judge the DER alone decides; only one place makes sense here:
 * the '/' is in the length of the second OCTET STRING. */
static void
test_collapsed_by_der(void **state)
{
	/* 30 0a 04 02 0f ff 04 04 61 62 ff fc: MAoEAg// BARhYv/8 */
	static const uint8_t der[] = { 0x30, 0x0a, 0x04, 0x02, 0x0f, 0xff,
	    0x04, 0x04, 0x61, 0x62, 0xff, 0xfc };
	uint8_t out[64];
	size_t len = 0;
	unsigned int cured = 0;

	(void)state;
	assert_int_equal(decode("/MAoEAg/BARhYv/8", "/", NULL, NULL, out, &len,
	    &cured), HTTP_TARGET_REQUEST);
	assert_int_equal(cured, HTTP_CURED_SLASHES);
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(out, der, sizeof(der));
	/* 30 06 04 04 ff fx ff xx: two places, both DER: not guessed. */
	assert_int_equal(decode("/MAYEBP/w/w8", "/", NULL, NULL, out, &len,
	    &cured), HTTP_TARGET_REQUEST);
	assert_int_equal(cured, 0);
	assert_int_equal(len, 8);
	assert_int_equal(decode("/MAcEBf/w/w8", "/", NULL, NULL, out, &len,
	    &cured), HTTP_TARGET_REQUEST);
	assert_int_equal(cured & HTTP_CURED_SLASHES, 0);
}

/* Counts how often it is asked. */
static enum http_verdict
judge_all_plausible(void *arg, struct der_bytes der)
{
	(void)der;
	++*(unsigned int *)arg;
	return HTTP_PLAUSIBLE;
}

/* Only the first is. */
static enum http_verdict
judge_first_plausible(void *arg, struct der_bytes der)
{
	(void)der;
	return ++*(unsigned int *)arg == 1 ? HTTP_PLAUSIBLE : HTTP_IMPOSSIBLE;
}

static void
test_bounded(void **state)
{
	char base64[OC_BASE64_LEN(DER_MAX) + 1], path[SPELLING_MAX];
	uint8_t der[DER_MAX], out[DER_MAX];
	unsigned int tries = 0, cured = 0;
	size_t len = 0, i;

	(void)state;
	memset(der, 0xff, sizeof(der));
	memcpy(der, "\x30\x81\xc0\x04\x81\xbd", 6);
	memset(der + 6, 'a', 190);
	for (i = 12; i < 90; i += 3)
		memcpy(der + i, "\x0f\xff\xfa", 3);
	memset(der + 180, 0, 15);	/* no bits left over when cut */
	oc_base64_encode(der, 195, base64);
	path[0] = '/';
	strcpy(path + 1, base64);
	path[strlen(path) - 2] = '\0';	/* as if two were lost */
	assert_int_equal(decode(path, "/", judge_all_plausible, &tries, out,
	    &len, &cured), HTTP_TARGET_REQUEST);
	assert_int_equal(tries, 256);
	assert_int_equal(cured, 0);
	/* One that is plausible, and others that were never looked at. */
	tries = 0;
	assert_int_equal(decode(path, "/", judge_first_plausible, &tries, out,
	    &len, &cured), HTTP_TARGET_REQUEST);
	assert_int_equal(tries, 256);
	assert_int_equal(cured, 0);
}

/* get-prefix */
static void
test_prefix(void **state)
{
	static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x01 };
	static const char *const good[] = {
		"/ocsp/ca1/MAMCAQE=", "/ocsp/ca1//MAMCAQE=",
		"//ocsp/ca1/MAMCAQE=", "/ocsp/ca1/MAMCAQE?x",
	};
	static const char *const root[] = {
		"/ocsp/ca1", "/ocsp/ca1/", "/ocsp/ca1//", "/ocsp/ca1?x",
		"/ocsp/ca1/?x",
	};
	static const char *const other[] = {
		"/MAMCAQE=", "/ocsp/ca1MAMCAQE=", "/ocsp/ca2/MAMCAQE=",
		"/ocsp", "/", "", "/ocsp/ca11/MAMCAQE=", "?/ocsp/ca1",
		"/OCSP/ca1/MAMCAQE=",
	};
	unsigned int cured;
	uint8_t out[64];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		expect(good[i], "/ocsp/ca1/", der, sizeof(der), 0);
	for (i = 0; i < sizeof(root) / sizeof(root[0]); i++) {
		assert_int_equal(decode(root[i], "/ocsp/ca1/", NULL, NULL, out,
		    &len, &cured), HTTP_TARGET_ROOT);
		assert_int_equal(http_target_of_post((const uint8_t *)root[i],
		    strlen(root[i]), "/ocsp/ca1/"), HTTP_TARGET_ROOT);
	}
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		assert_int_equal(decode(other[i], "/ocsp/ca1/", NULL, NULL,
		    out, &len, &cured), HTTP_TARGET_OTHER);
		assert_int_equal(http_target_of_post((const uint8_t *)other[i],
		    strlen(other[i]), "/ocsp/ca1/"), HTTP_TARGET_OTHER);
		assert_int_equal(http_target_of_post((const uint8_t *)other[i],
		    strlen(other[i]), "/"), HTTP_TARGET_ROOT);
	}
}

/* get-root, get-garbage */
static void
test_others(void **state)
{
	static const char *const root[] = { "/", "//", "", "/?x", "?x" };
	static const char *const other[] = {
		"/favicon.ico", "/robots.txt", "/M", "/MA", "/QUJD", "/NDAw",
		"/MAMCAQE%", "/MAMCAQE%2", "/MAMCAQE%3G", "/MAMCAQE%zz",
		"/MAM=CAQE", "/MAMCAQE=/", "/MAMCA\xc3\xa4", "/MAMC.QE",
		"/MAMCAQF", "/MAMCA", "/%00", "/MA%00CAQE=", "/mamcaqe=",
		"/MAMCAQE#x", "/%2525252525",
	};
	unsigned int cured;
	uint8_t out[64];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(root) / sizeof(root[0]); i++)
		assert_int_equal(decode(root[i], "/", NULL, NULL, out, &len,
		    &cured), HTTP_TARGET_ROOT);
	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (decode(other[i], "/", NULL, NULL, out, &len, &cured) !=
		    HTTP_TARGET_OTHER)
			fail_msg("taken for a request: %s", other[i]);
}

/* What is cut off, or has something behind it, comes out as it is, for the
 * OCSP reader to refuse. */
static void
test_wrong_length(void **state)
{
	char base64[OC_BASE64_LEN(DER_MAX) + 1], path[SPELLING_MAX];
	uint8_t der[DER_MAX], out[DER_MAX];
	struct der_bytes meant = { NULL, 0 };
	unsigned int cured;
	size_t len, cut, got = 0;
	int round;

	(void)state;
	for (round = 0; round < 200; round++) {
		len = random_der(der);
		for (cut = 2; cut < len; cut++) {
			oc_base64_encode(der, cut, base64);
			path[0] = '/';
			strcpy(path + 1, base64);
			assert_int_equal(decode(path, "/", judge_same, &meant,
			    out, &got, &cured), HTTP_TARGET_REQUEST);
			assert_int_equal(got, cut);
			assert_memory_equal(out, der, cut);
			assert_int_equal(cured, 0);
		}
		der[len] = 0x0d;
		der[len + 1] = 0x0a;
		oc_base64_encode(der, len + 2, base64);
		strcpy(path + 1, base64);
		assert_int_equal(decode(path, "/", judge_same, &meant, out,
		    &got, &cured), HTTP_TARGET_REQUEST);
		assert_int_equal(got, len + 2);
	}
}

/* get->255: nothing about a long path is special. */
static void
test_long(void **state)
{
	static uint8_t der[6000], out[6000];
	static char base64[OC_BASE64_LEN(6000) + 1], path[8200];
	unsigned int cured = 9;
	size_t len = 0, i;

	(void)state;
	memcpy(der, "\x30\x82\x17\x6c\x04\x82\x17\x68", 8);
	for (i = 8; i < sizeof(der); i++)
		der[i] = (uint8_t)random_below(256);
	oc_base64_encode(der, sizeof(der), base64);
	snprintf(path, sizeof(path), "/%s", base64);
	assert_int_equal(decode(path, "/", NULL, NULL, out, &len, &cured),
	    HTTP_TARGET_REQUEST);
	assert_int_equal(cured, 0);
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(out, der, len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_collapsed),
		cmocka_unit_test(test_collapsed_by_der),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_wrong_length),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
