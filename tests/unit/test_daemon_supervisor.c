/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real ocsignd with roles that behave as told (tests/faults/role_dummy.c):
 * what it starts, starts again, replaces and ends, and in which order.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "ipc/server.h"
#include "tests/unit/ipc_thread.h"

#define LONG_NS (20 * OC_NS_PER_S)

static char dir[IPC_DIR_MAX];
static pid_t daemon_pid;		/* 0: none */

static const char *const programs[] = { "ocsign-signer", "ocsign-status",
    "ocsign-responder" };

static const char *
in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(in_dir(name), 0600, text,
	    strlen(text), &error), OC_OK);
}

static char *
read_file(const char *name)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;
	size_t len;

	if (oc_file_read(in_dir(name), 1 << 20, &bytes, &len,
	    &error) != OC_OK)
		return strdup("");
	return (char *)bytes;
}

static void
behave(const char *program, const char *how)
{
	write_file(program, how);
}

static void
configure(int workers, const char *listen, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text), "[store]\npath = store.db\n\n"
	    "[daemon]\nrun-directory = run\ntable-directory = tables\n\n"
	    "[responder]\nlisten = %s\nworkers = %d\n%s", listen, workers,
	    more);
	write_file("ocsign.conf", text);
}

/* --- ocsignd ---------------------------------------------------------- */

static int
exec_daemon(const char *option)
{
	char path[PATH_MAX];
	const char *top = getenv("top_builddir");
	int log;

	snprintf(path, sizeof(path), "%s/ocsignd", top != NULL ? top : ".");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("OCSIGN_LIBEXECDIR", in_dir("libexec"), 1);
	setenv("DUMMY_DIR", dir, 1);
	unsetenv("NOTIFY_SOCKET");
	log = open(in_dir("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, STDERR_FILENO);
	dup2(log, STDOUT_FILENO);
	close(log);
	execl(path, path, "-c", in_dir("ocsign.conf"), option, (char *)NULL);
	return 126;
}

static void
start(void)
{
	daemon_pid = fork();
	assert_true(daemon_pid >= 0);
	if (daemon_pid == 0)
		_exit(exec_daemon(NULL));
}

/* Its exit status; -1 when a signal ended it. */
static int
wait_for_end(void)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	int status;

	while (waitpid(daemon_pid, &status, WNOHANG) == 0) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(5000);
	}
	daemon_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
stop(void)
{
	assert_int_equal(kill(daemon_pid, SIGTERM), 0);
	return wait_for_end();
}

static int
run_to_end(const char *option)
{
	daemon_pid = fork();
	assert_true(daemon_pid >= 0);
	if (daemon_pid == 0)
		_exit(exec_daemon(option));
	return wait_for_end();
}

/* --- what the roles noted --------------------------------------------- */

/* The process in the n-th line "WHAT PROGRAM PID"; 0: there is none. */
static pid_t
find(const char *what, const char *program, int n)
{
	char *log = read_file("log"), key[64];
	pid_t pid = 0;

	snprintf(key, sizeof(key), "%s %s ", what, program);
	for (char *line = log; line != NULL && *line != '\0'; ) {
		char *end = strchr(line, '\n');

		if (strncmp(line, key, strlen(key)) == 0 && n-- == 0)
			pid = (pid_t)atol(line + strlen(key));
		line = end == NULL ? NULL : end + 1;
	}
	free(log);
	return pid;
}

static int
count(const char *what, const char *program)
{
	int n = 0;

	while (find(what, program, n) != 0)
		n++;
	return n;
}

static pid_t
wait_for(const char *what, const char *program, int n)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	pid_t pid;

	while ((pid = find(what, program, n)) == 0) {
		if (oc_clock_mono_ns() > end) {
			print_message("%s\n%s", read_file("log"),
			    read_file("stderr"));
			fail_msg("no %s %s %d", what, program, n);
		}
		usleep(5000);
	}
	return pid;
}

static void
wait_for_text(const char *text)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	for (;;) {
		char *log = read_file("stderr");
		bool is_there = strstr(log, text) != NULL;

		if (!is_there && oc_clock_mono_ns() > end)
			fail_msg("\"%s\" is not in\n%s", text, log);
		free(log);
		if (is_there)
			return;
		usleep(5000);
	}
}

