/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 client: one request, one connection, one answer. */
#include "cli/fetch.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"

struct url {
	char host[256], port[8];
	const char *path;	/* into the text; "" means "/" */
};

static enum oc_err
parse_url(const char *text, struct url *url, struct oc_error *error)
{
	static const char scheme[] = "http://";
	const char *host, *end, *colon;
	size_t host_len, port_len;

	if (strncasecmp(text, scheme, sizeof(scheme) - 1) != 0)
		return oc_error_set(error, OC_ERR_USAGE, "%s: not an http:// "
		    "URL; OCSP is asked over plain http", text);
	host = text + sizeof(scheme) - 1;
	end = host + strcspn(host, "/?#");
	url->path = end;
	colon = memchr(host, ':', (size_t)(end - host));
	if (*host == '[') {	/* [::1]:80 */
		const char *close = memchr(host, ']', (size_t)(end - host));

		if (close == NULL)
			goto bad;
		colon = close[1] == ':' ? close + 1 : NULL;
		host++;
		host_len = (size_t)(close - host);
	} else {
		host_len = (size_t)((colon != NULL ? colon : end) - host);
	}
	port_len = colon != NULL ? (size_t)(end - colon - 1) : 0;
	if (host_len == 0 || host_len >= sizeof(url->host) ||
	    port_len >= sizeof(url->port) || (colon != NULL && port_len == 0))
		goto bad;
	memcpy(url->host, host, host_len);
	url->host[host_len] = '\0';
	snprintf(url->port, sizeof(url->port), "%.*s",
	    colon != NULL ? (int)port_len : 2, colon != NULL ? colon + 1 :
	    "80");
	return OC_OK;
bad:
	return oc_error_set(error, OC_ERR_USAGE, "%s: not a URL of the form "
	    "http://host:port/path", text);
}

/* False: the deadline has passed. */
static bool
wait_for(int fd, short events, int64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = events };
	int rc;

	do
		rc = poll(&p, 1, oc_clock_poll_ms(deadline_ns));
	while (rc < 0 && errno == EINTR);
	return rc > 0;
}

static int
connect_one(const struct addrinfo *address, int64_t deadline_ns)
{
	int fd, failed = 0;
	socklen_t len = sizeof(failed);

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
	    (errno == EINPROGRESS && wait_for(fd, POLLOUT, deadline_ns) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 &&
	    failed == 0))
		return fd;
	if (failed != 0)
		errno = failed;
	close(fd);
	return -1;
}

static enum oc_err
connect_any(const struct cli_fetch *fetch, const struct url *url, int *fd,
    struct oc_error *error)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *a;
	int rc;

	rc = getaddrinfo(url->host, url->port, &hints, &list);
	if (rc != 0)
		return oc_error_set(error, OC_ERR_DOWN, "%s: %s: %s",
		    fetch->url, url->host, gai_strerror(rc));
	*fd = -1;
	for (a = list; a != NULL && *fd < 0; a = a->ai_next)
		*fd = connect_one(a, fetch->deadline_ns);
	freeaddrinfo(list);
	if (*fd < 0)
		return oc_error_set_errno(error, OC_ERR_DOWN,
		    "%s: nobody answers", fetch->url);
	return OC_OK;
}

static enum oc_err
send_all(int fd, struct der_bytes bytes, int64_t deadline_ns)
{
	ssize_t n;

	while (bytes.len > 0) {
		n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return OC_ERR_DOWN;
		if (n < 0) {
			if (!wait_for(fd, POLLOUT, deadline_ns))
				return OC_ERR_TIMEOUT;
			continue;
		}
		bytes.p += n;
		bytes.len -= (size_t)n;
	}
	return OC_OK;
}

static enum oc_err
send_request(const struct cli_fetch *fetch, const struct url *url, int fd)
{
	struct oc_buffer b;
	enum oc_err err;

	oc_buffer_init(&b, CLI_FETCH_MAX);
	oc_buffer_printf(&b, "%s %s%s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\n"
	    "Connection: close\r\nAccept: %s\r\n",
	    fetch->body.len != 0 ? "POST" : "GET",
	    url->path[0] == '/' ? "" : "/", url->path,
	    fetch->path_suffix != NULL ? fetch->path_suffix : "",
	    strchr(url->host, ':') != NULL ? "[" : "", url->host,
	    strchr(url->host, ':') != NULL ? "]" : "", url->port,
	    fetch->accept);
	if (fetch->body.len != 0)
		oc_buffer_printf(&b, "Content-Type: %s\r\n"
		    "Content-Length: %zu\r\n", fetch->content_type,
		    fetch->body.len);
	oc_buffer_put_text(&b, "\r\n");
	oc_buffer_put(&b, fetch->body.p, fetch->body.len);
	err = b.err;
	if (err == OC_OK)
		err = send_all(fd, (struct der_bytes){ b.bytes, b.len },
		    fetch->deadline_ns);
	oc_buffer_fini(&b);
	return err;
}

