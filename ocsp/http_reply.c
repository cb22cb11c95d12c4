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
#define ETAG_LEN (2 + OC_HEX_LEN(16))	/* with its quotes */

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
put_etag(struct output *o, const uint8_t etag[16])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *p = o->out + o->len;
	size_t i;

	*p++ = '"';
	for (i = 0; i < 16; i++) {
		*p++ = (uint8_t)digits[etag[i] >> 4];
		*p++ = (uint8_t)digits[etag[i] & 0xf];
	}
	*p = '"';
	o->len += ETAG_LEN;
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
    const struct ocsp_reply *reply)
{
	int64_t max_age = reply->next_update - now->at;

	if (max_age < 0)
		max_age = 0;
	if (max_age > MAX_AGE_MAX)
		max_age = MAX_AGE_MAX;
	if (reply->max_age_s > 0 && max_age > reply->max_age_s)
		max_age = reply->max_age_s;
	PUT(o, "Last-Modified: ");
	put_date(o, reply->modified_at);
	PUT(o, "\r\nExpires: ");
	put_date(o, reply->next_update);
	PUT(o, "\r\nETag: ");
	put_etag(o, reply->etag);
	PUT(o, "\r\nCache-Control: max-age=");
	put_number(o, (uint64_t)max_age);
	PUT(o, ", public, no-transform, must-revalidate\r\n");
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
		put_validity(&o, now, reply);
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

/* 1#entity-tag or "*", compared weakly: RFC 9110, 13.1.2. */
static bool
lists_etag(struct der_bytes list, const uint8_t etag[16])
{
	uint8_t ours[ETAG_LEN];
	struct output o = { ours, 0 };
	const uint8_t *p = list.p, *end = p + list.len, *quote;

	put_etag(&o, etag);
	if (list.len == 1 && *p == '*')
		return true;
	while (p != end) {
		if (*p != '"') {	/* W/, commas, white space */
			p++;
			continue;
		}
		quote = memchr(p + 1, '"', (size_t)(end - p - 1));
		if (quote == NULL)
			return false;
		quote++;
		if ((size_t)(quote - p) == ETAG_LEN &&
		    memcmp(p, ours, ETAG_LEN) == 0)
			return true;
		p = quote;
	}
	return false;
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
		return lists_etag(request->if_none_match, reply->etag);
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

	PUT(&o, "HTTP/1.1 304 Not Modified\r\nDate: ");
	put(&o, now->date, HTTP_DATE_LEN);
	PUT(&o, "\r\n");
	put_validity(&o, now, reply);
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
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
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

static size_t
put_text_reply(const struct http_now *now, int status, const char *text,
    enum http_method method, enum http_connection connection, uint8_t *out)
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
	if (status == 405)
		PUT(&o, "\r\nAllow: GET, HEAD, POST");
	PUT(&o, "\r\n");
	put_connection(&o, connection);
	PUT(&o, "\r\n");
	if (method != HTTP_HEAD)
		put_text(&o, text);
	return o.len;
}

size_t
http_put_status(const struct http_now *now, int status,
    enum http_method method, enum http_connection connection, uint8_t *out)
{
	char text[64];
	struct output o = { (uint8_t *)text, 0 };

	put_text(&o, reason_of(status));
	put(&o, "\n", 2);
	return put_text_reply(now, status, text, method, connection, out);
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

	return put_text_reply(now, 200, page, method, connection, out);
}

size_t
http_put_continue(uint8_t *out)
{
	struct output o = { out, 0 };

	PUT(&o, "HTTP/1.1 100 Continue\r\n\r\n");
	return o.len;
}
