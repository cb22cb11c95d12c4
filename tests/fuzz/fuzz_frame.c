/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any octets from a socket crash the reader of frames or of messages; and
 * is what a reader takes written again as the same octets?  (Each message has
 * one encoding.)
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/message.h"
#include "tests/fuzz/fuzz.h"
#include "validation/wire.h"

static uint8_t again[OC_FRAME_MAX + 4];

static void
check_same(enum oc_err err, size_t len, const struct ipc_header *header,
    struct der_bytes fields)
{
	struct ipc_header second;
	struct der_bytes second_fields;
	size_t used;

	fuzz_check(err == OC_OK);
	fuzz_check(ipc_frame_parse(again, len, &second, &second_fields,
	    &used) == 1);
	fuzz_check(used == len && second.id == header->id);
	fuzz_check(second.type == header->type);
	fuzz_check(der_bytes_equal(second_fields, fields));
}

static void
check_sign(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_sign m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_sign(fields, &m) != OC_OK)
		return;
	fuzz_check(m.tbs.len == m.tbs_len || m.tbs.len == 0);
	err = ipc_put_sign(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
	ipc_set_timeout(again, len, m.timeout_ms);
	check_same(err, len, h, fields);
}

static void
check_ask(const struct ipc_header *h, struct der_bytes fields)
{
	static struct ipc_ask m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_ask(fields, &m) != OC_OK)
		return;
	fuzz_check(m.num_singles >= 1 && m.num_singles <= IPC_SINGLES_MAX);
	err = ipc_put_ask(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_hello(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_hello m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_hello(fields, &m) != OC_OK)
		return;
	err = ipc_put_hello(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_signed(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_signed m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_signed(fields, &m) != OC_OK)
		return;
	fuzz_check(m.signature.len <= OC_SIGNATURE_MAX);
	err = ipc_put_signed(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_find_key(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_find_key m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_find_key(fields, &m) != OC_OK)
		return;
	err = ipc_put_find_key(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_drain(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_drain m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_drain(fields, &m) != OC_OK)
		return;
	err = ipc_put_drain(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_drained(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_drained m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_drained(fields, &m) != OC_OK)
		return;
	err = ipc_put_drained(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_key(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_key m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_key(fields, &m) != OC_OK)
		return;
	fuzz_check(m.spki.len <= OC_SPKI_MAX);
	err = ipc_put_key(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_answer(const struct ipc_header *h, struct der_bytes fields)
{
	struct ipc_answer m;
	size_t len = 0;
	enum oc_err err;

	if (ipc_read_answer(fields, &m) != OC_OK)
		return;
	err = ipc_put_answer(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_question(const struct ipc_header *h, struct der_bytes fields)
{
	struct validation_asked *m;
	const char *which;
	size_t len = 0;
	enum oc_err err;

	if (validation_read_question(fields, &m) != OC_OK)
		return;
	err = validation_put_question(again, sizeof(again), h->id,
	    &m->question, m->timeout_ms, &len, &which);
	check_same(err, len, h, fields);
	free(m);
}

static void
check_reply(const struct ipc_header *h, struct der_bytes fields)
{
	struct validation_reply m;
	size_t len = 0;
	enum oc_err err;

	if (validation_read_reply(fields, &m) != OC_OK)
		return;
	err = validation_put_reply(again, sizeof(again), h->id, &m, &len);
	check_same(err, len, h, fields);
}

static void
check_text(struct der_bytes fields)
{
	struct der_bytes text;

	if (ipc_read_text_message(fields, &text) != OC_OK)
		return;
	fuzz_check(text.len == fields.len - 4);
	fuzz_check(text.len == 0 || memchr(text.p, '\0', text.len) == NULL);
}

static void
check_message(const struct ipc_header *h, struct der_bytes fields)
{
	switch ((enum ipc_type)h->type) {
	case IPC_HELLO:
		check_hello(h, fields);
		return;
	case IPC_SIGN:
		check_sign(h, fields);
		return;
	case IPC_SIGNED:
		check_signed(h, fields);
		return;
	case IPC_FIND_KEY:
		check_find_key(h, fields);
		return;
	case IPC_KEY:
		check_key(h, fields);
		return;
	case IPC_ASK:
		check_ask(h, fields);
		return;
	case IPC_ANSWER:
		check_answer(h, fields);
		return;
	case IPC_STATUS_IS:
		check_text(fields);
		return;
	case IPC_DRAIN:
		check_drain(h, fields);
		return;
	case IPC_DRAINED:
		check_drained(h, fields);
		return;
	case IPC_VALIDATE:
		check_question(h, fields);
		return;
	case IPC_VALIDATED:
		check_reply(h, fields);
		return;
	case IPC_CANCEL:
	case IPC_NUDGE:
	case IPC_NUDGED:
	case IPC_STATUS:
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_header header;
	struct der_bytes fields;
	size_t used;

	while (ipc_frame_parse(data, size, &header, &fields, &used) == 1) {
		fuzz_check(used <= size && used <= OC_FRAME_MAX + 4);
		fuzz_check(fields.len == header.len);
		fuzz_check(fields.p + fields.len == data + used);
		check_message(&header, fields);
		data += used;
		size -= used;
	}
	return 0;
}
