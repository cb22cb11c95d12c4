/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table's two hashes: CRC-32C (Castagnoli, RFC 3720 appendix B.4) sees
 * damage, SipHash-1-3 places serials so that nobody who chooses them can
 * make them collide.
 */
#include <pthread.h>

#include "ocsp/table_private.h"

#define POLYNOMIAL UINT32_C(0x82f63b78)		/* bits reversed */

/* lanes[k][b]: what octet b does k octets further on. */
static uint32_t lanes[8][256];
static pthread_once_t lanes_once = PTHREAD_ONCE_INIT;

static void
make_lanes(void)
{
	uint32_t crc;
	int i, k;

	for (i = 0; i < 256; i++) {
		crc = (uint32_t)i;
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		lanes[0][i] = crc;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			lanes[k][i] = lanes[k - 1][i] >> 8 ^
			    lanes[0][lanes[k - 1][i] & 0xff];
}

/* Eight octets a step: a slot is read in every answer. */
uint32_t
ocsp_table_crc32c(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t crc = UINT32_MAX;

	(void)pthread_once(&lanes_once, make_lanes);
	for (; len >= 8; p += 8, len -= 8) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		crc = lanes[7][crc & 0xff] ^ lanes[6][crc >> 8 & 0xff] ^
		    lanes[5][crc >> 16 & 0xff] ^ lanes[4][crc >> 24] ^
		    lanes[3][p[4]] ^ lanes[2][p[5]] ^ lanes[1][p[6]] ^
		    lanes[0][p[7]];
	}
	for (; len > 0; p++, len--)
		crc = crc >> 8 ^ lanes[0][(crc ^ *p) & 0xff];
	return ~crc;
}

static inline uint64_t
rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

uint64_t
ocsp_table_siphash(const uint64_t key[2], const uint64_t *words,
    size_t num_words)
{
	uint64_t v[4] = {
		key[0] ^ UINT64_C(0x736f6d6570736575),
		key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ UINT64_C(0x6c7967656e657261),
		key[1] ^ UINT64_C(0x7465646279746573),
	}, last = (uint64_t)num_words * 8 << 56;
	size_t i;

	for (i = 0; i < num_words; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
