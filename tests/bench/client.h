/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kept HTTP/1.x connection of a bench's client: one request under way, and
 * the answer to it.  What does not go as it should ends the program: a number
 * would be of something else.
 */
#ifndef TESTS_BENCH_CLIENT_H
#define TESTS_BENCH_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CLIENT_ANSWER_MAX (64 * 1024)

struct client {
	int fd;
	size_t got;
	char answer[CLIENT_ANSWER_MAX];
};

/* The program's, for what it says. */
extern const char client_program[];
void client_give_up(const char *what) OC_NORETURN;

/* To loopback. */
void client_dial(struct client *c, uint16_t port);
void client_send(struct client *c, const void *request, size_t len);
/* Reads what there is.  The body of a whole answer with 200, *len octets; NULL
 * while there is more to come. */
const char *client_read(struct client *c, size_t *len);

#endif
