/* SPDX-License-Identifier: Apache-2.0 */
/* When CRLs are published, as the configuration has it; and the file that says
 * why one was not, whoever wrote it. */
#include "tests/unit/base_test.h"

#include <errno.h>

#include "base/config.h"
#include "base/crl_trouble.h"

#define TOKEN "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"
#define ISSUER "[issuer a]\ncertificate = a\ntoken = t\nkey = k\n"
#define DAY INT64_C(86400)

static enum oc_err
load(const char *text, struct oc_config **config,
    struct oc_config_errors *errors)
{
	memset(errors, 0, sizeof(*errors));
	base_test_put_text("ocsign.conf", text);
	return oc_config_load("ocsign.conf", config, errors);
}

static void
test_defaults(void **state)
{
	static const struct {
		const char *text;
		enum oc_config_publish publish;
		int64_t every_s, overlap_s;
	} cases[] = {
		{ "", OC_PUBLISH_NO, DAY, 7 * DAY / 2 },
		{ "crl-url = http://h/a\n", OC_PUBLISH_SCHEDULED, DAY,
		    7 * DAY / 2 },
		{ "crl-url = http://h/a\ncrl-publish = no\n", OC_PUBLISH_NO,
		    DAY, 7 * DAY / 2 },
		{ "crl-publish = at-once\n", OC_PUBLISH_AT_ONCE, DAY,
		    7 * DAY / 2 },
		{ "crl-url = http://h/a\nallow = certificate ocsp\n",
		    OC_PUBLISH_NO, DAY, 7 * DAY / 2 },
		{ "crl-url = http://h/a\ncrl-file = f\n", OC_PUBLISH_NO, DAY,
		    7 * DAY / 2 },
		{ "crl-url = http://h/a\ncrl-fetch = http://h/b\n",
		    OC_PUBLISH_NO, DAY, 7 * DAY / 2 },
		{ "crl-url = http://h/a\nsource = crl\ncrl-file = f\n",
		    OC_PUBLISH_NO, DAY, 7 * DAY / 2 },
		{ "crl-lifetime = 1m\n", OC_PUBLISH_NO, 15, 30 },
		{ "crl-every = 6d\n", OC_PUBLISH_NO, 6 * DAY, DAY },
		{ "crl-overlap = 160h\n", OC_PUBLISH_NO, 8 * 3600,
		    160 * 3600 },
		{ "crl-every = 6d\ncrl-overlap = 1d\n", OC_PUBLISH_NO,
		    6 * DAY, DAY },
	};
	struct oc_config_errors errors;
	struct oc_config *c;
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), TOKEN ISSUER "%s",
		    cases[i].text);
		if (load(text, &c, &errors) != OC_OK)
			fail_msg("%s: %s", cases[i].text,
			    errors.list[0].text);
		if (c->issuers[0].crl_publish != cases[i].publish ||
		    c->issuers[0].crl_every_s != cases[i].every_s ||
		    c->issuers[0].crl_overlap_s != cases[i].overlap_s)
			fail_msg("%s: %d, %lld, %lld", cases[i].text,
			    (int)c->issuers[0].crl_publish,
			    (long long)c->issuers[0].crl_every_s,
			    (long long)c->issuers[0].crl_overlap_s);
		assert_int_equal(c->issuers[0].crl_spacing_s, 60);
		assert_int_equal(oc_config_publishes(c),
		    cases[i].publish != OC_PUBLISH_NO);
		assert_int_equal(oc_config_has_issuer(c),
		    cases[i].publish != OC_PUBLISH_NO);
		oc_config_free(c);
	}
}

static void
test_complaints(void **state)
{
	static const struct {
		const char *text, *key, *says;
	} cases[] = {
		{ "crl-publish = scheduled\ncrl-file = f\n", "crl-publish",
		    "signed elsewhere" },
		{ "crl-publish = at-once\nallow = ocsp\n", "crl-publish",
		    "none are signed here" },
		{ "crl-every = 7d\n", "crl-every", "not shorter" },
		{ "crl-overlap = 8d\n", "crl-overlap", "not shorter" },
		{ "crl-every = 6d\ncrl-overlap = 25h\n", "crl-overlap",
		    "what crl-every leaves" },
	};
	struct oc_config_errors errors;
	struct oc_config *c;
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), TOKEN ISSUER "%s",
		    cases[i].text);
		assert_int_equal(load(text, &c, &errors), OC_ERR_CONFIG);
		assert_int_equal(errors.num_found, 1);
		if (strstr(errors.list[0].text, cases[i].key) == NULL ||
		    strstr(errors.list[0].text, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text,
			    errors.list[0].text);
	}
}

