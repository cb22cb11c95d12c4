/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a server that we are to talk to: its own, where it is an
 * address, else by the resolver, A and AAAA. */
#ifndef VALIDATION_HOST_H
#define VALIDATION_HOST_H

#include "base/address.h"
#include "validation/resolver.h"

#define VALIDATION_HOST_ADDRESSES_MAX 8

/* Where it may be: a stranger named it, or the operator. */
enum validation_reach { VALIDATION_INTERNET, VALIDATION_ANYWHERE };

/* Borrowed until done() returns. */
struct validation_host_found {
	struct oc_address addresses[VALIDATION_HOST_ADDRESSES_MAX];
	size_t num;			/* 0: why */
	char why[VALIDATION_WHY_MAX];
};
typedef void validation_host_fn(void *arg,
    const struct validation_host_found *found);

struct validation_host;

/* done() runs once, from the loop, unless cancelled.  resolver NULL: a name
 * has no address. */
enum oc_err validation_host_find(struct event_base *base,
    struct validation_resolver *resolver, const char *name,
    enum validation_reach reach, int64_t deadline_ns,
    validation_host_fn *done, void *arg, struct validation_host **host)
    OC_MUST_CHECK;
/* NULL is fine. */
void validation_host_cancel(struct validation_host *host);

/* "192.0.2.1" or "2001:db8::1". */
bool validation_host_is_address(const char *name, struct oc_address *address);

#endif
