/* SPDX-License-Identifier: Apache-2.0 */
#include "acme_fixture.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "sign/digest.h"

static const struct {
	const char *type, *crv;
	enum sign_hash hash;
	int field_len;
} keys[] = {
	[ACME_RS256] = { "RSA2048", NULL, SIGN_SHA256, 0 },
	[ACME_ES256] = { "P-256", "P-256", SIGN_SHA256, 32 },
	[ACME_ES384] = { "P-384", "P-384", SIGN_SHA384, 48 },
	[ACME_ES512] = { "P-521", "P-521", SIGN_SHA512, 66 },
	[ACME_EDDSA] = { "ED25519", "Ed25519", SIGN_HASH_NONE, 32 },
	[ACME_HS256] = { NULL, NULL, SIGN_SHA256, 0 },
	[ACME_HS384] = { NULL, NULL, SIGN_SHA384, 0 },
	[ACME_HS512] = { NULL, NULL, SIGN_SHA512, 0 },
};

const char *
acme_test_key(enum acme_alg alg)
{
	return keys[alg].type;
}

char *
acme_test_base64url(const void *bytes, size_t len)
{
	char *text = malloc(ACME_BASE64URL_LEN(len) + 1);

	assert_non_null(text);
	acme_base64url_encode(bytes, len, text);
	return text;
}

/* Of a public key; field_len 0: as many octets as it has. */
static char *
number(EVP_PKEY *key, const char *name, int field_len)
{
	uint8_t bytes[1024];
	BIGNUM *n = NULL;
	char *text;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	if (field_len == 0)
		field_len = BN_num_bytes(n);
	assert_int_equal(BN_bn2binpad(n, bytes, field_len), field_len);
	text = acme_test_base64url(bytes, (size_t)field_len);
	BN_free(n);
	return text;
}

char *
acme_test_jwk(const char *type)
{
	EVP_PKEY *key = test_key(type);
	char *x, *y = NULL, *text;
	size_t alg = 0, len = 32;
	uint8_t raw[32];

	while (strcmp(keys[alg].type, type) != 0)
		alg++;
	if (alg == ACME_RS256) {
		x = number(key, OSSL_PKEY_PARAM_RSA_E, 0);
		y = number(key, OSSL_PKEY_PARAM_RSA_N, 0);
		assert_true(asprintf(&text,
		    "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", x, y) > 0);
	} else if (alg == ACME_EDDSA) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &len),
		    1);
		x = acme_test_base64url(raw, len);
		assert_true(asprintf(&text, "{\"crv\":\"Ed25519\","
		    "\"kty\":\"OKP\",\"x\":\"%s\"}", x) > 0);
	} else {
		x = number(key, OSSL_PKEY_PARAM_EC_PUB_X, keys[alg].field_len);
		y = number(key, OSSL_PKEY_PARAM_EC_PUB_Y, keys[alg].field_len);
		assert_true(asprintf(&text, "{\"crv\":\"%s\",\"kty\":\"EC\","
		    "\"x\":\"%s\",\"y\":\"%s\"}", type, x, y) > 0);
	}
	free(x);
	free(y);
	return text;
}

static char *
mac(enum acme_alg alg, const char *input, const char *secret)
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned int len;

	assert_non_null(HMAC(sign_digest(keys[alg].hash), secret,
	    (int)strlen(secret), (const uint8_t *)input, strlen(input), bytes,
	    &len));
	return acme_test_base64url(bytes, len);
}

char *
acme_test_signature(enum acme_alg alg, const char *input, const char *secret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t bytes[1024], raw[132];
	size_t len = sizeof(bytes);

	if (keys[alg].type == NULL) {
		EVP_MD_CTX_free(ctx);
		return mac(alg, input, secret);
	}
	assert_int_equal(EVP_DigestSignInit(ctx, NULL,
	    sign_digest(keys[alg].hash), NULL, test_key(keys[alg].type)), 1);
	assert_int_equal(EVP_DigestSign(ctx, bytes, &len,
	    (const uint8_t *)input, strlen(input)), 1);
	EVP_MD_CTX_free(ctx);
	if (alg == ACME_RS256 || alg == ACME_EDDSA)
		return acme_test_base64url(bytes, len);
	assert_int_equal(sign_ecdsa_from_der((struct der_bytes){ bytes, len },
	    raw, (size_t)(2 * keys[alg].field_len)), OC_OK);
	return acme_test_base64url(raw, (size_t)(2 * keys[alg].field_len));
}

char *
acme_test_jws(enum acme_alg alg, const char *header, const char *payload,
    const char *secret)
{
	char *protected = acme_test_base64url(header, strlen(header));
	char *body = acme_test_base64url(payload, strlen(payload));
	char *input, *signature, *text;

	assert_true(asprintf(&input, "%s.%s", protected, body) > 0);
	signature = acme_test_signature(alg, input, secret);
	assert_true(asprintf(&text, "{\"protected\":\"%s\",\"payload\":\"%s\","
	    "\"signature\":\"%s\"}", protected, body, signature) > 0);
	free(protected);
	free(body);
	free(input);
	free(signature);
	return text;
}

char *
acme_test_header(const char *format, const char *type)
{
	const char *place = strchr(format, '$');
	char *jwk, *text;

	if (place == NULL)
		return strdup(format);
	jwk = acme_test_jwk(type);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(place - format), format,
	    jwk, place + 1) > 0);
	free(jwk);
	return text;
}
