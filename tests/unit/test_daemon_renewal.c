/* SPDX-License-Identifier: Apache-2.0 */
/* What ocsignd starts to have OCSP signers' certificates renewed: when, how
 * often, and what it makes of its end. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/daemon_fixture.h"

#define RENEWER "ocsign"
#define USUAL_ALLOW "certificate crl ocsp"

/* A CA that is only planned; its signer's certificate is there. */
static void
configure(const char *every, const char *allow)
{
	char text[1024];

	snprintf(text, sizeof(text), "[store]\npath = store.db\n"
	    "[daemon]\nrun-directory = run\ntable-directory = tables\n"
	    "renew-every = %s\n[responder]\nlisten = 127.0.0.1:0\n"
	    "[token t]\nmodule = /bin/true\nuri = pkcs11:token=t\n"
	    "pin-source = file:/dev/null\n[issuer ca]\ncertificate = ca.pem\n"
	    "token = t\nkey = ca\nallow = %s\nocsp-certificate = ocsp.pem\n"
	    "ocsp-key = ocsp\n", every, allow);
	fixture_write_file("ocsign.conf", text);
}

static int
setup(void **state)
{
	int rc = fixture_setup(state);

	fixture_behave(RENEWER, "ready");
	fixture_write_file("ocsp.pem", "some certificate");
	return rc;
}

static void
again_and_again(void **state)
{
	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_start_and_wait();
	fixture_wait_for("start", RENEWER, 2);
	for (size_t i = 0; i < 3; i++)
		assert_true(fixture_place("ready", fixture_programs[i]) <
		    fixture_place("start", RENEWER));
	assert_int_equal(fixture_count("wrong", RENEWER), 0);
	assert_int_equal(fixture_count("leak", RENEWER), 0);
	assert_int_equal(fixture_stop(), 0);
}

/* Who takes it. */
static void
not_before_status_is_ready(void **state)
{
	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_behave("ocsign-status", "never");
	fixture_start();
	fixture_wait_for("start", "ocsign-status", 0);
	usleep(1500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), 0);
}

/* A role that waits for a person keeps no certificate from being renewed. */
static void
though_one_is_away(void **state)
{
	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_behave("ocsign-responder", "exit78");
	fixture_start();
	fixture_wait_for("start", RENEWER, 1);
	assert_int_equal(fixture_stop(), 0);
}

static void
failures_are_said(void **state)
{
	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_behave(RENEWER, "die");
	fixture_start_and_wait();
	fixture_wait_for("start", RENEWER, 1);
	fixture_wait_for_text("error: ocsign ocsp renew (process ");
	fixture_behave(RENEWER, "ready");
	fixture_wait_for_text("notice: ocsign ocsp renew works again");
	assert_int_equal(fixture_stop(), 0);
}

/* What takes longer than from one to the next is no reason to begin again at
 * once. */
static void
slow_ones_have_a_pause(void **state)
{
	char *log;

	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_behave(RENEWER, "slow");
	fixture_start_and_wait();
	fixture_wait_for("start", RENEWER, 1);
	log = fixture_read_file("stderr");
	assert_non_null(strstr(log, "stands above; again in "));
	assert_null(strstr(log, "again in 0 s"));
	assert_null(strstr(log, "again in -"));
	free(log);
	assert_int_equal(fixture_stop(), 0);
}

/* Nor does it outlive us. */
static void
one_at_a_time(void **state)
{
	pid_t pid;

	(void)state;
	configure("1s", USUAL_ALLOW);
	fixture_behave(RENEWER, "never");
	fixture_start_and_wait();
	pid = fixture_wait_for("start", RENEWER, 0);
	usleep(2500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), 1);
	assert_true(fixture_is_alive(pid));
	assert_int_equal(fixture_stop(), 0);
	fixture_wait_until_gone(pid);
}

static void
only_where_it_is_ours(void **state)
{
	int num;

	(void)state;
	configure("0s", USUAL_ALLOW);
	fixture_start_and_wait();
	usleep(1500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), 0);
	configure("1s", "ocsp");
	fixture_reload();
	fixture_wait_for_text("notice: reloaded");
	usleep(1500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), 0);
	configure("1s", USUAL_ALLOW);
	fixture_reload();
	fixture_wait_for("start", RENEWER, 1);
	/* There is none. */
	assert_int_equal(unlink(fixture_in_dir("ocsp.pem")), 0);
	usleep(200 * 1000);
	num = fixture_count("start", RENEWER);
	usleep(1500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), num);
	assert_int_equal(fixture_stop(), 0);
}

/* Behind a link to what has no name any more, where nobody can write. */
static void
left_to_others(void **state)
{
	char link[64], *log, *said;
	int fd;

	(void)state;
	configure("1s", USUAL_ALLOW);
	fd = open(fixture_in_dir("ocsp.pem"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(fixture_in_dir("ocsp.pem")), 0);
	snprintf(link, sizeof(link), "/proc/%ld/fd/%d", (long)getpid(), fd);
	assert_int_equal(symlink(link, fixture_in_dir("ocsp.pem")), 0);
	fixture_start_and_wait();
	fixture_wait_for_text("ocsp.pem cannot be replaced from here");
	usleep(1500 * 1000);
	assert_int_equal(fixture_count("start", RENEWER), 0);
	log = fixture_read_file("stderr");
	said = strstr(log, "cannot be replaced");
	assert_non_null(said);
	assert_null(strstr(said + 1, "cannot be replaced"));
	free(log);
	assert_int_equal(fixture_stop(), 0);
	close(fd);
}

static void
without_the_program(void **state)
{
	(void)state;
	configure("1s", USUAL_ALLOW);
	assert_int_equal(unlink(fixture_in_dir("libexec/ocsign")), 0);
	fixture_start_and_wait();
	fixture_wait_for_text("libexec/ocsign is not there: renewing");
	assert_int_equal(fixture_stop(), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(again_and_again), T(not_before_status_is_ready),
		T(though_one_is_away),
		T(failures_are_said), T(slow_ones_have_a_pause),
		T(one_at_a_time),
		T(only_where_it_is_ours), T(left_to_others),
		T(without_the_program),
	};

	return cmocka_run_group_tests_name("daemon renewal", tests, NULL,
	    NULL);
}
