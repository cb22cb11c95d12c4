/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending.  Answers are made in the worker's output, which serves all its
 * connections by turns; only what a socket will not take now is copied to a
 * buffer of the connection's own.  Files go out by sendfile(), so that one of
 * 40 MB needs no memory, and one that is cut short ends its connection.
 */
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "ocsp/worker_state.h"

#define FILE_PIECE_MAX (64 * 1024)
/* Who takes less in write_timeout_ns is no client on a slow line: 2 KiB a
 * second. */
#define FILE_TAKEN_MIN (64 * 1024)

/* How many octets of p went out; -1 if no more ever will. */
static ssize_t
send_some(const struct connection *c, const uint8_t *p, size_t len)
{
	int flags = MSG_NOSIGNAL | (c->body != NULL ? MSG_MORE : 0);
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = send(c->fd, p + at, len - at, flags);
		if (n >= 0)
			at += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)at;
}

void
http_output_release(struct connection *c)
{
	if (c->out == NULL)
		return;
	http_buffer_release(c->worker, c->out, c->out_end);
	c->out = NULL;
	c->out_at = c->out_end = 0;
}

static enum output_result
flush_own(struct connection *c)
{
	ssize_t n = send_some(c, c->out + c->out_at, c->out_end - c->out_at);

	if (n < 0)
		return OUTPUT_BROKEN;
	c->out_at += (uint32_t)n;
	if (c->out_at < c->out_end)
		return OUTPUT_BLOCKED;
	http_output_release(c);
	return OUTPUT_SENT;
}

/* Keeps what is in the worker's output from at on, behind what is kept
 * already. */
static enum output_result
keep(struct connection *c, uint32_t at)
{
	struct ocsp_worker *w = c->worker;
	uint32_t len = w->out_len - at;

	w->out_len = 0;
	if (c->out == NULL) {
		c->out = http_buffer_acquire(w);
		if (c->out == NULL)
			return OUTPUT_BROKEN;
		c->out_at = c->out_end = 0;
	}
	if (len > WORKER_BUFFER_LEN - c->out_end)
		return OUTPUT_BROKEN;
	memcpy(c->out + c->out_end, w->out + at, len);
	c->out_end += len;
	return OUTPUT_BLOCKED;
}

bool
http_output_is_left(const struct connection *c)
{
	return c->out != NULL || c->body != NULL;
}

void
http_body_release(struct connection *c)
{
	if (c->body == NULL)
		return;
	c->body_counts->cut += c->body_at < c->body_end;
	http_served_release(c->body);
	c->body = NULL;
}

bool
http_body_goes_on(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	int64_t taken;
	int unsent;

	if (c->body == NULL || ioctl(c->fd, SIOCOUTQ, &unsent) != 0)
		return false;
	taken = (int64_t)c->body_at - unsent;
	if (taken < c->body_taken + FILE_TAKEN_MIN)
		return false;
	c->body_taken = taken;
	c->deadline_ns = w->now_ns + w->options.write_timeout_ns;
	TAILQ_REMOVE(&w->timers[c->list], c, link);
	TAILQ_INSERT_TAIL(&w->timers[c->list], c, link);
	return true;
}

/* The next piece.  SENT, though there is more: the socket may take that. */
static enum output_result
flush_body(struct connection *c)
{
	const struct ocsp_served *served = &c->body->served;
	uint64_t len = c->body_end - c->body_at;
	off_t at = served->at + (off_t)c->body_at;
	ssize_t n;

	if (len > FILE_PIECE_MAX)
		len = FILE_PIECE_MAX;
	do {
		n = sendfile(c->fd, served->fd, &at, (size_t)len);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return OUTPUT_BLOCKED;
	if (n <= 0)
		return OUTPUT_BROKEN;
	c->body_at += (uint64_t)n;
	if (c->body_at == c->body_end)
		http_body_release(c);
	return OUTPUT_SENT;
}

/* What is no file. */
static enum output_result
flush_answers(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	enum output_result result = OUTPUT_SENT;
	ssize_t n;

	if (c->out != NULL)
		result = flush_own(c);
	if (result == OUTPUT_BROKEN) {
		w->out_len = 0;
		return result;
	}
	if (w->out_len == 0)
		return result;
	if (result == OUTPUT_BLOCKED)
		return keep(c, 0);
	n = send_some(c, w->out, w->out_len);
	if (n < 0) {
		w->out_len = 0;
		return OUTPUT_BROKEN;
	}
	if ((uint32_t)n < w->out_len)
		return keep(c, (uint32_t)n);
	w->out_len = 0;
	return OUTPUT_SENT;
}

enum output_result
http_output_flush(struct connection *c)
{
	enum output_result result = flush_answers(c);

	return result == OUTPUT_SENT && c->body != NULL ? flush_body(c) :
	    result;
}
