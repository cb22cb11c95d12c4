/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending.  Answers are made in the worker's output, which serves all its
 * connections by turns; only what a socket will not take now is copied to a
 * buffer of the connection's own.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "ocsp/worker_state.h"

/* How many octets of p went out; -1 if no more ever will. */
static ssize_t
send_some(const struct connection *c, const uint8_t *p, size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = send(c->fd, p + at, len - at, MSG_NOSIGNAL);
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

enum output_result
http_output_flush(struct connection *c)
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
