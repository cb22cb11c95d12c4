/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRLs, RFC 5280 5: one walk over the entries, of which there may be
 * millions, that remembers the first of each fault; then the rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "lint/run.h"

#define CRL_EXTENSIONS_MAX 16
#define NUMBER_OCTETS_MAX 20	/* RFC 5280, 5.2.3 */

struct lint_crl {
	const struct lint_crl_input *input;
	const struct lint_cert *issuer;		/* NULL: not known */
	const char *broken;
	struct der_bytes version;
	struct lint_algorithm inner, outer;
	struct der_bytes issuer_name;
	struct lint_time this_update, next_update;
	bool has_revoked;			/* the field */
	struct der_bytes revoked;		/* its contents */
	struct lint_extension extensions[CRL_EXTENSIONS_MAX];
	uint32_t num_extensions;
	struct der_bytes signature;		/* BIT STRING contents */
	/* INTEGER contents of the first entry of which it is true. */
	struct der_bytes bad_reason, critical_reason, late, twice;
	uint32_t num_entries;
};

static void
break_at(struct lint_crl *c, const char *what)
{
	if (c->broken == NULL)
		c->broken = what;
}

static void
read_extensions(struct der_reader *explicit, struct lint_crl *c)
{
	struct lint_extension e;
	struct der_reader list;

	der_enter(explicit, DER_SEQUENCE, &list);
	while (!der_at_end(&list) && c->num_extensions < CRL_EXTENSIONS_MAX) {
		if (!lint_extension_get(&list, &e)) {
			break_at(c, "an extension of the list is not one");
			return;
		}
		c->extensions[c->num_extensions++] = e;
	}
}

/*
 * TBSCertList ::= SEQUENCE {
 *     version              INTEGER { v2(1) } OPTIONAL,
 *     signature            AlgorithmIdentifier,
 *     issuer               Name,
 *     thisUpdate           Time,
 *     nextUpdate           Time OPTIONAL,
 *     revokedCertificates  SEQUENCE OF SEQUENCE { ... } OPTIONAL,
 *     crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
 */
static void
read_tbs(struct der_bytes contents, struct lint_crl *c)
{
	struct der_reader r = der_reader_of(contents), explicit;
	struct der_bytes tlv;

	if (der_next_is(&r, DER_INTEGER))
		der_get(&r, DER_INTEGER, &c->version);
	if (der_get_tlv(&r, DER_SEQUENCE, &tlv))
		lint_algorithm_read(tlv, &c->inner);
	der_get_tlv(&r, DER_SEQUENCE, &c->issuer_name);
	lint_time_read(&r, &c->this_update);
	if (der_next_is(&r, DER_UTC_TIME) ||
	    der_next_is(&r, DER_GENERALIZED_TIME))
		lint_time_read(&r, &c->next_update);
	if (der_next_is(&r, DER_SEQUENCE))
		c->has_revoked = der_get(&r, DER_SEQUENCE, &c->revoked);
	if (der_enter_optional(&r, DER_CONTEXT(0), &explicit))
		read_extensions(&explicit, c);
	if (!der_is_done(&r))
		break_at(c, "the TBSCertList is not as RFC 5280 5.1 has it");
}

static void
read_shell(struct lint_crl *c)
{
	struct der_bytes contents, tbs, tlv;
	struct der_reader r;

	if (!der_read_whole(c->input->der, DER_SEQUENCE, &contents)) {
		break_at(c, "it is not one SEQUENCE in DER");
		return;
	}
	r = der_reader_of(contents);
	if (!der_get(&r, DER_SEQUENCE, &tbs)) {
		break_at(c, "the TBSCertList is not a SEQUENCE");
		return;
	}
	read_tbs(tbs, c);
	if (der_get_tlv(&r, DER_SEQUENCE, &tlv))
		lint_algorithm_read(tlv, &c->outer);
	der_get(&r, DER_BIT_STRING, &c->signature);
	if (!der_is_done(&r))
		break_at(c, "algorithm and signature are not behind it");
}

/* --- entries ---------------------------------------------------------- */

static void
note(struct der_bytes *first, struct der_bytes serial)
{
	if (first->p == NULL)
		*first = serial;
}

/* reasonCode, RFC 5280 5.3.1: neither 0, nor 7, nor over 10. */
static void
note_reason(const struct lint_extension *e, struct der_bytes serial,
    struct lint_crl *c)
{
	struct der_bytes reason;

	if (e->is_critical)
		note(&c->critical_reason, serial);
	if (!der_read_whole(e->value, DER_ENUMERATED, &reason) ||
	    reason.len != 1 || reason.p[0] == 0 || reason.p[0] == 7 ||
	    reason.p[0] > CRL_REASON_AA_COMPROMISE)
		note(&c->bad_reason, serial);
}

