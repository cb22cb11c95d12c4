/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All CRLs of an issuer that are due, RFC 5280 sections 5 and 3.3: the one
 * entry for whoever publishes, by hand or on a schedule (ca/due.h).  Which are
 * is decided in the transaction that takes their number.
 *
 * Blocks: on the store for as long as lists are read, on the signer once a
 * list.  Never call it from an event loop.  Two may publish at the same time:
 * each gets numbers of its own.
 */
#ifndef CA_PUBLISH_H
#define CA_PUBLISH_H

#include "ca/crl.h"
#include "ca/issuer.h"
#include "sign/sign.h"

/* Of num lists, done are signed. */
typedef void ca_publish_progress_fn(void *arg, uint32_t done, uint32_t num);

struct ca_publish_order {
	/* A list is due that is as old as this, in seconds, has ended, is of
	 * the future, or is not there; 0: each is.  Deltas are where there is a
	 * crl-delta-url, and beside each full list. */
	int64_t full_age_s, delta_age_s;
	/* And where somebody was revoked or released since the newest: of
	 * that partition alone, a delta if there are deltas. */
	bool on_change;
	/* NULL; or of that partition alone, and what the choice says is due. */
	struct ca_crl_choice *choice;
	uint32_t partition;
	/* Each signature may take as long. */
	int64_t sign_ns;
	ca_publish_progress_fn *progress;	/* may be NULL */
	void *arg;
};

/* What was signed and recorded; num 0: nothing was due. */
struct ca_publication {
	struct ca_crl *lists;		/* owned */
	uint32_t num;
};
void ca_publication_fini(struct ca_publication *publication);

/*
 * Makes what is due, and records it once all of it is signed: after an error
 * those before are the newest.  What it has reserved is then lost: a number is
 * never used twice.  REFUSED if the issuer may not sign CRLs.
 */
enum oc_err ca_publish(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, const struct ca_publish_order *order,
    struct ca_publication *publication, struct oc_error *error) OC_MUST_CHECK;

#endif
