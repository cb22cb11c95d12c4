/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel is an epoll fd over two others: the socket, and a timer for the
 * next deadline or the next try to connect.  Only ipc_channel_dispatch()
 * reads and runs reply functions; asking may write, and what goes wrong then
 * is left for dispatch to find.
 *
 *	IDLE	no socket, none wanted before retry_at_ns
 *	UP	connected; the peer's HELLO may still be on its way
 */
#include "ipc/channel_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"

/* Reads in one dispatch: others in the caller's loop want a turn too. */
#define READS_MAX 16

static enum oc_err
set_address(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(address->sun_path))
		return OC_ERR_LIMIT;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	return OC_OK;
}

static enum oc_err
write_hello(struct ipc_channel *ch, const char *role)
{
	struct ipc_hello hello = { .version = IPC_VERSION };
	size_t len = strlen(role);

	if (len == 0 || len >= sizeof(hello.role))
		return OC_ERR_LIMIT;
	memcpy(hello.role, role, len);
	return ipc_put_hello(ch->hello, sizeof(ch->hello), 0, &hello,
	    &ch->hello_len);
}

static enum oc_err
open_fds(struct ipc_channel *ch)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ch->timer_fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (ch->epoll_fd < 0 || ch->timer_fd < 0)
		return OC_ERR_SYSTEM;
	ev.data.fd = ch->timer_fd;
	if (epoll_ctl(ch->epoll_fd, EPOLL_CTL_ADD, ch->timer_fd, &ev) != 0)
		return OC_ERR_SYSTEM;
	return OC_OK;
}

enum oc_err
ipc_channel_new(const char *path, const char *role,
    struct ipc_channel **channel)
{
	struct ipc_channel *ch = calloc(1, sizeof(*ch));
	enum oc_err err;

	if (ch == NULL)
		return OC_ERR_NOMEM;
	ch->epoll_fd = ch->timer_fd = ch->sock = -1;
	ch->backoff_ns = IPC_BACKOFF_MIN_NS;
	ch->armed_ns = IPC_NEVER;
	err = set_address(&ch->address, path);
	if (err == OC_OK)
		err = write_hello(ch, role);
	if (err == OC_OK)
		err = open_fds(ch);
	if (err != OC_OK) {
		ipc_channel_free(ch);
		return err;
	}
	*channel = ch;
	return OC_OK;
}

void
ipc_channel_free(struct ipc_channel *ch)
{
	if (ch == NULL)
		return;
	ipc_calls_fini(&ch->calls);
	if (ch->sock >= 0)
		close(ch->sock);
	if (ch->timer_fd >= 0)
		close(ch->timer_fd);
	if (ch->epoll_fd >= 0)
		close(ch->epoll_fd);
	free(ch->now);
	free(ch);
}

int
ipc_channel_fd(const struct ipc_channel *ch)
{
	return ch->epoll_fd;
}

uint64_t
ipc_channel_next_id(struct ipc_channel *ch)
{
	return ++ch->last_id;
}

uint64_t
ipc_channel_num_late(const struct ipc_channel *ch)
{
	return ch->num_late;
}

static void
disconnect(struct ipc_channel *ch, const char *why)
{
	if (ch->is_greeted)
		oc_log(OC_LOG_NOTICE, "%s: connection lost (%s), %zu calls "
		    "wait", ch->address.sun_path, why, ch->calls.num);
	close(ch->sock);
	ch->sock = -1;
	ch->in_len = 0;
	ch->is_greeted = ch->is_broken = ch->wants_out = false;
	ipc_calls_rewind(&ch->calls);
	ipc_channel_back_off(ch);
}

enum oc_err
ipc_channel_ask(struct ipc_channel *ch, uint64_t id, const uint8_t *frame,
    size_t len, int fd, int64_t deadline_ns, ipc_reply_fn *reply, void *arg)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t used;
	enum oc_err err;

	oc_assert(ipc_frame_parse(frame, len, &header, &fields, &used) == 1);
	oc_assert(used == len && header.id == id && reply != NULL);
	oc_assert((fd >= 0) == ((header.flags & IPC_FLAG_FD) != 0));
	oc_assert(ipc_calls_find(&ch->calls, id) == NULL);
	err = ipc_calls_add(&ch->calls, id, frame, len, fd, deadline_ns,
	    reply, arg);
	if (err != OC_OK) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	ipc_channel_push(ch);
	return OC_OK;
}

void
ipc_channel_hold(struct ipc_channel *ch, bool is_held)
{
	ch->is_held = is_held;
	ipc_channel_push(ch);
}

/* The peer works on it, or soon will: spare it that.  If there is no
 * memory to say so, it works in vain. */
static void
tell_cancelled(struct ipc_channel *ch, uint64_t id)
{
	uint8_t frame[IPC_HEADER_LEN];
	size_t len;

	if (ipc_put_bare(frame, sizeof(frame), id, IPC_CANCEL, &len) != OC_OK ||
	    ipc_calls_add(&ch->calls, id, frame, len, -1, IPC_NEVER, NULL,
	    NULL) != OC_OK)
		return;
	ipc_channel_push(ch);
}

static void
drop(struct ipc_channel *ch, struct ipc_call *call)
{
	bool is_known = call->num_sent > 0 && ipc_has_timeout(call->type);
	uint64_t id = call->id;

	ipc_calls_drop(&ch->calls, call);
	if (is_known)
		tell_cancelled(ch, id);
}

void
ipc_channel_cancel(struct ipc_channel *ch, uint64_t id)
{
	struct ipc_call *call = ipc_calls_find(&ch->calls, id);

	if (call != NULL)
		drop(ch, call);
}

