/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request head, RFC 9112 sections 2 to 6.  One pass from left to right;
 * parsed again from its start when more has arrived, so that there is no
 * state to be kept or confused.  What is wrong is answered as soon as it can
 * be seen, whether or not the rest is there.
 */
#include "ocsp/http.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 24
/* " HTTP/1.1" and a CR. */
#define LINE_TAIL_MAX 10
#define CONTENT_LENGTH_DIGITS_MAX 19

/* Character classes, RFC 9110 5.6.2 and RFC 3986 3.2. */
enum { TOKEN = 1, VALUE = 2, HOST = 4 };
static const uint8_t classes[256] = {
	['\t'] = VALUE, [' '] = VALUE,
	['!'] = TOKEN | VALUE | HOST, ['"'] = VALUE,
	['#'] = TOKEN | VALUE, ['$'] = TOKEN | VALUE | HOST,
	['%'] = TOKEN | VALUE | HOST, ['&'] = TOKEN | VALUE | HOST,
	['\''] = TOKEN | VALUE | HOST, ['('] = VALUE | HOST,
	[')'] = VALUE | HOST, ['*'] = TOKEN | VALUE | HOST,
	['+'] = TOKEN | VALUE | HOST, [','] = VALUE,
	['-'] = TOKEN | VALUE | HOST, ['.'] = TOKEN | VALUE | HOST,
	['/'] = VALUE, ['0' ... '9'] = TOKEN | VALUE | HOST,
	[':'] = VALUE | HOST, [';'] = VALUE | HOST, ['<'] = VALUE,
	['='] = VALUE | HOST, ['>'] = VALUE, ['?'] = VALUE, ['@'] = VALUE,
	['A' ... 'Z'] = TOKEN | VALUE | HOST, ['['] = VALUE | HOST,
	['\\'] = VALUE, [']'] = VALUE | HOST, ['^'] = TOKEN | VALUE,
	['_'] = TOKEN | VALUE | HOST, ['`'] = TOKEN | VALUE,
	['a' ... 'z'] = TOKEN | VALUE | HOST, ['{'] = VALUE,
	['|'] = TOKEN | VALUE, ['}'] = VALUE, ['~'] = TOKEN | VALUE | HOST,
	[0x80 ... 0xff] = VALUE,	/* obs-text */
};

/* What is only needed until the head has been read. */
struct head {
	uint32_t num_hosts, num_lengths, num_codings;
	uint64_t length;
	bool has_close, has_keep_alive;
	int status;		/* of a field that is well-formed, but no */
};

size_t
http_blank_len(const uint8_t *p, size_t len)
{
	size_t i = 0;

	while (len - i >= 2 && p[i] == '\r' && p[i + 1] == '\n')
		i += 2;
	return i;
}

static bool
name_is(struct der_bytes b, const char *name)
{
	size_t len = strlen(name);

	return b.len == len && strncasecmp((const char *)b.p, name, len) == 0;
}

static struct der_bytes
trim(const uint8_t *p, const uint8_t *end)
{
	while (p != end && (*p == ' ' || *p == '\t'))
		p++;
	while (p != end && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct der_bytes){ p, (size_t)(end - p) };
}

/* The next element of a list, RFC 9110 5.6.1; false at its end. */
static bool
next_element(struct der_bytes *list, struct der_bytes *element)
{
	const uint8_t *comma;
	size_t len;

	while (list->len > 0) {
		comma = memchr(list->p, ',', list->len);
		len = comma == NULL ? list->len : (size_t)(comma - list->p);
		*element = trim(list->p, list->p + len);
		len += comma != NULL;
		*list = (struct der_bytes){ list->p + len, list->len - len };
		if (element->len > 0)
			return true;
	}
	return false;
}

bool
http_media_type_is(struct der_bytes content_type, const char *type)
{
	const uint8_t *end = content_type.len == 0 ? NULL :
	    memchr(content_type.p, ';', content_type.len);

	if (content_type.len == 0)
		return false;
	if (end == NULL)
		end = content_type.p + content_type.len;
	return name_is(trim(content_type.p, end), type);
}

/*
 * method SP request-target SP HTTP-version CRLF.  Spaces inside the target
 * belong to it: some clients write a space for the plus of base64, and the
 * version has none, so the last space is the one that ends the target.
 */
static int
parse_version(const uint8_t *p, const uint8_t *end,
    struct http_request *request)
{
	if (end - p != 8 || memcmp(p, "HTTP/", 5) != 0 ||
	    p[5] < '0' || p[5] > '9' || p[6] != '.' ||
	    p[7] < '0' || p[7] > '9')
		return -400;
	if (p[5] != '1')
		return -505;
	request->is_http10 = p[7] == '0';
	return 0;
}

