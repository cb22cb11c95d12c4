/* SPDX-License-Identifier: Apache-2.0 */
#include "status/admin.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/channel.h"
#include "ipc/handover.h"
#include "net/listen.h"
#include "net/server.h"
#include "status/metrics.h"

#define LISTENERS_MAX 64
#define CONNECTIONS_MAX 16
#define SIGNER_TIMEOUT_NS OC_NS_PER_S
/* 64 issuers make 200 KiB. */
#define METRICS_MAX (1024 * 1024)
#define TEXT "text/plain; charset=utf-8"

struct status_admin {
	const struct status_all *all;
	struct net_server *server;
	struct ipc_channel *signer;
	struct event *on_signer;
	int listeners[LISTENERS_MAX];	/* until the server has them */
	size_t num_listeners;
	/* Who waits for the signer's answer; it is asked once for all. */
	struct net_exchange *waiters[CONNECTIONS_MAX];
	size_t num_waiters;
};

static void
refuse(void *arg, const char *path, int status, char **body,
    const char **type)
{
	(void)arg, (void)path;
	*type = TEXT;
	if (asprintf(body, "%s\n", net_status_text(status)) < 0)
		*body = NULL;
}

static void
say(struct net_exchange *exchange, int status, const char *fields)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s\n", net_status_text(status));
	net_reply(exchange, status, TEXT, fields, text, strlen(text));
}

/* The same for all of them. */
static void
answer(struct status_admin *a, const json_t *signer)
{
	struct oc_buffer out;
	bool is_whole;
	size_t i;

	oc_buffer_init(&out, METRICS_MAX);
	is_whole = status_put_metrics(a->all, signer, &out);
	for (i = 0; i < a->num_waiters; i++)
		if (is_whole)
			net_reply(a->waiters[i], 200, STATUS_METRICS_TYPE,
			    NULL, oc_buffer_text(&out), out.len);
		else
			say(a->waiters[i], 500, NULL);
	a->num_waiters = 0;
	oc_buffer_fini(&out);
}

static void
on_answer(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct der_bytes text;
	json_t *signer = NULL;

	if (err == OC_OK && type == IPC_STATUS_IS &&
	    ipc_read_text_message(fields, &text) == OC_OK)
		signer = json_loadb((const char *)text.p, text.len, 0, NULL);
	answer(arg, signer);
	json_decref(signer);
}

static void
ask_signer(struct status_admin *a)
{
	uint64_t id = ipc_channel_next_id(a->signer);
	uint8_t frame[IPC_HEADER_LEN];
	enum oc_err err;
	size_t len;

	err = ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS, &len);
	if (err == OC_OK)
		err = ipc_channel_ask(a->signer, id, frame, len, -1,
		    oc_clock_mono_ns() + SIGNER_TIMEOUT_NS, on_answer, a);
	if (err != OC_OK)
		answer(a, NULL);
}

static void
handle(void *arg, struct net_exchange *exchange)
{
	const struct net_request *request = net_exchange_request(exchange);
	struct status_admin *a = arg;

	if (strcmp(request->path, "/metrics") != 0) {
		say(exchange, 404, NULL);
	} else if (request->method != NET_GET &&
	    request->method != NET_HEAD) {
		say(exchange, 405, "Allow: GET, HEAD\r\n");
	} else if (a->num_waiters == CONNECTIONS_MAX) {
		say(exchange, 503, "Retry-After: 1\r\n");
	} else {
		a->waiters[a->num_waiters++] = exchange;
		if (a->num_waiters == 1)
			ask_signer(a);
	}
}

static void
on_signer(evutil_socket_t fd, short what, void *arg)
{
	struct status_admin *a = arg;

	(void)fd, (void)what;
	ipc_channel_dispatch(a->signer);
}

static enum oc_err
open_listeners(struct status_admin *a, const struct oc_config *config,
    struct oc_error *error)
{
	const struct oc_words *words = &config->metrics.listen;
	enum oc_err err = OC_OK;
	size_t i;
	int fd;

	while (a->num_listeners < LISTENERS_MAX && (fd = ipc_handover_fd(
	    "metrics", (unsigned int)a->num_listeners)) >= 0)
		a->listeners[a->num_listeners++] = fd;
	if (a->num_listeners > 0)
		return OC_OK;
	if (words->num > LISTENERS_MAX)
		return oc_error_set(error, OC_ERR_LIMIT, "[metrics] listen: "
		    "more than %d addresses", LISTENERS_MAX);
	for (i = 0; err == OC_OK && i < words->num; i++) {
		err = net_listen(words->words[i], &fd, error);
		if (err == OC_OK)
			a->listeners[a->num_listeners++] = fd;
	}
	return err;
}

static enum oc_err
open_signer(struct status_admin *a,
    const struct status_admin_options *options, struct oc_error *error)
{
	enum oc_err err;
	char *path;

	if (asprintf(&path, "%s/signer-status.sock",
	    options->config->daemon.run_directory) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = ipc_channel_new(path, "ocsign-status", &a->signer);
	free(path);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	a->on_signer = event_new(options->base, ipc_channel_fd(a->signer),
	    EV_READ | EV_PERSIST, on_signer, a);
	if (a->on_signer == NULL || event_add(a->on_signer, NULL) != 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	return OC_OK;
}

static enum oc_err
open_server(struct status_admin *a,
    const struct status_admin_options *options, struct oc_error *error)
{
	const struct net_server_options server = {
		.base = options->base,
		.listeners = a->listeners,
		.num_listeners = a->num_listeners,
		.connections_max = CONNECTIONS_MAX,
		.address_max = CONNECTIONS_MAX,
		.handshakes_max = CONNECTIONS_MAX,
		.header_timeout_ns = 5 * OC_NS_PER_S,
		.request_timeout_ns = 5 * OC_NS_PER_S,
		/* Scrapes are 15 s or a minute apart. */
		.idle_timeout_ns = 90 * OC_NS_PER_S,
		.write_timeout_ns = 10 * OC_NS_PER_S,
		.body_max = 0,
		.handler = handle,
		.refuse = refuse,
		.arg = a,
	};
	enum oc_err err = net_server_new(&server, &a->server, error);

	if (err == OC_OK)
		a->num_listeners = 0;
	return err;
}

enum oc_err
status_admin_new(const struct status_admin_options *options,
    struct status_admin **admin, struct oc_error *error)
{
	struct status_admin *a = calloc(1, sizeof(*a));
	enum oc_err err;

	if (a == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	a->all = options->all;
	err = open_listeners(a, options->config, error);
	if (err == OC_OK && a->num_listeners == 0) {
		status_admin_free(a);
		return OC_OK;
	}
	if (err == OC_OK)
		err = open_signer(a, options, error);
	if (err == OC_OK)
		err = open_server(a, options, error);
	if (err != OC_OK) {
		status_admin_free(a);
		return err;
	}
	*admin = a;
	return OC_OK;
}

/* Exchanges outlive the server, and are freed by being answered. */
void
status_admin_free(struct status_admin *a)
{
	if (a == NULL)
		return;
	if (a->on_signer != NULL)
		event_free(a->on_signer);
	ipc_channel_free(a->signer);
	net_server_free(a->server);
	while (a->num_waiters > 0)
		say(a->waiters[--a->num_waiters], 503, NULL);
	while (a->num_listeners > 0)
		close(a->listeners[--a->num_listeners]);
	free(a);
}
