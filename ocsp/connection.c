/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: a state machine that http_connection_run() drives as far as
 * input, output and ocsign-status let it.  The handlers
 * (connection_request.c) say what they lack; only the driver reads, waits and
 * closes.  Requests are answered in their order; while one waits for
 * ocsign-status those behind it are not looked at.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/worker_state.h"

/* So many steps of one connection, then the others have their turn. */
#define STEPS_A_TURN 200
/* A piece of a file is as much work as so many: 256 KiB are a turn. */
#define STEPS_A_PIECE 50
/* How long the other end may take to read the last answer. */
#define LINGER_NS (2 * OC_NS_PER_S)

/*
 * Closing a socket with input unread makes it forget its output: then the
 * client would see a reset and not the answer (RFC 9112, 9.6).
 */
static enum want
on_closing(struct connection *c)
{
	if (c->out != NULL || c->worker->out_len > 0)
		return WANT_WRITE;
	if (!c->is_readable && c->at == c->end) {
		c->state = CONNECTION_CLOSED;
		return DONE;
	}
	shutdown(c->fd, SHUT_WR);
	c->state = CONNECTION_LINGER;
	return DONE;
}

static enum want
on_linger(struct connection *c)
{
	c->at = c->end = 0;
	return WANT_READ;
}

static void
rebase(struct der_bytes *view, const uint8_t *from, const uint8_t *to)
{
	if (view->len > 0)
		view->p = to + (view->p - from);
}

/* The unread input to the front of a buffer, and the views that are still
 * needed with it. */
static void
move_input(struct connection *c, uint8_t *to)
{
	const uint8_t *from = c->in + c->at;

	c->end -= c->at;
	c->at = 0;
	memmove(to, from, c->end);
	if (c->state != CONNECTION_HEAD && c->state != CONNECTION_FILE) {
		rebase(&c->request.if_none_match, from, to);
		rebase(&c->request.if_modified_since, from, to);
		rebase(&c->request.if_match, from, to);
		rebase(&c->request.if_unmodified_since, from, to);
		rebase(&c->request.range, from, to);
		rebase(&c->request.if_range, from, to);
	}
	c->in = to;
}

