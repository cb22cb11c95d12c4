/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets to a server by TCP, and its answer: what WHOIS and a DNS update have
 * in common.  Each address of the server is tried until one takes the
 * connection; what comes then is bounded in octets and in time.
 */
#ifndef VALIDATION_EXCHANGE_H
#define VALIDATION_EXCHANGE_H

#include "validation/host.h"
#include "validation/validation.h"

/* All borrowed until start() has returned. */
struct validation_exchange_wish {
	const char *host;
	uint16_t port;
	enum validation_reach reach;
	const void *request;
	size_t len;
	size_t answer_max;
	/* Whether so many octets are all; NULL: it ends when the server
	 * closes. */
	bool (*is_whole)(const uint8_t *answer, size_t len);
	int64_t deadline_ns;
};

/* Borrowed until done() returns. */
struct validation_exchanged {
	enum validation_fault fault;	/* NO_FAULT, CONNECTION, OURS */
	bool is_temporary;
	char where[320];		/* "ns1.example, 192.0.2.1 port 53" */
	char why[160];			/* "" for NO_FAULT */
	const uint8_t *answer;		/* whole, or what there was of it */
	size_t len;
};
typedef void validation_exchange_fn(void *arg,
    const struct validation_exchanged *exchanged);

struct validation_exchange;

/* done() runs once, from the loop, at the deadline at the latest, unless
 * cancelled. */
enum oc_err validation_exchange_start(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_exchange_wish *wish,
    validation_exchange_fn *done, void *arg,
    struct validation_exchange **exchange) OC_MUST_CHECK;
/* NULL is fine. */
void validation_exchange_cancel(struct validation_exchange *exchange);

#endif
