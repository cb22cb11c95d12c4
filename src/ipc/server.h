/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answering end, on libevent: accepts on an AF_UNIX listener, checks the
 * peer with SO_PEERCRED, splits frames, hands each to a handler, and queues
 * what is sent back.  A peer that sends what is no frame, or does not read
 * (more than 4 MiB wait), is disconnected; nobody else notices.  The calls
 * below may be made from within a handler: a peer that has to go is marked and
 * freed, with gone(), by the loop.
 */
#ifndef IPC_SERVER_H
#define IPC_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "ipc/message.h"

struct event_base;
struct ipc_server;
struct ipc_peer;

/* Who may connect, by SO_PEERCRED; root always may.  Zero state: our own
 * user. */
#define IPC_PEERS_MAX 17
struct ipc_peers {
	bool is_listed;		/* those below and nobody else, not even our
				 * own user */
	size_t num_roles;	/* of these, first: roles, not people */
	size_t num;
	uid_t uids[IPC_PEERS_MAX];
};

/* One frame; fields are borrowed.  fd is -1 or the handler's own from now
 * on.  HELLO has been dealt with. */
typedef void ipc_frame_fn(void *arg, struct ipc_peer *peer,
    const struct ipc_header *header, struct der_bytes fields, int fd);
/* The peer is gone: forget it. */
typedef void ipc_gone_fn(void *arg, struct ipc_peer *peer);

/* listener is a bound, listening socket; the server closes it. */
enum oc_err ipc_server_new(struct event_base *base, int listener,
    const char *role, ipc_frame_fn *frame, ipc_gone_fn *gone, void *arg,
    struct ipc_server **server) OC_MUST_CHECK;
/* From now on; without it, our own user.  Copied. */
void ipc_server_allow(struct ipc_server *server,
    const struct ipc_peers *peers);
/* Stops accepting; peers stay. */
void ipc_server_stop(struct ipc_server *server);
void ipc_server_free(struct ipc_server *server);

/* Queues a frame that an ipc_put_*() wrote; copies it. */
void ipc_peer_send(struct ipc_peer *peer, const uint8_t *frame, size_t len);
void ipc_peer_close(struct ipc_peer *peer);
/* The same once what was sent is on its way; nothing is read any more. */
void ipc_peer_finish(struct ipc_peer *peer);
void ipc_peer_set_data(struct ipc_peer *peer, void *data);
void *ipc_peer_data(const struct ipc_peer *peer);
pid_t ipc_peer_pid(const struct ipc_peer *peer);
/* A role's, and nobody's who is listed beside it. */
bool ipc_peer_is_role(const struct ipc_peer *peer);

/* Makes and binds the listener: 0600, an old socket file of a dead server is
 * replaced, a live one is EXISTS. */
enum oc_err ipc_listen(const char *path, int *fd, struct oc_error *error)
    OC_MUST_CHECK;

/* Somebody listens there right now. */
bool ipc_is_served(const char *path);
/* The process that listen(2)ed there; 0: nobody does. */
pid_t ipc_listener_pid(const char *path);

#endif
