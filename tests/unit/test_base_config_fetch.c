/* SPDX-License-Identifier: Apache-2.0 */
/* crl-fetch and what goes with it. */
#include "tests/unit/base_test.h"

#include "base/config.h"

#define CA "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n" \
	"[issuer ca]\ncertificate = ca.pem\ntoken = t\nkey = ca\n" \
	"source = crl\n"
#define FETCHED CA "crl-fetch = http://h/x.crl\n"

static struct oc_config *
load(const char *text)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config = NULL;

	base_test_put_text("ocsign.conf", text);
	if (oc_config_load("ocsign.conf", &config, &errors) != OC_OK)
		fail_msg("%s", errors.list[0].text);
	return config;
}

static void
test_taken(void **state)
{
	struct oc_config *c = load("[daemon]\nfetch-directory = /f\n" FETCHED);
	const struct oc_config_issuer *i = &c->issuers[0];

	(void)state;
	assert_true(oc_config_fetches(c));
	assert_int_equal(i->crl_fetch.num, 1);
	assert_string_equal(i->crl_file, "/f/ca.crl");
	assert_int_equal(i->crl_fetch_interval_s, 3600);
	assert_int_equal(i->crl_fetch_timeout_s, 60);
	assert_null(i->crl_fetch_ca);
	assert_null(i->crl_fetch_proxy);
	oc_config_free(c);
	c = load(CA "crl-fetch = https://[::1]:8443/a?b=c http://h\n"
	    "crl-fetch-interval = 10s\ncrl-fetch-timeout = 1s\n"
	    "crl-fetch-ca = trust.pem\ncrl-fetch-proxy = http://p:3128\n"
	    "crl-dropped = 5\n");
	i = &c->issuers[0];
	assert_int_equal(i->crl_fetch.num, 2);
	assert_string_equal(i->crl_fetch.words[1], "http://h");
	assert_int_equal(i->crl_fetch_interval_s, 10);
	assert_int_equal(i->crl_fetch_timeout_s, 1);
	assert_int_equal(i->crl_fetch_ca[0], '/');
	assert_null(i->crl_delta_file);
	assert_string_equal(i->crl_fetch_proxy, "http://p:3128");
	oc_config_free(c);
	c = load("[daemon]\nfetch-directory = /f\n" FETCHED
	    "crl-delta-fetch = freshest\n");
	assert_string_equal(c->issuers[0].crl_delta_file, "/f/ca.crl-delta");
	oc_config_free(c);
	c = load(CA "crl-file = x.crl\ncrl-delta-file = d.crl\n");
	assert_string_equal(strrchr(c->issuers[0].crl_delta_file, '/'),
	    "/d.crl");
	assert_false(oc_config_fetches(c));
	oc_config_free(c);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ FETCHED "crl-file = x.crl\n", "10: [issuer ca] crl-file: is given "
	    "beside crl-fetch, which has a file of its own; remove one of "
	    "the two" },
	{ CA, "8: [issuer ca] crl-file: is missing; source = crl needs it, or "
	    "crl-fetch" },
	{ CA "crl-fetch = ftp://h/x\n", "9: [issuer ca] crl-fetch: "
	    "\"ftp://h/x\" is no URL; write http://HOST/PATH or "
	    "https://HOST/PATH" },
	{ CA "crl-fetch = http:///x\n", "9: [issuer ca] crl-fetch: "
	    "\"http:///x\" is no URL" },
	{ CA "crl-fetch = file:///x\n", "is no URL" },
	{ CA "crl-fetch = http://a:b@h/x\n", "9: [issuer ca] crl-fetch: there "
	    "is a user in the URL of h/x; a CRL is for everybody, leave him "
	    "out" },
	{ CA "crl-fetch = http://h/x#y\n", "9: [issuer ca] crl-fetch: "
	    "\"http://h/x#y\" has a fragment" },
	{ CA "crl-fetch = http://h/<x>\n", "has a character that a URL cannot "
	    "have" },
	{ FETCHED "crl-fetch-interval = 9s\n", "10: [issuer ca] "
	    "crl-fetch-interval: " },
	{ FETCHED "crl-fetch-timeout = 2h\n", "10: [issuer ca] "
	    "crl-fetch-timeout: " },
	{ FETCHED "crl-fetch-proxy = socks5://p\n", "10: [issuer ca] "
	    "crl-fetch-proxy: \"socks5://p\" is no URL; write "
	    "http://HOST:PORT" },
	{ FETCHED "crl-fetch-proxy = http://a:b@p\n", "crl-fetch-proxy: there "
	    "is a user in the URL of p" },
	{ CA "crl-file = f\ncrl-delta-fetch = freshest\n", "10: [issuer ca] "
	    "crl-delta-fetch: is given without crl-fetch" },
	{ FETCHED "crl-delta-fetch = freshest http://h/d\n", "10: [issuer ca] "
	    "crl-delta-fetch: is freshest, or URLs; remove one of them" },
	{ FETCHED "crl-delta-fetch = Freshest\n", "10: [issuer ca] "
	    "crl-delta-fetch: \"Freshest\" is no URL" },
	{ FETCHED "crl-delta-file = x\n", "10: [issuer ca] crl-delta-file: "
	    "is given without crl-file; add that, or crl-delta-fetch in its "
	    "place" },
	{ "[daemon]\ntable-directory = /t\n" CA "crl-file = f\n"
	    "crl-delta-file = /t/x\n", "12: [issuer ca] crl-delta-file: is "
	    "in table-directory" },
	{ CA "crl-file = f\ncrl-fetch-ca = x\n", "10: [issuer ca] "
	    "crl-fetch-ca: is given without crl-fetch; add that or remove "
	    "this" },
	{ CA "crl-file = f\ncrl-fetch-interval = 1h\n", "10: [issuer ca] "
	    "crl-fetch-interval: is given without crl-fetch; add that or "
	    "remove this" },
	{ "[daemon]\nfetch-directory = /t\ntable-directory = /t\n" FETCHED,
	    "12: [issuer ca] crl-fetch: puts files into fetch-directory, and "
	    "that is table-directory" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_config *config = NULL;

		base_test_put_text("ocsign.conf", bad[i].text);
		if (oc_config_load("ocsign.conf", &config, &errors) !=
		    OC_ERR_CONFIG || strstr(errors.list[0].text,
		    bad[i].error) == NULL)
			fail_msg("%s: not %s", errors.num > 0 ?
			    errors.list[0].text : "taken", bad[i].error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, base_test_enter, base_test_leave);
}
