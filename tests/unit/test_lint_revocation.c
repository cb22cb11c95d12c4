/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL and an OCSP response for each rule on them, which break it and no
 * other; and good ones, which break none.
 */
#include <stdio.h>
#include <string.h>

#include "lint_fixture.h"

#define SIGNATURE "03{00 30{02{11}02{22}}}"
#define REASON(octet) "30{30{0603551d15 04{0a01" octet "}}}"
#define ENTRY(serial, time, more) "30{02{" serial "}17{'" time "Z'}" more "}"
#define AKI "30{06{551d23}04{30{80{$id:P-256}}}}"
#define NUMBER(octets) "30{06{551d14}04{02{" octets "}}}"
#define IDP(value) CRITICAL("551d1c", value)
#define URL "http://example.com/ca.crl"
#define IDP_URL "30{a0{a0{86{'" URL "'}}}}"

#define IDP_USERS "30{a0{a0{86{'" URL "'}}}8101ff}"
#define DELTA(octets) CRITICAL("551d1b", "02{" octets "}")
#define FRESHEST_URL "30{30{a0{a0{86{'http://example.com/delta'}}}}}"
#define FRESHEST EXTENSION("551d2e", FRESHEST_URL)

/* --- CRLs ------------------------------------------------------------- */

enum crl_part {
	CRL_VERSION, CRL_ISSUER, CRL_THIS, CRL_NEXT, CRL_ENTRIES,
	CRL_EXTENSIONS, CRL_BEHIND, CRL_SIGNATURE,
	CRL_URL,		/* plain text */
	CRL_LAST,		/* the number before */
	NUM_CRL_PARTS
};

struct crl_case {
	const char *rule;
	struct {
		enum crl_part part;
		const char *text;
	} changes[2];
};

static const char *const good_crl[NUM_CRL_PARTS] = {
	[CRL_VERSION] = "020101",
	[CRL_ISSUER] = LINT_NAME("Root"),
	[CRL_THIS] = "17{'260101000000Z'}",
	[CRL_NEXT] = "17{'260108000000Z'}",
	[CRL_ENTRIES] = "30{" ENTRY("05", "251201000000", "")
	    ENTRY("0102", "251231000000", REASON("01")) "}",
	[CRL_EXTENSIONS] = "a0{30{" AKI NUMBER("0102") IDP(IDP_URL) "}}",
	[CRL_BEHIND] = "",
	[CRL_SIGNATURE] = SIGNATURE,
	[CRL_URL] = URL,
	[CRL_LAST] = "0101",
};

