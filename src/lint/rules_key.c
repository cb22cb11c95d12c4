/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on the SubjectPublicKeyInfo. */
#include "lint/view.h"

#include "x509/spki.h"
#include "x509/weak.h"

#define RSA_BITS_MIN 2048
#define RSA_EXPONENT_MIN 65537
#define RSA_OCTETS_MAX 2048		/* 16384 bits: what libraries take */
#define ED25519_OCTETS 32
#define UNCOMPRESSED 0x04

/* RSAPublicKey's two numbers, magnitudes without leading zeros. */
struct rsa {
	struct der_bytes modulus, exponent;
};

static bool
get_magnitude(struct der_reader *r, struct der_bytes *magnitude)
{
	struct der_bytes c;

	if (!der_get(r, DER_INTEGER, &c) || c.len == 0 || c.p[0] >= 0x80)
		return false;
	for (; c.len > 1 && c.p[0] == 0; c.p++)
		c.len--;
	*magnitude = c;
	return c.p[0] != 0;
}

/* False if it is no RSA key, or not one that can be read. */
static bool
read_rsa(const struct lint_cert *c, struct rsa *rsa)
{
	struct der_bytes contents;
	struct der_reader r;

	if (c->spki_alg.id != DER_OID_RSA_ENCRYPTION || c->key.len < 2 ||
	    c->key.p[0] != 0 || !der_read_whole((struct der_bytes){
	    c->key.p + 1, c->key.len - 1 }, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	return get_magnitude(&r, &rsa->modulus) &&
	    get_magnitude(&r, &rsa->exponent) && der_is_done(&r);
}

static unsigned int
num_bits(struct der_bytes magnitude)
{
	unsigned int bits = (unsigned int)magnitude.len * 8;
	uint8_t top = magnitude.p[0];

	for (; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static bool
is_odd(struct der_bytes magnitude)
{
	return (magnitude.p[magnitude.len - 1] & 1) != 0;
}

static bool
is_type_unknown(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[DER_OID_TEXT_MAX];
	struct rsa rsa;

	(void)rule;
	if (c->spki.len == 0 || c->spki_alg.id == DER_OID_EC_PUBLIC_KEY ||
	    c->spki_alg.id == DER_OID_ED25519)
		return false;
	if (c->spki_alg.id == DER_OID_RSA_ENCRYPTION)
		return !read_rsa(c, &rsa) &&
		    lint_found(d, "not an RSAPublicKey");
	der_oid_format(c->spki_alg.oid, text);
	return lint_found(d, "%s (%s)", text, der_oid_name(c->spki_alg.id));
}

static bool
is_rsa_not_null(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes p = c->spki_alg.parameters;

	(void)rule;
	return c->spki_alg.id == DER_OID_RSA_ENCRYPTION &&
	    !(p.len == 2 && p.p[0] == DER_NULL && p.p[1] == 0) &&
	    lint_found(d, "rsaEncryption with %s",
	    p.len == 0 ? "no parameters" : "other parameters");
}

static bool
is_rsa_short(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct rsa rsa;

	(void)rule;
	return read_rsa(c, &rsa) && num_bits(rsa.modulus) < RSA_BITS_MIN &&
	    lint_found(d, "%u bits", num_bits(rsa.modulus));
}

static bool
is_rsa_uneven(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct rsa rsa;

	(void)rule;
	return read_rsa(c, &rsa) && num_bits(rsa.modulus) % 8 != 0 &&
	    lint_found(d, "%u bits", num_bits(rsa.modulus));
}

static bool
is_rsa_even(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct rsa rsa;

	(void)rule;
	return read_rsa(c, &rsa) && !is_odd(rsa.modulus) &&
	    lint_found(d, "the modulus is even");
}

static bool
is_exponent_even(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct rsa rsa;

	(void)rule;
	return read_rsa(c, &rsa) && !is_odd(rsa.exponent) &&
	    lint_found(d, "the exponent is even");
}

/* BR 6.1.6: 2^16 + 1 to 2^256 - 1. */
static bool
is_exponent_small(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	uint32_t e = 0;
	struct rsa rsa;
	size_t i;

	(void)rule;
	if (!read_rsa(c, &rsa) || !is_odd(rsa.exponent))
		return false;
	if (rsa.exponent.len > 32)
		return lint_found(d, "%zu octets", rsa.exponent.len);
	if (rsa.exponent.len > 3)
		return false;
	for (i = 0; i < rsa.exponent.len; i++)
		e = e << 8 | rsa.exponent.p[i];
	return e < RSA_EXPONENT_MIN && lint_found(d, "%u", e);
}

/* Short ones have a rule of their own, and so have even ones. */
static bool
is_rsa_weak(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct oc_error error = { 0 };
	struct rsa rsa;

	(void)rule;
	if (c->input->key == LINT_KEY_CHECKED || !read_rsa(c, &rsa) ||
	    !is_odd(rsa.modulus) || num_bits(rsa.modulus) < 512 ||
	    rsa.modulus.len > RSA_OCTETS_MAX)
		return false;
	return x509_weak_check(rsa.modulus, &error) == OC_ERR_REFUSED &&
	    lint_found(d, "%s", error.text);
}

/* One key for two names: whoever has the one is the other. */
static bool
is_issuers_key(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->issuer != NULL && c->spki.len > 0 &&
	    der_bytes_equal(c->spki, c->issuer->spki) &&
	    !der_bytes_equal(c->subject.tlv, c->issuer->subject.tlv) &&
	    lint_found(d, "the key is its issuer's");
}

/* --- EC and Ed25519 --------------------------------------------------- */

/* Of one coordinate; 0 if it is none of our curves. */
static size_t
coordinate_octets(const struct lint_cert *c)
{
	struct der_bytes oid;

	if (c->spki_alg.id != DER_OID_EC_PUBLIC_KEY ||
	    !der_read_whole(c->spki_alg.parameters, DER_OID, &oid))
		return 0;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_P256)))
		return 32;
	if (der_bytes_equal(oid, der_oid_bytes(DER_OID_P384)))
		return 48;
	return der_bytes_equal(oid, der_oid_bytes(DER_OID_P521)) ? 66 : 0;
}

static bool
is_curve_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[DER_OID_TEXT_MAX];
	struct der_bytes oid;

	(void)rule;
	if (c->spki_alg.id != DER_OID_EC_PUBLIC_KEY ||
	    coordinate_octets(c) != 0)
		return false;
	if (!der_read_whole(c->spki_alg.parameters, DER_OID, &oid))
		return lint_found(d, "%s", c->spki_alg.parameters.len == 0 ?
		    "no parameters" : "parameters that are not a named "
		    "curve");
	der_oid_format(oid, text);
	return lint_found(d, "the curve %s", text);
}