/* Everything until the other side closes: we asked for that. */
static enum oc_err
read_all(const struct cli_fetch *fetch, int fd, struct oc_buffer *b)
{
	uint8_t block[4096];
	ssize_t n;

	for (;;) {
		n = recv(fd, block, sizeof(block), 0);
		if (n == 0)
			return OC_OK;
		if (n > 0) {
			oc_buffer_put(b, block, (size_t)n);
			if (b->err != OC_OK)
				return b->err;
		} else if (errno != EAGAIN && errno != EINTR) {
			return OC_ERR_DOWN;
		} else if (!wait_for(fd, POLLIN, fetch->deadline_ns)) {
			return OC_ERR_TIMEOUT;
		}
	}
}

/* The value of a header field, from the line after the status line on. */
static bool
find_field(const char *head, const char *name, char *value, size_t value_max)
{
	size_t name_len = strlen(name);
	const char *line;

	for (line = strstr(head, "\r\n"); line != NULL;
	    line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_len) != 0 ||
		    line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " \t");
		snprintf(value, value_max, "%.*s", (int)strcspn(line, "\r\n"),
		    line);
		return true;
	}
	return false;
}

/* Chunked, RFC 9112 7.1: in place.  False if it is not whole. */
static bool
join_chunks(uint8_t *body, size_t *len)
{
	size_t at = 0, out = 0, size;
	char *end;

	for (;;) {
		if (at >= *len || !isxdigit(body[at]))
			return false;
		/* There is a NUL behind the buffer. */
		size = strtoul((char *)body + at, &end, 16);
		end = strstr(end, "\r\n");
		if (end == NULL)
			return false;
		at = (size_t)(end + 2 - (char *)body);
		if (size == 0)
			break;
		if (size > *len || at > *len - size)
			return false;
		memmove(body + out, body + at, size);
		out += size;
		at += size + 2;
	}
	*len = out;
	return true;
}

static enum oc_err
take_body(const struct cli_fetch *fetch, struct oc_buffer *b, uint8_t **out,
    size_t *out_len, struct oc_error *error)
{
	char field[128], *split = NULL;
	unsigned int status = 0;
	uint8_t *body;
	size_t len;

	if (b->len > 0)
		split = strstr((char *)b->bytes, "\r\n\r\n");
	if (split == NULL ||
	    sscanf((char *)b->bytes, "HTTP/1.%*1[01] %3u", &status) != 1)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: what answers there does not speak HTTP", fetch->url);
	*split = '\0';
	body = (uint8_t *)split + 4;
	len = b->len - (size_t)(body - b->bytes);
	if (status != 200)
		return oc_error_set(error, OC_ERR_REFUSED,
		    "%s: HTTP status %u", fetch->url, status);
	if (!find_field((char *)b->bytes, "Content-Type", field,
	    sizeof(field)) || strncasecmp(field, fetch->accept,
	    strlen(fetch->accept)) != 0)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: the answer is not %s", fetch->url, fetch->accept);
	if (find_field((char *)b->bytes, "Transfer-Encoding", field,
	    sizeof(field)) && !join_chunks(body, &len))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: the answer is cut off", fetch->url);
	if (find_field((char *)b->bytes, "Content-Length", field,
	    sizeof(field)) && strtoul(field, NULL, 10) != len)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "%s: the answer is %zu octets, not the %s it says",
		    fetch->url, len, field);
	*out = malloc(len + 1);
	if (*out == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	memcpy(*out, body, len);
	*out_len = len;
	return OC_OK;
}

enum oc_err
cli_fetch(const struct cli_fetch *fetch, uint8_t **out, size_t *len,
    struct oc_error *error)
{
	struct oc_buffer answer;
	struct url url;
	enum oc_err err;
	int fd = -1;

	oc_buffer_init(&answer, CLI_FETCH_MAX);
	err = parse_url(fetch->url, &url, error);
	if (err == OC_OK)
		err = connect_any(fetch, &url, &fd, error);
	if (err != OC_OK)
		goto out;
	err = send_request(fetch, &url, fd);
	if (err == OC_OK)
		err = read_all(fetch, fd, &answer);
	if (err != OC_OK) {
		oc_error_set(error, err, "%s: %s", fetch->url,
		    oc_strerror(err));
		goto out;
	}
	err = take_body(fetch, &answer, out, len, error);
out:
	if (fd >= 0)
		close(fd);
	oc_buffer_fini(&answer);
	return err;
}
