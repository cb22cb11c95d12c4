/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: validate_ask SOCKET MS TASK NAME NUM
 *
 * Asks NUM questions at once at validator.sock: TASK is "file", "txt", "meta",
 * "caa", "contacts", "mail", "publish" or "withdraw", of NAME, in which a "%"
 * is the question's number.  Says "asked" when all are, and a line
 * "FAULT SEEN [CONTACT...]" for each answer.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "validation/validation.h"

static size_t num_waiting;

static void
on_done(void *arg, const struct validation_reply *reply)
{
	(void)arg;
	num_waiting--;
	printf("%s %s", reply->fault == VALIDATION_NO_FAULT ? "ok" :
	    validation_fault_text(reply->fault), reply->seen);
	for (uint32_t i = 0; i < reply->num_contacts; i++)
		printf(" %s", reply->contacts[i]);
	printf("\n");
}

static void
name_of(const char *pattern, size_t n, char name[VALIDATION_NAME_MAX + 1])
{
	const char *at = strchr(pattern, '%');

	if (at == NULL)
		(void)snprintf(name, VALIDATION_NAME_MAX + 1, "%s", pattern);
	else
		(void)snprintf(name, VALIDATION_NAME_MAX + 1, "%.*s%zu%s",
		    (int)(at - pattern), pattern, n, at + 1);
}

static enum validation_task
task_of(const char *word)
{
	for (int task = 1; task <= VALIDATION_TASK_LAST; task++)
		if (strcmp(word, validation_task_text(
		    (enum validation_task)task)) == 0)
			return (enum validation_task)task;
	fprintf(stderr, "no task %s\n", word);
	exit(2);
}

static void
ask(struct validation_client *client, enum validation_task task,
    const char *name, int64_t deadline_ns)
{
	struct validation_question q = { .task = task, .name = name };
	char to[VALIDATION_NAME_MAX + 16];
	struct validation_ask *asked;

	(void)snprintf(to, sizeof(to), "postmaster@%s", name);
	if (task == VALIDATION_TXT || task == VALIDATION_PUBLISH ||
	    task == VALIDATION_WITHDRAW)
		q.prefix = "_acme-challenge.";
	if (task == VALIDATION_FILE)
		q.path = "acme-challenge/good";
	if (task == VALIDATION_FILE || task == VALIDATION_META ||
	    q.prefix != NULL)
		q.expected = "token";
	if (task == VALIDATION_MAIL) {
		q.to = to;
		q.subject = "Is it yours?";
		q.body = "The code is token.\n";
	}
	if (validation_client_ask(client, &q, deadline_ns, on_done, NULL,
	    &asked) != OC_OK) {
		fprintf(stderr, "%s is not asked\n", name);
		exit(1);
	}
	num_waiting++;
}

int
main(int argc, char **argv)
{
	struct validation_client *client;
	char name[VALIDATION_NAME_MAX + 1];
	struct pollfd pfd = { .events = POLLIN };
	int64_t deadline_ns;

	if (argc != 6 || validation_client_new(argv[1], &client) != OC_OK)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	deadline_ns = oc_clock_mono_ns() +
	    strtol(argv[2], NULL, 10) * OC_NS_PER_MS;
	for (size_t n = 0; n < strtoul(argv[5], NULL, 10); n++) {
		name_of(argv[4], n, name);
		ask(client, task_of(argv[3]), name, deadline_ns);
	}
	printf("asked\n");
	pfd.fd = validation_client_fd(client);
	while (num_waiting > 0)
		if (poll(&pfd, 1, -1) > 0)
			validation_client_dispatch(client);
	validation_client_free(client);
	return 0;
}
