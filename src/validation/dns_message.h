/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages (RFC 1035, 4), as far as an update and its answer need them.
 * The writer's failure is sticky; the reader believes no length and follows no
 * pointer forward.
 */
#ifndef VALIDATION_DNS_MESSAGE_H
#define VALIDATION_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "validation/validation.h"

/* What we send is 700 octets at most; an answer is a header, the zone, and a
 * signature. */
#define VALIDATION_DNS_MAX 4096
#define VALIDATION_DNS_HEADER_LEN 12
#define VALIDATION_DNS_NAME_MAX 255	/* in octets of the message */

enum {
	VALIDATION_RR_SOA = 6, VALIDATION_RR_TXT = 16,
	VALIDATION_RR_TSIG = 250,
	VALIDATION_CLASS_IN = 1, VALIDATION_CLASS_NONE = 254,
	VALIDATION_CLASS_ANY = 255,
	VALIDATION_OPCODE_UPDATE = 5
};

struct validation_dns_writer {
	uint8_t bytes[VALIDATION_DNS_MAX];
	size_t len;
	bool is_bad;		/* did not fit, or was no name */
};
void validation_dns_put_u8(struct validation_dns_writer *w, unsigned int v);
void validation_dns_put_u16(struct validation_dns_writer *w, unsigned int v);
void validation_dns_put_u32(struct validation_dns_writer *w, uint32_t v);
void validation_dns_put(struct validation_dns_writer *w, const void *bytes,
    size_t len);
/* Letters in lower case, not compressed; a dot at the end may be there. */
void validation_dns_put_name(struct validation_dns_writer *w,
    const char *name);

struct validation_dns_reader {
	const uint8_t *bytes;
	size_t len, at;
	bool is_bad;
};
uint16_t validation_dns_get_u16(struct validation_dns_reader *r);
uint32_t validation_dns_get_u32(struct validation_dns_reader *r);
/* NULL when there are not so many. */
const uint8_t *validation_dns_get(struct validation_dns_reader *r,
    size_t len);
/* As text, lower case, without a dot at the end ("" is the root); octets that
 * no host name or key has are '?'. */
void validation_dns_get_name(struct validation_dns_reader *r,
    char name[VALIDATION_NAME_MAX + 1]);

struct validation_dns_record {
	size_t begins_at;		/* in the message */
	char name[VALIDATION_NAME_MAX + 1];
	uint16_t type, class;
	uint32_t ttl;
	size_t data_at, data_len;
};
void validation_dns_get_record(struct validation_dns_reader *r,
    struct validation_dns_record *record);

#endif
