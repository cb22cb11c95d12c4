/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/lint.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lint/lint.h"

static const struct lint_finding *
find_error(const struct lint_report *report)
{
	uint32_t i;

	for (i = 0; i < report->num_findings; i++)
		if (report->findings[i].severity == LINT_ERROR)
			return &report->findings[i];
	return NULL;
}

/* what: what did not happen. */
static enum oc_err
look(const struct lint_input *input, const char *what,
    struct ca_explanation *explanation, struct oc_error *error)
{
	const struct lint_finding *first;
	struct lint_report report;
	char more[32] = "";
	bool has_value;

	lint_certificate(input, &report, NULL);
	if (report.num_errors == 0)
		return OC_OK;
	first = find_error(&report);
	oc_assert(first != NULL);
	if (report.num_errors > 1)
		(void)snprintf(more, sizeof(more), "; and %u more",
		    report.num_errors - 1);
	/* Where there is no value to tell, they say the same. */
	has_value = strcmp(first->rule->about, first->detail.text) != 0;
	return ca_refuse(explanation, CA_RULE_LINT, OC_ERR_REFUSED, error,
	    "the certificate would break the lint rule %s (%s): "
	    "%s%s%s%s; nothing was %s",
	    first->rule->name, first->rule->citation, first->rule->about,
	    has_value ? ": " : "", has_value ? first->detail.text : "", more,
	    what);
}

enum oc_err
ca_lint_plan(const struct ca_plan *plan, struct oc_error *error)
{
	const struct lint_input input = {
		.der = { plan->der, plan->der_len },
		.issuer = plan->lint.issuer,
		.audience = LINT_PUBLIC,
		.key = LINT_KEY_CHECKED,
		.exempt = &plan->lint.profile->lint_exempt,
		.now = oc_clock_now_s(),
	};

	return look(&input, "signed", plan->lint.explanation, error);
}

enum oc_err
ca_lint_self_signed(struct der_bytes der, struct oc_error *error)
{
	const struct lint_input input = {
		.der = der,
		.issuer = der,
		.audience = LINT_PRIVATE,
		.key = LINT_KEY_CHECKED,
		.now = oc_clock_now_s(),
	};

	return look(&input, "written", NULL, error);
}
