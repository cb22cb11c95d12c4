/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "validation/hook_runner.h"
#include "validation/names.h"
#include "validation/reply.h"

struct validation_hook {
	struct event_base *base;
	char *program;
	int runner;			/* its socket */
	pid_t pid;
	uint32_t num_jobs;
	struct validation_hook_job *jobs;
};

struct validation_hook_job {
	struct validation_hook *hook;
	struct validation_hook_job *next, **link;
	int socket;
	struct event *event;		/* an answer, or the deadline */
	char what[VALIDATION_NAME_MAX + 16];
	validation_done_fn *done;
	void *arg;
};

/* Whoever keeps the program sees the socket close, and ends it. */
static void
free_job(struct validation_hook_job *job)
{
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	job->hook->num_jobs--;
	if (job->event != NULL)
		event_free(job->event);
	if (job->socket >= 0)
		(void)close(job->socket);
	free(job);
}

void
validation_hook_cancel(struct validation_hook_job *job)
{
	free_job(job);
}

/* --- how it went -------------------------------------------------------- */

static void
judge(const struct validation_hook_job *job,
    const struct validation_hook_ended *e, struct validation_reply *reply)
{
	const char *program = job->hook->program;
	int len = (int)e->output_len;

	switch (e->end) {
	case VALIDATION_HOOK_EXITED:
		if (e->value == 0)
			validation_reply_set(reply, VALIDATION_NO_FAULT,
			    VALIDATION_FINAL, "%.100s %s: done%s%.*s", program,
			    job->what, len > 0 ? ": " : "", len, e->output);
		else
			validation_reply_set(reply, VALIDATION_REFUSED,
			    VALIDATION_TEMPORARY, "%.100s %s: exit status "
			    "%d: %.*s", program, job->what, e->value, len,
			    e->output);
		return;
	case VALIDATION_HOOK_KILLED:
		validation_reply_set(reply, VALIDATION_REFUSED,
		    VALIDATION_TEMPORARY, "%.100s %s: signal %d: %.*s",
		    program, job->what, e->value, len, e->output);
		return;
	case VALIDATION_HOOK_LATE:
		validation_reply_set(reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "%.100s %s: took too long", program,
		    job->what);
		return;
	case VALIDATION_HOOK_FAILED:
		break;
	}
	validation_reply_set(reply, VALIDATION_OURS, VALIDATION_TEMPORARY,
	    "%.100s %s: cannot begin: %s", program, job->what,
	    strerror(e->value));
}

/* Blanks at its end, line ends among them, say nothing. */
static void
trim(struct validation_hook_ended *e)
{
	if (e->output_len > sizeof(e->output))
		e->output_len = sizeof(e->output);
	while (e->output_len > 0 &&
	    strchr(" \t\r\n", e->output[e->output_len - 1]) != NULL)
		e->output_len--;
	for (uint32_t i = 0; i < e->output_len; i++)
		if (e->output[i] == '\0')
			e->output[i] = '?';
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct validation_hook_job *job = arg;
	validation_done_fn *done = job->done;
	struct validation_hook_ended ended = { .end = VALIDATION_HOOK_LATE };
	struct validation_reply reply;
	void *done_arg = job->arg;
	ssize_t n = 0;

	if ((what & EV_READ) != 0) {
		n = recv(fd, &ended, sizeof(ended), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
	}
	if ((what & EV_READ) != 0 && n != (ssize_t)sizeof(ended)) {
		validation_reply_set(&reply, VALIDATION_OURS,
		    VALIDATION_TEMPORARY, "%.100s %s: who ran it has gone",
		    job->hook->program, job->what);
	} else {
		trim(&ended);
		judge(job, &ended, &reply);
	}
	free_job(job);
	done(done_arg, &reply);
}

/* --- one run ------------------------------------------------------------ */

static enum oc_err
send_run(const struct validation_hook *hook,
    const struct validation_hook_run *run, int asker)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { (void *)(uintptr_t)run, sizeof(*run) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *head;

	memset(&control, 0, sizeof(control));
	head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &asker, sizeof(asker));
	if (sendmsg(hook->runner, &message, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(*run))
		return OC_OK;
	return errno == EAGAIN ? OC_ERR_BUSY : OC_ERR_DOWN;
}

static enum oc_err
begin(struct validation_hook_job *job, const struct validation_hook_run *run)
{
	int64_t left_ns = run->deadline_ns - oc_clock_mono_ns();
	struct timeval tv = { 0, 0 };
	int sockets[2];
	enum oc_err err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) !=
	    0)
		return OC_ERR_SYSTEM;
	job->socket = sockets[0];
	err = send_run(job->hook, run, sockets[1]);
	(void)close(sockets[1]);
	if (err != OC_OK)
		return err;
	if (left_ns > 0) {
		tv.tv_sec = (time_t)(left_ns / OC_NS_PER_S);
		tv.tv_usec = (suseconds_t)(left_ns % OC_NS_PER_S / 1000);
	}
	job->event = event_new(job->hook->base, job->socket, EV_READ |
	    EV_PERSIST, on_event, job);
	return job->event != NULL && event_add(job->event, &tv) == 0 ?
	    OC_OK : OC_ERR_NOMEM;
}

