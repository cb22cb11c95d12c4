/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ocsign ocsp renew --reload", started again and again: what renews the
 * certificates of OCSP signers where no timer does.  One at a time, with a
 * deadline, as often as renew-every has it, more or less.
 *
 * Nothing here waits: the supervisor says when it may be, and when somebody has
 * died.
 */
#ifndef DAEMON_RENEWAL_H
#define DAEMON_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/spawn.h"

struct daemon_renewal {
	pid_t pid;			/* 0: none is at work */
	int64_t limit_ns;		/* it is killed then */
	int64_t every_s;		/* 0: never */
	int64_t next_ns;		/* only if it is not */
	bool has_failed;		/* the last one did */
	bool is_left;			/* to others, which was said */
};

/* The roles run as the configuration has them, for the first time or again
 * after a reload. */
void daemon_renewal_begin(struct daemon_renewal *renewal,
    const struct oc_config *config);
/* Starts what is due, if who signs and who takes it is ready; kills what is
 * late. */
void daemon_renewal_tick(struct daemon_renewal *renewal,
    const struct daemon_launch *launch, const struct oc_config *config,
    bool may_start, int64_t now_ns);
/* When tick has something to do next; INT64_MAX: never. */
int64_t daemon_renewal_next_tick(const struct daemon_renewal *renewal);
/* Somebody died: looks whether it was this one. */
void daemon_renewal_reap(struct daemon_renewal *renewal);
/* Ends it, and begins no other. */
void daemon_renewal_stop(struct daemon_renewal *renewal);

#endif
