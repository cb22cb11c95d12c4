/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an OCSPRequest's octets to the answer's, or to what ocsign-status is
 * to be asked.  The hot path: no allocation, no lock, no log line.
 *
 * Whatever goes wrong becomes an enum oc_err, and ocsp_answer() turns that
 * into RFC 6960's status, in one place.
 */
#include "ocsp/answer.h"

#include "ocsp/preferred.h"

static bool
is_of_issuer(const struct ocsp_answerer *answerer, uint32_t i,
    const struct ocsp_certid *certid)
{
	return ocsp_identity_matches(ocsp_table_identity(
	    answerer->issuers[i].table), certid);
}

/* OC_ERR_NOT_FOUND if it is none of ours, or in no hash that we know. */
static enum oc_err
find_issuer(const struct ocsp_answerer *answerer,
    const struct ocsp_certid *certid, uint32_t *issuer)
{
	uint32_t i;

	for (i = 0; i < answerer->num_issuers; i++) {
		if (is_of_issuer(answerer, i, certid)) {
			*issuer = i;
			return OC_OK;
		}
	}
	return OC_ERR_NOT_FOUND;
}

static bool
find_signer(const struct ocsp_answerer *answerer,
    const struct ocsp_certid *certid, const struct ocsp_preferred *preferred,
    uint32_t first, uint32_t *issuer)
{
	uint32_t i;

	for (i = first; i < answerer->num_issuers; i++) {
		if (!answerer->issuers[i].is_older && ocsp_identity_suits(
		    ocsp_table_identity(answerer->issuers[i].table),
		    preferred) && is_of_issuer(answerer, i, certid)) {
			*issuer = i;
			return true;
		}
	}
	return false;
}

/* Whose the first algorithm is that one of the issuer's signers has; the
 * usual one of them if there is none, or the list is malformed. */
static uint32_t
choose_signer(const struct ocsp_answerer *answerer,
    const struct ocsp_request *request, uint32_t usual)
{
	struct ocsp_preferred preferred;
	uint32_t chosen = usual, num = 0;
	bool is_chosen = false;
	struct der_reader list;

	if (!ocsp_enter_preferred(request->preferred_algs, &list))
		return usual;
	for (; !der_at_end(&list); num++) {
		if (!ocsp_get_preferred(&list, &preferred))
			return usual;
		if (!is_chosen && num < OCSP_PREFERRED_MAX)
			is_chosen = find_signer(answerer, &request->first,
			    &preferred, usual, &chosen);
	}
	return chosen;
}

/* No CA has given such a serial to a certificate: that is no fault of the
 * request's encoding. */
static enum oc_err
read_serial(const struct ocsp_certid *certid, struct oc_serial *serial)
{
	return oc_serial_from_bytes(certid->serial.p, certid->serial.len,
	    serial) == OC_OK ? OC_OK : OC_ERR_NOT_FOUND;
}

/* Asking for the same twice is asking once. */
static void
add_to_miss(struct ocsp_miss *miss, uint8_t encoding,
    const struct oc_serial *serial)
{
	uint32_t i;

	for (i = 0; i < miss->num_singles; i++)
		if (miss->singles[i].encoding == encoding &&
		    oc_serial_equal(&miss->singles[i].serial, serial))
			return;
	miss->singles[miss->num_singles].encoding = encoding;
	miss->singles[miss->num_singles].serial = *serial;
	miss->num_singles++;
}

/* All that is answered is of the one issuer: one signature, one issuer.  What
 * is of others is left out, or else nothing is answered. */
static enum oc_err
fill_miss(const struct ocsp_answerer *answerer,
    const struct ocsp_request *request, uint32_t issuer,
    struct der_bytes nonce, struct ocsp_miss *miss)
{
	const struct ocsp_identity *identity = ocsp_table_identity(
	    answerer->issuers[issuer].table);
	struct der_bytes rest = request->singles;
	struct ocsp_certid certid;
	struct oc_serial serial;

