/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate extensions, RFC 5280 section 4.2.1, read: every Extension is
 * looked up in one table, and its reader sorts the contents into views.
 *
 * The types are quoted in ext_write.c; here only what is not written.
 */
#include <limits.h>

#include "x509/ext_impl.h"
#include "x509/name.h"

/* value is the contents of extnValue.  Not MUST_CHECK by attribute: they are
 * called through the table only. */
typedef enum oc_err read_value_fn(struct der_bytes value,
    struct x509_extensions *out);

static enum oc_err
done(const struct der_reader *r)
{
	return der_is_done(r) ? OC_OK : OC_ERR_MALFORMED;
}

static enum oc_err
read_basic_constraints(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;
	uint64_t path_length;
	bool is_ca;

	out->has_basic_constraints = true;
	out->ca = X509_NOT_CA;
	out->path_length = X509_NO_PATH_LENGTH;
	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_next_is(&inner, DER_BOOLEAN) &&
	    der_get_boolean(&inner, &is_ca)) {
		if (!is_ca)		/* a DEFAULT is not encoded */
			return OC_ERR_MALFORMED;
		out->ca = X509_IS_CA;
		/* Without cA it would mean nothing: RFC 5280 4.2.1.9. */
		if (der_next_is(&inner, DER_INTEGER) &&
		    der_get_uint(&inner, &path_length)) {
			if (path_length > INT_MAX)
				return OC_ERR_LIMIT;
			out->path_length = (int)path_length;
		}
	}
	der_leave(&r, &inner);
	return done(&r);
}

static enum oc_err
read_key_usage(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value);
	uint32_t bits = 0;

	der_get_named_bits(&r, &bits);
	/* At least one bit, RFC 5280 4.2.1.3; bit 8 is the last there is. */
	if (!der_is_done(&r) || bits == 0 ||
	    bits >= X509_KU_DECIPHER_ONLY << 1)
		return OC_ERR_MALFORMED;
	out->key_usage = bits;
	return OC_OK;
}

static enum oc_err
read_ekus(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;

	der_enter(&r, DER_SEQUENCE, &inner);
	while (!der_at_end(&inner)) {
		if (out->num_ekus == X509_EKUS_MAX)
			return OC_ERR_LIMIT;
		if (!der_get_oid(&inner, &out->ekus[out->num_ekus]))
			return OC_ERR_MALFORMED;
		out->num_ekus++;
	}
	der_leave(&r, &inner);
	return out->num_ekus != 0 ? done(&r) : OC_ERR_MALFORMED;
}

static enum oc_err
read_subject_key_id(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value);

	der_get(&r, DER_OCTET_STRING, &out->subject_key_id);
	if (!der_is_done(&r) || out->subject_key_id.len == 0)
		return OC_ERR_MALFORMED;
	return OC_OK;
}

bool
x509_is_plain_text(struct der_bytes text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.p[i] < 0x20 || text.p[i] > 0x7e)
			return false;
	return text.len != 0;
}

enum oc_err
x509_get_general_name(struct der_reader *r, enum x509_name_form form,
    struct x509_san *san)
{
	size_t mask = form == X509_FORM_SUBTREE ? 2 : 1;
	struct der_bytes contents;
	uint8_t tag;

	if (!der_get_any(r, &tag, &contents, NULL))
		return OC_ERR_MALFORMED;
	if (tag == DER_CONTEXT_PRIMITIVE(X509_SAN_EMAIL) ||
	    tag == DER_CONTEXT_PRIMITIVE(X509_SAN_DNS) ||
	    tag == DER_CONTEXT_PRIMITIVE(X509_SAN_URI)) {
		if (!x509_is_plain_text(contents) &&
		    (form == X509_FORM_NAME || contents.len != 0))
			return OC_ERR_MALFORMED;
	} else if (tag == DER_CONTEXT_PRIMITIVE(X509_SAN_IP)) {
		if (contents.len != 4 * mask && contents.len != 16 * mask)
			return OC_ERR_MALFORMED;
	} else if (tag == DER_CONTEXT(X509_SAN_DIRECTORY)) {
		if (!x509_name_is_valid(contents))
			return OC_ERR_MALFORMED;
	} else if (tag == DER_CONTEXT_PRIMITIVE(8)) {	/* registeredID */
		return der_oid_is_valid(contents) ? OC_ERR_UNSUPPORTED :
		    OC_ERR_MALFORMED;
	} else if (tag == DER_CONTEXT(0) || tag == DER_CONTEXT(3) ||
	    tag == DER_CONTEXT(5)) {	/* otherName, x400, ediParty */
		return der_is_valid(contents) ? OC_ERR_UNSUPPORTED :
		    OC_ERR_MALFORMED;
	} else {
		return OC_ERR_MALFORMED;
	}
	san->kind = (enum x509_san_kind)(tag & 0x1f);
	san->value = contents;
	return OC_OK;
}

