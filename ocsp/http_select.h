/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a file a GET or HEAD gets: preconditions and single ranges, RFC
 * 9110 sections 13 and 14.  Several ranges get the whole, as they may (14.2):
 * nobody fetches a CRL in pieces that overlap.
 */
#ifndef OCSP_HTTP_SELECT_H
#define OCSP_HTTP_SELECT_H

#include "ocsp/http.h"

#define HTTP_ETAG_OCTETS 16		/* of which the quoted text is hex */

enum http_selection {
	HTTP_WHOLE,			/* 200 */
	HTTP_PART,			/* 206 */
	HTTP_NOT_MODIFIED,		/* 304 */
	HTTP_NOT_MATCHED,		/* 412 */
	HTTP_NO_SUCH_PART		/* 416 */
};

struct http_file {
	const char *type;		/* Content-Type */
	uint64_t len;
	int64_t modified_at;
	int64_t until;			/* from then on there is a newer one */
	int64_t max_age_s;		/* as struct ocsp_reply's */
	const uint8_t *etag;		/* HTTP_ETAG_OCTETS */
};

/* From the first octet, len of them; of HTTP_WHOLE and HTTP_PART. */
struct http_range { uint64_t first, len; };

enum http_selection http_select(const struct http_request *request,
    const struct http_file *file, int64_t now, struct http_range *range);

/* '"' and hex and '"'; no NUL. */
#define HTTP_ETAG_LEN (2 + 2 * HTTP_ETAG_OCTETS)
void http_format_etag(const uint8_t etag[HTTP_ETAG_OCTETS],
    char out[HTTP_ETAG_LEN]);
/* 1#entity-tag or "*" has it.  Compared weakly, "W/" counts for nothing;
 * strongly, what has it never matches (8.8.3.2). */
enum http_comparison { HTTP_WEAKLY, HTTP_STRONGLY };
bool http_lists_etag(struct der_bytes list,
    const uint8_t etag[HTTP_ETAG_OCTETS], enum http_comparison comparison);

#endif
