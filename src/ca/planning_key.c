/* SPDX-License-Identifier: Apache-2.0 */
/* The key, what it may be used for, and who signs for it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ca/planning.h"
#include "der/time.h"
#include "x509/name.h"
#include "x509/spki.h"

static void
format_hex(struct der_bytes octets, char text[2 * CA_KEY_ID_MAX + 1])
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < octets.len; i++)
		snprintf(text + 2 * i, 3, "%02x", octets.p[i]);
}

enum oc_err
ca_planning_issuer(struct ca_planning *p)
{
	char name[X509_NAME_TEXT_MAX], until[DER_ISO8601_MAX];
	char hex[2 * CA_KEY_ID_MAX + 1];
	const struct ca_issuer *issuer = p->issuer;

	ca_explain(p->x, "version", CA_FROM_DEFAULT, "", "3");
	ca_explain(p->x, "signatureAlgorithm", CA_FROM_ISSUER, "its key",
	    "%s", p->plan->tbs.alg == SIGN_ALG_NONE ? "as its key has it" :
	    sign_alg_info(p->plan->tbs.alg)->name);
	if (issuer == NULL)
		return OC_OK;
	if (!ca_profile_is_for(p->profile, issuer->config->name))
		return CA_REFUSE(p, CA_RULE_ISSUER_PROFILE, "the profile %s "
		    "is not for issuer %s (issuers)", p->profile->name,
		    issuer->config->name);
	if (issuer->cert.not_after < oc_clock_now_s()) {
		der_format_iso8601(issuer->cert.not_after, until);
		return CA_REFUSE(p, CA_RULE_ISSUER_EXPIRED, "issuer %s has "
		    "expired, at %s: it can still revoke, but issue nothing",
		    issuer->config->name, until);
	}
	p->plan->tbs.issuer = issuer->cert.subject;
	p->plan->tbs.extensions.authority_key_id =
	    (struct der_bytes){ issuer->key_id, issuer->key_id_len };
	x509_name_format(issuer->cert.subject, name);
	ca_explain(p->x, "issuer", CA_FROM_ISSUER, issuer->config->name,
	    "%s", name);
	format_hex(p->plan->tbs.extensions.authority_key_id, hex);
	ca_explain(p->x, "authorityKeyIdentifier", CA_FROM_ISSUER,
	    issuer->config->name, "%s", hex);
	return OC_OK;
}

static unsigned
kind_of(enum sign_key_type type)
{
	switch (type) {
	case SIGN_KEY_RSA:
		return CA_KEY_RSA;
	case SIGN_KEY_P256:
	case SIGN_KEY_P384:
	case SIGN_KEY_P521:
		return CA_KEY_EC;
	case SIGN_KEY_ED25519:
		return CA_KEY_ED25519;
	case SIGN_KEY_NONE:
		break;
	}
	return 0;
}

static void
explain_key(struct ca_planning *p)
{
	char text[64], hex[2 * CA_KEY_ID_MAX + 1];

	if (p->x == NULL)
		return;
	x509_spki_format(p->plan->tbs.spki, text);
	ca_explain(p->x, "subjectPublicKeyInfo", p->request->csr != NULL ?
	    CA_FROM_CSR : CA_FROM_REQUEST, "", "%s", text);
	format_hex((struct der_bytes){ p->plan->key_id, X509_KEY_ID_LEN },
	    hex);
	ca_explain(p->x, "subjectKeyIdentifier", CA_FROM_KEY, "SHA-1", "%s",
	    hex);
}

enum oc_err
ca_planning_key(struct ca_planning *p)
{
	const struct ca_request *request = p->request;
	struct oc_error why = { 0 };
	struct ca_plan *plan = p->plan;
	unsigned int bits;
	enum oc_err err;

	plan->tbs.spki = request->csr != NULL ? request->csr->spki :
	    request->spki;
	err = x509_spki_check(plan->tbs.spki, &why);
	if (err != OC_OK)
		return ca_refuse(p->x, CA_RULE_KEY_UNFIT, err, p->error,
		    "the %s", why.text);
	if (p->issuer != NULL && der_bytes_equal(plan->tbs.spki,
	    p->issuer->cert.spki))
		return CA_REFUSE(p, CA_RULE_KEY_OF_CA,
		    "the key is the CA's own");
	err = x509_spki_key_id(plan->tbs.spki, plan->key_id);
	if (err == OC_OK)
		err = sign_spki_type(plan->tbs.spki, &p->key_type, &bits);
	if (err != OC_OK)
		return oc_error_set(p->error, err, "the key: %s",
		    oc_strerror(err));
	if ((kind_of(p->key_type) & p->profile->key_kinds) == 0) {
		char text[64];

		x509_spki_format(plan->tbs.spki, text);
		return CA_REFUSE(p, CA_RULE_KEY_TYPE, "the key is %s, which "
		    "the profile %s does not take%s", text, p->profile->name,
		    p->profile->key_kinds == CA_KEY_RSA ? ": RSA only" :
		    p->profile->key_kinds == CA_KEY_EC ? ": EC only" : "");
	}
	plan->tbs.extensions.subject_key_id =
	    p->request->subject_key_id.len > 0 ? p->request->subject_key_id :
	    (struct der_bytes){ plan->key_id, X509_KEY_ID_LEN };
	explain_key(p);
	return OC_OK;
}

uint32_t
ca_planning_usage_of(const struct ca_profile *profile,
    enum sign_key_type type)
{
	return type == SIGN_KEY_RSA ? profile->key_usage_rsa :
	    profile->key_usage_other;
}

static void
explain_usage(struct ca_planning *p)
{
	static const char *const bits[] = { "digitalSignature",
	    "contentCommitment", "keyEncipherment", "dataEncipherment",
	    "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
	    "decipherOnly" };
	const struct x509_extensions *e = &p->plan->tbs.extensions;
	char text[256] = "", oid[DER_OID_TEXT_MAX];
	enum der_oid known;
	uint32_t i;

	if (p->x == NULL)
		return;
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if ((e->key_usage >> i & 1) != 0)
			snprintf(text + strlen(text), sizeof(text) -
			    strlen(text), "%s%s", text[0] != '\0' ? " " : "",
			    bits[i]);
	if (e->key_usage != 0)
		ca_explain(p->x, "keyUsage", CA_FROM_PROFILE,
		    p->profile->name, "%s", text);
	for (i = 0; i < e->num_ekus; i++) {
		known = der_oid_find(e->ekus[i]);
		der_oid_format(e->ekus[i], oid);
		ca_explain(p->x, "extKeyUsage", CA_FROM_PROFILE,
		    p->profile->name, "%s", known != DER_OID_UNKNOWN ?
		    der_oid_name(known) : oid);
	}
	if (e->has_ocsp_nocheck)
		ca_explain(p->x, "ocspNoCheck", CA_FROM_PROFILE,
		    p->profile->name, "yes");
}

/* A certificate without keyUsage is good for everything. */
enum oc_err
ca_planning_usage(struct ca_planning *p)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	const struct ca_profile *profile = p->profile;
	uint32_t i;

	e->key_usage = ca_planning_usage_of(profile, p->key_type);
	if (e->key_usage == 0 && !profile->may_lack_key_usage)
		return CA_REFUSE(p, CA_RULE_KEY_TYPE, "the key-usage of "
		    "the profile %s is for RSA keys, which this is not",
		    profile->name);
	e->num_ekus = profile->num_ekus;
	for (i = 0; i < profile->num_ekus; i++)
		e->ekus[i] = (struct der_bytes){ profile->eku_octets[i],
		    profile->eku_len[i] };
	e->has_ocsp_nocheck = profile->has_ocsp_nocheck;
	explain_usage(p);
	return OC_OK;
}

