/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/dns_message.h"

#include <string.h>

#define LABEL_MAX 63
/* The two high bits of a length: a pointer to what stands before. */
#define POINTER 0xc0

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* --- writing ------------------------------------------------------------ */

void
validation_dns_put(struct validation_dns_writer *w, const void *bytes,
    size_t len)
{
	if (w->is_bad || len > sizeof(w->bytes) - w->len) {
		w->is_bad = true;
		return;
	}
	if (len > 0)
		memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

void
validation_dns_put_u8(struct validation_dns_writer *w, unsigned int v)
{
	uint8_t byte = (uint8_t)v;

	validation_dns_put(w, &byte, 1);
}

void
validation_dns_put_u16(struct validation_dns_writer *w, unsigned int v)
{
	validation_dns_put_u8(w, v >> 8 & 0xff);
	validation_dns_put_u8(w, v & 0xff);
}

void
validation_dns_put_u32(struct validation_dns_writer *w, uint32_t v)
{
	validation_dns_put_u16(w, v >> 16);
	validation_dns_put_u16(w, v & 0xffff);
}

void
validation_dns_put_name(struct validation_dns_writer *w, const char *name)
{
	size_t begin = w->len;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > LABEL_MAX) {
			w->is_bad = true;
			return;
		}
		validation_dns_put_u8(w, (unsigned int)len);
		for (size_t i = 0; i < len; i++)
			validation_dns_put_u8(w, (unsigned int)lower(
			    (unsigned char)name[i]));
		name += len;
		if (*name == '.')
			name++;
	}
	validation_dns_put_u8(w, 0);
	if (w->len - begin > VALIDATION_DNS_NAME_MAX)
		w->is_bad = true;
}

/* --- reading ------------------------------------------------------------ */

const uint8_t *
validation_dns_get(struct validation_dns_reader *r, size_t len)
{
	const uint8_t *bytes = r->bytes + r->at;

	if (r->is_bad || len > r->len - r->at) {
		r->is_bad = true;
		return NULL;
	}
	r->at += len;
	return bytes;
}

uint16_t
validation_dns_get_u16(struct validation_dns_reader *r)
{
	const uint8_t *b = validation_dns_get(r, 2);

	return b == NULL ? 0 : (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t
validation_dns_get_u32(struct validation_dns_reader *r)
{
	uint32_t high = validation_dns_get_u16(r);

	return high << 16 | validation_dns_get_u16(r);
}

static char
name_char(uint8_t c)
{
	c = (uint8_t)lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '_' ? (char)c : '?';
}

/* One label behind what is there.  False: too long. */
static bool
append(char name[VALIDATION_NAME_MAX + 1], size_t *len, const uint8_t *label,
    size_t label_len)
{
	if (*len + (*len > 0) + label_len > VALIDATION_NAME_MAX)
		return false;
	if (*len > 0)
		name[(*len)++] = '.';
	for (size_t i = 0; i < label_len; i++)
		name[(*len)++] = name_char(label[i]);
	return true;
}

/* Where a pointer, whose first octet was read, leads to: before begin. */
static bool
jump(struct validation_dns_reader *at, unsigned int first, size_t begin)
{
	const uint8_t *second = validation_dns_get(at, 1);

	if ((first & POINTER) != POINTER || second == NULL)
		return false;
	at->at = (size_t)(first & ~POINTER) << 8 | *second;
	return at->at < begin;
}

/* Labels, each with its length in front, to an empty one or a pointer; *end is
 * behind the first of those. */
static bool
read_labels(struct validation_dns_reader at,
    char name[VALIDATION_NAME_MAX + 1], size_t *end)
{
	size_t begin = at.at, len = 0;
	const uint8_t *first, *label;

	*end = 0;
	while ((first = validation_dns_get(&at, 1)) != NULL && *first != 0) {
		if (*first > LABEL_MAX) {
			if (*end == 0)
				*end = at.at + 1;
			/* Ever fewer octets to go to: there is an end. */
			if (!jump(&at, *first, begin))
				return false;
			begin = at.at;
			continue;
		}
		label = validation_dns_get(&at, *first);
		if (label == NULL || !append(name, &len, label, *first))
			return false;
	}
	name[len] = '\0';
	if (*end == 0)
		*end = at.at;
	return first != NULL;
}

void
validation_dns_get_name(struct validation_dns_reader *r,
    char name[VALIDATION_NAME_MAX + 1])
{
	size_t end;

	if (r->is_bad || !read_labels(*r, name, &end)) {
		r->is_bad = true;
		name[0] = '\0';
		return;
	}
	r->at = end;
}

void
validation_dns_get_record(struct validation_dns_reader *r,
    struct validation_dns_record *record)
{
	memset(record, 0, sizeof(*record));
	record->begins_at = r->at;
	validation_dns_get_name(r, record->name);
	record->type = validation_dns_get_u16(r);
	record->class = validation_dns_get_u16(r);
	record->ttl = validation_dns_get_u32(r);
	record->data_len = validation_dns_get_u16(r);
	record->data_at = r->at;
	(void)validation_dns_get(r, record->data_len);
}
