/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate for each rule, and more for some: it breaks that rule and
 * no other.  And certificates of each kind that break none.
 */
#include <stdlib.h>
#include <string.h>

#include "lint_fixture.h"

static const struct lint_case *const lists[] = { lint_cases_fields,
    lint_cases_names, lint_cases_extensions };

static void
lint(struct der_bytes der, struct der_bytes issuer,
    const struct lint_case *c, struct lint_report *report)
{
	const struct lint_input input = { .der = der, .issuer = issuer,
	    .kind = c->kind, .audience = LINT_PUBLIC, .now = c->now };

	lint_certificate(&input, report, NULL);
}

/* .issuer_text "": without one. */
static struct der_bytes
issuer_of(const struct lint_case *c)
{
	struct lint_parts parts = lint_base_parts(BASE_ROOT);

	if (c->issuer_text != NULL && c->issuer_text[0] == '\0')
		return (struct der_bytes){ NULL, 0 };
	if (c->issuer_text != NULL)
		parts.part[c->issuer_part] = c->issuer_text;
	return lint_build(&parts);
}

static void
change(const struct lint_case *c, struct lint_parts *parts)
{
	size_t i;

	*parts = lint_base_parts(c->base);
	for (i = 0; i < ARRAY_LEN(c->changes) && c->changes[i].text != NULL;
	    i++)
		parts->part[c->changes[i].part] = c->changes[i].text;
}

static void
each_rule_is_broken_alone(void **state)
{
	const struct lint_case *c;
	struct lint_report report;
	struct lint_parts parts;
	unsigned int num_wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lists); i++)
		for (c = lists[i]; c->rule != NULL; c++) {
			change(c, &parts);
			lint(lint_build(&parts), issuer_of(c), c, &report);
			num_wrong += !lint_has_exactly(
			    c->changes[0].text == NULL ? c->rule :
			    c->changes[0].text, &report, c->rule) ||
			    report.findings[0].detail.text[0] == '\0';
		}
	assert_int_equal(num_wrong, 0);
}

/* A rule without a case has never been seen to fail. */
static void
each_rule_has_a_case(void **state)
{
	const struct lint_rule *rule;
	const struct lint_case *c;
	size_t i, j, len;

	(void)state;
	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
		bool is_there = rule->cert == NULL;

		len = strlen(rule->name);
		for (j = 0; j < ARRAY_LEN(lists); j++)
			for (c = lists[j]; c->rule != NULL; c++) {
				const char *at = strstr(c->rule, rule->name);

				is_there |= at != NULL && (at == c->rule ||
				    at[-1] == ' ') && (at[len] == ' ' ||
				    at[len] == '\0');
			}
		if (!is_there)
			fail_msg("%s: no certificate breaks it", rule->name);
	}
}

static void
good_ones_break_none(void **state)
{
	static const struct lint_case none = { 0 };
	struct lint_report report;
	struct lint_input input;
	struct lint_parts parts;
	enum lint_kind kind;
	unsigned int i;

	(void)state;
	for (i = 0; i < NUM_BASES; i++) {
		parts = lint_base_parts((enum lint_base)i);
		lint(lint_build(&parts), lint_root(), &none, &report);
		lint_expect("a good one", &report, "");
		lint(lint_build_tbs(&parts), lint_root(), &none, &report);
		lint_expect("the TBS of a good one", &report, "");
		input = (struct lint_input){ .der = lint_build(&parts) };
		lint_certificate(&input, &report, &kind);
		lint_expect("a good one alone", &report, "");
		assert_int_equal(kind, lint_base_kind((enum lint_base)i));
	}
}

/* What is on the right side of each border. */
static void
good_variants_break_none(void **state)
{
	static const struct lint_case cases[] = {
		{ "", BASE_SERVER, { { PART_SERIAL, "02{00(19 8a)}" } } },
		{ "", BASE_SERVER, { { PART_NOT_BEFORE,
		    "17{'260401000000Z'}" },
		    { PART_NOT_AFTER, "17{'261017235959Z'}" } } },
		{ "", BASE_SERVER, { { 0 } }, .now = 1767225600 + 48 * 3600 },
		{ "", BASE_SERVER, { { PART_SUBJECT, "3000" }, { EXT_SAN,
		    CRITICAL("551d11", "30{82{'www.example.com'}}") } } },
		{ "", BASE_SERVER, { { EXT_SAN, EXTENSION("551d11",
		    "30{82{'www.example.com'}82{'*.example.com'}"
		    "82{'xn--mller-kva.example.com'}82{(63 'a')'.com'}"
		    "82{'*.internal'}87{08080808}}") } } },
		{ "", BASE_SERVER, { { PART_SUBJECT, "30{31{30{0603550406"
		    "13{'FR'}}}31{30{060355040a 0c{(64 c3bc)}}}"
		    "31{30{0603550403 0c{'8.8.8.8'}}}}" }, { EXT_SAN,
		    EXTENSION("551d11", "30{87{08080808}}") } } },
		{ "", BASE_SERVER, { { PART_SPKI, "$ED25519" }, { EXT_SKI,
		    EXTENSION("551d0e", "04{$id:ED25519}") } } },
		{ "", BASE_SERVER, { { 0 } }, .issuer_part = EXT_CONSTRAINTS,
		    .issuer_text = CRITICAL("551d1e", "30{a0{30{82"
		    "{'example.com'}}}a1{30{82{'a.example.com'}}}}") },
		{ "", BASE_CLIENT, { { 0 } }, .issuer_part = EXT_CONSTRAINTS,
		    .issuer_text = CRITICAL("551d1e", "30{a0{30{81"
		    "{'somebody@EXAMPLE.com'}}}}") },
		{ "", BASE_SERVER, { { EXT_SAN, EXTENSION("551d11",
		    "30{82{'www.example.com'}87{08080808}}") } },
		    .issuer_part = EXT_CONSTRAINTS, .issuer_text =
		    CRITICAL("551d1e", "30{a0{30{87{08080000ffff0000}}}}") },
		{ NULL }
	};
	const struct lint_case *c;
	struct lint_report report;
	struct lint_parts parts;

	(void)state;
	for (c = cases; c->rule != NULL; c++) {
		change(c, &parts);
		lint(lint_build(&parts), issuer_of(c), c, &report);
		lint_expect(c->changes[0].text == NULL ? "issuer" :
		    c->changes[0].text, &report, "");
	}
}

