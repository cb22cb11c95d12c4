/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From profile, request and issuer to one TBSCertificate.  Each field has one
 * function that decides it; nothing of a CSR is copied that was not looked
 * at, and what it asks for and does not get is refused by name.
 */
#include "ca/plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "der/time.h"
#include "x509/name.h"

/* --- subject and names ------------------------------------------------ */

static enum oc_err
plan_subject(const struct ca_request *request, struct ca_plan *plan,
    struct oc_error *error)
{
	const struct ca_profile *profile = request->profile;
	enum oc_err err;

	if (profile->subject_rule == CA_SUBJECT_FIXED) {
		err = x509_name_parse(profile->subject, plan->subject,
		    sizeof(plan->subject), &plan->tbs.subject.len, error);
		if (err != OC_OK)
			return oc_error_prefix(error, "[profile %s] "
			    "subject-name", profile->name);
		plan->tbs.subject.p = plan->subject;
		return OC_OK;
	}
	if (request->subject.len != 0)
		plan->tbs.subject = request->subject;
	else if (request->csr != NULL)
		plan->tbs.subject = request->csr->subject;
	else
		return oc_error_set(error, OC_ERR_REFUSED,
		    "there is no subject: give one");
	if (profile->ca == X509_IS_CA &&
	    x509_name_is_empty(plan->tbs.subject))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "a CA must have a subject: RFC 5280, 4.1.2.6");
	return OC_OK;
}

static bool
is_kind_given(const struct ca_profile *profile, enum x509_san_kind kind)
{
	switch (kind) {
	case X509_SAN_DNS:
	case X509_SAN_IP:
		return profile->sans_rule != CA_SANS_NONE;
	case X509_SAN_EMAIL:
	case X509_SAN_URI:
		return profile->sans_rule == CA_SANS_OPTIONAL;
	case X509_SAN_DIRECTORY:
		break;
	}
	return false;
}

static bool
has_san(const struct x509_extensions *e, const struct x509_san *san)
{
	uint32_t i;

	for (i = 0; i < e->num_sans; i++)
		if (e->sans[i].kind == san->kind &&
		    der_bytes_equal(e->sans[i].value, san->value))
			return true;
	return false;
}

/* Takes one name in, checked and in its normal form; a second of the same is
 * dropped. */
static enum oc_err
add_san(const struct ca_profile *profile, const struct x509_san *san,
    struct ca_plan *plan, struct oc_error *error)
{
	struct x509_extensions *e = &plan->tbs.extensions;
	uint8_t *octets = plan->san_octets + plan->san_octets_len;
	char text[X509_SAN_TEXT_MAX];
	struct x509_san normal;
	enum oc_err err;

	x509_san_format(san, text);
	if (!is_kind_given(profile, san->kind))
		return oc_error_set(error, OC_ERR_REFUSED, "the name %s is of "
		    "a kind that the profile %s does not give", text,
		    profile->name);
	err = x509_san_normalize(san, octets,
	    sizeof(plan->san_octets) - plan->san_octets_len, &normal, error);
	if (err != OC_OK || has_san(e, &normal))
		return err;
	if (e->num_sans == X509_SANS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "more than %d names", X509_SANS_MAX);
	e->sans[e->num_sans++] = normal;
	plan->san_octets_len += normal.value.len;
	return OC_OK;
}

/* RFC 6125's history: a CN that is a host name was the name, and many CSRs
 * still have nothing else. */
static enum oc_err
add_common_name(const struct ca_profile *profile, struct ca_plan *plan)
{
	struct der_bytes cn;
	struct x509_san san = { .kind = X509_SAN_DNS };

	if (!x509_name_find(plan->tbs.subject, DER_OID_COMMON_NAME, &cn))
		return OC_ERR_NOT_FOUND;
	san.value = cn;
	return add_san(profile, &san, plan, NULL);
}

/* What a verifier might still look at must not say anything else than the
 * names do. */
