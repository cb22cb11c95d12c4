/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server, its loop turned by hand, against raw sockets: what a peer may
 * do wrong ends that peer and nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/server.h"
#include "tests/unit/ipc_thread.h"

static char dir[IPC_DIR_MAX], path[IPC_DIR_MAX + 16];
static struct event_base *base;
static struct ipc_server *server;

/* What the handlers saw. */
static struct {
	int num_frames, num_gone, num_fds;
	uint16_t type;
	uint64_t id;
	size_t len;
	struct ipc_peer *peer, *gone;
	bool closes;		/* the handler closes the peer, twice */
	int sends;		/* and sends that many 64 KiB answers */
} seen;

static void
on_frame(void *arg, struct ipc_peer *peer, const struct ipc_header *header,
    struct der_bytes fields, int fd)
{
	static uint8_t big[OC_FRAME_MAX];
	static char text[60000];
	size_t len;

	assert_ptr_equal(arg, &seen);
	seen.num_frames++;
	seen.type = header->type;
	seen.id = header->id;
	seen.len = fields.len;
	seen.peer = peer;
	if (fd >= 0) {
		seen.num_fds++;
		assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
		close(fd);
	}
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < seen.sends; i++) {
		assert_int_equal(ipc_put_text_message(big, sizeof(big),
		    header->id, IPC_STATUS_IS, text, &len), OC_OK);
		ipc_peer_send(peer, big, len);
	}
	if (seen.closes) {
		ipc_peer_close(peer);
		ipc_peer_close(peer);
	}
}

static void
on_gone(void *arg, struct ipc_peer *peer)
{
	assert_ptr_equal(arg, &seen);
	seen.num_gone++;
	seen.gone = peer;
}

static int
setup(void **state)
{
	struct oc_error error = { 0 };
	int fd;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	ipc_dir_new(dir);
	snprintf(path, sizeof(path), "%s/x.sock", dir);
	base = event_base_new();
	assert_non_null(base);
	assert_int_equal(ipc_listen(path, &fd, &error), OC_OK);
	assert_int_equal(ipc_server_new(base, fd, "echo", on_frame, on_gone,
	    &seen, &server), OC_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ipc_server_free(server);
	event_base_free(base);
	ipc_dir_remove(dir);
	return 0;
}

static void
turn(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static int
dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(sock, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	return sock;
}

static void
say(int sock, const void *bytes, size_t len)
{
	assert_int_equal(send(sock, bytes, len, MSG_NOSIGNAL), len);
}

/* Several descriptors in one message, as no honest peer does. */
static void
say_with_fds(int sock, const void *bytes, size_t len, size_t num)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = CMSG_SPACE(num * sizeof(int)) };
	int fds[8] = { 0 };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(num * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, num * sizeof(int));
	assert_int_equal(sendmsg(sock, &msg, MSG_NOSIGNAL), len);
}

static size_t
hello_frame(uint8_t *out, size_t max, uint16_t version)
{
	struct ipc_hello m = { version, "tester" };
	size_t len;

	assert_int_equal(ipc_put_hello(out, max, 9, &m, &len), OC_OK);
	return len;
}

static size_t
bare_frame(uint8_t *out, size_t max, uint64_t id)
{
	size_t len;

	assert_int_equal(ipc_put_bare(out, max, id, IPC_STATUS, &len), OC_OK);
	return len;
}

