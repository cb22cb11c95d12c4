/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-status: reads the status sources, is the only writer of the response
 * tables, and answers what the responders' tables do not hold.
 *
 * One thread runs the event loop; each issuer's source has one of its own
 * (status/feed.c).  A successor started beside us waits for our table locks.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/handover.h"
#include "ipc/peers.h"
#include "ipc/role.h"
#include "ipc/server.h"
#include "ipc/turn.h"
#include "ocsp/response.h"
#include "status/admin.h"
#include "status/crl_alarm.h"
#include "status/files.h"

#define SERVICES_MAX 64
#define TICK_MS 250
/* Between two turns of what goes through a table: for everybody else. */
#define TURN_MS 5
#define KNOWN_STEP 100000
/* How long a successor waits for the tables of the one before it. */
#define LOCK_TRIES 600
#define LOCK_TRY_US 50000
/* What a frame has room for. */
#define STATUS_TEXT_MAX (OC_FRAME_MAX - IPC_HEADER_LEN - 4)

struct program {
	struct oc_config *config;
	struct event_base *base;
	struct signer *signer;
	struct ocsp_budget budget, verify_budget;
	struct oc_clock_watch clock;
	bool is_clock_well;
	struct status_service *services[SERVICES_MAX];
	uint32_t num_services;
	struct ipc_server *status, *control;
	struct status_crls *crls;	/* NULL: not told */
	struct status_files *files;
	struct status_publish *publish;
	struct status_all all;
	struct status_admin *admin;	/* NULL: none wanted */
	uint64_t num_known;		/* when we last asked for time */
	struct event *events[SERVICES_MAX + 8];
	struct event *walk;		/* one of them */
	uint32_t num_events;
	struct status_share *share;	/* NULL: nothing is shared */
	struct ipc_turn turn;		/* of having things signed */
};

/* A question that waits; the peer may go before the answer comes. */
struct question {
	struct question *next, **at;
	struct ipc_peer *peer;		/* NULL: gone */
	uint64_t id;
	uint32_t num_left;		/* nudges: services not done */
};
static struct question *questions;
/* What ends now was not served: the peers ask our successor. */
static bool is_stopping;

static struct question *
question_new(struct ipc_peer *peer, uint64_t id)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->peer = peer;
	q->id = id;
	q->next = questions;
	q->at = &questions;
	if (questions != NULL)
		questions->at = &q->next;
	questions = q;
	return q;
}

static void
question_free(struct question *q)
{
	*q->at = q->next;
	if (q->next != NULL)
		q->next->at = q->at;
	free(q);
}

static void
peer_gone(void *arg, struct ipc_peer *peer)
{
	struct question *q;

	(void)arg;
	for (q = questions; q != NULL; q = q->next)
		if (q->peer == peer)
			q->peer = NULL;
}

/* --- status.sock: the responders' misses ------------------------------ */

static void
send_answer(struct ipc_peer *peer, uint64_t id,
    const struct ipc_answer *answer)
{
	uint8_t frame[OC_FRAME_MAX];
	size_t len;

	if (ipc_put_answer(frame, sizeof(frame), id, answer, &len) == OC_OK)
		ipc_peer_send(peer, frame, len);
	else
		ipc_peer_close(peer);
}

static void
answer_question(void *arg, const struct ipc_answer *answer)
{
	struct question *q = arg;

	if (q->peer != NULL)
		send_answer(q->peer, q->id, answer);
	question_free(q);
}

static struct status_service *
find_service(const struct program *p, const char *name)
{
	uint32_t i;

	for (i = 0; i < p->num_services; i++)
		if (strcmp(status_service_name(p->services[i]), name) == 0)
			return p->services[i];
	return NULL;
}