static enum oc_err
check_common_name(const struct ca_profile *profile,
    const struct ca_plan *plan, struct oc_error *error)
{
	const struct x509_extensions *e = &plan->tbs.extensions;
	char text[X509_SAN_TEXT_MAX];
	struct der_bytes cn;
	uint32_t i;

	if (profile->sans_rule != CA_SANS_REQUIRED ||
	    profile->subject_rule == CA_SUBJECT_FIXED ||
	    !x509_name_find(plan->tbs.subject, DER_OID_COMMON_NAME, &cn))
		return OC_OK;
	for (i = 0; i < e->num_sans; i++) {
		const char *value;

		x509_san_format(&e->sans[i], text);
		value = strchr(text, ':') + 1;
		if (strlen(value) == cn.len &&
		    strncasecmp(value, (const char *)cn.p, cn.len) == 0)
			return OC_OK;
	}
	return oc_error_set(error, OC_ERR_REFUSED, "the common name \"%.*s\" "
	    "is none of the subject alternative names; add it (--san), or "
	    "give another subject (--subject)", (int)(cn.len < 64 ? cn.len :
	    64), (const char *)cn.p);
}

static enum oc_err
plan_sans(const struct ca_request *request, struct ca_plan *plan,
    struct oc_error *error)
{
	const struct ca_profile *profile = request->profile;
	struct x509_extensions *e = &plan->tbs.extensions;
	const struct x509_san *sans = request->sans;
	uint32_t num_sans = request->num_sans, i;
	enum oc_err err;

	if (num_sans == 0 && request->csr != NULL) {
		sans = request->csr->extensions.sans;
		num_sans = request->csr->extensions.num_sans;
	}
	for (i = 0; i < num_sans; i++) {
		err = add_san(profile, &sans[i], plan, error);
		if (err != OC_OK)
			return err;
	}
	if (e->num_sans == 0 && profile->sans_rule == CA_SANS_REQUIRED &&
	    add_common_name(profile, plan) != OC_OK)
		return oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "wants a name, and there is none: put a "
		    "subjectAltName into the request, or give --san",
		    profile->name);
	/* RFC 5280, 4.2.1.6. */
	e->is_san_critical = x509_name_is_empty(plan->tbs.subject);
	if (e->is_san_critical && e->num_sans == 0)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "neither a subject nor a name: nothing to certify");
	return check_common_name(profile, plan, error);
}

/* --- the rest of the extensions --------------------------------------- */

static enum oc_err
plan_ca(const struct ca_issuer *issuer, const struct ca_request *request,
    struct ca_plan *plan, struct oc_error *error)
{
	const struct ca_profile *profile = request->profile;
	struct x509_extensions *e = &plan->tbs.extensions;
	int above = issuer != NULL ? issuer->cert.extensions.path_length :
	    X509_NO_PATH_LENGTH;

	e->has_basic_constraints = true;
	e->ca = profile->ca;
	e->path_length = X509_NO_PATH_LENGTH;
	if (profile->ca != X509_IS_CA && issuer == NULL)
		return oc_error_set(error, OC_ERR_REFUSED, "the profile %s "
		    "does not make CAs", profile->name);
	if (profile->ca != X509_IS_CA)
		return OC_OK;
	if (issuer != NULL && profile->is_root)
		return oc_error_set(error, OC_ERR_REFUSED, "the profile %s is "
		    "for self-signed roots (ocsign ca create); for a CA below "
		    "%s take intermediate", profile->name,
		    issuer->config->name);
	if (above == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "issuer %s may not "
		    "issue to CAs: its path length is 0",
		    issuer->config->name);
	e->path_length = profile->path_length;
	if (above != X509_NO_PATH_LENGTH &&
	    (e->path_length == X509_NO_PATH_LENGTH ||
	    e->path_length >= above))
		e->path_length = above - 1;
	if (request->csr != NULL && e->path_length != X509_NO_PATH_LENGTH &&
	    request->csr->extensions.path_length > e->path_length)
		return oc_error_set(error, OC_ERR_REFUSED, "the request asks "
		    "for a path length of %d; it may have %d",
		    request->csr->extensions.path_length, e->path_length);
	return OC_OK;
}

static uint32_t
usage_of(const struct ca_profile *profile, enum sign_key_type type)
{
	return type == SIGN_KEY_RSA ? profile->key_usage_rsa :
	    profile->key_usage_other;
}

/* A certificate without the extension is good for everything. */
static enum oc_err
plan_usage(const struct ca_profile *profile, enum sign_key_type type,
    struct ca_plan *plan, struct oc_error *error)
{
	struct x509_extensions *e = &plan->tbs.extensions;
	uint32_t i;