/* The next frame from the server; false at the end of file. */
static bool
hear(int sock, struct ipc_header *header)
{
	static uint8_t in[OC_FRAME_MAX + 4];
	struct der_bytes fields;
	size_t len = 0, used;

	for (int64_t end = oc_clock_mono_ns() + 5 * OC_NS_PER_S;
	    oc_clock_mono_ns() < end; ) {
		ssize_t n;

		turn();
		n = recv(sock, in + len, len < IPC_HEADER_LEN ?
		    IPC_HEADER_LEN - len : 1, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return false;
		len += n > 0 ? (size_t)n : 0;
		if (ipc_frame_parse(in, len, header, &fields, &used) == 1)
			return true;
	}
	fail_msg("the server neither answered nor hung up");
	return false;
}

static int
greeted(void)
{
	struct ipc_header header;
	uint8_t out[64];
	int sock = dial();

	say(sock, out, hello_frame(out, sizeof(out), IPC_VERSION));
	assert_true(hear(sock, &header));
	assert_int_equal(header.type, IPC_HELLO);
	assert_int_equal(header.id, 9);
	return sock;
}

static void
assert_hung_up(int sock)
{
	struct ipc_header header;

	while (hear(sock, &header))
		;
	close(sock);
}

/* A peer made before is served still. */
static void
assert_served(int sock)
{
	uint8_t out[IPC_HEADER_LEN];
	int before = seen.num_frames;

	say(sock, out, bare_frame(out, sizeof(out), 31));
	turn();
	assert_int_equal(seen.num_frames, before + 1);
	assert_int_equal(seen.id, 31);
}

static void
frames_in_any_pieces_arrive_once(void **state)
{
	uint8_t out[4 * IPC_HEADER_LEN];
	size_t len = 0;
	int sock = greeted();

	(void)state;
	len = bare_frame(out, sizeof(out), 1);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(seen.num_frames, 0);
		say(sock, out + i, 1);
		turn();
	}
	assert_int_equal(seen.num_frames, 1);
	assert_int_equal(seen.type, IPC_STATUS);
	assert_int_equal(seen.id, 1);
	assert_int_equal(seen.len, 0);
	/* Three and a half at once. */
	len = 0;
	for (uint64_t id = 2; id <= 5; id++)
		len += bare_frame(out + len, sizeof(out) - len, id);
	say(sock, out, len - 8);
	turn();
	assert_int_equal(seen.num_frames, 4);
	say(sock, out + len - 8, 8);
	turn();
	assert_int_equal(seen.num_frames, 5);
	assert_int_equal(seen.id, 5);
	assert_int_equal(ipc_peer_pid(seen.peer), getpid());
	ipc_peer_set_data(seen.peer, &seen);
	assert_ptr_equal(ipc_peer_data(seen.peer), &seen);
	close(sock);
	turn();
	assert_int_equal(seen.num_gone, 1);
	assert_ptr_equal(seen.gone, seen.peer);
}

static void
who_does_not_say_hello_is_sent_away(void **state)
{
	uint8_t out[IPC_HEADER_LEN];
	int good = greeted(), sock = dial();

	(void)state;
	say(sock, out, bare_frame(out, sizeof(out), 1));
	assert_hung_up(sock);
	assert_int_equal(seen.num_frames, 0);
	assert_int_equal(seen.num_gone, 1);
	assert_served(good);
	close(good);
}

static void
hello_twice_is_once_too_often(void **state)
{
	uint8_t out[64];
	int sock = greeted();

	(void)state;
	say(sock, out, hello_frame(out, sizeof(out), IPC_VERSION));
	assert_hung_up(sock);
	assert_int_equal(seen.num_frames, 0);
}

static void
other_version_is_told_ours_and_sent_away(void **state)
{
	struct ipc_header header;
	uint8_t out[64];
	int sock = dial();

	(void)state;
	say(sock, out, hello_frame(out, sizeof(out), IPC_VERSION + 1));
	assert_true(hear(sock, &header));
	assert_int_equal(header.type, IPC_HELLO);
	assert_hung_up(sock);
}

static void
nonsense_ends_its_sender_alone(void **state)
{
	static const char *const nonsense[] = {
		"GET / HTTP/1.0\r\n\r\n", "\xff\xff\xff\xff",
		"\0\0\0\xb-----------", "\0\0\0\xc\0\1\xff\xff--------"
	};
	int good = greeted();

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int sock = greeted();

		say(sock, nonsense[i], i < 2 ? strlen(nonsense[i]) : 15);
		assert_hung_up(sock);
		assert_served(good);
	}
	assert_int_equal(seen.num_gone, 4);
	close(good);
}

static void
descriptor_that_is_announced_and_missing(void **state)
{
	uint8_t out[IPC_HEADER_LEN];
	int sock = greeted();

	(void)state;
	say(sock, out, (bare_frame(out, sizeof(out), 1), out[7] = 1,
	    sizeof(out)));
	assert_hung_up(sock);
	assert_int_equal(seen.num_frames, 0);
}

static void
descriptor_is_handed_over(void **state)
{
	uint8_t out[2 * IPC_HEADER_LEN];
	int sock = greeted(), num_fds = ipc_num_fds();

	(void)state;
	bare_frame(out, sizeof(out), 1);
	bare_frame(out + 16, sizeof(out) - 16, 2);
	out[7] = 1;
	say_with_fds(sock, out, 32, 1);
	turn();
	assert_int_equal(seen.num_frames, 2);
	assert_int_equal(seen.num_fds, 1);
	/* In two pieces: it came with the first. */
	say_with_fds(sock, out, 3, 1);
	turn();
	say(sock, out + 3, 13);
	turn();
	assert_int_equal(seen.num_frames, 3);
	assert_int_equal(seen.num_fds, 2);
	assert_int_equal(ipc_num_fds(), num_fds);
	close(sock);
}

