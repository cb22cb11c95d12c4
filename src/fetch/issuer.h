/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An issuer's CRL, or the delta to it, fetched from where it is published,
 * again and again: [issuer NAME] crl-fetch, crl-delta-fetch.  What is good
 * (fetch/check.h) replaces crl-file or crl-delta-file in one step, and how it
 * went stands beside it (fetch/state.h).  Blocks; each has a thread of its
 * own.
 */
#ifndef FETCH_ISSUER_H
#define FETCH_ISSUER_H

#include <stdatomic.h>

#include "base/config.h"
#include "fetch/state.h"

struct fetch_issuer;

/* config and is_stopping outlive it.  Reads the issuer's certificate and
 * crl-fetch-ca.  What the state file says is gone on from; one that cannot be
 * read is none. */
enum oc_err fetch_issuer_new(const struct oc_config *config,
    const struct oc_config_issuer *issuer, enum fetch_what what,
    const atomic_bool *is_stopping, struct fetch_issuer **out,
    struct oc_error *error) OC_MUST_CHECK;
void fetch_issuer_free(struct fetch_issuer *f);	/* NULL: fine */

/*
 * Asks the URLs in their order until one gives what is good, or says that
 * what there is is still so, or all have failed; says in the log what has
 * changed, and writes the state.  random: see fetch_wait_s().
 */
void fetch_issuer_round(struct fetch_issuer *f, int64_t now, uint32_t random);
/* As of the last round, or before the first what was read. */
const struct fetch_state *fetch_issuer_state(const struct fetch_issuer *f);

#endif