	e->key_usage = usage_of(profile, type);
	if (e->key_usage == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "the key-usage of "
		    "the profile %s is for RSA keys, which this is not",
		    profile->name);
	e->num_ekus = profile->num_ekus;
	for (i = 0; i < profile->num_ekus; i++)
		e->ekus[i] = (struct der_bytes){ profile->eku_octets[i],
		    profile->eku_len[i] };
	e->has_ocsp_nocheck = profile->has_ocsp_nocheck;
	return OC_OK;
}

static void
plan_url(const char *url, struct der_bytes *urls, uint32_t *num)
{
	if (url == NULL)
		return;
	urls[0] = (struct der_bytes){ (const uint8_t *)url, strlen(url) };
	*num = 1;
}

static void
plan_urls(const struct ca_issuer *issuer, const struct ca_profile *profile,
    struct ca_plan *plan)
{
	struct x509_extensions *e = &plan->tbs.extensions;

	if (profile->has_ocsp_url)
		plan_url(issuer->config->ocsp_url, e->ocsp_urls,
		    &e->num_ocsp_urls);
	if (profile->has_ca_issuers_url)
		plan_url(issuer->config->ca_issuers_url, e->ca_issuers_urls,
		    &e->num_ca_issuers_urls);
	if (profile->has_crl_url)
		plan_url(issuer->config->crl_url, e->crl_urls,
		    &e->num_crl_urls);
}

/* --- key and times ---------------------------------------------------- */

static enum oc_err
plan_key(const struct ca_issuer *issuer, const struct ca_request *request,
    struct ca_plan *plan, struct oc_error *error)
{
	enum sign_key_type type;
	unsigned int bits;
	enum oc_err err;

	plan->tbs.spki = request->csr != NULL ? request->csr->spki :
	    request->spki;
	err = x509_spki_check(plan->tbs.spki, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "the key");
	if (issuer != NULL && der_bytes_equal(plan->tbs.spki,
	    issuer->cert.spki))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the key is the CA's own");
	err = x509_spki_key_id(plan->tbs.spki, plan->key_id);
	if (err == OC_OK)
		err = sign_spki_type(plan->tbs.spki, &type, &bits);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key: %s",
		    oc_strerror(err));
	plan->tbs.extensions.subject_key_id =
	    (struct der_bytes){ plan->key_id, X509_KEY_ID_LEN };
	return plan_usage(request->profile, type, plan, error);
}

/*
 * notAfter is inclusive, RFC 5280 4.1.2.5.  A life that was asked for in so
 * many words and does not fit into the issuer's is refused; the profile's is
 * cut to fit, unless nothing would be left of it.
 */
static enum oc_err
plan_times(const struct ca_issuer *issuer, const struct ca_request *request,
    struct ca_plan *plan, struct oc_error *error)
{
	int64_t validity_s = request->validity_s != 0 ? request->validity_s :
	    request->profile->validity_s;
	char until[DER_ISO8601_MAX];
	struct x509_tbs *tbs = &plan->tbs;

	if (issuer != NULL && issuer->cert.not_after < oc_clock_now_s()) {
		der_format_iso8601(issuer->cert.not_after, until);
		return oc_error_set(error, OC_ERR_REFUSED, "issuer %s has "
		    "expired, at %s: it can still revoke, but issue nothing",
		    issuer->config->name, until);
	}
	tbs->not_before = request->not_before != 0 ? request->not_before :
	    oc_clock_now_s() - request->profile->backdate_s;
	if (issuer != NULL && tbs->not_before < issuer->cert.not_before)
		tbs->not_before = issuer->cert.not_before;
	if (validity_s <= 0 || tbs->not_before > DER_TIME_MAX - validity_s)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "it would be valid for no time, or beyond the year 9999");
	tbs->not_after = tbs->not_before + validity_s - 1;
	if (issuer == NULL || tbs->not_after <= issuer->cert.not_after)
		return OC_OK;
	if (request->validity_s != 0 ||
	    tbs->not_before > issuer->cert.not_after) {
		der_format_iso8601(issuer->cert.not_after, until);
		return oc_error_set(error, OC_ERR_REFUSED, "it would outlive "
		    "its issuer, which ends at %s; ask for a shorter "
		    "--validity", until);
	}
	tbs->not_after = issuer->cert.not_after;
	return OC_OK;
}

/* --- what a CSR asks for ---------------------------------------------- */

static enum oc_err
refuse_extension(const char *what, const struct ca_profile *profile,
    struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_REFUSED, "the request asks for %s, "
	    "which the profile %s does not give", what, profile->name);
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