static void
stray_descriptors_are_closed(void **state)
{
	uint8_t out[IPC_HEADER_LEN];
	int sock = greeted(), num_fds = ipc_num_fds();

	(void)state;
	bare_frame(out, sizeof(out), 1);
	for (size_t num = 1; num <= 8; num++) {
		say_with_fds(sock, out, sizeof(out), num);
		turn();
		assert_int_equal(ipc_num_fds(), num_fds);
	}
	/* One octet each of a frame that never ends. */
	say_with_fds(sock, out, 1, 8);
	turn();
	say_with_fds(sock, out + 1, 1, 8);
	turn();
	say_with_fds(sock, out + 2, 1, 8);
	turn();
	assert_true(ipc_num_fds() <= num_fds + 4);
	assert_int_equal(seen.num_frames, 8);
	assert_int_equal(seen.num_fds, 0);
	close(sock);
	turn();
	assert_int_equal(seen.num_gone, 1);
	assert_int_equal(ipc_num_fds(), num_fds - 2);	/* both its ends */
}

static void
who_does_not_read_is_disconnected(void **state)
{
	uint8_t out[IPC_HEADER_LEN];
	int good = greeted(), slow = greeted();

	(void)state;
	seen.sends = 40;			/* 2.4 MB a question */
	say(slow, out, bare_frame(out, sizeof(out), 1));
	turn();
	assert_int_equal(seen.num_gone, 0);
	say(slow, out, bare_frame(out, sizeof(out), 2));
	turn();
	assert_int_equal(seen.num_frames, 2);
	assert_int_equal(seen.num_gone, 1);
	assert_ptr_equal(seen.gone, seen.peer);
	seen.sends = 0;
	assert_served(good);
	assert_hung_up(slow);
	close(good);
}

static void
who_reads_gets_it_all(void **state)
{
	struct ipc_header header;
	uint8_t out[IPC_HEADER_LEN];
	int sock = greeted();

	(void)state;
	seen.sends = 40;
	say(sock, out, bare_frame(out, sizeof(out), 5));
	for (int i = 0; i < 2; i++) {
		assert_true(hear(sock, &header));
		assert_int_equal(header.type, IPC_STATUS_IS);
		assert_int_equal(header.id, 5);
	}
	close(sock);
	turn();
	assert_int_equal(seen.num_gone, 1);
}

static void
handler_may_close_and_go_on(void **state)
{
	uint8_t out[2 * IPC_HEADER_LEN];
	int sock = greeted();

	(void)state;
	seen.closes = true;
	seen.sends = 1;
	bare_frame(out, sizeof(out), 1);
	bare_frame(out + 16, sizeof(out) - 16, 2);
	say(sock, out, sizeof(out));
	turn();
	assert_int_equal(seen.num_frames, 1);	/* none after the close */
	assert_int_equal(seen.num_gone, 1);
	assert_hung_up(sock);
}

static void
stopped_server_keeps_its_peers(void **state)
{
	struct oc_error error = { 0 };
	int sock = greeted(), fd;

	(void)state;
	assert_true(ipc_is_served(path));
	turn();
	ipc_server_stop(server);
	assert_false(ipc_is_served(path));
	assert_served(sock);
	/* Its place is free. */
	assert_int_equal(ipc_listen(path, &fd, &error), OC_OK);
	close(fd);
	close(sock);
}

static void
free_tells_that_all_are_gone(void **state)
{
	struct oc_error error = { 0 };
	int a = greeted(), b = greeted(), fd;

	(void)state;
	ipc_server_free(server);
	assert_int_equal(seen.num_gone, 2);
	ipc_server_free(NULL);
	assert_int_equal(ipc_listen(path, &fd, &error), OC_OK);
	assert_int_equal(ipc_server_new(base, fd, "echo", on_frame, on_gone,
	    &seen, &server), OC_OK);
	close(a);
	close(b);
}

