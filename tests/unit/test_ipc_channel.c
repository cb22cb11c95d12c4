/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel against a server in another thread, and against peers that speak
 * nonsense: what the caller was promised holds whatever the other side does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/memfd.h"
#include "ipc/server.h"
#include "tests/unit/ipc_thread.h"

#define LONG_NS (20 * OC_NS_PER_S)

static char dir[IPC_DIR_MAX], path[IPC_DIR_MAX + 16];

static int64_t
in_ms(int64_t ms)
{
	return oc_clock_mono_ns() + ms * OC_NS_PER_MS;
}

/* A server that answers STATUS with the id as text, and never SIGN. */
enum mode {
	ANSWER,
	SILENT,			/* takes and says nothing */
	HANG_UP			/* closes whoever asks */
};
struct echo {
	enum mode mode;
	struct ipc_server *server;
	struct ipc_thread *thread;
	atomic_int num_asked, num_signs, num_cancels, num_good_fds;
	atomic_uint timeout_ms;
	atomic_ullong cancelled_id;
};

static void
echo_sign(struct echo *e, struct der_bytes fields, int fd)
{
	struct der_bytes mapped;
	struct ipc_sign m;

	if (ipc_read_sign(fields, &m) != OC_OK)
		return;
	e->timeout_ms = m.timeout_ms;
	if (fd >= 0 && ipc_memfd_map(fd, m.tbs_len, &mapped) == OC_OK) {
		e->num_good_fds += mapped.p[mapped.len - 1] == 0x5a;
		ipc_memfd_unmap(mapped);
	}
	e->num_signs++;
}

static void
echo_frame(void *arg, struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	struct echo *e = arg;
	uint8_t frame[128];
	char text[32];
	size_t len;

	e->num_asked++;
	if (header->type == IPC_SIGN)
		echo_sign(e, fields, fd);
	if (fd >= 0)
		close(fd);
	if (header->type == IPC_CANCEL) {
		e->cancelled_id = header->id;
		e->num_cancels++;
	}
	if (e->mode == HANG_UP)
		ipc_peer_close(peer);
	if (e->mode != ANSWER || header->type != IPC_STATUS)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)header->id);
	if (ipc_put_text_message(frame, sizeof(frame), header->id,
	    IPC_STATUS_IS, text, &len) == OC_OK)
		ipc_peer_send(peer, frame, len);
}

static void
echo_gone(void *arg, struct ipc_peer *peer)
{
	(void)arg;
	(void)peer;
}

static void
echo_setup(struct event_base *base, void *arg)
{
	struct echo *e = arg;
	struct oc_error error = { 0 };
	int fd;

	if (ipc_listen(path, &fd, &error) != OC_OK ||
	    ipc_server_new(base, fd, "echo", echo_frame, echo_gone, e,
	    &e->server) != OC_OK)
		abort();
}

static void
echo_teardown(struct event_base *base, void *arg)
{
	struct echo *e = arg;

	(void)base;
	ipc_server_free(e->server);
}

static void
echo_start(struct echo *e, enum mode mode)
{
	memset(e, 0, sizeof(*e));
	e->mode = mode;
	e->thread = ipc_thread_start(echo_setup, echo_teardown, e);
}

static void
echo_stop(struct echo *e)
{
	ipc_thread_stop(e->thread);
}

/* A question and what became of it. */
struct asked {
	int num_replies;
	enum oc_err err;
	enum ipc_type type;
	char text[32];
	uint64_t id;
	struct ipc_channel *ask_again;	/* in the reply: this, of it */
	struct asked *again;
};

static void ask_status(struct ipc_channel *ch, struct asked *a,
    int64_t deadline_ns);

static void
note(void *arg, enum oc_err err, enum ipc_type type, struct der_bytes fields)
{
	struct asked *a = arg;
	struct der_bytes text;

	a->num_replies++;
	a->err = err;
	a->type = type;
	if (err == OC_OK && type == IPC_STATUS_IS &&
	    ipc_read_text_message(fields, &text) == OC_OK)
		snprintf(a->text, sizeof(a->text), "%.*s", (int)text.len,
		    (const char *)text.p);
	if (a->ask_again != NULL)
		ask_status(a->ask_again, a->again, in_ms(20000));
}

