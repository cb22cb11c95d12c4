/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting, and the caps on who is accepted. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/server_impl.h"

/* Between two looks at everything else. */
#define ACCEPTS_MAX 64
#define PAUSE_US 100000

void
net_address_of(const struct sockaddr *address, struct in6_addr *key,
    char text[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *in6 = (const void *)address;
	const struct sockaddr_in *in = (const void *)address;

	memset(key, 0, sizeof(*key));
	text[0] = '\0';
	if (address->sa_family == AF_INET6) {
		memcpy(key, &in6->sin6_addr, 8);
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, text,
		    INET6_ADDRSTRLEN);
	} else if (address->sa_family == AF_INET) {
		key->s6_addr[10] = key->s6_addr[11] = 0xff;
		memcpy(&key->s6_addr[12], &in->sin_addr, 4);
		(void)inet_ntop(AF_INET, &in->sin_addr, text,
		    INET6_ADDRSTRLEN);
	}
}

static uint32_t
count_address(const struct net_server *s, const struct sockaddr *address)
{
	const struct net_connection *c;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr key;
	uint32_t num = 0;

	net_address_of(address, &key, text);
	TAILQ_FOREACH(c, &s->connections, link)
		num += memcmp(&c->address, &key, sizeof(key)) == 0;
	return num;
}

/* The oldest that is in this state makes room. */
static bool
shed(struct net_server *s, enum net_state state)
{
	struct net_connection *c;

	TAILQ_FOREACH(c, &s->connections, link)
		if (c->state == state) {
			s->counts.shed++;
			net_connection_close(c);
			return true;
		}
	return false;
}

static bool
has_room(struct net_server *s, const struct sockaddr *address)
{
	if (count_address(s, address) >= s->options.address_max)
		return false;
	/* Handshakes cost, and who means it is done in a moment: the oldest
	 * is the one that does not. */
	if (s->options.tls != NULL &&
	    s->counts.num_handshakes >= s->options.handshakes_max)
		(void)shed(s, NET_HANDSHAKE);
	return s->counts.num_open < s->options.connections_max ||
	    shed(s, NET_IDLE) || shed(s, NET_LINGERS);
}

static void
set_accepting(struct net_server *s, bool is_accepting)
{
	for (size_t i = 0; i < s->num_listeners; i++) {
		if (s->listeners[i].event == NULL)
			continue;
		if (is_accepting)
			(void)event_add(s->listeners[i].event, NULL);
		else
			(void)event_del(s->listeners[i].event);
	}
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct net_server *s = arg;

	(void)fd, (void)what;
	if (!s->is_draining)
		set_accepting(s, true);
}

static void
pause_accepting(struct net_server *s)
{
	const struct timeval tv = { 0, PAUSE_US };

	oc_log(OC_LOG_WARNING, "accept: %s; trying again", strerror(errno));
	set_accepting(s, false);
	(void)event_add(s->resume, &tv);
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct net_server *s = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		struct sockaddr_storage address = { 0 };
		socklen_t len = sizeof(address);
		int fd = accept4(listener, (struct sockaddr *)&address, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(s);
			return;
		}
		if (!has_room(s, (const struct sockaddr *)&address)) {
			s->counts.refused++;
			close(fd);
			continue;
		}
		net_connection_start(s, fd,
		    (const struct sockaddr *)&address);
	}
}

static enum oc_err
listen_all(struct net_server *s, const int *fds, size_t num)
{
	s->listeners = calloc(num, sizeof(*s->listeners));
	if (s->listeners == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; i < num; i++) {
		struct net_listener *l = &s->listeners[i];

		if (evutil_make_socket_nonblocking(fds[i]) != 0)
			return OC_ERR_SYSTEM;
		l->event = event_new(s->options.base, fds[i],
		    EV_READ | EV_PERSIST, on_accept, s);
		if (l->event == NULL || event_add(l->event, NULL) != 0)
			return OC_ERR_NOMEM;
	}
	for (size_t i = 0; i < num; i++)
		s->listeners[i].fd = fds[i];
	return OC_OK;
}

enum oc_err
net_server_new(const struct net_server_options *options,
    struct net_server **server, struct oc_error *error)
{
	struct net_server *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	TAILQ_INIT(&s->connections);
	s->options = *options;
	s->num_listeners = options->num_listeners;
	s->options.listeners = NULL;
	s->resume = evtimer_new(options->base, on_resume, s);
	err = s->resume == NULL ? OC_ERR_NOMEM :
	    listen_all(s, options->listeners, options->num_listeners);
	if (err != OC_OK) {
		/* They stay the caller's. */
		for (size_t i = 0; s->listeners != NULL &&
		    i < s->num_listeners; i++)
			s->listeners[i].fd = -1;
		net_server_free(s);
		return oc_error_set(error, err, "cannot listen: %s",
		    oc_strerror(err));
	}
	*server = s;
	return OC_OK;
}

static void
stop_listening(struct net_server *s)
{
	for (size_t i = 0; s->listeners != NULL && i < s->num_listeners;
	    i++) {
		struct net_listener *l = &s->listeners[i];

		if (l->event != NULL)
			event_free(l->event);
		if (l->event != NULL && l->fd >= 0)
			close(l->fd);
		l->event = NULL;
	}
}

void
net_server_drain(struct net_server *s)
{
	struct net_connection *c, *next;

	s->is_draining = true;
	stop_listening(s);
	for (c = TAILQ_FIRST(&s->connections); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		net_connection_drain(c);
	}
}

void
net_server_finish(struct net_server *s)
{
	struct net_connection *c, *next;

	oc_assert(s->is_draining);
	for (c = TAILQ_FIRST(&s->connections); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state == NET_WRITES)
			c->is_closing = true;
		else if (c->state != NET_LINGERS)
			net_connection_close(c);
	}
}

bool
net_server_is_drained(const struct net_server *s)
{
	return s->is_draining && TAILQ_EMPTY(&s->connections);
}

const struct net_server_counts *
net_server_counts(const struct net_server *s)
{
	return &s->counts;
}

void
net_server_free(struct net_server *s)
{
	if (s == NULL)
		return;
	while (!TAILQ_EMPTY(&s->connections))
		net_connection_close(TAILQ_FIRST(&s->connections));
	stop_listening(s);
	free(s->listeners);
	if (s->resume != NULL)
		event_free(s->resume);
	free(s);
}
