/* SPDX-License-Identifier: Apache-2.0 */
#include "acme/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789-_";

void
acme_base64url_encode(const void *bytes, size_t len, char *text)
{
	const uint8_t *p = bytes;
	unsigned int bits = 0, num_bits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (num_bits += 8; num_bits >= 6; num_bits -= 6)
			*text++ = alphabet[bits >> (num_bits - 6) & 0x3f];
	}
	if (num_bits > 0)
		*text++ = alphabet[bits << (6 - num_bits) & 0x3f];
	*text = '\0';
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

enum oc_err
acme_base64url_decode(const char *text, size_t text_len, uint8_t *bytes,
    size_t max, size_t *len)
{
	unsigned int bits = 0, num_bits = 0;
	size_t n = 0;

	if (text_len / 4 * 3 + text_len % 4 * 3 / 4 > max)
		return OC_ERR_NO_SPACE;
	if (text_len % 4 == 1)
		return OC_ERR_MALFORMED;
	for (size_t i = 0; i < text_len; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return OC_ERR_MALFORMED;
		bits = bits << 6 | (unsigned int)value;
		num_bits += 6;
		if (num_bits >= 8) {
			num_bits -= 8;
			bytes[n++] = (uint8_t)(bits >> num_bits);
		}
	}
	if ((bits & ((1U << num_bits) - 1)) != 0)
		return OC_ERR_MALFORMED;
	*len = n;
	return OC_OK;
}
