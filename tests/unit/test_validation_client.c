/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, and who is asked, over a real socket, the validator a process of
 * its own that is killed, stopped and drained: each question that was taken is
 * answered once, by whoever is there, or is nobody's at its deadline; and what
 * waits on dead servers keeps nothing else waiting.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/ipc_thread.h"
#include "tests/unit/validator_process.h"
#include "validation/service.h"
#include "validation/wire.h"

#define LONG_NS (20 * OC_NS_PER_S)

/* --- who asks ------------------------------------------------------------ */

struct question {
	struct validation_ask *ask;
	int num_done;
	int64_t done_ns;
	struct validation_reply reply;
};

static void
on_done(void *arg, const struct validation_reply *reply)
{
	struct question *q = arg;

	q->num_done++;
	q->done_ns = oc_clock_mono_ns();
	q->reply = *reply;
}

static struct validation_client *
client_new(void)
{
	struct validation_client *c;

	assert_int_equal(validation_client_new(validator_path, &c), OC_OK);
	return c;
}

static void
ask(struct validation_client *c, struct question *q,
    enum validation_task task, const char *name, int64_t ms)
{
	const struct validation_question question = { .task = task,
	    .name = name, .expected = task == VALIDATION_META ? "x" : NULL };

	*q = (struct question){ .num_done = 0 };
	assert_int_equal(validation_client_ask(c, &question,
	    oc_clock_mono_ns() + ms * OC_NS_PER_MS, on_done, q, &q->ask),
	    OC_OK);
	assert_int_equal(q->num_done, 0);
}

static void
turn(struct validation_client *c, int ms)
{
	struct pollfd pfd = { .fd = validation_client_fd(c),
	    .events = POLLIN };

	if (poll(&pfd, 1, ms) > 0)
		validation_client_dispatch(c);
}

static uint64_t
num_waiting(void)
{
	return validation_counts_waiting(&validator_shared->counts);
}

static void
wait_done(struct validation_client *c, const struct question *q)
{
	int64_t end_ns = oc_clock_mono_ns() + LONG_NS;

	while (q->num_done == 0 && oc_clock_mono_ns() < end_ns)
		turn(c, 50);
	assert_int_equal(q->num_done, 1);
}

static void
wait_for(struct validation_client *c, const atomic_int *number, int value)
{
	int64_t end_ns = oc_clock_mono_ns() + LONG_NS;

	while (*number < value && oc_clock_mono_ns() < end_ns)
		turn(c, 5);
	assert_int_equal(*number, value);
}

static void
assert_told_by(const struct question *q, pid_t pid)
{
	char by[32];

	(void)snprintf(by, sizeof(by), "by %ld", (long)pid);
	assert_int_equal(q->reply.fault, VALIDATION_NO_FAULT);
	if (strstr(q->reply.seen, by) == NULL)
		fail_msg("\"%s\", not %s", q->reply.seen, by);
}

static void
assert_ours(const struct question *q, const char *seen)
{
	assert_int_equal(q->num_done, 1);
	assert_int_equal(q->reply.fault, VALIDATION_OURS);
	assert_true(q->reply.is_temporary);
	assert_string_equal(q->reply.seen, seen);
}

/* --- tests -------------------------------------------------------------- */

static void
answers_come_as_they_are_ready(void **state)
{
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new();
	struct question late, early, dead;

	(void)state;
	ask(c, &late, VALIDATION_META, "soon.test", 10000);
	/* A tenth of it is left for the answer's way. */
	ask(c, &dead, VALIDATION_META, "dead.test", 5000);
	ask(c, &early, VALIDATION_META, "now.test", 10000);
	wait_done(c, &early);
	assert_int_equal(late.num_done, 0);
	wait_done(c, &late);
	assert_told_by(&late, pid);
	/* Of what was seen, not only that time was up. */
	wait_done(c, &dead);
	assert_int_equal(dead.reply.fault, VALIDATION_CONNECTION_FAULT);
	assert_int_equal(validator_shared->counts.asked[VALIDATION_META], 3);
	assert_int_equal(validator_shared->counts.ended[VALIDATION_META]
	    [VALIDATION_NO_FAULT], 2);
	assert_int_equal(num_waiting(), 0);
	validation_client_free(c);
	validator_end(pid, SIGTERM);
}

