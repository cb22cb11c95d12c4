/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs: where its status, its issuer's certificate and its CRL are.  Which of
 * its issuer's CRLs it is of is decided here, and never again: the store has
 * it with the certificate.
 */
#include <openssl/rand.h>
#include <string.h>

#include "ca/planning.h"
#include "ca/profile_impl.h"

static struct der_bytes
bytes_of(const char *text)
{
	return (struct der_bytes){ (const uint8_t *)text, strlen(text) };
}

static void
plan_url(struct ca_planning *p, const char *field, struct der_bytes own,
    const char *of_issuer, struct der_bytes *urls, uint32_t *num)
{
	struct der_bytes url = own;

	if (own.len == 0 && of_issuer != NULL)
		url = bytes_of(of_issuer);
	if (url.len == 0)
		return;
	urls[(*num)++] = url;
	ca_explain(p->x, field, own.len != 0 ? CA_FROM_PROFILE :
	    CA_FROM_ISSUER, own.len != 0 ? p->profile->name :
	    p->issuer->config->name, "%.*s", (int)url.len,
	    (const char *)url.p);
}

/* Those of CAs are few, and in the list that is not partitioned: the
 * partitions are of users' certificates only. */
static enum oc_err
choose_partition(struct ca_planning *p)
{
	int64_t num = p->issuer->config->crl_partitions_open;
	uint32_t random;

	if (p->issuer->config->crl_partitions == 0 ||
	    p->plan->tbs.extensions.ca == X509_IS_CA)
		return OC_OK;
	if (RAND_bytes((uint8_t *)&random, sizeof(random)) != 1)
		return oc_error_set(p->error, OC_ERR_INTERNAL,
		    "no random numbers");
	p->plan->crl_partition = 1 + random % (uint32_t)num;
	return OC_OK;
}

/* freshestCRL, RFC 5280 4.2.1.15: not critical. */
static enum oc_err
plan_freshest(struct ca_planning *p)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	const struct oc_config_issuer *config = p->issuer->config;
	char text[OC_CRL_URL_MAX + 1];
	struct der_bytes url, oid = der_oid_bytes(DER_OID_FRESHEST_CRL);
	size_t len;
	enum oc_err err;

	if (config->crl_delta_url == NULL ||
	    (config->freshest_crl & OC_FRESHEST_CERTIFICATE) == 0)
		return OC_OK;
	for (uint32_t i = 0; i < e->num_others; i++)
		if (der_bytes_equal(e->others[i], oid))
			return CA_REFUSE(p, CA_RULE_EXTENSION, "the extension "
			    "freshestCRL was given, which this issuer's "
			    "certificates have of their own");
	if (!oc_config_partition_url(config->crl_delta_url,
	    p->plan->crl_partition, text) ||
	    e->num_others == X509_EXTENSIONS_MAX)
		return ca_refuse(p->x, CA_RULE_EXTENSION, OC_ERR_LIMIT,
		    p->error, "no room for freshestCRL");
	url = bytes_of(text);
	err = x509_write_crl_points(&url, 1, p->plan->freshest,
	    sizeof(p->plan->freshest), &len);
	if (err != OC_OK)
		return oc_error_set(p->error, err, "freshestCRL: %s",
		    oc_strerror(err));
	e->others[e->num_others] = oid;
	e->other_values[e->num_others] = (struct der_bytes){
	    p->plan->freshest, len };
	e->is_other_critical[e->num_others] = false;
	e->num_others++;
	ca_explain(p->x, "freshestCRL", CA_FROM_ISSUER, config->name, "%s",
	    text);
	return OC_OK;
}

/*
 * A list in parts says in its issuingDistributionPoint which URL it is, and
 * who looks for another in the certificate's finds that it is none for it (RFC
 * 5280, 6.3.3): a profile can have no other.
 */
static enum oc_err
plan_crl(struct ca_planning *p)
{
	const struct oc_config_issuer *config = p->issuer->config;
	struct der_bytes own = p->profile->crl_url;
	struct x509_extensions *e = &p->plan->tbs.extensions;
	bool is_parted = config->crl_partitions > 0 &&
	    config->crl_url != NULL;
	enum oc_err err = OC_OK;

	if (!p->profile->has_crl_url)
		return OC_OK;
	if (is_parted && own.len != 0 && !der_bytes_equal(own,
	    bytes_of(config->crl_url)))
		return CA_REFUSE(p, CA_RULE_ISSUER_PROFILE, "the profile %s "
		    "has a CRL's URL of its own, and issuer %s, which has "
		    "crl-partitions, no CRL for that", p->profile->name,
		    config->name);
	if (is_parted) {
		own.len = 0;
		err = choose_partition(p);
	}
	if (err == OC_OK && p->plan->crl_partition != 0 &&
	    !oc_config_partition_url(config->crl_url, p->plan->crl_partition,
	    p->plan->crl_url))
		err = oc_error_set(p->error, OC_ERR_LIMIT,
		    "crl-url is too long");
	if (err != OC_OK)
		return err;
	plan_url(p, "cRLDistributionPoints", own, p->plan->crl_partition != 0 ?
	    p->plan->crl_url : config->crl_url, e->crl_urls,
	    &e->num_crl_urls);
	return own.len == 0 && e->num_crl_urls > 0 ? plan_freshest(p) : OC_OK;
}

enum oc_err
ca_planning_urls(struct ca_planning *p)
{
	const struct oc_config_issuer *config = p->issuer->config;
	const struct ca_profile *profile = p->profile;
	struct x509_extensions *e = &p->plan->tbs.extensions;
	const struct der_bytes none = { NULL, 0 };
	uint32_t i;

	if (profile->has_ocsp_url)
		plan_url(p, "ocsp", profile->ocsp_url, config->ocsp_url,
		    e->ocsp_urls, &e->num_ocsp_urls);
	for (i = 0; i < profile->num_ca_issuers_urls; i++)
		plan_url(p, "caIssuers", profile->ca_issuers_urls[i], NULL,
		    e->ca_issuers_urls, &e->num_ca_issuers_urls);
	if (profile->has_ca_issuers_url && i == 0)
		plan_url(p, "caIssuers", none, config->ca_issuers_url,
		    e->ca_issuers_urls, &e->num_ca_issuers_urls);
	return plan_crl(p);
}