/* Something more of input; false if there is none now, or no more ever. */
static bool
fill(struct connection *c)
{
	size_t room;
	ssize_t n;

	if (c->in == NULL) {
		c->in = c->worker->scratch;
		c->at = c->end = 0;
	} else if (c->at > 0) {
		move_input(c, c->in);
	}
	room = WORKER_BUFFER_LEN - c->end;
	oc_assert(room > 0);
	do {
		n = recv(c->fd, c->in + c->end, room, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->end += (uint32_t)n;
		if (c->end > c->in_high)
			c->in_high = c->end;
		if ((size_t)n < room && !c->has_hung_up)
			c->is_readable = false;
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		c->is_readable = false;
	else
		c->state = CONNECTION_CLOSED;
	return false;
}

/*
 * The worker's scratch is for the next connection: what we still need of it
 * goes to a buffer of our own.  False if there is none.
 */
static bool
keep_input(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	uint8_t *buffer;

	if (c->in == NULL)
		return true;
	if (c->at == c->end && c->state != CONNECTION_STATUS &&
	    c->state != CONNECTION_ANSWER && c->state != CONNECTION_BODY) {
		if (c->in != w->scratch)
			http_buffer_release(w, c->in, c->in_high);
		c->in = NULL;
		c->at = c->end = c->in_high = 0;
		return true;
	}
	if (c->in != w->scratch)
		return true;
	buffer = http_buffer_acquire(w);
	if (buffer == NULL)
		return false;
	move_input(c, buffer);
	c->in_high = c->end;
	return true;
}

static enum worker_timer
timer_of(const struct connection *c)
{
	if (http_output_is_left(c))
		return TIMER_WRITE;
	switch (c->state) {
	case CONNECTION_HEAD:
		return c->in == NULL && c->timer != TIMER_HEADER ?
		    TIMER_IDLE : TIMER_HEADER;
	case CONNECTION_BODY:
	case CONNECTION_ANSWER:
		return TIMER_BODY;
	case CONNECTION_STATUS:
		return TIMER_NONE;
	case CONNECTION_FILE:
	case CONNECTION_CLOSING:
	case CONNECTION_LINGER:
	case CONNECTION_CLOSED:
		break;
	}
	return TIMER_LINGER;
}

static int64_t
period_of(const struct ocsp_worker *w, enum worker_timer timer)
{
	switch (timer) {
	case TIMER_IDLE:
		return w->options.idle_timeout_ns;
	case TIMER_HEADER:
		return w->options.header_timeout_ns;
	case TIMER_BODY:
		return w->options.body_timeout_ns;
	case TIMER_WRITE:
		return w->options.write_timeout_ns;
	case TIMER_LINGER:
		return LINGER_NS;
	case TIMER_NONE:
	case TIMER_MAX:
		break;
	}
	return 0;
}

/* A deadline stays what it was while the connection waits for the same
 * thing: octets that dribble in do not move it. */
static void
set_timer(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	enum worker_timer timer;

	if (c->has_finished && c->timer == TIMER_HEADER)
		c->timer = TIMER_MAX;
	timer = timer_of(c);
	if (timer == c->timer && !c->has_finished)
		return;
	c->has_finished = false;
	TAILQ_REMOVE(&w->timers[c->list], c, link);
	c->timer = c->list = timer;
	c->deadline_ns = w->now_ns + period_of(w, timer);
	TAILQ_INSERT_TAIL(&w->timers[timer], c, link);
}

void
http_connection_close(struct connection *c)
{
	struct ocsp_worker *w = c->worker;

	c->state = CONNECTION_CLOSED;
	http_miss_cancel(c);
	event_del(&c->read_event);
	if (c->is_writing)
		event_del(&c->write_event);
	close(c->fd);
	ocsp_sources_leave(w->sources, c->source);
	if (c->in != NULL && c->in != w->scratch)
		http_buffer_release(w, c->in, c->in_high);
	http_output_release(c);
	http_body_release(c);
	c->in = NULL;
	TAILQ_REMOVE(&w->timers[c->list], c, link);
	http_worker_forget(w, c);
}

/* Nothing to be done now: waits for what the handler said. */
static void
park(struct connection *c)
{
	bool is_left = http_output_is_left(c);

	if (!keep_input(c) || (is_left && !c->is_writing &&
	    event_add(&c->write_event, NULL) != 0)) {
		http_connection_close(c);
		return;
	}
	if (is_left) {
		c->is_writing = true;
	} else if (c->is_writing) {
		event_del(&c->write_event);
		c->is_writing = false;
	}
	if (http_worker_is_ending(c->worker) &&
	    c->state == CONNECTION_HEAD && c->in == NULL && !is_left)
		http_connection_close(c);
	else
		set_timer(c);
}

static enum want
step(struct connection *c)
{
	switch (c->state) {
	case CONNECTION_HEAD:
		return http_exchange_on_head(c);
	case CONNECTION_BODY:
		return http_exchange_on_body(c);
	case CONNECTION_ANSWER:
		return http_exchange_on_answer(c);
	case CONNECTION_STATUS:
		return http_exchange_on_status(c);
	case CONNECTION_FILE:
		return http_exchange_on_file(c);
	case CONNECTION_CLOSING:
		return on_closing(c);
	case CONNECTION_LINGER:
		return on_linger(c);
	case CONNECTION_CLOSED:
		break;
	}
	return DONE;
}

/* Sends, reads, or finds that it must wait: false. */
static bool
satisfy(struct connection *c, enum want want)
{
	switch (http_output_flush(c)) {
	case OUTPUT_SENT:
		break;
	case OUTPUT_BLOCKED:
		return false;
	case OUTPUT_BROKEN:
		c->state = CONNECTION_CLOSED;
		return true;
	}
	switch (want) {
	case DONE:
	case WANT_WRITE:
		return true;
	case WANT_READ:
		return c->is_readable && (fill(c) ||
		    c->state == CONNECTION_CLOSED);
	case WANT_STATUS:
		break;
	}
	return false;
}

static void
run(struct connection *c)
{
	unsigned int num_steps;
	enum want want;

	/* What ocsign-status answered may be what blocks: then nobody waits
	 * for the socket yet. */
	if (http_output_is_left(c) && !satisfy(c, WANT_WRITE)) {
		park(c);
		return;
	}
	for (num_steps = 0; num_steps < STEPS_A_TURN;
	    num_steps += c->body != NULL ? STEPS_A_PIECE : 1) {
		want = step(c);
		if (c->state == CONNECTION_CLOSED) {
			c->worker->out_len = 0;
			http_connection_close(c);
			return;
		}
		if (want != DONE && !satisfy(c, want)) {
			park(c);
			return;
		}
	}
	/* Blocked: then the socket will say when to go on. */
	if (satisfy(c, WANT_WRITE))
		event_active(&c->read_event, EV_READ, 0);
	park(c);
}

/* One in many hits is timed, and the clock read for those alone: not each
 * request has 20 ns to spare. */
void
http_connection_run(struct connection *c)
{
	struct ocsp_worker *w = c->worker;
	uint64_t sample = w->counts->hits / OCSP_HITS_A_SAMPLE;

	run(c);
	if (w->counts->hits / OCSP_HITS_A_SAMPLE != sample)
		ocsp_latency_add(&w->counts->hit_latency,
		    oc_clock_mono_ns() - w->now_ns);
}

void
http_connection_wake(struct connection *c)
{
	if (http_output_flush(c) == OUTPUT_BROKEN)
		c->state = CONNECTION_CLOSED;
	event_active(&c->read_event, EV_TIMEOUT, 0);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (what & (EV_READ | EV_CLOSED))
		c->is_readable = true;
	if (what & EV_CLOSED)
		c->has_hung_up = true;
	http_worker_now(c->worker);
	http_connection_run(c);
}

void
http_connection_start(struct ocsp_worker *w, int fd,
    struct ocsp_source *source)
{
	struct connection *c = TAILQ_FIRST(&w->free_connections);

	if (c != NULL)
		TAILQ_REMOVE(&w->free_connections, c, link);
	else
		c = &w->connections[w->num_connections_used++];
	memset(c, 0, sizeof(*c));
	c->worker = w;
	c->source = source;
	c->fd = fd;
	c->state = CONNECTION_HEAD;
	c->timer = c->list = TIMER_HEADER;
	c->deadline_ns = w->now_ns + w->options.header_timeout_ns;
	TAILQ_INSERT_TAIL(&w->timers[TIMER_HEADER], c, link);
	w->num_connections++;
	w->counts->connections++;
	event_assign(&c->read_event, w->base, fd,
	    EV_READ | EV_CLOSED | EV_PERSIST | EV_ET, on_event, c);
	event_assign(&c->write_event, w->base, fd,
	    EV_WRITE | EV_PERSIST | EV_ET, on_event, c);
	if (event_add(&c->read_event, NULL) != 0) {
		http_connection_close(c);
		return;
	}
	/* With TCP_DEFER_ACCEPT the request is there already. */
	c->is_readable = true;
	http_connection_run(c);
}
