/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked in one turn of a loop is held until all of the turn has run,
 * and let go once; the next turn begins anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "ipc/turn.h"

/* What happened, in its order: 'h'eld, 'a'sked, 'l'et go. */
static char seen[32];
static struct ipc_turn turn;
static struct event *askers[3];

static void
note(char what)
{
	size_t len = strlen(seen);

	assert_true(len + 1 < sizeof(seen));
	seen[len] = what;
	seen[len + 1] = '\0';
}

static void
hold(void *arg, bool is_held)
{
	assert_ptr_equal(arg, seen);
	note(is_held ? 'h' : 'l');
}

static void
ask(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	ipc_turn_asks(&turn);
	note('a');
}

static void
test_turns(void **state)
{
	struct event_base *base = event_base_new();
	size_t i;

	(void)state;
	assert_non_null(base);
	assert_int_equal(ipc_turn_init(&turn, base, hold, seen), OC_OK);
	for (i = 0; i < 3; i++) {
		askers[i] = event_new(base, -1, 0, ask, NULL);
		assert_non_null(askers[i]);
		event_active(askers[i], 0, 0);
	}
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_string_equal(seen, "haaal");
	event_active(askers[0], 0, 0);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_string_equal(seen, "haaalhal");
	for (i = 0; i < 3; i++)
		event_free(askers[i]);
	ipc_turn_fini(&turn);
	ipc_turn_fini(&turn);
	event_base_free(base);
}

static void
test_fini_of_nothing(void **state)
{
	struct ipc_turn none = { 0 };

	(void)state;
	ipc_turn_fini(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_fini_of_nothing),
	};

	return cmocka_run_group_tests_name("ipc turn", tests, NULL, NULL);
}
