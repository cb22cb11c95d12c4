/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum oc_err
oc_secret_set(struct oc_secret *secret, const void *bytes, size_t len)
{
	if (len > OC_PIN_MAX)
		return OC_ERR_LIMIT;
	oc_secret_fini(secret);
	/* RLIMIT_MEMLOCK may be 0: better an unlocked PIN than none. */
	(void)mlock(secret, sizeof(*secret));
	if (len > 0)
		memcpy(secret->bytes, bytes, len);
	secret->len = len;
	return OC_OK;
}

/* Reads to end of file, max bytes at most.  -1 and errno on failure.  Other
 * processes may have the same open file, and so its place. */
static ssize_t
read_all(int fd, uint8_t *bytes, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t n = pread(fd, bytes + len, max - len, (off_t)len);

		if (n < 0 && errno == ESPIPE)
			n = read(fd, bytes + len, max - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static enum oc_err
set_line(struct oc_secret *secret, const char *noun, const uint8_t *line,
    size_t len, struct oc_error *error)
{
	if (len > 0 && line[len - 1] == '\n') {
		len--;
		if (len > 0 && line[len - 1] == '\r')
			len--;
	}
	if (len == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "the %s is empty", noun);
	if (len > OC_PIN_MAX)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "the %s is longer than %d bytes", noun, OC_PIN_MAX);
	if (memchr(line, '\0', len) != NULL || memchr(line, '\n', len) != NULL)
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "the %s must be one line of text", noun);
	return oc_secret_set(secret, line, len);
}

enum oc_err
oc_secret_read(struct oc_secret *secret, const char *noun, int fd,
    struct oc_error *error)
{
	/* One more than a secret and its line end: tells "too long". */
	uint8_t line[OC_PIN_MAX + 3] = { 0 };
	ssize_t len;
	enum oc_err err;

	(void)mlock(line, sizeof(line));
	len = read_all(fd, line, sizeof(line));
	if (len < 0)
		err = oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot read the %s", noun);
	else
		err = set_line(secret, noun, line, (size_t)len, error);
	explicit_bzero(line, sizeof(line));
	return err;
}

void
oc_secret_fini(struct oc_secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}

void
oc_buffer_init(struct oc_buffer *b, size_t max)
{
	*b = (struct oc_buffer){ .max = max };
}

void
oc_buffer_fini(struct oc_buffer *b)
{
	if (b->bytes != NULL)
		explicit_bzero(b->bytes, b->room);
	free(b->bytes);
	*b = (struct oc_buffer){ .max = b->max };
}

/* Makes room for len more bytes and the NUL; doubles, so that n puts cost
 * O(n). */
static bool
make_room(struct oc_buffer *b, size_t len)
{
	size_t room = b->room;
	uint8_t *bytes;

	if (b->err != OC_OK)
		return false;
	if (len > b->max || b->len > b->max - len || b->max == SIZE_MAX) {
		b->err = OC_ERR_LIMIT;
		return false;
	}
	if (b->len + len + 1 <= room)
		return true;
	room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
	if (room < b->len + len + 1)
		room = b->len + len + 1;
	if (room < 64)
		room = 64;
	if (room > b->max + 1)
		room = b->max + 1;
	/* Not realloc(): what is in it may be a secret that was handed to us
	 * by mistake, and no copy of it must stay behind. */
	bytes = malloc(room);
	if (bytes == NULL) {
		b->err = OC_ERR_NOMEM;
		return false;
	}
	if (b->bytes != NULL) {
		memcpy(bytes, b->bytes, b->len + 1);
		explicit_bzero(b->bytes, b->len);
		free(b->bytes);
	}
	b->bytes = bytes;
	b->room = room;
	return true;
}

void
oc_buffer_put(struct oc_buffer *b, const void *bytes, size_t len)
{
	if (!make_room(b, len))
		return;
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	b->bytes[b->len] = '\0';
}

void
oc_buffer_put_text(struct oc_buffer *b, const char *text)
{
	oc_buffer_put(b, text, strlen(text));
}

