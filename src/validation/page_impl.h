/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What page.c (visits, redirects, addresses), page_url.c and page_transfer.c
 * (libcurl) share; private to them.
 */
#ifndef VALIDATION_PAGE_IMPL_H
#define VALIDATION_PAGE_IMPL_H

#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>

#include "base/bytes.h"
#include "validation/curl_loop.h"
#include "validation/page.h"
#include "validation/seen.h"

/* Two of IPv6, then two of IPv4: whoever has more has them for load. */
#define VALIDATION_TARGETS_MAX 4
#define VALIDATION_STATUS_OK 200

struct validation_pages {
	struct event_base *base;
	struct validation_resolver *resolver;
	struct oc_address_range *allowed;	/* owned */
	size_t num_allowed;
	uint16_t http_port, https_port;
	uint16_t ports[VALIDATION_PORTS_MAX];
	size_t num_ports;
	struct validation_curl *curl;
	TAILQ_HEAD(, validation_visit) visits;
	uint32_t num, max;
};

enum validation_stop {
	VALIDATION_NOT_STOPPED,
	VALIDATION_ENOUGH,		/* the rest is not wanted */
	VALIDATION_TOO_LONG,		/* the body */
	VALIDATION_HEAD_TOO_LONG,
	VALIDATION_NO_SOCKET,		/* too many are open */
	VALIDATION_NO_MEMORY
};

/* Of one hop: a URL, and one of the addresses of its host. */
struct validation_transfer {
	CURL *curl;			/* NULL: none */
	bool is_running;
	struct curl_slist *connect_to;
	struct oc_address address;	/* where it goes, and nowhere else */
	char said[CURL_ERROR_SIZE];
	char location[VALIDATION_URL_MAX];	/* "": none */
	bool has_two_locations;
	size_t head_len;
	struct oc_buffer body;
	enum validation_stop stop;
};

struct validation_visit {
	TAILQ_ENTRY(validation_visit) link;
	struct validation_pages *pages;
	struct event *timer;		/* the deadline */
	int64_t deadline_ns;
	size_t body_max;
	bool is_start_enough;
	validation_page_fn *done;
	void *arg;
	/* The hop. */
	CURLU *url;
	char first[VALIDATION_URL_MAX], at[VALIDATION_URL_MAX];
	char host[VALIDATION_NAME_MAX + 1];
	uint32_t num_redirects;
	struct validation_lookup *lookups[2];	/* AAAA, A; NULL: over */
	char why[VALIDATION_WHY_MAX];	/* one of them gave nothing */
	bool is_dns_temporary;
	const char *reserved;		/* what the last refused one is */
	struct oc_address refused;
	struct oc_address targets[VALIDATION_TARGETS_MAX];
	size_t num_targets, target;	/* which is next */
	struct validation_transfer transfer;
};

/* page_url.c.  Sets url, at and host; a text says what is forbidden, NULL:
 * nothing.  *literal: the host is this address, if *is_literal. */
const char *validation_url_start(struct validation_visit *visit,
    const struct validation_page_wish *wish);
const char *validation_url_follow(struct validation_visit *visit,
    const char *location, struct oc_address *literal, bool *is_literal);

/* page_transfer.c.  Adds one for visit->at to visit->transfer.address. */
enum oc_err validation_transfer_start(struct validation_visit *visit,
    int64_t connect_ns) OC_MUST_CHECK;
void validation_transfer_end(struct validation_visit *visit);
long validation_transfer_status(const struct validation_visit *visit);

/* page.c: it is over. */
void validation_visit_on_transfer(struct validation_visit *visit,
    CURLcode rc);

#endif
