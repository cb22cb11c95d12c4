/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One plan in the making.  Each planning_ file decides some fields; each
 * decision is explained where it is made, and so is each refusal, with the
 * rule it is by.  For those files and plan.c only.
 */
#ifndef CA_PLANNING_H
#define CA_PLANNING_H

#include "ca/plan.h"
#include "ca/rule.h"

struct ca_planning {
	const struct ca_issuer *issuer;	/* NULL: a root */
	const struct ca_request *request;
	const struct ca_profile *profile;
	struct ca_plan *plan;
	struct ca_explanation *x;	/* may be NULL */
	struct oc_error *error;		/* may be NULL */
	enum sign_key_type key_type;	/* set by ca_planning_key() */
};

/* In this order. */
enum oc_err ca_planning_issuer(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_key(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_csr(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_times(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_subject(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_ca(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_usage(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_sans(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_constraints(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_extensions(struct ca_planning *p) OC_MUST_CHECK;
enum oc_err ca_planning_urls(struct ca_planning *p) OC_MUST_CHECK;

/* The profile's keyUsage for this type of key. */
uint32_t ca_planning_usage_of(const struct ca_profile *profile,
    enum sign_key_type type);

/* REFUSED by this rule. */
#define CA_REFUSE(p, rule, ...) \
	ca_refuse((p)->x, rule, OC_ERR_REFUSED, (p)->error, __VA_ARGS__)

#endif
