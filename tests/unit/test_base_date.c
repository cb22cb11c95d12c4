/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as options and the configuration take them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/value.h"

static void
test_good(void **state)
{
	int64_t at = 0;

	(void)state;
	assert_int_equal(oc_value_date("2000-01-01", 0, &at, NULL), OC_OK);
	assert_int_equal(at, 946684800);
	assert_int_equal(oc_value_date("2001-09-09T01:46:40Z", 0, &at,
	    NULL), OC_OK);
	assert_int_equal(at, 1000000000);
	assert_int_equal(oc_value_date("2024-02-29", 0, &at, NULL), OC_OK);
	assert_int_equal(at, 1709164800);
}

/* A clock that was set back does not make what was known untrue. */
static void
test_latest(void **state)
{
	const int64_t latest = INT64_C(32472144000);	/* 2999-01-01 */
	int64_t at = 0;

	(void)state;
	assert_int_equal(oc_value_date("2999-01-01", latest, &at, NULL),
	    OC_OK);
	assert_int_equal(at, latest);
	assert_int_equal(oc_value_date("2999-01-01", latest - 1, &at, NULL),
	    OC_ERR_MALFORMED);
}

static void
test_bad(void **state)
{
	static const char *const texts[] = { "", "2000", "2000-1-1",
	    "2000-13-01", "2000-00-01", "2000-01-32", "2023-02-29",
	    "2000-01-01 ", " 2000-01-01", "2000-01-01T", "2000-01-01Z",
	    "2000-01-01T00:00Z", "2000-01-01T00:00:00",
	    "2000-01-01T00:00:00+00", "2000-01-01T24:00:00Z",
	    "2000-01-01T00:60:00Z", "2000-01-01T00:00:60Z",
	    "2000-01-01T00:00:00Zx", "20000-01-01", "-200-01-01", "today",
	    "1970-01-01", "1960-01-01", "2999-01-01",
	    "9999-12-31T23:59:59Z" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct oc_error error = { 0 };
		int64_t at = 7;

		assert_int_equal(oc_value_date(texts[i], 0, &at, &error),
		    OC_ERR_MALFORMED);
		assert_int_equal(at, 7);
		assert_true(strlen(error.text) > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