enum oc_err
validation_hook_ask(struct validation_hook *hook,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_hook_job **out)
{
	struct validation_hook_run run;
	struct validation_hook_job *job;
	enum oc_err err;

	memset(&run, 0, sizeof(run));
	run.deadline_ns = deadline_ns;
	if (!validation_record_name(question, run.name))
		return OC_ERR_MALFORMED;
	if (hook->num_jobs == VALIDATION_HOOKS_MAX)
		return OC_ERR_BUSY;
	(void)snprintf(run.verb, sizeof(run.verb), "%s",
	    question->task == VALIDATION_PUBLISH ? "publish" : "withdraw");
	(void)snprintf(run.token, sizeof(run.token), "%s",
	    question->expected);
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return OC_ERR_NOMEM;
	job->hook = hook;
	job->socket = -1;
	job->done = done;
	job->arg = arg;
	(void)snprintf(job->what, sizeof(job->what), "%s %s", run.verb,
	    run.name);
	job->link = &hook->jobs;
	job->next = hook->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	hook->jobs = job;
	hook->num_jobs++;
	err = begin(job, &run);
	if (err != OC_OK)
		free_job(job);
	else
		*out = job;
	return err;
}

/* --- the runner --------------------------------------------------------- */

static enum oc_err
check_program(const char *program, struct oc_error *error)
{
	struct stat st;

	if (program[0] != '/')
		return oc_error_set(error, OC_ERR_CONFIG, "%s: the path must "
		    "be absolute", program);
	if (stat(program, &st) != 0)
		return oc_error_set_errno(error, OC_ERR_CONFIG, "%s",
		    program);
	if (!S_ISREG(st.st_mode) || access(program, X_OK) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "%s is no program "
		    "that we may execute", program);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return oc_error_set(error, OC_ERR_CONFIG, "%s may be written "
		    "to by others", program);
	return OC_OK;
}

static enum oc_err
start_runner(struct validation_hook *hook, struct oc_error *error)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) !=
	    0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "socketpair");
	hook->pid = fork();
	if (hook->pid == 0)
		validation_hook_serve(sockets[1], hook->program);
	(void)close(sockets[1]);
	hook->runner = sockets[0];
	if (hook->pid < 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "fork");
	return OC_OK;
}

enum oc_err
validation_hook_new(struct event_base *base, const char *program,
    struct validation_hook **out, struct oc_error *error)
{
	struct validation_hook *hook;
	enum oc_err err = check_program(program, error);

	if (err != OC_OK)
		return err;
	hook = calloc(1, sizeof(*hook));
	if (hook == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	hook->base = base;
	hook->runner = -1;
	hook->program = strdup(program);
	if (hook->program == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	else
		err = start_runner(hook, error);
	if (err != OC_OK)
		validation_hook_free(hook);
	else
		*out = hook;
	return err;
}

void
validation_hook_free(struct validation_hook *hook)
{
	if (hook == NULL)
		return;
	while (hook->jobs != NULL)
		free_job(hook->jobs);
	if (hook->runner >= 0)
		(void)close(hook->runner);
	/* It ends by that. */
	while (hook->pid > 0 && waitpid(hook->pid, NULL, 0) < 0 &&
	    errno == EINTR)
		;
	free(hook->program);
	free(hook);
}
