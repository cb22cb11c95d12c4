/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-validator: looks at names from outside, by DNS, HTTP and mail, for
 * ocsign-issuer and ocsign, which ask at validator.sock.  It has no key and no
 * records; what it reads comes from the internet, so that nothing else is
 * here.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ipc/handover.h"
#include "ipc/landlock.h"
#include "ipc/peers.h"
#include "ipc/role.h"
#include "ipc/sandbox.h"
#include "validation/service.h"
#include "validation/tools.h"

/* What is under way is told; less than ocsignd and systemd wait. */
#define DRAIN_NS (8 * OC_NS_PER_S)
#define DRAIN_LOOK_US 20000

struct program {
	struct oc_config *config;
	struct event_base *base;
	struct event *term, *interrupt, *drain_tick;
	struct oc_page *counts;
	struct validation_tools *tools;
	struct validation_service *service;
	int listener;
	int64_t drain_until_ns;
};

/* --- signals ----------------------------------------------------------- */

static void
on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = { 0, DRAIN_LOOK_US };
	struct program *p = arg;

	(void)fd, (void)what;
	if (validation_service_is_drained(p->service) ||
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
	validation_service_drain(p->service);
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

/* --- start and end ----------------------------------------------------- */

/* Handed over, or, run alone, our own. */
static enum oc_err
open_listener(struct program *p, struct oc_error *error)
{
	char *path;
	enum oc_err err;

	p->listener = ipc_handover_fd("validator", 0);
	if (p->listener >= 0)
		return OC_OK;
	err = oc_path_join(p->config->daemon.run_directory,
	    VALIDATION_SOCKET_NAME, &path);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	err = ipc_listen(path, &p->listener, error);
	free(path);
	return err;
}

/* As many sockets as the system lets us have: two resolvers and the pages take
 * some thousand each. */
static void
raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What name resolution and TLS read of the system; secrets have been read by
 * then. */
static enum oc_err
limit_files(const struct oc_config *config, struct oc_error *error)
{
	const struct oc_config_validation *v = &config->validation;
	const char *const read[] = { "/etc/resolv.conf", "/etc/hosts",
	    "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	    "/etc/services", "/etc/protocols", "/etc/localtime",
	    "/etc/ld.so.cache", "/etc/ssl", "/etc/pki",
	    "/etc/ca-certificates", "/etc/crypto-policies",
	    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	    "/usr/share/pki", "/usr/lib", "/usr/lib64", "/lib", "/lib64",
	    "/run/systemd/resolve", "/run/nscd", "/dev/urandom", "/dev/null",
	    v->trust_anchor, v->mail_ca, NULL
	};

	return ipc_landlock_enter(&(struct ipc_files){ read,
	    (const char *const []){ NULL } }, error);
}

static enum oc_err
open_service(struct program *p, const struct ipc_peers *peers,
    struct oc_error *error)
{
	struct validation_looker looker = validation_tools_looker(p->tools);
	const struct validation_service_options options = {
		.base = p->base,
		.listener = p->listener,
		.peers = peers,
		.looker = &looker,
		.timeout_ns = p->config->validation.timeout_s * OC_NS_PER_S,
		.counts = validation_counts_of(p->counts),
	};
	enum oc_err err = validation_service_new(&options, &p->service);

	p->listener = -1;
	return err == OC_OK ? OC_OK : oc_error_set(error, err,
	    "validator.sock: %s", oc_strerror(err));
}

/* First what begins another process and reads secrets; threads come with the
 * first question. */
static enum oc_err
open_all(struct program *p, struct oc_error *error)
{
	const struct oc_config *config = p->config;
	struct ipc_peers peers;
	enum oc_err err;

	if (!oc_config_validates(config))
		return oc_error_set(error, OC_ERR_CONFIG, "there is no "
		    "[validation] section: nothing to do");
	p->base = event_base_new();
	if (p->base == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	raise_fd_limit();
	err = ipc_peers_find(config, IPC_DOOR_VALIDATOR, &peers, error);
	if (err == OC_OK)
		err = validation_tools_new(&config->validation, p->base,
		    &p->tools, error);
	if (err == OC_OK)
		err = validation_counts_open(
		    config->daemon.validator_directory, ipc_handover_run(),
		    &p->counts, error);
	if (err == OC_OK)
		err = open_listener(p, error);
	if (err == OC_OK)
		err = add_events(p, error);
	if (err == OC_OK)
		err = limit_files(config, error);
	if (err == OC_OK)
		err = ipc_sandbox_enter(IPC_SANDBOX_VALIDATOR, error);
	if (err == OC_OK)
		err = open_service(p, &peers, error);
	return err;
}

static void
close_all(struct program *p)
{
	validation_service_free(p->service);
	validation_tools_free(p->tools);
	oc_page_close(p->counts);
	if (p->listener >= 0)
		close(p->listener);
	if (p->term != NULL)
		event_free(p->term);
	if (p->interrupt != NULL)
		event_free(p->interrupt);
	if (p->drain_tick != NULL)
		event_free(p->drain_tick);
	if (p->base != NULL)
		event_base_free(p->base);
	oc_config_free(p->config);
}

/* What another try would not change. */
static bool
needs_a_person(enum oc_err err)
{
	return err == OC_ERR_CONFIG || err == OC_ERR_NOT_FOUND ||
	    err == OC_ERR_MALFORMED || err == OC_ERR_REFUSED;
}

int
main(int argc, char **argv)
{
	struct program p = { .listener = -1 };
	struct oc_error error = { 0 };
	int status;

	status = ipc_role_start(argc, argv, "ocsign-validator", "Looks at "
	    "names from outside: whose they are, and who may certify them.",
	    &p.config);
	if (status != IPC_ROLE_RUN)
		return status;
	status = EXIT_SUCCESS;
	if (open_all(&p, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		status = needs_a_person(error.code) ? IPC_EXIT_CONFIG :
		    EXIT_FAILURE;
	} else {
		ipc_notify("READY=1\nSTATUS=answering");
		if (event_base_dispatch(p.base) != 0)
			status = EXIT_FAILURE;
	}
	close_all(&p);
	return status;
}
