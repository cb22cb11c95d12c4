/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at challenges that are due, whoever began them: has ocsign-validator
 * look, and records what it saw.  One in each ocsign-issuer, on its event
 * loop; the store says what is due, and who takes a challenge on moves its
 * next try on first, so that several processes and hosts look once, and what
 * one that died has left is due again.
 *
 * However many servers are dead, so many tries are under way at most, and of
 * one account fewer: the rest waits, and neither issuance nor the store's
 * thread waits for it.
 */
#ifndef ISSUER_PROVER_H
#define ISSUER_PROVER_H

#include "base/err.h"

struct issuer_prover;
struct issuer_service;
struct validation_client;

#define PROVER_TRIES_MAX 256		/* under way */
#define PROVER_ACCOUNT_MAX 64		/* of one account */

/* Begins to look at once.  service outlives it.  *prover is NULL without
 * [validation]. */
enum oc_err issuer_prover_new(struct issuer_service *service,
    struct issuer_prover **prover, struct oc_error *error) OC_MUST_CHECK;
/* After store_begin_challenge() is on the disk: looks without waiting for the
 * next turn.  Event loop; NULL is fine. */
void issuer_prover_kick(struct issuer_prover *prover);
/* What it asks by, for others' questions. */
struct validation_client *issuer_prover_client(
    struct issuer_prover *prover);
/* After the store's thread has ended; NULL is fine. */
void issuer_prover_free(struct issuer_prover *prover);

#endif
