/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on CRLs and their entries, RFC 5280 5. */
#include "lint/crl.h"

#include <stdio.h>

#define NUMBER_OCTETS_MAX 20	/* RFC 5280, 5.2.3 */

static const struct lint_extension *
find(const struct lint_crl *c, enum der_oid id)
{
	uint32_t i;

	for (i = 0; i < c->num_extensions; i++)
		if (c->extensions[i].id == id)
			return &c->extensions[i];
	return NULL;
}

static bool
is_not_der(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return lint_is_not_der(c->broken, c->input->der, d);
}

static bool
is_not_v2(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->inner.tlv.len > 0 &&
	    !(c->version.len == 1 && c->version.p[0] == 1) &&
	    lint_found(d, c->version.len == 0 ? "no version: v1" :
	    "the version is not 1");
}

static bool
is_time_wrong(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_time *times[] = { &c->this_update,
	    &c->next_update };
	char text[LINT_TEXT_MAX];
	int i;

	(void)rule;
	for (i = 0; i < 2; i++)
		if (times[i]->tag != 0 && (!times[i]->is_read ||
		    (times[i]->tag == DER_GENERALIZED_TIME &&
		    times[i]->contents.p[0] == '2' &&
		    times[i]->contents.p[1] == '0' &&
		    times[i]->contents.p[2] < '5')))
			return lint_found(d, "%s", lint_text(
			    times[i]->contents, text));
	return false;
}

static bool
lacks_next_update(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->broken == NULL && c->next_update.tag == 0 &&
	    lint_found(d, "no nextUpdate");
}

static bool
is_next_update_early(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->next_update.is_read && c->this_update.is_read &&
	    c->next_update.at <= c->this_update.at &&
	    lint_found(d, "nextUpdate is not behind thisUpdate");
}

static bool
is_revoked_empty(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->has_revoked && c->revoked.len == 0 &&
	    lint_found(d, "an empty revokedCertificates");
}

/* rule->argument: the extension. */
static bool
is_missing(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	enum der_oid id = (enum der_oid)rule->argument;

	return c->broken == NULL && find(c, id) == NULL &&
	    lint_found(d, "no %s", der_oid_name(id));
}

static bool
is_aki_other(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c,
	    DER_OID_AUTHORITY_KEY_IDENTIFIER);
	struct der_bytes contents, id;
	struct der_reader r;

	(void)rule;
	if (e == NULL || c->issuer == NULL ||
	    c->issuer->subject_key_id.len == 0 ||
	    !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	if (!der_get(&r, DER_CONTEXT_PRIMITIVE(0), &id))
		return lint_found(d, "no keyIdentifier");
	return !der_bytes_equal(id, c->issuer->subject_key_id) &&
	    lint_found(d, "not the issuer's subjectKeyIdentifier");
}

static bool
is_issuer_other(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return c->issuer != NULL && c->issuer_name.len > 0 &&
	    !der_bytes_equal(c->issuer_name, c->issuer->subject.tlv) &&
	    lint_found(d, "not the octets of the issuer's subject");
}

static bool
number_of(const struct lint_crl *c, struct der_bytes *number)
{
	const struct lint_extension *e = find(c, DER_OID_CRL_NUMBER);

	return e != NULL && der_read_whole(e->value, DER_INTEGER, number) &&
	    number->len > 0;
}

static bool
is_number_out_of_range(const struct lint_crl *c,
    const struct lint_rule *rule, struct lint_detail *d)
{
	struct der_bytes number;

	(void)rule;
	if (find(c, DER_OID_CRL_NUMBER) == NULL)
		return false;
	if (!number_of(c, &number) || !der_integer_is_valid(number))
		return lint_found(d, "not an INTEGER in its shortest form");
	if (number.p[0] >= 0x80)
		return lint_found(d, "it is negative");
	return number.len > NUMBER_OCTETS_MAX &&
	    lint_found(d, "%zu octets", number.len);
}

static bool
is_number_not_above(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	struct der_bytes number, last = c->input->last_number;

	(void)rule;
	return last.len > 0 && number_of(c, &number) &&
	    lint_compare_integers(number, last) <= 0 &&
	    lint_found(d, "not above the CRL's before");
}

static bool
is_signature_wrong(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return lint_is_ecdsa_wrong(c->outer.id, c->signature, d);
}

