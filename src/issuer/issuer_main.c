/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-issuer: the process that API clients talk to, and that publishes
 * CRLs; either may be alone.  It has no key and no PIN: it decides, writes the
 * records, and asks ocsign-signer for signatures, which looks at each value
 * itself.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfssl/json.h"
#include "ipc/handover.h"
#include "ipc/role.h"
#include "issuer/door.h"
#include "issuer/publisher.h"
#include "issuer/service.h"
#include "net/listen.h"
#include "net/server.h"

#define LISTENERS_MAX 64
/* ocsignd kills who has not ended after 10 s. */
#define DRAIN_NS (8 * OC_NS_PER_S)
#define DRAIN_LOOK_US 20000
/* For what the end of the service has answered. */
#define LAST_WORDS_NS OC_NS_PER_S
#define WRITE_TIMEOUT_NS (30 * OC_NS_PER_S)

struct program {
	struct oc_config *config;
	struct event_base *base;
	struct event *term, *interrupt, *drain_tick;
	struct issuer_publisher *publisher;	/* NULL: no CRLs */
	struct issuer_service *service;	/* NULL without an API, as are */
	struct net_tls *tls;		/* these two */
	struct net_server *server;
	struct oc_page *counts;		/* NULL: not to be read */
	int listeners[LISTENERS_MAX];
	size_t num_listeners;
	int64_t drain_until_ns;
};

/* Handed over, or, run alone, our own. */
static enum oc_err
open_listeners(struct program *p, struct oc_error *error)
{
	const struct oc_words *words = &p->config->api.listen;
	enum oc_err err = OC_OK;
	int fd;

	while (p->num_listeners < LISTENERS_MAX && (fd = ipc_handover_fd(
	    "api", (unsigned int)p->num_listeners)) >= 0)
		p->listeners[p->num_listeners++] = fd;
	if (p->num_listeners > 0)
		return OC_OK;
	for (size_t i = 0; err == OC_OK && i < words->num; i++) {
		if (p->num_listeners == LISTENERS_MAX)
			return oc_error_set(error, OC_ERR_LIMIT, "more than "
			    "%d addresses to listen on", LISTENERS_MAX);
		err = net_listen(words->words[i],
		    &p->listeners[p->num_listeners], error);
		if (err == OC_OK)
			p->num_listeners++;
	}
	return err;
}

/* Answers matter more than that they are counted. */
static void
open_counts(struct program *p)
{
	struct oc_error error = { 0 };

	if (net_counts_open(p->config->daemon.issuer_directory,
	    ipc_handover_run(), &p->counts, &error) != OC_OK)
		oc_log(OC_LOG_WARNING, "%s: what is counted here will not be "
		    "seen by \"ocsign status\"", error.text);
}

static enum oc_err
open_server(struct program *p, struct oc_error *error)
{
	const struct oc_config_api *api = &p->config->api;
	const struct net_server_options options = {
		.base = p->base,
		.listeners = p->listeners,
		.num_listeners = p->num_listeners,
		.tls = p->tls,
		.connections_max = (uint32_t)api->connections_max,
		.address_max = (uint32_t)api->address_max,
		.handshakes_max = NET_HANDSHAKES_MAX,
		.header_timeout_ns = api->header_timeout_s * OC_NS_PER_S,
		.request_timeout_ns = api->request_timeout_s * OC_NS_PER_S,
		.idle_timeout_ns = api->idle_timeout_s * OC_NS_PER_S,
		.write_timeout_ns = WRITE_TIMEOUT_NS,
		.body_max = NET_BODY_MAX,
		.handler = issuer_door_handle,
		.refuse = issuer_door_refuse,
		.arg = p->service,
		.answers = p->counts == NULL ? NULL :
		    net_counts_of(p->counts),
	};

	return net_server_new(&options, &p->server, error);
}

static void
on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = { 0, DRAIN_LOOK_US };
	struct program *p = arg;

	(void)fd, (void)what;
	if (p->server == NULL || net_server_is_drained(p->server) ||
	    oc_clock_mono_ns() > p->drain_until_ns)
		event_base_loopexit(p->base, NULL);
	else
		(void)event_add(p->drain_tick, &again);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;

	if (p->drain_until_ns != 0)
		return;
	ipc_notify("STOPPING=1");
	p->drain_until_ns = oc_clock_mono_ns() + DRAIN_NS;
	issuer_publisher_stop(p->publisher);
	if (p->server != NULL)
		net_server_drain(p->server);
	on_drain_tick(fd, what, p);
}

