/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on extensions in general, on key identifiers, on precertificates. */
#include "lint/view.h"

#include <openssl/evp.h>
#include <string.h>

#include "x509/spki.h"

/* --- all extensions --------------------------------------------------- */

static bool
has_duplicate(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[DER_OID_TEXT_MAX];
	uint32_t i, j;

	(void)rule;
	for (i = 1; i < c->num_extensions; i++)
		for (j = 0; j < i; j++)
			if (der_bytes_equal(c->extensions[i].oid,
			    c->extensions[j].oid))
				return lint_found(d, "%s twice",
				    lint_extension_name(&c->extensions[i],
				    text));
	return false;
}

static bool
has_too_many(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->has_more_extensions && lint_found(d,
	    "more than %d: the others were not looked at",
	    LINT_EXTENSIONS_MAX);
}

/* Empty names and constraints have rules of their own, and basicConstraints
 * is empty where there is no CA. */
static bool
has_empty_sequence(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[DER_OID_TEXT_MAX];
	uint32_t i;

	(void)rule;
	if (c->has_extensions && c->num_extensions == 0 && c->broken == NULL)
		return lint_found(d, "the list of extensions");
	for (i = 0; i < c->num_extensions; i++) {
		const struct lint_extension *e = &c->extensions[i];

		if (e->value.len == 2 && e->value.p[0] == DER_SEQUENCE &&
		    e->id != DER_OID_BASIC_CONSTRAINTS &&
		    e->id != DER_OID_SUBJECT_ALT_NAME &&
		    e->id != DER_OID_NAME_CONSTRAINTS)
			return lint_found(d, "%s",
			    lint_extension_name(e, text));
	}
	return false;
}

/* Every element is of the universal tag, or of a context tag up to max. */
static bool
is_sequence_of(struct der_bytes value, uint8_t tag, uint8_t context_max)
{
	struct der_bytes contents;
	struct der_reader r;
	uint8_t found;

	if (!der_read_whole(value, DER_SEQUENCE, &contents))
		return false;
	for (r = der_reader_of(contents); !der_at_end(&r);)
		if (!der_get_any(&r, &found, NULL, NULL) || !(tag != 0 ?
		    found == tag : (found & 0xc0) == 0x80 &&
		    (found & 0x1f) <= context_max))
			return false;
	return !r.has_failed;
}

/* The outermost of what the type is; what is deeper its own rules see. */
static bool
is_shape_right(const struct lint_extension *e)
{
	static const struct {
		enum der_oid id;
		uint8_t tag, context_max;	/* of the elements */
	} shapes[] = {
		{ DER_OID_SUBJECT_ALT_NAME, 0, 8 },
		{ DER_OID_AUTHORITY_KEY_IDENTIFIER, 0, 2 },
		{ DER_OID_NAME_CONSTRAINTS, 0, 1 },
		{ DER_OID_EXTENDED_KEY_USAGE, DER_OID, 0 },
		{ DER_OID_AUTHORITY_INFO_ACCESS, DER_SEQUENCE, 0 },
		{ DER_OID_CRL_DISTRIBUTION_POINTS, DER_SEQUENCE, 0 },
		{ DER_OID_CERTIFICATE_POLICIES, DER_SEQUENCE, 0 },
	};
	struct der_bytes contents;
	size_t i;

	if (e->id == DER_OID_SUBJECT_KEY_IDENTIFIER)
		return der_read_whole(e->value, DER_OCTET_STRING, &contents);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].id == e->id)
			return is_sequence_of(e->value, shapes[i].tag,
			    shapes[i].context_max);
	return true;
}

/* basicConstraints and keyUsage have rules of their own. */
static bool
has_invalid_der(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[DER_OID_TEXT_MAX];
	const char *fault;
	uint32_t i;

	(void)rule;
	for (i = 0; i < c->num_extensions; i++) {
		const struct lint_extension *e = &c->extensions[i];

		if (e->is_false_written)
			return lint_found(d, "%s: critical FALSE is written, "
			    "which is the default",
			    lint_extension_name(e, text));
		if (e->id == DER_OID_BASIC_CONSTRAINTS ||
		    e->id == DER_OID_KEY_USAGE)
			continue;
		fault = lint_der_fault(e->value);
		if (fault == NULL && !is_shape_right(e))
			fault = "not of its type";
		if (fault != NULL)
			return lint_found(d, "%s: %s",
			    lint_extension_name(e, text), fault);
	}
	return false;
}

/* rule->argument: the extension. */
static bool
is_critical(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = lint_find_extension(c,
	    (enum der_oid)rule->argument);

	return e != NULL && e->is_critical &&
	    lint_found(d, "%s is critical", der_oid_name(e->id));
}

