/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does whoever asks have an answer in time, once, and none when he has gone?
 * The server here is a socket that nobody reads, but for one test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "validation/look.h"

#define WAIT_NS (200 * OC_NS_PER_MS)

struct world {
	struct event_base *base;
	struct validation_resolver *resolver;
	int fd;				/* the server */
	unsigned int num_done, num_again, num_asked;
	enum validation_dns_outcome outcome;
	uint8_t last;			/* octet of the record found */
	int64_t done_ns;
};

static struct world *
world_new(uint32_t lookups_max)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	struct oc_error error = { 0 };
	char server[32];
	const struct validation_stub stub = { "dead.example", server };
	struct validation_resolver_options options = {
		.stubs = &stub, .num_stubs = 1, .lookups_max = lookups_max };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(w->fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(server, sizeof(server), "127.0.0.1:%u",
	    (unsigned int)ntohs(in.sin_port));
	options.base = w->base = event_base_new();
	if (validation_resolver_new(&options, &w->resolver, &error) != OC_OK)
		fail_msg("%s", error.text);
	return w;
}

static void
world_free(struct world *w)
{
	validation_resolver_free(w->resolver);
	event_base_free(w->base);
	(void)close(w->fd);
	free(w);
}

static void
run(struct world *w, int64_t for_ns)
{
	struct timeval tv = { (time_t)(for_ns / OC_NS_PER_S),
		(suseconds_t)(for_ns % OC_NS_PER_S / 1000) };

	assert_int_equal(event_base_loopexit(w->base, &tv), 0);
	assert_int_equal(event_base_dispatch(w->base), 0);
}

static void
on_answer(void *arg, const struct validation_answer *answer)
{
	struct world *w = arg;

	w->num_done++;
	w->outcome = answer->outcome;
	w->done_ns = oc_clock_mono_ns();
	assert_true(answer->why[0] != '\0');
}

static enum oc_err
ask(struct world *w, const char *name, validation_answer_fn *done,
    struct validation_lookup **lookup)
{
	return validation_resolver_ask(w->resolver, name, VALIDATION_DNS_TXT,
	    oc_clock_mono_ns() + WAIT_NS, done, w, lookup);
}

static void
deadline(void **state)
{
	struct world *w = world_new(0);
	struct validation_lookup *lookup;
	int64_t begun_ns = oc_clock_mono_ns();

	(void)state;
	assert_int_equal(ask(w, "a.dead.example", on_answer, &lookup), OC_OK);
	assert_int_equal(w->num_done, 0);
	run(w, 3 * WAIT_NS);
	assert_int_equal(w->num_done, 1);
	assert_int_equal(w->outcome, VALIDATION_DNS_TIMEOUT);
	/* libevent's clock is a coarse one. */
	assert_true(w->done_ns - begun_ns >= WAIT_NS - WAIT_NS / 10);
	assert_true(w->done_ns - begun_ns < 2 * WAIT_NS);
	/* libunbound is still at it. */
	assert_int_equal(validation_resolver_num(w->resolver), 1);
	world_free(w);
}

static void
cancelled(void **state)
{
	struct world *w = world_new(0);
	struct validation_lookup *lookup;

	(void)state;
	assert_int_equal(ask(w, "a.dead.example", on_answer, &lookup), OC_OK);
	validation_resolver_cancel(lookup);
	run(w, 2 * WAIT_NS);
	assert_int_equal(w->num_done, 0);
	world_free(w);
}

static void
freed(void **state)
{
	struct world *w = world_new(0);
	struct validation_lookup *lookup;

	(void)state;
	assert_int_equal(ask(w, "a.dead.example", on_answer, &lookup), OC_OK);
	assert_int_equal(ask(w, "b.dead.example", on_answer, &lookup), OC_OK);
	run(w, WAIT_NS / 2);
	/* No answer comes of what is gone. */
	world_free(w);
	validation_resolver_free(NULL);
}

