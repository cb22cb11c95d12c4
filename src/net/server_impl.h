/* SPDX-License-Identifier: Apache-2.0 */
/* What server.c and connection.c share; private to them. */
#ifndef NET_SERVER_IMPL_H
#define NET_SERVER_IMPL_H

#include <netinet/in.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/bytes.h"
#include "net/server.h"

enum net_state {
	NET_HANDSHAKE,		/* TLS; then as NET_HEAD */
	NET_IDLE,		/* between requests */
	NET_HEAD_COMES,
	NET_BODY_COMES,
	NET_HANDLED,		/* the handler has it */
	NET_WRITES,
	NET_LINGERS		/* until the other end has read the answer */
};

/* Decoder of a chunked body, RFC 9112, 7.1. */
struct net_chunks {
	enum { NET_CHUNK_SIZE, NET_CHUNK_DATA, NET_CHUNK_END,
	    NET_CHUNK_TRAILER } at;
	uint64_t left;
	uint32_t num_extra;	/* octets of extensions and trailers */
};

struct net_connection {
	struct net_server *server;
	struct bufferevent *bev;
	struct event *timer;
	int64_t timer_until_ns;
	TAILQ_ENTRY(net_connection) link;	/* oldest first */
	enum net_state state;
	bool is_closing;	/* after the answer that is written */
	bool has_ended;		/* nothing comes behind what has come */
	struct in6_addr address;	/* v4 mapped; /64 of v6 */
	char peer[INET6_ADDRSTRLEN];
	int64_t head_until_ns, request_until_ns;
	char *head;		/* owned; the request points into it */
	struct net_request request;
	struct oc_buffer body;
	struct net_chunks chunks;
	struct net_exchange *exchange;	/* NET_HANDLED */
	size_t num_lingered;
	int64_t begun_ns;
};

struct net_listener {
	struct net_server *server;
	struct event *event;
	int fd;
};

struct net_server {
	struct net_server_options options;	/* listeners: not kept */
	struct net_listener *listeners;
	size_t num_listeners;
	struct event *resume;		/* accepting, after EMFILE */
	TAILQ_HEAD(net_connections, net_connection) connections;
	struct net_server_counts counts;
	bool is_draining;
};

/* Takes fd over. */
void net_connection_start(struct net_server *server, int fd,
    const struct sockaddr *address);
void net_connection_close(struct net_connection *c);
/* Closes it if no request is under way. */
void net_connection_drain(struct net_connection *c);

/* server.c: what counts as one address, and its text. */
void net_address_of(const struct sockaddr *address, struct in6_addr *key,
    char text[INET6_ADDRSTRLEN]);

/* body.c: moves octets from the input to c->body.  1: the body is whole; 0:
 * more is needed; < 0: the negated status. */
int net_body_take(struct net_connection *c);

#endif