static enum oc_err
read_sans(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;
	enum oc_err err;

	der_enter(&r, DER_SEQUENCE, &inner);
	while (!der_at_end(&inner)) {
		if (out->num_sans == X509_SANS_MAX)
			return OC_ERR_LIMIT;
		err = x509_get_general_name(&inner, X509_FORM_NAME,
		    &out->sans[out->num_sans]);
		if (err != OC_OK)
			return err;
		out->num_sans++;
	}
	der_leave(&r, &inner);
	return out->num_sans != 0 ? done(&r) : OC_ERR_MALFORMED;
}

/* Contents of a GeneralNames whose entries are only looked at: they are
 * well-formed and there is at least one. */
static bool
is_general_names(struct der_bytes contents)
{
	struct der_reader r = der_reader_of(contents);
	struct x509_san ignored;
	enum oc_err err;

	if (contents.len == 0)
		return false;
	while (!der_at_end(&r)) {
		err = x509_get_general_name(&r, X509_FORM_NAME, &ignored);
		if (err != OC_OK && err != OC_ERR_UNSUPPORTED)
			return false;
	}
	return der_is_done(&r);
}

bool
x509_read_authority_key_id(struct der_bytes value, struct der_bytes *key_id)
{
	struct der_bytes found = { NULL, 0 }, issuer, serial;
	struct der_reader r = der_reader_of(value), inner;
	bool has_issuer, has_serial;

	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_next_is(&inner, DER_CONTEXT_PRIMITIVE(0)) &&
	    (!der_get(&inner, DER_CONTEXT_PRIMITIVE(0), &found) ||
	    found.len == 0))
		return false;
	has_issuer = der_next_is(&inner, DER_CONTEXT(1));
	if (has_issuer && (!der_get(&inner, DER_CONTEXT(1), &issuer) ||
	    !is_general_names(issuer)))
		return false;
	has_serial = der_next_is(&inner, DER_CONTEXT_PRIMITIVE(2));
	if (has_serial &&
	    (!der_get(&inner, DER_CONTEXT_PRIMITIVE(2), &serial) ||
	    serial.len == 0))
		return false;
	der_leave(&r, &inner);
	/* Both or neither: RFC 5280 4.2.1.1. */
	if (!der_is_done(&r) || has_issuer != has_serial)
		return false;
	if (found.len != 0)
		*key_id = found;
	return true;
}

static enum oc_err
read_authority_key_id(struct der_bytes value, struct x509_extensions *out)
{
	return x509_read_authority_key_id(value, &out->authority_key_id) ?
	    OC_OK : OC_ERR_MALFORMED;
}

static enum oc_err
keep_url(struct der_bytes url, struct der_bytes *urls, uint32_t *num_urls)
{
	if (*num_urls == X509_URLS_MAX)
		return OC_ERR_LIMIT;
	urls[(*num_urls)++] = url;
	return OC_OK;
}

static enum oc_err
read_access(struct der_reader *r, struct x509_extensions *out)
{
	struct der_reader inner;
	struct der_bytes method;
	struct x509_san location;
	enum der_oid oid;
	enum oc_err err;

	der_enter(r, DER_SEQUENCE, &inner);
	if (!der_get_oid(&inner, &method))
		return OC_ERR_MALFORMED;
	err = x509_get_general_name(&inner, X509_FORM_NAME, &location);
	if (!der_leave(r, &inner))
		return OC_ERR_MALFORMED;
	if (err == OC_ERR_UNSUPPORTED)
		return OC_OK;
	if (err != OC_OK || location.kind != X509_SAN_URI)
		return err;
	oid = der_oid_find(method);
	if (oid == DER_OID_AD_OCSP)
		return keep_url(location.value, out->ocsp_urls,
		    &out->num_ocsp_urls);
	if (oid == DER_OID_AD_CA_ISSUERS)
		return keep_url(location.value, out->ca_issuers_urls,
		    &out->num_ca_issuers_urls);
	return OC_OK;
}

