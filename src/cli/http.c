/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP client: one connection, one request, one reply. */
#include "cli/http.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/connect.h"
#include "ocsp/http.h"

#define HEAD_MAX (16 * 1024)

struct exchange {
	const char *url;
	const char *type;		/* of the reply; NULL: any */
	int64_t deadline_ns;
	struct cli_http_url at;
	int fd;
	struct oc_buffer reply;		/* head and what came of the body */
};

enum oc_err
cli_http_parse_url(const char *url, struct cli_http_url *parts,
    struct oc_error *error)
{
	const char *p = url, *end, *colon = NULL;
	size_t len;

	if (strncasecmp(p, "http://", 7) != 0)
		return oc_error_set(error, OC_ERR_UNSUPPORTED, "\"%.100s\" is "
		    "no http:// URL", url);
	/* All of it goes into a request head. */
	for (const char *q = p; *q != '\0'; q++)
		if ((unsigned char)*q <= 0x20 || (unsigned char)*q >= 0x7f)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "\"%.100s\": a URL has no blanks and no control "
			    "characters", url);
	p += 7;
	end = p + strcspn(p, "/?#");
	*parts = (struct cli_http_url){ .authority = p,
	    .authority_len = (size_t)(end - p), .path = end };
	if (memchr(p, '@', (size_t)(end - p)) != NULL)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "\"%.100s\": a bad host", url);
	if (*p == '[') {
		const char *close = memchr(p, ']', (size_t)(end - p));

		if (close == NULL)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "\"%.100s\": \"]\" is missing", url);
		colon = close + 1 < end ? close + 1 : NULL;
		p++;
		len = (size_t)(close - p);
	} else {
		colon = memchr(p, ':', (size_t)(end - p));
		len = (size_t)((colon != NULL ? colon : end) - p);
	}
	if (len == 0 || len >= sizeof(parts->host) ||
	    (colon != NULL && (*colon != ':' ||
	    (size_t)(end - colon - 1) >= sizeof(parts->port))))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "\"%.100s\": a bad host or port", url);
	memcpy(parts->host, p, len);
	parts->host[len] = '\0';
	(void)snprintf(parts->port, sizeof(parts->port), "%.*s",
	    colon == NULL ? 2 : (int)(end - colon - 1),
	    colon == NULL ? "80" : colon + 1);
	return OC_OK;
}

/* The Host field's value, RFC 9112 3.2: brackets and port as in the URL. */
static void
put_host(const struct exchange *x, struct oc_buffer *b)
{
	oc_buffer_put_text(b, "Host: ");
	oc_buffer_put(b, x->at.authority, x->at.authority_len);
	oc_buffer_put_text(b, "\r\n");
}

/* RFC 6960 A.1: base64, then the characters that mean something in a URL
 * escaped.  Without a request it is the URL's own. */
static void
put_target(const struct exchange *x, struct der_bytes request,
    struct oc_buffer *b)
{
	size_t path_len = strcspn(x->at.path, "?#");
	char *text;

	if (request.len == 0) {
		oc_buffer_printf(b, "%s%.*s", x->at.path[0] == '/' ? "" : "/",
		    (int)strcspn(x->at.path, "#"), x->at.path);
		return;
	}
	text = malloc(OC_BASE64_LEN(request.len) + 1);
	oc_buffer_put(b, x->at.path, path_len);
	if (path_len == 0 || x->at.path[path_len - 1] != '/')
		oc_buffer_put_text(b, "/");
	if (text == NULL) {
		b->err = OC_ERR_NOMEM;
		return;
	}
	oc_base64_encode(request.p, request.len, text);
	for (const char *p = text; *p != '\0'; p++)
		if (*p == '+')
			oc_buffer_put_text(b, "%2B");
		else if (*p == '/')
			oc_buffer_put_text(b, "%2F");
		else if (*p == '=')
			oc_buffer_put_text(b, "%3D");
		else
			oc_buffer_put(b, p, 1);
	free(text);
}

