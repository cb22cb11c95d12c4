/* SPDX-License-Identifier: Apache-2.0 */
/* Request line and fields, RFC 9112 sections 2, 3, 5 and 6. */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"

/* As many digits as can never overflow. */
#define LENGTH_DIGITS_MAX 15

static const struct {
	const char *name;
	enum net_method method;
} methods[] = {
	{ "GET", NET_GET }, { "HEAD", NET_HEAD }, { "POST", NET_POST },
	{ "PUT", NET_PUT }, { "PATCH", NET_PATCH },
	{ "DELETE", NET_DELETE }, { "OPTIONS", NET_OPTIONS },
};

/* What is seen of framing and Host while the fields go by. */
struct seen {
	uint32_t num_hosts, num_lengths, num_codings;
	bool has_close, has_keep_alive;
	int status;
};

const char *
net_status_text(int status)
{
	static const struct { int status; const char *text; } texts[] = {
		{ 200, "OK" }, { 204, "No Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 409, "Conflict" }, { 411, "Length Required" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Unknown";
}

size_t
net_head_len(const uint8_t *p, size_t len)
{
	size_t at = 0;
	const uint8_t *lf;

	while (len - at >= 2 && p[at] == '\r' && p[at + 1] == '\n')
		at += 2;
	while ((lf = memchr(p + at, '\n', len - at)) != NULL) {
		size_t next = (size_t)(lf - p) + 1;

		if (next < len && p[next] == '\n')
			return next + 1;
		if (next + 1 < len && p[next] == '\r' && p[next + 1] == '\n')
			return next + 2;
		at = next;
	}
	return 0;
}

static bool
is_token_char(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_token(const char *text)
{
	const char *p = text;

	while (is_token_char((unsigned char)*p))
		p++;
	return p != text && *p == '\0';
}

/* Cuts the next line out; NULL if it has a bare CR, a NUL or a control. */
static char *
next_line(char **at)
{
	char *line = *at, *lf = strchr(line, '\n'), *p;

	if (lf == NULL)
		return NULL;
	*at = lf + 1;
	*lf = '\0';
	if (lf != line && lf[-1] == '\r')
		lf[-1] = '\0';
	for (p = line; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return NULL;
	return line;
}

/* origin-form, or absolute-form whose authority is not looked at. */
static int
parse_target(char *target, struct net_request *request)
{
	char *path = target, *query;

	for (const char *p = target; *p != '\0'; p++)
		if (*p <= 0x20 || *p == 0x7f || *p == '#')
			return 400;
	if (strncasecmp(path, "http://", 7) == 0 ||
	    strncasecmp(path, "https://", 8) == 0)
		path = strchr(strstr(path, "://") + 3, '/');
	if (path == NULL || *path != '/')
		return 400;
	query = strchr(path, '?');
	if (query != NULL)
		*query++ = '\0';
	request->path = path;
	request->query = query == NULL ? "" : query;
	return 0;
}

/* The path first: who refuses the rest asks for it. */
static int
parse_line(char *line, struct net_request *request)
{
	char *target = strchr(line, ' '), *version;
	size_t len;
	int status;

	if (target == NULL)
		return 400;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (version != NULL)
		*version++ = '\0';
	len = strlen(target);
	status = parse_target(target, request);
	if (status != 0)
		return status;
	if (len > HTTP_TARGET_MAX)
		return 414;
	if (version == NULL || !is_token(line) || strlen(line) > 16 ||
	    strncmp(version, "HTTP/", 5) != 0)
		return 400;
	if (strcmp(version, "HTTP/1.0") != 0 &&
	    strcmp(version, "HTTP/1.1") != 0)
		return 505;
	request->is_http10 = version[7] == '0';
	request->method_name = line;
	request->method = NET_OTHER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(line, methods[i].name) == 0)
			request->method = methods[i].method;
	return 0;
}

void
net_head_begun(char *head, struct net_request *request)
{
	char *target;

	*request = (struct net_request){ .query = "", .path = "",
	    .method_name = "" };
	head += strspn(head, "\r\n");
	head[strcspn(head, "\r\n")] = '\0';
	target = strchr(head, ' ');
	if (target == NULL)
		return;
	target++;
	target[strcspn(target, " ")] = '\0';
	(void)parse_target(target, request);
}

/* RFC 9112, 6.2: digits alone, once. */
static bool
parse_length(const char *value, uint64_t *length)
{
	size_t len = strlen(value);

	if (len == 0 || len > LENGTH_DIGITS_MAX ||
	    strspn(value, "0123456789") != len)
		return false;
	*length = 0;
	for (; *value != '\0'; value++)
		*length = *length * 10 + (uint64_t)(*value - '0');
	return true;
}

static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n;

		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, word, len) == 0)
			return true;
		list += n;
	}
	return false;
}

