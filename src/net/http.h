/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as the doors see them, and the strict reader of their heads
 * (RFC 9110, RFC 9112).  No sockets here: octets in, views out.  What two
 * readers could understand differently is refused.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum net_method {
	NET_GET, NET_HEAD, NET_POST, NET_PUT, NET_PATCH, NET_DELETE,
	NET_OPTIONS, NET_OTHER
};

/* Name and value end with NUL; the value has no blanks around it. */
struct net_field {
	const char *name;
	const char *value;
};

enum net_framing { NET_NO_BODY, NET_LENGTH, NET_CHUNKED };

/* Everything is borrowed from the octets that were parsed. */
struct net_request {
	enum net_method method;
	const char *method_name;
	const char *path;		/* as sent, starts with '/' */
	const char *query;		/* behind the '?'; "" if none */
	struct net_field fields[NET_FIELDS_MAX];
	uint32_t num_fields;
	enum net_framing framing;
	uint64_t content_length;	/* NET_LENGTH */
	bool is_http10;
	bool keep_alive;
	bool expects_continue;
	/* Filled in when it is whole. */
	const uint8_t *body;		/* a NUL, not counted, behind it */
	size_t body_len;
	const char *peer;		/* numeric address, for the log */
};

/* How many octets of p are a whole head, with the empty line; 0: more is
 * needed.  Empty lines in front count (RFC 9112, 2.2). */
size_t net_head_len(const uint8_t *p, size_t len);

/*
 * Reads a whole head, which it changes: NULs are written behind what is
 * borrowed.  0, or the status to be answered before the connection is closed:
 * 400, 414, 417, 431, 501, 505.
 */
int net_head_parse(char *head, size_t len, struct net_request *request);

/* Of a head that will not come as a whole: as much of its path and query as
 * is there, "" if nothing is.  Changes it as above. */
void net_head_begun(char *head, struct net_request *request);

/* Any case; NULL if it is not there.  The first, if it is there twice. */
const char *net_request_field(const struct net_request *request,
    const char *name);

/* A parameter of the query, percent-decoded; false if it is not there, does
 * not fit, or has control characters. */
bool net_request_query(const struct net_request *request, const char *name,
    char *value, size_t value_max);

/* True if the Content-Type is this media type, whatever its parameters. */
bool net_request_is_type(const struct net_request *request,
    const char *type);

/* "Not Found". */
const char *net_status_text(int status);

#endif