/* How many CAs may stand below this one: what the issuer leaves. */
static enum oc_err
plan_path_length(struct ca_planning *p)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	const struct x509_csr *csr = p->request->csr;
	int above = p->issuer != NULL ?
	    p->issuer->cert.extensions.path_length : X509_NO_PATH_LENGTH;

	if (p->issuer != NULL && p->profile->is_root)
		return CA_REFUSE(p, CA_RULE_PROFILE_CA, "the profile %s is "
		    "for self-signed roots (ocsign ca create); for a CA below "
		    "%s take intermediate", p->profile->name,
		    p->issuer->config->name);
	if (above == 0)
		return CA_REFUSE(p, CA_RULE_PATH_LENGTH, "issuer %s may not "
		    "issue to CAs: its path length is 0",
		    p->issuer->config->name);
	e->path_length = p->profile->path_length;
	if (above != X509_NO_PATH_LENGTH &&
	    (e->path_length == X509_NO_PATH_LENGTH ||
	    e->path_length >= above))
		e->path_length = above - 1;
	if (csr != NULL && e->path_length != X509_NO_PATH_LENGTH &&
	    csr->extensions.path_length > e->path_length)
		return CA_REFUSE(p, CA_RULE_PATH_LENGTH, "the request asks "
		    "for a path length of %d; it may have %d",
		    csr->extensions.path_length, e->path_length);
	return OC_OK;
}

enum oc_err
ca_planning_ca(struct ca_planning *p)
{
	struct x509_extensions *e = &p->plan->tbs.extensions;
	enum oc_err err;

	e->has_basic_constraints = true;
	e->ca = p->profile->ca;
	e->path_length = X509_NO_PATH_LENGTH;
	if (p->profile->ca != X509_IS_CA) {
		if (p->issuer == NULL)
			return CA_REFUSE(p, CA_RULE_PROFILE_CA, "the profile "
			    "%s does not make CAs", p->profile->name);
		ca_explain(p->x, "basicConstraints", CA_FROM_PROFILE,
		    p->profile->name, "not a CA");
		return OC_OK;
	}
	err = plan_path_length(p);
	if (err != OC_OK)
		return err;
	if (e->path_length == X509_NO_PATH_LENGTH)
		ca_explain(p->x, "basicConstraints", CA_FROM_PROFILE,
		    p->profile->name, "CA");
	else
		ca_explain(p->x, "basicConstraints", e->path_length ==
		    p->profile->path_length ? CA_FROM_PROFILE :
		    CA_FROM_ISSUER, e->path_length ==
		    p->profile->path_length ? p->profile->name :
		    "its own path length", "CA, path length %d",
		    e->path_length);
	return OC_OK;
}
