/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/channel_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* Frames in one sendmsg(2). */
#define GATHER_MAX 32

void
ipc_channel_arm(struct ipc_channel *ch, int64_t at_ns)
{
	struct itimerspec spec = { 0 };

	if (at_ns == ch->armed_ns)
		return;
	ch->armed_ns = at_ns;
	if (at_ns != IPC_NEVER) {
		/* Zero would disarm it; one is long past and fires. */
		if (at_ns < 1)
			at_ns = 1;
		spec.it_value.tv_sec = at_ns / OC_NS_PER_S;
		spec.it_value.tv_nsec = at_ns % OC_NS_PER_S;
	}
	oc_assert(timerfd_settime(ch->timer_fd, TFD_TIMER_ABSTIME, &spec,
	    NULL) == 0);
}

int64_t
ipc_channel_next_wake(const struct ipc_channel *ch)
{
	const struct ipc_call *due = ipc_calls_next_due(&ch->calls);
	int64_t at_ns = due == NULL ? IPC_NEVER : due->deadline_ns;

	if (ch->is_broken)
		return 0;
	if (ch->sock < 0 && due != NULL && ch->retry_at_ns < at_ns)
		at_ns = ch->retry_at_ns;
	return at_ns;
}

/* For asking: the timer may come early, never late. */
static void
arm_earlier(struct ipc_channel *ch)
{
	int64_t at_ns = ipc_channel_next_wake(ch);

	if (at_ns < ch->armed_ns)
		ipc_channel_arm(ch, at_ns);
}

void
ipc_channel_watch_out(struct ipc_channel *ch, bool wants_out)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (wants_out == ch->wants_out)
		return;
	if (wants_out)
		ev.events |= EPOLLOUT;
	ev.data.fd = ch->sock;
	oc_assert(epoll_ctl(ch->epoll_fd, EPOLL_CTL_MOD, ch->sock, &ev) == 0);
	ch->wants_out = wants_out;
}

/* Not before the back-off: a role that dies at once must not be met with a
 * storm of connections. */
void
ipc_channel_back_off(struct ipc_channel *ch)
{
	ch->retry_at_ns = oc_clock_mono_ns() + ch->backoff_ns;
	ch->backoff_ns *= 2;
	if (ch->backoff_ns > IPC_BACKOFF_MAX_NS)
		ch->backoff_ns = IPC_BACKOFF_MAX_NS;
}

/* AF_UNIX connects at once or not at all (EAGAIN: the backlog is full). */
static void
try_connect(struct ipc_channel *ch)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int sock;

	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock >= 0) {
		ev.data.fd = sock;
		if (connect(sock, (struct sockaddr *)&ch->address,
		    sizeof(ch->address)) == 0 &&
		    epoll_ctl(ch->epoll_fd, EPOLL_CTL_ADD, sock, &ev) == 0) {
			ch->sock = sock;
			ch->hello_sent = 0;
			return;
		}
		close(sock);
	}
	ipc_channel_back_off(ch);
}

/* Rounded up: the peer's deadline must not come before ours. */
static uint32_t
timeout_ms(int64_t left_ns)
{
	int64_t left_ms = left_ns / OC_NS_PER_MS + 1;

	if (left_ns <= 0)
		return 0;
	return left_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)left_ms;
}

/* What the frames at the head of the queue have left to send; no more than
 * one with an fd, alone, because the fd comes with its first octet. */
static size_t
gather(struct ipc_channel *ch, struct iovec *iov, int *fd)
{
	int64_t now = oc_clock_mono_ns();
	size_t num = 0;

	*fd = -1;
	if (ch->hello_sent < ch->hello_len)
		iov[num++] = (struct iovec){ ch->hello + ch->hello_sent,
		    ch->hello_len - ch->hello_sent };
	for (struct ipc_call *c = ch->calls.waiting.first;
	    c != NULL && num < GATHER_MAX; c = c->next) {
		bool carries_fd = c->fd >= 0 && c->num_sent == 0;

		if (carries_fd && num > 0)
			break;
		if (ipc_has_timeout(c->type) && c->num_sent == 0) {
			ipc_set_timeout(c->frame, c->len,
			    timeout_ms(c->deadline_ns - now));
		}
		iov[num++] = (struct iovec){ c->frame + c->num_sent,
		    c->len - c->num_sent };
		if (carries_fd) {
			*fd = c->fd;
			break;
		}
	}
	return num;
}

static ssize_t
send_gathered(struct ipc_channel *ch, struct iovec *iov, size_t num, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = num };
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(ch->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n;
}

static void
account_sent(struct ipc_channel *ch, size_t num)
{
	size_t part = ch->hello_len - ch->hello_sent;

	if (part > num)
		part = num;
	ch->hello_sent += part;
	num -= part;
	while (num > 0) {
		struct ipc_call *c = ch->calls.waiting.first;

		part = c->len - c->num_sent < num ? c->len - c->num_sent : num;
		c->num_sent += part;
		num -= part;
		if (c->num_sent == c->len)
			ipc_calls_sent(&ch->calls, c);
	}
}

static void
flush_waiting(struct ipc_channel *ch)
{
	struct iovec iov[GATHER_MAX];
	ssize_t n;
	size_t num;
	int fd;

	while ((num = gather(ch, iov, &fd)) > 0) {
		n = send_gathered(ch, iov, num, fd);
		if (n < 0 && errno == EAGAIN) {
			ipc_channel_watch_out(ch, true);
			return;
		}
		if (n < 0) {
			ch->is_broken = true;
			return;
		}
		account_sent(ch, (size_t)n);
	}
	ipc_channel_watch_out(ch, false);
}

void
ipc_channel_push(struct ipc_channel *ch)
{
	if (ch->is_held)
		return;
	if (ch->sock < 0 && ch->calls.waiting.first != NULL &&
	    oc_clock_mono_ns() >= ch->retry_at_ns)
		try_connect(ch);
	if (ch->sock >= 0 && !ch->is_broken && !ch->wants_out)
		flush_waiting(ch);
	arm_earlier(ch);
}
