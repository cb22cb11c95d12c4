/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are civil time and Unix seconds the same moment, for every day of ten
 * thousand years, and in OpenSSL's eyes?  RFC5280:4.1.2.5
 */
#include "der_test.h"

#include <openssl/asn1.h>

#include "der/time.h"

#define DAY 86400

static int
month_length(int year, int month)
{
	switch (month) {
	case 4: case 6: case 9: case 11:
		return 30;
	case 2:
		if (year % 400 == 0 || (year % 100 != 0 && year % 4 == 0))
			return 29;
		return 28;
	default:
		return 31;
	}
}

/* Counts the days up one by one, which needs no formula. */
static void
test_every_day(void **state)
{
	struct der_civil want = { 0, 1, 1, 0, 0, 0 }, got;
	int64_t at, back;
	int second = 0;

	(void)state;
	for (at = DER_TIME_MIN; at < DER_TIME_MAX; at += DAY) {
		/* Another second of the day each day. */
		second = (second + 7919) % DAY;
		want.hour = second / 3600;
		want.minute = second / 60 % 60;
		want.second = second % 60;
		der_civil_from_unix(at + second, &got);
		assert_memory_equal(&got, &want, sizeof(want));
		assert_int_equal(der_civil_to_unix(&want, &back), OC_OK);
		assert_true(back == at + second);
		if (++want.day > month_length(want.year, want.month)) {
			want.day = 1;
			want.month++;
		}
		if (want.month > 12) {
			want.month = 1;
			want.year++;
		}
	}
	assert_int_equal(want.year, 10000);
	assert_true(at == DER_TIME_MAX + 1);
}

static void
check_against_openssl(int64_t at)
{
	ASN1_GENERALIZEDTIME *time = ASN1_GENERALIZEDTIME_set(NULL,
	    (time_t)at);
	ASN1_TIME *either = ASN1_TIME_set(NULL, (time_t)at);
	uint8_t gentime[DER_GENTIME_LEN], utctime[DER_UTCTIME_LEN];
	int64_t back;

	assert_non_null(time);
	assert_non_null(either);
	der_format_gentime(at, gentime);
	assert_int_equal(ASN1_STRING_length(time), DER_GENTIME_LEN);
	assert_memory_equal(ASN1_STRING_get0_data(time), gentime,
	    DER_GENTIME_LEN);
	assert_int_equal(der_parse_gentime(DER_ARRAY(gentime), &back), OC_OK);
	assert_true(back == at);
	if (ASN1_STRING_type(either) == V_ASN1_UTCTIME) {
		der_format_utctime(at, utctime);
		assert_int_equal(ASN1_STRING_length(either), DER_UTCTIME_LEN);
		assert_memory_equal(ASN1_STRING_get0_data(either), utctime,
		    DER_UTCTIME_LEN);
		assert_int_equal(der_parse_utctime(DER_ARRAY(utctime), &back),
		    OC_OK);
		assert_true(back == at);
	} else {
		assert_true(at < DER_UTCTIME_FIRST || at > DER_UTCTIME_LAST);
	}
	ASN1_STRING_free(time);
	ASN1_STRING_free(either);
}

static void
test_openssl_agrees(void **state)
{
	static const int64_t around[] = { DER_TIME_MIN, DER_TIME_MAX,
	    DER_UTCTIME_FIRST, DER_UTCTIME_LAST, 0, INT32_MAX, INT32_MIN,
	    UINT32_MAX, 951782400 /* 2000-02-29 */, 4107542400 /* 2100-03-01 */,
	    INT64_C(-62162035200) /* 0000-03-01 */ };
	uint64_t seed = 20261123;
	unsigned int i;
	int64_t at, offset;

	(void)state;
	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (offset = -2; offset <= 2; offset++) {
			at = around[i] + offset;
			if (at >= DER_TIME_MIN && at <= DER_TIME_MAX)
				check_against_openssl(at);
		}
	}
	for (i = 0; i < 20000; i++) {
		check_against_openssl(DER_TIME_MIN +
		    (int64_t)(test_random(&seed) %
		    (uint64_t)(DER_TIME_MAX - DER_TIME_MIN + 1)));
		check_against_openssl(DER_UTCTIME_FIRST +
		    (int64_t)(test_random(&seed) %
		    (uint64_t)(DER_UTCTIME_LAST - DER_UTCTIME_FIRST + 1)));
	}
}

static void
test_known_values(void **state)
{
	static const struct {
		int64_t at;
		const char *gentime, *iso;
	} cases[] = {
		{ 0, "19700101000000Z", "1970-01-01T00:00:00Z" },
		{ -1, "19691231235959Z", "1969-12-31T23:59:59Z" },
		{ 951868799, "20000229235959Z", "2000-02-29T23:59:59Z" },
		{ 1795471200, "20261123220000Z", "2026-11-23T22:00:00Z" },
		{ DER_TIME_MIN, "00000101000000Z", "0000-01-01T00:00:00Z" },
		{ DER_TIME_MAX, "99991231235959Z", "9999-12-31T23:59:59Z" },
	};
	uint8_t gentime[DER_GENTIME_LEN];
	char iso[DER_ISO8601_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		der_format_gentime(cases[i].at, gentime);
		assert_memory_equal(gentime, cases[i].gentime,
		    DER_GENTIME_LEN);
		der_format_iso8601(cases[i].at, iso);
		assert_string_equal(iso, cases[i].iso);
	}
}

/* RFC5280:4.1.2.5.1: the century is a matter of 50. */
static void
test_utctime_century(void **state)
{
	int64_t at;

	(void)state;
	assert_int_equal(der_parse_utctime(DER_LITERAL("500101000000Z"), &at),
	    OC_OK);
	assert_true(at == DER_UTCTIME_FIRST);
	assert_int_equal(der_parse_utctime(DER_LITERAL("491231235959Z"), &at),
	    OC_OK);
	assert_true(at == DER_UTCTIME_LAST);
}

