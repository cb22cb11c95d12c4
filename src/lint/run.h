/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the rules over one thing.  Private to lint/. */
#ifndef LINT_RUN_H
#define LINT_RUN_H

#include "lint/view.h"

/* Exactly one of the three is not NULL. */
struct lint_run {
	const struct lint_cert *cert;
	const struct lint_crl *crl;
	const struct lint_ocsp *ocsp;
	enum lint_audience audience;
	const struct lint_set *exempt;
};

void lint_run_begin(struct lint_report *report);
void lint_run(const struct lint_run *run, struct lint_report *report);

#endif
