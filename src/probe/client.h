/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.x as octets over a socket: what is sent is the caller's, right or
 * wrong; what comes back is read strictly (RFC 9112), within limits and
 * before a deadline.  One address, found once, so that all connections reach
 * the same server.
 */
#ifndef PROBE_CLIENT_H
#define PROBE_CLIENT_H

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/err.h"
#include "der/bytes.h"

/* Of a reply; a response larger than this is of no use to any client. */
#define PROBE_HEAD_MAX (16 * 1024)
#define PROBE_BODY_MAX (64 * 1024)

struct probe_peer {
	struct sockaddr_storage address;
	socklen_t address_len;
	int64_t timeout_ns;		/* of one exchange */
	/* A connection that is open already, for the first who opens one: some
	 * servers do not survive one that says nothing.  -1: none. */
	int first_fd;
};

struct probe_connection {
	int fd;				/* -1: closed */
	int64_t deadline_ns;
	struct oc_buffer in;		/* what has come; at: what of it was
					 * read */
	size_t at;
	bool has_ended;			/* the other end sends no more */
};

/* Views into the connection's input, until the next read from it. */
struct probe_reply {
	int status;
	bool is_http10;
	struct der_bytes head;		/* the fields' lines */
	struct der_bytes body;
	bool is_kept;			/* the connection goes on */
};

/* Whether the reply to this has a body: RFC 9112, 6.3. */
enum probe_method { PROBE_METHOD_OTHER, PROBE_METHOD_HEAD };

/* Zero state is not legal for close: open sets it up, also when it fails.
 * The deadline is the peer's timeout from now.  DOWN or TIMEOUT. */
enum oc_err probe_open(struct probe_peer *peer, struct probe_connection *c,
    struct oc_error *error) OC_MUST_CHECK;
void probe_close(struct probe_connection *c);
/* Closes with a reset: what is under way is lost. */
void probe_reset(struct probe_connection *c);

/* All of it before the deadline.  DOWN where the other end has closed: it may
 * have answered before. */
enum oc_err probe_send(struct probe_connection *c, struct der_bytes octets,
    struct oc_error *error) OC_MUST_CHECK;
/* We send no more, and still read. */
void probe_send_end(struct probe_connection *c);

/*
 * The next reply.  NOT_FOUND: the connection ended before its first octet;
 * TIMEOUT; DOWN: it ended inside; MALFORMED and LIMIT say what is wrong.
 * What is in the input behind it stays for the next.
 */
enum oc_err probe_read(struct probe_connection *c, enum probe_method method,
    struct probe_reply *reply, struct oc_error *error) OC_MUST_CHECK;
/* Reads until the other end closes: OK then, whether or not it said more;
 * TIMEOUT if it does not.  *len is how much was left unread. */
enum oc_err probe_read_end(struct probe_connection *c, size_t *len,
    struct oc_error *error) OC_MUST_CHECK;
/* True if there is input before the time is over, or the end. */
bool probe_wait(struct probe_connection *c, int64_t until_ns);

/* The only field of this name; false if there is none, or several. */
bool probe_field(const struct probe_reply *reply, const char *name,
    struct der_bytes *value);
/* In how many fields of this name. */
unsigned int probe_num_fields(const struct probe_reply *reply,
    const char *name);
/* True if a list has this word, RFC 9110 5.6.1; what stands behind it up to
 * the next comma is *argument ("max-age" of "max-age=5": "5"). */
bool probe_list_has(struct der_bytes list, const char *word,
    struct der_bytes *argument);
/* The same of all fields of this name: together they are one list, RFC 9110
 * 5.3. */
bool probe_fields_have(const struct probe_reply *reply, const char *name,
    const char *word, struct der_bytes *argument);
/* IMF-fixdate, RFC 9110 5.6.7, and nothing else; the day's name must be the
 * date's. */
bool probe_date(struct der_bytes text, int64_t *at);

#endif