/* What it would get, for the key it has. */
static enum oc_err
check_key_usage(const struct x509_csr *csr, const struct ca_profile *profile,
    struct oc_error *error)
{
	enum sign_key_type type;
	unsigned int bits;
	enum oc_err err;

	err = x509_spki_check(csr->spki, error);
	if (err != OC_OK)
		return err;
	err = sign_spki_type(csr->spki, &type, &bits);
	if (err != OC_OK)
		return oc_error_set(error, err, "the key: %s",
		    oc_strerror(err));
	if ((csr->extensions.key_usage & ~usage_of(profile, type)) != 0)
		return refuse_extension("more keyUsage", profile, error);
	return OC_OK;
}

enum oc_err
ca_check_csr(const struct x509_csr *csr, const struct ca_profile *profile,
    struct oc_error *error)
{
	const struct x509_extensions *e = &csr->extensions;
	char oid[DER_OID_TEXT_MAX];
	uint32_t i;

	if (e->num_others != 0) {
		der_oid_format(e->others[0], oid);
		return oc_error_set(error, OC_ERR_REFUSED, "the request asks "
		    "for the extension %s, which no profile gives", oid);
	}
	if (e->ca == X509_IS_CA && profile->ca != X509_IS_CA)
		return refuse_extension("a CA certificate", profile, error);
	for (i = 0; i < e->num_ekus; i++)
		if (!has_eku(profile, e->ekus[i])) {
			der_oid_format(e->ekus[i], oid);
			return oc_error_set(error, OC_ERR_REFUSED,
			    "the request asks for the extended key usage %s "
			    "(%s), which the profile %s does not give",
			    der_oid_name(der_oid_find(e->ekus[i])), oid,
			    profile->name);
		}
	if (e->num_ocsp_urls + e->num_ca_issuers_urls != 0)
		return refuse_extension("an authorityInfoAccess of its own",
		    profile, error);
	if (e->num_crl_urls != 0)
		return refuse_extension("a cRLDistributionPoints of its own",
		    profile, error);
	if (e->has_ocsp_nocheck && !profile->has_ocsp_nocheck)
		return refuse_extension("id-pkix-ocsp-nocheck", profile,
		    error);
	return check_key_usage(csr, profile, error);
}

/* --- the whole -------------------------------------------------------- */

static enum oc_err
plan_all(const struct ca_issuer *issuer, const struct ca_request *request,
    struct ca_plan *plan, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (request->csr != NULL)
		err = ca_check_csr(request->csr, request->profile, error);
	if (err == OC_OK)
		err = plan_subject(request, plan, error);
	if (err == OC_OK)
		err = plan_ca(issuer, request, plan, error);
	if (err == OC_OK)
		err = plan_sans(request, plan, error);
	if (err == OC_OK)
		err = plan_key(issuer, request, plan, error);
	if (err == OC_OK)
		err = plan_times(issuer, request, plan, error);
	return err;
}

static struct ca_plan *
plan_alloc(const struct ca_request *request, enum sign_alg alg)
{
	struct ca_plan *plan = calloc(1, sizeof(*plan));

	if (plan == NULL)
		return NULL;
	plan->profile = request->profile->name;
	plan->tbs.alg = alg;
	return plan;
}

enum oc_err
ca_plan_new(const struct ca_issuer *issuer, const struct ca_request *request,
    enum sign_alg alg, struct ca_plan **out, struct oc_error *error)
{
	struct ca_plan *plan = plan_alloc(request, alg);
	enum oc_err err;

	if (plan == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	plan->tbs.issuer = issuer->cert.subject;
	plan->tbs.extensions.authority_key_id =
	    (struct der_bytes){ issuer->key_id, issuer->key_id_len };
	err = plan_all(issuer, request, plan, error);
	if (err != OC_OK) {
		ca_plan_free(plan);
		return err;
	}
	plan_urls(issuer, request->profile, plan);
	*out = plan;
	return OC_OK;
}

enum oc_err
ca_plan_new_root(const struct ca_request *request, enum sign_alg alg,
    struct ca_plan **out, struct oc_error *error)
{
	struct ca_plan *plan = plan_alloc(request, alg);
	enum oc_err err;

