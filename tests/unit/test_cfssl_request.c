/* SPDX-License-Identifier: Apache-2.0 */
/* csr.json: what it says, and everything that it must not say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cfssl/duration.h"
#include "cfssl/request.h"
#include "tests/unit/x509_test.h"

static struct cfssl_request *
read_text(const char *text)
{
	struct cfssl_request *r = NULL;
	struct oc_error error = { 0 };

	if (cfssl_request_read("csr.json", (const uint8_t *)text,
	    strlen(text), &r, NULL, &error) != OC_OK)
		fail_msg("%s: %s", text, error.text);
	return r;
}

static void
assert_subject(const struct cfssl_subject *s, const char *hex)
{
	uint8_t out[OC_NAME_MAX];
	char text[2 * OC_NAME_MAX + 1];
	struct oc_error error = { 0 };
	size_t len;

	assert_int_equal(cfssl_subject_write(s, out, &len, &error), OC_OK);
	assert_true(x509_name_is_valid((struct der_bytes){ out, len }));
	oc_hex_encode(out, len, text);
	assert_string_equal(text, hex);
}

/* --- good ------------------------------------------------------------- */

/* The csr.json that the Origin CA was announced with. */
static void
test_origin_announcement(void **state)
{
	struct cfssl_request *r = read_text("{ \"CN\": \"www.example.com\","
	    "\"hosts\": [\"example.com\", \"www.example.com\","
	    "\"https://www.example.com\", \"jdoe@example.com\","
	    "\"127.0.0.1\"], \"key\": { \"algo\": \"rsa\", \"size\": 2048 },"
	    "\"names\": [{ \"C\": \"US\", \"L\": \"San Francisco\","
	    "\"O\": \"My Company, Inc.\","
	    "\"OU\": \"My Company\xe2\x80\x99s IT Department\","
	    "\"ST\": \"California\" }] }");
	static const char *const sans[] = { "DNS:example.com",
	    "DNS:www.example.com", "email:jdoe@example.com", "IP:127.0.0.1",
	    "URI:https://www.example.com" };
	char text[X509_NAME_TEXT_MAX], san[X509_SAN_TEXT_MAX];
	uint8_t out[OC_NAME_MAX];
	size_t len;

	(void)state;
	assert_int_equal(r->key_type, SIGN_KEY_RSA);
	assert_int_equal(r->key_bits, 2048);
	assert_false(r->ca.is_given);
	assert_int_equal(r->num_sans, ARRAY_LEN(sans));
	for (size_t i = 0; i < ARRAY_LEN(sans); i++) {
		x509_san_format(&r->sans[i], san);
		assert_string_equal(san, sans[i]);
	}
	assert_int_equal(cfssl_subject_write(&r->subject, out, &len, NULL),
	    OC_OK);
	x509_name_format((struct der_bytes){ out, len }, text);
	assert_string_equal(text, "CN=www.example.com,"
	    "OU=My Company\xe2\x80\x99s IT Department,O=My Company\\, Inc.,"
	    "L=San Francisco,ST=California,C=US");
	/* PrintableString but for the OU, which is UTF8String. */
	assert_non_null(memmem(out, len, "\x13\x10My Company, Inc.", 18));
	assert_non_null(memmem(out, len, "\x0c\x1cMy Company", 12));
	cfssl_request_free(r);
}

/* Several values of a type are one SET, in DER's order: as cfssl 1.2.0
 * writes {"OU":"zz"},{"OU":"b"},{"OU":"aaa"}. */
static void
test_several_values(void **state)
{
	struct cfssl_request *r = read_text("{\"CN\":\"x\",\"names\":["
	    "{\"OU\":\"zz\"},{\"OU\":\"b\"},{\"OU\":\"aaa\",\"C\":\"DE\"}],"
	    "\"serialnumber\":\"9\"}");

	(void)state;
	assert_subject(&r->subject, "3048310b3009060355040613024445"
	    "31213008060355040b1301623009060355040b13027a7a"
	    "300a060355040b1303616161"
	    "310a30080603550403130178310a30080603550405130139");
	cfssl_request_free(r);
}

