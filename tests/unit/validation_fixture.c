/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/validation_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "base/clock.h"

struct stand_connection {
	struct stand *stand;
	struct stand_connection *next, **link;
	struct bufferevent *bev;
	struct event *drip;
	struct evbuffer *slow;		/* what is yet to be said */
};

/* --- waiting ------------------------------------------------------------ */

void
waiter_init(struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	w->base = event_base_new();
	assert_non_null(w->base);
}

void
waiter_fini(struct waiter *w)
{
	/* Connections that were closed end in the loop. */
	(void)event_base_loop(w->base, EVLOOP_NONBLOCK);
	event_base_free(w->base);
}

void
waiter_done(void *arg, const struct validation_reply *reply)
{
	struct waiter *w = arg;

	w->num++;
	w->reply = *reply;
	assert_true(memchr(reply->seen, '\0', sizeof(reply->seen)) != NULL);
	assert_null(strpbrk(reply->seen, "\r\n\t"));
	event_base_loopbreak(w->base);
}

void
waiter_wait(struct waiter *w)
{
	struct timeval limit = { PATIENCE_S, 0 };
	unsigned int before = w->num;

	assert_int_equal(event_base_loopexit(w->base, &limit), 0);
	assert_int_equal(event_base_dispatch(w->base), 0);
	assert_int_equal(w->num, before + 1);
}

void
waiter_idle(struct waiter *w, int64_t ms)
{
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };
	unsigned int before = w->num;

	assert_int_equal(event_base_loopexit(w->base, &limit), 0);
	(void)event_base_dispatch(w->base);
	assert_int_equal(w->num, before);
}

int64_t
deadline_in_ms(int64_t ms)
{
	return oc_clock_mono_ns() + ms * OC_NS_PER_MS;
}

/* --- a server ----------------------------------------------------------- */

static void
free_connection(struct stand_connection *c)
{
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	event_free(c->drip);
	evbuffer_free(c->slow);
	bufferevent_free(c->bev);
	free(c);
}

static void
on_drip(evutil_socket_t fd, short what, void *arg)
{
	struct stand_connection *c = arg;
	struct timeval tv = { 0, c->stand->drip_ms * 1000 };
	char byte;

	(void)fd, (void)what;
	if (evbuffer_remove(c->slow, &byte, 1) != 1)
		return;
	assert_int_equal(bufferevent_write(c->bev, &byte, 1), 0);
	assert_int_equal(evtimer_add(c->drip, &tv), 0);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct stand_connection *c = arg;

	if (c->stand->is_closing && c->stand->num_said > 0 &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0 &&
	    evbuffer_get_length(c->slow) == 0)
		free_connection(c);
}

static void
say(struct stand_connection *c, const char *text, size_t len)
{
	if (c->stand->drip_ms == 0) {
		assert_int_equal(bufferevent_write(c->bev, text, len), 0);
		return;
	}
	assert_int_equal(evbuffer_add(c->slow, text, len), 0);
	on_drip(-1, 0, c);
}

static void
on_heard(struct bufferevent *bev, void *arg)
{
	struct stand_connection *c = arg;
	struct stand *stand = c->stand;
	char said[16384];
	size_t len = bufferevent_read(bev, said, sizeof(said) - 1), room;
	size_t answer_len = 0;
	char *answer;

	said[len] = '\0';
	room = sizeof(stand->heard) - 1 - stand->heard_len;
	room = len < room ? len : room;
	memcpy(stand->heard + stand->heard_len, said, room);
	stand->heard_len += room;
	answer = stand->answer == NULL ? NULL :
	    stand->answer(stand, said, len, &answer_len);
	stand->num_said += answer != NULL;
	if (answer != NULL && answer_len > 0)
		say(c, answer, answer_len);
	else if (answer != NULL && stand->is_closing)
		free_connection(c);
	free(answer);
}

static void
on_gone(struct bufferevent *bev, short what, void *arg)
{
	(void)bev, (void)what;
	free_connection(arg);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *from, int from_len, void *arg)
{
	struct stand *stand = arg;
	struct stand_connection *c = calloc(1, sizeof(*c));

	(void)listener, (void)from, (void)from_len;
	assert_non_null(c);
	stand->num_connections++;
	c->stand = stand;
	c->slow = evbuffer_new();
	c->drip = evtimer_new(stand->base, on_drip, c);
	c->bev = bufferevent_socket_new(stand->base, fd,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	c->link = &stand->connections;
	c->next = stand->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	stand->connections = c;
	bufferevent_setcb(c->bev, on_heard, on_written, on_gone, c);
	assert_int_equal(bufferevent_enable(c->bev, EV_READ | EV_WRITE), 0);
	if (stand->greeting != NULL)
		say(c, stand->greeting, strlen(stand->greeting));
}

void
stand_open(struct stand *stand, struct event_base *base)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	stand->base = base;
	stand->listener = evconnlistener_new_bind(base, on_accept, stand,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16,
	    (struct sockaddr *)&sin, sizeof(sin));
	assert_non_null(stand->listener);
	assert_int_equal(getsockname(evconnlistener_get_fd(stand->listener),
	    (struct sockaddr *)&sin, &len), 0);
	stand->port = ntohs(sin.sin_port);
}

void
stand_close(struct stand *stand)
{
	while (stand->connections != NULL)
		free_connection(stand->connections);
	if (stand->listener != NULL)
		evconnlistener_free(stand->listener);
	stand->listener = NULL;
}
