/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPRequest, RFC 6960 section 4.1.1: the reader walks it once, straight
 * down, and leaves views; nothing is copied.
 */
#include "ocsp/request.h"

#include "ocsp/extension.h"

/*
 * AcceptableResponses ::= SEQUENCE OF OBJECT IDENTIFIER
 *
 * Basic is all there is, and what is given to who does not want it: what
 * cannot be read is no worse.
 */
static bool
has_basic(struct der_bytes value)
{
	struct der_reader r = der_reader_of(value), list;
	struct der_bytes oid;

	der_enter(&r, DER_SEQUENCE, &list);
	while (!der_at_end(&list) && der_get(&list, DER_OID, &oid))
		if (der_bytes_equal(oid, der_oid_bytes(DER_OID_OCSP_BASIC)))
			return true;
	return false;
}

/*
 * requestExtensions: nonce, response and preferred-signature-algorithms.  The
 * others are none of ours, and must not be critical.
 */
static bool
get_request_extensions(struct der_reader *extensions,
    struct ocsp_request *request)
{
	struct ocsp_extension e;

	while (!der_at_end(extensions)) {
		if (!ocsp_get_extension(extensions, &e))
			return false;
		if (ocsp_extension_is(&e, DER_OID_OCSP_NONCE)) {
			if (request->nonce.len != 0 ||
			    !ocsp_read_nonce(e.value, &request->nonce))
				return false;
			request->has_bare_nonce =
			    request->nonce.len == e.value.len;
		} else if (ocsp_extension_is(&e, DER_OID_OCSP_PREF_SIG_ALGS)) {
			request->preferred_algs = e.value;
		} else if (ocsp_extension_is(&e, DER_OID_OCSP_RESPONSE)) {
			request->lacks_basic = !has_basic(e.value);
		} else if (e.is_critical) {
			request->has_unknown_critical = true;
		}
	}
	return !extensions->has_failed;
}

/* singleRequestExtensions: we know the service locator, and ignore it. */
static bool
get_single_extensions(struct der_reader *extensions,
    bool *has_unknown_critical)
{
	struct ocsp_extension e;

	while (!der_at_end(extensions)) {
		if (!ocsp_get_extension(extensions, &e))
			return false;
		if (e.is_critical &&
		    !ocsp_extension_is(&e, DER_OID_OCSP_SERVICE_LOCATOR))
			*has_unknown_critical = true;
	}
	return !extensions->has_failed;
}

/*
 * Request ::= SEQUENCE {
 *     reqCert                  CertID,
 *     singleRequestExtensions  [0] EXPLICIT Extensions OPTIONAL }
 */
static bool
get_single(struct der_reader *list, struct ocsp_certid *certid,
    bool *has_unknown_critical)
{
	struct der_reader inner, extensions;

	der_enter(list, DER_SEQUENCE, &inner);
	if (!ocsp_get_certid(&inner, certid))
		return false;
	if (der_at_end(&inner))
		return true;
	if (ocsp_enter_extensions(&inner, DER_CONTEXT(0), &extensions) &&
	    !get_single_extensions(&extensions, has_unknown_critical))
		return false;
	return der_is_done(&inner);
}

/* requestList: at least one; the first is kept, the others only checked. */
static enum oc_err
read_list(struct der_bytes contents, struct ocsp_request *request)
{
	struct der_reader list = der_reader_of(contents);
	struct ocsp_certid certid;

	request->singles = contents;
	request->num_singles = 1;
	if (!get_single(&list, &request->first,
	    &request->has_unknown_critical))
		return OC_ERR_MALFORMED;
	for (; !der_at_end(&list); request->num_singles++) {
		if (!get_single(&list, &certid,
		    &request->has_unknown_critical))
			return OC_ERR_MALFORMED;
	}
	return request->num_singles <= OCSP_REQUEST_SINGLES_MAX ?
	    OC_OK : OC_ERR_LIMIT;
}

/* Version ::= INTEGER { v1(0) }; written out it is not DER, but taken. */
static bool
get_version(struct der_reader *tbs)
{
	struct der_bytes version;

	if (!der_next_is(tbs, DER_CONTEXT(0)))
		return true;
	der_get(tbs, DER_CONTEXT(0), &version);
	return !tbs->has_failed && der_bytes_equal(version,
	    DER_ARRAY(((const uint8_t[]){ DER_INTEGER, 0x01, 0x00 })));
}

/* GeneralName ::= CHOICE, [0] to [8]: RFC 5280, 4.2.1.6. */
static bool
is_general_name(struct der_bytes name)
{
	struct der_reader r = der_reader_of(name);
	uint8_t tag;

	return der_get_any(&r, &tag, NULL, NULL) && der_is_done(&r) &&
	    (tag & 0xc0) == 0x80 && (tag & 0x1f) <= 8 && der_is_valid(name);
}

