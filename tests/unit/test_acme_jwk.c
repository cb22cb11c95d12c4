/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are an ACME account's, and has each of them one text? */
#include "acme_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "net/json.h"

static void
test_base64url(void **state)
{
	/* RFC 4648, 10, and what only the URL's alphabet has. */
	static const struct { const char *bytes, *text; } good[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "-_-_" },
	};
	static const char *const bad[] = { "A", "Zg==", "Zm8=", "Zh", "Zm9",
	    "Zm9vYh", "+/+/", "Zm 9v", "Zm9v\n", "Zm9v=", "Z\xc3\xa4", "AAAAA",
	    "=", "." };
	uint8_t bytes[16], all[256], again[256];
	char text[ACME_BASE64URL_LEN(256) + 1];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		size_t good_len = strlen(good[i].bytes);

		acme_base64url_encode(good[i].bytes, good_len, text);
		assert_string_equal(text, good[i].text);
		assert_int_equal(strlen(text), ACME_BASE64URL_LEN(good_len));
		assert_int_equal(acme_base64url_decode(text, strlen(text),
		    bytes, good_len, &len), OC_OK);
		assert_int_equal(len, good_len);
		assert_memory_equal(bytes, good[i].bytes, len);
		if (good_len > 0)
			assert_int_equal(acme_base64url_decode(text,
			    strlen(text), bytes, good_len - 1, &len),
			    OC_ERR_NO_SPACE);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(acme_base64url_decode(bad[i], strlen(bad[i]),
		    bytes, sizeof(bytes), &len), OC_ERR_MALFORMED);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	for (size_t i = 0; i <= sizeof(all); i++) {
		acme_base64url_encode(all, i, text);
		assert_int_equal(acme_base64url_decode(text, strlen(text),
		    again, sizeof(again), &len), OC_OK);
		assert_int_equal(len, i);
		assert_memory_equal(again, all, i);
	}
}

static enum oc_err
try(const char *text, struct acme_jwk *jwk, struct acme_problem *problem)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	enum oc_err err;

	assert_non_null(json);
	err = acme_jwk_read(json, jwk, problem);
	json_decref(json);
	return err;
}

static void
expect_refused(const char *text, enum acme_error error, const char *why)
{
	struct acme_problem problem = { 0 };
	struct acme_jwk jwk, before;

	memset(&before, 0x5a, sizeof(before));
	jwk = before;
	assert_int_not_equal(try(text, &jwk, &problem), OC_OK);
	if (strstr(problem.detail, why) == NULL || problem.error != error)
		fail_msg("%s: %s: not \"%s\"", text, problem.detail, why);
	assert_memory_equal(&jwk, &before, sizeof(jwk));
	acme_problem_fini(&problem);
}

static void
test_good(void **state)
{
	static const enum acme_alg algs[] = { ACME_RS256, ACME_ES256,
	    ACME_ES384, ACME_ES512, ACME_EDDSA };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
		const char *type = acme_test_key(algs[i]);
		struct der_bytes spki = test_spki(type);
		char *text = acme_test_jwk(type), *more;
		struct acme_problem problem = { 0 };
		struct acme_jwk jwk, again;

		assert_int_equal(try(text, &jwk, &problem), OC_OK);
		assert_string_equal(jwk.text, text);
		assert_true(acme_jwk_is_spki(&jwk, spki.p, spki.len));
		assert_false(acme_jwk_is_spki(&jwk, spki.p, spki.len - 1));
		assert_int_equal(acme_jwk_parse(jwk.text, &again), OC_OK);
		assert_memory_equal(&again, &jwk, sizeof(jwk));
		/* What else stands in it is nothing to us. */
		assert_true(asprintf(&more, "{\"use\":\"sig\",\"alg\":\"x\","
		    "\"kid\":7,%s", text + 1) > 0);
		assert_int_equal(try(more, &again, &problem), OC_OK);
		assert_memory_equal(&again, &jwk, sizeof(jwk));
		assert_int_equal(acme_jwk_parse(more, &again),
		    OC_ERR_MISMATCH);
		acme_jwk_fini(&jwk);
		free(more);
		free(text);
	}
}

/* An RSA key with a modulus of so many octets of this value. */
static char *
rsa(size_t len, int octet, const char *e)
{
	uint8_t *n = malloc(len + 1);
	char *modulus, *text;

	memset(n, octet, len);
	modulus = acme_test_base64url(n, len);
	assert_true(asprintf(&text, "{\"kty\":\"RSA\",\"n\":\"%s\","
	    "\"e\":\"%s\"}", modulus, e) > 0);
	free(modulus);
	free(n);
	return text;
}

static void
expect_rsa_refused(size_t len, int octet, const char *e, const char *why)
{
	char *text = rsa(len, octet, e);

	expect_refused(text, ACME_BAD_PUBLIC_KEY, why);
	free(text);
}

/* No arithmetic is done with what is too large: its text decides. */
static void
test_rsa(void **state)
{
	(void)state;
	expect_rsa_refused(2048, 0xff, "AQAB", "more than 512 octets");
	expect_rsa_refused(1024, 0xff, "AQAB", "more than 512 octets");
	expect_rsa_refused(513, 0xff, "AQAB", "more than 512 octets");
	expect_rsa_refused(512, 0xff, "AQAB", "small factor");
	expect_rsa_refused(255, 0xff, "AQAB", "2040 bits");
	expect_rsa_refused(128, 0xff, "AQAB", "1024 bits");
	expect_rsa_refused(256, 0xfe, "AQAB", "even modulus");
	expect_rsa_refused(256, 0x00, "AQAB", "begins with a zero octet");
	expect_rsa_refused(0, 0x00, "AQAB", "is zero");
	expect_rsa_refused(256, 0xff, "Aw", "exponent 3");
	expect_rsa_refused(256, 0xff, "AQAA", "exponent 65536");
	expect_rsa_refused(256, 0xff, "", "\"e\" is zero");
	expect_rsa_refused(256, 0xff, "AAEAAQ", "begins with a zero");
	expect_rsa_refused(256, 0xff, "AQAAAAAAAAAB", "more than 8 octets");
}

