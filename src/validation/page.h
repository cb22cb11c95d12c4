/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages by HTTP, for proofs: libcurl's multi interface on the event loop.
 *
 * A name is resolved here, each of its addresses is held against the reserved
 * ranges, and the connection goes to the address that was looked at: there is
 * no second lookup.  Every redirect goes through the same.  What is TLS is
 * not verified: a site that has no certificate yet asks for one (RFC 8555,
 * 8.3); what was wrong with it is told.
 *
 * No cookies, credentials, proxies, compression; time, octets and redirects
 * are limited.  For the loop's thread alone.
 */
#ifndef VALIDATION_PAGE_H
#define VALIDATION_PAGE_H

#include "validation/resolver.h"
#include "validation/validation.h"

#define VALIDATION_REDIRECTS_MAX 10
#define VALIDATION_URL_MAX 2048
#define VALIDATION_PORTS_MAX 16
#define VALIDATION_TYPE_MAX 80

struct validation_pages;
struct validation_visit;

/* Copied, but base and resolver. */
struct validation_pages_options {
	struct event_base *base;
	struct validation_resolver *resolver;
	/* Of the reserved ranges, those that may be connected to; a host that
	 * is an address must lie in one of these, too. */
	const struct oc_address_range *allowed;
	size_t num_allowed;
	/* Where http://name/ and https://name/ are; 0: 80, 443. */
	uint16_t http_port, https_port;
	/* Where redirects may lead beside these two. */
	const uint16_t *ports;
	size_t num_ports;
	uint32_t visits_max;		/* at once; 0: 2048 */
};

enum validation_scheme { VALIDATION_HTTP, VALIDATION_HTTPS };

struct validation_page_wish {
	enum validation_scheme scheme;
	const char *name;
	const char *path;		/* "/", "/.well-known/..." */
	size_t body_max;
	enum {
		VALIDATION_PAGE_WHOLE,	/* a longer one is INCORRECT */
		VALIDATION_PAGE_START	/* of a longer one the start is had */
	} part;
	int64_t deadline_ns;		/* of all of it */
};

/* Borrowed until done() returns. */
struct validation_page {
	enum validation_fault fault;	/* NO_FAULT: status is 200 */
	bool is_temporary;
	/* "http://example.com/ -> https://www.example.com/ [192.0.2.1], status
	 * 404, \"<html>...\"": one line of printable ASCII. */
	char seen[VALIDATION_SEEN_MAX];
	const uint8_t *body;		/* a NUL, not counted, behind it */
	size_t len;
	char type[VALIDATION_TYPE_MAX];	/* "text/html"; "": not said */
};
typedef void validation_page_fn(void *arg,
    const struct validation_page *page);

enum oc_err validation_pages_new(
    const struct validation_pages_options *options,
    struct validation_pages **pages, struct oc_error *error) OC_MUST_CHECK;
/* Cancels what is under way.  Before the resolver.  NULL is fine. */
void validation_pages_free(struct validation_pages *pages);

/* done() runs once, from the loop, unless cancelled.  BUSY. */
enum oc_err validation_pages_get(struct validation_pages *pages,
    const struct validation_page_wish *wish, validation_page_fn *done,
    void *arg, struct validation_visit **visit) OC_MUST_CHECK;
void validation_pages_cancel(struct validation_visit *visit);

#endif
