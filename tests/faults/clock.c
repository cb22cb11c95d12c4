/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A calendar clock that somebody sets: to be preloaded (LD_PRELOAD).  The
 * file $CLOCK_OFFSET says by how many seconds it is wrong; without the file
 * it is right.  No other clock is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long
offset_s(void)
{
	const char *path = getenv("CLOCK_OFFSET");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strtol(text, NULL, 10);
}

__attribute__((visibility("default"))) int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int saved = errno;
	long r = syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME) {
		ts->tv_sec += offset_s();
		errno = saved;
	}
	return (int)r;
}
