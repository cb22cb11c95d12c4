/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRLs, RFC 5280 section 5: one entry at a time, the list around them, and
 * a reader that has checked every entry before it hands out the list.
 */
#include "x509/crl_impl.h"

#include "base/limits.h"
#include "der/reader.h"
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/tbs.h"

enum { VERSION_2 = 1 };

/* cRLNumber, RFC 5280 5.2.3. */
#define NUMBER_OCTETS_MAX 20
/* A list that signs itself and a little around it. */
#define CRL_MAX (OC_TBS_MAX + 4096)

static void
put_reason(struct der_writer *w, enum crl_reason reason)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_REASON_CODE);
	der_begin(w, DER_OCTET_STRING);
	der_put_enum(w, reason);
	der_end(w);
	der_end(w);
}

static void
put_invalidity(struct der_writer *w, int64_t at)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_INVALIDITY_DATE);
	der_begin(w, DER_OCTET_STRING);
	der_put_gentime(w, at);
	der_end(w);
	der_end(w);
}

/*
 * SEQUENCE {
 *     userCertificate     CertificateSerialNumber,
 *     revocationDate      Time,
 *     crlEntryExtensions  Extensions OPTIONAL }
 */
static void
put_entry(struct der_writer *w, const void *arg)
{
	const struct x509_crl_entry *entry = arg;
	/* "unspecified" is said by leaving it out: RFC 5280, 5.3.1. */
	bool has_reason = entry->reason != CRL_REASON_UNSPECIFIED;

	der_begin(w, DER_SEQUENCE);
	der_put_serial(w, &entry->serial);
	der_put_time(w, entry->revoked_at);
	if (has_reason || entry->invalidity_at != 0) {
		der_begin(w, DER_SEQUENCE);
		if (has_reason)
			put_reason(w, entry->reason);
		if (entry->invalidity_at != 0)
			put_invalidity(w, entry->invalidity_at);
		der_end(w);
	}
	der_end(w);
}

enum oc_err
x509_crl_entry_write(const struct x509_crl_entry *entry,
    uint8_t out[X509_CRL_ENTRY_MAX], size_t *len)
{
	if (crl_reason_name(entry->reason) == NULL)
		return OC_ERR_MALFORMED;
	return der_write(put_entry, entry, out, X509_CRL_ENTRY_MAX, len);
}

/* authorityKeyIdentifier and cRLNumber: both MUST be there, 5.2.1, 5.2.3. */
static void
put_crl_extensions(struct der_writer *w, const struct x509_crl_tbs *tbs)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_AUTHORITY_KEY_IDENTIFIER);
	der_begin(w, DER_OCTET_STRING);
	x509_put_authority_key_id(w, tbs->authority_key_id);
	der_end(w);
	der_end(w);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_CRL_NUMBER);
	der_begin(w, DER_OCTET_STRING);
	der_put_uint(w, tbs->number);
	der_end(w);
	der_end(w);
	der_end(w);
}

/*
 * TBSCertList ::= SEQUENCE {
 *     version              Version OPTIONAL,  -- v2
 *     signature            AlgorithmIdentifier,
 *     issuer               Name,
 *     thisUpdate           Time,
 *     nextUpdate           Time OPTIONAL,
 *     revokedCertificates  SEQUENCE OF SEQUENCE { ... } OPTIONAL,
 *     crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
 */
void
x509_put_crl_tbs(struct der_writer *w, const void *arg)
{
	const struct x509_crl_tbs *tbs = arg;

	if (!x509_is_given(tbs->authority_key_id)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_begin(w, DER_SEQUENCE);
	der_put_uint(w, VERSION_2);
	der_put_raw(w, sign_alg_info(tbs->alg)->identifier);
	der_put_raw(w, tbs->issuer);
	der_put_time(w, tbs->this_update);
	der_put_time(w, tbs->next_update);
	if (x509_is_given(tbs->entries)) {
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, tbs->entries);
		der_end(w);
	}
	der_begin(w, DER_CONTEXT(0));
	put_crl_extensions(w, tbs);
	der_end(w);
	der_end(w);
}

/* What of an entry its struct does not say. */
struct entry_facts {
	bool has_extensions;
	struct der_bytes unknown_critical;	/* OID contents */
};

static void
note_unknown_critical(struct x509_crl *crl, struct der_bytes id)
{
	if (!crl->has_unknown_critical)
		crl->unknown_critical = id;
	crl->has_unknown_critical = true;
}

static bool
read_reason(struct der_bytes value, enum crl_reason *reason)
{
	struct der_reader r = der_reader_of(value);
	unsigned int number = 0;

	if (!der_get_enum(&r, &number) || !der_is_done(&r) ||
	    crl_reason_name((enum crl_reason)number) == NULL)
		return false;
	*reason = (enum crl_reason)number;
	return true;
}

