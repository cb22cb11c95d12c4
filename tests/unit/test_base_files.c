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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, base_test_enter,
	    base_test_leave);
}
