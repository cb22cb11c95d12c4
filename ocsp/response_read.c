/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an OCSPResponse, RFC 6960 section 4.2.1, as a client does: for
 * "ocsign ocsp query" and for what is loaded from a file.  It does not
 * verify the signature.
 */
#include "ocsp/extension.h"
#include "ocsp/response.h"

/*
 * ResponderID ::= CHOICE {
 *     byName  [1] EXPLICIT Name,
 *     byKey   [2] EXPLICIT KeyHash }        OCTET STRING: SHA-1
 */
static void
get_responder_id(struct der_reader *r, struct ocsp_response_view *view)
{
	struct der_reader inner;

	if (der_enter_optional(r, DER_CONTEXT(1), &inner)) {
		der_get_tlv(&inner, DER_SEQUENCE, &view->responder_name);
		der_leave(r, &inner);
		return;
	}
	der_enter(r, DER_CONTEXT(2), &inner);
	if (der_get(&inner, DER_OCTET_STRING, &view->responder_key_hash) &&
	    view->responder_key_hash.len != 20)
		der_reader_fail(&inner);
	der_leave(r, &inner);
}

static void
get_singles(struct der_reader *r, struct ocsp_response_view *view)
{
	struct ocsp_single_view single;
	struct der_reader list;

	if (!der_get(r, DER_SEQUENCE, &view->singles))
		return;
	list = der_reader_of(view->singles);
	for (; !der_at_end(&list); view->num_singles++)
		if (!ocsp_get_single(&list, &single))
			break;
	if (list.has_failed)
		der_reader_fail(r);
}

static void
get_extensions(struct der_reader *r, struct ocsp_response_view *view)
{
	struct der_reader extensions;
	struct ocsp_extension e;

	if (!ocsp_enter_extensions(r, DER_CONTEXT(1), &extensions))
		return;
	while (!der_at_end(&extensions)) {
		if (!ocsp_get_extension(&extensions, &e))
			break;
		if (ocsp_extension_is(&e, DER_OID_OCSP_NONCE) &&
		    (view->nonce.len != 0 ||
		    !ocsp_read_nonce(e.value, &view->nonce)))
			der_reader_fail(&extensions);
	}
	if (extensions.has_failed)
		der_reader_fail(r);
}

/* See ocsp_put_response_data(). */
static bool
read_data(struct ocsp_response_view *view)
{
	struct der_reader r = der_reader_of(view->data), inner, wrapped;
	uint64_t version = 0;

	der_enter(&r, DER_SEQUENCE, &inner);
	if (der_enter_optional(&inner, DER_CONTEXT(0), &wrapped)) {
		der_get_uint(&wrapped, &version);
		der_leave(&inner, &wrapped);
	}
	if (version != 0)
		der_reader_fail(&inner);
	get_responder_id(&inner, view);
	der_get_gentime(&inner, &view->produced_at);
	get_singles(&inner, view);
	get_extensions(&inner, view);
	return der_leave(&r, &inner);
}

/* Certificates are opaque here, but whole. */
static void
get_certs(struct der_reader *r, struct ocsp_response_view *view)
{
	struct der_reader wrapped, list;
	struct der_bytes cert;

	if (!der_enter_optional(r, DER_CONTEXT(0), &wrapped))
		return;
	der_get(&wrapped, DER_SEQUENCE, &view->certs);
	if (!der_leave(r, &wrapped))
		return;
	list = der_reader_of(view->certs);
	while (!der_at_end(&list))
		der_get_tlv(&list, DER_SEQUENCE, &cert);
	if (list.has_failed)
		der_reader_fail(r);
}

/* BasicOCSPResponse: see ocsp/response.c. */
static enum oc_err
read_basic(struct der_bytes der, struct ocsp_response_view *view,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(der), inner;

	der_enter(&r, DER_SEQUENCE, &inner);
	if (!der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the response is not a BasicOCSPResponse");
	der_get_tlv(&inner, DER_SEQUENCE, &view->data);
	der_get_tlv(&inner, DER_SEQUENCE, &view->alg_identifier);
	der_get_bits(&inner, &view->signature);
	get_certs(&inner, view);
	if (!der_is_done(&inner) || !ocsp_is_algorithm(view->alg_identifier))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the BasicOCSPResponse is not well-formed");
	if (!read_data(view))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the ResponseData is not well-formed");
	return OC_OK;
}

/* ResponseBytes: see ocsp_put_response(). */
static enum oc_err
read_bytes(struct der_reader *r, struct ocsp_response_view *view,
    struct oc_error *error)
{
	struct der_reader wrapped, inner;
	struct der_bytes type, basic;

	der_enter(r, DER_CONTEXT(0), &wrapped);
	der_enter(&wrapped, DER_SEQUENCE, &inner);
	der_get_oid(&inner, &type);
	der_get(&inner, DER_OCTET_STRING, &basic);
	der_leave(&wrapped, &inner);
	if (!der_leave(r, &wrapped) || !der_is_done(r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "a successful OCSPResponse without well-formed "
		    "responseBytes");
	if (!der_bytes_equal(type, der_oid_bytes(DER_OID_OCSP_BASIC)))
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "the response is not of type id-pkix-ocsp-basic");
	return read_basic(basic, view, error);
}

static bool
is_status(unsigned int status)
{
	return status <= OCSP_UNAUTHORIZED && status != 4;
}

enum oc_err
ocsp_response_read(struct der_bytes der, struct ocsp_response_view *view,
    struct oc_error *error)
{
	struct der_reader r = der_reader_of(der), inner;
	struct ocsp_response_view read = { 0 };
	unsigned int status;
	enum oc_err err;

	der_enter(&r, DER_SEQUENCE, &inner);
	if (!der_get_enum(&inner, &status) || !der_is_done(&r))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "not an OCSPResponse");
	if (!is_status(status))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "responseStatus %u is none of RFC 6960's", status);
	read.status = (enum ocsp_response_status)status;
	if (read.status == OCSP_SUCCESSFUL) {
		err = read_bytes(&inner, &read, error);
		if (err != OC_OK)
			return err;
	} else if (!der_is_done(&inner)) {
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "status %s with responseBytes",
		    ocsp_response_status_name(read.status));
	}
	*view = read;
	return OC_OK;
}

bool
ocsp_response_next(struct der_bytes *rest, struct ocsp_single_view *single)
{
	struct der_reader list = der_reader_of(*rest);
	bool is_read;

	if (rest->len == 0)
		return false;
	is_read = ocsp_get_single(&list, single);
	oc_assert(is_read);
	*rest = (struct der_bytes){ list.p, (size_t)(list.end - list.p) };
	return true;
}