static bool
is_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum der_oid id = (enum der_oid)rule->argument;

	return c->broken == NULL && lint_find_extension(c, id) == NULL &&
	    lint_found(d, "no %s", der_oid_name(id));
}

/* --- key identifiers -------------------------------------------------- */

/* AuthorityKeyIdentifier ::= SEQUENCE { [0] keyIdentifier,
 *     [1] authorityCertIssuer, [2] authorityCertSerialNumber } */
static bool
find_in_aki(const struct lint_cert *c, uint8_t wanted,
    struct der_bytes *value)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_AUTHORITY_KEY_IDENTIFIER);
	struct der_bytes contents;
	struct der_reader r;
	uint8_t tag;

	if (e == NULL || !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return false;
	for (r = der_reader_of(contents); !der_at_end(&r);) {
		if (!der_get_any(&r, &tag, value, NULL))
			return false;
		if (tag == wanted)
			return true;
	}
	return false;
}

static bool
has_no_key_id(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes id;

	(void)rule;
	return lint_find_extension(c, DER_OID_AUTHORITY_KEY_IDENTIFIER) !=
	    NULL && !find_in_aki(c, DER_CONTEXT_PRIMITIVE(0), &id) &&
	    lint_found(d, "no keyIdentifier");
}

static bool
has_issuer_and_serial(const struct lint_cert *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	struct der_bytes value;

	(void)rule;
	return (find_in_aki(c, DER_CONTEXT(1), &value) ||
	    find_in_aki(c, DER_CONTEXT_PRIMITIVE(2), &value)) &&
	    lint_found(d, "authorityCertIssuer or -SerialNumber");
}

/* Self-signed: it is its own issuer, as far as that is known. */
static bool
is_aki_missing(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	bool is_own = der_bytes_equal(c->issuer_name, c->subject.tlv) &&
	    (c->issuer == NULL || der_bytes_equal(c->issuer->spki, c->spki));

	return !is_own && is_missing(c, rule, d);
}

static const char *
hex_of(struct der_bytes octets, char text[LINT_TEXT_MAX])
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < octets.len && 2 * i + 3 < LINT_TEXT_MAX; i++) {
		text[2 * i] = digits[octets.p[i] >> 4];
		text[2 * i + 1] = digits[octets.p[i] & 0x0f];
	}
	text[2 * i] = '\0';
	return text;
}

static bool
is_aki_other(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	char text[LINT_TEXT_MAX];
	struct der_bytes id;

	(void)rule;
	return c->issuer != NULL && c->issuer->subject_key_id.len > 0 &&
	    find_in_aki(c, DER_CONTEXT_PRIMITIVE(0), &id) &&
	    !der_bytes_equal(id, c->issuer->subject_key_id) &&
	    lint_found(d, "%s", hex_of(id, text));
}

/* RFC 5280 4.2.1.2 (1), then RFC 7093's four. */
static bool
is_key_id_made_of(const struct lint_cert *c, struct der_bytes bits)
{
	const EVP_MD *mds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	struct der_bytes id = c->subject_key_id;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned int len;
	size_t i;

	for (i = 0; i < sizeof(mds) / sizeof(mds[0]); i++)
		if (EVP_Digest(bits.p, bits.len, hash, &len, mds[i],
		    NULL) == 1 && id.len <= len &&
		    memcmp(id.p, hash, id.len) == 0)
			return true;
	return EVP_Digest(c->spki.p, c->spki.len, hash, &len, EVP_sha256(),
	    NULL) == 1 && id.len <= len && memcmp(id.p, hash, id.len) == 0;
}

static bool
is_ski_arbitrary(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	uint8_t hash[X509_KEY_ID_LEN];
	char text[LINT_TEXT_MAX];

	(void)rule;
	if (c->subject_key_id.len == 0 || c->key.len < 2 ||
	    x509_spki_key_id(c->spki, hash) != OC_OK)
		return false;
	return !der_bytes_equal(c->subject_key_id, DER_ARRAY(hash)) &&
	    !is_key_id_made_of(c, (struct der_bytes){ c->key.p + 1,
	    c->key.len - 1 }) &&
	    lint_found(d, "%s", hex_of(c->subject_key_id, text));
}

/* --- certificate transparency ----------------------------------------- */

static bool
has_poison_and_scts(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return lint_find_extension(c, DER_OID_CT_POISON) != NULL &&
	    lint_find_extension(c, DER_OID_CT_SCTS) != NULL &&
	    lint_found(d, "poison and SCT list");
}

