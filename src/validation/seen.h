/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text about what others sent: one line of printable ASCII, cut to fit, ending
 * in "..." if it was.  What they sent is never text to trust: control octets,
 * quotes and whatever is not ASCII are '?'.
 */
#ifndef VALIDATION_SEEN_H
#define VALIDATION_SEEN_H

#include <stddef.h>

#include "base/err.h"

struct validation_text {
	char *chars;
	size_t room, len;
};

void validation_text_init(struct validation_text *text, char *chars,
    size_t room);
void validation_text_put(struct validation_text *text, const char *format,
    ...) OC_PRINTF(2, 3);
/* At most max of them, "..." behind that. */
void validation_text_put_octets(struct validation_text *text,
    const void *octets, size_t len, size_t max);

#endif
