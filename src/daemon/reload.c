/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGHUP: first the signer, if it must be, then a successor for the status
 * service, then one for each responder.  What fails ends the reload there,
 * and whoever was not replaced yet goes on as before.
 */
#include "daemon/supervisor_impl.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/clock_watch.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/needs.h"
#include "ipc/handover.h"

#define URLS_MAX (16 * 1024)

static enum oc_err
adopt(struct supervisor *sup, struct oc_config *config,
    struct oc_error *error)
{
	struct daemon_listeners *listeners;
	struct daemon_users users;
	enum oc_err err;

	if (strcmp(config->daemon.run_directory,
	    sup->config->daemon.run_directory) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "run-directory "
		    "changes with a restart, not with a reload");
	err = daemon_launch_check(&sup->launch, config, error);
	if (err == OC_OK)
		err = daemon_users_find(config, &users, error);
	if (err == OC_OK && users.is_separate !=
	    sup->launch.users.is_separate)
		err = oc_error_set(error, OC_ERR_CONFIG, "that roles have "
		    "users of their own changes with a restart, not with a "
		    "reload");
	if (err == OC_OK)
		err = daemon_users_make(config, &users, error);
	if (err == OC_OK)
		err = daemon_listeners_open(config, sup->listeners,
		    &listeners, error);
	if (err != OC_OK)
		return err;
	err = daemon_users_own(config, &users, error);
	if (err != OC_OK) {
		daemon_listeners_unlink_but(listeners, sup->listeners);
		daemon_listeners_free(listeners);
		return err;
	}
	oc_config_free(sup->config);
	sup->old_listeners = sup->listeners;
	sup->listeners = listeners;
	sup->launch.listeners = listeners;
	sup->launch.users = users;
	sup->config = config;
	daemon_find_kept(config, &sup->launch);
	oc_log_init("ocsignd", config->daemon.log_level);
	return OC_OK;
}

static void
path_of(const struct supervisor *sup, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", sup->config->daemon.run_directory,
	    name);
}

static void
publish(const struct supervisor *sup, const char *name, const char *what,
    struct oc_buffer *urls)
{
	struct oc_error error = { 0 };
	char path[PATH_MAX];

	path_of(sup, name, path);
	if (oc_file_write(path, 0644, oc_buffer_text(urls), urls->len,
	    &error) != OC_OK)
		oc_log(OC_LOG_ERROR, "%s", error.text);
	for (const char *p = oc_buffer_text(urls); *p != '\0'; ) {
		size_t len = strcspn(p, "\n");

		oc_log(OC_LOG_NOTICE, "%s %.*s", what, (int)len, p);
		p += len + (p[len] == '\n');
	}
}

static void
remove_file(const struct supervisor *sup, const char *name)
{
	char path[PATH_MAX];

	path_of(sup, name, path);
	(void)unlink(path);
}

void
daemon_forget_clock(const struct supervisor *sup)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" OC_CLOCK_WATCH_NAME,
	    sup->config->daemon.status_directory);
	(void)unlink(path);
}

static void
publish_api(const struct supervisor *sup)
{
	struct oc_buffer urls;

	if (daemon_listeners_num_api(sup->listeners) == 0) {
		remove_file(sup, "api.urls");
		return;
	}
	oc_buffer_init(&urls, URLS_MAX);
	daemon_listeners_put_api_urls(sup->listeners,
	    sup->config->api.tls_certificate != NULL ? "https" : "http",
	    &urls);
	publish(sup, "api.urls", "API at", &urls);
	oc_buffer_fini(&urls);
}

static void
publish_metrics(const struct supervisor *sup)
{
	struct oc_buffer urls;

	if (daemon_listeners_num_metrics(sup->listeners) == 0) {
		remove_file(sup, "metrics.urls");
		return;
	}
	oc_buffer_init(&urls, URLS_MAX);
	daemon_listeners_put_metrics_urls(sup->listeners, &urls);
	publish(sup, "metrics.urls", "metrics at", &urls);
	oc_buffer_fini(&urls);
}

void
daemon_publish_urls(const struct supervisor *sup)
{
	struct oc_buffer urls;

	oc_buffer_init(&urls, URLS_MAX);
	daemon_listeners_put_urls(sup->listeners,
	    sup->config->responder.prefix, &urls);
	publish(sup, "http.urls", "answering at", &urls);
	oc_buffer_fini(&urls);
	publish_api(sup);
	publish_metrics(sup);
}

void
daemon_remove_urls(const struct supervisor *sup)
{
	remove_file(sup, "http.urls");
	remove_file(sup, "api.urls");
	remove_file(sup, "metrics.urls");
}

static enum supervisor_state
end_reload(const char *what)
{
	oc_log(OC_LOG_NOTICE, "%s", what);
	ipc_notify("READY=1\nSTATUS=%s", what);
	return SUPERVISOR_RUNNING;
}