static const struct crl_case crl_cases[] = {
	{ "", { { CRL_ENTRIES, "" } } },
	{ "", { { CRL_LAST, "7f" } } },
	{ "", { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("(20 11)") "}}" } } },
	{ "crl_asn1_syntax", { { CRL_BEHIND, "0500" } } },
	{ "crl_asn1_syntax", { { CRL_ENTRIES, "30{3000}" } } },
	{ "crl_version_not_2", { { CRL_VERSION, "" } } },
	{ "crl_version_not_2", { { CRL_VERSION, "020102" } } },
	{ "crl_time_format", { { CRL_NEXT, "18{'20260108000000Z'}" } } },
	{ "crl_time_format", { { CRL_NEXT, "17{'2601080000Z'}" } } },
	{ "crl_has_next_update", { { CRL_NEXT, "" } } },
	{ "crl_next_update_invalid", { { CRL_NEXT, "17{'260101000000Z'}" } } },
	{ "crl_empty_revoked_certificates", { { CRL_ENTRIES, "3000" } } },
	{ "crl_has_authority_key_identifier",
	    { { CRL_EXTENSIONS, "a0{30{" NUMBER("0102") "}}" } } },
	{ "crl_authority_key_identifier_not_issuers_ski", { { CRL_EXTENSIONS,
	    "a0{30{30{06{551d23}04{30{80{0102}}}}" NUMBER("0102") "}}" } } },
	{ "crl_issuer_not_copied_from_issuer",
	    { { CRL_ISSUER, LINT_NAME("root") } } },
	{ "crl_missing_crl_number", { { CRL_EXTENSIONS, "a0{30{" AKI "}}" } } },
	{ "crl_number_range",
	    { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("(21 11)") "}}" } } },
	{ "crl_number_range",
	    { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("0001") "}}" },
	    { CRL_LAST, "" } } },
	{ "crl_number_range",
	    { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("81") "}}" },
	    { CRL_LAST, "" } } },
	{ "crl_number_not_increasing", { { CRL_LAST, "0102" } } },
	{ "crl_number_not_increasing", { { CRL_LAST, "7f0000" } } },
	{ "crl_ecdsa_signature_encoding_correct",
	    { { CRL_SIGNATURE, "03{00 30{02{0011}02{22}}}" } } },
	{ "crl_unique_revoked_certificate", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000", "") ENTRY("04", "251201000000", "")
	    ENTRY("05", "251202000000", "") "}" } } },
	{ "crl_valid_reason_codes", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000", REASON("00")) "}" } } },
	{ "crl_valid_reason_codes", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000", REASON("07")) "}" } } },
	{ "crl_reason_code_not_critical", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000",
	    "30{30{0603551d15 0101ff 04{0a0101}}}") "}" } } },
	{ "crl_revocation_time_not_after_this_update", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "260101000001", "") "}" } } },
	{ "crl_issuing_distribution_point_not_critical", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") EXTENSION("551d1c", IDP_URL)
	    "}}" } } },
	{ "crl_issuing_distribution_point_not_url",
	    { { CRL_URL, "http://example.com/other.crl" } } },
	{ "", { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("0102") DELTA("0102")
	    IDP(IDP_USERS) "}}" }, { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000", REASON("08")) "}" } } },
	{ "", { { CRL_EXTENSIONS, "a0{30{" AKI NUMBER("0102")
	    FRESHEST "}}" } } },
	{ "crl_issuing_distribution_point_scope", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") IDP("30{a0{a0{86{'" URL "'}}}"
	    "8101ff8201ff}") "}}" } } },
	{ "crl_issuing_distribution_point_scope", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") IDP("3000") "}}" } } },
	{ "crl_delta_crl_indicator_not_critical", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") EXTENSION("551d1b", "02{7f}")
	    "}}" } } },
	{ "crl_delta_crl_base_number", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") DELTA("0103") "}}" } } },
	{ "crl_delta_crl_base_number", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") DELTA("81") "}}" } } },
	{ "crl_freshest_crl_misplaced", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") DELTA("0101") FRESHEST "}}" } } },
	{ "crl_freshest_crl_misplaced", { { CRL_EXTENSIONS,
	    "a0{30{" AKI NUMBER("0102") CRITICAL("551d2e", FRESHEST_URL)
	    "}}" } } },
	{ "crl_remove_from_crl_not_in_delta", { { CRL_ENTRIES, "30{"
	    ENTRY("05", "251201000000", REASON("08")) "}" } } },
	{ NULL }
};

static struct der_bytes
build_crl(const char *const *part)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "30{30{%s %s %s %s %s %s %s %s} "
	    "%s %s}", part[CRL_VERSION], LINT_ECDSA, part[CRL_ISSUER],
	    part[CRL_THIS], part[CRL_NEXT], part[CRL_ENTRIES],
	    part[CRL_EXTENSIONS], part[CRL_BEHIND], LINT_ECDSA,
	    part[CRL_SIGNATURE]);
	return lint_assemble(text);
}

static void
lint_crl_case(const struct crl_case *c, struct lint_report *report)
{
	const char *part[NUM_CRL_PARTS];
	struct lint_crl_input input = { 0 };
	int i;

	memcpy(part, good_crl, sizeof(part));
	for (i = 0; i < 2 && c->changes[i].text != NULL; i++)
		part[c->changes[i].part] = c->changes[i].text;
	input.der = build_crl(part);
	input.issuer = lint_root();
	input.last_number = lint_assemble(part[CRL_LAST]);
	input.url = (struct der_bytes){ (const uint8_t *)part[CRL_URL],
	    strlen(part[CRL_URL]) };
	assert_int_equal(lint_crl(&input, report), OC_OK);
}

