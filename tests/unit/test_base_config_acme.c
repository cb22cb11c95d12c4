/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in [acme], and what must stand with it? */
#include "base_test.h"

#include "base/config.h"

#define AROUND "[api]\nlisten = 127.0.0.1:0\n[validation]\n" \
	"[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n" \
	"[issuer ca]\ncertificate = ca.pem\ntoken = t\nkey = k\n"
#define URL "url = https://ca.example/acme/directory\n"

/* error NULL: it is good. */
static const struct {
	const char *text;
	const char *error;
} cases[] = {
	{ AROUND "[acme]\n" URL "issuer = ca\n", NULL },
	{ AROUND "[acme]\nurl = http://[::1]:80/directory\nissuer = ca\n"
	    "profiles = client server\nexternal-account = optional\n"
	    "account = a\n", NULL },
	{ AROUND "[acme]\nissuer = ca\n", "url: is missing" },
	{ AROUND "[acme]\n" URL, "issuer: is missing" },
	{ AROUND "[acme]\n" URL "issuer = other\n", "no [issuer]" },
	{ AROUND "[acme]\n" URL "issuer = ca\nprofiles = x\n", "profile" },
	{ AROUND "[acme]\n" URL "issuer = ca\naccount = a\n", "account: " },
	{ AROUND "[acme]\n" URL "issuer = ca\n"
	    "external-account = optional\n", "account: is missing" },
	{ AROUND "[acme]\nissuer = ca\nurl = https://ca.example/acme/\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\nissuer = ca\nurl = https://ca.example\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\nissuer = ca\nurl = ca.example/directory\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\nissuer = ca\nurl = https://a@ca.example/d\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\nissuer = ca\nurl = https://ca.example/d?x\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\nissuer = ca\nurl = https://ca.example//d\n",
	    "no URL of a directory" },
	{ AROUND "[acme]\n" URL "issuer = ca\nwebsite = x\n", "no URL" },
	{ AROUND "[acme]\n" URL "issuer = ca\norders-max = 0\n",
	    "orders-max" },
	{ AROUND "[acme]\n" URL "issuer = ca\nzone-orders-max = 0\n", NULL },
	{ AROUND "[acme]\n" URL "issuer = ca\nzone-orders-max = -1\n",
	    "zone-orders-max" },
	{ "[validation]\n[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"
	    "[issuer ca]\ncertificate = ca.pem\ntoken = t\nkey = k\n"
	    "[acme]\n" URL "issuer = ca\n", "nowhere listened" },
	{ "[api]\nlisten = 127.0.0.1:0\n[token t]\nmodule = /m.so\n"
	    "uri = pkcs11:token=t\n[issuer ca]\ncertificate = ca.pem\n"
	    "token = t\nkey = k\n[acme]\n" URL "issuer = ca\n",
	    "add a [validation] section" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_config *config = NULL;
		enum oc_err err;

		base_test_put_text("ocsign.conf", cases[i].text);
		err = oc_config_load("ocsign.conf", &config, &errors);
		if (cases[i].error == NULL && err != OC_OK)
			fail_msg("%zu: %s", i, errors.list[0].text);
		if (cases[i].error != NULL) {
			assert_int_equal(err, OC_ERR_CONFIG);
			if (strstr(errors.list[0].text,
			    cases[i].error) == NULL)
				fail_msg("%zu: %s", i, errors.list[0].text);
		}
		oc_config_free(config);
	}
}

static void
test_presets(void **state)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config;

	(void)state;
	base_test_put_text("ocsign.conf", cases[0].text);
	assert_int_equal(oc_config_load("ocsign.conf", &config, &errors),
	    OC_OK);
	assert_int_equal(config->acme.profiles.num, 1);
	assert_string_equal(config->acme.profiles.words[0], "server");
	assert_int_equal(config->acme.external_account,
	    OC_EXTERNAL_REQUIRED);
	assert_int_equal(config->acme.alternates, OC_SWITCH_YES);
	assert_int_equal(config->acme.order_lifetime_s, 7 * 86400);
	assert_int_equal(config->acme.zone_orders_max, 300);
	assert_int_equal(config->acme.renewal_retry_s, 6 * 3600);
	oc_config_free(config);
}

#define CONFIG_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(test_cases),
		CONFIG_TEST(test_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
