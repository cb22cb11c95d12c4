/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a responder find its way back when there were no descriptors at all,
 * and to its end however many come meanwhile?
 */
#include "tests/unit/ocsp_worker_test.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 10000

static struct response r;
/* Shared with the worker: the queue is never empty. */
static atomic_bool *is_endless;

/* In front of the C library's. */
int
accept4(int listener, struct sockaddr *from, socklen_t *len, int flags)
{
	static const struct sockaddr_in somebody = { .sin_family = AF_INET };

	if (!*is_endless)
		return (int)syscall(SYS_accept4, listener, from, len, flags);
	memcpy(from, &somebody, sizeof(somebody));
	*len = sizeof(somebody);
	return socket(AF_INET, SOCK_STREAM | flags, 0);
}

static void
set_fds_max(rlim_t max)
{
	struct rlimit limit;

	assert_int_equal(prlimit(running.pid, RLIMIT_NOFILE, NULL, &limit),
	    0);
	limit.rlim_cur = max;
	assert_int_equal(prlimit(running.pid, RLIMIT_NOFILE, &limit, NULL),
	    0);
}

static void
until_num_fds(int num)
{
	int64_t until = now_ms() + WAIT_MS;

	while (worker_num_fds(&running) != num)
		if (now_ms() > until)
			fail_msg("%d descriptors, not %d",
			    worker_num_fds(&running), num);
}

/* When not even the one that was kept is to be had again, it is kept again as
 * soon as there is one. */
static void
reserve_comes_back(void **state)
{
	struct rlimit usual;
	struct client *c;
	char text[1024];
	int num_fds;

	(void)state;
	worker_start(&world, NULL, &running);
	http_get(running.port, world.path, "", &r);
	num_fds = worker_num_fds(&running);
	assert_int_equal(prlimit(running.pid, RLIMIT_NOFILE, NULL, &usual),
	    0);
	set_fds_max(0);
	c = client_new(running.port);
	get_text(world.path, text);
	client_send_text(c, text);
	until_num_fds(num_fds - 1);
	set_fds_max(usual.rlim_cur);
	assert_true(client_read(c, false, &r));
	assert_body(&r, world.answer);
	client_free(c);
	until_num_fds(num_fds);
	worker_stop(&running);
	assert_true(running.counts->accept_pauses > 0);
}

/* Told to end, it lets in who waits, but not whoever comes after them. */
static void
endless_queue(void **state)
{
	int64_t until = now_ms() + WAIT_MS;
	pid_t ended;
	int status;

	(void)state;
	worker_start(&world, NULL, &running);
	http_get(running.port, world.path, "", &r);
	*is_endless = true;
	assert_int_equal(kill(running.pid, SIGTERM), 0);
	while ((ended = waitpid(running.pid, &status, WNOHANG)) == 0 &&
	    now_ms() < until)
		sleep_ms(10);
	*is_endless = false;
	if (ended == 0) {
		assert_int_equal(kill(running.pid, SIGKILL), 0);
		assert_int_equal(waitpid(running.pid, &status, 0),
		    running.pid);
		fail_msg("it does not end");
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(reserve_comes_back),
		WORKER_TEST(endless_queue),
	};

	is_endless = mmap(NULL, sizeof(*is_endless), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(is_endless, MAP_FAILED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
