/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection: handshake, head, body, the handler's turn, the answer, and
 * again.  One timer; what it means is the state's.
 *
 * An exchange owns its request from the moment it is whole, so that it
 * outlives a client that hangs up.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/server_impl.h"

/* How long, and NET_LINGER_MAX, how much of, what nobody reads is thrown away,
 * so that a client that still sends gets to read why it should not. */
#define LINGER_NS (2 * OC_NS_PER_S)

/* Of a head that is refused unread: enough for the paths that we have. */
#define START_MAX 512

struct net_exchange {
	struct net_connection *connection;	/* NULL: hung up */
	struct net_request request;
	char *head;
	struct oc_buffer body;
	int64_t since_ns;
	char peer[INET6_ADDRSTRLEN];
};

static void
arm(struct net_connection *c, int64_t until_ns)
{
	int64_t left_ns = until_ns - oc_clock_mono_ns();
	struct timeval tv;

	c->timer_until_ns = until_ns;
	if (left_ns < 0)
		left_ns = 0;
	tv.tv_sec = left_ns / OC_NS_PER_S;
	tv.tv_usec = left_ns % OC_NS_PER_S / 1000;
	(void)event_add(c->timer, &tv);
}

/* What was in it may have been secret. */
static void
forget_request(char **head, struct oc_buffer *body)
{
	if (*head != NULL)
		explicit_bzero(*head, strlen(*head));
	free(*head);
	*head = NULL;
	if (body->bytes != NULL)
		explicit_bzero(body->bytes, body->len);
	oc_buffer_fini(body);
}

static void
exchange_free(struct net_exchange *x)
{
	forget_request(&x->head, &x->body);
	free(x);
}

void
net_connection_close(struct net_connection *c)
{
	struct net_server *s = c->server;

	if (c->state == NET_HANDSHAKE)
		s->counts.num_handshakes--;
	s->counts.num_open--;
	TAILQ_REMOVE(&s->connections, c, link);
	if (c->exchange != NULL)
		c->exchange->connection = NULL;
	forget_request(&c->head, &c->body);
	if (c->timer != NULL)
		event_free(c->timer);
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	free(c);
}

/* --- answers ------------------------------------------------------------ */

static void
count_answer(const struct net_connection *c, int status)
{
	if (c->server->options.answers != NULL)
		net_counts_note(c->server->options.answers, status);
}

static void
log_access(const char *peer, const struct net_request *request, int status,
    size_t len, int64_t since_ns)
{
	oc_log(OC_LOG_INFO, "%s \"%s %s\" %d %zu %lldus", peer,
	    request->method_name == NULL ? "" : request->method_name,
	    request->path == NULL ? "" : request->path, status, len,
	    (long long)((oc_clock_mono_ns() - since_ns) / 1000));
}

static void
put_head(const struct net_connection *c, struct evbuffer *out, int status,
    const char *type, const char *fields, size_t len)
{
	time_t now = (time_t)oc_clock_now_s();
	char date[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status,
	    net_status_text(status), date);
	if (type != NULL)
		evbuffer_add_printf(out, "Content-Type: %s\r\n"
		    "X-Content-Type-Options: nosniff\r\n", type);
	evbuffer_add_printf(out, "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n%s%s\r\n", len,
	    fields == NULL ? "" : fields,
	    c->is_closing ? "Connection: close\r\n" :
	    c->request.is_http10 ? "Connection: keep-alive\r\n" : "");
}

/* At once if the socket takes it, which it does: libevent would add the socket
 * to what epoll waits for and take it out again.  What is left is libevent's,
 * an error too; on_write() follows in any case. */
