/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a responder's connections come from, and what one address may have
 * of it: so many connections, so many questions to ocsign-status a second.
 * An IPv6 client is its /64, which is what a network gives to one customer.
 *
 * A table of a fixed size, allocated at start: for each address that has
 * connections, and as many again that had some a moment ago.  One thread.
 */
#ifndef OCSP_SOURCES_H
#define OCSP_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

struct ocsp_sources;
struct ocsp_source;

struct ocsp_sources_options {
	uint32_t connections_max;	/* of all addresses together */
	uint32_t connections_each;	/* 0: as many as there are */
	uint32_t misses_each;		/* a second; 0: no limit */
	const struct oc_address_range *exempt;	/* borrowed */
	size_t num_exempt;
};

enum oc_err ocsp_sources_new(const struct ocsp_sources_options *options,
    struct ocsp_sources **sources) OC_MUST_CHECK;
void ocsp_sources_free(struct ocsp_sources *sources);	/* NULL is fine */

/*
 * A connection; the caller sees to it that there are never more than
 * connections_max.  False: its address has enough.  *source is NULL if no
 * limit applies, and else for leave, once, when the connection ends.
 */
bool ocsp_sources_enter(struct ocsp_sources *sources,
    const struct sockaddr *address, struct ocsp_source **source);
void ocsp_sources_leave(struct ocsp_sources *sources,
    struct ocsp_source *source);		/* NULL is fine */

/* One more question.  False: that is too many; a second's worth may come at
 * once.  now_ns is CLOCK_MONOTONIC; source may be NULL. */
bool ocsp_source_may_ask(const struct ocsp_sources *sources,
    struct ocsp_source *source, int64_t now_ns);

#endif
