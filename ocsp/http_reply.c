/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads are put together from constant pieces and a few numbers; no printf.
 * max-age is reckoned when the answer is given, because a cache believes it
 * before Expires (RFC 9111, 4.2.1).
 */
#include "ocsp/http_reply.h"

#include <string.h>

#include "base/bytes.h"

#define MAX_AGE_MAX INT64_C(2147483647)	/* RFC 9111, 1.2.2 */

struct output {
	uint8_t *out;
	size_t len;
};

static inline void
put(struct output *o, const void *bytes, size_t len)
{
	memcpy(o->out + o->len, bytes, len);
	o->len += len;
}

#define PUT(o, literal) put((o), (literal), sizeof(literal) - 1)

static void
put_text(struct output *o, const char *text)
{
	put(o, text, strlen(text));
}

static void
put_number(struct output *o, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put(o, digits + at, sizeof(digits) - at);
}

static void
put_date(struct output *o, int64_t at)
{
	char date[HTTP_DATE_LEN];

	http_date_format(at, date);
	put(o, date, sizeof(date));
}

static void
put_etag(struct output *o, const uint8_t etag[HTTP_ETAG_OCTETS])
{
	char text[HTTP_ETAG_LEN];

	http_format_etag(etag, text);
	put(o, text, sizeof(text));
}

static void
put_connection(struct output *o, enum http_connection connection)
{
	switch (connection) {
	case HTTP_PERSISTS:
		return;
	case HTTP_KEEPS_ALIVE:
		PUT(o, "Connection: keep-alive\r\n");
		return;
	case HTTP_CLOSES:
		PUT(o, "Connection: close\r\n");
		return;
	}
}

/* What a cache goes by. */
static void
put_validity(struct output *o, const struct http_now *now,
    const struct http_file *file)
{
	int64_t max_age = file->until - now->at;

	if (max_age < 0)
		max_age = 0;
	if (max_age > MAX_AGE_MAX)
		max_age = MAX_AGE_MAX;
	if (file->max_age_s > 0 && max_age > file->max_age_s)
		max_age = file->max_age_s;
	PUT(o, "Last-Modified: ");
	put_date(o, file->modified_at);
	PUT(o, "\r\nExpires: ");
	put_date(o, file->until);
	PUT(o, "\r\nETag: ");
	put_etag(o, file->etag);
	PUT(o, "\r\nCache-Control: max-age=");
	put_number(o, (uint64_t)max_age);
	PUT(o, ", public, no-transform, must-revalidate\r\n");
}

static void
put_reply_validity(struct output *o, const struct http_now *now,
    const struct ocsp_reply *reply)
{
	const struct http_file file = {
		.modified_at = reply->modified_at,
		.until = reply->next_update,
		.max_age_s = reply->max_age_s,
		.etag = reply->etag,
	};

	put_validity(o, now, &file);
}

static void
put_status_line(struct output *o, const struct http_now *now,
    const char *status)
{
	PUT(o, "HTTP/1.1 ");
	put_text(o, status);
	PUT(o, "\r\nDate: ");
	put(o, now->date, HTTP_DATE_LEN);
	PUT(o, "\r\n");
}

void
http_now_set(struct http_now *now, int64_t at)
{
	if (now->at == at)
		return;
	now->at = at;
	http_date_format(at, now->date);
}

size_t
http_put_answer_head(const struct http_now *now,
    const struct ocsp_reply *reply, uint32_t retry_after_s,
    enum http_connection connection, uint8_t *out)
{
	struct output o = { out, 0 };

	PUT(&o, "HTTP/1.1 200 OK\r\nDate: ");
	put(&o, now->date, HTTP_DATE_LEN);
	PUT(&o, "\r\nContent-Type: application/ocsp-response\r\n"
	    "Content-Length: ");
	put_number(&o, reply->len);
	PUT(&o, "\r\n");
	if (reply->is_cacheable && reply->status == OCSP_SUCCESSFUL)
		put_reply_validity(&o, now, reply);
	else
		PUT(&o, "Cache-Control: no-store\r\n");
	if (reply->status == OCSP_TRY_LATER && retry_after_s > 0) {
		PUT(&o, "Retry-After: ");
		put_number(&o, retry_after_s);
		PUT(&o, "\r\n");
	}
	put_connection(&o, connection);
	PUT(&o, "\r\n");
	return o.len;
}

bool
http_is_not_modified(const struct http_request *request,
    const struct ocsp_reply *reply, int64_t now)
{
	int64_t since;

	if (!reply->is_cacheable || reply->status != OCSP_SUCCESSFUL ||
	    (request->method != HTTP_GET && request->method != HTTP_HEAD))
		return false;
	if (request->if_none_match.len > 0)
		return http_lists_etag(request->if_none_match, reply->etag,
		    HTTP_WEAKLY);
	return request->if_modified_since.len > 0 &&
	    http_date_parse(request->if_modified_since, now, &since) &&
	    since >= reply->modified_at;
}