static void
test_other_attributes(void **state)
{
	struct cfssl_request *r = read_text("{\"names\":[{\"E\":\"a@b.c\","
	    "\"SerialNumber\":\"7\",\"OID\":{\"1.2.3.4\":\"x\","
	    "\"2.5.4.17\":\"12345\"}}], \"serialnumber\":\"7\"}");

	(void)state;
	assert_subject(&r->subject, "303e310e300c06035504111305"
	    "3132333435310a30080603550405130137"
	    "3114301206092a864886f70d01090116056140622e63"
	    "310a300806032a0304130178");
	cfssl_request_free(r);
}

static void
test_defaults(void **state)
{
	static const struct {
		const char *text;
		enum sign_key_type type;
		unsigned int bits;
	} rows[] = {
		{ "{}", SIGN_KEY_P256, 256 },
		{ "{\"key\":null,\"CN\":null,\"hosts\":null,\"names\":null,"
		    "\"ca\":null,\"serialnumber\":null}", SIGN_KEY_P256, 256 },
		{ "{\"key\":{}}", SIGN_KEY_P256, 256 },
		{ "{\"key\":{\"size\":384}}", SIGN_KEY_P384, 384 },
		{ "{\"key\":{\"algo\":\"ecdsa\",\"size\":521}}",
		    SIGN_KEY_P521, 521 },
		{ "{\"key\":{\"algo\":\"ed25519\"}}", SIGN_KEY_ED25519, 256 },
		{ "{\"KEY\":{\"Algo\":\"rsa\",\"SIZE\":8192}}",
		    SIGN_KEY_RSA, 8192 },
		{ "{\"cn\":\"\",\"names\":[{\"C\":\"\"},{}],\"hosts\":[],"
		    "\"extensions\":[],\"delegation_enabled\":false}",
		    SIGN_KEY_P256, 256 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cfssl_request *r = read_text(rows[i].text);
		struct x509_extensions *e = test_alloc(sizeof(*e));

		assert_int_equal(r->key_type, rows[i].type);
		assert_int_equal(r->key_bits, rows[i].bits);
		assert_false(cfssl_request_extensions(r, e));
		assert_subject(&r->subject, "3000");
		cfssl_request_free(r);
	}
}

static void
test_ca(void **state)
{
	static const struct {
		const char *ca;
		int path_length;
		int64_t expiry_s, backdate_s;
	} rows[] = {
		{ "{}", X509_NO_PATH_LENGTH, 0, 0 },
		{ "{\"pathlen\":0}", X509_NO_PATH_LENGTH, 0, 0 },
		{ "{\"pathlen\":0,\"pathlenzero\":true}", 0, 0, 0 },
		{ "{\"pathlenzero\":true,\"expiry\":\"87600h\"}", 0,
		    87600 * INT64_C(3600), 0 },
		{ "{\"pathlen\":3,\"pathlenzero\":false,\"backdate\":"
		    "\"1h30m\",\"expiry\":\"\"}", 3, 0, 5400 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct x509_extensions *e = test_alloc(sizeof(*e));
		struct cfssl_request *r;
		char text[256];

		(void)snprintf(text, sizeof(text), "{\"ca\":%s}", rows[i].ca);
		r = read_text(text);
		assert_true(r->ca.is_given);
		assert_int_equal(r->ca.path_length, rows[i].path_length);
		assert_int_equal(r->ca.expiry_s, rows[i].expiry_s);
		assert_int_equal(r->ca.backdate_s, rows[i].backdate_s);
		assert_true(cfssl_request_extensions(r, e));
		assert_true(e->has_basic_constraints);
		assert_int_equal(e->ca, X509_IS_CA);
		assert_int_equal(e->path_length, rows[i].path_length);
		cfssl_request_free(r);
	}
}

static void
test_hosts(void **state)
{
	static const char *const want[] = { "DNS:*.example.com",
	    "DNS:xn--bcher-kva.example", "DNS:localhost", "email:A.b@c.de",
	    "IP:10.0.0.1", "IP:::1", "URI:spiffe://a/b", "URI:urn:x:y",
	    "URI:mailto:a@b.c" };
	struct cfssl_request *r = read_text("{\"hosts\":[\"spiffe://a/b\","
	    "\"10.0.0.1\",\"*.Example.COM\",\"::1\",\"A.b@C.de\","
	    "\"xn--bcher-kva.example\",\"urn:x:y\",\"localhost\","
	    "\"*.example.com\",\"::ffff:10.0.0.1\",\"mailto:a@b.c\"]}");
	const struct cfssl_place place = { .where = "HOSTNAME" };
	char text[X509_SAN_TEXT_MAX];

	(void)state;
	assert_int_equal(r->num_sans, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		x509_san_format(&r->sans[i], text);
		assert_string_equal(text, want[i]);
	}
	assert_int_equal(cfssl_request_add_host(r, &place, "localhost", NULL),
	    OC_OK);
	assert_int_equal(r->num_sans, ARRAY_LEN(want));
	assert_int_equal(cfssl_request_set_hosts(r, "-hostname", "b,a",
	    NULL), OC_OK);
	assert_int_equal(r->num_sans, 2);
	x509_san_format(&r->sans[1], text);
	assert_string_equal(text, "DNS:a");
	assert_int_equal(cfssl_request_set_hosts(r, "-hostname", "b,,a",
	    NULL), OC_ERR_MALFORMED);
	assert_int_equal(cfssl_request_set_common_name(r, "-cn", "n", NULL),
	    OC_OK);
	assert_subject(&r->subject, "300c310a3008060355040313016e");
	assert_int_equal(cfssl_request_set_common_name(r, "-cn", "m", NULL),
	    OC_OK);
	assert_subject(&r->subject, "300c310a3008060355040313016d");
	cfssl_request_free(r);
}

/* --- bad -------------------------------------------------------------- */

static void
assert_bad(const char *text, const char *want)
{
	struct cfssl_request *r = NULL;
	struct oc_error error = { 0 };

	if (cfssl_request_read("f", (const uint8_t *)text, strlen(text), &r,
	    NULL, &error) == OC_OK)
		fail_msg("taken: %s", text);
	assert_null(r);
	if (strstr(error.text, want) == NULL)
		fail_msg("%s: \"%s\" has no \"%s\"", text, error.text, want);
	assert_null(strpbrk(error.text, "\n\t\x01"));
}

static void
test_bad(void **state)
{
	static const char *const rows[][2] = {
		{ "", "f: line 1" },
		{ "[]", "not a JSON object" },
		{ "{\"CN\":\"a\"} x", "f: line 1" },
		{ "{\"CN\":\"a\",\"CN\":\"b\"}", "duplicate" },
		{ "{\"CN\":\"a\",\"cn\":\"b\"}", "cn: is there twice" },
		{ "{\"host\":[]}", "f: host: there is no such key; did you "
		    "mean \"hosts\"?" },
		{ "{\"names\":[{},{\"Q\":1}]}", "f: names[1].Q: there is no "
		    "such key" },
		{ "{\"CN\":3}", "CN: must be a text" },
		{ "{\"CN\":\"a\\u0000b\"}", "f: line 1" },
		{ "{\"CN\":\"a\\u0001b\"}", "control character" },
		{ "{\"CN\":\"a\\u009fb\"}", "control character" },
		{ "{\"CN\":\"a\xff\"}", "f: line 1" },
		{ "{\"CN\":\" a\"}", "CN: begins or ends with a space" },
		{ "{\"CN\":\"1234567890123456789012345678901234567890123456"
		    "7890123456789012345\"}", "f: CN: name: CN: 65 "
		    "characters" },
		{ "{\"names\":{}}", "names: must be a list" },
		{ "{\"names\":[\"x\"]}", "names[0]: must be an object" },
		{ "{\"names\":[{\"C\":\"us\"}]}", "names[0].C: name: C" },
		{ "{\"names\":[{\"C\":\"USA\"}]}", "names[0].C: name: C" },
		{ "{\"names\":[{\"E\":\"b\xc3\xbc@c.de\"}]}",
		    "names[0].E: name: emailAddress" },
		{ "{\"names\":[{\"OID\":{\"1.2.x\":\"a\"}}]}",
		    "names[0].OID.1.2.x: \"1.2.x\" is no dotted" },
		{ "{\"names\":[{\"OID\":{\"1.2.3\":7}}]}",
		    "names[0].OID.1.2.3: must be a text" },
		{ "{\"names\":[{\"SerialNumber\":\"1\"}],\"serialnumber\":"
		    "\"2\"}", "names[0].SerialNumber: a subject has one" },
		{ "{\"hosts\":\"a\"}", "hosts: must be a list" },
		{ "{\"hosts\":[1]}", "hosts[0]: must be a text" },
		{ "{\"hosts\":[\"a\",\"\"]}", "hosts[1]: is empty" },
		{ "{\"hosts\":[\"b\xc3\xbc.de\"]}", "hosts[0]: has letters "
		    "beyond ASCII" },
		{ "{\"hosts\":[\"a b\"]}", "f: hosts[0]: " },
		{ "{\"hosts\":[\"a.de:443\"]}", "hosts[0]: \"a.de:443\" has "
		    "a port" },
		{ "{\"hosts\":[\"10.0.0.256\"]}", "hosts[0]: " },
		{ "{\"hosts\":[\"a@b@c\"]}", "hosts[0]: " },
		{ "{\"hosts\":[\"x://\"]}", "hosts[0]: " },
		{ "{\"key\":[]}", "key: must be an object" },
		{ "{\"key\":{\"algo\":\"dsa\"}}", "key.algo: \"dsa\" is no "
		    "algorithm" },
		{ "{\"key\":{\"algo\":\"RSA\",\"size\":2048}}", "key.algo" },
		{ "{\"key\":{\"algo\":\"rsa\"}}", "key.size: an RSA key has "
		    "2048 to 8192 bits, not 256" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":2047}}", "key.size" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":8193}}", "key.size" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":\"2048\"}}",
		    "key.size: must be a whole number" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":2048.0}}",
		    "key.size: must be a whole number" },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":99999999999999999999}}",
		    "f: line 1" },
		{ "{\"key\":{\"algo\":\"ecdsa\",\"size\":224}}", "key.size" },
		{ "{\"key\":{\"algo\":\"ed25519\",\"size\":384}}",
		    "key.size" },
		{ "{\"key\":{\"bits\":1}}", "key.bits: there is no such" },
		{ "{\"ca\":true}", "ca: must be an object" },
		{ "{\"ca\":{\"pathlen\":-1}}", "ca.pathlen" },
		{ "{\"ca\":{\"pathlen\":1,\"pathlenzero\":true}}",
		    "ca.pathlen: is 1, but" },
		{ "{\"ca\":{\"pathlenzero\":1}}", "ca.pathlenzero: must be "
		    "true or false" },
		{ "{\"ca\":{\"expiry\":\"10y\"}}", "f: ca.expiry: \"10y\" is "
		    "no duration" },
		{ "{\"ca\":{\"expiry\":\"900000h\"}}", "ca.expiry: \"900000h\""
		    " is more than 100 years" },
		{ "{\"crl_url\":\"http://a\"}", "crl_url: is the profile's" },
		{ "{\"extensions\":[1]}", "extensions: is the profile's" },
		{ "{\"delegation_enabled\":true}", "delegation_enabled: is" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_bad(rows[i][0], rows[i][1]);
}

static void
test_limits(void **state)
{
	const size_t big = CFSSL_JSON_MAX + 1;
	char *text = malloc(big + 1), *p = text;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', big);
	text[big] = '\0';
	memcpy(text, "{}", 2);
	assert_bad(text, "the limit is");
	for (int i = 0; i < CFSSL_JSON_DEPTH_MAX; i++)
		p += sprintf(p, "{\"a\":");
	(void)sprintf(p, "{");
	assert_bad(text, "brackets in each other");
	/* Brackets in a text are none. */
	p = text + sprintf(text, "{\"CN\":\"\\\"");
	memset(p, '[', 40);
	(void)sprintf(p + 40, "\"}");
	cfssl_request_free(read_text(text));
	p = text + sprintf(text, "{\"hosts\":[\"h\"");
	for (int i = 0; i < X509_SANS_MAX; i++)
		p += sprintf(p, ",\"h%d\"", i);
	(void)sprintf(p, "]}");
	assert_bad(text, "hosts[200]: more than 200 names");
	p = text + sprintf(text, "{\"names\":[{}");
	for (int i = 0; i <= CFSSL_ATTRIBUTES_MAX; i++)
		p += sprintf(p, ",{\"OU\":\"%d\"}", i);
	(void)sprintf(p, "]}");
	assert_bad(text, "names[65].OU: a name has at most");
	p = text + sprintf(text, "{\"hosts\":[\"u:");
	memset(p, 'x', CFSSL_HOST_MAX);
	(void)sprintf(p + CFSSL_HOST_MAX, "\"]}");
	assert_bad(text, "hosts[0]: is longer than");
	free(text);
}

/* --- the others ------------------------------------------------------- */

static void
test_durations(void **state)
{
	static const char *const bad[] = { "", "h", "5", "1d", "-1h", "1h1h",
	    "1m1h", "1.5h", " 1h", "1h ", "876001h", "99999999999999999999h",
	    "1h-1m" };
	int64_t seconds;

	(void)state;
	assert_int_equal(cfssl_duration_parse("8760h", &seconds, NULL),
	    OC_OK);
	assert_int_equal(seconds, 8760 * 3600);
	assert_int_equal(cfssl_duration_parse("1h2m3s", &seconds, NULL),
	    OC_OK);
	assert_int_equal(seconds, 3723);
	assert_int_equal(cfssl_duration_parse("876000h", &seconds, NULL),
	    OC_OK);
	seconds = 7;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (cfssl_duration_parse(bad[i], &seconds, NULL) == OC_OK)
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(seconds, 7);
}

/* SUBJECTJSON: what it has replaces, what it has not stays. */
static void
test_subject_json(void **state)
{
	static const char json[] = "{\"CN\":\"new\",\"names\":[{\"O\":\"p\"},"
	    "{\"O\":\"o\"}]}";
	struct der_bytes name = test_name("/C=DE/O=old/CN=old/UID=u");
	struct cfssl_subject s = { .num_attributes = 0 };
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(cfssl_subject_read("f", (const uint8_t *)json,
	    strlen(json), &s, &error), OC_OK);
	assert_int_equal(cfssl_subject_fill(&s, name, &error), OC_OK);
	assert_subject(&s, "3044310b3009060355040613024445"
	    "31143008060355040a13016f3008060355040a130170"
	    "310c300a060355040313036e6577"
	    "3111300f060a0992268993f22c640101130175");
	assert_int_equal(cfssl_subject_fill(&s, (struct der_bytes){ NULL,
	    0 }, &error), OC_ERR_MALFORMED);
	assert_int_equal(cfssl_subject_read("f",
	    (const uint8_t *)"{\"hosts\":[]}", 12, &s, &error),
	    OC_ERR_MALFORMED);
	assert_non_null(strstr(error.text, "f: hosts"));
}

static void
test_instants(void **state)
{
	static const char *const bad[] = { "", "2020-01-01",
	    "2020-01-01T00:00:00", "2020-01-01T00:00:00+1",
	    "2020-01-01T00:00:00+01:0x", "2020-01-01T00:00:00Zz",
	    "1949-12-31T23:59:59Z", " 2030-01-31T00:00:00Z",
	    "2030-02-31T00:00:00Z", "2030-02-29T00:00:00Z",
	    "2030-00-31T00:00:00Z", "2030-13-31T00:00:00Z",
	    "2030-01-00T00:00:00Z", "2030-01-31T24:00:00Z",
	    "2030-01-31T23:60:00Z", "2030-01-31T23:59:60Z",
	    "2030-1-31T000:00:00Z", "2030-01- 1T00:00:00Z",
	    "2030-01-31T00:00:+1Z", "+030-01-31T00:00:00Z",
	    "2030-01-31 00:00:00Z", "2030-01-31T00:00:00z",
	    "2030-01-31T00:00:00+99:99", "2030-01-31T00:00:00+24:00",
	    "2030-01-31T00:00:00+00:60", "2030-01-31T00:00:00+-1:00",
	    "2030-01-31T00:00:00+ 1:00", "2030-01-31T00:00:00+01:+1",
	    "2030-01-31T00:00:00+0100", "2030-01-31T00:00:00+01:000",
	    "1950-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
	    "10000-01-01T00:00:00Z", "2030-01-31T00:00:00.5Z",
	    "2030-01-31T00:00:00\xc2\xb2Z" };
	int64_t at = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (cfssl_instant_parse(bad[i], &at, NULL) == OC_OK)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(at, -1);
	assert_int_equal(cfssl_instant_parse("2030-01-31T00:00:00Z", &at,
	    NULL), OC_OK);
	assert_int_equal(at, 1896048000);
	assert_int_equal(cfssl_instant_parse("2030-01-30T22:30:00-01:30",
	    &at, NULL), OC_OK);
	assert_int_equal(at, 1896048000);
	assert_int_equal(cfssl_instant_parse("2030-01-31T23:59:00+23:59",
	    &at, NULL), OC_OK);
	assert_int_equal(at, 1896048000);
	assert_int_equal(cfssl_instant_parse("1950-01-01T00:00:00Z", &at,
	    NULL), OC_OK);
	assert_int_equal(at, INT64_C(-631152000));
	assert_int_equal(cfssl_instant_parse("2028-02-29T23:59:59-00:00", &at,
	    NULL), OC_OK);
	assert_int_equal(at, 1835481599);
}

/* Not by the word: "keys" is no key, and a host may have it. */
static void
test_fault(void **state)
{
	static const struct {
		const char *text;
		enum cfssl_fault fault;
	} rows[] = {
		{ "{\"key\":{\"algo\":\"dsa\"}}", CFSSL_FAULT_IN_KEY },
		{ "{\"key\":{\"algo\":\"rsa\",\"size\":1024}}",
		    CFSSL_FAULT_IN_KEY },
		{ "{\"key\":{\"lenght\":1}}", CFSSL_FAULT_IN_KEY },
		{ "{\"keys\":{}}", CFSSL_FAULT_ELSEWHERE },
		{ "{\"hosts\":[\"a: key\"]}", CFSSL_FAULT_ELSEWHERE },
		{ "{\"ca\":{\"pathlen\":-1}}", CFSSL_FAULT_ELSEWHERE },
		{ "{", CFSSL_FAULT_ELSEWHERE },
	};
	struct cfssl_request *r = NULL;
	enum cfssl_fault fault;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_not_equal(cfssl_request_read("f",
		    (const uint8_t *)rows[i].text, strlen(rows[i].text), &r,
		    &fault, NULL), OC_OK);
		if (fault != rows[i].fault)
			fail_msg("%s: %d", rows[i].text, (int)fault);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin_announcement),
		cmocka_unit_test(test_several_values),
		cmocka_unit_test(test_other_attributes),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_ca),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_instants),
		cmocka_unit_test(test_subject_json),
		cmocka_unit_test(test_fault),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
