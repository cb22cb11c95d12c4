/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every socket that roles are handed: the supervisor holds them all the time,
 * so that nobody is refused while a role is replaced.
 *
 * An HTTP address has one socket for each responder (SO_REUSEPORT): each has
 * an accept queue of its own, and a handshake belongs to one of them from its
 * first packet on.  With a socket its connections would be lost, so none is
 * closed as long as its address stays: where there are fewer responders than
 * before, those that are left have the others' sockets too, and the kernel is
 * told to give these nothing more.
 */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include "base/bytes.h"
#include "base/config.h"

#define DAEMON_WORKERS_MAX 64		/* as ocsign.conf(5) says */
#define DAEMON_ADDRESSES_MAX 64		/* more than a responder takes */

enum daemon_socket {
	DAEMON_SOCKET_SIGNER_STATUS,
	DAEMON_SOCKET_SIGNER_ISSUER,
	DAEMON_SOCKET_STATUS,
	DAEMON_SOCKET_STATUS_CONTROL,
	DAEMON_SOCKET_VALIDATOR,	/* only with [validation] */
	DAEMON_SOCKET_MAX
};

struct daemon_listeners;

/*
 * Binds what config asks for.  What old has already is shared, whatever
 * became of the path or the port; an address with port 0 keeps its port.
 * EXISTS when another ocsignd serves the run directory.  old may be NULL and
 * stays the caller's.
 */
enum oc_err daemon_listeners_open(const struct oc_config *config,
    const struct daemon_listeners *old, struct daemon_listeners **listeners,
    struct oc_error *error) OC_MUST_CHECK;
/* Closes; the socket files stay.  NULL is fine. */
void daemon_listeners_free(struct daemon_listeners *listeners);
/* Removes the files of those of gone that others has not. */
void daemon_listeners_unlink_but(const struct daemon_listeners *gone,
    const struct daemon_listeners *others);
/* Removes the socket files. */
void daemon_listeners_unlink(const struct daemon_listeners *listeners);

/* "signer-status": its name in LISTEN_FDNAMES, and NAME.sock its file. */
const char *daemon_socket_name(enum daemon_socket socket);
/* -1: there is none. */
int daemon_listeners_unix(const struct daemon_listeners *listeners,
    enum daemon_socket socket);
size_t daemon_listeners_num_http(const struct daemon_listeners *listeners);
/* Those of one responder: its own, and its share of those that are nobody's
 * any more.  How many. */
size_t daemon_listeners_http(const struct daemon_listeners *listeners,
    size_t address, unsigned int worker, int fds[DAEMON_WORKERS_MAX]);
/* From now on, new connections go to the first so many responders. */
void daemon_listeners_steer(struct daemon_listeners *listeners,
    unsigned int num);
/* Who comes once the responders have closed theirs is refused, and does not
 * wait for one that will not be there. */
void daemon_listeners_close_http(struct daemon_listeners *listeners);

/* Of ocsign-issuer; none without an [api] section. */
size_t daemon_listeners_num_api(const struct daemon_listeners *listeners);
int daemon_listeners_api(const struct daemon_listeners *listeners,
    size_t address);

/* Of ocsign-status; none without a [metrics] section. */
size_t daemon_listeners_num_metrics(const struct daemon_listeners *listeners);
int daemon_listeners_metrics(const struct daemon_listeners *listeners,
    size_t address);

/* One line for each address: "http://127.0.0.1:8889/". */
void daemon_listeners_put_urls(const struct daemon_listeners *listeners,
    const char *prefix, struct oc_buffer *out);
void daemon_listeners_put_api_urls(const struct daemon_listeners *listeners,
    const char *scheme, struct oc_buffer *out);
void daemon_listeners_put_metrics_urls(
    const struct daemon_listeners *listeners, struct oc_buffer *out);

#endif
