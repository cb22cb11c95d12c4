/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module that behaves like one that was taken over: before it hands
 * out the real module ($GRAB_MODULE) it tries what a signer's sandbox is to
 * refuse, and writes one line each, "NAME ERRNO", to $GRAB_OUT; 0 is success.
 * $GRAB_FILE is one that it would like to read and write.  The token's
 * environment sets them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define EXPORT __attribute__((visibility("default")))

static FILE *out;

static void
say(const char *name, long rc)
{
	(void)fprintf(out, "%s %d\n", name, rc == -1 ? errno : 0);
}

/* In a child, for who succeeds is gone. */
static void
try_execve(void)
{
	static char *const argv[] = { (char *)(uintptr_t)"true", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv("/bin/true", argv);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		say("execve", -1);
		return;
	}
	(void)fprintf(out, "execve %d\n", WEXITSTATUS(status));
}

static void
try_listen(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *directory = getenv("GRAB_OUT");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	say("socket-unix", fd);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s.s",
	    directory);
	say("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)));
	/* An unbound one may listen as far as the kernel is concerned. */
	say("listen", listen(fd, 1));
	(void)close(fd);
	(void)unlink(address.sun_path);
}

static void
try_family(const char *name, int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	say(name, fd);
	if (fd >= 0)
		(void)close(fd);
}

static void
try_others(void)
{
	char octet;
	struct iovec here = { &octet, 1 }, there = { &octet, 1 };

	say("ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	say("process_vm_readv", process_vm_readv(getpid(), &here, 1, &there,
	    1, 0));
	say("mount", mount("none", "/mnt", "tmpfs", 0, NULL));
	say("unshare", unshare(CLONE_NEWUSER));
	say("setuid", setuid(getuid()));
#ifdef SYS_bpf
	say("bpf", syscall(SYS_bpf, 0, NULL, 0));
#endif
#ifdef SYS_keyctl
	say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
#endif
#ifdef SYS_io_uring_setup
	say("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
#endif
#ifdef SYS_kexec_load
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
#endif
}

static void
try_files(void)
{
	const char *path = getenv("GRAB_FILE");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	say("read", fd);
	if (fd >= 0)
		(void)close(fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	say("write", fd);
	if (fd >= 0)
		(void)close(fd);
}

static void
try_all(void)
{
	try_execve();
	try_listen();
	try_family("socket-inet", AF_INET, SOCK_STREAM);
	try_family("socket-inet6", AF_INET6, SOCK_DGRAM);
	try_family("socket-netlink", AF_NETLINK, SOCK_RAW);
	try_family("socket-packet", AF_PACKET, SOCK_RAW);
	try_others();
	try_files();
}

EXPORT CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *path = getenv("GRAB_OUT"), *module = getenv("GRAB_MODULE");
	CK_C_GetFunctionList get;
	void *library;

	if (path != NULL && (out = fopen(path, "we")) != NULL) {
		try_all();
		(void)fclose(out);
	}
	library = module != NULL ? dlopen(module, RTLD_NOW | RTLD_LOCAL) :
	    NULL;
	get = library != NULL ? (CK_C_GetFunctionList)dlsym(library,
	    "C_GetFunctionList") : NULL;
	return get != NULL ? get(list) : CKR_GENERAL_ERROR;
}
