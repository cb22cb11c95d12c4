/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/sandbox.h"

#include "base/log.h"

#ifndef HAVE_SECCOMP
enum oc_err
ipc_sandbox_enter(enum ipc_sandbox sandbox, struct oc_error *error)
{
	(void)sandbox, (void)error;
	oc_log(OC_LOG_INFO, "built without libseccomp: this process could "
	    "make any system call");
	return OC_OK;
}
#else

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* LeakSanitizer traces the process that it is in, from one of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
	CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
/* There are not as many families yet. */
#define FAMILIES_MAX 64

/* By name: a kernel or a libseccomp that does not know one has nothing to
 * refuse.  io_uring does what it is asked without a system call each. */
static const char *const nobody_may[] = {
	"execve", "execveat",
	"process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
	"pidfd_getfd",
	"listen",
	"mount", "umount", "umount2", "mount_setattr", "move_mount",
	"open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "pivot_root",
	"chroot", "setns", "unshare",
	"init_module", "finit_module", "delete_module", "kexec_load",
	"kexec_file_load", "bpf", "perf_event_open", "userfaultfd",
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	"keyctl", "add_key", "request_key",
	"reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd",
	"syslog", "sethostname", "setdomainname", "vhangup",
	"settimeofday", "stime", "clock_settime", "clock_settime64",
	"clock_adjtime", "clock_adjtime64", "adjtimex",
	"iopl", "ioperm", "modify_ldt", "lookup_dcookie", "nfsservctl",
	"open_by_handle_at", "name_to_handle_at", "fanotify_init",
	"mknod", "mknodat", "setuid", "setgid", "setreuid", "setregid",
	"setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups",
	"setuid32", "setgid32", "setreuid32", "setregid32", "setresuid32",
	"setresgid32", "setfsuid32", "setfsgid32", "setgroups32", "capset",
	NULL
};

/* What changes names, files and their owners. */
static const char *const changes_files[] = {
	"creat", "openat2", "unlink", "unlinkat", "rename", "renameat",
	"renameat2", "mkdir", "mkdirat", "rmdir", "link", "linkat",
	"symlink", "symlinkat", "truncate", "truncate64", "chmod", "fchmod",
	"fchmodat", "chown", "chown32", "fchown", "fchown32", "fchownat",
	"lchown", "lchown32", "setxattr", "lsetxattr", "fsetxattr",
	"removexattr", "lremovexattr", "fremovexattr", "utime", "utimes",
	"utimensat", "futimesat",
	NULL
};
/* More ways to others, and to code. */
static const char *const responder_may_not[] = {
	"bind", "memfd_create", "memfd_secret", "shmget", "shmat", "msgget",
	"semget", "mq_open", "personality", "pkey_mprotect",
	"remap_file_pages",
	NULL
};
/* What sanitizers do at the end. */
static const char *const begins_process[] = { "fork", "vfork", NULL };

static int
refuse(scmp_filter_ctx ctx, const char *const *names)
{
	int rc = 0;

	for (; rc == 0 && *names != NULL; names++) {
		int number = seccomp_syscall_resolve_name(*names);

		if (number != __NR_SCMP_ERROR)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			    number, 0);
	}
	return rc;
}

/* One whose n-th argument has any, or just these, of the bits set. */
static int
refuse_bits(scmp_filter_ctx ctx, int number, unsigned int n, uint64_t mask,
    uint64_t bits)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), number, 1,
	    SCMP_CMP(n, SCMP_CMP_MASKED_EQ, mask, bits));
}

static bool
is_family(unsigned int family, enum ipc_sandbox sandbox)
{
	bool has_network = sandbox == IPC_SANDBOX_SIGNER_NETWORK ||
	    sandbox == IPC_SANDBOX_FETCHER ||
	    sandbox == IPC_SANDBOX_VALIDATOR;

	return family == AF_UNIX || (has_network && (family == AF_INET ||
	    family == AF_INET6 || family == AF_NETLINK));
}

/* As a kernel without them would: libraries go on with what there is. */
static int
refuse_families(scmp_filter_ctx ctx, enum ipc_sandbox sandbox)
{
	const uint32_t none = SCMP_ACT_ERRNO(EAFNOSUPPORT);
	int rc = seccomp_rule_add(ctx, none, SCMP_SYS(socket), 1,
	    SCMP_A0(SCMP_CMP_GE, FAMILIES_MAX));

	for (unsigned int i = 0; rc == 0 && i < FAMILIES_MAX; i++)
		if (!is_family(i, sandbox))
			rc = seccomp_rule_add(ctx, none, SCMP_SYS(socket), 1,
			    SCMP_A0(SCMP_CMP_EQ, i));
	return rc;
}