void
oc_buffer_printf(struct oc_buffer *b, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0) {
		if (b->err == OC_OK)
			b->err = OC_ERR_LIMIT;
		return;
	}
	if (!make_room(b, (size_t)len))
		return;
	va_start(ap, format);
	vsnprintf((char *)b->bytes + b->len, (size_t)len + 1, format, ap);
	va_end(ap);
	b->len += (size_t)len;
}

const char *
oc_buffer_text(const struct oc_buffer *b)
{
	return b->len == 0 ? "" : (const char *)b->bytes;
}

enum oc_err
oc_buffer_take(struct oc_buffer *b, uint8_t **bytes, size_t *len)
{
	/* An empty one is handed out as an allocation too. */
	oc_buffer_put(b, "", 0);
	if (b->err != OC_OK)
		return b->err;
	*bytes = b->bytes;
	*len = b->len;
	b->bytes = NULL;
	oc_buffer_fini(b);
	return OC_OK;
}

void
oc_hex_encode(const void *bytes, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[p[i] >> 4];
		*text++ = digits[p[i] & 0x0f];
	}
	*text = '\0';
}

enum oc_err
oc_hex_decode(const char *text, size_t text_len, uint8_t *bytes, size_t max,
    size_t *len)
{
	if (text_len % 2 != 0)
		return OC_ERR_MALFORMED;
	for (size_t i = 0; i < text_len; i++)
		if (oc_hex_value(text[i]) < 0)
			return OC_ERR_MALFORMED;
	if (text_len / 2 > max)
		return OC_ERR_NO_SPACE;
	for (size_t i = 0; i < text_len; i += 2)
		bytes[i / 2] = (uint8_t)(oc_hex_value(text[i]) << 4 |
		    oc_hex_value(text[i + 1]));
	*len = text_len / 2;
	return OC_OK;
}

void
oc_base64_encode(const void *bytes, size_t len, char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = bytes;

	for (; len >= 3; len -= 3, p += 3) {
		*text++ = alphabet[p[0] >> 2];
		*text++ = alphabet[(p[0] & 0x03) << 4 | p[1] >> 4];
		*text++ = alphabet[(p[1] & 0x0f) << 2 | p[2] >> 6];
		*text++ = alphabet[p[2] & 0x3f];
	}
	if (len > 0) {
		unsigned second = len == 2 ? p[1] : 0;

		*text++ = alphabet[p[0] >> 2];
		*text++ = alphabet[(p[0] & 0x03) << 4 | second >> 4];
		*text++ = len == 2 ? alphabet[(second & 0x0f) << 2] : '=';
		*text++ = '=';
	}
	*text = '\0';
}

static int
base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

enum oc_err
oc_base64_decode_in_place(void *buffer, size_t len, size_t *out_len)
{
	uint8_t *in = buffer, *out = buffer;
	size_t num_pads = 0, num_chars;
	uint32_t bits = 0;

	if (len % 4 != 0)
		return OC_ERR_MALFORMED;
	while (num_pads < 2 && num_pads < len && in[len - 1 - num_pads] == '=')
		num_pads++;
	num_chars = len - num_pads;
	for (size_t i = 0; i < num_chars; i++) {
		int value = base64_value(in[i]);

		if (value < 0)
			return OC_ERR_MALFORMED;
		bits = bits << 6 | (uint32_t)value;
		/* Every character but the first of four ends an octet. */
		if (i % 4 != 0)
			*out++ = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	/* What the last character carries beyond the last octet. */
	if (num_pads > 0 && (bits & (num_pads == 2 ? 0x0f : 0x03)) != 0)
		return OC_ERR_MALFORMED;
	*out_len = (size_t)(out - (uint8_t *)buffer);
	return OC_OK;
}

/* The octets that must follow, 0 to 3, and the range of the first of them
 * (RFC 3629, 4).  -1 for octets that start nothing. */
static int
utf8_tail(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 3;
	return -1;
}

size_t
oc_utf8_first(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint8_t low, high;
	int tail = len == 0 ? -1 : utf8_tail(p[0], &low, &high);

	if (tail < 0 || len <= (size_t)tail)
		return 0;
	for (int i = 1; i <= tail; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return (size_t)tail + 1;
}

bool
oc_utf8_is_valid(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		size_t n = oc_utf8_first(p, len);

		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}
