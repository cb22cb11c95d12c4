/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishes the CRLs of every issuer with crl-publish: on threads of its own,
 * each with its issuers, a connection to the records and one to the signer,
 * since all of these block.  A token that does not answer delays the issuers
 * of its thread by one deadline, and nobody else.
 *
 * What fails is tried again, after a second, then twice as long each time, up
 * to a minute; meanwhile the last CRL is served on, and why it failed stands in
 * the log and in a file (base/crl_trouble.h).
 */
#ifndef ISSUER_PUBLISHER_H
#define ISSUER_PUBLISHER_H

#include "base/config.h"

struct issuer_publisher;

/* config is borrowed; some issuer's CRLs are published by it. */
enum oc_err issuer_publisher_new(const struct oc_config *config,
    struct issuer_publisher **publisher, struct oc_error *error)
    OC_MUST_CHECK;
/* Begins nothing more; does not wait.  NULL is fine, as it is below. */
void issuer_publisher_stop(struct issuer_publisher *publisher);
/* Waits for a CRL that is being made: some seconds at most. */
void issuer_publisher_free(struct issuer_publisher *publisher);

#endif