static void
push(struct net_connection *c, struct evbuffer *out)
{
	if (c->server->options.tls == NULL &&
	    evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		(void)evbuffer_write(out, bufferevent_getfd(c->bev));
	if (evbuffer_get_length(out) > 0)
		(void)bufferevent_write_buffer(c->bev, out);
	else
		bufferevent_trigger(c->bev, EV_WRITE,
		    BEV_TRIG_DEFER_CALLBACKS);
}

static void
send_answer(struct net_connection *c, int status, const char *type,
    const char *fields, const void *body, size_t len)
{
	struct evbuffer *out = evbuffer_new();

	/* Without memory: no answer, and the write timeout ends it. */
	if (out != NULL) {
		put_head(c, out, status, type, fields, len);
		if (c->request.method != NET_HEAD)
			evbuffer_add(out, body, len);
		push(c, out);
		evbuffer_free(out);
	}
	c->state = NET_WRITES;
	arm(c, oc_clock_mono_ns() + c->server->options.write_timeout_ns);
}

/* What there is of a head: whose path it is decides how it is refused. */
static void
read_begun(struct net_connection *c, char *start, size_t start_max)
{
	ev_ssize_t len = evbuffer_copyout(bufferevent_get_input(c->bev),
	    start, start_max - 1);

	start[len < 0 ? 0 : len] = '\0';
	net_head_begun(start, &c->request);
}

/* The server's own word: then the connection ends. */
static void
refuse(struct net_connection *c, int status)
{
	const struct net_server_options *o = &c->server->options;
	const char *type = "text/plain";
	char *body = NULL, start[START_MAX];
	size_t len;

	if (c->request.path == NULL)
		read_begun(c, start, sizeof(start));
	o->refuse(o->arg, c->request.path, status, &body, &type);
	len = body == NULL ? 0 : strlen(body);
	c->is_closing = true;
	send_answer(c, status, type, NULL, body, len);
	log_access(c->peer, &c->request, status, len, c->begun_ns);
	count_answer(c, status);
	free(body);
	explicit_bzero(start, sizeof(start));
	forget_request(&c->head, &c->body);
	c->request = (struct net_request){ .path = NULL };
}

void
net_reply(struct net_exchange *x, int status, const char *type,
    const char *fields, const void *body, size_t body_len)
{
	struct net_connection *c = x->connection;

	log_access(x->peer, &x->request, status, body_len, x->since_ns);
	if (c != NULL) {
		count_answer(c, status);
		c->exchange = NULL;
		c->is_closing |= !x->request.keep_alive ||
		    c->server->is_draining;
		send_answer(c, status, type, fields, body, body_len);
	}
	exchange_free(x);
}

const struct net_request *
net_exchange_request(const struct net_exchange *exchange)
{
	return &exchange->request;
}

int64_t
net_exchange_since_ns(const struct net_exchange *exchange)
{
	return exchange->since_ns;
}

/* --- a request ---------------------------------------------------------- */

static void
dispatch(struct net_connection *c)
{
	const struct net_server_options *o = &c->server->options;
	struct net_exchange *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		net_connection_close(c);
		return;
	}
	event_del(c->timer);
	c->state = NET_HANDLED;
	c->server->counts.requests++;
	c->exchange = x;
	x->connection = c;
	x->since_ns = oc_clock_mono_ns();
	x->request = c->request;
	x->head = c->head;
	x->body = c->body;
	c->head = NULL;
	memset(&c->body, 0, sizeof(c->body));
	memcpy(x->peer, c->peer, sizeof(x->peer));
	x->request.body = (const uint8_t *)oc_buffer_text(&x->body);
	x->request.body_len = x->body.len;
	x->request.peer = x->peer;
	o->handler(o->arg, x);
}

/* 0 or the status to refuse it with. */
static int
begin_body(struct net_connection *c)
{
	const struct net_server_options *o = &c->server->options;
	struct evbuffer *in = bufferevent_get_input(c->bev);

	if (c->request.framing == NET_LENGTH &&
	    c->request.content_length > o->body_max)
		return 413;
	oc_buffer_init(&c->body, o->body_max);
	memset(&c->chunks, 0, sizeof(c->chunks));
	if (c->request.expects_continue && !c->request.is_http10 &&
	    c->request.framing != NET_NO_BODY &&
	    evbuffer_get_length(in) == 0)
		evbuffer_add_printf(bufferevent_get_output(c->bev),
		    "HTTP/1.1 100 Continue\r\n\r\n");
	c->state = NET_BODY_COMES;
	arm(c, c->request_until_ns);
	return 0;
}

/* False: more is needed, or it was refused. */
static bool
take_head(struct net_connection *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len = evbuffer_get_length(in), head_len;
	const uint8_t *p;
	int status;

	if (len > NET_HEAD_MAX)
		len = NET_HEAD_MAX;
	p = evbuffer_pullup(in, (ev_ssize_t)len);
	head_len = p == NULL ? 0 : net_head_len(p, len);
	if (head_len == 0) {
		if (len == NET_HEAD_MAX)
			refuse(c, 431);
		return false;
	}
	c->head = malloc(head_len + 1);
	if (c->head == NULL) {
		refuse(c, 503);
		return false;
	}
	(void)evbuffer_remove(in, c->head, head_len);
	c->head[head_len] = '\0';
	status = net_head_parse(c->head, head_len, &c->request);
	if (status == 0)
		status = begin_body(c);
	if (status != 0)
		refuse(c, status);
	return status == 0;
}

static void
begin_request(struct net_connection *c)
{
	const struct net_server_options *o = &c->server->options;

	c->begun_ns = oc_clock_mono_ns();
	if (c->head_until_ns == 0)
		c->head_until_ns = c->begun_ns + o->header_timeout_ns;
	c->request_until_ns = c->begun_ns + o->request_timeout_ns;
	c->state = NET_HEAD_COMES;
	arm(c, c->head_until_ns);
}

/* False: it may be gone. */
static bool
take_body(struct net_connection *c)
{
	int rc = net_body_take(c);

	if (rc < 0)
		refuse(c, -rc);
	if (rc <= 0)
		return true;
	dispatch(c);
	return false;
}

