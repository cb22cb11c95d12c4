/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/seen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024

void
validation_text_init(struct validation_text *text, char *chars, size_t room)
{
	oc_assert(room > 4);
	*text = (struct validation_text){ chars, room, 0 };
	chars[0] = '\0';
}

static void
put(struct validation_text *text, const char *chars, size_t len,
    const char *forbidden)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)chars[i];

		if (text->len + 1 == text->room) {
			memcpy(text->chars + text->len - 3, "...", 3);
			return;
		}
		if (c < 0x20 || c > 0x7e || strchr(forbidden, c) != NULL)
			c = '?';
		text->chars[text->len++] = (char)c;
		text->chars[text->len] = '\0';
	}
}

void
validation_text_put(struct validation_text *text, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	put(text, line, strlen(line), "");
}

void
validation_text_put_octets(struct validation_text *text, const void *octets,
    size_t len, size_t max)
{
	put(text, octets, len < max ? len : max, "\"\\");
	if (len > max)
		put(text, "...", 3, "");
}
