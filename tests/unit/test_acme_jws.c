/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a JWS read in one way or not at all, and verified by nothing but the
 * algorithm of the key?  RFC7515:7.2.2 RFC8555:6.2
 */
#include "acme_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "net/json.h"

#define NONCE "\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\""
#define URL "\"url\":\"https://ca/acme/x\""
#define REST NONCE "," URL "}"
#define WITH_KEY(alg) "{\"alg\":\"" alg "\",\"jwk\":$," REST

static const struct { enum acme_alg alg; const char *name; } algs[] = {
	{ ACME_RS256, "RS256" }, { ACME_ES256, "ES256" },
	{ ACME_ES384, "ES384" }, { ACME_ES512, "ES512" },
	{ ACME_EDDSA, "EdDSA" },
};
#define NUM_ALGS ARRAY_LEN(algs)

static char *
make(enum acme_alg alg, const char *format, const char *payload)
{
	const char *type = acme_test_key(alg);
	char *header = acme_test_header(format, type != NULL ? type : "P-256");
	char *text = acme_test_jws(alg, header, payload, "secret");

	free(header);
	return text;
}

static void
read_good(const char *text, enum acme_jws_kind kind, struct acme_jws *jws)
{
	struct acme_problem problem = { 0 };

	if (acme_jws_read((const uint8_t *)text, strlen(text), kind, jws,
	    &problem) != OC_OK)
		fail_msg("%s: %s", text, problem.detail);
}

/* What is read stays as it was. */
static void
expect_refused(const char *text, size_t len, enum acme_jws_kind kind,
    enum acme_error error, const char *why)
{
	struct acme_problem problem = { 0 };
	struct acme_jws jws, before;

	memset(&before, 0x5a, sizeof(before));
	jws = before;
	assert_int_not_equal(acme_jws_read((const uint8_t *)text, len, kind,
	    &jws, &problem), OC_OK);
	if (problem.error != error || strstr(problem.detail, why) == NULL)
		fail_msg("%s: %s \"%s\", not \"%s\"", text,
		    acme_error_name(problem.error), problem.detail, why);
	assert_true(problem.lists_algorithms ==
	    (error == ACME_BAD_SIGNATURE_ALGORITHM));
	assert_memory_equal(&jws, &before, sizeof(jws));
	acme_problem_fini(&problem);
}

static void
expect_text(const char *text, enum acme_error error, const char *why)
{
	expect_refused(text, strlen(text), ACME_JWS_OUTER, error, why);
}

static void
expect_header(const char *format, enum acme_jws_kind kind,
    enum acme_error error, const char *why)
{
	char *text = make(ACME_ES256, format, "{}");

	expect_refused(text, strlen(text), kind, error, why);
	free(text);
}

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_ALGS; i++) {
		struct acme_problem problem = { 0 };
		char format[256], *text;
		struct acme_jws jws;
		json_t *payload;

		snprintf(format, sizeof(format), WITH_KEY("%s"), algs[i].name);
		text = make(algs[i].alg, format, "{\"a\":1}");
		read_good(text, ACME_JWS_OUTER, &jws);
		assert_int_equal(jws.alg, algs[i].alg);
		assert_true(jws.has_jwk);
		assert_null(jws.kid);
		assert_string_equal(jws.url, "https://ca/acme/x");
		assert_string_equal(jws.nonce, "AAAAAAAAAAAAAAAAAAAAAA");
		assert_string_equal((char *)jws.payload, "{\"a\":1}");
		assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
		    OC_OK);
		assert_int_equal(acme_jws_payload(&jws, &payload, &problem),
		    OC_OK);
		assert_int_equal(json_object_size(payload), 1);
		json_decref(payload);
		acme_jws_fini(&jws);
		free(text);
	}
}

/* POST-as-GET (RFC8555:6.3); blanks as certbot's; members nobody knows in the
 * header, which are not to be minded (RFC7515:4). */
static void
test_kid(void **state)
{
	struct acme_problem problem = { 0 };
	char *text = make(ACME_ES256, "{\n  \"alg\": \"ES256\",\n  \"kid\": "
	    "\"https://ca/acme/account/1\", \"typ\":\"x\", " REST, "");
	struct acme_jws jws;
	json_t *payload;

	(void)state;
	read_good(text, ACME_JWS_OUTER, &jws);
	assert_false(jws.has_jwk);
	assert_string_equal(jws.kid, "https://ca/acme/account/1");
	assert_int_equal(jws.payload_len, 0);
	assert_int_equal(acme_jws_payload(&jws, &payload, &problem),
	    OC_ERR_MALFORMED);
	assert_string_equal(problem.detail, "payload: there is none");
	acme_jws_fini(&jws);
	acme_jws_fini(&jws);
	free(text);
	text = make(ACME_ES256, "{\"alg\":\"ES256\",\"jwk\":$," URL "}",
	    "{}");
	read_good(text, ACME_JWS_KEY_CHANGE, &jws);
	assert_null(jws.nonce);
	assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem), OC_OK);
	acme_jws_fini(&jws);
	free(text);
}