/* Before anybody was given the new listeners: connections to an address where
 * nobody answers would only wait. */
static enum supervisor_state
fail_reload(struct supervisor *sup, const char *what)
{
	daemon_listeners_unlink_but(sup->listeners, sup->old_listeners);
	daemon_listeners_free(sup->listeners);
	sup->listeners = sup->old_listeners;
	sup->launch.listeners = sup->listeners;
	sup->old_listeners = NULL;
	return end_reload(what);
}

/* True when it had to be: its own settings changed, or it does not run. */
static bool
restart_signer(struct supervisor *sup)
{
	struct daemon_role *signer = &sup->roles[ROLE_SIGNER];
	struct oc_buffer needs;
	bool is_same;

	oc_buffer_init(&needs, DAEMON_NEEDS_MAX);
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

enum supervisor_state
daemon_begin_reload(struct supervisor *sup)
{
	struct oc_config *config = NULL;
	struct oc_error error = { 0 };

	sup->has_hup = false;
	ipc_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    oc_clock_mono_ns() / 1000);
	if (sup->options->load(sup->options->config_path, &config) != OC_OK)
		return end_reload("not reloaded: the configuration is "
		    "wrong, everything stays");
	if (adopt(sup, config, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		oc_config_free(config);
		return end_reload("not reloaded: everything stays");
	}
	daemon_forget_clock(sup);
	if (!restart_signer(sup))
		oc_log(OC_LOG_INFO, "the signer stays as it is");
	return SUPERVISOR_RELOADING_SIGNER;
}

enum supervisor_state
daemon_look_at_signer(struct supervisor *sup)
{
	const struct daemon_role *signer = &sup->roles[ROLE_SIGNER];

	if (signer->has_given_up || signer->num_failures > 0)
		return fail_reload(sup, "reload failed at the signer: the "
		    "others stay as they are");
	if (!daemon_role_is_ready(signer))
		return SUPERVISOR_RELOADING_SIGNER;
	daemon_role_replace(&sup->roles[ROLE_STATUS], &sup->launch);
	return SUPERVISOR_RELOADING_STATUS;
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

enum supervisor_state
daemon_look_at_status(struct supervisor *sup)
{
	const struct daemon_role *status = &sup->roles[ROLE_STATUS];
	size_t wanted = daemon_num_wanted(sup), old;

	if (is_changing(status))
		return SUPERVISOR_RELOADING_STATUS;
	if (has_failed(status))
		return fail_reload(sup, "reload failed at ocsign-status: the "
		    "responders stay as they are");
	/* Those that nobody is to take from must not be left open: the kernel
	 * would go on giving them connections. */
	daemon_listeners_unlink_but(sup->old_listeners, sup->listeners);
	daemon_listeners_free(sup->old_listeners);
	sup->old_listeners = NULL;
	sup->num_steered = 0;
	daemon_publish_urls(sup);
	old = sup->num_roles < wanted ? sup->num_roles : wanted;
	for (size_t i = ROLE_ISSUER; i < old; i++)
		if (daemon_is_wanted(sup, i))
			daemon_role_replace(&sup->roles[i], &sup->launch);
		else
			daemon_role_stop(&sup->roles[i]);
	daemon_add_roles(sup);
	return SUPERVISOR_RELOADING_RESPONDERS;
}

/* Those beyond what is wanted, once they have ended. */
static void
forget_roles(struct supervisor *sup)
{
	while (sup->num_roles > daemon_num_wanted(sup) &&
	    daemon_role_is_gone(&sup->roles[sup->num_roles - 1]))
		sup->num_roles--;
}

enum supervisor_state
daemon_look_at_responders(struct supervisor *sup)
{
	size_t wanted = daemon_num_wanted(sup);
	bool is_bad = false;

	for (size_t i = ROLE_ISSUER; i < wanted; i++) {
		if (!daemon_is_wanted(sup, i)) {
			if (!daemon_role_is_gone(&sup->roles[i]))
				return SUPERVISOR_RELOADING_RESPONDERS;
			continue;
		}
		if (is_changing(&sup->roles[i]))
			return SUPERVISOR_RELOADING_RESPONDERS;
		is_bad |= has_failed(&sup->roles[i]);
	}
	/* Those beyond are given nobody new; but who waits at their sockets
	 * is theirs unless all the others have a successor, which has these
	 * sockets too. */
	if (is_bad)
		return end_reload("reload failed: responders of before go "
		    "on");
	daemon_stop_roles(sup, wanted, sup->num_roles);
	forget_roles(sup);
	if (sup->num_roles > wanted)
		return SUPERVISOR_RELOADING_RESPONDERS;
	daemon_renewal_begin(&sup->renewal, sup->config);
	return end_reload("reloaded");
}
