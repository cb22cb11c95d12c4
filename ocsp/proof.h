/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What responders answer about a certificate now, read from the table they
 * read: the proof of a revocation, and what "ocspsign" hands out.  We sign
 * no response: what a status is, ocsign-status alone decides.
 */
#ifndef OCSP_PROOF_H
#define OCSP_PROOF_H

#include "base/config.h"
#include "base/limits.h"
#include "base/serial.h"
#include "ocsp/single.h"

/* With a SHA-1 and with a SHA-256 CertID. */
enum { OCSP_PROOF_SHA1, OCSP_PROOF_SHA256, OCSP_PROOFS };

struct ocsp_proof {
	struct {
		bool is_there;
		uint8_t response[OCSP_RESPONSE_MAX];
		size_t response_len;
		uint8_t sha256[32];	/* of response */
		struct ocsp_status status;
		int64_t produced_at, this_update, next_update;
	} of[OCSP_PROOFS];
};

/* run: of the service that the caller belongs to; NULL: of none, and
 * ocsign-status has just said that it answers for this issuer.  Blocks
 * (files): on a worker.  NOT_FOUND: there is neither. */
enum oc_err ocsp_proof_read(const struct oc_config *config,
    const char *issuer, const struct oc_serial *serial, const uint64_t *run,
    struct ocsp_proof *proof, struct oc_error *error) OC_MUST_CHECK;

#endif
