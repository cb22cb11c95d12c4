/* SPDX-License-Identifier: Apache-2.0 */
/* Where the configuration is looked for, and which places it may name. */
#include "base_test.h"

#include <sys/stat.h>

#include "base/config.h"

/* The name of every socket must fit in 107 bytes. */
static void
test_run_directory(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config;
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "[daemon]\nrun-directory = /%074d\n", 0);
	base_test_put_text("ocsign.conf", text);
	assert_int_equal(oc_config_load("ocsign.conf", &config, &errors),
	    OC_OK);
	assert_int_equal(strlen(config->daemon.run_directory), 75);
	oc_config_free(config);
	snprintf(text, sizeof(text), "[daemon]\nrun-directory = /%075d\n", 0);
	base_test_put_text("ocsign.conf", text);
	assert_int_equal(oc_config_load("ocsign.conf", &config, &errors),
	    OC_ERR_CONFIG);
	assert_non_null(strstr(errors.list[0].text, "too long for the names "
	    "of sockets; choose a directory of at most 75 characters"));
}

static void
test_base_directory(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config;
	char *cwd = realpath(".", NULL), path[4200];

	(void)state;
	assert_int_equal(mkdir("etc", 0700), 0);
	assert_int_equal(mkdir("etc/c.conf.d", 0700), 0);
	base_test_put_text("etc/c.conf", "");
	base_test_put_text("etc/c.conf.d/1.conf", "[store]\npath = s\n");
	assert_int_equal(oc_config_load("etc/c.conf", &config, &errors),
	    OC_OK);
	snprintf(path, sizeof(path), "%s/etc/s", cwd);
	assert_string_equal(config->store.path, path);
	oc_config_free(config);
	assert_int_equal(oc_config_load("etc/none.conf", &config, &errors),
	    OC_ERR_NOT_FOUND);
	free(cwd);
}

static void
test_default_path(void **state)
{
	(void)state;
	unsetenv("OCSIGN_CONF");
	assert_string_equal(oc_config_default_path(),
	    OCSIGN_SYSCONFDIR "/ocsign.conf");
	setenv("OCSIGN_CONF", "", 1);
	assert_string_equal(oc_config_default_path(),
	    OCSIGN_SYSCONFDIR "/ocsign.conf");
	setenv("OCSIGN_CONF", "/x/y.conf", 1);
	assert_string_equal(oc_config_default_path(), "/x/y.conf");
	unsetenv("OCSIGN_CONF");
}

#define CONFIG_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(test_run_directory),
		CONFIG_TEST(test_base_directory),
		CONFIG_TEST(test_default_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
