/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys as JSON (RFC 7517, RFC 7518, 6; RFC 8037, 2), made into a
 * SubjectPublicKeyInfo, which the rules of x509/spki are for.
 *
 * A number has one text: no leading zeros, coordinates of the field's length.
 * So what was sent is what RFC 7638 hashes, member for member.
 */
#include "acme/jws.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "acme/base64url.h"
#include "base/limits.h"
#include "der/writer.h"
#include "net/json.h"
#include "x509/spki.h"

#define MODULUS_MAX (OC_RSA_BITS_MAX / 8)
#define EXPONENT_MAX 8
#define COORDINATE_MAX 66		/* P-521 */

/* The members that are numbers, of each type of key. */
static const struct key_row {
	enum sign_key_type type;
	const char *kty, *crv;		/* crv NULL: it has none */
	const char *names[2];		/* as RFC 7638 sorts them */
	size_t len;			/* exactly; 0: up to max */
	enum der_oid algorithm, curve;
} rows[] = {
	{ SIGN_KEY_RSA, "RSA", NULL, { "e", "n" }, 0,
	    DER_OID_RSA_ENCRYPTION, DER_OID_UNKNOWN },
	{ SIGN_KEY_P256, "EC", "P-256", { "x", "y" }, 32,
	    DER_OID_EC_PUBLIC_KEY, DER_OID_P256 },
	{ SIGN_KEY_P384, "EC", "P-384", { "x", "y" }, 48,
	    DER_OID_EC_PUBLIC_KEY, DER_OID_P384 },
	{ SIGN_KEY_P521, "EC", "P-521", { "x", "y" }, 66,
	    DER_OID_EC_PUBLIC_KEY, DER_OID_P521 },
	{ SIGN_KEY_ED25519, "OKP", "Ed25519", { "x", NULL }, 32,
	    DER_OID_ED25519, DER_OID_UNKNOWN },
};

struct numbers {
	const struct key_row *row;
	const char *texts[2];
	uint8_t bytes[2][MODULUS_MAX];
	size_t lens[2];
};

static const struct key_row *
find_row(const char *kty, const char *crv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].kty, kty) == 0 &&
		    (rows[i].crv == NULL ||
		    (crv != NULL && strcmp(rows[i].crv, crv) == 0)))
			return &rows[i];
	return NULL;
}

/* Whoever sends it has given it away (RFC 7518, 6.2.2, 6.3.2, 6.4). */
static bool
has_private_part(const json_t *json)
{
	static const char *const names[] = { "d", "p", "q", "dp", "dq", "qi",
	    "oth", "k" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_object_get(json, names[i]) != NULL)
			return true;
	return false;
}

/* A key that is too large is refused by the length of its text. */
static enum oc_err
read_number(const json_t *json, struct numbers *n, int i,
    struct acme_problem *problem)
{
	const char *name = n->row->names[i];
	const char *text = json_string_value(json_object_get(json, name));
	size_t max = n->row->len;
	enum oc_err err;

	if (text == NULL)
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: no \"%s\" that is a string", name);
	if (max == 0)
		max = name[0] == 'e' ? EXPONENT_MAX : MODULUS_MAX;
	err = acme_base64url_decode(text, strlen(text), n->bytes[i], max,
	    &n->lens[i]);
	if (err == OC_ERR_NO_SPACE)
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: \"%s\" has more than %zu octets", name, max);
	if (err != OC_OK)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "jwk: \"%s\" is no base64url", name);
	if (n->row->len != 0 && n->lens[i] != n->row->len)
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: \"%s\" has %zu octets, not %zu", name, n->lens[i],
		    n->row->len);
	if (n->row->len == 0 && (n->lens[i] == 0 || n->bytes[i][0] == 0))
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: \"%s\" is zero or begins with a zero octet", name);
	n->texts[i] = text;
	return OC_OK;
}

static enum oc_err
read_numbers(const json_t *json, struct numbers *n,
    struct acme_problem *problem)
{
	const char *kty, *crv;
	enum oc_err err;

	if (!json_is_object(json))
		return acme_problem_set(problem, ACME_MALFORMED,
		    "jwk: not an object");
	kty = json_string_value(json_object_get(json, "kty"));
	crv = json_string_value(json_object_get(json, "crv"));
	if (kty == NULL)
		return acme_problem_set(problem, ACME_MALFORMED,
		    "jwk: no \"kty\"");
	if (has_private_part(json))
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: a private or a secret key was sent, which is one no "
		    "more: make another");
	n->row = find_row(kty, crv);
	if (n->row == NULL)
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY,
		    "jwk: neither RSA nor EC with P-256, P-384 or P-521 nor "
		    "OKP with Ed25519");
	err = read_number(json, n, 0, problem);
	if (err == OC_OK && n->row->names[1] != NULL)
		err = read_number(json, n, 1, problem);
	return err;
}

/*
 * RSAPublicKey ::= SEQUENCE {
 *     modulus         INTEGER,
 *     publicExponent  INTEGER }
 */
static void
put_rsa(struct der_writer *w, const void *arg)
{
	const struct numbers *n = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_magnitude(w, (struct der_bytes){ n->bytes[1], n->lens[1] });
	der_put_magnitude(w, (struct der_bytes){ n->bytes[0], n->lens[0] });
	der_end(w);
}

struct spki_parts {
	const struct key_row *row;
	struct der_bytes bits;
};

/*
 * SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         AlgorithmIdentifier,
 *     subjectPublicKey  BIT STRING }
 */
