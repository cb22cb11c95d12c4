/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunked bodies, RFC 9112 section 7.1, decoded where they lie.  Data only
 * ever moves towards the front, so no second buffer is needed, and what has
 * been decoded is never looked at again.
 */
#include <string.h>

#include "base/bytes.h"
#include "ocsp/http.h"

/* OCSP_REQUEST_MAX has five hexadecimal digits; leading zeros are allowed. */
#define SIZE_DIGITS_MAX 8

static int
take_size(struct http_chunked *c, uint8_t octet)
{
	int value = oc_hex_value(octet);

	if (value >= 0) {
		if (++c->num_digits > SIZE_DIGITS_MAX)
			return -400;
		c->left = c->left << 4 | (uint32_t)value;
		return 0;
	}
	if (c->num_digits == 0)
		return -400;
	if (c->left > OCSP_REQUEST_MAX - c->len)
		return -413;
	if (octet == '\r')
		c->state = HTTP_CHUNK_SIZE_LF;
	else if (octet == ';' || octet == ' ' || octet == '\t')
		c->state = HTTP_CHUNK_EXTENSION;
	else
		return -400;
	return 0;
}

/* An octet of what is skipped, up to the CR. */
static int
take_extra(struct http_chunked *c, uint8_t octet, int state_after_cr)
{
	if (octet == '\r')
		c->state = state_after_cr;
	else if ((octet < 0x20 && octet != '\t') || octet == 0x7f)
		return -400;
	return ++c->num_extra > HTTP_CHUNK_EXTRA_MAX ? -431 : 0;
}

static int
take_lf(struct http_chunked *c, uint8_t octet, int next_state)
{
	c->state = next_state;
	return octet == '\n' ? 0 : -400;
}

static void
begin_chunk(struct http_chunked *c)
{
	c->left = 0;
	c->num_digits = 0;
}

/* One octet that is not chunk data; 1 after the last. */
static int
take_octet(struct http_chunked *c, uint8_t octet)
{
	switch (c->state) {
	case HTTP_CHUNK_SIZE:
		return take_size(c, octet);
	case HTTP_CHUNK_EXTENSION:
		return take_extra(c, octet, HTTP_CHUNK_SIZE_LF);
	case HTTP_CHUNK_SIZE_LF:
		return take_lf(c, octet, c->left == 0 ? HTTP_CHUNK_TRAILER :
		    HTTP_CHUNK_DATA);
	case HTTP_CHUNK_DATA:
		return 0;
	case HTTP_CHUNK_DATA_CR:
		c->state = HTTP_CHUNK_DATA_LF;
		return octet == '\r' ? 0 : -400;
	case HTTP_CHUNK_DATA_LF:
		begin_chunk(c);
		return take_lf(c, octet, HTTP_CHUNK_SIZE);
	case HTTP_CHUNK_TRAILER:
		if (octet == '\r') {
			c->state = HTTP_CHUNK_END_LF;
			return 0;
		}
		c->state = HTTP_CHUNK_TRAILER_LINE;
		/* As obs-fold in a header: nothing to fold onto. */
		if (octet == ' ' || octet == '\t')
			return -400;
		return take_extra(c, octet, HTTP_CHUNK_TRAILER_LF);
	case HTTP_CHUNK_TRAILER_LINE:
		return take_extra(c, octet, HTTP_CHUNK_TRAILER_LF);
	case HTTP_CHUNK_TRAILER_LF:
		return take_lf(c, octet, HTTP_CHUNK_TRAILER);
	case HTTP_CHUNK_END_LF:
		return octet == '\n' ? 1 : -400;
	}
	return -400;
}

int
http_chunked_decode(struct http_chunked *c, uint8_t *p, size_t len,
    size_t *used)
{
	size_t at = c->len, n;
	int rv;

	while (at < len) {
		if (c->state == HTTP_CHUNK_DATA) {
			n = len - at < c->left ? len - at : c->left;
			memmove(p + c->len, p + at, n);
			c->len += (uint32_t)n;
			c->left -= (uint32_t)n;
			at += n;
			if (c->left == 0)
				c->state = HTTP_CHUNK_DATA_CR;
			continue;
		}
		rv = take_octet(c, p[at++]);
		if (rv < 0)
			return rv;
		if (rv > 0) {
			*used = at;
			return 1;
		}
	}
	return 0;
}
