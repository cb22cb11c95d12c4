/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a server.  Peers are freed by the loop alone: whatever
 * goes wrong while a handler runs only marks the peer, so that the handler may
 * go on using it.
 */
#include "ipc/server_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"

/* A role that has not read this much has stopped reading. */
#define OUT_MAX (4 * 1024 * 1024)
/* Reads in one turn: other peers want theirs. */
#define READS_MAX 16
/* Frames in one sendmsg(2). */
#define GATHER_MAX 64

struct ipc_chunk {
	struct ipc_chunk *next;
	size_t len, num_sent;
	uint8_t bytes[];
};

void
ipc_peer_set_data(struct ipc_peer *peer, void *data)
{
	peer->data = data;
}

void *
ipc_peer_data(const struct ipc_peer *peer)
{
	return peer->data;
}

pid_t
ipc_peer_pid(const struct ipc_peer *peer)
{
	return peer->pid;
}

bool
ipc_peer_is_role(const struct ipc_peer *peer)
{
	const struct ipc_peers *peers = &peer->server->allowed;
	bool is_role = false;

	for (size_t i = 0; peer->uid != 0 && i < peers->num; i++)
		if (peers->uids[i] == peer->uid)
			is_role = i < peers->num_roles;
	return is_role;
}

static void
peer_free(struct ipc_peer *peer)
{
	struct ipc_chunk *next;

	if (peer->prev != NULL)
		peer->prev->next = peer->next;
	else
		peer->server->peers = peer->next;
	if (peer->next != NULL)
		peer->next->prev = peer->prev;
	peer->server->num_peers--;
	for (struct ipc_chunk *c = peer->out_first; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	for (size_t i = 0; i < peer->num_fds; i++)
		close(peer->fds[i]);
	if (peer->event != NULL)
		event_free(peer->event);
	if (peer->out_event != NULL)
		event_free(peer->out_event);
	close(peer->sock);
	free(peer);
}

void
ipc_peer_gone(struct ipc_peer *peer)
{
	struct ipc_server *server = peer->server;

	peer->is_doomed = true;
	server->gone(server->arg, peer);
	peer_free(peer);
}

/* From now on nothing is read from it or sent to it; the loop frees it. */
void
ipc_peer_close(struct ipc_peer *peer)
{
	if (peer->is_doomed)
		return;
	peer->is_doomed = true;
	event_active(peer->out_event, EV_WRITE, 0);
}

static void
drop_sent(struct ipc_peer *peer, size_t num)
{
	peer->out_len -= num;
	while (num > 0) {
		struct ipc_chunk *c = peer->out_first;
		size_t part = c->len - c->num_sent;

		if (part > num)
			part = num;
		c->num_sent += part;
		num -= part;
		if (c->num_sent < c->len)
			return;
		peer->out_first = c->next;
		if (peer->out_first == NULL)
			peer->out_last = NULL;
		free(c);
	}
}

static void
peer_flush(struct ipc_peer *peer)
{
	while (peer->out_first != NULL) {
		struct iovec iov[GATHER_MAX];
		struct msghdr msg = { .msg_iov = iov };
		ssize_t n;

		for (struct ipc_chunk *c = peer->out_first;
		    c != NULL && msg.msg_iovlen < GATHER_MAX; c = c->next)
			iov[msg.msg_iovlen++] = (struct iovec){
			    c->bytes + c->num_sent, c->len - c->num_sent };
		n = sendmsg(peer->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_add(peer->out_event, NULL);
			return;
		}
		if (n < 0) {
			ipc_peer_close(peer);
			return;
		}
		drop_sent(peer, (size_t)n);
	}
	if (peer->is_finishing)
		ipc_peer_close(peer);
}

void
ipc_peer_finish(struct ipc_peer *peer)
{
	if (peer->is_doomed || peer->is_finishing)
		return;
	peer->is_finishing = true;
	event_del(peer->event);
	event_active(peer->out_event, EV_WRITE, 0);
}

static void
peer_is_slow(struct ipc_peer *peer)
{
	oc_log(OC_LOG_WARNING, "process %ld does not read what it asked for: "
	    "disconnected", (long)peer->pid);
	ipc_peer_close(peer);
}

/* Only queues; the loop's next turn writes, so that the answers of one turn
 * leave together. */
void
ipc_peer_send(struct ipc_peer *peer, const uint8_t *frame, size_t len)
{
	struct ipc_chunk *c;

	if (peer->is_doomed)
		return;
	if (peer->out_len + len > OUT_MAX) {
		peer_is_slow(peer);
		return;
	}
	c = malloc(sizeof(*c) + len);
	if (c == NULL) {
		ipc_peer_close(peer);
		return;
	}
	*c = (struct ipc_chunk){ .len = len };
	memcpy(c->bytes, frame, len);
	if (peer->out_last != NULL)
		peer->out_last->next = c;
	else
		peer->out_first = c;
	peer->out_last = c;
	/* A queue that was not empty is on its way, or waits for the peer. */
	if (peer->out_len == 0)
		event_active(peer->out_event, EV_WRITE, 0);
	peer->out_len += len;
}

static void
on_out(evutil_socket_t sock, short what, void *arg)
{
	struct ipc_peer *peer = arg;

	(void)sock;
	(void)what;
	if (!peer->is_doomed)
		peer_flush(peer);
	if (peer->is_doomed)
		ipc_peer_gone(peer);
}

/* Ours goes out even to another version: it tells the other side what is
 * wrong. */
static bool
greet(struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields)
{
	struct ipc_hello theirs, ours = { .version = IPC_VERSION };
	uint8_t frame[64];
	size_t len;

	if (header->type != IPC_HELLO ||
	    ipc_read_hello(fields, &theirs) != OC_OK)
		return false;
	memcpy(ours.role, peer->server->role, sizeof(ours.role));
	if (ipc_put_hello(frame, sizeof(frame), header->id, &ours,
	    &len) != OC_OK)
		return false;
	ipc_peer_send(peer, frame, len);
	peer->is_greeted = theirs.version == IPC_VERSION;
	if (!peer->is_greeted) {
		oc_log(OC_LOG_ERROR, "%s (process %ld) speaks version %u, "
		    "we speak %u", theirs.role, (long)peer->pid,
		    theirs.version, IPC_VERSION);
		peer_flush(peer);
	}
	return peer->is_greeted;
}

static int
take_fd(struct ipc_peer *peer)
{
	int fd = peer->fds[0];

	peer->num_fds--;
	memmove(peer->fds, peer->fds + 1, peer->num_fds * sizeof(int));
	return fd;
}

/* false: close it. */
static bool
take_frame(struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields)
{
	struct ipc_server *server = peer->server;
	int fd = -1;

	if (header->flags & IPC_FLAG_FD) {
		if (peer->num_fds == 0)
			return false;
		fd = take_fd(peer);
	}
	if (!peer->is_greeted) {
		if (fd >= 0)
			close(fd);
		return greet(peer, header, fields);
	}
	if (header->type == IPC_HELLO) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	server->frame(server->arg, peer, header, fields, fd);
	return true;
}

static void
close_fds(struct ipc_peer *peer)
{
	while (peer->num_fds > 0)
		close(take_fd(peer));
}

/* false: what came is no frame. */
static bool
take_frames(struct ipc_peer *peer)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t at = 0, used;
	int r = 0;

	while (!peer->is_doomed && (r = ipc_frame_parse(peer->in + at,
	    peer->in_len - at, &header, &fields, &used)) == 1) {
		if (!take_frame(peer, &header, fields))
			return false;
		at += used;
	}
	if (r < 0)
		return false;
	peer->in_len -= at;
	memmove(peer->in, peer->in + at, peer->in_len);
	/* Nothing is under way that one of them could belong to. */
	if (peer->in_len == 0)
		close_fds(peer);
	return true;
}

