/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of both kinds, RFC 9112 sections 6.2 and 7.1. */
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "net/server_impl.h"

/* A chunk's size in hexadecimal, far beyond any body. */
#define SIZE_DIGITS_MAX 8

/* At most n octets of the input, of which nothing stays there. */
static uint64_t
move(struct net_connection *c, struct evbuffer *in, uint64_t n)
{
	struct evbuffer_iovec piece;
	uint64_t moved = 0;

	while (moved < n && evbuffer_get_length(in) > 0 &&
	    evbuffer_peek(in, 1, NULL, &piece, 1) > 0) {
		size_t len = piece.iov_len < n - moved ? piece.iov_len :
		    (size_t)(n - moved);

		oc_buffer_put(&c->body, piece.iov_base, len);
		explicit_bzero(piece.iov_base, len);
		if (len == 0 || evbuffer_drain(in, len) != 0)
			break;
		moved += len;
	}
	return moved;
}

static int
parse_size(const char *line, uint64_t *size)
{
	size_t n = 0;

	*size = 0;
	while (oc_hex_value(line[n]) >= 0 && n <= SIZE_DIGITS_MAX)
		*size = *size * 16 + (uint64_t)oc_hex_value(line[n++]);
	if (n == 0 || n > SIZE_DIGITS_MAX)
		return -400;
	line += n + strspn(line + n, " \t");
	return *line == '\0' || *line == ';' ? 0 : -400;
}

/* 0: no whole line yet; 1; < 0. */
static int
take_line(struct net_connection *c, struct evbuffer *in, char **line)
{
	size_t len;
	int taken;

	*line = evbuffer_readln(in, &len, EVBUFFER_EOL_CRLF_STRICT);
	if (*line == NULL)
		return evbuffer_get_length(in) > NET_CHUNK_EXTRA_MAX ? -431 :
		    0;
	c->chunks.num_extra += (uint32_t)len;
	taken = c->chunks.num_extra > NET_CHUNK_EXTRA_MAX ? -431 :
	    memchr(*line, '\0', len) != NULL ? -400 : 1;
	if (taken < 0)
		free(*line);
	return taken;
}

static int
take_size(struct net_connection *c, struct evbuffer *in)
{
	char *line;
	int rc = take_line(c, in, &line);

	if (rc <= 0)
		return rc;
	rc = parse_size(line, &c->chunks.left);
	free(line);
	if (rc < 0)
		return rc;
	if (c->chunks.left > c->server->options.body_max - c->body.len)
		return -413;
	c->chunks.at = c->chunks.left > 0 ? NET_CHUNK_DATA :
	    NET_CHUNK_TRAILER;
	return 1;
}

/* The line end behind a chunk (nothing in it), or a trailer. */
static int
take_end(struct net_connection *c, struct evbuffer *in, bool *is_empty)
{
	char *line;
	int rc = take_line(c, in, &line);

	if (rc <= 0)
		return rc;
	*is_empty = *line == '\0';
	free(line);
	return 1;
}

static int
take_chunks(struct net_connection *c, struct evbuffer *in)
{
	struct net_chunks *k = &c->chunks;
	bool is_empty;
	int rc = 1;

	while (rc > 0)
		switch (k->at) {
		case NET_CHUNK_SIZE:
			rc = take_size(c, in);
			break;
		case NET_CHUNK_DATA:
			k->left -= move(c, in, k->left);
			if (k->left > 0)
				return 0;
			k->at = NET_CHUNK_END;
			break;
		case NET_CHUNK_END:
			rc = take_end(c, in, &is_empty);
			if (rc > 0 && !is_empty)
				return -400;
			if (rc > 0)
				k->at = NET_CHUNK_SIZE;
			break;
		case NET_CHUNK_TRAILER:
			rc = take_end(c, in, &is_empty);
			if (rc > 0 && is_empty)
				return 1;
			break;
		}
	return rc;
}

int
net_body_take(struct net_connection *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	int rc = 1;

	switch (c->request.framing) {
	case NET_NO_BODY:
		break;
	case NET_LENGTH:
		(void)move(c, in, c->request.content_length - c->body.len);
		rc = c->body.len == c->request.content_length;
		break;
	case NET_CHUNKED:
		rc = take_chunks(c, in);
		break;
	}
	return c->body.err == OC_OK ? rc : -413;
}
