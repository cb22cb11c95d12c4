/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One state machine: every event (a signal, a notice, a timer) first tells
 * the roles what happened, then drive() lets the state look at them.  A state
 * is left when what it waits for is so; none of them waits by itself.
 */
#include "daemon/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/needs.h"
#include "daemon/role.h"
#include "ipc/handover.h"
#include "ipc/role.h"

#define ROLES_MAX (2 + DAEMON_WORKERS_MAX)
#define SIGNER 0
#define STATUS 1
#define FIRST_RESPONDER 2
#define NEEDS_MAX (64 * 1024 * 1024)
#define URLS_MAX (16 * 1024)
#define NUM_SIGNALS 4

enum supervisor_state {
	STARTING,		/* all roles for the first time */
	RUNNING,
	RELOADING_SIGNER,	/* stopped and started, if it must be */
	RELOADING_STATUS,	/* its successor beside it, then alone */
	RELOADING_RESPONDERS,	/* the same, all at once */
	STOPPING_RESPONDERS,
	STOPPING_STATUS,
	STOPPING_SIGNER,
	STOPPED
};

struct supervisor {
	const struct daemon_options *options;
	struct oc_config *config;
	struct daemon_listeners *listeners;
	struct daemon_launch launch;
	char *notify_path;
	int notify_fd;
	struct oc_buffer needs;		/* the signer's, as it was started */
	enum supervisor_state state;
	struct daemon_role roles[ROLES_MAX];
	size_t num_roles;
	bool has_hup, has_term, has_started;
	int exit_status;
	struct event_base *base;
	struct event *timer, *notice, *signals[NUM_SIGNALS];
};

/* --- what the roles are told ------------------------------------------ */

static size_t
num_wanted(const struct supervisor *sup)
{
	return FIRST_RESPONDER + (size_t)sup->config->responder.workers;
}

static enum daemon_kind
kind_of(size_t i)
{
	switch (i) {
	case SIGNER:
		return DAEMON_SIGNER;
	case STATUS:
		return DAEMON_STATUS;
	}
	return DAEMON_RESPONDER;
}

/* Up to as many as the configuration wants. */
static void
add_roles(struct supervisor *sup)
{
	for (; sup->num_roles < num_wanted(sup); sup->num_roles++) {
		struct daemon_role *role = &sup->roles[sup->num_roles];

		daemon_role_init(role, kind_of(sup->num_roles),
		    (unsigned int)(sup->num_roles >= FIRST_RESPONDER ?
		    sup->num_roles - FIRST_RESPONDER : 0));
		daemon_role_start(role, &sup->launch);
	}
}

/* Those beyond what is wanted, once they have ended. */
static void
forget_roles(struct supervisor *sup)
{
	while (sup->num_roles > num_wanted(sup) &&
	    daemon_role_is_gone(&sup->roles[sup->num_roles - 1]))
		sup->num_roles--;
}

static bool
are_gone(const struct supervisor *sup, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (!daemon_role_is_gone(&sup->roles[i]))
			return false;
	return true;
}

static void
stop_roles(struct supervisor *sup, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		daemon_role_stop(&sup->roles[i]);
}

/* --- reload ----------------------------------------------------------- */

static enum oc_err
adopt(struct supervisor *sup, struct oc_config *config,
    struct oc_error *error)
{
	struct daemon_listeners *listeners;
	enum oc_err err;

	if (strcmp(config->daemon.run_directory,
	    sup->config->daemon.run_directory) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "run-directory "
		    "changes with a restart, not with a reload");
	err = daemon_listeners_open(config, sup->listeners, &listeners,
	    error);
	if (err != OC_OK)
		return err;
	daemon_listeners_free(sup->listeners);
	oc_config_free(sup->config);
	sup->listeners = listeners;
	sup->launch.listeners = listeners;
	sup->config = config;
	daemon_find_kept(config, &sup->launch);
	oc_log_init("ocsignd", config->daemon.log_level);
	return OC_OK;
}

static void
urls_path(const struct supervisor *sup, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/http.urls",
	    sup->config->daemon.run_directory);
}

static void
publish_urls(const struct supervisor *sup)
{
	struct oc_buffer urls;
	struct oc_error error = { 0 };
	char path[PATH_MAX];

	oc_buffer_init(&urls, URLS_MAX);
	daemon_listeners_put_urls(sup->listeners,
	    sup->config->responder.prefix, &urls);
	urls_path(sup, path);
	if (oc_file_write(path, 0644, oc_buffer_text(&urls), urls.len,
	    &error) != OC_OK)
		oc_log(OC_LOG_ERROR, "%s", error.text);
	for (const char *p = oc_buffer_text(&urls); *p != '\0'; ) {
		size_t len = strcspn(p, "\n");

		oc_log(OC_LOG_NOTICE, "answering at %.*s", (int)len, p);
		p += len + (p[len] == '\n');
	}
	oc_buffer_fini(&urls);
}

