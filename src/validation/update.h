/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a token into a zone on the site's behalf, and taking it away again:
 * dynamic update (RFC 2136) of one TXT record, signed (tsig.h), over TCP.
 * Other values of the same name stay.
 */
#ifndef VALIDATION_UPDATE_H
#define VALIDATION_UPDATE_H

#include "validation/validation.h"

struct event_base;
struct validation_resolver;

struct validation_update_config {
	const char *zone;
	const char *host;		/* its primary: a name or an address */
	uint16_t port;			/* 0: 53 */
	const char *key_file;
	uint32_t ttl_s;			/* 0: 60 */
};

struct validation_update;
struct validation_update_job;

/* One zone.  Reads the key: call it before the sandbox.  CONFIG. */
enum oc_err validation_update_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_update_config *config,
    struct validation_update **update, struct oc_error *error)
    OC_MUST_CHECK;

/* Whether the name is in the zone; the length of the zone's name, by which
 * the nearest of several is found, or 0. */
size_t validation_update_covers(const struct validation_update *update,
    const char *name);

/*
 * PUBLISH or WITHDRAW of the question's prefix, name and expected.  MALFORMED:
 * not a question like that; REFUSED: not in the zone.  done() is not called
 * from in here, but once from the loop, at the deadline at the latest; never
 * after cancel.  NO_FAULT: the primary has done it, and signed that;
 * VALIDATION_REFUSED: it does not.  An answer that is not signed is believed
 * only in that it refuses.
 */
enum oc_err validation_update_ask(struct validation_update *update,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_update_job **job)
    OC_MUST_CHECK;
void validation_update_cancel(struct validation_update_job *job);
/* Cancels what is not done.  NULL is fine. */
void validation_update_free(struct validation_update *update);

#endif
