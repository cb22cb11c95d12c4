/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request octets in, response octets out; no sockets, no clock, no lock, no
 * allocation.  What the table does not hold comes back as a miss, to be sent
 * to ocsign-status.
 */
#ifndef OCSP_ANSWER_H
#define OCSP_ANSWER_H

#include "base/err.h"
#include "base/limits.h"
#include "base/serial.h"
#include "der/bytes.h"
#include "ocsp/asked.h"
#include "ocsp/request.h"
#include "ocsp/response.h"
#include "ocsp/table.h"

#define OCSP_ISSUERS_MAX 64		/* each signer of one counts */
#define OCSP_ANSWERER_MAX (2 * OCSP_ISSUERS_MAX)

/*
 * What is constant for (issuer, signing key, CertID encoding): templates
 * compiled from the writers, for each encoding and shape of status.
 */
struct ocsp_context;
enum oc_err ocsp_context_new(const struct ocsp_identity *identity,
    struct ocsp_context **context) OC_MUST_CHECK;
void ocsp_context_free(struct ocsp_context *context);

/* The OCSPResponse of a slot, byte for byte what ocsp_put_response() writes.
 * NO_SPACE, or MALFORMED if the slot's signature is not one. */
enum oc_err ocsp_context_build(const struct ocsp_context *context,
    const struct ocsp_slot *slot, uint8_t *out, size_t out_max, size_t *len)
    OC_MUST_CHECK;

/*
 * For who has slots signed.  The ResponseData that a slot's signature is
 * over; signature is not looked at.
 */
enum oc_err ocsp_context_data(const struct ocsp_context *context,
    const struct ocsp_slot *slot, uint8_t *out, size_t out_max, size_t *len)
    OC_MUST_CHECK;
/* Puts a signature, as signers give it, into the slot.  MALFORMED if it is
 * none of this identity's key. */
enum oc_err ocsp_slot_take_signature(struct ocsp_slot *slot,
    const struct ocsp_identity *identity, struct der_bytes signature)
    OC_MUST_CHECK;

/* Policy: what the signature of a request is for (RFC 6960, 4.1.2). */
enum ocsp_signed_requests {
	OCSP_SIGNED_IGNORED,
	OCSP_SIGNED_VERIFIED,	/* a signed one is answered only to who is
				 * known, which ocsign-status can tell */
	OCSP_SIGNED_REQUIRED	/* the others get sigRequired */
};

/* The tables a responder answers from.  An issuer stands in it once for each
 * of its signers, the usual one first; the others answer who prefers their
 * algorithm (RFC 6960, 4.4.7).  Behind a signer may stand what its key before
 * had signed: until it is signed anew it is good, and a miss is the
 * signer's.  What is policy is the same in all of an issuer's. */
struct ocsp_answerer {
	struct {
		struct ocsp_table *table;	/* borrowed */
		struct ocsp_context *context;	/* borrowed */
		bool wants_nonce;	/* policy: a nonce is worth a live
					 * signature; else it is ignored */
		bool requires_nonce;	/* and so wanted: nothing is said
					 * without */
		enum ocsp_signed_requests signed_requests;
		bool is_by_crl;		/* thisUpdate is a CRL's, or another
					 * source's: what is signed anew may
					 * have it too */
		bool is_older;		/* what was signed with the key before
					 * that of the one in front */
	} issuers[OCSP_ANSWERER_MAX];
	uint32_t num_issuers;
	/* Policy: what is malformed, though it could be answered. */
	bool refuses_bare_nonces;	/* RFC 2560's */
	bool refuses_no_basic;		/* AcceptableResponses without it */
	/* Policy: an unknown critical extension is malformed, rather than
	 * unauthorized; it is never answered. */
	bool is_critical_malformed;
	/* Policy: what is asked about other issuers than the first is left
	 * out, rather than that all is unauthorized. */
	bool skips_other_issuers;
	struct ocsp_asked *asked;	/* who is asked about is counted here;
					 * borrowed; NULL: nowhere */
};

struct ocsp_reply {
	uint8_t *out;			/* the caller's */
	size_t out_max;
	size_t len;
	enum ocsp_response_status status;
	uint32_t issuer;		/* index in the answerer, for who
					 * counts; or OCSP_ANSWERER_MAX */
	/* For the cache headers; only if OCSP_SUCCESSFUL. */
	int64_t modified_at;		/* thisUpdate, or when it was signed */
	int64_t next_update;
	int64_t max_age_s;		/* by policy, which the caller knows;
					 * 0: until next_update */
	uint8_t etag[16];		/* from the signature's own octets */
	bool is_cacheable;		/* false: live, an error, or for one
					 * client */
	bool lacks_basic;		/* AcceptableResponses did; also with
					 * OCSP_MISSED */
};

/* What ocsign-status is asked. */
struct ocsp_miss {
	uint32_t issuer;		/* index in the answerer */
	uint32_t num_singles;
	struct {
		uint8_t encoding;
		struct oc_serial serial;
	} singles[OCSP_REQUEST_SINGLES_MAX];	/* duplicates folded */
	uint8_t nonce[OCSP_NONCE_MAX];
	size_t nonce_len;		/* 0: none, or ignored by policy */
	bool is_stale;			/* a slot is there, past its time */
	/* View of the whole request, if its signature is to be verified; len
	 * 0: it is not. */
	struct der_bytes signed_request;
};

enum ocsp_outcome { OCSP_ANSWERED, OCSP_MISSED };

/*
 * A request for one certificate without a wanted nonce is answered from its
 * slot while now < next_update; errors are answered at once.  Everything
 * else is a miss; so is what asks of a table that is not ready, or RETIRED,
 * which whoever asks should have opened again.  reply is set only with
 * OCSP_ANSWERED (out and out_max before, by the caller, to at least
 * OCSP_ERROR_RESPONSE_LEN), miss only with OCSP_MISSED.
 * modes: OCSP_NONCE_SKIP answers a request whose live signature was declined
 * as if it had no nonce (RFC 9919, 3.2.1); where one is required, with
 * tryLater.  OCSP_REQUESTOR_KNOWN: ocsign-status has verified its signature;
 * before, a signed one whose signature counts is a miss.
 */
enum ocsp_answer_mode {			/* bits */
	OCSP_NONCE_WANTED = 0,
	OCSP_NONCE_SKIP = 1,
	OCSP_REQUESTOR_KNOWN = 2
};
enum ocsp_outcome ocsp_answer(const struct ocsp_answerer *answerer,
    struct der_bytes request, int64_t now, unsigned int modes,
    struct ocsp_reply *reply, struct ocsp_miss *miss);

#endif
