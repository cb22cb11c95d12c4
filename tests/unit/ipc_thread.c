/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/ipc_thread.h"

struct ipc_thread {
	pthread_t thread;
	pthread_barrier_t started;
	int stop[2];
	ipc_thread_fn *setup, *teardown;
	void *arg;
};

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void *
thread_main(void *arg)
{
	struct ipc_thread *t = arg;
	struct event_base *base = event_base_new();
	struct event *stop = event_new(base, t->stop[0], EV_READ, on_stop,
	    base);

	event_add(stop, NULL);
	t->setup(base, t->arg);
	pthread_barrier_wait(&t->started);
	event_base_dispatch(base);
	t->teardown(base, t->arg);
	event_free(stop);
	event_base_free(base);
	return NULL;
}

struct ipc_thread *
ipc_thread_start(ipc_thread_fn *setup, ipc_thread_fn *teardown, void *arg)
{
	struct ipc_thread *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->setup = setup;
	t->teardown = teardown;
	t->arg = arg;
	assert_int_equal(pipe(t->stop), 0);
	assert_int_equal(pthread_barrier_init(&t->started, NULL, 2), 0);
	assert_int_equal(pthread_create(&t->thread, NULL, thread_main, t), 0);
	pthread_barrier_wait(&t->started);
	return t;
}

void
ipc_thread_stop(struct ipc_thread *t)
{
	close(t->stop[1]);
	pthread_join(t->thread, NULL);
	close(t->stop[0]);
	pthread_barrier_destroy(&t->started);
	free(t);
}

void
ipc_dir_new(char dir[IPC_DIR_MAX])
{
	const char *parent = getenv("TMPDIR");

	/* A socket's path has room for 107: a long $TMPDIR has not. */
	if (parent == NULL || strlen(parent) > 40)
		parent = "/tmp";
	snprintf(dir, IPC_DIR_MAX, "%s/ocsign-ipc-XXXXXX", parent);
	assert_non_null(mkdtemp(dir));
}

void
ipc_dir_remove(const char *dir)
{
	char path[IPC_DIR_MAX + 600];
	struct dirent *entry;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(path) != 0 &&
		    errno == EISDIR)
			ipc_dir_remove(path);
	}
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

int
ipc_num_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int num = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		num++;
	closedir(d);
	return num;
}
