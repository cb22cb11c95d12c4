/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/role.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/handover.h"
#include "ipc/role.h"

#define NEVER INT64_MAX
#define BACKOFF_MIN_NS (100 * OC_NS_PER_MS)
#define BACKOFF_MAX_NS (10 * OC_NS_PER_S)
/* Alive that long, it is forgiven what was before. */
#define STEADY_NS (60 * OC_NS_PER_S)
#define READY_LIMIT_NS (30 * OC_NS_PER_S)
#define STOP_LIMIT_NS (10 * OC_NS_PER_S)

void
daemon_role_init(struct daemon_role *role, enum daemon_kind kind,
    unsigned int worker)
{
	*role = (struct daemon_role){ .kind = kind, .worker = worker };
	role->restart_at_ns = role->now.limit_ns = role->next.limit_ns = NEVER;
	role->backoff_ns = BACKOFF_MIN_NS;
	if (kind == DAEMON_RESPONDER)
		snprintf(role->name, sizeof(role->name), "%s %u",
		    daemon_kind_name(kind), worker + 1);
	else
		snprintf(role->name, sizeof(role->name), "%s",
		    daemon_kind_name(kind));
}

static void
clear(struct daemon_process *p)
{
	*p = (struct daemon_process){ .limit_ns = NEVER };
}

static void
wait_and_restart(struct daemon_role *role)
{
	role->restart_at_ns = oc_clock_mono_ns() + role->backoff_ns;
	role->backoff_ns *= 2;
	if (role->backoff_ns > BACKOFF_MAX_NS)
		role->backoff_ns = BACKOFF_MAX_NS;
}

static bool
start_process(const struct daemon_role *role, struct daemon_process *p,
    const struct daemon_launch *launch)
{
	struct oc_error error = { 0 };

	if (daemon_spawn(launch, role->kind, role->worker, &p->pid,
	    &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s: %s", role->name, error.text);
		return false;
	}
	p->state = DAEMON_STARTING;
	p->started_ns = oc_clock_mono_ns();
	p->limit_ns = p->started_ns + READY_LIMIT_NS;
	oc_log(OC_LOG_INFO, "%s: process %ld started", role->name,
	    (long)p->pid);
	return true;
}

static void
start_now(struct daemon_role *role, const struct daemon_launch *launch)
{
	role->restart_at_ns = NEVER;
	if (!start_process(role, &role->now, launch))
		wait_and_restart(role);
}

void
daemon_role_start(struct daemon_role *role,
    const struct daemon_launch *launch)
{
	role->is_wanted = true;
	role->has_given_up = false;
	role->has_next_failed = false;
	role->num_failures = 0;
	role->backoff_ns = BACKOFF_MIN_NS;
	if (role->now.state == DAEMON_NONE)
		start_now(role, launch);
}

static void
tell_to_stop(struct daemon_process *p)
{
	if (p->state == DAEMON_NONE || p->state == DAEMON_STOPPING)
		return;
	(void)kill(p->pid, SIGTERM);
	p->state = DAEMON_STOPPING;
	p->limit_ns = oc_clock_mono_ns() + STOP_LIMIT_NS;
}

void
daemon_role_replace(struct daemon_role *role,
    const struct daemon_launch *launch)
{
	if (role->now.state != DAEMON_READY) {
		daemon_role_restart(role, launch);
		return;
	}
	role->has_next_failed = !start_process(role, &role->next, launch);
}

void
daemon_role_stop(struct daemon_role *role)
{
	role->is_wanted = false;
	role->restart_at_ns = NEVER;
	tell_to_stop(&role->next);
	tell_to_stop(&role->now);
}

void
daemon_role_restart(struct daemon_role *role,
    const struct daemon_launch *launch)
{
	daemon_role_start(role, launch);
	tell_to_stop(&role->now);
}

static void
log_end(const struct daemon_role *role, const struct daemon_process *p,
    int status, const char *what_now)
{
	if (WIFSIGNALED(status))
		oc_log(OC_LOG_ERROR, "%s (process %ld) was killed by signal "
		    "%d (%s); %s", role->name, (long)p->pid,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), what_now);
	else
		oc_log(OC_LOG_ERROR, "%s (process %ld) ended with status %d; "
		    "%s", role->name, (long)p->pid, WEXITSTATUS(status),
		    what_now);
}

static void
now_has_died(struct daemon_role *role, int status)
{
	char text[64];

	role->num_failures++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == IPC_EXIT_CONFIG) {
		log_end(role, &role->now, status, "it needs a person: mend "
		    "what it complained about, then reload (SIGHUP)");
		role->has_given_up = true;
		return;
	}
	if (oc_clock_mono_ns() - role->now.started_ns > STEADY_NS)
		role->backoff_ns = BACKOFF_MIN_NS;
	snprintf(text, sizeof(text), "another starts in %" PRId64 " ms",
	    role->backoff_ns / OC_NS_PER_MS);
	log_end(role, &role->now, status, text);
	wait_and_restart(role);
}