static void
look_at_field(const struct net_field *f, struct net_request *request,
    struct seen *seen)
{
	if (strcasecmp(f->name, "Host") == 0) {
		seen->num_hosts++;
	} else if (strcasecmp(f->name, "Content-Length") == 0) {
		seen->num_lengths++;
		request->framing = NET_LENGTH;
		if (!parse_length(f->value, &request->content_length))
			seen->status = 400;
	} else if (strcasecmp(f->name, "Transfer-Encoding") == 0) {
		seen->num_codings++;
		request->framing = NET_CHUNKED;
		if (strcasecmp(f->value, "chunked") != 0)
			seen->status = 501;
	} else if (strcasecmp(f->name, "Connection") == 0) {
		seen->has_close |= list_has(f->value, "close");
		seen->has_keep_alive |= list_has(f->value, "keep-alive");
	} else if (strcasecmp(f->name, "Expect") == 0) {
		request->expects_continue = true;
		if (strcasecmp(f->value, "100-continue") != 0)
			seen->status = 417;
	}
}

/* No blank before the colon, no folded lines: RFC 9112, 5.1 and 5.2. */
static int
parse_field(char *line, struct net_request *request, struct seen *seen)
{
	struct net_field *f = &request->fields[request->num_fields];
	char *colon = strchr(line, ':'), *value, *end;

	if (colon == NULL)
		return 400;
	*colon = '\0';
	if (!is_token(line))
		return 400;
	if (request->num_fields == NET_FIELDS_MAX)
		return 431;
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end != value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	*f = (struct net_field){ line, value };
	request->num_fields++;
	look_at_field(f, request, seen);
	return 0;
}

int
net_head_parse(char *head, size_t len, struct net_request *request)
{
	struct seen seen = { 0 };
	char *at = head, *line;
	int status;

	*request = (struct net_request){ .query = "", .path = "/",
	    .method_name = "" };
	while (len - (size_t)(at - head) >= 2 && at[0] == '\r' &&
	    at[1] == '\n')
		at += 2;
	if (memchr(head, '\0', len) != NULL)
		return 400;
	line = next_line(&at);
	status = line == NULL ? 400 : parse_line(line, request);
	while (status == 0) {
		line = next_line(&at);
		if (line == NULL)
			return 400;
		if (*line == '\0')
			break;
		status = parse_field(line, request, &seen);
	}
	if (status != 0)
		return status;
	/* A request that two readers frame differently is an attack: RFC
	 * 9112, 6.3 and 11.2. */
	if (seen.num_lengths + seen.num_codings > 1 || seen.num_hosts > 1 ||
	    (seen.num_hosts == 0 && !request->is_http10) ||
	    (seen.num_codings > 0 && request->is_http10))
		return 400;
	request->keep_alive = !seen.has_close &&
	    (!request->is_http10 || seen.has_keep_alive);
	return seen.status;
}

const char *
net_request_field(const struct net_request *request, const char *name)
{
	for (uint32_t i = 0; i < request->num_fields; i++)
		if (strcasecmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	return NULL;
}

static bool
decode(const char *from, size_t len, char *to, size_t to_max)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)from[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high;

			if (len - i < 3)
				return false;
			high = oc_hex_value(from[i + 1]);
			c = oc_hex_value(from[i + 2]);
			if (high < 0 || c < 0)
				return false;
			c += 16 * high;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f || n + 1 >= to_max)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return true;
}

bool
net_request_query(const struct net_request *request, const char *name,
    char *value, size_t value_max)
{
	size_t name_len = strlen(name);
	const char *p = request->query;

	while (*p != '\0') {
		size_t len = strcspn(p, "&");

		if (len > name_len && p[name_len] == '=' &&
		    memcmp(p, name, name_len) == 0)
			return decode(p + name_len + 1, len - name_len - 1,
			    value, value_max);
		p += len;
		p += *p == '&';
	}
	return false;
}

bool
net_request_is_type(const struct net_request *request, const char *type)
{
	const char *value = net_request_field(request, "Content-Type");
	size_t len = strlen(type);

	return value != NULL && strncasecmp(value, type, len) == 0 &&
	    (value[len] == '\0' || value[len] == ';' || value[len] == ' ' ||
	    value[len] == '\t');
}
