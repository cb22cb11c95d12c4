/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CSR asks for: nothing of it is copied that was not looked at, and
 * what it asks for and does not get is refused by name.
 */
#include <string.h>

#include "ca/planning.h"
#include "ca/profile_impl.h"
#include "der/oid.h"

static enum oc_err
refuse_extension(struct ca_planning *p, const char *what)
{
	return CA_REFUSE(p, CA_RULE_CSR_EXTENSION, "the request asks for %s, "
	    "which the profile %s does not give", what, p->profile->name);
}

static bool
has_eku(const struct ca_profile *profile, struct der_bytes eku)
{
	uint32_t i;

	for (i = 0; i < profile->num_ekus; i++)
		if (der_bytes_equal(eku, (struct der_bytes){
		    profile->eku_octets[i], profile->eku_len[i] }))
			return true;
	return false;
}

static enum oc_err
check_ekus(struct ca_planning *p, const struct x509_extensions *e)
{
	char oid[DER_OID_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < e->num_ekus; i++)
		if (!has_eku(p->profile, e->ekus[i])) {
			der_oid_format(e->ekus[i], oid);
			return CA_REFUSE(p, CA_RULE_CSR_EXTENDED_KEY_USAGE,
			    "the request asks for the extended key usage %s "
			    "(%s), which the profile %s does not give",
			    der_oid_name(der_oid_find(e->ekus[i])), oid,
			    p->profile->name);
		}
	return OC_OK;
}

/* Those that nobody here writes, but for a profile that says so. */
static enum oc_err
check_others(struct ca_planning *p, const struct x509_extensions *e)
{
	char oid[DER_OID_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < e->num_others; i++) {
		if (ca_profile_copies(p->profile, e->others[i]))
			continue;
		der_oid_format(e->others[i], oid);
		return CA_REFUSE(p, CA_RULE_CSR_EXTENSION, "the request asks "
		    "for the extension %s, which the profile %s does not "
		    "give", oid, p->profile->name);
	}
	return OC_OK;
}

/* Those that we write, each from another source than a CSR. */
static enum oc_err
check_known(struct ca_planning *p, const struct x509_extensions *e)
{
	if (e->num_ocsp_urls + e->num_ca_issuers_urls != 0)
		return refuse_extension(p, "an authorityInfoAccess of its "
		    "own");
	if (e->num_crl_urls != 0)
		return refuse_extension(p, "a cRLDistributionPoints of its "
		    "own");
	if (e->num_policies != 0)
		return refuse_extension(p, "certificatePolicies "
		    "(2.5.29.32) of its own");
	if (e->name_constraints.num_permitted != 0 ||
	    e->name_constraints.num_excluded != 0 ||
	    e->name_constraints.has_unknown)
		return refuse_extension(p, "nameConstraints (2.5.29.30) of "
		    "its own");
	if (e->has_ocsp_nocheck && !p->profile->has_ocsp_nocheck)
		return refuse_extension(p, "id-pkix-ocsp-nocheck");
	return OC_OK;
}

enum oc_err
ca_planning_csr(struct ca_planning *p)
{
	const struct x509_extensions *e;
	enum oc_err err;

	if (p->request->csr == NULL)
		return OC_OK;
	e = &p->request->csr->extensions;
	err = check_others(p, e);
	if (err != OC_OK)
		return err;
	if (e->ca == X509_IS_CA && p->profile->ca != X509_IS_CA)
		return CA_REFUSE(p, CA_RULE_CSR_CA, "the request asks for a "
		    "CA certificate, which the profile %s does not give",
		    p->profile->name);
	err = check_ekus(p, e);
	if (err == OC_OK)
		err = check_known(p, e);
	if (err == OC_OK && (e->key_usage & ~ca_planning_usage_of(p->profile,
	    p->key_type)) != 0)
		return CA_REFUSE(p, CA_RULE_CSR_KEY_USAGE, "the request asks "
		    "for more keyUsage, which the profile %s does not give",
		    p->profile->name);
	return err;
}

enum oc_err
ca_check_csr(const struct x509_csr *csr, const struct ca_profile *profile,
    struct oc_error *error)
{
	struct ca_request request = { .profile = profile, .csr = csr };
	struct ca_plan *plan = ca_plan_alloc(&request, SIGN_ALG_NONE);
	struct ca_planning p = { .request = &request, .profile = profile,
	    .plan = plan, .error = error };
	enum oc_err err;

	if (plan == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ca_planning_key(&p);
	if (err == OC_OK)
		err = ca_planning_csr(&p);
	ca_plan_free(plan);
	return err;
}
