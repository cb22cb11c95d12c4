/* SPDX-License-Identifier: Apache-2.0 */
/* Is a connection string told from a path, and from one with a secret? */
#include "base_test.h"

#include "base/conninfo.h"

static void
test_is(void **state)
{
	static const char *const those[] = {
		"postgresql://h/d", "postgres:///d", "dbname=ocsign",
		"host = a dbname=b", "service=x", "a="
	};
	static const char *const others[] = {
		"", "store.db", "/a=b", "./a=b", "file:x?mode=memory",
		"=", " a=b", "A=b", "postgresql:/x", "a b=c"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(those) / sizeof(those[0]); i++)
		assert_true(oc_conninfo_is(those[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(oc_conninfo_is(others[i]));
}

static void
test_password(void **state)
{
	static const char *const bad[] = {
		"host=a password=s3cret", "host=a sslpassword = s3cret",
		"password='s3cret'", "postgresql://u:s3cret@h/d",
		"postgres://h/d?password=s3cret", "postgresql://:s3cret@h",
		"postgresql://h/d?%70asswor%64=s3cret",
		"postgresql://h/d?x=%&ssl%70assword=s3cret"
	};
	static const char *const good[] = {
		"host=a passfile=/etc/ocsign/password user=x",
		"postgresql://u@h:5432/d", "postgresql://h:1,i:2/d?user=a@b",
		"postgresql://h/d:e@f", "service=x"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_error error = { 0 };

		assert_int_equal(oc_conninfo_check(bad[i], &error),
		    OC_ERR_CONFIG);
		assert_non_null(strstr(error.text, "password"));
		assert_null(strstr(error.text, "s3cret"));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(oc_conninfo_check(good[i], NULL), OC_OK);
}

static void
test_source(void **state)
{
	char *where = oc_conninfo_join("file:/etc/password=x", "host=a");
	const char *text;
	char *source;

	(void)state;
	assert_non_null(where);
	assert_true(oc_conninfo_is(where));
	assert_int_equal(oc_conninfo_check(where, NULL), OC_OK);
	assert_int_equal(oc_conninfo_split(where, &source, &text), OC_OK);
	assert_string_equal(source, "file:/etc/password=x");
	assert_string_equal(text, "host=a");
	free(source);
	free(where);
	assert_int_equal(oc_conninfo_split("service=x", &source, &text),
	    OC_OK);
	assert_null(source);
	assert_string_equal(text, "service=x");
	where = oc_conninfo_join("fd:7", "postgresql://u:s3cret@h/d");
	assert_int_equal(oc_conninfo_check(where, NULL), OC_ERR_CONFIG);
	free(where);
	assert_false(oc_conninfo_is("fd:7\nstore.db"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_source)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
