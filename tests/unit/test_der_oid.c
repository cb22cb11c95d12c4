/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Are the OIDs the ones the RFCs print, and is dotted text the same number
 * both ways?  The dotted forms below are typed from the RFCs; OpenSSL says
 * what octets they are.  X.690 8.19
 */
#include "der_test.h"

#include <stdio.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "der/oid.h"

static const struct {
	enum der_oid oid;
	const char *dotted;
} known[] = {
	{ DER_OID_RSA_ENCRYPTION, "1.2.840.113549.1.1.1" },
	{ DER_OID_RSASSA_PSS, "1.2.840.113549.1.1.10" },
	{ DER_OID_MGF1, "1.2.840.113549.1.1.8" },
	{ DER_OID_EC_PUBLIC_KEY, "1.2.840.10045.2.1" },
	{ DER_OID_P256, "1.2.840.10045.3.1.7" },
	{ DER_OID_P384, "1.3.132.0.34" },
	{ DER_OID_P521, "1.3.132.0.35" },
	{ DER_OID_ED25519, "1.3.101.112" },
	{ DER_OID_SHA1_WITH_RSA, "1.2.840.113549.1.1.5" },
	{ DER_OID_SHA256_WITH_RSA, "1.2.840.113549.1.1.11" },
	{ DER_OID_SHA384_WITH_RSA, "1.2.840.113549.1.1.12" },
	{ DER_OID_SHA512_WITH_RSA, "1.2.840.113549.1.1.13" },
	{ DER_OID_ECDSA_WITH_SHA256, "1.2.840.10045.4.3.2" },
	{ DER_OID_ECDSA_WITH_SHA384, "1.2.840.10045.4.3.3" },
	{ DER_OID_ECDSA_WITH_SHA512, "1.2.840.10045.4.3.4" },
	{ DER_OID_SHA1, "1.3.14.3.2.26" },
	{ DER_OID_SHA224, "2.16.840.1.101.3.4.2.4" },
	{ DER_OID_SHA256, "2.16.840.1.101.3.4.2.1" },
	{ DER_OID_SHA384, "2.16.840.1.101.3.4.2.2" },
	{ DER_OID_SHA512, "2.16.840.1.101.3.4.2.3" },
	{ DER_OID_COMMON_NAME, "2.5.4.3" },
	{ DER_OID_SERIAL_NUMBER, "2.5.4.5" },
	{ DER_OID_COUNTRY, "2.5.4.6" },
	{ DER_OID_LOCALITY, "2.5.4.7" },
	{ DER_OID_STATE, "2.5.4.8" },
	{ DER_OID_STREET, "2.5.4.9" },
	{ DER_OID_ORGANIZATION, "2.5.4.10" },
	{ DER_OID_ORGANIZATIONAL_UNIT, "2.5.4.11" },
	{ DER_OID_POSTAL_CODE, "2.5.4.17" },
	{ DER_OID_DOMAIN_COMPONENT, "0.9.2342.19200300.100.1.25" },
	{ DER_OID_EMAIL_ADDRESS, "1.2.840.113549.1.9.1" },
	{ DER_OID_ORGANIZATION_IDENTIFIER, "2.5.4.97" },
	{ DER_OID_SUBJECT_KEY_IDENTIFIER, "2.5.29.14" },
	{ DER_OID_KEY_USAGE, "2.5.29.15" },
	{ DER_OID_SUBJECT_ALT_NAME, "2.5.29.17" },
	{ DER_OID_BASIC_CONSTRAINTS, "2.5.29.19" },
	{ DER_OID_CRL_NUMBER, "2.5.29.20" },
	{ DER_OID_REASON_CODE, "2.5.29.21" },
	{ DER_OID_INVALIDITY_DATE, "2.5.29.24" },
	{ DER_OID_ISSUING_DISTRIBUTION_POINT, "2.5.29.28" },
	{ DER_OID_DELTA_CRL_INDICATOR, "2.5.29.27" },
	{ DER_OID_FRESHEST_CRL, "2.5.29.46" },
	{ DER_OID_NAME_CONSTRAINTS, "2.5.29.30" },
	{ DER_OID_CRL_DISTRIBUTION_POINTS, "2.5.29.31" },
	{ DER_OID_CERTIFICATE_POLICIES, "2.5.29.32" },
	{ DER_OID_AUTHORITY_KEY_IDENTIFIER, "2.5.29.35" },
	{ DER_OID_EXTENDED_KEY_USAGE, "2.5.29.37" },
	{ DER_OID_AUTHORITY_INFO_ACCESS, "1.3.6.1.5.5.7.1.1" },
	{ DER_OID_TLS_FEATURE, "1.3.6.1.5.5.7.1.24" },
	{ DER_OID_ANY_EXTENDED_KEY_USAGE, "2.5.29.37.0" },
	{ DER_OID_SERVER_AUTH, "1.3.6.1.5.5.7.3.1" },
	{ DER_OID_CLIENT_AUTH, "1.3.6.1.5.5.7.3.2" },
	{ DER_OID_CODE_SIGNING, "1.3.6.1.5.5.7.3.3" },
	{ DER_OID_EMAIL_PROTECTION, "1.3.6.1.5.5.7.3.4" },
	{ DER_OID_TIME_STAMPING, "1.3.6.1.5.5.7.3.8" },
	{ DER_OID_OCSP_SIGNING, "1.3.6.1.5.5.7.3.9" },
	{ DER_OID_AD_OCSP, "1.3.6.1.5.5.7.48.1" },
	{ DER_OID_AD_CA_ISSUERS, "1.3.6.1.5.5.7.48.2" },
	{ DER_OID_OCSP_BASIC, "1.3.6.1.5.5.7.48.1.1" },
	{ DER_OID_OCSP_NONCE, "1.3.6.1.5.5.7.48.1.2" },
	{ DER_OID_OCSP_CRL, "1.3.6.1.5.5.7.48.1.3" },
	{ DER_OID_OCSP_RESPONSE, "1.3.6.1.5.5.7.48.1.4" },
	{ DER_OID_OCSP_NOCHECK, "1.3.6.1.5.5.7.48.1.5" },
	{ DER_OID_OCSP_ARCHIVE_CUTOFF, "1.3.6.1.5.5.7.48.1.6" },
	{ DER_OID_OCSP_SERVICE_LOCATOR, "1.3.6.1.5.5.7.48.1.7" },
	{ DER_OID_OCSP_PREF_SIG_ALGS, "1.3.6.1.5.5.7.48.1.8" },
	{ DER_OID_OCSP_EXTENDED_REVOKE, "1.3.6.1.5.5.7.48.1.9" },
	{ DER_OID_EXTENSION_REQUEST, "1.2.840.113549.1.9.14" },
	{ DER_OID_MS_EXTENSION_REQUEST, "1.3.6.1.4.1.311.2.1.14" },
	{ DER_OID_CHALLENGE_PASSWORD, "1.2.840.113549.1.9.7" },
	{ DER_OID_UNSTRUCTURED_NAME, "1.2.840.113549.1.9.2" },
	{ DER_OID_QT_CPS, "1.3.6.1.5.5.7.2.1" },
	{ DER_OID_QT_NOTICE, "1.3.6.1.5.5.7.2.2" },
	{ DER_OID_CT_POISON, "1.3.6.1.4.1.11129.2.4.3" },
	{ DER_OID_CT_SCTS, "1.3.6.1.4.1.11129.2.4.2" },
};
#define NUM_KNOWN (sizeof(known) / sizeof(known[0]))

