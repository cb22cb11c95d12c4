/* SPDX-License-Identifier: Apache-2.0 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define RETRY_MS 20
/* There are 2^30 numbers; another is drawn if somebody has it. */
#define RUN_TRIES 3

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
	/* Who shares the folder may have put a link there. */
	opened = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
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
	/* Also one that was made before its folder was shared; who does not
	 * own it cannot. */
	oc_file_share(opened, name);
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

#ifdef F_OFD_SETLK
static struct flock
octet_of(int64_t run)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = (off_t)run, .l_len = 1 };
}

int64_t
store_lock_acquire_run(int fd)
{
	for (int i = 0; fd >= 0 && i < RUN_TRIES; i++) {
		uint8_t octets[4];
		uint32_t number;
		struct flock lock;

		if (RAND_bytes(octets, sizeof(octets)) != 1)
			return 0;
		memcpy(&number, octets, sizeof(number));
		number = (number & INT32_MAX) | 1;
		lock = octet_of(number);
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			return number;
	}
	return 0;
}

bool
store_lock_is_run_over(int fd, int64_t run)
{
	struct flock lock = octet_of(run);

	return fd >= 0 && run > 0 && run <= INT32_MAX &&
	    fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
#else
int64_t
store_lock_acquire_run(int fd)
{
	(void)fd;
	return 0;
}

bool
store_lock_is_run_over(int fd, int64_t run)
{
	(void)fd, (void)run;
	return false;
}
#endif
