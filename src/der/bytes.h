/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of octets: a pointer and a length, never freed. */
#ifndef DER_BYTES_H
#define DER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct der_bytes {
	const uint8_t *p;
	size_t len;
};

/* The octets of an array, or of a string literal without its NUL. */
#define DER_ARRAY(a) ((struct der_bytes){ (a), sizeof(a) })
#define DER_LITERAL(s) \
	((struct der_bytes){ (const uint8_t *)(s), sizeof(s) - 1 })

static inline bool
der_bytes_equal(struct der_bytes a, struct der_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

#endif