/* Dead, though nobody may have asked how: it is not our child. */
static bool
is_alive(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z';
}

static void
wait_until_gone(pid_t pid)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (is_alive(pid)) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(5000);
	}
}

/* Where in the log; to compare. */
static size_t
place(const char *what, const char *program)
{
	char *log = read_file("log"), key[64], *at;
	size_t offset;

	snprintf(key, sizeof(key), "%s %s ", what, program);
	at = strstr(log, key);
	assert_non_null(at);
	offset = (size_t)(at - log);
	free(log);
	return offset;
}

static void
start_and_wait(void)
{
	start();
	for (size_t i = 0; i < 3; i++)
		wait_for("ready", programs[i], 0);
}

static void
reload(void)
{
	assert_int_equal(kill(daemon_pid, SIGHUP), 0);
}

/* --- HTTP ------------------------------------------------------------- */

static int
http_port(void)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	int port = 0;

	while (port == 0 && oc_clock_mono_ns() < end) {
		char *urls = read_file("run/http.urls");

		if (sscanf(urls, "http://127.0.0.1:%d/", &port) != 1)
			usleep(5000);
		free(urls);
	}
	assert_int_not_equal(port, 0);
	return port;
}

/* The process that answered; 0: nobody did. */
static pid_t
ask_http(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 10, 0 };
	char text[128] = "";
	size_t len = 0;
	ssize_t n;
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(sock);
		return 0;
	}
	while (len < sizeof(text) - 1 && (n = recv(sock, text + len,
	    sizeof(text) - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(sock);
	return len > 19 ? (pid_t)atol(text + 19) : 0;
}

/* --- the tests -------------------------------------------------------- */

static void
starts_all_and_ends_in_order(void **state)
{
	(void)state;
	behave("ocsign-responder", "slow");
	behave("ocsign-status", "slow");
	configure(2, "127.0.0.1:0", "");
	start_and_wait();
	wait_for("ready", "ocsign-responder", 1);
	assert_int_equal(stop(), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(count("end", programs[i]),
		    count("start", programs[i]));
	assert_int_equal(count("start", "ocsign-responder"), 2);
	/* Nobody is told to end before those that need it have. */
	assert_true(place("end", "ocsign-responder") <
	    place("term", "ocsign-status"));
	assert_true(place("end", "ocsign-status") <
	    place("term", "ocsign-signer"));
	assert_int_equal(count("leak", "ocsign-signer") +
	    count("leak", "ocsign-status") +
	    count("leak", "ocsign-responder"), 0);
	/* The run directory is as a fresh start wants it. */
	assert_int_not_equal(access(in_dir("run/status.sock"), F_OK), 0);
	assert_int_not_equal(access(in_dir("run/notify.sock"), F_OK), 0);
}

static void
sockets_are_there_before_their_roles(void **state)
{
	(void)state;
	behave("ocsign-signer", "never");
	configure(1, "127.0.0.1:0", "");
	start();
	wait_for("start", "ocsign-signer", 0);
	assert_true(ipc_is_served(in_dir("run/signer-status.sock")));
	assert_true(ipc_is_served(in_dir("run/signer-issuer.sock")));
	assert_true(ipc_is_served(in_dir("run/status.sock")));
	assert_true(ipc_is_served(in_dir("run/status-control.sock")));
	assert_int_equal(stop(), 0);
}

static void
who_dies_is_started_again_ever_later(void **state)
{
	int64_t begin = oc_clock_mono_ns(), took_ns;

	(void)state;
	behave("ocsign-status", "die");
	configure(1, "127.0.0.1:0", "");
	start();
	wait_for("start", "ocsign-status", 4);
	took_ns = oc_clock_mono_ns() - begin;
	/* 100 + 200 + 400 + 800 ms. */
	assert_true(took_ns >= 1500 * OC_NS_PER_MS);
	assert_true(took_ns < 6 * OC_NS_PER_S);
	behave("ocsign-status", "ready");
	wait_for("ready", "ocsign-status", 0);
	assert_int_equal(count("start", "ocsign-signer"), 1);
	assert_int_equal(count("start", "ocsign-responder"), 1);
	assert_int_equal(stop(), 0);
}

static void
who_is_killed_is_started_again_alone(void **state)
{
	pid_t signer, responder;

	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	signer = find("start", "ocsign-signer", 0);
	responder = find("start", "ocsign-responder", 0);
	assert_int_equal(kill(responder, SIGKILL), 0);
	assert_int_not_equal(wait_for("ready", "ocsign-responder", 1),
	    responder);
	assert_int_equal(kill(signer, SIGSEGV), 0);
	wait_for("ready", "ocsign-signer", 1);
	assert_int_equal(count("start", "ocsign-status"), 1);
	assert_true(ask_http(http_port()) ==
	    find("ready", "ocsign-responder", 1));
	assert_int_equal(stop(), 0);
}

static void
who_ends_with_78_is_left_alone(void **state)
{
	(void)state;
	behave("ocsign-signer", "exit78");
	configure(1, "127.0.0.1:0", "");
	start();
	wait_for("ready", "ocsign-status", 0);
	wait_for("ready", "ocsign-responder", 0);
	wait_for_text("SIGHUP");
	usleep(800 * 1000);
	assert_int_equal(count("start", "ocsign-signer"), 1);
	assert_int_not_equal(ask_http(http_port()), 0);
	/* Mended: a reload starts it. */
	behave("ocsign-signer", "ready");
	reload();
	wait_for("ready", "ocsign-signer", 0);
	wait_for_text("notice: reloaded");
	assert_int_equal(stop(), 0);
}

static void
when_all_have_given_up_so_does_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		behave(programs[i], "exit78");
	configure(2, "127.0.0.1:0", "");
	start();
	assert_int_equal(wait_for_end(), 78);
}

static void
deaf_role_is_killed_after_ten_seconds(void **state)
{
	int64_t begin;
	pid_t pid;

	(void)state;
	behave("ocsign-responder", "deaf");
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	pid = find("start", "ocsign-responder", 0);
	begin = oc_clock_mono_ns();
	assert_int_equal(stop(), 0);
	assert_true(oc_clock_mono_ns() - begin >= 9900 * OC_NS_PER_MS);
	assert_false(is_alive(pid));
	assert_int_equal(count("end", "ocsign-status"), 1);
}

static void
nobody_survives_it(void **state)
{
	pid_t pids[3];

	(void)state;
	behave("ocsign-signer", "deaf");
	behave("ocsign-status", "deaf");
	behave("ocsign-responder", "deaf");
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	for (size_t i = 0; i < 3; i++)
		pids[i] = find("start", programs[i], 0);
	assert_int_equal(kill(daemon_pid, SIGKILL), 0);
	assert_int_equal(wait_for_end(), -1);
	for (size_t i = 0; i < 3; i++)
		wait_until_gone(pids[i]);
	/* Its dead sockets do not hinder the next. */
	for (size_t i = 0; i < 3; i++)
		behave(programs[i], "ready");
	start();
	wait_for("ready", "ocsign-signer", 1);
	wait_for("ready", "ocsign-responder", 1);
	assert_int_equal(stop(), 0);
}

static void
second_one_is_refused(void **state)
{
	pid_t first;

	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	first = daemon_pid;
	assert_int_equal(run_to_end(NULL), 1);
	daemon_pid = first;
	wait_for_text("another process listens");
	assert_true(ipc_is_served(in_dir("run/status.sock")));
	assert_int_equal(stop(), 0);
}

static void
reload_replaces_without_a_gap(void **state)
{
	int port, num_answers = 0;
	int64_t end;
	pid_t old;

	(void)state;
	configure(2, "127.0.0.1:0", "");
	start_and_wait();
	wait_for("ready", "ocsign-responder", 1);
	port = http_port();
	old = ask_http(port);
	assert_int_not_equal(old, 0);
	reload();
	end = oc_clock_mono_ns() + LONG_NS;
	while (count("end", "ocsign-responder") < 2 &&
	    oc_clock_mono_ns() < end) {
		assert_int_not_equal(ask_http(port), 0);
		num_answers++;
	}
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(ask_http(port), old);
	assert_true(num_answers > 5);
	wait_for_text("notice: reloaded");
	assert_int_equal(http_port(), port);
	/* The successor stood by until the first let go. */
	assert_int_equal(count("standby", "ocsign-status"), 1);
	assert_true(place("standby", "ocsign-status") <
	    place("term", "ocsign-status"));
	assert_int_equal(count("ready", "ocsign-status"), 2);
	/* Nothing of the signer's has changed. */
	assert_int_equal(count("start", "ocsign-signer"), 1);
	assert_int_equal(stop(), 0);
}

static void
changed_token_starts_the_signer_anew(void **state)
{
	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	configure(1, "127.0.0.1:0", "\n[token t]\nmodule = /bin/true\n"
	    "uri = pkcs11:token=t\npin-source = file:/dev/null\n");
	reload();
	wait_for("ready", "ocsign-signer", 1);
	wait_for_text("notice: reloaded");
	assert_true(place("end", "ocsign-signer") <
	    place("standby", "ocsign-status"));
	reload();
	wait_for("ready", "ocsign-responder", 2);
	assert_int_equal(count("start", "ocsign-signer"), 2);
	assert_int_equal(stop(), 0);
}

static void
bad_configuration_changes_nothing(void **state)
{
	int port;
	pid_t pid;

	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	port = http_port();
	pid = ask_http(port);
	configure(1, "127.0.0.1:0", "wrokers = 2\n");
	reload();
	wait_for_text("not reloaded");
	wait_for_text("wrokers");
	assert_int_equal(ask_http(port), pid);
	/* Well written, and cannot be. */
	configure(1, "127.0.0.1:0", "\n[token t]\nmodule = /no/such.so\n"
	    "uri = pkcs11:token=t\n");
	reload();
	wait_for_text("/no/such.so");
	assert_int_equal(ask_http(port), pid);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(count("start", programs[i]), 1);
	assert_int_equal(stop(), 0);
}

static void
failing_successor_leaves_the_old_one(void **state)
{
	int port;
	pid_t pid;

	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	port = http_port();
	pid = ask_http(port);
	behave("ocsign-responder", "die");
	reload();
	wait_for_text("the one before it stays");
	wait_for_text("responders of before go on");
	assert_int_equal(ask_http(port), pid);
	assert_int_equal(count("term", "ocsign-responder"), 0);
	/* The same with the status service: responders are not touched. */
	behave("ocsign-responder", "ready");
	behave("ocsign-status", "exit78");
	reload();
	wait_for_text("reload failed at ocsign-status");
	assert_int_equal(ask_http(port), pid);
	assert_int_equal(count("start", "ocsign-responder"), 2);
	/* And when all is well again, it is taken. */
	behave("ocsign-status", "ready");
	reload();
	wait_for("ready", "ocsign-responder", 1);
	wait_until_gone(pid);
	assert_int_not_equal(ask_http(port), pid);
	assert_int_equal(stop(), 0);
}

static void
number_of_responders_follows(void **state)
{
	int port;

	(void)state;
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	port = http_port();
	configure(3, "127.0.0.1:0", "");
	reload();
	wait_for("ready", "ocsign-responder", 3);
	wait_for_text("notice: reloaded");
	assert_int_equal(http_port(), port);
	configure(1, "127.0.0.1:0", "");
	reload();
	wait_for("end", "ocsign-responder", 3);
	assert_int_equal(count("start", "ocsign-responder"), 5);
	assert_int_not_equal(ask_http(port), 0);
	assert_int_equal(stop(), 0);
}

static void
hup_during_a_reload_is_not_lost(void **state)
{
	(void)state;
	behave("ocsign-status", "slow");
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	reload();
	wait_for("standby", "ocsign-status", 0);
	reload();
	wait_for("ready", "ocsign-status", 2);
	wait_for("ready", "ocsign-responder", 2);
	assert_int_equal(stop(), 0);
}

static void
term_during_a_reload_ends_all(void **state)
{
	(void)state;
	behave("ocsign-status", "slow");
	configure(1, "127.0.0.1:0", "");
	start_and_wait();
	reload();
	wait_for("standby", "ocsign-status", 0);
	assert_int_equal(stop(), 0);
	wait_until_gone(find("start", "ocsign-status", 0));
	wait_until_gone(find("start", "ocsign-status", 1));
}

/* The process that -d leaves behind. */
static pid_t
read_pid_file(void)
{
	char *text = read_file("pid");
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
	behave("ocsign-status", "ready");
	configure(1, "127.0.0.1:0", "");
	/* -p and -d in one word, as getopt allows. */
	snprintf(pid_option, sizeof(pid_option), "-dp%s", in_dir("pid"));
	assert_int_equal(run_to_end(pid_option), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(count("ready", programs[i]), 1);
	pid = read_pid_file();
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	wait_until_gone(pid);
	assert_int_equal(count("end", "ocsign-signer"), 1);
	assert_int_not_equal(access(in_dir("pid"), F_OK), 0);
}

static void
detached_it_fails_when_a_role_does(void **state)
{
	(void)state;
	behave("ocsign-responder", "die");
	configure(1, "127.0.0.1:0", "");
	assert_int_equal(run_to_end("-d"), 1);
	wait_for_text("did not start");
	/* Nothing is left of it. */
	if (find("start", "ocsign-signer", 0) != 0)
		wait_until_gone(find("start", "ocsign-signer", 0));
	assert_false(ipc_is_served(in_dir("run/status.sock")));
	assert_int_equal(count("start", "ocsign-responder"), 1);
}

static void
missing_program_is_told(void **state)
{
	(void)state;
	configure(1, "127.0.0.1:0", "");
	assert_int_equal(unlink(in_dir("libexec/ocsign-status")), 0);
	assert_int_equal(run_to_end(NULL), 1);
	wait_for_text("libexec/ocsign-status");
}

static void
test_option_checks_and_starts_nothing(void **state)
{
	(void)state;
	configure(1, "127.0.0.1:0", "");
	assert_int_equal(run_to_end("-t"), 0);
	wait_for_text("ocsign.conf: ok");
	configure(0, "nonsense", "x = y\n");
	assert_int_equal(run_to_end("-t"), 78);
	wait_for_text("workers");
	wait_for_text("nonsense");
	configure(1, "127.0.0.1:0", "\n[token t]\nmodule = /no/such.so\n"
	    "uri = pkcs11:slot-id=1\npin-source = fd:3\n");
	assert_int_equal(run_to_end("-t"), 78);
	wait_for_text("/no/such.so");
	wait_for_text("[token t] uri:");
	wait_for_text("[token t] pin-source:");
	assert_int_equal(access(in_dir("run"), F_OK), -1);
}

/* --- setup ------------------------------------------------------------ */

static int
setup(void **state)
{
	char target[PATH_MAX], path[PATH_MAX];
	const char *top = getenv("top_builddir");

	(void)state;
	ipc_dir_new(dir);
	assert_int_equal(mkdir(in_dir("libexec"), 0700), 0);
	snprintf(target, sizeof(target), "%s/tests/faults/role_dummy",
	    top != NULL ? top : ".");
	assert_non_null(realpath(target, path));
	for (size_t i = 0; i < 3; i++) {
		char name[64];

		snprintf(name, sizeof(name), "libexec/%s", programs[i]);
		assert_int_equal(symlink(path, in_dir(name)), 0);
		behave(programs[i], "ready");
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
		daemon_pid = 0;
	}
	if (access(in_dir("run"), F_OK) == 0)
		ipc_dir_remove(in_dir("run"));
	ipc_dir_remove(in_dir("libexec"));
	ipc_dir_remove(dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		TEST(reload_replaces_without_a_gap),
		TEST(changed_token_starts_the_signer_anew),
		TEST(bad_configuration_changes_nothing),
		TEST(failing_successor_leaves_the_old_one),
		TEST(number_of_responders_follows),
		TEST(hup_during_a_reload_is_not_lost),
		TEST(term_during_a_reload_ends_all),
		TEST(detached_it_returns_when_all_are_ready),
		TEST(detached_it_fails_when_a_role_does),
		TEST(missing_program_is_told),
		TEST(test_option_checks_and_starts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