static enum supervisor_state
end_reload(struct supervisor *sup, const char *what)
{
	oc_log(OC_LOG_NOTICE, "%s", what);
	ipc_notify("READY=1\nSTATUS=%s", what);
	(void)sup;
	return RUNNING;
}

/* True when it had to be: its own settings changed, or it does not run. */
static bool
restart_signer(struct supervisor *sup)
{
	struct daemon_role *signer = &sup->roles[SIGNER];
	struct oc_buffer needs;
	bool is_same;

	oc_buffer_init(&needs, NEEDS_MAX);
	daemon_put_signer_needs(sup->config, &needs);
	is_same = needs.err == OC_OK && needs.len == sup->needs.len &&
	    memcmp(oc_buffer_text(&needs), oc_buffer_text(&sup->needs),
	    needs.len) == 0;
	oc_buffer_fini(&sup->needs);
	sup->needs = needs;
	if (is_same && daemon_role_is_ready(signer))
		return false;
	daemon_role_restart(signer, &sup->launch);
	return true;
}

static enum supervisor_state
begin_reload(struct supervisor *sup)
{
	struct oc_config *config = NULL;
	struct oc_error error = { 0 };

	sup->has_hup = false;
	ipc_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    oc_clock_mono_ns() / 1000);
	if (sup->options->load(sup->options->config_path, &config) != OC_OK)
		return end_reload(sup, "not reloaded: the configuration is "
		    "wrong, everything stays");
	if (adopt(sup, config, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		oc_config_free(config);
		return end_reload(sup, "not reloaded: everything stays");
	}
	publish_urls(sup);
	if (!restart_signer(sup))
		oc_log(OC_LOG_INFO, "the signer stays as it is");
	return RELOADING_SIGNER;
}

static enum supervisor_state
look_at_signer(struct supervisor *sup)
{
	const struct daemon_role *signer = &sup->roles[SIGNER];

	if (signer->has_given_up || signer->num_failures > 0)
		return end_reload(sup, "reload failed at the signer: the "
		    "others stay as they are");
	if (!daemon_role_is_ready(signer))
		return RELOADING_SIGNER;
	daemon_role_replace(&sup->roles[STATUS], &sup->launch);
	return RELOADING_STATUS;
}

/* Of a role that is replaced: still under way. */
static bool
is_changing(const struct daemon_role *role)
{
	return role->next.state != DAEMON_NONE || (!role->has_next_failed &&
	    !role->has_given_up && role->num_failures == 0 &&
	    role->now.state != DAEMON_READY);
}

static bool
has_failed(const struct daemon_role *role)
{
	return role->has_next_failed || role->has_given_up ||
	    role->num_failures > 0;
}

static enum supervisor_state
look_at_status(struct supervisor *sup)
{
	const struct daemon_role *status = &sup->roles[STATUS];
	size_t wanted = num_wanted(sup), old;

	if (is_changing(status))
		return RELOADING_STATUS;
	if (has_failed(status))
		return end_reload(sup, "reload failed at ocsign-status: the "
		    "responders stay as they are");
	if (sup->num_roles > wanted)
		stop_roles(sup, wanted, sup->num_roles);
	old = sup->num_roles < wanted ? sup->num_roles : wanted;
	for (size_t i = FIRST_RESPONDER; i < old; i++)
		daemon_role_replace(&sup->roles[i], &sup->launch);
	add_roles(sup);
	return RELOADING_RESPONDERS;
}

static enum supervisor_state
look_at_responders(struct supervisor *sup)
{
	bool is_bad = false;

	forget_roles(sup);
	if (sup->num_roles > num_wanted(sup))
		return RELOADING_RESPONDERS;
	for (size_t i = FIRST_RESPONDER; i < sup->num_roles; i++) {
		if (is_changing(&sup->roles[i]))
			return RELOADING_RESPONDERS;
		is_bad |= has_failed(&sup->roles[i]);
	}
	return end_reload(sup, is_bad ? "reload failed: responders of before "
	    "go on" : "reloaded");
}

/* --- start and stop --------------------------------------------------- */

