/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the reader of JWS, and is what it takes what was there?
 * The input is a request's body, read as each of the three kinds.
 */
#include <string.h>

#include "acme/base64url.h"
#include "acme/jws.h"
#include "tests/fuzz/fuzz.h"

/* A key has one text, and what is made of that is the same key. */
static void
check_key(const struct acme_jwk *jwk)
{
	struct acme_jwk again;

	fuzz_check(acme_jwk_parse(jwk->text, &again) == OC_OK);
	fuzz_check(memcmp(again.thumbprint, jwk->thumbprint,
	    sizeof(again.thumbprint)) == 0);
	fuzz_check(acme_jwk_is_spki(&again, jwk->spki, jwk->spki_len));
}

/* What is signed is what was decoded: both ends of the input, again. */
static void
check_input(const struct acme_jws *jws)
{
	size_t len = ACME_BASE64URL_LEN(jws->payload_len);
	char *text = malloc(len + 1);

	fuzz_check(text != NULL && jws->input_len > len);
	acme_base64url_encode(jws->payload, jws->payload_len, text);
	fuzz_check(jws->input[jws->input_len - len - 1] == '.' &&
	    memcmp(jws->input + jws->input_len - len, text, len) == 0);
	free(text);
}

static void
try_verify(const struct acme_jws *jws, enum acme_jws_kind kind)
{
	static const uint8_t secret[32];
	struct acme_problem problem = { 0 };
	enum oc_err err = OC_OK;

	if (kind == ACME_JWS_EAB)
		err = acme_jws_verify_mac(jws, secret, sizeof(secret),
		    &problem);
	else if (jws->has_jwk)
		err = acme_jws_verify(jws, &jws->jwk, &problem);
	fuzz_check((err == OC_OK) == (problem.error == ACME_OK));
	acme_problem_fini(&problem);
}

static void
try_kind(const uint8_t *data, size_t size, enum acme_jws_kind kind)
{
	struct acme_problem problem = { 0 };
	struct acme_jws jws;
	json_t *json;

	if (acme_jws_read(data, size, kind, &jws, &problem) != OC_OK) {
		fuzz_check(problem.error != ACME_OK);
		json = acme_problem_json(&problem);
		fuzz_check(json != NULL);
		json_decref(json);
		acme_problem_fini(&problem);
		return;
	}
	fuzz_check(problem.error == ACME_OK && size <= ACME_BODY_MAX);
	fuzz_check(jws.url != NULL && jws.has_jwk == (jws.kid == NULL));
	fuzz_check((jws.nonce != NULL) == (kind == ACME_JWS_OUTER));
	fuzz_check((kind == ACME_JWS_EAB) == (jws.alg >= ACME_HS256));
	check_input(&jws);
	if (jws.has_jwk)
		check_key(&jws.jwk);
	try_verify(&jws, kind);
	if (acme_jws_payload(&jws, &json, &problem) == OC_OK)
		json_decref(json);
	acme_problem_fini(&problem);
	acme_jws_fini(&jws);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_kind(data, size, ACME_JWS_OUTER);
	try_kind(data, size, ACME_JWS_EAB);
	try_kind(data, size, ACME_JWS_KEY_CHANGE);
	return 0;
}