/* Its arguments stand in memory, which no filter sees; without it libraries
 * call clone(). */
static int
refuse_clone3(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
	    SCMP_SYS(clone3), 0);
}

/* Each namespace by itself: who asks for one may ask for others, too. */
static int
refuse_namespaces(scmp_filter_ctx ctx)
{
	int rc = 0;

	for (uint64_t bit = 1; rc == 0 && bit <= NAMESPACES; bit <<= 1)
		if ((NAMESPACES & bit) != 0)
			rc = refuse_bits(ctx, SCMP_SYS(clone), 0, bit, bit);
	return rc;
}

static int
refuse_writing(scmp_filter_ctx ctx)
{
	static const uint64_t ways[][2] = {
		{ O_ACCMODE, O_WRONLY }, { O_ACCMODE, O_RDWR },
		{ O_ACCMODE, O_ACCMODE }, { O_CREAT, O_CREAT },
		{ O_TRUNC, O_TRUNC }
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(ways) / sizeof(ways[0]);
	    i++) {
		rc = refuse_bits(ctx, SCMP_SYS(open), 1, ways[i][0],
		    ways[i][1]);
		if (rc == 0)
			rc = refuse_bits(ctx, SCMP_SYS(openat), 2, ways[i][0],
			    ways[i][1]);
	}
	return rc;
}

static int
refuse_code(scmp_filter_ctx ctx)
{
	int rc = refuse_bits(ctx, SCMP_SYS(mmap), 2, PROT_EXEC, PROT_EXEC);

	if (rc == 0)
		rc = refuse_bits(ctx, SCMP_SYS(mprotect), 2, PROT_EXEC,
		    PROT_EXEC);
	return rc;
}

static int
add_responder(scmp_filter_ctx ctx)
{
	int rc = refuse(ctx, changes_files);

	if (rc == 0)
		rc = refuse(ctx, responder_may_not);
	if (rc == 0)
		rc = refuse_writing(ctx);
	if (rc == 0)
		rc = refuse_code(ctx);
	if (rc != 0 || IS_SANITIZED)
		return rc;
	rc = refuse(ctx, begins_process);
	/* Also a thread. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 0);
	return rc;
}

static int
add_fetcher(scmp_filter_ctx ctx)
{
	int rc = IS_SANITIZED ? 0 : refuse(ctx, begins_process);

	if (rc == 0 && !IS_SANITIZED)
		rc = refuse_bits(ctx, SCMP_SYS(clone), 0, CLONE_THREAD, 0);
	return rc;
}

static int
add_rules(scmp_filter_ctx ctx, enum ipc_sandbox sandbox)
{
	static const char *const tracing[] = { "ptrace", NULL };
	static const char *const binding[] = { "bind", NULL };
	int rc = refuse(ctx, nobody_may);

	if (rc == 0 && !IS_SANITIZED)
		rc = refuse(ctx, tracing);
	if (rc == 0)
		rc = refuse_families(ctx, sandbox);
	if (rc == 0)
		rc = refuse_clone3(ctx);
	if (rc == 0 && (sandbox != IPC_SANDBOX_RESPONDER || IS_SANITIZED))
		rc = refuse_namespaces(ctx);
	/* A terminal's input is another's words. */
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ,
		    UINT32_MAX, TIOCSTI));
	if (rc == 0 && sandbox == IPC_SANDBOX_SIGNER)
		rc = refuse(ctx, binding);
	if (rc == 0 && (sandbox == IPC_SANDBOX_FETCHER ||
	    sandbox == IPC_SANDBOX_VALIDATOR))
		rc = add_fetcher(ctx);
	if (rc == 0 && sandbox == IPC_SANDBOX_VALIDATOR)
		rc = refuse(ctx, changes_files);
	if (rc == 0 && sandbox == IPC_SANDBOX_VALIDATOR)
		rc = refuse_writing(ctx);
	if (rc == 0 && sandbox == IPC_SANDBOX_RESPONDER)
		rc = add_responder(ctx);
	return rc;
}

enum oc_err
ipc_sandbox_enter(enum ipc_sandbox sandbox, struct oc_error *error)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc = ctx == NULL ? -ENOMEM : 0;

	/* Neither is there in every version. */
	if (rc == 0) {
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
#ifdef HAVE_SECCOMP_OPTIMIZE
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
		rc = add_rules(ctx, sandbox);
	}
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	if (rc == 0)
		return OC_OK;
	errno = -rc;
	return oc_error_set_errno(error, OC_ERR_SYSTEM, "the filter of system "
	    "calls (seccomp) cannot be set");
}
#endif
