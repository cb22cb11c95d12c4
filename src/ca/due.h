/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an issuer's CRLs are to be published, and doing so, a partition at a
 * time: on schedule (base/crl_schedule.h), and with crl-publish = at-once after
 * somebody was revoked or released, whoever recorded it: there the delta, if
 * there are deltas.  What is due is what the records say, so that whoever
 * starts anew goes on where another ended.
 *
 * Several may be at it, on several hosts: who takes a number looks again in
 * the transaction that takes it, and a number that was taken a moment ago
 * keeps the others away from that partition for CA_DUE_CLAIM_S.  Nothing else
 * is held, so one who dies keeps nobody away for longer.
 *
 * A look costs three queries, and four for each partition where something was
 * reserved since, or is being made.
 */
#ifndef CA_DUE_H
#define CA_DUE_H

#include "ca/publish.h"

/* More than signing two lists and recording them may take (2 * CA_DUE_SIGN_S,
 * and the store's own five seconds). */
#define CA_DUE_CLAIM_S 20
#define CA_DUE_SIGN_S 7

struct ca_due_partition {
	struct store_crl_standing standing;
	bool is_known;			/* that, but for what is reserved */
	int64_t touched_seq;		/* the last revocation or release */
	uint64_t own_number;		/* ours, and it came to nothing */
	uint32_t num_failures;		/* since it last came to something */
};

struct ca_due {
	/* The caller's; the rest is zero at first.  Registered. */
	struct ca_issuer *issuer;
	/* What is remembered. */
	bool has_looked;
	int64_t seen_id;		/* of rows of CRLs */
	int64_t seen_seq;		/* of changes */
	struct ca_due_partition partitions[OC_CRL_PARTITIONS_MAX + 1];
};

/* Of another store nothing is known. */
void ca_due_forget(struct ca_due *due);
/* Unix seconds: when the next is to be published, if nothing changes; now or
 * before: it is.  REFUSED as by ca_crl_check_partitions(). */
enum oc_err ca_due_look(struct ca_due *due, struct store *store,
    int64_t *due_at, struct oc_error *error) OC_MUST_CHECK;
/* What is due of one partition, which is named in an error: of those where it
 * was least in vain the one that is latest.  EXISTS if by now none is due:
 * another has done it, or is at it. */
enum oc_err ca_due_publish(struct ca_due *due, struct store *store,
    struct signer *signer, struct ca_publication *publication,
    struct oc_error *error) OC_MUST_CHECK;

#endif