/* Keeps what there is room for and closes the rest. */
static void
keep_fds(struct ipc_peer *peer, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	    c = CMSG_NXTHDR(msg, c)) {
		size_t num;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		num = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < num; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(fd));
			if (peer->num_fds < IPC_PEER_FDS_MAX)
				peer->fds[peer->num_fds++] = fd;
			else
				close(fd);
		}
	}
}

static ssize_t
receive(struct ipc_peer *peer)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { peer->in + peer->in_len,
	    IPC_PEER_IN_MAX - peer->in_len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	do {
		n = recvmsg(peer->sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		keep_fds(peer, &msg);
		peer->in_len += (size_t)n;
	}
	return n;
}

static void
on_in(evutil_socket_t sock, short what, void *arg)
{
	static struct oc_log_few malformed;
	struct ipc_peer *peer = arg;

	(void)sock;
	(void)what;
	for (int i = 0; i < READS_MAX && !peer->is_doomed; i++) {
		size_t room = IPC_PEER_IN_MAX - peer->in_len;
		ssize_t n = receive(peer);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			ipc_peer_gone(peer);
			return;
		}
		if (!take_frames(peer)) {
			oc_log_few(&malformed, OC_LOG_WARNING, "process %ld "
			    "sent what is no frame of ours: disconnected",
			    (long)peer->pid);
			ipc_peer_gone(peer);
			return;
		}
		/* Was that all?  If not, epoll says so. */
		if ((size_t)n < room)
			return;
	}
}

bool
ipc_peer_new(struct ipc_server *server, int sock, pid_t pid, uid_t uid)
{
	struct ipc_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL) {
		close(sock);
		return false;
	}
	peer->server = server;
	peer->sock = sock;
	peer->pid = pid;
	peer->uid = uid;
	peer->next = server->peers;
	if (peer->next != NULL)
		peer->next->prev = peer;
	server->peers = peer;
	server->num_peers++;
	peer->event = event_new(server->base, sock, EV_READ | EV_PERSIST,
	    on_in, peer);
	peer->out_event = event_new(server->base, sock, EV_WRITE, on_out,
	    peer);
	if (peer->event == NULL || peer->out_event == NULL ||
	    event_add(peer->event, NULL) != 0) {
		peer_free(peer);
		return false;
	}
	return true;
}