static bool
tell_entry(struct der_bytes serial, struct lint_detail *d)
{
	char text[2 * 24 + 1];
	size_t i;

	if (serial.p == NULL)
		return false;
	for (i = 0; i < serial.len && i < 24; i++)
		(void)snprintf(text + 2 * i, 3, "%02X", serial.p[i]);
	text[2 * i] = '\0';
	return lint_found(d, "serial number %s", text);
}

static bool
is_serial_twice(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return tell_entry(c->twice, d);
}

static bool
is_reason_bad(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return tell_entry(c->bad_reason, d);
}

static bool
is_reason_critical(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return tell_entry(c->critical_reason, d);
}

static bool
is_entry_late(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return tell_entry(c->late, d);
}

static bool
is_idp_not_critical(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c,
	    DER_OID_ISSUING_DISTRIBUTION_POINT);

	(void)rule;
	return e != NULL && !e->is_critical &&
	    lint_found(d, "issuingDistributionPoint is not critical");
}

/*
 * IssuingDistributionPoint ::= SEQUENCE {
 *     distributionPoint  [0] CHOICE { fullName [0] GeneralNames, ... },
 *     ... }
 */
static bool
is_idp_elsewhere(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c,
	    DER_OID_ISSUING_DISTRIBUTION_POINT);
	struct der_reader r, point, names;
	struct der_bytes contents, value;
	char text[LINT_TEXT_MAX];

	(void)rule;
	if (e == NULL || c->input->url.len == 0 ||
	    !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	if (!der_enter_optional(&r, DER_CONTEXT(0), &point) ||
	    !der_enter_optional(&point, DER_CONTEXT(0), &names))
		return false;
	while (lint_next_name_of(&names, LINT_NAME_URI, &value))
		if (der_bytes_equal(value, c->input->url))
			return false;
	return lint_found(d, "it does not say %s",
	    lint_text(c->input->url, text));
}

/* --- deltas and parts --------------------------------------------------- */

static bool
is_delta_not_critical(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c, DER_OID_DELTA_CRL_INDICATOR);

	(void)rule;
	return e != NULL && !e->is_critical &&
	    lint_found(d, "deltaCRLIndicator is not critical");
}

static bool
is_base_wrong(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c, DER_OID_DELTA_CRL_INDICATOR);
	struct der_bytes base, number;

	(void)rule;
	if (e == NULL)
		return false;
	if (!der_read_whole(e->value, DER_INTEGER, &base) || base.len == 0 ||
	    !der_integer_is_valid(base) || base.p[0] >= 0x80)
		return lint_found(d, "BaseCRLNumber is no number");
	return number_of(c, &number) &&
	    lint_compare_integers(base, number) > 0 &&
	    lint_found(d, "BaseCRLNumber is above cRLNumber");
}

static bool
is_freshest_misplaced(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c, DER_OID_FRESHEST_CRL);

	(void)rule;
	if (e == NULL)
		return false;
	if (e->is_critical)
		return lint_found(d, "freshestCRL is critical");
	return find(c, DER_OID_DELTA_CRL_INDICATOR) != NULL &&
	    lint_found(d, "freshestCRL in a delta");
}

static bool
is_removal_misplaced(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	(void)rule;
	return find(c, DER_OID_DELTA_CRL_INDICATOR) == NULL &&
	    tell_entry(c->removed, d);
}

/*
 * onlyContainsUserCerts [1], onlyContainsCACerts [2],
 * onlyContainsAttributeCerts [5]: at most one.  An empty extension says
 * nothing.
 */