static void
test_eab(void **state)
{
	static const struct { enum acme_alg alg; const char *name; } macs[] = {
		{ ACME_HS256, "HS256" }, { ACME_HS384, "HS384" },
		{ ACME_HS512, "HS512" } };
	struct acme_problem problem = { 0 };
	struct acme_jws jws;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(macs); i++) {
		char format[256], *text;

		snprintf(format, sizeof(format), "{\"alg\":\"%s\","
		    "\"kid\":\"k1\"," URL "}", macs[i].name);
		text = make(macs[i].alg, format, "{}");
		read_good(text, ACME_JWS_EAB, &jws);
		assert_string_equal(jws.kid, "k1");
		assert_int_equal(acme_jws_verify_mac(&jws,
		    (const uint8_t *)"secret", 6, &problem), OC_OK);
		assert_int_equal(acme_jws_verify_mac(&jws,
		    (const uint8_t *)"secreT", 6, &problem),
		    OC_ERR_SIGNATURE);
		acme_jws_fini(&jws);
		expect_refused(text, strlen(text), ACME_JWS_OUTER,
		    ACME_BAD_SIGNATURE_ALGORITHM, macs[i].name);
		free(text);
	}
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k1\"," URL "}",
	    ACME_JWS_EAB, ACME_MALFORMED, "not HS256");
	expect_header("{\"alg\":\"HS256\",\"kid\":\"k1\"," REST,
	    ACME_JWS_EAB, ACME_MALFORMED, "\"nonce\"");
	expect_header("{\"alg\":\"HS256\",\"jwk\":$," URL "}",
	    ACME_JWS_EAB, ACME_MALFORMED, "not \"kid\"");
	expect_header("{\"alg\":\"HS256\",\"kid\":\"k1\"}",
	    ACME_JWS_EAB, ACME_MALFORMED, "no \"url\"");
}

/* No other algorithm exists, however it is written. */
static void
test_algorithms(void **state)
{
	static const char *const others[] = { "none", "None", "", "HS256",
	    "HS384", "HS512", "RS384", "RS512", "RS1", "PS256", "PS384",
	    "PS512", "ES256K", "es256", "ES256 ", "Ed25519", "Ed448", "RSA",
	    "ES128" };
	char format[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		snprintf(format, sizeof(format), WITH_KEY("%s"), others[i]);
		expect_header(format, ACME_JWS_OUTER,
		    ACME_BAD_SIGNATURE_ALGORITHM, others[i]);
		expect_header(format, ACME_JWS_KEY_CHANGE,
		    ACME_BAD_SIGNATURE_ALGORITHM, others[i]);
	}
	expect_header("{\"jwk\":$," REST, ACME_JWS_OUTER, ACME_MALFORMED,
	    "no \"alg\"");
	expect_header("{\"alg\":null,\"jwk\":$," REST, ACME_JWS_OUTER,
	    ACME_MALFORMED, "no \"alg\"");
	expect_header("{\"alg\":[\"ES256\"],\"jwk\":$," REST, ACME_JWS_OUTER,
	    ACME_MALFORMED, "no \"alg\"");
}

/* Each signature with each other key, and under each other's name. */
static void
test_confusion(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_ALGS * NUM_ALGS; i++) {
		size_t said = i / NUM_ALGS, key = i % NUM_ALGS;
		struct acme_problem problem = { 0 };
		char format[256], *text;
		struct acme_jws jws;

		if (said == key)
			continue;
		snprintf(format, sizeof(format), WITH_KEY("%s"),
		    algs[said].name);
		text = make(algs[key].alg, format, "{}");
		read_good(text, ACME_JWS_OUTER, &jws);
		assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
		    OC_ERR_SIGNATURE);
		assert_int_equal(problem.error, ACME_BAD_SIGNATURE_ALGORITHM);
		assert_true(problem.lists_algorithms);
		/* Of its own algorithm, but of another key. */
		jws.alg = algs[key].alg;
		assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
		    OC_OK);
		jws.alg = ACME_HS256;
		assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
		    OC_ERR_SIGNATURE);
		acme_jws_fini(&jws);
		free(text);
	}
}

