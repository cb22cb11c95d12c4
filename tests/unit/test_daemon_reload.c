/* SPDX-License-Identifier: Apache-2.0 */
/* ocsignd and SIGHUP: what is replaced, what stays, and that nobody notices. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/daemon_fixture.h"

static void
reload_replaces_without_a_gap(void **state)
{
	int port, num_answers = 0;
	int64_t end;
	pid_t old;

	(void)state;
	/* A reload takes a while, so that much is asked in it. */
	fixture_behave("ocsign-status", "slow");
	fixture_configure(2, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_wait_for("ready", "ocsign-responder", 1);
	port = fixture_http_port();
	old = fixture_ask_http(port);
	assert_int_not_equal(old, 0);
	fixture_reload();
	end = oc_clock_mono_ns() + LONG_NS;
	while (fixture_count("end", "ocsign-responder") < 2 &&
	    oc_clock_mono_ns() < end) {
		assert_int_not_equal(fixture_ask_http(port), 0);
		num_answers++;
	}
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(fixture_ask_http(port), old);
	assert_true(num_answers > 5);
	fixture_wait_for_text("notice: reloaded");
	assert_int_equal(fixture_http_port(), port);
	/* The successor stood by until the first let go. */
	assert_int_equal(fixture_count("standby", "ocsign-status"), 1);
	assert_true(fixture_place("standby", "ocsign-status") <
	    fixture_place("term", "ocsign-status"));
	assert_int_equal(fixture_count("ready", "ocsign-status"), 2);
	/* Nothing of the signer's has changed. */
	assert_int_equal(fixture_count("start", "ocsign-signer"), 1);
	assert_int_equal(fixture_stop(), 0);
}

static void
changed_token_starts_the_signer_anew(void **state)
{
	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_configure(1, "127.0.0.1:0", "\n[token t]\nmodule = /bin/true\n"
	    "uri = pkcs11:token=t\npin-source = file:/dev/null\n");
	fixture_reload();
	fixture_wait_for("ready", "ocsign-signer", 1);
	fixture_wait_for_text("notice: reloaded");
	assert_true(fixture_place("end", "ocsign-signer") <
	    fixture_place("standby", "ocsign-status"));
	fixture_reload();
	fixture_wait_for("ready", "ocsign-responder", 2);
	assert_int_equal(fixture_count("start", "ocsign-signer"), 2);
	assert_int_equal(fixture_stop(), 0);
}

static void
bad_configuration_changes_nothing(void **state)
{
	int port;
	pid_t pid;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	port = fixture_http_port();
	pid = fixture_ask_http(port);
	fixture_configure(1, "127.0.0.1:0", "wrokers = 2\n");
	fixture_reload();
	fixture_wait_for_text("not reloaded");
	fixture_wait_for_text("wrokers");
	assert_int_equal(fixture_ask_http(port), pid);
	/* Well written, and cannot be. */
	fixture_configure(1, "127.0.0.1:0",
	    "\n[token t]\nmodule = /no/such.so\n"
	    "uri = pkcs11:token=t\n");
	fixture_reload();
	fixture_wait_for_text("/no/such.so");
	assert_int_equal(fixture_ask_http(port), pid);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fixture_count("start", fixture_programs[i]),
		    1);
	assert_int_equal(fixture_stop(), 0);
}

/* What died before and is back does not fail the reloads after it. */
static void
reload_forgives_earlier_deaths(void **state)
{
	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	for (size_t i = 0; i < 3; i++) {
		pid_t pid = fixture_wait_for("ready", fixture_programs[i], 0);

		assert_int_equal(kill(pid, SIGKILL), 0);
		fixture_wait_for("ready", fixture_programs[i], 1);
	}
	fixture_reload();
	fixture_wait_for_text(": reloaded");
	assert_int_equal(fixture_stop(), 0);
}

static void
failing_successor_leaves_the_old_one(void **state)
{
	int port;
	pid_t pid;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	port = fixture_http_port();
	pid = fixture_ask_http(port);
	fixture_behave("ocsign-responder", "die");
	fixture_reload();
	fixture_wait_for_text("the one before it stays");
	fixture_wait_for_text("responders of before go on");
	assert_int_equal(fixture_ask_http(port), pid);
	assert_int_equal(fixture_count("term", "ocsign-responder"), 0);
	/* The same with the status service: responders are not touched. */
	fixture_behave("ocsign-responder", "ready");
	fixture_behave("ocsign-status", "exit78");
	fixture_reload();
	fixture_wait_for_text("reload failed at ocsign-status");
	assert_int_equal(fixture_ask_http(port), pid);
	assert_int_equal(fixture_count("start", "ocsign-responder"), 2);
	/* And when all is well again, it is taken. */
	fixture_behave("ocsign-status", "ready");
	fixture_reload();
	fixture_wait_for("ready", "ocsign-responder", 1);
	fixture_wait_until_gone(pid);
	assert_int_not_equal(fixture_ask_http(port), pid);
	assert_int_equal(fixture_stop(), 0);
}

