/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/validator_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "tests/unit/ipc_thread.h"
#include "validation/service.h"

char validator_path[IPC_DIR_MAX + 32];
int validator_listener;
struct validator_shared *validator_shared;
static char dir[IPC_DIR_MAX];

struct validation_looking {
	struct event *timer;
	validation_done_fn *done;
	void *arg;
	struct validation_reply reply;
};

struct validator {
	struct event_base *base;
	struct validation_service *service;
	struct event *term, *tick;
};

static void
looking_free(struct validation_looking *l)
{
	event_free(l->timer);
	free(l);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct validation_looking *l = arg;

	(void)fd, (void)what;
	validator_shared->num_served++;
	l->done(l->arg, &l->reply);
	looking_free(l);
}

static bool
is_of(const char *name, const char *label)
{
	size_t len = strlen(label);

	return strncmp(name, label, len) == 0 && name[len] == '.';
}

static enum oc_err
look_start(void *arg, const struct validation_question *q,
    int64_t deadline_ns, validation_done_fn *done, void *done_arg,
    struct validation_looking **looking)
{
	struct validation_looking *l = calloc(1, sizeof(*l));
	int64_t left_ns = deadline_ns - oc_clock_mono_ns();
	struct timeval tv = { left_ns / OC_NS_PER_S,
	    left_ns % OC_NS_PER_S / 1000 };

	if (is_of(q->name, "busy") || is_of(q->name, "never")) {
		free(l);
		return is_of(q->name, "busy") ? OC_ERR_BUSY :
		    OC_ERR_UNSUPPORTED;
	}
	validator_shared->num_begun++;
	l->done = done;
	l->arg = done_arg;
	l->timer = evtimer_new(arg, on_timer, l);
	(void)snprintf(l->reply.seen, sizeof(l->reply.seen), "%s by %ld",
	    q->name, (long)getpid());
	if (is_of(q->name, "now"))
		tv = (struct timeval){ 0, 0 };
	if (is_of(q->name, "soon"))
		tv = (struct timeval){ 0, 300000 };
	if (is_of(q->name, "dead")) {
		l->reply.fault = VALIDATION_CONNECTION_FAULT;
		l->reply.is_temporary = true;
	}
	if (!is_of(q->name, "stuck"))
		event_add(l->timer, &tv);
	*looking = l;
	return OC_OK;
}

static void
look_cancel(void *arg, struct validation_looking *l)
{
	(void)arg;
	validator_shared->num_cancelled++;
	looking_free(l);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = { 0, 5000 };
	struct validator *v = arg;

	(void)fd, (void)what;
	if (validation_service_is_drained(v->service))
		event_base_loopbreak(v->base);
	else
		event_add(v->tick, &again);
}

static void
on_term(evutil_socket_t fd, short what, void *arg)
{
	struct validator *v = arg;

	validation_service_drain(v->service);
	on_tick(fd, what, arg);
}

static void
validate(uint32_t under_way_max)
{
	struct validator v = { .base = event_base_new() };
	const struct ipc_peers peers = { .num = 0 };
	const struct validation_looker looker = { look_start, look_cancel,
	    v.base };
	const struct validation_service_options options = {
		.base = v.base,
		.listener = dup(validator_listener),
		.peers = &peers,
		.looker = &looker,
		.timeout_ns = 60 * OC_NS_PER_S,
		.under_way_max = under_way_max,
		.counts = &validator_shared->counts,
	};

	if (validation_service_new(&options, &v.service) != OC_OK)
		_exit(1);
	v.term = evsignal_new(v.base, SIGTERM, on_term, &v);
	v.tick = evtimer_new(v.base, on_tick, &v);
	event_add(v.term, NULL);
	event_base_dispatch(v.base);
	validation_service_free(v.service);
	event_free(v.term);
	event_free(v.tick);
	event_base_free(v.base);
	_exit(0);
}

pid_t
validator_start(uint32_t under_way_max)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* A test that fails leaves none behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		validate(under_way_max);
	}
	return pid;
}

void
validator_end(pid_t pid, int sig)
{
	int status;

	assert_int_equal(kill(pid, sig), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (sig != SIGKILL)
		assert_int_equal(status, 0);
}

int
validator_set_up(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	ipc_dir_new(dir);
	(void)snprintf(validator_path, sizeof(validator_path),
	    "%s/validator.sock", dir);
	if (ipc_listen(validator_path, &validator_listener, &error) != OC_OK)
		fail_msg("%s", error.text);
	validator_shared = mmap(NULL, sizeof(*validator_shared),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return validator_shared == MAP_FAILED;
}

int
validator_tear_down(void **state)
{
	(void)state;
	(void)munmap(validator_shared, sizeof(*validator_shared));
	close(validator_listener);
	ipc_dir_remove(dir);
	return 0;
}
