/* SPDX-License-Identifier: Apache-2.0 */
/* A row of a certdb as a record and back; what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/import.h"
#include "transfer/record.h"

static void
test_both_ways(void **state)
{
	static const char *const columns[TRANSFER_NUM_COLUMNS] = {
		"ab", "-----BEGIN\nx\n", "12", "good", NULL, "", "\\N",
		"a\tb\\tc", "\r\n", NULL, "\\", "{\"a\":\"\\\"\"}", NULL
	};
	const char *read[TRANSFER_NUM_COLUMNS];
	struct oc_buffer b;
	char *text;

	(void)state;
	oc_buffer_init(&b, 1024);
	transfer_record_write(&b, columns);
	assert_int_equal(b.err, OC_OK);
	assert_int_equal(strcspn(oc_buffer_text(&b), "\r\n"), b.len);
	text = strdup(oc_buffer_text(&b));
	assert_non_null(text);
	assert_int_equal(transfer_record_read(text, read), OC_OK);
	for (int i = 0; i < TRANSFER_NUM_COLUMNS; i++) {
		assert_int_equal(columns[i] == NULL, read[i] == NULL);
		if (read[i] != NULL)
			assert_string_equal(columns[i], read[i]);
	}
	free(text);
	oc_buffer_fini(&b);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
		"", "certdb", "certdb:", "index:V\t1\t\t2\tunknown\t/",
		"certdb:1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12",
		"certdb:1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14",
		"certdb:1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t\\x",
		"certdb:1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t\\",
	};
	const char *read[TRANSFER_NUM_COLUMNS];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *text = strdup(bad[i]);

		assert_non_null(text);
		assert_int_equal(transfer_record_read(text, read),
		    OC_ERR_MALFORMED);
		free(text);
	}
}

static void
test_formats(void **state)
{
	enum transfer_format format = TRANSFER_INDEX;

	(void)state;
	assert_true(transfer_format_parse("store", &format));
	assert_int_equal(format, TRANSFER_STORE);
	assert_string_equal(transfer_format_name(format), "store");
	assert_false(transfer_format_parse("Index", &format));
	assert_false(transfer_format_parse("", &format));
	assert_int_equal(format, TRANSFER_STORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