/* OpenSSL's DER, halves cut or swapped, zeros: r || s of the one length. */
static void
test_ecdsa_form(void **state)
{
	char *text = make(ACME_ES256, WITH_KEY("ES256"), "{}");
	struct acme_problem problem = { 0 };
	uint8_t der[80], kept[64];
	struct acme_jws jws;
	size_t len;

	(void)state;
	read_good(text, ACME_JWS_OUTER, &jws);
	memcpy(kept, jws.signature, sizeof(kept));
	assert_int_equal(sign_ecdsa_to_der((struct der_bytes){ jws.signature,
	    64 }, der, sizeof(der), &len), OC_OK);
	free(jws.signature);
	jws.signature = der;
	jws.signature_len = len;
	assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
	    OC_ERR_SIGNATURE);
	assert_non_null(strstr(problem.detail, "length"));
	memset(der, 0, sizeof(der));
	for (size_t n = 0; n <= 66; n++) {
		jws.signature_len = n;
		assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
		    OC_ERR_SIGNATURE);
	}
	memcpy(der, kept + 32, 32);
	memcpy(der + 32, kept, 32);
	jws.signature_len = 64;
	assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem),
	    OC_ERR_SIGNATURE);
	memcpy(der, kept, 64);
	assert_int_equal(acme_jws_verify(&jws, &jws.jwk, &problem), OC_OK);
	jws.signature = NULL;
	acme_jws_fini(&jws);
	free(text);
}

static void
test_header(void **state)
{
	static const char *const forbidden[] = { "\"crit\":[\"b64\"]",
	    "\"crit\":[]", "\"b64\":false", "\"b64\":true", "\"zip\":\"DEF\"",
	    "\"jku\":\"https://x\"", "\"x5u\":\"https://x\"", "\"x5c\":[]",
	    "\"x5t\":\"x\"", "\"x5t#S256\":\"x\"" };
	char format[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		snprintf(format, sizeof(format),
		    "{%s,\"alg\":\"ES256\",\"jwk\":$," REST, forbidden[i]);
		expect_header(format, ACME_JWS_OUTER, ACME_MALFORMED,
		    "is not taken");
	}
	expect_header("{\"alg\":\"ES256\",\"jwk\":$,\"kid\":\"k\"," REST,
	    ACME_JWS_OUTER, ACME_MALFORMED, "both");
	expect_header("{\"alg\":\"ES256\",\"jwk\":null,\"kid\":\"k\"," REST,
	    ACME_JWS_OUTER, ACME_MALFORMED, "both");
	expect_header("{\"alg\":\"ES256\"," REST, ACME_JWS_OUTER,
	    ACME_MALFORMED, "neither");
	expect_header("{\"alg\":\"ES256\",\"kid\":7," REST, ACME_JWS_OUTER,
	    ACME_MALFORMED, "\"kid\" is not a string");
	expect_header("{\"alg\":\"ES256\",\"kid\":null," REST, ACME_JWS_OUTER,
	    ACME_MALFORMED, "\"kid\" is not a string");
	expect_header("{\"alg\":\"ES256\",\"jwk\":\"x\"," REST,
	    ACME_JWS_OUTER, ACME_MALFORMED, "jwk: not an object");
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k\"," URL "}",
	    ACME_JWS_KEY_CHANGE, ACME_MALFORMED, "not \"jwk\"");
	expect_header(WITH_KEY("ES256"), ACME_JWS_KEY_CHANGE, ACME_MALFORMED,
	    "no \"nonce\"");
	/* A member twice, also below. */
	expect_header("{\"alg\":\"ES256\",\"alg\":\"ES256\",\"jwk\":$," REST,
	    ACME_JWS_OUTER, ACME_MALFORMED, "duplicate");
	expect_header("{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\","
	    "\"kty\":\"EC\"}," REST, ACME_JWS_OUTER, ACME_MALFORMED,
	    "duplicate");
	expect_header("[]", ACME_JWS_OUTER, ACME_MALFORMED, "no object");
	expect_header("", ACME_JWS_OUTER, ACME_MALFORMED, "JSON");
	expect_header("{\"alg\":\"ES256\",\"jwk\":$," REST " x",
	    ACME_JWS_OUTER, ACME_MALFORMED, "JSON");
	expect_header("{\"alg\":\"ES256\\u0000\",\"jwk\":$," REST,
	    ACME_JWS_OUTER, ACME_MALFORMED, "JSON");
	expect_header("{\"alg\":\"ES256\",\"jwk\":[[[[[[[[[[[[[[[[[[[]]]]]]]]"
	    "]]]]]]]]]]]," REST, ACME_JWS_OUTER, ACME_MALFORMED, "levels");
}

