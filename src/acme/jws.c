/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flattened JWS (RFC 7515, 7.2.2), read and verified.  What it was signed
 * with is decided by its "alg" and the key together: neither is enough.
 */
#include "acme/jws.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "acme/base64url.h"
#include "base/limits.h"
#include "net/json.h"
#include "sign/digest.h"
#include "sign/verify.h"

static const struct alg_row {
	const char *name;
	enum sign_key_type key_type;
	enum sign_alg alg;		/* NONE: a MAC */
	enum sign_hash hash;		/* of a MAC */
	size_t signature_len;		/* 0: the modulus's */
} rows[] = {
	[ACME_RS256] = { "RS256", SIGN_KEY_RSA, SIGN_RSA_SHA256,
	    SIGN_HASH_NONE, 0 },
	[ACME_ES256] = { "ES256", SIGN_KEY_P256, SIGN_ECDSA_SHA256,
	    SIGN_HASH_NONE, 64 },
	[ACME_ES384] = { "ES384", SIGN_KEY_P384, SIGN_ECDSA_SHA384,
	    SIGN_HASH_NONE, 96 },
	[ACME_ES512] = { "ES512", SIGN_KEY_P521, SIGN_ECDSA_SHA512,
	    SIGN_HASH_NONE, 132 },
	[ACME_EDDSA] = { "EdDSA", SIGN_KEY_ED25519, SIGN_ED25519,
	    SIGN_HASH_NONE, 64 },
	[ACME_HS256] = { "HS256", SIGN_KEY_NONE, SIGN_ALG_NONE, SIGN_SHA256,
	    32 },
	[ACME_HS384] = { "HS384", SIGN_KEY_NONE, SIGN_ALG_NONE, SIGN_SHA384,
	    48 },
	[ACME_HS512] = { "HS512", SIGN_KEY_NONE, SIGN_ALG_NONE, SIGN_SHA512,
	    64 },
};
#define NUM_ALGS (sizeof(rows) / sizeof(rows[0]))

/* Protected members that would have it read otherwise than here, or name a
 * key elsewhere (RFC 7515, 4.1; RFC 7797). */
static const char *const forbidden[] = { "crit", "b64", "zip", "jku", "x5u",
    "x5c", "x5t", "x5t#S256" };

static bool
is_mac(enum acme_alg alg)
{
	return rows[alg].alg == SIGN_ALG_NONE;
}

/*
 * --- reading -----------------------------------------------------------
 */

/* Allocates; a NUL stands behind. */
static enum oc_err
decode(const char *what, const char *text, uint8_t **bytes, size_t *len,
    struct acme_problem *problem)
{
	size_t max = strlen(text) / 4 * 3 + 3;
	uint8_t *made = malloc(max + 1);

	if (made == NULL)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	if (acme_base64url_decode(text, strlen(text), made, max, len) !=
	    OC_OK) {
		free(made);
		return acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: \"%s\" is not base64url without padding", what);
	}
	made[*len] = '\0';
	*bytes = made;
	return OC_OK;
}

/* A string, or NULL where there is none. */
static enum oc_err
copy_string(const json_t *header, const char *name, char **text,
    struct acme_problem *problem)
{
	const json_t *value = json_object_get(header, name);

	if (value == NULL)
		return OC_OK;
	if (!json_is_string(value))
		return acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: \"%s\" is not a string", name);
	*text = strdup(json_string_value(value));
	return *text != NULL ? OC_OK : acme_problem_set(problem,
	    ACME_SERVER_INTERNAL, "out of memory");
}

static enum oc_err
read_alg(const json_t *header, enum acme_jws_kind kind, enum acme_alg *alg,
    struct acme_problem *problem)
{
	const char *name = json_string_value(json_object_get(header, "alg"));
	bool wants_mac = kind == ACME_JWS_EAB;

	if (name == NULL)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: no \"alg\" that is a string");
	for (size_t i = 0; i < NUM_ALGS; i++)
		if (strcmp(rows[i].name, name) == 0 &&
		    is_mac((enum acme_alg)i) == wants_mac) {
			*alg = (enum acme_alg)i;
			return OC_OK;
		}
	if (wants_mac)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "external account binding: \"alg\" is \"%s\", not HS256, "
		    "HS384 or HS512", name);
	return acme_problem_set(problem, ACME_BAD_SIGNATURE_ALGORITHM,
	    "JWS: \"alg\" is \"%s\"", name);
}

