/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket on which roles say how they are (sd_notify(3)), in the run
 * directory.  Whose words they are the kernel says (SO_PASSCRED): a role's
 * process id is all that is believed.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define DAEMON_NOTIFY_NAME "notify.sock"

struct daemon_notice {
	pid_t pid;
	bool is_ready;			/* READY=1 */
	bool is_standby;		/* STATUS=standby */
	bool is_stopping;		/* STOPPING=1 */
	bool is_slow;			/* EXTEND_TIMEOUT_USEC=...: it gets
					 * on; ours is how long it may take */
	char status[256];		/* STATUS=...; "" if not said */
};

/* Binds; whatever stands at path is replaced: the run directory is ours.  Who
 * may write says mode; who has written, the notice: more are let in than are
 * heard. */
enum oc_err daemon_notify_open(const char *path, mode_t mode, int *fd,
    struct oc_error *error) OC_MUST_CHECK;
/* The next notice; false when there is none. */
bool daemon_notify_take(int fd, struct daemon_notice *notice);
/* What a message of len octets says, for daemon_notify_take(). */
void daemon_notice_parse(const char *text, size_t len,
    struct daemon_notice *notice);

#endif