static bool
read_entry(struct der_reader *r, struct der_bytes *serial,
    struct lint_crl *c)
{
	struct der_reader inner, list;
	struct lint_extension e;
	struct lint_time at;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get(&inner, DER_INTEGER, serial);
	lint_time_read(&inner, &at);
	if (inner.has_failed)
		return false;
	if (at.is_read && c->this_update.is_read &&
	    at.at > c->this_update.at)
		note(&c->late, *serial);
	if (der_enter_optional(&inner, DER_SEQUENCE, &list))
		while (!der_at_end(&list)) {
			if (!lint_extension_get(&list, &e))
				return false;
			if (e.id == DER_OID_REASON_CODE)
				note_reason(&e, *serial, c);
		}
	return der_is_done(&inner);
}

static int
compare(const void *va, const void *vb)
{
	const struct der_bytes *a = va, *b = vb;

	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->len == 0 ? 0 : memcmp(a->p, b->p, a->len);
}

/* True if serials ascend, as ours do: then none is there twice. */
static bool
read_entries(struct lint_crl *c)
{
	struct der_reader r = der_reader_of(c->revoked);
	struct der_bytes serial = { NULL, 0 }, last = serial;
	bool is_ascending = true;

	for (; !der_at_end(&r); last = serial, c->num_entries++) {
		if (!read_entry(&r, &serial, c)) {
			break_at(c, "an entry is not as RFC 5280 5.1 has it");
			break;
		}
		is_ascending &= c->num_entries == 0 ||
		    compare(&last, &serial) < 0;
	}
	return is_ascending;
}

static enum oc_err
find_duplicate(struct lint_crl *c)
{
	struct der_reader r = der_reader_of(c->revoked), inner;
	struct der_bytes *serials;
	uint32_t i;

	if (c->num_entries < 2)
		return OC_OK;
	serials = calloc(c->num_entries, sizeof(*serials));
	if (serials == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; i < c->num_entries; i++) {
		der_enter(&r, DER_SEQUENCE, &inner);
		der_get(&inner, DER_INTEGER, &serials[i]);
	}
	qsort(serials, c->num_entries, sizeof(*serials), compare);
	for (i = 1; i < c->num_entries; i++)
		if (compare(&serials[i - 1], &serials[i]) == 0) {
			c->twice = serials[i];
			break;
		}
	free(serials);
	return OC_OK;
}

enum oc_err
lint_crl(const struct lint_crl_input *input, struct lint_report *report)
{
	const struct lint_input none = { .der = input->issuer };
	struct lint_crl crl = { .input = input };
	const struct lint_run run = { .crl = &crl, .audience = LINT_PUBLIC,
	    .exempt = input->exempt };
	struct lint_cert issuer;
	enum oc_err err = OC_OK;

	read_shell(&crl);
	if (!read_entries(&crl))
		err = find_duplicate(&crl);
	if (err != OC_OK)
		return err;
	if (input->issuer.len != 0) {
		lint_cert_read(&none, input->issuer, &issuer);
		crl.issuer = &issuer;
	}
	lint_run_begin(report);
	lint_run(&run, report);
	return OC_OK;
}

/* --- rules ------------------------------------------------------------ */

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
	const char *fault = c->broken;

	(void)rule;
	if (fault == NULL)
		fault = lint_der_fault(c->input->der);
	return fault != NULL && lint_found(d, "%s", fault);
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
	    compare(&number, &last) <= 0 &&
	    lint_found(d, "not above the CRL's before");
}

static bool
is_signature_wrong(const struct lint_crl *c, const struct lint_rule *rule,
    struct lint_detail *d)
{
	const char *fault;

	(void)rule;
	if (c->outer.id != DER_OID_ECDSA_WITH_SHA256 &&
	    c->outer.id != DER_OID_ECDSA_WITH_SHA384 &&
	    c->outer.id != DER_OID_ECDSA_WITH_SHA512)
		return false;
	fault = lint_ecdsa_fault(c->signature);
	return fault != NULL && lint_found(d, "the signature: %s", fault);
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
	uint8_t tag;

	(void)rule;
	if (e == NULL || c->input->url.len == 0 ||
	    !der_read_whole(e->value, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	if (!der_enter_optional(&r, DER_CONTEXT(0), &point) ||
	    !der_enter_optional(&point, DER_CONTEXT(0), &names))
		return false;
	while (lint_next_name(&names, &tag, &value))
		if (tag == LINT_NAME_URI &&
		    der_bytes_equal(value, c->input->url))
			return false;
	return lint_found(d, "it does not say %s",
	    lint_text(c->input->url, text));
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
	{ NULL }
};
