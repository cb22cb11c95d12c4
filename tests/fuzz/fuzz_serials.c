/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of serial numbers: the same in whatever parts it comes, and what was
 * read reads the same when it is written.
 */
#include <string.h>

#include "base/serial_list.h"
#include "tests/fuzz/fuzz.h"

static enum oc_err
parse(const char *text, size_t len, size_t step, struct oc_serial_list *list)
{
	struct oc_error error = { 0 };
	enum oc_err err;

	for (; len > 0; text += step, len -= step) {
		if (step > len)
			step = len;
		oc_serial_list_feed(list, text, step);
	}
	err = oc_serial_list_end(list, &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	return err;
}

static void
check(const struct oc_serial_list *list)
{
	struct oc_serial_list again = { 0 };
	char text[OC_SERIAL_TEXT_MAX];

	for (uint32_t i = list->num; i-- > 0;) {
		fuzz_check(i == 0 || oc_serial_compare(&list->serials[i - 1],
		    &list->serials[i]) < 0);
		oc_serial_format(&list->serials[i], text);
		oc_serial_list_feed(&again, text, strlen(text));
		oc_serial_list_feed(&again, "\n", 1);
	}
	fuzz_check(parse("", 0, 1, &again) == OC_OK);
	fuzz_check(again.num == list->num && again.num_double == 0);
	fuzz_check(memcmp(again.serials, list->serials,
	    list->num * sizeof(*list->serials)) == 0);
	oc_serial_list_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oc_serial_list whole = { 0 }, parts = { 0 };
	enum oc_err err = parse((const char *)data, size, size, &whole);

	fuzz_check(parse((const char *)data, size, 3, &parts) == err);
	fuzz_check(whole.num == parts.num && whole.num_bad == parts.num_bad);
	fuzz_check(whole.num_lines == parts.num_lines);
	if (err == OC_OK)
		check(&whole);
	oc_serial_list_fini(&whole);
	oc_serial_list_fini(&parts);
	return 0;
}
