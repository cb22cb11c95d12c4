/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The asking end: a channel (ipc/channel.h), which reconnects, asks again what
 * a validator that ended left unanswered, and keeps the deadlines.  Here is
 * what an answer means, and who still waits for one.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "validation/wire.h"

/* A mail's body is the longest of it. */
#define FRAME_MAX (VALIDATION_BODY_MAX + 8 * 1024)

struct validation_ask {
	struct validation_client *client;
	uint64_t id;
	validation_done_fn *done;
	void *arg;
	struct validation_ask *prev, *next;
};

struct validation_client {
	struct ipc_channel *channel;
	struct validation_ask *asks;
	bool is_ending;
	uint8_t frame[FRAME_MAX];
};

enum oc_err
validation_client_new(const char *path, struct validation_client **client)
{
	struct validation_client *c = calloc(1, sizeof(*c));
	enum oc_err err;

	if (c == NULL)
		return OC_ERR_NOMEM;
	err = ipc_channel_new(path, "validation", &c->channel);
	if (err != OC_OK) {
		free(c);
		return err;
	}
	*client = c;
	return OC_OK;
}

static void
ask_free(struct validation_ask *ask)
{
	if (ask->prev != NULL)
		ask->prev->next = ask->next;
	else
		ask->client->asks = ask->next;
	if (ask->next != NULL)
		ask->next->prev = ask->prev;
	free(ask);
}

static struct validation_ask *
ask_new(struct validation_client *c, validation_done_fn *done, void *arg)
{
	struct validation_ask *ask = calloc(1, sizeof(*ask));

	if (ask == NULL)
		return NULL;
	ask->client = c;
	ask->id = ipc_channel_next_id(c->channel);
	ask->done = done;
	ask->arg = arg;
	ask->next = c->asks;
	if (ask->next != NULL)
		ask->next->prev = ask;
	c->asks = ask;
	return ask;
}

static void
finish(struct validation_ask *ask, const struct validation_reply *reply)
{
	validation_done_fn *done = ask->done;
	void *arg = ask->arg;

	ask_free(ask);
	done(arg, reply);
}

static void
put_ours(struct validation_reply *reply, const char *seen)
{
	*reply = (struct validation_reply){ .fault = VALIDATION_OURS,
	    .is_temporary = true };
	(void)snprintf(reply->seen, sizeof(reply->seen), "%s", seen);
}

static void
on_reply(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct validation_reply reply;

	if (err == OC_ERR_DOWN)
		put_ours(&reply, "ocsign-validator does not answer its "
		    "socket");
	else if (err != OC_OK)
		put_ours(&reply, "ocsign-validator has not answered in time");
	else if (type != IPC_VALIDATED ||
	    validation_read_reply(fields, &reply) != OC_OK)
		put_ours(&reply, "ocsign-validator answered what is no "
		    "answer");
	finish(arg, &reply);
}

/* What is on its way is given what is left then (ipc/channel.h). */
static enum oc_err
send_question(struct validation_ask *ask,
    const struct validation_question *question, int64_t deadline_ns)
{
	struct validation_client *c = ask->client;
	const char *which = NULL;
	size_t len;
	enum oc_err err;

	err = validation_put_question(c->frame, sizeof(c->frame), ask->id,
	    question, 0, &len, &which);
	if (err == OC_ERR_REFUSED)
		oc_log(OC_LOG_WARNING, "ocsign-validator is not asked (%s): "
		    "%s is not what it may be",
		    validation_task_text(question->task), which);
	if (err != OC_OK)
		return err;
	return ipc_channel_ask(c->channel, ask->id, c->frame, len, -1,
	    deadline_ns, on_reply, ask);
}

enum oc_err
validation_client_ask(struct validation_client *c,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_ask **ask)
{
	struct validation_ask *new;
	enum oc_err err;

	if (c->is_ending)
		return OC_ERR_CANCELLED;
	new = ask_new(c, done, arg);
	if (new == NULL)
		return OC_ERR_NOMEM;
	err = send_question(new, question, deadline_ns);
	if (err != OC_OK) {
		ask_free(new);
		return err;
	}
	*ask = new;
	return OC_OK;
}

void
validation_client_cancel(struct validation_client *c,
    struct validation_ask *ask)
{
	ipc_channel_cancel(c->channel, ask->id);
	ask_free(ask);
}

struct waiting {
	bool is_done;
	struct validation_reply *reply;
};

static void
on_now(void *arg, const struct validation_reply *reply)
{
	struct waiting *w = arg;

	*w->reply = *reply;
	w->is_done = true;
}

enum oc_err
validation_client_ask_now(struct validation_client *c,
    const struct validation_question *question, int64_t deadline_ns,
    struct validation_reply *reply)
{
	struct pollfd pfd = { .fd = ipc_channel_fd(c->channel),
	    .events = POLLIN };
	struct waiting w = { false, reply };
	struct validation_ask *ask;
	enum oc_err err;

	err = validation_client_ask(c, question, deadline_ns, on_now, &w,
	    &ask);
	/* The deadline ends it: no timeout of our own. */
	while (err == OC_OK && !w.is_done)
		if (poll(&pfd, 1, -1) > 0)
			validation_client_dispatch(c);
	return err;
}

int
validation_client_fd(const struct validation_client *c)
{
	return ipc_channel_fd(c->channel);
}

void
validation_client_dispatch(struct validation_client *c)
{
	ipc_channel_dispatch(c->channel);
}

void
validation_client_free(struct validation_client *c)
{
	struct validation_reply reply;

	if (c == NULL)
		return;
	c->is_ending = true;
	ipc_channel_free(c->channel);
	put_ours(&reply, "whoever asked ocsign-validator ends");
	while (c->asks != NULL)
		finish(c->asks, &reply);
	free(c);
}
