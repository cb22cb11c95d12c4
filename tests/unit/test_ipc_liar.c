/* SPDX-License-Identifier: Apache-2.0 */
/* A channel against peers that speak nonsense, and one that does not read. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/server.h"
#include "tests/unit/ipc_asked.h"

/* Peers that are no ocsign: a thread that accepts, says its bytes, with a
 * descriptor if so wanted, and waits for the end. */
struct liar {
	pthread_t thread;
	int listener, num;
	const uint8_t *bytes;
	size_t len;
	bool sends_fd;
	atomic_int num_met;
};

static void
say(const struct liar *l, int sock)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)l->bytes, l->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = STDIN_FILENO;

	if (l->sends_fd) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	(void)!sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static void *
liar_main(void *arg)
{
	struct liar *l = arg;
	int sock;

	while ((sock = accept(l->listener, NULL, NULL)) >= 0) {
		uint8_t in[4096];

		l->num_met++;
		say(l, sock);
		while (recv(sock, in, sizeof(in), 0) > 0)
			;
		close(sock);
	}
	return NULL;
}

static void
liar_start(struct liar *l)
{
	struct oc_error error = { 0 };

	assert_int_equal(ipc_listen(asked_path, &l->listener, &error), OC_OK);
	/* ipc_listen() made it non-blocking for libevent. */
	assert_int_equal(evutil_make_socket_closeonexec(l->listener), 0);
	assert_int_equal(fcntl(l->listener, F_SETFL, 0), 0);
	assert_int_equal(pthread_create(&l->thread, NULL, liar_main, l), 0);
}

static void
liar_stop(struct liar *l)
{
	shutdown(l->listener, SHUT_RDWR);
	pthread_join(l->thread, NULL);
	close(l->listener);
}

static void
assert_disbelieved(const uint8_t *bytes, size_t len, bool sends_fd)
{
	struct liar l = { .bytes = bytes, .len = len, .sends_fd = sends_fd };
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 };
	int num_fds;

	liar_start(&l);
	num_fds = ipc_num_fds();
	asked_status(ch, &a, asked_in_ms(150));
	asked_wait_for(ch, &a);
	assert_true(a.err == OC_ERR_TIMEOUT || a.err == OC_ERR_DOWN);
	assert_true(l.num_met > 1);	/* left, and tried again */
	ipc_channel_free(ch);
	liar_stop(&l);
	assert_true(ipc_num_fds() <= num_fds);
}

static size_t
put_hello(uint8_t *out, size_t max, uint16_t version)
{
	struct ipc_hello m = { version, "liar" };
	size_t len;

	assert_int_equal(ipc_put_hello(out, max, 0, &m, &len), OC_OK);
	return len;
}

static void
nonsense_is_not_believed(void **state)
{
	uint8_t out[256];
	size_t len, more;

	(void)state;
	assert_disbelieved((const uint8_t *)"HTTP/1.1 200 OK\r\n\r\n", 19,
	    false);
	/* Another version. */
	len = put_hello(out, sizeof(out), IPC_VERSION + 1);
	assert_disbelieved(out, len, false);
	/* An answer before HELLO. */
	assert_int_equal(ipc_put_text_message(out, sizeof(out), 1,
	    IPC_STATUS_IS, "1", &len), OC_OK);
	assert_disbelieved(out, len, false);
	/* HELLO twice, with a descriptor that nobody wants. */
	len = put_hello(out, sizeof(out), IPC_VERSION);
	more = put_hello(out + len, sizeof(out) - len, IPC_VERSION);
	assert_disbelieved(out, len + more, true);
}

static void
unasked_answers_are_dropped(void **state)
{
	uint8_t out[256];
	struct liar l = { .bytes = out };
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 };
	size_t len;

	(void)state;
	l.len = put_hello(out, sizeof(out), IPC_VERSION);
	assert_int_equal(ipc_put_text_message(out + l.len,
	    sizeof(out) - l.len, 4711, IPC_STATUS_IS, "?", &len), OC_OK);
	l.len += len;
	liar_start(&l);
	asked_status(ch, &a, asked_in_ms(100));
	asked_wait_for(ch, &a);
	assert_int_equal(a.err, OC_ERR_TIMEOUT);
	assert_int_equal(ipc_channel_num_late(ch), 1);
	assert_int_equal(l.num_met, 1);
	ipc_channel_free(ch);
	liar_stop(&l);
}

/* Cancelled while half of it is in the socket: the rest must follow, or the
 * next frame would be read as its fields. */
static void
half_sent_frame_is_finished(void **state)
{
	enum { NUM = 16 };
	struct ipc_channel *ch = asked_channel();
	struct asked a[NUM] = { 0 };
	struct ipc_header header;
	struct der_bytes fields;
	struct oc_error error = { 0 };
	uint8_t *in = calloc(NUM + 1, OC_FRAME_MAX);
	size_t in_len = 0, used, num_signs = 0, num_cancels = 0;
	int listener, sock;
	ssize_t n;

	(void)state;
	assert_int_equal(ipc_listen(asked_path, &listener, &error), OC_OK);
	for (int i = 0; i < NUM; i++)
		asked_sign(ch, &a[i], OC_TBS_INLINE_MAX, asked_in_ms(20000));
	sock = accept(listener, NULL, NULL);
	assert_true(sock >= 0);
	for (int i = 0; i < NUM; i++)
		ipc_channel_cancel(ch, a[i].id);
	for (int64_t end = asked_in_ms(300); oc_clock_mono_ns() < end; ) {
		asked_turn(ch, 5);
		n = recv(sock, in + in_len, OC_FRAME_MAX, MSG_DONTWAIT);
		in_len += n > 0 ? (size_t)n : 0;
		assert_true(in_len < (size_t)NUM * OC_FRAME_MAX);
	}
	for (size_t at = 0; at < in_len; at += used) {
		assert_int_equal(ipc_frame_parse(in + at, in_len - at,
		    &header, &fields, &used), 1);
		num_signs += header.type == IPC_SIGN;
		num_cancels += header.type == IPC_CANCEL;
	}
	assert_true(num_signs >= 2 && num_signs < NUM);
	assert_int_equal(num_signs, num_cancels);
	ipc_channel_free(ch);
	close(sock);
	close(listener);
	free(in);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, asked_setup, asked_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nonsense_is_not_believed),
		TEST(unasked_answers_are_dropped),
		TEST(half_sent_frame_is_finished),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