static enum oc_err
read_info_access(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;
	enum oc_err err;

	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return OC_ERR_MALFORMED;
	while (!der_at_end(&inner))
		if ((err = read_access(&inner, out)) != OC_OK)
			return err;
	der_leave(&r, &inner);
	return done(&r);
}

/* The URIs among the GeneralNames of a fullName. */
static enum oc_err
read_full_name(struct der_bytes contents, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(contents);
	struct x509_san name;
	enum oc_err err;

	if (!is_general_names(contents))
		return OC_ERR_MALFORMED;
	while (!der_at_end(&r)) {
		err = x509_get_general_name(&r, X509_FORM_NAME, &name);
		if (err == OC_ERR_UNSUPPORTED || (err == OC_OK &&
		    name.kind != X509_SAN_URI))
			continue;
		if (err == OC_OK)
			err = keep_url(name.value, out->crl_urls,
			    &out->num_crl_urls);
		if (err != OC_OK)
			return err;
	}
	return done(&r);
}

/*
 * DistributionPointName ::= CHOICE {
 *     fullName                 [0] IMPLICIT GeneralNames,
 *     nameRelativeToCRLIssuer  [1] IMPLICIT RelativeDistinguishedName }
 */
static enum oc_err
read_point_name(struct der_bytes contents, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(contents);
	struct der_bytes name;

	if (der_next_is(&r, DER_CONTEXT(0))) {
		if (!der_get(&r, DER_CONTEXT(0), &name) || !der_is_done(&r))
			return OC_ERR_MALFORMED;
		return read_full_name(name, out);
	}
	if (!der_get(&r, DER_CONTEXT(1), &name) ||
	    !x509_rdn_is_valid(name))
		return OC_ERR_MALFORMED;
	return done(&r);
}

/*
 * DistributionPoint ::= SEQUENCE {
 *     distributionPoint  [0] EXPLICIT DistributionPointName OPTIONAL,
 *     reasons            [1] IMPLICIT BIT STRING OPTIONAL,
 *     cRLIssuer          [2] IMPLICIT GeneralNames OPTIONAL }
 */
static enum oc_err
read_crl_point(struct der_reader *r, struct x509_extensions *out)
{
	struct der_bytes name = { NULL, 0 }, bits, issuer;
	struct der_reader inner;

	der_enter(r, DER_SEQUENCE, &inner);
	if (der_next_is(&inner, DER_CONTEXT(0)))
		der_get(&inner, DER_CONTEXT(0), &name);
	if (der_next_is(&inner, DER_CONTEXT_PRIMITIVE(1))) {
		out->has_crl_reasons = true;
		if (der_get(&inner, DER_CONTEXT_PRIMITIVE(1), &bits) &&
		    (bits.len < 2 || bits.p[0] > 7))
			return OC_ERR_MALFORMED;
	}
	if (der_next_is(&inner, DER_CONTEXT(2)) &&
	    der_get(&inner, DER_CONTEXT(2), &issuer) &&
	    !is_general_names(issuer))
		return OC_ERR_MALFORMED;
	if (!der_leave(r, &inner))
		return OC_ERR_MALFORMED;
	return name.p != NULL ? read_point_name(name, out) : OC_OK;
}

