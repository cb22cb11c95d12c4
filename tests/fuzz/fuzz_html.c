/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can any page crash what looks for meta elements, or keep it busy?  A value
 * that is found is text that fits, and the same again; a page that ends
 * earlier has no more of them.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "validation/html.h"
#include "validation/seen.h"

struct found {
	size_t num;
	size_t sum;			/* of the values' lengths */
};

static bool
on_meta(void *arg, const char *content)
{
	struct found *found = arg;
	size_t len = strlen(content);

	fuzz_check(len <= VALIDATION_HTML_VALUE_MAX);
	found->num++;
	found->sum += len;
	return true;
}

static struct found
look(const uint8_t *data, size_t size)
{
	struct found found = { 0, 0 };
	size_t num = validation_html_metas((const char *)data, size,
	    "ocsign-verification", on_meta, &found);

	fuzz_check(num == found.num);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of just this length, so that reading behind it is seen. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	struct found whole, less;
	struct validation_text text;
	char line[64];

	fuzz_check(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	whole = look(copy, size);
	less = look(copy, size / 2);
	fuzz_check(less.num <= whole.num && less.sum <= whole.sum);
	validation_text_init(&text, line, sizeof(line));
	validation_text_put_octets(&text, copy, size, 50);
	fuzz_check(strlen(line) == text.len && text.len <
	    sizeof(line));
	free(copy);
	return 0;
}
