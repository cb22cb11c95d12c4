/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of rules, sets of them, and the run over a certificate.
 *
 * An exempted rule is not run at all; a rule for public CAs is run for all,
 * and is but a notice to the others.
 */
#include <stdio.h>
#include <string.h>

#include "base/value.h"
#include "lint/run.h"

static const struct lint_rule *const groups[] = {
	lint_rules_tbs, lint_rules_time, lint_rules_key, lint_rules_name,
	lint_rules_san, lint_rules_usage, lint_rules_constraint,
	lint_rules_ext, lint_rules_url, lint_rules_policy, lint_rules_crl,
	lint_rules_ocsp,
};
#define NUM_GROUPS (sizeof(groups) / sizeof(groups[0]))

static const char *const kind_names[] = {
	[LINT_KIND_DERIVED] = NULL,
	[LINT_SERVER] = "server",
	[LINT_CLIENT] = "client",
	[LINT_OCSP_SIGNER] = "ocsp-signer",
	[LINT_INTERMEDIATE] = "intermediate",
	[LINT_ROOT] = "root",
	[LINT_OTHER] = "other",
};

const struct lint_rule *
lint_rule_at(size_t n)
{
	const struct lint_rule *rule;
	size_t i;

	for (i = 0; i < NUM_GROUPS; i++)
		for (rule = groups[i]; rule->name != NULL; rule++)
			if (n-- == 0)
				return rule;
	return NULL;
}

const char *
lint_severity_name(enum lint_severity severity)
{
	switch (severity) {
	case LINT_NOTICE:
		return "notice";
	case LINT_WARNING:
		return "warning";
	case LINT_ERROR:
		return "error";
	}
	return NULL;
}

const char *
lint_kind_name(enum lint_kind kind)
{
	return kind == LINT_KIND_DERIVED ? "derived" : kind_names[kind];
}

static const char *
name_of_kinds(unsigned int kinds)
{
	if (kinds == LINT_ALL)
		return "any";
	if (kinds == LINT_NOT_ROOT)
		return "any but root";
	if (kinds == LINT_CAS)
		return "CA";
	return kinds == LINT_LEAVES ? "leaf" : NULL;
}

const char *
lint_rule_kinds(const struct lint_rule *rule, char text[LINT_KINDS_TEXT_MAX])
{
	const char *name = rule->crl != NULL ? "CRL" :
	    rule->ocsp != NULL ? "OCSP" : name_of_kinds(rule->kinds);
	unsigned int i;
	int len = 0;

	if (name != NULL)
		return name;
	text[0] = '\0';
	for (i = LINT_SERVER; i <= LINT_OTHER; i++)
		if ((rule->kinds & LINT_BIT(i)) != 0)
			len += snprintf(text + len, LINT_KINDS_TEXT_MAX -
			    (size_t)len, "%s%s", len == 0 ? "" : ", ",
			    kind_names[i]);
	return text;
}

enum oc_err
lint_kind_parse(const char *text, enum lint_kind *kind,
    struct oc_error *error)
{
	unsigned int i;

	for (i = LINT_SERVER; i <= LINT_OTHER; i++)
		if (strcmp(kind_names[i], text) == 0) {
			*kind = (enum lint_kind)i;
			return OC_OK;
		}
	return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no kind "
	    "\"%.40s\": they are server, client, ocsp-signer, intermediate, "
	    "root and other", text);
}

/* --- sets ------------------------------------------------------------- */

/* False if there is none; else its number in the table. */
static bool
find_rule(const char *name, size_t *number)
{
	const struct lint_rule *rule;
	size_t i, n = 0;

	for (i = 0; i < NUM_GROUPS; i++)
		for (rule = groups[i]; rule->name != NULL; rule++, n++)
			if (strcmp(rule->name, name) == 0) {
				*number = n;
				return true;
			}
	return false;
}

