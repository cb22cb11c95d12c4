/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ipc/memfd.h"
#include "tests/unit/ipc_asked.h"
#include "tests/unit/ipc_thread.h"

char asked_path[IPC_DIR_MAX + 16];
static char dir[IPC_DIR_MAX];

int64_t
asked_in_ms(int64_t ms)
{
	return oc_clock_mono_ns() + ms * OC_NS_PER_MS;
}

void
asked_note(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	struct asked *a = arg;
	struct der_bytes text;

	a->num_replies++;
	a->err = err;
	a->type = type;
	if (err == OC_OK && type == IPC_STATUS_IS &&
	    ipc_read_text_message(fields, &text) == OC_OK)
		snprintf(a->text, sizeof(a->text), "%.*s", (int)text.len,
		    (const char *)text.p);
	if (a->ask_again != NULL)
		asked_status(a->ask_again, a->again, asked_in_ms(20000));
}

void
asked_status(struct ipc_channel *ch, struct asked *a, int64_t deadline_ns)
{
	uint8_t frame[IPC_HEADER_LEN];
	size_t len;

	a->id = ipc_channel_next_id(ch);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), a->id, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask(ch, a->id, frame, len, -1,
	    deadline_ns, asked_note, a), OC_OK);
}

void
asked_sign(struct ipc_channel *ch, struct asked *a, size_t tbs_len,
    int64_t deadline_ns)
{
	static uint8_t frame[OC_FRAME_MAX], tbs[OC_TBS_INLINE_MAX + 4096];
	struct ipc_sign m = { SIGN_KIND_CRL, SIGN_LANE_CRL, 0, 0,
	    "issuer/test", tbs_len, { tbs, tbs_len } };
	size_t len;
	int fd = -1;

	a->id = ipc_channel_next_id(ch);
	tbs[tbs_len - 1] = 0x5a;
	if (tbs_len > OC_TBS_INLINE_MAX) {
		assert_int_equal(ipc_memfd_new(m.tbs, &fd), OC_OK);
		m.tbs.len = 0;
	}
	assert_int_equal(ipc_put_sign(frame, sizeof(frame), a->id, &m, &len),
	    OC_OK);
	assert_int_equal(ipc_channel_ask(ch, a->id, frame, len, fd,
	    deadline_ns, asked_note, a), OC_OK);
}

void
asked_turn(struct ipc_channel *ch, int timeout_ms)
{
	struct pollfd pfd = { .fd = ipc_channel_fd(ch), .events = POLLIN };

	poll(&pfd, 1, timeout_ms);
	ipc_channel_dispatch(ch);
}

void
asked_wait_for(struct ipc_channel *ch, const struct asked *a)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (a->num_replies == 0 && oc_clock_mono_ns() < end)
		asked_turn(ch, 50);
	assert_int_equal(a->num_replies, 1);
}

void
asked_settle(struct ipc_channel *ch, int64_t for_ms)
{
	int64_t end = asked_in_ms(for_ms);

	while (oc_clock_mono_ns() < end)
		asked_turn(ch, 10);
}

struct ipc_channel *
asked_channel(void)
{
	struct ipc_channel *ch;

	assert_int_equal(ipc_channel_new(asked_path, "test", &ch), OC_OK);
	return ch;
}

int
asked_setup(void **state)
{
	(void)state;
	ipc_dir_new(dir);
	snprintf(asked_path, sizeof(asked_path), "%s/x.sock", dir);
	return 0;
}

int
asked_teardown(void **state)
{
	(void)state;
	ipc_dir_remove(dir);
	return 0;
}