static void
test_nonce_and_url(void **state)
{
	static const char *const bad[] = { "", "A", "AA==", "AB", "+/+/",
	    "\\n", "../x" };
	char format[256];

	(void)state;
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k\"," URL "}",
	    ACME_JWS_OUTER, ACME_BAD_NONCE, "no \"nonce\"");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(format, sizeof(format), "{\"alg\":\"ES256\","
		    "\"kid\":\"k\",\"nonce\":\"%s\"," URL "}", bad[i]);
		expect_header(format, ACME_JWS_OUTER, ACME_MALFORMED,
		    "\"nonce\"");
	}
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k\",\"nonce\":7," URL "}",
	    ACME_JWS_OUTER, ACME_MALFORMED, "\"nonce\" is not a string");
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k\"," NONCE "}",
	    ACME_JWS_OUTER, ACME_MALFORMED, "no \"url\"");
	expect_header("{\"alg\":\"ES256\",\"kid\":\"k\",\"url\":[]," NONCE
	    "}", ACME_JWS_OUTER, ACME_MALFORMED, "\"url\" is not a string");
}

/* The object around it: three members, no others, and nothing behind. */
static void
test_outside(void **state)
{
	static const char *const more[] = { "\"header\":{}",
	    "\"header\":{\"alg\":\"ES256\"}", "\"signatures\":[]", "\"x\":1",
	    "\"nonce\":\"AAAA\"" };
	char *good = make(ACME_ES256, WITH_KEY("ES256"), "{}"), *text;
	size_t len = strlen(good);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		assert_true(asprintf(&text, "{%s,%s", more[i], good + 1) > 0);
		expect_text(text, ACME_MALFORMED, "more than");
		free(text);
	}
	for (size_t i = 0; i < len; i++)
		expect_refused(good, i, ACME_JWS_OUTER, ACME_MALFORMED, "JWS");
	/* A second one, a letter, a NUL behind it. */
	assert_true(asprintf(&text, "%s%s", good, good) > 0);
	expect_text(text, ACME_MALFORMED, "JSON");
	expect_refused(text, len + 1, ACME_JWS_OUTER, ACME_MALFORMED, "JSON");
	free(text);
	expect_refused(good, len + 1, ACME_JWS_OUTER, ACME_MALFORMED, "JSON");
	assert_true(asprintf(&text, "{\"payload\":\"\",%s", good + 1) > 0);
	expect_text(text, ACME_MALFORMED, "duplicate");
	free(text);
	text = calloc(1, ACME_BODY_MAX + 2);
	memset(text, ' ', ACME_BODY_MAX + 1);
	memcpy(text, good, len);
	expect_text(text, ACME_MALFORMED, "more than 65536 octets");
	free(text);
	expect_text("[]", ACME_MALFORMED, "no object");
	expect_text("{}", ACME_MALFORMED, "no \"protected\"");
	expect_text("{\"protected\":{},\"payload\":\"\",\"signature\":\"\"}",
	    ACME_MALFORMED, "no \"protected\"");
	/* What general form there is, and the compact. */
	expect_text("{\"payload\":\"\",\"signatures\":[{\"protected\":\"\","
	    "\"signature\":\"\"}]}", ACME_MALFORMED, "no \"protected\"");
	expect_text("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", ACME_MALFORMED, "JSON");
	free(good);
}

/* base64url has one text for the same octets, in each of the three. */
static void
test_encodings(void **state)
{
	static const char *const names[] = { "protected", "payload",
	    "signature" };
	static const char *const bad[] = { "A", "AB", "AA==", "AAA=", "A A",
	    "AAAA\n", "+/AA", "A.A" };
	char *good = make(ACME_ES256, WITH_KEY("ES256"), "{}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(bad); i++) {
		json_t *json = json_loads(good, 0, NULL);
		char *text;

		assert_int_equal(json_object_set_new(json,
		    names[i / ARRAY_LEN(bad)],
		    json_string(bad[i % ARRAY_LEN(bad)])), 0);
		text = json_dumps(json, 0);
		expect_text(text, ACME_MALFORMED, names[i / ARRAY_LEN(bad)]);
		free(text);
		json_decref(json);
	}
	free(good);
}

static void
test_payload(void **state)
{
	static const char *const bad[] = { "[]", "x", "{\"a\":1,\"a\":2}",
	    "{} {}", "\"\"", "null", "{\"a\":\"\\u0000\"}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *text = make(ACME_ES256, WITH_KEY("ES256"), bad[i]);
		struct acme_problem problem = { 0 };
		struct acme_jws jws;
		json_t *json;

		read_good(text, ACME_JWS_OUTER, &jws);
		assert_int_equal(acme_jws_payload(&jws, &json, &problem),
		    OC_ERR_MALFORMED);
		assert_int_equal(problem.error, ACME_MALFORMED);
		acme_jws_fini(&jws);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_kid),
		cmocka_unit_test(test_eab),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_confusion),
		cmocka_unit_test(test_ecdsa_form),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_nonce_and_url),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_payload),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