/* RFC5280:4.1.2.5.2, X.690 11.7 and 11.8: one form, no other. */
static void
test_bad_times(void **state)
{
	static const char *const gentimes[] = {
		"", "Z", "20261123220000", "20261123220000z",
		"2026112322000Z", "202611232200000Z", "202611232200Z",
		"20261123220000.5Z", "20261123220000+0000",
		"20261123220000,Z", "+0261123220000Z", "-0261123220000Z",
		" 0261123220000Z", "20261123 20000Z", "2026112322:000Z",
		"20260023220000Z", "20261323220000Z", "20261100220000Z",
		"20261131220000Z", "20260229220000Z", "21000229220000Z",
		"20261123240000Z", "20261123226000Z", "20261123220060Z",
		"20161231235960Z", "2026112322000aZ", "20261123220000Y",
		"/0261123220000Z", ":0261123220000Z", "261123220000Z",
	};
	static const char *const utctimes[] = {
		"", "Z", "261123220000", "261123220000z", "2611232200Z",
		"261123220000+0100", "261123220000-0000", "26112322000Z",
		"2611232200000Z", "260023220000Z", "261323220000Z",
		"261100220000Z", "261131220000Z", "270229220000Z",
		"261123240000Z", "261123226000Z", "261123220060Z",
		"161231235960Z", " 61123220000Z", "-61123220000Z",
		"2a1123220000Z", "261123220000Y", "20261123220000Z",
	};
	int64_t at = 42;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(gentimes) / sizeof(gentimes[0]); i++)
		assert_int_equal(der_parse_gentime((struct der_bytes){
		    (const uint8_t *)gentimes[i], strlen(gentimes[i]) }, &at),
		    OC_ERR_MALFORMED);
	for (i = 0; i < sizeof(utctimes) / sizeof(utctimes[0]); i++)
		assert_int_equal(der_parse_utctime((struct der_bytes){
		    (const uint8_t *)utctimes[i], strlen(utctimes[i]) }, &at),
		    OC_ERR_MALFORMED);
	assert_int_equal(der_parse_gentime((struct der_bytes){ NULL, 0 }, &at),
	    OC_ERR_MALFORMED);
	assert_true(at == 42);
}

/* Any octet that is not what belongs there is refused. */
static void
test_every_octet(void **state)
{
	uint8_t text[DER_GENTIME_LEN];
	unsigned int i, octet;
	int64_t at;
	enum oc_err err;

	(void)state;
	for (i = 0; i < DER_GENTIME_LEN; i++) {
		for (octet = 0; octet < 256; octet++) {
			memcpy(text, "20261123220000Z", sizeof(text));
			text[i] = (uint8_t)octet;
			err = der_parse_gentime(DER_ARRAY(text), &at);
			if (i == DER_GENTIME_LEN - 1)
				assert_int_equal(err == OC_OK, octet == 'Z');
			else if (octet < '0' || octet > '9')
				assert_int_equal(err, OC_ERR_MALFORMED);
		}
	}
}

static void
test_bad_civil(void **state)
{
	static const struct der_civil bad[] = {
		{ -1, 12, 31, 0, 0, 0 }, { 10000, 1, 1, 0, 0, 0 },
		{ 2026, 0, 1, 0, 0, 0 }, { 2026, 13, 1, 0, 0, 0 },
		{ 2026, -1, 1, 0, 0, 0 }, { 2026, 1, 0, 0, 0, 0 },
		{ 2026, 1, -1, 0, 0, 0 }, { 2026, 1, 32, 0, 0, 0 },
		{ 2026, 2, 29, 0, 0, 0 }, { 1900, 2, 29, 0, 0, 0 },
		{ 2024, 2, 30, 0, 0, 0 }, { 2026, 4, 31, 0, 0, 0 },
		{ 2026, 1, 1, 24, 0, 0 }, { 2026, 1, 1, -1, 0, 0 },
		{ 2026, 1, 1, 0, 60, 0 }, { 2026, 1, 1, 0, -1, 0 },
		{ 2026, 1, 1, 0, 0, 60 }, { 2026, 1, 1, 0, 0, -1 },
		{ INT32_MAX, 1, 1, 0, 0, 0 }, { 2026, INT32_MIN, 1, 0, 0, 0 },
	};
	int64_t at = 42;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(der_civil_to_unix(&bad[i], &at),
		    OC_ERR_MALFORMED);
	assert_true(at == 42);
}

static void
too_early(void)
{
	uint8_t out[DER_GENTIME_LEN];

	der_format_gentime(DER_TIME_MIN - 1, out);
}

static void
too_late(void)
{
	uint8_t out[DER_GENTIME_LEN];

	der_format_gentime(DER_TIME_MAX + 1, out);
}

static void
before_utctime(void)
{
	uint8_t out[DER_UTCTIME_LEN];

	der_format_utctime(DER_UTCTIME_FIRST - 1, out);
}

static void
after_utctime(void)
{
	uint8_t out[DER_UTCTIME_LEN];

	der_format_utctime(DER_UTCTIME_LAST + 1, out);
}

static void
not_a_time(void)
{
	struct der_civil civil;

	der_civil_from_unix(INT64_MAX, &civil);
}

static void
test_out_of_range_aborts(void **state)
{
	(void)state;
	test_aborts(too_early);
	test_aborts(too_late);
	test_aborts(before_utctime);
	test_aborts(after_utctime);
	test_aborts(not_a_time);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_openssl_agrees),
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_utctime_century),
		cmocka_unit_test(test_bad_times),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_bad_civil),
		cmocka_unit_test(test_out_of_range_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
