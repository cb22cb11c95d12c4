/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an issuer's CRL is to be published, and doing so: on schedule
 * (base/crl_schedule.h), and with crl-publish = at-once after a revocation,
 * whoever recorded it.  What is due is what the records say, so that whoever
 * starts anew goes on where another ended.
 *
 * Several may be at it, on several hosts: who takes the number looks again in
 * the transaction that takes it, and a number that was taken a moment ago
 * keeps the others away for CA_DUE_CLAIM_S.  Nothing else is held, so one
 * who dies keeps nobody away for longer.
 */
#ifndef CA_DUE_H
#define CA_DUE_H

#include "ca/revoke.h"

/* More than signing and recording may take (CA_DUE_SIGN_S, and the
 * store's own five seconds). */
#define CA_DUE_CLAIM_S 20
#define CA_DUE_SIGN_S 8

struct ca_due {
	/* The caller's; the rest is zero at first.  Registered. */
	struct ca_issuer *issuer;
	/* What is remembered. */
	bool has_looked, is_lacking;
	uint64_t number;		/* of the CRL that this is about */
	int64_t seen_seq;		/* looked up to there for what it
					 * lacks */
	int64_t own_id;			/* ours, and it came to nothing */
};

/* Unix seconds: when the next is to be published, if nothing changes; now or
 * before: it is. */
enum oc_err ca_due_look(struct ca_due *due, struct store *store,
    int64_t *due_at) OC_MUST_CHECK;
/* As ca_crl_create(); EXISTS if by now none is due: another has done it, or is
 * at it. */
enum oc_err ca_due_publish(struct ca_due *due, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *crl,
    struct oc_error *error) OC_MUST_CHECK;

#endif
