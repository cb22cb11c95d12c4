/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* Fixed by sd_listen_fds(3). */
#define FIRST_FD 3
/* Where listeners wait while those below are laid out. */
#define PARKED_FD 500
/* What a role takes (ipc/handover.c). */
#define FDS_MAX 256
_Static_assert(FDS_MAX >= DAEMON_ADDRESSES_MAX + 2, "ocsign-status has two "
    "beside its addresses");
#define EXIT_EXEC 127

/* The listeners of one process, in order, with their names. */
struct handed {
	int fds[FDS_MAX];
	size_t num;
	char names[FDS_MAX * 16 + 64];
};

const char *
daemon_kind_name(enum daemon_kind kind)
{
	switch (kind) {
	case DAEMON_SIGNER:
		return "ocsign-signer";
	case DAEMON_STATUS:
		return "ocsign-status";
	case DAEMON_ISSUER:
		return "ocsign-issuer";
	case DAEMON_FETCHER:
		return "ocsign-fetcher";
	case DAEMON_VALIDATOR:
		return "ocsign-validator";
	case DAEMON_RESPONDER:
		return "ocsign-responder";
	}
	return NULL;
}

static void
program_path(const struct daemon_launch *launch, enum daemon_kind kind,
    char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", launch->directory,
	    daemon_kind_name(kind));
}

enum oc_err
daemon_launch_check(const struct daemon_launch *launch,
    const struct oc_config *config, struct oc_error *error)
{
	char path[PATH_MAX];

	for (int kind = DAEMON_SIGNER; kind <= DAEMON_RESPONDER; kind++) {
		if ((kind == DAEMON_ISSUER && !oc_config_has_issuer(config)) ||
		    (kind == DAEMON_FETCHER && !oc_config_fetches(config)) ||
		    (kind == DAEMON_VALIDATOR &&
		    !oc_config_validates(config)))
			continue;
		program_path(launch, (enum daemon_kind)kind, path);
		if (access(path, X_OK) != 0)
			return oc_error_set_errno(error, OC_ERR_REFUSED, "%s",
			    path);
	}
	return OC_OK;
}

static void
hand(struct handed *h, const char *name, int fd)
{
	size_t len = strlen(h->names);

	h->fds[h->num++] = fd;
	snprintf(h->names + len, sizeof(h->names) - len, "%s%s",
	    len > 0 ? ":" : "", name);
}

static void
hand_unix(struct handed *h, const struct daemon_listeners *l,
    enum daemon_socket socket)
{
	hand(h, daemon_socket_name(socket), daemon_listeners_unix(l, socket));
}

/* Sockets that are nobody's any more only as long as there is room: 256 is
 * more than four for each of the most addresses.  Who waits at another is
 * not heard until a responder has it again: that is said. */
static void
hand_http(struct handed *h, const struct daemon_listeners *l,
    unsigned int worker)
{
	size_t num_addresses = daemon_listeners_num_http(l), num;
	size_t num_left_out = 0;
	int fds[DAEMON_WORKERS_MAX];

	for (size_t i = 0; i < num_addresses; i++) {
		num = daemon_listeners_http(l, i, worker, fds);
		for (size_t n = 0; n < num; n++)
			if (n == 0 || h->num + num_addresses < FDS_MAX)
				hand(h, "http", fds[n]);
			else
				num_left_out++;
	}
	if (num_left_out > 0)
		oc_log(OC_LOG_WARNING, "a responder takes no more than %d "
		    "sockets: it is without %zu of those that responders "
		    "before had, and whoever still waits there is not "
		    "answered; with more workers, reload again", FDS_MAX,
		    num_left_out);
}

static void
hand_all(struct handed *h, const struct daemon_listeners *l,
    enum daemon_kind kind, unsigned int worker)
{
	switch (kind) {
	case DAEMON_SIGNER:
		hand_unix(h, l, DAEMON_SOCKET_SIGNER_STATUS);
		hand_unix(h, l, DAEMON_SOCKET_SIGNER_ISSUER);
		return;
	case DAEMON_STATUS:
		hand_unix(h, l, DAEMON_SOCKET_STATUS);
		hand_unix(h, l, DAEMON_SOCKET_STATUS_CONTROL);
		for (size_t i = 0; i < daemon_listeners_num_metrics(l); i++)
			hand(h, "metrics", daemon_listeners_metrics(l, i));
		return;
	case DAEMON_ISSUER:
		for (size_t i = 0; i < daemon_listeners_num_api(l); i++)
			hand(h, "api", daemon_listeners_api(l, i));
		return;
	case DAEMON_FETCHER:
		return;
	case DAEMON_VALIDATOR:
		hand_unix(h, l, DAEMON_SOCKET_VALIDATOR);
		return;
	case DAEMON_RESPONDER:
		hand_http(h, l, worker);
		return;
	}
}

/* --- in the child ----------------------------------------------------- */

static void
die(const char *what)
{
	oc_log(OC_LOG_ERROR, "%s: %s", what, strerror(errno));
	_exit(EXIT_EXEC);
}

/* Old kernels have no close_range(2); then close-on-exec has to do. */
static void
close_from(unsigned int first, unsigned int last)
{
	if (first > last)
		return;
#ifdef SYS_close_range
	(void)syscall(SYS_close_range, first, last, 0);
#endif
}

static bool
is_kept(const struct daemon_kept *kept, int fd)
{
	for (size_t i = 0; i < kept->num; i++)
		if (kept->fds[i] == fd)
			return true;
	return false;
}