static void
what_is_not_begun_is_told(void **state)
{
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new();
	struct question busy, never;

	(void)state;
	ask(c, &busy, VALIDATION_META, "busy.test", 10000);
	ask(c, &never, VALIDATION_META, "never.test", 10000);
	wait_done(c, &busy);
	assert_ours(&busy, "ocsign-validator has too much to look at");
	wait_done(c, &never);
	assert_int_equal(never.reply.fault, VALIDATION_OURS);
	assert_false(never.reply.is_temporary);
	validation_client_free(c);
	validator_end(pid, SIGTERM);
}

/* Done never runs after cancel() has returned, and nothing is looked at. */
static void
who_gives_up_is_not_told(void **state)
{
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new();
	struct question given_up, past, now;

	(void)state;
	ask(c, &given_up, VALIDATION_META, "stuck.test", 10000);
	ask(c, &past, VALIDATION_META, "stuck.test", 400);
	wait_for(c, &validator_shared->num_begun, 2);
	validation_client_cancel(c, given_up.ask);
	wait_for(c, &validator_shared->num_cancelled, 1);
	wait_done(c, &past);
	assert_ours(&past, "ocsign-validator has not answered in time");
	wait_for(c, &validator_shared->num_cancelled, 2);
	ask(c, &now, VALIDATION_META, "now.test", 10000);
	wait_done(c, &now);
	assert_int_equal(given_up.num_done, 0);
	assert_int_equal(num_waiting(), 0);
	assert_int_equal(validator_shared->counts.left, 2);
	validation_client_free(c);
	validator_end(pid, SIGTERM);
}

static void
whoever_asks_leaves_nothing_under_way(void **state)
{
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new(), *other = client_new();
	struct question q[3], now;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		ask(c, &q[i], VALIDATION_META, "stuck.test", 10000);
	wait_for(c, &validator_shared->num_begun, 3);
	validation_client_free(c);
	for (size_t i = 0; i < 3; i++)
		assert_ours(&q[i], "whoever asked ocsign-validator ends");
	wait_for(other, &validator_shared->num_cancelled, 3);
	ask(other, &now, VALIDATION_META, "now.test", 10000);
	wait_done(other, &now);
	validation_client_free(other);
	validator_end(pid, SIGTERM);
}

static void
nobody_is_there_is_ours_at_the_deadline(void **state)
{
	struct validation_client *c = client_new();
	int64_t begin_ns = oc_clock_mono_ns();
	struct question q;

	(void)state;
	ask(c, &q, VALIDATION_META, "now.test", 300);
	wait_done(c, &q);
	assert_ours(&q, "ocsign-validator does not answer its socket");
	assert_in_range(q.done_ns - begin_ns, 300 * OC_NS_PER_MS,
	    5 * OC_NS_PER_S);
	/* It comes while somebody waits. */
	ask(c, &q, VALIDATION_META, "now.test", 20000);
	turn(c, 50);
	{
		pid_t pid = validator_start(0);

		wait_done(c, &q);
		assert_told_by(&q, pid);
		validation_client_free(c);
		validator_end(pid, SIGTERM);
	}
}

static void
after_a_kill_the_next_is_asked(void **state)
{
	pid_t pid = validator_start(0), next;
	struct validation_client *c = client_new();
	struct question soon, now, gone;

	(void)state;
	ask(c, &soon, VALIDATION_META, "soon.test", 20000);
	ask(c, &gone, VALIDATION_META, "stuck.test", 1500);
	wait_for(c, &validator_shared->num_begun, 2);
	validator_end(pid, SIGKILL);
	next = validator_start(0);
	ask(c, &now, VALIDATION_META, "now.test", 20000);
	wait_done(c, &now);
	assert_told_by(&now, next);
	wait_done(c, &soon);
	assert_told_by(&soon, next);
	wait_done(c, &gone);
	assert_ours(&gone, "ocsign-validator has not answered in time");
	validator_end(next, SIGKILL);
	/* And nobody comes. */
	ask(c, &now, VALIDATION_META, "now.test", 400);
	wait_done(c, &now);
	assert_ours(&now, "ocsign-validator does not answer its socket");
	validation_client_free(c);
}