static bool
read_invalidity(struct der_bytes value, int64_t *at)
{
	struct der_reader r = der_reader_of(value);

	return der_get_gentime(&r, at) && der_is_done(&r);
}

/*
 * crlEntryExtensions.  Of those not named here only whether one is critical
 * is kept: certificateIssuer of an indirect CRL is.
 */
static bool
read_entry_extensions(struct der_reader *r, struct x509_crl_entry *entry,
    struct entry_facts *facts)
{
	struct der_bytes seen[X509_EXTENSIONS_MAX], id, value;
	uint32_t num_seen = 0, i;
	bool is_critical;
	enum der_oid oid;

	if (der_at_end(r))
		return false;
	while (!der_at_end(r)) {
		if (num_seen == X509_EXTENSIONS_MAX ||
		    !x509_get_extension(r, &id, &is_critical, &value))
			return false;
		for (i = 0; i < num_seen; i++)
			if (der_bytes_equal(seen[i], id))
				return false;
		seen[num_seen++] = id;
		oid = der_oid_find(id);
		if (oid == DER_OID_REASON_CODE) {
			if (!read_reason(value, &entry->reason))
				return false;
		} else if (oid == DER_OID_INVALIDITY_DATE) {
			if (!read_invalidity(value, &entry->invalidity_at))
				return false;
		} else if (is_critical) {
			facts->unknown_critical = id;
		}
	}
	return true;
}

static bool
get_entry(struct der_reader *r, struct x509_crl_entry *entry,
    struct entry_facts *facts)
{
	struct x509_crl_entry e = { .reason = CRL_REASON_UNSPECIFIED };
	struct der_reader inner, extensions;

	*facts = (struct entry_facts){ false, { NULL, 0 } };
	der_enter(r, DER_SEQUENCE, &inner);
	der_get_serial(&inner, &e.serial);
	der_get_time(&inner, &e.revoked_at);
	if (der_next_is(&inner, DER_SEQUENCE)) {
		facts->has_extensions = true;
		if (!der_enter(&inner, DER_SEQUENCE, &extensions) ||
		    !read_entry_extensions(&extensions, &e, facts) ||
		    !der_leave(&inner, &extensions)) {
			der_reader_fail(r);
			return false;
		}
	}
	if (!der_leave(r, &inner))
		return false;
	*entry = e;
	return true;
}

enum oc_err
x509_crl_next_entry(struct der_bytes *rest, struct x509_crl_entry *entry)
{
	struct der_reader r = der_reader_of(*rest);
	struct entry_facts facts;

	if (!get_entry(&r, entry, &facts))
		return OC_ERR_MALFORMED;
	*rest = (struct der_bytes){ r.p, (size_t)(r.end - r.p) };
	return OC_OK;
}

enum version { CRL_V1, CRL_V2 };

/* All of them, so that who walks the list later meets no surprise. */
static enum oc_err
check_entries(struct x509_crl *crl, enum version version,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(crl->entries);
	struct x509_crl_entry entry;
	struct entry_facts facts;
	size_t n;

	for (n = 1; !der_at_end(&r); n++) {
		if (!get_entry(&r, &entry, &facts))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: entry %zu is not as RFC 5280 5.1.2.6 has "
			    "it", n);
		if (facts.has_extensions && version == CRL_V1)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: entry %zu has extensions, but the version "
			    "is v1", n);
		if (facts.unknown_critical.len != 0)
			note_unknown_critical(crl, facts.unknown_critical);
	}
	return OC_OK;
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
		note_unknown_critical(crl, id);
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
    enum version *version, struct oc_error *error)
{
	struct der_bytes identifier;
	uint64_t number;

	*version = CRL_V1;
	if (der_next_is(r, DER_INTEGER)) {
		if (!der_get_uint(r, &number) || number != VERSION_2)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "CRL: version is neither v2 nor v1 left out");
		*version = CRL_V2;
	}
	if (der_get_tlv(r, DER_SEQUENCE, &identifier) &&
	    !der_bytes_equal(identifier, outer_identifier))
		return oc_error_set(error, OC_ERR_MISMATCH,
		    "CRL: the signature algorithm inside is not the one "
		    "outside");
	return OC_OK;
}

static enum oc_err
read_tbs(struct x509_crl *crl, struct oc_error *error)
{
	struct der_bytes contents;
	enum version version;
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
	    (err = check_entries(crl, version, error)) != OC_OK)
		return err;
	if (version == CRL_V2 && der_next_is(&r, DER_CONTEXT(0)) &&
	    (err = read_crl_extensions(&r, crl, error)) != OC_OK)
		return err;
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "CRL: TBSCertList is not as RFC 5280 5.1 has it");
	return OC_OK;
}

enum oc_err
x509_crl_read(struct der_bytes der, struct x509_crl *crl,
    struct oc_error *error)
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
	if ((err = read_tbs(&c, error)) != OC_OK)
		return err;
	c.alg = sign_alg_find(c.alg_identifier);
	*crl = c;
	return OC_OK;
}
