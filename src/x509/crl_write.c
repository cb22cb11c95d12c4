/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing CRLs, RFC 5280 section 5, in the order of their types: one entry at
 * a time, and what stands around them.  How a long one is put together says
 * crl_stream.c.
 */
#include "x509/crl_impl.h"

#include "x509/ext_impl.h"

const uint8_t x509_crl_reason[X509_CRL_REASON_LEN] = {
	0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15,
	0x04, 0x03, 0x0a, 0x01, 0x00
};

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

/* An Extension up to its value, and what closes it. */
static void
begin_extension(struct der_writer *w, enum der_oid oid, bool is_critical)
{
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, oid);
	if (is_critical)
		der_put_boolean(w, true);
	der_begin(w, DER_OCTET_STRING);
}

static void
end_extension(struct der_writer *w)
{
	der_end(w);
	der_end(w);
}

/*
 * IssuingDistributionPoint ::= SEQUENCE {
 *     distributionPoint      [0] EXPLICIT CHOICE {
 *         fullName           [0] IMPLICIT GeneralNames, ... } OPTIONAL,
 *     onlyContainsUserCerts  [1] IMPLICIT BOOLEAN DEFAULT FALSE, ... }
 */
static void
put_point(struct der_writer *w, const struct x509_crl_tbs *tbs)
{
	static const uint8_t yes[] = { 0xff };

	oc_assert(tbs->num_points <= X509_CRL_POINTS_MAX);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(0));
	der_begin(w, DER_CONTEXT(0));
	for (uint32_t i = 0; i < tbs->num_points; i++)
		x509_put_general_name(w, &(struct x509_san){
		    .kind = X509_SAN_URI, .value = tbs->points[i] });
	der_end(w);
	der_end(w);
	if (tbs->has_only_user_certs)
		der_put_primitive(w, DER_CONTEXT_PRIMITIVE(1),
		    (struct der_bytes){ yes, sizeof(yes) });
	der_end(w);
}

/*
 * authorityKeyIdentifier and cRLNumber: both MUST be there, 5.2.1, 5.2.3;
 * deltaCRLIndicator and issuingDistributionPoint MUST be critical, 5.2.4 and
 * 5.2.5; freshestCRL MUST NOT, nor be in a delta, 5.2.6.
 */
static void
put_crl_extensions(struct der_writer *w, const struct x509_crl_tbs *tbs)
{
	der_begin(w, DER_SEQUENCE);
	begin_extension(w, DER_OID_AUTHORITY_KEY_IDENTIFIER, false);
	x509_put_authority_key_id(w, tbs->authority_key_id);
	end_extension(w);
	begin_extension(w, DER_OID_CRL_NUMBER, false);
	der_put_uint(w, tbs->number);
	end_extension(w);
	if (tbs->base_number != 0) {
		begin_extension(w, DER_OID_DELTA_CRL_INDICATOR, true);
		der_put_uint(w, tbs->base_number);
		end_extension(w);
	}
	if (tbs->num_points > 0) {
		begin_extension(w, DER_OID_ISSUING_DISTRIBUTION_POINT, true);
		put_point(w, tbs);
		end_extension(w);
	}
	if (tbs->freshest_url.len > 0) {
		begin_extension(w, DER_OID_FRESHEST_CRL, false);
		x509_put_crl_points(w, &tbs->freshest_url, 1);
		end_extension(w);
	}
	der_end(w);
}

void
x509_put_crl_before(struct der_writer *w, const void *arg)
{
	const struct x509_crl_tbs *tbs = arg;

	der_put_uint(w, X509_CRL_V2);
	der_put_raw(w, sign_alg_info(tbs->alg)->identifier);
	der_put_raw(w, tbs->issuer);
	der_put_time(w, tbs->this_update);
	der_put_time(w, tbs->next_update);
}

void
x509_put_crl_behind(struct der_writer *w, const void *arg)
{
	const struct x509_crl_tbs *tbs = arg;

	if (!x509_is_given(tbs->authority_key_id) ||
	    (tbs->base_number != 0 && tbs->freshest_url.len > 0) ||
	    (tbs->has_only_user_certs && tbs->num_points == 0)) {
		der_fail(w, OC_ERR_MALFORMED);
		return;
	}
	der_begin(w, DER_CONTEXT(0));
	put_crl_extensions(w, tbs);
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

	der_begin(w, DER_SEQUENCE);
	x509_put_crl_before(w, tbs);
	if (x509_is_given(tbs->entries)) {
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, tbs->entries);
		der_end(w);
	}
	x509_put_crl_behind(w, tbs);
	der_end(w);
}