static void
who_is_stopped_costs_no_more_than_the_deadline(void **state)
{
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new();
	struct question q;

	(void)state;
	ask(c, &q, VALIDATION_META, "now.test", 10000);
	wait_done(c, &q);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	ask(c, &q, VALIDATION_META, "now.test", 300);
	wait_done(c, &q);
	assert_ours(&q, "ocsign-validator has not answered in time");
	assert_int_equal(kill(pid, SIGCONT), 0);
	ask(c, &q, VALIDATION_META, "now.test", 10000);
	wait_done(c, &q);
	assert_told_by(&q, pid);
	validation_client_free(c);
	validator_end(pid, SIGTERM);
}

/* What is under way is finished where it was begun; what only waited, and
 * what comes, is the successor's. */
static void
a_successor_takes_over(void **state)
{
	pid_t old = validator_start(2), next;
	struct validation_client *c = client_new(), *idle = client_new();
	struct question begun, waiting, new, q;

	(void)state;
	ask(idle, &q, VALIDATION_META, "now.test", 10000);
	wait_done(idle, &q);
	ask(c, &begun, VALIDATION_META, "soon.test", 20000);
	ask(c, &waiting, VALIDATION_META, "now.test", 20000);
	wait_for(c, &validator_shared->num_begun, 2);
	next = validator_start(2);
	validator_end(old, SIGTERM);
	ask(c, &new, VALIDATION_META, "now.test", 20000);
	wait_done(c, &begun);
	assert_told_by(&begun, old);
	wait_done(c, &waiting);
	assert_told_by(&waiting, next);
	wait_done(c, &new);
	assert_told_by(&new, next);
	ask(idle, &q, VALIDATION_META, "now.test", 10000);
	wait_done(idle, &q);
	assert_told_by(&q, next);
	validation_client_free(c);
	validation_client_free(idle);
	validator_end(next, SIGTERM);
}

#define NUM_DEAD 1000
/* Dead servers have slots of their own, and of these one asker has half. */
static void
a_thousand_dead_servers_are_in_nobodys_way(void **state)
{
	static struct question dead[NUM_DEAD], caa[50];
	pid_t pid = validator_start(64);
	struct validation_client *c = client_new(), *other = client_new();
	int64_t begin_ns;
	struct question q;

	(void)state;
	for (size_t i = 0; i < NUM_DEAD; i++)
		ask(c, &dead[i], VALIDATION_META, "stuck.test", 15000);
	wait_for(c, &validator_shared->num_begun, 32);
	begin_ns = oc_clock_mono_ns();
	for (size_t i = 0; i < 50; i++)
		ask(c, &caa[i], VALIDATION_CAA, "now.test", 15000);
	for (size_t i = 0; i < 50; i++)
		wait_done(c, &caa[i]);
	ask(other, &q, VALIDATION_META, "now.test", 15000);
	wait_done(other, &q);
	assert_told_by(&q, pid);
	assert_in_range(oc_clock_mono_ns() - begin_ns, 0, 5 * OC_NS_PER_S);
	assert_int_equal(num_waiting(), NUM_DEAD);
	/* Who is given up makes room for the next. */
	for (size_t i = 0; i < NUM_DEAD; i++) {
		assert_int_equal(dead[i].num_done, 0);
		validation_client_cancel(c, dead[i].ask);
	}
	ask(c, &q, VALIDATION_META, "now.test", 15000);
	wait_done(c, &q);
	assert_int_equal(num_waiting(), 0);
	validation_client_free(c);
	validation_client_free(other);
	validator_end(pid, SIGTERM);
}

static void
a_question_that_is_none_is_not_taken(void **state)
{
	const struct validation_question bad = { .task = VALIDATION_META,
	    .name = "a b", .expected = "x" };
	struct validation_client *c = client_new();
	struct question q = { .num_done = 0 };

	(void)state;
	oc_log_init("test", OC_LOG_ERROR);
	assert_int_equal(validation_client_ask(c, &bad,
	    oc_clock_mono_ns() + OC_NS_PER_S, on_done, &q, &q.ask),
	    OC_ERR_REFUSED);
	validation_client_free(c);
	assert_int_equal(q.num_done, 0);
}

