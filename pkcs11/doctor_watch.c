/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a module opens and connects to, also for a moment: the kernel tells
 * the parent of these calls (SECCOMP_RET_USER_NOTIF) and then goes on with
 * them.  Where it cannot, what is open at the end has to do.
 *
 * It is for a report, not for a guard: a path is read while the child waits,
 * and the child may be anything but hostile.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>

#include "pkcs11/doctor_probe.h"

/* --- what is kept ----------------------------------------------------- */

static bool
is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return strncmp(path, directory, len) == 0 && (path[len] == '/' ||
	    path[len] == '\0');
}

static bool
is_file(enum p11_seen_kind kind)
{
	return kind == P11_SEEN_READ || kind == P11_SEEN_WRITTEN;
}

/* A directory that was seen stands for all in it, and is written to where one
 * of these is. */
void
p11_observe_add(struct p11_doctor_facts *facts, enum p11_seen_kind kind,
    const char *path)
{
	struct p11_doctor_seen *seen;

	if (strlen(path) >= P11_DOCTOR_PATH_MAX)
		return;
	for (size_t i = 0; i < facts->num_seen; i++) {
		seen = &facts->seen[i];
		if (is_file(kind) != is_file(seen->kind) ||
		    (is_file(kind) ? !is_below(path, seen->path) :
		    strcmp(seen->path, path) != 0))
			continue;
		if (kind == P11_SEEN_WRITTEN)
			seen->kind = kind;
		return;
	}
	if (facts->num_seen == P11_DOCTOR_SEEN_MAX) {
		facts->has_more_seen = true;
		return;
	}
	seen = &facts->seen[facts->num_seen++];
	seen->kind = kind;
	(void)snprintf(seen->path, sizeof(seen->path), "%s", path);
}

/* What every program reads, in any sandbox. */
static bool
is_everybodys(const char *path)
{
	static const char *const directories[] = { "/usr", "/lib", "/lib64",
	    "/lib32", "/bin", "/sbin", "/proc", "/sys", "/etc", "/dev/null",
	    "/dev/zero", "/dev/urandom", "/dev/random", "/dev/tty" };

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]);
	    i++)
		if (is_below(path, directories[i]))
			return true;
	return false;
}

/* "/var", "/": whoever lists those needs nothing of them, nor who looks into
 * a folder for everybody's files. */
static bool
is_top(const char *path)
{
	return strchr(path + 1, '/') == NULL ||
	    strcmp(path, "/var/tmp") == 0 || strcmp(path, "/dev/shm") == 0;
}

static void
add_file(struct p11_doctor_facts *facts, const char *path, bool is_written)
{
	char real[PATH_MAX], *slash;
	struct stat st;

	/* What is not there was looked for in vain. */
	if (realpath(path, real) == NULL || stat(real, &st) != 0)
		return;
	if (is_everybodys(real) && (!is_written || is_below(real, "/dev") ||
	    is_below(real, "/proc")))
		return;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		p11_observe_add(facts, P11_SEEN_DEVICE, real);
		return;
	}
	/* Files there come and go: their directory is meant. */
	slash = strrchr(real, '/');
	if (is_written && !S_ISDIR(st.st_mode) && slash != real)
		*slash = '\0';
	if (!is_top(real) || is_written)
		p11_observe_add(facts, is_written ? P11_SEEN_WRITTEN :
		    P11_SEEN_READ, real);
}

static void
add_inet(struct p11_doctor_facts *facts, const char *text, bool is_answered)
{
	p11_observe_add(facts, P11_SEEN_INET, text);
	for (size_t i = 0; i < facts->num_seen; i++)
		if (strcmp(facts->seen[i].path, text) == 0 && is_answered)
			facts->seen[i].is_answered = true;
}

