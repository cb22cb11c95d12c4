/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RDAP: GET BASE/domain/NAME (RFC 9082) answers with a domain object
 * (RFC 9083) whose entities are registrant, administrative and technical
 * contact, each with a jCard (RFC 7095) that may have an "email".
 *
 * Taken are those addresses where the object is of the very name that was
 * asked for; the rest, notices and links included, is not looked at.
 */
#ifndef VALIDATION_RDAP_H
#define VALIDATION_RDAP_H

#include "validation/validation.h"

struct event_base;
struct validation_curl;
struct validation_resolver;

#define VALIDATION_RDAP_MAX (256 * 1024)	/* of an answer */

/* The registry's for the names under a suffix. */
struct validation_rdap_server {
	const char *suffix;		/* "com"; "": for all */
	const char *url;		/* "https://rdap.example/v1/" */
};

struct validation_rdap_config {
	const struct validation_rdap_server *servers;	/* the longest suffix
							 * counts */
	size_t num_servers;
	const char *trust_file;		/* PEM; NULL: whom the system trusts */
};

struct validation_rdap;
struct validation_rdap_job;

/* Reads the trust file: call it before the sandbox.  CONFIG. */
enum oc_err validation_rdap_new(struct event_base *base,
    struct validation_curl *loop, struct validation_resolver *resolver,
    const struct validation_rdap_config *config,
    struct validation_rdap **rdap, struct oc_error *error) OC_MUST_CHECK;

/* As validation_whois_ask().  A redirect is not followed. */
enum oc_err validation_rdap_ask(struct validation_rdap *rdap,
    const char *name, int64_t deadline_ns, validation_done_fn *done,
    void *arg, struct validation_rdap_job **job) OC_MUST_CHECK;
void validation_rdap_cancel(struct validation_rdap_job *job);
void validation_rdap_free(struct validation_rdap *rdap);

/* What an answer has: puts the addresses into the reply.  MALFORMED: no domain
 * object; LIMIT; MISMATCH: of another name. */
enum oc_err validation_rdap_read(const uint8_t *text, size_t len,
    const char *name, struct validation_reply *reply, struct oc_error *error)
    OC_MUST_CHECK;

#endif
