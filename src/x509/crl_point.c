/* SPDX-License-Identifier: Apache-2.0 */
/* For which certificates and reasons a CRL is: RFC 5280, 5.2.5. */
#include <stdlib.h>

#include "der/reader.h"
#include "x509/crl_impl.h"
#include "x509/ext_impl.h"
#include "x509/name.h"

static bool
is_full_name(struct der_bytes contents)
{
	struct der_reader r = der_reader_of(contents);
	struct x509_san ignored;
	enum oc_err err = OC_OK;

	while (err == OC_OK && !der_at_end(&r)) {
		err = x509_get_general_name(&r, X509_FORM_NAME, &ignored);
		if (err == OC_ERR_UNSUPPORTED)
			err = OC_OK;
	}
	return err == OC_OK && contents.len > 0 && der_is_done(&r);
}

/*
 * DistributionPointName ::= CHOICE {
 *     fullName                 [0] IMPLICIT GeneralNames,
 *     nameRelativeToCRLIssuer  [1] IMPLICIT RelativeDistinguishedName }
 */
static bool
read_name(struct der_bytes contents, struct x509_crl_point *point)
{
	struct der_reader r = der_reader_of(contents);
	struct der_bytes rdn;

	if (der_next_is(&r, DER_CONTEXT(0)))
		return der_get(&r, DER_CONTEXT(0), &point->full_name) &&
		    der_is_done(&r) && is_full_name(point->full_name);
	point->has_relative_name = true;
	return der_get(&r, DER_CONTEXT(1), &rdn) && der_is_done(&r) &&
	    x509_rdn_is_valid(rdn);
}

/* BOOLEAN DEFAULT FALSE: left out, or TRUE. */
static void
get_flag(struct der_reader *r, unsigned int number, bool *flag)
{
	struct der_bytes c;

	if (!der_next_is(r, DER_CONTEXT_PRIMITIVE(number)))
		return;
	*flag = true;
	if (der_get(r, DER_CONTEXT_PRIMITIVE(number), &c) &&
	    (c.len != 1 || c.p[0] != 0xff))
		der_reader_fail(r);
}

/*
 * IssuingDistributionPoint ::= SEQUENCE {
 *     distributionPoint           [0] EXPLICIT DistributionPointName OPTIONAL,
 *     onlyContainsUserCerts       [1] IMPLICIT BOOLEAN DEFAULT FALSE,
 *     onlyContainsCACerts         [2] IMPLICIT BOOLEAN DEFAULT FALSE,
 *     onlySomeReasons             [3] IMPLICIT BIT STRING OPTIONAL,
 *     indirectCRL                 [4] IMPLICIT BOOLEAN DEFAULT FALSE,
 *     onlyContainsAttributeCerts  [5] IMPLICIT BOOLEAN DEFAULT FALSE }
 */
bool
x509_read_crl_point(struct der_bytes value, struct x509_crl_point *out)
{
	struct der_reader r = der_reader_of(value), inner;
	struct x509_crl_point point = { .full_name = { NULL, 0 } };
	struct der_bytes c;

	if (!der_enter(&r, DER_SEQUENCE, &inner))
		return false;
	if (der_next_is(&inner, DER_CONTEXT(0)) &&
	    (!der_get(&inner, DER_CONTEXT(0), &c) || !read_name(c, &point)))
		return false;
	get_flag(&inner, 1, &point.has_only_user_certs);
	get_flag(&inner, 2, &point.has_only_ca_certs);
	if (der_next_is(&inner, DER_CONTEXT_PRIMITIVE(3))) {
		point.has_only_some_reasons = true;
		if (der_get(&inner, DER_CONTEXT_PRIMITIVE(3), &c) &&
		    (c.len < 2 || c.p[0] > 7))
			return false;
	}
	get_flag(&inner, 4, &point.is_indirect);
	get_flag(&inner, 5, &point.has_only_attribute_certs);
	if (!der_leave(&r, &inner) || !der_is_done(&r))
		return false;
	*out = point;
	return true;
}

/* The next URI; false: there is none. */
static bool
next_url(struct der_reader *r, struct der_bytes *url)
{
	struct x509_san name;
	enum oc_err err = OC_OK;

	while ((err == OC_OK || err == OC_ERR_UNSUPPORTED) &&
	    !der_at_end(r)) {
		err = x509_get_general_name(r, X509_FORM_NAME, &name);
		if (err == OC_OK && name.kind == X509_SAN_URI) {
			*url = name.value;
			return true;
		}
	}
	return false;
}

uint32_t
x509_crl_point_urls(const struct x509_crl_point *point,
    struct der_bytes *urls, uint32_t num_max)
{
	struct der_reader r = der_reader_of(point->full_name);
	uint32_t num = 0;

	while (num < num_max && next_url(&r, &urls[num]))
		num++;
	return num;
}

bool
x509_crl_point_has_url(const struct x509_crl_point *point,
    struct der_bytes url)
{
	struct der_reader r = der_reader_of(point->full_name);
	struct der_bytes found;

	while (next_url(&r, &found))
		if (der_bytes_equal(found, url))
			return true;
	return false;
}

/* FreshestCRL ::= CRLDistributionPoints */
uint32_t
x509_crl_freshest_urls(const struct x509_crl *crl, struct der_bytes *urls,
    uint32_t num_max)
{
	struct x509_extensions *e;
	uint32_t num = 0;

	if (crl->freshest.len == 0)
		return 0;
	e = calloc(1, sizeof(*e));
	if (e != NULL && x509_read_crl_points(crl->freshest, e) == OC_OK)
		for (; num < num_max && num < e->num_crl_urls; num++)
			urls[num] = e->crl_urls[num];
	free(e);
	return num;
}