/* absolute-form, RFC 9112 3.2.2: only its path and query are of interest. */
static bool
strip_authority(struct der_bytes *target)
{
	const uint8_t *end = target->p + target->len, *p;

	if (target->len > 7 && strncasecmp((const char *)target->p,
	    "http://", 7) == 0)
		p = target->p + 7;
	else if (target->len > 8 && strncasecmp((const char *)target->p,
	    "https://", 8) == 0)
		p = target->p + 8;
	else
		return false;
	if (!(classes[*p] & HOST))
		return false;
	while (p != end && (classes[*p] & HOST))
		p++;
	if (p != end && *p != '/' && *p != '?')
		return false;
	if (p == end)
		*target = DER_LITERAL("/");
	else
		*target = (struct der_bytes){ p, (size_t)(end - p) };
	return true;
}

static int
check_target(struct http_request *request)
{
	struct der_bytes *target = &request->target;

	if (target->len == 0)
		return -400;
	if (target->len > HTTP_TARGET_MAX)
		return -414;
	/* OPTIONS * and CONNECT host:port will be told 405, whatever. */
	if (target->p[0] == '/' || request->method == HTTP_OTHER)
		return 0;
	return strip_authority(target) ? 0 : -400;
}

static enum http_method
method_of(const uint8_t *p, size_t len)
{
	if (len == 3 && memcmp(p, "GET", 3) == 0)
		return HTTP_GET;
	if (len == 4 && memcmp(p, "POST", 4) == 0)
		return HTTP_POST;
	if (len == 4 && memcmp(p, "HEAD", 4) == 0)
		return HTTP_HEAD;
	return HTTP_OTHER;
}

static int
parse_request_line(const uint8_t *p, size_t len, struct http_request *request)
{
	size_t i, begin, end;
	int rv;

	for (i = 0; i < len && (classes[p[i]] & TOKEN); i++)
		if (i == METHOD_MAX)
			return -400;
	/* Half of an empty line may be all there is: RFC 9112, 2.2. */
	if (i == len || (len == 1 && p[0] == '\r'))
		return 0;
	if (i == 0 || p[i] != ' ')
		return -400;
	request->method = method_of(p, i);
	begin = ++i;
	while (i < len && p[i] > 0x1f && p[i] < 0x7f)
		i++;
	if (i - begin > HTTP_TARGET_MAX + LINE_TAIL_MAX)
		return -414;
	if (i == len || (p[i] == '\r' && i + 1 == len))
		return 0;
	if (p[i] != '\r' || p[i + 1] != '\n')
		return -400;
	for (end = i; end > begin && p[end - 1] != ' '; end--)
		;
	if (end == begin)		/* HTTP/0.9 has no version */
		return -400;
	rv = parse_version(p + end, p + i, request);
	if (rv == 0) {
		request->target = (struct der_bytes){ p + begin,
		    end - 1 - begin };
		rv = check_target(request);
	}
	return rv < 0 ? rv : (int)i + 2;
}

/* Identical repeats are harmless and allowed (RFC 9112, 6.3); no lists. */
static int
parse_content_length(struct der_bytes value, struct head *head)
{
	uint64_t length = 0;
	size_t i;

	if (value.len == 0)
		return -400;
	for (i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return -400;
		if (i < CONTENT_LENGTH_DIGITS_MAX)
			length = length * 10 + (uint64_t)(value.p[i] - '0');
		else
			length = UINT64_MAX;
	}
	if (head->num_lengths++ > 0 && length != head->length)
		return -400;
	head->length = length;
	return 0;
}

static int
parse_host(struct der_bytes value, struct head *head)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if (!(classes[value.p[i]] & HOST))
			return -400;
	return ++head->num_hosts > 1 ? -400 : 0;
}

static void
parse_connection(struct der_bytes value, struct head *head)
{
	struct der_bytes option;

	while (next_element(&value, &option)) {
		if (name_is(option, "close"))
			head->has_close = true;
		else if (name_is(option, "keep-alive"))
			head->has_keep_alive = true;
	}
}

/* chunked, once and alone, is the only coding we know. */
static int
parse_transfer_encoding(struct der_bytes value, struct head *head)
{
	struct der_bytes coding;

	while (next_element(&value, &coding)) {
		head->num_codings++;
		if (!name_is(coding, "chunked"))
			head->status = 501;
	}
	return head->num_codings == 0 || (head->num_codings > 1 &&
	    head->status == 0) ? -400 : 0;
}

static void
keep_first(struct der_bytes value, struct der_bytes *kept)
{
	if (kept->len == 0)
		*kept = value;
}