/* RFC 8555, 6.2: jwk for who has no account yet, else kid; never both. */
static enum oc_err
read_whose(const json_t *header, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem)
{
	const json_t *jwk = json_object_get(header, "jwk");
	enum oc_err err = copy_string(header, "kid", &jws->kid, problem);

	if (err != OC_OK)
		return err;
	if ((jwk != NULL) == (jws->kid != NULL))
		return acme_problem_set(problem, ACME_MALFORMED, jwk != NULL ?
		    "JWS: both \"jwk\" and \"kid\"" :
		    "JWS: neither \"jwk\" nor \"kid\"");
	if (kind == ACME_JWS_EAB && jwk != NULL)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "external account binding: \"jwk\", not \"kid\"");
	if (kind == ACME_JWS_KEY_CHANGE && jwk == NULL)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "key change: the inner JWS has \"kid\", not \"jwk\"");
	if (jwk == NULL)
		return OC_OK;
	jws->has_jwk = true;
	return acme_jwk_read(jwk, &jws->jwk, problem);
}

/* RFC 8555, 6.5.2: one that is no base64url is malformed, not a bad nonce. */
static enum oc_err
check_nonce(const char *nonce, enum acme_jws_kind kind,
    struct acme_problem *problem)
{
	uint8_t bytes[128];
	size_t len;

	if (kind != ACME_JWS_OUTER)
		return nonce == NULL ? OC_OK : acme_problem_set(problem,
		    ACME_MALFORMED, "JWS: an inner one has no \"nonce\"");
	if (nonce == NULL)
		return acme_problem_set(problem, ACME_BAD_NONCE,
		    "JWS: no \"nonce\"");
	if (nonce[0] == '\0' || acme_base64url_decode(nonce, strlen(nonce),
	    bytes, sizeof(bytes), &len) != OC_OK)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: \"nonce\" is none that could be ours");
	return OC_OK;
}

static enum oc_err
read_header(const json_t *header, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem)
{
	enum oc_err err;

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (json_object_get(header, forbidden[i]) != NULL)
			return acme_problem_set(problem, ACME_MALFORMED,
			    "JWS: \"%s\" in the protected header is not taken",
			    forbidden[i]);
	err = read_alg(header, kind, &jws->alg, problem);
	if (err == OC_OK)
		err = read_whose(header, kind, jws, problem);
	if (err == OC_OK)
		err = copy_string(header, "nonce", &jws->nonce, problem);
	if (err == OC_OK)
		err = check_nonce(jws->nonce, kind, problem);
	if (err == OC_OK)
		err = copy_string(header, "url", &jws->url, problem);
	if (err == OC_OK && jws->url == NULL)
		err = acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: no \"url\"");
	return err;
}

static enum oc_err
read_protected(const char *text, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem)
{
	struct oc_error error = { 0 };
	uint8_t *bytes = NULL;
	json_t *header = NULL;
	size_t len = 0;
	enum oc_err err = decode("protected", text, &bytes, &len, problem);

	if (err != OC_OK)
		return err;
	if (net_json_parse(bytes, len, &header, &error) != OC_OK)
		err = acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: protected header: %s", error.text);
	else
		err = read_header(header, kind, jws, problem);
	json_decref(header);
	free(bytes);
	return err;
}

/* ASCII(BASE64URL(header)) || '.' || BASE64URL(payload): RFC 7515, 5.2. */
static enum oc_err
make_input(const char *protected, const char *payload, struct acme_jws *jws,
    struct acme_problem *problem)
{
	size_t protected_len = strlen(protected);
	size_t payload_len = strlen(payload);

	jws->input_len = protected_len + 1 + payload_len;
	jws->input = malloc(jws->input_len);
	if (jws->input == NULL)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	memcpy(jws->input, protected, protected_len);
	jws->input[protected_len] = '.';
	memcpy(jws->input + protected_len + 1, payload, payload_len);
	return OC_OK;
}

enum oc_err
acme_jws_read_json(const json_t *json, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem)
{
	static const char *const names[3] = { "protected", "payload",
	    "signature" };
	struct acme_jws made = { 0 };
	const char *texts[3];
	enum oc_err err;

	for (int i = 0; i < 3; i++) {
		texts[i] = json_string_value(json_object_get(json, names[i]));
		if (texts[i] == NULL)
			return acme_problem_set(problem, ACME_MALFORMED,
			    "JWS: no \"%s\" that is a string", names[i]);
	}
	if (json_object_size(json) != 3)
		return acme_problem_set(problem, ACME_MALFORMED, "JWS: more "
		    "than \"protected\", \"payload\" and \"signature\"");
	err = read_protected(texts[0], kind, &made, problem);
	if (err == OC_OK)
		err = decode(names[1], texts[1], &made.payload,
		    &made.payload_len, problem);
	if (err == OC_OK)
		err = decode(names[2], texts[2], &made.signature,
		    &made.signature_len, problem);
	if (err == OC_OK)
		err = make_input(texts[0], texts[1], &made, problem);
	if (err != OC_OK)
		acme_jws_fini(&made);
	else
		*jws = made;
	return err;
}

