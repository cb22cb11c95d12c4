/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "validation/address.h"

/* One address that does not answer leaves time for the others. */
#define CONNECT_MAX_NS (10 * OC_NS_PER_S)

struct validation_exchange {
	struct event_base *base;
	struct event *timer;		/* deadline, or a connection's */
	struct validation_host *host;
	struct bufferevent *connection;
	struct validation_host_found found;
	size_t num_tried;
	bool is_connected;

	char *name;
	uint16_t port;
	uint8_t *request;
	size_t len, answer_max;
	bool (*is_whole)(const uint8_t *answer, size_t len);
	int64_t deadline_ns;
	struct validation_exchanged result;
	validation_exchange_fn *done;
	void *arg;
};

void
validation_exchange_cancel(struct validation_exchange *x)
{
	if (x == NULL)
		return;
	validation_host_cancel(x->host);
	if (x->connection != NULL)
		bufferevent_free(x->connection);
	if (x->timer != NULL)
		event_free(x->timer);
	free(x->name);
	free(x->request);
	free(x);
}

static void
finish(struct validation_exchange *x, enum validation_fault fault,
    const char *why)
{
	struct evbuffer *in = x->connection == NULL ? NULL :
	    bufferevent_get_input(x->connection);

	x->result.fault = fault;
	x->result.is_temporary = fault != VALIDATION_NO_FAULT;
	(void)snprintf(x->result.why, sizeof(x->result.why), "%s", why);
	x->result.len = in == NULL ? 0 : evbuffer_get_length(in);
	x->result.answer = x->result.len == 0 ? NULL :
	    evbuffer_pullup(in, -1);
	if (x->result.answer == NULL)
		x->result.len = 0;
	/* It may not be cancelled by whom it calls. */
	x->done(x->arg, &x->result);
	validation_exchange_cancel(x);
}

static void
set_timer(struct validation_exchange *x, int64_t at_ns)
{
	int64_t left_ns = at_ns - oc_clock_mono_ns();
	struct timeval tv = { 0, 0 };

	if (left_ns > 0) {
		tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
		tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	}
	(void)evtimer_add(x->timer, &tv);
}

/* --- one connection ----------------------------------------------------- */

static void
on_read(struct bufferevent *connection, void *arg)
{
	struct validation_exchange *x = arg;
	struct evbuffer *in = bufferevent_get_input(connection);
	size_t len = evbuffer_get_length(in);

	if (len > x->answer_max)
		finish(x, VALIDATION_CONNECTION_FAULT, "its answer is too "
		    "long");
	else if (x->is_whole != NULL && x->is_whole(evbuffer_pullup(in, -1),
	    len))
		finish(x, VALIDATION_NO_FAULT, "");
}

static void try_next(struct validation_exchange *x, const char *why);

static void
on_event(struct bufferevent *connection, short what, void *arg)
{
	struct validation_exchange *x = arg;
	int code = EVUTIL_SOCKET_ERROR();

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		x->is_connected = true;
		set_timer(x, x->deadline_ns);
		if (bufferevent_write(connection, x->request, x->len) != 0 ||
		    bufferevent_enable(connection, EV_READ) != 0)
			finish(x, VALIDATION_OURS, "out of memory");
		return;
	}
	if (!x->is_connected)
		try_next(x, evutil_socket_error_to_string(code));
	else if ((what & BEV_EVENT_EOF) != 0 && x->is_whole == NULL)
		finish(x, VALIDATION_NO_FAULT, "");
	else
		finish(x, VALIDATION_CONNECTION_FAULT,
		    (what & BEV_EVENT_EOF) != 0 ? "it closed the connection" :
		    evutil_socket_error_to_string(code));
}

static socklen_t
make_address(const struct oc_address *from, uint16_t port,
    struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (validation_address_is_v4(from)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, from->octets + 12, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, from->octets, 16);
	return sizeof(*v6);
}

static bool
begin(struct validation_exchange *x, const struct oc_address *address)
{
	struct sockaddr_storage to;
	socklen_t to_len = make_address(address, x->port, &to);
	char text[INET6_ADDRSTRLEN];
	int64_t until_ns = oc_clock_mono_ns() + CONNECT_MAX_NS;

	validation_address_text(address, text);
	if (strcmp(text, x->name) == 0)
		(void)snprintf(x->result.where, sizeof(x->result.where),
		    "%s port %u", text, (unsigned int)x->port);
	else
		(void)snprintf(x->result.where, sizeof(x->result.where),
		    "%.253s, %s port %u", x->name, text,
		    (unsigned int)x->port);
	x->connection = bufferevent_socket_new(x->base, -1,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (x->connection == NULL)
		return false;
	bufferevent_setcb(x->connection, on_read, NULL, on_event, x);
	bufferevent_setwatermark(x->connection, EV_READ, 0, x->answer_max + 1);
	set_timer(x, until_ns < x->deadline_ns ? until_ns : x->deadline_ns);
	return bufferevent_socket_connect(x->connection,
	    (struct sockaddr *)&to, (int)to_len) == 0;
}

static void
try_next(struct validation_exchange *x, const char *why)
{
	char reason[sizeof(x->result.why)];

	/* May stand in what is freed. */
	(void)snprintf(reason, sizeof(reason), "%s", why);
	while (x->num_tried < x->found.num) {
		if (x->connection != NULL)
			bufferevent_free(x->connection);
		x->connection = NULL;
		if (begin(x, &x->found.addresses[x->num_tried++]))
			return;
		(void)snprintf(reason, sizeof(reason), "%s", strerror(errno));
	}
	finish(x, VALIDATION_CONNECTION_FAULT, reason);
}

/* --- all of it ---------------------------------------------------------- */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct validation_exchange *x = arg;

	(void)fd, (void)what;
	if (oc_clock_mono_ns() < x->deadline_ns && x->connection != NULL &&
	    !x->is_connected)
		try_next(x, "it takes no connection");
	else if (oc_clock_mono_ns() < x->deadline_ns)
		set_timer(x, x->deadline_ns);
	else
		finish(x, VALIDATION_CONNECTION_FAULT, x->is_connected ?
		    "no whole answer in time" : "no connection in time");
}

static void
on_host(void *arg, const struct validation_host_found *found)
{
	struct validation_exchange *x = arg;

	x->host = NULL;
	x->found = *found;
	try_next(x, found->why[0] != '\0' ? found->why : "no address");
}

enum oc_err
validation_exchange_start(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_exchange_wish *wish,
    validation_exchange_fn *done, void *arg, struct validation_exchange **out)
{
	struct validation_exchange *x = calloc(1, sizeof(*x));
	enum oc_err err = OC_ERR_NOMEM;

	if (x == NULL)
		return err;
	x->base = base;
	x->port = wish->port;
	x->len = wish->len;
	x->answer_max = wish->answer_max;
	x->is_whole = wish->is_whole;
	x->deadline_ns = wish->deadline_ns;
	x->done = done;
	x->arg = arg;
	x->name = strdup(wish->host);
	x->request = malloc(wish->len);
	x->timer = evtimer_new(base, on_timer, x);
	if (x->name != NULL && x->request != NULL && x->timer != NULL) {
		memcpy(x->request, wish->request, wish->len);
		(void)snprintf(x->result.where, sizeof(x->result.where),
		    "%.253s port %u", wish->host, (unsigned int)wish->port);
		set_timer(x, wish->deadline_ns);
		err = validation_host_find(base, resolver, wish->host,
		    wish->reach, wish->deadline_ns, on_host, x, &x->host);
	}
	if (err != OC_OK)
		validation_exchange_cancel(x);
	else
		*out = x;
	return err;
}
