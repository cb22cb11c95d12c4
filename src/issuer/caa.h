/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether CAA lets us issue what a plan says (RFC 8659): each of its DNS
 * names, wildcards included, is asked about at ocsign-validator, all at once.
 * For every door and for commands; what cannot be known is refused.
 */
#ifndef ISSUER_CAA_H
#define ISSUER_CAA_H

#include "base/config.h"
#include "ca/plan.h"
#include "validation/validation.h"

/* How a name was proven, for RFC 8657. */
struct issuer_proof {
	char name[VALIDATION_NAME_MAX + 1];	/* without "*." */
	bool is_wildcard;
	char method[VALIDATION_METHOD_MAX + 1];	/* "http-01", "ca-meta" */
};
struct issuer_proofs {
	char account_uri[VALIDATION_URI_MAX + 1];	/* "": none */
	size_t num;
	struct issuer_proof list[];
};

/* Of a name, and of its wildcard, which may have been proven otherwise; NULL:
 * not known. */
const char *issuer_proofs_method(const struct issuer_proofs *proofs,
    const char *name, bool is_wildcard);

struct issuer_caa;
/* OC_OK; REFUSED by the rule "caa", of which explanation tells; DOWN: try
 * again. */
typedef void issuer_caa_fn(void *arg, enum oc_err err);

struct issuer_caa_order {
	const struct ca_plan *plan;
	const struct issuer_proofs *proofs;	/* NULL: none are known */
	int64_t deadline_ns;
	/* Filled when done() runs with an error. */
	struct ca_explanation *explanation;	/* NULL: not wanted */
	struct oc_error *error;
};

/* done() runs once, from the client's dispatch or free, unless cancelled.
 * *caa NULL: there are no such names, and it does not run.  After an error
 * neither. */
enum oc_err issuer_caa_start(struct validation_client *client,
    const struct issuer_caa_order *order, issuer_caa_fn *done, void *arg,
    struct issuer_caa **caa) OC_MUST_CHECK;
void issuer_caa_cancel(struct issuer_caa *caa);	/* NULL is fine */

/*
 * The way to ocsign-validator, in an event loop.  *way NULL: there are no
 * caa-identities, and nothing is asked.
 */
struct event_base;
struct issuer_caa_way;
enum oc_err issuer_caa_way_new(const struct oc_config *config,
    struct event_base *base, struct issuer_caa_way **way,
    struct oc_error *error) OC_MUST_CHECK;
/* Who still waits is told DOWN.  NULL is fine. */
void issuer_caa_way_free(struct issuer_caa_way *way);
/* issuer_caa_start() on it, by order->deadline_ns or as long as a validation
 * may take. */
enum oc_err issuer_caa_ask(struct issuer_caa_way *way,
    const struct issuer_caa_order *order, issuer_caa_fn *done, void *arg,
    struct issuer_caa **caa) OC_MUST_CHECK;

/* For commands: a client for validator.sock; how long it may take; and the
 * same, blocking. */
enum oc_err issuer_caa_client_new(const struct oc_config *config,
    struct validation_client **client) OC_MUST_CHECK;
int64_t issuer_caa_timeout(const struct oc_config *config);
enum oc_err issuer_caa_now(struct validation_client *client,
    const struct issuer_caa_order *order) OC_MUST_CHECK;

#endif