static enum supervisor_state
begin_stop(struct supervisor *sup)
{
	ipc_notify("STOPPING=1");
	stop_roles(sup, FIRST_RESPONDER, sup->num_roles);
	return STOPPING_RESPONDERS;
}

static enum supervisor_state
give_up(struct supervisor *sup, int status)
{
	sup->exit_status = status;
	return begin_stop(sup);
}

/* Ready, or nothing more to be expected of it. */
static enum supervisor_state
look_at_start(struct supervisor *sup)
{
	size_t num_ready = 0, num_given_up = 0;

	for (size_t i = 0; i < sup->num_roles; i++) {
		const struct daemon_role *role = &sup->roles[i];

		if (sup->options->must_start && role->num_failures > 0) {
			oc_log(OC_LOG_ERROR, "%s did not start: ending",
			    role->name);
			return give_up(sup, EXIT_FAILURE);
		}
		num_ready += daemon_role_is_ready(role);
		num_given_up += role->has_given_up;
	}
	if (num_given_up == sup->num_roles)
		return give_up(sup, IPC_EXIT_CONFIG);
	if (num_ready + num_given_up < sup->num_roles)
		return STARTING;
	ipc_notify("READY=1\nSTATUS=%s", num_given_up > 0 ?
	    "not all roles run: see the log" : "running");
	if (sup->options->ready != NULL)
		sup->options->ready(sup->options->arg);
	return RUNNING;
}

static enum supervisor_state
look_at_roles(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->num_roles; i++)
		if (!sup->roles[i].has_given_up)
			return sup->has_hup ? begin_reload(sup) : RUNNING;
	oc_log(OC_LOG_ERROR, "no role can run: ending");
	return give_up(sup, IPC_EXIT_CONFIG);
}

static enum supervisor_state
look_at_stop(struct supervisor *sup)
{
	switch (sup->state) {
	case STOPPING_RESPONDERS:
		if (!are_gone(sup, FIRST_RESPONDER, sup->num_roles))
			return sup->state;
		daemon_role_stop(&sup->roles[STATUS]);
		return STOPPING_STATUS;
	case STOPPING_STATUS:
		if (!are_gone(sup, STATUS, STATUS + 1))
			return sup->state;
		daemon_role_stop(&sup->roles[SIGNER]);
		return STOPPING_SIGNER;
	case STOPPING_SIGNER:
		if (!are_gone(sup, SIGNER, SIGNER + 1))
			return sup->state;
		event_base_loopbreak(sup->base);
		return STOPPED;
	case STARTING:
	case RUNNING:
	case RELOADING_SIGNER:
	case RELOADING_STATUS:
	case RELOADING_RESPONDERS:
	case STOPPED:
		break;
	}
	return sup->state;
}

static bool
is_stopping(enum supervisor_state state)
{
	return state >= STOPPING_RESPONDERS;
}

static enum supervisor_state
step(struct supervisor *sup)
{
	if (sup->has_term && !is_stopping(sup->state))
		return begin_stop(sup);
	switch (sup->state) {
	case STARTING:
		return look_at_start(sup);
	case RUNNING:
		return look_at_roles(sup);
	case RELOADING_SIGNER:
		return look_at_signer(sup);
	case RELOADING_STATUS:
		return look_at_status(sup);
	case RELOADING_RESPONDERS:
		return look_at_responders(sup);
	case STOPPING_RESPONDERS:
	case STOPPING_STATUS:
	case STOPPING_SIGNER:
		return look_at_stop(sup);
	case STOPPED:
		break;
	}
	return STOPPED;
}

static void
arm_timer(struct supervisor *sup)
{
	int64_t at_ns = INT64_MAX, left_ns;
	struct timeval tv;

	for (size_t i = 0; i < sup->num_roles; i++) {
		int64_t role_ns = daemon_role_next_tick(&sup->roles[i]);

		if (role_ns < at_ns)
			at_ns = role_ns;
	}
	event_del(sup->timer);
	if (at_ns == INT64_MAX)
		return;
	left_ns = at_ns - oc_clock_mono_ns() + OC_NS_PER_MS;
	if (left_ns < 0)
		left_ns = 0;
	tv.tv_sec = left_ns / OC_NS_PER_S;
	tv.tv_usec = left_ns % OC_NS_PER_S / 1000;
	event_add(sup->timer, &tv);
}

static void
drive(struct supervisor *sup)
{
	enum supervisor_state before;
	int64_t now_ns = oc_clock_mono_ns();

	for (size_t i = 0; i < sup->num_roles; i++)
		daemon_role_tick(&sup->roles[i], &sup->launch, now_ns);
	do {
		before = sup->state;
		sup->state = step(sup);
	} while (sup->state != before);
	arm_timer(sup);
}

