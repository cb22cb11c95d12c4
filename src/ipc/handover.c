/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/handover.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Fixed by sd_listen_fds(3). */
#define FIRST_FD 3
/* More listeners than anybody configures; a limit for what we believe. */
#define FDS_MAX 256

/* -1 when the variable is missing or no number. */
static long
env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (text == NULL || *text == '\0')
		return -1;
	value = strtol(text, &end, 10);
	return *end == '\0' ? value : -1;
}

/* LISTEN_PID says whom they are for: a grandchild inherits the variables,
 * not the descriptors. */
static long
num_fds(void)
{
	long num = env_number("LISTEN_FDS");

	if (env_number("LISTEN_PID") != (long)getpid() || num < 0 ||
	    num > FDS_MAX)
		return 0;
	return num;
}

int
ipc_handover_fd(const char *name, unsigned int n)
{
	const char *p = getenv("LISTEN_FDNAMES");
	size_t name_len = strlen(name);
	long num = num_fds();

	for (int fd = FIRST_FD; p != NULL && fd < FIRST_FD + num; fd++) {
		size_t len = strcspn(p, ":");
		int flags;

		if (len == name_len && memcmp(p, name, len) == 0 && n-- == 0) {
			flags = fcntl(fd, F_GETFD);
			if (flags < 0 ||
			    fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0)
				return -1;
			return fd;
		}
		p = p[len] == ':' ? p + len + 1 : NULL;
	}
	return -1;
}

uint64_t
ipc_handover_run(void)
{
	const char *text = getenv("OCSIGN_RUN");

	return text == NULL ? 0 : strtoull(text, NULL, 16);
}

/* "/path" or "@abstract"; 0 when it is neither, or too long. */
static socklen_t
notify_address(const char *path, struct sockaddr_un *address)
{
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(address->sun_path))
		return 0;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

void
ipc_notify(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t address_len;
	char text[512];
	va_list ap;
	int len, fd;

	if (path == NULL || (address_len = notify_address(path, &address)) == 0)
		return;
	va_start(ap, format);
	len = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text))
		len = sizeof(text) - 1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nobody to tell is no error of ours. */
	(void)!sendto(fd, text, (size_t)len, MSG_NOSIGNAL,
	    (struct sockaddr *)&address, address_len);
	close(fd);
}
