/* SPDX-License-Identifier: Apache-2.0 */
/* The socket: opened, written and read before one deadline. */
#include "probe/client.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

/* Several replies may have come at once. */
#define IN_MAX (4 * (PROBE_HEAD_MAX + PROBE_BODY_MAX))

/* Until poll() has events, or false with ETIMEDOUT. */
static bool
wait_for(int fd, short events, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	while (oc_clock_mono_ns() < deadline_ns) {
		int rc = poll(&pfd, 1, oc_clock_poll_ms(deadline_ns));

		if (rc > 0)
			return true;
		if (rc < 0 && errno != EINTR)
			return false;
	}
	errno = ETIMEDOUT;
	return false;
}

static enum oc_err
lost(const char *what, struct oc_error *error)
{
	return oc_error_set_errno(error, errno == ETIMEDOUT ?
	    OC_ERR_TIMEOUT : OC_ERR_DOWN, "%s", what);
}

enum oc_err
probe_open(struct probe_peer *peer, struct probe_connection *c,
    struct oc_error *error)
{
	const struct sockaddr *address = (const void *)&peer->address;
	socklen_t len = sizeof(int);
	int so_error = 0;

	*c = (struct probe_connection){ .deadline_ns = oc_clock_mono_ns() +
	    peer->timeout_ns };
	oc_buffer_init(&c->in, IN_MAX);
	if (peer->first_fd >= 0) {
		c->fd = peer->first_fd;
		peer->first_fd = -1;
		return OC_OK;
	}
	c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "socket");
	if (connect(c->fd, address, peer->address_len) == 0)
		return OC_OK;
	if (errno != EINPROGRESS || !wait_for(c->fd, POLLOUT, c->deadline_ns))
		return lost("no connection", error);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &so_error, &len) != 0)
		return lost("no connection", error);
	errno = so_error;
	return so_error == 0 ? OC_OK : lost("no connection", error);
}

void
probe_close(struct probe_connection *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	oc_buffer_fini(&c->in);
}

void
probe_reset(struct probe_connection *c)
{
	struct linger linger = { .l_onoff = 1 };

	if (c->fd >= 0)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger,
		    sizeof(linger));
	probe_close(c);
}

enum oc_err
probe_send(struct probe_connection *c, struct der_bytes octets,
    struct oc_error *error)
{
	size_t sent = 0;

	while (sent < octets.len) {
		ssize_t n = send(c->fd, octets.p + sent, octets.len - sent,
		    MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN) {
			if (!wait_for(c->fd, POLLOUT, c->deadline_ns))
				return lost("sending", error);
		} else if (errno != EINTR)
			return lost("sending", error);
	}
	return OC_OK;
}

void
probe_send_end(struct probe_connection *c)
{
	(void)shutdown(c->fd, SHUT_WR);
}

bool
probe_wait(struct probe_connection *c, int64_t until_ns)
{
	return c->in.len > c->at || c->has_ended ||
	    wait_for(c->fd, POLLIN, until_ns < c->deadline_ns ? until_ns :
	    c->deadline_ns);
}

/* Some more octets, or the end. */
static enum oc_err
more(struct probe_connection *c, struct oc_error *error)
{
	uint8_t octets[4096];
	ssize_t n;

	for (;;) {
		n = recv(c->fd, octets, sizeof(octets), 0);
		if (n > 0) {
			oc_buffer_put(&c->in, octets, (size_t)n);
			if (c->in.err == OC_OK)
				return OC_OK;
			return oc_error_set(error, c->in.err, "the reply is "
			    "too long");
		}
		if (n == 0) {
			c->has_ended = true;
			return OC_OK;
		}
		if (errno == EAGAIN && !wait_for(c->fd, POLLIN,
		    c->deadline_ns))
			return lost("reading", error);
		if (errno != EAGAIN && errno != EINTR)
			return lost("reading", error);
	}
}

/* --- one reply -------------------------------------------------------- */

static struct der_bytes
rest_of(const struct probe_connection *c)
{
	/* An empty buffer's octets are NULL. */
	return (struct der_bytes){ c->in.len == 0 ? c->in.bytes :
	    c->in.bytes + c->at, c->in.len - c->at };
}

/* Forgets what was read, so that a kept connection needs no more room. */
static void
forget(struct probe_connection *c)
{
	struct oc_buffer rest;

	if (c->at == 0)
		return;
	oc_buffer_init(&rest, IN_MAX);
	oc_buffer_put(&rest, c->in.bytes + c->at, c->in.len - c->at);
	oc_buffer_fini(&c->in);
	c->in = rest;
	c->at = 0;
}

static enum oc_err
cut(const struct probe_connection *c, struct oc_error *error)
{
	if (rest_of(c).len == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND, "it closed "
		    "without a reply");
	return oc_error_set(error, OC_ERR_DOWN, "it closed inside its reply");
}

