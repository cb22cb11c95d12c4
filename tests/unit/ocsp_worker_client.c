/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client of the responder's tests. */
#include "tests/unit/ocsp_worker_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#define WAIT_MS 20000
#define RECEIVED_MAX 8192

struct client *
client_new(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct client *c = malloc(sizeof(*c));

	assert_non_null(c);
	c->len = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	return c;
}

void
client_free(struct client *c)
{
	close(c->fd);
	free(c);
}

void
client_reset(struct client *c)
{
	const struct linger at_once = { 1, 0 };

	assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once,
	    sizeof(at_once)), 0);
	client_free(c);
}

void
client_send(struct client *c, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	ssize_t n;

	while (len > 0) {
		n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n < 0)	/* what the other end says will tell */
			return;
		p += n;
		len -= (size_t)n;
	}
}

void
client_send_text(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* False at the end, or when nothing comes. */
static bool
receive(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	size_t room = sizeof(c->buffer) - c->len;
	ssize_t n;

	assert_true(room > 0);
	if (poll(&p, 1, ms) != 1)
		return false;
	/* A few at a time: what follows one is moved up when that is read. */
	if (room > RECEIVED_MAX)
		room = RECEIVED_MAX;
	n = recv(c->fd, c->buffer + c->len, room, 0);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

bool
client_is_closed(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint8_t octet;

	return c->len == 0 && poll(&p, 1, ms) == 1 &&
	    recv(c->fd, &octet, 1, 0) <= 0;
}

const char *
response_field(const struct response *r, const char *name, char value[256])
{
	const char *line = r->head;
	size_t len = strlen(name), value_len;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) != 0 ||
		    strncmp(line + len, ": ", 2) != 0)
			continue;
		line += len + 2;
		value_len = strcspn(line, "\r");
		assert_true(value_len < 256);
		memcpy(value, line, value_len);
		value[value_len] = '\0';
		return value;
	}
	return NULL;
}

void
assert_field(const struct response *r, const char *name, const char *expected)
{
	char value[256];
	const char *found = response_field(r, name, value);

	if (expected == NULL) {
		if (found != NULL)
			fail_msg("%s: %s", name, found);
	} else if (found == NULL || strcmp(found, expected) != 0) {
		fail_msg("%s: %s, not %s", name, found == NULL ? "(none)" :
		    found, expected);
	}
}

static size_t
head_len_of(const struct client *c)
{
	const uint8_t *end = memmem(c->buffer, c->len, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - c->buffer) + 4;
}

bool
client_read(struct client *c, bool is_head, struct response *r)
{
	size_t head_len;
	char value[256];

	while ((head_len = head_len_of(c)) == 0)
		if (!receive(c, WAIT_MS))
			return false;
	assert_true(head_len < sizeof(r->head));
	memcpy(r->head, c->buffer, head_len);
	r->head[head_len] = '\0';
	assert_int_equal(strncmp(r->head, "HTTP/1.1 ", 9), 0);
	r->status = atoi(r->head + 9);
	r->len = r->content_length = 0;
	if (response_field(r, "Content-Length", value) != NULL)
		r->content_length = strtoul(value, NULL, 10);
	else
		assert_true(r->status == 304 || r->status == 100);
	if (!is_head)
		r->len = r->content_length;
	assert_true(r->len <= sizeof(r->body));
	while (c->len < head_len + r->len)
		if (!receive(c, WAIT_MS))
			return false;
	memcpy(r->body, c->buffer + head_len, r->len);
	c->len -= head_len + r->len;
	memmove(c->buffer, c->buffer + head_len + r->len, c->len);
	return true;
}

void
http_get(uint16_t port, const char *path, const char *fields,
    struct response *r)
{
	struct client *c = client_new(port);

	client_send_text(c, "GET ");
	client_send_text(c, path);
	client_send_text(c, " HTTP/1.1\r\nHost: localhost\r\n");
	client_send_text(c, fields);
	client_send_text(c, "\r\n");
	if (!client_read(c, false, r))
		fail_msg("no answer to GET %s", path);
	client_free(c);
}

void
get_text(const char *path, char text[1024])
{
	snprintf(text, 1024, "GET %.900s HTTP/1.1\r\nHost: a\r\n\r\n", path);
}

void
http_get_serial(struct world *w, uint16_t port, const char *serial_hex,
    size_t nonce_len, struct response *r)
{
	char path[512];

	world_path(world_request(w, serial_hex, nonce_len), path,
	    sizeof(path));
	http_get(port, path, "", r);
}

void
http_refused(uint16_t port, const char *text, int status)
{
	struct client *c = client_new(port);
	struct response r;

	client_send_text(c, text);
	if (!client_read(c, false, &r))
		fail_msg("no answer to %.40s", text);
	if (r.status != status)
		fail_msg("%d to %.60s", r.status, text);
	assert_field(&r, "Connection", "close");
	assert_field(&r, "Cache-Control", "no-store");
	assert_true(client_is_closed(c, 5000));
	client_free(c);
}

void
http_post(uint16_t port, const char *fields, struct blob body,
    struct response *r)
{
	struct client *c = client_new(port);
	char head[1024];

	snprintf(head, sizeof(head), "POST / HTTP/1.1\r\nHost: localhost\r\n"
	    "%sContent-Length: %zu\r\n\r\n", fields, body.len);
	client_send_text(c, head);
	client_send(c, body.bytes, body.len);
	if (!client_read(c, false, r))
		fail_msg("no answer to POST");
	client_free(c);
}

void
assert_ocsp_error(const struct response *r, enum ocsp_response_status status)
{
	const uint8_t der[] = { 0x30, 0x03, 0x0a, 0x01, (uint8_t)status };

	assert_int_equal(r->status, 200);
	assert_field(r, "Content-Type", "application/ocsp-response");
	assert_field(r, "Cache-Control", "no-store");
	assert_field(r, "ETag", NULL);
	assert_field(r, "Expires", NULL);
	assert_int_equal(r->len, sizeof(der));
	assert_memory_equal(r->body, der, sizeof(der));
}

void
assert_body(const struct response *r, struct blob expected)
{
	assert_int_equal(r->status, 200);
	assert_field(r, "Content-Type", "application/ocsp-response");
	assert_int_equal(r->len, expected.len);
	assert_memory_equal(r->body, expected.bytes, expected.len);
}
