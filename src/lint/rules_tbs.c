/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on TBSCertificate's fields and algorithms; and on the whole. */
#include "lint/view.h"

#include <string.h>

#include "sign/alg.h"
#include "x509/spki.h"

#define SERIAL_OCTETS_MAX 20	/* RFC 5280, 4.1.2.2 */
#define SERIAL_OCTETS_MIN 8	/* 64 bits from a CSPRNG: BR 7.1 */

/* --- the whole, version, serial --------------------------------------- */

static bool
is_not_der(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return lint_is_not_der(c->broken, c->input->der, d);
}

static bool
is_not_v3(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	if (c->version.len == 1 && c->version.p[0] == 2)
		return false;
	if (c->version.len == 1)
		return lint_found(d, "version is %d, not 2",
		    c->version.p[0]);
	/* Where nothing could be read, that is what is wrong. */
	return c->serial.len > 0 && lint_found(d, "no version: v1");
}

static bool
is_serial_not_positive(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	(void)rule;
	if (c->serial.len == 0)
		return c->broken == NULL && lint_found(d, "it is empty");
	if (c->serial.p[0] >= 0x80)
		return lint_found(d, "it is negative: the first octet is "
		    "%02X", c->serial.p[0]);
	return c->serial.len == 1 && c->serial.p[0] == 0 &&
	    lint_found(d, "it is 0");
}

static bool
is_serial_long(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->serial.len > SERIAL_OCTETS_MAX &&
	    lint_found(d, "%zu octets", c->serial.len);
}

static bool
is_serial_short(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->serial.len > 0 && c->serial.len < SERIAL_OCTETS_MIN &&
	    lint_found(d, "%zu of 8 octets", c->serial.len);
}

static bool
has_unique_id(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->has_unique_id &&
	    lint_found(d, "issuerUniqueID or subjectUniqueID");
}

/* --- algorithms and issuer -------------------------------------------- */

static bool
are_algorithms_different(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	(void)rule;
	return c->is_signed && c->inner.tlv.len > 0 &&
	    c->outer.tlv.len > 0 &&
	    !der_bytes_equal(c->inner.tlv, c->outer.tlv) &&
	    lint_found(d, "%s inside, %s outside", der_oid_name(c->inner.id),
	    der_oid_name(c->outer.id));
}

static bool
is_rsa_signature(enum der_oid id)
{
	return id == DER_OID_SHA1_WITH_RSA || id == DER_OID_SHA256_WITH_RSA ||
	    id == DER_OID_SHA384_WITH_RSA || id == DER_OID_SHA512_WITH_RSA;
}

static bool
is_null(struct der_bytes tlv)
{
	return tlv.len == 2 && tlv.p[0] == DER_NULL && tlv.p[1] == 0;
}

static bool
is_rsa_not_null(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return is_rsa_signature(c->inner.id) &&
	    !is_null(c->inner.parameters) &&
	    lint_found(d, "%s with %s", der_oid_name(c->inner.id),
	    c->inner.parameters.len == 0 ? "no parameters" :
	    "other parameters");
}

static bool
has_ecdsa_parameters(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return (lint_is_ecdsa(c->inner.id) ||
	    c->inner.id == DER_OID_ED25519) &&
	    c->inner.parameters.len > 0 &&
	    lint_found(d, "%s with parameters", der_oid_name(c->inner.id));
}

/* md2 to sha1WithRSA: 1.2.840.113549.1.1.2 to 5; ecdsa-with-SHA1. */
static bool
is_hash_weak(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	static const uint8_t pkcs1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	    0x01, 0x01 };
	static const uint8_t ecdsa_sha1[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d,
	    0x04, 0x01 };
	static const uint8_t dsa_sha1[] = { 0x2a, 0x86, 0x48, 0xce, 0x38,
	    0x04, 0x03 };
	struct der_bytes oid = c->inner.oid;
	char text[DER_OID_TEXT_MAX];

	(void)rule;
	if (!(oid.len == 9 && memcmp(oid.p, pkcs1, 8) == 0 &&
	    oid.p[8] >= 2 && oid.p[8] <= 5) &&
	    !der_bytes_equal(oid, DER_ARRAY(ecdsa_sha1)) &&
	    !der_bytes_equal(oid, DER_ARRAY(dsa_sha1)))
		return false;
	der_oid_format(oid, text);
	return lint_found(d, "signed with %s (%s)", text,
	    der_oid_name(c->inner.id));
}