static enum oc_err
send_request(const struct exchange *x, enum cli_http_method method,
    struct der_bytes request, struct oc_error *error)
{
	struct oc_buffer b;
	size_t sent = 0;
	enum oc_err err = OC_OK;

	oc_buffer_init(&b, 1024 * 1024);
	if (method == CLI_HTTP_GET) {
		oc_buffer_put_text(&b, "GET ");
		put_target(x, request, &b);
		oc_buffer_put_text(&b, " HTTP/1.1\r\n");
		put_host(x, &b);
		oc_buffer_put_text(&b, "Connection: close\r\n\r\n");
	} else {
		oc_buffer_printf(&b, "POST %s%.*s HTTP/1.1\r\n",
		    x->at.path[0] == '/' ? "" : "/",
		    (int)strcspn(x->at.path, "#"), x->at.path);
		put_host(x, &b);
		oc_buffer_printf(&b, "Content-Type: application/ocsp-request"
		    "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		    request.len);
		oc_buffer_put(&b, request.p, request.len);
	}
	err = b.err != OC_OK ? oc_error_set(error, b.err, "%s",
	    oc_strerror(b.err)) : OC_OK;
	while (err == OC_OK && sent < b.len) {
		ssize_t n = send(x->fd, b.bytes + sent, b.len - sent,
		    MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN && cli_wait(x->fd, POLLOUT,
		    x->deadline_ns))
			continue;
		else if (errno != EINTR)
			err = oc_error_set_errno(error, errno == ETIMEDOUT ?
			    OC_ERR_TIMEOUT : OC_ERR_DOWN, "%s", x->url);
	}
	oc_buffer_fini(&b);
	return err;
}

/* We asked for "Connection: close": the reply ends with the connection. */
static enum oc_err
receive(struct exchange *x, struct oc_error *error)
{
	uint8_t octets[4096];

	for (;;) {
		ssize_t n = recv(x->fd, octets, sizeof(octets), 0);

		if (n == 0)
			return OC_OK;
		if (n > 0)
			oc_buffer_put(&x->reply, octets, (size_t)n);
		else if (errno == EAGAIN && cli_wait(x->fd, POLLIN,
		    x->deadline_ns))
			continue;
		else if (errno != EINTR)
			return oc_error_set_errno(error, errno == ETIMEDOUT ?
			    OC_ERR_TIMEOUT : OC_ERR_DOWN, "%s", x->url);
		if (x->reply.err != OC_OK)
			return oc_error_set(error, x->reply.err, "%s: the "
			    "reply is too long", x->url);
	}
}

/* --- the reply -------------------------------------------------------- */

/* A field's value in the head, without blanks around it; NULL: absent. */
static char *
find_field(const char *head, const char *name)
{
	const char *line = strstr(head, "\r\n");
	size_t name_len = strlen(name), len;

	for (; line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_len) != 0 ||
		    line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " \t");
		len = strcspn(line, "\r");
		while (len > 0 && (line[len - 1] == ' ' ||
		    line[len - 1] == '\t'))
			len--;
		return strndup(line, len);
	}
	return NULL;
}

static enum oc_err
take_body(const struct exchange *x, const char *head, uint8_t *body,
    size_t *len, struct oc_error *error)
{
	char *length = find_field(head, "Content-Length");
	char *coding = find_field(head, "Transfer-Encoding");
	struct http_chunked chunked = { 0 };
	enum oc_err err = OC_OK;
	size_t used;

	if (coding != NULL) {
		if (strcasecmp(coding, "chunked") != 0 ||
		    http_chunked_decode(&chunked, body, *len, &used) != 1)
			err = oc_error_set(error, OC_ERR_MALFORMED,
			    "%s: the reply's body is cut or malformed",
			    x->url);
		else
			*len = chunked.len;
	} else if (length != NULL) {
		char *end;
		unsigned long n = strtoul(length, &end, 10);

		if (length[0] < '0' || length[0] > '9' || *end != '\0' ||
		    n > *len)
			err = oc_error_set(error, OC_ERR_MALFORMED,
			    "%s: the reply is shorter than it says", x->url);
		else
			*len = n;
	}
	free(length);
	free(coding);
	return err;
}

