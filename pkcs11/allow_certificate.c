/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TBSCertificate against the limits of the key that is to sign it.  What a
 * certificate is good for by policy, ca/ decides; here stands what nobody who
 * reaches the signer's socket may have, whatever policy says.
 */
#include "pkcs11/allow_impl.h"

/* What is looked at. */
struct candidate {
	struct der_bytes identifier, issuer, subject, spki;
	int64_t from, to;
	struct p11_extensions extensions;
	bool is_ca;
};

/*
 * TBSCertificate ::= SEQUENCE {
 *     version          [0] EXPLICIT Version,              v3(2)
 *     serialNumber     INTEGER,
 *     signature        AlgorithmIdentifier,
 *     issuer           Name,
 *     validity         SEQUENCE { Time, Time },
 *     subject          Name,
 *     subjectPublicKeyInfo SubjectPublicKeyInfo,
 *     issuerUniqueID   [1] IMPLICIT OPTIONAL,             not done here
 *     subjectUniqueID  [2] IMPLICIT OPTIONAL,             not done here
 *     extensions       [3] EXPLICIT Extensions OPTIONAL }
 */
static enum oc_err
read_candidate(struct der_bytes tbs, struct candidate *out,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(tbs), c, version, validity, e;
	struct der_bytes extensions = { NULL, 0 };
	struct oc_serial serial;
	bool has_extensions;
	uint64_t v = 0;

	der_enter(&r, DER_SEQUENCE, &c);
	der_enter(&c, DER_CONTEXT(0), &version);
	der_get_uint(&version, &v);
	der_leave(&c, &version);
	der_get_serial(&c, &serial);	/* positive, 20 octets at most */
	der_get_tlv(&c, DER_SEQUENCE, &out->identifier);
	der_get_tlv(&c, DER_SEQUENCE, &out->issuer);
	der_enter(&c, DER_SEQUENCE, &validity);
	der_get_time(&validity, &out->from);
	der_get_time(&validity, &out->to);
	der_leave(&c, &validity);
	der_get_tlv(&c, DER_SEQUENCE, &out->subject);
	der_get_tlv(&c, DER_SEQUENCE, &out->spki);
	has_extensions = der_enter_optional(&c, DER_CONTEXT(3), &e);
	if (has_extensions) {
		der_get(&e, DER_SEQUENCE, &extensions);
		der_leave(&c, &e);
	}
	der_leave(&r, &c);
	if (!der_is_valid(tbs) || !der_is_done(&r))
		return p11_allow_malformed(error, "TBSCertificate");
	if (v != 2)
		return p11_allow_refuse(error,
		    "the certificate is not version 3");
	out->extensions.num = 0;
	return has_extensions ? p11_allow_read_extensions(extensions,
	    &out->extensions, error) : OC_OK;
}

/* --- whose ---------------------------------------------------------------- */

static enum oc_err
check_names(const struct p11_allow *allow, struct der_bytes own,
    const struct candidate *c, struct oc_error *error)
{
	bool is_own_name = der_bytes_equal(c->subject, c->issuer);
	bool is_own_key = der_bytes_equal(c->spki, own);

	if (allow->name.len > 0 && !der_bytes_equal(c->issuer, allow->name))
		return p11_allow_refuse(error, "the certificate's issuer is "
		    "not this key's subject");
	if (allow->name.len == 0 && !(is_own_name && is_own_key))
		return p11_allow_refuse(error, "a key without a certificate "
		    "signs only its own certificate");
	/* Self-issued ones are not counted in a path's length: RFC 5280,
	 * 6.1.4 (l).  One of another key would be a CA nobody limits. */
	if (is_own_name && !is_own_key)
		return p11_allow_refuse(error, "the certificate gives the "
		    "CA's own name to another key");
	if (is_own_key && !(is_own_name && c->is_ca))
		return p11_allow_refuse(error, "the certificate gives the "
		    "CA's own key to somebody else, or for something else");
	return OC_OK;
}

/*
 * BasicConstraints ::= SEQUENCE {
 *     cA                 BOOLEAN DEFAULT FALSE,
 *     pathLenConstraint  INTEGER (0..MAX) OPTIONAL }
 */
