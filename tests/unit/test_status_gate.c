/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes, does nobody wait long who is let in, and is the token busy?
 * Against a token that is simulated: sessions that each take so long, a queue
 * before them, and questions that come without waiting for answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "status/gate.h"
#include "tests/unit/der_test.h"

#define MS OC_NS_PER_MS
#define SESSIONS_MAX 8
#define QUEUE_MAX 100000

struct token {
	struct status_gate gate;
	int64_t takes_ns;		/* a signature */
	int64_t ends_ns[SESSIONS_MAX];	/* when a session's ends; 0: free */
	int64_t queue[QUEUE_MAX];	/* when each came */
	size_t first, end;
	int64_t came_ns[SESSIONS_MAX];
	/* What was seen. */
	uint32_t num_let_in, num_signed;
	int64_t longest_ns, chance;
};
static struct token token;
static uint64_t chance = 7;

static void
reset(uint32_t num_sessions, int64_t takes_ns)
{
	memset(&token, 0, sizeof(token));
	token.gate.num_sessions = num_sessions;
	token.takes_ns = takes_ns;
}

static void
fill_sessions(int64_t now_ns)
{
	for (uint32_t i = 0; i < token.gate.num_sessions; i++)
		if (token.ends_ns[i] == 0 && token.first < token.end) {
			token.came_ns[i] = token.queue[token.first++];
			token.ends_ns[i] = now_ns + token.takes_ns;
		}
}

/* What has ended by now. */
static void
run_until(int64_t now_ns)
{
	for (;;) {
		uint32_t i, next = SESSIONS_MAX;
		int64_t at_ns;

		for (i = 0; i < token.gate.num_sessions; i++)
			if (token.ends_ns[i] != 0 &&
			    token.ends_ns[i] <= now_ns &&
			    (next == SESSIONS_MAX ||
			    token.ends_ns[i] < token.ends_ns[next]))
				next = i;
		if (next == SESSIONS_MAX)
			return;
		at_ns = token.ends_ns[next];
		token.ends_ns[next] = 0;
		token.num_signed++;
		if (at_ns - token.came_ns[next] > token.longest_ns)
			token.longest_ns = at_ns - token.came_ns[next];
		status_gate_leave(&token.gate, STATUS_GATE_SIGNED, at_ns);
		fill_sessions(at_ns);
	}
}

static void
come(int64_t now_ns)
{
	run_until(now_ns);
	if (!status_gate_has_room(&token.gate, now_ns))
		return;
	token.num_let_in++;
	status_gate_enter(&token.gate, now_ns);
	assert_true(token.end < QUEUE_MAX);
	token.queue[token.end++] = now_ns;
	fill_sessions(now_ns);
}

/* So many a second, at random, from one moment to another. */
static void
load(int64_t from_ns, int64_t until_ns, int64_t rate)
{
	int64_t mean_ns = OC_NS_PER_S / rate, now_ns = from_ns;

	while (now_ns < until_ns) {
		come(now_ns);
		now_ns += 1 + (int64_t)(test_random(&chance) %
		    (uint64_t)(2 * mean_ns));
	}
	run_until(until_ns);
}

static void
overload(void **state)
{
	static const struct {
		uint32_t num_sessions;
		int64_t takes_ns;
	} tokens[] = { { 1, 2 * MS }, { 8, 2 * MS }, { 2, 40 * MS },
	    { 1, 100 * MS }, { 8, 300 * MS } };
	static const int64_t times[] = { 2, 10, 50 };

	(void)state;
	for (size_t t = 0; t < sizeof(tokens) / sizeof(tokens[0]); t++)
		for (size_t n = 0; n < sizeof(times) / sizeof(times[0]); n++) {
			int64_t rate = OC_NS_PER_S / tokens[t].takes_ns *
			    tokens[t].num_sessions;

			reset(tokens[t].num_sessions, tokens[t].takes_ns);
			load(1, 5 * OC_NS_PER_S, rate * times[n]);
			token.num_signed = 0;
			token.longest_ns = 0;
			load(5 * OC_NS_PER_S, 15 * OC_NS_PER_S,
			    rate * times[n]);
			/* Nobody waits for longer than the gate says and a
			 * signature takes, by much; and the token works. */
			if (token.longest_ns > 5 * STATUS_GATE_WAIT_NS / 4 +
			    2 * tokens[t].takes_ns)
				fail_msg("%zu %zu: %lld ms", t, n,
				    (long long)(token.longest_ns / MS));
			if (token.num_signed < rate * 10 * 95 / 100)
				fail_msg("%zu %zu: %u of %lld", t, n,
				    token.num_signed, (long long)rate * 10);
		}
}