static void
test_table(void **state)
{
	char text[DER_OID_TEXT_MAX];
	uint8_t parsed[64];
	struct der_bytes ours;
	ASN1_OBJECT *object;
	unsigned int i;
	size_t len;

	(void)state;
	/* None is missing above. */
	assert_int_equal(NUM_KNOWN, DER_OID_MAX - 1);
	for (i = 0; i < NUM_KNOWN; i++) {
		ours = der_oid_bytes(known[i].oid);
		object = OBJ_txt2obj(known[i].dotted, 1);
		assert_non_null(object);
		assert_int_equal(OBJ_length(object), ours.len);
		assert_memory_equal(OBJ_get0_data(object), ours.p, ours.len);
		ASN1_OBJECT_free(object);
		assert_true(der_oid_is_valid(ours));
		assert_int_equal(der_oid_find(ours), known[i].oid);
		der_oid_format(ours, text);
		assert_string_equal(text, known[i].dotted);
		assert_int_equal(der_oid_parse(known[i].dotted, parsed,
		    sizeof(parsed), &len), OC_OK);
		assert_int_equal(len, ours.len);
		assert_memory_equal(parsed, ours.p, len);
	}
}

/* Names are what an operator reads: one each, never missing. */
static void
test_names(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < DER_OID_MAX; i++) {
		assert_non_null(der_oid_name((enum der_oid)i));
		assert_true(strlen(der_oid_name((enum der_oid)i)) > 0);
		for (j = 0; j < i; j++)
			assert_string_not_equal(der_oid_name((enum der_oid)i),
			    der_oid_name((enum der_oid)j));
	}
	assert_string_equal(der_oid_name(DER_OID_COMMON_NAME), "commonName");
	assert_string_equal(der_oid_name(DER_OID_UNKNOWN), "unknown");
	assert_string_equal(der_oid_name(DER_OID_OCSP_NOCHECK),
	    "id-pkix-ocsp-nocheck");
}

