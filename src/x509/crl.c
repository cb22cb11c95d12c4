/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading CRLs, RFC 5280 section 5: every entry has been checked before the
 * list is handed out.
 */
#include "x509/crl_impl.h"

#include "base/limits.h"
#include "der/reader.h"
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/tbs.h"

/* cRLNumber, RFC 5280 5.2.3. */
#define NUMBER_OCTETS_MAX 20
/* A list that signs itself and a little around it. */
#define CRL_MAX (OC_TBS_MAX + 4096)

void
x509_crl_note_critical(struct x509_crl *crl, struct der_bytes id)
{
	if (!crl->has_unknown_critical)
		crl->unknown_critical = id;
	crl->has_unknown_critical = true;
}

static bool
read_number(struct der_bytes value, struct der_bytes *number)
{
	struct der_reader r = der_reader_of(value);

	return der_get_integer(&r, number) && der_is_done(&r) &&
	    (number->p[0] & 0x80) == 0 && number->len <= NUMBER_OCTETS_MAX;
}

static bool
sort_crl_extension(struct der_bytes id, bool is_critical,
    struct der_bytes value, struct x509_crl *crl)
{
	enum der_oid oid = der_oid_find(id);

	if (oid == DER_OID_AUTHORITY_KEY_IDENTIFIER)
		return x509_read_authority_key_id(value,
		    &crl->authority_key_id);
	if (oid == DER_OID_CRL_NUMBER)
		return read_number(value, &crl->number);
	if (oid == DER_OID_DELTA_CRL_INDICATOR) {
		crl->is_delta = true;
		return read_number(value, &crl->base_number);
	}
	if (oid == DER_OID_ISSUING_DISTRIBUTION_POINT) {
		crl->has_idp = true;
		crl->idp = value;
		return x509_read_crl_point(value, &crl->point);
	}
	if (is_critical)
		x509_crl_note_critical(crl, id);
	else if (oid == DER_OID_FRESHEST_CRL)
		crl->freshest = value;
	return true;
}

static enum oc_err
read_crl_extensions(struct der_reader *r, struct x509_crl *crl,
    struct oc_error *error)
{
	struct der_bytes seen[X509_EXTENSIONS_MAX], id, value;
	char text[DER_OID_TEXT_MAX];
	uint32_t num_seen = 0, i;
	struct der_reader outer, inner;
	bool is_critical;

	der_enter(r, DER_CONTEXT(0), &outer);
	if (!der_enter(&outer, DER_SEQUENCE, &inner) || der_at_end(&inner))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: crlExtensions are not a SEQUENCE of at least one");
	while (!der_at_end(&inner)) {
		if (num_seen == X509_EXTENSIONS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "CRL: more than %d extensions",
			    X509_EXTENSIONS_MAX);
		if (!x509_get_extension(&inner, &id, &is_critical, &value))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: an extension is not strict DER");
		der_oid_format(id, text);
		for (i = 0; i < num_seen; i++)
			if (der_bytes_equal(seen[i], id))
				return oc_error_set(error, OC_ERR_MALFORMED,
				    "CRL: extension %s: there twice", text);
		seen[num_seen++] = id;
		if (!sort_crl_extension(id, is_critical, value, crl))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: extension %s: malformed", text);
	}
	der_leave(&outer, &inner);
	der_leave(r, &outer);
	return OC_OK;
}

static bool
next_is_time(const struct der_reader *r)
{
	return der_next_is(r, DER_UTC_TIME) ||
	    der_next_is(r, DER_GENERALIZED_TIME);
}

/* Version and signature, the fields before the issuer. */
static enum oc_err
read_head(struct der_reader *r, struct der_bytes outer_identifier,
    enum x509_crl_version *version, struct oc_error *error)
{
	struct der_bytes identifier;
	uint64_t number;

	*version = X509_CRL_IS_V1;
	if (der_next_is(r, DER_INTEGER)) {
		if (!der_get_uint(r, &number) || number != X509_CRL_V2)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: version is neither v2 nor v1 left out");
		*version = X509_CRL_IS_V2;
	}
	if (der_get_tlv(r, DER_SEQUENCE, &identifier) &&
	    !der_bytes_equal(identifier, outer_identifier))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "CRL: the signature algorithm inside is not the one "
		    "outside");
	return OC_OK;
}

static enum oc_err
read_tbs(struct x509_crl *crl, x509_crl_entry_fn *fn, void *arg,
    struct oc_error *error)
{
	struct der_bytes contents;
	enum x509_crl_version version;
	struct der_reader r;
	enum oc_err err;

	if (!der_read_whole(crl->tbs, DER_SEQUENCE, &contents))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: TBSCertList is not a SEQUENCE");
	r = der_reader_of(contents);
	if ((err = read_head(&r, crl->alg_identifier, &version, error)) !=
	    OC_OK)
		return err;
	if (!der_get_tlv(&r, DER_SEQUENCE, &crl->issuer) ||
	    !x509_name_is_valid(crl->issuer))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: the issuer is not a well-formed Name");
	if (!der_get_time(&r, &crl->this_update) || (next_is_time(&r) &&
	    !der_get_time(&r, &crl->next_update)))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: thisUpdate or nextUpdate is not a Time");
	if (der_next_is(&r, DER_SEQUENCE) &&
	    der_get(&r, DER_SEQUENCE, &crl->entries) &&
	    (err = x509_crl_check_entries(crl, version, fn, arg, error)) !=
	    OC_OK)
		return err;
	if (version == X509_CRL_IS_V2 && der_next_is(&r, DER_CONTEXT(0)) &&
	    (err = read_crl_extensions(&r, crl, error)) != OC_OK)
		return err;
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: TBSCertList is not as RFC 5280 5.1 has it");
	return OC_OK;
}

enum oc_err
x509_crl_read_each(struct der_bytes der, struct x509_crl *crl,
    x509_crl_entry_fn *fn, void *arg, struct oc_error *error)
{
	struct x509_crl c = { .der = der };
	enum oc_err err;

	if (der.len > CRL_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "CRL: %zu octets, the limit is %d", der.len, CRL_MAX);
	if (x509_read_signed(der, &c.tbs, &c.alg_identifier,
	    &c.signature) != OC_OK)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: not one SEQUENCE of TBSCertList, algorithm and "
		    "signature");
	if ((err = read_tbs(&c, fn, arg, error)) != OC_OK)
		return err;
	c.alg = sign_alg_find(c.alg_identifier);
	*crl = c;
	return OC_OK;
}

enum oc_err
x509_crl_read(struct der_bytes der, struct x509_crl *crl,
    struct oc_error *error)
{
	return x509_crl_read_each(der, crl, NULL, NULL, error);
}