/* Up to the empty line; *len with it. */
static enum oc_err
read_head(struct probe_connection *c, size_t *len, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK) {
		struct der_bytes rest = rest_of(c);
		const uint8_t *end = rest.len == 0 ? NULL :
		    memmem(rest.p, rest.len, "\r\n\r\n", 4);

		if (end != NULL && end - rest.p <= PROBE_HEAD_MAX) {
			*len = (size_t)(end - rest.p) + 4;
			return OC_OK;
		}
		/* What is no HTTP need not be waited for. */
		if (rest.len >= 7 && memcmp(rest.p, "HTTP/1.", 7) != 0)
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "the reply is not HTTP/1.x");
		if (rest.len > PROBE_HEAD_MAX)
			return oc_error_set(error, OC_ERR_LIMIT, "the "
			    "reply's header has no end");
		if (c->has_ended)
			return cut(c, error);
		err = more(c, error);
	}
	return err;
}

/* len octets of the rest. */
static enum oc_err
read_octets(struct probe_connection *c, size_t len, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK && rest_of(c).len < len) {
		if (c->has_ended)
			return oc_error_set(error, OC_ERR_DOWN,
			    "the body is shorter than it says");
		err = more(c, error);
	}
	return err;
}

/* At most ten digits, which a size_t need not hold. */
static bool
parse_number(struct der_bytes text, unsigned int base, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = oc_hex_value(text.p[i]);

		if (digit < 0 || digit >= (int)base || i == 10)
			return false;
		*value = *value * base + (unsigned int)digit;
	}
	return text.len > 0;
}

static enum oc_err
bad_chunks(struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "the body's chunks are "
	    "malformed");
}

/* A line, up to its CR LF; *line without. */
static enum oc_err
read_line(struct probe_connection *c, size_t at, struct der_bytes *line,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK) {
		struct der_bytes rest = rest_of(c);
		const uint8_t *end = rest.len <= at ? NULL :
		    memmem(rest.p + at, rest.len - at, "\r\n", 2);

		if (end != NULL) {
			*line = (struct der_bytes){ rest.p + at,
			    (size_t)(end - rest.p) - at };
			return OC_OK;
		}
		if (rest.len > at + PROBE_HEAD_MAX)
			return bad_chunks(error);
		if (c->has_ended)
			return oc_error_set(error, OC_ERR_DOWN,
			    "it closed inside the body");
		err = more(c, error);
	}
	return err;
}

/* chunk-size [ chunk-ext ]: RFC 9112, 7.1.1 has whoever reads ignore what it
 * does not know. */
static bool
parse_chunk_size(struct der_bytes line, uint64_t *size)
{
	const uint8_t *semicolon = line.len == 0 ? NULL :
	    memchr(line.p, ';', line.len);

	if (semicolon != NULL)
		line.len = (size_t)(semicolon - line.p);
	while (semicolon != NULL && line.len > 0 &&
	    (line.p[line.len - 1] == ' ' || line.p[line.len - 1] == '\t'))
		line.len--;
	return parse_number(line, 16, size);
}

/* RFC 9112, 7.1.  The data moves to where the body begins; *used is where the
 * next reply does. */
static enum oc_err
read_chunks(struct probe_connection *c, size_t body, size_t *body_len,
    size_t *used, struct oc_error *error)
{
	struct der_bytes line;
	size_t at = body, len = 0, size;
	uint64_t announced;
	enum oc_err err;

	for (;;) {
		err = read_line(c, at, &line, error);
		if (err != OC_OK)
			return err;
		if (!parse_chunk_size(line, &announced))
			return bad_chunks(error);
		at += line.len + 2;
		if (announced > PROBE_BODY_MAX - len)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "the body is too long");
		size = (size_t)announced;
		if (size == 0)
			break;
		err = read_octets(c, at + size + 2, error);
		if (err != OC_OK)
			return err;
		memmove(c->in.bytes + c->at + body + len,
		    c->in.bytes + c->at + at, size);
		len += size;
		at += size;
		if (memcmp(c->in.bytes + c->at + at, "\r\n", 2) != 0)
			return bad_chunks(error);
		at += 2;
	}
	do {				/* trailers */
		err = read_line(c, at, &line, error);
		if (err != OC_OK)
			return err;
		at += line.len + 2;
		if (at > body + PROBE_BODY_MAX + PROBE_HEAD_MAX)
			return bad_chunks(error);
	} while (line.len > 0);
	*body_len = len;
	*used = at;
	return OC_OK;
}

static enum oc_err
read_until_end(struct probe_connection *c, size_t head_len,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK && !c->has_ended) {
		if (rest_of(c).len > head_len + PROBE_BODY_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "the body is too long");
		err = more(c, error);
	}
	return err;
}

