/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/server_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

/* Roles and a handful of commands; beyond it somebody is broken. */
#define PEERS_MAX 512

static bool
is_listed(const struct ipc_peers *peers, uid_t uid)
{
	for (size_t i = 0; i < peers->num; i++)
		if (peers->uids[i] == uid)
			return true;
	return false;
}

static bool
is_allowed(const struct ipc_server *server, int sock, pid_t *pid, uid_t *uid)
{
	static struct oc_log_few refused;
	const struct ipc_peers *peers = &server->allowed;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	*pid = cred.pid;
	*uid = cred.uid;
	if (cred.uid == 0 || (peers->is_listed ? is_listed(peers, cred.uid) :
	    cred.uid == geteuid()))
		return true;
	oc_log_few(&refused, OC_LOG_WARNING, "process %ld of user %ld may not "
	    "connect here", (long)cred.pid, (long)cred.uid);
	return false;
}

/* Out of descriptors: the listener stays readable, so looking at it again at
 * once would spin. */
static void
pause_accepting(struct ipc_server *server)
{
	static const struct timeval pause = { 0, 100 * 1000 };

	event_del(server->accept_event);
	event_add(server->resume_event, &pause);
}

static void
on_resume(evutil_socket_t sock, short what, void *arg)
{
	struct ipc_server *server = arg;

	(void)sock;
	(void)what;
	event_add(server->accept_event, NULL);
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct ipc_server *server = arg;
	pid_t pid;
	uid_t uid;
	int sock;

	(void)what;
	sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (sock < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS)
			pause_accepting(server);
		return;
	}
	if (server->num_peers >= PEERS_MAX ||
	    !is_allowed(server, sock, &pid, &uid))
		close(sock);
	else if (!ipc_peer_new(server, sock, pid, uid))
		oc_log(OC_LOG_ERROR, "no memory for process %ld", (long)pid);
}

enum oc_err
ipc_server_new(struct event_base *base, int listener, const char *role,
    ipc_frame_fn *frame, ipc_gone_fn *gone, void *arg,
    struct ipc_server **server)
{
	struct ipc_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return OC_ERR_NOMEM;
	oc_assert(strlen(role) < sizeof(s->role));
	memcpy(s->role, role, strlen(role) + 1);
	s->base = base;
	s->listener = -1;
	s->frame = frame;
	s->gone = gone;
	s->arg = arg;
	s->accept_event = event_new(base, listener, EV_READ | EV_PERSIST,
	    on_accept, s);
	s->resume_event = event_new(base, -1, 0, on_resume, s);
	if (s->accept_event == NULL || s->resume_event == NULL ||
	    evutil_make_socket_nonblocking(listener) != 0 ||
	    event_add(s->accept_event, NULL) != 0) {
		ipc_server_free(s);
		return OC_ERR_INTERNAL;
	}
	s->listener = listener;
	*server = s;
	return OC_OK;
}

void
ipc_server_allow(struct ipc_server *server, const struct ipc_peers *peers)
{
	server->allowed = *peers;
}

void
ipc_server_stop(struct ipc_server *server)
{
	if (server->accept_event != NULL)
		event_free(server->accept_event);
	if (server->resume_event != NULL)
		event_free(server->resume_event);
	server->accept_event = server->resume_event = NULL;
	if (server->listener >= 0)
		close(server->listener);
	server->listener = -1;
}

void
ipc_server_free(struct ipc_server *server)
{
	if (server == NULL)
		return;
	ipc_server_stop(server);
	while (server->peers != NULL)
		ipc_peer_gone(server->peers);
	free(server);
}
