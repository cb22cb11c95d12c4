/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPResponse, BasicOCSPResponse and ResponseData, RFC 6960 section 4.2.1:
 * the writers, the reader, and the five octets of an error.
 */
#ifndef OCSP_RESPONSE_H
#define OCSP_RESPONSE_H

#include "base/err.h"
#include "base/limits.h"
#include "der/bytes.h"
#include "der/writer.h"
#include "ocsp/single.h"
#include "sign/alg.h"

/* OCSPResponseStatus; the wire's values. */
enum ocsp_response_status {
	OCSP_SUCCESSFUL = 0,
	OCSP_MALFORMED_REQUEST = 1,
	OCSP_INTERNAL_ERROR = 2,
	OCSP_TRY_LATER = 3,
	OCSP_SIG_REQUIRED = 5,
	OCSP_UNAUTHORIZED = 6
};
const char *ocsp_response_status_name(enum ocsp_response_status status);

/* The one place where our errors become RFC 6960's. */
enum ocsp_response_status ocsp_response_status_of(enum oc_err err);

/* 30 03 0A 01 xx: the whole OCSPResponse for a status other than
 * OCSP_SUCCESSFUL.  Static. */
#define OCSP_ERROR_RESPONSE_LEN 5
struct der_bytes ocsp_error_response(enum ocsp_response_status status);

/* ResponseData.  A der_put_fn. */
struct ocsp_response_data {
	struct der_bytes responder_key_hash;	/* SHA-1, 20 octets */
	int64_t produced_at;			/* hole */
	const struct ocsp_single *singles;
	uint32_t num_singles;
	struct der_bytes nonce;			/* len 0: none */
	/* A status is "revoked" for a certificate never issued: RFC 6960,
	 * 4.4.8. */
	bool has_extended_revoke;
	/* responderID is byName: this Name TLV; len 0: byKey. */
	struct der_bytes responder_name;
};
void ocsp_put_response_data(struct der_writer *w, const void *response_data);

/* The whole OCSPResponse, status successful, around a ResponseData TLV that
 * was signed.  A der_put_fn. */
struct ocsp_response {
	/* ResponseData TLV; or, if p is NULL, what it is written from. */
	struct der_bytes data;
	const struct ocsp_response_data *plan;
	enum sign_alg alg;
	struct der_bytes signature;	/* BIT STRING octets; hole */
	struct der_bytes certs;		/* Certificate TLVs; len 0: field left
					 * out */
};
void ocsp_put_response(struct der_writer *w, const void *response);

/* What a client reads back: views. */
struct ocsp_response_view {
	enum ocsp_response_status status;
	/* The rest only if OCSP_SUCCESSFUL. */
	struct der_bytes data;			/* ResponseData TLV */
	struct der_bytes responder_key_hash;	/* byKey; or */
	struct der_bytes responder_name;	/* byName: Name TLV */
	int64_t produced_at;
	struct der_bytes singles;		/* contents of responses */
	uint32_t num_singles;
	struct der_bytes nonce;			/* inner octets; len 0: none */
	struct der_bytes alg_identifier;
	struct der_bytes signature;
	struct der_bytes certs;			/* Certificate TLVs */
};
enum oc_err ocsp_response_read(struct der_bytes der,
    struct ocsp_response_view *view, struct oc_error *error) OC_MUST_CHECK;
/* Walks view->singles; false at the end. */
bool ocsp_response_next(struct der_bytes *rest,
    struct ocsp_single_view *single);

#endif