static enum oc_err
check_head(const struct exchange *x, const char *head, struct oc_error *error)
{
	char *type = find_field(head, "Content-Type");
	enum oc_err err = OC_OK;

	if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12)
		err = oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: the reply is not HTTP/1.x", x->url);
	else if (strncmp(head + 8, " 200", 4) != 0)
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: the server "
		    "answers \"%.*s\"", x->url,
		    (int)(strcspn(head + 9, "\r") < 60 ?
		    strcspn(head + 9, "\r") : 60), head + 9);
	else if (x->type != NULL && (type == NULL || !http_media_type_is(
	    (struct der_bytes){ (const uint8_t *)type, strlen(type) },
	    x->type)))
		err = oc_error_set(error, OC_ERR_REFUSED, "%s: the reply is "
		    "no %s; is this an OCSP responder?", x->url, x->type);
	free(type);
	return err;
}

static enum oc_err
take_reply(const struct exchange *x, uint8_t **out, size_t *out_len,
    struct oc_error *error)
{
	const uint8_t *end = x->reply.len == 0 ? NULL :
	    memmem(x->reply.bytes, x->reply.len, "\r\n\r\n", 4);
	uint8_t *body = NULL;
	char *head;
	size_t len;
	enum oc_err err;

	if (end == NULL || (size_t)(end - x->reply.bytes) > HEAD_MAX)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: the reply is not HTTP", x->url);
	head = strndup((const char *)x->reply.bytes,
	    (size_t)(end - x->reply.bytes));
	len = x->reply.len - (size_t)(end + 4 - x->reply.bytes);
	body = malloc(len + 1);
	if (head == NULL || body == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else {
		memcpy(body, end + 4, len);
		err = check_head(x, head, error);
		if (err == OC_OK)
			err = take_body(x, head, body, &len, error);
	}
	free(head);
	if (err != OC_OK) {
		free(body);
		return err;
	}
	*out = body;
	*out_len = len;
	return OC_OK;
}

static enum oc_err
exchange(struct exchange *x, enum cli_http_method method,
    struct der_bytes request, size_t body_max, uint8_t **body,
    size_t *body_len, struct oc_error *error)
{
	enum oc_err err;

	oc_buffer_init(&x->reply, HEAD_MAX + body_max);
	err = cli_http_parse_url(x->url, &x->at, error);
	if (err == OC_OK) {
		err = cli_connect(x->at.host, x->at.port, x->deadline_ns,
		    &x->fd, error);
		if (err != OC_OK)
			oc_error_prefix(error, "%s", x->url);
	}
	if (err == OC_OK)
		err = send_request(x, method, request, error);
	if (err == OC_OK)
		err = receive(x, error);
	if (err == OC_OK)
		err = take_reply(x, body, body_len, error);
	if (x->fd >= 0)
		(void)close(x->fd);
	oc_buffer_fini(&x->reply);
	return err;
}

enum oc_err
cli_http_check_url(const char *url, struct oc_error *error)
{
	struct cli_http_url parts;

	return cli_http_parse_url(url, &parts, error);
}

enum oc_err
cli_http_ask(const char *url, enum cli_http_method method,
    struct der_bytes request, int64_t deadline_ns, uint8_t **body,
    size_t *body_len, struct oc_error *error)
{
	struct exchange x = { .url = url, .type = "application/ocsp-response",
	    .deadline_ns = deadline_ns, .fd = -1 };

	return exchange(&x, method, request, CLI_HTTP_BODY_MAX, body,
	    body_len, error);
}

enum oc_err
cli_http_fetch(const char *url, size_t body_max, int64_t deadline_ns,
    uint8_t **body, size_t *body_len, struct oc_error *error)
{
	struct exchange x = { .url = url, .deadline_ns = deadline_ns,
	    .fd = -1 };

	return exchange(&x, CLI_HTTP_GET, (struct der_bytes){ NULL, 0 },
	    body_max, body, body_len, error);
}
