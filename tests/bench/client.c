/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
client_give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", client_program, what);
	exit(1);
}

void
client_dial(struct client *c, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&in,
	    sizeof(in)) != 0)
		client_give_up("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void
client_send(struct client *c, const void *request, size_t len)
{
	c->got = 0;
	for (size_t sent = 0; sent < len; ) {
		ssize_t n = send(c->fd, (const char *)request + sent,
		    len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			client_give_up("send");
		sent += (size_t)n;
	}
}

const char *
client_read(struct client *c, size_t *len)
{
	ssize_t n = recv(c->fd, c->answer + c->got,
	    sizeof(c->answer) - 1 - c->got, 0);
	const char *body, *field;

	if (n <= 0)
		client_give_up("the connection was closed");
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	body = memmem(c->answer, c->got, "\r\n\r\n", 4);
	if (body == NULL)
		return NULL;
	if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0 &&
	    strncmp(c->answer, "HTTP/1.0 200", 12) != 0)
		client_give_up(c->answer);
	field = strcasestr(c->answer, "\r\nContent-Length: ");
	if (field == NULL || field > body)
		client_give_up("no Content-Length");
	*len = strtoul(field + 18, NULL, 10);
	body += 4;
	return c->got < (size_t)(body - c->answer) + *len ? NULL : body;
}