enum oc_err
acme_jws_read(const uint8_t *body, size_t len, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem)
{
	struct oc_error error = { 0 };
	json_t *json;
	enum oc_err err;

	if (len > ACME_BODY_MAX)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "JWS: more than %d octets", ACME_BODY_MAX);
	if (net_json_parse(body, len, &json, &error) != OC_OK)
		return acme_problem_set(problem, ACME_MALFORMED, "JWS: %s",
		    error.text);
	err = acme_jws_read_json(json, kind, jws, problem);
	json_decref(json);
	return err;
}

enum oc_err
acme_jws_payload(const struct acme_jws *jws, json_t **object,
    struct acme_problem *problem)
{
	struct oc_error error = { 0 };

	if (net_json_parse(jws->payload, jws->payload_len, object, &error) ==
	    OC_OK)
		return OC_OK;
	return acme_problem_set(problem, ACME_MALFORMED, "payload: %s",
	    jws->payload_len == 0 ? "there is none" : error.text);
}

void
acme_jws_fini(struct acme_jws *jws)
{
	free(jws->kid);
	free(jws->nonce);
	free(jws->url);
	free(jws->payload);
	free(jws->input);
	free(jws->signature);
	memset(jws, 0, sizeof(*jws));
}

/*
 * --- verifying ---------------------------------------------------------
 */

static enum oc_err
refuse(struct acme_problem *problem, const char *why)
{
	(void)acme_problem_set(problem, ACME_MALFORMED, "JWS: %s", why);
	return OC_ERR_SIGNATURE;
}

enum oc_err
acme_jws_verify(const struct acme_jws *jws, const struct acme_jwk *key,
    struct acme_problem *problem)
{
	const struct alg_row *row = &rows[jws->alg];
	struct der_bytes signature = { jws->signature, jws->signature_len };
	uint8_t der[OC_SIGNATURE_MAX];
	enum oc_err err, key_err;

	if (is_mac(jws->alg) || key->type != row->key_type) {
		(void)acme_problem_set(problem, ACME_BAD_SIGNATURE_ALGORITHM,
		    "JWS: %s is not an algorithm of the account's key",
		    row->name);
		return OC_ERR_SIGNATURE;
	}
	if (row->signature_len != 0 && signature.len != row->signature_len)
		return refuse(problem, "the signature has not the length that "
		    "it has with this algorithm");
	/* r || s there, a SEQUENCE of both for OpenSSL. */
	if (jws->alg != ACME_RS256 && jws->alg != ACME_EDDSA) {
		if (sign_ecdsa_to_der(signature, der, sizeof(der),
		    &signature.len) != OC_OK)
			return refuse(problem, "no such signature");
		signature.p = der;
	}
	err = sign_verify_once((struct der_bytes){ key->spki, key->spki_len },
	    row->alg, (struct der_bytes){ jws->input, jws->input_len },
	    signature, &key_err);
	if (err == OC_ERR_NOMEM || err == OC_ERR_INTERNAL)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	return err == OC_OK ? OC_OK :
	    refuse(problem, "the signature does not verify");
}

enum oc_err
acme_jws_verify_mac(const struct acme_jws *jws, const uint8_t *key,
    size_t key_len, struct acme_problem *problem)
{
	const struct alg_row *row = &rows[jws->alg];
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	bool is_same;

	oc_assert(is_mac(jws->alg));
	if (HMAC(sign_digest(row->hash), key, (int)key_len, jws->input,
	    jws->input_len, mac, &len) == NULL)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	is_same = jws->signature_len == len &&
	    CRYPTO_memcmp(mac, jws->signature, len) == 0;
	OPENSSL_cleanse(mac, sizeof(mac));
	if (is_same)
		return OC_OK;
	(void)acme_problem_set(problem, ACME_UNAUTHORIZED,
	    "external account binding: the MAC is not the key's");
	return OC_ERR_SIGNATURE;
}
