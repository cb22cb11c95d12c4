/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSTs one body again and again over a number of kept connections and
 * counts the answers with 200: "issue_client PORT PATH FILE CONNECTIONS
 * SECONDS" prints how many a second.  One thread, poll(2): it takes little
 * of the CPU that is measured.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define CONNECTIONS_MAX 64
#define ANSWER_MAX (64 * 1024)

struct connection {
	int fd;
	size_t sent, got;
	char answer[ANSWER_MAX];
};

static struct connection connections[CONNECTIONS_MAX];
static char *request;
static size_t request_len;

static void
give_up(const char *what)
{
	fprintf(stderr, "issue_client: %s\n", what);
	exit(1);
}

static void
dial(struct connection *c, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&in,
	    sizeof(in)) != 0)
		give_up("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
send_request(struct connection *c)
{
	c->got = 0;
	for (c->sent = 0; c->sent < request_len; ) {
		ssize_t n = send(c->fd, request + c->sent,
		    request_len - c->sent, MSG_NOSIGNAL);

		if (n <= 0)
			give_up("send");
		c->sent += (size_t)n;
	}
}

/* 1 when an answer is whole. */
static int
read_answer(struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got,
	    sizeof(c->answer) - 1 - c->got, 0);
	const char *body, *len;

	if (n <= 0)
		give_up("the connection was closed");
	c->got += (size_t)n;
	c->answer[c->got] = '\0';
	body = strstr(c->answer, "\r\n\r\n");
	len = strcasestr(c->answer, "\r\nContent-Length: ");
	if (body == NULL)
		return 0;
	if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0)
		give_up(c->answer);
	if (len == NULL || len > body)
		give_up("no Content-Length");
	return c->got >= (size_t)(body + 4 - c->answer) +
	    strtoul(len + 18, NULL, 10);
}

static void
make_request(const char *path, const char *file)
{
	struct oc_error error = { 0 };
	uint8_t *body;
	size_t len;
	int n;

	if (oc_file_read(file, 1 << 20, &body, &len, &error) != OC_OK)
		give_up(error.text);
	n = asprintf(&request, "POST %s HTTP/1.1\r\nHost: bench\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
	    "%s", path, len, (const char *)body);
	if (n < 0)
		give_up("out of memory");
	request_len = (size_t)n;
	free(body);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[CONNECTIONS_MAX];
	int num = argc == 6 ? atoi(argv[4]) : 0;
	int64_t begun, now, end;
	unsigned long count = 0;

	if (num < 1 || num > CONNECTIONS_MAX)
		give_up("PORT PATH FILE CONNECTIONS SECONDS");
	make_request(argv[2], argv[3]);
	for (int i = 0; i < num; i++) {
		dial(&connections[i], (uint16_t)atoi(argv[1]));
		send_request(&connections[i]);
		fds[i] = (struct pollfd){ connections[i].fd, POLLIN, 0 };
	}
	begun = oc_clock_mono_ns();
	end = begun + atoi(argv[5]) * OC_NS_PER_S;
	while ((now = oc_clock_mono_ns()) < end) {
		if (poll(fds, (nfds_t)num, 1000) < 0)
			give_up("poll");
		for (int i = 0; i < num; i++)
			if (fds[i].revents != 0 &&
			    read_answer(&connections[i])) {
				count++;
				send_request(&connections[i]);
			}
	}
	printf("%.0f\n", (double)count * 1e9 / (double)(now - begun));
	free(request);
	return 0;
}