static void
on_status_frame(void *arg, struct ipc_peer *peer,
    const struct ipc_header *header, struct der_bytes fields, int fd)
{
	struct program *p = arg;
	struct status_service *service;
	struct question *q;
	struct ipc_ask ask;

	if (fd >= 0)
		close(fd);
	if (header->type != IPC_ASK || ipc_read_ask(fields, &ask) != OC_OK) {
		oc_log(OC_LOG_WARNING, "a responder (pid %d) sent what is no "
		    "question: disconnected", (int)ipc_peer_pid(peer));
		ipc_peer_close(peer);
		return;
	}
	service = find_service(p, ask.name);
	q = service != NULL ? question_new(peer, header->id) : NULL;
	if (q == NULL) {
		send_answer(peer, header->id, &(struct ipc_answer){
		    .kind = IPC_ANSWER_ERROR, .status = service == NULL ?
		    OCSP_UNAUTHORIZED : OCSP_TRY_LATER });
		return;
	}
	ipc_turn_asks(&p->turn);
	status_service_ask(service, &ask, answer_question, q);
}

/* --- status-control.sock: ocsign -------------------------------------- */

static void
nudge_done(void *arg)
{
	struct question *q = arg;
	uint8_t frame[IPC_HEADER_LEN];
	size_t len;

	if (--q->num_left > 0)
		return;
	if (q->peer != NULL && !is_stopping && ipc_put_bare(frame,
	    sizeof(frame), q->id, IPC_NUDGED, &len) == OC_OK)
		ipc_peer_send(q->peer, frame, len);
	question_free(q);
}

static void
nudge(struct program *p, struct ipc_peer *peer, uint64_t id)
{
	struct question *q = question_new(peer, id);
	uint32_t i;

	if (q == NULL) {
		ipc_peer_close(peer);
		return;
	}
	/* One more than there are, so that it lives until all are told. */
	q->num_left = p->num_services + 1;
	for (i = 0; i < p->num_services; i++)
		if (status_service_nudge(p->services[i], nudge_done, q) !=
		    OC_OK) {
			q->num_left--;
			q->peer = NULL;
			ipc_peer_close(peer);
		}
	nudge_done(q);
}

static void
tell_status(struct program *p, struct ipc_peer *peer, uint64_t id)
{
	uint8_t frame[OC_FRAME_MAX];
	char *text = status_describe(&p->all, STATUS_TEXT_MAX);
	size_t len;

	if (text != NULL && ipc_put_text_message(frame, sizeof(frame), id,
	    IPC_STATUS_IS, text, &len) == OC_OK)
		ipc_peer_send(peer, frame, len);
	else
		ipc_peer_close(peer);
	free(text);
}

static void
on_control_frame(void *arg, struct ipc_peer *peer,
    const struct ipc_header *header, struct der_bytes fields, int fd)
{
	struct program *p = arg;

	if (fd >= 0)
		close(fd);
	if (header->type == IPC_NUDGE && fields.len == 0)
		nudge(p, peer, header->id);
	else if (header->type == IPC_STATUS && fields.len == 0)
		tell_status(p, peer, header->id);
	else
		ipc_peer_close(peer);
}

/* --- the loop --------------------------------------------------------- */

/* A first look at ten million certificates is longer than a start may be: who
 * waits for it is told that there is more of it than a second ago. */
static void
ask_for_time(struct program *p)
{
	struct status_service_report report;
	uint64_t num_known = 0;
	uint32_t i;

	for (i = 0; i < p->num_services; i++) {
		status_service_report(p->services[i], &report);
		num_known += report.num_certificates;
	}
	if (num_known < p->num_known + KNOWN_STEP)
		return;
	p->num_known = num_known;
	ipc_notify("EXTEND_TIMEOUT_USEC=30000000");
}

static void
note_ready(struct program *p)
{
	uint32_t i, num_current = 0;

	if (p->all.is_ready)
		return;
	for (i = 0; i < p->num_services; i++)
		num_current += status_service_is_started(p->services[i]);
	if (num_current < p->num_services) {
		ask_for_time(p);
		return;
	}
	p->all.is_ready = true;
	ipc_notify("READY=1\nSTATUS=%u issuers", p->num_services);
}

static void
hold_signer(void *arg, bool is_held)
{
	struct program *p = arg;

	sign_hold(p->signer, is_held);
}

