/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a responder must understand of HTTP/1.x (RFC 9110, RFC 9112): request
 * line, the handful of fields that matter, and both kinds of body.  Strict
 * where framing is concerned: what two readers could understand differently
 * is refused.  Octets in, views out; no sockets, no state, no allocation.
 */
#ifndef OCSP_HTTP_H
#define OCSP_HTTP_H

#include "base/limits.h"
#include "der/bytes.h"

/* Request line and header section at their longest, with the line's other
 * words: what a buffer must hold for the parser to come to an end. */
#define HTTP_HEAD_MAX (HTTP_TARGET_MAX + HTTP_HEADER_MAX + 128)

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };
enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_request {
	enum http_method method;
	/* Path and query; the scheme and authority of an absolute-form are
	 * left out.  Raw spaces inside are kept: see ocsp/target.h. */
	struct der_bytes target;
	enum http_framing framing;
	uint32_t content_length;	/* HTTP_LENGTH; at most
					 * OCSP_REQUEST_MAX */
	bool is_http10;
	bool keep_alive;
	bool expects_continue;
	/* Field values; len 0: absent. */
	struct der_bytes content_type;
	struct der_bytes if_none_match;
	struct der_bytes if_modified_since;
	struct der_bytes if_match;
	struct der_bytes if_unmodified_since;
	struct der_bytes range;
	struct der_bytes if_range;
};

/* Empty lines before a request line are to be skipped (RFC 9112, 2.2): how
 * many octets of them p begins with. */
size_t http_blank_len(const uint8_t *p, size_t len);

/*
 * Reads one request head.  > 0: so many octets are the head, *request is set
 * and points into p; 0: not whole yet; < 0: the negated status (400, 411, 413,
 * 414, 417, 431, 501, 505) to be answered before the connection is closed.
 */
int http_request_parse(const uint8_t *p, size_t len,
    struct http_request *request);

/* Where the decoder of a chunked body stands (RFC 9112, 7.1).  Zero state:
 * at the first octet. */
struct http_chunked {
	enum {
		HTTP_CHUNK_SIZE = 0, HTTP_CHUNK_EXTENSION, HTTP_CHUNK_SIZE_LF,
		HTTP_CHUNK_DATA, HTTP_CHUNK_DATA_CR, HTTP_CHUNK_DATA_LF,
		HTTP_CHUNK_TRAILER, HTTP_CHUNK_TRAILER_LINE,
		HTTP_CHUNK_TRAILER_LF, HTTP_CHUNK_END_LF
	} state;
	uint32_t left;		/* of this chunk's data */
	uint32_t num_digits;	/* of its size */
	uint32_t num_extra;	/* octets of extensions and trailers so far */
	uint32_t len;		/* decoded octets */
};

/*
 * p holds the c->len octets decoded so far, and behind them, up to len, what
 * has arrived since.  1: the body is whole, p[0 .. c->len) is it and the next
 * request begins at p[*used]; 0: all of it was taken, go on with c->len octets
 * at p; < 0: the negated status (400, 413, 431), close.
 */
int http_chunked_decode(struct http_chunked *c, uint8_t *p, size_t len,
    size_t *used);

/* True if a Content-Type is this media type, whatever its parameters. */
bool http_media_type_is(struct der_bytes content_type, const char *type);

#endif