static void
crl_rules_are_broken_alone(void **state)
{
	static const struct crl_case good = { "", { { 0 } } };
	unsigned int num_wrong = 0;
	const struct crl_case *c;
	struct lint_report report;

	(void)state;
	lint_crl_case(&good, &report);
	lint_expect("a good CRL", &report, "");
	for (c = crl_cases; c->rule != NULL; c++) {
		lint_crl_case(c, &report);
		num_wrong += !lint_has_exactly(c->changes[0].text, &report,
		    c->rule);
	}
	assert_int_equal(num_wrong, 0);
}

/* --- OCSP ------------------------------------------------------------- */

#define CERTID(serial) "30{30{06{2b0e03021a}0500}04{(20 11)}04{(20 22)}02{" \
    serial "}}"
#define AT(time) "18{'" time "Z'}"

enum ocsp_part {
	OCSP_STATUS, OCSP_PRODUCED, OCSP_CERTID, OCSP_CERT_STATUS, OCSP_THIS,
	OCSP_NEXT, OCSP_MORE, OCSP_SIGNATURE, NUM_OCSP_PARTS
};

struct ocsp_case {
	const char *rule;
	enum ocsp_part part;
	const char *text;
};

/* The signer ends 2026-03-31T23:59:59Z. */
static const char *const good_ocsp[NUM_OCSP_PARTS] = {
	[OCSP_STATUS] = "0a0100",
	[OCSP_PRODUCED] = AT("20260328000000"),
	[OCSP_CERTID] = CERTID("4a01"),
	[OCSP_CERT_STATUS] = "8000",
	[OCSP_THIS] = AT("20260327235500"),
	[OCSP_NEXT] = "a0{" AT("20260331000000") "}",
	[OCSP_MORE] = "",
	[OCSP_SIGNATURE] = SIGNATURE,
};

static const struct ocsp_case ocsp_cases[] = {
	{ "", OCSP_THIS, AT("20260328000000") },
	{ "", OCSP_CERT_STATUS,
	    "a1{" AT("20260101000000") "a0{0a0101}}" },
	{ "ocsp_asn1_syntax", OCSP_MORE, "0500" },
	{ "ocsp_asn1_syntax", OCSP_STATUS, "0a0107" },
	{ "", OCSP_MORE, "a1{30{" EXTENSION("2a0304", "0500") "}}" },
	{ "ocsp_asn1_syntax", OCSP_MORE, "a1{010101}" },
	{ "ocsp_time_not_generalized", OCSP_PRODUCED,
	    "17{'260328000000Z'}" },
	{ "ocsp_time_not_generalized", OCSP_THIS,
	    "18{'20260327235500.5Z'}" },
	{ "ocsp_time_not_generalized", OCSP_NEXT,
	    "a0{18{'202603310000Z'}}" },
	{ "ocsp_time_not_generalized", OCSP_CERT_STATUS,
	    "a1{17{'260101000000Z'}}" },
	{ "ocsp_this_update_not_after_produced_at", OCSP_THIS,
	    AT("20260328000001") },
	{ "ocsp_next_update_missing", OCSP_NEXT, "" },
	{ "ocsp_next_update_invalid", OCSP_NEXT,
	    "a0{" AT("20260327235500") "}" },
	{ "ocsp_next_update_beyond_signer", OCSP_NEXT,
	    "a0{" AT("20260331235959") "}" },
	{ "ocsp_valid_reason_codes", OCSP_CERT_STATUS,
	    "a1{" AT("20260101000000") "a0{0a0100}}" },
	{ "ocsp_certid_not_echoed", OCSP_CERTID, CERTID("4a02") },
	{ "ocsp_validity_too_short", OCSP_NEXT,
	    "a0{" AT("20260328075458") "}" },
	{ "", OCSP_NEXT, "a0{" AT("20260328075459") "}" },
	{ "ocsp_validity_too_long", OCSP_THIS, AT("20260321000000") },
	{ "", OCSP_THIS, AT("20260321000001") },
	{ "ocsp_ecdsa_signature_encoding_correct", OCSP_SIGNATURE,
	    "03{00 (64 41)}" },
	{ NULL }
};

enum signer { SIGNER_GIVEN, SIGNER_INSIDE };

