/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner has nothing but its socket.  It forks a keeper for each run, and
 * does not wait for it; the keeper starts the program, reads what it says,
 * and ends it.
 */
#include "validation/hook_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define SOCKET_FD 3
#define EXIT_EXEC 127
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:" \
	"/sbin:/bin"

struct keeper {
	int asker, output;
	pid_t program;
	struct validation_hook_ended ended;
};

static void
close_from(unsigned int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0)
		return;
#endif
	for (int fd = (int)first; fd < sysconf(_SC_OPEN_MAX); fd++)
		(void)close(fd);
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- the program -------------------------------------------------------- */

static void
become(const char *program, const struct validation_hook_run *run, int input,
    int output) OC_NORETURN;
static void
become(const char *program, const struct validation_hook_run *run, int input,
    int output)
{
	const char *path = getenv("PATH");
	const char *const argv[] = { program, run->verb, run->name, NULL };
	char variable[4096];
	char *const environment[] = { variable, NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setpgid(0, 0);
	reset_signals();
	(void)snprintf(variable, sizeof(variable), "PATH=%s",
	    path != NULL ? path : USUAL_PATH);
	if (chdir("/") != 0 || dup2(input, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_EXEC);
	close_from(STDERR_FILENO + 1);
	(void)execve(program, (char *const *)(uintptr_t)argv, environment);
	(void)dprintf(STDERR_FILENO, "cannot be executed: %s",
	    strerror(errno));
	_exit(EXIT_EXEC);
}

/* The token is shorter than what a pipe takes at once. */
static bool
start(struct keeper *k, const char *program,
    const struct validation_hook_run *run)
{
	size_t len = strlen(run->token);
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return false;
	if (write(in[1], run->token, len) != (ssize_t)len)
		return false;
	k->program = fork();
	if (k->program < 0)
		return false;
	if (k->program == 0)
		become(program, run, in[0], out[1]);
	/* Whoever is first. */
	(void)setpgid(k->program, k->program);
	(void)close(in[0]);
	(void)close(in[1]);
	(void)close(out[1]);
	k->output = out[0];
	return fcntl(k->output, F_SETFL, O_NONBLOCK) == 0;
}

/* --- its keeper --------------------------------------------------------- */

/* Keeps the last octets.  False: there is no more for now. */
static bool
read_output(struct keeper *k)
{
	struct validation_hook_ended *e = &k->ended;
	char bytes[VALIDATION_HOOK_OUTPUT_MAX];
	ssize_t n;
	size_t len, drop;

	if (k->output < 0)
		return false;
	n = read(k->output, bytes, sizeof(bytes));
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		(void)close(k->output);
		k->output = -1;
	}
	if (n <= 0)
		return false;
	len = (size_t)n;
	drop = e->output_len + len > sizeof(e->output) ?
	    e->output_len + len - sizeof(e->output) : 0;
	memmove(e->output, e->output + drop, e->output_len - drop);
	e->output_len -= (uint32_t)drop;
	memcpy(e->output + e->output_len, bytes, len);
	e->output_len += (uint32_t)len;
	return true;
}

/* Its group is there for as long as it has not been waited for. */
static void
end_program(struct keeper *k)
{
	(void)kill(-k->program, SIGKILL);
	while (waitpid(k->program, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool
has_ended(struct keeper *k)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)k->program, &info,
	    WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
		return false;
	k->ended.end = info.si_code == CLD_EXITED ? VALIDATION_HOOK_EXITED :
	    VALIDATION_HOOK_KILLED;
	k->ended.value = info.si_status;
	return true;
}

/* Signals wait while it looks, and come in while it sleeps.  False: the asker
 * has gone. */
static bool
sleep_until(struct keeper *k, int64_t deadline_ns, const sigset_t *mask)
{
	struct pollfd fds[] = { { .fd = k->asker, .events = POLLIN },
	    { .fd = k->output, .events = POLLIN } };
	int64_t left_ns = deadline_ns - oc_clock_mono_ns();
	struct timespec left = { left_ns / OC_NS_PER_S,
	    left_ns % OC_NS_PER_S };

	if (left_ns <= 0)
		return true;
	if (ppoll(fds, 2, &left, mask) <= 0)
		return true;
	return fds[0].revents == 0;
}

static void
on_child(int sig)
{
	(void)sig;
}

static void
keep(int asker, const char *program, const struct validation_hook_run *run)
    OC_NORETURN;
static void
keep(int asker, const char *program, const struct validation_hook_run *run)
{
	struct keeper k = { .asker = asker, .output = -1 };
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child, none;
	bool is_late = false;

	sigemptyset(&none);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	if (!start(&k, program, run)) {
		k.ended.end = VALIDATION_HOOK_FAILED;
		k.ended.value = errno;
	} else {
		while (!has_ended(&k) && !is_late) {
			if (!sleep_until(&k, run->deadline_ns, &none)) {
				end_program(&k);
				_exit(0);
			}
			(void)read_output(&k);
			is_late = oc_clock_mono_ns() >= run->deadline_ns;
		}
		end_program(&k);
		if (is_late)
			k.ended.end = VALIDATION_HOOK_LATE;
		/* Nobody writes any more. */
		while (read_output(&k))
			;
	}
	(void)send(asker, &k.ended, sizeof(k.ended), MSG_NOSIGNAL);
	_exit(0);
}

/* --- the runner --------------------------------------------------------- */

/* -1: it ends; -2: nothing that is one. */
static int
take_run(int socket, struct validation_hook_run *run)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { run, sizeof(*run) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *head;
	ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	int fd = -2;

	if (n == 0 || (n < 0 && errno != EINTR))
		return -1;
	head = CMSG_FIRSTHDR(&message);
	if (n < 0 || head == NULL || head->cmsg_type != SCM_RIGHTS)
		return -2;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	if (n == (ssize_t)sizeof(*run))
		return fd;
	(void)close(fd);
	return -2;
}

void
validation_hook_serve(int socket, const char *program)
{
	struct validation_hook_run run;
	int null, asker;
	pid_t keeper;

	reset_signals();
	/* ^C is for the one that we serve. */
	(void)setpgid(0, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || (socket != SOCKET_FD &&
	    dup2(socket, SOCKET_FD) < 0))
		_exit(EXIT_EXEC);
	close_from(SOCKET_FD + 1);
	(void)fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
	/* Keepers leave nothing behind. */
	(void)signal(SIGCHLD, SIG_IGN);
	while ((asker = take_run(SOCKET_FD, &run)) != -1) {
		if (asker < 0)
			continue;
		keeper = fork();
		if (keeper == 0) {
			(void)close(SOCKET_FD);
			keep(asker, program, &run);
		}
		(void)close(asker);
	}
	_exit(0);
}
