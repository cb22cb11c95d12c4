/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TBSCertificate, RFC 5280 section 4.1, written; and the SIGNED{} shape that
 * certificates, CRLs, requests and OCSP responses share.
 *
 * Each writer follows the order of the type quoted above it, and works with
 * holes in place of values (der/template.h).
 */
#include "x509/tbs.h"

#include "der/reader.h"
#include "der/time.h"

enum { VERSION_3 = 2 };

/* Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime } */
static void
put_time(struct der_writer *w, int64_t at)
{
	if (at < DER_TIME_HOLE(DER_HOLES_MAX))
		der_put_raw(w, DER_HOLE(at - DER_TIME_HOLE(0)));
	else
		der_put_time(w, at);
}

/*
 * Validity ::= SEQUENCE {
 *     notBefore  Time,
 *     notAfter   Time }
 */
static void
put_validity(struct der_writer *w, const struct x509_tbs *tbs)
{
	der_begin(w, DER_SEQUENCE);
	put_time(w, tbs->not_before);
	put_time(w, tbs->not_after);
	der_end(w);
}

/*
 * TBSCertificate ::= SEQUENCE {
 *     version           [0] EXPLICIT Version DEFAULT v1,
 *     serialNumber      CertificateSerialNumber,
 *     signature         AlgorithmIdentifier,
 *     issuer            Name,
 *     validity          Validity,
 *     subject           Name,
 *     subjectPublicKeyInfo SubjectPublicKeyInfo,
 *     issuerUniqueID    [1] IMPLICIT UniqueIdentifier OPTIONAL,
 *     subjectUniqueID   [2] IMPLICIT UniqueIdentifier OPTIONAL,
 *     extensions        [3] EXPLICIT Extensions OPTIONAL }
 */
void
x509_put_tbs(struct der_writer *w, const void *arg)
{
	const struct x509_tbs *tbs = arg;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(0));
	der_put_uint(w, VERSION_3);
	der_end(w);
	der_put_integer(w, tbs->serial);
	der_put_raw(w, sign_alg_info(tbs->alg)->identifier);
	der_put_raw(w, tbs->issuer);
	put_validity(w, tbs);
	der_put_raw(w, tbs->subject);
	der_put_raw(w, tbs->spki);
	der_begin(w, DER_CONTEXT(3));
	x509_put_extensions(w, &tbs->extensions);
	der_end(w);
	der_end(w);
}

size_t
x509_write_time(int64_t at, uint8_t out[X509_TIME_MAX])
{
	if (at > DER_UTCTIME_LAST) {
		out[0] = DER_GENERALIZED_TIME;
		out[1] = DER_GENTIME_LEN;
		der_format_gentime(at, out + 2);
		return 2 + DER_GENTIME_LEN;
	}
	out[0] = DER_UTC_TIME;
	out[1] = DER_UTCTIME_LEN;
	der_format_utctime(at, out + 2);
	return 2 + DER_UTCTIME_LEN;
}

/*
 * SIGNED ::= SEQUENCE {
 *     tbs                 ToBeSigned,
 *     signatureAlgorithm  AlgorithmIdentifier,
 *     signature           BIT STRING }
 */
void
x509_put_signed(struct der_writer *w, const void *arg)
{
	const struct x509_signed *s = arg;

	der_begin(w, DER_SEQUENCE);
	der_put_raw(w, s->tbs);
	der_put_raw(w, sign_alg_info(s->alg)->identifier);
	der_put_bits(w, s->signature);
	der_end(w);
}

/*
 * AlgorithmIdentifier ::= SEQUENCE {
 *     algorithm   OBJECT IDENTIFIER,
 *     parameters  ANY DEFINED BY algorithm OPTIONAL }
 */
bool
x509_algorithm_is_valid(struct der_bytes identifier)
{
	struct der_bytes contents, oid, parameters;
	struct der_reader r;
	uint8_t tag;

	if (!der_read_whole(identifier, DER_SEQUENCE, &contents))
		return false;
	r = der_reader_of(contents);
	if (!der_get_oid(&r, &oid))
		return false;
	if (der_at_end(&r))
		return true;
	return der_get_any(&r, &tag, NULL, &parameters) && der_is_done(&r) &&
	    der_is_valid(parameters);
}

enum oc_err
x509_read_signed(struct der_bytes der, struct der_bytes *tbs,
    struct der_bytes *alg_identifier, struct der_bytes *signature)
{
	struct der_bytes contents, tbs_tlv, identifier, bits;
	struct der_reader r;

	if (!der_read_whole(der, DER_SEQUENCE, &contents))
		return OC_ERR_MALFORMED;
	r = der_reader_of(contents);
	der_get_tlv(&r, DER_SEQUENCE, &tbs_tlv);
	der_get_tlv(&r, DER_SEQUENCE, &identifier);
	der_get_bits(&r, &bits);
	if (!der_is_done(&r) || !x509_algorithm_is_valid(identifier))
		return OC_ERR_MALFORMED;
	*tbs = tbs_tlv;
	*alg_identifier = identifier;
	*signature = bits;
	return OC_OK;
}
