/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library has no words for it, so the system calls are made here, with
 * the numbers and bits of the kernel's interface (linux/landlock.h), which
 * older headers have only some of.
 */
#include "ipc/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* The same on all machines. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define VERSION_FLAG 1u
#define RULE_PATH_BENEATH 1

#define CAN_EXECUTE (UINT64_C(1) << 0)
#define CAN_WRITE_FILE (UINT64_C(1) << 1)
#define CAN_READ_FILE (UINT64_C(1) << 2)
#define CAN_READ_DIR (UINT64_C(1) << 3)
/* Up to making symbolic links: the first version's. */
#define CAN_ALL_1 ((UINT64_C(1) << 13) - 1)
#define CAN_REFER (UINT64_C(1) << 13)		/* version 2 */
#define CAN_TRUNCATE (UINT64_C(1) << 14)	/* version 3 */
#define OF_FILES (CAN_EXECUTE | CAN_WRITE_FILE | CAN_READ_FILE | CAN_TRUNCATE)

struct ruleset {
	uint64_t handled;
};
struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* Who looks for leaks at the end reads /proc. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const char *const sanitizers_read[] = { "/proc", NULL };
#else
static const char *const sanitizers_read[] = { NULL };
#endif

/* 0: the kernel has none, or not switched on. */
static long
version(void)
{
	long n = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);

	return n < 0 ? 0 : n;
}

static enum oc_err
allow(int set, const char *path, uint64_t rights, struct oc_error *error)
{
	struct beneath rule = { .allowed = rights };
	struct stat st;
	int rc = 0;

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return OC_OK;
	if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed &= OF_FILES;
	if (syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &rule,
	    0) != 0)
		rc = errno;
	(void)close(rule.parent);
	errno = rc;
	return rc == 0 ? OC_OK : oc_error_set_errno(error, OC_ERR_SYSTEM,
	    "what is opened cannot be limited to %s", path);
}

static enum oc_err
allow_all(int set, const char *const *paths, uint64_t rights,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	for (; err == OC_OK && paths != NULL && *paths != NULL; paths++)
		err = allow(set, *paths, rights, error);
	return err;
}

enum oc_err
ipc_landlock_enter(const struct ipc_files *files, struct oc_error *error)
{
	struct ruleset ruleset = { .handled = CAN_ALL_1 };
	long v = version();
	enum oc_err err;
	int set;

	if (v == 0) {
		oc_log(OC_LOG_INFO, "this kernel has no Landlock: what files "
		    "can be opened, their modes alone say");
		return OC_OK;
	}
	if (v >= 2)
		ruleset.handled |= CAN_REFER;
	if (v >= 3)
		ruleset.handled |= CAN_TRUNCATE;
	set = (int)syscall(SYS_landlock_create_ruleset, &ruleset,
	    sizeof(ruleset), 0);
	if (set < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "Landlock");
	err = allow_all(set, files->read, CAN_READ_FILE | CAN_READ_DIR,
	    error);
	if (err == OC_OK)
		err = allow_all(set, sanitizers_read,
		    CAN_READ_FILE | CAN_READ_DIR, error);
	if (err == OC_OK)
		err = allow_all(set, files->write, ruleset.handled, error);
	if (err == OC_OK && syscall(SYS_landlock_restrict_self, set, 0) != 0)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM, "Landlock");
	(void)close(set);
	return err;
}
