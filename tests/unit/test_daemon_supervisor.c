/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ocsignd: what it starts, starts again and ends, and in which order.
 */
#include <setjmp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ipc/server.h"
#include "tests/unit/daemon_fixture.h"

static void
starts_all_and_ends_in_order(void **state)
{
	(void)state;
	fixture_behave("ocsign-responder", "slow");
	fixture_behave("ocsign-status", "slow");
	fixture_configure(2, "127.0.0.1:0", "");
	fixture_start_and_wait();
	fixture_wait_for("ready", "ocsign-responder", 1);
	assert_int_equal(fixture_stop(), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fixture_count("end", fixture_programs[i]),
		    fixture_count("start", fixture_programs[i]));
	assert_int_equal(fixture_count("start", "ocsign-responder"), 2);
	/* Nobody is told to end before those that need it have. */
	assert_true(fixture_place("end", "ocsign-responder") <
	    fixture_place("term", "ocsign-status"));
	assert_true(fixture_place("end", "ocsign-status") <
	    fixture_place("term", "ocsign-signer"));
	assert_int_equal(fixture_count("leak", "ocsign-signer") +
	    fixture_count("leak", "ocsign-status") +
	    fixture_count("leak", "ocsign-responder"), 0);
	/* The run directory is as a fresh start wants it. */
	assert_int_not_equal(access(fixture_in_dir("run/status.sock"), F_OK),
	    0);
	assert_int_not_equal(access(fixture_in_dir("run/notify.sock"), F_OK),
	    0);
}

static void
sockets_are_there_before_their_roles(void **state)
{
	(void)state;
	fixture_behave("ocsign-signer", "never");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start();
	fixture_wait_for("start", "ocsign-signer", 0);
	assert_true(ipc_is_served(fixture_in_dir("run/signer-status.sock")));
	assert_true(ipc_is_served(fixture_in_dir("run/signer-issuer.sock")));
	assert_true(ipc_is_served(fixture_in_dir("run/status.sock")));
	assert_true(ipc_is_served(fixture_in_dir("run/status-control.sock")));
	assert_int_equal(fixture_stop(), 0);
}

static void
who_dies_is_started_again_ever_later(void **state)
{
	int64_t begin = oc_clock_mono_ns(), took_ns;

	(void)state;
	fixture_behave("ocsign-status", "die");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start();
	fixture_wait_for("start", "ocsign-status", 4);
	took_ns = oc_clock_mono_ns() - begin;
	/* 100 + 200 + 400 + 800 ms. */
	assert_true(took_ns >= 1500 * OC_NS_PER_MS);
	assert_true(took_ns < 6 * OC_NS_PER_S);
	fixture_behave("ocsign-status", "ready");
	fixture_wait_for("ready", "ocsign-status", 0);
	assert_int_equal(fixture_count("start", "ocsign-signer"), 1);
	assert_int_equal(fixture_count("start", "ocsign-responder"), 1);
	assert_int_equal(fixture_stop(), 0);
}

static void
who_is_killed_is_started_again_alone(void **state)
{
	pid_t signer, responder;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	signer = fixture_find("start", "ocsign-signer", 0);
	responder = fixture_find("start", "ocsign-responder", 0);
	assert_int_equal(kill(responder, SIGKILL), 0);
	assert_int_not_equal(fixture_wait_for("ready", "ocsign-responder", 1),
	    responder);
	assert_int_equal(kill(signer, SIGSEGV), 0);
	fixture_wait_for("ready", "ocsign-signer", 1);
	assert_int_equal(fixture_count("start", "ocsign-status"), 1);
	assert_true(fixture_ask_http(fixture_http_port()) ==
	    fixture_find("ready", "ocsign-responder", 1));
	assert_int_equal(fixture_stop(), 0);
}

static void
who_ends_with_78_is_left_alone(void **state)
{
	(void)state;
	fixture_behave("ocsign-signer", "exit78");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start();
	fixture_wait_for("ready", "ocsign-status", 0);
	fixture_wait_for("ready", "ocsign-responder", 0);
	fixture_wait_for_text("SIGHUP");
	usleep(800 * 1000);
	assert_int_equal(fixture_count("start", "ocsign-signer"), 1);
	assert_int_not_equal(fixture_ask_http(fixture_http_port()), 0);
	/* Mended: a reload starts it. */
	fixture_behave("ocsign-signer", "ready");
	fixture_reload();
	fixture_wait_for("ready", "ocsign-signer", 0);
	fixture_wait_for_text("notice: reloaded");
	assert_int_equal(fixture_stop(), 0);
}

static void
when_all_have_given_up_so_does_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		fixture_behave(fixture_programs[i], "exit78");
	fixture_configure(2, "127.0.0.1:0", "");
	fixture_start();
	assert_int_equal(fixture_wait_for_end(), 78);
}

static void
deaf_role_is_killed_after_ten_seconds(void **state)
{
	int64_t begin;
	pid_t pid;

	(void)state;
	fixture_behave("ocsign-responder", "deaf");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	pid = fixture_find("start", "ocsign-responder", 0);
	begin = oc_clock_mono_ns();
	assert_int_equal(fixture_stop(), 0);
	assert_true(oc_clock_mono_ns() - begin >= 9900 * OC_NS_PER_MS);
	assert_false(fixture_is_alive(pid));
	assert_int_equal(fixture_count("end", "ocsign-status"), 1);
}

