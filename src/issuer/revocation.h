/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Revoke this": recorded, then ocsign-status told, then, when that says so,
 * the response that responders give from now on is read from their table.
 */
#ifndef ISSUER_REVOCATION_H
#define ISSUER_REVOCATION_H

#include <jansson.h>

#include "base/reason.h"
#include "issuer/service.h"
#include "ocsp/proof.h"

struct issuer_revoked {
	enum oc_err err;		/* of the recording */
	struct oc_error error;
	bool was_revoked;		/* before: err is OC_OK then */
	int64_t revoked_at;
	/* NULL: it is recorded, but not served yet; notice says why. */
	const struct ocsp_proof *proof;
	const char *notice;
};

typedef void issuer_revoked_fn(void *arg,
    const struct issuer_revoked *revoked);

/* Never calls done() itself. */
enum oc_err issuer_revoke(struct issuer_service *service,
    struct issuer_authority *authority, const struct oc_serial *serial,
    enum crl_reason reason, issuer_revoked_fn *done, void *arg)
    OC_MUST_CHECK;

/* For {"revoked_at", "ocsp": {"sha1": {...}, "sha256": {...}}}: what a client
 * can show to auditors.  NULL: out of memory. */
json_t *issuer_revoked_describe(const struct issuer_revoked *revoked);

#endif
