/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of issuing, each by itself, for those who may not block between
 * them.  ca_issue() is these in a row, and there is no other way:
 *
 *	ca_plan_new()  ->  ca_check_blocked()  ->  ca_prepare()
 *	->  ca_reserve()  ->  signer  ->  ca_assemble()  ->  ca_record()
 *
 * ca_reserve() and ca_record() change the store: each is one transaction,
 * and what comes next waits until it is on the disk.
 */
#ifndef CA_STEPS_H
#define CA_STEPS_H

#include "ca/plan.h"
#include "store/account.h"

/* What is known to others is certified for nobody: REFUSED. */
enum oc_err ca_check_blocked(const struct ca_blocklist *blocklist,
    const struct ca_request *request, const struct ca_plan *plan,
    struct oc_error *error) OC_MUST_CHECK;

/* A new serial, unless the request gave one, and the TBS with it, read back;
 * epoch is store_epoch(). */
enum oc_err ca_prepare(uint32_t epoch, struct ca_plan *plan,
    struct oc_error *error) OC_MUST_CHECK;

/*
 * Blocks.  asked may be NULL; its validity is the plan's.  OC_OK with an
 * outcome other than RESERVED: nothing was reserved, and nothing is to be
 * signed.  EXISTS if the issuer has the serial: prepare again; REFUSED if the
 * request gave it.
 */
enum oc_err ca_reserve(struct store *store, int64_t issuer_id,
    const struct ca_plan *plan, const struct store_request *asked,
    struct store_reserved *reserved, struct oc_error *error) OC_MUST_CHECK;

/* Everything of the job but done and arg.  plan and key stay with it. */
void ca_sign_job_init(const struct ca_plan *plan, const char *key,
    int64_t deadline_ns, struct sign_job *job);

/* The certificate from a job that is done with OC_OK. */
enum oc_err ca_assemble(const struct ca_plan *plan,
    const struct sign_job *job, struct ca_certificate *certificate,
    struct oc_error *error) OC_MUST_CHECK;

/* Blocks.  certificate->store_id is the reservation's.  MISMATCH if that was
 * given up meanwhile: what was signed must not be given to anybody. */
enum oc_err ca_record(struct store *store,
    const struct ca_certificate *certificate, struct oc_error *error)
    OC_MUST_CHECK;

#endif
