/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPResponse, RFC 6960 section 4.2.1: the writers, and what an error
 * looks like.  The reader is in response_read.c.
 */
#include "ocsp/response.h"

#include "ocsp/extension.h"

const char *
ocsp_response_status_name(enum ocsp_response_status status)
{
	switch (status) {
	case OCSP_SUCCESSFUL:
		return "successful";
	case OCSP_MALFORMED_REQUEST:
		return "malformedRequest";
	case OCSP_INTERNAL_ERROR:
		return "internalError";
	case OCSP_TRY_LATER:
		return "tryLater";
	case OCSP_SIG_REQUIRED:
		return "sigRequired";
	case OCSP_UNAUTHORIZED:
		return "unauthorized";
	}
	return "unknown";
}

/*
 * RFC 6960, 2.3.  What passes by itself is tryLater: the token or the store
 * is away, or a queue is full.
 */
enum ocsp_response_status
ocsp_response_status_of(enum oc_err err)
{
	switch (err) {
	case OC_OK:
		return OCSP_SUCCESSFUL;
	case OC_ERR_UNSIGNED:
		return OCSP_SIG_REQUIRED;
	case OC_ERR_MALFORMED:
	case OC_ERR_LIMIT:
		return OCSP_MALFORMED_REQUEST;
	case OC_ERR_UNSUPPORTED:
	case OC_ERR_REFUSED:
	case OC_ERR_NOT_FOUND:
	case OC_ERR_MISMATCH:
		return OCSP_UNAUTHORIZED;
	case OC_ERR_BUSY:
	case OC_ERR_TIMEOUT:
	case OC_ERR_CANCELLED:
	case OC_ERR_DOWN:
	case OC_ERR_PIN:
	case OC_ERR_TOKEN:
	case OC_ERR_STORE:
		return OCSP_TRY_LATER;
	case OC_ERR_NOMEM:
	case OC_ERR_SYSTEM:
	case OC_ERR_NO_SPACE:
	case OC_ERR_USAGE:
	case OC_ERR_CONFIG:
	case OC_ERR_EXISTS:
	case OC_ERR_SIGNATURE:
	case OC_ERR_INTERNAL:
		return OCSP_INTERNAL_ERROR;
	}
	return OCSP_INTERNAL_ERROR;
}

/* OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED }   30 03 0A 01 xx */
struct der_bytes
ocsp_error_response(enum ocsp_response_status status)
{
	static const uint8_t responses[][OCSP_ERROR_RESPONSE_LEN] = {
		[OCSP_MALFORMED_REQUEST] = { 0x30, 0x03, 0x0a, 0x01, 0x01 },
		[OCSP_INTERNAL_ERROR] = { 0x30, 0x03, 0x0a, 0x01, 0x02 },
		[OCSP_TRY_LATER] = { 0x30, 0x03, 0x0a, 0x01, 0x03 },
		[OCSP_SIG_REQUIRED] = { 0x30, 0x03, 0x0a, 0x01, 0x05 },
		[OCSP_UNAUTHORIZED] = { 0x30, 0x03, 0x0a, 0x01, 0x06 },
	};

	oc_assert(status > OCSP_SUCCESSFUL && status <= OCSP_UNAUTHORIZED &&
	    responses[status][0] != 0);
	return DER_ARRAY(responses[status]);
}

/*
 * responseExtensions: never critical (RFC 6960, 4.4); extended-revoke is an
 * extension whose value is NULL (4.4.8).
 */
static void
put_response_extensions(struct der_writer *w,
    const struct ocsp_response_data *data)
{
	der_begin(w, DER_CONTEXT(1));
	der_begin(w, DER_SEQUENCE);
	if (data->nonce.len != 0)
		ocsp_put_nonce(w, data->nonce);
	if (data->has_extended_revoke) {
		ocsp_begin_extension(w, DER_OID_OCSP_EXTENDED_REVOKE);
		der_put_null(w);
		ocsp_end_extension(w);
	}
	der_end(w);
	der_end(w);
}

/*
 * ResponderID ::= CHOICE {
 *     byName  [1] EXPLICIT Name,
 *     byKey   [2] EXPLICIT KeyHash }        OCTET STRING: SHA-1
 */
static void
put_responder_id(struct der_writer *w, const struct ocsp_response_data *data)
{
	if (data->responder_name.len != 0) {
		der_begin(w, DER_CONTEXT(1));
		der_put_raw(w, data->responder_name);
	} else {
		der_begin(w, DER_CONTEXT(2));
		der_put_octets(w, data->responder_key_hash);
	}
	der_end(w);
}

/*
 * ResponseData ::= SEQUENCE {
 *     version             [0] EXPLICIT Version DEFAULT v1,
 *     responderID         ResponderID,
 *     producedAt          GeneralizedTime,
 *     responses           SEQUENCE OF SingleResponse,
 *     responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
 */
void
ocsp_put_response_data(struct der_writer *w, const void *response_data)
{
	const struct ocsp_response_data *data = response_data;
	uint32_t i;

	der_begin(w, DER_SEQUENCE);
	put_responder_id(w, data);
	der_put_gentime(w, data->produced_at);
	der_begin(w, DER_SEQUENCE);
	for (i = 0; i < data->num_singles; i++)
		ocsp_put_single(w, &data->singles[i]);
	der_end(w);
	if (data->nonce.len != 0 || data->has_extended_revoke)
		put_response_extensions(w, data);
	der_end(w);
}

/*
 * BasicOCSPResponse ::= SEQUENCE {
 *     tbsResponseData     ResponseData,
 *     signatureAlgorithm  AlgorithmIdentifier,
 *     signature           BIT STRING,
 *     certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
 */
static void
put_basic(struct der_writer *w, const struct ocsp_response *response)
{
	der_begin(w, DER_SEQUENCE);
	if (response->data.p != NULL)
		der_put_raw(w, response->data);
	else
		ocsp_put_response_data(w, response->plan);
	der_put_raw(w, sign_alg_info(response->alg)->identifier);
	der_put_bits(w, response->signature);
	if (response->certs.len != 0) {
		der_begin(w, DER_CONTEXT(0));
		der_begin(w, DER_SEQUENCE);
		der_put_raw(w, response->certs);
		der_end(w);
		der_end(w);
	}
	der_end(w);
}

/*
 * OCSPResponse ::= SEQUENCE {
 *     responseStatus  OCSPResponseStatus,
 *     responseBytes   [0] EXPLICIT ResponseBytes OPTIONAL }
 *
 * ResponseBytes ::= SEQUENCE {
 *     responseType  OBJECT IDENTIFIER,      id-pkix-ocsp-basic
 *     response      OCTET STRING }          holds BasicOCSPResponse
 */
void
ocsp_put_response(struct der_writer *w, const void *response)
{
	der_begin(w, DER_SEQUENCE);
	der_put_enum(w, OCSP_SUCCESSFUL);
	der_begin(w, DER_CONTEXT(0));
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_OCSP_BASIC);
	der_begin(w, DER_OCTET_STRING);
	put_basic(w, response);
	der_end(w);
	der_end(w);
	der_end(w);
	der_end(w);
}
