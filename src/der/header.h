/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifier and length octets, X.690 8.1.3: for der/, and for what writes a
 * value whose length it knows without a writer.
 */
#ifndef DER_HEADER_H
#define DER_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define DER_HEADER_MAX 6		/* tag, 84, four octets */

/* How long the header of len octets of contents is. */
static inline size_t
der_header_len(size_t len)
{
	if (len < 0x80)
		return 2;
	if (len <= 0xff)
		return 3;
	if (len <= 0xffff)
		return 4;
	return len <= 0xffffff ? 5 : 6;
}

/* Writes it; how long it was.  len is below 2^32. */
static inline size_t
der_put_header(uint8_t *out, uint8_t tag, size_t len)
{
	size_t header_len = der_header_len(len), i;

	out[0] = tag;
	if (header_len == 2) {
		out[1] = (uint8_t)len;
		return 2;
	}
	out[1] = (uint8_t)(0x80 | (header_len - 2));
	for (i = header_len - 1; i > 1; i--, len >>= 8)
		out[i] = (uint8_t)len;
	return header_len;
}

#endif
