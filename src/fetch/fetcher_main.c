/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsign-fetcher: fetches CRLs from where they are published into files, of
 * which ocsign-status reads them.  It has no key, no records and no clients;
 * what it parses comes from the network, so that nothing else is here.
 *
 * A thread for each of them; the first one waits for signals.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"
#include "fetch/client.h"
#include "fetch/issuer.h"
#include "ipc/handover.h"
#include "ipc/landlock.h"
#include "ipc/role.h"
#include "ipc/sandbox.h"

/* How often the clock is looked at meanwhile: it may be set. */
#define LOOK_NS (10 * OC_NS_PER_S)

struct program;
struct task {
	struct program *program;
	struct fetch_issuer *fetcher;
	pthread_t thread;
	bool has_thread;
};

struct program {
	struct oc_config *config;
	struct task *tasks;
	size_t num_tasks;
	pthread_mutex_t lock;
	pthread_cond_t stopping;
	atomic_bool is_stopping;
};

/* --- a thread for each issuer ------------------------------------------- */

static uint32_t
random_number(void)
{
	uint32_t number = 0;

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return number;
}

/* False: stop. */
static bool
wait_until(struct program *p, int64_t at_ns)
{
	struct timespec until = { at_ns / OC_NS_PER_S, at_ns % OC_NS_PER_S };
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	while (!atomic_load(&p->is_stopping) && rc == 0)
		rc = pthread_cond_timedwait(&p->stopping, &p->lock, &until);
	pthread_mutex_unlock(&p->lock);
	return !atomic_load(&p->is_stopping);
}

/* By either clock: as long as was planned, or until the planned time. */
static bool
wait_for_next(struct task *task)
{
	const struct fetch_state *state = fetch_issuer_state(task->fetcher);
	int64_t left_ns, until_ns = oc_clock_mono_ns() + (state->next_at -
	    oc_clock_now_s()) * OC_NS_PER_S;

	for (;;) {
		left_ns = until_ns - oc_clock_mono_ns();
		if (left_ns <= 0 || oc_clock_now_s() >= state->next_at)
			return !atomic_load(&task->program->is_stopping);
		if (left_ns > LOOK_NS)
			left_ns = LOOK_NS;
		if (!wait_until(task->program, oc_clock_mono_ns() + left_ns))
			return false;
	}
}

/* The first time at once: who has started or reloaded us wants it now. */
static void *
task_main(void *arg)
{
	struct task *task = arg;

	do
		fetch_issuer_round(task->fetcher, oc_clock_now_s(),
		    random_number());
	while (wait_for_next(task));
	return NULL;
}

/* --- what it can do ------------------------------------------------------ */

/* What name resolution and TLS read of the system; what is configured has been
 * read by then. */
static enum oc_err
limit_files(const struct oc_config *config, struct oc_error *error)
{
	static const char *const read[] = { "/etc/resolv.conf", "/etc/hosts",
	    "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	    "/etc/services", "/etc/protocols", "/etc/localtime",
	    "/etc/ld.so.cache", "/etc/ssl", "/etc/pki",
	    "/etc/ca-certificates", "/etc/crypto-policies",
	    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	    "/usr/share/pki", "/usr/lib", "/usr/lib64", "/lib", "/lib64",
	    "/run/systemd/resolve", "/run/nscd", "/dev/urandom", "/dev/null",
	    NULL
	};
	const char *const write[] = { config->daemon.fetch_directory, NULL };

	return ipc_landlock_enter(&(struct ipc_files){ read, write }, error);
}

/* --- start and end ------------------------------------------------------- */

static void
init_lock(struct program *p)
{
	pthread_condattr_t attr;

	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&p->stopping, &attr);
	(void)pthread_condattr_destroy(&attr);
}

/* An issuer without a certificate is one that is only planned; it joins with
 * the next reload. */
static enum oc_err
open_task(struct program *p, const struct oc_config_issuer *issuer,
    enum fetch_what what, struct oc_error *error)
{
	struct task *task = &p->tasks[p->num_tasks];
	enum oc_err err;

	if (!fetch_is_wanted(issuer, what) ||
	    access(issuer->certificate, F_OK) != 0)
		return OC_OK;
	task->program = p;
	err = fetch_issuer_new(p->config, issuer, what, &p->is_stopping,
	    &task->fetcher, error);
	p->num_tasks += err == OC_OK;
	return err;
}

static enum oc_err
open_tasks(struct program *p, struct oc_error *error)
{
	const struct oc_config *config = p->config;
	enum oc_err err = OC_OK;

	p->tasks = calloc(config->num_issuers * FETCH_NUM_WHAT + 1,
	    sizeof(*p->tasks));
	if (p->tasks == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++) {
		err = open_task(p, &config->issuers[i], FETCH_CRL, error);
		if (err == OC_OK)
			err = open_task(p, &config->issuers[i], FETCH_DELTA,
			    error);
	}
	return err;
}

static enum oc_err
start_tasks(struct program *p, struct oc_error *error)
{
	for (size_t i = 0; i < p->num_tasks; i++) {
		struct task *task = &p->tasks[i];

		if (oc_thread_start(&task->thread, task_main, task) != 0)
			return oc_error_set(error, OC_ERR_SYSTEM, "no thread "
			    "can be started");
		task->has_thread = true;
	}
	return OC_OK;
}

static void
stop_tasks(struct program *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->is_stopping, true);
	pthread_cond_broadcast(&p->stopping);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->num_tasks; i++) {
		if (p->tasks[i].has_thread)
			(void)pthread_join(p->tasks[i].thread, NULL);
		fetch_issuer_free(p->tasks[i].fetcher);
	}
	free(p->tasks);
}

static enum oc_err
open_all(struct program *p, struct oc_error *error)
{
	enum oc_err err;

	err = oc_file_mkdir_p(p->config->daemon.fetch_directory, 0755, error);
	if (err == OC_OK)
		err = fetch_client_init(error);
	if (err == OC_OK)
		err = open_tasks(p, error);
	if (err == OC_OK)
		err = limit_files(p->config, error);
	if (err == OC_OK)
		err = ipc_sandbox_enter(IPC_SANDBOX_FETCHER, error);
	if (err == OC_OK)
		err = start_tasks(p, error);
	return err;
}

/* Blocked in all threads from the start: only here they are waited for. */
static void
wait_for_end(const sigset_t *signals)
{
	int got;

	while (sigwait(signals, &got) == EINTR)
		continue;
	ipc_notify("STOPPING=1");
}

int
main(int argc, char **argv)
{
	struct program p = { .config = NULL };
	struct oc_error error = { 0 };
	sigset_t signals;
	int status;

	status = ipc_role_start(argc, argv, "ocsign-fetcher", "Fetches CRLs "
	    "from where they are published.", &p.config);
	if (status != IPC_ROLE_RUN)
		return status;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	init_lock(&p);
	status = EXIT_SUCCESS;
	if (open_all(&p, &error) == OC_OK) {
		ipc_notify("READY=1\nSTATUS=%zu CRLs", p.num_tasks);
		wait_for_end(&signals);
	} else {
		oc_log(OC_LOG_ERROR, "%s", error.text);
		status = error.code == OC_ERR_MALFORMED ||
		    error.code == OC_ERR_NOT_FOUND ? IPC_EXIT_CONFIG :
		    EXIT_FAILURE;
	}
	stop_tasks(&p);
	(void)pthread_cond_destroy(&p.stopping);
	(void)pthread_mutex_destroy(&p.lock);
	oc_config_free(p.config);
	return status;
}