static void
run(struct net_connection *c)
{
	if (c->state == NET_IDLE &&
	    evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
		begin_request(c);
	if (c->state == NET_HEAD_COMES)
		(void)take_head(c);
	if (c->state == NET_BODY_COMES && !take_body(c))
		return;
	if (c->has_ended && c->state != NET_WRITES)
		net_connection_close(c);
}

static void
next_request(struct net_connection *c)
{
	c->state = NET_IDLE;
	c->head_until_ns = 0;
	c->request = (struct net_request){ .path = NULL };
	arm(c, oc_clock_mono_ns() + c->server->options.idle_timeout_ns);
	run(c);
}

/* --- the end ------------------------------------------------------------ */

static void
linger(struct net_connection *c)
{
	const struct net_tls *tls = c->server->options.tls;

	if (tls != NULL)
		tls->end(c->bev);
	if (shutdown(bufferevent_getfd(c->bev), SHUT_WR) != 0) {
		net_connection_close(c);
		return;
	}
	c->state = NET_LINGERS;
	arm(c, oc_clock_mono_ns() + LINGER_NS);
}

static void
throw_away(struct net_connection *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t len = evbuffer_get_length(in);

	(void)evbuffer_drain(in, len);
	c->num_lingered += len;
	if (c->num_lingered > NET_LINGER_MAX)
		net_connection_close(c);
}

/*
 * Who was let in a moment ago, by us and not by our successor, is about to
 * ask: it has a second for that.  Who has been answered before knows that an
 * idle connection may end.
 */
void
net_connection_drain(struct net_connection *c)
{
	bool is_first = c->head_until_ns != 0;

	if (c->state != NET_IDLE && c->state != NET_HANDSHAKE)
		return;
	if (is_first)
		arm(c, oc_clock_mono_ns() + OC_NS_PER_S);
	else
		net_connection_close(c);
}

/* --- events ------------------------------------------------------------- */

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct net_connection *c = arg;
	size_t len = evbuffer_get_length(bufferevent_get_input(bev));

	switch (c->state) {
	case NET_HANDSHAKE:
		break;
	case NET_IDLE:
	case NET_HEAD_COMES:
	case NET_BODY_COMES:
		run(c);
		break;
	case NET_HANDLED:
	case NET_WRITES:
		/* The next request may wait here, not more; behind a refusal
		 * nothing is a request. */
		if (c->is_closing && c->state == NET_WRITES)
			throw_away(c);
		else if (len > NET_HEAD_MAX + c->server->options.body_max)
			net_connection_close(c);
		break;
	case NET_LINGERS:
		throw_away(c);
		break;
	}
}

/* The answer has gone out. */
static void
on_write(struct bufferevent *bev, void *arg)
{
	struct net_connection *c = arg;
	bool is_idle = evbuffer_get_length(bufferevent_get_input(bev)) == 0;

	if (c->state != NET_WRITES ||
	    evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	if (c->is_closing || (c->server->is_draining && is_idle))
		linger(c);
	else
		next_request(c);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct net_connection *c = arg;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		c->server->counts.num_handshakes--;
		c->state = NET_IDLE;
		return;
	}
	/* Who has said all it will say may still wait for the answer, and for
	 * those to the requests behind it. */
	if ((what & BEV_EVENT_EOF) != 0 &&
	    (c->state == NET_HANDLED || c->state == NET_WRITES)) {
		c->has_ended = true;
		c->is_closing |= evbuffer_get_length(
		    bufferevent_get_input(bev)) == 0;
		return;
	}
	net_connection_close(c);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct net_connection *c = arg;

	(void)fd, (void)what;
	/* libevent's clock may be some milliseconds behind. */
	if (oc_clock_mono_ns() < c->timer_until_ns) {
		arm(c, c->timer_until_ns);
		return;
	}
	switch (c->state) {
	case NET_HEAD_COMES:
	case NET_BODY_COMES:
		c->server->counts.timeouts++;
		refuse(c, 408);
		break;
	case NET_HANDSHAKE:
	case NET_WRITES:
		c->server->counts.timeouts++;
		net_connection_close(c);
		break;
	case NET_IDLE:
	case NET_LINGERS:
		net_connection_close(c);
		break;
	case NET_HANDLED:
		break;
	}
}

static struct bufferevent *
new_bev(struct net_server *s, int fd)
{
	struct net_tls *tls = s->options.tls;

	return tls != NULL ? tls->accept(tls, s->options.base, fd) :
	    bufferevent_socket_new(s->options.base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
}

void
net_connection_start(struct net_server *s, int fd,
    const struct sockaddr *address)
{
	struct net_connection *c = calloc(1, sizeof(*c));
	const int on = 1;

	if (c != NULL)
		c->bev = new_bev(s, fd);
	if (c == NULL || c->bev == NULL) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	s->counts.num_open++;
	s->counts.connections++;
	TAILQ_INSERT_TAIL(&s->connections, c, link);
	net_address_of(address, &c->address, c->peer);
	c->state = s->options.tls == NULL ? NET_IDLE : NET_HANDSHAKE;
	s->counts.num_handshakes += c->state == NET_HANDSHAKE;
	c->timer = evtimer_new(s->options.base, on_timer, c);
	if (c->timer == NULL) {
		net_connection_close(c);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	c->head_until_ns = oc_clock_mono_ns() + s->options.header_timeout_ns;
	arm(c, c->head_until_ns);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}
