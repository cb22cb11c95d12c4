/* SPDX-License-Identifier: Apache-2.0 */
/* The list of serial numbers that were issued: what it says, in whatever
 * order it is written, and what is no such list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "status/issued.h"

static struct status_issued *
parse(const char *text)
{
	struct status_issued *issued = NULL;
	struct oc_error error = { 0 };

	if (status_issued_parse(text, strlen(text), &issued, &error) != OC_OK)
		fail_msg("%s", error.text);
	return issued;
}

static bool
has(const struct status_issued *issued, const char *hex)
{
	struct oc_error error = { 0 };
	struct oc_serial serial;
	char text[64];

	(void)snprintf(text, sizeof(text), "0x%s", hex);
	assert_int_equal(oc_serial_parse(text, &serial, &error), OC_OK);
	return status_issued_has(issued, &serial);
}

static void
test_list(void **state)
{
	static const char *const in[] = { "01", "7f", "80", "0100", "1a2b",
	    "1a00", "1aff", "1b40", "1b7f", "ff", "fe",
	    "fffffffffffffffffffffffffffffffffffffe" },
	    *const out[] = { "02", "7e", "81", "0101", "19ff", "1b80",
	    "fd", "fffffffffffffffffffffffffffffffffffffd",
	    "0100000000" };
	struct status_issued *issued = parse("# all of ours\n"
	    "80\n 7F \t# in between\r\n\n1\n0100\n001b00-1B7F\n1a00-1Aff\n"
	    "1a10-1a20\nfe-ff\n7f\n"
	    "fffffffffffffffffffffffffffffffffffffe\n");

	(void)state;
	assert_int_equal(issued->num_singles, 5);
	assert_int_equal(issued->num_ranges, 3);
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		if (!has(issued, in[i]))
			fail_msg("%s is not in it", in[i]);
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (has(issued, out[i]))
			fail_msg("%s is in it", out[i]);
	status_issued_release(issued);
	issued = parse("");
	assert_false(has(issued, "01"));
	status_issued_release(issued);
}

static void
test_no_list(void **state)
{
	static const char *const bad[] = { "0", "00-01", "xyz", "1 2", "-1",
	    "1-", "-", "2-1", "1-2-3", "0x12", "1:2",
	    "1234567890123456789012345678901234567890f",
	    "ffffffffffffffffffffffffffffffffffffffff", "\xff" };
	struct status_issued *issued = NULL;
	struct oc_error error = { 0 };
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "01\n02\n%s\n04\n", bad[i]);
		if (status_issued_parse(text, strlen(text), &issued,
		    &error) != OC_ERR_MALFORMED)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_non_null(strstr(error.text, "line 3 "));
	}
	assert_int_equal(status_issued_parse("01\0", 3, &issued, &error),
	    OC_ERR_MALFORMED);
	assert_null(issued);
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* It is read at once, and again when it has settled after a change. */
static void
test_file(void **state)
{
	char path[] = "/tmp/issued.XXXXXX";
	struct status_issued_file file = { .path = path };
	struct status_issued *issued;
	int64_t now = OC_NS_PER_S;

	(void)state;
	assert_true(close(mkstemp(path)) == 0);
	put(path, "01\n");
	issued = status_issued_file_look(&file, "web", now);
	assert_true(has(issued, "01"));
	status_issued_release(issued);
	/* Somebody may have been at it just then. */
	assert_null(status_issued_file_look(&file, "web", 3 * now));
	issued = status_issued_file_look(&file, "web", 4 * now);
	assert_non_null(issued);
	status_issued_release(issued);
	assert_null(status_issued_file_look(&file, "web", 10 * now));
	put(path, "nonsense\n");
	assert_null(status_issued_file_look(&file, "web", 11 * now));
	assert_false(file.has_failed);
	assert_null(status_issued_file_look(&file, "web", 14 * now));
	assert_true(file.has_failed);
	/* Half of it is not taken for the whole. */
	put(path, "01\n0");
	assert_null(status_issued_file_look(&file, "web", 15 * now));
	put(path, "01\n02");
	assert_null(status_issued_file_look(&file, "web", 17 * now));
	put(path, "01\n02\n0300\n");
	for (int i = 18; i <= 20; i++)
		assert_null(status_issued_file_look(&file, "web", i * now));
	issued = status_issued_file_look(&file, "web", 21 * now);
	assert_non_null(issued);
	assert_true(has(issued, "02"));
	assert_true(has(issued, "0300"));
	assert_false(file.has_failed);
	status_issued_release(issued);
	assert_int_equal(unlink(path), 0);
	assert_null(status_issued_file_look(&file, "web", 22 * now));
	assert_false(file.has_failed);
	assert_null(status_issued_file_look(&file, "web", 25 * now));
	assert_true(file.has_failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_file),
	};

	oc_log_init("test", OC_LOG_ERROR - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
