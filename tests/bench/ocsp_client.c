/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks an HTTP server for OCSP responses over kept connections, each with one
 * request under way: "ocsp_client PORT KIND REQUESTS CONNECTIONS SECONDS".
 * REQUESTS has one in base64 a line.  KIND is
 *   get    GET, escaped as RFC 6960 A.1 has it
 *   post   POST
 *   file   GET of a file whose name is the request in base64url
 *   once   POST, on a connection of its own
 * Prints how many answers there were, and which latency, in us, 99 of 100 of
 * them kept within.  "ocsp_client PORT KIND REQUESTS save
 * DIR" asks once for each, writes the answers to such files, and prints them
 * in base64, a line each.
 *
 * One thread, epoll(7); every request is made before the clock starts.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/bench/client.h"

#define CONNECTIONS_MAX 1024

struct request {
	char *text;
	size_t len;
	char *name;			/* base64url */
};

struct connection {
	struct client http;
	size_t next;			/* the request under way */
	int64_t since_ns;		/* when it was sent */
};

const char client_program[] = "ocsp_client";
static struct connection connections[CONNECTIONS_MAX];
static struct request *requests;
static size_t num_requests;
static bool is_once;

/* --- requests ----------------------------------------------------------- */

static char *
name_of(const char *base64)
{
	char *name = strdup(base64);

	if (name == NULL)
		client_give_up("out of memory");
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '.' : *p;
	return name;
}

static void
escape(const char *base64, char *out)
{
	for (; *base64 != '\0'; base64++) {
		if (strchr("+/=", *base64) != NULL)
			out += sprintf(out, "%%%02X",
			    (unsigned char)*base64);
		else
			*out++ = *base64;
	}
	*out = '\0';
}

static void
make_post(struct request *r, const char *base64)
{
	uint8_t der[1024];
	size_t len = strlen(base64), head_len;

	if (len > sizeof(der))
		client_give_up("a request is too long");
	memcpy(der, base64, len);
	if (oc_base64_decode_in_place((char *)der, len, &len) != OC_OK)
		client_give_up("a request is not base64");
	r->text = malloc(256 + len);
	if (r->text == NULL)
		client_give_up("out of memory");
	head_len = (size_t)sprintf(r->text, "POST / HTTP/1.1\r\nHost: bench"
	    "\r\nContent-Type: application/ocsp-request\r\nContent-Length: "
	    "%zu\r\n\r\n", len);
	memcpy(r->text + head_len, der, len);
	r->len = head_len + len;
}

static void
make_request(struct request *r, const char *kind, const char *base64)
{
	char target[4096];
	int len;

	if (strlen(base64) > sizeof(target) / 4)
		client_give_up("a request is too long");
	r->name = name_of(base64);
	if (strcmp(kind, "post") == 0 || strcmp(kind, "once") == 0) {
		make_post(r, base64);
		return;
	}
	if (strcmp(kind, "get") == 0)
		escape(base64, target);
	else
		strcpy(target, r->name);
	len = asprintf(&r->text, "GET /%s HTTP/1.1\r\nHost: bench\r\n\r\n",
	    target);
	if (len < 0)
		client_give_up("out of memory");
	r->len = (size_t)len;
}

static void
make_requests(const char *kind, const char *path)
{
	struct oc_error error = { 0 };
	size_t len, room = 0;
	uint8_t *text;
	char *line, *rest;

	if (oc_file_read(path, 64 << 20, &text, &len, &error) != OC_OK)
		client_give_up(error.text);
	rest = (char *)text;
	while ((line = strtok_r(rest, "\n", &rest)) != NULL) {
		if (num_requests == room) {
			room = room == 0 ? 1024 : 2 * room;
			requests = reallocarray(requests, room,
			    sizeof(*requests));
			if (requests == NULL)
				client_give_up("out of memory");
		}
		make_request(&requests[num_requests++], kind, line);
	}
	free(text);
	if (num_requests == 0)
		client_give_up("no requests");
}

/* --- connections -------------------------------------------------------- */

static void
send_request(struct connection *c)
{
	const struct request *r = &requests[c->next];

	c->since_ns = oc_clock_mono_ns();
	client_send(&c->http, r->text, r->len);
}

/* OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, ... } */
static bool
is_successful(const char *body, size_t len)
{
	size_t at = len > 2 && (body[1] & 0x80) != 0 ?
	    2 + (size_t)(body[1] & 0x7f) : 2;

	return len > at + 3 && memcmp(body + at, "\012\001\000", 3) == 0;
}

