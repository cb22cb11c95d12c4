/* SPDX-License-Identifier: Apache-2.0 */
/* What roles say about themselves, and who is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/notify.h"
#include "ipc/handover.h"
#include "tests/unit/ipc_thread.h"

static struct daemon_notice
parse(const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len > 0 ? len : 1);	/* no NUL behind */
	struct daemon_notice n;

	memcpy(exact, text, len);
	daemon_notice_parse(exact, len, &n);
	free(exact);
	return n;
}

static void
lines_are_understood(void **state)
{
	struct daemon_notice n;

	(void)state;
	n = parse("READY=1");
	assert_true(n.is_ready && !n.is_standby && !n.is_stopping);
	n = parse("STATUS=3 issuers\nREADY=1\n");
	assert_true(n.is_ready);
	assert_string_equal(n.status, "3 issuers");
	n = parse("STATUS=standby");
	assert_true(n.is_standby && !n.is_ready);
	n = parse("X=1\n\nSTOPPING=1");
	assert_true(n.is_stopping);
	n = parse("EXTEND_TIMEOUT_USEC=30000000");
	assert_true(n.is_slow && !n.is_ready && !n.is_standby);
}

static void
nearly_is_not(void **state)
{
	static const char *const texts[] = { "", "\n", "READY=0", "READY=11",
	    "READY=", "XREADY=1", "ready=1", "STATUS=READY=1",
	    "STATUS=standby mode", "STATUS=", "STATUS", "STOPPING=10",
	    "EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct daemon_notice n = parse(texts[i]);

		assert_false(n.is_ready || n.is_standby || n.is_stopping ||
		    n.is_slow);
	}
}

static void
long_status_is_cut(void **state)
{
	char text[1024] = "STATUS=";
	struct daemon_notice n;

	(void)state;
	memset(text + 7, 'x', sizeof(text) - 8);
	n = parse(text);
	assert_int_equal(strlen(n.status), sizeof(n.status) - 1);
}

static void
kernel_says_who_spoke(void **state)
{
	char dir[IPC_DIR_MAX], path[IPC_DIR_MAX + 16];
	struct oc_error error = { 0 };
	struct daemon_notice n;
	struct stat st;
	pid_t pid;
	int fd;

	(void)state;
	ipc_dir_new(dir);
	snprintf(path, sizeof(path), "%s/notify.sock", dir);
	assert_int_equal(daemon_notify_open(path, 0600, &fd, &error), OC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(daemon_notify_take(fd, &n));
	setenv("NOTIFY_SOCKET", path, 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		ipc_notify("READY=1\nSTATUS=child");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ipc_notify("STOPPING=1");
	assert_true(daemon_notify_take(fd, &n));
	assert_int_equal(n.pid, pid);
	assert_true(n.is_ready);
	assert_true(daemon_notify_take(fd, &n));
	assert_int_equal(n.pid, getpid());
	assert_true(n.is_stopping && !n.is_ready);
	assert_false(daemon_notify_take(fd, &n));
	close(fd);
	/* A second one takes the place of a dead one. */
	assert_int_equal(daemon_notify_open(path, 0600, &fd, &error), OC_OK);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
	ipc_dir_remove(dir);
}

static void
path_that_is_too_long_is_told(void **state)
{
	struct oc_error error = { 0 };
	char path[300];
	int fd;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(daemon_notify_open(path, 0600, &fd, &error),
	    OC_ERR_LIMIT);
	assert_int_equal(daemon_notify_open("/no/such/dir/notify.sock", 0600,
	    &fd, &error), OC_ERR_SYSTEM);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_understood),
		cmocka_unit_test(nearly_is_not),
		cmocka_unit_test(long_status_is_cut),
		cmocka_unit_test(kernel_says_who_spoke),
		cmocka_unit_test(path_that_is_too_long_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
