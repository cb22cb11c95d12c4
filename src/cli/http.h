/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange over HTTP/1.1, blocking: OCSP (RFC 6960 appendix A), or a file
 * such as a CRL. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "base/err.h"
#include "der/bytes.h"

#define CLI_HTTP_BODY_MAX (64 * 1024)

enum cli_http_method { CLI_HTTP_POST, CLI_HTTP_GET };

/* An http:// URL's parts. */
struct cli_http_url {
	const char *authority;		/* as in the URL; for the Host field */
	size_t authority_len;
	char host[256], port[8];
	const char *path;		/* in the URL; "" is "/" */
};
/* MALFORMED, or UNSUPPORTED for any other scheme. */
enum oc_err cli_http_parse_url(const char *url, struct cli_http_url *parts,
    struct oc_error *error) OC_MUST_CHECK;

/* Is this a URL that cli_http_ask() can ask? */
enum oc_err cli_http_check_url(const char *url, struct oc_error *error)
    OC_MUST_CHECK;

/*
 * Sends the request to an http:// URL and reads the whole reply; *body is
 * for free().  No redirects, no proxies, no https.  REFUSED for a reply that
 * is not 200 with application/ocsp-response, TIMEOUT at the deadline, DOWN
 * if nobody answers.
 */
enum oc_err cli_http_ask(const char *url, enum cli_http_method method,
    struct der_bytes request, int64_t deadline_ns, uint8_t **body,
    size_t *body_len, struct oc_error *error) OC_MUST_CHECK;

/* The same by GET for whatever the URL names, of any type, at most body_max
 * octets. */
enum oc_err cli_http_fetch(const char *url, size_t body_max,
    int64_t deadline_ns, uint8_t **body, size_t *body_len,
    struct oc_error *error) OC_MUST_CHECK;

#endif
