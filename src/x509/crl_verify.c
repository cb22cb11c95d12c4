/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a CRL is, and what of the issuer's certificates it is about: RFC
 * 5280, 6.3.3, as far as it can be told without looking at the clock. */
#include <string.h>

#include "base/bytes.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/spki.h"

/* RFC 5280, 5.2.3. */
#define CRL_NUMBER_MAX 20

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

enum kind { COMPLETE, DELTA };

/* A list that leaves out what cannot be told from an entry is none to say by
 * that a certificate is not revoked, nor why. */
static enum oc_err
check_scope(const struct x509_crl *crl, enum kind kind,
    struct oc_error *error)
{
	const struct {
		bool is_so;
		const char *what;
	} kinds[] = {
		{ kind == COMPLETE && crl->is_delta, "it is a delta CRL "
		    "(deltaCRLIndicator)" },
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

static enum oc_err
verify(const struct x509_crl *crl, const struct x509_cert *issuer,
    enum kind kind, struct oc_error *error)
{
	enum oc_err err = check_issuer(crl, issuer, error);

	if (err == OC_OK)
		err = check_scope(crl, kind, error);
	if (err != OC_OK)
		return err;
	if (crl->alg == SIGN_ALG_NONE)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "CRL: signed "
		    "with an algorithm not supported here");
	return x509_spki_verify(issuer->spki, crl->alg, crl->tbs,
	    crl->signature, "CRL", error);
}

enum oc_err
x509_crl_verify(const struct x509_crl *crl, const struct x509_cert *issuer,
    struct oc_error *error)
{
	return verify(crl, issuer, COMPLETE, error);
}

enum oc_err
x509_delta_crl_verify(const struct x509_crl *crl,
    const struct x509_cert *issuer, struct oc_error *error)
{
	if (!crl->is_delta)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "delta CRL: it "
		    "is a whole CRL, without deltaCRLIndicator");
	if (crl->number.len == 0)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "delta CRL: it "
		    "has no cRLNumber, which there must be (RFC 5280, 5.2.3)");
	return verify(crl, issuer, DELTA, error);
}

int
x509_crl_number_compare(struct der_bytes a, struct der_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

static enum oc_err
refuse_number(const struct x509_crl *delta, const struct x509_crl *base,
    struct oc_error *error)
{
	char its[OC_HEX_LEN(CRL_NUMBER_MAX) + 1];
	char ours[OC_HEX_LEN(CRL_NUMBER_MAX) + 1] = "none";

	oc_hex_encode(delta->base_number.p, delta->base_number.len, its);
	if (base->number.len > 0)
		oc_hex_encode(base->number.p, base->number.len, ours);
	return oc_error_set(error, OC_ERR_REFUSED, "delta CRL: it is to a CRL "
	    "of the number 0x%s at least (BaseCRLNumber), and that is "
	    "%s%s; a newer whole one is needed", its, base->number.len > 0 ?
	    "0x" : "", ours);
}

enum oc_err
x509_delta_crl_check(const struct x509_crl *delta,
    const struct x509_crl *base, struct oc_error *error)
{
	if (!der_bytes_equal(delta->idp, base->idp) ||
	    delta->has_idp != base->has_idp)
		return oc_error_set(error, OC_ERR_REFUSED, "delta CRL: its "
		    "issuingDistributionPoint is not the CRL's");
	if (!der_bytes_equal(delta->authority_key_id,
	    base->authority_key_id))
		return oc_error_set(error, OC_ERR_REFUSED, "delta CRL: its "
		    "authorityKeyIdentifier is not the CRL's");
	if (x509_crl_number_compare(base->number, delta->base_number) < 0)
		return refuse_number(delta, base, error);
	return x509_crl_number_compare(base->number, delta->number) >= 0 ?
	    OC_ERR_EXISTS : OC_OK;
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