/* What has happened before a reload is no failure of it. */
static void
reload_after_each_has_been_killed(void **state)
{
	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	for (size_t i = 0; i < 3; i++) {
		const char *name = fixture_programs[i];
		size_t num = fixture_count("ready", name);

		assert_int_equal(kill(fixture_find("ready", name, num - 1),
		    SIGKILL), 0);
		fixture_wait_for("ready", name, num);
	}
	fixture_reload();
	fixture_wait_for_text("notice: reloaded");
	assert_int_equal(fixture_stop(), 0);
}

static void
number_of_responders_follows(void **state)
{
	int port;
	pid_t last;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	port = fixture_http_port();
	fixture_configure(3, "127.0.0.1:0", "");
	fixture_reload();
	fixture_wait_for("ready", "ocsign-responder", 3);
	fixture_wait_for_text("notice: reloaded");
	assert_int_equal(fixture_http_port(), port);
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_reload();
	/* Whatever socket the kernel chose, somebody has it. */
	while (fixture_count("end", "ocsign-responder") < 4)
		assert_int_not_equal(fixture_ask_http(port), 0);
	for (int i = 0; i < 4; i++)
		fixture_wait_until_gone(fixture_find("end",
		    "ocsign-responder", i));
	assert_int_equal(fixture_count("start", "ocsign-responder"), 5);
	last = fixture_ask_http(port);
	assert_int_not_equal(last, 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(fixture_ask_http(port), last);
	assert_int_equal(fixture_stop(), 0);
}

/* Whose sockets nobody has taken over stay until somebody has. */
static void
failing_successors_leave_those_beyond(void **state)
{
	(void)state;
	fixture_configure(3, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_wait_for("ready", "ocsign-responder", 2);
	fixture_behave("ocsign-responder", "die");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_reload();
	fixture_wait_for_text("responders of before go on");
	assert_int_equal(fixture_count("term", "ocsign-responder"), 0);
	fixture_behave("ocsign-responder", "ready");
	fixture_reload();
	fixture_wait_for_text("notice: reloaded");
	assert_int_equal(fixture_count("end", "ocsign-responder"), 3);
	assert_int_equal(fixture_stop(), 0);
}

/* Whose responders do not come, they keep nobody waiting; if they come after
 * all, they have their share. */
static void
failing_additions_are_given_nobody(void **state)
{
	int64_t end;
	pid_t pid;
	int port;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	port = fixture_http_port();
	pid = fixture_ask_http(port);
	fixture_behave("ocsign-responder", "die");
	fixture_configure(4, "127.0.0.1:0", "");
	fixture_reload();
	fixture_wait_for_text("responders of before go on");
	for (int i = 0; i < 20; i++)
		assert_int_equal(fixture_ask_http(port), pid);
	fixture_behave("ocsign-responder", "ready");
	end = oc_clock_mono_ns() + LONG_NS;
	while (fixture_ask_http(port) == pid)
		assert_true(oc_clock_mono_ns() < end);
	assert_int_equal(fixture_stop(), 0);
}

/* 270 sockets are more than one of them can have. */
static void
sockets_without_room_are_said(void **state)
{
	static const char listen[] = "127.0.0.1:0 127.0.0.2:0 127.0.0.3:0 "
	    "127.0.0.4:0 127.0.0.5:0 127.0.0.6:0 127.0.0.7:0 127.0.0.8:0 "
	    "127.0.0.9:0";

	(void)state;
	fixture_configure(30, listen, "");
	fixture_start_and_wait();
	fixture_configure(1, listen, "");
	fixture_reload();
	/* 256 less those that stand behind the last one's. */
	fixture_wait_for_text("without 23 of those");
	assert_int_equal(fixture_stop(), 0);
}

static void
hup_during_a_reload_is_not_lost(void **state)
{
	(void)state;
	fixture_behave("ocsign-status", "slow");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_reload();
	fixture_wait_for("standby", "ocsign-status", 0);
	fixture_reload();
	fixture_wait_for("ready", "ocsign-status", 2);
	fixture_wait_for("ready", "ocsign-responder", 2);
	assert_int_equal(fixture_stop(), 0);
}

static void
term_during_a_reload_ends_all(void **state)
{
	(void)state;
	fixture_behave("ocsign-status", "slow");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_reload();
	fixture_wait_for("standby", "ocsign-status", 0);
	assert_int_equal(fixture_stop(), 0);
	fixture_wait_until_gone(fixture_find("start", "ocsign-status", 0));
	fixture_wait_until_gone(fixture_find("start", "ocsign-status", 1));
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(reload_replaces_without_a_gap),
		TEST(changed_token_starts_the_signer_anew),
		TEST(bad_configuration_changes_nothing),
		TEST(reload_forgives_earlier_deaths),
		TEST(failing_successor_leaves_the_old_one),
		TEST(reload_after_each_has_been_killed),
		TEST(number_of_responders_follows),
		TEST(failing_successors_leave_those_beyond),
		TEST(failing_additions_are_given_nobody),
		TEST(sockets_without_room_are_said),
		TEST(hup_during_a_reload_is_not_lost),
		TEST(term_during_a_reload_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