static void
on_feed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	status_service_dispatch(arg);
}

static void
on_share(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd, (void)what;
	ipc_turn_asks(&p->turn);
	status_share_dispatch(p->share);
}

static void
on_signer(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd, (void)what;
	ipc_turn_asks(&p->turn);
	sign_dispatch(p->signer);
}

static void
note_clock(struct program *p)
{
	int64_t jump_s = oc_clock_watch_look(&p->clock) / 1000;

	if ((jump_s == 0) == p->is_clock_well)
		return;
	p->is_clock_well = jump_s == 0;
	if (p->is_clock_well)
		oc_log(OC_LOG_NOTICE, "the clock is right again");
	else
		oc_log(OC_LOG_ERROR, "the clock was set %lld s %s at once: "
		    "nothing is signed, and what is signed is served only "
		    "while it is valid by both times; set the clock, or "
		    "reload if it is right now", (long long)(jump_s < 0 ?
		    -jump_s : jump_s), jump_s < 0 ? "back" : "ahead");
}

static void
walk_soon(struct program *p)
{
	static const struct timeval soon = { 0, TURN_MS * 1000 };

	(void)event_add(p->walk, &soon);
}

static void
on_walk(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int64_t now = oc_clock_watch_now_s(&p->clock);
	bool goes_on = false;

	(void)fd, (void)what;
	ipc_turn_asks(&p->turn);
	for (uint32_t i = 0; i < p->num_services; i++)
		goes_on |= status_service_walk(p->services[i], now);
	if (goes_on)
		walk_soon(p);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	int64_t now;
	uint32_t i;

	(void)fd, (void)what;
	ipc_turn_asks(&p->turn);
	note_clock(p);
	now = oc_clock_watch_now_s(&p->clock);
	for (i = 0; i < p->num_services; i++)
		status_service_tick(p->services[i], now);
	status_crls_complain(p->crls, now);
	if (p->share != NULL)
		status_share_dispatch(p->share);
	note_ready(p);
	walk_soon(p);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	(void)fd, (void)what;
	ipc_notify("STOPPING=1");
	event_base_loopexit(p->base, NULL);
}

static bool
add_event(struct program *p, int fd, short what, event_callback_fn fn,
    void *arg, const struct timeval *every)
{
	struct event *ev = event_new(p->base, fd, what | EV_PERSIST, fn, arg);

	if (ev == NULL)
		return false;
	p->events[p->num_events++] = ev;
	return event_add(ev, every) == 0;
}

static bool
add_events(struct program *p)
{
	const struct timeval tick = { 0, TICK_MS * 1000 };
	uint32_t i;

	if (ipc_turn_init(&p->turn, p->base, hold_signer, p) != OC_OK)
		return false;
	for (i = 0; i < p->num_services; i++)
		if (!add_event(p, status_service_fd(p->services[i]), EV_READ,
		    on_feed, p->services[i], NULL))
			return false;
	if (p->share != NULL && !add_event(p, status_share_fd(p->share),
	    EV_READ, on_share, p, NULL))
		return false;
	p->walk = evtimer_new(p->base, on_walk, p);
	if (p->walk == NULL)
		return false;
	p->events[p->num_events++] = p->walk;
	return add_event(p, sign_fd(p->signer), EV_READ, on_signer, p, NULL) &&
	    add_event(p, -1, 0, on_tick, p, &tick) &&
	    add_event(p, SIGTERM, EV_SIGNAL, on_signal, p, NULL) &&
	    add_event(p, SIGINT, EV_SIGNAL, on_signal, p, NULL);
}

/* --- start and end ---------------------------------------------------- */

static char *
socket_path(const struct program *p, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s.sock",
	    p->config->daemon.run_directory, name) < 0 ? NULL : path;
}