size_t
http_put_not_modified(const struct http_now *now,
    const struct ocsp_reply *reply, enum http_connection connection,
    uint8_t *out)
{
	struct output o = { out, 0 };

	put_status_line(&o, now, "304 Not Modified");
	put_reply_validity(&o, now, reply);
	put_connection(&o, connection);
	PUT(&o, "\r\n");
	return o.len;
}

static const char *
reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 505:
		return "HTTP Version Not Supported";
	}
	return "Internal Server Error";
}

/* fields: lines of the head. */
static size_t
put_text_reply(const struct http_now *now, int status, const char *fields,
    const char *text, enum http_method method,
    enum http_connection connection, uint8_t *out)
{
	struct output o = { out, 0 };

	PUT(&o, "HTTP/1.1 ");
	put_number(&o, (uint64_t)status);
	PUT(&o, " ");
	put_text(&o, reason_of(status));
	PUT(&o, "\r\nDate: ");
	put(&o, now->date, HTTP_DATE_LEN);
	PUT(&o, "\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nContent-Length: ");
	put_number(&o, strlen(text));
	PUT(&o, "\r\n");
	put_text(&o, fields);
	put_connection(&o, connection);
	PUT(&o, "\r\n");
	if (method != HTTP_HEAD)
		put_text(&o, text);
	return o.len;
}

/* The status in words, as a line. */
static size_t
put_status_text(const struct http_now *now, int status, const char *fields,
    enum http_method method, enum http_connection connection, uint8_t *out)
{
	char text[64];
	struct output o = { (uint8_t *)text, 0 };

	put_text(&o, reason_of(status));
	put(&o, "\n", 2);
	return put_text_reply(now, status, fields, text, method, connection,
	    out);
}

size_t
http_put_status(const struct http_now *now, int status,
    enum http_method method, enum http_connection connection, uint8_t *out)
{
	return put_status_text(now, status, status == 405 ?
	    "Allow: GET, HEAD, POST\r\n" : "", method, connection, out);
}

size_t
http_put_file_head(const struct http_now *now, const struct http_file *file,
    const struct http_range *range, enum http_selection selection,
    enum http_connection connection, uint8_t *out)
{
	struct output o = { out, 0 };

	if (selection == HTTP_NOT_MODIFIED) {
		put_status_line(&o, now, "304 Not Modified");
	} else {
		put_status_line(&o, now, selection == HTTP_PART ?
		    "206 Partial Content" : "200 OK");
		PUT(&o, "Content-Type: ");
		put_text(&o, file->type);
		PUT(&o, "\r\nContent-Length: ");
		put_number(&o, range->len);
		if (selection == HTTP_PART) {
			PUT(&o, "\r\nContent-Range: bytes ");
			put_number(&o, range->first);
			PUT(&o, "-");
			put_number(&o, range->first + range->len - 1);
			PUT(&o, "/");
			put_number(&o, file->len);
		}
		PUT(&o, "\r\nAccept-Ranges: bytes\r\n");
	}
	put_validity(&o, now, file);
	put_connection(&o, connection);
	PUT(&o, "\r\n");
	return o.len;
}

size_t
http_put_file_status(const struct http_now *now, int status,
    uint64_t file_len, enum http_method method,
    enum http_connection connection, uint8_t *out)
{
	char fields[64] = "";
	struct output o = { (uint8_t *)fields, 0 };

	if (status == 405) {
		PUT(&o, "Allow: GET, HEAD\r\n");
	} else if (status == 416) {
		PUT(&o, "Content-Range: bytes */");
		put_number(&o, file_len);
		PUT(&o, "\r\n");
	}
	fields[o.len] = '\0';
	return put_status_text(now, status, fields, method, connection, out);
}

size_t
http_put_page(const struct http_now *now, enum http_method method,
    enum http_connection connection, uint8_t *out)
{
	static const char page[] =
	    "This is an OCSP responder (RFC 6960): it says whether"
	    " certificates have been revoked.\n"
	    "It is spoken to by programs, with GET or POST.  By hand:\n"
	    "  openssl ocsp -issuer issuer.pem -cert certificate.pem"
	    " -url URL\n";

	return put_text_reply(now, 200, "", page, method, connection, out);
}

size_t
http_put_continue(uint8_t *out)
{
	struct output o = { out, 0 };

	PUT(&o, "HTTP/1.1 100 Continue\r\n\r\n");
	return o.len;
}
