/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each sandbox refuses, tried from inside it, and that what a role goes
 * on doing still goes.  Each try is a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/landlock.h"
#include "ipc/sandbox.h"
#include "tests/unit/ipc_thread.h"

#define ANYWAY 0		/* is not refused */

static char dir[IPC_DIR_MAX], listening[IPC_DIR_MAX + 16];
static int listener;

/* 0, or what errno says. */
static int
code(long rc)
{
	return rc == -1 ? errno : 0;
}

static int
try_exec(void)
{
	static char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	return code(execv("/bin/true", argv));
}

static int
try_execveat(void)
{
	static char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	return code(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL,
	    0));
}

static int
try_ptrace(void)
{
	return code(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_read_memory(void)
{
	char a = 0, b = 0;
	struct iovec to = { &a, 1 }, from = { &b, 1 };

	return code(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
}

static int
try_inet(void)
{
	return code(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_packet(void)
{
	return code(socket(AF_PACKET, SOCK_RAW, 0));
}

/* AF_INET in the lower half, something else above. */
static int
try_odd_family(void)
{
	return code(syscall(SYS_socket, (1UL << 32) | AF_VSOCK, SOCK_STREAM,
	    0));
}

static int
try_bind(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return 1000;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/new", dir);
	return code(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int
try_listen(void)
{
	return code(listen(listener, 1));
}

static int
try_unshare(void)
{
	return code(unshare(CLONE_NEWNS));
}

static int
try_clone_namespace(void)
{
	return code(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
	    NULL, NULL));
}

static int
try_clone3(void)
{
	return code(syscall(SYS_clone3, NULL, 0));
}

static int
try_setuid(void)
{
	return code(setuid(getuid()));
}

static int
try_io_uring(void)
{
	return code(syscall(SYS_io_uring_setup, 0, NULL));
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return code(pid);
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, nothing, NULL);

	return rc != 0 ? rc : pthread_join(thread, NULL);
}

static int
try_open(int flags)
{
	char path[IPC_DIR_MAX + 16];

	snprintf(path, sizeof(path), "%s/file", dir);
	return code(open(path, flags | O_CLOEXEC, 0600));
}

static int
try_read_only(void)
{
	return try_open(O_RDONLY);
}

static int
try_write_only(void)
{
	return try_open(O_WRONLY);
}

static int
try_read_write(void)
{
	return try_open(O_RDWR);
}

static int
try_create(void)
{
	return try_open(O_RDONLY | O_CREAT);
}

static int
try_truncate(void)
{
	return try_open(O_RDONLY | O_TRUNC);
}

static int
try_unlink(void)
{
	char path[IPC_DIR_MAX + 16];

	snprintf(path, sizeof(path), "%s/file", dir);
	return code(unlink(path));
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int
try_make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);

	return p == MAP_FAILED ? 1000 :
	    code(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

/* Who it was opened for goes on being let in, and what is asked is heard. */
static int
try_serve(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), in;
	char octet;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", listening);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address,
	    sizeof(address)) != 0)
		return errno;
	in = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (in < 0 || send(fd, "x", 1, 0) != 1 || recv(in, &octet, 1, 0) != 1)
		return errno;
	return 0;
}

static const struct {
	const char *name;
	int (*try)(void);
	/* Expected of the signer's, the one with a network, the fetcher's,
	 * the validator's, a responder's. */
	int signer, network, fetcher, validator, responder;
	bool is_sanitizers;	/* who need it */
} tries[] = {
	{ "serve", try_serve, ANYWAY, ANYWAY, ANYWAY, ANYWAY, ANYWAY, false },
	{ "execve", try_exec, EPERM, EPERM, EPERM, EPERM, EPERM, false },
	{ "execveat", try_execveat, EPERM, EPERM, EPERM, EPERM, EPERM, false },
	{ "ptrace", try_ptrace, EPERM, EPERM, EPERM, EPERM, EPERM, true },
	{ "process_vm_readv", try_read_memory, EPERM, EPERM, EPERM, EPERM,
	    EPERM, false },
	{ "socket(AF_INET)", try_inet, EAFNOSUPPORT, ANYWAY, ANYWAY, ANYWAY,
	    EAFNOSUPPORT, false },
	{ "socket(AF_PACKET)", try_packet, EAFNOSUPPORT, EAFNOSUPPORT,
	    EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT, false },
	{ "socket(odd)", try_odd_family, EAFNOSUPPORT, EAFNOSUPPORT,
	    EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT, false },
	{ "bind", try_bind, EPERM, ANYWAY, ANYWAY, ANYWAY, EPERM, false },
	{ "listen", try_listen, EPERM, EPERM, EPERM, EPERM, EPERM, false },
	{ "unshare", try_unshare, EPERM, EPERM, EPERM, EPERM, EPERM, false },
	{ "clone(NEWUSER)", try_clone_namespace, EPERM, EPERM, EPERM, EPERM,
	    EPERM, false },
	{ "clone3", try_clone3, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS, false },
	{ "setuid", try_setuid, EPERM, EPERM, EPERM, EPERM, EPERM, false },
	{ "io_uring_setup", try_io_uring, EPERM, EPERM, EPERM, EPERM, EPERM,
	    false },
	{ "a thread", try_thread, ANYWAY, ANYWAY, ANYWAY, ANYWAY, EPERM, true },
	{ "fork", try_fork, ANYWAY, ANYWAY, EPERM, EPERM, EPERM, true },
	{ "reading", try_read_only, ANYWAY, ANYWAY, ANYWAY, ANYWAY, ANYWAY,
	    false },
	{ "writing", try_write_only, ANYWAY, ANYWAY, ANYWAY, EPERM, EPERM,
	    false },
	{ "both", try_read_write, ANYWAY, ANYWAY, ANYWAY, EPERM, EPERM, false },
	{ "making", try_create, ANYWAY, ANYWAY, ANYWAY, EPERM, EPERM, false },
	{ "emptying", try_truncate, ANYWAY, ANYWAY, ANYWAY, EPERM, EPERM,
	    false },
	{ "code", try_code, ANYWAY, ANYWAY, ANYWAY, ANYWAY, EPERM, false },
	{ "memory to code", try_make_code, ANYWAY, ANYWAY, ANYWAY, ANYWAY,
	    EPERM, false },
	{ "removing", try_unlink, ANYWAY, ANYWAY, ANYWAY, EPERM, EPERM, false },
};

static bool
is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

/* What the try comes to in a child; more than 1000: the sandbox itself. */
static int
come_to(enum ipc_sandbox sandbox, int (*try)(void))
{
	struct oc_error error = { 0 };
	int fds[2], result = -1;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		result = ipc_sandbox_enter(sandbox, &error) != OC_OK ? 2000 :
		    try();
		(void)!write(fds[1], &result, sizeof(result));
		_exit(0);
	}
	close(fds[1]);
	(void)!read(fds[0], &result, sizeof(result));
	close(fds[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return result;
}

/* What each try finds. */
static void
make_file(void)
{
	char path[IPC_DIR_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	snprintf(path, sizeof(path), "%s/new", dir);
	(void)unlink(path);
}

static void
check(enum ipc_sandbox sandbox, size_t i, int expected)
{
	int got;

	if (tries[i].is_sanitizers && is_sanitized())
		return;
	make_file();
	got = come_to(sandbox, tries[i].try);
	if (got != expected)
		fail_msg("sandbox %d, %s: %s, not %s", (int)sandbox,
		    tries[i].name, strerror(got), strerror(expected));
}

static void
each_is_refused_what_it_has_no_use_for(void **state)
{
	(void)state;
#ifndef HAVE_SECCOMP
	skip();
#endif
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		check(IPC_SANDBOX_SIGNER, i, tries[i].signer);
		check(IPC_SANDBOX_SIGNER_NETWORK, i, tries[i].network);
		check(IPC_SANDBOX_FETCHER, i, tries[i].fetcher);
		check(IPC_SANDBOX_VALIDATOR, i, tries[i].validator);
		check(IPC_SANDBOX_RESPONDER, i, tries[i].responder);
	}
}

/* Else the test says nothing: all of it is possible outside. */
static void
outside_it_goes(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(try_serve(), 0);
	assert_int_equal(try_listen(), 0);
	assert_int_equal(try_bind(), 0);
	assert_int_equal(try_fork(), 0);
	assert_int_equal(try_thread(), 0);
	assert_int_equal(try_write_only(), 0);
	assert_int_equal(try_make_code(), 0);
	assert_int_equal(try_setuid(), 0);
	make_file();
}

/* Opens NAME in DIR/SUB, and says what came of it. */
static int
open_in(const char *sub, const char *name, int flags)
{
	char path[IPC_DIR_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
	return code(open(path, flags | O_CLOEXEC, 0600));
}

/* The child: 0, or the line that is wrong. */
static int
try_landlock(void)
{
	char can_read[IPC_DIR_MAX + 16], can_write[IPC_DIR_MAX + 16];
	const char *const read[] = { can_read, "/no/such/folder", NULL };
	const char *const write[] = { can_write, NULL };
	struct oc_error error = { 0 };

	snprintf(can_read, sizeof(can_read), "%s/r", dir);
	snprintf(can_write, sizeof(can_write), "%s/w", dir);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    ipc_landlock_enter(&(struct ipc_files){ read, write },
	    &error) != OC_OK)
		return __LINE__;
	if (open_in("r", "file", O_RDONLY) != 0)
		return __LINE__;
	if (open_in("r", "file", O_RDWR) != EACCES ||
	    open_in("r", "new", O_RDONLY | O_CREAT) != EACCES)
		return __LINE__;
	if (open_in("w", "file", O_RDWR) != 0 ||
	    open_in("w", "new", O_RDWR | O_CREAT) != 0)
		return __LINE__;
	if (open_in("none", "file", O_RDONLY) != EACCES)
		return __LINE__;
	if (code(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) != EACCES)
		return __LINE__;
	return try_serve() != 0 ? __LINE__ : 0;
}

static void
only_what_is_listed_can_be_opened(void **state)
{
	static const char *const subs[] = { "r", "w", "none" };
	char path[IPC_DIR_MAX + 64];
	int status = -1, fds[2], line = -1;
	pid_t pid;

	(void)state;
	if (syscall(444, NULL, 0, 1) < 0)	/* its version */
		skip();
	for (size_t i = 0; i < 3; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, subs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/%s/file", dir, subs[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		line = try_landlock();
		(void)!write(fds[1], &line, sizeof(line));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(read(fds[0], &line, sizeof(line)), sizeof(line));
	close(fds[0]);
	close(fds[1]);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s/file", dir, subs[i]);
		(void)unlink(path);
		snprintf(path, sizeof(path), "%s/%s/new", dir, subs[i]);
		(void)unlink(path);
		snprintf(path, sizeof(path), "%s/%s", dir, subs[i]);
		assert_int_equal(rmdir(path), 0);
	}
	if (line != 0)
		fail_msg("line %d", line);
}

static int
setup(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	ipc_dir_new(dir);
	snprintf(listening, sizeof(listening), "%s/l.sock", dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", listening);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(listener, 64), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(listener);
	ipc_dir_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_it_goes),
		cmocka_unit_test(each_is_refused_what_it_has_no_use_for),
		cmocka_unit_test(only_what_is_listed_can_be_opened),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
