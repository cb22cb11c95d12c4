/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SingleResponse, RFC 6960 section 4.2.1.
 *
 * Each function appends exactly one ASN.1 type and follows the order of the
 * type quoted above it.  The writer's failure is sticky: after the first
 * every put is a no-op and der_write() reports it, once.
 */
#include "ocsp/single.h"

#include "ocsp/extension.h"

/*
 * CertID ::= SEQUENCE {
 *     hashAlgorithm   AlgorithmIdentifier,  -+
 *     issuerNameHash  OCTET STRING,          | the same for all certificates
 *     issuerKeyHash   OCTET STRING,         -+ of an issuer: certid_prefix
 *     serialNumber    INTEGER }
 */
static void
put_certid(struct der_writer *w, const struct ocsp_single *single)
{
	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, single->certid_prefix);
	der_put_integer(w, single->serial);
	der_end(w);
}

/*
 * RevokedInfo ::= SEQUENCE {
 *     revocationTime    GeneralizedTime,
 *     revocationReason  [0] EXPLICIT CRLReason OPTIONAL }
 *
 * "unspecified" is said by leaving it out: RFC 5280, 5.3.1.
 */
static void
put_revoked_info(struct der_writer *w, const struct ocsp_single *single)
{
	der_begin(w, DER_CONTEXT(1));
	der_put_gentime(w, single->status.revoked_at);
	if (single->reason.p != NULL) {
		der_begin(w, DER_CONTEXT(0));
		der_put_primitive(w, DER_ENUMERATED, single->reason);
		der_end(w);
	} else if (single->status.reason != CRL_REASON_UNSPECIFIED) {
		der_begin(w, DER_CONTEXT(0));
		der_put_enum(w, single->status.reason);
		der_end(w);
	}
	der_end(w);
}

/*
 * CertStatus ::= CHOICE {
 *     good     [0] IMPLICIT NULL,                                  80 00
 *     revoked  [1] IMPLICIT RevokedInfo,
 *     unknown  [2] IMPLICIT NULL }                                 82 00
 */
static void
put_status(struct der_writer *w, const struct ocsp_single *single)
{
	static const uint8_t good[] = { 0x80, 0x00 };
	static const uint8_t unknown[] = { 0x82, 0x00 };

	switch (single->status.kind) {
	case OCSP_GOOD:
		der_put_raw(w, DER_ARRAY(good));
		return;
	case OCSP_REVOKED:
		put_revoked_info(w, single);
		return;
	case OCSP_UNKNOWN:
		der_put_raw(w, DER_ARRAY(unknown));
		return;
	}
}

/*
 * ArchiveCutoff ::= GeneralizedTime                          RFC 6960, 4.4.4
 *
 * CrlID ::= SEQUENCE {                                              4.4.2
 *     crlUrl   [0] EXPLICIT IA5String OPTIONAL,
 *     crlNum   [1] EXPLICIT INTEGER OPTIONAL,
 *     crlTime  [2] EXPLICIT GeneralizedTime OPTIONAL }
 *
 * Which CRL has it is not for an answer to say that lives longer than one.
 */
static void
put_single_extensions(struct der_writer *w, const struct ocsp_single *single)
{
	der_begin(w, DER_CONTEXT(1));
	der_begin(w, DER_SEQUENCE);
	if (single->crl_url.len != 0) {
		ocsp_begin_extension(w, DER_OID_OCSP_CRL);
		der_begin(w, DER_SEQUENCE);
		der_begin(w, DER_CONTEXT(0));
		der_put_ia5(w, single->crl_url);
		der_end(w);
		der_end(w);
		ocsp_end_extension(w);
	}
	if (single->has_archive_cutoff) {
		ocsp_begin_extension(w, DER_OID_OCSP_ARCHIVE_CUTOFF);
		der_put_gentime(w, single->archive_cutoff);
		ocsp_end_extension(w);
	}
	der_end(w);
	der_end(w);
}

/*
 * SingleResponse ::= SEQUENCE {
 *     certID            CertID,
 *     certStatus        CertStatus,
 *     thisUpdate        GeneralizedTime,
 *     nextUpdate        [0] EXPLICIT GeneralizedTime OPTIONAL,
 *     singleExtensions  [1] EXPLICIT Extensions OPTIONAL }
 */