/* --- events ----------------------------------------------------------- */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	drive(arg);
}

static void
on_notice(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;
	struct daemon_notice notice;

	(void)what;
	while (daemon_notify_take(fd, &notice)) {
		for (size_t i = 0; i < sup->num_roles; i++)
			if (daemon_role_hear(&sup->roles[i], &notice))
				break;
	}
	drive(sup);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *sup = arg;

	(void)what;
	if (sig == SIGHUP)
		sup->has_hup = true;
	else if (sig == SIGTERM || sig == SIGINT)
		sup->has_term = true;
	else
		for (size_t i = 0; i < sup->num_roles; i++)
			daemon_role_reap(&sup->roles[i]);
	drive(sup);
}

static enum oc_err
add_events(struct supervisor *sup, struct oc_error *error)
{
	static const int signals[NUM_SIGNALS] = { SIGCHLD, SIGHUP, SIGTERM,
	    SIGINT };

	sup->base = event_base_new();
	if (sup->base == NULL)
		return oc_error_set(error, OC_ERR_INTERNAL, "no event loop");
	sup->timer = evtimer_new(sup->base, on_timer, sup);
	sup->notice = event_new(sup->base, sup->notify_fd,
	    EV_READ | EV_PERSIST, on_notice, sup);
	if (sup->timer == NULL || sup->notice == NULL ||
	    event_add(sup->notice, NULL) != 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < NUM_SIGNALS; i++) {
		sup->signals[i] = evsignal_new(sup->base, signals[i],
		    on_signal, sup);
		if (sup->signals[i] == NULL ||
		    event_add(sup->signals[i], NULL) != 0)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
	}
	return OC_OK;
}

static enum oc_err
open_all(struct supervisor *sup, struct oc_error *error)
{
	enum oc_err err;

	err = daemon_launch_check(&sup->launch, error);
	if (err == OC_OK)
		err = oc_file_mkdir_p(sup->config->daemon.run_directory, 0700,
		    error);
	if (err == OC_OK)
		err = oc_path_join(sup->config->daemon.run_directory,
		    DAEMON_NOTIFY_NAME, &sup->notify_path);
	if (err == OC_OK)
		err = daemon_listeners_open(sup->config, NULL,
		    &sup->listeners, error);
	if (err == OC_OK)
		err = daemon_notify_open(sup->notify_path, &sup->notify_fd,
		    error);
	if (err == OC_OK)
		err = add_events(sup, error);
	if (err != OC_OK)
		return err;
	sup->launch.listeners = sup->listeners;
	sup->launch.notify_path = sup->notify_path;
	daemon_find_kept(sup->config, &sup->launch);
	oc_buffer_init(&sup->needs, NEEDS_MAX);
	daemon_put_signer_needs(sup->config, &sup->needs);
	return OC_OK;
}

static void
close_all(struct supervisor *sup)
{
	char path[PATH_MAX];

	if (sup->listeners != NULL) {
		daemon_listeners_unlink(sup->listeners);
		urls_path(sup, path);
		(void)unlink(path);
	}
	daemon_listeners_free(sup->listeners);
	if (sup->notify_fd >= 0) {
		(void)unlink(sup->notify_path);
		close(sup->notify_fd);
	}
	free(sup->notify_path);
	if (sup->timer != NULL)
		event_free(sup->timer);
	if (sup->notice != NULL)
		event_free(sup->notice);
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		if (sup->signals[i] != NULL)
			event_free(sup->signals[i]);
	if (sup->base != NULL)
		event_base_free(sup->base);
	oc_buffer_fini(&sup->needs);
	oc_config_free(sup->config);
}

int
daemon_supervise(const struct daemon_options *options,
    struct oc_config *config)
{
	struct supervisor sup = {
		.options = options,
		.config = config,
		.launch = { .directory = options->directory,
		    .config_path = options->config_path },
		.notify_fd = -1,
		.state = STARTING,
		.exit_status = EXIT_SUCCESS,
	};
	struct oc_error error = { 0 };

	if (open_all(&sup, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text[0] != '\0' ?
		    error.text : "out of memory");
		sup.exit_status = EXIT_FAILURE;
	} else {
		publish_urls(&sup);
		add_roles(&sup);
		drive(&sup);
		event_base_dispatch(sup.base);
		oc_log(OC_LOG_NOTICE, "all roles have ended");
	}
	close_all(&sup);
	return sup.exit_status;
}