/* SignedCertificateTimestampList: 16 bits of length, then that. */
static bool
is_sct_list_empty(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_CT_SCTS);
	struct der_bytes list;

	(void)rule;
	return e != NULL && (!der_read_whole(e->value, DER_OCTET_STRING,
	    &list) || list.len <= 2) &&
	    lint_found(d, "no SCT in it");
}

static bool
is_poison_wrong(const struct lint_cert *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = lint_find_extension(c,
	    DER_OID_CT_POISON);

	(void)rule;
	return e != NULL && (!e->is_critical || e->value.len != 2 ||
	    e->value.p[0] != DER_NULL || e->value.p[1] != 0) &&
	    lint_found(d, "poison that is not a critical NULL");
}

#define CRITICAL(id) .argument = (id), .cert = is_critical
#define MISSING(id) .argument = (id), .cert = is_missing
const struct lint_rule lint_rules_ext[] = {
	{ "ext_duplicate_extension", 51, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2", "the same extension twice",
	    .cert = has_duplicate },
	{ "ext_too_many_extensions", 51, LINT_WARNING, LINT_PRIVATE,
	    LINT_ALL, "ocsign", "more extensions than are looked at",
	    .cert = has_too_many },
	{ "ext_cannot_be_empty_seq", 51, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2", "an empty list", .cert = has_empty_sequence },
	{ "cert_ext_invalid_der", 51, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2; X.690", "an extension not in DER",
	    .cert = has_invalid_der },
	{ "ext_authority_key_identifier_missing", 37, LINT_ERROR,
	    LINT_PRIVATE, LINT_NOT_ROOT, "RFC 5280, 4.2.1.1",
	    "no authorityKeyIdentifier, nor self-signed",
	    .argument = DER_OID_AUTHORITY_KEY_IDENTIFIER,
	    .cert = is_aki_missing },
	{ "ext_authority_key_identifier_no_key_identifier", 37, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.1",
	    "no keyIdentifier in it", .cert = has_no_key_id },
	{ "ext_authority_key_identifier_issuer_serial_present", 37,
	    LINT_ERROR, LINT_PUBLIC, LINT_ALL, "BR 7.1.2.11.1",
	    "more than keyIdentifier in it",
	    .cert = has_issuer_and_serial },
	{ "ext_authority_key_identifier_critical", 37, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.1",
	    "authorityKeyIdentifier is critical",
	    CRITICAL(DER_OID_AUTHORITY_KEY_IDENTIFIER) },
	{ "authority_key_identifier_not_issuers_ski", 37, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.1",
	    "not its issuer's subjectKeyIdentifier",
	    .cert = is_aki_other },
	{ "ext_subject_key_identifier_missing_ca", 38, LINT_ERROR,
	    LINT_PRIVATE, LINT_CAS, "RFC 5280, 4.2.1.2",
	    "a CA without subjectKeyIdentifier",
	    MISSING(DER_OID_SUBJECT_KEY_IDENTIFIER) },
	{ "ext_subject_key_identifier_missing_sub_cert", 38, LINT_WARNING,
	    LINT_PRIVATE, LINT_LEAVES, "RFC 5280, 4.2.1.2",
	    "no subjectKeyIdentifier",
	    MISSING(DER_OID_SUBJECT_KEY_IDENTIFIER) },
	{ "ext_subject_key_identifier_critical", 38, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.2",
	    "subjectKeyIdentifier is critical",
	    CRITICAL(DER_OID_SUBJECT_KEY_IDENTIFIER) },
	{ "subject_key_identifier_not_of_key", 38, LINT_NOTICE, LINT_PRIVATE,
	    LINT_ALL, "RFC 5280, 4.2.1.2; RFC 7093, 2",
	    "no hash of the key", .cert = is_ski_arbitrary },
	{ "ext_aia_marked_critical", 39, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 5280, 4.2.2.1", "authorityInfoAccess is critical",
	    CRITICAL(DER_OID_AUTHORITY_INFO_ACCESS) },
	{ "ext_crl_distribution_marked_critical", 40, LINT_ERROR,
	    LINT_PRIVATE, LINT_ALL, "RFC 5280, 4.2.1.13",
	    "cRLDistributionPoints is critical",
	    CRITICAL(DER_OID_CRL_DISTRIBUTION_POINTS) },
	{ "precert_with_sct_list", 53, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 6962, 3.1 and 3.3", "CT poison and an SCT list",
	    .cert = has_poison_and_scts },
	{ "empty_sct_list", 53, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 6962, 3.3", "an SCT list without an SCT",
	    .cert = is_sct_list_empty },
	{ "precert_poison_improper", 53, LINT_ERROR, LINT_PRIVATE, LINT_ALL,
	    "RFC 6962, 3.1", "CT poison that is not a critical NULL",
	    .cert = is_poison_wrong },
	{ NULL }
};