/* Everything from first on but what is kept. */
static void
close_others(const struct daemon_kept *kept, int first)
{
	int top = first - 1;

	for (size_t i = 0; i < kept->num; i++)
		if (kept->fds[i] > top)
			top = kept->fds[i];
	for (int fd = first; fd <= top; fd++)
		if (!is_kept(kept, fd))
			(void)close(fd);
	close_from((unsigned int)top + 1, UINT_MAX);
}

static const struct daemon_kept *
kept_by(const struct daemon_launch *launch, enum daemon_kind kind)
{
	static const struct daemon_kept none = { .num = 0 };

	switch (kind) {
	case DAEMON_SIGNER:
		return &launch->pins;
	case DAEMON_STATUS:
	case DAEMON_ISSUER:
		return &launch->passwords;
	case DAEMON_VALIDATOR:
		return &launch->mail;
	case DAEMON_FETCHER:
	case DAEMON_RESPONDER:
		break;
	}
	return &none;
}

/* First all out of the way, then each to its place: neither may overwrite
 * one that has yet to move. */
static void
lay_out(const struct handed *h)
{
	int parked[FDS_MAX];

	for (size_t i = 0; i < h->num; i++) {
		parked[i] = fcntl(h->fds[i], F_DUPFD_CLOEXEC, PARKED_FD);
		if (parked[i] < 0)
			die("parking a listener");
	}
	for (size_t i = 0; i < h->num; i++)
		if (dup2(parked[i], FIRST_FD + (int)i) < 0)
			die("handing over a listener");
}

static void
set_number(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	if (setenv(name, text, 1) != 0)
		die("setenv");
}

static void
set_environment(const struct daemon_launch *launch, const struct handed *h)
{
	char run[24];

	snprintf(run, sizeof(run), "%016" PRIx64, launch->run);
	set_number("LISTEN_PID", (long)getpid());
	set_number("LISTEN_FDS", (long)h->num);
	if (setenv("LISTEN_FDNAMES", h->names, 1) != 0 ||
	    setenv("NOTIFY_SOCKET", launch->notify_path, 1) != 0 ||
	    setenv("OCSIGN_RUN", run, 1) != 0)
		die("setenv");
	(void)unsetenv("WATCHDOG_PID");
	(void)unsetenv("WATCHDOG_USEC");
}

/* libevent's handlers must not run in here, and execve(2) keeps masks and
 * what is ignored. */
static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		die("prctl");
	if (getppid() != parent)
		_exit(EXIT_EXEC);	/* it died before that */
}

static void
begin_child(pid_t parent)
{
	die_with(parent);
	reset_signals();
	(void)setpgid(0, 0);
}

/* The kernel forgets with whom we die when we become somebody else. */
static void
become_user(const struct daemon_users *users, enum daemon_kind kind,
    pid_t parent)
{
	struct oc_error error = { 0 };

	if (!users->is_separate)
		return;
	if (oc_user_become(&users->of[kind], &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "%s: %s", daemon_kind_name(kind),
		    error.text);
		_exit(EXIT_EXEC);
	}
	die_with(parent);
}

static void
become(const struct daemon_launch *launch, enum daemon_kind kind,
    const struct handed *h, pid_t parent)
{
	char path[PATH_MAX], *argv[] = { NULL, NULL, NULL, NULL };

	begin_child(parent);
	lay_out(h);
	close_others(kept_by(launch, kind), FIRST_FD + (int)h->num);
	set_environment(launch, h);
	become_user(&launch->users, kind, parent);
	program_path(launch, kind, path);
	argv[0] = path;
	argv[1] = (char *)(uintptr_t)"-c";
	argv[2] = (char *)(uintptr_t)launch->config_path;
	execv(path, argv);
	die(path);
}

static void
become_renewal(const struct daemon_launch *launch, pid_t parent)
{
	const char *const argv[] = { launch->tool, "-c", launch->config_path,
	    "ocsp", "renew", "--reload", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	begin_child(parent);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		die("/dev/null");
	close_others(&launch->passwords, STDERR_FILENO + 1);
	(void)unsetenv("NOTIFY_SOCKET");
	execv(launch->tool, (char *const *)(uintptr_t)argv);
	die(launch->tool);
}

/* --- in the parent ---------------------------------------------------- */

/* No handler of ours runs between fork and reset_signals(). */
static pid_t
fork_quietly(sigset_t *old)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, old);
	return fork();
}

static enum oc_err
go_on(pid_t child, const sigset_t *old, pid_t *pid, struct oc_error *error)
{
	(void)sigprocmask(SIG_SETMASK, old, NULL);
	if (child < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "fork");
	*pid = child;
	return OC_OK;
}

enum oc_err
daemon_spawn(const struct daemon_launch *launch, enum daemon_kind kind,
    unsigned int worker, pid_t *pid, struct oc_error *error)
{
	struct handed h = { .num = 0 };
	sigset_t old;
	pid_t parent = getpid(), child;

	hand_all(&h, launch->listeners, kind, worker);
	child = fork_quietly(&old);
	if (child == 0)
		become(launch, kind, &h, parent);
	return go_on(child, &old, pid, error);
}

enum oc_err
daemon_spawn_renewal(const struct daemon_launch *launch, pid_t *pid,
    struct oc_error *error)
{
	sigset_t old;
	pid_t parent = getpid(), child = fork_quietly(&old);

	if (child == 0)
		become_renewal(launch, parent);
	return go_on(child, &old, pid, error);
}
