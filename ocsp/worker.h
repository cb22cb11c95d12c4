/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A responder: one process, one event base, its own listeners.  Answers from
 * tables that are mapped read-only, and asks ocsign-status about what they
 * do not hold; sends the files that it finds beside them.  Reads nothing
 * else, writes nothing but what it counts, signs nothing.
 */
#ifndef OCSP_WORKER_H
#define OCSP_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock_watch.h"
#include "base/config.h"
#include "base/err.h"
#include "ocsp/answer.h"
#include "ocsp/counts.h"
#include "ocsp/sources.h"

struct ocsp_worker;

/* The signers of an issuer follow each other, its usual one first. */
struct ocsp_worker_issuer {
	const char *name;		/* struct oc_config_ocsp's */
	const char *table_path;		/* see ocsp_table_create() for what
					 * may lie beside */
	int wants_nonce, requires_nonce; /* see struct ocsp_answerer */
	struct ocsp_issuer_counts *counts; /* as options->counts */
	enum ocsp_signed_requests signed_requests;
	int is_by_crl;			/* see struct ocsp_answerer */
};

/* Copied. */
struct ocsp_worker_file {
	const char *target;		/* the path of requests for it */
	size_t target_len;
	const char *path;		/* see ocsp/served.h */
	enum oc_config_file_kind kind;
};

/* Copied, except for the listeners, which the worker closes. */
struct ocsp_worker_options {
	const int *listeners;		/* bound and listening */
	size_t num_listeners;
	const struct ocsp_worker_issuer *issuers;
	size_t num_issuers;		/* at most OCSP_ISSUERS_MAX */
	const struct ocsp_worker_file *files;
	size_t num_files;
	const char *status_path;	/* status.sock */
	const char *prefix;		/* "/", "/ocsp/" */
	/* Policy: 415 for a POST of another Content-Type; malformedRequest for
	 * a GET without a request, and see struct ocsp_answerer. */
	int refuses_other_types, refuses_no_request;
	int refuses_bare_nonces, refuses_no_basic;
	int is_critical_malformed, skips_other_issuers;
	int tolerates_crlf;		/* behind a POST's OCSPRequest */
	int64_t max_age_s;		/* said to caches, at most; 0: until
					 * nextUpdate */
	uint32_t connections_max;	/* less if the fd limit says so */
	/* connections_max is not looked at; the list is copied. */
	struct ocsp_sources_options sources;
	uint32_t misses_max;		/* that wait for ocsign-status */
	uint32_t retry_after_s;		/* said with tryLater */
	uint64_t run;			/* see ocsp_table_set_run() */
	int64_t idle_timeout_ns;	/* between requests */
	int64_t header_timeout_ns;	/* for the first request, or from the
					 * first octet of a later one */
	int64_t body_timeout_ns;
	int64_t write_timeout_ns;	/* of a file: for its next 64 KiB */
	int64_t status_timeout_ns;
	int64_t drain_idle_ns;		/* from stop on: who keeps a connection
					 * may still ask, once */
	int64_t drain_timeout_ns;	/* from stop to the end, at most */
	struct oc_clock_watch *clock;	/* borrowed; NULL: it is believed */
	struct ocsp_counts *counts;	/* where to count; borrowed; NULL: in
					 * the worker */
	struct ocsp_asked *asked;	/* see struct ocsp_answerer */
};

/* Everything that has a default; no listeners, no issuers. */
void ocsp_worker_options_init(struct ocsp_worker_options *options);

/* On failure the listeners stay the caller's.  The process must ignore SIGPIPE:
 * files go out by sendfile(), which knows no MSG_NOSIGNAL. */
enum oc_err ocsp_worker_new(const struct ocsp_worker_options *options,
    struct ocsp_worker **worker, struct oc_error *error) OC_MUST_CHECK;
/*
 * Until SIGTERM, SIGINT or ocsp_worker_stop(), and then until all that was
 * begun is answered: who waits in the listeners' queues is let in, and each
 * connection is told with its next answer that it was the last; who has not
 * asked after drain_idle_ns is closed.
 */
enum oc_err ocsp_worker_run(struct ocsp_worker *worker) OC_MUST_CHECK;
/* From a callback of the worker's own loop only. */
void ocsp_worker_stop(struct ocsp_worker *worker);
void ocsp_worker_free(struct ocsp_worker *worker);	/* NULL is fine */

const struct ocsp_counts *ocsp_worker_counts(
    const struct ocsp_worker *worker);

#endif
