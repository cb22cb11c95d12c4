/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/http_select.h"

#include <string.h>
#include <strings.h>

#include "ocsp/http_date.h"

void
http_format_etag(const uint8_t etag[HTTP_ETAG_OCTETS],
    char out[HTTP_ETAG_LEN])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	*out++ = '"';
	for (i = 0; i < HTTP_ETAG_OCTETS; i++) {
		*out++ = digits[etag[i] >> 4];
		*out++ = digits[etag[i] & 0xf];
	}
	*out = '"';
}

bool
http_lists_etag(struct der_bytes list, const uint8_t etag[HTTP_ETAG_OCTETS],
    enum http_comparison comparison)
{
	char ours[HTTP_ETAG_LEN];
	const uint8_t *p = list.p, *end = p + list.len, *quote;
	bool is_weak;

	http_format_etag(etag, ours);
	if (list.len == 1 && *p == '*')
		return true;
	while (p != end) {
		if (*p != '"') {	/* W/, commas, white space */
			p++;
			continue;
		}
		is_weak = p != list.p && p[-1] == '/';
		quote = memchr(p + 1, '"', (size_t)(end - p - 1));
		if (quote == NULL)
			return false;
		quote++;
		if ((size_t)(quote - p) == HTTP_ETAG_LEN &&
		    memcmp(p, ours, HTTP_ETAG_LEN) == 0 &&
		    (!is_weak || comparison == HTTP_WEAKLY))
			return true;
		p = quote;
	}
	return false;
}

/* RFC 9110, 13.2.2, in its order; what is no date is not there (13.1.3). */
static enum http_selection
check_conditions(const struct http_request *request,
    const struct http_file *file, int64_t now)
{
	int64_t at;

	if (request->if_match.len > 0) {
		if (!http_lists_etag(request->if_match, file->etag,
		    HTTP_STRONGLY))
			return HTTP_NOT_MATCHED;
	} else if (request->if_unmodified_since.len > 0 &&
	    http_date_parse(request->if_unmodified_since, now, &at) &&
	    at < file->modified_at) {
		return HTTP_NOT_MATCHED;
	}
	if (request->if_none_match.len > 0)
		return http_lists_etag(request->if_none_match, file->etag,
		    HTTP_WEAKLY) ? HTTP_NOT_MODIFIED : HTTP_WHOLE;
	if (request->if_modified_since.len > 0 &&
	    http_date_parse(request->if_modified_since, now, &at) &&
	    at >= file->modified_at)
		return HTTP_NOT_MODIFIED;
	return HTTP_WHOLE;
}

/* One entity-tag or the date of what the client has a part of (13.1.5). */
static bool
is_same(const struct http_request *request, const struct http_file *file,
    int64_t now)
{
	struct der_bytes has = request->if_range;
	int64_t at;

	if (has.len == 0)
		return true;
	if (has.p[0] == '"' || (has.len > 1 && has.p[1] == '/'))
		return has.len == HTTP_ETAG_LEN && http_lists_etag(has,
		    file->etag, HTTP_STRONGLY);
	/* A date tells two apart if they are not of the same second (8.8.2.2);
	 * nothing is made for the second that is still going on. */
	return http_date_parse(has, now, &at) && at == file->modified_at &&
	    at < now;
}

/* Digits; more than any file has octets are as many as that.  False if there
 * are none. */
static bool
read_number(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	const uint8_t *from = *p;

	for (*value = 0; *p != end && **p >= '0' && **p <= '9'; (*p)++)
		*value = *value > UINT64_MAX / 20 ? UINT64_MAX / 2 :
		    *value * 10 + (uint64_t)(**p - '0');
	return *p != from;
}

/*
 * bytes=FIRST-LAST, bytes=FIRST-, bytes=-NUMBER.  HTTP_WHOLE for what is none
 * of these: other units, several, nonsense (14.2).
 */
static enum http_selection
read_range(struct der_bytes field, uint64_t file_len,
    struct http_range *range)
{
	const uint8_t *p = field.p, *end = p + field.len;
	uint64_t first = 0, last = 0;
	bool has_first, has_last;

	if (field.len < 6 || strncasecmp((const char *)p, "bytes=", 6) != 0)
		return HTTP_WHOLE;
	p += 6;
	has_first = read_number(&p, end, &first);
	if (p == end || *p++ != '-')
		return HTTP_WHOLE;
	has_last = read_number(&p, end, &last);
	if (p != end || (!has_first && !has_last) ||
	    (has_first && has_last && last < first))
		return HTTP_WHOLE;
	if (!has_first) {
		if (last == 0)
			return HTTP_NO_SUCH_PART;
		first = last < file_len ? file_len - last : 0;
		has_last = false;
	}
	if (first >= file_len)
		return HTTP_NO_SUCH_PART;
	if (!has_last || last >= file_len)
		last = file_len - 1;
	*range = (struct http_range){ first, last - first + 1 };
	return HTTP_PART;
}

enum http_selection
http_select(const struct http_request *request, const struct http_file *file,
    int64_t now, struct http_range *range)
{
	enum http_selection selection = check_conditions(request, file, now);

	if (selection != HTTP_WHOLE)
		return selection;
	*range = (struct http_range){ 0, file->len };
	/* Ranges are defined for GET alone (14.2). */
	if (request->method != HTTP_GET || request->range.len == 0 ||
	    !is_same(request, file, now))
		return HTTP_WHOLE;
	return read_range(request->range, file->len, range);
}