static void
lint_ocsp_case(const struct ocsp_case *c, enum signer signer,
    struct lint_report *report)
{
	struct lint_parts parts = lint_base_parts(BASE_OCSP_SIGNER);
	struct der_bytes cert = lint_build(&parts);
	const char *part[NUM_OCSP_PARTS];
	struct lint_ocsp_input input = { 0 };
	char text[16384], certs[8192] = "";
	size_t len, i;

	memcpy(part, good_ocsp, sizeof(part));
	if (c->text != NULL)
		part[c->part] = c->text;
	if (signer == SIGNER_INSIDE) {
		len = (size_t)snprintf(certs, sizeof(certs), "a0{30{");
		for (i = 0; i < cert.len; i++)
			len += (size_t)snprintf(certs + len,
			    sizeof(certs) - len, "%02x", cert.p[i]);
		(void)snprintf(certs + len, sizeof(certs) - len, "}}");
	} else
		input.signer = cert;
	(void)snprintf(text, sizeof(text), "30{%s a0{30{06{2b0601050507300101}"
	    "04{30{30{a2{04{(20 33)}}%s 30{30{%s %s %s %s %s}}} %s %s %s}}}}}",
	    part[OCSP_STATUS], part[OCSP_PRODUCED], part[OCSP_CERTID],
	    part[OCSP_CERT_STATUS], part[OCSP_THIS], part[OCSP_NEXT],
	    part[OCSP_MORE], LINT_ECDSA, part[OCSP_SIGNATURE], certs);
	input.der = lint_assemble(text);
	input.request = lint_assemble("30{30{30{30{" CERTID("4a01") "}}}}");
	lint_ocsp(&input, report);
}

static void
ocsp_rules_are_broken_alone(void **state)
{
	static const struct ocsp_case good = { "", OCSP_STATUS, NULL };
	unsigned int num_wrong = 0;
	const struct ocsp_case *c;
	struct lint_report report;

	(void)state;
	lint_ocsp_case(&good, SIGNER_GIVEN, &report);
	lint_expect("a good response", &report, "");
	lint_ocsp_case(&good, SIGNER_INSIDE, &report);
	lint_expect("one with its signer inside", &report, "");
	for (c = ocsp_cases; c->rule != NULL; c++) {
		lint_ocsp_case(c, SIGNER_GIVEN, &report);
		num_wrong += !lint_has_exactly(c->text, &report, c->rule);
		lint_ocsp_case(c, SIGNER_INSIDE, &report);
		num_wrong += !lint_has_exactly(c->text, &report, c->rule);
	}
	assert_int_equal(num_wrong, 0);
}

/* An error has no body; a success without one is none. */
static void
error_responses(void **state)
{
	struct lint_ocsp_input input = { 0 };
	struct lint_report report;

	(void)state;
	input.der = lint_assemble("30{0a0106}");
	lint_ocsp(&input, &report);
	lint_expect("unauthorized", &report, "");
	input.der = lint_assemble("30{0a0100}");
	lint_ocsp(&input, &report);
	lint_expect("successful", &report, "ocsp_asn1_syntax");
	input.der = lint_assemble("0500");
	lint_ocsp(&input, &report);
	lint_expect("NULL", &report, "ocsp_asn1_syntax");
}

/* --- the table -------------------------------------------------------- */

static bool
is_seen(const char *name)
{
	const struct crl_case *c;
	const struct ocsp_case *o;

	for (c = crl_cases; c->rule != NULL; c++)
		if (strcmp(c->rule, name) == 0)
			return true;
	for (o = ocsp_cases; o->rule != NULL; o++)
		if (strcmp(o->rule, name) == 0)
			return true;
	return false;
}

static void
each_rule_has_a_case(void **state)
{
	const struct lint_rule *rule;
	size_t i;

	(void)state;
	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++)
		if (rule->cert == NULL && !is_seen(rule->name))
			fail_msg("%s: nothing breaks it", rule->name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crl_rules_are_broken_alone),
		cmocka_unit_test(ocsp_rules_are_broken_alone),
		cmocka_unit_test(error_responses),
		cmocka_unit_test(each_rule_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