/* NULL while there is more to come. */
static const char *
read_answer(struct connection *c, size_t *len)
{
	const char *body = client_read(&c->http, len);

	if (body != NULL && !is_successful(body, *len))
		client_give_up("an answer is an error");
	return body;
}

/* --- latencies, by us and then by eighths of a power of two -------------- */

#define BUCKETS_MAX 256

static unsigned long latencies[BUCKETS_MAX];

/* Below 8 each us has its own. */
static size_t
bucket_of(uint64_t us)
{
	unsigned int shift = 0;

	while (us >> shift >= 16)
		shift++;
	return 8 * shift + (us >> shift);
}

static uint64_t
bucket_end(size_t bucket)
{
	size_t shift = bucket < 16 ? 0 : (bucket - 8) / 8;

	return ((uint64_t)(bucket - 8 * shift) + 1) << shift;
}

static void
note_latency(int64_t ns)
{
	size_t bucket = bucket_of((uint64_t)ns / 1000);

	latencies[bucket < BUCKETS_MAX ? bucket : BUCKETS_MAX - 1]++;
}

static uint64_t
percentile(unsigned long count, unsigned int percent)
{
	unsigned long seen = 0;

	for (size_t i = 0; i < BUCKETS_MAX; i++) {
		seen += latencies[i];
		if (seen * 100 >= count * percent)
			return bucket_end(i);
	}
	return 0;
}

/* --- the two things it does --------------------------------------------- */

static void
save(uint16_t port, const char *dir)
{
	struct connection *c = &connections[0];
	const char *body;
	char path[4096], text[2 * CLIENT_ANSWER_MAX];
	size_t len;

	client_dial(&c->http, port);
	for (c->next = 0; c->next < num_requests; c->next++) {
		int fd;

		send_request(c);
		while ((body = read_answer(c, &len)) == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir,
		    requests[c->next].name);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, body, len) != (ssize_t)len)
			client_give_up(path);
		close(fd);
		oc_base64_encode(body, len, text);
		puts(text);
	}
}

static void
open_one(int epoll_fd, uint16_t port, struct connection *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	client_dial(&c->http, port);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->http.fd, &ev) != 0)
		client_give_up("epoll_ctl");
}

static int
open_all(uint16_t port, size_t num)
{
	int epoll_fd = epoll_create1(0);

	if (epoll_fd < 0)
		client_give_up("epoll_create1");
	for (size_t i = 0; i < num; i++) {
		open_one(epoll_fd, port, &connections[i]);
		/* Far from each other, so that all are asked for. */
		connections[i].next = i * (num_requests / num) %
		    num_requests;
		send_request(&connections[i]);
	}
	return epoll_fd;
}

static unsigned long
ask(uint16_t port, size_t num, int64_t duration_ns)
{
	struct epoll_event events[CONNECTIONS_MAX];
	int epoll_fd = open_all(port, num);
	int64_t end = oc_clock_mono_ns() + duration_ns;
	unsigned long count = 0;
	size_t len;

	while (oc_clock_mono_ns() < end) {
		int n = epoll_wait(epoll_fd, events, CONNECTIONS_MAX, 1000);

		if (n <= 0)
			client_give_up("no answer for a second");
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (read_answer(c, &len) == NULL)
				continue;
			count++;
			note_latency(oc_clock_mono_ns() - c->since_ns);
			c->next = (c->next + 1) % num_requests;
			if (is_once) {
				close(c->http.fd);
				open_one(epoll_fd, port, c);
			}
			send_request(c);
		}
	}
	return count;
}

int
main(int argc, char **argv)
{
	unsigned long count;
	uint16_t port;
	int num;

	if (argc != 6)
		client_give_up("PORT KIND REQUESTS CONNECTIONS SECONDS, or "
		    "PORT KIND REQUESTS save DIR");
	port = (uint16_t)atoi(argv[1]);
	is_once = strcmp(argv[2], "once") == 0;
	make_requests(argv[2], argv[3]);
	if (strcmp(argv[4], "save") == 0) {
		save(port, argv[5]);
		return 0;
	}
	num = atoi(argv[4]);
	if (num < 1 || num > CONNECTIONS_MAX)
		client_give_up("CONNECTIONS");
	count = ask(port, (size_t)num, atoi(argv[5]) * OC_NS_PER_S);
	printf("%lu %llu\n", count,
	    (unsigned long long)percentile(count, 99));
	return 0;
}
