/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One state machine: every event (a signal, a notice, a timer) first tells
 * the roles what happened, then drive() lets the state look at them.  A state
 * is left when what it waits for is so; none of them waits by itself.
 */
#include "daemon/supervisor_impl.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/needs.h"
#include "ipc/handover.h"
#include "ipc/role.h"

/* --- what the roles are told ------------------------------------------ */

size_t
daemon_num_wanted(const struct supervisor *sup)
{
	return ROLE_FIRST_RESPONDER + (size_t)sup->config->responder.workers;
}

bool
daemon_is_wanted(const struct supervisor *sup, size_t i)
{
	if (i == ROLE_ISSUER)
		return oc_config_has_issuer(sup->config);
	if (i == ROLE_VALIDATOR)
		return oc_config_validates(sup->config);
	return i != ROLE_FETCHER || oc_config_fetches(sup->config);
}

static enum daemon_kind
kind_of(size_t i)
{
	switch (i) {
	case ROLE_SIGNER:
		return DAEMON_SIGNER;
	case ROLE_STATUS:
		return DAEMON_STATUS;
	case ROLE_ISSUER:
		return DAEMON_ISSUER;
	case ROLE_FETCHER:
		return DAEMON_FETCHER;
	case ROLE_VALIDATOR:
		return DAEMON_VALIDATOR;
	}
	return DAEMON_RESPONDER;
}

void
daemon_add_roles(struct supervisor *sup)
{
	for (; sup->num_roles < daemon_num_wanted(sup); sup->num_roles++) {
		struct daemon_role *role = &sup->roles[sup->num_roles];

		daemon_role_init(role, kind_of(sup->num_roles),
		    (unsigned int)(sup->num_roles >= ROLE_FIRST_RESPONDER ?
		    sup->num_roles - ROLE_FIRST_RESPONDER : 0));
		if (daemon_is_wanted(sup, sup->num_roles))
			daemon_role_start(role, &sup->launch);
	}
}

static bool
are_gone(const struct supervisor *sup, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (!daemon_role_is_gone(&sup->roles[i]))
			return false;
	return true;
}

void
daemon_stop_roles(struct supervisor *sup, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		daemon_role_stop(&sup->roles[i]);
}

/* --- start and stop --------------------------------------------------- */

static enum supervisor_state
begin_stop(struct supervisor *sup)
{
	ipc_notify("STOPPING=1");
	daemon_listeners_free(sup->old_listeners);
	sup->old_listeners = NULL;
	daemon_listeners_close_http(sup->listeners);
	daemon_renewal_stop(&sup->renewal);
	daemon_stop_roles(sup, ROLE_ISSUER, sup->num_roles);
	return SUPERVISOR_STOPPING_RESPONDERS;
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
	size_t num_ready = 0, num_given_up = 0, num = 0;

	for (size_t i = 0; i < sup->num_roles; i++) {
		const struct daemon_role *role = &sup->roles[i];

		if (!daemon_is_wanted(sup, i))
			continue;
		num++;
		if (sup->options->must_start && role->num_failures > 0) {
			oc_log(OC_LOG_ERROR, "%s did not start: ending",
			    role->name);
			return give_up(sup, EXIT_FAILURE);
		}
		num_ready += daemon_role_is_ready(role);
		num_given_up += role->has_given_up;
	}
	if (num_given_up == num)
		return give_up(sup, IPC_EXIT_CONFIG);
	if (num_ready + num_given_up < num)
		return SUPERVISOR_STARTING;
	ipc_notify("READY=1\nSTATUS=%s", num_given_up > 0 ?
	    "not all roles run: see the log" : "running");
	if (sup->options->ready != NULL)
		sup->options->ready(sup->options->arg);
	daemon_renewal_begin(&sup->renewal, sup->config);
	return SUPERVISOR_RUNNING;
}

static enum supervisor_state
look_at_roles(struct supervisor *sup)
{
	for (size_t i = 0; i < sup->num_roles; i++)
		if (daemon_is_wanted(sup, i) && !sup->roles[i].has_given_up)
			return sup->has_hup ? daemon_begin_reload(sup) :
			    SUPERVISOR_RUNNING;
	oc_log(OC_LOG_ERROR, "no role can run: ending");
	return give_up(sup, IPC_EXIT_CONFIG);
}

static enum supervisor_state
look_at_stop(struct supervisor *sup)
{
	switch (sup->state) {
	case SUPERVISOR_STOPPING_RESPONDERS:
		if (!are_gone(sup, ROLE_ISSUER, sup->num_roles))
			return sup->state;
		daemon_role_stop(&sup->roles[ROLE_STATUS]);
		return SUPERVISOR_STOPPING_STATUS;
	case SUPERVISOR_STOPPING_STATUS:
		if (!are_gone(sup, ROLE_STATUS, ROLE_STATUS + 1))
			return sup->state;
		daemon_role_stop(&sup->roles[ROLE_SIGNER]);
		return SUPERVISOR_STOPPING_SIGNER;
	case SUPERVISOR_STOPPING_SIGNER:
		if (!are_gone(sup, ROLE_SIGNER, ROLE_SIGNER + 1))
			return sup->state;
		event_base_loopbreak(sup->base);
		return SUPERVISOR_STOPPED;
	case SUPERVISOR_STARTING:
	case SUPERVISOR_RUNNING:
	case SUPERVISOR_RELOADING_SIGNER:
	case SUPERVISOR_RELOADING_STATUS:
	case SUPERVISOR_RELOADING_RESPONDERS:
	case SUPERVISOR_STOPPED:
		break;
	}
	return sup->state;
}