static enum oc_err
check_basic_constraints(const struct p11_limits *limits,
    struct candidate *c, bool has_limits, struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(&c->extensions,
	    DER_OID_BASIC_CONSTRAINTS);
	struct der_reader r, inner;
	uint64_t path_length = 0;
	bool has_length = false;

	c->is_ca = false;
	if (e == NULL)
		return OC_OK;
	r = der_reader_of(e->value);
	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_next_is(&inner, DER_BOOLEAN))
		der_get_boolean(&inner, &c->is_ca);
	if (c->is_ca && der_next_is(&inner, DER_INTEGER)) {
		has_length = true;
		der_get_uint(&inner, &path_length);
	}
	der_leave(&r, &inner);
	if (!der_is_done(&r))
		return p11_allow_malformed(error, "BasicConstraints");
	if (!c->is_ca || !has_limits)
		return OC_OK;
	if (limits->sign_ca != P11_MAY)
		return p11_allow_refuse(error, "this key certifies no CA");
	if (!e->is_critical)
		return p11_allow_refuse(error, "the CA certificate's "
		    "basicConstraints is not critical");
	if (limits->max_path_length != P11_ANY_PATH_LENGTH && (!has_length ||
	    path_length > (uint64_t)limits->max_path_length))
		return oc_error_set(error, OC_ERR_REFUSED, "the CA "
		    "certificate's path length is more than %d",
		    limits->max_path_length);
	return OC_OK;
}

/* KeyUsage ::= BIT STRING, RFC 5280 4.2.1.3 */
#define KEY_CERT_SIGN (1u << 5)

static enum oc_err
check_key_usage(const struct candidate *c, struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(&c->extensions,
	    DER_OID_KEY_USAGE);
	struct der_reader r;
	uint32_t bits = 0;

	if (e == NULL)
		return OC_OK;
	r = der_reader_of(e->value);
	der_get_named_bits(&r, &bits);
	if (!der_is_done(&r))
		return p11_allow_malformed(error, "KeyUsage");
	if (((bits & KEY_CERT_SIGN) != 0) != c->is_ca)
		return p11_allow_refuse(error, c->is_ca ? "the CA "
		    "certificate's keyUsage has no keyCertSign" :
		    "keyCertSign in a certificate that is no CA's");
	return OC_OK;
}

static enum oc_err
check_key_ids(const struct p11_limits *limits, const struct candidate *c,
    struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(&c->extensions,
	    DER_OID_SUBJECT_KEY_IDENTIFIER);
	struct der_bytes id = { NULL, 0 };
	struct der_reader r;

	if (e != NULL) {
		r = der_reader_of(e->value);
		der_get(&r, DER_OCTET_STRING, &id);
		if (!der_is_done(&r) || id.len == 0)
			return p11_allow_malformed(error,
			    "SubjectKeyIdentifier");
	}
	/* RFC 5280, 4.2.1.2. */
	if (c->is_ca && limits->key_id.len > 0 && id.len == 0)
		return p11_allow_refuse(error, "the CA certificate has no "
		    "subjectKeyIdentifier");
	if (!der_bytes_equal(c->subject, c->issuer) && id.len > 0 &&
	    der_bytes_equal(id, limits->key_id))
		return p11_allow_refuse(error, "the certificate gives the "
		    "CA's own key identifier to another key");
	return p11_allow_check_authority(&c->extensions, limits->key_id,
	    error);
}

/* --- what for ------------------------------------------------------------- */

/* ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER */
static enum oc_err
check_ekus(const struct p11_limits *limits, const struct candidate *c,
    struct oc_error *error)
{
	const struct p11_extension *e = p11_allow_find(&c->extensions,
	    DER_OID_EXTENDED_KEY_USAGE);
	char text[DER_OID_TEXT_MAX];
	struct der_reader r, inner;
	struct der_bytes oid;

