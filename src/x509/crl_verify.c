/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a CRL is, and what of the issuer's certificates it is about: RFC
 * 5280, 6.3.3, as far as it can be told without looking at the clock. */
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/spki.h"

static bool
is_same_name(struct der_bytes a, struct der_bytes b)
{
	return der_bytes_equal(a, b) ||
	    (x509_name_is_below(a, b) && x509_name_is_below(b, a));
}

static enum oc_err
check_issuer(const struct x509_crl *crl, const struct x509_cert *issuer,
    struct oc_error *error)
{
	const struct x509_extensions *e = &issuer->extensions;
	char theirs[X509_NAME_TEXT_MAX], ours[X509_NAME_TEXT_MAX];

	if (!is_same_name(crl->issuer, issuer->subject)) {
		x509_name_format(crl->issuer, theirs);
		x509_name_format(issuer->subject, ours);
		return oc_error_set(error, OC_ERR_MISMATCH, "CRL: it is "
		    "issued by \"%.120s\", not by \"%.120s\"", theirs, ours);
	}
	if (crl->authority_key_id.len != 0 && e->subject_key_id.len != 0 &&
	    !der_bytes_equal(crl->authority_key_id, e->subject_key_id))
		return oc_error_set(error, OC_ERR_MISMATCH, "CRL: its "
		    "authorityKeyIdentifier is another key's than the "
		    "issuer's certificate has");
	if (e->key_usage != 0 && (e->key_usage & X509_KU_CRL_SIGN) == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "CRL: the "
		    "issuer's certificate has a keyUsage without cRLSign");
	return OC_OK;
}

/* A list that leaves out what cannot be told from an entry is none to say by
 * that a certificate is not revoked, nor why. */
static enum oc_err
check_scope(const struct x509_crl *crl, struct oc_error *error)
{
	const struct {
		bool is_so;
		const char *what;
	} kinds[] = {
		{ crl->is_delta, "it is a delta CRL (deltaCRLIndicator)" },
		{ crl->point.is_indirect, "it is an indirect CRL" },
		{ crl->point.has_only_some_reasons, "it is for some reasons "
		    "only (onlySomeReasons)" },
		{ crl->point.has_only_attribute_certs, "it is for attribute "
		    "certificates (onlyContainsAttributeCerts)" },
		{ crl->point.has_only_user_certs &&
		    crl->point.has_only_ca_certs, "it is for users' and for "
		    "CAs' certificates only, which cannot be (RFC 5280, "
		    "5.2.5)" },
	};
	char id[DER_OID_TEXT_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].is_so)
			return oc_error_set(error, OC_ERR_UNSUPPORTED,
			    "CRL: %s; a whole one is needed", kinds[i].what);
	if (!crl->has_unknown_critical)
		return OC_OK;
	der_oid_format(crl->unknown_critical, id);
	return oc_error_set(error, OC_ERR_UNSUPPORTED, "CRL: the critical "
	    "extension %s is not known here", id);
}

enum oc_err
x509_crl_verify(const struct x509_crl *crl, const struct x509_cert *issuer,
    struct oc_error *error)
{
	enum oc_err err = check_issuer(crl, issuer, error);

	if (err == OC_OK)
		err = check_scope(crl, error);
	if (err != OC_OK)
		return err;
	if (crl->alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "CRL: signed "
		    "with an algorithm not supported here");
	return x509_spki_verify(issuer->spki, crl->alg, crl->tbs,
	    crl->signature, "CRL", error);
}

const char *
x509_crl_partial(const struct x509_crl *crl)
{
	const struct x509_crl_point *point = &crl->point;

	if (point->has_only_user_certs)
		return "onlyContainsUserCerts";
	if (point->has_only_ca_certs)
		return "onlyContainsCACerts";
	if (point->full_name.len != 0 || point->has_relative_name)
		return "distributionPoint";
	return NULL;
}
