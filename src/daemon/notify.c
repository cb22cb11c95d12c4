/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 4096

static bool
open_socket(int fd, const struct sockaddr_un *address, mode_t mode)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on,
	    sizeof(on)) == 0 && fchmod(fd, mode) == 0 &&
	    bind(fd, (const struct sockaddr *)address,
	    sizeof(*address)) == 0 && chmod(address->sun_path, mode) == 0;
}

enum oc_err
daemon_notify_open(const char *path, mode_t mode, int *fd,
    struct oc_error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock;

	if (strlen(path) >= sizeof(address.sun_path))
		return oc_error_set(error, OC_ERR_LIMIT,
		    "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path));
	(void)unlink(path);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || !open_socket(sock, &address, mode)) {
		(void)oc_error_set_errno(error, OC_ERR_SYSTEM, "%s", path);
		if (sock >= 0)
			close(sock);
		return OC_ERR_SYSTEM;
	}
	*fd = sock;
	return OC_OK;
}

static bool
is_line(const char *line, size_t len, const char *expected)
{
	return len == strlen(expected) && memcmp(line, expected, len) == 0;
}

static void
take_line(struct daemon_notice *notice, const char *line, size_t len)
{
	static const char key[] = "STATUS=", slow[] = "EXTEND_TIMEOUT_USEC=";
	const size_t key_len = sizeof(key) - 1, slow_len = sizeof(slow) - 1;

	if (is_line(line, len, "READY=1")) {
		notice->is_ready = true;
	} else if (is_line(line, len, "STOPPING=1")) {
		notice->is_stopping = true;
	} else if (len > slow_len && memcmp(line, slow, slow_len) == 0) {
		notice->is_slow = true;
	} else if (len >= key_len && memcmp(line, key, key_len) == 0) {
		snprintf(notice->status, sizeof(notice->status), "%.*s",
		    (int)(len - key_len), line + key_len);
		notice->is_standby = strcmp(notice->status, "standby") == 0;
	}
}

void
daemon_notice_parse(const char *text, size_t len,
    struct daemon_notice *notice)
{
	*notice = (struct daemon_notice){ .pid = 0 };
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end == NULL ? len : (size_t)(end - text);

		take_line(notice, text, line_len);
		if (end == NULL)
			return;
		text += line_len + 1;
		len -= line_len + 1;
	}
}

static pid_t
sender_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	    c = CMSG_NXTHDR(msg, c)) {
		struct ucred cred;

		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_CREDENTIALS ||
		    c->cmsg_len != CMSG_LEN(sizeof(cred)))
			continue;
		memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		return cred.pid;
	}
	return 0;
}

bool
daemon_notify_take(int fd, struct daemon_notice *notice)
{
	union {
		struct cmsghdr header;
		/* Room for credentials and for no descriptor: the kernel
		 * closes any that comes along. */
		uint8_t space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[MESSAGE_MAX];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	daemon_notice_parse(text, (size_t)n, notice);
	notice->pid = sender_of(&msg);
	return true;
}
