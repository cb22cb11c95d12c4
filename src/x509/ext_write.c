/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate extensions, RFC 5280 section 4.2.1, written.
 *
 * Each put_ function appends one extnValue's contents and follows the type
 * quoted above it; put_extension() puts the Extension around it.
 */
#include "der/header.h"
#include "x509/ext_impl.h"

enum criticality { NOT_CRITICAL, CRITICAL };

typedef void put_value_fn(struct der_writer *w,
    const struct x509_extensions *e);

bool
x509_is_given(struct der_bytes bytes)
{
	return bytes.len != 0 || der_is_hole(bytes);
}

/*
 * Extension ::= SEQUENCE {
 *     extnID     OBJECT IDENTIFIER,
 *     critical   BOOLEAN DEFAULT FALSE,
 *     extnValue  OCTET STRING }
 */
static void
put_extension(struct der_writer *w, enum der_oid oid,
    enum criticality criticality, put_value_fn *put_value,
    const struct x509_extensions *e)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, oid);
	if (criticality == CRITICAL)
		der_put_boolean(w, true);
	der_begin(w, DER_OCTET_STRING);
	put_value(w, e);
	der_end(w);
	der_end(w);
}

/*
 * BasicConstraints ::= SEQUENCE {
 *     cA                 BOOLEAN DEFAULT FALSE,
 *     pathLenConstraint  INTEGER (0..MAX) OPTIONAL }
 */
static void
put_basic_constraints(struct der_writer *w, const struct x509_extensions *e)
{
	der_begin(w, DER_SEQUENCE);
	if (e->ca == X509_IS_CA) {
		der_put_boolean(w, true);
		if (e->path_length != X509_NO_PATH_LENGTH)
			der_put_uint(w, (uint64_t)e->path_length);
	}
	der_end(w);
}

/* KeyUsage ::= BIT STRING { digitalSignature(0), ... decipherOnly(8) } */
static void
put_key_usage(struct der_writer *w, const struct x509_extensions *e)
{
	der_put_named_bits(w, e->key_usage);
}

/* ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER */
static void
put_ekus(struct der_writer *w, const struct x509_extensions *e)
{
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < e->num_ekus; i++)
		der_put_oid_bytes(w, e->ekus[i]);
	der_end(w);
}

/* SubjectKeyIdentifier ::= OCTET STRING */
static void
put_subject_key_id(struct der_writer *w, const struct x509_extensions *e)
{
	der_put_octets(w, e->subject_key_id);
}

/*
 * AuthorityKeyIdentifier ::= SEQUENCE {
 *     keyIdentifier  [0] IMPLICIT OCTET STRING OPTIONAL,
 *     authorityCertIssuer        [1] IMPLICIT GeneralNames OPTIONAL,
 *     authorityCertSerialNumber  [2] IMPLICIT INTEGER OPTIONAL }
 */
void
x509_put_authority_key_id(struct der_writer *w, struct der_bytes key_id)
{
	der_begin(w, DER_SEQUENCE);
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(0), key_id);
	der_end(w);
}

static void
put_authority_key_id(struct der_writer *w, const struct x509_extensions *e)
{
	x509_put_authority_key_id(w, e->authority_key_id);
}

/*
 * GeneralName ::= CHOICE {
 *     rfc822Name    [1] IMPLICIT IA5String,
 *     dNSName       [2] IMPLICIT IA5String,
 *     directoryName [4] EXPLICIT Name,
 *     uniformResourceIdentifier [6] IMPLICIT IA5String,
 *     iPAddress     [7] IMPLICIT OCTET STRING, ... }
 *
 * Name is a CHOICE, so its tag is EXPLICIT whatever the module says.  Each is
 * a tag and the octets of a value; 0 for a kind that is none of ours.
 */
static uint8_t
general_name_tag(const struct x509_san *san)
{
	switch (san->kind) {
	case X509_SAN_EMAIL:
	case X509_SAN_DNS:
	case X509_SAN_URI:
	case X509_SAN_IP:
		return (uint8_t)DER_CONTEXT_PRIMITIVE(san->kind);
	case X509_SAN_DIRECTORY:
		return (uint8_t)DER_CONTEXT(san->kind);
	}
	return 0;
}

void
x509_put_general_name(struct der_writer *w, const struct x509_san *san)
{
	uint8_t tag = general_name_tag(san);

	if (tag == 0)
		der_fail(w, OC_ERR_UNSUPPORTED);
	else
		der_put_primitive(w, tag, san->value);
}

/* GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName */
void
x509_put_sans(struct der_writer *w, const struct x509_san *sans,
    uint32_t num_sans)
{
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < num_sans; i++)
		x509_put_general_name(w, &sans[i]);
	der_end(w);
}

/* What they take together, which fits into a length. */
static enum oc_err
measure_sans(const struct x509_san *sans, uint32_t num_sans, size_t *len)
{
	size_t left = UINT32_MAX - DER_HEADER_MAX, value_len, header_len;
	uint32_t i;

	for (i = 0; i < num_sans; i++) {
		oc_assert(!der_is_hole(sans[i].value));
		if (general_name_tag(&sans[i]) == 0)
			return OC_ERR_UNSUPPORTED;
		value_len = sans[i].value.len;
		header_len = der_header_len(value_len);
		if (value_len > left || header_len > left - value_len)
			return OC_ERR_LIMIT;
		left -= header_len + value_len;
	}
	*len = UINT32_MAX - DER_HEADER_MAX - left;
	return OC_OK;
}

enum oc_err
x509_write_sans(const struct x509_san *sans, uint32_t num_sans, uint8_t *out,
    size_t out_max, size_t *len)
{
	size_t contents_len, header_len;
	enum oc_err err;
	uint32_t i;

	if ((err = measure_sans(sans, num_sans, &contents_len)) != OC_OK)
		return err;
	header_len = der_header_len(contents_len);
	if (header_len > out_max || contents_len > out_max - header_len)
		return OC_ERR_NO_SPACE;
	out += der_put_header(out, DER_SEQUENCE, contents_len);
	for (i = 0; i < num_sans; i++) {
		struct der_bytes value = sans[i].value;

		out += der_put_header(out, general_name_tag(&sans[i]),
		    value.len);
		if (value.len > 0)
			memcpy(out, value.p, value.len);
		out += value.len;
	}
	*len = header_len + contents_len;
	return OC_OK;
}

static void
put_subject_alt_name(struct der_writer *w, const struct x509_extensions *e)
{
	if (x509_is_given(e->general_names))
		der_put_raw(w, e->general_names);
	else
		x509_put_sans(w, e->sans, e->num_sans);
}

/*
 * AccessDescription ::= SEQUENCE {
 *     accessMethod    OBJECT IDENTIFIER,
 *     accessLocation  GeneralName }
 */
static void
put_access(struct der_writer *w, enum der_oid method, struct der_bytes url)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, method);
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(X509_SAN_URI), url);
	der_end(w);
}

/* AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF
 *     AccessDescription */
static void
put_info_access(struct der_writer *w, const struct x509_extensions *e)
{
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < e->num_ocsp_urls; i++)
		put_access(w, DER_OID_AD_OCSP, e->ocsp_urls[i]);
	for (i = 0; i < e->num_ca_issuers_urls; i++)
		put_access(w, DER_OID_AD_CA_ISSUERS, e->ca_issuers_urls[i]);
	der_end(w);
}

/*
 * DistributionPoint ::= SEQUENCE {
 *     distributionPoint  [0] EXPLICIT CHOICE {
 *         fullName  [0] IMPLICIT GeneralNames, ... } OPTIONAL, ... }
 */
static void
put_distribution_point(struct der_writer *w, struct der_bytes url)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(0));
	der_begin(w, DER_CONTEXT(0));
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(X509_SAN_URI), url);
	der_end(w);
	der_end(w);
	der_end(w);
}

/* CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint */
void
x509_put_crl_points(struct der_writer *w, const struct der_bytes *urls,
    uint32_t num)
{
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < num; i++)
		put_distribution_point(w, urls[i]);
	der_end(w);
}

struct points {
	const struct der_bytes *urls;
	uint32_t num;
};

static void
put_points(struct der_writer *w, const void *arg)
{
	const struct points *points = arg;

	x509_put_crl_points(w, points->urls, points->num);
}

enum oc_err
x509_write_crl_points(const struct der_bytes *urls, uint32_t num,
    uint8_t *out, size_t out_max, size_t *len)
{
	const struct points points = { urls, num };

	return der_write(put_points, &points, out, out_max, len);
}

static void
put_crl_points(struct der_writer *w, const struct x509_extensions *e)
{
	x509_put_crl_points(w, e->crl_urls, e->num_crl_urls);
}

/* id-pkix-ocsp-nocheck: NULL, RFC 6960 4.2.2.2.1. */
static void
put_nocheck(struct der_writer *w, const struct x509_extensions *e)
{
	(void)e;
	der_put_null(w);
}