static void
test_find_nothing(void **state)
{
	struct der_bytes cut = der_oid_bytes(DER_OID_SHA256);

	(void)state;
	assert_int_equal(der_oid_find((struct der_bytes){ NULL, 0 }),
	    DER_OID_UNKNOWN);
	cut.len--;
	assert_int_equal(der_oid_find(cut), DER_OID_UNKNOWN);
	assert_int_equal(der_oid_find(DER_LITERAL("\x55\x04\x03\x00")),
	    DER_OID_UNKNOWN);
	assert_int_equal(der_oid_find(DER_LITERAL("\x55\x04\x04")),
	    DER_OID_UNKNOWN);
	assert_int_equal(der_oid_bytes(DER_OID_UNKNOWN).len, 0);
}

/* X.690 8.19.2: whole subidentifiers, none with leading zeros. */
static void
test_validity(void **state)
{
	static const char *const bad[] = { "", "80", "ff", "55 04 83",
	    "80 01", "55 80 01", "55 04 80 03", "55 04 80 80 03", "81",
	    "2a 86 48 86 f7", "55 80" };
	static const char *const good[] = { "00", "55", "81 00", "55 04 03",
	    "ff ff ff ff ff ff ff ff ff ff 7f", "88 37 03", "55 00" };
	char text[DER_OID_TEXT_MAX];
	struct der_bytes bytes;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bytes = test_unhex(bad[i]);
		assert_false(der_oid_is_valid(bytes));
		der_oid_format(bytes, text);
		assert_string_equal(text, "(not an OID)");
		test_release(bytes);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bytes = test_unhex(good[i]);
		assert_true(der_oid_is_valid(bytes));
		test_release(bytes);
	}
}

/* X.690 8.19.4 and 8.19.5 (2.999.3 is its example); 2.25 takes UUIDs. */
static void
test_text_both_ways(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{ "0.0", "00" }, { "0.39", "27" }, { "1.0", "28" },
		{ "1.39", "4f" }, { "2.0", "50" }, { "2.39", "77" },
		{ "2.40", "78" }, { "2.47", "7f" }, { "2.48", "81 00" },
		{ "2.999.3", "88 37 03" }, { "1.2.0", "2a 00" },
		{ "1.2.127.128", "2a 7f 81 00" },
		{ "1.2.16383.16384", "2a ff 7f 81 80 00" },
		{ "1.2.4294967295", "2a 8f ff ff ff 7f" },
		{ "1.2.18446744073709551616",
		    "2a 82 80 80 80 80 80 80 80 80 00" },
		{ "2.25.340282366920938463463374607431768211455",
		    "69 83 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff "
		    "ff 7f" },
		{ "2.1000000000", "83 dc eb 94 50" },
		{ "2.999999999920", "9d 8d a5 94 a0 00" },
	};
	char text[DER_OID_TEXT_MAX];
	struct der_bytes bytes;
	uint8_t out[64];
	unsigned int i;
	size_t len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bytes = test_unhex(cases[i].hex);
		der_oid_format(bytes, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(der_oid_parse(cases[i].text, out, sizeof(out),
		    &len), OC_OK);
		assert_int_equal(len, bytes.len);
		assert_memory_equal(out, bytes.p, len);
		test_release(bytes);
	}
}

static void
test_bad_text(void **state)
{
	static const char *const bad[] = { "", ".", "1", "1.", ".1", "3.1",
	    "1.40", "0.40", "1.100", "1..2", "1.2.", "1.2..3", ".1.2",
	    "1.2.3 ", " 1.2.3", "1.2.-3", "1.2.+3", "1.2.03", "1.00",
	    "01.2", "10.2", "1.2.a", "1.2.0x3", "1.2,3", "1.2.3\n",
	    "commonName", "a.b", "1.2.3.", "2", "1 .2" };
	uint8_t out[64];
	unsigned int i;
	size_t len = 42;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(der_oid_parse(bad[i], out, sizeof(out),
		    &len), OC_ERR_MALFORMED);
	assert_int_equal(len, 42);
}