static void
nobody_survives_it(void **state)
{
	pid_t pids[3];

	(void)state;
	fixture_behave("ocsign-signer", "deaf");
	fixture_behave("ocsign-status", "deaf");
	fixture_behave("ocsign-responder", "deaf");
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	for (size_t i = 0; i < 3; i++)
		pids[i] = fixture_find("start", fixture_programs[i], 0);
	assert_int_equal(kill(fixture_pid, SIGKILL), 0);
	assert_int_equal(fixture_wait_for_end(), -1);
	for (size_t i = 0; i < 3; i++)
		fixture_wait_until_gone(pids[i]);
	/* Its dead sockets do not hinder the next. */
	for (size_t i = 0; i < 3; i++)
		fixture_behave(fixture_programs[i], "ready");
	fixture_start();
	fixture_wait_for("ready", "ocsign-signer", 1);
	fixture_wait_for("ready", "ocsign-responder", 1);
	assert_int_equal(fixture_stop(), 0);
}

static void
second_one_is_refused(void **state)
{
	pid_t first;

	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	fixture_start_and_wait();
	first = fixture_pid;
	assert_int_equal(fixture_run_to_end(NULL), 1);
	fixture_pid = first;
	fixture_wait_for_text("another process listens");
	assert_true(ipc_is_served(fixture_in_dir("run/status.sock")));
	assert_int_equal(fixture_stop(), 0);
}

/* The process that -d leaves behind. */
static pid_t
read_pid_file(void)
{
	char *text = fixture_read_file("pid");
	pid_t pid = (pid_t)atol(text);

	free(text);
	return pid;
}

static void
detached_it_returns_when_all_are_ready(void **state)
{
	char pid_option[PATH_MAX];
	pid_t pid;

	(void)state;
	fixture_behave("ocsign-status", "ready");
	fixture_configure(1, "127.0.0.1:0", "");
	/* -p and -d in one word, as getopt allows. */
	snprintf(pid_option, sizeof(pid_option), "-dp%s",
	    fixture_in_dir("pid"));
	assert_int_equal(fixture_run_to_end(pid_option), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fixture_count("ready", fixture_programs[i]),
		    1);
	pid = read_pid_file();
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	fixture_wait_until_gone(pid);
	assert_int_equal(fixture_count("end", "ocsign-signer"), 1);
	assert_int_not_equal(access(fixture_in_dir("pid"), F_OK), 0);
}

static void
detached_it_fails_when_a_role_does(void **state)
{
	(void)state;
	fixture_behave("ocsign-responder", "die");
	fixture_configure(1, "127.0.0.1:0", "");
	assert_int_equal(fixture_run_to_end("-d"), 1);
	fixture_wait_for_text("did not start");
	/* Nothing is left of it. */
	if (fixture_find("start", "ocsign-signer", 0) != 0)
		fixture_wait_until_gone(fixture_find("start", "ocsign-signer",
		    0));
	assert_false(ipc_is_served(fixture_in_dir("run/status.sock")));
	assert_int_equal(fixture_count("start", "ocsign-responder"), 1);
}

static void
missing_program_is_told(void **state)
{
	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	assert_int_equal(unlink(fixture_in_dir("libexec/ocsign-status")), 0);
	assert_int_equal(fixture_run_to_end(NULL), 1);
	fixture_wait_for_text("libexec/ocsign-status");
}

static void
test_option_checks_and_starts_nothing(void **state)
{
	(void)state;
	fixture_configure(1, "127.0.0.1:0", "");
	assert_int_equal(fixture_run_to_end("-t"), 0);
	fixture_wait_for_text("ocsign.conf: ok");
	fixture_configure(0, "nonsense", "x = y\n");
	assert_int_equal(fixture_run_to_end("-t"), 78);
	fixture_wait_for_text("workers");
	fixture_wait_for_text("nonsense");
	fixture_configure(1, "127.0.0.1:0",
	    "\n[token t]\nmodule = /no/such.so\n"
	    "uri = pkcs11:slot-id=1\npin-source = fd:3\n");
	assert_int_equal(fixture_run_to_end("-t"), 78);
	fixture_wait_for_text("/no/such.so");
	fixture_wait_for_text("[token t] uri:");
	fixture_wait_for_text("[token t] pin-source:");
	assert_int_equal(access(fixture_in_dir("run"), F_OK), -1);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(starts_all_and_ends_in_order),
		TEST(sockets_are_there_before_their_roles),
		TEST(who_dies_is_started_again_ever_later),
		TEST(who_is_killed_is_started_again_alone),
		TEST(who_ends_with_78_is_left_alone),
		TEST(when_all_have_given_up_so_does_it),
		TEST(deaf_role_is_killed_after_ten_seconds),
		TEST(nobody_survives_it),
		TEST(second_one_is_refused),
		TEST(detached_it_returns_when_all_are_ready),
		TEST(detached_it_fails_when_a_role_does),
		TEST(missing_program_is_told),
		TEST(test_option_checks_and_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