/* One that we know nothing of: OID, criticality and value as given. */
static void
put_other(struct der_writer *w, const struct x509_extensions *e, uint32_t i)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid_bytes(w, e->others[i]);
	if (e->is_other_critical[i])
		der_put_boolean(w, true);
	der_put_octets(w, e->other_values[i]);
	der_end(w);
}

static void
check_counts(const struct x509_extensions *e)
{
	oc_assert(e->num_sans <= X509_SANS_MAX);
	oc_assert(e->num_ekus <= X509_EKUS_MAX);
	oc_assert(e->num_ocsp_urls <= X509_URLS_MAX);
	oc_assert(e->num_ca_issuers_urls <= X509_URLS_MAX);
	oc_assert(e->num_crl_urls <= X509_URLS_MAX);
	oc_assert(e->num_policies <= X509_POLICIES_MAX);
	oc_assert(e->name_constraints.num_permitted <= X509_SUBTREES_MAX);
	oc_assert(e->name_constraints.num_excluded <= X509_SUBTREES_MAX);
	oc_assert(e->num_others <= X509_EXTENSIONS_MAX);
	oc_assert(!e->has_basic_constraints ||
	    e->path_length >= X509_NO_PATH_LENGTH);
}

static bool
has_sans(const struct x509_extensions *e)
{
	return e->num_sans != 0 || x509_is_given(e->general_names);
}

static bool
has_info_access(const struct x509_extensions *e)
{
	return e->num_ocsp_urls != 0 || e->num_ca_issuers_urls != 0;
}

static bool
has_constraints(const struct x509_extensions *e)
{
	return e->name_constraints.num_permitted != 0 ||
	    e->name_constraints.num_excluded != 0;
}

static bool
is_empty(const struct x509_extensions *e)
{
	return !e->has_basic_constraints && e->key_usage == 0 &&
	    e->num_ekus == 0 && !x509_is_given(e->subject_key_id) &&
	    !x509_is_given(e->authority_key_id) && !has_sans(e) &&
	    !has_info_access(e) && e->num_crl_urls == 0 &&
	    !e->has_ocsp_nocheck && e->num_policies == 0 &&
	    !has_constraints(e) && e->num_others == 0;
}

/* Those of the key and the names. */
static void
put_identity(struct der_writer *w, const struct x509_extensions *e)
{
	if (x509_is_given(e->subject_key_id))
		put_extension(w, DER_OID_SUBJECT_KEY_IDENTIFIER, NOT_CRITICAL,
		    put_subject_key_id, e);
	if (x509_is_given(e->authority_key_id))
		put_extension(w, DER_OID_AUTHORITY_KEY_IDENTIFIER,
		    NOT_CRITICAL, put_authority_key_id, e);
	if (has_sans(e))
		put_extension(w, DER_OID_SUBJECT_ALT_NAME,
		    e->is_san_critical ? CRITICAL : NOT_CRITICAL,
		    put_subject_alt_name, e);
}

/*
 * Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
 */
void
x509_put_extensions(struct der_writer *w, const struct x509_extensions *e)
{
	uint32_t i;

	check_counts(e);
	if (is_empty(e)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_begin(w, DER_SEQUENCE);
	if (e->has_basic_constraints)
		put_extension(w, DER_OID_BASIC_CONSTRAINTS, CRITICAL,
		    put_basic_constraints, e);
	if (e->key_usage != 0)
		put_extension(w, DER_OID_KEY_USAGE, CRITICAL, put_key_usage,
		    e);
	if (e->num_ekus != 0)
		put_extension(w, DER_OID_EXTENDED_KEY_USAGE, NOT_CRITICAL,
		    put_ekus, e);
	put_identity(w, e);
	if (has_info_access(e))
		put_extension(w, DER_OID_AUTHORITY_INFO_ACCESS, NOT_CRITICAL,
		    put_info_access, e);
	if (e->num_crl_urls != 0)
		put_extension(w, DER_OID_CRL_DISTRIBUTION_POINTS,
		    NOT_CRITICAL, put_crl_points, e);
	if (e->has_ocsp_nocheck)
		put_extension(w, DER_OID_OCSP_NOCHECK, NOT_CRITICAL,
		    put_nocheck, e);
	if (e->num_policies != 0)
		put_extension(w, DER_OID_CERTIFICATE_POLICIES, NOT_CRITICAL,
		    x509_put_policies, e);
	if (has_constraints(e))
		put_extension(w, DER_OID_NAME_CONSTRAINTS, CRITICAL,
		    x509_put_constraints, e);
	for (i = 0; i < e->num_others; i++)
		put_other(w, e, i);
	der_end(w);
}