static void
test_limits(void **state)
{
	uint8_t out[8] = { 0 };
	char text[2048];
	size_t len = 42;
	unsigned int max;

	(void)state;
	/* 2a 86 48 86 f7 0d 01 */
	for (max = 0; max < 7; max++)
		assert_int_equal(der_oid_parse("1.2.840.113549.1", out, max,
		    &len), OC_ERR_LIMIT);
	assert_int_equal(len, 42);
	assert_int_equal(out[7], 0);
	assert_int_equal(der_oid_parse("1.2.840.113549.1", out, 7, &len),
	    OC_OK);
	assert_int_equal(len, 7);

	/* An arc larger than anything is refused, not wrapped. */
	memset(text, '9', sizeof(text));
	memcpy(text, "1.2.", 4);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(der_oid_parse(text, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
	memcpy(text, "2.", 2);
	text[2] = '9';
	text[3] = '9';
	assert_int_equal(der_oid_parse(text, out, sizeof(out), &len),
	    OC_ERR_LIMIT);
}

/* Text that does not fit ends in dots and is never longer than it may be. */
static void
test_cut(void **state)
{
	static char text[DER_OID_TEXT_MAX];
	uint8_t octets[200];
	unsigned int i;
	size_t len;

	(void)state;
	/* 1.2 and many arcs; 126 octets of text fit whole. */
	memset(octets, 0x01, sizeof(octets));
	octets[0] = 0x2a;
	for (i = 1; i <= sizeof(octets); i++) {
		memset(text, 'x', sizeof(text));
		der_oid_format((struct der_bytes){ octets, i }, text);
		len = strnlen(text, sizeof(text));
		assert_true(len < sizeof(text));
		if (1 + 2 * i <= DER_OID_TEXT_MAX - 1) {
			assert_int_equal(len, 1 + 2 * i);
		} else {
			assert_true(len >= DER_OID_TEXT_MAX - 6);
			assert_string_equal(text + len - 3, "...");
		}
	}
	/* One arc of more digits than there is room for. */
	memset(octets, 0xff, sizeof(octets));
	octets[sizeof(octets) - 1] = 0x7f;
	der_oid_format(DER_ARRAY(octets), text);
	assert_string_equal(text, "...");
}

static void
test_openssl_agrees(void **state)
{
	char ours[DER_OID_TEXT_MAX], theirs[256];
	const unsigned char *p;
	uint8_t tlv[2 + 24], back[32];
	ASN1_OBJECT *object;
	uint64_t seed = 8190719;
	unsigned int i, num_valid = 0;
	size_t len, back_len;

	(void)state;
	for (i = 0; i < 20000; i++) {
		len = 1 + test_random(&seed) % 24;
		test_random_fill(&seed, tlv + 2, len);
		/* Half of them must be whole, or hardly any would. */
		if (test_random(&seed) & 1)
			tlv[1 + len] &= 0x7f;
		tlv[0] = 0x06;
		tlv[1] = (uint8_t)len;
		p = tlv;
		object = d2i_ASN1_OBJECT(NULL, &p, (long)(2 + len));
		assert_int_equal(object != NULL, der_oid_is_valid(
		    (struct der_bytes){ tlv + 2, len }));
		if (object == NULL)
			continue;
		num_valid++;
		assert_true(OBJ_obj2txt(theirs, sizeof(theirs), object, 1) <
		    (int)sizeof(theirs));
		der_oid_format((struct der_bytes){ tlv + 2, len }, ours);
		assert_string_equal(ours, theirs);
		assert_int_equal(der_oid_parse(ours, back, sizeof(back),
		    &back_len), OC_OK);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, tlv + 2, len);
		ASN1_OBJECT_free(object);
	}
	assert_true(num_valid > 5000);
}

static void
bytes_of_no_oid(void)
{
	(void)der_oid_bytes(DER_OID_MAX);
}

static void
name_of_no_oid(void)
{
	(void)der_oid_name((enum der_oid)-1);
}

static void
test_no_oid_aborts(void **state)
{
	(void)state;
	test_aborts(bytes_of_no_oid);
	test_aborts(name_of_no_oid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find_nothing),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_text_both_ways),
		cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_openssl_agrees),
		cmocka_unit_test(test_no_oid_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
