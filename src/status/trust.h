/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an issuer's word is worth nothing any more: its own certificate was
 * revoked because its key is compromised (RFC 5280, 5.3.1), or that of the
 * delegated signer was revoked.  Then no certificate is called good, or not
 * under that signer's certificate: each of several has one of these.
 */
#ifndef STATUS_TRUST_H
#define STATUS_TRUST_H

#include "base/config.h"
#include "ocsp/single.h"
#include "status/status.h"

struct status_trust {
	const struct oc_config_ocsp *ocsp;		/* borrowed */
	bool is_compromised;
	int64_t compromised_at;
	struct oc_serial signer_serial;	/* len 0: the CA signs itself */
	bool is_signer_revoked;		/* nothing is signed, nor served that
					 * it has signed */
};

/* Has the source watch the CA's certificates, and asks what was revoked by
 * now.  Reads them; errors name the file. */
enum oc_err status_trust_init(struct status_trust *trust,
    const struct oc_config_ocsp *ocsp, struct status_source *source,
    struct oc_error *error) OC_MUST_CHECK;
/* True if what may be said is another since this change; said in the log. */
bool status_trust_note(struct status_trust *trust,
    const struct status_change *change);
/* Nothing at all is said of any certificate. */
bool status_trust_refuses(const struct status_trust *trust);
/* What is said of a certificate that the records have so. */
struct ocsp_status status_trust_says(const struct status_trust *trust,
    const struct status_record *record);
/* What was signed before, by whomever, and may not be said now. */
bool status_trust_forbids(const struct status_trust *trust,
    const struct ocsp_status *status);

#endif