/* Less than the token can give: all are let in. */
static void
no_overload(void **state)
{
	(void)state;
	reset(4, 20 * MS);
	for (int64_t i = 0; i < 1000; i++)
		come(1 + i * 7 * MS);
	run_until(100 * OC_NS_PER_S);
	assert_int_equal(token.num_let_in, 1000);
	assert_int_equal(token.num_signed, 1000);
	assert_int_equal(token.gate.num, 0);
	/* Nor does a rest between two count as the token's time. */
	for (int64_t i = 100; i < 110; i++)
		come(i * 60 * OC_NS_PER_S);
	for (int i = 0; i < 20; i++)
		come(110 * 60 * OC_NS_PER_S + i);
	assert_int_equal(token.num_let_in, 1030);
}

/* Once nothing comes back, only as many are let in as there are sessions; and
 * when it does again, all of them before long. */
static void
hangs(void **state)
{
	const int64_t start = 10 * OC_NS_PER_S;
	int64_t now_ns;
	uint32_t num;

	(void)state;
	reset(2, 10 * MS);
	load(1, start, 100);
	token.takes_ns = 100000 * OC_NS_PER_S;
	load(start, start + OC_NS_PER_S, 100);
	num = token.num_let_in;
	load(start + OC_NS_PER_S, start + 6 * OC_NS_PER_S, 100);
	assert_int_equal(token.num_let_in, num);
	/* Their time is over. */
	now_ns = start + 7 * OC_NS_PER_S;
	while (token.gate.num > 0)
		status_gate_leave(&token.gate, STATUS_GATE_LATE, now_ns);
	memset(token.ends_ns, 0, sizeof(token.ends_ns));
	token.first = token.end;
	num = token.num_let_in;
	load(now_ns, now_ns + 5 * OC_NS_PER_S, 100);
	assert_in_range(token.num_let_in - num, 2, 3);
	now_ns += 6 * OC_NS_PER_S;
	while (token.gate.num > 0)
		status_gate_leave(&token.gate, STATUS_GATE_LATE, now_ns);
	memset(token.ends_ns, 0, sizeof(token.ends_ns));
	token.first = token.end;
	token.takes_ns = 10 * MS;
	load(now_ns, now_ns + 2 * OC_NS_PER_S, 150);
	num = token.num_let_in;
	for (int i = 0; i < 100; i++)
		come(now_ns + 3 * OC_NS_PER_S + i * 7 * MS);
	assert_int_equal(token.num_let_in - num, 100);
}

/* One that is cancelled is no sample. */
static void
cancelled(void **state)
{
	struct status_gate gate = { .num_sessions = 1 };

	(void)state;
	status_gate_enter(&gate, 5);
	status_gate_enter(&gate, 6);
	status_gate_leave(&gate, STATUS_GATE_OTHER, 900 * MS);
	assert_int_equal(gate.each_ns, 0);
	status_gate_leave(&gate, STATUS_GATE_SIGNED, 900 * MS);
	assert_true(status_gate_has_room(&gate, 900 * MS));
	assert_int_equal(gate.num, 0);
	assert_true(gate.each_ns > 800 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overload),
		cmocka_unit_test(no_overload),
		cmocka_unit_test(hangs),
		cmocka_unit_test(cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