static void
add_address(struct p11_doctor_facts *facts, const struct sockaddr_storage *a,
    socklen_t len, bool is_answered)
{
	char host[INET6_ADDRSTRLEN] = "", text[P11_DOCTOR_PATH_MAX];
	const struct sockaddr_in6 *in6 = (const void *)a;
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_un *un = (const void *)a;

	switch (a->ss_family) {
	case AF_UNIX:
		if (len <= offsetof(struct sockaddr_un, sun_path))
			return;
		(void)snprintf(text, sizeof(text), "%s%.*s",
		    un->sun_path[0] == '\0' ? "@" : "", (int)(len -
		    offsetof(struct sockaddr_un, sun_path)), un->sun_path[0]
		    == '\0' ? un->sun_path + 1 : un->sun_path);
		p11_observe_add(facts, P11_SEEN_UNIX, text);
		return;
	case AF_INET:
		(void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		(void)snprintf(text, sizeof(text), "%s port %u", host,
		    ntohs(in->sin_port));
		add_inet(facts, text, is_answered);
		return;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &in6->sin6_addr, host,
		    sizeof(host));
		(void)snprintf(text, sizeof(text), "%s port %u", host,
		    ntohs(in6->sin6_port));
		add_inet(facts, text, is_answered);
		return;
	default:
		return;
	}
}

/* --- what is open at the end ------------------------------------------ */

static void
look_at(struct p11_doctor_facts *facts, const char *name)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(address);
	char link[64], path[PATH_MAX];
	ssize_t n;
	int fd = atoi(name), flags;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	flags = fcntl(fd, F_GETFL);
	/* What is open may also be what somebody handed to us. */
	if (path[0] == '/' && fd > 2 && !facts->is_watched)
		add_file(facts, path, (flags & O_ACCMODE) != O_RDONLY);
	else if (strncmp(path, "socket:", 7) == 0 && fd > 2 &&
	    getpeername(fd, (struct sockaddr *)&address, &len) == 0)
		add_address(facts, &address, len, true);
}

void
p11_observe_look(struct p11_doctor_facts *facts)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *e;

	if (directory == NULL)
		return;
	while ((e = readdir(directory)) != NULL)
		if (e->d_name[0] != '.' && atoi(e->d_name) !=
		    dirfd(directory))
			look_at(facts, e->d_name);
	(void)closedir(directory);
}

/* Whether somebody listens on this port of the machine itself. */
static bool
is_listening(unsigned int port)
{
	static const char *const tables[] = { "/proc/net/tcp",
	    "/proc/net/tcp6" };
	unsigned int local, state;
	bool is_found = false;
	char line[256];

	for (size_t i = 0; i < 2; i++) {
		FILE *f = fopen(tables[i], "re");

		while (f != NULL && fgets(line, sizeof(line), f) != NULL)
			is_found = is_found || (sscanf(line,
			    " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x",
			    &local, &state) == 2 && local == port &&
			    state == 0x0a);
		if (f != NULL)
			(void)fclose(f);
	}
	return is_found;
}

void
p11_observe_settle(struct p11_doctor_facts *facts)
{
	for (size_t i = 0; i < facts->num_seen; i++) {
		struct p11_doctor_seen *seen = &facts->seen[i];
		const char *port = strstr(seen->path, " port ");

		if (seen->kind != P11_SEEN_INET || port == NULL)
			continue;
		/* Far away, we cannot tell: it may have been answered. */
		if (strncmp(seen->path, "127.", 4) != 0 &&
		    strncmp(seen->path, "::1 ", 4) != 0)
			seen->is_answered = true;
		else if (is_listening((unsigned int)atoi(port + 6)))
			seen->is_answered = true;
	}
}

/* --- each call, as it is made ----------------------------------------- */

#define WATCH(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)

