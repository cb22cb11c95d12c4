/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and readiness, as sd_listen_fds(3) and sd_notify(3) say. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/handover.h"
#include "tests/unit/ipc_thread.h"

static void
set_env(const char *pid, const char *num, const char *names)
{
	char self[32];

	if (pid != NULL && strcmp(pid, "self") == 0) {
		snprintf(self, sizeof(self), "%ld", (long)getpid());
		pid = self;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != NULL)
		setenv("LISTEN_PID", pid, 1);
	if (num != NULL)
		setenv("LISTEN_FDS", num, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
}

/* In a child, so that descriptors 3, 4 and 5 are ours to lay out. */
static int
check_fds(void)
{
	for (int fd = 3; fd < 6; fd++) {
		if (dup2(STDIN_FILENO, fd) != fd || fcntl(fd, F_SETFD, 0) != 0)
			return 1;
	}
	set_env("self", "3", "http:status:http");
	if (ipc_handover_fd("http", 0) != 3 || ipc_handover_fd("http", 1) != 5)
		return 2;
	if (ipc_handover_fd("status", 0) != 4)
		return 3;
	if (ipc_handover_fd("http", 2) != -1 ||
	    ipc_handover_fd("stat", 0) != -1 ||
	    ipc_handover_fd("status-control", 0) != -1 ||
	    ipc_handover_fd("", 0) != -1)
		return 4;
	if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 ||
	    (fcntl(4, F_GETFD) & FD_CLOEXEC) == 0)
		return 5;
	/* More names than descriptors, and fewer. */
	set_env("self", "1", "http:status");
	if (ipc_handover_fd("status", 0) != -1)
		return 6;
	set_env("self", "3", "http");
	if (ipc_handover_fd("status", 0) != -1)
		return 7;
	/* Said, but not there. */
	close(3);
	if (ipc_handover_fd("http", 0) != -1)
		return 8;
	return 0;
}

static void
listeners_are_found_by_name(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check_fds());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
what_is_not_for_us_is_not_taken(void **state)
{
	(void)state;
	set_env(NULL, NULL, NULL);
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env(NULL, "1", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("1", "1", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("self", "", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("self", "-1", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("self", "1x", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("self", "99999999", "http");
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env("self", "1", NULL);
	assert_int_equal(ipc_handover_fd("http", 0), -1);
	set_env(NULL, NULL, NULL);
}

static int
bind_notify(const char *name, bool is_abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, len);
	if (is_abstract)
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	return fd;
}

static void
assert_heard(int fd, const char *expected)
{
	char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, expected);
}

static void
notify_is_heard(void **state)
{
	char dir[IPC_DIR_MAX], path[IPC_DIR_MAX + 16], name[64];
	int fd;

	(void)state;
	ipc_dir_new(dir);
	snprintf(path, sizeof(path), "%s/notify", dir);
	fd = bind_notify(path, false);
	setenv("NOTIFY_SOCKET", path, 1);
	ipc_notify("READY=1\nSTATUS=%d keys", 3);
	assert_heard(fd, "READY=1\nSTATUS=3 keys");
	close(fd);
	ipc_notify("READY=1");		/* nobody listens: no harm */
	snprintf(name, sizeof(name), "@ocsign-test-%ld", (long)getpid());
	fd = bind_notify(name, true);
	setenv("NOTIFY_SOCKET", name, 1);
	ipc_notify("STOPPING=1");
	assert_heard(fd, "STOPPING=1");
	close(fd);
	unsetenv("NOTIFY_SOCKET");
	ipc_dir_remove(dir);
}

static void
notify_without_a_sane_socket_does_nothing(void **state)
{
	char lng[300];
	int num_fds = ipc_num_fds();

	(void)state;
	memset(lng, 'x', sizeof(lng));
	lng[0] = '/';
	lng[sizeof(lng) - 1] = '\0';
	unsetenv("NOTIFY_SOCKET");
	ipc_notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	ipc_notify("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	ipc_notify("READY=1");
	setenv("NOTIFY_SOCKET", lng, 1);
	ipc_notify("READY=1");
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(ipc_num_fds(), num_fds);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_are_found_by_name),
		cmocka_unit_test(what_is_not_for_us_is_not_taken),
		cmocka_unit_test(notify_is_heard),
		cmocka_unit_test(notify_without_a_sane_socket_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