static bool
is_stopping(enum supervisor_state state)
{
	return state >= SUPERVISOR_STOPPING_RESPONDERS;
}

static enum supervisor_state
step(struct supervisor *sup)
{
	if (sup->has_term && !is_stopping(sup->state))
		return begin_stop(sup);
	switch (sup->state) {
	case SUPERVISOR_STARTING:
		return look_at_start(sup);
	case SUPERVISOR_RUNNING:
		return look_at_roles(sup);
	case SUPERVISOR_RELOADING_SIGNER:
		return daemon_look_at_signer(sup);
	case SUPERVISOR_RELOADING_STATUS:
		return daemon_look_at_status(sup);
	case SUPERVISOR_RELOADING_RESPONDERS:
		return daemon_look_at_responders(sup);
	case SUPERVISOR_STOPPING_RESPONDERS:
	case SUPERVISOR_STOPPING_STATUS:
	case SUPERVISOR_STOPPING_SIGNER:
		return look_at_stop(sup);
	case SUPERVISOR_STOPPED:
		break;
	}
	return SUPERVISOR_STOPPED;
}

static void
arm_timer(struct supervisor *sup)
{
	int64_t at_ns = daemon_renewal_next_tick(&sup->renewal), left_ns;
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

/* Up to the last that is ready: one before it that is not will be back soon.
 * Who was given to one that never comes would wait for nothing. */
static unsigned int
num_ready_responders(const struct supervisor *sup)
{
	size_t end = daemon_num_wanted(sup);

	if (end > sup->num_roles)
		end = sup->num_roles;
	while (end > ROLE_FIRST_RESPONDER &&
	    sup->roles[end - 1].now.state != DAEMON_READY)
		end--;
	return (unsigned int)(end - ROLE_FIRST_RESPONDER);
}

/* To more of them as they come, to fewer only by a reload. */
static void
steer(struct supervisor *sup)
{
	unsigned int num = num_ready_responders(sup);

	if (num == 0)
		num = 1;
	if (num <= sup->num_steered)
		return;
	sup->num_steered = num;
	daemon_listeners_steer(sup->listeners, num);
}

/* Of the others one may be away until a person comes. */
static bool
may_renew(const struct supervisor *sup)
{
	return sup->state == SUPERVISOR_RUNNING &&
	    daemon_role_is_ready(&sup->roles[ROLE_SIGNER]) &&
	    daemon_role_is_ready(&sup->roles[ROLE_STATUS]);
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
		steer(sup);
		sup->state = step(sup);
	} while (sup->state != before);
	daemon_renewal_tick(&sup->renewal, &sup->launch, sup->config,
	    may_renew(sup), now_ns);
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
	daemon_renewal_reap(&sup->renewal);
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

	err = daemon_launch_check(&sup->launch, sup->config, error);
	if (err == OC_OK)
		err = daemon_users_find(sup->config, &sup->launch.users,
		    error);
	if (err == OC_OK)
		err = daemon_users_make(sup->config, &sup->launch.users,
		    error);
	if (err == OC_OK)
		err = oc_path_join(sup->config->daemon.run_directory,
		    DAEMON_NOTIFY_NAME, &sup->notify_path);
	if (err == OC_OK)
		err = daemon_listeners_open(sup->config, NULL,
		    &sup->listeners, error);
	if (err == OC_OK)
		err = daemon_users_own(sup->config, &sup->launch.users,
		    error);
	if (err == OC_OK)
		err = daemon_notify_open(sup->notify_path,
		    sup->launch.users.is_separate ? 0622 : 0600,
		    &sup->notify_fd, error);
	if (err == OC_OK)
		err = add_events(sup, error);
	if (err != OC_OK)
		return err;
	if (getrandom(&sup->launch.run, sizeof(sup->launch.run), 0) !=
	    sizeof(sup->launch.run))
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "getrandom");
	sup->launch.listeners = sup->listeners;
	sup->launch.notify_path = sup->notify_path;
	daemon_find_kept(sup->config, &sup->launch);
	oc_buffer_init(&sup->needs, DAEMON_NEEDS_MAX);
	daemon_put_signer_needs(sup->config, &sup->needs);
	return OC_OK;
}

static void
close_all(struct supervisor *sup)
{
	if (sup->listeners != NULL) {
		daemon_listeners_unlink(sup->listeners);
		daemon_remove_urls(sup);
	}
	daemon_listeners_free(sup->old_listeners);
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

/* It is not refused: a container may have nobody else. */
static void
warn_root(const struct supervisor *sup)
{
	if (geteuid() == 0 && !sup->launch.users.is_separate)
		oc_log(OC_LOG_WARNING, "all roles run as root: start ocsignd "
		    "as a user of its own, or give each role one "
		    "(signer-user and the others in [daemon])");
}

int
daemon_supervise(const struct daemon_options *options,
    struct oc_config *config)
{
	struct supervisor sup = {
		.options = options,
		.config = config,
		.launch = { .directory = options->directory,
		    .config_path = options->config_path,
		    .tool = options->tool },
		.notify_fd = -1,
		.state = SUPERVISOR_STARTING,
		.exit_status = EXIT_SUCCESS,
	};
	struct oc_error error = { 0 };

	if (open_all(&sup, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text[0] != '\0' ?
		    error.text : "out of memory");
		sup.exit_status = EXIT_FAILURE;
	} else {
		warn_root(&sup);
		daemon_forget_clock(&sup);
		daemon_publish_urls(&sup);
		daemon_add_roles(&sup);
		drive(&sup);
		event_base_dispatch(sup.base);
		oc_log(OC_LOG_NOTICE, "all roles have ended");
	}
	close_all(&sup);
	return sup.exit_status;
}
