/* SPDX-License-Identifier: Apache-2.0 */
/* Do new connections go where they are to go, and are those that wait left
 * where they are? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/steer.h"

#define NUM_SOCKETS 5
#define NUM_CLIENTS 200

static struct sockaddr_in address;
static int listeners[NUM_SOCKETS], clients[NUM_CLIENTS];

static int
listen_there(void)
{
	const int on = 1;
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1024), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len),
	    0);
	return fd;
}

static void
connect_all(void)
{
	for (int i = 0; i < NUM_CLIENTS; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(clients[i] >= 0);
		assert_int_equal(connect(clients[i],
		    (struct sockaddr *)&address, sizeof(address)), 0);
	}
}

static void
close_all(void)
{
	for (int i = 0; i < NUM_CLIENTS; i++)
		close(clients[i]);
}

/* How many wait there; then none. */
static int
num_waiting(int i)
{
	int num = 0, fd;

	while ((fd = accept(listeners[i], NULL, NULL)) >= 0) {
		close(fd);
		num++;
	}
	return num;
}

/* All of them wait at the first so many, and at each of these a fair part. */
static void
expect_at(int num)
{
	int sum = 0;

	for (int i = 0; i < NUM_SOCKETS; i++) {
		int n = num_waiting(i);

		sum += n;
		if (i >= num)
			assert_int_equal(n, 0);
		else
			assert_in_range(n, NUM_CLIENTS / num / 4, NUM_CLIENTS);
	}
	assert_int_equal(sum, NUM_CLIENTS);
}

static void
steer(void **state)
{
	(void)state;
	address = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	listeners[0] = listen_there();
	assert_int_equal(daemon_steer(listeners[0], 1), OC_OK);
	/* Those that come later get nothing. */
	for (int i = 1; i < NUM_SOCKETS; i++)
		listeners[i] = listen_there();
	connect_all();
	expect_at(1);
	close_all();
	/* Whichever of them says so. */
	assert_int_equal(daemon_steer(listeners[3], NUM_SOCKETS), OC_OK);
	connect_all();
	/* And who waits stays where it is. */
	assert_int_equal(daemon_steer(listeners[0], 2), OC_OK);
	expect_at(NUM_SOCKETS);
	close_all();
	connect_all();
	expect_at(2);
	close_all();
	for (int i = 0; i < NUM_SOCKETS; i++)
		close(listeners[i]);
}

static void
no_group(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(daemon_steer(fd, 1), OC_ERR_UNSUPPORTED);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steer),
		cmocka_unit_test(no_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
