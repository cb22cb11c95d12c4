/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets crash the rules, or make them say what cannot be printed?
 * They are a certificate, its issuer, a CRL, an OCSP response and its request
 * at once, as each kind and for both audiences.
 */
#include <string.h>

#include "lint/lint.h"
#include "tests/fuzz/fuzz.h"

static void
check_report(const struct lint_report *report)
{
	const char *p;
	uint32_t i;

	fuzz_check(report->num_findings <= LINT_FINDINGS_MAX);
	for (i = 0; i < report->num_findings; i++) {
		const struct lint_finding *f = &report->findings[i];

		fuzz_check(f->severity <= f->rule->severity);
		fuzz_check(memchr(f->detail.text, '\0', LINT_DETAIL_MAX) !=
		    NULL && f->detail.text[0] != '\0');
		for (p = f->detail.text; *p != '\0'; p++)
			fuzz_check(*p >= 0x20 && *p < 0x7f);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lint_report report;
	const struct der_bytes der = { data, size };
	const struct lint_crl_input crl = { .der = der, .issuer = der,
	    .last_number = der, .url = der };
	const struct lint_ocsp_input ocsp = { .der = der, .request = der };
	struct lint_input input = { .der = der };
	unsigned int kind;

	lint_certificate(&input, &report, NULL);
	check_report(&report);
	input.issuer = der;
	input.audience = LINT_PUBLIC;
	/* What libcrypto does with keys takes long and is not ours. */
	input.key = LINT_KEY_CHECKED;
	input.now = 1;
	for (kind = LINT_SERVER; kind <= LINT_OTHER; kind++) {
		input.kind = (enum lint_kind)kind;
		lint_certificate(&input, &report, NULL);
		check_report(&report);
	}
	fuzz_check(lint_crl(&crl, &report) == OC_OK);
	check_report(&report);
	lint_ocsp(&ocsp, &report);
	check_report(&report);
	return 0;
}