/* Which body there is, RFC 9112 6.3. */
static enum oc_err
read_body(struct probe_connection *c, size_t head_len,
    struct probe_reply *reply, size_t *body_len, size_t *used,
    struct oc_error *error)
{
	struct der_bytes value;
	uint64_t announced;
	enum oc_err err;

	if (probe_num_fields(reply, "Transfer-Encoding") > 0) {
		if (probe_num_fields(reply, "Content-Length") > 0 ||
		    !probe_field(reply, "Transfer-Encoding", &value) ||
		    value.len != 7 || !probe_list_has(value, "chunked", NULL))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "a Transfer-Encoding that is not chunked, or a "
			    "Content-Length beside it");
		return read_chunks(c, head_len, body_len, used, error);
	}
	if (probe_num_fields(reply, "Content-Length") > 0) {
		if (!probe_field(reply, "Content-Length", &value) ||
		    !parse_number(value, 10, &announced))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "a Content-Length that is none, or several");
		if (announced > PROBE_BODY_MAX)
			return oc_error_set(error, OC_ERR_LIMIT,
			    "the body is too long");
		*body_len = (size_t)announced;
		*used = head_len + *body_len;
		return read_octets(c, *used, error);
	}
	reply->is_kept = false;
	err = read_until_end(c, head_len, error);
	if (err == OC_OK) {
		*used = rest_of(c).len;
		*body_len = *used - head_len;
	}
	return err;
}

/* HTTP-version SP status-code SP reason; some leave the last blank out. */
static bool
parse_status(struct der_bytes line, struct probe_reply *reply)
{
	const uint8_t *p = line.p;

	if (line.len < 12 || memcmp(p, "HTTP/1.", 7) != 0 ||
	    (p[7] != '0' && p[7] != '1') || p[8] != ' ' ||
	    p[9] < '1' || p[9] > '5' || p[10] < '0' || p[10] > '9' ||
	    p[11] < '0' || p[11] > '9' || (line.len > 12 && p[12] != ' '))
		return false;
	reply->is_http10 = p[7] == '0';
	reply->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + p[11] - '0';
	return true;
}

static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* field-name ":" value CRLF, nothing folded, no other controls. */
static bool
fields_are_valid(struct der_bytes head)
{
	size_t i = 0, begin;

	while (i < head.len) {
		for (begin = i; i < head.len && is_token(head.p[i]); i++)
			;
		if (i == begin || i == head.len || head.p[i] != ':')
			return false;
		while (i < head.len && (head.p[i] >= 0x20 ||
		    head.p[i] == '\t') && head.p[i] != 0x7f)
			i++;
		if (head.len - i < 2 || head.p[i] != '\r' ||
		    head.p[i + 1] != '\n')
			return false;
		i += 2;
	}
	return true;
}

static enum oc_err
parse_head(struct der_bytes octets, struct probe_reply *reply,
    struct oc_error *error)
{
	const uint8_t *end = memmem(octets.p, octets.len, "\r\n", 2);
	size_t len = (size_t)(end - octets.p);

	if (!parse_status((struct der_bytes){ octets.p, len }, reply))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the reply's first line is no status line");
	reply->head = (struct der_bytes){ end + 2, octets.len - len - 4 };
	if (!fields_are_valid(reply->head))
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "a line of the reply's header is malformed");
	reply->is_kept = !reply->is_http10;
	if (probe_fields_have(reply, "Connection", "close", NULL))
		reply->is_kept = false;
	else if (probe_fields_have(reply, "Connection", "keep-alive", NULL))
		reply->is_kept = true;
	return OC_OK;
}

enum oc_err
probe_read(struct probe_connection *c, enum probe_method method,
    struct probe_reply *reply, struct oc_error *error)
{
	struct probe_reply r = { 0 };
	size_t head_len = 0, body_len = 0, used;
	enum oc_err err;

	forget(c);
	err = read_head(c, &head_len, error);
	if (err != OC_OK)
		return err;
	err = parse_head((struct der_bytes){ c->in.bytes, head_len }, &r,
	    error);
	if (err != OC_OK)
		return err;
	used = head_len;
	if (method != PROBE_METHOD_HEAD && r.status >= 200 &&
	    r.status != 204 && r.status != 304)
		err = read_body(c, head_len, &r, &body_len, &used, error);
	if (err != OC_OK)
		return err;
	/* The input may have moved meanwhile. */
	r.head.p = (const uint8_t *)memmem(c->in.bytes, head_len, "\r\n", 2) +
	    2;
	r.body = (struct der_bytes){ c->in.bytes + head_len, body_len };
	c->at = used;
	*reply = r;
	return OC_OK;
}

enum oc_err
probe_read_end(struct probe_connection *c, size_t *len,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK && !c->has_ended)
		err = more(c, error);
	/* A reset is an end, too. */
	if (err == OC_ERR_DOWN)
		err = OC_OK;
	*len = rest_of(c).len;
	return err;
}
