/* SPDX-License-Identifier: Apache-2.0 */
/* What server.c (accepting) and peer.c (one connection) share. */
#ifndef IPC_SERVER_IMPL_H
#define IPC_SERVER_IMPL_H

#include "ipc/server.h"

#include <event2/event.h>

#define IPC_PEER_IN_MAX (OC_FRAME_MAX + 4)
/* Descriptors that came and whose frame is not yet whole. */
#define IPC_PEER_FDS_MAX 4

struct ipc_chunk;

struct ipc_peer {
	struct ipc_server *server;
	struct ipc_peer *prev, *next;
	struct event *event;		/* readable */
	struct event *out_event;	/* writable, or time to go */
	int sock;
	pid_t pid;
	uid_t uid;
	bool is_greeted;
	bool is_doomed;
	bool is_finishing;		/* doomed when all is sent */
	void *data;

	struct ipc_chunk *out_first, *out_last;
	size_t out_len;			/* octets that wait */

	int fds[IPC_PEER_FDS_MAX];
	size_t num_fds;
	size_t in_len;
	uint8_t in[IPC_PEER_IN_MAX];
};

struct ipc_server {
	struct event_base *base;
	struct event *accept_event;
	struct event *resume_event;	/* accepting again after EMFILE */
	int listener;
	struct ipc_peers allowed;
	char role[32];
	ipc_frame_fn *frame;
	ipc_gone_fn *gone;
	void *arg;
	struct ipc_peer *peers;
	size_t num_peers;
};

/* Takes the socket, whatever it returns. */
bool ipc_peer_new(struct ipc_server *server, int sock, pid_t pid, uid_t uid);
/* Tells the handler and frees. */
void ipc_peer_gone(struct ipc_peer *peer);

#endif