/*
 * TBSRequest ::= SEQUENCE {
 *     version            [0] EXPLICIT Version DEFAULT v1,
 *     requestorName      [1] EXPLICIT GeneralName OPTIONAL,
 *     requestList        SEQUENCE OF Request,
 *     requestExtensions  [2] EXPLICIT Extensions OPTIONAL }
 *
 * Of a request that is not signed, requestorName is as if it were not there
 * (RFC 9919, 3.1.2).
 */
static enum oc_err
read_tbs(struct der_reader *tbs, struct ocsp_request *request)
{
	struct der_reader extensions;
	struct der_bytes list;
	enum oc_err err;

	if (!get_version(tbs))
		return OC_ERR_MALFORMED;
	if (der_next_is(tbs, DER_CONTEXT(1)) &&
	    (!der_get(tbs, DER_CONTEXT(1), &request->requestor) ||
	    !is_general_name(request->requestor)))
		return OC_ERR_MALFORMED;
	if (!der_get(tbs, DER_SEQUENCE, &list))
		return OC_ERR_MALFORMED;
	err = read_list(list, request);
	if (err != OC_OK || der_is_done(tbs))
		return err;
	if (ocsp_enter_extensions(tbs, DER_CONTEXT(2), &extensions) &&
	    !get_request_extensions(&extensions, request))
		return OC_ERR_MALFORMED;
	return der_is_done(tbs) ? OC_OK : OC_ERR_MALFORMED;
}

/*
 * Signature ::= SEQUENCE {
 *     signatureAlgorithm  AlgorithmIdentifier,
 *     signature           BIT STRING,
 *     certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
 */
static bool
read_signature(struct der_bytes tlv, struct ocsp_request_signature *signature)
{
	struct der_reader r = der_reader_of(tlv), inner, certs;

	*signature = (struct ocsp_request_signature){ .certs = { NULL, 0 } };
	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_get_tlv(&inner, DER_SEQUENCE, &signature->alg_identifier) &&
	    !ocsp_is_algorithm(signature->alg_identifier))
		der_reader_fail(&inner);
	der_get_bits(&inner, &signature->octets);
	if (der_enter_optional(&inner, DER_CONTEXT(0), &certs)) {
		if (der_get(&certs, DER_SEQUENCE, &signature->certs) &&
		    signature->certs.len != 0 &&
		    !der_is_valid(signature->certs))
			der_reader_fail(&certs);
		der_leave(&inner, &certs);
	}
	return der_leave(&r, &inner) && der_is_done(&r);
}

static bool
get_signature(struct der_reader *r, struct der_bytes *tlv)
{
	struct ocsp_request_signature signature;
	struct der_reader outer;

	der_enter(r, DER_CONTEXT(0), &outer);
	return der_get_tlv(&outer, DER_SEQUENCE, tlv) &&
	    read_signature(*tlv, &signature) && der_leave(r, &outer);
}

void
ocsp_request_signature(const struct ocsp_request *request,
    struct ocsp_request_signature *signature)
{
	bool is_read = read_signature(request->signature, signature);

	oc_assert(is_read);
}

/*
 * OCSPRequest ::= SEQUENCE {
 *     tbsRequest         TBSRequest,
 *     optionalSignature  [0] EXPLICIT Signature OPTIONAL }
 */
enum oc_err
ocsp_request_read(struct der_bytes der, struct ocsp_request *request)
{
	struct der_reader r = der_reader_of(der), inner, tbs;
	struct ocsp_request read = { 0 };
	const uint8_t *start;
	enum oc_err err;

	if (der.len > OCSP_REQUEST_MAX)
		return OC_ERR_LIMIT;
	der_enter(&r, DER_SEQUENCE, &inner);
	if (!der_is_done(&r))
		return OC_ERR_MALFORMED;
	start = inner.p;
	if (!der_enter(&inner, DER_SEQUENCE, &tbs))
		return OC_ERR_MALFORMED;
	read.tbs = (struct der_bytes){ start, (size_t)(inner.p - start) };
	err = read_tbs(&tbs, &read);
	if (err != OC_OK)
		return err;
	if (!der_at_end(&inner) && (!get_signature(&inner, &read.signature) ||
	    !der_at_end(&inner)))
		return OC_ERR_MALFORMED;
	*request = read;
	return OC_OK;
}

bool
ocsp_request_next(struct der_bytes *rest, struct ocsp_certid *certid)
{
	struct der_reader list = der_reader_of(*rest);
	bool has_unknown_critical = false, is_read;

	if (rest->len == 0)
		return false;
	is_read = get_single(&list, certid, &has_unknown_critical);
	oc_assert(is_read);
	*rest = (struct der_bytes){ list.p, (size_t)(list.end - list.p) };
	return true;
}

void
ocsp_put_request(struct der_writer *w, const void *request_plan)
{
	const struct ocsp_request_plan *plan = request_plan;
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < plan->num_certids; i++) {
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, plan->certids[i]);
		der_end(w);
	}
	der_end(w);
	if (plan->nonce.len != 0) {
		der_begin(w, DER_CONTEXT(2));
		der_begin(w, DER_SEQUENCE);
		ocsp_put_nonce(w, plan->nonce);
		der_end(w);
		der_end(w);
	}
	der_end(w);
	der_end(w);
}
