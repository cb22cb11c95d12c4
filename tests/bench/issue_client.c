/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSTs one body again and again over a number of kept connections and
 * counts the answers with 200: "issue_client PORT PATH FILE CONNECTIONS
 * SECONDS" prints how many a second.  One thread, poll(2): it takes little
 * of the CPU that is measured.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/bench/client.h"

#define CONNECTIONS_MAX 64

const char client_program[] = "issue_client";
static struct client connections[CONNECTIONS_MAX];
static char *request;
static size_t request_len;

static void
make_request(const char *path, const char *file)
{
	struct oc_error error = { 0 };
	uint8_t *body;
	size_t len;
	int n;

	if (oc_file_read(file, 1 << 20, &body, &len, &error) != OC_OK)
		client_give_up(error.text);
	n = asprintf(&request, "POST %s HTTP/1.1\r\nHost: bench\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n"
	    "%s", path, len, (const char *)body);
	if (n < 0)
		client_give_up("out of memory");
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
	size_t len;

	if (num < 1 || num > CONNECTIONS_MAX)
		client_give_up("PORT PATH FILE CONNECTIONS SECONDS");
	make_request(argv[2], argv[3]);
	for (int i = 0; i < num; i++) {
		client_dial(&connections[i], (uint16_t)atoi(argv[1]));
		client_send(&connections[i], request, request_len);
		fds[i] = (struct pollfd){ connections[i].fd, POLLIN, 0 };
	}
	begun = oc_clock_mono_ns();
	end = begun + atoi(argv[5]) * OC_NS_PER_S;
	while ((now = oc_clock_mono_ns()) < end) {
		if (poll(fds, (nfds_t)num, 1000) < 0)
			client_give_up("poll");
		for (int i = 0; i < num; i++)
			if (fds[i].revents != 0 &&
			    client_read(&connections[i], &len) != NULL) {
				count++;
				client_send(&connections[i], request,
				    request_len);
			}
	}
	printf("%.0f\n", (double)count * 1e9 / (double)(now - begun));
	free(request);
	return 0;
}