/* The one that played the role has ended; a successor takes it over. */
static void
now_has_ended(struct daemon_role *role, int status)
{
	bool was_told = role->now.state == DAEMON_STOPPING;

	if (role->next.state != DAEMON_NONE) {
		role->now = role->next;
		clear(&role->next);
		return;
	}
	if (!role->is_wanted)
		oc_log(OC_LOG_INFO, "%s (process %ld) has ended", role->name,
		    (long)role->now.pid);
	else if (was_told)
		role->restart_at_ns = oc_clock_mono_ns();
	else
		now_has_died(role, status);
	clear(&role->now);
}

static void
next_has_ended(struct daemon_role *role, int status)
{
	if (role->is_wanted)
		log_end(role, &role->next, status, "the one before it stays");
	role->has_next_failed = true;
	clear(&role->next);
}

static bool
has_ended(const struct daemon_process *p, int *status)
{
	return p->state != DAEMON_NONE &&
	    waitpid(p->pid, status, WNOHANG) == p->pid;
}

void
daemon_role_reap(struct daemon_role *role)
{
	int status;

	/* The successor first: it must not take over dead. */
	if (has_ended(&role->next, &status))
		next_has_ended(role, status);
	if (has_ended(&role->now, &status))
		now_has_ended(role, status);
}

static void
is_ready_now(struct daemon_role *role, struct daemon_process *p)
{
	if (p->state != DAEMON_STARTING && p->state != DAEMON_STANDBY)
		return;
	oc_log(OC_LOG_NOTICE, "%s (process %ld) is ready", role->name,
	    (long)p->pid);
	p->state = DAEMON_READY;
	p->limit_ns = NEVER;
	role->num_failures = 0;
	if (p == &role->next)
		tell_to_stop(&role->now);
}

static void
is_standing_by(struct daemon_role *role, struct daemon_process *p)
{
	if (p->state != DAEMON_STARTING)
		return;
	p->state = DAEMON_STANDBY;
	p->limit_ns = oc_clock_mono_ns() + STOP_LIMIT_NS + READY_LIMIT_NS;
	if (p == &role->next)
		tell_to_stop(&role->now);
}

/* It gets on: systemd, if it waits for us, is to know as well. */
static void
is_slow(struct daemon_process *p)
{
	if (p->state != DAEMON_STARTING && p->state != DAEMON_STANDBY)
		return;
	p->limit_ns = oc_clock_mono_ns() + READY_LIMIT_NS;
	ipc_notify("EXTEND_TIMEOUT_USEC=%lld",
	    (long long)(READY_LIMIT_NS / 1000));
}

bool
daemon_role_hear(struct daemon_role *role, const struct daemon_notice *n)
{
	struct daemon_process *p;

	if (role->now.state != DAEMON_NONE && role->now.pid == n->pid)
		p = &role->now;
	else if (role->next.state != DAEMON_NONE && role->next.pid == n->pid)
		p = &role->next;
	else
		return false;
	if (n->status[0] != '\0')
		oc_log(OC_LOG_INFO, "%s (process %ld): %s", role->name,
		    (long)n->pid, n->status);
	if (n->is_ready)
		is_ready_now(role, p);
	else if (n->is_standby)
		is_standing_by(role, p);
	else if (n->is_slow)
		is_slow(p);
	return true;
}

static void
kill_late(const struct daemon_role *role, struct daemon_process *p,
    int64_t now_ns)
{
	if (p->state == DAEMON_NONE || now_ns < p->limit_ns)
		return;
	oc_log(OC_LOG_ERROR, "%s (process %ld) %s: killed", role->name,
	    (long)p->pid, p->state == DAEMON_STOPPING ?
	    "does not end when told to" : "does not become ready");
	(void)kill(p->pid, SIGKILL);
	p->limit_ns = NEVER;
}

void
daemon_role_tick(struct daemon_role *role,
    const struct daemon_launch *launch, int64_t now_ns)
{
	kill_late(role, &role->now, now_ns);
	kill_late(role, &role->next, now_ns);
	if (role->is_wanted && role->now.state == DAEMON_NONE &&
	    now_ns >= role->restart_at_ns)
		start_now(role, launch);
}

int64_t
daemon_role_next_tick(const struct daemon_role *role)
{
	int64_t at_ns = role->restart_at_ns;

	if (role->now.limit_ns < at_ns)
		at_ns = role->now.limit_ns;
	if (role->next.limit_ns < at_ns)
		at_ns = role->next.limit_ns;
	return at_ns;
}

bool
daemon_role_is_ready(const struct daemon_role *role)
{
	return role->now.state == DAEMON_READY &&
	    role->next.state == DAEMON_NONE;
}

bool
daemon_role_is_gone(const struct daemon_role *role)
{
	return role->now.state == DAEMON_NONE &&
	    role->next.state == DAEMON_NONE;
}