static bool
take_hello(struct ipc_channel *ch, struct der_bytes fields)
{
	struct ipc_hello hello;

	if (ipc_read_hello(fields, &hello) != OC_OK)
		return false;
	if (hello.version != IPC_VERSION) {
		oc_log(OC_LOG_ERROR, "%s: speaks version %u, we speak %u",
		    ch->address.sun_path, hello.version, IPC_VERSION);
		return false;
	}
	ch->is_greeted = true;
	ch->backoff_ns = IPC_BACKOFF_MIN_NS;
	return true;
}

/* false: what came makes no sense, close. */
static bool
take_frame(struct ipc_channel *ch, const struct ipc_header *header,
    struct der_bytes fields)
{
	struct ipc_call *call;
	ipc_reply_fn *reply;
	void *arg;

	if (header->type == IPC_HELLO)
		return !ch->is_greeted && take_hello(ch, fields);
	if (!ch->is_greeted)
		return false;
	call = ipc_calls_find(&ch->calls, header->id);
	if (call == NULL) {
		ch->num_late++;		/* cancelled, or past its deadline */
		return true;
	}
	if (!call->is_sent)
		return false;		/* an answer before the question */
	reply = call->reply;
	arg = call->arg;
	ipc_calls_drop(&ch->calls, call);
	reply(arg, OC_OK, (enum ipc_type)header->type, fields);
	return true;
}

static bool
take_frames(struct ipc_channel *ch)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t at = 0, used;
	int r;

	while ((r = ipc_frame_parse(ch->in + at, ch->in_len - at, &header,
	    &fields, &used)) == 1) {
		if (!take_frame(ch, &header, fields))
			return false;
		at += used;
	}
	ch->in_len -= at;
	memmove(ch->in, ch->in + at, ch->in_len);
	return r == 0;
}

/* recv(2) without room for control data: the kernel closes any descriptor
 * that a peer sends us. */
static void
receive(struct ipc_channel *ch)
{
	for (int i = 0; i < READS_MAX; i++) {
		size_t room = IPC_IN_MAX - ch->in_len;
		ssize_t n = recv(ch->sock, ch->in + ch->in_len, room, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			disconnect(ch, n == 0 ? "closed" : strerror(errno));
			return;
		}
		ch->in_len += (size_t)n;
		if (!take_frames(ch)) {
			disconnect(ch, "not a frame we know");
			return;
		}
		/* Was that all?  If not, epoll says so. */
		if ((size_t)n < room)
			return;
	}
}

static void
expire(struct ipc_channel *ch)
{
	int64_t now = oc_clock_mono_ns();
	struct ipc_call *call;

	while ((call = ipc_calls_next_due(&ch->calls)) != NULL &&
	    call->deadline_ns <= now) {
		enum oc_err err = ch->is_greeted ? OC_ERR_TIMEOUT : OC_ERR_DOWN;
		ipc_reply_fn *reply = call->reply;
		void *arg = call->arg;

		drop(ch, call);
		reply(arg, err, 0, (struct der_bytes){ NULL, 0 });
	}
}

void
ipc_channel_dispatch(struct ipc_channel *ch)
{
	struct epoll_event ev[2];
	uint64_t ticks;
	int num;

	num = epoll_wait(ch->epoll_fd, ev, 2, 0);
	for (int i = 0; i < num; i++) {
		if (ev[i].data.fd == ch->timer_fd) {
			if (read(ch->timer_fd, &ticks, sizeof(ticks)) > 0)
				ch->armed_ns = IPC_NEVER;
		} else if (ev[i].data.fd == ch->sock) {
			if (ev[i].events & EPOLLOUT)
				ipc_channel_watch_out(ch, false);
			if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				receive(ch);
		}
	}
	if (ch->is_broken)
		disconnect(ch, "write failed");
	expire(ch);
	ipc_channel_push(ch);
}

struct now_call {
	bool is_done;
	enum oc_err err;
	enum ipc_type type;
	size_t len;
};

static void
now_reply(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct ipc_channel *ch = arg;
	struct now_call *call = (struct now_call *)(void *)ch->now;

	call->is_done = true;
	call->err = err;
	call->type = type;
	call->len = fields.len;
	if (fields.len > 0)
		memcpy(ch->now + sizeof(*call), fields.p, fields.len);
}

enum oc_err
ipc_channel_ask_now(struct ipc_channel *ch, uint64_t id, const uint8_t *frame,
    size_t len, int64_t deadline_ns, enum ipc_type *type,
    struct der_bytes *fields)
{
	struct pollfd pfd = { .fd = ch->epoll_fd, .events = POLLIN };
	struct now_call *call;
	enum oc_err err;

	if (ch->now == NULL)
		ch->now = malloc(sizeof(*call) + OC_FRAME_MAX);
	if (ch->now == NULL)
		return OC_ERR_NOMEM;
	call = (struct now_call *)(void *)ch->now;
	call->is_done = false;
	err = ipc_channel_ask(ch, id, frame, len, -1, deadline_ns, now_reply,
	    ch);
	if (err != OC_OK)
		return err;
	while (!call->is_done) {
		/* The timer ends it: no timeout of our own. */
		if (poll(&pfd, 1, -1) > 0)
			ipc_channel_dispatch(ch);
	}
	if (call->err != OC_OK)
		return call->err;
	*type = call->type;
	*fields = (struct der_bytes){ ch->now + sizeof(*call), call->len };
	return OC_OK;
}
