/* SPDX-License-Identifier: Apache-2.0 */
/* Does plain HTTP answer?  One request, and of the reply the head only. */
#include "cli/origin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/connect.h"

/* What servers send before the body, generously; then we stop listening. */
#define HEAD_MAX (16 * 1024)

static enum oc_err
send_request(const struct cli_origin *o, int fd, int64_t deadline_ns,
    struct oc_error *error)
{
	bool is_v6 = strchr(o->host, ':') != NULL;
	char text[512];
	size_t len, sent = 0;

	len = (size_t)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n"
	    "Host: %s%s%s%s%s\r\nUser-Agent: ocsign\r\nAccept: */*\r\n"
	    "Connection: close\r\n\r\n", is_v6 ? "[" : "", o->host,
	    is_v6 ? "]" : "", strcmp(o->http_port, "80") == 0 ? "" : ":",
	    strcmp(o->http_port, "80") == 0 ? "" : o->http_port);
	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN &&
		    cli_wait(fd, POLLOUT, deadline_ns))
			continue;
		else if (errno != EINTR)
			return oc_error_set_errno(error, OC_ERR_DOWN,
			    "sending");
	}
	return OC_OK;
}

/* Up to the empty line, or HEAD_MAX, or whatever ends it. */
static enum oc_err
receive_head(int fd, int64_t deadline_ns, struct oc_buffer *head,
    struct oc_error *error)
{
	uint8_t octets[2048];

	for (;;) {
		ssize_t n = recv(fd, octets, sizeof(octets), 0);

		if (n == 0)
			return head->len > 0 ? OC_OK : oc_error_set(error,
			    OC_ERR_MALFORMED, "closes without a word");
		if (n > 0)
			oc_buffer_put(head, octets, (size_t)n);
		else if (errno == EAGAIN && cli_wait(fd, POLLIN, deadline_ns))
			continue;
		else if (errno == ETIMEDOUT)
			return oc_error_set(error, OC_ERR_TIMEOUT, "says "
			    "nothing, or does not end its header, in time");
		else if (errno != EINTR)
			return oc_error_set_errno(error, OC_ERR_DOWN,
			    "receiving");
		if (head->err != OC_OK)
			return oc_error_set(error, OC_ERR_LIMIT, "sends a "
			    "header of more than %d octets", HEAD_MAX);
		if (head->len > 0 &&
		    memmem(head->bytes, head->len, "\r\n\r\n", 4) != NULL)
			return OC_OK;
	}
}

/* Where a redirect goes to, into text; false: nowhere. */
static bool
find_location(const char *head, char *text, size_t max)
{
	const char *line = head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, "Location:", 9) != 0)
			continue;
		line += 9;
		line += strspn(line, " \t");
		(void)snprintf(text, max, "%.*s", (int)strcspn(line, "\r\n"),
		    line);
		return true;
	}
	return false;
}

static void
fail(struct cli_origin *o, const char *what, const char *advice)
{
	struct cli_origin_line *line = cli_origin_say(o, "http",
	    CLI_ORIGIN_FLEXIBLE, CLI_ORIGIN_FAILED, "%s", what);

	oc_error_set(&line->advice, OC_OK, "%s", advice);
}

static void
judge(struct cli_origin *o, const char *head)
{
	int len = (int)strcspn(head, "\r\n"), status = 0;
	char location[128], what[OC_ERROR_TEXT_MAX];

	if (strncmp(head, "HTTP/1.", 7) != 0 || len < 12 ||
	    sscanf(head + 8, " %3d", &status) != 1) {
		fail(o, "what it answers is not HTTP", "let a web server "
		    "listen there");
		return;
	}
	(void)snprintf(what, sizeof(what), "%.*s", len < 80 ? len : 80, head);
	if (status >= 300 && status < 400 &&
	    find_location(head, location, sizeof(location)) &&
	    strncasecmp(location, "https:", 6) == 0) {
		(void)snprintf(what + strlen(what), sizeof(what) -
		    strlen(what), ", to %s: an edge in flexible mode would "
		    "go round in circles", location);
		fail(o, what, "use full or strict, or answer without the "
		    "redirect");
	} else if (status == 400 || status == 421 || status == 426)
		fail(o, what, "is this a port for TLS? --http-port is the "
		    "other one");
	else if (status < 200 || status >= 500)
		fail(o, what, "look into the server's log");
	else
		cli_origin_say(o, "http", CLI_ORIGIN_FLEXIBLE, CLI_ORIGIN_OK,
		    "%s", what);
}

void
cli_origin_probe_http(struct cli_origin *o)
{
	int64_t deadline_ns = cli_origin_deadline(o);
	struct oc_error error = { 0 };
	struct oc_buffer head;
	int fd = -1;
	enum oc_err err;

	oc_buffer_init(&head, HEAD_MAX);
	err = cli_connect(o->address, o->http_port, deadline_ns, &fd, &error);
	if (err == OC_OK)
		err = send_request(o, fd, deadline_ns, &error);
	if (err == OC_OK)
		err = receive_head(fd, deadline_ns, &head, &error);
	if (err != OC_OK)
		fail(o, error.text, "none is needed for full and strict");
	else
		judge(o, oc_buffer_text(&head));
	if (fd >= 0)
		(void)close(fd);
	oc_buffer_fini(&head);
}