static void
put_spki(struct der_writer *w, const void *arg)
{
	const struct spki_parts *parts = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, parts->row->algorithm);
	if (parts->row->curve != DER_OID_UNKNOWN)
		der_put_oid(w, parts->row->curve);
	else if (parts->row->type == SIGN_KEY_RSA)
		der_put_null(w);
	der_end(w);
	der_put_bits(w, parts->bits);
	der_end(w);
}

static enum oc_err
make_spki(const struct numbers *n, struct acme_jwk *jwk)
{
	uint8_t bits[MODULUS_MAX + EXPONENT_MAX + 16];
	struct spki_parts parts = { n->row, { bits, 0 } };
	enum oc_err err;

	if (n->row->type == SIGN_KEY_RSA) {
		err = der_write(put_rsa, n, bits, sizeof(bits),
		    &parts.bits.len);
		if (err != OC_OK)
			return err;
	} else if (n->row->type == SIGN_KEY_ED25519) {
		parts.bits = (struct der_bytes){ n->bytes[0], n->lens[0] };
	} else {
		bits[0] = 0x04;		/* uncompressed */
		memcpy(bits + 1, n->bytes[0], n->lens[0]);
		memcpy(bits + 1 + n->lens[0], n->bytes[1], n->lens[1]);
		parts.bits.len = 1 + n->lens[0] + n->lens[1];
	}
	return der_write(put_spki, &parts, jwk->spki, sizeof(jwk->spki),
	    &jwk->spki_len);
}

/* RFC 7638, 3: the members that must be there, sorted, without blanks. */
static enum oc_err
make_text(const struct numbers *n, struct acme_jwk *jwk)
{
	const struct key_row *row = n->row;
	int len;

	if (row->crv == NULL)
		len = snprintf(jwk->text, sizeof(jwk->text),
		    "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}",
		    n->texts[0], n->texts[1]);
	else if (row->names[1] == NULL)
		len = snprintf(jwk->text, sizeof(jwk->text),
		    "{\"crv\":\"%s\",\"kty\":\"%s\",\"x\":\"%s\"}",
		    row->crv, row->kty, n->texts[0]);
	else
		len = snprintf(jwk->text, sizeof(jwk->text),
		    "{\"crv\":\"%s\",\"kty\":\"%s\",\"x\":\"%s\",\"y\":"
		    "\"%s\"}", row->crv, row->kty, n->texts[0], n->texts[1]);
	oc_assert(len > 0 && (size_t)len < sizeof(jwk->text));
	return EVP_Digest(jwk->text, (size_t)len, jwk->thumbprint, NULL,
	    EVP_sha256(), NULL) == 1 ? OC_OK : OC_ERR_NOMEM;
}

enum oc_err
acme_jwk_read(const json_t *json, struct acme_jwk *jwk,
    struct acme_problem *problem)
{
	struct numbers n = { 0 };
	struct acme_jwk made = { 0 };
	struct oc_error error = { 0 };
	enum oc_err err = read_numbers(json, &n, problem);

	if (err != OC_OK)
		return err;
	made.type = n.row->type;
	if (make_spki(&n, &made) != OC_OK || make_text(&n, &made) != OC_OK)
		return acme_problem_set(problem, ACME_SERVER_INTERNAL,
		    "out of memory");
	if (x509_spki_check((struct der_bytes){ made.spki, made.spki_len },
	    &error) != OC_OK)
		return acme_problem_set(problem, ACME_BAD_PUBLIC_KEY, "%s",
		    error.text);
	*jwk = made;
	return OC_OK;
}

enum oc_err
acme_jwk_parse(const char *text, struct acme_jwk *jwk)
{
	struct acme_problem problem = { 0 };
	struct acme_jwk made;
	json_t *json = NULL;
	enum oc_err err;

	err = net_json_parse((const uint8_t *)text, strlen(text), &json, NULL);
	if (err == OC_OK)
		err = acme_jwk_read(json, &made, &problem);
	if (err == OC_OK && strcmp(made.text, text) != 0)
		err = OC_ERR_MISMATCH;
	if (err == OC_OK)
		*jwk = made;
	acme_problem_fini(&problem);
	json_decref(json);
	return err;
}

bool
acme_jwk_is_spki(const struct acme_jwk *jwk, const uint8_t *spki,
    size_t spki_len)
{
	return der_bytes_equal((struct der_bytes){ jwk->spki, jwk->spki_len },
	    (struct der_bytes){ spki, spki_len });
}

void
acme_jwk_fini(struct acme_jwk *jwk)
{
	memset(jwk, 0, sizeof(*jwk));
}

void
acme_thumbprint_text(const uint8_t thumbprint[ACME_THUMBPRINT_LEN],
    char text[ACME_THUMBPRINT_TEXT_LEN + 1])
{
	acme_base64url_encode(thumbprint, ACME_THUMBPRINT_LEN, text);
}

void
acme_key_authorization(const char *token,
    const uint8_t thumbprint[ACME_THUMBPRINT_LEN], char *text,
    size_t text_max)
{
	char hash[ACME_THUMBPRINT_TEXT_LEN + 1];
	int len;

	acme_thumbprint_text(thumbprint, hash);
	len = snprintf(text, text_max, "%s.%s", token, hash);
	oc_assert(len > 0 && (size_t)len < text_max);
}

enum oc_err
acme_dns_value(const char *key_authorization,
    char text[ACME_THUMBPRINT_TEXT_LEN + 1])
{
	uint8_t hash[ACME_THUMBPRINT_LEN];

	if (EVP_Digest(key_authorization, strlen(key_authorization), hash,
	    NULL, EVP_sha256(), NULL) != 1)
		return OC_ERR_NOMEM;
	acme_thumbprint_text(hash, text);
	return OC_OK;
}
