/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody else can cause without end is said a few times. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/unit/base_test.h"

/* What is logged meanwhile stands in "log". */
static int
divert(void)
{
	int saved = dup(STDERR_FILENO);
	int fd = open("log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(saved >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	(void)close(fd);
	return saved;
}

static unsigned int
give_back(int saved, const char *last)
{
	struct oc_error error = { 0 };
	unsigned int num = 0;
	uint8_t *bytes;
	size_t len;

	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	assert_int_equal(oc_file_read("log", 65536, &bytes, &len, &error),
	    OC_OK);
	for (size_t i = 0; i < len; i++)
		num += bytes[i] == '\n';
	assert_non_null(strstr((char *)bytes, last));
	free(bytes);
	return num;
}

static void
ten_are_said(void **state)
{
	struct oc_log_few few = { 0 }, other = { 0 };
	int saved;

	(void)state;
	saved = divert();
	for (int i = 1; i <= 25; i++)
		oc_log_few(&few, OC_LOG_WARNING, "line %d", i);
	oc_log_few(&other, OC_LOG_WARNING, "another");
	assert_int_equal(give_back(saved, "warning: line 10\ntest_base_log: "
	    "warning: another\n"), OC_LOG_FEW_MAX + 1);
	assert_int_equal(few.num_left_out, 15);
}

static void
and_more_a_minute_later(void **state)
{
	struct oc_log_few few = { 0 };
	int saved;

	(void)state;
	saved = divert();
	for (int i = 1; i <= 13; i++)
		oc_log_few(&few, OC_LOG_WARNING, "line %d", i);
	few.since_ns -= 60 * OC_NS_PER_S;
	oc_log_few(&few, OC_LOG_WARNING, "again");
	assert_int_equal(give_back(saved, "3 more lines like the next were "
	    "left out\ntest_base_log: warning: again\n"), OC_LOG_FEW_MAX + 2);
	assert_int_equal(few.num_left_out, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ten_are_said, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(and_more_a_minute_later,
		    base_test_enter, base_test_leave),
	};

	oc_log_init("test_base_log", OC_LOG_NOTICE);
	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
