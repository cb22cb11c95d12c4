/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TBSCertList against the limits of the key that is to sign it: a list of
 * this CA's own certificates, all of them or a part by a distribution point,
 * whole or a delta.
 */
#include "pkcs11/allow_impl.h"

#include <string.h>

/* RFC 5280, 5.2.3: at most 20 octets, and not negative. */
static bool
get_crl_number(struct der_bytes contents, struct der_bytes *number)
{
	struct der_reader r = der_reader_of(contents);

	return der_get_integer(&r, number) && der_is_done(&r) &&
	    number->len <= 20 && (number->p[0] & 0x80) == 0;
}

static int
compare_numbers(struct der_bytes a, struct der_bytes b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.p, b.p, a.len);
}

/*
 * distributionPoint  [0] EXPLICIT CHOICE { fullName [0] GeneralNames, ... }
 * of URIs alone.
 */
static bool
is_by_url(struct der_reader *point)
{
	struct der_reader name, names;
	struct der_bytes url;
	uint32_t num = 0;

	if (!der_enter(point, DER_CONTEXT(0), &name) ||
	    !der_enter(&name, DER_CONTEXT(0), &names))
		return false;
	while (der_get(&names, DER_CONTEXT_PRIMITIVE(6), &url) && url.len > 0) {
		num++;
		if (der_at_end(&names))
			break;
	}
	return num > 0 && der_is_done(&names) && der_leave(&name, &names) &&
	    der_leave(point, &name);
}

/*
 * IssuingDistributionPoint ::= SEQUENCE {
 *     distributionPoint      [0] EXPLICIT DistributionPointName OPTIONAL,
 *     onlyContainsUserCerts  [1] IMPLICIT BOOLEAN DEFAULT FALSE,
 *     onlyContainsCACerts    [2] IMPLICIT BOOLEAN DEFAULT FALSE, ... }
 * A part of this CA's certificates, at a URL: not an indirect list, nor one
 * for some reasons or for attribute certificates.
 */
static enum oc_err
check_point(const struct p11_extension *e, struct oc_error *error)
{
	struct der_reader r = der_reader_of(e->value), inner;
	struct der_bytes only;
	unsigned int n, num_only = 0;

	if (!e->is_critical)
		return p11_allow_refuse(error,
		    "issuingDistributionPoint is not critical");
	if (!der_enter(&r, DER_SEQUENCE, &inner) || !is_by_url(&inner))
		return p11_allow_refuse(error, "the CRL's "
		    "issuingDistributionPoint names no URL alone");
	for (n = 1; n <= 2; n++)
		if (der_next_is(&inner, DER_CONTEXT_PRIMITIVE(n)) &&
		    der_get(&inner, DER_CONTEXT_PRIMITIVE(n), &only)) {
			if (only.len != 1 || only.p[0] != 0xff)
				return p11_allow_malformed(error,
				    "issuingDistributionPoint");
			num_only++;
		}
	if (num_only > 1 || !der_leave(&r, &inner) || !der_is_done(&r))
		return p11_allow_refuse(error, "the CRL's "
		    "issuingDistributionPoint makes another list of it");
	return OC_OK;
}

/* BaseCRLNumber ::= CRLNumber: of the list that this is a delta to. */
static enum oc_err
check_delta(const struct p11_extensions *all, const struct p11_extension *e,
    struct der_bytes number, struct oc_error *error)
{
	struct der_bytes base;

	if (!e->is_critical)
		return p11_allow_refuse(error,
		    "deltaCRLIndicator is not critical");
	if (!get_crl_number(e->value, &base))
		return p11_allow_malformed(error, "BaseCRLNumber");
	if (number.len == 0 || compare_numbers(base, number) > 0)
		return p11_allow_refuse(error, "the delta CRL's number is "
		    "below that of its base");
	if (p11_allow_find(all, DER_OID_FRESHEST_CRL) != NULL)
		return p11_allow_refuse(error,
		    "a delta CRL has a freshestCRL");
	return OC_OK;
}

/*
 * crlExtensions: RFC 5280, 5.2.  A number that is a number; what is critical
 * makes a part of it or a delta, and no other list.
 */
static enum oc_err
check_crl_extensions(const struct p11_limits *limits,
    struct der_bytes contents, struct oc_error *error)
{
	struct p11_extensions all;
	const struct p11_extension *number;
	struct der_bytes value = { NULL, 0 };
	enum oc_err err;

