/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.1 request and its answer, for "ocsign ocsp query".  Blocks;
 * plain http only, which is what OCSP is carried over (RFC 6960, A.1); no
 * redirects.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/err.h"
#include "der/bytes.h"

struct cli_fetch {
	const char *url;		/* "http://host[:port][/path]" */
	const char *path_suffix;	/* appended to the path; NULL: none */
	struct der_bytes body;		/* len 0: a GET */
	const char *content_type;	/* of the body */
	const char *accept;		/* the answer's Content-Type */
	int64_t deadline_ns;
};

#define CLI_FETCH_MAX (256 * 1024)

/*
 * *out is the body of a 200 answer, for free().  TIMEOUT, DOWN (nobody
 * answers), REFUSED (another status), MALFORMED, LIMIT: the error names the
 * URL.
 */
enum oc_err cli_fetch(const struct cli_fetch *fetch, uint8_t **out,
    size_t *len, struct oc_error *error) OC_MUST_CHECK;

#endif