	miss->issuer = issuer;
	miss->num_singles = 0;
	while (ocsp_request_next(&rest, &certid)) {
		if (!ocsp_identity_matches(identity, &certid)) {
			if (answerer->skips_other_issuers)
				continue;
			return OC_ERR_NOT_FOUND;
		}
		if (read_serial(&certid, &serial) != OC_OK)
			return OC_ERR_NOT_FOUND;
		ocsp_asked_count(answerer->asked, &serial);
		add_to_miss(miss, certid.encoding, &serial);
	}
	miss->nonce_len = nonce.len;
	if (nonce.len != 0)
		memcpy(miss->nonce, nonce.p, nonce.len);
	return OC_OK;
}

static enum oc_err
reply_from(const struct ocsp_context *context, const struct ocsp_slot *slot,
    struct ocsp_reply *reply)
{
	size_t len;

	/* That a slot holds no signature, or the buffer is too small, is our
	 * own fault. */
	if (slot->signature_len < sizeof(reply->etag) ||
	    ocsp_context_build(context, slot, reply->out, reply->out_max,
	    &len) != OC_OK)
		return OC_ERR_INTERNAL;
	reply->len = len;
	reply->status = OCSP_SUCCESSFUL;
	reply->modified_at = slot->this_update;
	reply->next_update = slot->next_update;
	memcpy(reply->etag, slot->signature, sizeof(reply->etag));
	reply->is_cacheable = true;
	return OC_OK;
}

/* Behind the signer stands what its key before had signed: of the same
 * algorithm, for a client that prefers one. */
static bool
is_older_of(const struct ocsp_answerer *answerer, uint32_t i, uint32_t signer,
    const struct ocsp_request *request)
{
	return i < answerer->num_issuers && answerer->issuers[i].is_older &&
	    is_of_issuer(answerer, i, &request->first) &&
	    (request->preferred_algs.len == 0 || ocsp_table_identity(
	    answerer->issuers[i].table)->alg == ocsp_table_identity(
	    answerer->issuers[signer].table)->alg);
}

/* A table that has not caught up with the store says nothing. */
static enum oc_err
look_up(const struct ocsp_answerer *answerer,
    const struct ocsp_request *request, uint32_t signer, int64_t now,
    struct ocsp_reply *reply, struct ocsp_miss *miss,
    enum ocsp_outcome *outcome)
{
	const struct ocsp_certid *certid = &request->first;
	uint32_t issuer = signer;
	struct ocsp_slot slot;
	struct oc_serial serial;
	enum oc_err err;

	if (read_serial(certid, &serial) != OC_OK)
		return OC_ERR_NOT_FOUND;
	do {
		const struct ocsp_table *table =
		    answerer->issuers[issuer].table;

		if (!ocsp_table_is_ready(table) ||
		    ocsp_table_is_retired(table) ||
		    !ocsp_table_find(table, &serial, certid->encoding, &slot))
			continue;
		if (now < slot.next_update) {
			*outcome = OCSP_ANSWERED;
			ocsp_asked_count(answerer->asked, &serial);
			err = reply_from(answerer->issuers[issuer].context,
			    &slot, reply);
			if (answerer->issuers[issuer].is_by_crl)
				reply->modified_at = slot.produced_at;
			return err;
		}
		miss->is_stale = true;
	} while (is_older_of(answerer, ++issuer, signer, request));
	*outcome = OCSP_MISSED;
	return OC_OK;
}

/*
 * What is to be signed for.  Where a nonce is required, a request without one
 * is well-formed and still nothing that is answered here (unauthorized), and
 * one that got no signature may get it later.
 */
static enum oc_err
choose_nonce(const struct ocsp_answerer *answerer,
    const struct ocsp_request *request, uint32_t issuer,
    unsigned int modes, struct der_bytes *nonce)
{
	if (answerer->issuers[issuer].requires_nonce) {
		if (request->nonce.len == 0)
			return OC_ERR_REFUSED;
		if ((modes & OCSP_NONCE_SKIP) != 0)
			return OC_ERR_BUSY;
	}
	if ((modes & OCSP_NONCE_SKIP) == 0 &&
	    answerer->issuers[issuer].wants_nonce)
		*nonce = request->nonce;
	return OC_OK;
}

/*
 * Whose signature counts: *to_verify is then the request.  Whether it is good
 * is more than a responder can tell.
 */
