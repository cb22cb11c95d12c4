/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames between roles, on AF_UNIX stream sockets:
 *
 *	length  u32	octets that follow this field, at most OC_FRAME_MAX
 *	type    u16	enum ipc_type (ipc/message.h)
 *	flags   u16	bit 0: a file descriptor comes with the frame
 *	id      u64	the sender's; an answer carries the question's
 *	fields		as the type says
 *
 * Big-endian.  Fields are fixed-width numbers and octet strings with a u32
 * length.  Reader and writer are sticky, bounded, and know nothing of
 * sockets.
 */
#ifndef IPC_FRAME_H
#define IPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "der/bytes.h"

#define IPC_HEADER_LEN 16
#define IPC_FLAG_FD 0x0001

struct ipc_header {
	uint32_t len;		/* of the fields */
	uint16_t type;
	uint16_t flags;
	uint64_t id;
};

/* 1 and *header and *fields (borrowed) when a whole frame is at p; 0 when
 * there is not yet; -1 when it can never be one: close the connection.
 * *used is the whole frame's length. */
int ipc_frame_parse(const uint8_t *p, size_t len, struct ipc_header *header,
    struct der_bytes *fields, size_t *used);

/* Writes one frame into a fixed buffer. */
struct ipc_writer {
	uint8_t *out;
	size_t out_max, len;
	bool has_failed;
};
void ipc_begin(struct ipc_writer *w, uint8_t *out, size_t out_max,
    uint16_t type, uint16_t flags, uint64_t id);
void ipc_put_u8(struct ipc_writer *w, uint8_t value);
void ipc_put_u16(struct ipc_writer *w, uint16_t value);
void ipc_put_u32(struct ipc_writer *w, uint32_t value);
void ipc_put_u64(struct ipc_writer *w, uint64_t value);
void ipc_put_bytes(struct ipc_writer *w, struct der_bytes bytes);
void ipc_put_text(struct ipc_writer *w, const char *text);
/* Sets the length field.  NO_SPACE if it did not fit. */
enum oc_err ipc_end(struct ipc_writer *w, size_t *len) OC_MUST_CHECK;

struct ipc_reader {
	const uint8_t *p, *end;
	bool has_failed;
};
struct ipc_reader ipc_reader_of(struct der_bytes fields);
uint8_t ipc_get_u8(struct ipc_reader *r);	/* 0 after a failure */
uint16_t ipc_get_u16(struct ipc_reader *r);
uint32_t ipc_get_u32(struct ipc_reader *r);
uint64_t ipc_get_u64(struct ipc_reader *r);
struct der_bytes ipc_get_bytes(struct ipc_reader *r);	/* borrowed */
/* A string without NUL, copied with one; too long is a failure. */
void ipc_get_text(struct ipc_reader *r, char *text, size_t text_max);
/* Everything read and nothing failed. */
bool ipc_is_done(const struct ipc_reader *r);

#endif