static int
take_field(struct der_bytes name, struct der_bytes value, struct head *head,
    struct http_request *request)
{
	switch (name.len) {
	case 4:
		return name_is(name, "Host") ? parse_host(value, head) : 0;
	case 5:
		if (name_is(name, "Range"))
			keep_first(value, &request->range);
		return 0;
	case 6:
		if (name_is(name, "Expect")) {
			if (name_is(value, "100-continue"))
				request->expects_continue = true;
			else if (head->status == 0)
				head->status = 417;
		}
		return 0;
	case 8:
		if (name_is(name, "If-Match"))
			keep_first(value, &request->if_match);
		else if (name_is(name, "If-Range"))
			keep_first(value, &request->if_range);
		return 0;
	case 10:
		if (name_is(name, "Connection"))
			parse_connection(value, head);
		return 0;
	case 12:
		if (name_is(name, "Content-Type"))
			keep_first(value, &request->content_type);
		return 0;
	case 13:
		if (name_is(name, "If-None-Match"))
			keep_first(value, &request->if_none_match);
		return 0;
	case 14:
		return name_is(name, "Content-Length") ?
		    parse_content_length(value, head) : 0;
	case 17:
		if (name_is(name, "If-Modified-Since"))
			keep_first(value, &request->if_modified_since);
		return name_is(name, "Transfer-Encoding") ?
		    parse_transfer_encoding(value, head) : 0;
	case 19:
		if (name_is(name, "If-Unmodified-Since"))
			keep_first(value, &request->if_unmodified_since);
		return 0;
	}
	return 0;
}

/*
 * field-name ":" OWS field-value OWS CRLF, until the empty line.  A line
 * that begins with white space is an obs-fold, or white space before the
 * first field: both are refused (RFC 9112, 2.2 and 5.2), and so is white
 * space before the colon, and a line feed without its carriage return.
 */
static int
parse_fields(const uint8_t *p, size_t len, struct head *head,
    struct http_request *request)
{
	size_t at = 0, colon, i, seen = len < HTTP_HEADER_MAX ? len :
	    HTTP_HEADER_MAX;
	int rv;

	for (;;) {
		for (i = at; i < seen && (classes[p[i]] & TOKEN); i++)
			;
		if (i == seen || (i == at && p[i] == '\r' && i + 1 == seen))
			break;
		if (i == at && p[i] == '\r')
			return p[i + 1] == '\n' ? (int)i + 2 : -400;
		if (i == at || p[i] != ':')
			return -400;
		colon = i++;
		while (i < seen && (classes[p[i]] & VALUE))
			i++;
		if (i == seen || (p[i] == '\r' && i + 1 == seen))
			break;
		if (p[i] != '\r' || p[i + 1] != '\n')
			return -400;
		rv = take_field((struct der_bytes){ p + at, colon - at },
		    trim(p + colon + 1, p + i), head, request);
		if (rv < 0)
			return rv;
		at = i + 2;
	}
	return len >= HTTP_HEADER_MAX ? -431 : 0;
}

/* Which body there is, RFC 9112 6.3, and what cannot be answered. */
static int
decide(const struct head *head, struct http_request *request)
{
	if (!request->is_http10 && head->num_hosts == 0)
		return -400;
	if (head->num_codings > 0 &&
	    (head->num_lengths > 0 || request->is_http10))
		return -400;
	if (head->status != 0)
		return -head->status;
	request->keep_alive = !head->has_close &&
	    (!request->is_http10 || head->has_keep_alive);
	/* RFC 9110, 10.1.1: an HTTP/1.0 client does not know what 100 is. */
	if (request->is_http10)
		request->expects_continue = false;
	if (head->num_codings > 0) {
		request->framing = HTTP_CHUNKED;
		return 0;
	}
	if (head->num_lengths == 0)
		return request->method == HTTP_POST ? -411 : 0;
	if (head->length > OCSP_REQUEST_MAX)
		return -413;
	request->content_length = (uint32_t)head->length;
	if (head->length > 0)
		request->framing = HTTP_LENGTH;
	return 0;
}

int
http_request_parse(const uint8_t *p, size_t len, struct http_request *request)
{
	struct http_request r = { .framing = HTTP_NO_BODY };
	struct head head = { 0 };
	int line, fields, rv;

	line = parse_request_line(p, len, &r);
	if (line <= 0)
		return line;
	fields = parse_fields(p + line, len - (size_t)line, &head, &r);
	if (fields <= 0)
		return fields;
	rv = decide(&head, &r);
	if (rv < 0)
		return rv;
	*request = r;
	return line + fields;
}
