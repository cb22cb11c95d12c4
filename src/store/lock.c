/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"

#define RETRY_MS 20

/* flock() with a deadline; errno tells. */
static int
lock_until(int fd, int operation, int64_t deadline_ns)
{
	while (flock(fd, operation | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (oc_clock_mono_ns() >= deadline_ns) {
			errno = EWOULDBLOCK;
			return -1;
		}
		usleep(RETRY_MS * 1000);
	}
	return 0;
}

enum oc_err
store_lock_open(const char *path, enum store_lock_kind kind, int timeout_ms,
    int *fd, struct oc_error *error)
{
	int64_t deadline_ns = oc_clock_mono_ns() + timeout_ms * OC_NS_PER_MS;
	bool is_shared = kind == STORE_LOCK_SHARED;
	char *name = NULL;
	int opened;

	if (asprintf(&name, "%s.lock", path) < 0)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	opened = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (opened < 0 && errno == EROFS && is_shared) {
		free(name);
		*fd = -1;
		return OC_OK;
	}
	if (opened < 0) {
		oc_error_set_errno(error, errno == ENOENT ?
		    OC_ERR_NOT_FOUND : OC_ERR_SYSTEM, "%s", name);
		free(name);
		return error->code;
	}
	free(name);
	if (lock_until(opened, is_shared ? LOCK_SH : LOCK_EX,
	    deadline_ns) == 0) {
		*fd = opened;
		return OC_OK;
	}
	if (errno == EWOULDBLOCK)
		oc_error_set(error, OC_ERR_BUSY, is_shared ?
		    "%s: a backup is being put in its place: try again" :
		    "%s: another process has this store open: stop it first "
		    "(fuser %s.lock names it)", path, path);
	else
		oc_error_set_errno(error, OC_ERR_SYSTEM, "%s.lock", path);
	close(opened);
	return error->code;
}
