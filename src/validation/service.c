/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question is a job from its frame to its answer: first in its peer's queue
 * of its lane, then under way.  Whoever asked may cancel it or go at any time.
 */
#include "validation/service.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fifo.h"
#include "base/log.h"
#include "validation/wire.h"

#define UNDER_WAY_MAX 2048
/* Of one peer, in a lane: whoever asks more does not wait for answers. */
#define WAITING_MAX 4096
#define BUCKETS 256
#define WAY_NS (500 * OC_NS_PER_MS)
#define FRAME_MAX (16 + VALIDATION_SEEN_MAX + \
	VALIDATION_CONTACTS_MAX * (VALIDATION_ADDRESS_MAX + 8) + 64)

enum lane {
	LANE_CAA,		/* a certificate waits */
	LANE_LOOK,
	LANE_ACT,		/* mail; zones */
	LANES
};

struct client;
struct job {
	struct client *client;
	struct job *next;		/* base/fifo.h */
	struct job *bucket_next;
	uint64_t id;
	enum lane lane;
	int64_t deadline_ns;
	struct validation_asked *asked;
	bool is_under_way;
	struct validation_looking *looking;
};

/* A peer, and what it has asked. */
struct client {
	struct validation_service *service;
	struct ipc_peer *peer;
	struct client *prev, *next;
	struct oc_fifo waiting[LANES];
	uint32_t num_under_way[LANES];
	struct job *buckets[BUCKETS];
};

struct validation_service {
	struct ipc_server *server;
	struct validation_looker looker;
	struct validation_counts *counts;
	int64_t timeout_ns;
	uint32_t under_way_max;
	uint32_t num_under_way[LANES];
	struct client *clients;
	struct client *turn[LANES];	/* whose it is; NULL: the first's */
	bool is_draining;
};

static enum lane
lane_of(enum validation_task task)
{
	switch (task) {
	case VALIDATION_CAA:
		return LANE_CAA;
	case VALIDATION_TXT:
	case VALIDATION_FILE:
	case VALIDATION_META:
	case VALIDATION_CONTACTS:
		return LANE_LOOK;
	case VALIDATION_MAIL:
	case VALIDATION_PUBLISH:
	case VALIDATION_WITHDRAW:
		break;
	}
	return LANE_ACT;
}

/* --- jobs ---------------------------------------------------------------- */

static struct job **
bucket_of(struct client *c, uint64_t id)
{
	return &c->buckets[id % BUCKETS];
}

static struct job *
find_job(struct client *c, uint64_t id)
{
	struct job *job = *bucket_of(c, id);

	while (job != NULL && job->id != id)
		job = job->bucket_next;
	return job;
}

/* It is in no queue any more. */
static void
job_free(struct job *job)
{
	struct job **link = bucket_of(job->client, job->id);

	while (*link != job)
		link = &(*link)->bucket_next;
	*link = job->bucket_next;
	free(job->asked);
	free(job);
}

static void
job_leave(struct job *job)
{
	struct client *c = job->client;
	struct validation_service *s = c->service;

	if (job->is_under_way) {
		c->num_under_way[job->lane]--;
		s->num_under_way[job->lane]--;
	} else {
		oc_fifo_remove(&c->waiting[job->lane], job);
	}
}

/* Whoever asked does not wait for it any more. */
static void
job_cancel(struct job *job)
{
	struct validation_service *s = job->client->service;

	if (job->is_under_way)
		s->looker.cancel(s->looker.arg, job->looking);
	job_leave(job);
	s->counts->left++;
	job_free(job);
}

static void
answer(struct validation_service *s, struct ipc_peer *peer, uint64_t id,
    enum validation_task task, const struct validation_reply *reply)
{
	uint8_t frame[FRAME_MAX];
	size_t len;

	s->counts->ended[task][reply->fault]++;
	oc_log(OC_LOG_DEBUG, "%s: %s%s%s", validation_task_text(task),
	    reply->fault == VALIDATION_NO_FAULT ? "yes" :
	    validation_fault_text(reply->fault),
	    reply->seen[0] != '\0' ? ": " : "", reply->seen);
	if (validation_put_reply(frame, sizeof(frame), id, reply, &len) ==
	    OC_OK)
		ipc_peer_send(peer, frame, len);
	else
		ipc_peer_close(peer);
}