static void
ask_status(struct ipc_channel *ch, struct asked *a, int64_t deadline_ns)
{
	uint8_t frame[IPC_HEADER_LEN];
	size_t len;

	a->id = ipc_channel_next_id(ch);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), a->id, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask(ch, a->id, frame, len, -1,
	    deadline_ns, note, a), OC_OK);
}

static void
ask_sign(struct ipc_channel *ch, struct asked *a, size_t tbs_len,
    int64_t deadline_ns)
{
	static uint8_t frame[OC_FRAME_MAX], tbs[OC_TBS_INLINE_MAX + 4096];
	struct ipc_sign m = { SIGN_KIND_CRL, SIGN_LANE_CRL, 0, 0,
	    "issuer/test", tbs_len, { tbs, tbs_len } };
	size_t len;
	int fd = -1;

	a->id = ipc_channel_next_id(ch);
	tbs[tbs_len - 1] = 0x5a;
	if (tbs_len > OC_TBS_INLINE_MAX) {
		assert_int_equal(ipc_memfd_new(m.tbs, &fd), OC_OK);
		m.tbs.len = 0;
	}
	assert_int_equal(ipc_put_sign(frame, sizeof(frame), a->id, &m, &len),
	    OC_OK);
	assert_int_equal(ipc_channel_ask(ch, a->id, frame, len, fd,
	    deadline_ns, note, a), OC_OK);
}

static void
turn(struct ipc_channel *ch, int timeout_ms)
{
	struct pollfd pfd = { .fd = ipc_channel_fd(ch), .events = POLLIN };

	poll(&pfd, 1, timeout_ms);
	ipc_channel_dispatch(ch);
}

static void
wait_for(struct ipc_channel *ch, const struct asked *a)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (a->num_replies == 0 && oc_clock_mono_ns() < end)
		turn(ch, 50);
	assert_int_equal(a->num_replies, 1);
}

static void
wait_until(struct ipc_channel *ch, const atomic_int *counter, int value)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (*counter < value && oc_clock_mono_ns() < end)
		turn(ch, 5);
	assert_true(*counter >= value);
}

static void
settle(struct ipc_channel *ch, int64_t for_ms)
{
	int64_t end = in_ms(for_ms);

	while (oc_clock_mono_ns() < end)
		turn(ch, 10);
}

static struct ipc_channel *
channel(void)
{
	struct ipc_channel *ch;

	assert_int_equal(ipc_channel_new(path, "test", &ch), OC_OK);
	return ch;
}

static void
assert_answered(const struct asked *a)
{
	char expected[32];

	assert_int_equal(a->num_replies, 1);
	assert_int_equal(a->err, OC_OK);
	assert_int_equal(a->type, IPC_STATUS_IS);
	snprintf(expected, sizeof(expected), "%llu",
	    (unsigned long long)a->id);
	assert_string_equal(a->text, expected);
}

static void
answers_reach_their_askers(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, ANSWER);
	ask_status(ch, &a, in_ms(20000));
	ask_status(ch, &b, in_ms(20000));
	assert_int_equal(a.num_replies, 0);	/* never inside ask */
	wait_for(ch, &a);
	wait_for(ch, &b);
	assert_answered(&a);
	assert_answered(&b);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