/* Those that nobody waits for count: they cost as much. */
static void
busy(void **state)
{
	struct world *w = world_new(2);
	struct validation_lookup *lookup;

	(void)state;
	assert_int_equal(ask(w, "a.dead.example", on_answer, &lookup), OC_OK);
	validation_resolver_cancel(lookup);
	assert_int_equal(ask(w, "b.dead.example", on_answer, &lookup), OC_OK);
	assert_int_equal(ask(w, "c.dead.example", on_answer, &lookup),
	    OC_ERR_BUSY);
	world_free(w);
}

static void
on_answer_ask(void *arg, const struct validation_answer *answer)
{
	struct world *w = arg;
	struct validation_lookup *lookup;

	on_answer(arg, answer);
	if (w->num_again++ < 2)
		assert_int_equal(ask(w, "again.dead.example", on_answer_ask,
		    &lookup), OC_OK);
}

static void
asked_again(void **state)
{
	struct world *w = world_new(0);
	struct validation_lookup *lookup;

	(void)state;
	assert_int_equal(ask(w, "a.dead.example", on_answer_ask, &lookup),
	    OC_OK);
	run(w, 5 * WAIT_NS);
	assert_int_equal(w->num_done, 3);
	world_free(w);
}

/* What was not there is there at the second question, and each time it is
 * another; either might be kept for an hour. */
static void
on_query(evutil_socket_t fd, short events, void *arg)
{
	/* A pointer to the question's name, IN, 3600 s. */
	static const uint8_t txt[] = "\300\014\0\020\0\1\0\0\016\020"
	    "\0\006\005token";
	static const uint8_t soa[] = "\4dead\7example\0\0\006\0\1"
	    "\0\0\016\020\0\026\0\0\0\0\0\1\0\0\016\020\0\0\016\020"
	    "\0\0\016\020\0\0\016\020";
	struct world *w = arg;
	uint8_t message[1024];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, message, sizeof(message) / 2, 0,
	    (struct sockaddr *)&from, &from_len);
	size_t end = 12;
	bool is_there;

	(void)events;
	assert_true(len > 17);
	while (message[end] != 0)
		end += message[end] + 1u;
	end += 5;
	/* Of another type there is none. */
	is_there = message[end - 3] == VALIDATION_DNS_TXT &&
	    w->num_asked++ > 0;
	message[2] = 0x84;
	message[3] = 0;
	message[7] = is_there;
	message[9] = !is_there;
	message[11] = 0;
	memcpy(message + end, is_there ? txt : soa, is_there ?
	    sizeof(txt) - 1 : sizeof(soa) - 1);
	end += is_there ? sizeof(txt) - 1 : sizeof(soa) - 1;
	if (is_there)
		message[end - 1] = (uint8_t)('0' + w->num_asked % 64);
	assert_int_equal(sendto(fd, message, end, 0,
	    (struct sockaddr *)&from, from_len), end);
}

static void
on_any(void *arg, const struct validation_answer *answer)
{
	struct world *w = arg;

	w->num_done++;
	w->outcome = answer->outcome;
	if (answer->outcome == VALIDATION_DNS_FOUND)
		w->last = answer->records[0].octets[
		    answer->records[0].len - 1];
	(void)event_base_loopexit(w->base, NULL);
}

static void
ask_now(struct world *w)
{
	struct validation_lookup *lookup;

	assert_int_equal(validation_resolver_ask(w->resolver,
	    "a.dead.example", VALIDATION_DNS_TXT, oc_clock_mono_ns() +
	    20 * OC_NS_PER_S, on_any, w, &lookup), OC_OK);
	assert_int_equal(event_base_dispatch(w->base), 0);
}