/* From within the end nothing new begins. */
static void
on_last(void *arg, const struct validation_reply *reply)
{
	const struct validation_question question = {
	    .task = VALIDATION_CONTACTS, .name = "now.test" };
	struct validation_ask *ask_again;

	assert_int_equal(reply->fault, VALIDATION_OURS);
	assert_int_equal(validation_client_ask(arg, &question, INT64_MAX,
	    on_last, arg, &ask_again), OC_ERR_CANCELLED);
}

static void
nothing_begins_at_the_end(void **state)
{
	const struct validation_question question = {
	    .task = VALIDATION_CONTACTS, .name = "now.test" };
	struct validation_client *c = client_new();
	struct validation_ask *last;

	(void)state;
	assert_int_equal(validation_client_ask(c, &question,
	    oc_clock_mono_ns() + LONG_NS, on_last, c, &last), OC_OK);
	validation_client_free(c);
	validation_client_free(NULL);
}

static void
a_command_waits(void **state)
{
	const struct validation_question question = {
	    .task = VALIDATION_CONTACTS, .name = "soon.test" };
	pid_t pid = validator_start(0);
	struct validation_client *c = client_new();
	struct question q = { .num_done = 1 };

	(void)state;
	assert_int_equal(validation_client_ask_now(c, &question,
	    oc_clock_mono_ns() + LONG_NS, &q.reply), OC_OK);
	assert_told_by(&q, pid);
	validation_client_free(c);
	validator_end(pid, SIGTERM);
}

/* --- who lies ----------------------------------------------------------- */

struct liar {
	int mode;
	struct ipc_server *server;
};

static void
lie(void *arg, struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	struct liar *liar = arg;
	struct validation_reply reply = { .seen = "a\nb" };
	uint8_t frame[1024];
	size_t len;
	enum oc_err err;

	(void)fields, (void)fd;
	if (liar->mode == 0)
		err = ipc_put_bare(frame, sizeof(frame), header->id,
		    IPC_NUDGED, &len);
	else
		err = validation_put_reply(frame, sizeof(frame), header->id,
		    &reply, &len);
	if (err == OC_OK)
		ipc_peer_send(peer, frame, len);
}

static void
forget(void *arg, struct ipc_peer *peer)
{
	(void)arg, (void)peer;
}

static void
liar_setup(struct event_base *base, void *arg)
{
	struct liar *liar = arg;

	if (ipc_server_new(base, dup(validator_listener), "liar", lie, forget,
	    liar, &liar->server) != OC_OK)
		abort();
}

static void
liar_teardown(struct event_base *base, void *arg)
{
	struct liar *liar = arg;

	(void)base;
	ipc_server_free(liar->server);
}

static void
what_is_no_answer_is_ours(void **state)
{
	(void)state;
	for (int mode = 0; mode < 2; mode++) {
		struct liar liar = { .mode = mode };
		struct ipc_thread *thread = ipc_thread_start(liar_setup,
		    liar_teardown, &liar);
		struct validation_client *c = client_new();
		struct question q;

		ask(c, &q, VALIDATION_META, "now.test", 10000);
		wait_done(c, &q);
		assert_ours(&q, "ocsign-validator answered what is no "
		    "answer");
		validation_client_free(c);
		ipc_thread_stop(thread);
	}
}

#define ASK_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, validator_set_up, \
	    validator_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ASK_TEST(answers_come_as_they_are_ready),
		ASK_TEST(what_is_not_begun_is_told),
		ASK_TEST(who_gives_up_is_not_told),
		ASK_TEST(whoever_asks_leaves_nothing_under_way),
		ASK_TEST(nobody_is_there_is_ours_at_the_deadline),
		ASK_TEST(after_a_kill_the_next_is_asked),
		ASK_TEST(who_is_stopped_costs_no_more_than_the_deadline),
		ASK_TEST(a_successor_takes_over),
		ASK_TEST(a_thousand_dead_servers_are_in_nobodys_way),
		ASK_TEST(a_question_that_is_none_is_not_taken),
		ASK_TEST(nothing_begins_at_the_end),
		ASK_TEST(a_command_waits),
		ASK_TEST(what_is_no_answer_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