ask_now_blocks_and_answers(void **state)
{
	struct ipc_channel *ch = channel();
	uint8_t frame[IPC_HEADER_LEN];
	struct der_bytes fields, text;
	enum ipc_type type;
	struct echo e;
	uint64_t id;
	size_t len;

	(void)state;
	echo_start(&e, ANSWER);
	for (int i = 0; i < 3; i++) {
		id = ipc_channel_next_id(ch);
		assert_int_equal(ipc_put_bare(frame, sizeof(frame), id,
		    IPC_STATUS, &len), OC_OK);
		assert_int_equal(ipc_channel_ask_now(ch, id, frame, len,
		    in_ms(20000), &type, &fields), OC_OK);
		assert_int_equal(type, IPC_STATUS_IS);
		assert_int_equal(ipc_read_text_message(fields, &text), OC_OK);
		assert_int_equal(text.len, 1);
		assert_int_equal(text.p[0], '1' + i);
	}
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
ask_now_without_a_server_is_down(void **state)
{
	struct ipc_channel *ch = channel();
	uint8_t frame[IPC_HEADER_LEN];
	struct der_bytes fields;
	enum ipc_type type;
	uint64_t id = ipc_channel_next_id(ch);
	int64_t start = oc_clock_mono_ns();
	size_t len;

	(void)state;
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask_now(ch, id, frame, len, in_ms(100),
	    &type, &fields), OC_ERR_DOWN);
	assert_true(oc_clock_mono_ns() - start >= 100 * OC_NS_PER_MS);
	assert_true(oc_clock_mono_ns() - start < 2 * OC_NS_PER_S);
	ipc_channel_free(ch);
}