static void
fresh(void **state)
{
	struct world *w = world_new(0);
	struct event *event = event_new(w->base, w->fd, EV_READ | EV_PERSIST,
	    on_query, w);
	uint8_t first;

	(void)state;
	assert_int_equal(event_add(event, NULL), 0);
	ask_now(w);
	assert_int_equal(w->outcome, VALIDATION_DNS_NONE);
	for (int i = 0; w->outcome == VALIDATION_DNS_NONE && i < 100; i++) {
		(void)usleep(50000);
		ask_now(w);
	}
	assert_int_equal(w->outcome, VALIDATION_DNS_FOUND);
	first = w->last;
	for (int i = 0; w->last == first && i < 100; i++) {
		(void)usleep(50000);
		ask_now(w);
	}
	assert_int_not_equal(w->last, first);
	event_free(event);
	world_free(w);
}

static void
names(void **state)
{
	struct world *w = world_new(0);
	struct validation_lookup *lookup;

	(void)state;
	assert_int_equal(ask(w, "", on_answer, &lookup), OC_ERR_MALFORMED);
	assert_int_equal(ask(w, "a..b", on_answer, &lookup),
	    OC_ERR_MALFORMED);
	assert_int_equal(validation_resolver_num(w->resolver), 0);
	world_free(w);
}

/* --- looks, over the same ---------------------------------------------- */

struct seen {
	unsigned int num;
	struct validation_reply reply;
};

static void
on_look(void *arg, const struct validation_reply *reply)
{
	struct seen *seen = arg;

	seen->num++;
	seen->reply = *reply;
}

static void
looks(void **state)
{
	struct world *w = world_new(0);
	struct validation_pages_options options = { .base = w->base,
		.resolver = w->resolver };
	struct validation_eyes eyes = { .resolver = w->resolver };
	struct validation_question q = { .name = "a.dead.example",
		.prefix = "_p.", .path = "x", .expected = "token" };
	struct validation_look *look;
	struct seen seen[5] = { { .num = 0 } };
	static const enum validation_fault faults[] = { VALIDATION_DNS_FAULT,
		VALIDATION_DNS_FAULT, VALIDATION_DNS_FAULT,
		VALIDATION_CAA_FAULT };
	struct oc_error error;

	(void)state;
	assert_int_equal(validation_pages_new(&options, &eyes.pages, &error),
	    OC_OK);
	for (int task = VALIDATION_TXT; task <= VALIDATION_CAA; task++) {
		q.task = (enum validation_task)task;
		assert_int_equal(validation_look_start(&eyes, &q,
		    oc_clock_mono_ns() + WAIT_NS, on_look, &seen[task - 1],
		    &look), OC_OK);
		assert_int_equal(validation_look_start(&eyes, &q,
		    oc_clock_mono_ns() + WAIT_NS, on_look, &seen[4], &look),
		    OC_OK);
		validation_look_cancel(look);
	}
	q.task = VALIDATION_MAIL;
	assert_int_equal(validation_look_start(&eyes, &q, 0, on_look,
	    &seen[4], &look), OC_ERR_UNSUPPORTED);
	q.task = VALIDATION_FILE;
	q.expected = "";
	assert_int_equal(validation_look_start(&eyes, &q, 0, on_look,
	    &seen[4], &look), OC_ERR_MALFORMED);
	run(w, 3 * WAIT_NS);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(seen[i].num, 1);
		assert_int_equal(seen[i].reply.fault, faults[i]);
		assert_true(seen[i].reply.is_temporary);
	}
	assert_int_equal(seen[4].num, 0);
	/* One under way: it is gone with the pages. */
	q.expected = "token";
	assert_int_equal(validation_look_start(&eyes, &q, oc_clock_mono_ns() +
	    WAIT_NS, on_look, &seen[4], &look), OC_OK);
	validation_look_cancel(look);
	validation_pages_free(eyes.pages);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadline),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(freed),
		cmocka_unit_test(busy),
		cmocka_unit_test(asked_again),
		cmocka_unit_test(fresh),
		cmocka_unit_test(names),
		cmocka_unit_test(looks)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
