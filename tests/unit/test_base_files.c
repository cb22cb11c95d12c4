/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths responders serve, as the configuration's URLs have it. */
#include "tests/unit/base_test.h"

#include "base/config.h"

#define ISSUER(name) "[issuer " name "]\ncertificate = " name "\n" \
	"token = t\nkey = k\n"
#define TOKEN "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"

static enum oc_err
load(const char *text, struct oc_config **config,
    struct oc_config_errors *errors)
{
	memset(errors, 0, sizeof(*errors));
	base_test_put_text("ocsign.conf", text);
	return oc_config_load("ocsign.conf", config, errors);
}

static void
assert_path(const struct oc_config *c, size_t i, enum oc_config_file_kind kind,
    const char *issuer, const char *path)
{
	char text[200];

	assert_true(i < c->num_files);
	assert_int_equal(c->files[i].kind, kind);
	assert_string_equal(c->files[i].issuer->name, issuer);
	snprintf(text, sizeof(text), "%.*s", (int)c->files[i].path_len,
	    c->files[i].path);
	assert_string_equal(text, path);
}

static void
test_paths(void **state)
{
	struct oc_config_errors errors;
	struct oc_config *c;

	(void)state;
	assert_int_equal(load(TOKEN
	    ISSUER("a") "crl-url = http://h/a.crl\n"
	    "ca-issuers-url = http://h:81/x/a.cer?y=/z#f\n"
	    /* Nothing but where OCSP is asked. */
	    ISSUER("b") "crl-url = http://h/\nca-issuers-url = http://h\n"
	    ISSUER("c") "crl-url = http://h?crl\n"
	    "ca-issuers-url = http://h//\n"
	    ISSUER("d") "crl-url = http://h/d#x\n", &c, &errors), OC_OK);
	assert_int_equal(c->num_files, 3);
	assert_path(c, 0, OC_FILE_CRL, "a", "/a.crl");
	assert_path(c, 1, OC_FILE_CERTIFICATE, "a", "/x/a.cer");
	assert_path(c, 2, OC_FILE_CRL, "d", "/d");
	assert_string_equal(c->files[1].url, "http://h:81/x/a.cer?y=/z#f");
	oc_config_free(c);
}

/* A file there would take what POST asks. */
static void
test_prefix(void **state)
{
	struct oc_config_errors errors;
	struct oc_config *c;

	(void)state;
	assert_int_equal(load("[responder]\nprefix = /ocsp/\n" TOKEN
	    ISSUER("a") "crl-url = http://h/ocsp\n"
	    "ca-issuers-url = http://h/ocsp/?x\n"
	    ISSUER("b") "crl-url = http://h//ocsp//\nca-issuers-url = "
	    "http://h/\n"
	    ISSUER("c") "crl-url = http://h/ocsp/c.crl\n"
	    "ca-issuers-url = http://h/ocs\n", &c, &errors), OC_OK);
	assert_int_equal(c->num_files, 2);
	assert_path(c, 0, OC_FILE_CRL, "c", "/ocsp/c.crl");
	assert_path(c, 1, OC_FILE_CERTIFICATE, "c", "/ocs");
	oc_config_free(c);
	/* One that is no good. */
	assert_int_equal(load("[responder]\nprefix = ocsp\n" TOKEN
	    ISSUER("a") "crl-url = http://h/ocsp\n", &c, &errors),
	    OC_ERR_CONFIG);
	assert_int_equal(errors.num, 1);
}

static void
test_twice(void **state)
{
	static const char twice[] = TOKEN
	    ISSUER("a") "crl-url = http://one/ca.crl\n"
	    ISSUER("b") "\ncrl-url = http://two/ca.crl?x\n"
	    "ca-issuers-url = http://one/ca.crl\n";
	struct oc_config_errors errors;
	struct oc_config *c;
	char text[600];

	(void)state;
	assert_int_equal(load(twice, &c, &errors), OC_ERR_CONFIG);
	assert_int_equal(errors.num, 2);
	assert_string_equal(errors.list[0].text, "ocsign.conf:14: [issuer b] "
	    "crl-url: has the path of crl-url of [issuer a], and responders "
	    "serve one file there; choose another path, or serve-files = no "
	    "in [responder]");
	assert_non_null(strstr(errors.list[1].text, ":15: [issuer b] "
	    "ca-issuers-url: has the path of crl-url of [issuer a]"));
	snprintf(text, sizeof(text), "[responder]\nserve-files = no\n%s",
	    twice);
	assert_int_equal(load(text, &c, &errors), OC_OK);
	assert_int_equal(c->num_files, 0);
	oc_config_free(c);
	assert_int_equal(load("[responder]\nserve-files = maybe\n", &c,
	    &errors), OC_ERR_CONFIG);
	assert_non_null(strstr(errors.list[0].text, "serve-files"));
}

/* --- CRLs in parts ------------------------------------------------------ */

