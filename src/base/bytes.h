/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, a byte buffer that grows, hex and base64. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

/*
 * A PIN or a password.  Zero state is "none".  Never copied by assignment: a
 * copy would not be cleansed.  A NUL, not counted, always stands behind the
 * bytes.
 */
struct oc_secret {
	uint8_t bytes[OC_PIN_MAX + 1];
	size_t len;
};

/* Replaces what is there; locks it into memory where the limits allow (the
 * page stays locked: others may live on it).  LIMIT over OC_PIN_MAX. */
enum oc_err oc_secret_set(struct oc_secret *secret, const void *bytes,
    size_t len) OC_MUST_CHECK;

/* Reads all of a file, or a pipe to its end, and drops one line end (LF or CR
 * LF).  The fd stays open; noun, "PIN", is for errors.  NOT_FOUND when empty,
 * LIMIT over OC_PIN_MAX, MALFORMED with a NUL or a second line. */
enum oc_err oc_secret_read(struct oc_secret *secret, const char *noun, int fd,
    struct oc_error *error) OC_MUST_CHECK;

/* Overwrites it all; the compiler may not leave that out. */
void oc_secret_fini(struct oc_secret *secret);

/*
 * Growing bytes, for text and files; never on the hot path.  The first
 * failure (NOMEM, or LIMIT over max) is sticky: every put after it does
 * nothing and err says what happened.  Zero state is legal for fini.  What it
 * lets go of is overwritten: it may be a key.
 */
struct oc_buffer {
	uint8_t *bytes;		/* a NUL, not counted, stands behind them */
	size_t len;
	size_t room;		/* bytes allocated, private */
	size_t max;
	enum oc_err err;
};

void oc_buffer_init(struct oc_buffer *b, size_t max);
void oc_buffer_fini(struct oc_buffer *b);
void oc_buffer_put(struct oc_buffer *b, const void *bytes, size_t len);
void oc_buffer_put_text(struct oc_buffer *b, const char *text);
void oc_buffer_printf(struct oc_buffer *b, const char *format, ...)
    OC_PRINTF(2, 3);

/* The bytes as a string, "" when nothing was put.  Borrowed. */
const char *oc_buffer_text(const struct oc_buffer *b);

/* Moves the bytes out, to be freed by free(); the buffer is empty again.
 * Returns the sticky error, and then moves nothing. */
enum oc_err oc_buffer_take(struct oc_buffer *b, uint8_t **bytes, size_t *len)
    OC_MUST_CHECK;

/* Lower-case, without separators, NUL behind: 2 * len + 1 chars. */
#define OC_HEX_LEN(len) (2 * (len))
void oc_hex_encode(const void *bytes, size_t len, char *text);

/* 0 to 15 for a digit of either case, -1 for anything else. */
static inline int
oc_hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of either case and nothing else, an even number of them.
 * NO_SPACE when more than max bytes would come out. */
enum oc_err oc_hex_decode(const char *text, size_t text_len, uint8_t *bytes,
    size_t max, size_t *len) OC_MUST_CHECK;

/* RFC 4648, section 4, padded, on one line, NUL behind:
 * OC_BASE64_LEN(len) + 1 chars. */
#define OC_BASE64_LEN(len) (((len) + 2) / 3 * 4)
void oc_base64_encode(const void *bytes, size_t len, char *text);

/* Strict: no white space, padding complete, unused bits zero (RFC 4648, 3.5).
 * After MALFORMED the buffer's content is lost. */
enum oc_err oc_base64_decode_in_place(void *buffer, size_t len,
    size_t *out_len) OC_MUST_CHECK;

/* How many octets the first character has, 1 to 4; 0: these begin none. */
size_t oc_utf8_first(const void *bytes, size_t len);
/* RFC 3629: no overlong forms, no surrogates, nothing over U+10FFFF. */
bool oc_utf8_is_valid(const void *bytes, size_t len);

#endif
