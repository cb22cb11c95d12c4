/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One role and the processes that play it: the one that does now, and during
 * a reload its successor.  Starts them again when they die, with back-off;
 * one that ends with IPC_EXIT_CONFIG is not started again.
 *
 * Nothing here waits: the supervisor tells it what happened and when it is.
 */
#ifndef DAEMON_ROLE_H
#define DAEMON_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/notify.h"
#include "daemon/spawn.h"

enum daemon_state {
	DAEMON_NONE,		/* no process */
	DAEMON_STARTING,
	DAEMON_STANDBY,		/* waits for its predecessor to let go */
	DAEMON_READY,
	DAEMON_STOPPING		/* has been told to end */
};

struct daemon_process {
	pid_t pid;
	enum daemon_state state;
	int64_t started_ns;
	int64_t limit_ns;	/* killed then; INT64_MAX: never */
};

/* Zero state: a role nobody plays. */
struct daemon_role {
	enum daemon_kind kind;
	unsigned int worker;
	char name[32];		/* "ocsign-responder 2" */
	struct daemon_process now, next;
	bool is_wanted;		/* start it again when it dies */
	bool has_given_up;	/* ended with IPC_EXIT_CONFIG */
	bool has_next_failed;	/* the last successor did */
	/* Ends nobody asked for since it was last ready. */
	unsigned int num_failures;
	int64_t restart_at_ns;	/* INT64_MAX: not waiting */
	int64_t backoff_ns;
};

void daemon_role_init(struct daemon_role *role, enum daemon_kind kind,
    unsigned int worker);

/* Wants it, now; forgets back-off and that it had given up. */
void daemon_role_start(struct daemon_role *role,
    const struct daemon_launch *launch);
/* A successor beside the one that is ready; a role nobody plays is just
 * started. */
void daemon_role_replace(struct daemon_role *role,
    const struct daemon_launch *launch);
/* Told to end, killed if it has not after 10 s; wanted no more. */
void daemon_role_stop(struct daemon_role *role);
/* The same, but wanted: started again as soon as it has ended. */
void daemon_role_restart(struct daemon_role *role,
    const struct daemon_launch *launch);

/* Somebody died: looks whether it was one of ours. */
void daemon_role_reap(struct daemon_role *role);
/* false: it is none of ours. */
bool daemon_role_hear(struct daemon_role *role,
    const struct daemon_notice *notice);
/* Kills what is late, starts what is due. */
void daemon_role_tick(struct daemon_role *role,
    const struct daemon_launch *launch, int64_t now_ns);
/* When tick has something to do next; INT64_MAX: never. */
int64_t daemon_role_next_tick(const struct daemon_role *role);

/* Ready and without a successor. */
bool daemon_role_is_ready(const struct daemon_role *role);
/* Nobody plays it. */
bool daemon_role_is_gone(const struct daemon_role *role);

#endif
