/* SPDX-License-Identifier: Apache-2.0 */
/* What supervisor.c (start, stop, events) and reload.c share. */
#ifndef DAEMON_SUPERVISOR_IMPL_H
#define DAEMON_SUPERVISOR_IMPL_H

#include "daemon/renewal.h"
#include "daemon/role.h"
#include "daemon/supervisor.h"

struct event;
struct event_base;

#define ROLES_MAX (5 + DAEMON_WORKERS_MAX)
#define ROLE_SIGNER 0			/* in roles[] */
#define ROLE_STATUS 1
#define ROLE_ISSUER 2			/* an [api], or CRLs to publish */
#define ROLE_FETCHER 3			/* only where something is fetched */
#define ROLE_VALIDATOR 4		/* with [validation] */
#define ROLE_FIRST_RESPONDER 5
#define NUM_SIGNALS 4

enum supervisor_state {
	SUPERVISOR_STARTING,	/* all roles for the first time */
	SUPERVISOR_RUNNING,
	/* Stopped and started, if it must be. */
	SUPERVISOR_RELOADING_SIGNER,
	/* Its successor beside it, then alone. */
	SUPERVISOR_RELOADING_STATUS,
	/* The same, all at once, issuer, fetcher and validator with
	 * them. */
	SUPERVISOR_RELOADING_RESPONDERS,
	SUPERVISOR_STOPPING_RESPONDERS,
	SUPERVISOR_STOPPING_STATUS,
	SUPERVISOR_STOPPING_SIGNER,
	SUPERVISOR_STOPPED
};

struct supervisor {
	const struct daemon_options *options;
	struct oc_config *config;
	struct daemon_listeners *listeners;
	/* While signer and status service are reloaded; else NULL. */
	struct daemon_listeners *old_listeners;
	struct daemon_launch launch;
	char *notify_path;
	int notify_fd;
	struct oc_buffer needs;		/* the signer's, as it was started */
	enum supervisor_state state;
	struct daemon_role roles[ROLES_MAX];
	size_t num_roles;
	/* Responders that new connections go to; 0: not told yet. */
	unsigned int num_steered;
	struct daemon_renewal renewal;
	bool has_hup, has_term;
	int exit_status;
	struct event_base *base;
	struct event *timer, *notice, *signals[NUM_SIGNALS];
};

size_t daemon_num_wanted(const struct supervisor *sup);
/* False: the role at i is one that the configuration has no use for. */
bool daemon_is_wanted(const struct supervisor *sup, size_t i);
/* Starts as many more as the configuration wants. */
void daemon_add_roles(struct supervisor *sup);
void daemon_stop_roles(struct supervisor *sup, size_t first, size_t end);

/* Whatever the clock says now is right: a person started or reloaded us. */
void daemon_forget_clock(const struct supervisor *sup);

/* RUN/http.urls, api.urls and metrics.urls, and a line in the log for each
 * address. */
void daemon_publish_urls(const struct supervisor *sup);
void daemon_remove_urls(const struct supervisor *sup);

/* The states of a reload: each returns the state that follows. */
enum supervisor_state daemon_begin_reload(struct supervisor *sup);
enum supervisor_state daemon_look_at_signer(struct supervisor *sup);
enum supervisor_state daemon_look_at_status(struct supervisor *sup);
enum supervisor_state daemon_look_at_responders(struct supervisor *sup);

#endif