	if (e == NULL)
		return limits->ekus.len == 0 || c->is_ca ? OC_OK :
		    p11_allow_refuse(error, "the certificate is for anything: "
		    "it has no extendedKeyUsage");
	r = der_reader_of(e->value);
	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return p11_allow_malformed(error, "ExtKeyUsageSyntax");
	while (!der_at_end(&inner)) {
		if (!der_get_oid(&inner, &oid))
			return p11_allow_malformed(error,
			    "ExtKeyUsageSyntax");
		if (der_oid_find(oid) == DER_OID_OCSP_SIGNING &&
		    (limits->sign_ocsp_signer != P11_MAY || c->is_ca))
			return p11_allow_refuse(error, "this key certifies "
			    "no signer of OCSP responses");
		if (limits->ekus.len == 0 ||
		    p11_allow_is_listed(limits->ekus, oid))
			continue;
		der_oid_format(oid, text);
		return oc_error_set(error, OC_ERR_REFUSED, "this key "
		    "certifies nothing for the extended key usage %.100s",
		    text);
	}
	der_leave(&r, &inner);
	return der_is_done(&r) ? OC_OK : p11_allow_malformed(error,
	    "ExtKeyUsageSyntax");
}

static enum oc_err
check_criticals(const struct p11_limits *limits, const struct candidate *c,
    struct oc_error *error)
{
	static const enum der_oid known[] = {
		DER_OID_BASIC_CONSTRAINTS, DER_OID_KEY_USAGE,
		DER_OID_EXTENDED_KEY_USAGE, DER_OID_SUBJECT_ALT_NAME,
		DER_OID_NAME_CONSTRAINTS, DER_OID_CERTIFICATE_POLICIES,
		DER_OID_CRL_DISTRIBUTION_POINTS
	};
	char text[DER_OID_TEXT_MAX];

	for (size_t i = 0; i < c->extensions.num; i++) {
		const struct p11_extension *e = &c->extensions.list[i];
		bool is_known = !e->is_critical ||
		    p11_allow_is_listed(limits->criticals, e->id);

		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			is_known = is_known || e->oid == known[k];
		if (is_known)
			continue;
		der_oid_format(e->id, text);
		return oc_error_set(error, OC_ERR_REFUSED, "the extension "
		    "%.80s is critical, and critical-extensions of its "
		    "[issuer] does not name it", text);
	}
	return OC_OK;
}

/* --- how long ------------------------------------------------------------- */

static enum oc_err
check_times(const struct p11_limits *limits, const struct candidate *c,
    bool has_limits, int64_t now_s, struct oc_error *error)
{
	if (c->from > c->to)
		return p11_allow_refuse(error,
		    "the certificate ends before it begins");
	if (!has_limits)
		return OC_OK;
	if (c->from < limits->not_before || (limits->not_after != 0 &&
	    c->to > limits->not_after))
		return p11_allow_refuse(error, "the certificate is not "
		    "within the life of its issuer's");
	if (c->from < now_s - P11_BACKDATE_MAX_S)
		return p11_allow_refuse(error,
		    "the certificate begins more than 400 days ago");
	if (limits->max_validity_s != 0 &&
	    c->to - c->from > limits->max_validity_s)
		return p11_allow_refuse(error, "the certificate lives longer "
		    "than max-validity of its [issuer]");
	return OC_OK;
}

enum oc_err
p11_allow_check_certificate(const struct p11_allow *allow,
    struct der_bytes spki, enum sign_alg alg, struct der_bytes tbs,
    int64_t now_s, struct oc_error *error)
{
	/* A key without a certificate makes its own: by name and key it can
	 * be no other. */
	bool has_limits = allow->name.len > 0;
	struct candidate c = { .is_ca = false };
	enum oc_err err;

	err = read_candidate(tbs, &c, error);
	if (err == OC_OK)
		err = p11_allow_check_alg(c.identifier, alg, error);
	if (err == OC_OK)
		err = check_basic_constraints(&allow->limits, &c, has_limits,
		    error);
	if (err == OC_OK)
		err = check_names(allow, spki, &c, error);
	if (err == OC_OK)
		err = check_times(&allow->limits, &c, has_limits, now_s,
		    error);
	if (err == OC_OK)
		err = check_key_usage(&c, error);
	if (err == OC_OK && has_limits)
		err = check_key_ids(&allow->limits, &c, error);
	if (err == OC_OK && has_limits)
		err = check_ekus(&allow->limits, &c, error);
	if (err == OC_OK && has_limits)
		err = p11_allow_check_dns(&allow->limits, &c.extensions,
		    c.is_ca ? (struct der_bytes){ NULL, 0 } : c.subject,
		    error);
	if (err == OC_OK)
		err = check_criticals(&allow->limits, &c, error);
	return err;
}