/* The key of this type with the text of a member replaced. */
static void
expect_member(const char *type, const char *name, const char *value,
    enum acme_error error, const char *why)
{
	char *text = acme_test_jwk(type);
	json_t *json = json_loads(text, 0, NULL);

	free(text);
	if (value == NULL)
		assert_int_equal(json_object_del(json, name), 0);
	else
		assert_int_equal(json_object_set_new(json, name,
		    json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	text = json_dumps(json, 0);
	expect_refused(text, error, why);
	free(text);
	json_decref(json);
}

/* The same number in a field that is longer or shorter. */
static void
expect_length(const char *type, size_t len, int change, const char *why)
{
	uint8_t bytes[80] = { 0 };
	char text[128], quoted[140];

	memset(bytes, 1, len);
	acme_base64url_encode(bytes, len + (size_t)change, text);
	snprintf(quoted, sizeof(quoted), "\"%s\"", text);
	expect_member(type, "x", quoted, ACME_BAD_PUBLIC_KEY, why);
	if (strcmp(type, "ED25519") != 0)
		expect_member(type, "y", quoted, ACME_BAD_PUBLIC_KEY, why);
}

static void
test_points(void **state)
{
	static const struct { const char *type; size_t len; } curves[] = {
		{ "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 },
		{ "ED25519", 32 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		expect_length(curves[i].type, curves[i].len, -1, "octets, not");
		expect_length(curves[i].type, curves[i].len, 1, "more than");
		expect_member(curves[i].type, "x", "\"\"",
		    ACME_BAD_PUBLIC_KEY, "0 octets, not");
		if (i < 3)
			expect_length(curves[i].type, curves[i].len, 0,
			    "not on");
	}
	/* Infinity, as some write it; the field's prime. */
	expect_refused("{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	    "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	    ACME_BAD_PUBLIC_KEY, "not on");
	expect_member("P-256", "x",
	    "\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\"",
	    ACME_BAD_PUBLIC_KEY, "not on");
	/* Of one curve, said to be of another. */
	expect_member("P-384", "crv", "\"P-256\"", ACME_BAD_PUBLIC_KEY,
	    "more than 32");
	expect_refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	    ACME_BAD_PUBLIC_KEY, "small order");
	expect_refused("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"7f_______________________________________38\"}",
	    ACME_BAD_PUBLIC_KEY, "small order");
}

static void
test_members(void **state)
{
	static const char *const types[] = { "RSA2048", "P-256", "ED25519" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const char *x = i == 0 ? "n" : "x";

		expect_member(types[i], "kty", NULL, ACME_MALFORMED,
		    "no \"kty\"");
		expect_member(types[i], "kty", "7", ACME_MALFORMED,
		    "no \"kty\"");
		expect_member(types[i], "kty", "\"oct\"",
		    ACME_BAD_PUBLIC_KEY, "neither RSA nor EC");
		expect_member(types[i], x, NULL, ACME_BAD_PUBLIC_KEY,
		    "that is a string");
		expect_member(types[i], x, "[]", ACME_BAD_PUBLIC_KEY,
		    "that is a string");
		expect_member(types[i], x, "\"AA==\"", ACME_MALFORMED,
		    "no base64url");
		expect_member(types[i], x, "\"AB\"", ACME_MALFORMED,
		    "no base64url");
		expect_member(types[i], "d", "\"AQ\"", ACME_BAD_PUBLIC_KEY,
		    "a private or a secret key");
	}
	expect_member("P-256", "y", NULL, ACME_BAD_PUBLIC_KEY, "\"y\"");
	expect_member("P-256", "crv", NULL, ACME_BAD_PUBLIC_KEY, "neither");
	expect_member("P-256", "crv", "\"secp256k1\"", ACME_BAD_PUBLIC_KEY,
	    "neither");
	expect_member("P-256", "crv", "\"P-192\"", ACME_BAD_PUBLIC_KEY,
	    "neither");
	expect_member("ED25519", "crv", "\"X25519\"", ACME_BAD_PUBLIC_KEY,
	    "neither");
	expect_member("ED25519", "crv", "\"Ed448\"", ACME_BAD_PUBLIC_KEY,
	    "neither");
	expect_refused("{\"kty\":\"oct\",\"k\":\"AAAA\"}",
	    ACME_BAD_PUBLIC_KEY, "a secret key");
	expect_refused("[]", ACME_MALFORMED, "not an object");
	expect_refused("null", ACME_MALFORMED, "not an object");
	expect_refused("\"x\"", ACME_MALFORMED, "not an object");
}

/* What the records have is read as strictly. */
static void
test_parse(void **state)
{
	struct acme_jwk jwk;

	(void)state;
	assert_int_equal(acme_jwk_parse("", &jwk), OC_ERR_MALFORMED);
	assert_int_equal(acme_jwk_parse("{}", &jwk), OC_ERR_MALFORMED);
	assert_int_equal(acme_jwk_parse("{\"kty\":\"RSA\",\"kty\":\"EC\"}",
	    &jwk), OC_ERR_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64url),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