static void
test_partition_urls(void **state)
{
	static const char *const urls[][2] = {
		{ "http://h/web.crl", "http://h/web-3.crl" },
		{ "http://h.example/web", "http://h.example/web-3" },
		{ "http://h/a.b/web", "http://h/a.b/web-3" },
		{ "http://h/a.b/web.x.crl?y=.z#.f",
		    "http://h/a.b/web.x-3.crl?y=.z#.f" },
		{ "http://h.example", "http://h.example-3" },
		{ "http://h/.crl", "http://h/-3.crl" },
	};
	char text[OC_CRL_URL_MAX + 1], url[OC_CRL_URL_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		assert_true(oc_config_partition_url(urls[i][0], 3, text));
		assert_string_equal(text, urls[i][1]);
		assert_true(oc_config_partition_url(urls[i][0], 0, text));
		assert_string_equal(text, urls[i][0]);
	}
	memset(url, 'a', sizeof(url));
	memcpy(url, "http://h/", 9);
	url[OC_CRL_URL_MAX - 4] = '\0';
	assert_true(oc_config_partition_url(url, 128, text));
	assert_int_equal(strlen(text), OC_CRL_URL_MAX);
	url[OC_CRL_URL_MAX - 4] = 'a';
	url[OC_CRL_URL_MAX - 3] = '\0';
	assert_false(oc_config_partition_url(url, 128, text));
	assert_true(oc_config_partition_url(url, 0, text));
}

static void
test_partitions(void **state)
{
	struct oc_config_errors errors;
	struct oc_config *c;

	(void)state;
	assert_int_equal(load(TOKEN ISSUER("a") "crl-url = http://h/a.crl\n"
	    "crl-delta-url = http://h/d\ncrl-partitions = 2\n"
	    "ca-issuers-url = http://h/a.cer\n", &c, &errors), OC_OK);
	assert_int_equal(c->issuers[0].crl_partitions_open, 2);
	assert_int_equal(c->issuers[0].freshest_crl, OC_FRESHEST_CRL);
	assert_int_equal(c->num_files, 7);
	assert_path(c, 0, OC_FILE_CRL, "a", "/a.crl");
	assert_path(c, 1, OC_FILE_DELTA_CRL, "a", "/d");
	assert_path(c, 4, OC_FILE_CRL, "a", "/a-2.crl");
	assert_path(c, 5, OC_FILE_DELTA_CRL, "a", "/d-2");
	assert_int_equal(c->files[5].partition, 2);
	assert_path(c, 6, OC_FILE_CERTIFICATE, "a", "/a.cer");
	oc_config_free(c);
	/* Another's list at the URL of a partition. */
	assert_int_equal(load(TOKEN ISSUER("a") "crl-url = http://h/a.crl\n"
	    "crl-partitions = 2\n" ISSUER("b")
	    "crl-url = http://h/a-2.crl\n", &c, &errors), OC_ERR_CONFIG);
	assert_non_null(strstr(errors.list[0].text, "has the path of"));
}

static void
test_wrong_parts(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{ "crl-partitions = 2\n", "crl-partitions: is given without "
		    "crl-url" },
		{ "crl-url = http://h/a\ncrl-partitions = 129\n",
		    "crl-partitions: " },
		{ "crl-url = http://h/a\ncrl-partitions = 2\n"
		    "crl-partitions-open = 3\n", "crl-partitions-open: is "
		    "more than crl-partitions" },
		{ "crl-url = http://h/a\ncrl-partitions = 2\n"
		    "crl-reference = yes\n", "crl-reference: names one CRL" },
		{ "crl-delta-url = http://h/a\n", "crl-delta-url: is given "
		    "without crl-url" },
		{ "crl-url = http://h/a\ncrl-delta-url = http://h/b\n"
		    "crl-lifetime = 1h\n", "crl-delta-lifetime: is longer "
		    "than crl-lifetime" },
		{ "crl-url = http://h/a\ncrl-delta-url = http://h/b\n"
		    "source = crl\ncrl-file = x\n", "crl-delta-url: is given "
		    "beside crl-file" },
		{ "crl-url = http://h/a\ncrl-partitions = 2\n"
		    "source = crl\ncrl-fetch = http://h/b\n",
		    "crl-partitions: is given beside crl-file or crl-fetch" },
		{ "crl-url = http://h/a\ncrl-partitions = 2\n"
		    "crl-publish = at-once\nallow = certificate\n",
		    "crl-publish: wants CRLs signed" },
		{ "crl-url = http://h/a\ncrl-delta-url = http://h/a\n",
		    "crl-delta-url: has the path of crl-url" },
		{ "crl-url = http://h/a\nfreshest-crl = crl root\n",
		    "freshest-crl: " },
	};
	struct oc_config_errors errors;
	struct oc_config *c;
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), TOKEN ISSUER("a") "%s",
		    bad[i].text);
		if (load(text, &c, &errors) != OC_ERR_CONFIG ||
		    strstr(errors.list[0].text, bad[i].error) == NULL)
			fail_msg("%s: not %s", errors.num > 0 ?
			    errors.list[0].text : "taken", bad[i].error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_partition_urls),
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_wrong_parts),
	};

	return cmocka_run_group_tests(tests, base_test_enter,
	    base_test_leave);
}