static bool
is_scope_wrong(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const struct lint_extension *e = find(c,
	    DER_OID_ISSUING_DISTRIBUTION_POINT);
	struct der_bytes contents, value;
	struct der_reader r;
	uint32_t num = 0;
	uint8_t tag;

	(void)rule;
	if (e == NULL || !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return false;
	if (contents.len == 0)
		return lint_found(d, "an empty issuingDistributionPoint");
	r = der_reader_of(contents);
	while (!der_at_end(&r) && der_get_any(&r, &tag, &value, NULL))
		num += tag == DER_CONTEXT_PRIMITIVE(1) ||
		    tag == DER_CONTEXT_PRIMITIVE(2) ||
		    tag == DER_CONTEXT_PRIMITIVE(5);
	return num > 1 && lint_found(d, "for two kinds of certificates only");
}

#define ROW(check) (check), LINT_ERROR, LINT_PRIVATE, 0
const struct lint_rule lint_rules_crl[] = {
	{ "crl_asn1_syntax", ROW(62), "RFC 5280, 5.1",
	    "not a CertificateList in DER", .crl = is_not_der },
	{ "crl_version_not_2", ROW(62), "RFC 5280, 5.1.2.1",
	    "a CRL that is not v2", .crl = is_not_v2 },
	{ "crl_time_format", ROW(62), "RFC 5280, 5.1.2.4",
	    "a time in the wrong form", .crl = is_time_wrong },
	{ "crl_has_next_update", ROW(62), "RFC 5280, 5.1.2.5",
	    "a CRL without nextUpdate", .crl = lacks_next_update },
	{ "crl_next_update_invalid", ROW(62), "RFC 5280, 5.1.2.5",
	    "nextUpdate not behind thisUpdate",
	    .crl = is_next_update_early },
	{ "crl_empty_revoked_certificates", ROW(62), "RFC 5280, 5.1.2.6",
	    "an empty list of entries", .crl = is_revoked_empty },
	{ "crl_has_authority_key_identifier", ROW(62), "RFC 5280, 5.2.1",
	    "a CRL without authorityKeyIdentifier",
	    .argument = DER_OID_AUTHORITY_KEY_IDENTIFIER,
	    .crl = is_missing },
	{ "crl_authority_key_identifier_not_issuers_ski", ROW(62),
	    "RFC 5280, 5.2.1", "not its issuer's subjectKeyIdentifier",
	    .crl = is_aki_other },
	{ "crl_issuer_not_copied_from_issuer", ROW(42), "RFC 5280, 5.1.2.3",
	    "not the issuer's name, octet for octet",
	    .crl = is_issuer_other },
	{ "crl_missing_crl_number", ROW(62), "RFC 5280, 5.2.3",
	    "a CRL without cRLNumber", .argument = DER_OID_CRL_NUMBER,
	    .crl = is_missing },
	{ "crl_number_range", ROW(62), "RFC 5280, 5.2.3",
	    "a cRLNumber of more than 20 octets",
	    .crl = is_number_out_of_range },
	{ "crl_number_not_increasing", ROW(62), "RFC 5280, 5.2.3",
	    "a cRLNumber not above the last",
	    .crl = is_number_not_above },
	{ "crl_ecdsa_signature_encoding_correct", ROW(61),
	    "RFC 3279, 2.2.3", "an ECDSA signature not in DER",
	    .crl = is_signature_wrong },
	{ "crl_unique_revoked_certificate", ROW(63), "RFC 5280, 5.1.2.6",
	    "a serial number twice", .crl = is_serial_twice },
	{ "crl_valid_reason_codes", ROW(63), "RFC 5280, 5.3.1",
	    "a reason that is 0, 7 or over 10", .crl = is_reason_bad },
	{ "crl_reason_code_not_critical", ROW(63), "RFC 5280, 5.3.1",
	    "a critical reasonCode", .crl = is_reason_critical },
	{ "crl_revocation_time_not_after_this_update", ROW(63),
	    "RFC 5280, 5.1.2.4 and 5.1.2.6",
	    "revoked after thisUpdate", .crl = is_entry_late },
	{ "crl_issuing_distribution_point_not_critical", ROW(63),
	    "RFC 5280, 5.2.5", "issuingDistributionPoint not critical",
	    .crl = is_idp_not_critical },
	{ "crl_issuing_distribution_point_not_url", ROW(40),
	    "RFC 5280, 5.2.5 and 6.3.3",
	    "not where certificates say it is", .crl = is_idp_elsewhere },
	{ "crl_issuing_distribution_point_scope", ROW(63), "RFC 5280, 5.2.5",
	    "for two kinds of certificates only, or for none",
	    .crl = is_scope_wrong },
	{ "crl_delta_crl_indicator_not_critical", ROW(63), "RFC 5280, 5.2.4",
	    "deltaCRLIndicator not critical", .crl = is_delta_not_critical },
	{ "crl_delta_crl_base_number", ROW(63), "RFC 5280, 5.2.4",
	    "a BaseCRLNumber above the delta's own", .crl = is_base_wrong },
	{ "crl_freshest_crl_misplaced", ROW(63), "RFC 5280, 5.2.6",
	    "a freshestCRL that is critical, or in a delta",
	    .crl = is_freshest_misplaced },
	{ "crl_remove_from_crl_not_in_delta", ROW(63), "RFC 5280, 5.3.1",
	    "removeFromCRL in a CRL that is no delta",
	    .crl = is_removal_misplaced },
	{ NULL }
};
