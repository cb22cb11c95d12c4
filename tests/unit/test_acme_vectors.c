/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples of RFC 7515 (appendix A), RFC 7520 (4.3), RFC 8037 (appendix A)
 * and RFC 7638 (3.1): the same signatures verify, the same thumbprints come
 * out, and with one bit changed nothing does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/base64url.h"
#include "acme/jws.h"
#include "net/json.h"

#define RFC7515_RSA_N \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp" \
	"-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW" \
	"vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" \
	"LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k" \
	"G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2" \
	"PAcDTW9gb54h4FRWyuXpoQ"
#define RFC7515_PAYLOAD \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC7638_N \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z" \
	"wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5Js" \
	"GY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic" \
	"AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-" \
	"bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF" \
	"Cur-kEgU8awapJzKnqDKgw"

static const struct {
	const char *name;
	enum acme_alg alg;
	const char *jwk;
	const char *input, *signature;
} vectors[] = {
	{ "RFC 7515, A.2", ACME_RS256,
	    "{\"kty\":\"RSA\",\"n\":\"" RFC7515_RSA_N "\",\"e\":\"AQAB\"}",
	    "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD,
	    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
	    "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	    "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
	    "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
	    "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
	    "p0igcN_IoypGlUPQGe77Rw" },
	{ "RFC 7515, A.3", ACME_ES256,
	    "{\"kty\":\"EC\",\"crv\":\"P-256\","
	    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
	    "eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD,
	    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	    "pmWQxfKTUJqPP3-Kg6NU1Q" },
	{ "RFC 7515, A.4", ACME_ES512,
	    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AekpBQ8ST8a8VcfVOTNl35"
	    "3vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQ"
	    "Gk\",\"y\":\"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1W"
	    "DhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2\"}",
	    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
	    "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq"
	    "wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
	    "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn" },
	{ "RFC 7520, 4.3", ACME_ES512,
	    "{\"kty\":\"EC\",\"crv\":\"P-521\",\"use\":\"sig\","
	    "\"kid\":\"bilbo.baggins@hobbiton.example\",\"x\":\"AHKZLLOsCOzz5"
	    "cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyR"
	    "XYgCF5cj0Kt\",\"y\":\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6"
	    "pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}",
	    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhh"
	    "bXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmc"
	    "gb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHl"
	    "vdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2h"
	    "lcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4",
	    "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9"
	    "Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD89"
	    "0jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2" },
	{ "RFC 8037, A.4", ACME_EDDSA,
	    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	    "eyJhbGciOiJFZERTQSJ9."
	    "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
	    "hVsPt9g7sVvpAr_MuM0KAg" },
};

static void
read_key(const char *text, struct acme_jwk *jwk)
{
	struct acme_problem problem = { 0 };
	json_t *json;

	assert_int_equal(net_json_parse((const uint8_t *)text, strlen(text),
	    &json, NULL), OC_OK);
	if (acme_jwk_read(json, jwk, &problem) != OC_OK)
		fail_msg("%s", problem.detail);
	json_decref(json);
}

static void
set(struct acme_jws *jws, enum acme_alg alg, const char *input,
    const char *signature)
{
	*jws = (struct acme_jws){ .alg = alg };
	jws->input = (uint8_t *)strdup(input);
	jws->input_len = strlen(input);
	jws->signature = malloc(strlen(signature));
	assert_int_equal(acme_base64url_decode(signature, strlen(signature),
	    jws->signature, strlen(signature), &jws->signature_len), OC_OK);
}

static void
expect_refused(const struct acme_jws *jws, const struct acme_jwk *key)
{
	struct acme_problem problem = { 0 };

	assert_int_equal(acme_jws_verify(jws, key, &problem),
	    OC_ERR_SIGNATURE);
	assert_true(problem.error == ACME_MALFORMED ||
	    problem.error == ACME_BAD_SIGNATURE_ALGORITHM);
}

static void
test_vectors(void **state)
{
	struct acme_problem problem = { 0 };
	struct acme_jwk key;
	struct acme_jws jws;

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		print_message("%s\n", vectors[i].name);
		read_key(vectors[i].jwk, &key);
		set(&jws, vectors[i].alg, vectors[i].input,
		    vectors[i].signature);
		assert_int_equal(acme_jws_verify(&jws, &key, &problem),
		    OC_OK);
		for (size_t bit = 0; bit < 8 * jws.signature_len; bit++) {
			jws.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
			expect_refused(&jws, &key);
			jws.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		jws.input[3] ^= 1;
		expect_refused(&jws, &key);
		jws.input[3] ^= 1;
		jws.signature_len--;
		expect_refused(&jws, &key);
		jws.signature_len = 0;
		expect_refused(&jws, &key);
		acme_jws_fini(&jws);
	}
}

/* RFC 7515, A.1, and its key for other algorithms. */
static void
test_mac(void **state)
{
	static const char input[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	    RFC7515_PAYLOAD;
	static const char secret[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJ"
	    "QLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	struct acme_problem problem = { 0 };
	struct acme_jws jws;
	uint8_t key[64];
	size_t len;

	(void)state;
	assert_int_equal(acme_base64url_decode(secret, strlen(secret), key,
	    sizeof(key), &len), OC_OK);
	set(&jws, ACME_HS256, input,
	    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
	assert_int_equal(acme_jws_verify_mac(&jws, key, len, &problem),
	    OC_OK);
	key[0] ^= 1;
	assert_int_equal(acme_jws_verify_mac(&jws, key, len, &problem),
	    OC_ERR_SIGNATURE);
	assert_int_equal(problem.error, ACME_UNAUTHORIZED);
	key[0] ^= 1;
	jws.alg = ACME_HS384;
	assert_int_equal(acme_jws_verify_mac(&jws, key, len, &problem),
	    OC_ERR_SIGNATURE);
	jws.alg = ACME_HS256;
	jws.signature_len--;
	assert_int_equal(acme_jws_verify_mac(&jws, key, len, &problem),
	    OC_ERR_SIGNATURE);
	jws.signature_len = 0;
	assert_int_equal(acme_jws_verify_mac(&jws, key, len, &problem),
	    OC_ERR_SIGNATURE);
	acme_jws_fini(&jws);
}

/* RFC7638:3.1, RFC 8037, A.3: whatever else stands in it. */
static void
test_thumbprints(void **state)
{
	char text[ACME_THUMBPRINT_TEXT_LEN + 1];
	struct acme_jwk key;

	(void)state;
	read_key("{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\","
	    "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}", &key);
	acme_thumbprint_text(key.thumbprint, text);
	assert_string_equal(text,
	    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	assert_string_equal(key.text,
	    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\"}");
	read_key(vectors[4].jwk, &key);
	acme_thumbprint_text(key.thumbprint, text);
	assert_string_equal(text,
	    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/* RFC8555:8.1 with the token of its example; RFC8555:8.4. */
static void
test_key_authorization(void **state)
{
	static const char token[] =
	    "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
	char text[128], value[ACME_THUMBPRINT_TEXT_LEN + 1];
	struct acme_jwk key;

	(void)state;
	read_key("{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\"}",
	    &key);
	acme_key_authorization(token, key.thumbprint, text, sizeof(text));
	assert_string_equal(text, "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-"
	    "oA.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	assert_int_equal(acme_dns_value("", value), OC_OK);
	/* SHA-256 of nothing. */
	assert_string_equal(value,
	    "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_thumbprints),
		cmocka_unit_test(test_key_authorization),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
