/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/frame.h"

#include <string.h>

/* What the length field counts beside the fields: type, flags, id. */
#define COUNTED_LEN (IPC_HEADER_LEN - 4)

static uint64_t
load(const uint8_t *p, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | p[i];
	return value;
}

static void
save(uint8_t *p, uint64_t value, size_t len)
{
	while (len > 0) {
		p[--len] = (uint8_t)value;
		value >>= 8;
	}
}

/*
 *	00 00 00 0c | 00 04 | 00 00 | 00 00 00 00 00 00 00 07
 *	length        type    flags   id
 */
int
ipc_frame_parse(const uint8_t *p, size_t len, struct ipc_header *header,
    struct der_bytes *fields, size_t *used)
{
	size_t counted;
	uint16_t flags;

	if (len < 4)
		return 0;
	counted = load(p, 4);
	if (counted < COUNTED_LEN || counted > OC_FRAME_MAX)
		return -1;
	/* A bad flag is told as soon as it is there: whoever waits for the
	 * rest of such a frame may wait for ever. */
	if (len < 8)
		return 0;
	flags = (uint16_t)load(p + 6, 2);
	if ((flags & ~IPC_FLAG_FD) != 0)
		return -1;
	if (len - 4 < counted)
		return 0;
	header->len = (uint32_t)(counted - COUNTED_LEN);
	header->type = (uint16_t)load(p + 4, 2);
	header->flags = flags;
	header->id = load(p + 8, 8);
	*fields = (struct der_bytes){ p + IPC_HEADER_LEN, header->len };
	*used = 4 + counted;
	return 1;
}

/* Room for len octets, or NULL from the first time there is none. */
static uint8_t *
put_room(struct ipc_writer *w, size_t len)
{
	uint8_t *p;

	if (w->has_failed || len > w->out_max - w->len) {
		w->has_failed = true;
		return NULL;
	}
	p = w->out + w->len;
	w->len += len;
	return p;
}

static void
put_number(struct ipc_writer *w, uint64_t value, size_t len)
{
	uint8_t *p = put_room(w, len);

	if (p != NULL)
		save(p, value, len);
}

void
ipc_begin(struct ipc_writer *w, uint8_t *out, size_t out_max, uint16_t type,
    uint16_t flags, uint64_t id)
{
	*w = (struct ipc_writer){ .out = out, .out_max = out_max };
	put_number(w, 0, 4);
	put_number(w, type, 2);
	put_number(w, flags, 2);
	put_number(w, id, 8);
}

void
ipc_put_u8(struct ipc_writer *w, uint8_t value)
{
	put_number(w, value, 1);
}

void
ipc_put_u16(struct ipc_writer *w, uint16_t value)
{
	put_number(w, value, 2);
}

void
ipc_put_u32(struct ipc_writer *w, uint32_t value)
{
	put_number(w, value, 4);
}

void
ipc_put_u64(struct ipc_writer *w, uint64_t value)
{
	put_number(w, value, 8);
}

void
ipc_put_bytes(struct ipc_writer *w, struct der_bytes bytes)
{
	uint8_t *p;

	if (bytes.len > OC_FRAME_MAX) {
		w->has_failed = true;
		return;
	}
	put_number(w, bytes.len, 4);
	p = put_room(w, bytes.len);
	if (p != NULL && bytes.len > 0)
		memcpy(p, bytes.p, bytes.len);
}

void
ipc_put_text(struct ipc_writer *w, const char *text)
{
	ipc_put_bytes(w,
	    (struct der_bytes){ (const uint8_t *)text, strlen(text) });
}

enum oc_err
ipc_end(struct ipc_writer *w, size_t *len)
{
	if (w->has_failed || w->len - 4 > OC_FRAME_MAX)
		return OC_ERR_NO_SPACE;
	save(w->out, w->len - 4, 4);
	*len = w->len;
	return OC_OK;
}

struct ipc_reader
ipc_reader_of(struct der_bytes fields)
{
	/* An empty view may have no pointer, and NULL + 0 is not C. */
	if (fields.len == 0)
		return (struct ipc_reader){ NULL, NULL, false };
	return (struct ipc_reader){ fields.p, fields.p + fields.len, false };
}

static const uint8_t *
get_room(struct ipc_reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->has_failed || len > (size_t)(r->end - r->p)) {
		r->has_failed = true;
		return NULL;
	}
	if (len > 0)
		r->p += len;
	return p;
}

static uint64_t
get_number(struct ipc_reader *r, size_t len)
{
	const uint8_t *p = get_room(r, len);

	return p == NULL ? 0 : load(p, len);
}

uint8_t
ipc_get_u8(struct ipc_reader *r)
{
	return (uint8_t)get_number(r, 1);
}

uint16_t
ipc_get_u16(struct ipc_reader *r)
{
	return (uint16_t)get_number(r, 2);
}

uint32_t
ipc_get_u32(struct ipc_reader *r)
{
	return (uint32_t)get_number(r, 4);
}

uint64_t
ipc_get_u64(struct ipc_reader *r)
{
	return get_number(r, 8);
}

struct der_bytes
ipc_get_bytes(struct ipc_reader *r)
{
	size_t len = ipc_get_u32(r);
	const uint8_t *p = get_room(r, len);

	if (p == NULL)
		return (struct der_bytes){ NULL, 0 };
	return (struct der_bytes){ p, len };
}

void
ipc_get_text(struct ipc_reader *r, char *text, size_t text_max)
{
	struct der_bytes bytes = ipc_get_bytes(r);

	text[0] = '\0';
	if (bytes.len >= text_max || (bytes.len > 0 &&
	    memchr(bytes.p, '\0', bytes.len) != NULL)) {
		r->has_failed = true;
		return;
	}
	if (bytes.len > 0)
		memcpy(text, bytes.p, bytes.len);
	text[bytes.len] = '\0';
}

bool
ipc_is_done(const struct ipc_reader *r)
{
	return !r->has_failed && r->p == r->end;
}
