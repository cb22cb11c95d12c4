/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CFSSL's config.json: is what it says in our profiles, and is everything
 * that we cannot honour an error that says where it stands?
 */
#include "ca_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/cfssl_config.h"
#include "ca/pattern.h"

static struct ca_cfssl_config *
read_config(const char *text)
{
	struct ca_cfssl_config *config = NULL;
	struct oc_error error = { 0 };

	if (ca_cfssl_config_parse("config.json", text, strlen(text), &config,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return config;
}

static const struct ca_profile *
profile_of(const struct ca_cfssl_config *config, const char *name)
{
	const struct ca_profile *p = ca_cfssl_config_profile(config, name);

	if (p == NULL)
		fail_msg("no profile %s", name);
	return p;
}

/* "cfssl print-defaults config", as Debian's golang-cfssl prints it. */
static const char print_defaults[] =
"{\n    \"signing\": {\n        \"default\": {\n"
"            \"expiry\": \"168h\"\n        },\n        \"profiles\": {\n"
"            \"www\": {\n                \"expiry\": \"8760h\",\n"
"                \"usages\": [\n                    \"signing\",\n"
"                    \"key encipherment\",\n"
"                    \"server auth\"\n                ]\n            },\n"
"            \"client\": {\n                \"expiry\": \"8760h\",\n"
"                \"usages\": [\n                    \"signing\",\n"
"                    \"key encipherment\",\n"
"                    \"client auth\"\n                ]\n            }\n"
"        }\n    }\n}\n\n";

static void
defaults_as_printed(void **state)
{
	struct ca_cfssl_config *config = read_config(print_defaults);
	const struct ca_profile *www = profile_of(config, "www");

	(void)state;
	assert_string_equal(www->name, "cfssl:www");
	assert_string_equal(www->origin, "config.json: signing.profiles.www");
	assert_int_equal(www->validity_s, 8760 * 3600);
	assert_int_equal(www->validity_end, CA_END_EXACT);
	assert_int_equal(www->backdate_s, 300);
	assert_int_equal(www->round_s, 60);
	assert_int_equal(www->key_usage_rsa, X509_KU_DIGITAL_SIGNATURE |
	    X509_KU_KEY_ENCIPHERMENT);
	assert_int_equal(www->key_usage_other, X509_KU_DIGITAL_SIGNATURE);
	assert_int_equal(www->num_ekus, 1);
	assert_memory_equal(www->eku_octets[0],
	    der_oid_bytes(DER_OID_SERVER_AUTH).p, www->eku_len[0]);
	assert_int_equal(www->ca, X509_NOT_CA);
	assert_int_equal(www->csr_parts, CA_CSR_ALL);
	assert_int_equal(www->name_kinds, CA_NAME_ALL);
	assert_false(www->has_ocsp_url || www->has_crl_url ||
	    www->has_ca_issuers_url || www->num_ca_issuers_urls != 0);
	assert_null(www->auth_key);
	assert_non_null(ca_cfssl_config_profile(config, "client"));
	/* Never the default, and a default without usages is none. */
	assert_null(ca_cfssl_config_profile(config, "WWW"));
	assert_null(ca_cfssl_config_profile(config, "ww"));
	assert_null(ca_cfssl_config_profile(config, "cfssl:www"));
	assert_null(ca_cfssl_config_profile(config, "default"));
	assert_null(ca_cfssl_config_profile(config, ""));
	ca_cfssl_config_free(config);
}

static const char everything[] =
"{ \"signing\": { \"default\": { \"expiry\": \"24h\", \"usages\": [\"any\"],"
"    \"ocsp_url\": \"http://ocsp.example/\","
"    \"crl_url\": \"http://crl.example/\","
"    \"issuer_urls\": [\"http://a.example/\", \"http://b.example/\"] },"
"  \"profiles\": { \"all\": {"
"    \"usages\": [\"signing\", \"content commitment\", \"key encipherment\","
"      \"key agreement\", \"data encipherment\", \"encipher only\","
"      \"decipher only\", \"server auth\", \"s/mime\", \"email protection\","
"      \"ipsec tunnel\", \"netscape sgc\"],"
"    \"backdate\": \"1h\", \"ocsp_no_check\": true,"
"    \"auth_key\": \"one\", \"prev_auth_key\": \"two\","
"    \"not_before\": \"2020-01-31T01:00:00+01:00\","
"    \"not_after\": \"2030-01-31T00:00:00Z\","
"    \"name_whitelist\": \"^[a-z]+\\\\.example\\\\.com$\","
"    \"allowed_extensions\": [\"1.2.3.4\", \"1.3.6.1.5.5.7.1.24\"],"
"    \"copy_extensions\": true,"
"    \"Policies\": [{ \"ID\": \"1.2.3\", \"Qualifiers\": ["
"      { \"Type\": \"id-qt-cps\", \"Value\": \"http://cps.example/\" },"
"      { \"Type\": \"id-qt-unotice\", \"Value\": \"Read it\" }] },"
"      { \"ID\": \"2.3.4\" }],"
"    \"CSRWhitelist\": { \"Subject\": true, \"PublicKey\": true,"
"      \"PublicKeyAlgorithm\": true, \"SignatureAlgorithm\": true,"
"      \"DNSNames\": true, \"IPAddresses\": false },"
"    \"ClientProvidesSerialNumbers\": true,"
"    \"remote\": \"\", \"ct_log_servers\": [], \"cert_store\": \"\","
"    \"lint_error_level\": 0, \"ignored_lints\": null },"
"  \"ca\": { \"usages\": [\"cert sign\", \"crl sign\"],"
"    \"ca_constraint\": { \"is_ca\": true, \"max_path_len\": 0,"
"      \"max_path_len_zero\": true } },"
"  \"root\": { \"usages\": [\"cert sign\"],"
"    \"ca_constraint\": { \"is_ca\": true } } } },"
"  \"auth_keys\": { \"one\": { \"type\": \"standard\","
"    \"key\": \"0123456789ABCDEFfedcba9876543210\" },"
"    \"two\": { \"type\": \"standard\", \"key\": \"00ff\" } } }";

static void
every_key_is_read(void **state)
{
	static const uint8_t one[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
	    0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	struct ca_cfssl_config *config = read_config(everything);
	const struct ca_profile *p = profile_of(config, "all");

	(void)state;
	assert_int_equal(p->key_usage_rsa, 0x1 | 0x2 | 0x4 | 0x8 | 0x10 |
	    0x80 | 0x100);
	assert_int_equal(p->num_ekus, 4);	/* two names of one */
	assert_int_equal(p->validity_s, 24 * 3600);
	assert_int_equal(p->backdate_s, 3600);
	assert_true(p->has_ocsp_nocheck);
	assert_int_equal(p->not_before, 1580428800);
	assert_int_equal(p->not_after, 1896048000);
	assert_bytes_equal(p->ocsp_url, DER_LITERAL("http://ocsp.example/"));
	assert_bytes_equal(p->crl_url, DER_LITERAL("http://crl.example/"));
	assert_int_equal(p->num_ca_issuers_urls, 2);
	assert_bytes_equal(p->ca_issuers_urls[1],
	    DER_LITERAL("http://b.example/"));
	assert_string_equal(p->auth_key, "one");
	assert_string_equal(p->prev_auth_key, "two");
	assert_true(ca_pattern_matches(p->name_whitelist,
	    DER_LITERAL("www.example.com")));
	assert_int_equal(p->num_allowed_oids, 2);
	assert_int_equal(p->copy_rule, CA_COPY_ALL);
	assert_int_equal(p->num_policies, 2);
	assert_int_equal(p->policies[0].num_qualifiers, 2);
	assert_bytes_equal(p->policies[0].qualifiers[1].text,
	    DER_LITERAL("Read it"));
	assert_int_equal(p->csr_parts, CA_CSR_SUBJECT | CA_CSR_DNS);
	assert_int_equal(p->serial_rule, CA_SERIAL_OF_CALLER);
	assert_bytes_equal(ca_cfssl_config_auth_key(config, "one"),
	    DER_ARRAY(one));
	assert_int_equal(ca_cfssl_config_auth_key(config, "two").len, 2);
	assert_int_equal(ca_cfssl_config_auth_key(config, "three").len, 0);
	assert_int_equal(ca_cfssl_config_num_profiles(config), 4);

	p = profile_of(config, "ca");
	assert_int_equal(p->ca, X509_IS_CA);
	assert_int_equal(p->path_length, 0);
	assert_int_equal(p->name_kinds, CA_NAME_IP);
	assert_int_equal(profile_of(config, "root")->path_length,
	    X509_NO_PATH_LENGTH);
	assert_non_null(ca_cfssl_config_profile(config, ""));
	assert_ptr_equal(ca_cfssl_config_profile(config, "default"),
	    ca_cfssl_config_profile(config, ""));
	ca_cfssl_config_free(config);
}

/* CFSSL's own default: a year, for servers and clients. */
static void
without_a_default(void **state)
{
	struct ca_cfssl_config *config = read_config("{\"signing\":{}}");
	const struct ca_profile *p = profile_of(config, "default");

	(void)state;
	assert_int_equal(p->validity_s, 8760 * 3600);
	assert_int_equal(p->num_ekus, 2);
	assert_string_equal(p->name, "cfssl:default");
	ca_cfssl_config_free(config);
}

/* --- what is refused -------------------------------------------------- */

struct bad {
	const char *text, *words;
};

/* Members of a profile that is good without them. */
static const struct bad members[] = {
	{ "\"remote\":\"other\"", "profiles.x.remote: cannot be honoured" },
	{ "\"Remote\":\"other\"", "profiles.x.Remote: cannot be honoured" },
	{ "\"auth_remote\":{\"remote\":\"a\",\"auth_key\":\"b\"}",
	    "profiles.x.auth_remote: cannot be honoured" },
	{ "\"ct_log_servers\":[\"https://ct.example/\"]",
	    "profiles.x.ct_log_servers: cannot be honoured" },
	{ "\"cert_store\":\"db\"", "profiles.x.cert_store: cannot be" },
	{ "\"lint_error_level\":6", "x.lint_error_level: cannot be" },
	{ "\"ignored_lints\":[\"a\"]", "x.ignored_lints: cannot be" },
	{ "\"ignored_lint_sources\":[\"a\"]", "x.ignored_lint_sources: " },
	{ "\"expirey\":\"1h\"", "did you mean \"expiry\"?" },
	{ "\"unknown_key\":1", "unknown_key: there is no such key" },
	{ "\"expiry\":\"365d\"", "profiles.x.expiry: \"365d\"" },
	{ "\"expiry\":\"-1h\"", "profiles.x.expiry: \"-1h\"" },
	{ "\"expiry\":8760", "profiles.x.expiry: must be a text" },
	{ "\"backdate\":\"soon\"", "profiles.x.backdate: \"soon\"" },
	{ "\"usages\":[\"server_auth\"]", "x.usages[0]: is no usage" },
	{ "\"usages\":[\"signing\",\"Server Auth\"]", "x.usages[1]: is no" },
	{ "\"usages\":[5]", "x.usages[0]: is no usage" },
	{ "\"usages\":\"signing\"", "x.usages: must be a list" },
	{ "\"usages\":[]", "profiles.x: usages: there are none" },
	{ "\"usages\":[\"cert sign\"]", "keyCertSign and cRLSign are for" },
	{ "\"ca_constraint\":{\"is_ca\":true}", "a CA without keyCertSign" },
	{ "\"ca_constraint\":{\"max_path_len\":1}", "without is_ca" },
	{ "\"ca_constraint\":{\"is_ca\":true,\"max_path_len\":99}",
	    "max_path_len: from 0 to 16" },
	{ "\"ca_constraint\":{\"isca\":true}", "did you mean \"is_ca\"?" },
	{ "\"ca_constraint\":true", "ca_constraint: must be an object" },
	{ "\"not_before\":\"2020-01-01\"", "x.not_before: must be like" },
	{ "\"not_after\":\"2020-01-01T00:00:00\"", "x.not_after: must" },
	{ "\"not_after\":\"2020-01-01T00:00:00+1\"", "x.not_after: must" },
	{ "\"not_before\":\"2021-01-01T00:00:00Z\","
	    "\"not_after\":\"2020-01-01T00:00:00Z\"", "is not after" },
	{ "\"name_whitelist\":\"(\"", "x.name_whitelist: the regular" },
	{ "\"name_whitelist\":\"(a)\\\\1\"", "x.name_whitelist: the regul" },
	{ "\"allowed_extensions\":[\"1.2.\"]", "allowed_extensions[0]: " },
	{ "\"allowed_extensions\":[\"1.2.3\",\"2.5.29.19\"]",
	    "allowed_extensions[1]: 2.5.29.19 is an extension that is nev" },
	{ "\"allowed_extensions\":[\"1.3.6.1.4.1.11129.2.4.3\"]",
	    "allowed_extensions[0]: " },
	{ "\"copy_extensions\":\"yes\"", "x.copy_extensions: must be true" },
	{ "\"Policies\":[{}]", "Policies[0]: ID: " },
	{ "\"Policies\":[{\"ID\":\"1.2.3\"},{\"ID\":\"1.2.3\"}]",
	    "Policies[1]: ID: the policy 1.2.3 is there twice" },
	{ "\"Policies\":[{\"ID\":\"1.2.3\",\"Qualifiers\":[{\"Type\":"
	    "\"cps\",\"Value\":\"a\"}]}]", "neither id-qt-cps nor" },
	{ "\"Policies\":[{\"ID\":\"1.2.3\",\"Qualifiers\":[{\"Type\":"
	    "\"id-qt-cps\",\"Value\":\"a b\"}]}]", "is no http URI" },
	{ "\"Policies\":[{\"ID\":\"1.2.3\",\"Qualifiers\":[{\"Type\":"
	    "\"id-qt-cps\"}]}]", "needs Type and Value" },
	{ "\"ocsp_url\":\"https://a/\"", "x.ocsp_url: must be a URL" },
	{ "\"crl_url\":\"ftp://a/\"", "x.crl_url: must be a URL" },
	{ "\"issuer_urls\":[\"a\"]", "x.issuer_urls: must be a URL" },
	{ "\"issuer_urls\":[1]", "x.issuer_urls[0]: must be a text" },
	{ "\"issuer_urls\":[\"http://a/\",\"http://b/\",\"http://c/\","
	    "\"http://d/\",\"http://e/\"]", "x.issuer_urls: more than 4" },
	{ "\"CSRWhitelist\":{\"Subject\":true}", "PublicKey: must be true" },
	{ "\"CSRWhitelist\":{\"DNSName\":true}", "did you mean \"DNSNames" },
	{ "\"auth_key\":\"gone\"", "there is no \"gone\" in auth_keys" },
	{ "\"auth_key\":\"k\",\"prev_auth_key\":\"gone\"",
	    "prev_auth_key: there is no \"gone\"" },
	{ "\"prev_auth_key\":\"k\"", "is nothing without auth_key" },
	{ "\"expiry\":\"1h\",\"expiry\":\"2h\"", "duplicate" },
	{ "\"expiry\":\"1h\",\"Expiry\":\"2h\"", "is there twice" },
};

static void
must_refuse(const char *text, const char *words)
{
	struct ca_cfssl_config *config = NULL;
	struct oc_error error = { 0 };

	if (ca_cfssl_config_parse("config.json", text, strlen(text), &config,
	    &error) != OC_ERR_CONFIG)
		fail_msg("taken: %s (wanted: %s)", text, words);
	assert_null(config);
	assert_int_equal(error.code, OC_ERR_CONFIG);
	assert_int_equal(strncmp(error.text, "config.json: ", 13), 0);
	if (strstr(error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void
members_are_refused(void **state)
{
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(members); i++) {
		bool has_usages = strstr(members[i].text, "usages") != NULL;
		bool has_expiry = strstr(members[i].text, "xpiry") != NULL;

		snprintf(text, sizeof(text), "{\"auth_keys\":{\"k\":{\"type\":"
		    "\"standard\",\"key\":\"00\"}},\"signing\":{\"profiles\":"
		    "{\"x\":{%s%s%s}}}}", has_usages ? "" :
		    "\"usages\":[\"signing\"],", has_expiry ? "" :
		    "\"expiry\":\"1h\",", members[i].text);
		must_refuse(text, members[i].words);
	}
}

static void
documents_are_refused(void **state)
{
	static const struct bad all[] = {
		{ "", "" },
		{ "[]", "not a JSON object" },
		{ "{", "line 1" },
		{ "{} {}", "line 1" },
		{ "{}", "signing: is missing" },
		{ "{\"signing\":[]}", "signing: must be an object" },
		{ "{\"signing\":{},\"signing\":{}}", "duplicate" },
		{ "{\"signing\":{},\"Signing\":{}}", "is there twice" },
		{ "{\"sign\":{}}", "there is no such key" },
		{ "{\"signing\":{\"profile\":{}}}", "mean \"profiles\"?" },
		{ "{\"signing\":{\"default\":{\"expiry\":\"\"},\"profiles\":"
		    "{\"a\":{\"usages\":[\"signing\"]}}}}",
		    "profiles.a: expiry: is missing" },
		{ "{\"signing\":{\"profiles\":{\"default\":{\"usages\":["
		    "\"signing\"]}}}}", "is signing.default's name" },
		{ "{\"signing\":{\"profiles\":{\"a b\":{\"usages\":["
		    "\"signing\"]}}}}", "a name has 1 to" },
		{ "{\"signing\":{\"profiles\":{\"\":{\"usages\":["
		    "\"signing\"]}}}}", "a name has 1 to" },
		{ "{\"signing\":{\"profiles\":{\"a\":5}}}", "must be an obj" },
		{ "{\"signing\":{},\"remotes\":{\"a\":\"h:1\"}}",
		    "remotes: cannot be honoured" },
		{ "{\"signing\":{},\"ocsp\":{\"ca_file\":\"a\"}}",
		    "ocsp: cannot be honoured" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":\"hmac\","
		    "\"key\":\"00\"}}}", "auth_keys.a: type: must be" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"key\":\"00\"}}}",
		    "auth_keys.a: type: must be" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\"}}}", "auth_keys.a.key: is missing" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"\"}}}", "auth_keys.a.key: must" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"0\"}}}", "auth_keys.a.key: must" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"S3cretxx\"}}}", "a.key: must be" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"env:NO_SUCH_VARIABLE\"}}}",
		    "the environment has no NO_SUCH_VARIABLE" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"file:/nonexistent/key\"}}}",
		    "/nonexistent/key" },
		{ "{\"signing\":{},\"auth_keys\":{\"a\":{\"type\":"
		    "\"standard\",\"key\":\"00\",\"algo\":\"x\"}}}",
		    "there is no such key" },
	};
	struct oc_error error = { 0 };
	struct ca_cfssl_config *config = NULL;
	char deep[400];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(all); i++)
		must_refuse(all[i].text, all[i].words);
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	must_refuse(deep, "brackets");
	/* A key is in no error. */
	assert_int_equal(ca_cfssl_config_parse("c", all[22].text,
	    strlen(all[22].text), &config, &error), OC_ERR_CONFIG);
	assert_null(strstr(error.text, "S3cret"));
}

static void
keys_from_elsewhere(void **state)
{
	struct ca_fixture *f = *state;
	struct ca_cfssl_config *config;
	char path[320], text[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s/auth.key", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, " 0a0B\n");
	fclose(file);
	setenv("OCSIGN_TEST_AUTH_KEY", "0102", 1);
	snprintf(text, sizeof(text), "{\"signing\":{},\"auth_keys\":{\"f\":{"
	    "\"type\":\"standard\",\"key\":\"file:%s\"},\"e\":{\"type\":"
	    "\"standard\",\"key\":\"env:OCSIGN_TEST_AUTH_KEY\"}}}", path);
	config = read_config(text);
	assert_bytes_equal(ca_cfssl_config_auth_key(config, "f"),
	    DER_LITERAL("\x0a\x0b"));
	assert_bytes_equal(ca_cfssl_config_auth_key(config, "e"),
	    DER_LITERAL("\x01\x02"));
	ca_cfssl_config_free(config);
	unsetenv("OCSIGN_TEST_AUTH_KEY");
	unlink(path);
}

/* Through the configuration: cfssl:www, and never another for one that is
 * not there. */
static void
found_by_prefix(void **state)
{
	struct ca_fixture *f = *state;
	struct oc_error error = { 0 };
	struct ca_profile profile;
	char path[320];
	FILE *file;

	assert_int_equal(ca_profile_find(&f->config, "cfssl:www", &profile,
	    &error), OC_ERR_NOT_FOUND);
	assert_non_null(strstr(error.text, "[cfssl]"));
	snprintf(path, sizeof(path), "%s/config.json", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(print_defaults, file);
	fclose(file);
	f->config.cfssl.config = path;
	assert_int_equal(ca_profile_find(&f->config, "cfssl:www", &profile,
	    &error), OC_OK);
	assert_string_equal(profile.name, "cfssl:www");
	ca_profile_fini(&profile);
	assert_int_equal(ca_profile_find(&f->config, "cfssl:wwww", &profile,
	    &error), OC_ERR_NOT_FOUND);
	assert_int_equal(ca_profile_find(&f->config, "cfssl:default",
	    &profile, &error), OC_ERR_NOT_FOUND);
	assert_int_equal(ca_profile_find(&f->config, "www", &profile,
	    &error), OC_ERR_NOT_FOUND);
	X509_free(ca_must_issue(f, "cfssl:www", ca_csr("P-256", "CN=a",
	    "subjectAltName", "DNS:a.example,IP:192.0.2.1", NULL)));
	ca_must_refuse(f, "cfssl:www", ca_csr("P-256", "CN=a", "keyUsage",
	    "keyCertSign", NULL), "keyUsage");
	unlink(path);
	f->config.cfssl.config = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_as_printed),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(without_a_default),
		cmocka_unit_test(members_are_refused),
		cmocka_unit_test(documents_are_refused),
		cmocka_unit_test_setup_teardown(keys_from_elsewhere, ca_setup,
		    ca_teardown),
		cmocka_unit_test_setup_teardown(found_by_prefix, ca_setup,
		    ca_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
