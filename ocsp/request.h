/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSPRequest, RFC 6960 section 4.1.1, read into views without allocation,
 * and written for "ocsign ocsp query".
 */
#ifndef OCSP_REQUEST_H
#define OCSP_REQUEST_H

#include "base/err.h"
#include "base/limits.h"
#include "der/bytes.h"
#include "ocsp/certid.h"

struct ocsp_request {
	struct ocsp_certid first;
	uint32_t num_singles;		/* 1 to OCSP_REQUEST_SINGLES_MAX */
	struct der_bytes singles;	/* contents of requestList */
	struct der_bytes nonce;		/* inner octets, 1 to 128; or len 0 */
	struct der_bytes tbs;		/* TBSRequest TLV */
	struct der_bytes requestor;	/* GeneralName TLV; len 0: none */
	struct der_bytes signature;	/* Signature TLV; len 0: not signed */
	bool has_unknown_critical;	/* a critical extension we lack */
	bool has_bare_nonce;		/* its octets in no OCTET STRING */
	bool lacks_basic;		/* AcceptableResponses without it */
	struct der_bytes preferred_algs; /* extension contents; len 0: none */
};

/*
 * OC_ERR_MALFORMED for what is not a strict DER OCSPRequest v1, has no
 * CertID, two nonces or a nonce of 0 or over 128 octets (RFC 9654, 2.1);
 * OC_ERR_LIMIT for too many CertIDs.  A nonce whose inner OCTET STRING is
 * missing is taken as it is: clients of RFC 2560's time send it.
 */
enum oc_err ocsp_request_read(struct der_bytes der,
    struct ocsp_request *request) OC_MUST_CHECK;

/* Walks request->singles.  False at the end; what was read is well-formed,
 * so it cannot fail. */
bool ocsp_request_next(struct der_bytes *rest, struct ocsp_certid *certid);

/* optionalSignature of a request that was read and has one. */
struct ocsp_request_signature {
	struct der_bytes alg_identifier;	/* TLV */
	struct der_bytes octets;		/* BIT STRING */
	struct der_bytes certs;		/* Certificate TLVs; len 0: none */
};
void ocsp_request_signature(const struct ocsp_request *request,
    struct ocsp_request_signature *signature);

/* To write one: a der_put_fn; arg is a struct ocsp_request_plan. */
struct ocsp_request_plan {
	const struct der_bytes *certids;	/* CertID TLVs */
	uint32_t num_certids;
	struct der_bytes nonce;			/* len 0: none */
};
void ocsp_put_request(struct der_writer *w, const void *request_plan);

#endif