	if (plan == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = plan_all(NULL, request, plan, error);
	if (err != OC_OK) {
		ca_plan_free(plan);
		return err;
	}
	plan->tbs.issuer = plan->tbs.subject;
	*out = plan;
	return OC_OK;
}

void
ca_plan_free(struct ca_plan *plan)
{
	if (plan == NULL)
		return;
	free(plan->der);
	free(plan);
}

static bool
is_same_list(const struct der_bytes *a, uint32_t num_a,
    const struct der_bytes *b, uint32_t num_b)
{
	uint32_t i;

	for (i = 0; i < num_a && i < num_b; i++)
		if (!der_bytes_equal(a[i], b[i]))
			return false;
	return num_a == num_b;
}

static bool
is_same_sans(const struct x509_extensions *a, const struct x509_extensions *b)
{
	uint32_t i;

	for (i = 0; i < a->num_sans && i < b->num_sans; i++)
		if (a->sans[i].kind != b->sans[i].kind ||
		    !der_bytes_equal(a->sans[i].value, b->sans[i].value))
			return false;
	return a->num_sans == b->num_sans && (a->num_sans == 0 ||
	    a->is_san_critical == b->is_san_critical);
}

static bool
is_same_extensions(const struct x509_extensions *a,
    const struct x509_extensions *b)
{
	return a->has_basic_constraints == b->has_basic_constraints &&
	    a->ca == b->ca && a->path_length == b->path_length &&
	    a->key_usage == b->key_usage &&
	    a->has_ocsp_nocheck == b->has_ocsp_nocheck &&
	    b->num_others == 0 &&
	    der_bytes_equal(a->subject_key_id, b->subject_key_id) &&
	    der_bytes_equal(a->authority_key_id, b->authority_key_id) &&
	    is_same_sans(a, b) &&
	    is_same_list(a->ekus, a->num_ekus, b->ekus, b->num_ekus) &&
	    is_same_list(a->ocsp_urls, a->num_ocsp_urls,
	    b->ocsp_urls, b->num_ocsp_urls) &&
	    is_same_list(a->ca_issuers_urls, a->num_ca_issuers_urls,
	    b->ca_issuers_urls, b->num_ca_issuers_urls) &&
	    is_same_list(a->crl_urls, a->num_crl_urls,
	    b->crl_urls, b->num_crl_urls);
}

/*
 * What was written, read as a stranger would: a certificate around the TBS,
 * with a signature that is none.
 */
static enum oc_err
read_back(const struct ca_plan *plan, struct oc_error *error)
{
	static const uint8_t no_signature[1] = { 0 };
	const struct x509_tbs *tbs = &plan->tbs;
	const struct x509_signed whole = {
		.tbs = { plan->der, plan->der_len },
		.alg = tbs->alg,
		.signature = DER_ARRAY(no_signature),
	};
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	size_t len = plan->der_len + 256;
	uint8_t *der = malloc(len);
	enum oc_err err = OC_ERR_NOMEM;

	if (cert != NULL && der != NULL)
		err = der_write(x509_put_signed, &whole, der, len, &len);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ der, len }, cert,
		    error);
	if (err == OC_OK && (!oc_serial_equal(&cert->serial, &plan->serial) ||
	    !der_bytes_equal(cert->issuer, tbs->issuer) ||
	    !der_bytes_equal(cert->subject, tbs->subject) ||
	    !der_bytes_equal(cert->spki, tbs->spki) ||
	    cert->not_before != tbs->not_before ||
	    cert->not_after != tbs->not_after || cert->alg != tbs->alg ||
	    !is_same_extensions(&tbs->extensions, &cert->extensions)))
		err = OC_ERR_MISMATCH;
	if (err != OC_OK)
		oc_error_set(error, err, "what was written does not read "
		    "back as what was planned (%s): nothing was signed",
		    oc_strerror(err));
	free(der);
	free(cert);
	return err;
}

enum oc_err
ca_plan_write(struct ca_plan *plan, struct oc_error *error)
{
	enum oc_err err;

	free(plan->der);
	plan->der = NULL;
	plan->tbs.serial = (struct der_bytes){ plan->serial.bytes,
	    plan->serial.len };
	err = der_write(x509_put_tbs, &plan->tbs, NULL, 0, &plan->der_len);
	if (err == OC_OK) {
		plan->der = malloc(plan->der_len);
		err = plan->der == NULL ? OC_ERR_NOMEM :
		    der_write(x509_put_tbs, &plan->tbs, plan->der,
		    plan->der_len, &plan->der_len);
	}
	if (err != OC_OK)
		return oc_error_set(error, err, "the certificate cannot be "
		    "written: %s", oc_strerror(err));
	return read_back(plan, error);
}