static enum oc_err
check_signed(const struct ocsp_answerer *answerer, struct der_bytes der,
    const struct ocsp_request *request, uint32_t issuer,
    struct der_bytes *to_verify)
{
	enum ocsp_signed_requests policy =
	    answerer->issuers[issuer].signed_requests;

	*to_verify = (struct der_bytes){ NULL, 0 };
	if (policy == OCSP_SIGNED_IGNORED)
		return OC_OK;
	if (request->signature.len == 0)
		return policy == OCSP_SIGNED_REQUIRED ? OC_ERR_UNSIGNED :
		    OC_OK;
	if (der.len > OCSP_SIGNED_REQUEST_MAX)
		return OC_ERR_LIMIT;
	*to_verify = der;
	return OC_OK;
}

static enum oc_err
answer(const struct ocsp_answerer *answerer, struct der_bytes der,
    int64_t now, unsigned int modes, struct ocsp_reply *reply,
    struct ocsp_miss *miss, enum ocsp_outcome *outcome)
{
	struct ocsp_request request;
	struct der_bytes nonce = { NULL, 0 };
	bool is_unverified;
	uint32_t issuer;
	enum oc_err err;

	err = ocsp_request_read(der, &request);
	if (err != OC_OK)
		return err;
	reply->lacks_basic = request.lacks_basic;
	if ((request.has_bare_nonce && answerer->refuses_bare_nonces) ||
	    (request.lacks_basic && answerer->refuses_no_basic))
		return OC_ERR_MALFORMED;
	if (request.has_unknown_critical)
		return answerer->is_critical_malformed ?
		    OC_ERR_MALFORMED : OC_ERR_UNSUPPORTED;
	err = find_issuer(answerer, &request.first, &issuer);
	if (err != OC_OK)
		return err;
	reply->issuer = issuer;
	err = check_signed(answerer, der, &request, issuer,
	    &miss->signed_request);
	if (err != OC_OK)
		return err;
	is_unverified = miss->signed_request.len != 0 &&
	    (modes & OCSP_REQUESTOR_KNOWN) == 0;
	if (request.preferred_algs.len != 0)
		issuer = choose_signer(answerer, &request, issuer);
	err = choose_nonce(answerer, &request, issuer, modes, &nonce);
	if (err != OC_OK)
		return err;
	*outcome = OCSP_MISSED;
	miss->is_stale = false;
	if (request.num_singles > 1 || nonce.len != 0 || is_unverified) {
		err = fill_miss(answerer, &request, issuer, nonce, miss);
		/* The same one twice is one. */
		if (err != OC_OK || miss->num_singles > 1 ||
		    nonce.len != 0 || is_unverified)
			return err;
	}
	err = look_up(answerer, &request, issuer, now, reply, miss, outcome);
	/* No cache hands it to who was not asked for a signature. */
	if (miss->signed_request.len != 0)
		reply->is_cacheable = false;
	if (err != OC_OK || *outcome == OCSP_ANSWERED)
		return err;
	return fill_miss(answerer, &request, issuer, nonce, miss);
}

enum ocsp_outcome
ocsp_answer(const struct ocsp_answerer *answerer, struct der_bytes request,
    int64_t now, unsigned int modes, struct ocsp_reply *reply,
    struct ocsp_miss *miss)
{
	enum ocsp_outcome outcome = OCSP_ANSWERED;
	struct der_bytes octets;
	enum oc_err err;

	oc_assert(reply->out_max >= OCSP_ERROR_RESPONSE_LEN);
	reply->issuer = OCSP_ANSWERER_MAX;
	reply->lacks_basic = false;
	err = answer(answerer, request, now, modes, reply, miss, &outcome);
	if (err == OC_OK)
		return outcome;
	reply->status = ocsp_response_status_of(err);
	octets = ocsp_error_response(reply->status);
	memcpy(reply->out, octets.p, octets.len);
	reply->len = octets.len;
	reply->modified_at = reply->next_update = 0;
	memset(reply->etag, 0, sizeof(reply->etag));
	reply->is_cacheable = false;
	return OCSP_ANSWERED;
}
