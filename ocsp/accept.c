/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A responder lets connections in: as many as it may have, and of one address
 * as many as that may have.  When it can take no more it makes room, or lets
 * the listeners be for a while; it never spins.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "ocsp/worker_state.h"

#define ACCEPTS_A_TURN 64
/* Who waits at the end: a queue is no longer than it was made, and whoever
 * comes while it is emptied must not keep us from ending. */
#define ACCEPTS_AT_THE_END (SOMAXCONN + 1)
/* An idle connection may be closed for a new one once it has been idle for
 * this long: sooner, its request may be on its way. */
#define SHED_AFTER_NS OC_NS_PER_S

/* Until the next tick, or until a connection ends. */
static void
accept_pause(struct ocsp_worker *w)
{
	size_t i;

	for (i = 0; i < w->num_listeners; i++)
		event_del(w->listeners[i]);
	w->is_accepting = false;
	w->counts->accept_pauses++;
}

void
http_accept_keep_reserve(struct ocsp_worker *w)
{
	if (w->reserve_fd < 0)
		w->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
http_accept_resume(struct ocsp_worker *w)
{
	size_t i;

	if (w->is_accepting || w->is_stopping)
		return;
	/* Others may have had it meanwhile: those of other processes, too. */
	http_accept_keep_reserve(w);
	for (i = 0; i < w->num_listeners; i++)
		(void)event_add(w->listeners[i], NULL);
	w->is_accepting = true;
}

/* Closes the connection that has been idle longest, for a new one. */
static bool
shed(struct ocsp_worker *w)
{
	struct connection *c = TAILQ_FIRST(&w->timers[TIMER_IDLE]);

	if (c == NULL || c->deadline_ns - w->options.idle_timeout_ns +
	    SHED_AFTER_NS > w->now_ns)
		return false;
	w->counts->shed++;
	http_connection_close(c);
	return true;
}

/*
 * Out of descriptors, and nobody idle to close: one who waits is let in with
 * the descriptor kept for this, and told so by being closed, rather than left
 * to wait for nothing; then we pause until the next tick.
 */
static void
refuse_one(struct ocsp_worker *w, int listener)
{
	int fd;

	if (w->reserve_fd >= 0) {
		close(w->reserve_fd);
		w->reserve_fd = -1;
		fd = accept4(listener, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		http_accept_keep_reserve(w);
	}
	accept_pause(w);
}

/* One who waits; false: errno says why not. */
static bool
let_in(struct ocsp_worker *w, int listener)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(from);
	struct ocsp_source *source;
	int fd = accept4(listener, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	if (ocsp_sources_enter(w->sources, (const struct sockaddr *)&from,
	    &source)) {
		http_connection_start(w, fd, source);
	} else {
		w->counts->address_refused++;
		close(fd);
	}
	return true;
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct ocsp_worker *w = arg;
	int i;

	(void)what;
	http_worker_now(w);
	for (i = 0; i < ACCEPTS_A_TURN && w->is_accepting; i++) {
		/* Nobody is known to wait but the first. */
		if (w->num_connections >= w->connections_max &&
		    (i > 0 || !shed(w))) {
			if (i == 0)
				accept_pause(w);
			return;
		}
		if (let_in(w, listener))
			continue;
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
			if (!shed(w))
				refuse_one(w, listener);
			break;
		case EAGAIN:
			return;
		case ECONNABORTED:	/* that one is gone: the next */
		case EINTR:
			break;
		default:
			/* What the network did to another will be over by
			 * the next tick; what the listener has will not, and
			 * must not be asked for without end. */
			accept_pause(w);
			return;
		}
	}
}

void
http_accept_rest(struct ocsp_worker *w, int listener)
{
	int i;

	for (i = 0; i < ACCEPTS_AT_THE_END &&
	    w->num_connections < w->connections_max; i++)
		if (!let_in(w, listener) && errno != ECONNABORTED &&
		    errno != EINTR)
			return;
}

/* Accepted sockets inherit TCP_NODELAY.  A listener that is no TCP socket
 * has none of this, and needs none. */
enum oc_err
http_accept_init(struct ocsp_worker *w, const int *fds, size_t num)
{
	static const int on = 1, seconds = 2;
	size_t i;
	int flags;

	w->listeners = calloc(num + 1, sizeof(struct event *));
	if (w->listeners == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; i < num; i++) {
		flags = fcntl(fds[i], F_GETFL);
		if (flags < 0 ||
		    fcntl(fds[i], F_SETFL, flags | O_NONBLOCK) != 0)
			return OC_ERR_SYSTEM;
		(void)setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
		(void)setsockopt(fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT,
		    &seconds, sizeof(seconds));
		w->listeners[i] = event_new(w->base, fds[i],
		    EV_READ | EV_PERSIST, on_accept, w);
		if (w->listeners[i] == NULL)
			return OC_ERR_NOMEM;
		w->num_listeners++;
	}
	return OC_OK;
}
