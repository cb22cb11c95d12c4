/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From profile, request and issuer to one TBSCertificate.  Each field has one
 * function that decides it, in the planning_ files; here they are put into
 * their order.
 */
#include "ca/plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "ca/planning.h"
#include "ca/steps.h"

/* The key first: all else depends on what it is. */
static enum oc_err
plan_all(struct ca_planning *p)
{
	static enum oc_err (*const steps[])(struct ca_planning *) = {
		ca_planning_issuer, ca_planning_key, ca_planning_csr,
		ca_planning_times, ca_planning_subject, ca_planning_ca,
		ca_planning_usage, ca_planning_sans, ca_planning_constraints,
		ca_planning_extensions,
	};
	enum oc_err err = OC_OK;
	size_t i;

	for (i = 0; err == OC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](p);
	return err;
}

/* A caller's where the profile wants one; never else. */
static enum oc_err
plan_serial(struct ca_planning *p)
{
	const struct oc_serial *given = &p->request->serial;
	char text[OC_SERIAL_TEXT_MAX];

	if (p->profile->serial_rule == CA_SERIAL_OURS) {
		if (given->len != 0)
			return CA_REFUSE(p, CA_RULE_SERIAL, "a serial number "
			    "was given, which the profile %s does not take",
			    p->profile->name);
		ca_explain(p->x, "serialNumber", CA_FROM_DEFAULT, "",
		    "20 octets, when it is reserved");
		return OC_OK;
	}
	if (given->len == 0)
		return CA_REFUSE(p, CA_RULE_SERIAL, "the profile %s wants "
		    "the caller's serial number, and there is none",
		    p->profile->name);
	p->plan->serial = *given;
	p->plan->is_serial_given = true;
	oc_serial_format(given, text);
	ca_explain(p->x, "serialNumber", CA_FROM_REQUEST, "", "%s", text);
	return OC_OK;
}

struct ca_plan *
ca_plan_alloc(const struct ca_request *request, enum sign_alg alg)
{
	struct ca_plan *plan = malloc(sizeof(*plan));

	if (plan == NULL)
		return NULL;
	memset(plan, 0, offsetof(struct ca_plan, key_id));
	plan->profile = request->profile->name;
	plan->tbs.alg = alg;
	return plan;
}

enum oc_err
ca_plan_new(const struct ca_issuer *issuer, const struct ca_request *request,
    enum sign_alg alg, struct ca_plan **out, struct oc_error *error)
{
	struct ca_planning p = { .issuer = issuer, .request = request,
	    .profile = request->profile, .x = request->explanation,
	    .error = error, .plan = ca_plan_alloc(request, alg) };
	enum oc_err err;

	if (p.plan == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = plan_serial(&p);
	if (err == OC_OK)
		err = plan_all(&p);
	if (err == OC_OK && issuer != NULL)
		err = ca_planning_urls(&p);
	if (err != OC_OK) {
		ca_plan_free(p.plan);
		return err;
	}
	p.plan->lint.profile = request->profile;
	p.plan->lint.explanation = request->explanation;
	if (issuer != NULL)
		p.plan->lint.issuer = issuer->cert.der;
	else
		p.plan->tbs.issuer = p.plan->tbs.subject;
	*out = p.plan;
	return OC_OK;
}

enum oc_err
ca_plan_new_root(const struct ca_request *request, enum sign_alg alg,
    struct ca_plan **out, struct oc_error *error)
{
	return ca_plan_new(NULL, request, alg, out, error);
}

void
ca_plan_free(struct ca_plan *plan)
{
	if (plan == NULL)
		return;
	free(plan->der);
	free(plan);
}

enum oc_err
ca_plan_preview(const struct ca_issuer *issuer,
    const struct ca_request *request, struct oc_error *error)
{
	static const struct oc_serial stand_in = { { 0x01, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0xff, 0xff }, 20 };
	enum sign_alg alg = sign_alg_configured(issuer->config->algorithm);
	enum sign_key_type type;
	struct ca_plan *plan;
	unsigned int bits;
	enum oc_err err;

	err = sign_spki_type(issuer->cert.spki, &type, &bits);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key of issuer %s: %s",
		    issuer->config->name, oc_strerror(err));
	err = ca_plan_new(issuer, request, alg != SIGN_ALG_NONE ? alg :
	    sign_alg_default(type), &plan, error);
	if (err != OC_OK)
		return err;
	err = ca_check_blocked(issuer->blocklist, request, plan, error);
	if (!plan->is_serial_given)
		plan->serial = stand_in;
	if (err == OC_OK)
		err = ca_plan_write(plan, error);
	if (err == OC_OK && request->check != NULL)
		err = request->check(request->check_arg, plan,
		    request->explanation, error);
	ca_plan_free(plan);
	return err;
}