/* Where roles have users of their own, this one has, too. */
static void
test_users(void **state)
{
#define USERS "[daemon]\nsigner-user = 1\nstatus-user = 2\n" \
	"responder-user = 3\n"
	struct oc_config_errors errors;
	struct oc_config *c;

	(void)state;
	assert_int_equal(load(USERS TOKEN ISSUER, &c, &errors), OC_OK);
	oc_config_free(c);
	assert_int_equal(load(USERS TOKEN ISSUER "crl-url = http://h/a\n",
	    &c, &errors), OC_ERR_CONFIG);
	assert_non_null(strstr(errors.list[0].text, "issuer-user"));
	assert_int_equal(load(USERS "issuer-user = 4\n" TOKEN ISSUER
	    "crl-url = http://h/a\n", &c, &errors), OC_OK);
	oc_config_free(c);
}

/* --- why not ------------------------------------------------------------ */

static void
test_trouble(void **state)
{
	struct oc_crl_trouble trouble = { .since = 1700000000,
	    .num_failures = 7, .next_at = 1700000060 }, read = { 0 };
	struct oc_error error = { 0 };
	char why[2 * OC_CRL_WHY_MAX];

	(void)state;
	assert_int_equal(oc_crl_trouble_read("t", &read, &error),
	    OC_ERR_NOT_FOUND);
	oc_crl_trouble_say(&trouble, "a\nb\t\x7f c");
	assert_string_equal(trouble.why, "ab c");
	assert_int_equal(oc_crl_trouble_write("t", &trouble, &error), OC_OK);
	assert_int_equal(oc_crl_trouble_read("t", &read, &error), OC_OK);
	assert_true(read.since == trouble.since && read.num_failures == 7 &&
	    read.next_at == trouble.next_at);
	assert_string_equal(read.why, "ab c");
	/* Not cut in the middle of a character. */
	memset(why, 'x', sizeof(why));
	memcpy(why + OC_CRL_WHY_MAX - 2, "\xc3\xa4", 2);
	why[sizeof(why) - 1] = '\0';
	oc_crl_trouble_say(&trouble, why);
	assert_int_equal(strlen(trouble.why), OC_CRL_WHY_MAX - 2);
	trouble.since = trouble.next_at = trouble.num_failures =
	    INT64_C(253402300799);
	assert_int_equal(oc_crl_trouble_write("t", &trouble, &error), OC_OK);
	assert_int_equal(oc_crl_trouble_read("t", &read, &error), OC_OK);
	assert_string_equal(read.why, trouble.why);
}

/* Cut at every octet, and what nobody here writes. */
static void
test_bad_trouble(void **state)
{
	static const char whole[] = "since 1\nfailures 2\nnext 3\nwhy x y\n";
	static const char *const bad[] = {
		"since -1\nfailures 2\nnext 3\nwhy x\n",
		"since 1\nfailures 2\nnext 3\nwhy x\n\n",
		"since 1\nfailures 2\nwhy x\nnext 3\n",
		"since 1 \nfailures 2\nnext 3\nwhy x\n",
		"since 1\nfailures 253402300800\nnext 3\nwhy x\n",
		"since 1\nfailures 2\nnext 3\nwhy \x1b[1m\n",
		"since 1\nfailures 2\nnext 3\nwhy \xff\n",
		"since 1\nfailures 2\nnext 3\nwhy\n",
	};
	struct oc_crl_trouble read = { .since = 77 };
	struct oc_error error = { 0 };
	char much[600];

	(void)state;
	for (size_t len = 0; len < strlen(whole); len++) {
		base_test_put("t", whole, len);
		assert_int_equal(oc_crl_trouble_read("t", &read, &error),
		    OC_ERR_MALFORMED);
	}
	base_test_put("t", whole, sizeof(whole));	/* and a 0 */
	assert_int_equal(oc_crl_trouble_read("t", &read, &error),
	    OC_ERR_MALFORMED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		base_test_put_text("t", bad[i]);
		if (oc_crl_trouble_read("t", &read, &error) !=
		    OC_ERR_MALFORMED)
			fail_msg("%s", bad[i]);
	}
	memset(much, 'x', sizeof(much));
	memcpy(much, whole, strlen(whole) - 1);
	much[sizeof(much) - 1] = '\n';
	base_test_put("t", much, sizeof(much));
	assert_int_not_equal(oc_crl_trouble_read("t", &read, &error), OC_OK);
	/* Why is longer than there is room for. */
	base_test_put("t", much + sizeof(much) - 300, 300);
	assert_int_not_equal(oc_crl_trouble_read("t", &read, &error), OC_OK);
	assert_int_equal(read.since, 77);
	base_test_put_text("t", whole);
	assert_int_equal(oc_crl_trouble_read("t", &read, &error), OC_OK);
	assert_string_equal(read.why, "x y");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, base_test_enter, \
	base_test_leave)
	const struct CMUnitTest tests[] = {
		TEST(test_defaults), TEST(test_complaints), TEST(test_users),
		TEST(test_trouble), TEST(test_bad_trouble)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