/* A listener that was handed over, or, run alone, one of our own. */
static enum oc_err
serve(struct program *p, enum ipc_door door, ipc_frame_fn *frame,
    struct ipc_server **server, struct oc_error *error)
{
	const char *name = door == IPC_DOOR_STATUS ? "status" :
	    "status-control";
	int listener = ipc_handover_fd(name, 0);
	struct ipc_peers peers;
	enum oc_err err;
	char *path;

	err = ipc_peers_find(p->config, door, &peers, error);
	if (err == OC_OK && listener < 0) {
		path = socket_path(p, name);
		err = path == NULL ? OC_ERR_NOMEM :
		    ipc_listen(path, &listener, error);
		free(path);
	}
	if (err != OC_OK)
		return err;
	err = ipc_server_new(p->base, listener, "ocsign-status", frame,
	    peer_gone, p, server);
	if (err == OC_OK)
		ipc_server_allow(*server, &peers);
	return err;
}

/* One that has begun already, for the same issuer. */
static const struct status_service *
find_fellow(const struct program *p, const struct oc_config_ocsp *ocsp)
{
	size_t i;

	for (i = 0; i < p->config->num_ocsp; i++) {
		const struct oc_config_ocsp *other = &p->config->ocsp[i];

		if (other != ocsp && other->issuer == ocsp->issuer &&
		    find_service(p, other->name) != NULL)
			return find_service(p, other->name);
	}
	return NULL;
}

/* Waits for a predecessor to let go of the table: it is told to when we say
 * that we stand by. */
static enum oc_err
open_service(struct program *p, const struct oc_config_ocsp *ocsp,
    struct oc_error *error)
{
	const struct status_service_plan plan = {
		.config = p->config,
		.ocsp = ocsp,
		.signer = p->signer,
		.budget = &p->budget,
		.verify_budget = &p->verify_budget,
		.run = ipc_handover_run(),
		.clock = &p->clock,
		.crl_file = status_files_find_crl(p->files, ocsp->issuer),
		.records = status_files_find_records(p->files, ocsp->issuer),
		.fellow = find_fellow(p, ocsp),
		.share = p->share,
	};
	enum oc_err err = OC_ERR_BUSY;
	int i;

	for (i = 0; err == OC_ERR_BUSY && i < LOCK_TRIES; i++) {
		if (i == 1)
			ipc_notify("STATUS=standby");
		if (i > 0)
			usleep(LOCK_TRY_US);
		err = status_service_new(&plan,
		    &p->services[p->num_services], error);
	}
	if (err == OC_OK)
		p->num_services++;
	return err;
}

/* An issuer without a certificate is one that is only planned; it joins with
 * the next reload. */
static enum oc_err
open_services(struct program *p, struct oc_error *error)
{
	enum oc_err err;
	size_t i;

	for (i = 0; i < p->config->num_ocsp; i++) {
		const struct oc_config_ocsp *ocsp = &p->config->ocsp[i];
		const struct oc_config_issuer *issuer = ocsp->issuer;

		if ((issuer->allow & OC_ALLOW_OCSP) == 0)
			continue;
		if (access(issuer->certificate, F_OK) != 0) {
			if (ocsp->signer == NULL)
				oc_log(OC_LOG_NOTICE, "issuer %s: %s is not "
				    "there yet: left out until the next "
				    "reload", issuer->name,
				    issuer->certificate);
			continue;
		}
		if (p->num_services == SERVICES_MAX)
			return oc_error_set(error, OC_ERR_LIMIT, "more than "
			    "%d issuers and [ocsp-signer]s", SERVICES_MAX);
		err = open_service(p, ocsp, error);
		if (err != OC_OK)
			return oc_error_prefix(error, "issuer %s",
			    ocsp->name);
	}
	return OC_OK;
}

static enum oc_err
open_admin(struct program *p, struct oc_error *error)
{
	const struct status_admin_options options = { p->base, p->config,
	    &p->all };
	enum oc_err err = status_publish_new(p->config, p->files,
	    &p->publish, error);

	if (err != OC_OK)
		return err;
	err = status_crls_new(p->config, status_publish_look, p->publish,
	    &p->crls, error);
	if (err != OC_OK)
		return err;
	p->all = (struct status_all){ p->services, p->num_services, false,
	    p->config->daemon.responder_directory,
	    p->config->daemon.issuer_directory, ipc_handover_run(), p->crls,
	    p->publish, &p->clock, p->files,
	    oc_config_validates(p->config) ?
	    p->config->daemon.validator_directory : NULL };
	return status_admin_new(&options, &p->admin, error);
}

