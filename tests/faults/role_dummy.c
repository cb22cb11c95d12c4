/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role that does what the test says.  Which role it plays is its program's
 * name; how it behaves stands in $DUMMY_DIR/PROGRAM at its start:
 *
 *	ready		the usual
 *	never		starts, and never says so
 *	die		ends with 1 at once
 *	die-ready	says that it is ready, then ends with 1
 *	exit78		ends with 78 at once
 *	deaf		ready, and ignores SIGTERM
 *	slow		ready, and takes half a second to end
 *
 * As "ocsign" it is what renews: "ready" ends with 0, "never" does not end, and
 * the others end with 1, "slow" after a second and a half.
 *
 * What happens it appends to $DUMMY_DIR/log, one line each.  A responder
 * answers every connection with its process id, ocsign-status takes a lock
 * first, as the real one does with its tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/handover.h"

static const char *program;
static volatile sig_atomic_t has_term;

static void
on_term(int sig)
{
	(void)sig;
	has_term = 1;
}

static void
path_of(const char *name, char path[PATH_MAX])
{
	const char *dir = getenv("DUMMY_DIR");

	snprintf(path, PATH_MAX, "%s/%s", dir != NULL ? dir : ".", name);
}

static void
note(const char *what)
{
	char path[PATH_MAX], line[256];
	int fd, len;

	path_of("log", path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	len = snprintf(line, sizeof(line), "%s %s %ld\n", what, program,
	    (long)getpid());
	(void)!write(fd, line, (size_t)len);
	close(fd);
}

static void
read_behaviour(char text[32])
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	path_of(program, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, 31);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(fd);
}

/* The lock of the one before us, waited for as the real one waits. */
static void
take_lock(void)
{
	char path[PATH_MAX];
	int fd;

	path_of("table.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return;
	note("standby");
	ipc_notify("STATUS=standby");
	while (flock(fd, LOCK_EX) != 0 && !has_term)
		;
}

/* Descriptors beyond the listeners are a leak of the supervisor's. */
static void
look_for_leaks(int num_listeners)
{
	for (int fd = 3 + num_listeners; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			note("leak");
}

static int
count_listeners(struct pollfd *pfds, int max)
{
	static const char *const names[] = { "http", "status",
	    "status-control", "signer-status", "signer-issuer" };
	int num = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		for (unsigned int n = 0; num < max &&
		    (fd = ipc_handover_fd(names[i], n)) >= 0; n++)
			pfds[num++] = (struct pollfd){ fd, POLLIN, 0 };
	}
	return num;
}

static void
answer(int listener)
{
	int sock = accept(listener, NULL, NULL);
	char text[64];

	if (sock < 0)
		return;
	snprintf(text, sizeof(text), "HTTP/1.0 200 OK\r\n\r\n%ld\n",
	    (long)getpid());
	(void)!send(sock, text, strlen(text), MSG_NOSIGNAL);
	(void)shutdown(sock, SHUT_WR);
	close(sock);
}

static void
serve(struct pollfd *pfds, int num)
{
	while (!has_term) {
		if (poll(pfds, (nfds_t)num, 100) <= 0)
			continue;
		for (int i = 0; i < num; i++)
			if (pfds[i].revents != 0)
				answer(pfds[i].fd);
	}
}

/* Called as it should be, with nothing of ocsignd's open. */
static int
renew(int argc, char **argv, const char *behaviour)
{
	static const char *const words[] = { "ocsp", "renew", "--reload" };
	bool is_well = argc == 6 && strcmp(argv[1], "-c") == 0;

	for (int i = 3; is_well && i < argc; i++)
		is_well = strcmp(argv[i], words[i - 3]) == 0;
	if (!is_well || getenv("NOTIFY_SOCKET") != NULL)
		note("wrong");
	look_for_leaks(0);
	note("start");
	while (strcmp(behaviour, "never") == 0)
		pause();
	if (strcmp(behaviour, "slow") == 0)
		(void)poll(NULL, 0, 1500);
	return strcmp(behaviour, "ready") != 0;
}

int
main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	struct pollfd pfds[64];
	char behaviour[32];
	int num;

	program = strrchr(argv[0], '/');
	program = program == NULL ? argv[0] : program + 1;
	read_behaviour(behaviour);
	if (strcmp(program, "ocsign") == 0)
		return renew(argc, argv, behaviour);
	if (argc != 3 || strcmp(argv[1], "-c") != 0)
		return 99;
	note("start");
	if (strcmp(behaviour, "die") == 0)
		return 1;
	if (strcmp(behaviour, "exit78") == 0)
		return 78;
	(void)sigaction(SIGTERM, &term, NULL);
	num = count_listeners(pfds, 64);
	look_for_leaks(num);
	if (strcmp(behaviour, "never") == 0) {
		serve(pfds, 0);
		return 0;
	}
	if (strcmp(program, "ocsign-status") == 0)
		take_lock();
	note("ready");
	ipc_notify("READY=1");
	if (strcmp(behaviour, "die-ready") == 0)
		return 1;
	for (;;) {
		serve(pfds, num);
		note("term");
		if (strcmp(behaviour, "deaf") != 0)
			break;
		has_term = 0;
	}
	if (strcmp(behaviour, "slow") == 0)
		usleep(500 * 1000);
	note("end");
	return 0;
}
