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
#include "ipc/memfd.h"
#include "ipc/server.h"
#include "tests/unit/ipc_asked.h"

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
	struct oc_mapping mapping;
	struct der_bytes mapped;
	struct ipc_sign m;

	if (ipc_read_sign(fields, &m) != OC_OK)
		return;
	e->timeout_ms = m.timeout_ms;
	if (fd >= 0 && ipc_memfd_map(fd, m.tbs_len, &mapping, &mapped) ==
	    OC_OK) {
		e->num_good_fds += mapped.p[mapped.len - 1] == 0x5a;
		oc_mapping_fini(&mapping);
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

	if (ipc_listen(asked_path, &fd, &error) != OC_OK ||
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

static void
wait_until(struct ipc_channel *ch, const atomic_int *counter, int value)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (*counter < value && oc_clock_mono_ns() < end)
		asked_turn(ch, 5);
	assert_true(*counter >= value);
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
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, ANSWER);
	asked_status(ch, &a, asked_in_ms(20000));
	asked_status(ch, &b, asked_in_ms(20000));
	assert_int_equal(a.num_replies, 0);	/* never inside ask */
	asked_wait_for(ch, &a);
	asked_wait_for(ch, &b);
	assert_answered(&a);
	assert_answered(&b);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
ask_now_blocks_and_answers(void **state)
{
	struct ipc_channel *ch = asked_channel();
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
		    asked_in_ms(20000), &type, &fields), OC_OK);
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
	struct ipc_channel *ch = asked_channel();
	uint8_t frame[IPC_HEADER_LEN];
	struct der_bytes fields;
	enum ipc_type type;
	uint64_t id = ipc_channel_next_id(ch);
	int64_t start = oc_clock_mono_ns();
	size_t len;

	(void)state;
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), id, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask_now(ch, id, frame, len,
	    asked_in_ms(100),
	    &type, &fields), OC_ERR_DOWN);
	assert_true(oc_clock_mono_ns() - start >= 100 * OC_NS_PER_MS);
	assert_true(oc_clock_mono_ns() - start < 2 * OC_NS_PER_S);
	ipc_channel_free(ch);
}