static void
answer_ours(struct validation_service *s, struct ipc_peer *peer, uint64_t id,
    enum validation_task task, enum oc_err err)
{
	struct validation_reply reply = { .fault = VALIDATION_OURS,
	    .is_temporary = err == OC_ERR_BUSY || err == OC_ERR_NOMEM };
	const char *seen = err == OC_ERR_BUSY ? "ocsign-validator has too "
	    "much to look at" : err == OC_ERR_UNSUPPORTED ? "ocsign-validator "
	    "is not configured for that" : oc_strerror(err);

	(void)snprintf(reply.seen, sizeof(reply.seen), "%s", seen);
	answer(s, peer, id, task, &reply);
}

/* --- beginning ----------------------------------------------------------- */

static void pump(struct validation_service *s, enum lane lane);

/* Draining: nothing of this one is under way any more. */
static void
close_if_done(struct client *c)
{
	for (int lane = 0; lane < LANES; lane++)
		if (c->num_under_way[lane] > 0)
			return;
	ipc_peer_finish(c->peer);
}

static void
looked(void *arg, const struct validation_reply *reply)
{
	struct job *job = arg;
	struct client *c = job->client;
	struct validation_service *s = c->service;
	enum lane lane = job->lane;

	job_leave(job);
	answer(s, c->peer, job->id, job->asked->question.task, reply);
	job_free(job);
	if (s->is_draining)
		close_if_done(c);
	else
		pump(s, lane);
}

static void
begin(struct job *job)
{
	struct client *c = job->client;
	struct validation_service *s = c->service;
	const struct validation_question *q = &job->asked->question;
	enum oc_err err;

	err = s->looker.start(s->looker.arg, q, job->deadline_ns, looked, job,
	    &job->looking);
	if (err == OC_OK) {
		job->is_under_way = true;
		c->num_under_way[job->lane]++;
		s->num_under_way[job->lane]++;
		return;
	}
	answer_ours(s, c->peer, job->id, q->task, err);
	job_free(job);
}

static bool
may_begin(const struct client *c, enum lane lane)
{
	return c->waiting[lane].num > 0 &&
	    c->num_under_way[lane] < (c->service->under_way_max + 1) / 2;
}

/* Whose turn it is; NULL: nobody waits who may. */
static struct client *
next_client(struct validation_service *s, enum lane lane)
{
	struct client *from = s->turn[lane], *c;

	for (c = from; c != NULL; c = c->next)
		if (may_begin(c, lane))
			return c;
	for (c = s->clients; c != from; c = c->next)
		if (may_begin(c, lane))
			return c;
	return NULL;
}

static void
pump(struct validation_service *s, enum lane lane)
{
	struct client *c;

	while (!s->is_draining && s->num_under_way[lane] < s->under_way_max &&
	    (c = next_client(s, lane)) != NULL) {
		s->turn[lane] = c->next;
		begin(oc_fifo_take(&c->waiting[lane]));
	}
}

/* --- peers --------------------------------------------------------------- */

