/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl's index.txt: whatever is read has the same list in it when it comes
 * in other parts, and when it is written and read again; and the times of
 * CFSSL's rows.
 */
#include <stdlib.h>
#include <string.h>

#include "der/time.h"
#include "status/certdb.h"
#include "status/index_txt.h"
#include "tests/fuzz/fuzz.h"

static struct status_list *
parse(const char *text, size_t len, size_t step)
{
	struct status_index *index = malloc(sizeof(*index));
	struct status_list *list = NULL;
	struct oc_error error = { 0 };
	enum oc_err err;

	fuzz_check(index != NULL);
	err = status_index_init(index);
	fuzz_check(err == OC_OK);
	for (; err == OC_OK && len > 0; text += step, len -= step) {
		if (step > len)
			step = len;
		err = status_index_put(index, text, step, &error);
	}
	if (err == OC_OK)
		err = status_index_finish(index, &list, &error);
	fuzz_check((err == OC_OK) == (error.text[0] == '\0'));
	fuzz_check((err == OC_OK) == (list != NULL));
	status_index_fini(index);
	free(index);
	return list;
}

static void
check(const struct status_list *list)
{
	struct status_list *again;
	struct status_entry found;
	struct status_lost lost;
	struct oc_mapping text;

	for (uint32_t i = 0; i < list->num_entries; i++) {
		const struct status_entry *e = &list->entries[i];

		fuzz_check(status_list_find(list, &e->serial, &found) &&
		    status_entry_says_same(e, &found));
		fuzz_check(i == 0 || status_serial_compare(&e[-1].serial,
		    &e->serial) < 0);
		fuzz_check(e->not_after >= DER_TIME_MIN &&
		    e->not_after <= DER_TIME_MAX);
	}
	status_list_compare(list, list, 0, &lost);
	fuzz_check(lost.num_dropped == 0 && lost.num_missing == 0);
	fuzz_check(status_index_write(list, "#", &text) == OC_OK);
	again = parse((const char *)text.bytes, text.len, 4096);
	fuzz_check(again != NULL && status_list_equal(list, again));
	status_list_release(again);
	oc_mapping_fini(&text);
}

static void
read_time(const uint8_t *data, size_t size)
{
	char text[64];
	int64_t at = 0;

	if (size >= sizeof(text))
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (status_certdb_time(text, &at) == OC_OK)
		fuzz_check(at >= DER_TIME_MIN && at <= DER_TIME_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct status_list *list = parse(text, size, size + 1);
	struct status_list *other = parse(text, size, 5);

	fuzz_check((list != NULL) == (other != NULL));
	if (list != NULL) {
		check(list);
		fuzz_check(status_list_equal(list, other));
	}
	status_list_release(list);
	status_list_release(other);
	read_time(data, size);
	return 0;
}
