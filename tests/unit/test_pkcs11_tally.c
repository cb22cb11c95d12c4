/* SPDX-License-Identifier: Apache-2.0 */
/* What one process has counted, and the next one reads: all of it, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "pkcs11/tally.h"

static char dir[] = "/tmp/ocsign-tally.XXXXXX";
static char path[64];

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/errors-a", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
keep(const uint64_t num[P11_CLASS_MAX])
{
	struct oc_error error = { 0 };

	assert_int_equal(p11_tally_keep(dir, "a", num, &error), OC_OK);
}

static void
assert_zero(void)
{
	uint64_t num[P11_CLASS_MAX];

	memset(num, 0xff, sizeof(num));
	p11_tally_take(dir, "a", num);
	for (int class = 0; class < P11_CLASS_MAX; class++)
		assert_int_equal(num[class], 0);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void
is_taken_once(void **state)
{
	uint64_t num[P11_CLASS_MAX], taken[P11_CLASS_MAX];

	(void)state;
	for (int class = 0; class < P11_CLASS_MAX; class++)
		num[class] = (uint64_t)class * 1000000007U;
	num[P11_CLASS_HUNG] = UINT64_MAX;
	keep(num);
	/* One of another token is not looked at. */
	p11_tally_take(dir, "b", taken);
	assert_int_equal(taken[P11_CLASS_HUNG], 0);
	p11_tally_take(dir, "a", taken);
	assert_memory_equal(taken, num, sizeof(num));
	assert_zero();
}

/* Each octet less, and each one changed into one that cannot be there. */
static void
damaged_one_is_none(void **state)
{
	const uint64_t num[P11_CLASS_MAX] = { [P11_CLASS_HUNG] = 3 };
	struct oc_error error = { 0 };
	uint8_t *bytes;
	size_t len;

	(void)state;
	keep(num);
	assert_int_equal(oc_file_read(path, 4096, &bytes, &len, &error),
	    OC_OK);
	for (size_t i = 0; i < len; i++) {
		uint8_t was = bytes[i];

		assert_int_equal(oc_file_write(path, 0600, bytes, i, &error),
		    OC_OK);
		assert_zero();
		bytes[i] = i % 2 == 0 ? '\0' : '-';
		assert_int_equal(oc_file_write(path, 0600, bytes, len,
		    &error), OC_OK);
		assert_zero();
		bytes[i] = was;
	}
	free(bytes);
}

static void
too_much_is_none(void **state)
{
	struct oc_error error = { 0 };
	const char text[] = "ok 99999999999999999999999999\n";
	static uint8_t large[8192];

	(void)state;
	assert_int_equal(oc_file_write(path, 0600, text, strlen(text),
	    &error), OC_OK);
	assert_zero();
	memset(large, 'x', sizeof(large));
	assert_int_equal(oc_file_write(path, 0600, large, sizeof(large),
	    &error), OC_OK);
	assert_zero();
}

static void
no_place_is_said(void **state)
{
	const uint64_t num[P11_CLASS_MAX] = { 0 };
	struct oc_error error = { 0 };

	(void)state;
	assert_int_not_equal(p11_tally_keep("/nonexistent", "a", num,
	    &error), OC_OK);
	assert_non_null(strstr(error.text, "/nonexistent"));
	assert_zero();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_taken_once),
		cmocka_unit_test(damaged_one_is_none),
		cmocka_unit_test(too_much_is_none),
		cmocka_unit_test(no_place_is_said),
	};

	return cmocka_run_group_tests_name("pkcs11_tally", tests, set_up,
	    tear_down);
}