void
ocsp_put_single(struct der_writer *w, const struct ocsp_single *single)
{
	der_begin(w, DER_SEQUENCE);
	put_certid(w, single);
	put_status(w, single);
	der_put_gentime(w, single->this_update);
	if (single->next_update != OCSP_NO_NEXT_UPDATE) {
		der_begin(w, DER_CONTEXT(0));
		der_put_gentime(w, single->next_update);
		der_end(w);
	}
	if (single->has_archive_cutoff || single->crl_url.len != 0)
		put_single_extensions(w, single);
	der_end(w);
}

static bool
get_revoked_info(struct der_reader *r, struct ocsp_status *status)
{
	struct der_reader info, wrapped;
	unsigned int reason = CRL_REASON_UNSPECIFIED;

	der_enter(r, DER_CONTEXT(1), &info);
	der_get_gentime(&info, &status->revoked_at);
	if (der_enter_optional(&info, DER_CONTEXT(0), &wrapped)) {
		der_get_enum(&wrapped, &reason);
		der_leave(&info, &wrapped);
	}
	if (!der_leave(r, &info))
		return false;
	if (crl_reason_name((enum crl_reason)reason) == NULL) {
		der_reader_fail(r);
		return false;
	}
	status->kind = OCSP_REVOKED;
	status->reason = (enum crl_reason)reason;
	return true;
}

static bool
get_status(struct der_reader *r, struct ocsp_status *status)
{
	struct der_bytes null;

	*status = (struct ocsp_status){ .kind = OCSP_GOOD };
	if (der_next_is(r, DER_CONTEXT(1)))
		return get_revoked_info(r, status);
	if (der_next_is(r, DER_CONTEXT_PRIMITIVE(2)))
		status->kind = OCSP_UNKNOWN;
	if (!der_get(r, status->kind == OCSP_UNKNOWN ?
	    DER_CONTEXT_PRIMITIVE(2) : DER_CONTEXT_PRIMITIVE(0), &null))
		return false;
	if (null.len != 0)
		der_reader_fail(r);
	return null.len == 0;
}

/* Others than these two are nobody's, and so is one that cannot be read; a
 * CRL's number and time are walked over. */
static void
read_single_extension(const struct ocsp_extension *extension,
    struct ocsp_single_view *single)
{
	struct der_reader r = der_reader_of(extension->value), inner, url;
	struct der_bytes text;
	int64_t at;

	if (ocsp_extension_is(extension, DER_OID_OCSP_ARCHIVE_CUTOFF)) {
		if (!der_get_gentime(&r, &at) || !der_is_done(&r))
			return;
		single->has_archive_cutoff = true;
		single->archive_cutoff = at;
	} else if (ocsp_extension_is(extension, DER_OID_OCSP_CRL) &&
	    der_is_valid(extension->value) &&
	    der_enter(&r, DER_SEQUENCE, &inner) &&
	    der_enter_optional(&inner, DER_CONTEXT(0), &url) &&
	    der_get(&url, DER_IA5_STRING, &text) && der_is_done(&url)) {
		single->crl_url = text;
	}
}

bool
ocsp_get_single(struct der_reader *r, struct ocsp_single_view *single)
{
	struct der_reader inner, wrapped, extensions;
	struct ocsp_extension extension;

	single->has_archive_cutoff = false;
	single->crl_url = (struct der_bytes){ NULL, 0 };
	der_enter(r, DER_SEQUENCE, &inner);
	ocsp_get_certid(&inner, &single->certid);
	get_status(&inner, &single->status);
	der_get_gentime(&inner, &single->this_update);
	single->next_update = OCSP_NO_NEXT_UPDATE;
	if (der_enter_optional(&inner, DER_CONTEXT(0), &wrapped)) {
		der_get_gentime(&wrapped, &single->next_update);
		der_leave(&inner, &wrapped);
	}
	if (ocsp_enter_extensions(&inner, DER_CONTEXT(1), &extensions)) {
		while (!der_at_end(&extensions) &&
		    ocsp_get_extension(&extensions, &extension))
			read_single_extension(&extension, single);
		if (extensions.has_failed)
			der_reader_fail(&inner);
	}
	return der_leave(r, &inner);
}