enum oc_err
x509_read_crl_points(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value), inner;
	enum oc_err err;

	if (!der_enter(&r, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return OC_ERR_MALFORMED;
	while (!der_at_end(&inner))
		if ((err = read_crl_point(&inner, out)) != OC_OK)
			return err;
	der_leave(&r, &inner);
	return done(&r);
}

static enum oc_err
read_nocheck(struct der_bytes value, struct x509_extensions *out)
{
	struct der_reader r = der_reader_of(value);

	der_get_null(&r);
	out->has_ocsp_nocheck = true;
	return done(&r);
}

static const struct known {
	enum der_oid oid;
	read_value_fn *read;
} known[] = {
	{ DER_OID_BASIC_CONSTRAINTS, read_basic_constraints },
	{ DER_OID_KEY_USAGE, read_key_usage },
	{ DER_OID_EXTENDED_KEY_USAGE, read_ekus },
	{ DER_OID_SUBJECT_KEY_IDENTIFIER, read_subject_key_id },
	{ DER_OID_AUTHORITY_KEY_IDENTIFIER, read_authority_key_id },
	{ DER_OID_SUBJECT_ALT_NAME, read_sans },
	{ DER_OID_AUTHORITY_INFO_ACCESS, read_info_access },
	{ DER_OID_CRL_DISTRIBUTION_POINTS, x509_read_crl_points },
	{ DER_OID_OCSP_NOCHECK, read_nocheck },
	{ DER_OID_CERTIFICATE_POLICIES, x509_read_policies },
	{ DER_OID_NAME_CONSTRAINTS, x509_read_constraints },
};
#define NUM_KNOWN (sizeof(known) / sizeof(known[0]))

static enum oc_err
set_error(struct oc_error *error, enum oc_err err, struct der_bytes id)
{
	char text[DER_OID_TEXT_MAX];

	der_oid_format(id, text);
	switch ((int)err) {
	case OC_ERR_LIMIT:
		return oc_error_set(error, err,
		    "extension %s: more in it than is taken", text);
	case OC_ERR_UNSUPPORTED:
		return oc_error_set(error, err,
		    "extension %s: a name of a kind that is not taken; DNS, "
		    "IP, e-mail, URI and directory names are", text);
	}
	return oc_error_set(error, err, "extension %s: malformed", text);
}

/* One that is not sorted: it is kept, and its OID checked against those kept
 * before. */
static enum oc_err
keep_other(struct der_bytes id, bool is_critical, struct der_bytes value,
    struct x509_extensions *out, struct oc_error *error)
{
	uint32_t i;

	for (i = 0; i < out->num_others; i++)
		if (der_bytes_equal(out->others[i], id))
			return OC_ERR_EXISTS;
	if (out->num_others == X509_EXTENSIONS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "extensions: more than %d", X509_EXTENSIONS_MAX);
	out->others[out->num_others] = id;
	out->other_values[out->num_others] = value;
	out->is_other_critical[out->num_others] = is_critical;
	out->num_others++;
	return OC_OK;
}

static enum oc_err
sort_extension(struct der_bytes id, bool is_critical, struct der_bytes value,
    uint32_t *seen, struct x509_extensions *out, struct oc_error *error)
{
	enum der_oid oid = der_oid_find(id);
	enum oc_err err;
	uint32_t i;

	for (i = 0; i < NUM_KNOWN && known[i].oid != oid; i++)
		;
	if (i == NUM_KNOWN)
		return keep_other(id, is_critical, value, out, error);
	if ((*seen & UINT32_C(1) << i) != 0)
		return OC_ERR_EXISTS;
	*seen |= UINT32_C(1) << i;
	if (oid == DER_OID_SUBJECT_ALT_NAME)
		out->is_san_critical = is_critical;
	if ((err = known[i].read(value, out)) != OC_OK)
		return set_error(error, err, id);
	return OC_OK;
}

bool
x509_get_extension(struct der_reader *r, struct der_bytes *id,
    bool *is_critical, struct der_bytes *value)
{
	struct der_reader inner;
	bool critical = false;

	der_enter(r, DER_SEQUENCE, &inner);
	der_get_oid(&inner, id);
	/* FALSE is the DEFAULT and so not encoded. */
	if (der_next_is(&inner, DER_BOOLEAN) &&
	    der_get_boolean(&inner, &critical) && !critical)
		der_reader_fail(&inner);
	der_get(&inner, DER_OCTET_STRING, value);
	*is_critical = critical;
	return der_leave(r, &inner);
}

/* out is filled as far as it goes; the caller drops it on failure. */
static enum oc_err
read_all(struct der_reader *r, struct x509_extensions *out,
    struct oc_error *error)
{
	char text[DER_OID_TEXT_MAX];
	struct der_bytes id, value;
	uint32_t seen = 0;
	bool is_critical;
	enum oc_err err;

	while (!der_at_end(r)) {
		if (!x509_get_extension(r, &id, &is_critical, &value))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "extensions: one is not an OID, an optional TRUE "
			    "and an OCTET STRING in DER");
		err = sort_extension(id, is_critical, value, &seen, out,
		    error);
		if (err == OC_ERR_EXISTS) {
			der_oid_format(id, text);
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "extension %s: there twice", text);
		}
		if (err != OC_OK)
			return err;
	}
	return OC_OK;
}

enum oc_err
x509_read_extensions(struct der_bytes extensions, struct x509_extensions *out,
    struct oc_error *error)
{
	struct der_bytes contents;
	struct der_reader r;
	enum oc_err err;

	memset(out, 0, sizeof(*out));
	if (!der_read_whole(extensions, DER_SEQUENCE, &contents) ||
	    contents.len == 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "extensions: not a SEQUENCE of at least one");
	r = der_reader_of(contents);
	if ((err = read_all(&r, out, error)) != OC_OK)
		memset(out, 0, sizeof(*out));
	return err;
}
