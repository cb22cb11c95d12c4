/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Web Signatures as ACME has them (RFC 8555, 6.2; RFC 7515, 7.2.2): the
 * flattened form alone, with protected, payload and signature and nothing
 * else.  RS256, ES256, ES384, ES512, EdDSA: no other algorithm exists here,
 * and the one that is named must be the key's own.
 *
 * Strict: one reading of every document, or none.  Duplicate members, base64url
 * with padding, blanks or loose bits, "crit", "b64", jwk beside kid, and keys
 * that x509_spki_check() does not take are refused, by the type that RFC 8555
 * has for it.
 */
#ifndef ACME_JWS_H
#define ACME_JWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "acme/problem.h"
#include "base/err.h"
#include "base/limits.h"
#include "sign/alg.h"

#define ACME_BODY_MAX (64 * 1024)
#define ACME_THUMBPRINT_LEN 32
#define ACME_THUMBPRINT_TEXT_LEN 43	/* base64url */
#define ACME_JWK_MAX 2048

enum acme_alg {
	ACME_RS256, ACME_ES256, ACME_ES384, ACME_ES512, ACME_EDDSA,
	ACME_HS256, ACME_HS384, ACME_HS512	/* of an inner EAB alone */
};

/* A public key.  Zero state is legal for fini. */
struct acme_jwk {
	enum sign_key_type type;
	uint8_t spki[OC_SPKI_MAX];	/* SubjectPublicKeyInfo */
	size_t spki_len;
	uint8_t thumbprint[ACME_THUMBPRINT_LEN];	/* RFC 7638 */
	char text[ACME_JWK_MAX + 1];	/* canonical: what that is of */
};
enum oc_err acme_jwk_read(const json_t *json, struct acme_jwk *jwk,
    struct acme_problem *problem) OC_MUST_CHECK;
/* From the canonical text that was stored; MISMATCH if it is another. */
enum oc_err acme_jwk_parse(const char *text, struct acme_jwk *jwk)
    OC_MUST_CHECK;
/* Whether this is the key of a SubjectPublicKeyInfo (DER). */
bool acme_jwk_is_spki(const struct acme_jwk *jwk, const uint8_t *spki,
    size_t spki_len);
void acme_jwk_fini(struct acme_jwk *jwk);
void acme_thumbprint_text(const uint8_t thumbprint[ACME_THUMBPRINT_LEN],
    char text[ACME_THUMBPRINT_TEXT_LEN + 1]);
/* TOKEN.THUMBPRINT (RFC 8555, 8.1), and its SHA-256 in base64url, which
 * dns-01 has. */
void acme_key_authorization(const char *token,
    const uint8_t thumbprint[ACME_THUMBPRINT_LEN], char *text,
    size_t text_max);
enum oc_err acme_dns_value(const char *key_authorization,
    char text[ACME_THUMBPRINT_TEXT_LEN + 1]) OC_MUST_CHECK;

/* One that was read, not yet verified.  Zero state is legal for fini. */
struct acme_jws {
	enum acme_alg alg;
	bool has_jwk;			/* else it has kid */
	struct acme_jwk jwk;
	char *kid;			/* owned */
	char *nonce, *url;		/* owned; NULL: not there */
	uint8_t *payload;		/* owned; NUL behind */
	size_t payload_len;		/* 0: POST-as-GET */
	/* The octets that are signed, and the signature. */
	uint8_t *input, *signature;	/* owned */
	size_t input_len, signature_len;
};
enum acme_jws_kind {
	ACME_JWS_OUTER,		/* nonce and url; jwk xor kid */
	ACME_JWS_EAB,		/* 7.3.4: HS*, kid and url, no nonce */
	ACME_JWS_KEY_CHANGE	/* 7.3.5: jwk and url, no nonce */
};
enum oc_err acme_jws_read(const uint8_t *body, size_t len,
    enum acme_jws_kind kind, struct acme_jws *jws,
    struct acme_problem *problem) OC_MUST_CHECK;
enum oc_err acme_jws_read_json(const json_t *json, enum acme_jws_kind kind,
    struct acme_jws *jws, struct acme_problem *problem) OC_MUST_CHECK;
/* SIGNATURE: it is not the key's, or the algorithm is not.  MALFORMED and
 * BAD_SIGNATURE_ALGORITHM are what the client is told.  Any thread. */
enum oc_err acme_jws_verify(const struct acme_jws *jws,
    const struct acme_jwk *key, struct acme_problem *problem) OC_MUST_CHECK;
/* Of an inner EAB.  SIGNATURE, and unauthorized for the client; in constant
 * time. */
enum oc_err acme_jws_verify_mac(const struct acme_jws *jws,
    const uint8_t *key, size_t key_len, struct acme_problem *problem)
    OC_MUST_CHECK;
/* The payload as a JSON object, duplicates refused. */
enum oc_err acme_jws_payload(const struct acme_jws *jws, json_t **object,
    struct acme_problem *problem) OC_MUST_CHECK;
void acme_jws_fini(struct acme_jws *jws);

#endif
