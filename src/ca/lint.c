/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/spool.h"
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

/* A signature of ECDSA, which is nobody's; what others look like no rule
 * says. */
static const uint8_t no_signature[] = {
	0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01
};

static enum oc_err
write_list(const struct x509_crl_tbs *list, uint8_t **der, size_t *len)
{
	struct x509_signed whole = { .alg = list->alg,
	    .signature = DER_ARRAY(no_signature) };
	size_t max = OC_TBS_BEFORE_MAX + 2 * OC_SPOOL_CLAIM_MAX;
	uint8_t *tbs = malloc(max), *out = malloc(max);
	enum oc_err err = OC_ERR_NOMEM;

	if (tbs != NULL && out != NULL)
		err = der_write(x509_put_crl_tbs, list, tbs, max,
		    &whole.tbs.len);
	whole.tbs.p = tbs;
	if (err == OC_OK)
		err = der_write(x509_put_signed, &whole, out, max, len);
	free(tbs);
	if (err == OC_OK)
		*der = out;
	else
		free(out);
	return err;
}

enum oc_err
ca_lint_list(const struct ca_issuer *issuer, const struct x509_crl_tbs *list,
    const char *url, struct oc_error *error)
{
	struct lint_crl_input input = { .issuer = issuer->cert.der,
	    .url = { (const uint8_t *)url, strlen(url) } };
	struct lint_report *report = malloc(sizeof(*report));
	const struct lint_finding *first;
	uint8_t *der = NULL;
	enum oc_err err = OC_ERR_NOMEM;

	if (report != NULL)
		err = write_list(list, &der, &input.der.len);
	input.der.p = der;
	if (err == OC_OK)
		err = lint_crl(&input, report);
	if (err != OC_OK) {
		oc_error_set(error, err, "the list cannot be written: %s",
		    oc_strerror(err));
	} else if (report->num_errors > 0) {
		first = find_error(report);
		oc_assert(first != NULL);
		err = oc_error_set(error, OC_ERR_REFUSED, "the CRL would "
		    "break the lint rule %s (%s): %s: %s; nothing was signed",
		    first->rule->name, first->rule->citation,
		    first->rule->about, first->detail.text);
	}
	free(der);
	free(report);
	return err;
}
