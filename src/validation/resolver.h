/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS by libunbound: recursion, DNSSEC, TCP and caches are its business, in
 * one thread of its own, so that no signature is verified on the event loop.
 * What is said here is for that loop's thread alone.
 *
 * Who asks is answered within his deadline, from the loop and never from ask()
 * itself.  What is bogus is not "nothing": that would let whoever can break a
 * signature take a CAA record away.
 */
#ifndef VALIDATION_RESOLVER_H
#define VALIDATION_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"

struct event_base;
struct validation_resolver;
struct validation_lookup;

#define VALIDATION_CNAMES_MAX 8		/* of one answer; chains have two */
#define VALIDATION_WHY_MAX 200

/* Whoever is asked about a zone and what lies in it. */
struct validation_stub {
	const char *zone;		/* "corp.example" */
	const char *server;		/* "192.0.2.1", "192.0.2.1:5353",
					 * "[2001:db8::1]:5353" */
};

/* All borrowed until new() has returned, but base. */
struct validation_resolver_options {
	struct event_base *base;
	/* DS or DNSKEY records as a zone file has them; NULL: nothing is
	 * signed as far as we know. */
	const char *trust_anchor_path;
	/* Zones below an anchor that are not signed, and need not be. */
	const char *const *insecure_zones;
	size_t num_insecure_zones;
	/* None: recursion from the root.  As a stub's server. */
	const char *const *forwarders;
	size_t num_forwarders;
	const struct validation_stub *stubs;
	size_t num_stubs;
	/* Of the reserved ranges (validation/address.h), those where name
	 * servers may be.  Forwarders and stubs' servers always may. */
	const struct oc_address_range *allowed;
	size_t num_allowed;
	/* No answer is used again after so many seconds, whatever its TTL:
	 * the record that was missing is there now.  0: 1 s. */
	uint32_t cache_s;
	uint32_t lookups_max;		/* at once; 0: 4096 */
};

enum validation_dns_type {		/* the numbers are DNS's */
	VALIDATION_DNS_A = 1,
	VALIDATION_DNS_TXT = 16,
	VALIDATION_DNS_AAAA = 28,
	VALIDATION_DNS_CAA = 257
};

enum validation_dns_outcome {
	VALIDATION_DNS_FOUND,
	VALIDATION_DNS_NONE,		/* no such name, or nothing of the
					 * type; by proof if is_secure */
	VALIDATION_DNS_BOGUS,		/* signed, and not rightly */
	VALIDATION_DNS_FAILED,		/* nobody answers, or SERVFAIL,
					 * REFUSED, a loop of CNAMEs */
	VALIDATION_DNS_TIMEOUT		/* not within the deadline */
};

/* RDATA as it is on the wire. */
struct validation_record {
	const uint8_t *octets;
	size_t len;
};

/* Borrowed until done() returns. */
struct validation_answer {
	enum validation_dns_outcome outcome;
	bool is_secure;
	bool is_nxdomain;		/* NONE: nor is anything else there */
	const char *name;		/* behind all CNAMEs */
	const struct validation_record *records;	/* FOUND */
	size_t num_records;
	/* One line for people, without the name; "" if FOUND. */
	char why[VALIDATION_WHY_MAX];
};
typedef void validation_answer_fn(void *arg,
    const struct validation_answer *answer);

/* CONFIG: what libunbound says against it.  Raises the limit of open files if
 * lookups_max needs that and it may. */
enum oc_err validation_resolver_new(
    const struct validation_resolver_options *options,
    struct validation_resolver **resolver, struct oc_error *error)
    OC_MUST_CHECK;
/* done() is not called again; a lookup that is not over is none any more.
 * NULL is fine. */
void validation_resolver_free(struct validation_resolver *resolver);

/*
 * deadline_ns is of CLOCK_MONOTONIC.  done() runs once, from the loop, unless
 * cancel() was called before.  *lookup is for that, until done() is called.
 * BUSY: lookups_max are under way, those counted that nobody waits for any
 * more; MALFORMED: no name.
 */
enum oc_err validation_resolver_ask(struct validation_resolver *resolver,
    const char *name, enum validation_dns_type type, int64_t deadline_ns,
    validation_answer_fn *done, void *arg, struct validation_lookup **lookup)
    OC_MUST_CHECK;
void validation_resolver_cancel(struct validation_lookup *lookup);
/* Lookups under way, those that nobody waits for included. */
uint32_t validation_resolver_num(const struct validation_resolver *resolver);

#endif