/* Those who join it are its before it starts. */
static enum oc_err
open_share(struct program *p, struct oc_error *error)
{
	const struct oc_config_store *store = &p->config->store;

	if (store->database == NULL || store->share_responses == OC_SWITCH_NO)
		return OC_OK;
	return status_share_new(store->database, &p->share, error);
}

static enum oc_err
open_all(struct program *p, struct oc_error *error)
{
	enum oc_err err = OC_ERR_NOMEM;
	char *path = socket_path(p, "signer-status");

	p->budget.rate = p->config->responder.nonce_budget;
	p->verify_budget.rate =
	    p->config->responder.request_signature_budget;
	if (path != NULL)
		err = oc_clock_watch_init(&p->clock,
		    p->config->daemon.status_directory, OC_CLOCK_WATCH_WRITES);
	p->is_clock_well = true;
	if (err == OC_OK)
		err = ipc_signer_new(path, "ocsign-status", &p->signer);
	free(path);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	err = open_share(p, error);
	if (err == OC_OK)
		err = status_files_new(p->config, &p->files, error);
	if (err == OC_OK)
		err = open_services(p, error);
	if (err != OC_OK)
		return err;
	/* Whoever did so before us is gone by now, as its tables are ours. */
	if (status_files_watch(p->files) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	/* After the waiting, lest signals find nobody. */
	p->base = event_base_new();
	if (p->base == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = serve(p, IPC_DOOR_STATUS, on_status_frame, &p->status, error);
	if (err == OC_OK)
		err = serve(p, IPC_DOOR_STATUS_CONTROL, on_control_frame,
		    &p->control, error);
	if (err == OC_OK)
		err = open_admin(p, error);
	if (err == OC_OK && p->share != NULL)
		err = status_share_start(p->share, error);
	if (err == OC_OK && !add_events(p))
		err = oc_error_set(error, OC_ERR_SYSTEM, "event loop");
	return err;
}

static void
close_all(struct program *p)
{
	uint32_t i;

	is_stopping = true;
	status_admin_free(p->admin);
	status_crls_free(p->crls);
	status_publish_free(p->publish);
	for (i = 0; i < p->num_events; i++)
		event_free(p->events[i]);
	ipc_turn_fini(&p->turn);
	/* Before the tables are our successor's. */
	status_files_stop(p->files);
	status_share_free(p->share);
	for (i = 0; i < p->num_services; i++)
		status_service_free(p->services[i]);
	status_files_free(p->files);
	ipc_server_free(p->status);
	ipc_server_free(p->control);
	while (questions != NULL)
		question_free(questions);
	sign_free(p->signer);
	if (p->base != NULL)
		event_base_free(p->base);
	oc_clock_watch_fini(&p->clock);
	oc_config_free(p->config);
}

int
main(int argc, char **argv)
{
	struct program p = { 0 };
	struct oc_error error = { 0 };
	int status;

	status = ipc_role_start(argc, argv, "ocsign-status", "Keeps the OCSP "
	    "response tables and answers what they do not hold.", &p.config);
	if (status != IPC_ROLE_RUN)
		return status;
	status = EXIT_SUCCESS;
	if (open_all(&p, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		status = error.code == OC_ERR_MISMATCH ||
		    error.code == OC_ERR_MALFORMED ||
		    error.code == OC_ERR_CONFIG ? IPC_EXIT_CONFIG :
		    EXIT_FAILURE;
	} else {
		note_clock(&p);
		note_ready(&p);
		if (event_base_dispatch(p.base) != 0)
			status = EXIT_FAILURE;
	}
	close_all(&p);
	return status;
}