static bool
is_point_form_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	size_t octets = coordinate_octets(c);
	struct der_bytes k = c->key;

	(void)rule;
	if (octets == 0 || k.len == 0)
		return false;
	if (k.p[0] != 0 || k.len < 2)
		return lint_found(d, "not whole octets");
	if (k.len == 2 && k.p[1] == 0)
		return lint_found(d, "the point at infinity");
	/* 04 41 04: what CKA_EC_POINT holds, not unwrapped. */
	if (k.len > 2 * octets + 2 && k.p[1] == DER_OCTET_STRING)
		return lint_found(d, "a point in an OCTET STRING");
	return (k.len != 2 * octets + 2 || k.p[1] != UNCOMPRESSED) &&
	    lint_found(d, "%zu octets that begin with %02X", k.len - 1,
	    k.p[1]);
}

static bool
is_point_off_curve(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	size_t octets = coordinate_octets(c);
	struct oc_error error = { 0 };

	(void)rule;
	if (c->input->key == LINT_KEY_CHECKED || octets == 0 ||
	    c->key.len != 2 * octets + 2 || c->key.p[1] != UNCOMPRESSED)
		return false;
	return x509_spki_check(c->spki, &error) == OC_ERR_REFUSED &&
	    lint_found(d, "%s", error.text);
}

static bool
is_ed25519_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	if (c->spki_alg.id != DER_OID_ED25519)
		return false;
	if (c->spki_alg.parameters.len != 0)
		return lint_found(d, "parameters");
	return (c->key.len != 1 + ED25519_OCTETS || c->key.p[0] != 0) &&
	    lint_found(d, "a BIT STRING of %zu octets", c->key.len);
}

const struct lint_rule lint_rules_key[] = {
	{ "public_key_type_not_allowed", 17, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 6.1.5; RFC 8410", "no RSA, EC or Ed25519 key",
	    .cert = is_type_unknown },
	{ "spki_rsa_encryption_parameter_not_null", 12, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 3279, 2.3.1",
	    "an RSA key without NULL", .cert = is_rsa_not_null },
	{ "ec_improper_curves", 14, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "BR 6.1.5; RFC 5480, 2.1.1",
	    "not P-256, P-384 or P-521 by name", .cert = is_curve_wrong },
	{ "ec_point_not_uncompressed", 15, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5480, 2.2", "not an uncompressed point",
	    .cert = is_point_form_wrong },
	{ "ec_point_not_on_curve", 15, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "BR 6.1.6", "a point that is not on its curve",
	    .cert = is_point_off_curve },
	{ "ed25519_key_improper", 16, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 8410, 3 and 4", "not 32 octets without parameters",
	    .cert = is_ed25519_wrong },
	{ "rsa_mod_less_than_2048_bits", 17, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 6.1.5", "an RSA modulus under 2048 bits",
	    .cert = is_rsa_short },
	{ "rsa_mod_not_multiple_of_8_bits", 17, LINT_ERROR, LINT_PUBLIC,
	    LINT_ALL, "BR 6.1.5", "an RSA modulus not of whole octets",
	    .cert = is_rsa_uneven },
	{ "rsa_mod_not_odd", 17, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "BR 6.1.6", "an even RSA modulus", .cert = is_rsa_even },
	{ "rsa_public_exponent_not_odd", 17, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 6.1.6", "an even RSA exponent",
	    .cert = is_exponent_even },
	{ "rsa_public_exponent_not_in_range", 17, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "BR 6.1.6", "an RSA exponent under 65537, or huge",
	    .cert = is_exponent_small },
	{ "rsa_modulus_weak", 18, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "BR 6.1.1.3", "ROCA, close primes or small factors",
	    .cert = is_rsa_weak },
	{ "key_of_issuer_reused", 18, LINT_ERROR, LINT_PRIVATE,
	    LINT_NOT_ROOT, "BR 6.1.1.3", "its issuer's key",
	    .cert = is_issuers_key },
	{ NULL }
};