static enum oc_err
add_events(struct program *p, struct oc_error *error)
{
	p->drain_tick = evtimer_new(p->base, on_drain_tick, p);
	p->term = evsignal_new(p->base, SIGTERM, on_signal, p);
	p->interrupt = evsignal_new(p->base, SIGINT, on_signal, p);
	if (p->drain_tick == NULL || p->term == NULL ||
	    p->interrupt == NULL || event_add(p->term, NULL) != 0 ||
	    event_add(p->interrupt, NULL) != 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
open_api(struct program *p, struct oc_error *error)
{
	const struct oc_config_api *api = &p->config->api;
	enum oc_err err = OC_OK;

	if (api->tls_certificate != NULL)
		err = net_tls_new(api->tls_certificate, api->tls_key,
		    &p->tls, error);
	if (err == OC_OK)
		err = issuer_service_new(p->config, p->base, &p->service,
		    error);
	if (err == OC_OK)
		err = open_listeners(p, error);
	if (err == OC_OK) {
		open_counts(p);
		err = open_server(p, error);
	}
	return err;
}

static enum oc_err
open_all(struct program *p, struct oc_error *error)
{
	enum oc_err err;

	if (!oc_config_has_issuer(p->config))
		return oc_error_set(error, OC_ERR_CONFIG, "there is no [api] "
		    "section with a listen key, and no issuer with "
		    "crl-publish: nothing to do");
	p->base = event_base_new();
	if (p->base == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = add_events(p, error);
	if (err == OC_OK && p->config->api.listen.num > 0)
		err = open_api(p, error);
	if (err == OC_OK && oc_config_publishes(p->config))
		err = issuer_publisher_new(p->config, &p->publisher, error);
	return err;
}

/* The answers that the service's end gave are written. */
static void
send_last_words(struct program *p)
{
	if (p->server == NULL || p->drain_until_ns == 0)
		return;
	net_server_finish(p->server);
	p->drain_until_ns = oc_clock_mono_ns() + LAST_WORDS_NS;
	on_drain_tick(-1, 0, p);
	(void)event_base_dispatch(p->base);
}

/* The service before the server: whoever waits for it is answered. */
static void
close_all(struct program *p)
{
	if (p->server == NULL)
		while (p->num_listeners > 0)
			close(p->listeners[--p->num_listeners]);
	issuer_service_free(p->service);
	send_last_words(p);
	issuer_publisher_free(p->publisher);
	net_server_free(p->server);
	net_tls_free(p->tls);
	oc_page_close(p->counts);
	if (p->term != NULL)
		event_free(p->term);
	if (p->interrupt != NULL)
		event_free(p->interrupt);
	if (p->drain_tick != NULL)
		event_free(p->drain_tick);
	if (p->base != NULL) {
		/* What is deferred holds a connection that was freed. */
		(void)event_base_loop(p->base, EVLOOP_NONBLOCK);
		event_base_free(p->base);
	}
	oc_config_free(p->config);
}

/* As many connections as the system lets us have. */
static void
raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What some certificates under way take: given back after each of them, it
 * would be faulted in again for the next. */
static void
keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD	/* glibc's */
	(void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

/* What another try would not change. */
static bool
needs_a_person(enum oc_err err)
{
	return err == OC_ERR_CONFIG || err == OC_ERR_MISMATCH ||
	    err == OC_ERR_MALFORMED || err == OC_ERR_REFUSED;
}

int
main(int argc, char **argv)
{
	struct program p = { 0 };
	struct oc_error error = { 0 };
	int status;

	status = ipc_role_start(argc, argv, "ocsign-issuer", "Issues and "
	    "revokes certificates for API clients, and publishes CRLs.",
	    &p.config);
	if (status != IPC_ROLE_RUN)
		return status;
	raise_fd_limit();
	keep_memory();
	/* A request may hold a private key, by whose mistake ever. */
	cfssl_json_cleanse();
	status = EXIT_SUCCESS;
	if (open_all(&p, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		status = needs_a_person(error.code) ? IPC_EXIT_CONFIG :
		    EXIT_FAILURE;
	} else {
		ipc_notify("READY=1\nSTATUS=%s", p.server != NULL ?
		    "answering" : "publishing CRLs");
		if (event_base_dispatch(p.base) != 0)
			status = EXIT_FAILURE;
	}
	close_all(&p);
	return status;
}