	if (contents.len == 0)
		return p11_allow_refuse(error, "the CRL has no number");
	err = p11_allow_read_extensions(contents, &all, error);
	if (err == OC_OK)
		err = p11_allow_check_authority(&all, limits->key_id, error);
	if (err != OC_OK)
		return err;
	number = p11_allow_find(&all, DER_OID_CRL_NUMBER);
	if (number != NULL && !get_crl_number(number->value, &value))
		return p11_allow_malformed(error, "CRLNumber");
	if (number == NULL && limits->key_id.len > 0)
		return p11_allow_refuse(error, "the CRL has no number");
	for (size_t i = 0; err == OC_OK && i < all.num; i++) {
		const struct p11_extension *e = &all.list[i];

		if (e->oid == DER_OID_ISSUING_DISTRIBUTION_POINT)
			err = check_point(e, error);
		else if (e->oid == DER_OID_DELTA_CRL_INDICATOR)
			err = check_delta(&all, e, value, error);
		else if (e->is_critical)
			err = p11_allow_refuse(error,
			    "the CRL has a critical extension");
	}
	return err;
}

#define NO_NEXT_UPDATE INT64_MAX

static enum oc_err
check_crl_times(int64_t this_update, int64_t next_update, int64_t now_s,
    struct oc_error *error)
{
	/* It may stand before the epoch: no difference with that. */
	if (next_update == NO_NEXT_UPDATE)
		return p11_allow_refuse(error, "the CRL has no nextUpdate");
	if (this_update > next_update)
		return p11_allow_refuse(error,
		    "the CRL ends before it begins");
	if (this_update > now_s + P11_OCSP_SKEW_S)
		return p11_allow_refuse(error,
		    "the CRL's thisUpdate lies in the future");
	if (next_update - this_update > P11_CRL_LIFE_MAX_S)
		return p11_allow_refuse(error,
		    "the CRL lasts longer than five years");
	return OC_OK;
}

/*
 * TBSCertList ::= SEQUENCE {
 *     version              Version,                       v2(1)
 *     signature            AlgorithmIdentifier,
 *     issuer               Name,
 *     thisUpdate           Time,
 *     nextUpdate           Time OPTIONAL,
 *     revokedCertificates  SEQUENCE OF ... OPTIONAL,
 *     crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
 */
enum oc_err
p11_allow_check_crl(const struct p11_allow *allow, enum sign_alg alg,
    struct der_bytes tbs, int64_t now_s, struct oc_error *error)
{
	struct der_bytes identifier, issuer, skipped, extensions = { NULL, 0 };
	struct der_reader r = der_reader_of(tbs), c, e;
	int64_t this_update, next_update = NO_NEXT_UPDATE;
	enum oc_err err;
	uint64_t v;

	if (!der_enter(&r, DER_SEQUENCE, &c) || !der_is_done(&r) ||
	    !der_get_uint(&c, &v) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &identifier) ||
	    !der_get_tlv(&c, DER_SEQUENCE, &issuer) ||
	    !der_get_time(&c, &this_update))
		return p11_allow_malformed(error, "TBSCertList");
	if (der_next_is(&c, DER_UTC_TIME) ||
	    der_next_is(&c, DER_GENERALIZED_TIME))
		(void)der_get_time(&c, &next_update);
	if (der_next_is(&c, DER_SEQUENCE))
		(void)der_get(&c, DER_SEQUENCE, &skipped);
	if (der_enter_optional(&c, DER_CONTEXT(0), &e) &&
	    (!der_get(&e, DER_SEQUENCE, &extensions) || !der_leave(&c, &e)))
		return p11_allow_malformed(error, "TBSCertList");
	if (!der_is_done(&c))
		return p11_allow_malformed(error, "TBSCertList");
	if (v != 1)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the CRL is not version 2");
	err = check_crl_times(this_update, next_update, now_s, error);
	if (err != OC_OK)
		return err;
	if (allow->name.len == 0 || !der_bytes_equal(issuer, allow->name))
		return oc_error_set(error, OC_ERR_REFUSED,
		    "the CRL's issuer is not this key's subject");
	if (extensions.len > 0 || allow->limits.key_id.len > 0)
		err = check_crl_extensions(&allow->limits, extensions, error);
	return err != OC_OK ? err : p11_allow_check_alg(identifier, alg, error);
}
