/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server for APIs, on libevent's bufferevents: connections are
 * capped, all together and for each address; a handshake with the head, and a
 * request as a whole, have deadlines; a body has a limit that is known before
 * it is read.  libevent's own evhttp has none of these, and what it says about
 * a body that is too long is its own HTML and not the dialect's JSON.
 *
 * One thread, the event loop's.  A handler that cannot answer at once keeps
 * the exchange and answers later; the client may be gone by then, which
 * nobody needs to know.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/err.h"
#include "net/counts.h"
#include "net/http.h"
#include "net/tls.h"

struct event_base;
struct net_server;
struct net_exchange;

/* Answers with net_reply(), exactly once, now or later. */
typedef void net_handler_fn(void *arg, struct net_exchange *exchange);
/*
 * The body for a status that the server answers itself: 400, 408, 411, 413,
 * 414, 417, 431, 501, 505.  path is "" if it is not known.  *body is for
 * free(); *type is static.
 */
typedef void net_refuse_fn(void *arg, const char *path, int status,
    char **body, const char **type);

struct net_server_options {
	struct event_base *base;
	const int *listeners;		/* the server closes them */
	size_t num_listeners;
	struct net_tls *tls;		/* borrowed; NULL: plain HTTP */
	uint32_t connections_max;
	uint32_t address_max;		/* connections of one IPv4 address, or
					 * one IPv6 /64 */
	uint32_t handshakes_max;	/* over that the oldest goes */
	int64_t header_timeout_ns;	/* handshake and head together; of a
					 * later request from its first octet */
	int64_t request_timeout_ns;	/* the whole request */
	int64_t idle_timeout_ns;	/* between requests */
	int64_t write_timeout_ns;	/* the whole answer */
	size_t body_max;
	net_handler_fn *handler;
	net_refuse_fn *refuse;
	void *arg;
	struct net_counts *answers;	/* where to count them; borrowed;
					 * NULL: nowhere */
};

struct net_server_counts {
	uint64_t connections, requests;
	uint64_t refused;		/* over a cap: closed at once */
	uint64_t shed;			/* closed to make room */
	uint64_t timeouts;
	uint32_t num_open, num_handshakes;
};

enum oc_err net_server_new(const struct net_server_options *options,
    struct net_server **server, struct oc_error *error) OC_MUST_CHECK;
/* Accepts no more, closes what is idle, says "Connection: close" in every
 * answer; is_drained() when the last connection is gone. */
void net_server_drain(struct net_server *server);
bool net_server_is_drained(const struct net_server *server);
/* While it drains: closes who has no answer, so that the handler is not called
 * again; the others go on until they have theirs. */
void net_server_finish(struct net_server *server);
const struct net_server_counts *net_server_counts(
    const struct net_server *server);
/* NULL is fine.  Exchanges that are kept stay legal to answer. */
void net_server_free(struct net_server *server);

const struct net_request *net_exchange_request(
    const struct net_exchange *exchange);
/* When the request has come in, CLOCK_MONOTONIC. */
int64_t net_exchange_since_ns(const struct net_exchange *exchange);
/*
 * The answer; copies all of it and frees the exchange.  fields are whole
 * lines ("Allow: GET\r\n") or NULL; type may be NULL when there is no body.
 * HEAD is answered with the length alone.
 */
void net_reply(struct net_exchange *exchange, int status, const char *type,
    const char *fields, const void *body, size_t body_len);

#endif