/* The child: somebody else.  0: nothing but an end of file; 4: an answer. */
static int
be(uid_t uid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	uint8_t out[64];
	int sock;

	if (setgid(uid) != 0 || setuid(uid) != 0)
		return 2;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) != 0)
		return 3;
	(void)!send(sock, out, hello_frame(out, sizeof(out), IPC_VERSION),
	    MSG_NOSIGNAL);
	return recv(sock, out, sizeof(out), 0) <= 0 ? 0 : 4;
}

/* What comes of it. */
static int
come_as(uid_t uid)
{
	int status = -1;
	pid_t pid;

	/* By the check, not by the modes: those are opened here. */
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(be(uid));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		turn();
		usleep(1000);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Root and who is on the list; without one, our own user. */
static void
only_who_is_listed_comes_in(void **state)
{
	const struct ipc_peers nobody = { .is_listed = true },
	    two = { .is_listed = true, .num = 2, .uids = { 61001, 61002 } };

	(void)state;
	if (geteuid() != 0)
		skip();
	ipc_server_allow(server, &two);
	assert_int_equal(come_as(61001), 4);
	assert_int_equal(come_as(61002), 4);
	assert_int_equal(come_as(61003), 0);
	assert_int_equal(come_as(0), 4);
	ipc_server_allow(server, &nobody);
	assert_int_equal(come_as(61001), 0);
	assert_int_equal(come_as(0), 4);
}

static void
another_user_is_refused(void **state)
{
	int good = greeted();

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(come_as(65534), 0);
	assert_int_equal(seen.num_frames, 0);
	assert_int_equal(seen.num_gone, 0);
	assert_served(good);
	close(good);
}

static void
listener_is_ours_alone(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
live_socket_is_not_taken(void **state)
{
	struct oc_error error = { 0 };
	int fd = -1, sock;

	(void)state;
	assert_int_equal(ipc_listen(path, &fd, &error), OC_ERR_EXISTS);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(fd, -1);
	sock = greeted();
	assert_served(sock);
	close(sock);
}

static void
dead_socket_is_replaced(void **state)
{
	struct oc_error error = { 0 };
	char other[IPC_DIR_MAX + 16];
	int fd;

	(void)state;
	snprintf(other, sizeof(other), "%s/other.sock", dir);
	assert_int_equal(ipc_listen(other, &fd, &error), OC_OK);
	close(fd);				/* the file stays */
	assert_false(ipc_is_served(other));
	assert_int_equal(ipc_listen(other, &fd, &error), OC_OK);
	assert_true(ipc_is_served(other));
	close(fd);
}

static void
what_is_no_socket_is_left_alone(void **state)
{
	struct oc_error error = { 0 };
	char other[IPC_DIR_MAX + 16], lng[200];
	int fd;

	(void)state;
	snprintf(other, sizeof(other), "%s/precious", dir);
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "data", 4), 4);
	close(fd);
	assert_int_equal(ipc_listen(other, &fd, &error), OC_ERR_EXISTS);
	assert_int_equal(access(other, F_OK), 0);
	memset(lng, 'x', sizeof(lng));
	lng[0] = '/';
	lng[sizeof(lng) - 1] = '\0';
	assert_int_equal(ipc_listen(lng, &fd, &error), OC_ERR_LIMIT);
	assert_non_null(strstr(error.text, "run-directory"));
	snprintf(other, sizeof(other), "%s/none/x.sock", dir);
	assert_int_equal(ipc_listen(other, &fd, &error), OC_ERR_SYSTEM);
	assert_false(ipc_is_served(other));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(frames_in_any_pieces_arrive_once),
		TEST(who_does_not_say_hello_is_sent_away),
		TEST(hello_twice_is_once_too_often),
		TEST(other_version_is_told_ours_and_sent_away),
		TEST(nonsense_ends_its_sender_alone),
		TEST(descriptor_that_is_announced_and_missing),
		TEST(descriptor_is_handed_over),
		TEST(stray_descriptors_are_closed),
		TEST(who_does_not_read_is_disconnected),
		TEST(who_reads_gets_it_all),
		TEST(handler_may_close_and_go_on),
		TEST(stopped_server_keeps_its_peers),
		TEST(free_tells_that_all_are_gone),
		TEST(only_who_is_listed_comes_in),
		TEST(another_user_is_refused),
		TEST(listener_is_ours_alone),
		TEST(live_socket_is_not_taken),
		TEST(dead_socket_is_replaced),
		TEST(what_is_no_socket_is_left_alone),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
