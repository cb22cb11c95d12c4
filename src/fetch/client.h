/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET by libcurl, for what anybody may have: http or https alone, without
 * credentials, cookies or proxies but the one that is given, TLS verified,
 * and everything limited.  Blocks: never call it from an event loop.  Any
 * thread may.
 */
#ifndef FETCH_CLIENT_H
#define FETCH_CLIENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fetch/state.h"

struct fetch_request {
	const char *url;
	/* PEM: who may have signed the server's certificate; NULL: whom the
	 * system trusts. */
	const uint8_t *trust;
	size_t trust_len;
	const char *proxy;		/* NULL: none */
	int64_t timeout_s;		/* of all of it, with redirects */
	size_t len_max;			/* of the body */
	/* Conditions; "": none. */
	const char *etag, *modified;
	const atomic_bool *is_stopping;	/* then it ends, CANCELLED */
};

struct fetch_reply {
	uint32_t http_status;		/* 200, or 304: not modified */
	uint8_t *body;			/* for free(); NULL: not modified */
	size_t len;
	/* What was said of it; "": nothing, or nothing that fits. */
	char etag[FETCH_ETAG_MAX], modified[FETCH_MODIFIED_MAX];
};

/* Once, before there are threads; the library is never given back. */
enum oc_err fetch_client_init(struct oc_error *error) OC_MUST_CHECK;

/*
 * Follows five redirects at most, and none from https to http.  DOWN: nobody
 * answered, or not to the end, or not who TLS should have found; TIMEOUT;
 * LIMIT: too large; REFUSED: a redirect, or an HTTP status; reply->http_status
 * is the last one in any case, 0 without any.
 */
enum oc_err fetch_get(const struct fetch_request *request,
    struct fetch_reply *reply, struct oc_error *error) OC_MUST_CHECK;

#endif