static void
question_waits_for_a_server_to_come(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	asked_status(ch, &a, asked_in_ms(20000));
	asked_settle(ch, 200);
	assert_int_equal(a.num_replies, 0);
	echo_start(&e, ANSWER);
	asked_wait_for(ch, &a);
	assert_answered(&a);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
question_to_a_dead_peer_is_asked_of_the_next(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked a[20] = { 0 }, late = { 0 };
	struct echo first, second;

	(void)state;
	echo_start(&first, SILENT);
	for (int i = 0; i < 20; i++)
		asked_status(ch, &a[i], asked_in_ms(20000));
	wait_until(ch, &first.num_asked, 20);
	echo_stop(&first);		/* all its connections are cut */
	asked_settle(ch, 50);
	asked_status(ch, &late, asked_in_ms(20000));
	echo_start(&second, ANSWER);
	asked_wait_for(ch, &late);
	for (int i = 0; i < 20; i++) {
		asked_wait_for(ch, &a[i]);
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
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, HANG_UP);
	asked_status(ch, &a, asked_in_ms(600));
	asked_wait_for(ch, &a);
	assert_true(a.err == OC_ERR_TIMEOUT || a.err == OC_ERR_DOWN);
	assert_true(e.num_asked > 1);
	assert_true(e.num_asked < 40);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
silent_peer_is_a_timeout(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked soon = { 0 }, later = { 0 }, past = { 0 };
	int64_t start = oc_clock_mono_ns();
	struct echo e;

	(void)state;
	echo_start(&e, SILENT);
	asked_status(ch, &later, asked_in_ms(400));
	asked_status(ch, &soon, asked_in_ms(100));
	asked_wait_for(ch, &soon);
	assert_int_equal(soon.err, OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - start >= 100 * OC_NS_PER_MS);
	assert_int_equal(later.num_replies, 0);
	asked_status(ch, &past, 0);
	assert_int_equal(past.num_replies, 0);
	asked_wait_for(ch, &past);
	assert_int_equal(past.err, OC_ERR_TIMEOUT);
	asked_wait_for(ch, &later);
	assert_int_equal(later.err, OC_ERR_TIMEOUT);
	assert_true(oc_clock_mono_ns() - start >= 400 * OC_NS_PER_MS);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
cancelled_call_never_replies(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	ipc_channel_cancel(ch, 12345);		/* never asked */
	asked_status(ch, &a, asked_in_ms(50));		/* nobody there yet */
	ipc_channel_cancel(ch, a.id);
	asked_settle(ch, 100);
	echo_start(&e, ANSWER);
	asked_status(ch, &b, asked_in_ms(20000));
	asked_wait_for(ch, &b);
	memset(&b, 0, sizeof(b));
	asked_status(ch, &a, asked_in_ms(20000));
	usleep(50 * 1000);			/* the answer is on its way */
	ipc_channel_cancel(ch, a.id);
	asked_status(ch, &b, asked_in_ms(20000));
	asked_wait_for(ch, &b);
	assert_answered(&b);
	assert_int_equal(a.num_replies, 0);
	assert_int_equal(ipc_channel_num_late(ch), 1);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
signer_is_told_of_cancel_and_deadline(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	echo_start(&e, SILENT);
	asked_sign(ch, &a, 100, asked_in_ms(20000));
	wait_until(ch, &e.num_signs, 1);
	ipc_channel_cancel(ch, a.id);
	wait_until(ch, &e.num_cancels, 1);
	assert_int_equal(e.cancelled_id, a.id);
	asked_sign(ch, &b, 100, asked_in_ms(100));
	asked_wait_for(ch, &b);
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
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 };
	struct echo e;

	(void)state;
	asked_sign(ch, &a, 100, asked_in_ms(5000));
	asked_settle(ch, 300);
	echo_start(&e, SILENT);
	wait_until(ch, &e.num_signs, 1);
	assert_in_range(e.timeout_ms, 1, 4700);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
descriptor_goes_along_every_time(void **state)
{
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 }, b = { 0 }, c = { 0 };
	int num_fds = ipc_num_fds();
	struct echo first, second;

	(void)state;
	echo_start(&first, SILENT);
	asked_sign(ch, &a, 100, asked_in_ms(20000));
	asked_sign(ch, &b, OC_TBS_INLINE_MAX + 1, asked_in_ms(20000));
	asked_sign(ch, &c, OC_TBS_INLINE_MAX + 4096, asked_in_ms(20000));
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
	struct ipc_channel *ch = asked_channel();
	struct asked *a = calloc(NUM, sizeof(*a));
	struct echo e;

	(void)state;
	echo_start(&e, ANSWER);
	for (int i = 0; i < NUM; i++)
		asked_status(ch, &a[i], asked_in_ms(20000));
	for (int i = 0; i < NUM; i++) {
		asked_wait_for(ch, &a[i]);
		assert_answered(&a[i]);
	}
	asked_settle(ch, 50);
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
	struct ipc_channel *ch = asked_channel();
	struct asked a = { 0 }, b = { 0 };
	struct echo e;

	(void)state;
	a.ask_again = ch;
	a.again = &b;
	asked_status(ch, &a, asked_in_ms(50));		/* nobody there: DOWN */
	asked_wait_for(ch, &a);
	assert_int_equal(a.err, OC_ERR_DOWN);
	echo_start(&e, ANSWER);
	asked_wait_for(ch, &b);
	assert_answered(&b);
	ipc_channel_free(ch);
	echo_stop(&e);
}

static void
too_much_waiting_is_busy(void **state)
{
	struct ipc_channel *ch = asked_channel();
	uint8_t frame[IPC_HEADER_LEN];
	struct asked a = { 0 };
	enum oc_err err = OC_OK;
	size_t len, num = 0;

	(void)state;
	while (err == OC_OK && num < 100000) {
		uint64_t id = ipc_channel_next_id(ch);

		assert_int_equal(ipc_put_bare(frame, sizeof(frame), id,
		    IPC_STATUS, &len), OC_OK);
		err = ipc_channel_ask(ch, id, frame, len, -1,
		    asked_in_ms(20000),
		    asked_note, &a);
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
	assert_int_equal(ipc_channel_new(asked_path, lng, &ch), OC_ERR_LIMIT);
	assert_int_equal(ipc_channel_new(asked_path, "", &ch), OC_ERR_LIMIT);
	assert_null(ch);
	ipc_channel_free(NULL);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, asked_setup, asked_teardown)

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
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