static const char *
nearest_name(const char *name)
{
	unsigned int distance, best = (unsigned int)-1;
	const struct lint_rule *rule;
	const char *nearest = NULL;
	size_t i;

	for (i = 0; i < NUM_GROUPS; i++)
		for (rule = groups[i]; rule->name != NULL; rule++) {
			distance = oc_value_distance(name, rule->name);
			if (distance < best) {
				best = distance;
				nearest = rule->name;
			}
		}
	return nearest;
}

/* Distances are for who wrote it wrong: they take a thousand times as long
 * as the search. */
enum oc_err
lint_set_add(struct lint_set *set, const char *name, struct oc_error *error)
{
	size_t n;

	if (!find_rule(name, &n))
		return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "lint rule \"%.80s\"; the nearest is %s, and \"ocsign "
		    "cert lint --list\" has them all", name,
		    nearest_name(name));
	oc_assert(n < LINT_RULES_MAX);
	set->bits[n / 64] |= UINT64_C(1) << n % 64;
	return OC_OK;
}

static inline bool
set_has(const struct lint_set *set, size_t n)
{
	return set != NULL && (set->bits[n / 64] >> n % 64 & 1) != 0;
}

bool
lint_set_has(const struct lint_set *set, const struct lint_rule *rule)
{
	const struct lint_rule *at;
	size_t i;

	for (i = 0; (at = lint_rule_at(i)) != NULL; i++)
		if (at == rule)
			return set_has(set, i);
	return false;
}

/* --- running ---------------------------------------------------------- */

void
lint_run_begin(struct lint_report *report)
{
	report->num_findings = 0;
	report->num_errors = 0;
	report->is_cut = false;
}

static void
add_finding(const struct lint_rule *rule, enum lint_audience audience,
    const struct lint_detail *detail, struct lint_report *report)
{
	enum lint_severity severity = rule->severity;
	struct lint_finding *finding;

	if (rule->audience == LINT_PUBLIC && audience == LINT_PRIVATE)
		severity = LINT_NOTICE;
	report->num_errors += severity == LINT_ERROR;
	if (report->num_findings == LINT_FINDINGS_MAX) {
		report->is_cut = true;
		return;
	}
	finding = &report->findings[report->num_findings++];
	finding->rule = rule;
	finding->severity = severity;
	memcpy(finding->detail.text, detail->text,
	    strlen(detail->text) + 1);
}

static bool
is_broken(const struct lint_run *run, const struct lint_rule *rule,
    struct lint_detail *detail)
{
	if (rule->cert != NULL)
		return run->cert != NULL &&
		    (rule->kinds & LINT_BIT(run->cert->kind)) != 0 &&
		    rule->cert(run->cert, rule, detail);
	if (rule->crl != NULL)
		return run->crl != NULL && rule->crl(run->crl, rule, detail);
	return run->ocsp != NULL && rule->ocsp(run->ocsp, rule, detail);
}

void
lint_run(const struct lint_run *run, struct lint_report *report)
{
	const struct lint_rule *rule;
	struct lint_detail detail;
	size_t i, n = 0;

	for (i = 0; i < NUM_GROUPS; i++)
		for (rule = groups[i]; rule->name != NULL; rule++, n++) {
			if (set_has(run->exempt, n))
				continue;
			detail.text[0] = '\0';
			if (is_broken(run, rule, &detail))
				add_finding(rule, run->audience, &detail,
				    report);
		}
}

void
lint_certificate(const struct lint_input *input, struct lint_report *report,
    enum lint_kind *kind)
{
	struct lint_cert cert, issuer;
	const struct lint_run run = { .cert = &cert,
	    .audience = input->audience, .exempt = input->exempt };

	lint_cert_read(input, input->der, &cert);
	if (input->kind != LINT_KIND_DERIVED)
		cert.kind = input->kind;
	if (input->issuer.len != 0) {
		lint_cert_read(input, input->issuer, &issuer);
		cert.issuer = &issuer;
	}
	lint_run_begin(report);
	lint_run(&run, report);
	if (kind != NULL)
		*kind = cert.kind;
}