static struct client *
client_of(struct validation_service *s, struct ipc_peer *peer)
{
	struct client *c = ipc_peer_data(peer);

	if (c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->service = s;
	c->peer = peer;
	for (int lane = 0; lane < LANES; lane++)
		oc_fifo_init(&c->waiting[lane], offsetof(struct job, next));
	c->next = s->clients;
	if (c->next != NULL)
		c->next->prev = c;
	s->clients = c;
	ipc_peer_set_data(peer, c);
	return c;
}

static int64_t
deadline_of(const struct validation_service *s, uint32_t timeout_ms)
{
	int64_t left_ns = (int64_t)timeout_ms * OC_NS_PER_MS;
	int64_t way_ns = left_ns / 10;

	/* The answer has a way to go, and says more than that time is up. */
	left_ns -= way_ns < WAY_NS ? way_ns : WAY_NS;
	return oc_clock_mono_ns() + (left_ns < s->timeout_ns ? left_ns :
	    s->timeout_ns);
}

static enum oc_err
queue(struct client *c, uint64_t id, struct validation_asked *asked)
{
	enum lane lane = lane_of(asked->question.task);
	struct job *job;

	if (c->waiting[lane].num >= WAITING_MAX)
		return OC_ERR_BUSY;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->client = c;
	job->id = id;
	job->lane = lane;
	job->asked = asked;
	job->deadline_ns = deadline_of(c->service, asked->timeout_ms);
	job->bucket_next = *bucket_of(c, id);
	*bucket_of(c, id) = job;
	oc_fifo_put(&c->waiting[lane], job);
	return OC_OK;
}

/* False: that is no question, or a second one of the same number. */
static bool
take_question(struct client *c, uint64_t id, struct der_bytes fields)
{
	struct validation_service *s = c->service;
	struct validation_asked *asked;
	enum validation_task task;
	enum oc_err err;

	if (find_job(c, id) != NULL ||
	    validation_read_question(fields, &asked) != OC_OK)
		return false;
	/* A successor is asked again. */
	if (s->is_draining) {
		free(asked);
		return true;
	}
	task = asked->question.task;
	s->counts->asked[task]++;
	err = queue(c, id, asked);
	if (err != OC_OK) {
		free(asked);
		answer_ours(s, c->peer, id, task, err);
		return true;
	}
	pump(s, lane_of(task));
	return true;
}

static void
take_cancel(struct client *c, uint64_t id)
{
	struct job *job = find_job(c, id);
	enum lane lane;

	if (job == NULL)
		return;
	lane = job->lane;
	job_cancel(job);
	if (c->service->is_draining)
		close_if_done(c);
	else
		pump(c->service, lane);
}

static void
on_frame(void *arg, struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	struct client *c = client_of(arg, peer);
	bool is_fine = c != NULL && fd < 0;

	if (fd >= 0)
		close(fd);
	if (is_fine && header->type == IPC_VALIDATE)
		is_fine = take_question(c, header->id, fields);
	else if (is_fine && header->type == IPC_CANCEL && fields.len == 0)
		take_cancel(c, header->id);
	else
		is_fine = false;
	if (!is_fine)
		ipc_peer_close(peer);
}

static void
client_free(struct client *c)
{
	struct validation_service *s = c->service;

	for (size_t i = 0; i < BUCKETS; i++)
		while (c->buckets[i] != NULL)
			job_cancel(c->buckets[i]);
	for (int lane = 0; lane < LANES; lane++)
		if (s->turn[lane] == c)
			s->turn[lane] = c->next;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->clients = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
}

static void
on_gone(void *arg, struct ipc_peer *peer)
{
	struct validation_service *s = arg;
	struct client *c = ipc_peer_data(peer);

	if (c == NULL)
		return;
	client_free(c);
	for (int lane = 0; lane < LANES; lane++)
		pump(s, (enum lane)lane);
}

/* --- the service ---------------------------------------------------------- */

enum oc_err
validation_service_new(const struct validation_service_options *options,
    struct validation_service **service)
{
	struct validation_service *s = calloc(1, sizeof(*s));
	enum oc_err err;

	if (s == NULL) {
		close(options->listener);
		return OC_ERR_NOMEM;
	}
	s->looker = *options->looker;
	s->counts = options->counts;
	s->timeout_ns = options->timeout_ns;
	s->under_way_max = options->under_way_max != 0 ?
	    options->under_way_max : UNDER_WAY_MAX;
	err = ipc_server_new(options->base, options->listener,
	    "ocsign-validator", on_frame, on_gone, s, &s->server);
	if (err != OC_OK) {
		close(options->listener);
		free(s);
		return err;
	}
	ipc_server_allow(s->server, options->peers);
	*service = s;
	return OC_OK;
}

void
validation_service_drain(struct validation_service *s)
{
	s->is_draining = true;
	ipc_server_stop(s->server);
	for (struct client *c = s->clients; c != NULL; c = c->next)
		close_if_done(c);
}

bool
validation_service_is_drained(const struct validation_service *s)
{
	return s->clients == NULL;
}

void
validation_service_free(struct validation_service *s)
{
	if (s == NULL)
		return;
	s->is_draining = true;		/* nothing is begun any more */
	ipc_server_free(s->server);
	free(s);
}
