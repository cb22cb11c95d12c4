/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a responder says in HTTP: heads for what ocsp_answer() made, with the
 * cache fields of RFC 9919 section 7.2, for files, and the few answers that
 * are neither.  Each writes into out, which has room for HTTP_REPLY_MAX
 * octets, and returns how many it wrote.
 */
#ifndef OCSP_HTTP_REPLY_H
#define OCSP_HTTP_REPLY_H

#include "ocsp/answer.h"
#include "ocsp/http.h"
#include "ocsp/http_date.h"
#include "ocsp/http_select.h"

#define HTTP_REPLY_MAX 1024

/* What the time is, and how it is written; made once a second. */
struct http_now {
	int64_t at;			/* Unix seconds; 0: not set yet */
	char date[HTTP_DATE_LEN];
};
void http_now_set(struct http_now *now, int64_t at);

/* What the Connection field says: nothing where the version's default holds. */
enum http_connection { HTTP_PERSISTS, HTTP_KEEPS_ALIVE, HTTP_CLOSES };

/* 200 in front of reply->len octets of OCSPResponse.  retry_after_s goes with
 * tryLater. */
size_t http_put_answer_head(const struct http_now *now,
    const struct ocsp_reply *reply, uint32_t retry_after_s,
    enum http_connection connection, uint8_t *out);

/* True if the request is conditional and the reply is what it has already:
 * GET and HEAD only; If-None-Match before If-Modified-Since. */
bool http_is_not_modified(const struct http_request *request,
    const struct ocsp_reply *reply, int64_t now);
size_t http_put_not_modified(const struct http_now *now,
    const struct ocsp_reply *reply, enum http_connection connection,
    uint8_t *out);

/* A status with a line of text; with HTTP_HEAD as method the text is left
 * out, though not its length. */
size_t http_put_status(const struct http_now *now, int status,
    enum http_method method, enum http_connection connection, uint8_t *out);

/* 200 in front of a file, 206 of a part of it; 304. */
size_t http_put_file_head(const struct http_now *now,
    const struct http_file *file, const struct http_range *range,
    enum http_selection selection, enum http_connection connection,
    uint8_t *out);
/* 405, 412 and 416 where a file is, 404 where none is yet; file_len is told
 * with 416. */
size_t http_put_file_status(const struct http_now *now, int status,
    uint64_t file_len, enum http_method method,
    enum http_connection connection, uint8_t *out);

/* 200 and a page that says to people what this is. */
size_t http_put_page(const struct http_now *now, enum http_method method,
    enum http_connection connection, uint8_t *out);

size_t http_put_continue(uint8_t *out);

#endif
