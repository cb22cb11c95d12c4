/* SPDX-License-Identifier: Apache-2.0 */
/* What is about to be reserved and signed, against the rules of lint/. */
#ifndef CA_LINT_H
#define CA_LINT_H

#include "ca/plan.h"
#include "x509/crl.h"

/*
 * plan->der, just written and with plan->lint set.  REFUSED if it breaks a
 * rule, for public CAs too, that its profile is not exempt from; the error
 * has the rule's name and citation.  Takes some microseconds.
 */
enum oc_err ca_lint_plan(const struct ca_plan *plan, struct oc_error *error)
    OC_MUST_CHECK;

/* A certificate that vouches for itself, and that no CA will have issued: as
 * above, by the rules that bind everybody. */
enum oc_err ca_lint_self_signed(struct der_bytes der, struct oc_error *error)
    OC_MUST_CHECK;

/* What stands around a CRL's entries, before it is signed: REFUSED if it
 * breaks a rule.  url: where certificates say that it is; "": nowhere. */
enum oc_err ca_lint_list(const struct ca_issuer *issuer,
    const struct x509_crl_tbs *list, const char *url, struct oc_error *error)
    OC_MUST_CHECK;

#endif