static int
install_filter(void)
{
	/* No look at the architecture: all calls are let through. */
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
#ifdef __NR_open
		WATCH(__NR_open),
#endif
#ifdef __NR_creat
		WATCH(__NR_creat),
#endif
		WATCH(__NR_openat),
		WATCH(__NR_connect),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

union control {
	struct cmsghdr header;
	uint8_t space[CMSG_SPACE(sizeof(int))];
};

static bool
send_fd(int socket, int fd)
{
	char octet = 0;
	struct iovec iov = { &octet, 1 };
	union control control = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

bool
p11_observe_begin(int socket)
{
	int listener = install_filter();

	if (listener < 0)
		return false;
	/* Without anybody who listens every call would fail. */
	if (!send_fd(socket, listener))
		_exit(1);
	(void)close(listener);
	return true;
}

int
p11_observe_receive(int socket)
{
	char octet;
	struct iovec iov = { &octet, 1 };
	union control control = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1 ||
	    message.msg_controllen < CMSG_LEN(sizeof(int)) ||
	    control.header.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* A string of the child's; false if it cannot be read. */
static bool
read_path(pid_t pid, uint64_t address, char path[PATH_MAX])
{
	size_t len = 0;

	/* A page at a time: the one behind may not be there. */
	while (len < PATH_MAX - 1) {
		size_t part = 4096 - (address + len) % 4096;
		struct iovec local, remote;

		if (part > PATH_MAX - 1 - len)
			part = PATH_MAX - 1 - len;
		local = (struct iovec){ path + len, part };
		remote = (struct iovec){ (void *)(uintptr_t)(address + len),
		    part };
		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) !=
		    (ssize_t)part)
			return false;
		if (memchr(path + len, '\0', part) != NULL)
			return true;
		len += part;
	}
	path[PATH_MAX - 1] = '\0';
	return true;
}

/* A relative one is meant from our directory: the child has the same. */
static void
take_open(const struct seccomp_notif *n, uint64_t address, uint64_t flags,
    struct p11_doctor_facts *facts)
{
	char path[PATH_MAX];
	bool is_written = (flags & O_ACCMODE) != O_RDONLY ||
	    (flags & O_CREAT) != 0;

	if (!read_path((pid_t)n->pid, address, path))
		return;
	/* Not there yet: what is made is in its directory. */
	if ((flags & O_CREAT) != 0 && access(path, F_OK) != 0) {
		char *slash = strrchr(path, '/');

		if (slash != NULL && slash != path)
			*slash = '\0';
	}
	add_file(facts, path, is_written);
}

static void
take_connect(const struct seccomp_notif *n, struct p11_doctor_facts *facts)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t len = (socklen_t)n->data.args[2];
	struct iovec local, remote;

	if (len > sizeof(a))
		len = sizeof(a);
	local = (struct iovec){ &a, len };
	remote = (struct iovec){ (void *)(uintptr_t)n->data.args[1], len };
	if (process_vm_readv((pid_t)n->pid, &local, 1, &remote, 1, 0) ==
	    (ssize_t)len)
		add_address(facts, &a, len, false);
}

void
p11_observe_take(int listener, struct p11_doctor_facts *facts)
{
	struct seccomp_notif_resp answer;
	/* A later kernel's may be longer. */
	union {
		struct seccomp_notif n;
		uint8_t room[512];
	} u;
	const struct seccomp_notif *n = &u.n;

	memset(&u, 0, sizeof(u));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &u) != 0)
		return;
	if (n->data.nr == __NR_openat)
		take_open(n, n->data.args[1], n->data.args[2], facts);
	else if (n->data.nr == __NR_connect)
		take_connect(n, facts);
#ifdef __NR_open
	else if (n->data.nr == __NR_open)
		take_open(n, n->data.args[0], n->data.args[1], facts);
#endif
#ifdef __NR_creat
	else if (n->data.nr == __NR_creat)
		take_open(n, n->data.args[0], O_WRONLY | O_CREAT, facts);
#endif
	memset(&answer, 0, sizeof(answer));
	answer.id = n->id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* --- the probe -------------------------------------------------------- */

enum oc_err
p11_probe_observe(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_signature signature;
	struct p11_doctor_signing signing;
	struct p11_doctor_canary canary;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE handle;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK && c->facts->has_best_key)
		err = p11_doctor_find_key(c, session, c->facts->best_key,
		    &handle, error);
	if (err == OC_OK && c->facts->has_best_key) {
		p11_doctor_choose(c->facts, c->facts->best_key, handle,
		    &signing);
		p11_doctor_canary(&canary);
		p11_doctor_step(c, "C_Sign");
		/* Whether it works is not the question here. */
		(void)p11_doctor_sign(c->f, session, &signing, &canary,
		    &signature);
	}
	p11_observe_look(c->facts);
	return err;
}