/* Rules for public CAs are notices to others, exempted ones are not run. */
static void
audience_and_exemptions(void **state)
{
	struct lint_parts parts = lint_base_parts(BASE_SERVER);
	struct lint_input input = { 0 };
	struct oc_error error = { 0 };
	struct lint_set set = { { 0 } };
	struct lint_report report;

	(void)state;
	parts.part[EXT_POLICIES] = "";
	parts.part[EXT_BASIC] = EXTENSION("551d13", "30{010100}");
	input.der = lint_build(&parts);
	lint_certificate(&input, &report, NULL);
	lint_expect("private", &report, "basic_constr_invalid_der "
	    "sub_cert_basic_constraints_not_critical "
	    "sub_cert_certificate_policies_missing");
	assert_int_equal(report.num_errors, 1);
	assert_int_equal(report.findings[0].severity, LINT_ERROR);
	assert_int_equal(report.findings[1].severity, LINT_NOTICE);
	input.audience = LINT_PUBLIC;
	lint_certificate(&input, &report, NULL);
	assert_int_equal(report.num_errors, 3);
	assert_int_equal(lint_set_add(&set, "basic_constr_invalid_der",
	    &error), OC_OK);
	assert_int_equal(lint_set_add(&set, "basic_constr_invalid_dre",
	    &error), OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text,
	    "the nearest is basic_constr_invalid_der,"));
	assert_true(lint_set_has(&set, report.findings[0].rule));
	assert_false(lint_set_has(&set, report.findings[1].rule));
	input.exempt = &set;
	lint_certificate(&input, &report, NULL);
	lint_expect("exempt", &report,
	    "sub_cert_basic_constraints_not_critical "
	    "sub_cert_certificate_policies_missing");
}

/* A key that was checked is not checked again; no other rule differs. */
static void
checked_key_is_not_checked_again(void **state)
{
	struct lint_parts parts = lint_base_parts(BASE_RSA_SERVER);
	struct lint_input input = { .key = LINT_KEY_CHECKED };
	struct lint_report report;

	(void)state;
	parts.part[PART_SPKI] = "30{30{06{2a864886f70d010101}0500}03{00 30{"
	    "02{00(256 c1)}0203010001}}}";
	input.der = lint_build(&parts);
	lint_certificate(&input, &report, NULL);
	lint_expect("checked", &report, "subject_key_identifier_not_of_key");
}

/* Names, kinds and the table as such. */
static void
table_is_well_formed(void **state)
{
	bool is_there[LINT_CHECKS_MAX + 1] = { false };
	const struct lint_rule *rule, *other;
	const struct lint_elsewhere *e;
	struct oc_error error = { 0 };
	enum lint_kind kind;
	size_t i, j;

	(void)state;
	for (i = 0; (rule = lint_rule_at(i)) != NULL; i++) {
		assert_true(rule->check >= 1 &&
		    rule->check <= LINT_CHECKS_MAX);
		is_there[rule->check] = true;
		assert_int_equal((rule->cert != NULL) + (rule->crl != NULL) +
		    (rule->ocsp != NULL), 1);
		assert_true((rule->cert != NULL) == (rule->kinds != 0));
		assert_true(strlen(rule->citation) > 3);
		assert_true(strlen(rule->about) < 60);
		assert_int_equal(rule->name[strspn(rule->name,
		    "abcdefghijklmnopqrstuvwxyz0123456789_")], '\0');
		for (j = 0; j < i; j++) {
			other = lint_rule_at(j);
			assert_string_not_equal(rule->name, other->name);
		}
	}
	assert_true(i <= LINT_RULES_MAX);
	for (e = lint_elsewhere; e->check != 0; e++)
		is_there[e->check] = true;
	for (i = 1; i <= LINT_CHECKS_MAX; i++)
		if (!is_there[i])
			fail_msg("check %zu is nowhere", i);
	for (i = LINT_SERVER; i <= LINT_OTHER; i++) {
		assert_int_equal(lint_kind_parse(lint_kind_name(
		    (enum lint_kind)i), &kind, &error), OC_OK);
		assert_int_equal(kind, i);
	}
	assert_int_equal(lint_kind_parse("servers", &kind, &error),
	    OC_ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_break_none),
		cmocka_unit_test(good_variants_break_none),
		cmocka_unit_test(each_rule_is_broken_alone),
		cmocka_unit_test(each_rule_has_a_case),
		cmocka_unit_test(audience_and_exemptions),
		cmocka_unit_test(checked_key_is_not_checked_again),
		cmocka_unit_test(table_is_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