static void
question_waits_for_a_server_to_come(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	ask_status(ch, &a, in_ms(20000));
	settle(ch, 200);
	assert_int_equal(a.num_replies, 0);
	echo_start(&e, ANSWER);
	wait_for(ch, &a);
	assert_answered(&a);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
question_to_a_dead_peer_is_asked_of_the_next(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a[20] = { 0 }, late = { 0 };
	struct echo first, second;

	(void)state;
	echo_start(&first, SILENT);
	for (int i = 0; i < 20; i++)
		ask_status(ch, &a[i], in_ms(20000));
	wait_until(ch, &first.num_asked, 20);
	echo_stop(&first);		/* all its connections are cut */
	settle(ch, 50);
	ask_status(ch, &late, in_ms(20000));
	echo_start(&second, ANSWER);
	wait_for(ch, &late);
	for (int i = 0; i < 20; i++) {
		wait_for(ch, &a[i]);
		assert_answered(&a[i]);
	}
	assert_answered(&late);
	assert_int_equal(second.num_asked, 21);
	ipc_channel_free(ch);
	echo_stop(&second);
}

static void
peer_that_hangs_up_is_not_stormed(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, HANG_UP);
	ask_status(ch, &a, in_ms(600));
	wait_for(ch, &a);
	assert_true(a.err == OC_ERR_TIMEOUT || a.err == OC_ERR_DOWN);
	assert_true(e.num_asked > 1);
	assert_true(e.num_asked < 40);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
silent_peer_is_a_timeout(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked soon = { 0 }, later = { 0 }, past = { 0 };
	int64_t start = oc_clock_mono_ns();
	struct echo e;

	(void)state;
	echo_start(&e, SILENT);
	ask_status(ch, &later, in_ms(400));
	ask_status(ch, &soon, in_ms(100));
	wait_for(ch, &soon);
	assert_int_equal(soon.err, OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - start >= 100 * OC_NS_PER_MS);
	assert_int_equal(later.num_replies, 0);
	ask_status(ch, &past, 0);
	assert_int_equal(past.num_replies, 0);
	wait_for(ch, &past);
	assert_int_equal(past.err, OC_ERR_TIMEOUT);
	wait_for(ch, &later);
	assert_int_equal(later.err, OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - start >= 400 * OC_NS_PER_MS);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
cancelled_call_never_replies(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	ipc_channel_cancel(ch, 12345);		/* never asked */
	ask_status(ch, &a, in_ms(50));		/* nobody there yet */
	ipc_channel_cancel(ch, a.id);
	settle(ch, 100);
	echo_start(&e, ANSWER);
	ask_status(ch, &b, in_ms(20000));
	wait_for(ch, &b);
	memset(&b, 0, sizeof(b));
	ask_status(ch, &a, in_ms(20000));
	usleep(50 * 1000);			/* the answer is on its way */
	ipc_channel_cancel(ch, a.id);
	ask_status(ch, &b, in_ms(20000));
	wait_for(ch, &b);
	assert_answered(&b);
	assert_int_equal(a.num_replies, 0);
	assert_int_equal(ipc_channel_num_late(ch), 1);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
signer_is_told_of_cancel_and_deadline(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, SILENT);
	ask_sign(ch, &a, 100, in_ms(20000));
	wait_until(ch, &e.num_signs, 1);
	ipc_channel_cancel(ch, a.id);
	wait_until(ch, &e.num_cancels, 1);
	assert_int_equal(e.cancelled_id, a.id);
	ask_sign(ch, &b, 100, in_ms(100));
	wait_for(ch, &b);
	assert_int_equal(b.err, OC_ERR_TIMEOUT);
	wait_until(ch, &e.num_cancels, 2);
	assert_int_equal(e.cancelled_id, b.id);
	assert_int_equal(a.num_replies, 0);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
signer_is_told_the_time_that_is_left(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	ask_sign(ch, &a, 100, in_ms(5000));
	settle(ch, 300);
	echo_start(&e, SILENT);
	wait_until(ch, &e.num_signs, 1);
	assert_in_range(e.timeout_ms, 1, 4700);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
descriptor_goes_along_every_time(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 }, b = { 0 }, c = { 0 };
	int num_fds = ipc_num_fds();
	struct echo first, second;

	(void)state;
	echo_start(&first, SILENT);
	ask_sign(ch, &a, 100, in_ms(20000));
	ask_sign(ch, &b, OC_TBS_INLINE_MAX + 1, in_ms(20000));
	ask_sign(ch, &c, OC_TBS_INLINE_MAX + 4096, in_ms(20000));
	wait_until(ch, &first.num_signs, 3);
	assert_int_equal(first.num_good_fds, 2);
	echo_stop(&first);
	echo_start(&second, SILENT);
	wait_until(ch, &second.num_signs, 3);
	assert_int_equal(second.num_good_fds, 2);
	ipc_channel_cancel(ch, a.id);
	ipc_channel_cancel(ch, b.id);
	ipc_channel_cancel(ch, c.id);
	ipc_channel_free(ch);
	echo_stop(&second);
	assert_true(ipc_num_fds() <= num_fds);
}

static void
thousand_calls_at_once(void **state)
{
	enum { NUM = 1000 };
	struct ipc_channel *ch = channel();
	struct asked *a = calloc(NUM, sizeof(*a));
	struct echo e;

	(void)state;
	echo_start(&e, ANSWER);
	for (int i = 0; i < NUM; i++)
		ask_status(ch, &a[i], in_ms(20000));
	for (int i = 0; i < NUM; i++) {
		wait_for(ch, &a[i]);
		assert_answered(&a[i]);
	}
	settle(ch, 50);
	for (int i = 0; i < NUM; i++)
		assert_int_equal(a[i].num_replies, 1);
	assert_int_equal(e.num_asked, NUM);
	free(a);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
reply_may_ask(void **state)
{
	struct ipc_channel *ch = channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	a.ask_again = ch;
	a.again = &b;
	ask_status(ch, &a, in_ms(50));		/* nobody there: DOWN */
	wait_for(ch, &a);
	assert_int_equal(a.err, OC_ERR_DOWN);
	echo_start(&e, ANSWER);
	wait_for(ch, &b);
	assert_answered(&b);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
too_much_waiting_is_busy(void **state)
{
	struct ipc_channel *ch = channel();
	uint8_t frame[IPC_HEADER_LEN];
	struct asked a = { 0 };
	enum oc_err err = OC_OK;
	size_t len, num = 0;

	(void)state;
	while (err == OC_OK && num < 100000) {
		uint64_t id = ipc_channel_next_id(ch);

		assert_int_equal(ipc_put_bare(frame, sizeof(frame), id,
		    IPC_STATUS, &len), OC_OK);
		err = ipc_channel_ask(ch, id, frame, len, -1, in_ms(20000),
		    note, &a);
		num++;
	}
	assert_int_equal(err, OC_ERR_BUSY);
	assert_true(num > 4000);
	ipc_channel_free(ch);
	assert_int_equal(a.num_replies, 0);
}

static void
new_refuses_what_cannot_be_a_socket(void **state)
{
	struct ipc_channel *ch = NULL;
	char lng[300];

	(void)state;
	memset(lng, 'x', sizeof(lng));
	lng[sizeof(lng) - 1] = '\0';
	assert_int_equal(ipc_channel_new(lng, "test", &ch), OC_ERR_LIMIT);
	assert_int_equal(ipc_channel_new("", "test", &ch), OC_ERR_LIMIT);
	assert_int_equal(ipc_channel_new(path, lng, &ch), OC_ERR_LIMIT);
	assert_int_equal(ipc_channel_new(path, "", &ch), OC_ERR_LIMIT);
	assert_null(ch);
	ipc_channel_free(NULL);
}

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

	assert_int_equal(ipc_listen(path, &l->listener, &error), OC_OK);
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
	struct ipc_channel *ch = channel();
	struct asked a = { 0 };
	int num_fds;

	liar_start(&l);
	num_fds = ipc_num_fds();
	ask_status(ch, &a, in_ms(150));
	wait_for(ch, &a);
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
	struct ipc_channel *ch = channel();
	struct asked a = { 0 };
	size_t len;

	(void)state;
	l.len = put_hello(out, sizeof(out), IPC_VERSION);
	assert_int_equal(ipc_put_text_message(out + l.len,
	    sizeof(out) - l.len, 4711, IPC_STATUS_IS, "?", &len), OC_OK);
	l.len += len;
	liar_start(&l);
	ask_status(ch, &a, in_ms(100));
	wait_for(ch, &a);
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
	struct ipc_channel *ch = channel();
	struct asked a[NUM] = { 0 };
	struct ipc_header header;
	struct der_bytes fields;
	struct oc_error error = { 0 };
	uint8_t *in = calloc(NUM + 1, OC_FRAME_MAX);
	size_t in_len = 0, used, num_signs = 0, num_cancels = 0;
	int listener, sock;
	ssize_t n;

	(void)state;
	assert_int_equal(ipc_listen(path, &listener, &error), OC_OK);
	for (int i = 0; i < NUM; i++)
		ask_sign(ch, &a[i], OC_TBS_INLINE_MAX, in_ms(20000));
	sock = accept(listener, NULL, NULL);
	assert_true(sock >= 0);
	for (int i = 0; i < NUM; i++)
		ipc_channel_cancel(ch, a[i].id);
	for (int64_t end = in_ms(300); oc_clock_mono_ns() < end; ) {
		turn(ch, 5);
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

static int
setup(void **state)
{
	(void)state;
	ipc_dir_new(dir);
	snprintf(path, sizeof(path), "%s/x.sock", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ipc_dir_remove(dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(answers_reach_their_askers),
		TEST(ask_now_blocks_and_answers),
		TEST(ask_now_without_a_server_is_down),
		TEST(question_waits_for_a_server_to_come),
		TEST(question_to_a_dead_peer_is_asked_of_the_next),
		TEST(peer_that_hangs_up_is_not_stormed),
		TEST(silent_peer_is_a_timeout),
		TEST(cancelled_call_never_replies),
		TEST(signer_is_told_of_cancel_and_deadline),
		TEST(signer_is_told_the_time_that_is_left),
		TEST(descriptor_goes_along_every_time),
		TEST(thousand_calls_at_once),
		TEST(reply_may_ask),
		TEST(too_much_waiting_is_busy),
		TEST(new_refuses_what_cannot_be_a_socket),
		TEST(nonsense_is_not_believed),
		TEST(unasked_answers_are_dropped),
		TEST(half_sent_frame_is_finished),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