static bool
is_ecdsa_value_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->is_signed && c->signature.len > 0 &&
	    lint_is_ecdsa_wrong(c->outer.id, c->signature, d);
}

static bool
is_issuer_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->issuer_name.len == 2 &&
	    lint_found(d, "the issuer has no name");
}

static bool
is_issuer_other(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->issuer != NULL && c->issuer_name.len > 2 &&
	    !der_bytes_equal(c->issuer_name, c->issuer->subject.tlv) &&
	    lint_found(d, "not the octets of the issuer's subject");
}

/* Only where both are whole, and by an algorithm of ours. */
static bool
is_signature_bad(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum sign_alg alg = sign_alg_find(c->outer.tlv);

	(void)rule;
	if (!c->is_signed || c->issuer == NULL || alg == SIGN_ALG_NONE ||
	    c->signature.len < 2)
		return false;
	return x509_spki_verify(c->issuer->spki, alg, c->tbs,
	    (struct der_bytes){ c->signature.p + 1, c->signature.len - 1 },
	    "certificate", NULL) != OC_OK &&
	    lint_found(d, "the issuer's key does not verify it");
}

const struct lint_rule lint_rules_tbs[] = {
	{ "asn1_syntax", 51, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1", "not a Certificate in DER",
	    .cert = is_not_der },
	{ "invalid_certificate_version", 1, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.1", "the version is not v3",
	    .cert = is_not_v3 },
	{ "serial_number_not_positive", 2, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.2", "a serial number of 0 or less",
	    .cert = is_serial_not_positive },
	{ "serial_number_longer_than_20_octets", 3, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.2",
	    "a serial number of more than 20 octets",
	    .cert = is_serial_long },
	{ "serial_number_low_entropy", 4, LINT_WARNING, LINT_PRIVATE,
	    LINT_ALL, "BR 7.1", "a serial number of less than 64 bits",
	    .cert = is_serial_short },
	{ "cert_contains_unique_identifier", 51, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.8", "a unique identifier",
	    .cert = has_unique_id },
	{ "tbs_signature_alg_matches_cert_signature_alg", 11, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.1.1.2",
	    "two different signature algorithms",
	    .cert = are_algorithms_different },
	{ "tbs_signature_rsa_encryption_parameter_not_null", 12, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 4055, 5",
	    "an RSA signature algorithm without NULL",
	    .cert = is_rsa_not_null },
	{ "signature_ecdsa_parameters_present", 13, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5758, 3.2; RFC 8410, 3",
	    "ECDSA or EdDSA with parameters",
	    .cert = has_ecdsa_parameters },
	{ "sub_cert_or_sub_ca_using_sha1", 58, LINT_ERROR, LINT_PRIVATE,
	    LINT_NOT_ROOT, "BR 7.1.3.2", "signed with SHA-1, or worse",
	    .cert = is_hash_weak },
	{ "ecdsa_signature_encoding_correct", 61, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 3279, 2.2.3", "an ECDSA signature not in DER",
	    .cert = is_ecdsa_value_wrong },
	{ "issuer_field_empty", 42, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.1.2.4", "an empty issuer",
	    .cert = is_issuer_empty },
	{ "issuer_not_copied_from_issuer", 42, LINT_ERROR, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.1.2.4; BR 7.1.4.1",
	    "not the issuer's name, octet for octet",
	    .cert = is_issuer_other },
	{ "signature_not_by_issuer", 60, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 6.1.3", "the issuer's key does not verify it",
	    .cert = is_signature_bad },
	{ NULL }
};
