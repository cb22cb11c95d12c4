/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies, constraints, and the extensions that are only carried from
 * a CSR or a caller: those of the profile's lists, and no others.
 */
#include <string.h>

#include "ca/planning.h"
#include "ca/profile_impl.h"
#include "der/oid.h"

static void
plan_policies(struct ca_planning *p)
{
	const struct ca_profile *profile = p->profile;
	struct x509_extensions *e = &p->plan->tbs.extensions;
	char oid[DER_OID_TEXT_MAX];
	uint32_t i;

	memcpy(e->policies, profile->policies, profile->num_policies *
	    sizeof(e->policies[0]));
	e->num_policies = profile->num_policies;
	for (i = 0; i < e->num_policies; i++) {
		der_oid_format(e->policies[i].oid, oid);
		ca_explain(p->x, "certificatePolicies", CA_FROM_PROFILE,
		    p->profile->name, "%s", oid);
	}
}

static void
explain_subtrees(struct ca_planning *p, const char *side,
    const struct x509_san *bases, uint32_t num)
{
	char text[X509_SAN_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < num; i++) {
		x509_san_format(&bases[i], text);
		ca_explain(p->x, "nameConstraints", CA_FROM_PROFILE,
		    p->profile->name, "%s %s", side, text);
	}
}

static void
plan_constraints(struct ca_planning *p)
{
	const struct x509_name_constraints *c =
	    &p->profile->name_constraints;

	p->plan->tbs.extensions.name_constraints = *c;
	explain_subtrees(p, "permitted", c->permitted, c->num_permitted);
	explain_subtrees(p, "excluded", c->excluded, c->num_excluded);
}

static bool
has_other(const struct x509_extensions *e, struct der_bytes oid)
{
	uint32_t i;

	for (i = 0; i < e->num_others; i++)
		if (der_bytes_equal(e->others[i], oid))
			return true;
	return false;
}

/* One whole value in DER. */
static bool
is_one_value(struct der_bytes value)
{
	struct der_reader r = der_reader_of(value);
	uint8_t tag;

	return der_is_valid(value) && der_get_any(&r, &tag, NULL, NULL) &&
	    der_is_done(&r);
}

static enum oc_err
add_other(struct ca_planning *p, const struct ca_request_extension *given,
    enum ca_source source, enum ca_rule rule)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	char oid[DER_OID_TEXT_MAX];

	der_oid_format(given->oid, oid);
	if (has_other(e, given->oid))
		return CA_REFUSE(p, rule, "the extension %s is there twice",
		    oid);
	if (!is_one_value(given->value))
		return CA_REFUSE(p, rule, "the extension %s is not one value "
		    "in DER", oid);
	if (e->num_others == X509_EXTENSIONS_MAX)
		return ca_refuse(p->x, rule, OC_ERR_LIMIT, p->error,
		    "more than %d extensions", X509_EXTENSIONS_MAX);
	e->others[e->num_others] = given->oid;
	e->other_values[e->num_others] = given->value;
	e->is_other_critical[e->num_others] = given->is_critical;
	e->num_others++;
	ca_explain(p->x, "extension", source, der_oid_find(given->oid) ==
	    DER_OID_UNKNOWN ? "" : der_oid_name(der_oid_find(given->oid)),
	    "%s%s, %zu octets", oid, given->is_critical ? ", critical" : "",
	    given->value.len);
	return OC_OK;
}

/* ca_planning_csr() has looked whether they may be there. */
static enum oc_err
copy_from_csr(struct ca_planning *p)
{
	const struct x509_extensions *asked;
	enum oc_err err = OC_OK;
	uint32_t i;

	if (p->request->csr == NULL)
		return OC_OK;
	asked = &p->request->csr->extensions;
	for (i = 0; err == OC_OK && i < asked->num_others; i++)
		err = add_other(p, &(struct ca_request_extension){
			.oid = asked->others[i],
			.is_critical = asked->is_other_critical[i],
			.value = asked->other_values[i],
		    }, CA_FROM_CSR, CA_RULE_CSR_EXTENSION);
	return err;
}

enum oc_err
ca_planning_extensions(struct ca_planning *p)
{
	const struct ca_request *request = p->request;
	char oid[DER_OID_TEXT_MAX];
	enum oc_err err;
	uint32_t i;

	plan_policies(p);
	plan_constraints(p);
	err = copy_from_csr(p);
	for (i = 0; err == OC_OK && i < request->num_extensions; i++) {
		const struct ca_request_extension *given =
		    &request->extensions[i];

		der_oid_format(given->oid, oid);
		if (!ca_profile_allows(p->profile, given->oid))
			return CA_REFUSE(p, CA_RULE_EXTENSION, "the "
			    "extension %s was given, which the profile %s "
			    "does not allow", oid, p->profile->name);
		err = add_other(p, given, CA_FROM_REQUEST,
		    CA_RULE_EXTENSION);
	}
	return err;
}
